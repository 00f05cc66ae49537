package edgeapi

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/edgeref/edgeref/wire/click"
)

// What parseClicks takes, it takes whole: encoding it again gives the same bytes.
func FuzzParseClicks(f *testing.F) {
	r := click.Record{ProgramID: 3, Country: "IN"}
	b := r.Append(nil)
	one := append(binary.AppendUvarint(nil, uint64(len(b))), b...)
	f.Add(string(one))
	f.Add(string(one) + string(one))
	f.Add(string(one[:len(one)-1]))
	f.Add("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")
	f.Fuzz(func(t *testing.T, src string) {
		clicks, err := parseClicks(src)
		if err != nil {
			return
		}
		var again []byte
		for i := range clicks {
			b := clicks[i].Append(nil)
			again = append(binary.AppendUvarint(again, uint64(len(b))), b...)
		}
		if len(again) > len(src) || len(again) == len(src) && !bytes.Equal(again, []byte(src)) {
			t.Fatalf("%q became %q", src, again)
		}
	})
}

package clickhouse

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	chproto "github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2/lib/column"
	"pgregory.net/rapid"
)

// TestDictionary: what the driver reads from the wire form is what was added, whatever the width of the keys and however
// often the dictionary has been used before.
func TestDictionary(t *testing.T) {
	d := newDictionary()
	check := func(t interface {
		Helper()
		Fatalf(string, ...any)
	}, texts []string) {
		t.Helper()
		d.reset()
		for _, text := range texts {
			d.add(text)
		}
		col, err := column.Type("LowCardinality(String)").Column("c", &column.ServerContext{})
		if err != nil {
			t.Fatalf("%v", err)
		}
		wire := d.append(nil)
		source := bytes.NewReader(wire)
		if err := col.Decode(chproto.NewReader(source), len(texts)); err != nil {
			t.Fatalf("decode: %v", err)
		}
		for i, text := range texts {
			if got := col.Row(i, false); got != text {
				t.Fatalf("row %d is %q; want %q", i, got, text)
			}
		}
		if !slices.Equal(d.rows(), texts) {
			t.Fatalf("rows: %q; want %q", d.rows(), texts)
		}
	}
	for _, distinct := range []int{1, 254, 255, 256, 257, 65_535, 65_536, 70_000} {
		texts := make([]string, 0, distinct+2)
		for i := range distinct {
			texts = append(texts, fmt.Sprint("text ", i))
		}
		check(t, append(texts, "", texts[0]))
	}
	rapid.Check(t, func(rt *rapid.T) {
		check(rt, rapid.SliceOfN(rapid.OneOf(rapid.StringN(0, 3, 8), rapid.SampledFrom([]string{"", "a", "b", "ab", "ba", "\x00"})), 1, 300).Draw(rt, "texts"))
	})
}

func TestTexts(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		want := rapid.SliceOf(rapid.String()).Draw(rt, "texts")
		var wire []byte
		for _, text := range want {
			wire = appendText(wire, text)
		}
		if got := texts(wire); !slices.Equal(got, want) {
			rt.Fatalf("%q; want %q", got, want)
		}
	})
}

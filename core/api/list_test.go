package api

import (
	"testing"

	"github.com/edgeref/edgeref/wire/ident"
)

// Whatever a cursor holds, it is refused or names a position of its own list.
func FuzzCursor(f *testing.F) {
	f.Add(encodeCursor(ident.Link, "123"))
	f.Add(encodeCursor(ident.Link, "-1"))
	f.Add(encodeCursor(ident.Program, "123"))
	f.Add("")
	f.Add("\xff")
	f.Fuzz(func(t *testing.T, text string) {
		id, err := ListInput{Cursor: text}.after(ident.Link)
		if err != nil && id != 0 || id < 0 || err == nil && id == 0 && text != "" {
			t.Fatalf("%q is %d, %v", text, id, err)
		}
		key, err := decodeCursor(ident.Link, encodeCursor(ident.Link, text))
		if len(text) < 300 && (err != nil || key != text) {
			t.Fatalf("%q became %q, %v", text, key, err)
		}
	})
}

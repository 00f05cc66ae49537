package api

import (
	"strings"
	"testing"
)

// Whatever is sent, filters are either refused or ones that a query takes, with no value lost.
func FuzzParseFilters(f *testing.F) {
	for _, seed := range []string{
		"country:IN", "country:!IN\ncountry:US", "affiliate:aff_01J8Z0QK5T2VG", "affiliate:", "program:!", "sub1:a:b,c", "", ":", "!:x",
		"link:lnk_zzzzzzzzzzzzz", "sub1:\xff\x00", "affiliate:aff_0000000000000",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		texts := strings.Split(text, "\n")
		filters, err := parseFilters(texts)
		if err != nil {
			return
		}
		values := 0
		for _, filter := range filters {
			values += len(filter.Values)
			if identKind(filter.Dimension) == "" {
				continue
			}
			for _, v := range filter.Values {
				if v != "" && keyBody(filter.Dimension, v) == "" {
					t.Errorf("%q became %q, which is no identifier", text, v)
				}
			}
		}
		if values != len(texts) {
			t.Errorf("%d values of %d", values, len(texts))
		}
	})
}

// A cursor is refused, or names a place that has a cursor.
func FuzzDecodeCursor(f *testing.F) {
	f.Add(encodeCursor(clickCursor, "x"))
	f.Add("%%%")
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		key, err := decodeCursor(clickCursor, text)
		if err != nil {
			return
		}
		if again, err := decodeCursor(clickCursor, encodeCursor(clickCursor, key)); len(text) < 100 && (err != nil || again != key) {
			t.Errorf("%q is the place %q, whose cursor is the place %q (%v)", text, key, again, err)
		}
	})
}

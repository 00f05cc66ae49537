package ident

import (
	"errors"
	"sort"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestRoundTripAndOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.Int64Range(0, 1<<63-1).Draw(t, "a")
		b := rapid.Int64Range(0, 1<<63-1).Draw(t, "b")
		ta, tb := Format(Link, a), Format(Link, b)
		for _, text := range []string{ta, Link + strings.ToLower(ta[3:])} {
			if got, err := Parse(Link, text); err != nil || got != a {
				t.Fatalf("Parse(%q) = %d, %v; want %d", text, got, err, a)
			}
		}
		if sort.StringsAreSorted([]string{ta, tb}) != (a <= b) {
			t.Fatalf("%q and %q do not sort as %d and %d", ta, tb, a, b)
		}
	})
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{
		"", "lnk", "lnk_", "lnk_0", "aff_0000000000001", "lnk_00000000000001", "lnk_000000000000U",
		"lnk_8000000000000", "lnk-0000000000001", "LNK_0000000000001", "lnk_000000000000\x00",
	} {
		if _, err := Parse(Link, text); !errors.Is(err, ErrInvalid) {
			t.Errorf("Parse(%q): %v; want ErrInvalid", text, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("lnk_0000000000001")
	f.Add("lnk_ZZZZZZZZZZZZZ")
	f.Fuzz(func(t *testing.T, text string) {
		id, err := Parse(Link, text)
		if err == nil && !strings.EqualFold(Format(Link, id), text) {
			t.Fatalf("Parse(%q) = %d, which formats as %q", text, id, Format(Link, id))
		}
	})
}

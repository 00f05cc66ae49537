package redirect

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// queries draws texts in which what servers treat specially is frequent.
func queries() *rapid.Generator[string] {
	piece := rapid.OneOf(
		rapid.SampledFrom([]string{
			"click_id", "CLICK.ID", "click[id", "click id", "click+id", "click%5Fid", "%63lick_id", "sub1", "Sub5", "sub6", "s%75b2", "to", "TO", "t%6F",
			"[", "[]", "%00", "\x00", "%", "%4", "+", " ", "=", "&", ";", "é", "\x7f", "a", "z9",
		}),
		rapid.StringN(0, 3, -1),
	)
	return rapid.Custom(func(t *rapid.T) string { return strings.Join(rapid.SliceOfN(piece, 0, 8).Draw(t, "pieces"), "") })
}

// The way for names without marks answers what the careful one does, for every name.
func TestNamedIsSameName(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, _ := nextParameter(queries().Draw(t, "query"))
		for _, name := range []string{"click_id", "to", "sub1", "sub5", "c", "", canonical(queries().Draw(t, "name"))} {
			if got, want := p.named(name), sameName(p.name, name); got != want {
				t.Fatalf("%q is %q: %v, want %v", p.name, name, got, want)
			}
		}
		ours := false
		for _, name := range []string{"to", "sub1", "sub2", "sub3", "sub4", "sub5"} {
			ours = ours || sameName(p.name, name)
		}
		if p.ours() != ours {
			t.Fatalf("%q is ours: %v, want %v", p.name, p.ours(), ours)
		}
	})
}

func TestNextParameterCuts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		query := queries().Draw(t, "query")
		text, rest, _ := strings.Cut(query, "&")
		name, value, _ := strings.Cut(text, "=")
		p, left := nextParameter(query)
		if p.text != text || p.name != name || p.value != value || left != rest {
			t.Fatalf("%q: %+v and %q", query, p, left)
		}
		for mark, bytes := range map[marks]string{markEscape: "%", markPlus: "+", markSemicolon: ";"} {
			if p.marks&mark != 0 != strings.Contains(text, bytes) || p.nameMarks&mark != 0 != strings.Contains(name, bytes) {
				t.Fatalf("%q: marks %b, of the name %b", text, p.marks, p.nameMarks)
			}
		}
		if p.marks&markEscape == 0 || wellEncoded(text) {
			if got, want := string(p.append(nil)), string(appendPair(nil, text)); got != want {
				t.Fatalf("%q becomes %q, want %q", text, got, want)
			}
		}
		var w work
		if got, want := w.decoded(&p), string(clean(decode(nil, value))); got != want {
			t.Fatalf("value %q is read as %q, want %q", value, got, want)
		}
	})
}

package site

import (
	"bytes"
	"encoding/xml"
	"errors"
	"html/template"
	"image/png"
	"io"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/language"

	"github.com/edgeref/edgeref/core/locale/pseudo"
	"github.com/edgeref/edgeref/core/shop"
)

// A language that lacks a word shows a hole; one that forgets a value shows nonsense.
func TestTextIsWhole(t *testing.T) {
	for _, text := range languages() {
		for _, problem := range append(pseudo.Holes(text), pseudo.Compare(text, english())...) {
			t.Errorf("%s: %s", text.Tag, problem)
		}
		for _, state := range shop.States() {
			if text.States[string(state)].Title == "" {
				t.Errorf("%s: state %s has no words", text.Tag, state)
			}
		}
		for _, reason := range []shop.CouponReason{shop.CouponUnknown, shop.CouponNotYet, shop.CouponOver, shop.CouponUsedUp, shop.CouponUsedByBuyer, shop.CouponNotForThis} {
			if text.CouponProblems[string(reason)] == "" {
				t.Errorf("%s: reason %s has no words", text.Tag, reason)
			}
		}
	}
}

func TestSettled(t *testing.T) {
	for in, want := range map[template.HTML]template.HTML{
		"<p>a</p>":                        "<p>a</p>",
		"<h2>a</h2><h3>b</h3>":            "<h2>a</h2><h3>b</h3>",
		"<h3>a</h3><h4>b</h4><h3>c</h3>":  "<h2>a</h2><h3>b</h3><h2>c</h2>",
		"<p>x &lt;b&gt;</p><h4>a</h4>":    "<p>x &lt;b&gt;</p><h2>a</h2>",
		"":                                "",
		"<ul><li><h3>in a list</h3></ul>": "<ul><li><h3>in a list</h3></ul>",
	} {
		if got := settled(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestWords(t *testing.T) {
	for _, tt := range []struct {
		in    template.HTML
		limit int
		want  string
	}{
		{"<p>one <em>two</em>, three</p>", 100, "one two, three"},
		{"<p>one two three</p>", 8, "one two…"},
		{"<p>one, two</p>", 5, "one…"},
		{"<p>a &amp; b</p>\n<p>c</p>", 100, "a & b c"},
		{"", 10, ""},
	} {
		if got := words(tt.in, tt.limit); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestArtIsWellFormed(t *testing.T) {
	seen := map[string]bool{}
	for _, name := range []string{"", "a", "sales-training", "instagram", "x<y&\"z"} {
		picture := draw(name)
		if picture != draw(name) || seen[picture] {
			t.Errorf("%q is not the same each time, or looks like another", name)
		}
		seen[picture] = true
		d := xml.NewDecoder(strings.NewReader(picture))
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%q: %v", name, err)
			}
		}
	}
}

func TestCountries(t *testing.T) {
	list := countries(language.English)
	codes := map[string]bool{}
	for _, c := range list {
		if len(c.Code) != 2 || c.Name == "" || c.Name == c.Code || codes[c.Code] {
			t.Errorf("%+v", c)
		}
		codes[c.Code] = true
	}
	if len(list) != 249 || !codes["IN"] {
		t.Errorf("%d countries", len(list))
	}
}

// What is taken out of a form is text of a bounded length, whatever was sent.
func FuzzParseWish(f *testing.F) {
	for _, seed := range []string{
		"name=Ann&email=ann%40example.com&country=in&state=KA&action=order&once=" + newOnce(), "name=%ff%fe&address=a%0d%0ab%00", "click_id=x&click_id=y&coupon=" + strings.Repeat("%F0%9F%8E%89", 30),
		"once=AAAA", "seen=INR+1&gateway=%22", "name=" + strings.Repeat("é", 200),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		form, err := url.ParseQuery(body)
		if err != nil {
			t.Skip()
		}
		v := parseWish(form)
		for text, limit := range map[string]int{
			v.Name: 255, v.Email: 254, v.Address: 500, v.Country: 16, v.Region: 64, v.GSTIN: 60, v.Coupon: 40, v.Currency: 3, v.Gateway: 32, v.Seen: 40,
		} {
			if len(text) > limit || !utf8.ValidString(text) || strings.TrimSpace(text) != text && text != v.Country && text != v.GSTIN || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' || r == 0x7f }) {
				t.Errorf("%q", text)
			}
		}
		if v.Once != "" && !validOnce(v.Once) || len(v.Clicks) > maxClicks {
			t.Errorf("%+v", v)
		}
		again := parseWish(url.Values{"name": {v.Name}, "email": {v.Email}, "address": {v.Address}, "coupon": {v.Coupon}})
		if again.Name != v.Name || again.Email != v.Email || again.Address != v.Address || again.Coupon != v.Coupon {
			t.Errorf("%+v becomes %+v", v, again)
		}
	})
}

// Whatever a product is called, its preview is a picture of the right size; letters that the font has not are no boxes.
func TestPreview(t *testing.T) {
	p, err := newPainter()
	if err != nil {
		t.Fatal(err)
	}
	for _, title := range []string{"Sales training: from the first call to the signature", "", "x", strings.Repeat("W", 255), strings.Repeat("word ", 51), "बिक्री", "Größe für α и б"} {
		b, err := p.preview("Riverbank Learning", title)
		if err != nil {
			t.Fatal(err)
		}
		picture, err := png.Decode(bytes.NewReader(b))
		if err != nil || picture.Bounds().Dx() != previewWidth || picture.Bounds().Dy() != previewHeight {
			t.Errorf("%q: %v %v", title, err, picture.Bounds())
		}
	}
	if p.knows("बिक्री") || !p.knows("Größe für α и б") {
		t.Error("the font's letters are not known")
	}
	for i := range 2 * maxPreviews {
		p.kept[strconv.Itoa(i)] = nil
	}
	if _, err := p.preview("", "one more"); err != nil || len(p.kept) > maxPreviews {
		t.Errorf("%d are kept, %v", len(p.kept), err)
	}
}

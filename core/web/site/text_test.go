package site

import (
	"bytes"
	"encoding/xml"
	"errors"
	"html/template"
	"image/png"
	"io"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/text/language"

	"github.com/edgeref/edgeref/core/shop"
	"github.com/edgeref/edgeref/wire/money"
)

// A language that lacks a word shows a hole.
func TestTextIsWhole(t *testing.T) {
	for _, text := range []*Text{english()} {
		v := reflect.ValueOf(*text)
		for i := range v.NumField() {
			if f := v.Field(i); f.IsZero() || (f.Kind() == reflect.Slice || f.Kind() == reflect.Map) && f.Len() == 0 {
				t.Errorf("%s: %s is not set", text.Tag, v.Type().Field(i).Name)
			}
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

func TestMoney(t *testing.T) {
	for _, tt := range []struct {
		tag, currency string
		minor         int64
		full, brief   string
	}{
		{"en-IN", "INR", 14990000, "₹1,49,900.00", "₹1,49,900"},
		{"en-IN", "INR", 14990050, "₹1,49,900.50", "₹1,49,900.50"},
		{"en-IN", "INR", -99980, "−₹999.80", "−₹999.80"},
		{"en-IN", "INR", 5, "₹0.05", "₹0.05"},
		{"en-IN", "INR", 0, "₹0.00", "₹0"},
		{"en-IN", "INR", money.MaxMinor, "₹1,00,00,00,00,00,000.00", "₹1,00,00,00,00,00,000"},
		{"en-US", "USD", 123456789, "$1,234,567.89", "$1,234,567.89"},
		{"en-IN", "JPY", 1234567, "JPY\u00a012,34,567", "JPY\u00a012,34,567"},
		{"en-GB", "KWD", 1234567, "KWD\u00a01,234.567", "KWD\u00a01,234.567"},
	} {
		f := newFormat(language.MustParse(tt.tag), time.UTC)
		a := money.Amount{Minor: tt.minor, Currency: tt.currency}
		if full, brief := f.money(a), f.brief(a); full != tt.full || brief != tt.brief {
			t.Errorf("%s in %s: %q, %q; want %q, %q", a, tt.tag, full, brief, tt.full, tt.brief)
		}
	}
}

func TestRate(t *testing.T) {
	f := newFormat(language.English, time.UTC)
	for bp, want := range map[int64]string{1800: "18%", 900: "9%", 250: "2.5%", 25: "0.25%", 0: "0%", 10_000: "100%"} {
		if got := f.rate(bp); got != want {
			t.Errorf("%d: %q, want %q", bp, got, want)
		}
	}
}

func TestDates(t *testing.T) {
	f := newFormat(language.English, time.FixedZone("IST", 5*3600+1800))
	at := time.Date(2026, 11, 24, 20, 30, 0, 0, time.UTC).UnixMilli()
	if day, moment := f.date(at), f.moment(at); day != "25 November 2026" || moment != "25 November 2026, 2:00 am IST" {
		t.Errorf("%q, %q", day, moment)
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

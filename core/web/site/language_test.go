package site_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/text/language"

	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/core/locale/pseudo"
	"github.com/edgeref/edgeref/core/payment"
	"github.com/edgeref/edgeref/core/shop"
	"github.com/edgeref/edgeref/core/web/site"
	"github.com/edgeref/edgeref/wire/ident"
)

// tour looks at pages in all of their states.
type tour struct {
	*world
	b    *browser
	seen []page
}

func (v *tour) look(p page) page {
	v.seen = append(v.seen, p)
	return p
}

func (v *tour) get(path string) page { return v.look(v.b.get(path)) }

// In a language that nobody speaks, every word of every page comes from its texts: none stands in a template or in code.
func TestEveryWordIsAText(t *testing.T) {
	text := site.English()
	pseudo.Of(text)
	w := newWorld(t, dbtest.SQLite(t), func(o *site.Options) {
		o.Demo = true
		o.Speak(text)
	})
	w.writing.now.Headline, w.writing.now.Text = "1", "<p>2</p>"
	v := &tour{world: w, b: w.browser()}
	v.get("/products")
	part := w.product("p1", 118_000, func(p *shop.Product) {
		p.Name, p.Description, p.Prices = "3", "4", map[string]int64{"INR": 118_000, "USD": 2_000}
	})
	other := w.product("p2", 59_000, func(p *shop.Product) { p.Name, p.Description, p.TaxIncluded = "5", "6", false })
	w.product("p3", 150_000, func(p *shop.Product) {
		p.Name, p.Description, p.Kind, p.Parts, p.SKU, p.Entitlements, p.TaxCode = "7", "8", shop.Bundle, []int64{part.ID, other.ID}, "", nil, ""
	})
	w.product("p4", 0, func(p *shop.Product) { p.Name, p.Description = "9", "0" })
	for _, path := range []string{
		"/", "/products", "/products/p1", "/products/p2", "/products/p3", "/products/p4", "/affiliates", "/affiliates?sponsor=" + ident.Format(ident.Affiliate, 5), "/legal/terms",
		"/legal/contact", "/nothing", "/checkout/p1", "/checkout/p4", "/checkout/p1?currency=USD",
	} {
		v.get(path)
	}
	v.look(v.b.do(http.MethodDelete, "/products", nil))
	v.checkouts()
	v.orders()
	w.address = netip.MustParseAddr("203.0.113.9")
	for range 61 {
		v.look(v.b.do(http.MethodPost, "/checkout/p1", nil, "Sec-Fetch-Site", "cross-site"))
		if n := len(v.seen); v.seen[n-1].body == v.seen[n-2].body {
			v.seen = v.seen[:n-1]
		}
	}
	w.writing.err = errors.New("no")
	v.get("/")
	known := []string{
		"Riverbank Private Limited", "12 Residency Road", "Bengaluru", "Riverbank", sellerGSTIN, "help@riverbank.example", "bea@example.com", "Edgeref", "IST", "UTC", "PDF", "@.com",
		"am", "pm", "INV/", "USD",
	}
	for _, region := range shop.Regions() {
		known = append(known, region.Name)
	}
	for _, p := range v.seen {
		visible, err := pseudo.Visible(p.body)
		if err != nil {
			t.Fatal(err)
		}
		if len(visible) < 10 {
			t.Errorf("%s: %d, %q", p.path, p.status, p.body)
		}
		for _, words := range pseudo.Foreign(visible, append(known, names(p.body)...)...) {
			t.Errorf("%s (%d): %q is in no catalogue", p.path, p.status, words)
		}
	}
}

// names are those of countries and months, which come from CLDR, and the numbers of orders.
func names(body string) []string {
	var out []string
	for _, m := range regexp.MustCompile(`<option value="[A-Z]{2}"[^>]*>([^<]*)`).FindAllStringSubmatch(body, -1) {
		out = append(out, strings.NewReplacer("&#39;", "'", "&amp;", "&").Replace(m[1]))
	}
	out = append(out, regexp.MustCompile(`[0-9]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}`).FindAllString(body, -1)...)
	for _, m := range regexp.MustCompile(`\d (\w+) 2026`).FindAllStringSubmatch(body, -1) {
		out = append(out, m[1])
	}
	return out
}

// checkouts are the ways in which a form is wrong.
func (v *tour) checkouts() {
	v.coupon(shop.Coupon{Code: "9999", PercentBP: 1000})
	v.coupon(shop.Coupon{Code: "8888", PercentBP: 1000, EndsAt: 1000})
	for _, fields := range [][]string{
		{"name", " ", "email", "7", "country", "?", "gateway", ""}, {"state", "??", "gstin", "29"}, {"gateway", "0"}, {"address", strings.Repeat("1", 501)}, {"seen", ""},
		{"coupon", "0000", "action", "update"}, {"coupon", "8888", "action", "update"}, {"coupon", "9999", "action", "update"}, {"country", "US", "action", "update"},
		{"state", "KA", "action", "update"},
	} {
		v.look(v.b.buy("p1", append([]string{"name", "1"}, fields...)...))
	}
	v.pay.names = nil
	v.get("/checkout/p1")
	v.pay.names = []string{"razorpay", "stripe"}
	v.get("/checkout/p1")
	v.pay.names = []string{"sandbox"}
}

// orders are the states of one.
func (v *tour) orders() {
	v.b.buy("p1", "name", "1")
	o := v.world.orders()[0]
	v.get("/thank-you/" + o.Token)
	v.get("/thank-you/" + o.Token + "?problem=payment")
	for _, state := range shop.States() {
		v.exec("UPDATE orders SET state = ? WHERE id = ?", state, o.ID)
		v.get("/thank-you/" + o.Token)
	}
	v.exec("UPDATE orders SET state = ? WHERE id = ?", shop.Pending, o.ID)
	v.settle(o, payment.Paid)
	v.exec("UPDATE orders SET refunded_minor = 100 WHERE id = ?", o.ID)
	v.get("/thank-you/" + o.Token)
	v.pay.names, v.pay.url = []string{"stripe"}, "https://pay.example"
	v.get(v.b.buy("p2", "name", "2", "gateway", "stripe").location())
	v.pay.params = map[string]string{"key": "1"}
	v.get(v.b.buy("p2", "name", "3", "gateway", "stripe").location())
}

// What no page says need not be translated.
func TestEveryTextIsUsed(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	templates, err := filepath.Glob("templates/*.html")
	if err != nil {
		t.Fatal(err)
	}
	var source strings.Builder
	for _, name := range append(files, templates...) {
		if strings.HasPrefix(name, "text") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		source.Write(b)
	}
	text := reflect.TypeFor[site.Text]()
	for i := range text.NumField() {
		if name := text.Field(i).Name; !regexp.MustCompile(`(\.T|text\(\)|text)\.` + name + `\b`).MatchString(source.String()) {
			t.Errorf("%s is used nowhere", name)
		}
	}
}

// The pages speak the language of the locale that the owner chose, and the first one where there is none for it.
func TestLanguageOfTheSite(t *testing.T) {
	hindi := site.English()
	hindi.Tag, hindi.SignIn = language.MustParse("hi"), "साइन इन"
	w := newWorld(t, dbtest.SQLite(t), func(o *site.Options) { o.Speak(site.English(), hindi) })
	for i, tt := range []struct{ locale, lang, word string }{
		{"en-IN", "en-IN", "Sign in"}, {"hi-IN", "hi", "साइन इन"}, {"hi", "hi", "साइन इन"}, {"ja-JP", "en-IN", "Sign in"}, {"", "en-IN", "Sign in"}, {"en-GB", "en-IN", "Sign in"},
	} {
		w.writing.now.Locale, w.writing.now.Revision = tt.locale, int64(i+2)
		for _, path := range []string{"/", "/nothing"} {
			if p := w.browser().get(path); !strings.Contains(p.body, fmt.Sprintf(`<html lang="%s">`, tt.lang)) || !strings.Contains(p.body, tt.word) {
				t.Errorf("%q: %.200s", tt.locale, p.body)
			}
		}
	}
}

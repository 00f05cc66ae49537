package site_test

import (
	"compress/gzip"
	"encoding/json"
	"encoding/xml"
	"errors"
	"html/template"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/core/shop"
	"github.com/edgeref/edgeref/core/web/site"
	"github.com/edgeref/edgeref/wire/ident"
)

func (w *world) exec(query string, args ...any) {
	w.t.Helper()
	if err := w.db.InTx(w.t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(w.t.Context(), query, args...)
		return err
	}); err != nil {
		w.t.Fatal(err)
	}
}

// validate looks at the document as a browser and a screen reader would.
func validate(t *testing.T, p page) {
	t.Helper()
	if !strings.HasPrefix(p.body, "<!doctype html>") || !utf8HTML(p) {
		t.Errorf("%s is no HTML document: %v", p.path, p.header)
	}
	balanced(t, p)
	doc, err := html.Parse(strings.NewReader(p.body))
	if err != nil {
		t.Fatal(err)
	}
	ids, labels := map[string]bool{}, map[string]bool{}
	var inputs []*html.Node
	h1, level := 0, 0
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		a := attributes(n)
		if id, ok := a["id"]; ok {
			if id == "" || ids[id] {
				t.Errorf("%s: id %q twice", p.path, id)
			}
			ids[id] = true
		}
		for key := range a {
			if strings.HasPrefix(key, "on") || key == "style" {
				t.Errorf("%s: attribute %s of %s, which the policy refuses", p.path, key, n.Data)
			}
		}
		switch n.DataAtom {
		case atom.Html:
			if a["lang"] == "" {
				t.Errorf("%s: no language", p.path)
			}
		case atom.Style:
			t.Errorf("%s: a style element, which the policy refuses", p.path)
		case atom.Script:
			if a["src"] == "" && a["type"] != "application/ld+json" {
				t.Errorf("%s: a script in the page", p.path)
			}
		case atom.Img:
			if _, ok := a["alt"]; !ok || a["width"] == "" || a["height"] == "" {
				t.Errorf("%s: picture %s without alternative text or size", p.path, a["src"])
			}
		case atom.Label:
			labels[a["for"]] = true
		case atom.Input, atom.Select, atom.Textarea:
			if a["type"] != "hidden" {
				inputs = append(inputs, n)
			}
		case atom.H1, atom.H2, atom.H3, atom.H4:
			now := int(n.Data[1] - '0')
			if now > level+1 {
				t.Errorf("%s: h%d after h%d", p.path, now, level)
			}
			if level = now; now == 1 {
				h1++
			}
		}
	}
	if h1 != 1 {
		t.Errorf("%s: %d h1", p.path, h1)
	}
	for _, n := range inputs {
		a := attributes(n)
		if !labels[a["id"]] && !within(n, atom.Label) {
			t.Errorf("%s: %s %s without label", p.path, n.Data, a["name"])
		}
		for id := range strings.FieldsSeq(a["aria-describedby"]) {
			if !ids[id] {
				t.Errorf("%s: %s is described by %s, which there is not", p.path, a["name"], id)
			}
		}
	}
	for _, m := range regexp.MustCompile(`aria-labelledby="([^"]+)"`).FindAllStringSubmatch(p.body, -1) {
		if !ids[m[1]] {
			t.Errorf("%s: labelled by %s, which there is not", p.path, m[1])
		}
	}
}

func utf8HTML(p page) bool { return p.header.Get("Content-Type") == "text/html; charset=utf-8" }

func attributes(n *html.Node) map[string]string {
	out := map[string]string{}
	for _, a := range n.Attr {
		out[a.Key] = a.Val
	}
	return out
}

func within(n *html.Node, what atom.Atom) bool {
	for p := range n.Ancestors() {
		if p.DataAtom == what {
			return true
		}
	}
	return false
}

// balanced finds elements that are not closed, or not in order: a parser mends them in silence.
func balanced(t *testing.T, p page) {
	t.Helper()
	empty := []string{"meta", "link", "img", "input", "br", "hr"}
	z := html.NewTokenizer(strings.NewReader(p.body))
	var open []string
	for z.Next() != html.ErrorToken {
		switch token := z.Token(); token.Type {
		case html.StartTagToken:
			if !slices.Contains(empty, token.Data) {
				open = append(open, token.Data)
			}
			if last := len(open) - 1; last > 0 && open[last-1] == "p" && slices.Contains([]string{"p", "div", "ul", "ol", "table", "form", "section", "h2", "h3"}, token.Data) {
				t.Errorf("%s: %s in p", p.path, token.Data)
			}
		case html.EndTagToken:
			if len(open) == 0 || open[len(open)-1] != token.Data {
				t.Errorf("%s: </%s> where %q are open", p.path, token.Data, open)
				return
			}
			open = open[:len(open)-1]
		}
	}
	if !errors.Is(z.Err(), io.EOF) || len(open) > 0 {
		t.Errorf("%s: %v, open at the end: %q", p.path, z.Err(), open)
	}
}

// stocked is a world with one product of each sort.
func stocked(t testing.TB) *world {
	w := newWorld(t, dbtest.SQLite(t))
	a := w.product("sales", 499_900, func(p *shop.Product) { p.Prices["USD"] = 7_900 })
	b := w.product("speaking", 199_900, func(p *shop.Product) { p.TaxIncluded = false })
	w.product("gift", 0)
	w.product("draft", 100, func(p *shop.Product) { p.Status = shop.Draft })
	w.product("evil", 1_00_00_000_00, func(p *shop.Product) {
		p.Name = `</title><script>alert(1)</script>"`
		p.Description = "<script>alert(2)</script> [x](javascript:alert(3)) ![y](https://evil.example/z.png)"
	})
	w.product("both", 599_900, func(p *shop.Product) { p.Kind, p.Parts, p.Entitlements = shop.Bundle, []int64{a.ID, b.ID}, nil })
	return w
}

func TestPages(t *testing.T) {
	w := stocked(t)
	w.writing.now.Legal = map[string]template.HTML{"terms": "<h3>Whom</h3><p>Everybody.</p>"}
	w.writing.now.Text = "<p>Lead.</p><h2>Why us</h2><p>Because.</p><h2>Questions</h2><h3>Is it good?</h3><p>Yes.</p><h3>Really?</h3><ul><li>Yes</li></ul>"
	b := w.browser()
	sponsor := ident.Format(ident.Affiliate, w.partner)
	for _, tt := range []struct {
		path   string
		status int
		want   []string
		not    []string
	}{
		{"/", 200, []string{"<h1>Learn by doing</h1>", "<p>Lead.</p>", ">Why us</h2>", "<h3>Really?</h3>", "<li>Yes</li>", "₹4,999", "/products/both", `"@type":"Organization"`}, []string{"/products/draft"}},
		{"/products", 200, []string{"/products/sales", "₹1,00,00,000", "plus tax", "Bundle of 2", "Free"}, []string{"/products/draft", "What you learn"}},
		{"/products/sales", 200, []string{"All about <em>sales</em>", "<h2>What you learn</h2>", "Also in Course both", "₹5,999 in all: save ₹999", "$79", `"price":"4999.00"`, `"priceCurrency":"INR"`}, nil},
		{"/products/both", 200, []string{"₹6,998 if bought apart", "You save ₹999", "Course speaking"}, nil},
		{"/products/gift", 200, []string{"Get it free"}, nil},
		{"/products/evil", 200, []string{"&lt;/title&gt;&lt;script&gt;"}, []string{"<script>alert", "javascript:", "evil.example"}},
		{"/products/draft", 404, []string{"There is nothing here"}, nil},
		{"/products/none", 404, nil, nil},
		{"/products?before=prd_x", 404, nil, nil},
		{"/checkout/sales", 200, []string{"CGST 9%", "SGST 9%", "Pay ₹4,999.00"}, nil},
		{"/checkout/sales?currency=USD", 200, []string{"Pay $79.00"}, nil},
		{"/checkout/sales?currency=XXX", 200, []string{"Pay ₹4,999.00"}, nil},
		{"/checkout/sales?coupon=%22%3E%3Cscript%3E", 200, []string{"There is no such coupon"}, []string{"<script>"}},
		{"/checkout/both", 200, []string{"Course sales", "Course speaking"}, nil},
		{"/checkout/draft", 404, nil, nil},
		{"/affiliates", 200, []string{`href="/account/sign-up?as=affiliate"`}, []string{"You were invited"}},
		{"/affiliates?sponsor=" + sponsor, 200, []string{`href="/account/sign-up?sponsor=` + sponsor, "You were invited"}, nil},
		{"/affiliates?sponsor=aff_%22%3E", 200, nil, []string{"You were invited", `aff_">`}},
		{"/legal/terms", 200, []string{"<h2>Whom</h2>"}, nil},
		{"/legal/privacy", 200, []string{"has not been written yet", "help@riverbank.example", "noindex"}, nil},
		{"/legal/contact", 200, []string{"12 Residency Road<br>Bengaluru", "mailto:help@riverbank.example"}, nil},
		{"/legal/none", 404, nil, nil},
		{"/nothing/at/all", 404, []string{"There is nothing here"}, nil},
	} {
		t.Run(tt.path, func(t *testing.T) {
			w.t = t
			p := b.get(tt.path)
			if p.status != tt.status {
				t.Errorf("%d, want %d", p.status, tt.status)
			}
			for _, want := range tt.want {
				if !strings.Contains(p.body, want) {
					t.Errorf("lacks %q\n%s", want, p.body)
				}
			}
			for _, not := range tt.not {
				if strings.Contains(p.body, not) {
					t.Errorf("has %q", not)
				}
			}
			if found := strings.Contains(p.body, `rel="canonical"`); found == strings.Contains(p.body, "noindex") {
				t.Error("must either be found under one address, or not be found")
			}
			validate(t, p)
			data(t, p)
		})
	}
}

// data checks that what search engines read is JSON.
func data(t *testing.T, p page) {
	t.Helper()
	for _, m := range regexp.MustCompile(`(?s)<script type="application/ld\+json">(.*?)</script>`).FindAllStringSubmatch(p.body, -1) {
		var v map[string]any
		if err := json.Unmarshal([]byte(m[1]), &v); err != nil || v["@context"] != "https://schema.org" {
			t.Errorf("%s: %v in %s", p.path, err, m[1])
		}
	}
}

func TestMethods(t *testing.T) {
	w := stocked(t)
	b := w.browser()
	for _, tt := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"HEAD", "/", 200, ""},
		{"POST", "/", 405, "GET, HEAD"},
		{"PUT", "/products", 405, "GET, HEAD"},
		{"DELETE", "/checkout/sales", 405, "GET, HEAD, POST"},
		{"POST", "/pay/x/y", 405, "GET, HEAD"},
		{"GET", "/products/", 308, ""},
		{"GET", "/products/sales/", 308, ""},
		{"GET", "/favicon.ico", 301, ""},
	} {
		p := b.do(tt.method, tt.path, nil)
		if p.status != tt.status || p.header.Get("Allow") != tt.allow || tt.method == "HEAD" && p.body != "" {
			t.Errorf("%s %s: %d, Allow %q", tt.method, tt.path, p.status, p.header.Get("Allow"))
		}
	}
	if p := b.do("GET", "/api/v1/none", nil); p.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("of the API: %v", p.header)
	}
	if p := b.do("GET", "/none", nil, "Accept", "application/json"); p.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("of a program: %v", p.header)
	}
}

func TestCaching(t *testing.T) {
	w := stocked(t)
	for _, tt := range []struct{ path, keep string }{
		{"/", "public, max-age=60, stale-while-revalidate=600"},
		{"/?utm_source=mail", "public, max-age=60, stale-while-revalidate=600"},
		{"/products/sales", "public, max-age=60, stale-while-revalidate=600"},
		{"/affiliates", "public, max-age=60, stale-while-revalidate=600"},
		{"/legal/contact", "public, max-age=60, stale-while-revalidate=600"},
		{"/sitemap.xml", "public, max-age=3600"},
		{"/robots.txt", "public, max-age=3600"},
		{"/assets/icon.svg", "public, max-age=86400"},
		{"/assets/art/sales.svg", "public, max-age=86400"},
		{"/assets/preview.png", "public, max-age=86400"},
		{"/assets/preview/sales.png", "public, max-age=86400"},
		{"/assets/preview/draft.png", "private, no-store"},
		{"/checkout/sales", "private, no-store"},
		{"/nothing", "private, no-store"},
		{"/assets/nothing.css", "private, no-store"},
		{"/?click_id=" + w.click(), "private, no-store"},
	} {
		p := w.browser().get(tt.path)
		if p.header.Get("Cache-Control") != tt.keep {
			t.Errorf("%s: %q", tt.path, p.header.Get("Cache-Control"))
		}
		public := strings.HasPrefix(tt.keep, "public")
		if public && (p.header.Get("Set-Cookie") != "" || p.header.Get("ETag") == "") {
			t.Errorf("%s sets a cookie, or has no tag: %v", tt.path, p.header)
		}
		if !public {
			continue
		}
		again := w.browser().get(tt.path, "If-None-Match", `"x", `+p.header.Get("ETag"))
		if again.status != http.StatusNotModified || again.body != "" || again.header.Get("Cache-Control") != tt.keep {
			t.Errorf("%s again: %d", tt.path, again.status)
		}
	}
	p := w.browser().get("/")
	sheet := regexp.MustCompile(`/assets/site-[0-9a-f]+\.css`).FindString(p.body)
	if css := w.browser().get(sheet); css.header.Get("Cache-Control") != "public, max-age=31536000, immutable" || css.header.Get("Content-Type") != "text/css; charset=utf-8" {
		t.Errorf("%s: %v", sheet, css.header)
	}
	if css := w.browser().get("/assets/site-old.css"); css.status != http.StatusOK || strings.Contains(css.header.Get("Cache-Control"), "immutable") {
		t.Errorf("an older sheet: %d %v", css.status, css.header)
	}
	before := p.header.Get("ETag")
	w.writing.now.Headline, w.writing.now.Accent, w.writing.now.Revision = "Another", "#0b6b45", 2
	if p = w.browser().get("/", "If-None-Match", before); p.status != http.StatusOK || strings.Contains(p.body, sheet) {
		t.Errorf("after the owner has saved: %d", p.status)
	}
}

func TestSecurityHeaders(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t), func(o *site.Options) { o.URL = "https://shop.example.com" })
	w.product("sales", 118_000)
	for _, path := range []string{"/", "/products/sales", "/checkout/sales", "/none"} {
		p := w.browser().get(path)
		policy := p.header.Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none'; style-src 'self'; img-src 'self'") || strings.Contains(policy, "unsafe") || strings.Contains(policy, "script-src") {
			t.Errorf("%s: %s", path, policy)
		}
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Strict-Transport-Security": "max-age=31536000", "Cross-Origin-Opener-Policy": "same-origin",
		} {
			if got := p.header.Get(name); got != want {
				t.Errorf("%s: %s %q", path, name, got)
			}
		}
		for _, cookie := range p.header.Values("Set-Cookie") {
			if !strings.Contains(cookie, "; Secure") || !strings.Contains(cookie, "; HttpOnly") || !strings.Contains(cookie, "SameSite=Lax") {
				t.Errorf("%s: cookie %s", path, cookie)
			}
		}
	}
}

func TestGzip(t *testing.T) {
	w := stocked(t)
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Accept-Encoding", "br, gzip")
	got := httptest.NewRecorder()
	w.handler.ServeHTTP(got, r)
	z, err := gzip.NewReader(got.Body)
	if err != nil || got.Header().Get("Content-Encoding") != "gzip" || got.Header().Get("Vary") != "Accept-Encoding" {
		t.Fatalf("%v %v", err, got.Header())
	}
	body, err := io.ReadAll(z)
	if plain := w.browser().get("/", "Accept-Encoding", "identity"); err != nil || string(body) != plain.body || plain.header.Get("ETag") != got.Header().Get("ETag") {
		t.Errorf("not the same: %v", err)
	}
}

func TestSitemap(t *testing.T) {
	w := stocked(t)
	w.writing.now.Legal["terms"] = "<p>x</p>"
	b := w.browser()
	var set struct {
		URLs []struct {
			Loc string `xml:"loc"`
		} `xml:"url"`
	}
	p := b.get("/sitemap.xml")
	if err := xml.Unmarshal([]byte(p.body), &set); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, u := range set.URLs {
		path, ours := strings.CutPrefix(u.Loc, w.url)
		if !ours {
			t.Errorf("%s is not absolute", u.Loc)
		}
		got = append(got, path)
		if p := b.get(path); p.status != http.StatusOK || strings.Contains(p.body, "noindex") || !strings.Contains(p.body, `<link rel="canonical" href="`+u.Loc+`">`) {
			t.Errorf("%s is not to be found: %d", path, p.status)
		}
	}
	slices.Sort(got)
	want := []string{"/", "/affiliates", "/legal/contact", "/legal/terms", "/products", "/products/both", "/products/evil", "/products/gift", "/products/sales", "/products/speaking"}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if p := b.get("/robots.txt"); !strings.Contains(p.body, "Sitemap: "+w.url+"/sitemap.xml") || !strings.Contains(p.body, "Disallow: /thank-you/") {
		t.Errorf("%s", p.body)
	}
}

func TestListGoesOn(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	for i := range 30 {
		w.product("p"+string(rune('a'+i%26))+string(rune('a'+i/26)), 100)
	}
	b := w.browser()
	first := b.get("/products")
	next := regexp.MustCompile(`/products\?before=prd_[0-9A-Z]+`).FindString(first.body)
	second := b.get(next)
	if n := strings.Count(first.body, "<article"); n != 24 {
		t.Errorf("%d on the first page", n)
	}
	if n := strings.Count(second.body, "<article"); n != 6 || strings.Contains(second.body, `rel="next"`) {
		t.Errorf("%d on the second", n)
	}
}

func TestFeatured(t *testing.T) {
	w := stocked(t)
	gift, err := w.shop.ProductBySlug(t.Context(), "gift")
	if err != nil {
		t.Fatal(err)
	}
	draft, err := w.shop.ProductBySlug(t.Context(), "draft")
	if err != nil {
		t.Fatal(err)
	}
	w.writing.now.Featured = []int64{gift.ID, draft.ID, 99}
	if p := w.browser().get("/"); strings.Count(p.body, "<article") != 1 || !strings.Contains(p.body, "/products/gift") {
		t.Errorf("%s", p.body)
	}
}

func TestDemoRibbon(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t), func(o *site.Options) { o.Demo = true })
	if p := w.browser().get("/"); !strings.Contains(p.body, "Demo data") {
		t.Error("a demo does not say so")
	}
}

func TestContentFails(t *testing.T) {
	w := stocked(t)
	w.writing.err = errors.New("the database is gone")
	for _, path := range []string{"/", "/products", "/products/sales", "/affiliates", "/legal/terms", "/sitemap.xml"} {
		p := w.browser().get(path)
		if p.status != http.StatusInternalServerError || !strings.Contains(p.body, "Something went wrong on our side") || strings.Contains(p.body, "database") || p.header.Get("Cache-Control") != "private, no-store" {
			t.Errorf("%s: %d\n%s", path, p.status, p.body)
		}
		validate(t, p)
	}
}

package redirect

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"github.com/edgeref/edgeref/wire/click"
)

// Whatever a visitor sends, the redirect leads to the link's host or an allowed one, the Click ID is ours, and the
// record can be read.
func FuzzRedirect(f *testing.F) {
	for _, attack := range clickIDAttacks() {
		f.Add("x=1&"+attack, "https://blog.example/a?b", "Mozilla/5.0", "en")
	}
	for _, to := range []string{"https://shop.example/a?click_id=x#y", "https://evil.example", "//evil.example", "https://a.wild.example\\@evil.example", "https://ｅvil.example"} {
		f.Add("to="+url.QueryEscape(to), "", "", "")
		f.Add("sub1="+url.QueryEscape(to)+"&to="+to, to, to, to)
	}
	f.Add("sub1=..&sub2=%2f..%2f&a;b&%", "https://\xff/", "\x00", "*")
	fx := newFixture(f)
	fx.add(f, "go", resolved("https://home.example/{sub1}/{sub2}?a={sub3}#{sub4}"))
	fx.add(f, "placed", resolved("https://home.example/{sub1}?click_id={click_id}"))
	f.Fuzz(func(t *testing.T, query, referrer, agent, language string) {
		if strings.ContainsAny(query, "#") {
			return // cannot be in a query
		}
		for _, slug := range []string{"go", "placed"} {
			fx.memory.records = fx.memory.records[:0]
			ctx := request("GET")
			ctx.Request.Header.Set("Referer", referrer)
			ctx.Request.Header.Set("User-Agent", agent)
			ctx.Request.Header.Set("Accept-Language", language)
			if o := fx.Serve(context.Background(), ctx, slug, query); o != Redirected {
				t.Fatalf("%s", o)
			}
			r := fx.lastRecord(t)
			checkLocation(t, string(ctx.Response.Header.Peek("Location")), r.ID)
			checkTexts(t, r)
		}
	})
}

func checkLocation(t *testing.T, location string, id click.ID) {
	t.Helper()
	for i := range len(location) {
		if c := location[i]; c <= ' ' || c >= 0x7f || c == '\\' {
			t.Fatalf("byte %#x in %q", c, location)
		}
	}
	u, err := url.Parse(location)
	if err != nil {
		t.Fatalf("%q: %v", location, err)
	}
	if h := u.Hostname(); h != "home.example" && h != "shop.example" && !strings.HasSuffix(h, ".wild.example") || u.User != nil || u.Port() != "" {
		t.Fatalf("leads to %q", location)
	}
	found := 0
	for name, values := range u.Query() {
		if strings.EqualFold(strings.TrimSpace(name), "click_id") {
			found += len(values)
			for _, v := range values {
				if v != id.String() {
					t.Fatalf("Click ID %q in %q", v, location)
				}
			}
		}
	}
	if found != 1 {
		t.Fatalf("%d Click IDs in %q", found, location)
	}
}

func checkTexts(t *testing.T, r click.Record) {
	t.Helper()
	for _, s := range append(r.Sub[:], r.ReferrerHost, r.ReferrerPath, r.Language, r.UTMSource) {
		if len(s) > maxText || strings.ToValidUTF8(s, "!") != s || strings.ContainsAny(s, "\x00\r\n\x7f") {
			t.Fatalf("text %q", s)
		}
	}
}

func FuzzCompile(f *testing.F) {
	for _, s := range []string{"https://a.example/{sub1}?x={click_id}#{slug}", "https://{sub1}.example", "https://a.example:1/{{click_id}}", "http://a.example?click_id=1&click_id={click_id}"} {
		f.Add(s, "sub1=x")
	}
	f.Fuzz(func(t *testing.T, destination, query string) {
		target, err := Compile(resolved(destination))
		if err != nil || strings.Contains(query, "#") {
			return
		}
		w := newWork().(*work)
		w.readQuery(query)
		location, _ := target.appendLocation(nil, &w.record, "CID", w.query)
		u, err := url.Parse(string(location))
		if err != nil || u.Scheme+"://"+u.Host != target.destination.base {
			t.Fatalf("%q with %q leads to %q, %v", destination, query, location, err)
		}
	})
}

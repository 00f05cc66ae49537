package redirect

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/link"
)

func TestRedirectAnswer(t *testing.T) {
	f := newFixture(t, func(o *Options) { o.CookieDomain = ".brand.example" })
	f.add(t, "go", resolved("https://shop.example/"))
	res, o := f.get("go", "")
	id := f.lastID(t)
	for name, want := range map[string]string{
		"Location": "https://shop.example/?click_id=" + id, "Cache-Control": "no-store", "Referrer-Policy": "strict-origin-when-cross-origin",
		"Set-Cookie": "er_cid=" + id + "; Max-Age=86400; Domain=brand.example; Path=/; Secure; HttpOnly; SameSite=Lax",
	} {
		if got := string(res.Header.Peek(name)); name != "Set-Cookie" && got != want {
			t.Errorf("%s: %s; want %s", name, got, want)
		} else if name == "Set-Cookie" && !strings.Contains(res.Header.String(), "Set-Cookie: "+want+"\r\n") {
			t.Errorf("no %s in %s", want, res.Header.String())
		}
	}
	if o != Redirected || res.StatusCode() != 302 || len(res.Body()) != 0 {
		t.Errorf("%s, %d, body %q", o, res.StatusCode(), res.Body())
	}
	got, err := click.ParseVerified(f.keys, id)
	if err != nil || got.UnixMilli() != noon.UnixMilli() || got.Node() != 7 || got.LinkID() != 11 || got.AffiliateID() != 22 {
		t.Errorf("Click ID %+v, %v", got, err)
	}
}

func TestRecordedFields(t *testing.T) {
	f := newFixture(t)
	f.add(t, "go", resolved("https://shop.example/"))
	f.get("go", "sub1=a+b%2B&%73ub2=two&sub3=%ff\x01é&sub4="+strings.Repeat("é", 200)+"&sub5=100%&sub1=again&gclid=g&fbclid=f&ttclid=t&msclkid=m"+
		"&utm_source=s&utm_medium=me&utm_campaign=c&utm_term=te&utm_content=co",
		"User-Agent: "+strings.Repeat("U", 600), "Referer: https://user@Blog.Example:8080/a/B%20c?q=1#x", "Accept-Language: EN-gb;q=0.9, de",
		"CF-Connecting-IP: 203.0.113.77", "CF-IPCountry: IN")
	got := f.lastRecord(t)
	if got.Visitor == 0 || got.ID.IsZero() {
		t.Errorf("visitor %x, id %s", got.Visitor, got.ID)
	}
	got.ID, got.Visitor = click.ID{}, 0
	want := click.Record{
		ProgramID: 33, Sub: [5]string{"a b+", "two", "??é", strings.Repeat("é", 127), "100%"}, GCLID: "g", FBCLID: "f", TTCLID: "t", MSCLKID: "m",
		UTMSource: "s", UTMMedium: "me", UTMCampaign: "c", UTMTerm: "te", UTMContent: "co",
		ReferrerHost: "blog.example", ReferrerPath: "/a/B%20c", UserAgent: strings.Repeat("U", 512), Country: "IN", Language: "en", Network: "203.0.113.0/24",
	}
	if got != want {
		t.Errorf("\n got %+v\nwant %+v", got, want)
	}
}

func TestUntrustedPeersSayNothingAboutTheClient(t *testing.T) {
	f := newFixture(t)
	f.add(t, "go", resolved("https://shop.example/"))
	ctx := request("GET", "CF-Connecting-IP: 203.0.113.77", "CF-IPCountry: IN")
	ctx.SetRemoteAddr(testAddr("198.51.100.9:1"))
	f.Serve(context.Background(), ctx, "go", "")
	if got := f.lastRecord(t); got.Country != "" || got.Network != "198.51.100.0/24" {
		t.Errorf("country %q, network %q", got.Country, got.Network)
	}
}

func TestHeaderForms(t *testing.T) {
	f := newFixture(t)
	f.add(t, "go", resolved("https://shop.example/"))
	for _, tt := range []struct {
		header string
		read   func(click.Record) string
		want   string
	}{
		{"Referer: https://blog.example", referrerOf, "blog.example"},
		{"Referer: android-app://com.google.android.gm/", referrerOf, "com.google.android.gm/"},
		{"Referer: https://[2001:DB8::1]:80/x", referrerOf, "[2001:db8::1]/x"},
		{"Referer: about:blank", referrerOf, ""},
		{"Referer: /path://x", referrerOf, ""},
		{"Referer: https:///x", referrerOf, ""},
		{"Referer: https://bl\xffog/\x80", referrerOf, "bl?og/?"},
		{"Accept-Language: *", languageOf, ""},
		{"Accept-Language: x", languageOf, ""},
		{"Accept-Language: zh-Hant-TW", languageOf, "zh"},
		{"Accept-Language: abcdefghij", languageOf, ""},
		{"CF-IPCountry: XX", countryOf, "XX"},
		{"CF-IPCountry: T1", countryOf, "T1"},
		{"CF-IPCountry: in", countryOf, ""},
		{"CF-IPCountry: IND", countryOf, ""},
		{"Sec-Purpose: prefetch;prerender", botOf, "prefetch"},
		{"Purpose: prefetch", botOf, "prefetch"},
		{"X-Moz: prefetch", botOf, "prefetch"},
		{"Sec-Purpose: other", botOf, ""},
	} {
		f.get("go", "", tt.header)
		if got := tt.read(f.lastRecord(t)); got != tt.want {
			t.Errorf("%s: %q; want %q", tt.header, got, tt.want)
		}
	}
	f.Serve(context.Background(), request("HEAD"), "go", "")
	if got := f.lastRecord(t).Bot; got != click.BotHead {
		t.Errorf("HEAD: %q", got)
	}
	f.Serve(context.Background(), request("HEAD", "Purpose: prefetch"), "go", "")
	if got := f.lastRecord(t).Bot; got != click.BotPrefetch {
		t.Errorf("HEAD to prefetch: %q", got)
	}
}

func referrerOf(r click.Record) string { return r.ReferrerHost + r.ReferrerPath }
func languageOf(r click.Record) string { return r.Language }
func countryOf(r click.Record) string  { return r.Country }
func botOf(r click.Record) string      { return string(r.Bot) }

func TestRefusedClickGetsNoClickID(t *testing.T) {
	f := newFixture(t)
	f.memory.refuse = errDisk
	f.add(t, "go", resolved("https://shop.example/?a={sub1}"))
	f.add(t, "placed", resolved("https://shop.example/?cid={click_id}"))
	for slug, want := range map[string]string{"go": "https://shop.example/?a=s&x=1", "placed": "https://shop.example/?cid=&x=1"} {
		res, o := f.get(slug, "sub1=s&x=1&click_id=evil")
		if got := string(res.Header.Peek("Location")); o != Redirected || got != want || strings.Contains(res.Header.String(), "Set-Cookie") {
			t.Errorf("%s: %s, %s\n%s", slug, o, got, res.Header.String())
		}
	}
	m := f.metrics
	if got := testutil.ToFloat64(m.received); got != 2 || testutil.ToFloat64(m.recorded) != 0 || testutil.ToFloat64(m.refused.WithLabelValues("test")) != 2 {
		t.Errorf("received %v", got)
	}
	f.memory.refuse = nil
	if f.get("go", ""); testutil.ToFloat64(m.received) != 3 || testutil.ToFloat64(m.recorded) != 1 {
		t.Error("a recorded click is not counted so")
	}
}

func TestInactiveAndUnknownLinks(t *testing.T) {
	disabled := func(r *link.Resolved) { r.Link.State = link.Disabled }
	disabledProgram := func(r *link.Resolved) { r.Program.State = link.Disabled }
	expired := func(r *link.Resolved) { r.Link.ExpiresAt = noon.UnixMilli() }
	running := func(r *link.Resolved) { r.Link.ExpiresAt = noon.UnixMilli() + 1 }
	fallback := func(r *link.Resolved) { r.Program.Fallback = "https://shop.example/gone" }
	badFallback := func(r *link.Resolved) { r.Program.Fallback = "javascript:x" }
	for _, system := range []string{"", "https://brand.example"} {
		f := newFixture(t, func(o *Options) { o.Fallback = system })
		links := map[string]link.Resolved{
			"disabled": resolved("https://shop.example", disabled), "program": resolved("https://shop.example", disabledProgram), "expired": resolved("https://shop.example", expired),
			"running": resolved("https://shop.example", running), "fallback": resolved("https://shop.example", expired, fallback), "bad": resolved("https://shop.example", disabled, badFallback),
		}
		for slug, r := range links {
			f.add(t, slug, r)
		}
		for slug := range map[string]bool{"disabled": true, "program": true, "expired": true, "bad": true, "unknown": true, "fallback": true} {
			res, o := f.get(slug, "a=1")
			want, location := NotFound, ""
			if system != "" {
				want, location = FellBack, "https://brand.example/"
			}
			if slug == "fallback" {
				want, location = FellBack, "https://shop.example/gone"
			}
			if got := string(res.Header.Peek("Location")); o != want || got != location || strings.Contains(res.Header.String(), "Set-Cookie") {
				t.Errorf("%s with fallback %q: %s to %q; want %s to %q", slug, system, o, got, want, location)
			}
		}
		if len(f.memory.records) != 0 || testutil.ToFloat64(f.metrics.received) != 0 {
			t.Errorf("%d clicks recorded", len(f.memory.records))
		}
		if _, o := f.get("running", ""); o != Redirected {
			t.Errorf("not yet expired: %s", o)
		}
	}
}

func TestSourceUnavailable(t *testing.T) {
	f := newFixture(t)
	f.memory.findErr = errors.New("core does not answer")
	if res, o := f.get("go", ""); o != Unavailable || res.StatusCode() != 503 || string(res.Header.Peek("Retry-After")) == "" {
		t.Errorf("%s, %s", o, res.Header.String())
	}
}

func TestSlugsAndMethods(t *testing.T) {
	f := newFixture(t)
	f.memory.findErr = errors.New("must not be asked")
	for _, slug := range []string{"", "a/b", "a b", "é", "%61", "a\x00", "a+b", strings.Repeat("a", 65)} {
		if res, o := f.get(slug, ""); o != NotFound || res.StatusCode() != 404 {
			t.Errorf("%q: %s", slug, o)
		}
	}
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS", "PATCH"} {
		ctx := request(method)
		if o := f.Serve(context.Background(), ctx, "go", ""); o != MethodNotAllowed || ctx.Response.StatusCode() != 405 || string(ctx.Response.Header.Peek("Allow")) != "GET, HEAD" {
			t.Errorf("%s: %s, %s", method, o, ctx.Response.Header.String())
		}
	}
	if !ValidSlug(strings.Repeat("a", 64)) || !ValidSlug("Az09._~-") {
		t.Error("good slugs are refused")
	}
}

func TestNoCookieWithoutLifetime(t *testing.T) {
	f := newFixture(t)
	f.add(t, "go", resolved("https://shop.example/", func(r *link.Resolved) { r.Program.CookieSeconds = 0 }))
	if res, _ := f.get("go", ""); strings.Contains(res.Header.String(), "Set-Cookie") {
		t.Error(res.Header.String())
	}
}

func TestNewRefuses(t *testing.T) {
	for name, o := range map[string]Options{
		"cookie name": {CookieName: "a b"}, "cookie domain": {CookieDomain: "a;b"}, "fallback": {Fallback: "nowhere"},
	} {
		o.Registerer = prometheus.NewRegistry()
		if _, err := New(o); err == nil || !strings.HasPrefix(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

package server

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/edgeref/edgeref/tracker/convert"
	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/conversion"
	"github.com/edgeref/edgeref/wire/ident"
)

func (r *running) counted(result string) float64 {
	return testutil.ToFloat64(r.metrics.results[result])
}

func TestClickThenPostback(t *testing.T) {
	r := start(t)
	res, _ := r.send(t, get("/go?sub1=x&a=1", "User-Agent: Firefox", "CF-Connecting-IP: 203.0.113.9", "CF-IPCountry: IN"))
	location, err := url.Parse(res.Header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	id := location.Query().Get("click_id")
	if res.StatusCode != 302 || location.Host != "shop.example" || res.Header.Get("Cache-Control") != "no-store" || res.ContentLength != 0 || res.Header.Get("Server") != "" {
		t.Errorf("%d %v", res.StatusCode, res.Header)
	}
	cookies := res.Cookies()
	if len(cookies) != 1 || cookies[0].Value != id || !cookies[0].Secure || !cookies[0].HttpOnly || cookies[0].SameSite != http.SameSiteLaxMode || cookies[0].MaxAge != 60 {
		t.Errorf("cookies %v", cookies)
	}
	if _, err := click.ParseVerified(r.keys, id); err != nil {
		t.Errorf("%q: %v", id, err)
	}
	res, body := r.send(t, get("/postback?amount=10&txid=o1&click_id="+id, "Authorization: Bearer "+secret))
	if res.StatusCode != 200 || body != `{"status":"accepted"}` {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	got, events := r.world.clicks[0], r.world.conversions
	if got.ID.String() != id || got.Sub[0] != "x" || got.Network != "203.0.113.0/24" || got.Country != "IN" || got.UserAgent != "Firefox" {
		t.Errorf("click %+v", got)
	}
	if len(events) != 1 || events[0].ClickID.String() != id || events[0].Type != conversion.Sale {
		t.Errorf("conversions %+v", events)
	}
	if r.counted("redirected") != 1 || r.counted("conversion_accepted") != 1 {
		t.Error("not counted")
	}
}

func TestRoutes(t *testing.T) {
	r := start(t)
	for _, tt := range []struct {
		raw    string
		status int
		has    string // in header or body
	}{
		{get("/robots.txt"), 200, "Disallow: /"},
		{get("/favicon.ico"), 204, "max-age=86400"},
		{get("/t.js"), 200, "edgeref"},
		{get("/"), 404, "link_not_found"},
		{get("/", "Accept: text/html"), 404, "<h1>Not Found</h1>"},
		{get("/.well-known/security.txt"), 404, "not_found"},
		{get("/unknown"), 404, "link_not_found"},
		{get("/go/more"), 404, "link_not_found"},
		{get("/go/"), 404, "link_not_found"},
		{get("//go"), 404, "link_not_found"},
		{get("/x/../go"), 404, "link_not_found"},
		{get("/%67o"), 404, "link_not_found"},
		{get("/gö"), 404, "link_not_found"},
		{get("/g%C3%B6"), 404, "link_not_found"},
		{get("/" + strings.Repeat("a", 65)), 404, "link_not_found"},
		{get("/go?\xff\xfe=\xff"), 302, "%FF%FE=%FF"},
		{get("http://go.example/go?a=1"), 302, "click_id="},
		{get("http://go.example"), 404, "not_found"},
		{"HEAD /go HTTP/1.1\r\nHost: x\r\n\r\n", 302, "click_id="},
		{"POST /go HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 405, "GET, HEAD"},
		{"POST /robots.txt HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 405, "GET, HEAD"},
		{"DELETE /favicon.ico HTTP/1.1\r\nHost: x\r\n\r\n", 405, "GET, HEAD"},
		{"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 405, "GET, HEAD"},
		{"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 404, "not_found"},
		{"PUT /postback HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 405, "GET, POST"},
		{"GET /go HTTP/1.0\r\n\r\n", 302, "click_id="},
		{get("/go", "Sec-Purpose: prefetch"), 302, "click_id="},
		{get("/pixel.gif?txid=1"), 400, "click_id_missing"},
		{get("/postback?txid=1&secret=x"), 400, "program_missing"},
		{get("/postback?txid=1&secret=x&click_id=abc"), 400, "click_id_malformed"},
		{get("/postback?txid=1&secret=x&program=" + ident.Format(ident.Program, 33)), 401, "secret_wrong"},
	} {
		res, body := r.send(t, tt.raw)
		if res.StatusCode != tt.status || !strings.Contains(fmt.Sprint(res.Header)+body, tt.has) {
			t.Errorf("%.80q: %d %v %s; want %d with %s", tt.raw, res.StatusCode, res.Header, body, tt.status, tt.has)
		}
		if kind := res.Header.Get("Content-Type"); res.StatusCode >= 400 && kind != "application/problem+json" && !strings.HasPrefix(kind, "text/html") {
			t.Errorf("%.80q: refused as %s", tt.raw, kind)
		}
	}
	bots := map[click.BotReason]int{}
	for _, c := range r.world.clicks {
		bots[c.Bot]++
	}
	if bots[click.BotHead] != 1 || bots[click.BotPrefetch] != 1 || bots[click.NotBot] != 3 {
		t.Errorf("recorded %v", bots)
	}
}

func TestForgedClickID(t *testing.T) {
	r := start(t)
	id := r.keys.Mint(time.Now(), 1, 11, 22)
	id[20] ^= 1
	res, body := r.send(t, get("/postback?txid=1&secret="+url.QueryEscape(secret)+"&click_id="+id.String()))
	if res.StatusCode != 400 || !strings.Contains(body, "click_id_forged") {
		t.Errorf("%d %s", res.StatusCode, body)
	}
}

func TestOverrideAndDeepLinkAttacks(t *testing.T) {
	r := start(t)
	for _, query := range []string{
		"click_id=evil", "%43lick_id=evil", "click_id[]=evil", "a;click_id=evil", "p=2&P=3&%70=4", "to=https://evil.example", "to=//evil.example", "to=https://shop.example@evil.example",
		"to=https://shop.example%5c.evil.example", "to=https%3A%2F%2Fshop.example%2F%3Fclick_id%3Devil", "to=javascript:alert(1)", "%0d%0aSet-Cookie:x=y", "x=%0d%0aLocation:evil",
	} {
		res, _ := r.send(t, get("/go?"+query))
		u, err := url.Parse(res.Header.Get("Location"))
		if err != nil || res.StatusCode != 302 || u.Host != "shop.example" || len(res.Cookies()) != 1 {
			t.Errorf("%s: %d %v", query, res.StatusCode, res.Header)
			continue
		}
		q := u.Query()
		if _, err := click.ParseVerified(r.keys, q.Get("click_id")); err != nil || len(q["click_id"]) != 1 || q.Has("p") && fmt.Sprint(q["p"]) != "[1]" || q.Has("P") {
			t.Errorf("%s: %s, %v", query, u, err)
		}
	}
}

func TestTooMuch(t *testing.T) {
	r := start(t)
	post := func(headers, body string) string {
		return "POST /postback HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n" + headers + "\r\n" + body
	}
	big := strings.Repeat("a=1&", 10<<20/4)
	for name, tt := range map[string]struct {
		raw    string
		status int
		code   string
		result string
	}{
		"10-MB body":           {post(fmt.Sprintf("Content-Length: %d\r\n", len(big)), big), 413, "body_too_large", resultBodyTooLarge},
		"10-MB body announced": {post("Content-Length: 10485760\r\n", ""), 413, "body_too_large", resultBodyTooLarge},
		"10-MB body, chunked":  {post("Transfer-Encoding: chunked\r\n", fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(big), big)), 413, "body_too_large", resultBodyTooLarge},
		"body on a link":       {"GET /go HTTP/1.1\r\nHost: x\r\nContent-Length: 10485760\r\n\r\n", 413, "body_too_large", resultBodyTooLarge},
		"64-KB query":          {get("/go?" + strings.Repeat("a", 64<<10)), 431, "header_too_large", resultHeaderTooLarge},
		"64-KB header":         {get("/go", "X: "+strings.Repeat("a", 64<<10)), 431, "header_too_large", resultHeaderTooLarge},
		"many headers":         {get("/go", strings.TrimSuffix(strings.Repeat("A: b\r\n", 10_000), "\r\n")), 431, "header_too_large", resultHeaderTooLarge},
		"not HTTP":             {"\x16\x03\x01 hello\r\n\r\n", 400, "request_malformed", resultMalformed},
		"two lengths":          {post("Content-Length: 1\r\nContent-Length: 2\r\n", "ab"), 400, "request_malformed", resultMalformed},
	} {
		before := r.counted(tt.result)
		res, body := r.send(t, tt.raw)
		if res.StatusCode != tt.status || !strings.Contains(body, `"code":"`+tt.code+`"`) || res.Header.Get("Content-Type") != "application/problem+json" || !res.Close {
			t.Errorf("%s: %d %v %s", name, res.StatusCode, res.Header, body)
		}
		if r.counted(tt.result) != before+1 {
			t.Errorf("%s: not counted", name)
		}
	}
	// The largest body that is allowed still is.
	body := "txid=1&click_id=x&secret=y&a="
	body += strings.Repeat("a", convert.MaxBody-len(body))
	if res, answer := r.send(t, post(fmt.Sprintf("Content-Length: %d\r\n", len(body)), body)); res.StatusCode != 400 || !strings.Contains(answer, "click_id_malformed") {
		t.Errorf("%d %s", res.StatusCode, answer)
	}
	if c, e := r.world.recorded(); c != 0 || e != 0 {
		t.Errorf("recorded %d clicks, %d conversions", c, e)
	}
}

func TestSlowClientsAreCutOff(t *testing.T) {
	r := start(t, func(o *Options) {
		o.Limits = Limits{ReadTimeout: 50 * time.Millisecond, IdleTimeout: 50 * time.Millisecond}
	})
	for name, begun := range map[string]string{
		"half a header": "GET /go HTTP/1.1\r\nHost: x\r\nX-", "half a body": "POST /postback HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\ntxid",
	} {
		c := r.dial(t)
		if _, err := io.WriteString(c, begun); err != nil {
			t.Fatal(err)
		}
		res, body := readAnswer(t, bufio.NewReader(c), "GET")
		if res.StatusCode != 408 || !strings.Contains(body, "request_timeout") {
			t.Errorf("%s: %d %s", name, res.StatusCode, body)
		}
		if n, err := c.Read(make([]byte, 1)); err == nil {
			t.Errorf("%s: not closed, %d bytes more", name, n)
		}
	}
	// A connection that idles after an answer is closed without a word.
	c := r.dial(t)
	if _, err := io.WriteString(c, get("/go")); err != nil {
		t.Fatal(err)
	}
	from := bufio.NewReader(c)
	if res, _ := readAnswer(t, from, "GET"); res.StatusCode != 302 {
		t.Errorf("%d", res.StatusCode)
	}
	if rest, err := io.ReadAll(from); err != nil || len(rest) != 0 {
		t.Errorf("%q, %v", rest, err)
	}
}

func TestPipelining(t *testing.T) {
	r := start(t)
	c := r.dial(t)
	const n = 50
	if _, err := io.WriteString(c, strings.Repeat(get("/go?a=1", "User-Agent: Firefox"), n)+get("/robots.txt")); err != nil {
		t.Fatal(err)
	}
	from, seen := bufio.NewReader(c), map[string]bool{}
	for range n {
		res, _ := readAnswer(t, from, "GET")
		seen[res.Header.Get("Location")] = true
		if len(res.Cookies()) != 1 || res.StatusCode != 302 {
			t.Fatalf("%d %v", res.StatusCode, res.Header)
		}
	}
	if res, body := readAnswer(t, from, "GET"); res.StatusCode != 200 || body != robots || len(seen) != n || res.Header.Get("Set-Cookie") != "" {
		t.Errorf("%d %q after %d different answers", res.StatusCode, body, len(seen))
	}
}

func TestTooManyConnections(t *testing.T) {
	r := start(t, func(o *Options) { o.Limits.Connections = 1 })
	first := r.dial(t)
	if _, err := io.WriteString(first, get("/go")); err != nil {
		t.Fatal(err)
	}
	readAnswer(t, bufio.NewReader(first), "GET") // so the server has it
	if res, _ := readAnswer(t, bufio.NewReader(r.dial(t)), "GET"); res.StatusCode != 503 {
		t.Errorf("second connection: %d", res.StatusCode)
	}
	if n := r.http.GetRejectedConnectionsCount(); n != 1 {
		t.Errorf("%d counted", n)
	}
}

func TestPanicIsContained(t *testing.T) {
	r := start(t)
	r.world.find = func(slug string) {
		if slug == "panic" {
			panic("for the test")
		}
	}
	if res, body := r.send(t, get("/panic")); res.StatusCode != 500 || !strings.Contains(body, `"code":"internal"`) || strings.Contains(body, "for the test") {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	if res, _ := r.send(t, get("/go")); res.StatusCode != 302 {
		t.Errorf("afterwards: %d", res.StatusCode)
	}
	if r.counted(resultPanic) != 1 {
		t.Error("not counted")
	}
	r.stop(t)
	if !strings.Contains(r.logged.String(), "for the test") {
		t.Errorf("logged: %s", r.logged)
	}
}

func TestShutdownLetsRequestsFinish(t *testing.T) {
	r := start(t)
	entered, proceed := make(chan struct{}), make(chan struct{})
	r.world.find = func(string) {
		close(entered)
		<-proceed
	}
	c := r.dial(t)
	if _, err := io.WriteString(c, get("/go")); err != nil {
		t.Fatal(err)
	}
	<-entered
	expired, cancel := context.WithCancel(context.Background())
	cancel()
	if err := r.Shutdown(expired); !errors.Is(err, context.Canceled) {
		t.Errorf("with a request under way: %v", err)
	}
	close(proceed)
	if res, _ := readAnswer(t, bufio.NewReader(c), "GET"); res.StatusCode != 302 {
		t.Errorf("%d", res.StatusCode)
	}
	r.stop(t)
	if c, _ := r.world.recorded(); c != 1 {
		t.Errorf("%d clicks", c)
	}
}

func TestFallback(t *testing.T) {
	r := start(t, func(o *Options) { o.Fallback = "https://brand.example/start" })
	for _, path := range []string{"/", "/unknown"} {
		if res, _ := r.send(t, get(path)); res.StatusCode != 302 || res.Header.Get("Location") != "https://brand.example/start" || len(res.Cookies()) != 0 {
			t.Errorf("%s: %d %v", path, res.StatusCode, res.Header)
		}
	}
	if c, _ := r.world.recorded(); c != 0 || r.counted("fallback") != 2 {
		t.Errorf("%d clicks", c)
	}
}

func TestNewRefuses(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"limits":        func(o *Options) { o.Limits.ReadTimeout = -1 },
		"fallback":      func(o *Options) { o.Fallback = "brand.example" },
		"cookie name":   func(o *Options) { o.CookieName = "a=b" },
		"cookie domain": func(o *Options) { o.CookieDomain = "a b" },
	} {
		o := options(t, newWorld(t))
		change(&o)
		if _, err := New(o); err == nil || !strings.HasPrefix(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	o := options(t, newWorld(t))
	if _, err := New(o); err != nil {
		t.Fatal(err)
	}
	if _, err := New(o); err == nil {
		t.Error("metrics registered twice")
	}
	if _, ok := o.Registerer.(*prometheus.Registry); !ok {
		t.Fatal("no registry")
	}
}

func TestSplitTarget(t *testing.T) {
	for target, want := range map[string][2]string{
		"/go": {"/go", ""}, "/go?a?b": {"/go", "a?b"}, "/go?": {"/go", ""}, "": {"", ""}, "*": {"", ""}, "http://x/go?a=1": {"/go", "a=1"},
		"http://x": {"", ""}, "x:80": {"", ""}, "/go#f?x": {"/go", ""}, "/go?a#f": {"/go", "a"}, "http://x?y/go": {"/go", ""},
	} {
		if path, query := splitTarget(target); [2]string{path, query} != want {
			t.Errorf("%s: %q, %q", target, path, query)
		}
	}
}

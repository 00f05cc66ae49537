package redirect

import (
	"context"
	"testing"

	"github.com/valyala/fasthttp"
)

func browserRequest() *fasthttp.RequestCtx {
	return request("GET", "Host: go.brand.example", "CF-Connecting-IP: 203.0.113.77", "CF-IPCountry: IN", "CF-Ray: 8f1a2b3c4d5e6f70-BOM",
		"X-Forwarded-For: 203.0.113.77", "X-Forwarded-Proto: https", "Accept-Encoding: gzip, br", "Accept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.8",
		"Accept-Language: en-IN,en;q=0.9", "Referer: https://blog.example/reviews/best-courses?page=2", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Site: cross-site",
		"User-Agent: Mozilla/5.0 (Linux; Android 14; SM-A156E) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36")
}

const benchQuery = "sub1=spring&sub2=banner-7&utm_source=newsletter&utm_medium=email&gclid=Cj0KCQiA"

// BenchmarkRedirect is a click on a link in memory, with a recorder that only copies.
func BenchmarkRedirect(b *testing.B) {
	f := newFixture(b)
	f.memory.last = true
	f.add(b, "go", resolved("https://shop.example/course/7?ref={affiliate_id}"))
	req, ctx := browserRequest(), context.Background()
	b.ReportAllocs()
	for b.Loop() {
		req.Response.Reset()
		f.Serve(ctx, req, "go", benchQuery)
	}
}

// BenchmarkBare only sets the headers that BenchmarkRedirect sets.
func BenchmarkBare(b *testing.B) {
	f := newFixture(b)
	f.add(b, "go", resolved("https://shop.example/course/7?ref={affiliate_id}"))
	res, _ := f.get("go", benchQuery)
	location := append([]byte(nil), res.Header.Peek("Location")...)
	cookie := f.appendCookie(nil, f.lastID(b), 86400)
	req := browserRequest()
	b.ReportAllocs()
	for b.Loop() {
		req.Response.Reset()
		f.redirect(req, location)
		req.Response.Header.AddBytesV(fasthttp.HeaderSetCookie, cookie)
	}
}

//go:build !race

package server

import (
	"net"
	"testing"

	"github.com/valyala/fasthttp"
)

// lastClick keeps the last record only, in one buffer.
type lastClick struct{ buf []byte }

func (c *lastClick) Append(b []byte) error {
	c.buf = append(c.buf[:0], b...)
	return nil
}

// From the request line to the recorded click and the answer, nothing is allocated for a link that is in memory.
func TestHandleDoesNotAllocate(t *testing.T) {
	o := options(t, newWorld(t))
	o.Clicks = &lastClick{}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	var raw fasthttp.Request
	raw.SetRequestURI("/go?sub1=a%20b&utm_source=newsletter&x=1")
	raw.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:27.0) Gecko/20100101 Firefox/27.0")
	raw.Header.Set("Referer", "https://blog.example/page?x")
	raw.Header.Set("Accept-Language", "en-IN")
	raw.Header.Set("CF-Connecting-IP", "203.0.113.9")
	var req fasthttp.RequestCtx
	req.Init(&raw, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}, nil)
	handle := func() {
		req.Response.Reset()
		s.Handle(&req)
	}
	handle()
	if n := testing.AllocsPerRun(1000, handle); n != 0 || req.Response.StatusCode() != 302 {
		t.Errorf("%v allocations, status %d; budget 0", n, req.Response.StatusCode())
	}
}

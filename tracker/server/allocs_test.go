//go:build !race

package server

import "testing"

// A click allocates at most this much, from the parsed request through the look-up and the spool on a real file to the
// answer, for a link that is in memory.
const allocsPerClick = 0

func TestClickDoesNotAllocate(t *testing.T) {
	server, _ := stack(t)
	req := browser("/go?sub1=a%20b&utm_source=newsletter&x=1")
	handle := func() {
		req.Response.Reset()
		server.Handle(req)
	}
	// What grows once, such as buffers and the cache's own, has grown after this.
	for range 1000 {
		handle()
	}
	if n := testing.AllocsPerRun(2000, handle); n > allocsPerClick || req.Response.StatusCode() != 302 {
		t.Errorf("%v allocations, status %d; budget %d", n, req.Response.StatusCode(), allocsPerClick)
	}
}

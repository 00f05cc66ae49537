//go:build !race

package redirect

import (
	"context"
	"testing"
)

// A click on a link that is in memory allocates nothing (the race detector allocates on its own).
func TestRedirectDoesNotAllocate(t *testing.T) {
	f := newFixture(t)
	f.memory.last = true
	f.add(t, "go", resolved("https://shop.example/c/{sub1}?a={affiliate_id}"))
	ctx, ctxs := context.Background(), browserRequest()
	for name, query := range map[string]string{
		"plain": "", "parameters": "sub1=a%20b&sub2=c&utm_source=newsletter&utm_medium=e+mail&gclid=abc&x=1&y=%20",
		"deep link": "to=https%3A%2F%2Fshop.example%2Fcourse%2F7%3Fa%3D1&sub1=x",
	} {
		serve := func() {
			ctxs.Response.Reset()
			if o := f.Serve(ctx, ctxs, "go", query); o != Redirected {
				t.Fatal(o)
			}
		}
		serve()
		if n := testing.AllocsPerRun(1000, serve); n != 0 {
			t.Errorf("%s: %v allocations; budget 0", name, n)
		}
	}
}

//go:build !race

package visitor

import (
	"testing"
	"time"
)

func TestDoesNotAllocate(t *testing.T) {
	now := time.Now()
	v := identifier(t, days{Day(now): true}, "127.0.0.0/8")
	from := peer("127.0.0.1:1000")
	if n := testing.AllocsPerRun(1000, func() {
		c := v.Client(from, "2001:db8::7")
		v.Hash(now, c.Addr, "Mozilla/5.0 (X11; Linux x86_64; rv:27.0) Gecko/20100101 Firefox/27.0")
	}); n != 0 {
		t.Errorf("%v allocations; budget 0", n)
	}
}

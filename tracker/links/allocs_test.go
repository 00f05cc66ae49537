//go:build !race

package links

import (
	"testing"
	"time"

	"github.com/edgeref/edgeref/wire/link"
)

func TestHitDoesNotAllocate(t *testing.T) {
	f := newFixture(t, nil)
	f.want("a", toA, nil, resultSource)
	f.want("nope", "", link.ErrNotFound, resultNegative)
	f.cache.Wait()
	day := dayOf(time.Now())
	f.Salt(day)
	ctx := t.Context()
	for name, fn := range map[string]func(){
		"hit":      func() { _, _ = f.Find(ctx, []byte("a")) },
		"negative": func() { _, _ = f.Find(ctx, []byte("nope")) },
		"salt":     func() { f.Salt(day) },
	} {
		if n := testing.AllocsPerRun(10_000, fn); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	if c := f.counts(); c[resultHit] < 10_000 || c[resultNegative] < 10_000 {
		t.Errorf("these were not hits: %v", c)
	}
}

package outbox

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"pgregory.net/rapid"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/wire/report"
)

type contentError struct{}

func (contentError) Error() string   { return "the store does not take this" }
func (contentError) Permanent() bool { return true }

// picky refuses batches with a bad fact, keeps the others, and fails otherwise now and then.
type picky struct {
	bad  map[int64]bool
	fail func() error
	kept map[int64]int    // how often a fact came in a batch of its own
	ids  map[string]int64 // first fact of each batch that was kept
}

func (p *picky) AppendFacts(_ context.Context, id string, facts []report.Fact) error {
	for _, f := range facts {
		if p.bad[f.ID] {
			return fmt.Errorf("append: %w", contentError{})
		}
	}
	if _, again := p.ids[id]; !again {
		p.ids[id] = facts[0].ID
		for _, f := range facts {
			p.kept[f.ID]++
		}
	}
	return p.fail() // possibly after it was kept
}

// Whatever is bad, and whatever fails in between: each good fact arrives once, each bad one is set aside alone, and
// arrives once it is mended and requeued.
func TestRefusedFactsAreSetAside(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		base, c := int64(0), newClock()
		rapid.Check(t, func(r *rapid.T) {
			const n = 12
			base += 1000
			down := errors.New("down")
			p := &picky{bad: map[int64]bool{}, kept: map[int64]int{}, ids: map[string]int64{}, fail: func() error {
				if rapid.IntRange(0, 4).Draw(r, "fails") == 0 {
					return down
				}
				return nil
			}}
			for _, i := range rapid.SliceOfNDistinct(rapid.Int64Range(1, n), 0, 3, rapid.ID[int64]).Draw(r, "bad") {
				p.bad[base+i] = true
			}
			c.advance(leaseTime + time.Millisecond) // that of the publisher before
			o := open(d, p, c, Options{Batch: 7})
			add(t, o, base+1, base+n)
			drain := func() {
				for i := 0; pendingOf(t, o) > 0; i++ {
					if i == 1000 {
						r.Fatal("does not come to an end")
					}
					if _, err := o.Publish(t.Context()); err != nil && !errors.Is(err, down) {
						r.Fatal(err)
					}
				}
			}
			check := func(missing int) {
				r.Helper()
				aside, err := o.aside(t.Context())
				if err != nil || int(aside) != missing || len(p.kept) != n-missing {
					r.Fatalf("%d set aside (%v), %d kept, want %d and %d", aside, err, len(p.kept), missing, n-missing)
				}
				for id, times := range p.kept {
					if times != 1 || id <= base || id > base+n || p.bad[id] {
						r.Fatalf("fact %d came in %d batches", id-base, times)
					}
				}
			}
			drain()
			check(len(p.bad))
			if got := testutil.ToFloat64(o.metrics.refused); int(got) != len(p.bad) {
				r.Fatalf("%v refusals counted, want %d", got, len(p.bad))
			}
			want := slices.Sorted(maps.Keys(p.bad))
			clear(p.bad)
			if n, err := Requeue(t.Context(), d); err != nil || int(n) != len(want) {
				r.Fatalf("%d requeued (%v), want %d", n, err, len(want))
			}
			drain()
			check(0)
		})
	})
}

// Facts that are set aside stay, however old they are.
func TestPruneKeepsWhatIsSetAside(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := newClock()
		p := &picky{bad: map[int64]bool{1: true}, kept: map[int64]int{}, ids: map[string]int64{}, fail: func() error { return nil }}
		o := open(d, p, c, Options{})
		add(t, o, 1, 1)
		if _, err := o.Publish(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.advance(10 * defaultKeep)
		if err := o.Prune(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n, err := o.aside(t.Context()); err != nil || n != 1 {
			t.Errorf("%d set aside (%v), want 1", n, err)
		}
	})
}

package links

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/edgeref/edgeref/wire/link"
)

const toA = "https://shop.example/a?click_id"

func TestFindWithoutAFeedAsksTheSourceOnce(t *testing.T) {
	f := newFixture(t, nil)
	f.want("a", toA, nil, resultSource)
	f.want("a", toA, nil, resultHit)
	f.want("nope", "", link.ErrNotFound, resultNegative)
	f.want("nope", "", link.ErrNotFound, resultNegative)
	if n := f.core.asked(); n != 2 {
		t.Errorf("%d look-ups, want 2", n)
	}
	f.want("", "", link.ErrNotFound, resultNegative)
	f.want(strings.Repeat("x", link.MaxSlug+1), "", link.ErrNotFound, resultNegative)
	if n := f.core.asked(); n != 2 {
		t.Errorf("impossible slugs reached the source: %d look-ups", n)
	}
	if r, ok := f.ByID(10); !ok || r.Link.Slug != "a" || r.Program.PostbackSecrets[0] != "s3cret" {
		t.Errorf("%+v, %v", r, ok)
	}
	if _, ok := f.ByID(11); ok {
		t.Error("link 11 exists")
	}
	if p, ok := f.Program(1); !ok || p.ClickParam != "click_id" {
		t.Errorf("%+v, %v", p, ok)
	}
}

func TestExpiryIsAbsolute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		f.want("a", toA, nil, resultSource)
		f.want("nope", "", link.ErrNotFound, resultNegative)
		time.Sleep(5*time.Second - time.Nanosecond)
		f.want("nope", "", link.ErrNotFound, resultNegative)
		if n := f.core.asked(); n != 2 {
			t.Fatalf("%d look-ups before the negative entry expired", n)
		}
		time.Sleep(time.Nanosecond)
		f.want("nope", "", link.ErrNotFound, resultNegative)
		if n := f.core.asked(); n != 3 {
			t.Fatalf("%d look-ups after the negative entry expired", n)
		}
		// Hits do not renew: from 47.9 s on only the last 12.1 s are left.
		time.Sleep(42*time.Second + 900*time.Millisecond)
		f.want("a", toA, nil, resultHit)
		time.Sleep(12*time.Second + 100*time.Millisecond)
		f.want("a", toA, nil, resultSource)
	})
}

func TestHotLinkIsRefreshedAheadOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		f.want("a", toA, nil, resultSource)
		changed := testLink(10, "a")
		changed.Destination = "https://shop.example/new"
		f.core.putLink(changed)
		hold := make(chan struct{})
		f.core.set(func() { f.core.hold = hold })
		time.Sleep(48 * time.Second)
		for range 10 {
			f.want("a", toA, nil, resultHit) // the one who starts the refresh does not wait for it
		}
		synctest.Wait()
		if n := f.core.asked(); n != 2 {
			t.Fatalf("%d look-ups, want 1 and 1 refresh", n)
		}
		close(hold)
		synctest.Wait()
		f.want("a", "https://shop.example/new?click_id", nil, resultHit)
		time.Sleep(59 * time.Second)
		f.want("a", "https://shop.example/new?click_id", nil, resultHit)
	})
}

func TestFailedRefreshLeavesTheEntry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		f.want("a", toA, nil, resultSource)
		f.core.set(func() { f.core.down = true })
		for range 11 {
			time.Sleep(time.Second)
		}
		time.Sleep(38 * time.Second)
		for range 11 {
			f.want("a", toA, nil, resultHit)
			time.Sleep(time.Second)
		}
		synctest.Wait()
		if n := f.core.asked(); n < 3 || n > 12 {
			t.Errorf("%d look-ups; want one refresh a second", n)
		}
		f.want("a", toA, nil, resultStale)
	})
}

// Refreshes ask a source that is down no more often than misses do, however many links are hot.
func TestRefreshesRespectTheBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		f.core.putLink(testLink(11, "b"))
		f.want("a", toA, nil, resultSource)
		f.want("b", "https://shop.example/b?click_id", nil, resultSource)
		f.core.set(func() { f.core.down = true })
		time.Sleep(48 * time.Second)
		for range 5 {
			f.want("a", toA, nil, resultHit)
			synctest.Wait()
			f.want("b", "https://shop.example/b?click_id", nil, resultHit)
			synctest.Wait()
			time.Sleep(time.Second)
		}
		if n := f.core.asked() - 2; n != 5 {
			t.Errorf("%d look-ups in 5 seconds", n)
		}
	})
}

func TestAllWaitersShareOneLookup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		hold := make(chan struct{})
		f.core.set(func() { f.core.hold = hold })
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				if e, err := f.Find(t.Context(), []byte("a")); err != nil || e.Prepared.to != toA {
					t.Errorf("%+v, %v", e, err)
				}
			})
		}
		synctest.Wait()
		close(hold)
		wg.Wait()
		if n := f.core.asked(); n != 1 {
			t.Errorf("%d look-ups for 50 waiters", n)
		}
	})
}

func TestCallerMayGiveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		hold := make(chan struct{})
		f.core.set(func() { f.core.hold = hold })
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		if _, err := f.Find(ctx, []byte("a")); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("error %v", err)
		}
		// The look-up goes on for whoever comes next.
		close(hold)
		synctest.Wait()
		f.want("a", toA, nil, resultHit)
	})
}

func TestLookupIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		f.core.set(func() { f.core.hold = make(chan struct{}) })
		started := time.Now()
		f.want("a", "", ErrUnavailable, resultUnavailable)
		if d := time.Since(started); d != 250*time.Millisecond {
			t.Errorf("waited %v", d)
		}
	})
}

// deaf is a source that does not respect its context.
type deaf struct{ done chan struct{} }

func (d deaf) Lookup(context.Context, string) (link.Resolved, error) {
	<-d.done
	return link.Resolved{}, errDown
}

func (d deaf) Changes(context.Context, string, int64, time.Duration) (link.Page, error) {
	return link.Page{}, errDown
}

func TestLookupIsBoundedEvenIfTheSourceIsDeaf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := deaf{make(chan struct{})}
		s, err := New(d, compile, Options{})
		if err != nil {
			t.Fatal(err)
		}
		started := time.Now()
		if _, err := s.Find(t.Context(), []byte("a")); !errors.Is(err, ErrUnavailable) {
			t.Errorf("error %v", err)
		}
		if d := time.Since(started); d > 400*time.Millisecond {
			t.Errorf("waited %v", d)
		}
		close(d.done)
		s.Close()
	})
}

func TestConcurrentLookupsAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, func(o *Options) { o.MaxLookups = 2 })
		f.want("a", toA, nil, resultSource)
		time.Sleep(time.Minute)
		hold := make(chan struct{})
		f.core.set(func() { f.core.hold = hold })
		var wg sync.WaitGroup
		for _, slug := range []string{"x", "y"} {
			wg.Go(func() {
				if _, err := f.Find(t.Context(), []byte(slug)); !errors.Is(err, link.ErrNotFound) {
					t.Errorf("%s: %v", slug, err)
				}
			})
		}
		synctest.Wait()
		f.want("z", "", ErrUnavailable, resultUnavailable)
		f.want("a", toA, nil, resultStale)
		if n := testutil.ToFloat64(f.metrics.sourceLimited); n != 2 {
			t.Errorf("limit hit counted %v times", n)
		}
		if f.breaker.open.Load() {
			t.Error("the limit opened the breaker")
		}
		close(hold)
		wg.Wait()
	})
}

func TestBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		f.want("a", toA, nil, resultSource)
		hold := make(chan struct{})
		f.core.set(func() { f.core.hold = hold })
		time.Sleep(time.Minute)
		instant := func(slug string, want error, how result) {
			t.Helper()
			started := time.Now()
			f.want(slug, toA, want, how)
			if d := time.Since(started); d != 0 {
				t.Fatalf("waited %v while the breaker is open", d)
			}
		}
		started := time.Now()
		f.want("a", toA, nil, resultStale) // this one found out
		if d := time.Since(started); d != 250*time.Millisecond {
			t.Errorf("waited %v", d)
		}
		base := f.core.asked()
		for range 50 { // 5 seconds
			instant("a", nil, resultStale)
			instant("unknown", ErrUnavailable, resultUnavailable)
			time.Sleep(100 * time.Millisecond)
		}
		if n := f.core.asked() - base; n < 3 || n > 5 {
			t.Errorf("%d probes in 5 seconds", n)
		}
		time.Sleep(2 * time.Second) // the last probe is over
		close(hold)
		f.core.set(func() { f.core.hold = nil })
		instant("a", nil, resultStale) // its miss sends the probe that succeeds
		synctest.Wait()
		f.want("unknown", "", link.ErrNotFound, resultNegative)
		f.want("a", toA, nil, resultHit)
	})
}

func TestRestedBreakerLetsCallersAsk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		f.core.set(func() { f.core.down = true })
		f.want("a", "", ErrUnavailable, resultUnavailable)
		f.core.set(func() { f.core.down = false })
		time.Sleep(probeInterval + breakerRest)
		f.want("a", toA, nil, resultSource)
	})
}

func TestUnpreparableLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		broken := testLink(11, "b")
		broken.Destination = "https://shop.example/{broken"
		f.core.putLink(broken)
		f.want("b", "", ErrInvalid, resultInvalid)
		f.want("b", "", ErrInvalid, resultInvalid)
		if n := f.core.asked(); n != 1 {
			t.Errorf("%d look-ups", n)
		}
		f.core.putLink(testLink(11, "b"))
		time.Sleep(5 * time.Second)
		f.want("b", "https://shop.example/b?click_id", nil, resultSource)
	})
}

func TestSourceThatAnswersForAnotherLinkIsNotBelieved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		l := testLink(11, "b")
		l.ProgramID = 99 // there is none
		f.core.putLink(l)
		f.want("b", "", ErrUnavailable, resultUnavailable)
	})
}

// A collision of 64-bit hashes must not answer one slug with another's link.
func TestHitComparesTheSlug(t *testing.T) {
	f := newFixture(t, nil)
	f.want("a", toA, nil, resultSource)
	f.cache.Wait()
	e, ok := f.cache.Get(hashOf(f, "a"))
	if !ok {
		t.Fatal("not cached")
	}
	for f.replica.generation(hashOf(f, "b")).Load() != e.generation {
		f.replica.touch(hashOf(f, "b"))
	}
	f.cache.Set(hashOf(f, "b"), e, 1)
	f.want("b", "", link.ErrNotFound, resultNegative)
}

func TestOptionsAreChecked(t *testing.T) {
	for _, o := range []Options{{TTL: -1}, {MaxLookups: -1}, {CacheEntries: -1}, {ReplicaBytes: -1}, {PollWait: -1}} {
		if _, err := New(newCore(), compile, o); err == nil || !strings.Contains(err.Error(), "must not be negative") {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

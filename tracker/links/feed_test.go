package links

import (
	"context"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/edgeref/edgeref/wire/link"
)

func hashOf(f *fixture, slug string) uint64 { return maphash.String(f.seed, slug) }

func TestFeedAnswersAndInvalidates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		if err := f.Ready(); err == nil {
			t.Error("ready before anything is known")
		}
		f.run()
		synctest.Wait()
		if err := f.Ready(); err != nil {
			t.Error(err)
		}
		f.want("a", toA, nil, resultReplica)
		f.want("a", toA, nil, resultHit)
		f.want("b", "", link.ErrNotFound, resultNegative)

		f.core.putLink(testLink(11, "b")) // the negative entry is over at once
		edited := testLink(10, "a")
		edited.Destination = "https://shop.example/edited"
		f.core.putLink(edited)
		synctest.Wait()
		f.want("b", "https://shop.example/b?click_id", nil, resultReplica)
		f.want("a", "https://shop.example/edited?click_id", nil, resultReplica)
		f.want("a", "https://shop.example/edited?click_id", nil, resultHit)

		f.core.putProgram(link.Program{ID: 1, ClickParam: "cid"}) // all its links at once
		synctest.Wait()
		f.want("a", "https://shop.example/edited?cid", nil, resultReplica)
		f.want("b", "https://shop.example/b?cid", nil, resultReplica)
		if n := f.core.asked(); n != 1 {
			t.Errorf("%d look-ups at the source, want 1 for the slug that did not exist", n)
		}
	})
}

// The look-up has read revision 1 when the edit happens, the feed delivers revision 2, then the look-up comes back.
func TestLookupInFlightNeverBringsBackAnOlderRevision(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		hold := make(chan struct{})
		f.core.set(func() { f.core.hold = hold })
		var wg sync.WaitGroup
		wg.Go(func() {
			e, err := f.Find(t.Context(), []byte("a"))
			if err != nil || e.Prepared.to != "https://shop.example/edited?cid" {
				t.Errorf("%+v, %v", e, err)
			}
		})
		<-f.core.holding
		edited := testLink(10, "a")
		edited.Destination = "https://shop.example/edited"
		f.core.putLink(edited)
		f.core.putProgram(link.Program{ID: 1, ClickParam: "cid"})
		f.run()
		synctest.Wait() // the feed is followed to its end, the look-up still waits
		close(hold)
		wg.Wait()
		f.want("a", "https://shop.example/edited?cid", nil, resultHit)
	})
}

// An entry made of old data reaches the cache after the change, as ristretto's queue may have it.
func TestLateSetNeverBringsBackAnOlderRevision(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		f.run()
		synctest.Wait()
		f.want("a", toA, nil, resultReplica)
		f.cache.Wait()
		old, ok := f.cache.Get(hashOf(f, "a"))
		if !ok {
			t.Fatal("not cached")
		}
		edited := testLink(10, "a")
		edited.Destination = "https://shop.example/edited"
		for _, change := range []func(){
			func() { f.core.putLink(edited) },
			func() { f.core.putProgram(link.Program{ID: 1, ClickParam: "click_id"}) },
		} {
			change()
			synctest.Wait()
			f.cache.Set(hashOf(f, "a"), old, 1)
			f.want("a", "https://shop.example/edited?click_id", nil, resultReplica)
		}
	})
}

// Readers, look-ups and edits at once, in real time: what a reader saw once is never older later.
func TestRevisionsNeverGoBackUnderLoad(t *testing.T) {
	c := newCore()
	c.putProgram(link.Program{ID: 1})
	c.putLink(testLink(10, "a"))
	// Two entries at most and a life of a millisecond: evictions, refreshes and expiries all the time.
	f := newFixtureOn(t, c, func(o *Options) { o.CacheEntries, o.TTL, o.LookupTimeout = 2, time.Millisecond, time.Second })
	f.run()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	var finds atomic.Int64
	for range 4 {
		wg.Go(func() {
			var link, program int64
			for ctx.Err() == nil {
				e, err := f.Find(context.Background(), []byte("a"))
				if err != nil {
					continue // a look-up that took too long on a busy machine
				}
				finds.Add(1)
				if e.Link.Rev < link || e.Program.Rev < program {
					t.Errorf("revisions %d, %d after %d, %d", e.Link.Rev, e.Program.Rev, link, program)
					return
				}
				link, program = e.Link.Rev, e.Program.Rev
				_, _ = f.Find(context.Background(), []byte{'x', byte(finds.Load())})
			}
		})
	}
	for i := range 300 {
		if i%2 == 0 {
			c.putLink(testLink(10, "a"))
		} else {
			c.putProgram(link.Program{ID: 1})
		}
		before := finds.Load()
		for finds.Load() < before+3 && !t.Failed() {
			_, _ = f.Find(context.Background(), []byte("a"))
		}
	}
	cancel()
	wg.Wait()
}

func TestFeedDownThenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		f.run()
		synctest.Wait()
		f.core.change(func() { f.core.down = true })
		synctest.Wait()
		if f.feed.connected.Load() || f.Fresh() || f.Ready() != nil {
			t.Error("connected or fresh while the core is down, or not ready any more")
		}
		f.want("a", toA, nil, resultStale)
		time.Sleep(30 * time.Second)
		if lag := f.feed.lag(f.elapsed()); lag < 29*time.Second || lag > 31*time.Second {
			t.Errorf("lag %v", lag)
		}
		f.core.set(func() { f.core.polls, f.core.down = 0, false })
		edited := testLink(10, "a")
		edited.Destination = "https://shop.example/edited"
		f.core.putLink(edited)
		time.Sleep(maxBackoff * 3 / 2)
		synctest.Wait()
		if lag := f.feed.lag(f.elapsed()); lag != 0 || !f.feed.connected.Load() || !f.Fresh() {
			t.Errorf("lag %v", lag)
		}
		f.want("a", "https://shop.example/edited?click_id", nil, resultReplica)
	})
}

// What is not known is taken not to exist only as long as the feed is known to live: a conversion refused by mistake is
// lost money.
func TestSilentFeedIsNotFreshForLong(t *testing.T) {
	const longest = 6 * time.Second
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		f.run()
		synctest.Wait()
		for range 20 { // whenever within a request it falls silent
			time.Sleep(700 * time.Millisecond)
			synctest.Wait()
			if !f.Fresh() {
				t.Fatal("not fresh while the feed answers")
			}
		}
		f.core.set(func() { f.core.silent = true })
		time.Sleep(longest + time.Millisecond)
		synctest.Wait()
		if f.Fresh() || f.feed.connected.Load() || f.feed.lag(f.elapsed()) == 0 {
			t.Errorf("still fresh %v after the feed fell silent", longest)
		}
		f.core.set(func() { f.core.silent = false })
		time.Sleep(pollGrace + maxBackoff*3/2)
		synctest.Wait()
		if !f.Fresh() {
			t.Error("not fresh although the feed answers again")
		}
	})
}

// After a failure the first request must not wait for a change, or nobody would know whether anything was missed.
func TestReconnectedFeedIsFreshAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		f.run()
		synctest.Wait()
		f.core.change(func() { f.core.down = true })
		synctest.Wait()
		f.core.set(func() { f.core.down = false })
		time.Sleep(time.Second)
		synctest.Wait()
		if !f.feed.fresh(f.elapsed()) {
			t.Error("not fresh a second after the core is back")
		}
	})
}

func TestFirstCopyInPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCore()
		c.pageSize = 7
		for id := range int64(50) {
			c.putLink(testLink(id+1, "s"+string('A'+rune(id))))
		}
		c.putProgram(link.Program{ID: 1}) // has a later revision than its links
		f := newFixtureOn(t, c, nil)
		f.run()
		synctest.Wait()
		if size := f.replica.size(); size.links != 50 || size.programs != 1 || !size.complete {
			t.Errorf("%+v", size)
		}
		f.want("sA", "https://shop.example/sA?", nil, resultReplica)
	})
}

func TestFeedThatStartsAgain(t *testing.T) {
	for name, restart := range map[string]func(*core){
		"another database": func(c *core) { c.feed = "feed-2" },
		"a backup of it":   func(c *core) {},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, nil)
				for range 20 {
					f.core.putLink(testLink(11, "gone"))
				}
				f.run()
				synctest.Wait()
				f.want("gone", "https://shop.example/gone?click_id", nil, resultReplica)
				// Lower revisions than before, other content.
				f.core.change(func() {
					restart(f.core)
					f.core.rev, f.core.links, f.core.programs = 2, map[int64]link.Link{}, map[int64]link.Program{}
					l := testLink(10, "a")
					l.Rev, l.Destination = 2, "https://shop.example/restored"
					f.core.links[10] = l
					f.core.programs[1] = link.Program{ID: 1, Rev: 1, ClickParam: "cid"}
				})
				time.Sleep(f.opts.PollWait + time.Second) // a waiting request may not have noticed
				synctest.Wait()
				f.want("a", "https://shop.example/restored?cid", nil, resultReplica)
				f.want("gone", "", link.ErrNotFound, resultNegative)
				if n := testutil.ToFloat64(f.metrics.resyncs); n != 1 {
					t.Errorf("%v resyncs", n)
				}
			})
		})
	}
}

// While the new copy is being made, the old one answers what the source does not.
func TestOldCopyAnswersUntilTheNewOneIsComplete(t *testing.T) {
	r := newReplica(maphash.MakeSeed(), 1<<30, newLinkSet(maphash.MakeSeed(), 1<<30))
	r.live.seed = r.seed
	hash := func(slug string) uint64 { return maphash.String(r.seed, slug) }
	apply := func(p link.Page) applied {
		t.Helper()
		a, err := r.apply(r.position(), &p)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	old := testLink(10, "a")
	old.Rev = 50
	apply(link.Page{Feed: "1", Cursor: 50, Links: []link.Link{old}, Programs: []link.Program{{ID: 1, Rev: 1}}})
	target := r.target()
	restored := testLink(10, "a")
	restored.Rev, restored.Destination = 3, "https://shop.example/restored"
	if a := apply(link.Page{Feed: "2", Cursor: 3, More: true, Links: []link.Link{restored}}); !a.restarted {
		t.Error("not noticed")
	}
	if k := r.bySlug(hash("a"), "a"); !k.ok || k.link.Rev != 50 {
		t.Errorf("%+v", k)
	}
	// A look-up from before is not mixed into the new copy, one from now is.
	late := old
	late.Rev = 51
	if k, _ := r.merge(target, hash("a"), &link.Resolved{Link: late, Program: link.Program{ID: 1, Rev: 1}}); !k.ok || k.link.Rev != 51 {
		t.Errorf("%+v", k)
	}
	if k, _ := r.merge(r.target(), hash("a"), &link.Resolved{Link: restored, Program: link.Program{ID: 1, Rev: 2}}); k.link.Rev != 3 {
		t.Errorf("%+v", k)
	}
	generation := r.generation(hash("a")).Load()
	apply(link.Page{Feed: "2", Cursor: 4, Programs: []link.Program{{ID: 1, Rev: 4}}})
	if k := r.bySlug(hash("a"), "a"); !k.ok || k.link.Rev != 3 || k.program.Rev != 4 || k.generation == generation {
		t.Errorf("%+v", k)
	}
	if k, _ := r.merge(target, hash("a"), &link.Resolved{Link: late, Program: link.Program{ID: 1, Rev: 1}}); k.link.Rev != 3 {
		t.Errorf("a look-up of the old database went into the new copy: %+v", k)
	}
}

func TestSenselessPagesAreRefused(t *testing.T) {
	for name, p := range map[string]link.Page{
		"no identity":     {Cursor: 1},
		"does not get on": {Feed: "1", Cursor: 0, More: true},
		"negative cursor": {Feed: "1", Cursor: -1},
	} {
		r := newReplica(maphash.MakeSeed(), 1<<30, newLinkSet(maphash.MakeSeed(), 1<<30))
		if _, err := r.apply(r.position(), &p); err == nil {
			t.Errorf("%s: taken in", name)
		}
	}
}

func TestInvalidLinksOfTheFeedAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		f.core.putLink(testLink(11, ""))
		f.run()
		synctest.Wait()
		if n := testutil.ToFloat64(f.metrics.refusedInvalid); n != 1 {
			t.Errorf("counted %v", n)
		}
		f.want("a", toA, nil, resultReplica)
	})
}

// hasty answers at once with nothing new, whatever it was asked to wait.
type hasty struct{ polls atomic.Int64 }

func (h *hasty) Lookup(context.Context, string) (link.Resolved, error) {
	return link.Resolved{}, link.ErrNotFound
}

func (h *hasty) Changes(context.Context, string, int64, time.Duration) (link.Page, error) {
	h.polls.Add(1)
	return link.Page{Feed: "1"}, nil
}

func TestFeedThatDoesNotWaitIsNotHammered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &hasty{}
		s, err := New(h, compile, Options{})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		s.Run(ctx)
		s.Close()
		if n := h.polls.Load(); n < 10 || n > 60 {
			t.Errorf("%d requests in 10 seconds", n)
		}
	})
}

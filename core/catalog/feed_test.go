package catalog_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/edgeref/edgeref/core/catalog"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/wire/link"
)

// replica follows the feed as a tracker does.
type replica struct {
	feed     string
	cursor   int64
	links    map[string]link.Link
	programs map[int64]link.Program
}

func newReplica() *replica {
	return &replica{links: map[string]link.Link{}, programs: map[int64]link.Program{}}
}

type source interface {
	Changes(ctx context.Context, feed string, cursor int64, wait time.Duration) (link.Page, error)
	Lookup(ctx context.Context, slug string) (link.Resolved, error)
}

// fataler is *testing.T or *rapid.T.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

// catchUp reads pages until there are no more, and returns their number.
func (r *replica) catchUp(ctx context.Context, t fataler, s source) int {
	t.Helper()
	for n := 1; ; n++ {
		page, err := s.Changes(ctx, r.feed, r.cursor, 0)
		if err != nil {
			t.Fatalf("read feed: %v", err)
		}
		r.apply(t, page)
		if !page.More {
			return n
		}
	}
}

func (r *replica) apply(t fataler, page link.Page) {
	t.Helper()
	if page.Feed != r.feed {
		*r = *newReplica()
	}
	r.feed, r.cursor = page.Feed, page.Cursor
	for _, p := range page.Programs {
		r.programs[p.ID] = p
	}
	for _, l := range page.Links {
		if _, ok := r.programs[l.ProgramID]; !ok {
			t.Fatalf("link %q came before its program", l.Slug)
		}
		r.links[l.Slug] = l
	}
}

// wantSame fails unless the replica knows what the source says of each link.
func (r *replica) wantSame(ctx context.Context, t fataler, s source, slugs []string) {
	t.Helper()
	if len(r.links) != len(slugs) {
		t.Fatalf("%d links, want %d", len(r.links), len(slugs))
	}
	for _, slug := range slugs {
		want, err := s.Lookup(ctx, slug)
		if err != nil {
			t.Fatalf("look up %q: %v", slug, err)
		}
		got := link.Resolved{Link: r.links[slug], Program: r.programs[want.Program.ID]}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("link %q (-source +replica):\n%s", slug, diff)
		}
	}
}

// A replica that reads pages of any size, between and amid any changes, ends with what the source has.
func TestReplicaConverges(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		rapid.Check(t, func(rt *rapid.T) {
			w.clear()
			w.SetPageLimit(rapid.IntRange(1, 5).Draw(rt, "page limit"))
			ctx := t.Context()
			programs := []catalog.Program{w.program(), w.program()}
			affiliates := []catalog.Affiliate{w.affiliate(), w.affiliate()}
			var slugs []string
			var ids []int64
			r := newReplica()
			for range rapid.IntRange(1, 25).Draw(rt, "steps") {
				switch rapid.IntRange(0, 5).Draw(rt, "step") {
				case 0, 1:
					l := w.link(rapid.SampledFrom(affiliates).Draw(rt, "affiliate"), rapid.SampledFrom(programs).Draw(rt, "program"), "")
					slugs, ids = append(slugs, l.Slug), append(ids, l.ID)
				case 2:
					status := rapid.SampledFrom([]catalog.Status{catalog.Active, catalog.Suspended}).Draw(rt, "status")
					_, err := w.UpdateAffiliate(ctx, rapid.SampledFrom(affiliates).Draw(rt, "affiliate").ID, catalog.AffiliatePatch{Status: &status})
					fatal(rt, err)
				case 3:
					_, err := w.RotateSecret(ctx, rapid.SampledFrom(programs).Draw(rt, "program").ID)
					fatal(rt, err)
				case 4:
					if len(ids) > 0 {
						state := rapid.SampledFrom([]link.State{link.Active, link.Disabled}).Draw(rt, "state")
						_, err := w.UpdateLink(ctx, rapid.SampledFrom(ids).Draw(rt, "link"), catalog.LinkPatch{Status: &state})
						fatal(rt, err)
					}
				case 5: // one page, and whatever comes next falls between two
					page, err := w.Changes(ctx, r.feed, r.cursor, 0)
					fatal(rt, err)
					r.apply(rt, page)
				}
			}
			r.catchUp(ctx, rt, w)
			r.wantSame(ctx, rt, w, slugs)
		})
	})
}

func fatal(t *rapid.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%v", err)
	}
}

// Revisions become visible in the order of their numbers: a replica that reads all the time misses nothing of what
// several writers commit.
func TestNothingIsMissedAmongWriters(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.SetPageLimit(7)
		p := w.program()
		affiliates := []catalog.Affiliate{w.affiliate(), w.affiliate(), w.affiliate()}
		var wg sync.WaitGroup
		slugs := make(chan string, 1000)
		for n, a := range affiliates {
			wg.Go(func() {
				for i := range 40 {
					l, err := w.CreateLink(ctx, catalog.NewLink{AffiliateID: a.ID, ProgramID: p.ID, Destination: "https://shop.example/"})
					if err != nil {
						t.Error(err)
						return
					}
					slugs <- l.Slug
					if n > 0 { // a later change would hide that one was missed
						continue
					}
					status := []catalog.Status{catalog.Suspended, catalog.Active}[i%2]
					if _, err := w.UpdateAffiliate(ctx, a.ID, catalog.AffiliatePatch{Status: &status}); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		done := make(chan struct{})
		go func() { wg.Wait(); close(done) }()
		r := newReplica()
		for reading := true; reading; {
			select {
			case <-done:
				reading = false
			default:
			}
			r.catchUp(ctx, t, w)
		}
		close(slugs)
		var all []string
		for s := range slugs {
			all = append(all, s)
		}
		r.wantSame(ctx, t, w, all)
		var rows, revs int
		if err := w.db.QueryRow(ctx, "SELECT COUNT(*), COUNT(DISTINCT rev) FROM links").Scan(&rows, &revs); err != nil || rows != revs {
			t.Errorf("%d links share %d revisions, %v", rows, revs, err)
		}
	})
}

func TestPagesEnd(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.SetPageLimit(3)
		a, p := w.affiliate(), w.program()
		var slugs []string
		for range 7 {
			slugs = append(slugs, w.link(a, p, "").Slug)
		}
		r := newReplica()
		if n := r.catchUp(t.Context(), t, w); n != 3 { // 8 rows
			t.Errorf("%d pages, want 3", n)
		}
		r.wantSame(t.Context(), t, w, slugs)
		if n := r.catchUp(t.Context(), t, w); n != 1 {
			t.Errorf("%d pages when there is nothing new, want 1", n)
		}
	})
}

func TestForeignCursorsStartFromTheBeginning(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		// An empty database answers at once as well: the caller must learn its name.
		page, err := w.Changes(ctx, "", 0, time.Hour)
		if err != nil || page.Feed == "" || page.Cursor != 0 || len(page.Links)+len(page.Programs) != 0 {
			t.Fatalf("page %+v, %v", page, err)
		}
		l := w.link(w.affiliate(), w.program(), "")
		for _, c := range []struct {
			feed   string
			cursor int64
		}{{"", 0}, {"other", 1}, {"other", 100}, {page.Feed, 100}, {page.Feed, -1}} {
			got, err := w.Changes(ctx, c.feed, c.cursor, time.Hour)
			if err != nil || len(got.Links) != 1 || got.Links[0].ID != l.ID || len(got.Programs) != 1 || got.Feed != page.Feed {
				t.Errorf("feed %q, cursor %d: %+v, %v", c.feed, c.cursor, got, err)
			}
		}
	})
}

func TestWaiting(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		defer goleak.VerifyNone(t, goleak.IgnoreCurrent(), goleak.IgnoreTopFunction("github.com/go-sql-driver/mysql.(*mysqlConn).startWatcher.func1"))
		ctx := t.Context()
		a, p := w.affiliate(), w.program()
		r := newReplica()
		r.catchUp(ctx, t, w)

		empty, err := w.Changes(ctx, r.feed, r.cursor, time.Millisecond)
		if err != nil || empty.Cursor != r.cursor || empty.More || len(empty.Links)+len(empty.Programs) != 0 || len(empty.Salts) == 0 {
			t.Errorf("after the wait: %+v, %v", empty, err)
		}
		got := waitFor(ctx, w.Catalog, r)
		untilWaiters(ctx, w.Catalog, 1)
		l := w.link(a, p, "")
		if page := <-got; page.err != nil || len(page.Links) != 1 || page.Links[0].ID != l.ID {
			t.Errorf("woken with %+v", page)
		}
		stop, cancel := context.WithCancel(ctx)
		r.catchUp(ctx, t, w)
		got = waitFor(stop, w.Catalog, r)
		untilWaiters(ctx, w.Catalog, 1)
		cancel()
		if page := <-got; !errors.Is(page.err, context.Canceled) {
			t.Errorf("stopped with %+v", page)
		}
		if n := w.Waiters(); n != 0 {
			t.Errorf("%d waiters are left", n)
		}
	})
}

// A change made through another core wakes those who wait here when the revision is polled.
func TestOtherCoresChangesAreNoticed(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		other := w.open(catalog.Options{})
		a, p := w.affiliate(), w.program()
		r := newReplica()
		r.catchUp(ctx, t, other)
		got := waitFor(ctx, other, r)
		untilWaiters(ctx, other, 1)
		catalog.Poll(other, ctx) // nothing new yet: must not lose the next change
		l := w.link(a, p, "")
		catalog.Poll(other, ctx)
		if page := <-got; page.err != nil || len(page.Links) != 1 || page.Links[0].ID != l.ID {
			t.Errorf("woken with %+v", page)
		}
	})
}

func TestRunStopsAndPolls(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	other := w.open(catalog.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { other.Run(ctx); close(done) }()
	p := w.program()
	r := newReplica()
	r.catchUp(ctx, t, other)
	got := waitFor(ctx, other, r)
	untilWaiters(ctx, other, 1)
	w.link(w.affiliate(), p, "")
	if page := <-got; page.err != nil || len(page.Links) != 1 {
		t.Errorf("woken with %+v", page)
	}
	cancel()
	<-done
}

func TestWaitersAreBounded(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	c := w.open(catalog.Options{MaxWaiters: 2})
	ctx, cancel := context.WithCancel(t.Context())
	r := newReplica()
	r.catchUp(ctx, t, c)
	first, second := waitFor(ctx, c, r), waitFor(ctx, c, r)
	untilWaiters(ctx, c, 2)
	if _, err := c.Changes(ctx, r.feed, r.cursor, time.Hour); !errors.Is(err, catalog.ErrBusy) {
		t.Errorf("third waiter: %v", err)
	}
	if _, err := c.Changes(ctx, r.feed, r.cursor, 0); err != nil {
		t.Errorf("without waiting: %v", err)
	}
	cancel()
	<-first
	<-second
}

type answer struct {
	link.Page
	err error
}

func waitFor(ctx context.Context, s source, r *replica) <-chan answer {
	got := make(chan answer, 1)
	feed, cursor := r.feed, r.cursor
	go func() {
		page, err := s.Changes(ctx, feed, cursor, time.Minute)
		got <- answer{page, err}
	}()
	return got
}

func untilWaiters(ctx context.Context, c *catalog.Catalog, n int) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for c.Waiters() != n {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func TestSuspendedAffiliatesLinksAreDisabled(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		a, p := w.affiliate(), w.program()
		l := w.link(a, p, "")
		mine := w.link(w.affiliate(), p, "")
		r := newReplica()
		r.catchUp(ctx, t, w)
		for _, c := range []struct {
			status catalog.Status
			want   link.State
		}{{catalog.Suspended, link.Disabled}, {catalog.Active, link.Active}} {
			if _, err := w.UpdateAffiliate(ctx, a.ID, catalog.AffiliatePatch{Status: &c.status}); err != nil {
				t.Fatal(err)
			}
			r.catchUp(ctx, t, w)
			if got := r.links[l.Slug].State; got != c.want {
				t.Errorf("%s affiliate: link is %s in the feed", c.status, got)
			}
			resolved, err := w.Lookup(ctx, l.Slug)
			if err != nil || resolved.Link.State != c.want {
				t.Errorf("%s affiliate: look-up %+v, %v", c.status, resolved, err)
			}
		}
		if r.links[mine.Slug].State != link.Active || r.links[mine.Slug].Rev != mine.Rev {
			t.Errorf("another affiliate's link changed: %+v", r.links[mine.Slug])
		}
	})
}

func TestLookupOfNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, slug := range []string{"", "nothing", "postback", "a/b", "\xff", "' OR 1=1 --"} {
			if _, err := w.Lookup(t.Context(), slug); !errors.Is(err, link.ErrNotFound) {
				t.Errorf("%q: %v", slug, err)
			}
		}
	})
}

func TestFeedShowsProgram(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.program()
		rotated, err := w.RotateSecret(t.Context(), p.ID)
		if err != nil {
			t.Fatal(err)
		}
		page, err := w.Changes(t.Context(), "", 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		want := []link.Program{{
			ID: p.ID, State: link.Active, ClickParam: "click_id", AllowedHosts: []string{"shop.example", "*.shop.example", "shop.example:8443"},
			Fallback: "https://shop.example/gone", CookieSeconds: 30 * 86400, PostbackSecrets: []string{rotated.Secret, p.Secret},
			BrowserConversions: link.BrowserOff, Currency: "INR", Rev: rotated.Rev,
		}}
		if diff := cmp.Diff(want, page.Programs); diff != "" {
			t.Errorf("programs (-want +got):\n%s", diff)
		}
	})
}

package links

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"github.com/edgeref/edgeref/wire/link"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errDown = errors.New("connection refused")

// core is a source with the semantics of the real one: revisions in commit order, a feed that says what changed after a
// cursor and waits when there is nothing.
type core struct {
	mu       sync.Mutex
	feed     string
	rev      int64
	links    map[int64]link.Link
	programs map[int64]link.Program
	salts    []link.Salt
	changed  chan struct{} // closed at every change
	down     bool          // every request fails at once
	silent   bool          // no request to the feed is answered any more, also none that waits
	pageSize int

	hold    chan struct{} // if set, a look-up that has read its answer waits for this before it returns
	holding chan string   // told of every look-up that waits
	lookups int
	polls   int
}

func newCore() *core {
	return &core{
		feed: "feed-1", links: map[int64]link.Link{}, programs: map[int64]link.Program{},
		changed: make(chan struct{}), pageSize: 100, holding: make(chan string, 100),
	}
}

func (c *core) change(fn func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fn()
	close(c.changed)
	c.changed = make(chan struct{})
}

func (c *core) putLink(l link.Link) {
	c.change(func() {
		c.rev++
		l.Rev = c.rev
		if l.State == "" {
			l.State = link.Active
		}
		c.links[l.ID] = l
	})
}

func (c *core) putProgram(p link.Program) {
	c.change(func() {
		c.rev++
		p.Rev, p.State = c.rev, link.Active
		c.programs[p.ID] = p
	})
}

func (c *core) set(fn func()) { c.mu.Lock(); defer c.mu.Unlock(); fn() }

func (c *core) asked() int { c.mu.Lock(); defer c.mu.Unlock(); return c.lookups }

func (c *core) Lookup(ctx context.Context, slug string) (link.Resolved, error) {
	c.mu.Lock()
	c.lookups++
	res, err := c.resolve(slug)
	hold := c.hold
	c.mu.Unlock()
	if hold != nil {
		c.holding <- slug
		select {
		case <-hold:
		case <-ctx.Done():
			return link.Resolved{}, ctx.Err()
		}
	}
	return res, err
}

func (c *core) resolve(slug string) (link.Resolved, error) {
	if c.down {
		return link.Resolved{}, errDown
	}
	for _, l := range c.links {
		if l.Slug == slug {
			return link.Resolved{Link: l, Program: c.programs[l.ProgramID]}, nil
		}
	}
	return link.Resolved{}, fmt.Errorf("look up %q: %w", slug, link.ErrNotFound)
}

func (c *core) Changes(ctx context.Context, feed string, cursor int64, wait time.Duration) (link.Page, error) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	c.set(func() { c.polls++ })
	for {
		c.mu.Lock()
		page, changed, err := c.page(feed, cursor), c.changed, error(nil)
		if c.down {
			err = errDown
		}
		silent := c.silent
		c.mu.Unlock()
		if silent {
			<-ctx.Done()
			return link.Page{}, ctx.Err()
		}
		if err != nil || len(page.Links)+len(page.Programs) > 0 || page.Cursor < cursor || page.Feed != feed {
			return page, err
		}
		select {
		case <-changed:
		case <-timer.C:
			c.mu.Lock()
			silent := c.silent
			c.mu.Unlock()
			if silent {
				continue
			}
			return page, nil
		case <-ctx.Done():
			return link.Page{}, ctx.Err()
		}
	}
}

func (c *core) page(feed string, cursor int64) link.Page {
	if feed != c.feed || cursor > c.rev {
		cursor = 0
	}
	p := link.Page{Feed: c.feed, Cursor: c.rev, Salts: slices.Clone(c.salts)}
	var revs []int64
	for _, l := range c.links {
		revs = append(revs, l.Rev)
	}
	for _, pr := range c.programs {
		revs = append(revs, pr.Rev)
	}
	slices.Sort(revs)
	revs = slices.DeleteFunc(revs, func(r int64) bool { return r <= cursor })
	if len(revs) > c.pageSize {
		p.Cursor, p.More = revs[c.pageSize-1], true
	}
	in := func(rev int64) bool { return rev > cursor && rev <= p.Cursor }
	for _, l := range c.links {
		if in(l.Rev) {
			p.Links = append(p.Links, l)
		}
	}
	for _, pr := range c.programs {
		if in(pr.Rev) {
			p.Programs = append(p.Programs, pr)
		}
	}
	return p
}

// compiled is the prepared form in tests.
type compiled struct{ to string }

func compile(r link.Resolved) (compiled, error) {
	if strings.Contains(r.Link.Destination, "{broken") {
		return compiled{}, errors.New("unknown macro")
	}
	return compiled{r.Link.Destination + "?" + r.Program.ClickParam}, nil
}

func testLink(id int64, slug string) link.Link {
	return link.Link{
		ID: id, Slug: slug, AffiliateID: 7, ProgramID: 1, State: link.Active, Destination: "https://shop.example/" + slug,
	}
}

// fixture is a store on a core with program 1 and link 10 ("a").
type fixture struct {
	*Store[compiled]
	t    *testing.T
	core *core
	stop func()
}

func newFixture(t *testing.T, change func(*Options)) *fixture {
	t.Helper()
	c := newCore()
	c.putProgram(link.Program{ID: 1, ClickParam: "click_id", PostbackSecrets: []string{"s3cret"}})
	c.putLink(testLink(10, "a"))
	return newFixtureOn(t, c, change)
}

func newFixtureOn(t *testing.T, c *core, change func(*Options)) *fixture {
	t.Helper()
	opts := Options{Registerer: prometheus.NewPedanticRegistry()}
	if change != nil {
		change(&opts)
	}
	s, err := New(c, compile, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return &fixture{Store: s, t: t, core: c}
}

// run follows the feed until the end of the test or until stop.
func (f *fixture) run() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); f.Run(ctx) }()
	f.stop = sync.OnceFunc(func() { cancel(); <-done })
	f.t.Cleanup(f.stop)
}

// want looks a slug up and checks destination or error, and how it was found.
func (f *fixture) want(slug, destination string, want error, how result) {
	f.t.Helper()
	f.cache.Wait() // what was put into the cache before is there, if it is to be there at all
	before := f.counts()
	e, err := f.Find(f.t.Context(), []byte(slug))
	if !errors.Is(err, want) {
		f.t.Fatalf("find %q: error %v, want %v", slug, err, want)
	}
	if err == nil && (e.Link.Slug != slug || e.Prepared.to != destination || e.Program.ID != e.Link.ProgramID) {
		f.t.Fatalf("find %q: %+v, want %q", slug, e, destination)
	}
	for r, n := range f.counts() {
		expected := before[r]
		if result(r) == how {
			expected++
		}
		if n != expected {
			f.t.Fatalf("find %q: counted as %s: %v times; want %s", slug, result(r), n-before[r], how)
		}
	}
}

func (f *fixture) counts() (n [results]float64) {
	for r := range results {
		n[r] = testutil.ToFloat64(f.metrics.lookups[r])
	}
	return n
}

func snapshotIn(t *testing.T) string { return filepath.Join(t.TempDir(), "tracker", "links.snapshot") }

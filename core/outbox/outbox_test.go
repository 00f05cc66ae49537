package outbox

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/core/newid"
	"github.com/edgeref/edgeref/wire/report"
)

type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// sink takes batches in and can be told to fail, before or after it has kept one.
type sink struct {
	mu      sync.Mutex
	batches map[string][]report.Fact
	sends   int
	fail    func(send int) (keep bool, err error)
	changed bool // a batch came again with other facts
	arrived chan struct{}
}

func newSink() *sink {
	return &sink{batches: map[string][]report.Fact{}, arrived: make(chan struct{}, 1000)}
}

func (s *sink) AppendFacts(_ context.Context, id string, facts []report.Fact) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sends++
	keep, err := true, error(nil)
	if s.fail != nil {
		keep, err = s.fail(s.sends)
	}
	if before, ok := s.batches[id]; ok && !cmp.Equal(before, facts) {
		s.changed = true
	}
	if keep {
		s.batches[id] = slices.Clone(facts)
	}
	s.arrived <- struct{}{}
	return err
}

// check fails unless the sink has the facts first to last once each.
func (s *sink) check(t *testing.T, first, last int64) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := map[int64]int{}
	for _, facts := range s.batches {
		for _, f := range facts {
			seen[f.ID]++
		}
	}
	for id := first; id <= last; id++ {
		if seen[id] != 1 {
			t.Errorf("fact %d is there %d times", id, seen[id])
		}
	}
	if len(seen) != int(last-first+1) {
		t.Errorf("%d facts, want %d", len(seen), last-first+1)
	}
	if s.changed {
		t.Error("a batch came again with other facts")
	}
}

func open(d *db.DB, s Sink, c *clock, opts Options) *Outbox {
	opts.DB, opts.IDs, opts.Sink, opts.Now = d, newid.New(c.now), s, c.now
	return New(opts)
}

func add(t *testing.T, o *Outbox, first, last int64) {
	t.Helper()
	err := o.db.InTx(t.Context(), func(tx *db.Tx) error {
		var facts []report.Fact
		for id := first; id <= last; id++ {
			facts = append(facts, report.Fact{ID: id, ProgramID: 7, Sales: 1, Currency: "INR", Revenue: math.MaxInt64 - id, Time: id})
		}
		return o.Add(t.Context(), tx, facts...)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func pendingOf(t *testing.T, o *Outbox) int64 {
	t.Helper()
	n, _, err := o.pending(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Whatever fails, and whoever goes on: batches stay as they are, and every fact arrives.
func TestBatchesSurviveFailures(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c, s := newClock(), newSink()
		down := errors.New("analytics is down")
		s.fail = func(send int) (bool, error) {
			switch send % 3 {
			case 0:
				return true, nil
			case 1:
				return false, down
			}
			return true, down // kept, but the answer was lost
		}
		o := open(d, s, c, Options{Batch: 10})
		add(t, o, 1, 25)
		for i := 0; pendingOf(t, o) > 0; i++ {
			if i == 100 {
				t.Fatal("does not come to an end")
			}
			if _, err := o.Publish(t.Context()); err != nil && !errors.Is(err, down) {
				t.Fatal(err)
			}
			if i == 1 {
				add(t, o, 26, 45) // must not join the batch under way
			}
			if i%2 == 0 {
				// Another core goes on after a crash, once the lease has ended.
				c.advance(leaseTime + time.Millisecond)
				o = open(d, s, c, Options{Batch: 10})
			}
		}
		s.check(t, 1, 45)
		if len(s.batches) != 5 {
			t.Errorf("%d batches, want 5", len(s.batches))
		}
		for _, facts := range s.batches {
			if !slices.IsSortedFunc(facts, func(a, b report.Fact) int { return int(a.ID - b.ID) }) {
				t.Error("facts out of order")
			}
		}
	})
}

func TestOneRollsBackTogether(t *testing.T) {
	o := open(dbtest.SQLite(t), newSink(), newClock(), Options{})
	undo := errors.New("undo")
	err := o.db.InTx(t.Context(), func(tx *db.Tx) error {
		return errors.Join(o.Add(t.Context(), tx, report.Fact{ID: 1}), undo)
	})
	if !errors.Is(err, undo) || pendingOf(t, o) != 0 || len(o.wake) != 0 {
		t.Errorf("error %v, %d pending, %d wake-ups", err, pendingOf(t, o), len(o.wake))
	}
}

// While one holds the lease, no other sends; it can be taken when it is given back or has ended.
func TestLease(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c, s := newClock(), newSink()
		first, other := open(d, s, c, Options{}), open(d, s, c, Options{})
		publish := func(o *Outbox, want int) {
			t.Helper()
			if n, err := o.Publish(t.Context()); err != nil || n != want {
				t.Errorf("sent %d, want %d (%v)", n, want, err)
			}
		}
		add(t, first, 1, 1)
		publish(first, 1)
		add(t, first, 2, 2)
		publish(other, 0)
		c.advance(leaseTime + time.Millisecond)
		publish(other, 1)
		add(t, first, 3, 3)
		publish(first, 0)
		other.release(t.Context())
		publish(first, 1)
		s.check(t, 1, 3)
	})
}

// A send that takes longer than the lease lasts keeps it.
func TestLeaseOutlastsASlowSend(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c, s := newClock(), newSink()
		goOn := make(chan struct{})
		s.fail = func(int) (bool, error) { <-goOn; return true, nil }
		slow, other := open(d, s, c, Options{}), open(d, newSink(), c, Options{})
		slow.renew = time.Millisecond
		add(t, slow, 1, 3)
		sent := make(chan error, 1)
		go func() { _, err := slow.Publish(t.Context()); sent <- err }()
		until := func() (at int64) {
			err := d.QueryRow(t.Context(), "SELECT COALESCE(MAX(until), 0) FROM outbox_lease WHERE holder = ?", slow.holder).Scan(&at)
			if err != nil {
				t.Fatal(err)
			}
			return at
		}
		for range 4 {
			c.advance(leaseTime / 2)
			for deadline := time.Now().Add(10 * time.Second); until() < c.now().Add(leaseTime).UnixMilli(); {
				if time.Now().After(deadline) {
					t.Fatal("the lease is not renewed")
				}
			}
			if n, err := other.Publish(t.Context()); err != nil || n != 0 {
				t.Errorf("another one sent %d beside it (%v)", n, err)
			}
		}
		close(goOn)
		if err := <-sent; err != nil {
			t.Error(err)
		}
		s.check(t, 1, 3)
		if len(s.batches) != 1 || s.sends != 1 {
			t.Errorf("%d batches in %d sends", len(s.batches), s.sends)
		}
	})
}

// A lease that was taken while the clock was a day ahead keeps nobody out once the clock is right.
func TestLeaseOfAWrongClock(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c, s := newClock(), newSink()
		first, other := open(d, s, c, Options{}), open(d, s, c, Options{})
		add(t, first, 1, 1)
		c.advance(24 * time.Hour)
		if n, err := first.Publish(t.Context()); err != nil || n != 1 {
			t.Fatal(n, err)
		}
		c.advance(-24 * time.Hour)
		add(t, first, 2, 2)
		if n, err := other.Publish(t.Context()); err != nil || n != 1 {
			t.Errorf("sent %d (%v); want the fact that waits", n, err)
		}
		s.check(t, 1, 2)
	})
}

// Many publishers at once, none of which keeps to the lease, still send each fact in one batch.
func TestOverlappingPublishers(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c, s := newClock(), newSink()
		var wg sync.WaitGroup
		o := open(d, s, c, Options{Batch: 7})
		add(t, o, 1, 100)
		for range 4 {
			o := open(d, s, c, Options{Batch: 7})
			wg.Go(func() {
				for {
					batch, err := o.openBatch(t.Context())
					if errors.Is(err, errOvertaken) {
						continue
					}
					if err != nil {
						t.Error(err)
						return
					}
					if batch == 0 {
						return
					}
					facts, err := o.facts(t.Context(), batch)
					if err == nil {
						err = s.AppendFacts(t.Context(), fmt.Sprint(batch), facts)
					}
					if err == nil {
						err = o.confirm(t.Context(), batch)
					}
					if err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		s.check(t, 1, 100)
	})
}

// Run sends at once after a commit, goes on through failures, and gives the lease back when it ends.
func TestRun(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		defer goleak.VerifyNone(t, goleak.IgnoreCurrent(), goleak.IgnoreTopFunction("github.com/go-sql-driver/mysql.(*mysqlConn).startWatcher.func1"))
		c, s := newClock(), newSink()
		s.fail = func(send int) (bool, error) {
			if send == 1 {
				return false, errors.New("down")
			}
			return true, nil
		}
		// With this poll only a wake-up can make it send in time.
		o := open(d, s, c, Options{Linger: time.Microsecond, Poll: time.Hour})
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		done := make(chan error, 1)
		go func() { done <- o.Run(ctx) }()
		for id := int64(1); id <= 5; id++ {
			add(t, o, id, id)
			<-s.arrived
			if id == 1 {
				<-s.arrived // the attempt after the failure
			}
		}
		for pendingOf(t, o) > 0 && ctx.Err() == nil {
			select {
			case <-s.arrived:
			case <-time.After(time.Millisecond):
			}
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		s.check(t, 1, 5)
		if mine, err := open(d, s, c, Options{}).lease(t.Context()); !mine || err != nil {
			t.Errorf("the lease was not given back (%v)", err)
		}
		if failures := testutil.ToFloat64(o.metrics.failures); failures != 1 {
			t.Errorf("%v failures counted", failures)
		}
	})
}

func TestPrune(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c, s := newClock(), newSink()
		o := open(d, s, c, Options{Batch: 2, Keep: time.Hour})
		add(t, o, 1, 30)
		for pendingOf(t, o) > 0 {
			if _, err := o.Publish(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		rows := func() (n int) {
			if err := d.QueryRow(t.Context(), "SELECT (SELECT COUNT(*) FROM outbox_facts) + (SELECT COUNT(*) FROM outbox_batches)").Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		for _, step := range []struct {
			advance time.Duration
			want    int
		}{{time.Hour, 45}, {time.Millisecond, 0}} {
			c.advance(step.advance)
			if err := o.Prune(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := rows(); got != step.want {
				t.Errorf("%d rows left, want %d", got, step.want)
			}
		}
		add(t, o, 31, 31)
		c.advance(48 * time.Hour)
		if err := o.Prune(t.Context()); err != nil || pendingOf(t, o) != 1 {
			t.Errorf("pruning took what was not delivered (%v)", err)
		}
	})
}

// The gauges are right from the commit on, without the publisher, and say so when they cannot know.
func TestGauges(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c, s, reg := newClock(), newSink(), prometheus.NewRegistry()
		o := open(d, s, c, Options{Registerer: reg, Batch: 2})
		want := func(pending, age string) {
			t.Helper()
			text := "# HELP edgeref_outbox_oldest_pending_seconds Age of the oldest fact that analytics has not confirmed; 0 if there is none.\n" +
				"# TYPE edgeref_outbox_oldest_pending_seconds gauge\nedgeref_outbox_oldest_pending_seconds " + age + "\n" +
				"# HELP edgeref_outbox_pending_records Facts in the database that analytics has not confirmed; NaN while the database does not answer.\n" +
				"# TYPE edgeref_outbox_pending_records gauge\nedgeref_outbox_pending_records " + pending + "\n"
			if err := testutil.GatherAndCompare(reg, strings.NewReader(text), "edgeref_outbox_pending_records", "edgeref_outbox_oldest_pending_seconds"); err != nil {
				t.Error(err)
			}
		}
		want("0", "0")
		add(t, o, 1, 3)
		c.advance(5 * time.Second)
		want("3", "5")
		s.fail = func(int) (bool, error) { return false, errors.New("down") }
		if _, err := o.Publish(t.Context()); err == nil {
			t.Error("published to a sink that is down")
		}
		want("3", "5") // two in a batch, one still waiting
		s.fail = nil
		for range 2 {
			if _, err := o.Publish(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		want("0", "0")
		closed := open(closedDB(t), s, c, Options{})
		g := &gauges{outbox: closed, pending: prometheus.NewDesc("p", "p", nil, nil), aside: prometheus.NewDesc("a", "a", nil, nil), oldest: prometheus.NewDesc("o", "o", nil, nil)}
		ch := make(chan prometheus.Metric, 3)
		g.Collect(ch)
		if v := testutil.ToFloat64(metricCollector{<-ch}); !math.IsNaN(v) {
			t.Errorf("%v pending in a closed database", v)
		}
	})
}

func closedDB(t *testing.T) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), "sqlite:"+t.TempDir()+"/closed.db", db.Options{})
	if err == nil {
		err = d.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return d
}

type metricCollector struct{ m prometheus.Metric }

func (c metricCollector) Describe(ch chan<- *prometheus.Desc) { ch <- c.m.Desc() }
func (c metricCollector) Collect(ch chan<- prometheus.Metric) { ch <- c.m }

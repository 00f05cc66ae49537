package system_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/edgeref/edgeref/core/audit"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/core/newid"
	"github.com/edgeref/edgeref/core/system"
	"github.com/edgeref/edgeref/wire/node"
)

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func (c *clock) status(number int, instance string, started time.Time) node.Status {
	return node.Status{
		Node: number, Instance: instance, Version: "1", StartedAt: started.UnixMilli(), SentAt: c.now().UnixMilli(),
		Feed: node.Feed{ID: "f", Cursor: 7, Connected: true}, Spools: []node.Spool{{Name: "clicks", LimitBytes: 100}, {Name: "conversions", LimitBytes: 100}},
	}
}

func open(t *testing.T, d *db.DB, at *clock) (*system.Nodes, *system.Service) {
	t.Helper()
	nodes := system.NewNodes(d, audit.New(audit.Options{DB: d, IDs: newid.New(at.now)}), at.now)
	return nodes, system.New(system.Options{
		Nodes: nodes, Now: at.now, StartedAt: at.now(), Revision: func(context.Context) (int64, error) { return 9, nil }, Instance: "here",
	})
}

func TestNodes(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		at := newClock()
		nodes, s := open(t, d, at)
		ctx := t.Context()
		for _, st := range []node.Status{at.status(2, "b", at.now()), at.status(1, "here", at.now())} {
			if err := nodes.Report(ctx, st); err != nil {
				t.Fatal(err)
			}
		}
		h := s.Health(ctx)
		if h.State != system.OK || len(h.Nodes) != 2 || h.Nodes[0].Node != 1 || !h.Nodes[0].Here || h.Nodes[1].Here || h.Nodes[0].FeedBehind != 2 {
			t.Fatalf("%+v", h)
		}
		// A restart is not a clash; an older process that goes on is.
		at.pass(5 * time.Second)
		first := at.now()
		if err := nodes.Report(ctx, at.status(2, "c", first)); err != nil {
			t.Fatal(err)
		}
		if h := s.Health(ctx); h.State != system.OK {
			t.Errorf("after a restart: %+v", h.Nodes)
		}
		at.pass(5 * time.Second)
		if err := nodes.Report(ctx, at.status(2, "b", first.Add(-5*time.Second))); err != nil {
			t.Fatal(err)
		}
		if h := s.Health(ctx); h.State != system.Bad || !strings.Contains(h.Nodes[1].Text, "two trackers") || !strings.Contains(h.Text, "edge node 2") {
			t.Errorf("two of one number: %s, %+v", h.Text, h.Nodes)
		}
		at.pass(10 * time.Minute)
		if h := s.Health(ctx); h.State != system.Bad || !strings.Contains(h.Nodes[0].Text, "nothing was heard") || !strings.Contains(h.Nodes[1].Text, "nothing was heard") {
			t.Errorf("silent: %+v", h.Nodes)
		}
		if err := s.Forget(ctx, 2); err != nil {
			t.Fatal(err)
		}
		if err := s.Forget(ctx, 2); !errors.Is(err, system.ErrNotFound) {
			t.Error(err)
		}
		if h := s.Health(ctx); len(h.Nodes) != 1 {
			t.Errorf("%+v", h.Nodes)
		}
		if nodes.Report(ctx, node.Status{}) == nil {
			t.Error("a status of nobody was taken")
		}
	})
}

func TestTooManyNodes(t *testing.T) {
	at := newClock()
	nodes, _ := open(t, dbtest.SQLite(t), at)
	for i := range system.MaxNodes {
		if err := nodes.Report(t.Context(), at.status(i+1, "x", at.now())); err != nil {
			t.Fatal(err)
		}
	}
	if err := nodes.Report(t.Context(), at.status(60000, "x", at.now())); !errors.Is(err, system.ErrTooManyNodes) {
		t.Error(err)
	}
	at.pass(25 * time.Hour)
	if err := nodes.Report(t.Context(), at.status(60000, "x", at.now())); err != nil {
		t.Error(err)
	}
	if list, err := nodes.List(t.Context()); err != nil || len(list) != 1 {
		t.Errorf("%d, %v", len(list), err)
	}
}

func TestJudgements(t *testing.T) {
	d := dbtest.SQLite(t)
	for _, tt := range []struct {
		name   string
		change func(*node.Status)
		state  system.State
		text   string
	}{
		{"well", func(*node.Status) {}, system.OK, "follows"},
		{"cannot write", func(s *node.Status) { s.Spools[0].Error = "disk on fire" }, system.Bad, "disk on fire"},
		{"full", func(s *node.Status) { s.Spools[1].Full = true }, system.Bad, "conversions is full"},
		{"stalled", func(s *node.Status) { s.Spools[1].Stalled = true }, system.Bad, "does not answer"},
		{"behind", func(s *node.Status) { s.Spools[0].OldestMS = 90_000 }, system.Warn, "behind by 1m30s"},
		{"far behind", func(s *node.Status) { s.Spools[0].OldestMS, s.Spools[0].Pending = 900_000, 12 }, system.Bad, "12 records"},
		{"almost full", func(s *node.Status) { s.Spools[0].DiskBytes = 90 }, system.Warn, "80 %"},
		{"quarantine", func(s *node.Status) { s.Spools[0].Quarantined = 3 }, system.Warn, "put 3 records aside"},
		{"without feed", func(s *node.Status) { s.Feed.Connected = false }, system.Warn, "changes of links"},
		{"wrong clock", func(s *node.Status) { s.SentAt += 60_000 }, system.Warn, "clock is off by 1m0s"},
	} {
		at := newClock()
		nodes, s := open(t, d, at)
		st := at.status(1, "a", at.now())
		tt.change(&st)
		if err := nodes.Report(t.Context(), st); err != nil {
			t.Fatal(err)
		}
		h := s.Health(t.Context())
		if h.Nodes[0].State != tt.state || h.State != tt.state || !strings.Contains(h.Nodes[0].Text, tt.text) {
			t.Errorf("%s: %+v", tt.name, h.Nodes[0].Verdict)
		}
	}
}

// What is dead, hangs or panics is told as such, at once, and never keeps the rest from being told.
func TestDeadPartsAreTold(t *testing.T) {
	d := dbtest.SQLite(t)
	at := newClock()
	release := make(chan struct{})
	defer close(release)
	var asked atomic.Int64
	s := system.New(system.Options{
		Nodes: system.NewNodes(d, nil, at.now), Now: at.now, StartedAt: at.now(), Timeout: 50 * time.Millisecond,
		Stores: []system.StoreProbe{
			{Name: "core", Help: "Mend it.", Ask: func(context.Context) (system.StoreFacts, error) {
				asked.Add(1)
				<-release // whatever the context says
				return system.StoreFacts{}, nil
			}},
			{Name: "analytics", Help: "Mend it.", Ask: func(context.Context) (system.StoreFacts, error) { panic("broken") }},
		},
		Queues: []system.QueueProbe{
			{Name: "late", Late: time.Minute, Help: "do this", Ask: func(context.Context) (system.Backlog, error) {
				return system.Backlog{Pending: 3, Overdue: 2 * time.Minute}, nil
			}},
			{Name: "very late", Late: time.Minute, Ask: func(context.Context) (system.Backlog, error) { return system.Backlog{Overdue: time.Hour}, nil }},
			{Name: "dead", Late: time.Minute, Dead: "replay them", Ask: func(context.Context) (system.Backlog, error) { return system.Backlog{Dead: 2}, nil }},
			{Name: "gone", Late: time.Minute, Ask: func(context.Context) (system.Backlog, error) { return system.Backlog{}, errors.New("is gone") }},
		},
		Ledger: func(context.Context) (system.LedgerFacts, error) {
			return system.LedgerFacts{VerifiedAt: at.now(), Text: "ledger BROKEN at sums"}, nil
		},
		Checks: func(context.Context) ([]system.CheckState, error) {
			return []system.CheckState{{Verdict: system.Verdict{State: system.Bad, Text: "no"}, Name: "spool clicks"}}, nil
		},
		Work: func() []system.Work {
			return []system.Work{{Verdict: system.Verdict{State: system.OK}, Name: "outbox"}}
		},
	})
	h := s.Health(t.Context())
	if h.State != system.Bad || h.Nodes == nil || len(h.Work) != 1 || len(h.Checks) != 1 {
		t.Errorf("%+v", h)
	}
	for i, want := range []string{"did not answer within 50ms. Mend it.", "panicked: broken"} {
		if v := h.Stores[i].Verdict; v.State != system.Bad || !strings.Contains(v.Text, want) {
			t.Errorf("store %d: %+v", i, v)
		}
	}
	for i, want := range []system.State{system.Warn, system.Bad, system.Warn, system.Bad} {
		if h.Queues[i].State != want {
			t.Errorf("queue %+v", h.Queues[i])
		}
	}
	if h.Ledger.State != system.Bad || !strings.Contains(h.Ledger.Text, "BROKEN") {
		t.Errorf("%+v", h.Ledger)
	}
	at.pass(time.Minute)
	if h = s.Health(t.Context()); !strings.Contains(h.Stores[0].Text, "still has not answered") || asked.Load() != 1 {
		t.Errorf("asked %d times: %+v", asked.Load(), h.Stores[0])
	}
}

func TestLedgerGrowsOld(t *testing.T) {
	at := newClock()
	facts := system.LedgerFacts{}
	s := system.New(system.Options{Now: at.now, StartedAt: at.now(), Ledger: func(context.Context) (system.LedgerFacts, error) { return facts, nil }})
	want := func(state system.State, text string) {
		t.Helper()
		if l := s.Health(t.Context()).Ledger; l.State != state || !strings.Contains(l.Text, text) {
			t.Errorf("%+v", l.Verdict)
		}
	}
	want(system.OK, "not verified since")
	at.pass(25 * time.Hour)
	want(system.Warn, "for a day")
	at.pass(time.Minute)
	facts = system.LedgerFacts{VerifiedAt: at.now(), Holds: true}
	want(system.OK, "held")
	at.pass(time.Minute)
	facts.Unsealed, facts.OldestAt = 4, at.now().Add(-2*time.Minute)
	want(system.Warn, "not sealed for 2m0s")
	at.pass(time.Hour)
	want(system.Bad, "payouts stop")
}

func TestBenchFile(t *testing.T) {
	at := newClock()
	path := filepath.Join(t.TempDir(), "bench.json")
	s := system.New(system.Options{Now: at.now, StartedAt: at.now(), BenchFile: path})
	for _, tt := range []struct {
		text  string
		state system.State
	}{{"", system.OK}, {"no json", system.Warn}, {`{"requests": 5}`, system.OK}, {strings.Repeat("[", 2<<20), system.Warn}} {
		if tt.text != "" {
			if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		at.pass(time.Minute)
		b := s.Health(t.Context()).Bench
		if b.State != tt.state || (b.At != nil) != (tt.text == `{"requests": 5}`) {
			t.Errorf("%.20q: %+v", tt.text, b)
		}
	}
}

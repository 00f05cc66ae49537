package deliver

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"pgregory.net/rapid"

	"github.com/edgeref/edgeref/tracker/spool"
	"github.com/edgeref/edgeref/wire/click"
)

type refusal struct{ error }

func (refusal) Permanent() bool { return true }

// store keeps what it takes once per batch ID and refuses batches with a poisonous record, until it changes its mind.
type store struct {
	mu      sync.Mutex
	bad     map[string]bool
	seen    map[string]bool // batch IDs
	times   map[string]int  // that a record was stored
	calls   int
	cut     int         // the call whose answer is lost, from 1 on
	observe func(n int) // after the work of a call, before its answer
	ids     [][2]string // batch ID, records
}

func newStore(bad ...string) *store {
	s := &store{bad: map[string]bool{}, seen: map[string]bool{}, times: map[string]int{}}
	for _, b := range bad {
		s.bad[b] = true
	}
	return s
}

func (s *store) AppendClicks(_ context.Context, id string, clicks []click.Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	if s.observe != nil {
		defer s.observe(s.calls)
	}
	var names []string
	for _, c := range clicks {
		names = append(names, strings.Clone(c.Sub[0]))
	}
	s.ids = append(s.ids, [2]string{id, strings.Join(names, " ")})
	if !s.seen[id] {
		for _, name := range names {
			if s.bad[name] {
				return fmt.Errorf("append clicks: %w", refusal{fmt.Errorf("cannot store\n%s", name)})
			}
		}
		s.seen[id] = true
		for _, name := range names {
			s.times[name]++
		}
	}
	if s.calls == s.cut {
		return errors.New("connection lost")
	}
	return nil
}

func (s *store) stored() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.times)
}

// deliverAll delivers what is spooled in dir, and returns what ended in quarantine there.
func deliverAll(t *testing.T, dir string, sink ClickSink, reg prometheus.Registerer) []string {
	t.Helper()
	s := openSpool(t, dir)
	d := mustClicks(t, s, sink, Options{MinBackoff: 1, MaxBackoff: 1, DrainTimeout: time.Minute, Registerer: reg})
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := d.Run(ended); err != nil {
		t.Fatal(err)
	}
	st := s.Stats()
	if st.PendingRecords != 0 || st.Recovered+st.Appended != st.Delivered+st.Quarantined {
		t.Fatalf("the sums do not hold: %+v", st)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	var kept []string
	err := spool.Quarantined(dir, func(r spool.QuarantinedRecord) error {
		c, err := click.Parse(r.Payload)
		kept = append(kept, c.Sub[0])
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return kept
}

func names(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf("r%d", i))
	}
	return all
}

func fill(t *testing.T, dir string, subs []string) {
	t.Helper()
	s := openSpool(t, dir)
	appendClicks(t, s, subs...)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestPoisonIsSetAsideAndTheRestDelivered(t *testing.T) {
	dir, sink, reg := t.TempDir(), newStore("r2"), prometheus.NewRegistry()
	fill(t, dir, names(5))
	if kept := deliverAll(t, dir, sink, reg); !slices.Equal(kept, []string{"r2"}) {
		t.Errorf("in quarantine: %v", kept)
	}
	if got := slices.Sorted(maps.Keys(sink.stored())); !slices.Equal(got, []string{"r0", "r1", "r3", "r4"}) {
		t.Errorf("stored: %v", got)
	}
	batch := sink.ids[0][0]
	want := [][2]string{
		{batch, "r0 r1 r2 r3 r4"}, {batch + ".0-2", "r0 r1"}, {batch + ".2-5", "r2 r3 r4"}, {batch + ".2-3", "r2"}, {batch + ".3-5", "r3 r4"},
	}
	if !slices.Equal(sink.ids, want) {
		t.Errorf("calls %q; want %q", sink.ids, want)
	}
	for name, want := range map[string]float64{
		"edgeref_delivery_refused_records_total": 1, "edgeref_delivery_records_total": 4,
	} {
		if got := value(t, reg, name); got != want {
			t.Errorf("%s is %v; want %v", name, got, want)
		}
	}
	if n := value(t, reg, "edgeref_delivery_attempts_total", "refused"); n != 3 {
		t.Errorf("%v calls counted as refused; want 3", n)
	}
}

// However a run ends in the middle of a split, and whatever the sink says to the same records afterwards, each record
// is stored once or is in quarantine.
func TestSplitSurvivesAKillAtEveryCall(t *testing.T) {
	const records = 9
	bad := []string{"r1", "r6", "r7"}
	for _, mind := range []string{"same", "takes all now"} {
		for _, cut := range []int{0, 1, 4} {
			for kill := 1; ; kill++ {
				base, copied := t.TempDir(), filepath.Join(t.TempDir(), "copy")
				fill(t, base, names(records))
				sink := newStore(bad...)
				sink.cut = cut
				var killed bool
				sink.observe = func(n int) { // the state of disk and sink at this moment goes on elsewhere
					if n != kill {
						return
					}
					killed = true
					if err := os.CopyFS(copied, os.DirFS(base)); err != nil {
						t.Fatal(err)
					}
				}
				before := snapshotAt(sink, kill)
				deliverAll(t, base, sink, nil)
				if !killed {
					break
				}
				after := before()
				if mind != "same" {
					after.bad = nil
				}
				kept := deliverAll(t, copied, after, nil)
				for _, name := range names(records) {
					n := after.times[name]
					if slices.Contains(kept, name) {
						n++
					}
					if n != 1 {
						t.Errorf("killed at call %d, answer %d lost, sink %s: %s is %d times in store and quarantine (%v)", kill, cut, mind, name, n, after.ids)
					}
				}
			}
		}
	}
}

// snapshotAt returns the sink as it was after the given call.
func snapshotAt(s *store, call int) func() *store {
	taken, inner := newStore(), s.observe
	s.observe = func(n int) {
		if n == call {
			taken.bad, taken.seen, taken.times = maps.Clone(s.bad), maps.Clone(s.seen), maps.Clone(s.times)
		}
		inner(n)
	}
	return func() *store { return taken }
}

func TestSplitOfAnyBatch(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		all := names(rapid.IntRange(1, 40).Draw(rt, "records"))
		bad := rapid.SliceOfDistinct(rapid.SampledFrom(all), func(s string) string { return s }).Draw(rt, "bad")
		sink := newStore(bad...)
		sink.cut = rapid.IntRange(0, 30).Draw(rt, "lost answer")
		dir, err := os.MkdirTemp(t.TempDir(), "")
		if err != nil {
			rt.Fatal(err)
		}
		fill(t, dir, all)
		kept := deliverAll(t, dir, sink, nil)
		slices.Sort(bad)
		slices.Sort(kept)
		if !slices.Equal(kept, bad) {
			rt.Fatalf("in quarantine %v; want %v", kept, bad)
		}
		for _, name := range all {
			if want := map[bool]int{true: 0, false: 1}[slices.Contains(bad, name)]; sink.times[name] != want {
				rt.Fatalf("%s was stored %d times; want %d", name, sink.times[name], want)
			}
		}
	})
}

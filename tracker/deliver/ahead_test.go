package deliver

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/edgeref/edgeref/wire/click"
)

// preparing is a store that prepares: it keeps copies, as a sink that encodes does.
type preparing struct {
	*store
	mu       sync.Mutex
	prepared int // batches, so far
	open     int // not released
	ready    chan struct{}
}

func (p *preparing) PrepareClicks() (add func([]click.Record), send func(context.Context, string) error, release func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.prepared++
	p.open++
	if p.ready != nil {
		p.ready <- struct{}{}
	}
	var clicks []click.Record
	add = func(more []click.Record) {
		for _, r := range more {
			copied, err := click.Parse(string(r.Append(nil)))
			if err != nil {
				panic("BUG: a record does not survive its own encoding: " + err.Error())
			}
			clicks = append(clicks, copied)
		}
	}
	send = func(ctx context.Context, id string) error { return p.AppendClicks(ctx, id, clicks) }
	return add, send, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.open--
	}
}

// While a batch is with the sink, the next one is read and prepared: the sink answers only after that.
func TestTheNextBatchGetsReadyMeanwhile(t *testing.T) {
	const batches, size = 5, 4
	dir, sink := t.TempDir(), &preparing{store: newStore(), ready: make(chan struct{}, batches+1)}
	fill(t, dir, names(batches*size))
	sink.observe = func(n int) {
		if n == 1 {
			<-sink.ready // of this batch
		}
		if n < batches {
			<-sink.ready // of the batch after it
		}
	}
	s := openSpool(t, dir)
	defer s.Close()
	d := mustClicks(t, s, sink, Options{MaxRecords: size, DrainTimeout: time.Minute})
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := d.Run(ended); err != nil {
		t.Fatal(err)
	}
	if sink.calls != batches || sink.prepared != batches || sink.open != 0 {
		t.Errorf("%d calls, %d batches prepared, %d not released; want %d, %d and none", sink.calls, sink.prepared, sink.open, batches, batches)
	}
	for i, call := range sink.ids {
		if want := strings.Join(names(batches * size)[i*size:(i+1)*size], " "); call[1] != want {
			t.Errorf("batch %d is %q; want %q", i, call[1], want)
		}
	}
}

// Whatever is lost, refused or not a record, each record is stored once or set aside, in batches of any size.
func TestPreparedBatches(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		all := names(rapid.IntRange(1, 40).Draw(rt, "records"))
		bad := rapid.SliceOfDistinct(rapid.SampledFrom(all), func(s string) string { return s }).Draw(rt, "bad")
		size := rapid.IntRange(1, 41).Draw(rt, "batch")
		garbage := rapid.IntRange(0, len(all)).Draw(rt, "garbage before")
		sink := &preparing{store: newStore(bad...)}
		sink.cut = rapid.IntRange(0, 30).Draw(rt, "lost answer")
		dir, err := os.MkdirTemp(t.TempDir(), "")
		if err != nil {
			rt.Fatal(err)
		}
		s := openSpool(t, dir)
		appendClicks(t, s, all[:garbage]...)
		if err := s.Append([]byte("not a record")); err != nil {
			rt.Fatal(err)
		}
		appendClicks(t, s, all[garbage:]...)
		d := mustClicks(t, s, sink, Options{MaxRecords: size, MinBackoff: 1, MaxBackoff: 1, DrainTimeout: time.Minute})
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := d.Run(ended); err != nil {
			rt.Fatal(err)
		}
		st := s.Stats()
		if err := s.Close(); err != nil {
			rt.Fatal(err)
		}
		if want := uint64(len(bad) + 1); st.PendingRecords != 0 || st.Quarantined != want || sink.open != 0 {
			rt.Fatalf("%+v, %d batches not released; want %d in quarantine", st, sink.open, want)
		}
		for _, name := range all {
			if want := map[bool]int{true: 0, false: 1}[slices.Contains(bad, name)]; sink.times[name] != want {
				rt.Fatalf("%s was stored %d times; want %d (%v)", name, sink.times[name], want, fmt.Sprint(sink.ids))
			}
		}
	})
}

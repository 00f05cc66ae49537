package clickhouse_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/edgeref/edgeref/analytics/clickhouse"
	server "github.com/edgeref/edgeref/test/clickhouse"
	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/report"
)

// TestKilledServer kills the server in the middle of appends, several times. Whatever had no answer is sent again, and
// more than that; then every count is exact, in the table, in the roll-up and of the facts.
func TestKilledServer(t *testing.T) {
	const rounds, senders, again = 6, 2, 5
	s := server.Start(t)
	store := open(t, s, s.Addr())
	source := &batchSource{traffic: newTraffic(t)}
	stored, cut := 0, 0
	for round := range rounds {
		sent := make([][]batch, senders)
		begun := make(chan struct{}, senders*batchesPerSender)
		var failed atomic.Int64
		var wg sync.WaitGroup
		for i := range senders {
			mine := source.batches(batchesPerSender)
			wg.Go(func() {
				for n, b := range mine {
					begun <- struct{}{}
					sent[i] = mine[:n+1]
					if b.append(t, store) != nil {
						failed.Add(1)
						return
					}
				}
			})
		}
		for range 4 + rand.IntN(8) {
			<-begun
		}
		<-time.After(time.Duration(rand.IntN(15_000)) * time.Microsecond) // the moment of the fault, not a wait for anything
		s.Kill(t)
		wg.Wait()
		s.Restart(t)
		for _, mine := range sent {
			stored += len(mine)
			for _, b := range mine[max(0, len(mine)-again):] {
				if err := b.append(t, store); err != nil {
					t.Fatalf("round %d: batch %s after the restart: %v", round, b.id, err)
				}
			}
		}
		cut += int(failed.Load())
		wantCounts(t, store, int64(stored*clicksPerBatch), int64(stored))
	}
	if cut == 0 {
		t.Error("no append was cut off: the test shows nothing")
	}
}

const batchesPerSender, clicksPerBatch = 30, 300

// batch is clicks and one sale.
type batch struct {
	id     string
	clicks []click.Record
	facts  []report.Fact
}

func (b batch) append(t *testing.T, store *clickhouse.Store) error {
	if err := store.AppendClicks(t.Context(), b.id, b.clicks); err != nil {
		return err
	}
	return store.AppendFacts(t.Context(), b.id, b.facts)
}

type batchSource struct {
	traffic *traffic
	made    int
}

func (s *batchSource) batches(n int) []batch {
	made := make([]batch, n)
	for i := range made {
		s.made++
		from := noon()
		if s.made%3 == 0 { // crosses a month, and so is stored in two parts
			from = time.Date(2026, time.September, 30, 23, 0, 0, 0, time.UTC)
		}
		clicks := s.traffic.batch(clicksPerBatch, from, 2*time.Hour)
		facts := []report.Fact{{ID: int64(s.made), Time: noon().UnixMilli(), ClickID: clicks[0].ID, Sales: 1}}
		made[i] = batch{fmt.Sprint(s.made), clicks, facts}
	}
	return made
}

// TestLostAnswer: the server has stored a batch, but the connection ends before its answer arrives.
func TestLostAnswer(t *testing.T) {
	const rounds, size = 5, 2000
	s := server.Start(t)
	proxy := newCuttingProxy(t, s.Addr())
	store := open(t, s, proxy.addr())
	tr := newTraffic(t)
	for round := range rounds {
		clicks := tr.batch(size, noon(), time.Hour)
		facts := make([]report.Fact, size)
		for i := range facts {
			facts[i] = report.Fact{ID: int64(round*size + i + 1), Time: noon().UnixMilli(), ClickID: clicks[i].ID, Sales: 1}
		}
		for kind, send := range map[string]func() error{
			"clicks": func() error { return store.AppendClicks(t.Context(), fmt.Sprint(round), clicks) },
			"facts":  func() error { return store.AppendFacts(t.Context(), fmt.Sprint(round), facts) },
		} {
			proxy.cutNextAnswer()
			if err := send(); err == nil {
				t.Fatalf("round %d, %s: no error, although the answer was cut off", round, kind)
			}
			if err := send(); err != nil {
				t.Fatalf("round %d, %s: again: %v", round, kind, err)
			}
		}
		wantCounts(t, store, int64((round+1)*size), int64((round+1)*size))
	}
}

// cuttingProxy stands between a store and its server.
type cuttingProxy struct {
	listener net.Listener
	armed    atomic.Bool
	gate     sync.RWMutex // held while answers are held back
	wg       sync.WaitGroup
}

func newCuttingProxy(t *testing.T, target string) *cuttingProxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &cuttingProxy{listener: listener}
	p.wg.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			upstream, err := net.Dial("tcp", target)
			if err != nil {
				_ = client.Close()
				continue
			}
			p.join(t.Context(), client, upstream)
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		p.wg.Wait()
	})
	return p
}

func (p *cuttingProxy) addr() string { return p.listener.Addr().String() }

// cutNextAnswer makes the proxy end a connection instead of passing on what the server says to the next batch of rows.
func (p *cuttingProxy) cutNextAnswer() { p.armed.Store(true) }

// hold keeps all answers back until release.
func (p *cuttingProxy) hold()    { p.gate.Lock() }
func (p *cuttingProxy) release() { p.gate.Unlock() }

// join ends with either side, and with ctx, which is that of the test.
func (p *cuttingProxy) join(ctx context.Context, client, upstream net.Conn) {
	const rows = 10_000 // bytes; no query is as long, and every batch of the test is longer
	var sinceAnswer atomic.Int64
	closeBoth := func() { _ = client.Close(); _ = upstream.Close() }
	context.AfterFunc(ctx, closeBoth)
	p.wg.Go(func() {
		defer closeBoth()
		_, _ = io.Copy(io.MultiWriter(upstream, counter{&sinceAnswer}), client)
	})
	p.wg.Go(func() {
		defer closeBoth()
		buf := make([]byte, 1<<16)
		for {
			n, err := upstream.Read(buf)
			if err != nil {
				return
			}
			p.gate.RLock()
			p.gate.RUnlock() //nolint:staticcheck // only waits for release
			if sinceAnswer.Swap(0) > rows && p.armed.CompareAndSwap(true, false) {
				return // the server has answered, so it has stored the batch
			}
			if _, err := client.Write(buf[:n]); err != nil {
				return
			}
		}
	})
}

type counter struct{ n *atomic.Int64 }

func (c counter) Write(b []byte) (int, error) {
	c.n.Add(int64(len(b)))
	return len(b), nil
}

// TestRollUpAnswers: reports that the roll-up can answer do not need the table, and those that it cannot do.
func TestRollUpAnswers(t *testing.T) {
	s := server.Start(t)
	opts := clickhouse.Options{Addr: []string{s.Addr()}, Database: s.Database(t)}
	store := openWith(t, opts)
	clicks := newTraffic(t).batch(1000, noon(), time.Hour)
	fill(t, store, "1", clicks, nil)
	exec(t, direct(t, s.Addr(), opts.Database), "TRUNCATE TABLE clicks")
	kathmandu, err := time.LoadLocation("Asia/Kathmandu")
	if err != nil {
		t.Fatal(err)
	}
	store.CompareNow()
	hour := report.Query{From: noon(), To: noon().Add(time.Hour)}
	for name, c := range map[string]struct {
		change func(*report.Query)
		want   int64
	}{
		"total":         {func(*report.Query) {}, 1000},
		"hours, +05:45": {func(q *report.Query) { q.Bucket, q.Zone = report.Hour, kathmandu }, 1000},
		"by link":       {func(q *report.Query) { q.GroupBy = report.Link }, 1000},
		"filter program": {func(q *report.Query) {
			q.Filters = []report.Filter{{Dimension: report.Program, Values: []string{"99"}, Not: true}}
		}, 1000},
		"by country": {func(q *report.Query) { q.GroupBy = report.Country }, 0},
		"filter device": {func(q *report.Query) {
			q.Filters = []report.Filter{{Dimension: report.Device, Values: []string{"x"}, Not: true}}
		}, 0},
		"ten minutes":     {func(q *report.Query) { q.To = q.From.Add(10 * time.Minute) }, 0},
		"edges are exact": {func(q *report.Query) { q.From = q.From.Add(-time.Minute); q.To = q.To.Add(time.Minute) }, 1000},
	} {
		q := hour
		c.change(&q)
		r, err := store.Report(t.Context(), q)
		if err != nil || r.Total.Clicks != c.want {
			t.Errorf("%s: %d clicks, %v; want %d", name, r.Total.Clicks, err, c.want)
		}
	}
}

package deliver

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/edgeref/edgeref/tracker/spool"
)

func TestClicksArriveEnriched(t *testing.T) {
	inBubble(t, func(t *testing.T, s *spool.Spool) {
		reg := prometheus.NewPedanticRegistry()
		sink := &clickSink{}
		stop := run(t, mustClicks(t, s, sink, Options{MaxRecords: 2, Registerer: reg}))
		start := time.Now()
		appendClicks(t, s, "a", "b", "c")
		after(time.Second)
		calls := sink.seen()
		if len(calls) != 2 || calls[0].subs != "a b" || calls[1].subs != "c" || calls[0].batch == calls[1].batch {
			t.Fatalf("%+v", calls)
		}
		if calls[0].at.Sub(start) != 0 || calls[1].at.Sub(start) != time.Second {
			t.Errorf("by count after %v, by age after %v; want 0 and 1s", calls[0].at.Sub(start), calls[1].at.Sub(start))
		}
		for _, c := range sink.clicks {
			if c.Browser != "Known" || c.UserAgent != "" {
				t.Errorf("not enriched: %+v", c)
			}
		}
		stop()
		if st := s.Stats(); st.Delivered != 3 || st.PendingRecords != 0 {
			t.Errorf("%+v", st)
		}
		for name, want := range map[string]float64{
			"records_total": 3, "batch_age_seconds": 2, "attempt_duration_seconds": 2, "backoff_seconds": 0,
			"last_success_timestamp_seconds": float64(start.Unix()) + 1,
		} {
			if got := value(t, reg, "edgeref_delivery_"+name); got != want {
				t.Errorf("%s: %v; want %v", name, got, want)
			}
		}
		if got := value(t, reg, "edgeref_delivery_batches_total", "delivered"); got != 2 {
			t.Errorf("batches: %v", got)
		}
		if problems, err := testutil.GatherAndLint(reg); err != nil || len(problems) > 0 {
			t.Errorf("%v, %v", problems, err)
		}
	})
}

// The same batch again and again, after random pauses within a doubling bound, and few lines in the log.
func TestFailingSinkIsRetriedForEver(t *testing.T) {
	inBubble(t, func(t *testing.T, s *spool.Spool) {
		const failures = 60
		sink := &clickSink{fail: slices.Repeat([]error{errDown}, failures)}
		logger, logged := lines(0)
		reg := prometheus.NewRegistry()
		stop := run(t, mustClicks(t, s, sink, Options{MaxRecords: 2, Logger: logger, Registerer: reg}))
		start := time.Now()
		appendClicks(t, s, "a", "b")
		after(failures * 30 * time.Second)
		appendClicks(t, s, "c", "d")
		synctest.Wait()
		calls := sink.seen()
		if len(calls) != failures+2 {
			t.Fatalf("%d calls; want %d", len(calls), failures+2)
		}
		bound, longest := 100*time.Millisecond, time.Duration(0)
		for i := 1; i <= failures; i++ {
			if calls[i].batch != calls[0].batch || calls[i].subs != "a b" {
				t.Fatalf("call %d: %+v; want %+v", i, calls[i], calls[0])
			}
			pause := calls[i].at.Sub(calls[i-1].at)
			if pause > bound {
				t.Errorf("pause %d: %v; want at most %v", i, pause, bound)
			}
			bound, longest = min(2*bound, 30*time.Second), max(longest, pause)
		}
		if longest < 10*time.Second {
			t.Errorf("longest pause %v; want up to 30s", longest)
		}
		stop()
		outage := calls[failures].at.Sub(start)
		got := logged()
		if n := len(got); n < 3 || n > 2+int(outage/logPause) {
			t.Errorf("%d lines about an outage of %v", n, outage)
		}
		if last := got[len(got)-1]; !strings.Contains(last, "works again") || !strings.Contains(last, "lasted="+outage.Round(time.Millisecond).String()) {
			t.Errorf("last line: %s; want the end of an outage of %v", last, outage)
		}
		if n := value(t, reg, "edgeref_delivery_attempts_total", "error"); n != failures {
			t.Errorf("%v failed attempts; want %d", n, failures)
		}
	})
}

func TestHangingSinkTimesOut(t *testing.T) {
	inBubble(t, func(t *testing.T, s *spool.Spool) {
		reg := prometheus.NewRegistry()
		sink := &clickSink{hang: 1}
		stop := run(t, mustClicks(t, s, sink, Options{MaxRecords: 1, AttemptTimeout: 5 * time.Second, Registerer: reg}))
		appendClicks(t, s, "a")
		after(5 * time.Second)
		after(100 * time.Millisecond)
		calls := sink.seen()
		if len(calls) != 2 || calls[0].batch != calls[1].batch || calls[1].at.Sub(calls[0].at) < 5*time.Second {
			t.Fatalf("%+v", calls)
		}
		stop()
		if n := value(t, reg, "edgeref_delivery_attempts_total", "timeout"); n != 1 {
			t.Errorf("%v timeouts; want 1", n)
		}
	})
}

func TestRestartDeliversTheSameBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		s := openSpool(t, dir)
		down := &clickSink{always: errDown}
		stop := run(t, mustClicks(t, s, down, Options{MaxRecords: 3, DrainTimeout: -1}))
		appendClicks(t, s, "a", "b", "c")
		after(time.Second)
		appendClicks(t, s, "d", "e")
		stop()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		first := down.seen()[0]

		s = openSpool(t, dir)
		up := &clickSink{}
		stop = run(t, mustClicks(t, s, up, Options{MaxRecords: 100})) // other limits do not change the batch
		after(time.Second)
		stop()
		calls := up.seen()
		if len(calls) != 2 || calls[0].batch != first.batch || calls[0].subs != "a b c" || calls[1].subs != "d e" {
			t.Errorf("%+v; want batch %s first", calls, first.batch)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestUndecodableClicksAreKeptAside(t *testing.T) {
	inBubble(t, func(t *testing.T, s *spool.Spool) {
		reg := prometheus.NewRegistry()
		sink := &clickSink{fail: []error{errDown}}
		stop := run(t, mustClicks(t, s, sink, Options{MaxRecords: 3, Registerer: reg}))
		appendClicks(t, s, "a")
		if err := s.Append([]byte("not a click")); err != nil {
			t.Fatal(err)
		}
		appendClicks(t, s, "b")
		after(time.Second)
		for range 3 {
			if err := s.Append([]byte("neither")); err != nil {
				t.Fatal(err)
			}
		}
		after(time.Second)
		stop()
		calls := sink.seen()
		if len(calls) != 2 || calls[0].subs != "a b" || calls[1] != (call{calls[1].at, calls[0].batch, "a b"}) {
			t.Errorf("%+v", calls)
		}
		if st := s.Stats(); st.Delivered != 2 || st.Quarantined != 4 || st.PendingRecords != 0 {
			t.Errorf("%+v", st)
		}
		if n := value(t, reg, "edgeref_delivery_batches_total", "undeliverable"); n != 1 {
			t.Errorf("%v batches without a click; want 1", n)
		}
	})
}

func TestStopDeliversWhatIsThere(t *testing.T) {
	inBubble(t, func(t *testing.T, s *spool.Spool) {
		sink := &clickSink{}
		stop := run(t, mustClicks(t, s, sink, Options{MaxAge: time.Hour}))
		appendClicks(t, s, "a", "b")
		start := time.Now()
		stop()
		if calls := sink.seen(); len(calls) != 1 || calls[0].subs != "a b" || time.Since(start) != 0 {
			t.Errorf("%+v after %v; want one at once", calls, time.Since(start))
		}
	})
}

func TestStopGivesUpAtTheDeadline(t *testing.T) {
	inBubble(t, func(t *testing.T, s *spool.Spool) {
		sink := &clickSink{always: errDown}
		stop := run(t, mustClicks(t, s, sink, Options{MaxRecords: 1, DrainTimeout: 4 * time.Second}))
		appendClicks(t, s, "a")
		after(5 * time.Minute) // pauses are long by now
		before, start := len(sink.seen()), time.Now()
		stop()
		if took := time.Since(start); took != 4*time.Second {
			t.Errorf("stopped after %v; want 4s", took)
		}
		if n := len(sink.seen()) - before; n < 3 {
			t.Errorf("%d attempts while stopping; want several", n)
		}
		if st := s.Stats(); st.PendingRecords != 1 {
			t.Errorf("%d pending; want 1", st.PendingRecords)
		}
	})
}

func TestStopCutsAPauseShort(t *testing.T) {
	inBubble(t, func(t *testing.T, s *spool.Spool) {
		sink := &clickSink{fail: []error{errDown}}
		stop := run(t, mustClicks(t, s, sink, Options{MaxRecords: 1, MinBackoff: 1000 * time.Hour, MaxBackoff: 1000 * time.Hour}))
		appendClicks(t, s, "a")
		synctest.Wait()
		start := time.Now()
		stop()
		if st := s.Stats(); st.Delivered != 1 || time.Since(start) != 0 {
			t.Errorf("%d delivered after %v; want one at once", st.Delivered, time.Since(start))
		}
	})
}

func TestOutageIsLoggedNowAndThen(t *testing.T) {
	inBubble(t, func(t *testing.T, s *spool.Spool) {
		logger, logged := lines(slog.LevelWarn)
		sink := &clickSink{always: errDown}
		stop := run(t, mustClicks(t, s, sink, Options{MaxRecords: 1, MaxBackoff: time.Second, DrainTimeout: -1, Logger: logger}))
		appendClicks(t, s, "a")
		after(time.Minute)
		attempts := len(sink.seen())
		if got := logged(); attempts < 60 || len(got) < 5 || len(got) > 7 {
			t.Errorf("%d lines about %d failures in a minute; want one in ten seconds", len(got), attempts)
		}
		stop()
	})
}

func TestStopDoesNotBreakOffAnAttempt(t *testing.T) {
	inBubble(t, func(t *testing.T, s *spool.Spool) {
		sink := &clickSink{release: make(chan struct{})}
		stop := run(t, mustClicks(t, s, sink, Options{MaxRecords: 1}))
		appendClicks(t, s, "a")
		synctest.Wait()
		go func() {
			time.Sleep(3 * time.Second)
			close(sink.release)
		}()
		stop()
		if st := s.Stats(); st.Delivered != 1 || len(sink.seen()) != 1 {
			t.Errorf("%+v, %d calls; want delivered by the first", st, len(sink.seen()))
		}
	})
}

func TestClosedSpoolEndsRun(t *testing.T) {
	s := openSpool(t, t.TempDir())
	d := mustClicks(t, s, &clickSink{}, Options{})
	done := make(chan error)
	go func() { done <- d.Run(context.Background()) }()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; !errors.Is(err, spool.ErrClosed) {
		t.Errorf("%v; want ErrClosed", err)
	}
}

// flaky is a spool whose disk fails a few times.
type flaky struct {
	*spool.Spool
	next, quarantine, ack int
}

func (f *flaky) Next(ctx context.Context, maxRecords, maxBytes int, maxAge time.Duration) (*spool.Batch, error) {
	if f.next--; f.next >= 0 {
		return nil, os.ErrPermission
	}
	return f.Spool.Next(ctx, maxRecords, maxBytes, maxAge)
}

func (f *flaky) Quarantine(b *spool.Batch, index int, reason string) error {
	if f.quarantine--; f.quarantine >= 0 {
		return os.ErrPermission
	}
	return f.Spool.Quarantine(b, index, reason)
}

func (f *flaky) Ack(b *spool.Batch) error {
	if f.ack--; f.ack >= 0 {
		return os.ErrPermission
	}
	return f.Spool.Ack(b)
}

// A failing local disk holds delivery up but neither loses nor sends twice what the sink has taken.
func TestFailingSpool(t *testing.T) {
	inBubble(t, func(t *testing.T, s *spool.Spool) {
		sink := &clickSink{}
		reg := prometheus.NewRegistry()
		stop := run(t, mustClicks(t, &flaky{s, 2, 2, 2}, sink, Options{MaxRecords: 2, Registerer: reg}))
		appendClicks(t, s, "a")
		if err := s.Append([]byte("bad")); err != nil {
			t.Fatal(err)
		}
		after(10 * time.Second)
		stop()
		if calls := sink.seen(); len(calls) != 1 {
			t.Errorf("%+v; want one call", calls)
		}
		if st := s.Stats(); st.Delivered != 1 || st.Quarantined != 1 {
			t.Errorf("%+v", st)
		}
		for _, p := range []phase{next, decode, ack} {
			if n := value(t, reg, "edgeref_delivery_failures_total", string(p)); n != 2 {
				t.Errorf("%s failed %v times; want 2", p, n)
			}
		}
	})
}

func TestOptionsAreChecked(t *testing.T) {
	for name, opt := range map[string]Options{
		"negative records": {MaxRecords: -1},
		"negative timeout": {AttemptTimeout: -1},
		"pauses":           {MinBackoff: time.Second, MaxBackoff: time.Millisecond},
	} {
		if _, err := NewClicks(nil, nil, nil, opt); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	reg := prometheus.NewRegistry()
	mustClicks(t, nil, nil, Options{Registerer: reg})
	if _, err := NewClicks(nil, nil, nil, Options{Registerer: reg}); err == nil {
		t.Error("metrics registered twice")
	}
}

// The spool is left as it is found: nothing but quarantined records stays behind on disk.
func TestDeliveredSegmentsGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		s := openSpool(t, dir)
		appendClicks(t, s, "a")
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = openSpool(t, dir)
		stop := run(t, mustClicks(t, s, &clickSink{}, Options{}))
		stop()
		if files, _ := filepath.Glob(filepath.Join(dir, "*.seg")); len(files) > 0 {
			t.Errorf("left: %v", files)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

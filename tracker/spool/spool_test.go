package spool

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestRecordsComeOutInOrderAcrossSegments(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, options(dir))
	want := payloads(0, 100)
	mustAppend(t, s, want...)
	if st := checkSums(t, s); st.Segments < 3 || st.PendingRecords != 100 {
		t.Fatalf("%d segments, %d pending; want several, 100", st.Segments, st.PendingRecords)
	}
	if got := drain(t, s); !slices.Equal(got, want) {
		t.Fatalf("got %d records %q", len(got), got)
	}
	st := checkSums(t, s)
	if st.Segments != 1 || st.PendingRecords != 0 || st.PendingBytes != 0 || st.Delivered != 100 || st.OldestAge != 0 {
		t.Errorf("after all is delivered: %+v", st)
	}
	if files, _ := filepath.Glob(filepath.Join(dir, "*"+segmentExt)); len(files) != 1 {
		t.Errorf("segments on disk: %v; want the active one", files)
	}
}

func TestEmptyAndLargestRecord(t *testing.T) {
	s := mustOpen(t, options(t.TempDir()))
	largest := strings.Repeat("x", 128)
	mustAppend(t, s, "", largest, "")
	if err := s.Append([]byte(largest + "x")); !errors.Is(err, ErrTooLarge) {
		t.Errorf("one byte more: %v; want ErrTooLarge", err)
	}
	if got := drain(t, s); !slices.Equal(got, []string{"", largest, ""}) {
		t.Errorf("got %q", got)
	}
}

func TestPendingBatchComesAgainUnchanged(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, options(dir))
	mustAppend(t, s, payloads(0, 10)...)
	first := mustNext(t, s, 4)
	if again := mustNext(t, s, 9); again != first {
		t.Fatal("another batch before Ack")
	}
	mustAppend(t, s, payloads(10, 20)...)
	for _, end := range []func(*Spool){func(s *Spool) { mustClose(t, s) }, crash} {
		end(s)
		s = mustOpen(t, options(dir))
		again := mustNext(t, s, 9)
		if again.ID != first.ID || !slices.Equal(again.Payloads, first.Payloads) {
			t.Fatalf("after a restart %s %q; want %s %q", again.ID, again.Payloads, first.ID, first.Payloads)
		}
	}
	b := mustNext(t, s, 9)
	if err := s.Ack(b); err != nil {
		t.Fatal(err)
	}
	if err := s.Ack(b); err != nil {
		t.Errorf("Ack again: %v; want nil", err)
	}
	crash(s)
	s = mustOpen(t, options(dir))
	if got := drain(t, s); !slices.Equal(got, payloads(4, 20)) {
		t.Errorf("after Ack and crash: %q", got)
	}
	if err := s.Ack(first); err == nil {
		t.Error("a batch of another run was acknowledged")
	}
}

func TestWipedDirectoryNeverRepeatsAnID(t *testing.T) {
	seen := make(map[string]bool)
	for range 3 {
		s := mustOpen(t, options(filepath.Join(t.TempDir(), "spool")))
		mustAppend(t, s, "same")
		if b := mustNext(t, s, 1); seen[b.ID] {
			t.Fatalf("ID %s came twice", b.ID)
		} else {
			seen[b.ID] = true
		}
	}
}

func TestSecondProcessIsKeptOut(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, options(dir))
	_, err := Open(options(dir))
	if !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), "another data directory") {
		t.Fatalf("%v; want ErrLocked with advice", err)
	}
	mustClose(t, s)
	mustOpen(t, options(dir))
}

func TestOptionsAreChecked(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"no directory":        func(o *Options) { o.Dir = "" },
		"no name":             func(o *Options) { o.Name = "" },
		"slow sync":           func(o *Options) { o.SyncInterval = time.Second },
		"huge record":         func(o *Options) { o.MaxRecord = 2 << 20 },
		"segment too small":   func(o *Options) { o.SegmentBytes = 100 },
		"limit too small":     func(o *Options) { o.MaxBytes = o.SegmentBytes },
		"directory is a file": func(o *Options) { o.Dir = "/dev/null" },
	} {
		opt := options(t.TempDir())
		change(&opt)
		if s, err := Open(opt); err == nil {
			s.Close()
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestLimitOnDisk(t *testing.T) {
	opt := options(t.TempDir())
	opt.MaxBytes = 4096
	s := mustOpen(t, opt)
	var kept []string
	var err error
	for i := 0; err == nil; i++ {
		if err = s.Append([]byte(payload(i))); err == nil {
			kept = append(kept, payload(i))
		}
	}
	if !errors.Is(err, ErrFull) || Reason(err) != "full" {
		t.Fatalf("%v; want ErrFull", err)
	}
	if st := s.Stats(); !st.Full || st.DiskBytes > opt.MaxBytes {
		t.Errorf("%+v; want full, within the limit", st)
	}
	if got := drain(t, s); !slices.Equal(got, kept) {
		t.Errorf("%d records; want %d", len(got), len(kept))
	}
	mustAppend(t, s, "again")
	if s.Stats().Full {
		t.Error("still full after delivery")
	}
}

func TestNextWaitsForCountAgeOrContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := mustOpen(t, options(t.TempDir()))
		defer s.Close()
		start := time.Now()
		got := make(chan *Batch)
		next := func(ctx context.Context, records int) {
			b, err := s.Next(ctx, records, 1<<20, time.Second)
			if err != nil && !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			got <- b
		}
		go next(t.Context(), 3)
		synctest.Wait()
		mustAppend(t, s, "a", "b")
		synctest.Wait()
		select {
		case <-got:
			t.Fatal("a batch before count or age")
		default:
		}
		mustAppend(t, s, "c")
		b := <-got
		if len(b.Payloads) != 3 || time.Since(start) != 0 {
			t.Fatalf("%q after %v; want three at once", b.Payloads, time.Since(start))
		}
		if err := s.Ack(b); err != nil {
			t.Fatal(err)
		}
		mustAppend(t, s, "d")
		go next(t.Context(), 3)
		if b = <-got; len(b.Payloads) != 1 || time.Since(start) != time.Second {
			t.Fatalf("%q after %v; want one after a second", b.Payloads, time.Since(start))
		}
		if err := s.Ack(b); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		go next(ctx, 3)
		synctest.Wait()
		cancel()
		if b := <-got; b != nil {
			t.Fatal("a batch although the context ended")
		}
	})
}

func TestCloseEndsNextAndAppend(t *testing.T) {
	s := mustOpen(t, options(t.TempDir()))
	got := make(chan error)
	go func() {
		_, err := s.Next(context.Background(), 1, 1, 0)
		got <- err
	}()
	mustClose(t, s)
	if err := <-got; !errors.Is(err, ErrClosed) {
		t.Errorf("Next: %v; want ErrClosed", err)
	}
	if err := s.Append(nil); !errors.Is(err, ErrClosed) || Reason(err) != "closed" {
		t.Errorf("Append: %v; want ErrClosed", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

func TestQuarantineKeepsPayloadAndReason(t *testing.T) {
	opt := options(t.TempDir())
	s := mustOpen(t, opt)
	mustAppend(t, s, payloads(0, 3)...)
	b := mustNext(t, s, 3)
	for range 2 { // the second time does nothing
		if err := s.Quarantine(b, 1, "not a click"); err != nil {
			t.Fatal(err)
		}
	}
	if st := checkSums(t, s); st.Quarantined != 1 || st.PendingRecords != 2 {
		t.Errorf("before Ack: %+v", st)
	}
	if err := s.Ack(b); err != nil {
		t.Fatal(err)
	}
	if st := checkSums(t, s); st.Quarantined != 1 || st.Delivered != 2 || st.PendingRecords != 0 {
		t.Errorf("after Ack: %+v", st)
	}
	raw, err := os.ReadFile(globOne(t, opt.Dir, quarantineDir, "*-records.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var line struct {
		Seq     uint64
		Reason  string
		Payload []byte `json:"payload_base64"`
	}
	if err := json.Unmarshal(raw, &line); err != nil || line.Seq != 2 || line.Reason != "not a click" || string(line.Payload) != payload(1) {
		t.Errorf("%s: %+v, %v", raw, line, err)
	}
	if err := s.Quarantine(b, 0, "late"); err == nil {
		t.Error("a record of an acknowledged batch was quarantined")
	}
}

func TestReasons(t *testing.T) {
	for want, err := range map[string]error{
		"full": ErrFull, "closed": ErrClosed, "too_large": ErrTooLarge, "busy": ErrBusy, "stalled": ErrStalled,
		"no_space":    &WriteError{Op: "write", Err: &fs.PathError{Err: syscall.ENOSPC}},
		"sync_error":  &WriteError{Op: "sync", Err: syscall.EIO},
		"write_error": &WriteError{Op: "write", Err: syscall.EIO},
	} {
		if got := Reason(fmt.Errorf("append: %w", err)); got != want {
			t.Errorf("%v: %s; want %s", err, got, want)
		}
	}
}

// Many appenders, one consumer and a scraper at once: nothing lost or doubled, and the sums hold at every look.
func TestConcurrentUse(t *testing.T) {
	for name, policy := range map[string]SyncPolicy{"interval": Interval, "always": Always} {
		t.Run(name, func(t *testing.T) {
			reg := prometheus.NewPedanticRegistry()
			opt := options(t.TempDir())
			opt.Sync, opt.SegmentBytes, opt.Registerer = policy, 8192, reg
			s := mustOpen(t, opt)
			const appenders, each = 16, 200
			var wg sync.WaitGroup
			for a := range appenders {
				wg.Go(func() {
					for i := range each {
						if err := s.Append(fmt.Appendf(nil, "%d/%d", a, i)); err != nil {
							t.Error(err)
						}
					}
				})
			}
			scraped := make(chan struct{})
			go func() {
				defer close(scraped)
				for s.Stats().Delivered < appenders*each {
					checkScrape(t, reg)
				}
			}()
			last := make(map[string]int)
			for n := 0; n < appenders*each; {
				b := mustNext(t, s, 100)
				for _, p := range b.Payloads {
					a, i, _ := strings.Cut(p, "/")
					var at int
					if _, err := fmt.Sscan(i, &at); err != nil || at != last[a] {
						t.Fatalf("%q came; want number %d", p, last[a])
					}
					last[a]++
				}
				n += len(b.Payloads)
				if err := s.Ack(b); err != nil {
					t.Fatal(err)
				}
			}
			wg.Wait()
			<-scraped
			checkSums(t, s)
		})
	}
}

func checkScrape(t *testing.T, reg prometheus.Gatherer) {
	families, err := reg.Gather()
	if err != nil {
		t.Error(err)
		return
	}
	v := make(map[string]float64)
	for _, f := range families {
		m := f.GetMetric()[0]
		v[strings.TrimPrefix(f.GetName(), "edgeref_spool_")] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
	}
	in := v["recovered_records"] + v["appended_records_total"]
	out := v["delivered_records_total"] + v["quarantined_records_total"] + v["pending_records"]
	if in != out {
		t.Errorf("in %v, out %v: %v", in, out, v)
	}
}

func TestMetricsAreWellFormed(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	for _, name := range []string{"clicks", "conversions"} {
		opt := options(t.TempDir())
		opt.Name, opt.Registerer = name, reg
		s := mustOpen(t, opt)
		mustAppend(t, s, "x")
	}
	problems, err := testutil.GatherAndLint(reg)
	if err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
}

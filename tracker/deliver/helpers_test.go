package deliver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/edgeref/edgeref/tracker/spool"
	"github.com/edgeref/edgeref/wire/click"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errDown = errors.New("sink is down")

// call is one call of a sink.
type call struct {
	at    time.Time
	batch string
	subs  string // first sub of each click
}

// clickSink answers with the errors in fail, in turn, then with nil.
type clickSink struct {
	mu      sync.Mutex
	calls   []call
	fail    []error
	always  error
	hang    int // calls that only end with their context
	release chan struct{}
	clicks  []click.Record
}

func (s *clickSink) AppendClicks(ctx context.Context, batchID string, clicks []click.Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var subs []string
	for _, c := range clicks {
		subs = append(subs, strings.Clone(c.Sub[0]))
	}
	s.calls = append(s.calls, call{time.Now(), batchID, strings.Join(subs, " ")})
	if s.hang > 0 {
		s.hang--
		<-ctx.Done()
		return ctx.Err()
	}
	if s.release != nil {
		select {
		case <-s.release:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if len(s.fail) > 0 {
		err := s.fail[0]
		s.fail = s.fail[1:]
		return err
	}
	if s.always == nil {
		s.clicks = append(s.clicks, clicks...)
	}
	return s.always
}

func (s *clickSink) seen() []call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

func openSpool(t *testing.T, dir string) *spool.Spool {
	t.Helper()
	s, err := spool.Open(spool.Options{Dir: dir, Name: "clicks"})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func appendClicks(t *testing.T, s *spool.Spool, subs ...string) {
	t.Helper()
	for _, sub := range subs {
		r := click.Record{Sub: [5]string{sub}, UserAgent: "raw"}
		if err := s.Append(r.Append(nil)); err != nil {
			t.Fatal(err)
		}
	}
}

func enrich(r *click.Record) { r.Browser, r.UserAgent = "Known", "" }

// run starts a Deliverer and returns the function that stops it and waits for its end.
func run(t *testing.T, d *Deliverer) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	return func() {
		t.Helper()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func mustClicks(t *testing.T, src source, sink ClickSink, opt Options) *Deliverer {
	t.Helper()
	d, err := NewClicks(src, sink, enrich, opt)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// inBubble runs f with the fake clock and a spool.
func inBubble(t *testing.T, f func(t *testing.T, s *spool.Spool)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := openSpool(t, t.TempDir())
		defer func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}()
		f(t, s)
	})
}

// after lets the bubble's clock run.
func after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func lines(level slog.Level) (*slog.Logger, func() []string) {
	var mu sync.Mutex
	var buf bytes.Buffer
	w := writer(func(b []byte) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		return buf.Write(b)
	})
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level})), func() []string {
		mu.Lock()
		defer mu.Unlock()
		return strings.Split(strings.TrimSpace(buf.String()), "\n")
	}
}

type writer func([]byte) (int, error)

func (w writer) Write(b []byte) (int, error) { return w(b) }

var _ io.Writer = writer(nil)

// value is a metric's value, of the label value given if any.
func value(t *testing.T, reg prometheus.Gatherer, name string, label ...string) float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			values := make([]string, 0, 2)
			for _, l := range m.GetLabel() {
				values = append(values, l.GetValue())
			}
			if len(label) == 0 || slices.Contains(values, label[0]) {
				return m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	t.Fatal(fmt.Errorf("no metric %s %v", name, label))
	return 0
}

package replay

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/edgeref/edgeref/bench/system"
	"github.com/edgeref/edgeref/wire/agent"
)

const sample = "testdata/access-log-sample.log"

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func classifier(t *testing.T) *agent.Classifier {
	t.Helper()
	agents, err := agent.New(0)
	if err != nil {
		t.Fatal(err)
	}
	return agents
}

// runs runs a replay as Run does, with a classifier that is made once.
func runs(ctx context.Context, t *testing.T, agents *agent.Classifier, opts Options) (Summary, error) {
	t.Helper()
	if err := opts.validate(); err != nil {
		t.Fatal(err)
	}
	return run(ctx, opts, agents)
}

func (s *fake) options() Options {
	return Options{Log: sample, Tracker: s.URL, Core: s.URL, Ops: []string{s.URL}, Token: "t", Convert: 300,
		Affiliates: 5, Links: 40, RunID: "test", Settle: time.Nanosecond}
}

func TestRunFindsNothingWhereNothingIsWrong(t *testing.T) {
	agents := classifier(t)
	for name, change := range map[string]func(*Options){
		"in order":           func(*Options) {},
		"four lanes":         func(o *Options) { o.Concurrency = 4 },
		"no conversions":     func(o *Options) { o.Convert = 0 },
		"every click":        func(o *Options) { o.Convert = 1000 },
		"first lines":        func(o *Options) { o.MaxLines = 20 },
		"without metrics":    func(o *Options) { o.Ops = nil },
		"faster than nature": func(o *Options) { o.Speed = 1e7 },
	} {
		t.Run(name, func(t *testing.T) {
			s := newFake(t, agents, faults{})
			opts := s.options()
			change(&opts)
			var out strings.Builder
			opts.Out = &out
			sum, err := runs(context.Background(), t, agents, opts)
			if err != nil {
				t.Fatalf("%v\n%s", err, out.String())
			}
			want := sampleLines
			if opts.MaxLines > 0 {
				want = opts.MaxLines
			}
			if sum.Clicks != want || sum.Sent != want || s.requests() != want {
				t.Errorf("got %+v after %d requests, want %d", sum, s.requests(), want)
			}
		})
	}
}

// Each mistake must be found, and by the comparison that is about it.
func TestRunFindsMistakes(t *testing.T) {
	agents := classifier(t)
	tests := []struct {
		name   string
		faults faults
		by     []string
	}{
		{"lost click", faults{drop: 50}, []string{"report totals", "list of clicks", "report by day, UTC", "report by link"}},
		{"click recorded twice", faults{twice: 50}, []string{"report totals", "list of clicks"}},
		{"other referrer", faults{misroute: 50}, []string{"report by referrer_host", "list of clicks"}},
		{"404", faults{notFound: 50}, []string{"answers to links"}},
		{"no cookie", faults{noCookie: 50}, []string{"answers to links"}},
		{"sale booked twice", faults{doubleSale: true}, []string{"report totals", "list of conversions", "ledger, pending, by affiliate and currency (minor units)"}},
		{"refunds lost", faults{loseRefund: true}, []string{"report totals", "list of conversions", "commissions, net, by affiliate and currency (minor units)"}},
		{"balance off by one", faults{payTooMuch: true}, []string{"ledger, pending, by affiliate and currency (minor units)"}},
		{"conflict not shown", faults{hideConflict: true}, []string{"list of conversion conflicts"}},
		{"record lost by the metrics", faults{leak: true}, []string{"conservation at "}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			sum, err := runs(context.Background(), t, agents, newFake(t, agents, tt.faults).options())
			if !errors.Is(err, ErrDifferences) {
				t.Fatalf("got %v, want ErrDifferences", err)
			}
			for _, name := range tt.by {
				found := false
				for _, c := range sum.Checks {
					found = found || strings.HasPrefix(c.Name, name) && c.Differences > 0 && len(c.Details) > 0
				}
				if !found {
					t.Errorf("%q found nothing", name)
				}
			}
		})
	}
}

// A replay whose tracker died goes on where it stopped, whether the last line was recorded or not.
func TestRunResumes(t *testing.T) {
	agents := classifier(t)
	for name, tt := range map[string]struct {
		faults      faults
		lanes       int
		least, most int // clicks recorded without an answer
	}{
		"died before it recorded": {faults{dieBefore: 120}, 1, 0, 0},
		"died before it answered": {faults{dieAfter: 120}, 1, 1, 1},
		"with several lanes":      {faults{dieAfter: 120}, 3, 1, 3}, // the other lanes are interrupted
	} {
		t.Run(name, func(t *testing.T) {
			s := newFake(t, agents, tt.faults)
			opts := s.options()
			opts.Concurrency = tt.lanes
			opts.Resume = filepath.Join(t.TempDir(), "journal")
			first, err := runs(context.Background(), t, agents, opts)
			if !errors.Is(err, ErrStopped) || !strings.Contains(err.Error(), opts.Resume) {
				t.Fatalf("got %v, want ErrStopped that names the journal", err)
			}
			s.revive()
			opts.RunID = "ignored"
			second, err := runs(context.Background(), t, agents, opts)
			if err != nil {
				t.Fatal(err)
			}
			if first.Clicks+second.Sent != sampleLines || second.Clicks != sampleLines || second.Unanswered < tt.least || second.Unanswered > tt.most {
				t.Errorf("sent %d, then %d; %d clicks, %d unanswered", first.Sent, second.Sent, second.Clicks, second.Unanswered)
			}
			recorded := s.requests()
			third, err := runs(context.Background(), t, agents, opts)
			if err != nil || third.Sent != 0 || third.Clicks != sampleLines || s.requests() != recorded {
				t.Errorf("a third time: sent %d, %d clicks, %v", third.Sent, third.Clicks, err)
			}
		})
	}
}

func TestRunStopsWithItsContext(t *testing.T) {
	agents := classifier(t)
	s := newFake(t, agents, faults{})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := runs(ctx, t, agents, s.options()); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	good := Options{Log: "l", Tracker: "http://t", Core: "http://c", Token: "x"}
	if err := good.validate(); err != nil || good.Affiliates != DefaultAffiliates || good.Concurrency != 1 {
		t.Errorf("got %+v, %v", good, err)
	}
	for name, change := range map[string]func(*Options){
		"no log":       func(o *Options) { o.Log = "" },
		"no core":      func(o *Options) { o.Core = "" },
		"no scheme":    func(o *Options) { o.Tracker = "localhost:80" },
		"no token":     func(o *Options) { o.Token = "" },
		"bad share":    func(o *Options) { o.Convert = 1001 },
		"bad lanes":    func(o *Options) { o.Concurrency = -1 },
		"bad ops":      func(o *Options) { o.Ops = []string{"x"} },
		"bad run":      func(o *Options) { o.RunID = "a-b" },
		"long run":     func(o *Options) { o.RunID = strings.Repeat("a", 17) },
		"slow motion":  func(o *Options) { o.Speed = -1 },
		"too many":     func(o *Options) { o.Links = maxLinks + 1 },
		"before begun": func(o *Options) { o.Settle = -1 },
	} {
		bad := good
		if change(&bad); bad.validate() == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestPendingRecordsAreADifference(t *testing.T) {
	s, err := system.ParseMetrics("edgeref_spool_appended_records_total{spool=\"clicks\"} 10\nedgeref_spool_delivered_records_total{spool=\"clicks\"} 6\nedgeref_spool_pending_records{spool=\"clicks\"} 4\n")
	if err != nil {
		t.Fatal(err)
	}
	if check := compareMetrics("here", s); check.Differences != 1 || check.Groups != 1 {
		t.Errorf("got %+v", check)
	}
}

package trial

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/edgeref/edgeref/bench/load"
)

func sampleResult() *Result {
	r := newResult("day", "v1", parameters("rate", 5.5))
	r.Links = &Part{
		Scheduled: 100, Answered: 100, Rate: 50, Elapsed: 2 * time.Second, P50: time.Millisecond, P95: 2 * time.Millisecond, P99: 15 * time.Millisecond,
		P999: 20 * time.Millisecond, Max: 21 * time.Millisecond, Percentiles: []Percentile{{50, time.Millisecond}, {90, 2 * time.Millisecond}},
		Seconds: []load.Second{{Scheduled: 50, Answered: 50, P50: time.Millisecond, P99: time.Millisecond, Max: time.Millisecond}, {Scheduled: 50, Answered: 50}},
	}
	r.Postbacks = &Part{P99: 3 * time.Millisecond, Answered: 2}
	r.Reports = &Part{P95: 40 * time.Millisecond, Answered: 2}
	r.Servers = []Usage{{Ops: "http://ops", PeakBytes: 100 << 20, Samples: []Sample{{At: 0, Bytes: 1}, {At: 1, CPU: 0.5, Bytes: 2, Pending: 3}}}}
	r.Conservation = []Check{equal("sent = stored", 100, 100)}
	return r
}

func TestTargetsDecide(t *testing.T) {
	ms := time.Millisecond
	for name, c := range map[string]struct {
		targets Targets
		change  func(*Result)
		missed  string // "": all held
	}{
		"none":              {Targets{}, nil, ""},
		"all reached":       {Targets{P50: ms, P99: 15 * ms, P999: 20 * ms, Max: 21 * ms, Rate: 50, Postback: 3 * ms, Report: 40 * ms, MemoryMiB: 100}, nil, ""},
		"p50":               {Targets{P50: ms - 1}, nil, "p50 of links"},
		"p99":               {Targets{P99: 14 * ms}, nil, "p99 of links"},
		"p99.9":             {Targets{P999: 19 * ms}, nil, "p99.9 of links"},
		"slowest":           {Targets{Max: 20 * ms}, nil, "slowest link"},
		"rate":              {Targets{Rate: 51}, nil, "answers a second"},
		"postbacks":         {Targets{Postback: 2 * ms}, nil, "p99 of postbacks"},
		"reports":           {Targets{Report: 39 * ms}, nil, "p95 of reports"},
		"memory":            {Targets{MemoryMiB: 99}, nil, "memory of http://ops"},
		"errors":            {Targets{}, func(r *Result) { r.Errors = 1 }, "errors"},
		"allowed errors":    {Targets{Errors: 1}, func(r *Result) { r.Errors = 1 }, ""},
		"conservation":      {Targets{}, func(r *Result) { r.Conservation[0].Held = false }, "conservation"},
		"report at a size":  {Targets{Report: 45 * ms}, func(r *Result) { r.Curve = []Size{{10, []Timing{{Name: "x", P95: 46 * ms}, {Name: "y"}}}} }, "p95 of the slowest report at 10 clicks (x)"},
		"no load, no goals": {Targets{P99: 1, Report: 1, Postback: 1}, func(r *Result) { r.Links, r.Postbacks, r.Reports = nil, nil, nil }, ""},
	} {
		r := sampleResult()
		if c.change != nil {
			c.change(r)
		}
		missed := ""
		for _, g := range c.targets.judge(r) {
			if !g.Held {
				missed += g.Name
			}
		}
		if missed != c.missed {
			t.Errorf("%s: missed %q; want %q", name, missed, c.missed)
		}
	}
}

func TestFinishWritesAndDecides(t *testing.T) {
	dir := t.TempDir()
	var out bytes.Buffer
	o := Options{JSON: filepath.Join(dir, "r.json"), HTML: filepath.Join(dir, "r.html"), Out: &out, Targets: Targets{P99: time.Second}}
	r := sampleResult()
	if err := o.finish(r); err != nil {
		t.Fatal(err)
	}
	var back Result
	b, err := os.ReadFile(o.JSON)
	if err != nil || json.Unmarshal(b, &back) != nil {
		t.Fatalf("%v in %s", err, b)
	}
	if diff := cmp.Diff(r, &back, cmp.AllowUnexported(Sample{})); diff != "" {
		t.Errorf("JSON (-want +got)\n%s", diff)
	}
	html, err := os.ReadFile(o.HTML)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"all targets held", "sent = stored", "CPU of the server processes", "Latency by percentile", "p99 of links"} {
		if !strings.Contains(string(html), want) {
			t.Errorf("page lacks %q", want)
		}
	}
	for _, want := range []string{"Conservation", "sent = stored", "all targets held", "http://ops"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("output lacks %q\n%s", want, out.String())
		}
	}
	o.Targets.P99 = time.Microsecond
	if err := o.finish(r); !errors.Is(err, ErrTargets) {
		t.Errorf("missed target: %v", err)
	}
	r.Interrupted = true
	if err := o.finish(r); !errors.Is(err, ErrInterrupted) {
		t.Errorf("interrupted: %v", err)
	}
	o.JSON = filepath.Join(dir, "no", "r.json")
	if err := o.finish(r); err == nil || !strings.Contains(err.Error(), "--json") {
		t.Errorf("unwritable file: %v", err)
	}
}

// A process that is started anew counts its CPU time from 0.
func TestUsageAcrossARestart(t *testing.T) {
	var u Usage
	for i, total := range []float64{10, 10.5, 0.25, 1.25} {
		u.add(Sample{At: float64(i), total: total, Bytes: float64(100 - i)})
	}
	if u.CPUSeconds != 0.5+0.25+1 || u.PeakBytes != 100 || u.Samples[2].CPU != 0.25 || u.Samples[3].CPU != 1 {
		t.Errorf("%+v", u)
	}
}

// A server that does not know a figure says NaN, which JSON has not.
func TestUsageOfWhatIsUnknown(t *testing.T) {
	var u Usage
	for _, pending := range []float64{math.NaN(), 3, math.NaN()} {
		u.add(Sample{Pending: pending, Outbox: 2 * pending})
	}
	if s := u.Samples; s[0].Pending != 0 || s[1].Outbox != 6 || s[2].Pending != 3 || s[2].Outbox != 6 {
		t.Errorf("%+v", s)
	}
	if _, err := json.Marshal(u); err != nil {
		t.Error(err)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	good := Options{Tracker: "http://127.0.0.1:1", Core: "http://127.0.0.1:2", Ops: []string{"http://127.0.0.1:3"}, Token: "t"}
	for name, c := range map[string]struct {
		change func(*Options)
		want   string
	}{
		"tracker":     {func(o *Options) { o.Tracker = "" }, "--tracker"},
		"core":        {func(o *Options) { o.Core = "" }, "--core"},
		"ops":         {func(o *Options) { o.Ops = nil }, "--ops"},
		"token":       {func(o *Options) { o.Token = "" }, "token"},
		"links":       {func(o *Options) { o.Links = maxLinks + 1 }, "--links"},
		"connections": {func(o *Options) { o.Connections = -1 }, "--connections"},
		"generators":  {func(o *Options) { o.Generators, o.Connections = 3, 2 }, "--generators"},
		"https":       {func(o *Options) { o.Tracker = "https://go.example" }, "plain HTTP"},
	} {
		o := good
		c.change(&o)
		if _, err := prepare(t.Context(), o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", name, err, c.want)
		}
	}
	if err := good.validate(); err != nil || good.Connections != DefaultConnections || good.Generators != 1 || good.Links != DefaultLinks || good.Settle != DefaultSettle {
		t.Errorf("%v %+v", err, good)
	}
	for _, h := range []History{{}, {Rows: 1}, {Rows: 1, Days: 1, Sizes: 1, Repeat: 1}} {
		if _, err := Reports(t.Context(), good, h); err == nil {
			t.Errorf("%+v: no error", h)
		}
	}
	if _, err := Redirect(t.Context(), good, 0, time.Second); err == nil {
		t.Error("rate 0: no error")
	}
	if _, err := Mixed(t.Context(), good, 10, 1, 1, time.Millisecond); err == nil {
		t.Error("duration 1 ms: no error")
	}
	if _, err := RunDay(t.Context(), good, Day{Requests: 1, Compress: 60, Convert: 2}); err == nil {
		t.Error("two postbacks a click: no error")
	}
}

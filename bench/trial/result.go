package trial

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/edgeref/edgeref/bench/load"
)

// Result is what a load test found. Durations are nanoseconds in JSON.
type Result struct {
	Command     string            `json:"command"`
	Parameters  map[string]string `json:"parameters"`
	Began       time.Time         `json:"began"`
	Version     string            `json:"version"`
	Commit      string            `json:"commit,omitempty"`
	Machine     Machine           `json:"machine"`
	Interrupted bool              `json:"interrupted"`

	Links     *Part   `json:"links,omitempty"`
	Postbacks *Part   `json:"postbacks,omitempty"`
	Reports   *Part   `json:"reports,omitempty"`
	Booked    *booked `json:"booked,omitempty"`
	Steps     []Step  `json:"steps,omitempty"` // of the search for the highest rate
	Fill      *Fill   `json:"fill,omitempty"`
	Curve     []Size  `json:"curve,omitempty"` // of the reports

	Faults *Faults `json:"faults,omitempty"` // what a run through faults met

	Errors       int64    `json:"errors"`
	ErrorNotes   []string `json:"error_notes,omitempty"`
	Servers      []Usage  `json:"servers"`
	Conservation []Check  `json:"conservation"`
	Goals        []Goal   `json:"targets"`
	Held         bool     `json:"held"`
}

// Machine is where the load test ran. Servers may have been held to less: their share is not visible from outside.
type Machine struct {
	CPU    string `json:"cpu"`
	Cores  int    `json:"cores"`
	Memory string `json:"memory"`
	System string `json:"system"`
}

// Part is the load on one kind of endpoint.
type Part struct {
	Scheduled uint64            `json:"scheduled"`
	Answered  uint64            `json:"answered"`
	Failed    uint64            `json:"failed"`
	Unsent    uint64            `json:"unsent"`
	Failures  map[string]uint64 `json:"failures,omitempty"` // by what happened
	Status    map[int]uint64    `json:"status,omitempty"`
	Elapsed   time.Duration     `json:"elapsed_ns"`
	Rate      float64           `json:"rate"` // answers a second

	P50  time.Duration `json:"p50_ns"`
	P95  time.Duration `json:"p95_ns"`
	P99  time.Duration `json:"p99_ns"`
	P999 time.Duration `json:"p999_ns"`
	Max  time.Duration `json:"max_ns"`

	Percentiles []Percentile  `json:"percentiles"`
	Seconds     []load.Second `json:"seconds,omitempty"`
}

// Percentile is one point of the curve of latencies.
type Percentile struct {
	Quantile float64       `json:"quantile"` // percent
	Latency  time.Duration `json:"latency_ns"`
}

func newPart(r *load.Result) *Part {
	p := &Part{
		Scheduled: r.Scheduled, Answered: r.Answered, Failed: r.Failed, Unsent: r.Unsent, Failures: r.Failures, Status: r.Status, Elapsed: r.Elapsed, Seconds: r.Seconds,
	}
	if r.Elapsed > 0 {
		p.Rate = float64(r.Answered) / r.Elapsed.Seconds()
	}
	p.latencies(r.Latency)
	return p
}

func (p *Part) latencies(h *hdrhistogram.Histogram) {
	at := func(quantile float64) time.Duration {
		return time.Duration(h.ValueAtQuantile(quantile)) * time.Microsecond
	}
	p.P50, p.P95, p.P99, p.P999, p.Max = at(50), at(95), at(99), at(99.9), time.Duration(h.Max())*time.Microsecond
	for _, q := range []float64{1, 5, 10, 25, 50, 75, 90, 95, 97.5, 99, 99.5, 99.9, 99.95, 99.99, 99.999, 100} {
		p.Percentiles = append(p.Percentiles, Percentile{q, at(q)})
	}
}

func (r *reader) part(elapsed time.Duration) *Part {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := &Part{Scheduled: uint64(r.asked), Answered: uint64(r.asked - r.failed - r.absent), Failed: uint64(r.failed + r.absent), Elapsed: elapsed}
	if elapsed > 0 {
		p.Rate = float64(p.Answered) / elapsed.Seconds()
	}
	p.latencies(r.latency)
	return p
}

// newResult notes what ran, where and with which program.
func newResult(command, version string, parameters map[string]string) *Result {
	return &Result{Command: command, Version: version, Commit: commit(), Machine: machine(), Parameters: parameters, Began: time.Now().UTC()}
}

// commit is the one that this program was built from, with "+changes" where the tree was not clean; "" if it is not known.
func commit() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	revision, changed := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value[:min(len(s.Value), 12)]
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = "+changes"
		}
	}
	return revision + changed
}

func machine() Machine {
	m := Machine{CPU: runtime.GOARCH, Cores: runtime.NumCPU(), Memory: "memory unknown", System: runtime.GOOS}
	if model := fieldsOf("/proc/cpuinfo", "model name"); len(model) > 0 {
		m.CPU, m.Cores = model[0], len(model) // also those that this process may not use
	}
	if total := fieldsOf("/proc/meminfo", "MemTotal"); len(total) > 0 {
		if kb, err := strconv.ParseFloat(strings.TrimSuffix(total[0], " kB"), 64); err == nil {
			m.Memory = fmt.Sprintf("%.1f GiB", kb/(1<<20))
		}
	}
	if b, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.System += " " + strings.TrimSpace(string(b))
	}
	return m
}

// fieldsOf finds the values of "name : value" in a file of /proc.
func fieldsOf(path, name string) (values []string) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(b)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			values = append(values, strings.TrimSpace(value))
		}
	}
	return values
}

// finish judges a result, prints it and writes the files. The error says whether the targets held.
func (o *Options) finish(r *Result) error {
	r.Goals = o.Targets.judge(r)
	r.Held = true
	for _, g := range r.Goals {
		r.Held = r.Held && g.Held
	}
	printResult(o.Out, r)
	err := errors.Join(writeJSON(o.JSON, r), writeHTML(o.HTML, r))
	switch {
	case err != nil:
	case r.Interrupted:
		err = ErrInterrupted
	case !r.Held:
		err = ErrTargets
	}
	return err
}

func writeJSON(path string, r *Result) error {
	if path == "" {
		return nil
	}
	b, err := json.MarshalIndent(r, "", " ")
	if err == nil {
		err = os.WriteFile(path, append(b, '\n'), 0o644)
	}
	if err != nil {
		return fmt.Errorf("write result (--json): %w", err)
	}
	return nil
}

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"
)

// report is the outcome of a run.
type report struct {
	At       time.Time `json:"at"`
	Commit   string    `json:"commit"`
	Machine  string    `json:"machine"`
	Go       string    `json:"go"`
	Rounds   int       `json:"rounds"`
	Seconds  float64   `json:"seconds_per_round"`
	Conns    int       `json:"connections"`
	Links    int       `json:"links"`
	Peers    []figures `json:"peers"`
	Memory   []Memory  `json:"memory,omitempty"`
	Targets  []target  `json:"targets"`
	Held     bool      `json:"held"`
	Clicks   counts    `json:"-"`
	Received uint64    `json:"edgeref_clicks_received"`
	Recorded uint64    `json:"edgeref_clicks_recorded"`
}

// figures are one peer's medians.
type figures struct {
	Name        string  `json:"name"`
	Rate        float64 `json:"requests_per_second"`
	CPU         float64 `json:"cpu_us_per_request"`
	CPUWhole    float64 `json:"cpu_us_per_request_with_delivery"`
	Utilisation float64 `json:"server_core_utilisation"`
	LatencyRate float64 `json:"latency_at_requests_per_second"`
	P50         float64 `json:"p50_us"`
	P99         float64 `json:"p99_us"`
}

// target is one figure with its limit.
type target struct {
	What  string  `json:"what"`
	Value float64 `json:"value"`
	Limit string  `json:"limit"`
	Held  bool    `json:"held"`
}

func newReport(o options) *report {
	return &report{
		At: time.Now().UTC().Truncate(time.Second), Commit: commit(), Machine: machine(), Go: runtime.Version(),
		Rounds: o.rounds, Seconds: o.duration.Seconds(), Conns: o.connections, Links: o.links,
	}
}

// commit is what is checked out, with "+" where files differ from it.
func commit() string {
	out, err := exec.Command("git", "describe", "--always", "--abbrev=12", "--dirty=+").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}

func machine() string {
	model := "unknown processor"
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(b)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease") // empty where there is none
	return fmt.Sprintf("%s, server on one core and client on another, Linux %s", model, strings.TrimSpace(string(kernel)))
}

// fill computes medians and targets.
func (r *report) fill(peers []*peer) {
	r.Received, r.Recorded = uint64(r.Clicks.received), uint64(r.Clicks.recorded)
	by := map[string]figures{}
	for _, p := range peers {
		f := figures{
			Name: p.name, Rate: median(p.max, func(s sample) float64 { return s.rate }),
			CPU:         median(p.max, func(s sample) float64 { return s.cpu }),
			CPUWhole:    median(p.max, func(s sample) float64 { return s.cpuWhole }),
			Utilisation: median(p.max, func(s sample) float64 { return s.utilisation }),
			LatencyRate: median(p.latency, func(s sample) float64 { return s.rate }),
			P50:         median(p.latency, func(s sample) float64 { return float64(s.p50.Microseconds()) }),
			P99:         median(p.latency, func(s sample) float64 { return float64(s.p99.Microseconds()) }),
		}
		r.Peers = append(r.Peers, f)
		by[p.name] = f
	}
	ours := by[nameOurs]
	atLeast := func(what string, peer string, limit float64) {
		if other, ok := by[peer]; ok {
			ratio := ours.Rate / other.Rate
			r.Targets = append(r.Targets, target{what, ratio, fmt.Sprintf(">= %g", limit), ratio >= limit})
		}
	}
	atLeast("requests/s over nginx with access log", nameNginx, 0.9)
	atLeast("requests/s over bare fasthttp", nameBare, 0.8)
	atLeast("requests/s over Apache + PHP + MariaDB", namePHP, 30)
	if nginx, ok := by[nameNginx]; ok {
		ratio := ours.P99 / nginx.P99
		r.Targets = append(r.Targets, target{"p99 over nginx's at the same rate", ratio, "<= 2", ratio <= 2})
	}
	r.Targets = append(r.Targets, target{"clicks answered and not recorded", r.Clicks.received - r.Clicks.recorded, "0", r.Clicks.received == r.Clicks.recorded})
	for i, limit := range []int64{60, 400} {
		if i < len(r.Memory) {
			m := r.Memory[i]
			mb := float64(m.Peak) / 1e6
			r.Targets = append(r.Targets, target{fmt.Sprintf("MB of a tracker with %d links, at its highest", m.Links), mb, fmt.Sprintf("< %d", limit), mb < float64(limit)})
		}
	}
	r.Held = true
	for _, t := range r.Targets {
		r.Held = r.Held && t.Held
	}
}

// print writes the tables.
func (r *report) print(out io.Writer) {
	fmt.Fprintf(out, "\n%s\ncommit %s, %s, %d rounds of %g s, %d connections, %d links; medians\n\n", r.Machine, r.Commit, r.Go, r.Rounds, r.Seconds, r.Conns, r.Links)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "peer\trequests/s\tCPU us each\twith delivery\tcore busy\tp50 us\tp99 us\tat requests/s\t")
	for _, p := range r.Peers {
		fmt.Fprintf(w, "%s\t%.0f\t%.2f\t%.2f\t%.0f %%\t%.0f\t%.0f\t%.0f\t\n", p.Name, p.Rate, p.CPU, p.CPUWhole, 100*p.Utilisation, p.P50, p.P99, p.LatencyRate)
	}
	w.Flush()
	fmt.Fprintln(out)
	w = tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "what\tmeasured\ttarget\t")
	for _, t := range r.Targets {
		verdict := "held"
		if !t.Held {
			verdict = "MISSED"
		}
		fmt.Fprintf(w, "%s\t%.2f\t%s\t%s\n", t.What, t.Value, t.Limit, verdict)
	}
	w.Flush()
}

func (r *report) write(path string) error {
	if path == "" {
		return nil
	}
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("keep result: %w", err)
	}
	if err := os.WriteFile(path, append(b, '\n'), 0o644); err != nil {
		return fmt.Errorf("keep result: %w", err)
	}
	return nil
}

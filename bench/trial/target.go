package trial

import (
	"fmt"
	"time"
)

// Targets are what a run must reach. Errors is always demanded; of the others, 0 is none.
type Targets struct {
	P50, P99, P999, Max time.Duration // of links, from the due time
	Errors              int64         // requests that failed, were not sent in time, or got an unexpected status, at most
	Rate                float64       // answers a second, at least
	Postback            time.Duration // p99
	Report              time.Duration // p95
	MemoryMiB           float64       // resident, each server process, at most
}

// Goal is one target and what was reached.
type Goal struct {
	Name string `json:"name"`
	Want string `json:"want"`
	Got  string `json:"got"`
	Held bool   `json:"held"`
}

// judge compares a result with the targets.
func (t *Targets) judge(r *Result) []Goal {
	var goals []Goal
	below := func(name string, want, got time.Duration) {
		if want > 0 {
			goals = append(goals, Goal{name, "at most " + short(want), short(got), got <= want})
		}
	}
	if r.Links != nil {
		below("p50 of links", t.P50, r.Links.P50)
		below("p99 of links", t.P99, r.Links.P99)
		below("p99.9 of links", t.P999, r.Links.P999)
		below("slowest link", t.Max, r.Links.Max)
		if t.Rate > 0 {
			goals = append(goals, Goal{"answers a second", fmt.Sprintf("at least %.0f", t.Rate), fmt.Sprintf("%.0f", r.Links.Rate), r.Links.Rate >= t.Rate})
		}
	}
	if r.Postbacks != nil {
		below("p99 of postbacks", t.Postback, r.Postbacks.P99)
	}
	if r.Reports != nil {
		below("p95 of reports", t.Report, r.Reports.P95)
	}
	for i := range r.Curve {
		slow := r.Curve[i].slowest()
		below(fmt.Sprintf("p95 of the slowest report at %d clicks (%s)", r.Curve[i].Rows, slow.Name), t.Report, slow.P95)
	}
	goals = append(goals, Goal{"errors", fmt.Sprintf("at most %d", t.Errors), fmt.Sprint(r.Errors), r.Errors <= t.Errors})
	for _, u := range r.Servers {
		if t.MemoryMiB > 0 {
			goals = append(goals, Goal{"memory of " + u.Ops, fmt.Sprintf("at most %.0f MiB", t.MemoryMiB), mib(u.PeakBytes), u.PeakBytes <= t.MemoryMiB*(1<<20)})
		}
	}
	broken := 0
	for _, c := range r.Conservation {
		if !c.Held {
			broken++
		}
	}
	return append(goals, Goal{"conservation", "exact", fmt.Sprintf("%d of %d equations", len(r.Conservation)-broken, len(r.Conservation)), broken == 0})
}

// short writes a duration with three digits or so.
func short(d time.Duration) string {
	switch {
	case d >= 10*time.Second:
		return d.Round(100 * time.Millisecond).String()
	case d >= 100*time.Millisecond:
		return d.Round(time.Millisecond).String()
	case d >= time.Millisecond:
		return d.Round(10 * time.Microsecond).String()
	default:
		return d.Round(time.Microsecond).String()
	}
}

func mib(bytes float64) string { return fmt.Sprintf("%.0f MiB", bytes/(1<<20)) }

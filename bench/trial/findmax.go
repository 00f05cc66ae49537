package trial

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/edgeref/edgeref/bench/load"
)

// Search looks for the highest rate that is served well.
type Search struct {
	Start float64       // first rate, a second
	Step  time.Duration // how long each rate is tried
	Limit time.Duration // p99 from the due time, at most
}

const (
	searchPrecision = 0.04 // the search ends when the bounds are this close
	searchTries     = 2    // a rate is given up when it fails so often: a neighbour's work is no limit of ours
	maxSearchRate   = 4e6
)

// Step is one rate that was tried.
type Step struct {
	Rate         float64       `json:"rate"`
	Answered     float64       `json:"answered"` // a second
	P50          time.Duration `json:"p50_ns"`
	P99          time.Duration `json:"p99_ns"`
	Max          time.Duration `json:"max_ns"`
	Failed       uint64        `json:"failed"`
	Unsent       uint64        `json:"unsent"`
	ServerMicros float64       `json:"server_cpu_us"` // CPU time of all server processes for each answer, microseconds
	Held         bool          `json:"held"`
}

// FindMax doubles the rate until p99 is above the limit or something fails, and then halves the distance between the
// last rate that held and the first that did not. The result's Links are those of the highest rate that held.
func FindMax(ctx context.Context, o Options, s Search) (*Result, error) {
	if err := steadyLimits(s.Start, s.Step); err != nil {
		return nil, err
	}
	if o.ThroughFaults {
		return nil, errors.New("--through-faults: the highest rate is not looked for while servers are broken")
	}
	r, err := prepare(ctx, o)
	if err != nil {
		return nil, err
	}
	result := r.result("redirect --find-max", parameters("start", s.Start, "step", s.Step, "p99 limit", s.Limit))
	all := load.Result{Status: map[int]uint64{}, Latency: hdrhistogram.New(1, time.Minute.Microseconds(), 3)}
	try := func(rate float64) (bool, error) {
		for range searchTries {
			step, links, err := r.step(ctx, rate, &s)
			if err != nil || ctx.Err() != nil {
				return false, err
			}
			addLoad(&all, &links)
			result.Steps = append(result.Steps, step)
			fmt.Fprintf(r.Out, "%8.0f/s: answered %8.0f/s, p50 %s, p99 %s, failed %d, server CPU %.1f us a request\n",
				rate, step.Answered, short(step.P50), short(step.P99), step.Failed, step.ServerMicros)
			if step.Held {
				result.Links = newPart(&links)
				return true, nil
			}
		}
		return false, nil
	}
	err = search(ctx, s.Start, try)
	result.Servers = r.observer.stop()
	if err != nil {
		return result, err
	}
	result.Interrupted = ctx.Err() != nil
	if result.Links == nil && !result.Interrupted {
		result.Errors, result.ErrorNotes = 1, []string{fmt.Sprintf("not even %g a second was served within the limit", s.Start)}
	}
	return result, r.conclude(ctx, &evidence{links: all}, result)
}

// search calls try with rates until it knows the highest that holds.
func search(ctx context.Context, start float64, try func(rate float64) (bool, error)) error {
	low, high := 0.0, 0.0
	for rate := start; high == 0 && rate <= maxSearchRate; rate *= 2 {
		held, err := try(rate)
		if err != nil || ctx.Err() != nil {
			return err
		}
		if held {
			low = rate
		} else {
			high = rate
		}
	}
	for low > 0 && high-low > searchPrecision*high {
		middle := (low + high) / 2
		held, err := try(middle)
		if err != nil || ctx.Err() != nil {
			return err
		}
		if held {
			low = middle
		} else {
			high = middle
		}
	}
	return nil
}

// step tries one rate and waits until the system has digested it.
func (r *rig) step(ctx context.Context, rate float64, s *Search) (Step, load.Result, error) {
	before, err := r.cpuSeconds(ctx)
	if err != nil {
		return Step{}, load.Result{}, err
	}
	bad := r.tally.notTracked()
	d, err := r.drive(ctx, "", plan{links: steady(rate, s.Step)})
	if err != nil {
		return Step{}, d.links, err
	}
	if err := r.drain(ctx); err != nil && ctx.Err() == nil {
		return Step{}, d.links, err
	}
	// After the drain, so that what was answered is also paid for.
	after, err := r.cpuSeconds(context.WithoutCancel(ctx))
	if err != nil {
		return Step{}, d.links, err
	}
	p := newPart(&d.links)
	step := Step{
		Rate: rate, Answered: p.Rate, P50: p.P50, P99: p.P99, Max: p.Max, Failed: p.Failed, Unsent: p.Unsent,
		ServerMicros: (after - before) / max(float64(p.Answered), 1) * 1e6,
	}
	step.Held = p.P99 <= s.Limit && p.Failed == 0 && float64(p.Unsent) <= 0.001*float64(p.Scheduled) && r.tally.notTracked() == bad
	return step, d.links, nil
}

// cpuSeconds is what all server processes have used so far.
func (r *rig) cpuSeconds(ctx context.Context) (float64, error) {
	sum := 0.0
	for _, ops := range r.Ops {
		s, err := r.api.Scrape(ctx, ops)
		if err != nil {
			return 0, err
		}
		v, _ := s.Sum("process_cpu_seconds_total", "")
		sum += v
	}
	return sum, nil
}

// notTracked counts answers that were no 302 with a Click ID.
func (t *tally) notTracked() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.bare + t.badID
	for _, count := range t.other {
		n += count
	}
	return n
}

// addLoad adds the counts and latencies of one load to those of others.
func addLoad(sum, r *load.Result) {
	sum.Elapsed += r.Elapsed
	sum.Scheduled += r.Scheduled
	sum.Answered += r.Answered
	sum.Failed += r.Failed
	sum.Unreached += r.Unreached
	sum.Unsent += r.Unsent
	for status, n := range r.Status {
		sum.Status[status] += n
	}
	sum.Latency.Merge(r.Latency)
}

// sortedSteps are the steps by rate; of those with the same rate, the last.
func sortedSteps(steps []Step) []Step {
	byRate := map[float64]Step{}
	for _, s := range steps {
		byRate[s.Rate] = s
	}
	var list []Step
	for _, rate := range slices.Sorted(maps.Keys(byRate)) {
		list = append(list, byRate[rate])
	}
	return list
}

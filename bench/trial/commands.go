package trial

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Redirect sends requests to links at a steady rate, a second. The error wraps ErrTargets where something was missed or
// lost, ErrInterrupted where ctx ended early; the result is valid with both.
func Redirect(ctx context.Context, o Options, rate float64, d time.Duration) (*Result, error) {
	if err := steadyLimits(rate, d); err != nil {
		return nil, err
	}
	return run(ctx, o, "redirect", parameters("rate", rate, "duration", d), plan{links: steady(rate, d)})
}

// Mixed sends requests to links, postbacks and report queries, each at its own steady rate, a second. Errors are those
// of Redirect.
func Mixed(ctx context.Context, o Options, rate, postbacks, reports float64, d time.Duration) (*Result, error) {
	if err := errors.Join(steadyLimits(rate, d), steadyLimits(max(postbacks, 1), d)); err != nil {
		return nil, err
	}
	p := plan{links: steady(rate, d), reports: reports}
	if postbacks > 0 {
		conversions := steady(postbacks, d)
		p.postbacks = &conversions
	}
	return run(ctx, o, "mixed", parameters("rate", rate, "postbacks", postbacks, "reports", reports, "duration", d), p)
}

// Day is a promotion day.
type Day struct {
	Requests uint64  // to links
	Compress float64 // times the pace of a real day
	Convert  float64 // postbacks for each request to a link
	Reports  float64 // queries a second of the test
}

// RunDay sends a promotion day. Errors are those of Redirect.
func RunDay(ctx context.Context, o Options, d Day) (*Result, error) {
	links, err := dayShape(d.Requests, d.Compress)
	if err != nil {
		return nil, err
	}
	if d.Convert < 0 || d.Convert > 1 || d.Reports < 0 {
		return nil, errors.New("--convert is a share from 0 to 1, --reports is not negative")
	}
	p := plan{links: links, reports: d.Reports}
	if d.Convert > 0 {
		conversions := links.scaled(d.Convert)
		p.postbacks = &conversions
	}
	return run(ctx, o, "day", parameters("requests", d.Requests, "compress", d.Compress, "convert", d.Convert, "reports", d.Reports), p)
}

func steadyLimits(rate float64, d time.Duration) error {
	if rate < 1 || rate > 1e7 {
		return fmt.Errorf("a rate is 1 to 10,000,000 a second, not %g", rate)
	}
	if d < time.Second || d > maxDuration {
		return fmt.Errorf("--duration is 1s to %s, not %s", maxDuration, d)
	}
	return nil
}

// parameters are names and values by turns.
func parameters(pairs ...any) map[string]string {
	m := make(map[string]string, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i].(string)] = fmt.Sprint(pairs[i+1])
	}
	return m
}

// run prepares, loads, checks and reports.
func run(ctx context.Context, o Options, command string, params map[string]string, p plan) (*Result, error) {
	r, err := prepare(ctx, o)
	if err != nil {
		return nil, err
	}
	result := r.result(command, params)
	d, err := r.drive(ctx, command, p)
	result.Servers = r.observer.stop()
	if err != nil {
		return result, err
	}
	result.Interrupted = ctx.Err() != nil
	result.Links = newPart(&d.links)
	if p.postbacks != nil {
		result.Postbacks = newPart(d.postbacks)
		result.Booked = &d.converter.booked
	}
	if p.reports > 0 {
		result.Reports = d.reader.part(d.links.Elapsed)
	}
	result.Errors, result.ErrorNotes = d.errors(r.tally, result.Interrupted, r.ThroughFaults)
	e := &evidence{links: d.links, postbacks: d.postbacks, converter: d.converter, faults: r.ThroughFaults}
	return result, r.conclude(ctx, e, result)
}

func (r *rig) result(command string, params map[string]string) *Result {
	params["connections"], params["generators"], params["links"] = fmt.Sprint(r.Connections), fmt.Sprint(r.Generators), fmt.Sprint(r.Links)
	if r.Sleep {
		params["sleep"] = "yes"
	}
	if r.ThroughFaults {
		params["through faults"] = "yes"
	}
	return newResult(command, r.Version, params)
}

// conclude checks conservation, also after an interruption, and reports.
func (r *rig) conclude(ctx context.Context, e *evidence, result *Result) error {
	fmt.Fprintln(r.Out, "wait for spools and reports to catch up")
	err := r.gather(context.WithoutCancel(ctx), e)
	r.addFaults(result, e)
	if err != nil {
		result.Conservation = []Check{{Name: "the system can be asked what it has", Want: 1, Note: err.Error()}}
		return errors.Join(fmt.Errorf("check conservation: %w", err), r.finish(result))
	}
	result.Conservation = e.checks()
	return r.finish(result)
}

package trial

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/edgeref/edgeref/bench/page"
)

// History is what `bench reports` fills the click store with.
type History struct {
	Rows      uint64 // clicks in the end
	Days      int    // that they are spread over, evenly
	Sizes     int    // at how many sizes reports are timed, each twice the one before; the last is Rows
	Repeat    int    // times that each report is asked for, after the first
	EdgeToken string // what a tracker shows to the core

	Program, Affiliate string // ask about the clicks of these, which are there, and fill nothing
}

// Size is the dashboard at one size of the click store.
type Size struct {
	Rows    uint64   `json:"rows"`
	Reports []Timing `json:"reports"`
}

// Timing is one report at one size.
type Timing struct {
	Name string        `json:"name"`
	Cold time.Duration `json:"cold_ns"` // the first time after the clicks came
	P50  time.Duration `json:"p50_ns"`
	P95  time.Duration `json:"p95_ns"`
}

func (s *Size) slowest() Timing {
	return slices.MaxFunc(s.Reports, func(a, b Timing) int { return int(a.P95 - b.P95) })
}

// maxTiming bounds the repetitions of one report.
const maxTiming = 10 * time.Second

func (h *History) validate() error {
	switch {
	case h.Rows < 1 || h.Rows > 1e9:
		return errors.New("--rows is 1 to 1,000,000,000")
	case h.Days < 1 || h.Days > 365:
		return errors.New("--days is 1 to 365")
	case h.Sizes < 1 || h.Sizes > 20:
		return errors.New("--sizes is 1 to 20")
	case h.Repeat < 1 || h.Repeat > 1000:
		return errors.New("--repeat is 1 to 1000")
	case h.Program != "":
		if h.Affiliate == "" {
			return errors.New("--program needs --affiliate")
		}
	case h.EdgeToken == "":
		return errors.New("an edge token is required: clicks of the past are written the way trackers deliver theirs")
	}
	return nil
}

// Reports fills the click store step by step and times every report of the dashboards at each size. Errors are those of
// Redirect.
func Reports(ctx context.Context, o Options, h History) (*Result, error) {
	if err := h.validate(); err != nil {
		return nil, err
	}
	if o.ThroughFaults {
		return nil, errors.New("--through-faults: reports are not timed while servers are broken")
	}
	if o.Tracker == "" {
		o.Tracker = "http://127.0.0.1" // nothing is sent there
	}
	r, err := prepare(ctx, o)
	if err != nil {
		return nil, err
	}
	span := time.Duration(h.Days) * day
	from := r.began.Add(-span).Truncate(time.Millisecond)
	if h.Program != "" {
		return r.reportsOfProgram(ctx, from, &h)
	}
	result := r.result("reports", parameters("rows", h.Rows, "days", h.Days))
	f, err := newFiller(o.Core, h.EdgeToken, r.world, r.visitors, from, span, h.Rows)
	if err != nil {
		return nil, err
	}
	filled := uint64(0)
	result.Fill = &Fill{Days: h.Days}
	for i := h.Sizes - 1; i >= 0 && err == nil; i-- {
		size := max(h.Rows>>i, 1)
		begun := time.Now()
		err = f.fill(ctx, filled, size, r.Out)
		result.Fill.Elapsed += time.Since(begun)
		if err == nil {
			filled = size
			err = r.timeReports(ctx, result, size, from, &h)
		}
	}
	result.Servers = r.observer.stop()
	result.Interrupted = ctx.Err() != nil
	if err != nil && !result.Interrupted {
		return result, err
	}
	result.Fill.Clicks, result.Fill.Bots, result.Fill.Again = int64(filled), f.bots.Load(), f.again.Load()
	r.began = from
	e := &evidence{}
	if err := r.ask(context.WithoutCancel(ctx), e); err != nil {
		return result, errors.Join(err, r.finish(result))
	}
	result.Conservation = result.Fill.checks(e)
	return result, r.finish(result)
}

// reportsOfProgram times the reports over the clicks that a program has.
func (r *rig) reportsOfProgram(ctx context.Context, from time.Time, h *History) (*Result, error) {
	r.world.program.id, r.world.affiliates = h.Program, []string{h.Affiliate}
	result := r.result("reports", parameters("days", h.Days, "program", h.Program))
	var answer struct {
		Total struct {
			Clicks uint64 `json:"clicks"`
		} `json:"total"`
	}
	total := r.world.dashboard(from, r.began.Add(time.Hour))[0]
	if err := r.api.Get(ctx, total.path, total.params, &answer); err != nil {
		return nil, fmt.Errorf("ask for the clicks of %s: %w", h.Program, err)
	}
	result.Fill = &Fill{Days: h.Days, Clicks: int64(answer.Total.Clicks)}
	err := r.timeReports(ctx, result, answer.Total.Clicks, from, h)
	result.Servers = r.observer.stop()
	result.Interrupted = ctx.Err() != nil
	if err != nil && !result.Interrupted {
		return result, err
	}
	return result, r.finish(result)
}

// checks compare what was written with the totals.
func (f *Fill) checks(e *evidence) []Check {
	ledger := equal("ledger verification", 1, 0)
	if e.ledgerHolds {
		ledger.Got, ledger.Held = 1, true
	}
	return append([]Check{
		equal("clicks delivered = in the reports", f.Clicks, e.report.Clicks),
		equal("of those, bots", f.Bots, e.report.Bots),
	}, append(e.after.equations, ledger)...)
}

// timeReports asks for every report of the dashboards over all clicks so far.
func (r *rig) timeReports(ctx context.Context, result *Result, rows uint64, from time.Time, h *History) error {
	size := Size{Rows: rows}
	for _, q := range r.world.dashboard(from, r.began.Add(time.Hour)) {
		t := Timing{Name: q.name}
		var warm []time.Duration
		stop := time.Now().Add(maxTiming)
		for n := 0; n <= h.Repeat && (n < 2 || time.Now().Before(stop)); n++ {
			begun := time.Now()
			var answer struct{}
			if err := r.api.Get(ctx, q.path, q.params, &answer); err != nil {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				result.Errors++
				result.ErrorNotes = append(result.ErrorNotes, fmt.Sprintf("%s at %d clicks: %v", q.name, rows, err))
				break
			}
			took := time.Since(begun)
			if n == 0 {
				t.Cold = took
				continue
			}
			warm = append(warm, took)
		}
		if len(warm) == 0 {
			continue
		}
		slices.Sort(warm)
		t.P50, t.P95 = warm[len(warm)/2], warm[min(len(warm)*95/100, len(warm)-1)]
		size.Reports = append(size.Reports, t)
	}
	if len(size.Reports) > 0 {
		result.Curve = append(result.Curve, size)
		slow := size.slowest()
		fmt.Fprintf(r.Out, "%d clicks: the slowest report is %q, p95 %s\n", rows, slow.Name, short(slow.P95))
	}
	return nil
}

func (r *Result) fillTable() page.Table {
	f := r.Fill
	rate := 0.0
	if f.Elapsed > 0 {
		rate = float64(f.Clicks) / f.Elapsed.Seconds()
	}
	t := page.Table{Title: "Filling the click store", Head: []string{"clicks", "of bots", "days", "took", "clicks a second", "batches sent again"}}
	t.Rows = [][]string{{fmt.Sprint(f.Clicks), fmt.Sprint(f.Bots), fmt.Sprint(f.Days), short(f.Elapsed), fmt.Sprintf("%.0f", rate), fmt.Sprint(f.Again)}}
	for _, note := range r.ErrorNotes {
		t.Note += "Error: " + note + ". "
	}
	return t
}

// curveTable has a row a report and a column a size.
func (r *Result) curveTable() page.Table {
	t := page.Table{Title: "Reports by size of the click store", Head: []string{"report"}, Note: "First time after the clicks came / median / 95th percentile."}
	for i := range r.Curve {
		t.Head = append(t.Head, fmt.Sprintf("%d clicks", r.Curve[i].Rows))
	}
	for _, first := range r.Curve[len(r.Curve)-1].Reports {
		row := []string{first.Name}
		for i := range r.Curve {
			cell := "-"
			for _, one := range r.Curve[i].Reports {
				if one.Name == first.Name {
					cell = short(one.Cold) + " / " + short(one.P50) + " / " + short(one.P95)
				}
			}
			row = append(row, cell)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// curvePlots show how the slowest reports grow, and how all are spread at the last size.
func (r *Result) curvePlots() []page.Plot {
	const shown = 6
	last := r.Curve[len(r.Curve)-1]
	slowest := slices.Clone(last.Reports)
	slices.SortFunc(slowest, func(a, b Timing) int { return int(b.P95 - a.P95) })
	growth := page.Plot{Title: "The slowest reports as clicks grow", XLabel: "clicks", YLabel: "ms, p95", LogY: true}
	for _, report := range slowest[:min(shown, len(slowest))] {
		s := page.Series{Name: report.Name}
		for i := range r.Curve {
			for _, one := range r.Curve[i].Reports {
				if one.Name == report.Name {
					s.Points = append(s.Points, page.Point{X: float64(r.Curve[i].Rows), Y: milliseconds(one.P95)})
				}
			}
		}
		growth.Series = append(growth.Series, s)
	}
	return []page.Plot{growth}
}

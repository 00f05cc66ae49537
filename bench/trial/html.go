package trial

import (
	"errors"
	"fmt"
	"math"
	"os"

	"github.com/edgeref/edgeref/bench/page"
)

func writeHTML(path string, r *Result) error {
	if path == "" {
		return nil
	}
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write page (--html): %w", err)
	}
	if err := errors.Join(page.Write(f, r.page()), f.Close()); err != nil {
		return fmt.Errorf("write page (--html): %w", err)
	}
	return nil
}

func (r *Result) page() *page.Page {
	p := &page.Page{Title: "edgeref bench " + r.Command, Subtitle: r.describe(), Passed: r.Held, Tables: r.tables(), Plots: r.plots()}
	if r.Interrupted {
		p.Subtitle += ". Interrupted: the figures are those of the part that ran."
	}
	for _, g := range r.Goals {
		p.Targets = append(p.Targets, page.Target{Name: g.Name, Want: g.Want, Got: g.Got, Held: g.Held})
	}
	return p
}

func (r *Result) plots() []page.Plot {
	var list []page.Plot
	if len(r.Steps) > 0 {
		list = append(list, r.stepPlots()...)
	} else if r.Links != nil {
		list = append(list, r.Links.timePlots()...)
	}
	if r.Links != nil {
		list = append(list, r.percentilePlot())
	}
	if len(r.Curve) > 0 {
		list = append(list, r.curvePlots()...)
	}
	return append(list, r.serverPlots()...)
}

// timePlots are latency and throughput, second by second.
func (p *Part) timePlots() []page.Plot {
	latency := page.Plot{Title: "Latency of links over time", XLabel: "seconds", YLabel: "ms, from the scheduled time", LogY: true, Series: []page.Series{{Name: "p50"}, {Name: "max"}, {Name: "p99"}}}
	through := page.Plot{Title: "Requests to links", XLabel: "seconds", YLabel: "a second", Series: []page.Series{{Name: "scheduled"}, {Name: "failed"}, {Name: "answered"}}}
	add := func(plot *page.Plot, i int, x, y float64) {
		plot.Series[i].Points = append(plot.Series[i].Points, page.Point{X: x, Y: y})
	}
	for i, s := range p.Seconds {
		x := float64(i + 1)
		if x > p.Elapsed.Seconds()+0.5 {
			break // the last is not a whole one
		}
		add(&latency, 0, x, milliseconds(s.P50))
		add(&latency, 1, x, milliseconds(s.Max))
		add(&latency, 2, x, milliseconds(s.P99))
		add(&through, 0, x, float64(s.Scheduled))
		add(&through, 1, x, float64(s.Failed))
		add(&through, 2, x, float64(s.Answered))
	}
	return []page.Plot{latency, through}
}

// percentilePlot has the number of nines on its x axis, so that each further tenth of the slowest has the same room.
func (r *Result) percentilePlot() page.Plot {
	plot := page.Plot{Title: "Latency by percentile", XLabel: "nines: 1 is 90 %, 2 is 99 %, 3 is 99.9 %", YLabel: "ms", LogY: true}
	for _, one := range []struct {
		name string
		part *Part
	}{{"links", r.Links}, {"postbacks", r.Postbacks}, {"reports", r.Reports}} {
		if one.part == nil {
			continue
		}
		s := page.Series{Name: one.name}
		for _, p := range one.part.Percentiles {
			// Beyond one in as many as were measured there is nothing but the maximum.
			if p.Quantile < 100 && float64(one.part.Answered)*(1-p.Quantile/100) >= 1 {
				s.Points = append(s.Points, page.Point{X: -math.Log10(1 - p.Quantile/100), Y: milliseconds(p.Latency)})
			}
		}
		plot.Series = append(plot.Series, s)
	}
	return plot
}

func (r *Result) stepPlots() []page.Plot {
	latency := page.Plot{Title: "Latency by rate", XLabel: "requests a second", YLabel: "ms, from the scheduled time", LogY: true, Series: []page.Series{{Name: "p50"}, {Name: "p99"}}}
	for _, s := range sortedSteps(r.Steps) {
		latency.Series[0].Points = append(latency.Series[0].Points, page.Point{X: s.Rate, Y: milliseconds(s.P50)})
		latency.Series[1].Points = append(latency.Series[1].Points, page.Point{X: s.Rate, Y: milliseconds(s.P99)})
	}
	cpu := page.Plot{Title: "Server CPU for each request", XLabel: "requests a second", YLabel: "microseconds", Series: []page.Series{{Name: "all server processes"}}}
	for _, s := range sortedSteps(r.Steps) {
		cpu.Series[0].Points = append(cpu.Series[0].Points, page.Point{X: s.Rate, Y: s.ServerMicros})
	}
	return []page.Plot{latency, cpu}
}

func (r *Result) serverPlots() []page.Plot {
	cpu := page.Plot{Title: "CPU of the server processes", XLabel: "seconds", YLabel: "cores"}
	memory := page.Plot{Title: "Memory of the server processes", XLabel: "seconds", YLabel: "MiB, resident"}
	pending := page.Plot{Title: "Records on their way to the store", XLabel: "seconds", YLabel: "records"}
	for _, u := range r.Servers {
		c, m, s, o := page.Series{Name: u.Ops}, page.Series{Name: u.Ops}, page.Series{Name: "spools, " + u.Ops}, page.Series{Name: "outbox, " + u.Ops}
		for i, one := range u.Samples {
			if i > 0 {
				c.Points = append(c.Points, page.Point{X: one.At, Y: one.CPU})
			}
			m.Points = append(m.Points, page.Point{X: one.At, Y: one.Bytes / (1 << 20)})
			s.Points = append(s.Points, page.Point{X: one.At, Y: one.Pending})
			o.Points = append(o.Points, page.Point{X: one.At, Y: one.Outbox})
		}
		cpu.Series, memory.Series, pending.Series = append(cpu.Series, c), append(memory.Series, m), append(pending.Series, s, o)
	}
	return []page.Plot{cpu, memory, pending}
}

package trial

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/edgeref/edgeref/bench/page"
)

// describe is what ran, when, where and with which program, in one line.
func (r *Result) describe() string {
	program := "version " + r.Version
	if r.Commit != "" {
		program += ", commit " + r.Commit
	}
	text := fmt.Sprintf("%s UTC, %s, on %s (%d cores, %s, %s)", r.Began.Format("2006-01-02 15:04"), program, r.Machine.CPU, r.Machine.Cores, r.Machine.Memory, r.Machine.System)
	for _, name := range slices.Sorted(maps.Keys(r.Parameters)) {
		text += fmt.Sprintf(", %s %s", name, r.Parameters[name])
	}
	return text
}

// tables are what is printed and shown on the page.
func (r *Result) tables() []page.Table {
	var list []page.Table
	if t := r.latencyTable(); len(t.Rows) > 0 {
		list = append(list, t)
	}
	if len(r.Steps) > 0 {
		list = append(list, r.stepTable())
	}
	if r.Fill != nil {
		list = append(list, r.fillTable())
	}
	if len(r.Curve) > 0 {
		list = append(list, r.curveTable())
	}
	if len(r.Servers) > 0 {
		list = append(list, r.serverTable())
	}
	if r.Faults != nil {
		list = append(list, r.Faults.table())
	}
	conservation := page.Table{Title: "Conservation", Head: []string{"equation", "expected", "got", "holds", "note"}}
	for _, c := range r.Conservation {
		note := c.Note
		if c.Slack > 0 {
			note += fmt.Sprintf(" up to %d more: requests without an answer may have been served", c.Slack)
		}
		if c.Below > 0 {
			note += fmt.Sprintf(" down to %d less: so may refunds", c.Below)
		}
		conservation.Rows = append(conservation.Rows, []string{c.Name, fmt.Sprint(c.Want), fmt.Sprint(c.Got), yes(c.Held), note})
	}
	return append(list, conservation)
}

func (r *Result) latencyTable() page.Table {
	t := page.Table{
		Title: "Latency from the scheduled time", Head: []string{"what", "scheduled", "answered", "failed", "unsent", "a second", "p50", "p95", "p99", "p99.9", "max"},
	}
	for _, one := range []struct {
		name string
		part *Part
	}{{"links", r.Links}, {"postbacks", r.Postbacks}, {"reports", r.Reports}} {
		if p := one.part; p != nil {
			t.Rows = append(t.Rows, []string{
				one.name, fmt.Sprint(p.Scheduled), fmt.Sprint(p.Answered), fmt.Sprint(p.Failed), fmt.Sprint(p.Unsent), fmt.Sprintf("%.0f", p.Rate),
				short(p.P50), short(p.P95), short(p.P99), short(p.P999), short(p.Max),
			})
		}
	}
	if r.Booked != nil {
		t.Note = "Booked: " + r.Booked.String() + "."
	}
	for _, note := range r.ErrorNotes {
		t.Note += " Errors: " + note + "."
	}
	return t
}

func (r *Result) stepTable() page.Table {
	t := page.Table{Title: "Search for the highest rate", Head: []string{"rate", "answered", "p50", "p99", "max", "failed", "unsent", "server CPU a request", "held"}}
	for _, s := range r.Steps {
		t.Rows = append(t.Rows, []string{
			fmt.Sprintf("%.0f", s.Rate), fmt.Sprintf("%.0f", s.Answered), short(s.P50), short(s.P99), short(s.Max), fmt.Sprint(s.Failed), fmt.Sprint(s.Unsent),
			fmt.Sprintf("%.1f us", s.ServerMicros), yes(s.Held),
		})
	}
	return t
}

func (r *Result) serverTable() page.Table {
	t := page.Table{
		Title: "Server processes", Head: []string{"metrics at", "CPU seconds", "mean cores", "peak memory", "most pending in spools", "looks without an answer"},
	}
	answered := uint64(0)
	for _, p := range []*Part{r.Links, r.Postbacks, r.Reports} {
		if p != nil {
			answered += p.Answered
		}
	}
	cpu := 0.0
	for _, u := range r.Servers {
		pending := 0.0
		for _, s := range u.Samples {
			pending = max(pending, s.Pending)
		}
		cpu += u.CPUSeconds
		t.Rows = append(t.Rows, []string{
			u.Ops, fmt.Sprintf("%.2f", u.CPUSeconds), fmt.Sprintf("%.2f", u.CPUMean), mib(u.PeakBytes), fmt.Sprintf("%.0f", pending), fmt.Sprint(u.Gaps),
		})
	}
	if answered > 0 && len(r.Steps) == 0 {
		t.Note = fmt.Sprintf("%.1f microseconds of server CPU for each request, everything included.", cpu/float64(answered)*1e6)
	}
	return t
}

func yes(held bool) string {
	if held {
		return "yes"
	}
	return "NO"
}

// printResult prints the tables and the verdict. Errors of out are ignored: what was found is in the result too.
func printResult(out io.Writer, r *Result) {
	fmt.Fprintf(out, "\n%s: %s\n", r.Command, r.describe())
	for _, t := range r.tables() {
		fmt.Fprintf(out, "\n%s\n", t.Title)
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		printRow(w, t.Head)
		for _, row := range t.Rows {
			printRow(w, row)
		}
		_ = w.Flush()
		if t.Note != "" {
			fmt.Fprintf(out, "  %s\n", t.Note)
		}
	}
	fmt.Fprintln(out, "\nTargets")
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, g := range r.Goals {
		printRow(w, []string{g.Name, g.Want, g.Got, yes(g.Held)})
	}
	_ = w.Flush()
	switch {
	case r.Interrupted:
		fmt.Fprintln(out, "\ninterrupted: the figures are those of the part that ran")
	case r.Held:
		fmt.Fprintln(out, "\nall targets held")
	default:
		fmt.Fprintln(out, "\nnot all targets held")
	}
}

func printRow(w io.Writer, cells []string) {
	for _, c := range cells {
		fmt.Fprintf(w, "  %s\t", c)
	}
	fmt.Fprintln(w)
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

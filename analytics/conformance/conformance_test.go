package conformance_test

import (
	"strings"
	"testing"

	"github.com/edgeref/edgeref/analytics/conformance"
	"github.com/edgeref/edgeref/wire/report"
)

// The model passes its own suite: the cases worked out by hand hold the model to the rules that it defines.
func TestModel(t *testing.T) {
	conformance.Run(t, func(*testing.T) conformance.Store { return new(conformance.Model) })
}

func TestDiffSeesEveryFigure(t *testing.T) {
	base := func() report.Result {
		f := report.Figures{Clicks: 1, Bots: 1, Uniques: 900, Leads: 1, Sales: 1, Refunds: 1, Money: []report.Money{{Currency: "INR", Revenue: 1, Commission: 1}}}
		return report.Result{Rows: []report.Row{{Key: "a", Figures: f}}, Total: f}
	}
	if d := conformance.Diff(base(), base()); d != "" {
		t.Fatalf("equal results differ: %s", d)
	}
	for name, change := range map[string]func(*report.Result){
		"clicks":     func(r *report.Result) { r.Rows[0].Clicks++ },
		"bots":       func(r *report.Result) { r.Total.Bots++ },
		"uniques":    func(r *report.Result) { r.Total.Uniques++ },
		"leads":      func(r *report.Result) { r.Total.Leads++ },
		"sales":      func(r *report.Result) { r.Total.Sales++ },
		"refunds":    func(r *report.Result) { r.Total.Refunds++ },
		"currency":   func(r *report.Result) { r.Rows[0].Money = []report.Money{{Currency: "USD", Revenue: 1, Commission: 1}} },
		"no money":   func(r *report.Result) { r.Rows[0].Money = nil },
		"key":        func(r *report.Result) { r.Rows[0].Key = "b" },
		"other":      func(r *report.Result) { r.Other = new(report.Figures) },
		"one less":   func(r *report.Result) { r.Rows = nil },
		"other zone": func(r *report.Result) { r.Rows[0].Start = r.Rows[0].Start.AddDate(2026, 0, 0) },
	} {
		got := base()
		change(&got)
		if conformance.Diff(base(), got) == "" {
			t.Errorf("%s: no difference seen", name)
		}
	}
	want, got := base(), base()
	want.Total.Uniques, got.Total.Uniques = 10_000, 10_150
	if d := conformance.Diff(want, got); d != "" {
		t.Errorf("1.5 %% off: %s", d)
	}
	got.Total.Uniques = 10_250
	if d := conformance.Diff(want, got); !strings.Contains(d, "total") {
		t.Errorf("2.5 %% off: %q; want a difference in total", d)
	}
}

var _ conformance.Store = (*conformance.Model)(nil)

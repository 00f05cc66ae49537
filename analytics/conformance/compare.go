package conformance

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/report"
)

// exactUniques is the distinct count up to which a store must be exact; above it may be wrong by uniquesTolerance.
const (
	exactUniques     = 1000
	uniquesTolerance = 0.02
)

// Diff says how got differs from want, one line a difference, "" if it does not.
func Diff(want, got report.Result) string {
	var b strings.Builder
	figures(&b, "total", want.Total, got.Total)
	switch {
	case (want.Other == nil) != (got.Other == nil):
		fmt.Fprintf(&b, "other: want %+v, got %+v\n", want.Other, got.Other)
	case want.Other != nil:
		figures(&b, "other", *want.Other, *got.Other)
	}
	if len(want.Rows) != len(got.Rows) {
		fmt.Fprintf(&b, "rows: want %d, got %d\n", len(want.Rows), len(got.Rows))
	}
	for i := range min(len(want.Rows), len(got.Rows)) {
		w, g := want.Rows[i], got.Rows[i]
		name := fmt.Sprintf("row %d (%s %.40q)", i, start(w), w.Key)
		if start(w) != start(g) || w.Key != g.Key {
			fmt.Fprintf(&b, "%s: got %s %.40q\n", name, start(g), g.Key)
			break // what follows is shifted
		}
		figures(&b, name, w.Figures, g.Figures)
	}
	return b.String()
}

func start(r report.Row) string {
	if r.Start.IsZero() {
		return "-"
	}
	return r.Start.Format(time.RFC3339Nano) + "[" + r.Start.Location().String() + "]"
}

func figures(b *strings.Builder, name string, want, got report.Figures) {
	off := want.Uniques - got.Uniques
	if want.Uniques > exactUniques && float64(max(off, -off)) <= uniquesTolerance*float64(want.Uniques) {
		got.Uniques = want.Uniques
	}
	same := slices.Equal(want.Money, got.Money)
	if w, g := fmt.Sprintf("%+v", want), fmt.Sprintf("%+v", got); !same || w != g {
		fmt.Fprintf(b, "%s:\n  want %s\n  got  %s\n", name, w, g)
	}
}

// checkReport asks both and compares; it returns the store's answer.
func checkReport(t *testing.T, model, s Store, q report.Query) report.Result {
	t.Helper()
	want, err := model.Report(t.Context(), q)
	if err != nil {
		t.Fatalf("model: %v", err)
	}
	got, err := s.Report(t.Context(), q)
	if err != nil {
		t.Fatalf("report %s: %v", describe(q), err)
	}
	if d := Diff(want, got); d != "" {
		t.Fatalf("report %s\n%s", describe(q), d)
	}
	checkSums(t, q, got)
	return got
}

// checkSums checks that what is additive adds up: rows and Other to Total.
func checkSums(t *testing.T, q report.Query, r report.Result) {
	t.Helper()
	var added report.Figures
	money := make(map[string]report.Money)
	parts := r.Rows
	if r.Other != nil {
		parts = append(slices.Clone(parts), report.Row{Figures: *r.Other})
	}
	for _, p := range parts {
		added.Clicks += p.Clicks
		added.Bots += p.Bots
		added.Leads += p.Leads
		added.Sales += p.Sales
		added.Refunds += p.Refunds
		for _, m := range p.Money {
			sum := money[m.Currency]
			money[m.Currency] = report.Money{Revenue: sum.Revenue + m.Revenue, Commission: sum.Commission + m.Commission}
		}
	}
	total := r.Total
	for _, m := range total.Money {
		if sum := money[m.Currency]; sum.Revenue != m.Revenue || sum.Commission != m.Commission {
			t.Fatalf("report %s: %s adds up to %+v, total %+v", describe(q), m.Currency, sum, m)
		}
	}
	total.Uniques, total.Money = 0, nil
	if w, g := fmt.Sprintf("%+v", total), fmt.Sprintf("%+v", added); w != g {
		t.Fatalf("report %s: rows and other add up to %s, total %s", describe(q), g, w)
	}
}

func describe(q report.Query) string {
	zone := "UTC"
	if q.Zone != nil {
		zone = q.Zone.String()
	}
	return fmt.Sprintf("from %s to %s zone %s bucket %q group %q filters %.300q affiliate %d order %q currency %q limit %d",
		q.From.UTC().Format(time.RFC3339Nano), q.To.UTC().Format(time.RFC3339Nano), zone, q.Bucket, q.GroupBy,
		fmt.Sprint(q.Filters), q.AffiliateID, q.OrderBy, q.Currency, q.Limit)
}

// checkClicks asks both for one page and compares; it returns the store's answer.
func checkClicks(t *testing.T, model, s Store, q report.ClickQuery) []click.Record {
	t.Helper()
	want, err := model.Clicks(t.Context(), q)
	if err != nil {
		t.Fatalf("model: %v", err)
	}
	got, err := s.Clicks(t.Context(), q)
	if err != nil {
		t.Fatalf("clicks %+v: %v", q, err)
	}
	if len(want) != len(got) {
		t.Fatalf("clicks %+v: want %d, got %d", q, len(want), len(got))
	}
	for i := range want {
		if want[i] != got[i] {
			t.Fatalf("clicks %+v: number %d\n  want %+v\n  got  %+v", q, i, want[i], got[i])
		}
	}
	return got
}

// fill appends one batch of each.
func fill(t *testing.T, s Store, batch string, clicks []click.Record, facts []report.Fact) {
	t.Helper()
	if len(clicks) > 0 {
		if err := s.AppendClicks(t.Context(), batch, clicks); err != nil {
			t.Fatalf("append clicks: %v", err)
		}
	}
	if len(facts) > 0 {
		if err := s.AppendFacts(t.Context(), batch, facts); err != nil {
			t.Fatalf("append facts: %v", err)
		}
	}
}

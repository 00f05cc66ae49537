package conformance

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/report"
)

const (
	randomClicks  = 3000
	randomFacts   = 600
	randomQueries = 300
)

// testRandom compares random reports and listings with the model's, over clicks and facts that came in random batches.
func testRandom(t *testing.T, s Store, seed uint64, from func() time.Time) {
	g, model := NewGenerator(t, seed, from()), new(Model)
	clicks := g.Clicks(randomClicks)
	facts := g.Facts(clicks, randomFacts)
	r := g.rand
	for i, c, f := 0, clicks, facts; len(c)+len(f) > 0; i++ {
		n, m := min(len(c), r.IntN(400)), min(len(f), r.IntN(80))
		for _, into := range []Store{model, s} {
			fill(t, into, fmt.Sprint("batch ", i), c[:n], f[:m])
		}
		c, f = c[n:], f[m:]
	}
	queries := randomQueries
	if testing.Short() || raceEnabled { // the race detector slows the model down most
		queries /= 5
	}
	for range queries {
		checkReport(t, model, s, randomQuery(t, r, from(), clicks))
	}
	for _, d := range report.Dimensions() {
		checkReport(t, model, s, report.Query{From: from(), To: from().AddDate(0, 0, spanDays+1), GroupBy: d, Limit: report.MaxLimit})
		checkReport(t, model, s, report.Query{From: from(), To: from().AddDate(0, 0, spanDays+1), GroupBy: d, Bucket: report.Day, Zone: zone(t, "Asia/Kolkata"), Limit: 3})
	}
	for range queries / 5 {
		q := randomQuery(t, r, from(), clicks)
		list := report.ClickQuery{From: q.From, To: q.To, Filters: q.Filters, AffiliateID: q.AffiliateID, Limit: 1 + r.IntN(200)}
		if r.IntN(2) == 0 {
			list.Before = clicks[r.IntN(len(clicks))].ID
		}
		checkClicks(t, model, s, list)
	}
}

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatalf("load time zone (install tzdata or build with -tags timetzdata): %v", err)
	}
	return z
}

func randomQuery(t *testing.T, r *rand.Rand, from time.Time, clicks []click.Record) report.Query {
	t.Helper()
	dimensions := report.Dimensions()
	q := report.Query{
		Zone:     zone(t, choose(r, "UTC", "Asia/Kolkata", "Asia/Kathmandu", "America/New_York")),
		Bucket:   choose(r, report.Whole, report.Hour, report.Day),
		OrderBy:  choose(r, "", report.Clicks, report.Uniques, report.Bots, report.Leads, report.Sales, report.Revenue, report.Commission),
		Currency: choose(r, "", "", "INR", "USD", "EUR"),
		Limit:    choose(r, 0, 1, 2, 5, 20, report.MaxLimit),
	}
	q.From, q.To = randomSpan(r, from, q.Zone)
	if r.IntN(4) > 0 {
		q.GroupBy = choose(r, dimensions...)
	}
	if r.IntN(3) == 0 {
		q.AffiliateID = 1 + r.Int64N(6)
	}
	for range r.IntN(3) {
		d := choose(r, dimensions...)
		f := report.Filter{Dimension: d, Not: r.IntN(3) == 0}
		for range choose(r, 1, 1, 2, 5) {
			f.Values = append(f.Values, randomValue(r, d, clicks))
		}
		q.Filters = append(q.Filters, f)
	}
	return q
}

// randomSpan is the whole span, local days, whole hours, or anything to the millisecond.
func randomSpan(r *rand.Rand, from time.Time, zone *time.Location) (time.Time, time.Time) {
	const span = spanDays * 24 * time.Hour
	a := from.Add(time.Duration(r.Int64N(int64(span))))
	b := from.Add(time.Duration(r.Int64N(int64(span))))
	if a.After(b) {
		a, b = b, a
	}
	switch r.IntN(5) {
	case 0, 1:
		return from.Add(-time.Hour), from.Add(span + 12*time.Hour)
	case 2:
		y, m, d := a.In(zone).Date()
		return time.Date(y, m, d, 0, 0, 0, 0, zone), time.Date(y, m, d+1+r.IntN(2), 0, 0, 0, 0, zone)
	case 3:
		return a.Truncate(time.Hour), b.Truncate(time.Hour).Add(time.Hour)
	}
	return a, b.Add(time.Millisecond)
}

func randomValue(r *rand.Rand, d report.Dimension, clicks []click.Record) string {
	if r.IntN(8) == 0 {
		return choose(r, "", "0", "no such value", "%", "a_b", "CASE", "9", "99")
	}
	return clickValue(&clicks[r.IntN(len(clicks))], d)
}

func choose[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

// testListing pages through everything and through filtered parts: each click once, in order.
func testListing(t *testing.T, s Store) {
	g, model := NewGenerator(t, 3, march()), new(Model)
	clicks := g.Clicks(700)
	// Many clicks in one millisecond: the order is still that of the IDs.
	for range 50 {
		clicks = append(clicks, g.ClickAt(march().Add(7*time.Hour)))
	}
	for i, part := range [][]click.Record{clicks[300:], clicks[:300]} {
		for _, into := range []Store{model, s} {
			fill(t, into, fmt.Sprint(i), part, nil)
		}
	}
	all := report.ClickQuery{From: march(), To: march().AddDate(0, 0, spanDays)}
	for _, q := range []report.ClickQuery{
		all,
		{From: all.From, To: all.To, AffiliateID: 2, Limit: 7},
		{From: all.From, To: all.To, Limit: 60, Filters: []report.Filter{{Dimension: report.Bot, Values: []string{""}, Not: true}}},
		{From: march().Add(7 * time.Hour), To: march().Add(7*time.Hour + time.Millisecond), Limit: 11},
	} {
		whole := q
		whole.Limit = report.MaxLimit
		want := checkClicks(t, model, s, whole)
		if len(want) == 0 {
			t.Fatalf("clicks %+v: the test has no data", q)
		}
		var got []click.Record
		for {
			page := checkClicks(t, model, s, q)
			if len(page) == 0 {
				break
			}
			got = append(got, page...)
			q.Before = page[len(page)-1].ID
		}
		if !slices.Equal(got, want) {
			t.Fatalf("clicks %+v: the pages hold %d clicks, one page %d, or in another order", q, len(got), len(want))
		}
	}
}

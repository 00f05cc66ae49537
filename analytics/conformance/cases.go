package conformance

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/report"
)

// day is a report over the first day of the March span.
func day() report.Query { return report.Query{From: march(), To: march().AddDate(0, 0, 1)} }

func mustReport(t *testing.T, s Store, q report.Query) report.Result {
	t.Helper()
	r, err := s.Report(t.Context(), q)
	if err != nil {
		t.Fatalf("report %s: %v", describe(q), err)
	}
	return r
}

func expect(t *testing.T, s Store, q report.Query, want report.Result) {
	t.Helper()
	if d := Diff(want, mustReport(t, s, q)); d != "" {
		t.Fatalf("report %s\n%s", describe(q), d)
	}
}

func testEmpty(t *testing.T, s Store) {
	fill(t, s, "nothing", nil, nil)
	if err := s.AppendClicks(t.Context(), "empty", nil); err != nil {
		t.Fatalf("append an empty batch: %v", err)
	}
	if err := s.AppendFacts(t.Context(), "empty", nil); err != nil {
		t.Fatalf("append an empty batch: %v", err)
	}
	for _, bucket := range []report.Bucket{report.Whole, report.Day} {
		for _, group := range []report.Dimension{"", report.Link} {
			q := day()
			q.Bucket, q.GroupBy = bucket, group
			expect(t, s, q, report.Result{})
		}
	}
	if clicks, err := s.Clicks(t.Context(), report.ClickQuery{From: march(), To: march().Add(time.Hour)}); err != nil || len(clicks) != 0 {
		t.Fatalf("%d clicks, %v", len(clicks), err)
	}
}

// plain makes clicks without texts, so that a test says what matters.
type plain struct{ g *Generator }

func (p plain) click(at time.Duration, affiliate, link int64, visitor uint64, bot click.BotReason) click.Record {
	return click.Record{ID: p.g.keys.Mint(march().Add(at), 3, link, affiliate), ProgramID: 1, Visitor: visitor, Bot: bot}
}

// testFigures has every figure worked out by hand.
func testFigures(t *testing.T, s Store) {
	p := plain{NewGenerator(t, 1, march())}
	clicks := []click.Record{
		p.click(0, 1, 10, 1, ""), // the first millisecond counts
		p.click(time.Hour, 1, 10, 1, ""),
		p.click(time.Hour, 1, 11, 2, ""),
		p.click(2*time.Hour, 2, 20, 1, ""),
		p.click(2*time.Hour, 2, 20, 3, click.BotCrawler),
		p.click(24*time.Hour-time.Millisecond, 2, 20, 0, ""),
		p.click(24*time.Hour, 1, 10, 1, ""), // the next day: not in the first, and a new visitor
	}
	facts := []report.Fact{
		{ID: 1, Time: march().UnixMilli(), ClickID: clicks[0].ID, ProgramID: 1, AffiliateID: 1, LinkID: 10, Leads: 1},
		{ID: 2, Time: march().Add(time.Hour).UnixMilli(), ClickID: clicks[0].ID, ProgramID: 1, AffiliateID: 1, LinkID: 10, Sales: 1, Currency: "INR", Revenue: 1000, Commission: 750},
		{ID: 3, Time: march().Add(3 * time.Hour).UnixMilli(), ClickID: clicks[0].ID, ProgramID: 1, AffiliateID: 1, LinkID: 10, Refunds: 1, Currency: "INR", Revenue: -400, Commission: -300},
		{ID: 4, Time: march().Add(24 * time.Hour).UnixMilli(), ClickID: clicks[3].ID, ProgramID: 1, AffiliateID: 2, LinkID: 20, Sales: 1, Currency: "INR", Revenue: 5, Commission: 4},
	}
	fill(t, s, "b", clicks, facts)
	inr := []report.Money{{Currency: "INR", Revenue: 600, Commission: 450}}
	one := report.Figures{Clicks: 3, Uniques: 2, Leads: 1, Sales: 1, Refunds: 1, Money: inr}
	two := report.Figures{Clicks: 3, Bots: 1, Uniques: 2}
	total := report.Figures{Clicks: 6, Bots: 1, Uniques: 3, Leads: 1, Sales: 1, Refunds: 1, Money: inr}

	q := day()
	expect(t, s, q, report.Result{Rows: []report.Row{{Figures: total}}, Total: total})
	q.GroupBy = report.Affiliate
	expect(t, s, q, report.Result{Rows: []report.Row{{Key: "1", Figures: one}, {Key: "2", Figures: two}}, Total: total})
	q.AffiliateID = 2
	expect(t, s, q, report.Result{Rows: []report.Row{{Key: "2", Figures: two}}, Total: two})
	q = day()
	q.Filters = []report.Filter{{Dimension: report.Link, Values: []string{"10", "11"}}}
	expect(t, s, q, report.Result{Rows: []report.Row{{Figures: one}}, Total: one})
	q.Filters[0].Not = true
	expect(t, s, q, report.Result{Rows: []report.Row{{Figures: two}}, Total: two})
	q = day()
	q.GroupBy = report.Node
	expect(t, s, q, report.Result{Rows: []report.Row{{Key: "3", Figures: total}}, Total: total})

	// Over both days: visitor 1 of the second day is another one.
	q = day()
	q.To = march().AddDate(0, 0, 2)
	if got := mustReport(t, s, q).Total.Uniques; got != 4 {
		t.Fatalf("uniques over two days: %d; want 4", got)
	}
	// A span inside one second, to the millisecond.
	q.From, q.To = march().Add(time.Hour), march().Add(time.Hour+time.Millisecond)
	if got := mustReport(t, s, q).Total; got.Clicks != 2 || got.Sales != 1 {
		t.Fatalf("one millisecond: %+v; want 2 clicks and 1 sale", got)
	}
}

func testMoney(t *testing.T, s Store) {
	at := march().UnixMilli()
	fill(t, s, "b", nil, []report.Fact{
		{ID: 1, Time: at, AffiliateID: 1, Sales: 1, Currency: "USD", Revenue: 7, Commission: 5},
		{ID: 2, Time: at, AffiliateID: 2, Sales: 1, Currency: "INR", Revenue: 9_000_000_000_000_000, Commission: 1},
		{ID: 3, Time: at, AffiliateID: 2, Sales: 1, Currency: "INR", Revenue: 9_000_000_000_000_001, Commission: 1},
		{ID: 4, Time: at, AffiliateID: 3, Sales: 1, Currency: "EUR", Revenue: 100, Commission: 75},
		{ID: 5, Time: at, AffiliateID: 3, Refunds: 1, Currency: "EUR", Revenue: -100, Commission: -75},
		{ID: 6, Time: at, AffiliateID: 4, Refunds: 1, Currency: "INR", Revenue: -50, Commission: -40},
	})
	usd := report.Money{Currency: "USD", Revenue: 7, Commission: 5}
	rows := map[string]report.Row{
		"1": {Key: "1", Figures: report.Figures{Sales: 1, Money: []report.Money{usd}}},
		"2": {Key: "2", Figures: report.Figures{Sales: 2, Money: []report.Money{{Currency: "INR", Revenue: 18_000_000_000_000_001, Commission: 2}}}},
		"3": {Key: "3", Figures: report.Figures{Sales: 1, Refunds: 1}}, // sums to zero: no money line
		"4": {Key: "4", Figures: report.Figures{Refunds: 1, Money: []report.Money{{Currency: "INR", Revenue: -50, Commission: -40}}}},
	}
	total := report.Figures{Sales: 4, Refunds: 2, Money: []report.Money{{Currency: "INR", Revenue: 17_999_999_999_999_951, Commission: -38}, usd}}
	for _, c := range []struct {
		by       report.Metric
		currency string
		order    string
	}{
		{report.Revenue, "", "2134"}, // by INR, the first currency that is left
		{report.Commission, "INR", "2134"},
		{report.Revenue, "USD", "1234"},
		{report.Revenue, "EUR", "1234"},
		{report.Sales, "", "2134"},
		{report.Clicks, "", "1234"},
	} {
		q := day()
		q.GroupBy, q.OrderBy, q.Currency = report.Affiliate, c.by, c.currency
		want := report.Result{Total: total}
		for _, key := range c.order {
			want.Rows = append(want.Rows, rows[string(key)])
		}
		expect(t, s, q, want)
	}
}

// testBuckets has the boundaries of buckets worked out by hand.
func testBuckets(t *testing.T, s Store) {
	p := plain{NewGenerator(t, 1, march())}
	utc := func(day, hour, minute int) time.Time {
		return time.Date(2026, time.March, day, hour, minute, 0, 0, time.UTC)
	}
	fall := func(hour, minute int) time.Time {
		return time.Date(2026, time.November, 1, hour, minute, 0, 0, time.UTC)
	}
	for i, at := range []time.Time{
		utc(7, 18, 14), utc(7, 18, 15), utc(7, 18, 29), utc(7, 18, 30), // midnights of Kathmandu and Kolkata
		utc(8, 6, 59), utc(8, 7, 0), // New York: 01:59 EST, 03:00 EDT
		utc(9, 3, 59), utc(9, 4, 0), // New York: the 8th has 23 hours
		fall(5, 30), fall(6, 30), fall(7, 30), // New York: 01:30 EDT, 01:30 EST, 02:30 EST
	} {
		c := p.click(at.Sub(march()), 1, 10, uint64(i), "")
		fill(t, s, fmt.Sprint(i), []click.Record{c}, []report.Fact{{ID: int64(i + 1), Time: at.UnixMilli(), ClickID: c.ID, Leads: 1}})
	}
	for _, c := range []struct {
		zone     string
		bucket   report.Bucket
		from, to time.Time
		want     []string // local start and clicks
	}{
		{"UTC", report.Day, utc(7, 0, 0), utc(9, 0, 0), []string{"03-07T00:00Z 4", "03-08T00:00Z 2"}},
		{"UTC", report.Hour, utc(7, 18, 15), utc(7, 18, 30), []string{"03-07T18:00Z 2"}},
		{"Asia/Kolkata", report.Day, utc(7, 0, 0), utc(8, 0, 0), []string{"03-07T00:00+05:30 3", "03-08T00:00+05:30 1"}},
		{"Asia/Kolkata", report.Hour, utc(7, 18, 0), utc(7, 19, 0), []string{"03-07T23:00+05:30 3", "03-08T00:00+05:30 1"}},
		{"Asia/Kathmandu", report.Day, utc(7, 0, 0), utc(8, 0, 0), []string{"03-07T00:00+05:45 1", "03-08T00:00+05:45 3"}},
		{"Asia/Kathmandu", report.Hour, utc(7, 18, 14), utc(7, 19, 0), []string{"03-07T23:00+05:45 1", "03-08T00:00+05:45 3"}},
		{"America/New_York", report.Hour, utc(8, 6, 0), utc(8, 8, 0), []string{"03-08T01:00-05:00 1", "03-08T03:00-04:00 1"}},
		{"America/New_York", report.Day, utc(8, 5, 0), utc(10, 0, 0), []string{"03-08T00:00-05:00 3", "03-09T00:00-04:00 1"}},
		{"America/New_York", report.Hour, fall(5, 0), fall(8, 0), []string{"11-01T01:00-04:00 1", "11-01T01:00-05:00 1", "11-01T02:00-05:00 1"}},
		{"America/New_York", report.Day, fall(0, 0), fall(23, 0), []string{"11-01T00:00-04:00 3"}},
	} {
		q := report.Query{From: c.from, To: c.to, Zone: zone(t, c.zone), Bucket: c.bucket}
		var got []string
		for _, r := range mustReport(t, s, q).Rows {
			if r.Clicks != r.Leads || r.Clicks != r.Uniques {
				t.Errorf("report %s: row %+v; want as many leads and uniques as clicks", describe(q), r)
			}
			got = append(got, fmt.Sprintf("%s %d", r.Start.Format("01-02T15:04Z07:00"), r.Clicks))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("report %s\n  want %q\n  got  %q", describe(q), c.want, got)
		}
	}
}

// testTopAndOther: which groups are shown, in which order, and what Other counts.
func testTopAndOther(t *testing.T, s Store) {
	p := plain{NewGenerator(t, 1, march())}
	var clicks []click.Record
	for link, visits := range map[int64][]uint64{1: {1, 2, 3}, 2: {1, 1}, 3: {1, 4}, 10: {5, 5}} {
		for i, v := range visits {
			clicks = append(clicks, p.click(time.Duration(i)*time.Hour, 1, link, v, ""))
		}
	}
	fill(t, s, "b", clicks, nil)
	figures := func(clicks, uniques int64) report.Figures { return report.Figures{Clicks: clicks, Uniques: uniques} }
	other := figures(4, 2)
	q := day()
	q.GroupBy, q.Limit = report.Link, 2
	// "10" comes before "2" and "3" among equals: keys are texts.
	expect(t, s, q, report.Result{Rows: []report.Row{{Key: "1", Figures: figures(3, 3)}, {Key: "10", Figures: figures(2, 1)}}, Other: &other, Total: figures(9, 5)})

	q.OrderBy, q.Bucket = report.Uniques, report.Hour
	hour := func(h int) time.Time { return march().Add(time.Duration(h) * time.Hour) }
	other = figures(4, 2) // links 2 and 10: visitors 1 and 5, each once over the whole span
	expect(t, s, q, report.Result{
		Rows: []report.Row{
			{Start: hour(0), Key: "1", Figures: figures(1, 1)}, {Start: hour(0), Key: "3", Figures: figures(1, 1)},
			{Start: hour(1), Key: "1", Figures: figures(1, 1)}, {Start: hour(1), Key: "3", Figures: figures(1, 1)},
			{Start: hour(2), Key: "1", Figures: figures(1, 1)},
		},
		Other: &other, Total: figures(9, 5),
	})
	q.Limit, q.Bucket = 4, report.Whole
	if got := mustReport(t, s, q); got.Other != nil || len(got.Rows) != 4 {
		t.Fatalf("limit as large as the groups: %d rows, other %+v; want 4 and none", len(got.Rows), got.Other)
	}
}

func testFactsWithoutClick(t *testing.T, s Store) {
	p := plain{NewGenerator(t, 1, march())}
	c := p.click(0, 1, 10, 1, click.BotHead)
	c.Country = "IN"
	unknown := p.click(0, 1, 10, 1, "").ID
	at := march().UnixMilli()
	fill(t, s, "b", []click.Record{c}, []report.Fact{
		{ID: 1, Time: at, Leads: 1},
		{ID: 2, Time: at, ClickID: unknown, AffiliateID: 1, LinkID: 10, ProgramID: 1, Leads: 1},
		{ID: 3, Time: at, ClickID: c.ID, AffiliateID: 2, LinkID: 20, ProgramID: 2, Leads: 1},
	})
	for _, d := range []struct {
		dimension report.Dimension
		want      map[string][2]int64 // clicks, leads
	}{
		{report.Affiliate, map[string][2]int64{"": {0, 1}, "1": {1, 1}, "2": {0, 1}}},
		{report.Link, map[string][2]int64{"": {0, 1}, "10": {1, 1}, "20": {0, 1}}},
		{report.Program, map[string][2]int64{"": {0, 1}, "1": {1, 1}, "2": {0, 1}}},
		{report.Country, map[string][2]int64{"": {0, 2}, "IN": {1, 1}}},
		{report.Node, map[string][2]int64{"": {0, 2}, "3": {1, 1}}},
		{report.Bot, map[string][2]int64{"": {0, 2}, "head": {1, 1}}},
		{report.Sub5, map[string][2]int64{"": {1, 3}}},
	} {
		q := day()
		q.GroupBy = d.dimension
		got := make(map[string][2]int64)
		for _, r := range mustReport(t, s, q).Rows {
			got[r.Key] = [2]int64{r.Clicks, r.Leads}
		}
		if fmt.Sprint(got) != fmt.Sprint(d.want) {
			t.Errorf("by %s: %v; want %v", d.dimension, got, d.want)
		}
		for key, want := range d.want {
			for _, not := range []bool{false, true} {
				q := day()
				q.Filters = []report.Filter{{Dimension: d.dimension, Values: []string{key}, Not: not}}
				want := want
				if not {
					want = [2]int64{1 - want[0], 3 - want[1]}
				}
				if got := mustReport(t, s, q).Total; got.Clicks != want[0] || got.Leads != want[1] {
					t.Errorf("filter %s %q not=%v: %d clicks and %d leads; want %v", d.dimension, key, not, got.Clicks, got.Leads, want)
				}
			}
		}
	}
}

// testOddTexts: every odd value is its own group, comes back from a filter, and from the listing byte by byte.
func testOddTexts(t *testing.T, s Store) {
	g, model := NewGenerator(t, 1, march()), new(Model)
	var clicks []click.Record
	for _, text := range oddTexts() {
		c := g.ClickAt(march().Add(time.Minute))
		c.Sub[0], c.UTMCampaign, c.ReferrerHost, c.ReferrerPath, c.GCLID, c.Browser = text, text, text, text, text, text
		clicks = append(clicks, c)
	}
	facts := g.Facts(clicks, 100)
	for _, into := range []Store{model, s} {
		fill(t, into, "odd", clicks, facts)
	}
	for _, d := range []report.Dimension{report.Sub1, report.UTMCampaign, report.ReferrerHost, report.ReferrerPath, report.GCLID, report.Browser} {
		q := day()
		q.GroupBy = d
		checkReport(t, model, s, q)
		for _, text := range oddTexts() {
			for _, not := range []bool{false, true} {
				q := day()
				q.Filters = []report.Filter{{Dimension: d, Values: []string{text}, Not: not}}
				if got := checkReport(t, model, s, q); !not && got.Total.Clicks != 1 {
					t.Fatalf("filter %s %.40q: %d clicks; want 1", d, text, got.Total.Clicks)
				}
			}
		}
	}
	checkClicks(t, model, s, report.ClickQuery{From: march(), To: march().Add(time.Hour)})
}

func testBadQueries(t *testing.T, s Store) {
	for name, change := range map[string]func(*report.Query){
		"empty span":        func(q *report.Query) { q.To = q.From },
		"unknown dimension": func(q *report.Query) { q.GroupBy = "visitor" },
		"unknown filter":    func(q *report.Query) { q.Filters = []report.Filter{{Dimension: "1=1", Values: []string{""}}} },
		"filter of nothing": func(q *report.Query) { q.Filters = []report.Filter{{Dimension: report.Bot}} },
		"unknown order":     func(q *report.Query) { q.OrderBy = "epc" },
		"unknown bucket":    func(q *report.Query) { q.Bucket = "week" },
		"limit":             func(q *report.Query) { q.Limit = report.MaxLimit + 1 },
	} {
		q := day()
		change(&q)
		if _, err := s.Report(t.Context(), q); !isQueryError(err) {
			t.Errorf("%s: %v; want an error that wraps report.ErrQuery", name, err)
		}
	}
	if _, err := s.Clicks(t.Context(), report.ClickQuery{From: march(), To: march()}); !isQueryError(err) {
		t.Errorf("listing of an empty span: %v; want an error that wraps report.ErrQuery", err)
	}
}

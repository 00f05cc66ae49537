package trial

import (
	"strings"
	"testing"

	"github.com/edgeref/edgeref/bench/load"
	"github.com/edgeref/edgeref/bench/system"
	"github.com/edgeref/edgeref/wire/conversion"
)

// sound is the evidence of a run in which everything is as it must be.
func sound() *evidence {
	counts := func(n int64) totals {
		return totals{
			received: n, recorded: n - n/100, appended: n - n/100, delivered: n - n/100, accepted: n / 10, convAppended: n / 10, convDelivered: n / 10,
			refused: map[string]int64{"full": n / 100}, outcomes: map[string]int64{"booked": n * 8 / 100, "duplicate": n * 2 / 100},
			starts: map[string]float64{"http://ops": 7},
		}
	}
	e := &evidence{
		links:     load.Result{Scheduled: 103, Answered: 101, Unsent: 2},
		postbacks: &load.Result{Scheduled: 10, Answered: 10},
		tally:     &tally{tracked: 99, bots: 20, bare: 1, other: map[int]int64{404: 1}, prints: []uint64{3, 1, 2}},
		converter: &converter{
			booked: booked{Leads: 2, Sales: 5, Refunds: 1, Revenue: 4000, Commission: 3000}, duplicates: 2,
			acks: []ack{{4, 100}, {6, 100}, {8, 101}}, open: map[uint64]*openEvent{},
		},
		before: counts(100), after: counts(200),
		ledgerHolds: true, listed: lists(2, 3, 1), found: &found{booked: map[uint64]int{4: 1, 6: 1, 8: 1}},
	}
	e.report = figures{Clicks: 99, Bots: 20, Leads: 2, Sales: 5, Refunds: 1}
	e.report.Money = append(e.report.Money, struct {
		Currency   string `json:"currency"`
		Revenue    int64  `json:"revenue_minor"`
		Commission int64  `json:"commission_minor"`
	}{"INR", 4000, 3000})
	e.after.equations = []Check{equal("spool at http://ops", 5, 5)}
	return e
}

// lists is a list of clicks, with the second that each is of.
func lists(prints ...uint64) (list []listed) {
	for _, print := range prints {
		list = append(list, listed{print, 100 + int64(print)})
	}
	return list
}

func broken(checks []Check) (names []string) {
	for _, c := range checks {
		if !c.Held {
			names = append(names, c.Name)
		}
	}
	return names
}

func TestSoundEvidenceHolds(t *testing.T) {
	e := sound()
	if names := broken(e.checks()); names != nil {
		t.Errorf("broken: %q", names)
	}
	if n := len(e.checks()); n != 30 {
		t.Errorf("%d equations; want 30", n)
	}
}

// Each way to lose, double or invent something is found by the equation that is about it.
func TestEachLossIsFound(t *testing.T) {
	for name, c := range map[string]struct {
		damage func(*evidence)
		found  string
	}{
		"answer that was not counted":         {func(e *evidence) { e.links.Answered-- }, "requests sent"},
		"answer of another kind":              {func(e *evidence) { e.tally.other[500] = 1 }, "answered = 302"},
		"damaged Click ID":                    {func(e *evidence) { e.tally.badID = 1 }, "damaged Click IDs"},
		"Click ID handed out twice":           {func(e *evidence) { e.tally.prints[0] = 2 }, "handed out twice"},
		"click lost on the way to the store":  {func(e *evidence) { e.report.Clicks-- }, "clicks in the reports"},
		"click stored twice":                  {func(e *evidence) { e.report.Clicks++ }, "clicks in the reports"},
		"bot taken for a person":              {func(e *evidence) { e.report.Bots-- }, "of those, bots"},
		"click not recorded":                  {func(e *evidence) { e.after.recorded-- }, "clicks recorded by the trackers"},
		"refusal not counted":                 {func(e *evidence) { e.after.refused["full"]-- }, "clicks refused by the trackers"},
		"click neither recorded nor refused":  {func(e *evidence) { e.after.received++ }, "clicks received ="},
		"recorded click not in the spool":     {func(e *evidence) { e.after.appended-- }, "clicks recorded = spooled"},
		"spooled click not delivered":         {func(e *evidence) { e.after.delivered-- }, "clicks spooled = delivered"},
		"lead lost":                           {func(e *evidence) { e.report.Leads-- }, "leads acknowledged"},
		"sale booked twice":                   {func(e *evidence) { e.report.Sales++ }, "sales acknowledged"},
		"refund lost":                         {func(e *evidence) { e.report.Refunds-- }, "refunds acknowledged"},
		"revenue off by one":                  {func(e *evidence) { e.report.Money[0].Revenue++ }, "revenue acknowledged"},
		"commission off by one":               {func(e *evidence) { e.report.Money[0].Commission-- }, "commission reckoned"},
		"postback not accepted":               {func(e *evidence) { e.after.accepted-- }, "accepted by the trackers"},
		"duplicate booked":                    {func(e *evidence) { e.after.outcomes["booked"]++ }, "= booked"},
		"duplicate lost":                      {func(e *evidence) { e.after.outcomes["duplicate"]-- }, "= duplicates"},
		"conversion refused":                  {func(e *evidence) { e.after.outcomes["refused"] = 1 }, "conflicts and refusals"},
		"conversion stuck":                    {func(e *evidence) { e.after.convDelivered-- }, "conversions spooled"},
		"equation of the metrics":             {func(e *evidence) { e.after.equations[0] = equal("spool at http://ops", 5, 4) }, "spool at"},
		"ledger":                              {func(e *evidence) { e.ledgerHolds = false }, "ledger verification"},
		"click missing in the list":           {func(e *evidence) { e.listed = lists(1, 3) }, "without a click in the list"},
		"click listed twice":                  {func(e *evidence) { e.listed = lists(1, 2, 2, 3) }, "listed twice"},
		"click in the list that nobody had":   {func(e *evidence) { e.listed = lists(1, 2, 3, 9) }, "nobody was told of"},
		"one click in the list for another's": {func(e *evidence) { e.listed = lists(1, 2, 9) }, "without a click in the list"},
		"conversion missing in the list":      {func(e *evidence) { delete(e.found.booked, 6) }, "not booked in the list"},
		"conversion listed twice":             {func(e *evidence) { e.found.booked[6] = 2 }, "conversions that are listed twice"},
		"conversion that was never sent":      {func(e *evidence) { e.found.booked[7] = 1 }, "never sent"},
		"conversion of somebody else":         {func(e *evidence) { e.found.add("run", "other-6", "booked") }, "never sent"},
		"one conversion for another":          {func(e *evidence) { delete(e.found.booked, 6); e.found.booked[7] = 1 }, "not booked in the list"},
		"conversion refused in the list":      {func(e *evidence) { e.found.add("run", "run-6", "refused") }, "that are not booked"},
	} {
		e := sound()
		c.damage(e)
		names := broken(e.checks())
		if !strings.Contains(strings.Join(names, "\n"), c.found) {
			t.Errorf("%s: found by %q; want %q", name, names, c.found)
		}
	}
}

// A request without an answer may have been served: that much more is no difference, and one above that is.
func TestUnansweredRequestsGiveSlack(t *testing.T) {
	e := sound()
	e.links.Scheduled, e.links.Failed = 104, 1
	e.postbacks.Failed = 1
	e.converter.open[7] = &openEvent{event: event{n: 7, kind: conversion.Sale, minor: 400, click: testID(t, 1)}, maybe: true}
	e.report.Clicks, e.report.Sales = e.report.Clicks+1, e.report.Sales+1
	e.listed = append(e.listed, lists(9)...)
	e.found.booked[7] = 1
	e.report.Money[0].Revenue += 400 // of the sale that nobody was told of
	e.report.Money[0].Commission += 300
	if names := broken(e.checks()); names != nil {
		t.Errorf("broken: %q", names)
	}
	e.report.Clicks++
	e.report.Sales++
	e.listed = append(e.listed, lists(10)...)
	if names := broken(e.checks()); len(names) != 3 {
		t.Errorf("broken: %q; want clicks, sales and list of clicks", names)
	}
	e = sound()
	e.links.Scheduled, e.links.Failed, e.report.Clicks = 104, 1, e.report.Clicks-1
	if names := broken(e.checks()); len(names) != 1 {
		t.Errorf("broken: %q; want the click that was acknowledged and is not there", names)
	}
}

// Counters begin at 0 in a new process: then the reports alone decide, and still find what is lost.
func TestRestartedProcess(t *testing.T) {
	e := sound()
	e.after = totals{starts: map[string]float64{"http://ops": 8}, recorded: 3}
	if names := broken(e.checks()); names != nil {
		t.Errorf("broken: %q", names)
	}
	e.report.Clicks--
	if names := broken(e.checks()); len(names) != 1 {
		t.Errorf("broken: %q; want the lost click", names)
	}
}

func TestTotalsAreOfAllProcesses(t *testing.T) {
	const text = `edgeref_tracker_clicks_received_total 10
edgeref_tracker_clicks_recorded_total 8
edgeref_tracker_clicks_refused_total{reason="full"} 2
edgeref_tracker_conversions_accepted_total{channel="postback"} 3
edgeref_spool_appended_records_total{spool="clicks"} 8
edgeref_spool_delivered_records_total{spool="clicks"} 7
edgeref_spool_pending_records{spool="clicks"} 1
edgeref_spool_appended_records_total{spool="conversions"} 3
edgeref_spool_delivered_records_total{spool="conversions"} 3
edgeref_delivery_conversions_total{outcome="booked"} 3
process_start_time_seconds 1.5
`
	s, err := system.ParseMetrics(text)
	if err != nil {
		t.Fatal(err)
	}
	got := totals{refused: map[string]int64{}, outcomes: map[string]int64{}, starts: map[string]float64{}}
	got.add("a", s)
	got.add("b", s)
	if got.received != 20 || got.recorded != 16 || got.refused["full"] != 4 || got.accepted != 6 || got.appended != 16 || got.delivered != 14 ||
		got.convAppended != 6 || got.convDelivered != 6 || got.outcomes["booked"] != 6 || len(got.starts) != 2 || len(got.equations) != 6 || broken(got.equations) != nil {
		t.Errorf("%+v", got)
	}
}

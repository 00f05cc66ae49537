package replay

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/edgeref/edgeref/bench/system"
	"github.com/edgeref/edgeref/wire/report"
)

// exactUniques is up to where a count of distinct visitors must be exact; above, 2 % are allowed.
const exactUniques = 1000

// settleStep is the time between two looks at reports that have not caught up.
const settleStep = 200 * time.Millisecond

// comparer compares what the system says with what the oracle says.
type comparer struct {
	opts     *Options
	api      *system.Client
	oracle   *oracle
	sender   *sender
	from, to time.Time
	now      func() time.Time
	extra    int // clicks that were recorded although their answer never came
}

// reportAnswer is the body of GET /api/v1/reports.
type reportAnswer struct {
	Rows  []reportRow    `json:"rows"`
	Other *reportFigures `json:"other"`
	Total reportFigures  `json:"total"`
}

type reportRow struct {
	Start string `json:"start"`
	Key   string `json:"key"`
	reportFigures
}

type reportFigures struct {
	Clicks  int64         `json:"clicks"`
	Bots    int64         `json:"bots"`
	Uniques int64         `json:"uniques"`
	Leads   int64         `json:"leads"`
	Sales   int64         `json:"sales"`
	Refunds int64         `json:"refunds"`
	Rate    float64       `json:"conversion_rate"` // sales per click without a bot reason
	Money   []reportMoney `json:"money"`
}

type reportMoney struct {
	Currency   string  `json:"currency"`
	Revenue    int64   `json:"revenue_minor"`
	Commission int64   `json:"commission_minor"`
	EPC        float64 `json:"epc_minor"` // commission per click without a bot reason
}

func (c *comparer) ask(ctx context.Context, q *query) (reportAnswer, error) {
	var a reportAnswer
	err := c.api.Get(ctx, "/reports", q.values(), &a)
	if err != nil {
		return a, fmt.Errorf("report %q: %w", q.Name, err)
	}
	return a, nil
}

// settle waits until nothing is on its way any more and the totals are there, or until time is up: what is missing then
// comes out in the comparison.
func (c *comparer) settle(ctx context.Context) error {
	totals := c.oracle.world.questions(c.from, c.to)[0]
	want := c.oracle.answer(&totals).Total
	deadline := c.now().Add(c.opts.Settle)
	for {
		done, err := c.settled(ctx, &totals, want)
		if done || err != nil && ctx.Err() != nil {
			return err
		}
		if !c.now().Before(deadline) {
			return err
		}
		if err := wait(ctx, settleStep); err != nil {
			return err
		}
	}
}

func (c *comparer) settled(ctx context.Context, totals *query, want *tally) (bool, error) {
	for _, ops := range c.opts.Ops {
		s, err := c.api.Scrape(ctx, ops)
		if err != nil || s.Pending() > 0 {
			return false, err
		}
	}
	got, err := c.ask(ctx, totals)
	if err != nil {
		return false, err
	}
	check := Check{}
	got.Total.Clicks, got.Total.Bots, got.Total.Uniques = max(got.Total.Clicks, want.Clicks), want.Bots, want.Uniques
	if extra := got.Total.Clicks - want.Clicks; extra <= int64(c.mayBeExtra()) {
		got.Total.Clicks = want.Clicks
	}
	got.Total.compare(&check, "", want)
	return check.Differences == 0, nil
}

// mayBeExtra is how many clicks may have been recorded without an answer.
func (c *comparer) mayBeExtra() int {
	n := 0
	for _, times := range c.sender.before.Unanswered {
		n += times
	}
	return n
}

// compare makes all comparisons. The error says that one could not be made.
func (c *comparer) compare(ctx context.Context) ([]Check, error) {
	checks := []Check{c.sender.answers, c.sender.conversions}
	for _, part := range []func(context.Context) ([]Check, error){
		c.clicks, c.conversions, c.reports, c.ledger, c.conserved,
	} {
		more, err := part(ctx)
		checks = append(checks, more...)
		if err != nil {
			return checks, err
		}
	}
	return checks, nil
}

func (c *comparer) reports(ctx context.Context) ([]Check, error) {
	var checks []Check
	for _, q := range c.oracle.world.questions(c.from, c.to) {
		got, err := c.ask(ctx, &q)
		if err != nil {
			return checks, err
		}
		want := c.oracle.answer(&q)
		checks = append(checks, compareReport(&q, &want, &got))
	}
	return checks, nil
}

// compareReport compares row by row, then other and total.
func compareReport(q *query, want *answer, got *reportAnswer) Check {
	check := Check{Name: "report " + q.Name, Groups: len(want.Rows), Expected: want.Total.Clicks}
	seen := map[cell]bool{}
	for i := range got.Rows {
		row := &got.Rows[i]
		check.Got += row.Clicks
		at, err := row.cell(q)
		if err != nil {
			check.differ("%s: %v", row.Key, err)
			continue
		}
		label := at.label(q)
		switch expected := want.Rows[at]; {
		case seen[at]:
			check.differ("%s: listed twice", label)
		case expected == nil:
			check.differ("%s: not expected, has %d clicks, %d leads, %d sales", label, row.Clicks, row.Leads, row.Sales)
		default:
			row.compare(&check, label, expected)
		}
		seen[at] = true
	}
	for at, expected := range want.Rows {
		if !seen[at] {
			check.differ("%s: missing, want %d clicks, %d leads, %d sales", at.label(q), expected.Clicks, expected.Leads, expected.Sales)
		}
	}
	switch {
	case want.Other == nil && got.Other != nil:
		check.differ("other: not expected, has %d clicks", got.Other.Clicks)
	case want.Other != nil && got.Other == nil:
		check.differ("other: missing, want %d clicks", want.Other.Clicks)
	case want.Other != nil:
		check.Got += got.Other.Clicks
		got.Other.compare(&check, "other", want.Other)
	}
	got.Total.compare(&check, "total", want.Total)
	checkOrder(&check, q, got.Rows)
	return check
}

// checkOrder demands the order that reports promise: by bucket, then by clicks, ties by key. Keys that are ids are
// ordered by a form that the API does not show.
func checkOrder(check *Check, q *query, rows []reportRow) {
	ids := q.Group == report.Affiliate || q.Group == report.Program || q.Group == report.Link
	for i := 1; i < len(rows); i++ {
		a, b := &rows[i-1], &rows[i]
		atA, errA := a.cell(q)
		atB, errB := b.cell(q)
		if errors.Join(errA, errB) != nil || atA.Start < atB.Start {
			continue
		}
		if atA.Start > atB.Start || a.Clicks < b.Clicks || a.Clicks == b.Clicks && a.Key > b.Key && !ids {
			check.differ("%s: out of order, after %s", atB.label(q), atA.label(q))
		}
	}
}

func (r *reportRow) cell(q *query) (cell, error) {
	at := cell{Key: r.Key}
	if q.Bucket == report.Whole {
		return at, nil
	}
	start, err := time.Parse(time.RFC3339Nano, r.Start)
	if err != nil {
		return at, fmt.Errorf("start %q is not a time", r.Start)
	}
	at.Start = start.UnixMilli()
	return at, nil
}

func (at cell) label(q *query) string {
	key := fmt.Sprintf("%s %q", q.Group, at.Key)
	if q.Group == "" {
		key = "all"
	}
	if q.Bucket == report.Whole {
		return key
	}
	return time.UnixMilli(at.Start).In(q.Zone).Format("2006-01-02 15:04 MST") + ", " + key
}

// compare compares every figure of a row.
func (f *reportFigures) compare(check *Check, label string, want *tally) {
	for _, figure := range []struct {
		name      string
		want, got int64
	}{
		{"clicks", want.Clicks, f.Clicks}, {"bots", want.Bots, f.Bots},
		{"leads", want.Leads, f.Leads}, {"sales", want.Sales, f.Sales}, {"refunds", want.Refunds, f.Refunds},
	} {
		if figure.want != figure.got {
			check.differ("%s: %s %d, want %d", label, figure.name, figure.got, figure.want)
		}
	}
	off := max(f.Uniques-want.Uniques, want.Uniques-f.Uniques)
	if allowed := want.Uniques / 50; off > 0 && (want.Uniques <= exactUniques || off > allowed) {
		check.differ("%s: uniques %d, want %d", label, f.Uniques, want.Uniques)
	}
	people := want.Clicks - want.Bots
	if !same(f.Rate, want.Sales, people) {
		check.differ("%s: conversion rate %v, want %d in %d", label, f.Rate, want.Sales, people)
	}
	f.compareMoney(check, label, want, people)
}

func (f *reportFigures) compareMoney(check *Check, label string, want *tally, people int64) {
	got := map[string]reportMoney{}
	for _, m := range f.Money {
		if _, twice := got[m.Currency]; twice {
			check.differ("%s: %s listed twice", label, m.Currency)
		}
		got[m.Currency] = m
	}
	for _, m := range want.Money {
		g := got[m.Currency]
		if g.Revenue != m.Revenue || g.Commission != m.Commission {
			check.differ("%s: revenue %d and commission %d %s, want %d and %d", label, g.Revenue, g.Commission, m.Currency, m.Revenue, m.Commission)
		}
		if !same(g.EPC, m.Commission, people) {
			check.differ("%s: EPC %v %s, want %d in %d", label, g.EPC, m.Currency, m.Commission, people)
		}
		delete(got, m.Currency)
	}
	for currency, g := range got {
		check.differ("%s: revenue %d and commission %d %s, want none", label, g.Revenue, g.Commission, currency)
	}
}

// same reports whether got is num/den, which is 0 where den is 0.
func same(got float64, num, den int64) bool {
	if den <= 0 {
		return got == 0
	}
	want := float64(num) / float64(den)
	return math.Abs(got-want) <= 1e-9*max(1, math.Abs(want))
}

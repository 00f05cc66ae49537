package clickhouse

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"golang.org/x/sync/errgroup"

	"github.com/edgeref/edgeref/wire/report"
)

// Report answers a query. Clicks and facts are read by separate statements, so figures of clicks and of facts that
// arrive meanwhile may be a moment apart. The error wraps report.ErrQuery where the query is at fault.
func (s *Store) Report(ctx context.Context, q report.Query) (result report.Result, err error) {
	if err := q.Validate(); err != nil {
		return report.Result{}, err
	}
	defer func(start time.Time) { s.metrics.done(reports, start, err) }(time.Now())
	p := newPlan(q)
	if p.from >= p.to {
		return report.Result{}, nil
	}
	withFacts := !p.byClicks()
	a, err := s.answer(ctx, p, withFacts)
	if err == nil && !withFacts && a.missing() {
		a, err = s.answer(ctx, p, true)
	}
	if err != nil {
		return report.Result{}, fmt.Errorf("report: %w", err)
	}
	t := &table{plan: p, cells: make(map[cell]*sums)}
	for _, line := range a.clicks {
		t.addClicks(line)
	}
	for _, line := range a.facts {
		t.addFacts(line)
	}
	return t.result(a.currency), nil
}

// answer is what the statements of a report have found.
type answer struct {
	ranking
	clicks []clickLine
	facts  []factLine
}

// missing says whether groups without clicks, which the ranking has not seen, may be among those to show.
func (a *answer) missing() bool {
	hidden := slices.ContainsFunc(a.facts, func(l factLine) bool { return l.other == 1 })
	return a.grouped && (len(a.shown) == 0 || hidden && (!a.full || a.least <= 0))
}

func (s *Store) answer(ctx context.Context, p *plan, withFacts bool) (a answer, err error) {
	if a.ranking, err = s.rank(ctx, p, withFacts); err != nil {
		return a, fmt.Errorf("find the groups to show: %w", err)
	}
	if a.grouped && len(a.shown) == 0 {
		return a, nil // no group
	}
	work, workCtx := errgroup.WithContext(ctx)
	work.Go(func() (err error) {
		a.clicks, err = s.clickLines(workCtx, p, a.shown)
		return err
	})
	work.Go(func() (err error) {
		a.facts, err = s.factLines(workCtx, p, a.shown)
		return err
	})
	err = work.Wait()
	return a, err
}

// ranking is the groups that get rows of their own.
type ranking struct {
	grouped  bool
	shown    []string // their keys
	full     bool     // as many as the query takes
	least    int64    // metric of the last one
	currency string   // that orders by money
}

func (s *Store) rank(ctx context.Context, p *plan, withFacts bool) (r ranking, err error) {
	if !p.grouped() {
		return r, nil
	}
	r.grouped, r.currency = true, p.q.Currency
	if r.currency == "" && (p.q.OrderBy == report.Revenue || p.q.OrderBy == report.Commission) {
		text, named := p.firstCurrency()
		err := s.each(ctx, text, named, func(rows driver.Rows) error { return rows.Scan(&r.currency) })
		if err != nil {
			return r, err
		}
	}
	text, named := p.rank(r.currency, withFacts)
	err = s.each(ctx, text, named, func(rows driver.Rows) error {
		var key string
		if err := rows.Scan(&key, &r.least); err != nil {
			return err
		}
		r.shown = append(r.shown, key)
		return nil
	})
	r.full = len(r.shown) == p.q.Limit
	return r, err
}

// clickLine is a row of the answer to clickFigures.
type clickLine struct {
	kind                  uint8
	key                   string
	bucket                int64 // Unix seconds
	clicks, bots, uniques int64
}

func (s *Store) clickLines(ctx context.Context, p *plan, shown []string) (lines []clickLine, err error) {
	text, named := p.clickFigures(shown)
	err = s.each(ctx, text, named, func(rows driver.Rows) error {
		var l clickLine
		if err := rows.Scan(&l.kind, &l.key, &l.bucket, &l.clicks, &l.bots, &l.uniques); err != nil {
			return err
		}
		lines = append(lines, l)
		return nil
	})
	return lines, err
}

// factLine is a row of the answer to factFigures.
type factLine struct {
	other                 uint8
	key                   string
	bucket                int64 // Unix seconds
	leads, sales, refunds int64
	money                 report.Money
}

func (s *Store) factLines(ctx context.Context, p *plan, shown []string) (lines []factLine, err error) {
	text, named := p.factFigures(shown)
	err = s.each(ctx, text, named, func(rows driver.Rows) error {
		var l factLine
		if err := rows.Scan(&l.other, &l.key, &l.bucket, &l.money.Currency, &l.leads, &l.sales, &l.refunds,
			&l.money.Revenue, &l.money.Commission); err != nil {
			return err
		}
		lines = append(lines, l)
		return nil
	})
	return lines, err
}

// each runs a statement and calls fn for every row of its answer.
func (s *Store) each(ctx context.Context, text string, named []any, fn func(driver.Rows) error) (err error) {
	ctx, cancel := context.WithTimeout(ctx, s.opts.QueryTimeout)
	defer cancel()
	ctx = clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{
		"max_execution_time": int(s.opts.QueryTimeout.Seconds()) + 1,
	}))
	rows, err := s.conn.Query(ctx, text, named...)
	if err != nil {
		return fmt.Errorf("query clickhouse: %w", explain(ctx, err))
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := fn(rows); err != nil {
			return fmt.Errorf("read answer of clickhouse: %w", err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("query clickhouse: %w", explain(ctx, err))
	}
	return nil
}

// explain adds the end of ctx to an error that comes from it: the driver may only say that the connection was closed.
func explain(ctx context.Context, err error) error {
	if cause := ctx.Err(); cause != nil && !errors.Is(err, cause) {
		return fmt.Errorf("%w: %w", cause, err)
	}
	return err
}

// sums are the figures of one line, with its money by currency.
type sums struct {
	report.Figures
	seen  bool // a click or a fact fell into it
	money map[string]report.Money
}

func (s *sums) addFacts(l factLine) {
	s.seen = true
	s.Leads += l.leads
	s.Sales += l.sales
	s.Refunds += l.refunds
	if s.money == nil {
		s.money = make(map[string]report.Money)
	}
	m := s.money[l.money.Currency]
	s.money[l.money.Currency] = report.Money{
		Currency: l.money.Currency, Revenue: m.Revenue + l.money.Revenue, Commission: m.Commission + l.money.Commission,
	}
}

func (s *sums) figures() report.Figures {
	f := s.Figures
	for _, m := range s.money {
		if m.Revenue != 0 || m.Commission != 0 {
			f.Money = append(f.Money, m)
		}
	}
	slices.SortFunc(f.Money, func(a, b report.Money) int { return strings.Compare(a.Currency, b.Currency) })
	return f
}

// cell is the place of a row in a report.
type cell struct {
	bucket int64
	key    string
}

// table puts the lines of both statements together.
type table struct {
	plan         *plan
	cells        map[cell]*sums
	other, total sums
}

func (t *table) at(bucket int64, key string) *sums {
	if t.plan.grouped() && key == "0" && t.plan.properties[t.plan.q.GroupBy].number {
		key = ""
	}
	c := cell{bucket, key}
	if t.cells[c] == nil {
		t.cells[c] = new(sums)
	}
	return t.cells[c]
}

func (t *table) addClicks(l clickLine) {
	if l.clicks == 0 {
		return // the total of nothing
	}
	var into []*sums
	switch l.kind {
	case lineRow:
		into = []*sums{t.at(l.bucket, l.key)}
	case lineOther:
		into = []*sums{&t.other}
	case lineTotal:
		into = []*sums{&t.total}
		if !t.plan.grouped() && !t.plan.bucketed() {
			into = append(into, t.at(0, ""))
		}
	}
	for _, s := range into {
		s.seen, s.Clicks, s.Bots, s.Uniques = true, l.clicks, l.bots, l.uniques
	}
}

func (t *table) addFacts(l factLine) {
	t.total.addFacts(l)
	if l.other == 1 {
		t.other.addFacts(l)
	} else {
		t.at(l.bucket, l.key).addFacts(l)
	}
}

func (t *table) result(currency string) report.Result {
	r := report.Result{Total: t.total.figures()}
	if t.other.seen {
		f := t.other.figures()
		r.Other = &f
	}
	for at, s := range t.cells {
		row := report.Row{Key: at.key, Figures: s.figures()}
		if t.plan.bucketed() {
			row.Start = time.Unix(at.bucket, 0).In(t.plan.q.Zone)
		}
		r.Rows = append(r.Rows, row)
	}
	by := t.plan.q.OrderBy
	slices.SortFunc(r.Rows, func(a, b report.Row) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(metric(b.Figures, by, currency), metric(a.Figures, by, currency)),
			strings.Compare(a.Key, b.Key))
	})
	return r
}

func metric(f report.Figures, by report.Metric, currency string) int64 {
	var money report.Money
	if i := slices.IndexFunc(f.Money, func(m report.Money) bool { return m.Currency == currency }); i >= 0 {
		money = f.Money[i]
	}
	switch by {
	case report.Uniques:
		return f.Uniques
	case report.Bots:
		return f.Bots
	case report.Leads:
		return f.Leads
	case report.Sales:
		return f.Sales
	case report.Revenue:
		return money.Revenue
	case report.Commission:
		return money.Commission
	}
	return f.Clicks
}

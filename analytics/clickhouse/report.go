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
	a, err := s.answers(ctx, p)
	if err != nil {
		return report.Result{}, fmt.Errorf("report: %w", err)
	}
	t := &table{plan: p, show: a.shown, cells: make(map[cell]*sums)}
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
	hidden := slices.ContainsFunc(a.facts, func(l factLine) bool { return l.place == 0 })
	return a.grouped && (len(a.keys) == 0 || hidden && (!a.full || a.least <= 0))
}

// answers asks as little as the query needs.
func (s *Store) answers(ctx context.Context, p *plan) (answer, error) {
	pieces, err := s.pieces(ctx, p)
	if err != nil {
		return answer{}, err
	}
	if p.joins() {
		text, named := p.countFacts()
		var n uint64
		if err := s.each(ctx, text, named, func(rows driver.Rows) error { return rows.Scan(&n) }); err != nil {
			return answer{}, fmt.Errorf("count facts: %w", err)
		}
		p.fewFacts = n <= fewFacts
	}
	if p.mayShowAll() {
		a, few, err := s.answerAll(ctx, p, pieces)
		if err != nil || few {
			return a, err
		}
	}
	withFacts := !p.byClicks()
	a, err := s.answer(ctx, p, pieces, withFacts)
	if err == nil && !withFacts && a.missing() {
		a, err = s.answer(ctx, p, pieces, true)
	}
	return a, err
}

// answer finds the groups to show first, then their figures.
func (s *Store) answer(ctx context.Context, p *plan, pieces []piece, withFacts bool) (a answer, err error) {
	if a.ranking, err = s.rank(ctx, p, pieces, withFacts); err != nil {
		return a, fmt.Errorf("find the groups to show: %w", err)
	}
	if a.grouped && len(a.keys) == 0 {
		return a, nil // no group
	}
	err = s.figures(ctx, p, pieces, &a, maxFactLines)
	return a, err
}

// maxFactLines is more lines than the cells of a report times the currencies that there are.
const maxFactLines = 100_000_000

// Of a report that shows every group: how many currencies a group may have on average before it is asked for again in
// the other way, and what the server says if there are more groups than asked for.
const (
	currenciesPerGroup = 4
	tooManyRows        = 158
)

// mayShowAll says whether all groups may fit into the report, so that it is worth a try to do without ranking them. Groups
// of ids are many, and come in the order of the table, so that a try would notice late.
func (p *plan) mayShowAll() bool {
	many := p.q.AffiliateID == 0 && (p.q.GroupBy == report.Affiliate || p.q.GroupBy == report.Link)
	return p.grouped() && !p.bucketed() && !many
}

// answerAll asks for the figures of every group. few is false if there are more than the query wants; most often that is
// noticed with the first rows.
func (s *Store) answerAll(ctx context.Context, p *plan, pieces []piece) (a answer, few bool, err error) {
	a.grouped, a.all, a.currency = true, true, p.q.Currency
	limit := p.q.Limit * currenciesPerGroup
	err = s.figures(ctx, p, pieces, &a, limit)
	if exception := (*clickhouse.Exception)(nil); errors.As(err, &exception) && exception.Code == tooManyRows {
		return a, false, nil
	}
	groups := make(map[string]bool)
	for _, l := range a.clicks {
		if l.kind == lineRow {
			groups[l.key] = true
		}
	}
	for _, l := range a.facts {
		groups[l.key] = true
	}
	return a, len(a.facts) < limit && len(groups) <= p.q.Limit, err
}

// figures asks for those of clicks and of facts at the same time.
func (s *Store) figures(ctx context.Context, p *plan, pieces []piece, a *answer, limit int) error {
	work, workCtx := errgroup.WithContext(ctx)
	byPiece := make([][]clickLine, len(pieces))
	for i, c := range pieces {
		work.Go(func() (err error) {
			byPiece[i], err = s.clickLines(workCtx, p, c, a.shown)
			return err
		})
	}
	work.Go(func() (err error) {
		a.facts, err = s.factLines(workCtx, p, a.shown, limit)
		return err
	})
	err := work.Wait()
	a.clicks = slices.Concat(byPiece...)
	return err
}

// ranking is the groups that get rows of their own.
type ranking struct {
	grouped bool
	shown
	full     bool   // as many as the query takes
	least    int64  // metric of the last one
	currency string // that orders by money
}

func (s *Store) rank(ctx context.Context, p *plan, pieces []piece, withFacts bool) (r ranking, err error) {
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
	text, named := p.rank(pieces, r.currency, withFacts)
	err = s.each(ctx, text, named, func(rows driver.Rows) error {
		var key string
		if err := rows.Scan(&key, &r.least); err != nil {
			return err
		}
		r.keys = append(r.keys, key)
		return nil
	})
	r.full = len(r.keys) == p.q.Limit
	return r, err
}

// clickLine is a row of the answer to clickFigures.
type clickLine struct {
	kind                  uint8
	place                 uint16 // of the group among those shown, from 1 on
	key                   string // of the group, if all are shown
	bucket                int64  // Unix seconds
	clicks, bots, uniques int64
}

func (s *Store) clickLines(ctx context.Context, p *plan, c piece, show shown) (lines []clickLine, err error) {
	text, named := p.clickFigures(c, show)
	limits := clickhouse.Settings{}
	if show.all {
		limits = clickhouse.Settings{"max_rows_to_group_by": p.q.Limit, "group_by_overflow_mode": "throw"}
	}
	err = s.eachWithin(ctx, limits, text, named, func(rows driver.Rows) error {
		var l clickLine
		if err := rows.Scan(&l.kind, &l.place, &l.key, &l.bucket, &l.clicks, &l.bots, &l.uniques); err != nil {
			return err
		}
		lines = append(lines, l)
		return nil
	})
	return lines, err
}

// factLine is a row of the answer to factFigures.
type factLine struct {
	place                 uint16 // 0: of no group that is shown; else as in clickLine
	key                   string
	bucket                int64 // Unix seconds
	leads, sales, refunds int64
	money                 report.Money
}

func (s *Store) factLines(ctx context.Context, p *plan, show shown, limit int) (lines []factLine, err error) {
	text, named := p.factFigures(show, limit)
	err = s.each(ctx, text, named, func(rows driver.Rows) error {
		var l factLine
		if err := rows.Scan(&l.place, &l.key, &l.bucket, &l.money.Currency, &l.leads, &l.sales, &l.refunds,
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
	return s.eachWithin(ctx, clickhouse.Settings{}, text, named, fn)
}

// eachWithin is each with further limits, a map that it may change.
func (s *Store) eachWithin(ctx context.Context, limits clickhouse.Settings, text string, named []any, fn func(driver.Rows) error) (err error) {
	ctx, cancel := context.WithTimeout(ctx, s.opts.QueryTimeout)
	defer cancel()
	limits["max_execution_time"] = int(s.opts.QueryTimeout.Seconds()) + 1
	ctx = clickhouse.Context(ctx, clickhouse.WithSettings(limits))
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
	show         shown
	cells        map[cell]*sums
	other, total sums
}

// at is the cell of a group that is shown: by its place, or by its key if all are.
func (t *table) at(bucket int64, place uint16, key string) *sums {
	if place > 0 {
		key = t.show.keys[place-1]
	}
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
		into = []*sums{t.at(l.bucket, l.place, l.key)}
	case lineOther:
		into = []*sums{&t.other}
	case lineTotal:
		into = []*sums{&t.total}
		if !t.plan.grouped() && !t.plan.bucketed() {
			into = append(into, t.at(0, 0, ""))
		}
	}
	for _, s := range into {
		s.seen = true
		s.Clicks += l.clicks
		s.Bots += l.bots
		s.Uniques += l.uniques
	}
}

func (t *table) addFacts(l factLine) {
	t.total.addFacts(l)
	if t.plan.grouped() && !t.show.all && l.place == 0 {
		t.other.addFacts(l)
	} else {
		t.at(l.bucket, l.place, l.key).addFacts(l)
	}
}

// result orders money by the given currency, or by the first that there is.
func (t *table) result(currency string) report.Result {
	r := report.Result{Total: t.total.figures()}
	if currency == "" && len(r.Total.Money) > 0 {
		currency = r.Total.Money[0].Currency
	}
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

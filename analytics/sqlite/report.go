package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"github.com/edgeref/edgeref/wire/report"
)

// Report answers a query from one state of the database. Counts are exact, distinct ones too. It is safe for concurrent
// use; a report with more than two million groups fails with ErrTooManyGroups.
func (s *Store) Report(ctx context.Context, q report.Query) (result report.Result, err error) {
	if err := q.Validate(); err != nil {
		return report.Result{}, err
	}
	defer func(begun time.Time) { s.metrics.done(opReport, begun, err) }(time.Now())
	err = s.inSnapshot(ctx, func(tx *sql.Tx) error {
		result, err = compute(ctx, tx, s.parts, &q)
		return err
	})
	return result, s.wrap("report", err)
}

// compute goes over the blocks once for the figures. Before that, where there are groups, it goes over the few columns
// that tell which of them are shown: only then is it known what the figures are to be of. Distinct counts of days add up,
// so both go day by day, and take from the cache what is known of a day.
func compute(ctx context.Context, tx *sql.Tx, cache *parts, q *report.Query) (report.Result, error) {
	p := newPlan(q)
	if err := p.headers(ctx, tx); err != nil {
		return report.Result{}, err
	}
	shown, all := []string{""}, 1
	if p.group >= 0 {
		r := newRanks(q.OrderBy)
		if err := p.run(ctx, tx, cache, newRanking(p, q.OrderBy), r.merge); err != nil {
			return report.Result{}, err
		}
		shown, all = r.top(q), len(r.keys)
	}
	c := newCounts(p, shown)
	if err := p.run(ctx, tx, cache, newCounting(p, shown), c.merge); err != nil {
		return report.Result{}, err
	}
	result := report.Result{Total: c.total.figures(), Rows: c.rows()}
	order := newRank(q, result.Total)
	slices.SortFunc(result.Rows, func(a, b report.Row) int { return cmp.Or(a.Start.Compare(b.Start), order.compare(a, b)) })
	if all > len(shown) {
		other := c.other.figures()
		result.Other = &other
	}
	return result, nil
}

// rank is the order of rows: by a metric from high to low, then by key.
type rank struct {
	by       report.Metric
	currency string
}

func newRank(q *report.Query, total report.Figures) rank {
	r := rank{q.OrderBy, q.Currency}
	if r.currency == "" && len(total.Money) > 0 {
		r.currency = total.Money[0].Currency
	}
	return r
}

func (r rank) compare(a, b report.Row) int {
	return cmp.Or(cmp.Compare(r.value(&b.Figures), r.value(&a.Figures)), cmp.Compare(a.Key, b.Key))
}

func (r rank) value(f *report.Figures) int64 {
	switch r.by {
	case report.Uniques:
		return f.Uniques
	case report.Bots:
		return f.Bots
	case report.Leads:
		return f.Leads
	case report.Sales:
		return f.Sales
	case report.Revenue, report.Commission:
		for _, m := range f.Money {
			if m.Currency == r.currency && r.by == report.Revenue {
				return m.Revenue
			} else if m.Currency == r.currency {
				return m.Commission
			}
		}
		return 0
	}
	return f.Clicks
}

// plan is what the passes over the blocks share.
type plan struct {
	from, to int64 // Unix ms, half open
	zone     *time.Location
	starts   []int64 // of the buckets, Unix ms; empty: no buckets
	filters  filters
	group    int // column; -1: no groups
	blocks   [2][]header
	all      []*day
}

func newPlan(q *report.Query) *plan {
	p := &plan{
		from: q.From.UnixMilli(), to: q.To.UnixMilli(), zone: q.Zone, starts: bucketStarts(q),
		filters: newFilters(q.Filters, q.AffiliateID), group: -1,
	}
	if q.GroupBy != "" {
		p.group = columnOf(q.GroupBy)
	}
	return p
}

func (p *plan) headers(ctx context.Context, tx *sql.Tx) (err error) {
	for kind := range p.blocks {
		if p.blocks[kind], err = overlapping(ctx, tx, kind, p.from, p.to-1); err != nil {
			return err
		}
	}
	p.all = p.days()
	return nil
}

// tally is Figures on the way.
type tally struct {
	clicks, bots, uniques, leads, sales, refunds int64
	money                                        []report.Money // one entry a currency, in no order
}

func (t *tally) addFact(b *block, row uint16) {
	t.leads += b.ints[0][row]
	t.sales += b.ints[1][row]
	t.refunds += b.ints[2][row]
	revenue, commission := b.ints[3][row], b.ints[4][row]
	if revenue == 0 && commission == 0 {
		return
	}
	currency := b.text[colCurrency].at(int(row))
	for i := range t.money {
		if m := &t.money[i]; m.Currency == currency {
			m.Revenue += revenue
			m.Commission += commission
			return
		}
	}
	// A copy: the text is a part of its block's memory.
	t.money = append(t.money, report.Money{Currency: strings.Clone(currency), Revenue: revenue, Commission: commission})
}

// add adds the figures of another day.
func (t *tally) add(o *tally) {
	t.clicks += o.clicks
	t.bots += o.bots
	t.uniques += o.uniques
	t.leads += o.leads
	t.sales += o.sales
	t.refunds += o.refunds
	for _, m := range o.money {
		i := slices.IndexFunc(t.money, func(mine report.Money) bool { return mine.Currency == m.Currency })
		if i < 0 {
			t.money = append(t.money, m)
			continue
		}
		t.money[i].Revenue += m.Revenue
		t.money[i].Commission += m.Commission
	}
}

func (t *tally) figures() report.Figures {
	f := report.Figures{Clicks: t.clicks, Bots: t.bots, Uniques: t.uniques, Leads: t.leads, Sales: t.sales, Refunds: t.refunds}
	for _, m := range t.money {
		if m.Revenue != 0 || m.Commission != 0 {
			f.Money = append(f.Money, m)
		}
	}
	slices.SortFunc(f.Money, func(a, b report.Money) int { return cmp.Compare(a.Currency, b.Currency) })
	return f
}

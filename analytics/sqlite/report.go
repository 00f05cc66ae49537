package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/edgeref/edgeref/wire/report"
)

// Report answers a query from one state of the database. Counts are exact, distinct ones too. It is safe for concurrent
// use; a report with more than two million groups fails with ErrTooManyGroups.
func (s *Store) Report(ctx context.Context, q report.Query) (report.Result, error) {
	if err := q.Validate(); err != nil {
		return report.Result{}, err
	}
	begun := time.Now()
	defer func() { s.metrics.report.Observe(time.Since(begun).Seconds()) }()
	var result report.Result
	err := s.inSnapshot(ctx, func(tx *sql.Tx) (err error) {
		result, err = compute(ctx, tx, &q)
		return err
	})
	if err != nil {
		return report.Result{}, s.wrap("report", err)
	}
	return result, nil
}

// compute goes over the blocks once for the total and the groups, and, where there are groups that are not shown or
// buckets of those that are, once more: only then is it known which groups these are.
func compute(ctx context.Context, tx *sql.Tx, q *report.Query) (report.Result, error) {
	p := newPlan(q)
	if err := p.headers(ctx, tx); err != nil {
		return report.Result{}, err
	}
	first := newPass(p)
	if err := first.run(ctx, tx); err != nil {
		return report.Result{}, err
	}
	result := report.Result{Total: first.total.figures()}
	rank := newRank(q, result.Total)
	groups := first.rows()
	slices.SortFunc(groups, rank.compare)
	shown := groups[:min(q.Limit, len(groups))]
	if len(p.starts) == 0 && len(shown) == len(groups) {
		result.Rows = shown
		return result, nil
	}
	second := newSecondPass(p, shown)
	if err := second.run(ctx, tx); err != nil {
		return report.Result{}, err
	}
	if len(shown) < len(groups) {
		other := second.other.figures()
		result.Other = &other
	}
	if len(p.starts) == 0 {
		result.Rows = shown
		return result, nil
	}
	result.Rows = second.rows()
	slices.SortFunc(result.Rows, func(a, b report.Row) int { return cmp.Or(a.Start.Compare(b.Start), rank.compare(a, b)) })
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

// plan is what both passes over the blocks share.
type plan struct {
	from, to int64 // Unix ms, half open
	zone     *time.Location
	starts   []int64 // of the buckets, Unix ms; empty: no buckets
	filters  filters
	group    int // column; -1: no groups
	blocks   [2][]header
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
	return nil
}

// columns are those that a pass needs of the blocks of a kind.
func (p *plan) columns(kind int) []int {
	cols := p.filters.columns()
	if kind == kindClicks {
		cols = append(cols, colBot, colVisitor, colAt)
	} else {
		cols = append(cols, colCurrency, colLeads, colSales, colRefunds, colRevenue, colCommission, colAt)
	}
	if p.group >= 0 {
		cols = append(cols, p.group)
	}
	slices.Sort(cols)
	return slices.Compact(cols)
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
	t.money = append(t.money, report.Money{Currency: currency, Revenue: revenue, Commission: commission})
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

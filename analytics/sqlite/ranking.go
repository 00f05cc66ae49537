package sqlite

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/edgeref/edgeref/wire/report"
)

// maxGroups bounds the memory of a report, at some hundred bytes a group.
const maxGroups = 2_000_000

// ranking finds the groups of a day and of their figures those that they are ordered by.
type ranking struct {
	*plan
	by     report.Metric
	groups map[string]int32
	keys   []string
	cells  []tally // of groups
	total  tally   // of facts only
	seen   *distinct

	local []int32 // group of each text of the block; -1: not looked up
	human []bool  // of each bot reason of the block
}

func newRanking(p *plan, by report.Metric) *ranking {
	return &ranking{plan: p, by: by, groups: make(map[string]int32), seen: newDistinct()}
}

func (r *ranking) shape() string { return r.plan.shape("ranking", []string{string(r.by)}) }

func (r *ranking) columns(kind int) []int {
	cols := []int{r.group}
	switch {
	case kind == kindFacts:
		cols = append(cols, factColumns()...)
	case r.by == report.Bots:
		cols = append(cols, colBot)
	case r.by == report.Uniques:
		cols = append(cols, colBot, colVisitor)
	}
	return cols
}

func (r *ranking) begin(*day) {
	r.seen.reset()
	clear(r.groups)
	r.keys, r.cells, r.total = nil, r.cells[:0], tally{}
}

// end leaves the keys, which are this ranking's no more, and of the cells as little as the order needs.
func (r *ranking) end() *part {
	p := &part{fresh: true, keys: r.keys, total: r.total}
	if byMoney(r.by) {
		p.cells = slices.Clone(r.cells)
		return p
	}
	p.values = make([]int64, len(r.cells))
	for i := range r.cells {
		p.values[i] = r.cells[i].metric(r.by)
	}
	return p
}

func byMoney(by report.Metric) bool { return by == report.Revenue || by == report.Commission }

// metric is a figure that is no money.
func (t *tally) metric(by report.Metric) int64 {
	switch by {
	case report.Uniques:
		return t.uniques
	case report.Bots:
		return t.bots
	case report.Leads:
		return t.leads
	case report.Sales:
		return t.sales
	}
	return t.clicks
}

func (r *ranking) count(b *block, picked []uint16) error {
	t := &b.text[r.group]
	r.local = r.local[:0]
	for range t.dict {
		r.local = append(r.local, -1)
	}
	for _, row := range picked {
		if i := t.idx[row]; r.local[i] < 0 {
			group, err := r.groupOf(t.dict[i])
			if err != nil {
				return err
			}
			r.local[i] = group
		}
	}
	if b.kind == kindFacts {
		for _, row := range picked {
			r.cells[r.local[t.idx[row]]].addFact(b, row)
			r.total.addFact(b, row)
		}
		return nil
	}
	for _, row := range picked {
		r.cells[r.local[t.idx[row]]].clicks++
	}
	if r.by != report.Bots && r.by != report.Uniques {
		return nil
	}
	r.human = humans(b, r.human)
	for _, row := range picked {
		group := r.local[t.idx[row]]
		switch {
		case !r.human[b.text[colBot].idx[row]]:
			r.cells[group].bots++
		case r.by == report.Uniques && r.seen.add(b.visitor[row], uint32(group)):
			r.cells[group].uniques++
		}
	}
	return nil
}

func (r *ranking) groupOf(key string) (int32, error) {
	if group, ok := r.groups[key]; ok {
		return group, nil
	}
	if len(r.keys) == maxGroups {
		return 0, tooManyGroups()
	}
	key = strings.Clone(key) // it is a part of its block's memory
	group := int32(len(r.keys))
	r.groups[key] = group
	r.keys = append(r.keys, key)
	r.cells = append(r.cells, tally{})
	return group, nil
}

func tooManyGroups() error {
	return fmt.Errorf("%w: more than %d: ask for a shorter span or set a filter", ErrTooManyGroups, maxGroups)
}

// ranks are the rankings of all days together.
type ranks struct {
	by     report.Metric
	groups map[string]int32
	keys   []string
	values []int64 // by group
	cells  []tally // by group, where money orders
	total  tally
}

func newRanks(by report.Metric) *ranks { return &ranks{by: by, groups: make(map[string]int32)} }

// merge adds a day. The keys of new parts become copies that all days share.
func (r *ranks) merge(_ *day, p *part) error {
	r.total.add(&p.total)
	for i, key := range p.keys {
		group, ok := r.groups[key]
		switch {
		case ok && p.fresh:
			p.keys[i] = r.keys[group]
		case ok:
		case len(r.keys) == maxGroups:
			return tooManyGroups()
		default:
			group = int32(len(r.keys))
			r.groups[key] = group
			r.keys = append(r.keys, key)
			r.values = append(r.values, 0)
			if byMoney(r.by) {
				r.cells = append(r.cells, tally{})
			}
		}
		if byMoney(r.by) {
			r.cells[group].add(&p.cells[i])
		} else {
			r.values[group] += p.values[i]
		}
	}
	return nil
}

// top returns the keys of the groups that are shown.
func (r *ranks) top(q *report.Query) []string {
	order := newRank(q, r.total.figures())
	for i := range r.cells {
		f := r.cells[i].figures()
		r.values[i] = order.value(&f)
	}
	groups := make([]int32, len(r.keys))
	for i := range groups {
		groups[i] = int32(i)
	}
	slices.SortFunc(groups, func(a, b int32) int {
		return cmp.Or(cmp.Compare(r.values[b], r.values[a]), cmp.Compare(r.keys[a], r.keys[b]))
	})
	shown := make([]string, min(q.Limit, len(groups)))
	for i := range shown {
		shown[i] = r.keys[groups[i]]
	}
	return shown
}

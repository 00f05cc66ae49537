package sqlite

import (
	"fmt"
	"slices"
	"strings"

	"github.com/edgeref/edgeref/wire/report"
)

// maxGroups bounds the memory of a report, at some hundred bytes a group.
const maxGroups = 2_000_000

// ranking finds the groups and of their figures those that they are ordered by.
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

func (r *ranking) newDay() { r.seen.reset() }

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
		return 0, fmt.Errorf("%w: more than %d: ask for a shorter span or set a filter", ErrTooManyGroups, maxGroups)
	}
	key = strings.Clone(key) // it is a part of its block's memory
	group := int32(len(r.keys))
	r.groups[key] = group
	r.keys = append(r.keys, key)
	r.cells = append(r.cells, tally{})
	return group, nil
}

// top returns the keys of the groups that are shown.
func (r *ranking) top(q *report.Query) []string {
	rows := make([]report.Row, len(r.keys))
	for i, key := range r.keys {
		rows[i] = report.Row{Key: key, Figures: r.cells[i].figures()}
	}
	slices.SortFunc(rows, newRank(q, r.total.figures()).compare)
	shown := make([]string, min(q.Limit, len(rows)))
	for i := range shown {
		shown[i] = rows[i].Key
	}
	return shown
}

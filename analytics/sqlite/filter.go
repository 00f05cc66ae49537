package sqlite

import (
	"maps"
	"slices"
	"strconv"

	"github.com/edgeref/edgeref/wire/report"
)

// filter keeps rows by the text of one column.
type filter struct {
	col    int
	values map[string]bool
	not    bool
}

type filters []filter

func newFilters(asked []report.Filter, affiliateID int64) filters {
	var fs filters
	if affiliateID != 0 {
		fs = append(fs, filter{col: colAffiliate, values: map[string]bool{strconv.FormatInt(affiliateID, 10): true}})
	}
	for _, a := range asked {
		f := filter{col: columnOf(a.Dimension), values: make(map[string]bool, len(a.Values)), not: a.Not}
		for _, v := range a.Values {
			f.values[v] = true
		}
		fs = append(fs, f)
	}
	return fs
}

func (f *filter) sorted() []string { return slices.Sorted(maps.Keys(f.values)) }

func (fs filters) columns() (cols []int) {
	for _, f := range fs {
		if !slices.Contains(cols, f.col) {
			cols = append(cols, f.col)
		}
	}
	return cols
}

// pick returns the rows of b, in order, that all filters keep and whose time is in [from, to) in Unix ms; of a block
// without the column of times all are in it. It uses the
// memory of picked again. Each filter looks at each text of the block once, not at each row's.
func (fs filters) pick(b *block, from, to int64, picked []uint16) []uint16 {
	picked = slices.Grow(picked[:0], b.rows)
	from, to = from-b.day*dayMilli, to-b.day*dayMilli
	if len(b.at) == 0 || from <= 0 && to >= dayMilli {
		for row := range b.rows {
			picked = append(picked, uint16(row))
		}
	} else {
		for row, at := range b.at {
			if int64(at) >= from && int64(at) < to {
				picked = append(picked, uint16(row))
			}
		}
	}
	for _, f := range fs {
		picked = f.narrow(&b.text[f.col], picked)
	}
	return picked
}

func (f *filter) narrow(t *texts, picked []uint16) []uint16 {
	keep := make([]bool, len(t.dict))
	kept := 0
	for i, s := range t.dict {
		if f.values[s] != f.not {
			keep[i] = true
			kept++
		}
	}
	switch kept {
	case 0:
		return picked[:0]
	case len(keep):
		return picked
	}
	out := picked[:0]
	for _, row := range picked {
		if keep[t.idx[row]] {
			out = append(out, row)
		}
	}
	return out
}

package sqlite

import (
	"slices"
	"time"

	"github.com/edgeref/edgeref/wire/report"
)

// counting computes the figures of a day: of the total, of each bucket of the groups that are shown, and of the other
// groups.
type counting struct {
	*plan
	keys   []string
	groups map[string]int32

	starts []int64 // of the day's buckets
	places []int32 // of each cell: bucket*len(keys)+group
	cellOf []int32 // of each place; -1: no cell yet
	cells  []tally
	total  tally
	other  tally

	seenTotal, seenCells *distinct // visitors of the day

	local []int32 // group of each text of the block
	human []bool  // of each bot reason of the block
}

// otherGroup stands for all groups that are not shown, and for their cell.
const otherGroup = -2

func newCounting(p *plan, shown []string) *counting {
	c := &counting{plan: p, groups: make(map[string]int32), keys: shown, seenTotal: newDistinct(), seenCells: newDistinct()}
	for i, key := range shown {
		c.groups[key] = int32(i)
	}
	return c
}

func (c *counting) shape() string { return c.plan.shape("counting", c.keys) }

func (c *counting) begin(d *day) {
	c.seenTotal.reset()
	c.seenCells.reset()
	c.starts = d.buckets
	c.cellOf = slices.Grow(c.cellOf[:0], max(1, len(c.starts))*len(c.keys))
	for range max(1, len(c.starts)) * len(c.keys) {
		c.cellOf = append(c.cellOf, -1)
	}
	c.places, c.cells, c.total, c.other = nil, nil, tally{}, tally{}
}

func (c *counting) end() *part {
	return &part{fresh: true, places: c.places, cells: c.cells, other: c.other, total: c.total}
}

func factColumns() []int {
	return []int{colCurrency, colLeads, colSales, colRefunds, colRevenue, colCommission}
}

func (c *counting) columns(kind int) []int {
	cols := []int{colBot, colVisitor}
	if kind == kindFacts {
		cols = factColumns()
	}
	if c.group >= 0 {
		cols = append(cols, c.group)
	}
	return cols
}

func (c *counting) count(b *block, picked []uint16) error {
	c.local = c.local[:0]
	if c.group >= 0 {
		for _, key := range b.text[c.group].dict {
			group, ok := c.groups[key]
			if !ok {
				group = otherGroup
			}
			c.local = append(c.local, group)
		}
	}
	if b.kind == kindClicks {
		c.human = humans(b, c.human)
		c.total.clicks += int64(len(picked))
	}
	bucket, group := 0, int32(0)
	for _, row := range picked {
		if c.group >= 0 {
			group = c.local[b.text[c.group].idx[row]]
		}
		if len(c.starts) > 0 {
			bucket = bucketOf(c.starts, b.day*dayMilli+int64(b.at[row]), bucket)
		}
		cell, into := c.cell(group, bucket)
		if b.kind == kindFacts {
			into.addFact(b, row)
			c.total.addFact(b, row)
			continue
		}
		into.clicks++
		if !c.human[b.text[colBot].idx[row]] {
			into.bots++
			c.total.bots++
			continue
		}
		c.addVisitor(b.visitor[row], cell, into)
	}
	return nil
}

// addVisitor counts a visitor of the day. Who is not new to a cell is not new to the total.
func (c *counting) addVisitor(visitor uint64, cell int32, into *tally) {
	switch {
	case c.group < 0 && len(c.starts) <= 1: // the cell is the total
		if c.seenTotal.add(visitor, 0) {
			into.uniques++
			c.total.uniques++
		}
	case c.seenCells.add(visitor, uint32(cell)):
		into.uniques++
		if c.seenTotal.add(visitor, 0) {
			c.total.uniques++
		}
	}
}

// cell is where a group's bucket is counted; it is made when it is first needed.
func (c *counting) cell(group int32, bucket int) (int32, *tally) {
	if group == otherGroup {
		return otherGroup, &c.other
	}
	place := bucket*len(c.keys) + int(group)
	cell := c.cellOf[place]
	if cell < 0 {
		cell = int32(len(c.cells))
		c.cellOf[place] = cell
		c.places = append(c.places, int32(place))
		c.cells = append(c.cells, tally{})
	}
	return cell, &c.cells[cell]
}

// counts are the figures of all days together.
type counts struct {
	*plan
	keys  []string
	cells map[int32]*tally // by place in the whole report
	total tally
	other tally
}

func newCounts(p *plan, shown []string) *counts {
	return &counts{plan: p, keys: shown, cells: make(map[int32]*tally)}
}

// merge adds a day.
func (c *counts) merge(d *day, p *part) error {
	c.total.add(&p.total)
	c.other.add(&p.other)
	for i, place := range p.places {
		place += int32(d.first * len(c.keys))
		into := c.cells[place]
		if into == nil {
			into = new(tally)
			c.cells[place] = into
		}
		into.add(&p.cells[i])
	}
	return nil
}

// rows are the cells as rows of a report, in no order.
func (c *counts) rows() []report.Row {
	var rows []report.Row
	for place, cell := range c.cells {
		row := report.Row{Key: c.keys[int(place)%len(c.keys)], Figures: cell.figures()}
		if len(c.starts) > 0 {
			row.Start = time.UnixMilli(c.starts[int(place)/len(c.keys)]).In(c.zone)
		}
		rows = append(rows, row)
	}
	return rows
}

package sqlite

import (
	"time"

	"github.com/edgeref/edgeref/wire/report"
)

// counting computes the figures of the total, of each bucket of the groups that are shown, and of the other groups.
type counting struct {
	*plan
	groups map[string]int32
	keys   []string

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
	c.cellOf = make([]int32, max(1, len(p.starts))*len(shown))
	for i := range c.cellOf {
		c.cellOf[i] = -1
	}
	return c
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

func (c *counting) newDay() {
	c.seenTotal.reset()
	c.seenCells.reset()
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
	case c.group < 0 && len(c.starts) == 0: // the cell is the total
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

// rows are the cells as rows of a report, in no order.
func (c *counting) rows() []report.Row {
	var rows []report.Row
	for i, place := range c.places {
		row := report.Row{Key: c.keys[int(place)%len(c.keys)], Figures: c.cells[i].figures()}
		if len(c.starts) > 0 {
			row.Start = time.UnixMilli(c.starts[int(place)/len(c.keys)]).In(c.zone)
		}
		rows = append(rows, row)
	}
	return rows
}

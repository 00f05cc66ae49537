package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/edgeref/edgeref/wire/report"
)

// maxGroups bounds the memory of a report, at some hundred bytes a group.
const maxGroups = 2_000_000

// Cells that are not of a shown group.
const (
	cellUnknown = -1 // not looked up yet
	cellOther   = -2 // of the groups that are not shown
)

// pass goes over the blocks of a plan once, day by day, and counts into the total and into cells. In a first pass the
// cells are the groups, as they turn up. In a second one the groups are given, and the cells are their buckets.
type pass struct {
	*plan
	groups map[string]int32
	keys   []string

	second  bool
	buckets []int32 // second pass: cell of bucket*len(groups)+group, or cellUnknown
	places  []int32 // second pass: the reverse

	cells        []tally
	total, other tally

	seenTotal, seenCells *distinct // of the day

	picked []uint16
	local  []int32 // group of each text of the block
	human  []bool  // of each bot reason of the block
}

func newPass(p *plan) *pass {
	return &pass{plan: p, groups: make(map[string]int32), seenTotal: newDistinct(), seenCells: newDistinct()}
}

func newSecondPass(p *plan, shown []report.Row) *pass {
	s := newPass(p)
	s.second = true
	for _, r := range shown {
		s.groups[r.Key] = int32(len(s.keys))
		s.keys = append(s.keys, r.Key)
	}
	s.buckets = make([]int32, max(1, len(p.starts))*len(shown))
	for i := range s.buckets {
		s.buckets[i] = cellUnknown
	}
	return s
}

func (s *pass) run(ctx context.Context, tx *sql.Tx) error {
	for kind, headers := range s.blocks {
		load, err := newLoader(ctx, tx, s.columns(kind))
		if err != nil {
			return err
		}
		defer load.close()
		var b block
		for i, h := range headers {
			if i == 0 || headers[i-1].day != h.day {
				s.seenTotal.reset()
				s.seenCells.reset()
			}
			if err := load.load(ctx, h, &b); err != nil {
				return err
			}
			if err := s.count(&b); err != nil {
				return err
			}
		}
	}
	return nil
}

// count adds the rows of a block.
func (s *pass) count(b *block) error {
	s.picked = s.filters.pick(b, s.from, s.to, s.picked)
	if len(s.picked) == 0 {
		return nil
	}
	s.localize(b)
	bucket := 0
	for _, row := range s.picked {
		group, err := s.groupOf(b, row)
		if err != nil {
			return err
		}
		if len(s.starts) > 0 && s.second && group >= 0 {
			bucket = bucketOf(s.starts, b.day*dayMilli+int64(b.at[row]), bucket)
		}
		s.addRow(b, row, group, bucket)
	}
	return nil
}

// localize prepares what is looked up once for each text of a block.
func (s *pass) localize(b *block) {
	s.local = s.local[:0]
	if s.group >= 0 {
		for range b.text[s.group].dict {
			s.local = append(s.local, cellUnknown)
		}
	}
	s.human = s.human[:0]
	if b.kind == kindClicks {
		for _, reason := range b.text[colBot].dict {
			s.human = append(s.human, reason == "")
		}
	}
}

// groupOf is the number of the row's group, or cellOther.
func (s *pass) groupOf(b *block, row uint16) (int32, error) {
	text := uint16(0)
	if s.group >= 0 {
		text = b.text[s.group].idx[row]
		if g := s.local[text]; g != cellUnknown {
			return g, nil
		}
	} else if len(s.keys) == 1 {
		return 0, nil
	}
	key := ""
	if s.group >= 0 {
		key = b.text[s.group].dict[text]
	}
	g, ok := s.groups[key]
	switch {
	case !ok && s.second:
		g = cellOther
	case !ok && len(s.keys) == maxGroups:
		return 0, fmt.Errorf("%w: more than %d: ask for a shorter span or set a filter", ErrTooManyGroups, maxGroups)
	case !ok:
		g = int32(len(s.keys))
		key = strings.Clone(key) // it is a part of its block's memory
		s.groups[key] = g
		s.keys = append(s.keys, key)
		s.cells = append(s.cells, tally{})
	}
	if s.group >= 0 {
		s.local[text] = g
	}
	return g, nil
}

// addRow counts one row. In a second pass without buckets only what is not shown is of interest, in a first pass
// everything, and the total there as well.
func (s *pass) addRow(b *block, row uint16, group int32, bucket int) {
	cell := group
	var into *tally
	switch {
	case group == cellOther:
		into = &s.other
	case s.second && len(s.starts) == 0:
		return
	case s.second:
		cell = s.bucketCell(group, bucket)
		into = &s.cells[cell]
	default:
		into = &s.cells[cell]
	}
	if b.kind == kindFacts {
		into.addFact(b, row)
		if !s.second {
			s.total.addFact(b, row)
		}
		return
	}
	into.clicks++
	if !s.second {
		s.total.clicks++
	}
	if !s.human[b.text[colBot].idx[row]] {
		into.bots++
		if !s.second {
			s.total.bots++
		}
		return
	}
	visitor := b.visitor[row]
	isNew := s.group < 0 || s.seenCells.add(visitor, uint32(cell))
	if !s.second {
		newToTotal := isNew && s.seenTotal.add(visitor, 0)
		if newToTotal {
			s.total.uniques++
		}
		isNew = isNew && (s.group >= 0 || newToTotal)
	} else if s.group < 0 {
		isNew = s.seenCells.add(visitor, uint32(cell))
	}
	if isNew {
		into.uniques++
	}
}

// bucketCell is the cell of a shown group in a bucket.
func (s *pass) bucketCell(group int32, bucket int) int32 {
	place := bucket*len(s.keys) + int(group)
	cell := s.buckets[place]
	if cell == cellUnknown {
		cell = int32(len(s.cells))
		s.buckets[place] = cell
		s.places = append(s.places, int32(place))
		s.cells = append(s.cells, tally{})
	}
	return cell
}

// rows are the cells as rows of a report, in no order.
func (s *pass) rows() []report.Row {
	rows := make([]report.Row, len(s.cells))
	for i := range s.cells {
		rows[i].Figures = s.cells[i].figures()
		if !s.second {
			rows[i].Key = s.keys[i]
			continue
		}
		place := int(s.places[i])
		rows[i].Key = s.keys[place%len(s.keys)]
		rows[i].Start = time.UnixMilli(s.starts[place/len(s.keys)]).In(s.zone)
	}
	return rows
}

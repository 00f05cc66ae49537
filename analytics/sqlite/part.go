package sqlite

import (
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
)

// day is what a report reads of one UTC day.
type day struct {
	number  int64 // since 1970-01-01
	blocks  [2][]header
	from    int64 // of the rows counted, ms of the day, half open
	to      int64
	buckets []int64 // beginnings, Unix ms, of the buckets that the day has a part in; empty: no buckets
	first   int     // index of the first of them among the report's
}

// days puts the blocks of a plan together by day.
func (p *plan) days() []*day {
	var days []*day
	at := make(map[int64]*day)
	for kind, headers := range p.blocks {
		for _, h := range headers {
			d := at[h.day]
			if d == nil {
				d = &day{number: h.day}
				at[h.day] = d
				days = append(days, d)
			}
			d.blocks[kind] = append(d.blocks[kind], h)
		}
	}
	slices.SortFunc(days, func(a, b *day) int { return int(a.number - b.number) })
	for _, d := range days {
		d.clip(p)
	}
	return days
}

// clip sets what of the day is in the span. A span that ends after the day's last row, as those of live dashboards do, is
// the same as one that ends with the day.
func (d *day) clip(p *plan) {
	begin := d.number * dayMilli
	d.to = dayMilli
	for _, headers := range d.blocks {
		for _, h := range headers {
			if h.minMS < p.from {
				d.from = max(d.from, p.from-begin)
			}
			if h.maxMS >= p.to {
				d.to = min(d.to, p.to-begin)
			}
		}
	}
	if len(p.starts) == 0 {
		return
	}
	d.first = bucketOf(p.starts, begin, 0)
	end := d.first
	for end < len(p.starts) && p.starts[end] < begin+dayMilli {
		end++
	}
	d.buckets = p.starts[d.first:end]
}

// state tells the contents of the day's blocks from those at any other time: a day only ever gains rows, and between two
// gains its blocks are at most written over, which their version counts, or lose their details, for good.
func (d *day) state() (s state) {
	for kind, headers := range d.blocks {
		for _, h := range headers {
			s[3*kind] += int64(h.rows)
			s[3*kind+1] += h.version
			if h.detail {
				s[3*kind+2]++
			}
		}
	}
	return s
}

type state [6]int64

// part is what a pass has found in one day. It does not change once it is in the cache.
type part struct {
	fresh  bool     // not in the cache
	keys   []string // of groups; of a ranking
	values []int64  // by group, what a ranking by a count orders by
	places []int32  // of cells, of a counting: bucket of the day * groups shown + group
	cells  []tally  // by place; by group, of a ranking by money
	other  tally
	total  tally
}

// size is about how many bytes the part takes in memory, its entry in the cache included. Keys are shared by days.
func (p *part) size() int64 {
	const entry, cell, money = 600, 72, 40
	n := entry + 16*len(p.keys) + 8*len(p.values) + 4*len(p.places) + cell*len(p.cells)
	for i := range p.cells {
		n += money * len(p.cells[i].money)
	}
	return int64(n)
}

// partKey names a part: the same key, the same part.
type partKey struct {
	shape    string // what is counted, filters included
	buckets  string
	day      int64
	from, to int64
	state    state
}

func (d *day) key(shape string) partKey {
	k := partKey{shape: shape, day: d.number, from: d.from, to: d.to, state: d.state()}
	if len(d.buckets) > 0 {
		var b []byte
		for _, start := range d.buckets {
			b = binary.AppendVarint(b, start-d.number*dayMilli)
		}
		k.buckets = string(b)
	}
	return k
}

// shape describes a pass in a way that no other pass is described in.
func (p *plan) shape(pass string, texts []string) string {
	var b strings.Builder
	add := func(s string) {
		b.WriteString(strconv.Itoa(len(s)))
		b.WriteByte(':')
		b.WriteString(s)
	}
	add(pass)
	add(strconv.Itoa(p.group))
	add(strconv.Itoa(len(texts)))
	for _, s := range texts {
		add(s)
	}
	for _, f := range p.filters {
		add(strconv.Itoa(f.col))
		add(strconv.FormatBool(f.not))
		add(strconv.Itoa(len(f.values)))
		for _, v := range f.sorted() {
			add(v)
		}
	}
	return b.String()
}

package clickhouse

import (
	"fmt"
	"strings"
)

// Kinds of lines in the answer to clickFigures. The numbers are in its SQL.
const (
	lineRow      = 0 // one group in one bucket
	lineOther    = 1 // all groups that are not shown
	lineTotal    = 2
	lineSubtotal = 3 // not needed
)

// shown is which groups get rows of their own.
type shown struct {
	all  bool // every one
	keys []string
}

// cells are the expressions that place a row in the report: k, its group; b, its bucket. What the query does not ask for is
// a constant, and not among the keys.
type cells struct {
	with                 string // defines the keys
	place, group, bucket string // for the SELECT: place of the group among those shown, from 1 on; text of the group if all are shown
	keys                 []string
}

// cells places rows among the groups that are shown, of which there must be one if the query has groups. Groups become
// small numbers: a row's place is looked up once, and what is counted by a number is counted fastest.
func (p *plan) cells(v *params, s source, show shown) cells {
	c := cells{place: "0", group: "''", bucket: "0"}
	var definitions []string
	hidden := "0"
	switch {
	case p.grouped() && show.all:
		definitions, c.group, c.keys = append(definitions, s.group+" AS k"), "toString(k)", []string{"k"}
	case p.grouped():
		definitions = append(definitions, fmt.Sprintf("transform(%s, %s, range(toUInt16(1), toUInt16(%s)), toUInt16(0)) AS k",
			s.group, v.list(p.properties[p.q.GroupBy].number, show.keys), v.add("UInt16", len(show.keys)+1)))
		hidden, c.place, c.keys = "k = 0", "k", []string{"k"}
	}
	if p.bucketed() {
		definitions = append(definitions, fmt.Sprintf("if(%s, 0, roundDown(%s, %s)) AS b", hidden, s.second, v.add("Array(UInt32)", p.starts)))
		c.bucket, c.keys = "b", append(c.keys, "b")
	}
	if len(definitions) > 0 {
		c.with = "WITH " + strings.Join(definitions, ", ")
	}
	return c
}

// clickFigures is the statement for clicks, bots and uniques of every cell, of Other and of the whole, in one piece of the
// span. One statement sees one state of the table, and merges the distinct counts instead of adding them up.
func (p *plan) clickFigures(piece piece, show shown) (string, []any) {
	var v params
	s := p.clicks(&v, piece)
	c := p.cells(&v, s, show)
	kind, groupBy := "2", ""
	switch {
	case p.grouped() && p.bucketed():
		kind = "multiIf(grouping(k) = 1, 2, k = 0, if(grouping(b) = 1, 1, 3), grouping(b) = 1, 3, 0)"
	case p.grouped() && show.all:
		kind = "if(grouping(k) = 1, 2, 0)"
	case p.grouped():
		kind = "multiIf(grouping(k) = 1, 2, k = 0, 1, 0)"
	case p.bucketed():
		kind = "if(grouping(b) = 1, 2, 0)"
	}
	if len(c.keys) > 0 {
		groupBy = "GROUP BY ROLLUP(" + strings.Join(c.keys, ", ") + ")"
	}
	return fmt.Sprintf(`
	%s SELECT toUInt8(%s), toUInt16(%s), %s, toInt64(%s), toInt64(%s), toInt64(%s), toInt64(%s)
	FROM %s %s`,
		c.with, kind, c.place, c.group, c.bucket, s.clicks, s.bots, s.visitors, s.from, groupBy), v.named
}

// factFigures is the statement for what the facts of every cell add up to, by currency; at most so many lines.
func (p *plan) factFigures(show shown, limit int) (string, []any) {
	var v params
	s := p.facts(&v)
	c := p.cells(&v, s, show)
	return fmt.Sprintf(`
	%s SELECT toUInt16(%s), %s, toInt64(%s), toString(currency), sum(leads), sum(sales), sum(refunds), sum(revenue), sum(commission)
	FROM %s GROUP BY %s LIMIT %s`,
		c.with, c.place, c.group, c.bucket, s.from, strings.Join(append(c.keys, "currency"), ", "), v.add("UInt32", limit)), v.named
}

package clickhouse

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/edgeref/edgeref/wire/report"
)

// plan turns a query into statements. It is made once per report and does not change.
type plan struct {
	q          report.Query
	from, to   int64 // Unix milliseconds, [from, to)
	starts     []uint32
	properties map[report.Dimension]property
	rolled     bool  // clicks come from the roll-up where it covers the span
	inFrom     int64 // the part of the span made of whole quarters, Unix seconds; for rolled
	inTo       int64
}

// newPlan expects a query that is valid.
func newPlan(q report.Query) *plan {
	p := &plan{q: q, from: milli(q.From), to: milli(q.To), properties: properties()}
	p.starts = bucketStarts(time.UnixMilli(p.from), time.UnixMilli(p.to), q.Zone, q.Bucket)
	const ms = quarter * 1000
	p.inFrom, p.inTo = (p.from+ms-1)/ms*quarter, p.to/ms*quarter
	p.rolled = p.inFrom < p.inTo && onQuarters(p.starts) && (q.GroupBy == "" || p.properties[q.GroupBy].rolled) &&
		!slices.ContainsFunc(q.Filters, func(f report.Filter) bool { return !p.properties[f.Dimension].rolled })
	return p
}

func (p *plan) grouped() bool { return p.q.GroupBy != "" }

func (p *plan) bucketed() bool { return p.q.Bucket != report.Whole }

// source is where a statement takes its rows from, and how it counts them.
type source struct {
	from                   string // after FROM, conditions included
	group                  string // value of the group
	second                 string // Unix time
	clicks, bots, visitors string // aggregates
}

// clicks is the source of the figures that count clicks.
func (p *plan) clicks(v *params) source {
	var s source
	if p.grouped() {
		s.group = p.properties[p.q.GroupBy].expr
	}
	if !p.rolled {
		s.from = "clicks WHERE " + and(v.span(p.from, p.to), p.keep(v))
		s.second, s.clicks, s.bots = "toUnixTimestamp(time)", "count()", "countIf(bot != '')"
		s.visitors = "uniqCombined64If(toDate(time), visitor, bot = '')"
		return s
	}
	const columns = "quarter, affiliate_id, program_id, link_id, bot"
	s.from = fmt.Sprintf(`(
		SELECT %s, clicks, visitors FROM clicks_quarterly WHERE quarter >= toDateTime(%s, 'UTC') AND quarter < toDateTime(%s, 'UTC') AND %s`,
		columns, v.add("Int64", p.inFrom), v.add("Int64", p.inTo), p.keep(v))
	if before, after := p.from < p.inFrom*1000, p.to > p.inTo*1000; before || after {
		s.from += fmt.Sprintf(`
		UNION ALL
		SELECT toStartOfFifteenMinutes(time) AS %s, count() AS clicks, uniqCombined64State(toDate(time), visitor) AS visitors
		FROM clicks WHERE (%s OR %s) AND %s GROUP BY %s`,
			columns, v.span(p.from, p.inFrom*1000), v.span(p.inTo*1000, p.to), p.keep(v), columns)
	}
	s.from += ")"
	s.second, s.clicks, s.bots = "toUnixTimestamp(quarter)", "sum(clicks)", "sumIf(clicks, bot != '')"
	s.visitors = "uniqCombined64MergeIf(visitors, bot = '')"
	return s
}

// keep is the condition of the query's filters and affiliate on rows of clicks.
func (p *plan) keep(v *params) string {
	conditions := []string{"1"}
	if p.q.AffiliateID != 0 {
		conditions = append(conditions, "affiliate_id = "+v.add("Int64", p.q.AffiliateID))
	}
	for _, f := range p.q.Filters {
		conditions = append(conditions, v.keep(p.properties[f.Dimension].expr, p.properties[f.Dimension].number, f))
	}
	return and(conditions...)
}

// facts is the source of the figures that facts change. Properties that facts lack come from their clicks: by the key
// of clicks, whose columns a click ID contains.
func (p *plan) facts(v *params) source {
	s := source{second: "toUnixTimestamp(time)"}
	span := v.span(p.from, p.to)
	mine := []string{span}
	if p.q.AffiliateID != 0 {
		mine = append(mine, "affiliate_id = "+v.add("Int64", p.q.AffiliateID))
	}
	var joined, conditions []string
	column := func(d report.Dimension) string {
		property := p.properties[d]
		if property.own {
			return property.expr
		}
		name := "click_" + string(d)
		if selected := property.expr + " AS " + name; !slices.Contains(joined, selected) {
			joined = append(joined, selected)
		}
		return name
	}
	if p.grouped() {
		s.group = column(p.q.GroupBy)
	}
	for _, f := range p.q.Filters {
		condition := v.keep(column(f.Dimension), p.properties[f.Dimension].number, f)
		if p.properties[f.Dimension].own {
			mine = append(mine, condition)
		} else {
			conditions = append(conditions, condition)
		}
	}
	if len(joined) == 0 {
		s.from = "facts FINAL WHERE " + and(mine...)
		return s
	}
	// The first condition inside costs least for a row; the second lets the key of clicks pass over most rows unread.
	s.from = fmt.Sprintf(`(SELECT *, click_key FROM facts FINAL WHERE %[1]s) AS f
		LEFT ANY JOIN (
			SELECT affiliate_id AS click_affiliate_id, time AS click_time, click_key, %[2]s FROM clicks
			WHERE click_key IN (SELECT click_key FROM facts WHERE %[1]s)
			AND (affiliate_id, time) IN (SELECT click_affiliate_id, click_time FROM facts WHERE %[1]s)
		) AS c USING (click_affiliate_id, click_time, click_key)`, and(mine...), strings.Join(joined, ", "))
	if len(conditions) > 0 {
		s.from += " WHERE " + and(conditions...)
	}
	return s
}

// byClicks says whether the query orders by a figure of clicks.
func (p *plan) byClicks() bool {
	return slices.Contains([]report.Metric{report.Clicks, report.Bots, report.Uniques}, p.q.OrderBy)
}

// rank is the statement for the groups to show and their metric: from high to low, equals by their text. Without facts it
// does not see groups that have no clicks, and need not join facts to clicks.
func (p *plan) rank(currency string, withFacts bool) (string, []any) {
	var v params
	ofClicks, ofFacts, union := "0", "0", ""
	clicks := p.clicks(&v)
	switch p.q.OrderBy {
	case report.Clicks:
		ofClicks = clicks.clicks
	case report.Bots:
		ofClicks = clicks.bots
	case report.Uniques:
		ofClicks = clicks.visitors
	case report.Leads, report.Sales:
		ofFacts = "sum(" + string(p.q.OrderBy) + ")"
	case report.Revenue, report.Commission:
		ofFacts = fmt.Sprintf("sumIf(%s, currency = %s)", p.q.OrderBy, v.add("String", currency))
	}
	text := "g"
	if p.properties[p.q.GroupBy].number {
		text = "if(g = 0, '', toString(g))"
	}
	if withFacts {
		facts := p.facts(&v)
		union = fmt.Sprintf("UNION ALL SELECT %s AS g, toInt64(%s) AS m FROM %s GROUP BY g", facts.group, ofFacts, facts.from)
	}
	return fmt.Sprintf(`
	SELECT %s AS key, sum(m) AS metric FROM (
		SELECT %s AS g, toInt64(%s) AS m FROM %s GROUP BY g
		%s
	) GROUP BY g ORDER BY metric DESC, key LIMIT %s`,
		text, clicks.group, ofClicks, clicks.from, union, v.add("UInt32", p.q.Limit)), v.named
}

// firstCurrency is the statement for the first currency with money in it.
func (p *plan) firstCurrency() (string, []any) {
	var v params
	return "SELECT toString(currency) FROM " + p.facts(&v).from +
		" GROUP BY currency HAVING sum(revenue) != 0 OR sum(commission) != 0 ORDER BY currency LIMIT 1", v.named
}

// Kinds of lines in the answer to clickFigures. The numbers are in its SQL.
const (
	lineRow      = 0 // one group in one bucket
	lineOther    = 1 // all groups that are not shown
	lineTotal    = 2
	lineSubtotal = 3 // not needed
)

// cells are the expressions that place a row in the report: o, whether its group is not shown; k, its group if it is;
// b, its bucket if it is. What the query does not ask for is a constant, and not among the keys.
type cells struct {
	with             string // defines the keys
	other, key, unix string // for the SELECT
	keys             []string
}

// cells places rows among the groups that are shown, of which there must be one if the query has groups.
func (p *plan) cells(v *params, s source, shown []string) cells {
	c := cells{other: "0", key: "''", unix: "0"}
	var definitions []string
	hidden := "0"
	if p.grouped() {
		number := p.properties[p.q.GroupBy].number
		empty := "''"
		if number {
			empty = "0"
		}
		definitions = append(definitions, s.group+" NOT IN "+v.list(number, shown)+" AS o", fmt.Sprintf("if(o, %s, %s) AS k", empty, s.group))
		hidden, c.other, c.key, c.keys = "o", "o", "toString(k)", []string{"o", "k"}
	}
	if p.bucketed() {
		definitions = append(definitions, fmt.Sprintf("if(%s, 0, roundDown(%s, %s)) AS b", hidden, s.second, v.add("Array(UInt32)", p.starts)))
		c.unix, c.keys = "b", append(c.keys, "b")
	}
	if len(definitions) > 0 {
		c.with = "WITH " + strings.Join(definitions, ", ")
	}
	return c
}

// clickFigures is the statement for clicks, bots and uniques of every cell, of Other and of the whole. One statement
// sees one state of the table, and merges the distinct counts instead of adding them up.
func (p *plan) clickFigures(shown []string) (string, []any) {
	var v params
	s := p.clicks(&v)
	c := p.cells(&v, s, shown)
	kind, groupBy := "2", ""
	switch {
	case p.grouped() && p.bucketed():
		kind = "multiIf(grouping(o) = 1, 2, o = 1, if(grouping(k) = 1, 1, 3), grouping(b) = 1, 3, 0)"
	case p.grouped():
		kind = "multiIf(grouping(o) = 1, 2, o = 1, if(grouping(k) = 1, 1, 3), grouping(k) = 1, 3, 0)"
	case p.bucketed():
		kind = "if(grouping(b) = 1, 2, 0)"
	}
	if len(c.keys) > 0 {
		groupBy = "GROUP BY ROLLUP(" + strings.Join(c.keys, ", ") + ")"
	}
	return fmt.Sprintf(`
	%s SELECT toUInt8(%s), %s, toInt64(%s), toInt64(%s), toInt64(%s), toInt64(%s)
	FROM %s %s`,
		c.with, kind, c.key, c.unix, s.clicks, s.bots, s.visitors, s.from, groupBy), v.named
}

// factFigures is the statement for what the facts of every cell add up to, by currency.
func (p *plan) factFigures(shown []string) (string, []any) {
	var v params
	s := p.facts(&v)
	c := p.cells(&v, s, shown)
	return fmt.Sprintf(`
	%s SELECT toUInt8(%s), %s, toInt64(%s), toString(currency), sum(leads), sum(sales), sum(refunds), sum(revenue), sum(commission)
	FROM %s GROUP BY %s`,
		c.with, c.other, c.key, c.unix, s.from, strings.Join(append(c.keys, "currency"), ", ")), v.named
}

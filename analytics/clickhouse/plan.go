package clickhouse

import (
	"cmp"
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
	quarters   bool // every bucket begins at a quarter of an hour
	rollable   bool // the roll-up has all that the query is about
	fewFacts   bool // that need their clicks; found out before the first statement about them
}

// newPlan expects a query that is valid.
func newPlan(q report.Query) *plan {
	p := &plan{q: q, from: milli(q.From), to: milli(q.To), properties: properties()}
	p.starts = bucketStarts(time.UnixMilli(p.from), time.UnixMilli(p.to), q.Zone, q.Bucket)
	p.quarters = onQuarters(p.starts)
	p.rollable = p.quarters && (q.GroupBy == "" || p.properties[q.GroupBy].rolled) &&
		!slices.ContainsFunc(q.Filters, func(f report.Filter) bool { return !p.properties[f.Dimension].rolled })
	return p
}

func (p *plan) grouped() bool { return p.q.GroupBy != "" }

func (p *plan) bucketed() bool { return p.q.Bucket != report.Whole }

// piece is a part of the span whose clicks come from one table. Pieces of a report meet between two UTC days, so that
// their distinct counts add up.
type piece struct {
	from, to int64 // Unix milliseconds, [from, to)
	rolled   bool  // from the roll-up, where it covers the piece; else from the clicks
}

// pieces are those of a report for which single clicks are complete from cut on, Unix milliseconds.
func (p *plan) pieces(cut int64) []piece {
	switch {
	case !p.rollable || cut <= p.from:
		return []piece{{p.from, p.to, false}}
	case cut >= p.to:
		return []piece{{p.from, p.to, true}}
	}
	return []piece{{p.from, cut, true}, {cut, p.to, false}}
}

// whole is the part of the piece that is made of whole quarters, in Unix seconds; it is empty if in >= out.
func (c piece) whole() (in, out int64) {
	const ms = quarter * 1000
	return (c.from + ms - 1) / ms * quarter, c.to / ms * quarter
}

// source is where a statement takes its rows from, and how it counts them.
type source struct {
	from                   string // after FROM, conditions included
	group                  string // value of the group
	second                 string // Unix time
	clicks, bots, visitors string // aggregates
}

// distinct counts pairs of UTC day and visitor. Visitors are hashes, so multiples of an odd number keep days apart. The
// estimate is exact up to 4,096 and has a standard error of 0.6 %; its state is small enough for one a day or a country to
// stay in the processor's cache, which halves the time of such a report.
const distinct = "uniqCombined64If(15)(visitor + intDiv(toUInt32(quarter), 86400) * 0xd6e8feb86659fd93, bot = '')"

// clicks is the source of the figures that count clicks in a piece.
func (p *plan) clicks(v *params, c piece) source {
	if c.rolled {
		return p.rolledClicks(v, c)
	}
	s := source{second: "toUnixTimestamp(quarter)", clicks: "count()", bots: "countIf(bot != '')", visitors: distinct}
	columns := "bot, visitor, quarter"
	if p.grouped() {
		s.group = "g"
		columns += ", " + p.properties[p.q.GroupBy].expr + " AS g"
	}
	in, out := c.whole()
	if !p.quarters || in >= out {
		s.from = fmt.Sprintf("(SELECT %s, time FROM clicks WHERE %s AND %s)", columns, v.span(c.from, c.to), p.keep(v))
		s.second = "toUnixTimestamp(time)"
		return s
	}
	// Whole quarters need no look at the time; the hint lets the key pass over what is outside.
	s.from = fmt.Sprintf("(SELECT %s FROM clicks WHERE indexHint(%s) AND %s AND %s", columns, v.span(c.from, c.to), v.quarters(in, out), p.keep(v))
	if edges := v.edges(c, in, out); edges != "" {
		s.from += fmt.Sprintf(" UNION ALL SELECT %s FROM clicks WHERE (%s) AND %s", columns, edges, p.keep(v))
	}
	s.from += ")"
	return s
}

// rolledClicks is clicks for a piece of the roll-up.
func (p *plan) rolledClicks(v *params, c piece) source {
	const columns = "quarter, affiliate_id, program_id, link_id, bot"
	in, out := c.whole()
	if in >= out {
		return p.clicks(v, piece{c.from, c.to, false})
	}
	s := source{second: "toUnixTimestamp(quarter)", clicks: "sum(clicks)", bots: "sumIf(clicks, bot != '')", visitors: "uniqCombined64MergeIf(visitors, bot = '')"}
	if p.grouped() {
		s.group = p.properties[p.q.GroupBy].expr
	}
	s.from = fmt.Sprintf("(SELECT %s, clicks, visitors FROM clicks_quarterly WHERE %s AND %s", columns, v.quarters(in, out), p.keep(v))
	if edges := v.edges(c, in, out); edges != "" {
		s.from += fmt.Sprintf(`
		UNION ALL
		SELECT toStartOfFifteenMinutes(time) AS %s, count() AS clicks, uniqCombined64State(toDate(time), visitor) AS visitors
		FROM clicks WHERE (%s) AND %s GROUP BY %s`, columns, edges, p.keep(v), columns)
	}
	s.from += ")"
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
	// The first condition inside costs least for a row; the second lets the key of clicks pass over most rows unread, but
	// takes longer than that saves where facts are many.
	near := ""
	if p.fewFacts {
		near = "AND (affiliate_id, time) IN (SELECT click_affiliate_id, click_time FROM facts WHERE " + and(mine...) + ")"
	}
	s.from = fmt.Sprintf(`(SELECT *, click_key FROM facts FINAL WHERE %[1]s) AS f
		LEFT ANY JOIN (
			SELECT affiliate_id AS click_affiliate_id, time AS click_time, click_key, %[2]s FROM clicks
			WHERE click_key IN (SELECT click_key FROM facts WHERE %[1]s) %[3]s
		) AS c USING (click_affiliate_id, click_time, click_key)`, and(mine...), strings.Join(joined, ", "), near)
	if len(conditions) > 0 {
		s.from += " WHERE " + and(conditions...)
	}
	return s
}

// fewFacts is how many facts are looked for one by one.
const fewFacts = 5000

// joins says whether facts need properties of their clicks.
func (p *plan) joins() bool {
	return p.grouped() && !p.properties[p.q.GroupBy].own ||
		slices.ContainsFunc(p.q.Filters, func(f report.Filter) bool { return !p.properties[f.Dimension].own })
}

// countFacts is the statement for how many facts there are, at most, that need their clicks.
func (p *plan) countFacts() (string, []any) {
	var v params
	condition := v.span(p.from, p.to)
	if p.q.AffiliateID != 0 {
		condition = and(condition, "affiliate_id = "+v.add("Int64", p.q.AffiliateID))
	}
	return "SELECT count() FROM facts WHERE " + condition, v.named
}

// byClicks says whether the query orders by a figure of clicks.
func (p *plan) byClicks() bool {
	return slices.Contains([]report.Metric{report.Clicks, report.Bots, report.Uniques}, p.q.OrderBy)
}

// ranking is the pieces that the groups are ranked by. The roll-up has all clicks, and adding them up costs less there.
func (p *plan) ranking(pieces []piece) []piece {
	if p.rollable && p.q.OrderBy != report.Uniques {
		return []piece{{p.from, p.to, true}}
	}
	return pieces
}

// rank is the statement for the groups to show and their metric: from high to low, equals by their text. Without facts it
// does not see groups that have no clicks, and need not join facts to clicks.
func (p *plan) rank(pieces []piece, currency string, withFacts bool) (string, []any) {
	var v params
	var unions []string
	for _, c := range p.ranking(pieces) {
		s := p.clicks(&v, c)
		ofClicks := map[report.Metric]string{report.Clicks: s.clicks, report.Bots: s.bots, report.Uniques: s.visitors}[p.q.OrderBy]
		unions = append(unions, fmt.Sprintf("SELECT %s AS g, toInt64(%s) AS m FROM %s GROUP BY g", s.group, cmp.Or(ofClicks, "0"), s.from))
	}
	if withFacts {
		s, ofFacts := p.facts(&v), "0"
		switch p.q.OrderBy {
		case report.Leads, report.Sales:
			ofFacts = "sum(" + string(p.q.OrderBy) + ")"
		case report.Revenue, report.Commission:
			ofFacts = fmt.Sprintf("sumIf(%s, currency = %s)", p.q.OrderBy, v.add("String", currency))
		}
		unions = append(unions, fmt.Sprintf("SELECT %s AS g, toInt64(%s) AS m FROM %s GROUP BY g", s.group, ofFacts, s.from))
	}
	text := "g"
	if p.properties[p.q.GroupBy].number {
		text = "if(g = 0, '', toString(g))"
	}
	return fmt.Sprintf("SELECT %s AS key, sum(m) AS metric FROM (%s) GROUP BY g ORDER BY metric DESC, key LIMIT %s",
		text, strings.Join(unions, " UNION ALL "), v.add("UInt32", p.q.Limit)), v.named
}

// firstCurrency is the statement for the first currency with money in it.
func (p *plan) firstCurrency() (string, []any) {
	var v params
	return "SELECT toString(currency) FROM " + p.facts(&v).from +
		" GROUP BY currency HAVING sum(revenue) != 0 OR sum(commission) != 0 ORDER BY currency LIMIT 1", v.named
}

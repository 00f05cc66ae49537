package clickhouse

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/edgeref/edgeref/wire/report"
)

// params are the values of one statement. Values travel beside the text; the text itself is made of constants of this
// package only.
type params struct{ named []any }

// add returns the placeholder of a value of the given ClickHouse type.
func (p *params) add(typ string, value any) string {
	name := "p" + strconv.Itoa(len(p.named))
	p.named = append(p.named, clickhouse.Named(name, value))
	return "{" + name + ":" + typ + "}"
}

// span is the condition that the time lies in [from, to), in Unix milliseconds.
func (p *params) span(from, to int64) string {
	return fmt.Sprintf("time >= fromUnixTimestamp64Milli(%s) AND time < fromUnixTimestamp64Milli(%s)",
		p.add("Int64", from), p.add("Int64", to))
}

// quarters is the condition that the quarter of an hour lies in [in, out), in Unix seconds.
func (p *params) quarters(in, out int64) string {
	return fmt.Sprintf("quarter >= toDateTime(%s, 'UTC') AND quarter < toDateTime(%s, 'UTC')", p.add("Int64", in), p.add("Int64", out))
}

// edges is the condition of the clicks of a piece that are outside of its whole quarters, "" if it has no such edges.
func (p *params) edges(c piece, in, out int64) string {
	var edges []string
	if c.from < in*1000 {
		edges = append(edges, p.span(c.from, in*1000))
	}
	if c.to > out*1000 {
		edges = append(edges, p.span(out*1000, c.to))
	}
	return strings.Join(edges, " OR ")
}

// keep is the condition of a filter on a dimension that is written as expr.
func (p *params) keep(expr string, number bool, f report.Filter) string {
	list := p.list(number, f.Values)
	switch {
	case list == "" && f.Not:
		return "1"
	case list == "":
		return "0"
	case f.Not:
		return expr + " NOT IN " + list
	}
	return expr + " IN " + list
}

// list is the placeholder of a set of values, "" if none of them can occur.
func (p *params) list(number bool, values []string) string {
	if !number {
		return p.add("Array(String)", values)
	}
	var ids []int64
	for _, v := range values {
		if id, ok := idOf(v); ok {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return ""
	}
	return p.add("Array(Int64)", ids)
}

// idOf reverses idText and refuses every other spelling.
func idOf(text string) (int64, bool) {
	if text == "" {
		return 0, true
	}
	id, err := strconv.ParseInt(text, 10, 64)
	return id, err == nil && idText(id) == text
}

// idText is how reports spell an id; 0 means that there is none.
func idText(id int64) string {
	if id == 0 {
		return ""
	}
	return strconv.FormatInt(id, 10)
}

// maxMilli is where ClickHouse's DateTime ends, in 2106, cut to a quarter of an hour.
const maxMilli = (1<<32 - 1) / quarter * quarter * 1000

// milli is t in Unix milliseconds, within what the tables can hold.
func milli(t time.Time) int64 { return min(max(t.UnixMilli(), 0), maxMilli) }

func and(conditions ...string) string { return strings.Join(conditions, " AND ") }

package clickhouse

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/report"
)

// Clicks lists single clicks, newest first. The error wraps report.ErrQuery where the query is at fault.
func (s *Store) Clicks(ctx context.Context, q report.ClickQuery) (clicks []click.Record, err error) {
	if err := q.Validate(); err != nil {
		return nil, err
	}
	defer func(start time.Time) { s.metrics.done(listings, start, err) }(time.Now())
	if milli(q.From) >= milli(q.To) {
		return nil, nil
	}
	columns := textColumns()
	text, named := listing(q, columns)
	err = s.each(ctx, text, named, func(rows driver.Rows) error {
		var r click.Record
		var id []byte
		dest := []any{&id, &r.ProgramID, &r.Visitor}
		for _, c := range columns {
			dest = append(dest, c.field(&r))
		}
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		copy(r.ID[:], id)
		clicks = append(clicks, r)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list clicks: %w", err)
	}
	return clicks, nil
}

// listing finds the keys of the clicks first, which the projection or the key of the table answers, then their columns.
func listing(q report.ClickQuery, columns []textColumn) (string, []any) {
	var v params
	p := plan{q: report.Query{Filters: q.Filters, AffiliateID: q.AffiliateID}, properties: properties()}
	conditions := []string{v.span(milli(q.From), milli(q.To)), p.keep(&v)}
	if !q.Before.IsZero() {
		before := v.add("String", hex.EncodeToString(q.Before[:]))
		conditions = append(conditions, fmt.Sprintf("click_id < toFixedString(unhex(%s), %d)", before, click.IDSize))
	}
	var texts strings.Builder
	for _, c := range columns {
		texts.WriteString(", " + c.name())
	}
	// The second limit is for several shards, each of which finds as many.
	return fmt.Sprintf(`
	SELECT click_id, program_id, visitor%s FROM clicks
	WHERE (affiliate_id, time, click_id) IN (
		SELECT affiliate_id, time, click_id FROM clicks WHERE %s ORDER BY click_id DESC LIMIT %[3]s)
	ORDER BY click_id DESC LIMIT %[3]s`, texts.String(), and(conditions...), v.add("UInt32", q.Limit)), v.named
}

package clickhouse

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// How long a comparison of clicks and roll-up holds, and how long if it came out in another way than the one before; and
// how often one that came out otherwise is repeated at once: a batch that is being stored may be in one table and not
// yet in the other.
const (
	comparedFor      = 10 * time.Minute
	comparedForFirst = 10 * time.Second
	looks            = 3
)

// comparison is the months in which clicks and roll-up have different counts, and until when that holds.
type comparison struct {
	mu     sync.Mutex
	differ []uint32 // as toYYYYMM has them, ascending
	until  time.Time
}

// pieces finds out from which tables a report takes the clicks of its span. Single clicks are counted faster than their
// roll-up is merged; the roll-up is for what retention, or an operator, has deleted. Months are looked at as a whole, since
// both tables are partitioned by them.
func (s *Store) pieces(ctx context.Context, p *plan) ([]piece, error) {
	if !p.rollable {
		return p.pieces(0), nil
	}
	differ, err := s.differing(ctx)
	if err != nil {
		return nil, fmt.Errorf("compare clicks and roll-up: %w", err)
	}
	var cut int64
	if s.opts.Retention > 0 {
		cut = afterMonth(month(time.Now().Add(-s.opts.Retention).UnixMilli()))
	}
	for _, m := range differ {
		if m <= month(p.to-1) {
			cut = max(cut, afterMonth(m))
		}
	}
	return p.pieces(cut), nil
}

// differing returns the months of s.compared, looking at the tables if it is time to.
func (s *Store) differing(ctx context.Context) ([]uint32, error) {
	c := &s.compared
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Now().Before(c.until) {
		return c.differ, nil
	}
	before, holds := c.differ, comparedFor
	for range looks {
		found, err := s.compare(ctx)
		if err != nil {
			return nil, err
		}
		if c.differ = found; slices.Equal(found, before) {
			break
		}
		holds = comparedForFirst
	}
	c.until = time.Now().Add(holds)
	return c.differ, nil
}

// compare counts both tables by month. That of the clicks is known to the server; the other has to be added up.
func (s *Store) compare(ctx context.Context) (months []uint32, err error) {
	const text = `
	SELECT m FROM (
		SELECT toYYYYMM(time) AS m, toInt64(count()) AS n FROM clicks GROUP BY m
		UNION ALL
		SELECT toYYYYMM(quarter) AS m, -toInt64(sum(clicks)) AS n FROM clicks_quarterly GROUP BY m
	) GROUP BY m HAVING sum(n) != 0 ORDER BY m`
	err = s.each(ctx, text, nil, func(rows driver.Rows) error {
		var m uint32
		err := rows.Scan(&m)
		months = append(months, m)
		return err
	})
	return months, err
}

// month is that of a moment in Unix milliseconds, as ClickHouse's toYYYYMM has it; afterMonth is when it ends.
func month(milli int64) uint32 {
	t := time.UnixMilli(milli).UTC()
	return uint32(t.Year()*100 + int(t.Month()))
}

func afterMonth(m uint32) int64 {
	return time.Date(int(m/100), time.Month(m%100)+1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
}

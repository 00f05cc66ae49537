package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/report"
)

// MaxBatch is the largest batch that the append methods take, in records. ClickHouse drops a batch that it has seen
// only as long as it is one block, and a batch stays one at this size whatever the server's settings.
const MaxBatch = 100_000

// AppendClicks stores the batch once per batchID, however often it is called, as long as the server remembers the ID
// (deduplicationWindow). Equal IDs must come with equal clicks. After an error nothing is known: call again with the
// same batch. A batch that crosses a month is stored month by month, so a report may see one part before the other.
// It keeps nothing of clicks.
func (s *Store) AppendClicks(ctx context.Context, batchID string, clicks []click.Record) error {
	add, send, release := s.PrepareClicks()
	defer release()
	add(clicks)
	return send(ctx, batchID)
}

// PrepareClicks does the part of AppendClicks that needs no server. add makes columns of the clicks of a batch, of which it
// keeps nothing, and may be called several times; then send is the rest of AppendClicks, and may be called again.
// release must be called once. The three functions are for one goroutine at a time.
func (s *Store) PrepareClicks() (add func([]click.Record), send func(ctx context.Context, batchID string) error, release func()) {
	b := s.blocks.Get().(*clickBlock)
	send = func(ctx context.Context, batchID string) error {
		err := s.append(ctx, appendClicks, batchID, b.rows, clickInsert(), b.put)
		if refused := (*RefusedError)(nil); errors.As(err, &refused) && b.rows <= MaxBatch {
			return s.confirmRefusal(ctx, b.eachID, err)
		}
		return err
	}
	return b.add, send, func() { b.reset(); s.blocks.Put(b) }
}

// AppendFacts is AppendClicks for facts. A fact also counts once if it comes in several batches.
func (s *Store) AppendFacts(ctx context.Context, batchID string, facts []report.Fact) error {
	return s.append(ctx, appendFacts, batchID, len(facts), factInsert(), func(b driver.Batch) error {
		return fillFacts(b, facts)
	})
}

func (s *Store) append(ctx context.Context, operation, batchID string, n int, insert string, fill func(driver.Batch) error) (err error) {
	if n == 0 {
		return ctx.Err()
	}
	if n > MaxBatch {
		s.metrics.refused.Inc()
		return &RefusedError{fmt.Errorf("%s: %d records in batch %s; at most %d", operation, n, batchID, MaxBatch)}
	}
	defer func(start time.Time) { s.metrics.done(operation, start, err) }(time.Now())
	ctx, cancel := context.WithTimeout(ctx, s.opts.AppendTimeout)
	defer cancel()
	ctx = clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{
		"insert_deduplication_token":                         batchID,
		"insert_deduplicate":                                 1,
		"deduplicate_blocks_in_dependent_materialized_views": 1,
		"async_insert":                                       0, // the answer means that the batch is stored
		"max_partitions_per_insert_block":                    0, // a wrong clock must not block a queue for ever
	}))
	if err := s.check(ctx); err != nil {
		return fmt.Errorf("%s: %w", operation, explain(ctx, err))
	}
	batch, err := s.conn.PrepareBatch(ctx, insert)
	if err != nil {
		return fmt.Errorf("%s: prepare batch %s: %w", operation, batchID, explain(ctx, err))
	}
	defer batch.Close()
	if err := fill(batch); err != nil {
		return fmt.Errorf("%s: fill batch %s: %w", operation, batchID, err)
	}
	if err := batch.Send(); err != nil {
		return s.refused(fmt.Errorf("%s: send batch %s: %w", operation, batchID, explain(ctx, err)))
	}
	s.metrics.appended.WithLabelValues(strings.TrimPrefix(operation, "append_")).Add(float64(n))
	return nil
}

func clickInsert() string {
	var texts strings.Builder
	for _, c := range textColumns() {
		texts.WriteString(", " + c.name())
	}
	return "INSERT INTO clicks (affiliate_id, time, click_id, program_id, link_id, node, visitor" + texts.String() + ")"
}

func factInsert() string {
	return "INSERT INTO facts (id, time, click_id, click_affiliate_id, click_time, program_id, affiliate_id, link_id, " +
		"leads, sales, refunds, revenue, commission, currency)"
}

// fillFacts goes column by column, in the order of factInsert.
func fillFacts(b driver.Batch, facts []report.Fact) error {
	c := columnFiller{batch: b}
	numbers := make([]int64, len(facts))
	each := func(value func(*report.Fact) int64) []int64 {
		for i := range facts {
			numbers[i] = value(&facts[i])
		}
		return numbers
	}
	ids, currencies := make([][]byte, len(facts)), make([]string, len(facts))
	for i := range facts {
		ids[i], currencies[i] = facts[i].ClickID[:], facts[i].Currency
	}
	c.fill(each(func(f *report.Fact) int64 { return f.ID }))
	c.fill(each(func(f *report.Fact) int64 { return f.Time }))
	c.fill(ids)
	for _, value := range []func(*report.Fact) int64{
		func(f *report.Fact) int64 { return f.ClickID.AffiliateID() },
		func(f *report.Fact) int64 { return f.ClickID.UnixMilli() },
		func(f *report.Fact) int64 { return f.ProgramID },
		func(f *report.Fact) int64 { return f.AffiliateID },
		func(f *report.Fact) int64 { return f.LinkID },
		func(f *report.Fact) int64 { return f.Leads },
		func(f *report.Fact) int64 { return f.Sales },
		func(f *report.Fact) int64 { return f.Refunds },
		func(f *report.Fact) int64 { return f.Revenue },
		func(f *report.Fact) int64 { return f.Commission },
	} {
		c.fill(each(value))
	}
	c.fill(currencies)
	return c.err
}

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// Batch IDs are kept for a week: a tracker that has not heard of a batch's arrival sends it again within seconds, and
// after a longer silence of either side within days. Clicks that facts wait for are given up after 30 days.
const (
	batchMemory   = 7 * 24 * time.Hour
	waitingMemory = 30
	pruneChunk    = 5000 // rows a transaction
	expireChunk   = 16   // blocks a transaction, about 10 MB
	maintainEvery = time.Minute
)

func (s *Store) maintainForever(ctx context.Context) {
	ticker := time.NewTicker(maintainEvery)
	defer ticker.Stop()
	for {
		if err := s.Maintain(ctx); err != nil && !errors.Is(err, context.Canceled) {
			s.log.Error("analytics maintenance failed; it is tried again in a minute", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// Maintain forgets old batch IDs and deletes the details of old clicks, in small transactions between which appends get
// their turn. The store calls it every minute. The file does not shrink: its free pages are used again, and VACUUM,
// which needs the space twice and locks out appends, is left to the operator.
func (s *Store) Maintain(ctx context.Context) error {
	now := s.clock()
	if err := s.repeat(ctx, `DELETE FROM batches WHERE at < ? AND seq IN (SELECT seq FROM batches ORDER BY seq LIMIT ?)`,
		now.Add(-batchMemory).UnixMilli(), pruneChunk); err != nil {
		return s.wrap("forget old batches", err)
	}
	day := floorDay(now.UnixMilli())
	if err := s.repeat(ctx, `DELETE FROM waiting WHERE (click, day) IN (SELECT click, day FROM waiting WHERE day < ? LIMIT ?)`,
		day-waitingMemory, pruneChunk); err != nil {
		return s.wrap("give up waiting clicks", err)
	}
	var waiting int64
	if err := s.read.QueryRowContext(ctx, "SELECT count(*) FROM waiting").Scan(&waiting); err != nil {
		return s.wrap("count waiting clicks", err)
	}
	s.metrics.waiting.Set(float64(waiting))
	if s.retention == 0 {
		return nil
	}
	return s.wrap("delete details of old clicks", s.expire(ctx, now.Add(-s.retention).UnixMilli()))
}

// repeat executes a DELETE until it finds nothing.
func (s *Store) repeat(ctx context.Context, query string, args ...any) error {
	for {
		var n int64
		err := s.inTx(ctx, func(tx *sql.Tx) error {
			result, err := tx.ExecContext(ctx, query, args...)
			if err == nil {
				n, err = result.RowsAffected()
			}
			return err
		})
		if err != nil || n == 0 {
			return err
		}
	}
}

// expire deletes the details of blocks whose last row is older than the time given, in Unix ms.
func (s *Store) expire(ctx context.Context, before int64) error {
	for {
		var expired []header
		err := s.inTx(ctx, func(tx *sql.Tx) (err error) {
			// A block ends with its day at the latest.
			expired, err = queryHeaders(ctx, tx, "detail = 1 AND day <= ? AND max_ms < ? LIMIT ?", floorDay(before), before, expireChunk)
			if err != nil {
				return err
			}
			for _, h := range expired {
				if err := dropDetail(ctx, tx, h); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		s.metrics.expired.Add(float64(len(expired)))
		if len(expired) < expireChunk {
			return nil
		}
	}
}

func dropDetail(ctx context.Context, tx *sql.Tx, h header) error {
	for col := range numColumns {
		if hasColumn(h.kind, col) && detail(col) {
			if _, err := tx.ExecContext(ctx, "DELETE FROM columns WHERE key = ?", h.id<<6|int64(col)); err != nil {
				return err
			}
		}
	}
	_, err := tx.ExecContext(ctx, "UPDATE blocks SET detail = 0 WHERE id = ?", h.id)
	return err
}

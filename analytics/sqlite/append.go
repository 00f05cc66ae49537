package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/report"
)

// Limits of a batch.
const (
	maxBatch   = 50_000 // records
	maxBatchID = 200    // bytes
)

// AppendClicks stores the clicks once: a batch ID that was taken in during the last seven days is ignored without an
// error, whatever the batch holds. On an error nothing is stored, and the same batch may be sent again. The clicks'
// texts may be views; none is kept. It is safe for concurrent use.
func (s *Store) AppendClicks(ctx context.Context, batchID string, clicks []click.Record) (err error) {
	defer func(begun time.Time) { s.metrics.done(opAppendClicks, begun, err) }(time.Now())
	return s.wrap("append clicks", s.appendBatch(ctx, kindClicks, batchID, len(clicks), func(tx *sql.Tx) (int, error) {
		return len(clicks), appendClicks(ctx, tx, clicks)
	}))
}

// AppendFacts stores the facts once: a known batch ID is ignored as by AppendClicks, and so is, for ever, a known fact
// ID. On an error nothing is stored. It is safe for concurrent use.
func (s *Store) AppendFacts(ctx context.Context, batchID string, facts []report.Fact) (err error) {
	defer func(begun time.Time) { s.metrics.done(opAppendFacts, begun, err) }(time.Now())
	return s.wrap("append facts", s.appendBatch(ctx, kindFacts, batchID, len(facts), func(tx *sql.Tx) (int, error) {
		return appendFacts(ctx, tx, facts)
	}))
}

// appendBatch runs fn, which says how many records it has stored, in the transaction that claims the batch ID.
func (s *Store) appendBatch(ctx context.Context, kind int, id string, records int, fn func(*sql.Tx) (int, error)) error {
	switch {
	case id == "" || len(id) > maxBatchID:
		s.metrics.refused.Inc()
		return fmt.Errorf("batch ID has %d bytes, want 1 to %d", len(id), maxBatchID)
	case records > maxBatch:
		s.metrics.refused.Inc()
		return fmt.Errorf("%w: it has %d records, at most %d are taken: send smaller batches", ErrBatch, records, maxBatch)
	}
	stored, known := 0, false
	err := s.inTx(ctx, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, "INSERT OR IGNORE INTO batches (kind, id, at) VALUES (?, ?, ?)", kind, id, s.clock().UnixMilli())
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			known = err == nil
			return err
		}
		stored, err = fn(tx)
		return err
	})
	switch {
	case err != nil:
		return err
	case known:
		s.metrics.duplicates.WithLabelValues(kindLabel(kind)).Inc()
	default:
		s.metrics.appended.WithLabelValues(kindLabel(kind)).Add(float64(stored))
	}
	return nil
}

func appendClicks(ctx context.Context, tx *sql.Tx, clicks []click.Record) error {
	blocks := make(map[int64]*block)
	for i := range clicks {
		day := clicks[i].ID.UnixMilli() / dayMilli
		b := blocks[day]
		if b == nil {
			b = &block{kind: kindClicks, day: day}
			blocks[day] = b
		}
		b.addClick(&clicks[i])
		if b.rows == maxRows {
			if err := addBlock(ctx, tx, b); err != nil {
				return err
			}
			delete(blocks, day)
		}
	}
	if err := addBlocks(ctx, tx, blocks); err != nil {
		return err
	}
	return settleWaiting(ctx, tx, clicks)
}

func addBlocks(ctx context.Context, tx *sql.Tx, byDay map[int64]*block) error {
	for _, day := range slices.Sorted(maps.Keys(byDay)) {
		if err := addBlock(ctx, tx, byDay[day]); err != nil {
			return err
		}
	}
	return nil
}

func appendFacts(ctx context.Context, tx *sql.Tx, facts []report.Fact) (int, error) {
	fresh, err := claimFacts(ctx, tx, facts)
	if err != nil {
		return 0, err
	}
	wanted := make(map[click.ID]bool)
	for _, f := range fresh {
		if !f.ClickID.IsZero() {
			wanted[f.ClickID] = true
		}
	}
	clicks, err := findClicks(ctx, tx, wanted)
	if err != nil {
		return 0, err
	}
	blocks := make(map[int64]*block)
	for _, f := range fresh {
		day := floorDay(f.Time)
		b := blocks[day]
		if b == nil {
			b = &block{kind: kindFacts, day: day}
			blocks[day] = b
		}
		c := clicks[f.ClickID]
		b.addFact(f, c)
		if c == nil && !f.ClickID.IsZero() {
			if _, err := tx.ExecContext(ctx, "INSERT OR IGNORE INTO waiting (click, day) VALUES (?, ?)", f.ClickID[:], day); err != nil {
				return 0, err
			}
		}
		if b.rows == maxRows {
			if err := addBlock(ctx, tx, b); err != nil {
				return 0, err
			}
			delete(blocks, day)
		}
	}
	return len(fresh), addBlocks(ctx, tx, blocks)
}

// claimFacts returns the facts whose IDs are new, each once, and makes them known.
func claimFacts(ctx context.Context, tx *sql.Tx, facts []report.Fact) ([]*report.Fact, error) {
	claim, err := tx.PrepareContext(ctx, "INSERT OR IGNORE INTO facts (id) VALUES (?)")
	if err != nil {
		return nil, err
	}
	defer func() { _ = claim.Close() }()
	var fresh []*report.Fact
	for i := range facts {
		result, err := claim.ExecContext(ctx, facts[i].ID)
		if err != nil {
			return nil, err
		}
		n, err := result.RowsAffected()
		if err != nil {
			return nil, err
		}
		if n == 1 {
			fresh = append(fresh, &facts[i])
		}
	}
	return fresh, nil
}

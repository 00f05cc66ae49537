package commission

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/ledger"
	"github.com/edgeref/edgeref/core/webhook"
)

const (
	// releaseChunk is how many commissions are released in one transaction: enough to share its cost, few enough that
	// a refund waits only milliseconds.
	releaseChunk = 100
	// releaseRound bounds what Run releases before it looks at its context and clock again.
	releaseRound = 5_000
)

// Run releases what is due, at once and then every Options.ReleaseEvery, until ctx ends. Several cores may run it.
func (s *Service) Run(ctx context.Context) error {
	ticker := time.NewTicker(s.every)
	defer ticker.Stop()
	for {
		for {
			released, err := s.ReleaseDue(ctx, s.now(), releaseRound)
			if err != nil && ctx.Err() == nil {
				s.log.Error("release of commissions failed, will try again", "error", err, "released", released)
			}
			if err != nil || released < releaseRound {
				break
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// ReleaseDue makes payable at most limit pending commissions whose hold ended at now or before, oldest first, and
// returns how many. It may be repeated and run by several cores at once: none is released twice. One that fails does
// not keep back the others; the error joins what failed.
func (s *Service) ReleaseDue(ctx context.Context, now time.Time, limit int) (int, error) {
	var afterTime, afterID int64
	var errs []error
	released := 0
	for limit > 0 {
		ids, last, err := s.due(ctx, now.UnixMilli(), afterTime, afterID, min(limit, releaseChunk))
		if err != nil {
			return released, errors.Join(append(errs, err)...)
		}
		if len(ids) == 0 {
			break
		}
		afterTime, afterID = last, ids[len(ids)-1]
		limit -= len(ids)
		n, err := s.release(ctx, ids)
		if err != nil && len(ids) > 1 {
			// One of them is in the way of the rest.
			n, err = s.releaseSingly(ctx, ids)
		}
		released += n
		s.released.Add(float64(n))
		if err != nil {
			errs = append(errs, err)
			if ctx.Err() != nil {
				break
			}
		}
	}
	return released, errors.Join(errs...)
}

func (s *Service) due(ctx context.Context, now, afterTime, afterID int64, limit int) (ids []int64, last int64, err error) {
	rows, err := s.db.Query(ctx, `SELECT id, release_at FROM commissions WHERE state = ? AND release_at <= ?
		AND (release_at > ? OR release_at = ? AND id > ?) ORDER BY release_at, id LIMIT ?`, Pending, now, afterTime, afterTime, afterID, limit)
	if err != nil {
		return nil, 0, fmt.Errorf("find commissions to release: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id, &last); err != nil {
			return nil, 0, fmt.Errorf("find commissions to release: %w", err)
		}
		ids = append(ids, id)
	}
	if err := rows.Err(); err != nil {
		return nil, 0, fmt.Errorf("find commissions to release: %w", err)
	}
	return ids, last, nil
}

func (s *Service) releaseSingly(ctx context.Context, ids []int64) (int, error) {
	released := 0
	var errs []error
	for _, id := range ids {
		n, err := s.release(ctx, []int64{id})
		released += n
		if err != nil {
			s.failed.Inc()
			errs = append(errs, err)
		}
		if ctx.Err() != nil {
			break
		}
	}
	return released, errors.Join(errs...)
}

// release releases those of ids that are still pending, in one transaction.
func (s *Service) release(ctx context.Context, ids []int64) (released int, err error) {
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		released = 0
		args := make([]any, 0, len(ids)+1)
		for _, id := range ids {
			args = append(args, id)
		}
		// Locked in order of id, like everything that locks several commissions.
		list, err := read(ctx, tx, "id IN "+db.In(len(ids))+" AND state = ? ORDER BY id"+tx.Dialect().ForUpdate(), append(args, Pending)...)
		if err != nil {
			return fmt.Errorf("lock commissions to release: %w", err)
		}
		for _, c := range list {
			left := c.Amount.Minor - c.Reversed
			from, to := c.holder(), ledger.Account{Kind: ledger.Payable, OwnerID: c.AffiliateID}
			if err := s.post(ctx, tx, &c, ledger.CommissionReleased, "hold ended", c.ConversionID, left, from, to); err != nil {
				return fmt.Errorf("release commission %d: %w", c.ID, err)
			}
			if _, err := tx.Exec(ctx, "UPDATE commissions SET state = ?, released_at = ? WHERE id = ?", Payable, s.now().UnixMilli(), c.ID); err != nil {
				return fmt.Errorf("release commission %d: %w", c.ID, err)
			}
			if err := s.announce(ctx, tx, &c, webhook.CommissionReleased, left); err != nil {
				return fmt.Errorf("release commission %d: %w", c.ID, err)
			}
			released++
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return released, nil
}

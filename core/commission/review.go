package commission

import (
	"context"
	"errors"
	"fmt"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/ledger"
	"github.com/edgeref/edgeref/wire/money"
)

// ErrReviewNotFound says that there is no such review that is open.
var ErrReviewNotFound = errors.New("no such open review")

// MaxResolution is the longest note with which a review is resolved, in bytes.
const MaxResolution = 1000

// Review asks somebody to look at an affiliate whose payable balance a reversal took below the floor of the program. The
// reversal is booked; only a person can decide what follows.
type Review struct {
	ID           int64
	ProgramID    int64
	AffiliateID  int64
	CommissionID int64
	ConversionID int64        // the refund
	Balance      money.Amount // after the reversal
	Floor        money.Amount
	CreatedAt    int64 // Unix ms
	ResolvedAt   int64 // Unix ms; 0: it is open
	Resolution   string
}

// review keeps a review where a reversal of c took its affiliate below the floor.
func (s *Service) review(ctx context.Context, tx *db.Tx, c *Commission, t *TakeBack) error {
	floor, ok := t.Terms.Floor(c.Amount.Currency)
	if !ok || c.ReleasedAt == 0 {
		return nil
	}
	var balance int64
	err := tx.QueryRow(ctx, `SELECT COALESCE(SUM(e.amount_minor), 0) FROM ledger_entries e JOIN ledger_accounts a ON a.id = e.account_id
		WHERE a.owner_id = ? AND a.kind = ? AND a.currency = ?`, c.AffiliateID, ledger.Payable, c.Amount.Currency).Scan(&balance)
	if err != nil {
		return fmt.Errorf("read payable balance: %w", err)
	}
	if balance >= floor.Minor {
		return nil
	}
	_, err = tx.Exec(ctx, `INSERT INTO commission_reviews (id, program_id, affiliate_id, commission_id, conversion_id, currency, balance_minor,
		floor_minor, created_at, resolved_at, resolution) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, '')`,
		s.ids.New(), c.ProgramID, c.AffiliateID, c.ID, t.ConversionID, c.Amount.Currency, balance, floor.Minor, s.now().UnixMilli())
	if err != nil {
		return fmt.Errorf("keep review of a balance: %w", err)
	}
	tx.OnCommit(s.reviews.Inc)
	return nil
}

// Reviews returns reviews with an ID below before (0: from the newest), the newest first; only open ones unless all is set.
func (s *Service) Reviews(ctx context.Context, all bool, before int64, limit int) ([]Review, error) {
	where, args := "1 = 1", []any(nil)
	if !all {
		where = "resolved_at = 0"
	}
	if before != 0 {
		where, args = where+" AND id < ?", append(args, before)
	}
	return readReviews(ctx, s.db, where+" ORDER BY id DESC LIMIT ?", append(args, limit)...)
}

// ResolveReview closes a review with a note. The functions in also run in the same transaction.
func (s *Service) ResolveReview(ctx context.Context, id int64, note string, also ...func(*db.Tx, Review) error) (r Review, err error) {
	if note == "" || len(note) > MaxResolution {
		return Review{}, fmt.Errorf("%w: a note of 1 to %d bytes says what was decided", ErrRule, MaxResolution)
	}
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		list, err := readReviews(ctx, tx, "id = ? AND resolved_at = 0"+tx.Dialect().ForUpdate(), id)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return ErrReviewNotFound
		}
		r = list[0]
		r.ResolvedAt, r.Resolution = s.now().UnixMilli(), note
		if _, err := tx.Exec(ctx, "UPDATE commission_reviews SET resolved_at = ?, resolution = ? WHERE id = ?", r.ResolvedAt, r.Resolution, r.ID); err != nil {
			return fmt.Errorf("resolve review: %w", err)
		}
		for _, fn := range also {
			if err := fn(tx, r); err != nil {
				return err
			}
		}
		return nil
	})
	return r, err
}

func readReviews(ctx context.Context, q db.Querier, rest string, args ...any) ([]Review, error) {
	rows, err := q.Query(ctx, `SELECT id, program_id, affiliate_id, commission_id, conversion_id, currency, balance_minor, floor_minor,
		created_at, resolved_at, resolution FROM commission_reviews WHERE `+rest, args...)
	if err != nil {
		return nil, fmt.Errorf("read reviews: %w", err)
	}
	defer rows.Close()
	var out []Review
	for rows.Next() {
		var r Review
		if err := rows.Scan(&r.ID, &r.ProgramID, &r.AffiliateID, &r.CommissionID, &r.ConversionID, &r.Balance.Currency, &r.Balance.Minor,
			&r.Floor.Minor, &r.CreatedAt, &r.ResolvedAt, &r.Resolution); err != nil {
			return nil, fmt.Errorf("read reviews: %w", err)
		}
		r.Floor.Currency = r.Balance.Currency
		out = append(out, r)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read reviews: %w", err)
	}
	return out, nil
}

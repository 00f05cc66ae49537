package commission

import (
	"context"
	"fmt"

	"github.com/edgeref/edgeref/core/db"
)

// SetPaid makes paid those of the commissions that are payable, in tx and in order of id: a payout that covers them has
// arrived. Those that were reversed meanwhile stay so. A commission of which a refund takes back more afterwards stays
// paid; what it took back is netted with the next payout.
func (s *Service) SetPaid(ctx context.Context, tx *db.Tx, ids []int64) error {
	return s.change(ctx, tx, ids, Payable, Paid)
}

// SetPayable makes payable again those of the commissions that are paid: the payout that covered them came back.
func (s *Service) SetPayable(ctx context.Context, tx *db.Tx, ids []int64) error {
	return s.change(ctx, tx, ids, Paid, Payable)
}

// change locks commissions in order of id, like everything that locks several of them. ids are sorted.
func (s *Service) change(ctx context.Context, tx *db.Tx, ids []int64, from, to State) error {
	for part, args := range db.Chunks(ids) {
		in := db.In(len(part))
		if err := lock(ctx, tx, "SELECT id FROM commissions WHERE id IN "+in+" ORDER BY id"+tx.Dialect().ForUpdate(), args...); err != nil {
			return fmt.Errorf("lock commissions: %w", err)
		}
		if _, err := tx.Exec(ctx, "UPDATE commissions SET state = ? WHERE id IN "+in+" AND state = ?", append(append([]any{to}, args...), from)...); err != nil {
			return fmt.Errorf("make commissions %s: %w", to, err)
		}
	}
	return nil
}

// lock reads rows for their locks alone.
func lock(ctx context.Context, tx *db.Tx, query string, args ...any) error {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() { //nolint:revive // only their locks are wanted
	}
	return rows.Err()
}

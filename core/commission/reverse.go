package commission

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/ledger"
	"github.com/edgeref/edgeref/core/webhook"
	"github.com/edgeref/edgeref/wire/money"
)

// TakeBack says what a refund or rejection leaves of a sale or lead.
type TakeBack struct {
	SubjectID    int64  // the sale or lead
	ConversionID int64  // the refund or rejection
	Refunded     int64  // minor units of the sale refunded up to here, this refund included; ignored with All
	All          bool   // nothing of the subject is left
	Reason       string // for the ledger, in plain words
}

// Reverse takes back in tx what is due of the subject's commission, also after its release: the affiliate's payable
// balance may turn negative. It returns what was taken back, the zero Amount where the subject had no commission. The
// caller holds the subject's lock and has not let the same conversion take back before.
func (s *Service) Reverse(ctx context.Context, tx *db.Tx, t TakeBack) (money.Amount, error) {
	c, err := one(ctx, tx, "conversion_id = ?", t.SubjectID, tx.Dialect().ForUpdate())
	if db.IsNoRows(err) {
		return money.Amount{}, nil
	}
	if err != nil {
		return money.Amount{}, fmt.Errorf("read commission: %w", err)
	}
	a, err := c.Explanation.reverse(c.Reversed, t.Refunded, t.All)
	if err != nil {
		return money.Amount{}, err
	}
	explanation, err := json.Marshal(a)
	if err != nil {
		return money.Amount{}, fmt.Errorf("explain reversal: %w", err)
	}
	_, err = tx.Exec(ctx, "INSERT INTO commission_reversals (commission_id, conversion_id, amount_minor, explanation, created_at) VALUES (?, ?, ?, ?, ?)",
		c.ID, t.ConversionID, a.Result.Minor, string(explanation), s.now().UnixMilli())
	if err != nil {
		return money.Amount{}, fmt.Errorf("record reversal: %w", err)
	}
	c.Reversed = a.Due.Minor
	if t.All {
		c.State = Reversed
	}
	if _, err := tx.Exec(ctx, "UPDATE commissions SET reversed_minor = ?, state = ? WHERE id = ?", c.Reversed, c.State, c.ID); err != nil {
		return money.Amount{}, fmt.Errorf("reverse commission: %w", err)
	}
	err = s.post(ctx, tx, &c, ledger.CommissionReversed, t.Reason, t.ConversionID, a.Result.Minor, c.holder(), ledger.Account{Kind: ledger.Expense})
	if err == nil {
		err = s.announce(ctx, tx, &c, webhook.CommissionReversed, a.Result.Minor)
	}
	return a.Result, err
}

package commission

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/edgeref/edgeref/core/catalog"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/ledger"
	"github.com/edgeref/edgeref/core/webhook"
	"github.com/edgeref/edgeref/wire/money"
)

// TakeBack says what a refund, dispute or rejection leaves of a sale or lead, or what a dispute that was won restores.
type TakeBack struct {
	SubjectID    int64 // the sale or lead
	ConversionID int64 // the refund or rejection
	Refunded     int64 // minor units of the sale refunded up to here, this refund included; ignored with All
	// Lines are those of an order, with what is refunded of each up to here; of the others nothing is.
	Lines  []LineRefund
	All    bool          // nothing of the subject is left; of a restoral: nothing was left of it before
	Reason string        // for the ledger, in plain words
	Terms  catalog.Terms // of the program
}

// LineRefund is what is refunded of a line.
type LineRefund struct {
	LineID   int64
	Refunded int64 // minor units, up to here
	All      bool  // nothing of it is left
}

// of is what is refunded of what a commission is for.
func (t *TakeBack) of(c *Commission) (refunded int64, all bool) {
	if c.LineID == 0 {
		return t.Refunded, false
	}
	for _, l := range t.Lines {
		if l.LineID == c.LineID {
			return l.Refunded, l.All
		}
	}
	return 0, false
}

// Change is what a refund took back of one commission, or a won dispute gave back.
type Change struct {
	AffiliateID int64
	LinkID      int64
	Level       int
	Amount      money.Amount
}

// Reverse takes back in tx what is due of the subject's commissions, also after their release or payout: the affiliate's
// payable balance may turn negative, and his next payout is less. It returns what was taken back of each. The caller
// holds the subject's lock and has not let the same conversion take back before.
func (s *Service) Reverse(ctx context.Context, tx *db.Tx, t TakeBack) ([]Change, error) {
	list, err := current(ctx, tx, t.SubjectID)
	if err != nil {
		return nil, err
	}
	var out []Change
	month := months{}
	for i := range list {
		c := &list[i]
		refunded, all := t.of(c)
		all = all || t.All
		a, err := c.Explanation.reverse(c.Reversed, refunded, all)
		if err != nil {
			return nil, err
		}
		if !all && a.Result.Minor == 0 && refunded == 0 {
			continue // nothing of its line
		}
		if all && c.State != Reversed {
			if err := month.add(ctx, tx, c, -1, t.All); err != nil {
				return nil, err
			}
		}
		if err := s.takeBack(ctx, tx, c, &a, t.ConversionID, t.Reason, all); err != nil {
			return nil, err
		}
		if err := s.review(ctx, tx, c, &t); err != nil {
			return nil, err
		}
		out = append(out, Change{AffiliateID: c.AffiliateID, LinkID: c.LinkID, Level: c.Level, Amount: a.Result})
	}
	return out, nil
}

// months takes sales out of the volumes of their months, or puts them back, each once for each rule.
type months map[int64]bool

// add changes the month of c by all that c was for. It affects only sales that are booked afterwards.
func (m months) add(ctx context.Context, tx *db.Tx, c *Commission, sign int64, whole bool) error {
	if c.Explanation.Month == 0 || c.Level != 0 {
		return nil
	}
	sales, net := int64(0), int64(0)
	if whole && !m[c.RuleID] {
		sales, m[c.RuleID] = sign, true
	}
	if c.Explanation.Base != nil {
		net = c.Explanation.Base.Minor
	}
	_, err := tx.Exec(ctx, `UPDATE commission_volumes SET sales = sales + ?, net_minor = net_minor + ?, earned_minor = earned_minor + ?
		WHERE rule_id = ? AND affiliate_id = ? AND month = ? AND currency = ?`,
		sales, sign*net, sign*c.Amount.Minor, c.RuleID, c.AffiliateID, c.Explanation.Month, c.Amount.Currency)
	if err != nil {
		return fmt.Errorf("change volume of the month: %w", err)
	}
	return nil
}

// current locks the commissions of a conversion that count, in order of id.
func current(ctx context.Context, tx *db.Tx, conversionID int64) ([]Commission, error) {
	list, err := read(ctx, tx, "conversion_id = ? AND replaced_at = 0 ORDER BY id"+tx.Dialect().ForUpdate(), conversionID)
	if err != nil {
		return nil, fmt.Errorf("lock commissions of a conversion: %w", err)
	}
	return list, nil
}

// takeBack carries out one reversal.
func (s *Service) takeBack(ctx context.Context, tx *db.Tx, c *Commission, a *Arithmetic, conversionID int64, reason string, all bool) error {
	if err := s.keepChange(ctx, tx, reversals, c, a, conversionID); err != nil {
		return err
	}
	c.Reversed = a.Due.Minor
	if c.State == Paid && c.PaidAt == 0 {
		c.PaidAt = s.now().UnixMilli() // so that it is known if a dispute is won
	}
	if all {
		c.State = Reversed
	}
	_, err := tx.Exec(ctx, "UPDATE commissions SET reversed_minor = ?, state = ?, paid_at = ?, replaced_at = ? WHERE id = ?", c.Reversed, c.State, c.PaidAt, c.ReplacedAt, c.ID)
	if err != nil {
		return fmt.Errorf("reverse commission: %w", err)
	}
	err = s.post(ctx, tx, c, ledger.CommissionReversed, reason, conversionID, a.Result.Minor, c.holder(), ledger.Account{Kind: ledger.Expense})
	if err == nil {
		err = s.announce(ctx, tx, c, webhook.CommissionReversed, a.Result.Minor)
	}
	return err
}

func (s *Service) keepChange(ctx context.Context, tx *db.Tx, table string, c *Commission, a *Arithmetic, conversionID int64) error {
	explanation, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("explain change of a commission: %w", err)
	}
	_, err = tx.Exec(ctx, "INSERT INTO "+table+" (commission_id, conversion_id, amount_minor, explanation, created_at) VALUES (?, ?, ?, ?, ?)",
		c.ID, conversionID, a.Result.Minor, string(explanation), s.now().UnixMilli())
	if err != nil {
		return fmt.Errorf("record change of a commission: %w", err)
	}
	return nil
}

// Restore gives back in tx what a dispute took that was won: Refunded and Lines say what remains refunded. The caller
// holds the subject's lock and has not let the same conversion give back before.
func (s *Service) Restore(ctx context.Context, tx *db.Tx, t TakeBack) ([]Change, error) {
	list, err := current(ctx, tx, t.SubjectID)
	if err != nil {
		return nil, err
	}
	var out []Change
	month := months{}
	for i := range list {
		c := &list[i]
		refunded, all := t.of(c)
		if all {
			continue // its line stays refunded as a whole
		}
		a, err := c.Explanation.restore(c.Reversed, refunded)
		if err != nil {
			return nil, err
		}
		wasAll := c.State == Reversed
		if a.Result.Minor == 0 && !wasAll {
			continue
		}
		if wasAll {
			if err := month.add(ctx, tx, c, 1, t.All); err != nil {
				return nil, err
			}
		}
		if err := s.giveBack(ctx, tx, c, &a, t.ConversionID, t.Reason); err != nil {
			return nil, err
		}
		out = append(out, Change{AffiliateID: c.AffiliateID, LinkID: c.LinkID, Level: c.Level, Amount: a.Result})
	}
	return out, nil
}

func (s *Service) giveBack(ctx context.Context, tx *db.Tx, c *Commission, a *Arithmetic, conversionID int64, reason string) error {
	if err := s.keepChange(ctx, tx, restorals, c, a, conversionID); err != nil {
		return err
	}
	c.Reversed = a.Due.Minor
	if c.State == Reversed {
		switch {
		case c.PaidAt != 0:
			c.State = Paid
		case c.ReleasedAt != 0:
			c.State = Payable
		default:
			c.State = Pending
		}
	}
	if _, err := tx.Exec(ctx, "UPDATE commissions SET reversed_minor = ?, state = ? WHERE id = ?", c.Reversed, c.State, c.ID); err != nil {
		return fmt.Errorf("restore commission: %w", err)
	}
	err := s.post(ctx, tx, c, ledger.CommissionRestored, reason, conversionID, a.Result.Minor, ledger.Account{Kind: ledger.Expense}, c.holder())
	if err == nil {
		err = s.announce(ctx, tx, c, webhook.CommissionRestored, a.Result.Minor)
	}
	return err
}

// Replace takes back in tx all that is left of the subject's commissions, because the conversion is assigned to somebody
// else; they count no more. Of t, the subject, the reason and the terms count. It returns what was taken back of each.
func (s *Service) Replace(ctx context.Context, tx *db.Tx, t TakeBack) ([]Change, error) {
	t.ConversionID = t.SubjectID
	list, err := current(ctx, tx, t.SubjectID)
	if err != nil {
		return nil, err
	}
	var out []Change
	month := months{}
	for i := range list {
		c := &list[i]
		a, err := c.Explanation.reverse(c.Reversed, 0, true)
		if err != nil {
			return nil, err
		}
		a.Replaced, a.All = true, false
		if c.State != Reversed {
			if err := month.add(ctx, tx, c, -1, true); err != nil {
				return nil, err
			}
		}
		c.ReplacedAt = s.now().UnixMilli()
		if err := s.takeBack(ctx, tx, c, &a, t.ConversionID, t.Reason, true); err != nil {
			return nil, err
		}
		if err := s.review(ctx, tx, c, &t); err != nil {
			return nil, err
		}
		out = append(out, Change{AffiliateID: c.AffiliateID, LinkID: c.LinkID, Level: c.Level, Amount: a.Result})
	}
	return out, nil
}

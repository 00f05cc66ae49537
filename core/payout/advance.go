package payout

import (
	"context"
	"fmt"
	"time"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/ledger"
	"github.com/edgeref/edgeref/core/mail"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/money"
)

// settledLookups is for how long, and how often, a provider is asked about a payout that arrived: it may still come back.
const (
	settledLookups = 7 * 24 * time.Hour
	settledEvery   = 24 * time.Hour
)

// change is what comes with a change of state.
type change struct {
	reason    string
	reference string // of the bank; empty: as it was
	nextAt    int64  // when a worker looks again; 0: never
}

// may reports whether a payout can go from one state to another.
func may(from, to State) bool {
	switch from {
	case Reserved:
		return to == Sending || to == Sent || to == Paid || to == Failed || to == Cancelled
	case Sending:
		return to == Sent || to == Paid || to == Failed
	case Sent:
		return to == Paid || to == Failed
	case Paid:
		return to == Returned
	}
	return false
}

// move changes the state of a payout whose batch and row are locked, in that order, with all that follows from it: the ledger, the
// commissions, the event, the mail, and the end of the batch.
func (s *Service) move(ctx context.Context, tx *db.Tx, p *Payout, to State, c change) error {
	from := p.State
	if !may(from, to) {
		return ErrState
	}
	now := s.now().UnixMilli()
	p.State, p.UpdatedAt, p.claim, p.nextAt = to, now, 0, c.nextAt
	if p.nextAt == 0 {
		p.nextAt = never
	}
	if c.reference != "" {
		p.Reference = clip(c.reference, MaxText)
	}
	if to == Failed || to == Returned || to == Cancelled {
		p.Reason = clip(c.reason, 250)
	}
	if to == Paid {
		p.PaidAt = now
	}
	_, err := tx.Exec(ctx, "UPDATE payouts SET state = ?, reference = ?, reason = ?, next_at = ?, claim = 0, updated_at = ?, paid_at = ? WHERE id = ?",
		p.State, p.Reference, p.Reason, p.nextAt, p.UpdatedAt, p.PaidAt, p.ID)
	if err != nil {
		return fmt.Errorf("change payout: %w", err)
	}
	if err := s.event(ctx, tx, p.BatchID, p.ID, string(from), string(to), c.reason); err != nil {
		return err
	}
	if err := s.book(ctx, tx, p, to); err != nil {
		return err
	}
	if to == Cancelled {
		if err := s.reopen(ctx, tx, p); err != nil {
			return err
		}
	}
	tx.OnCommit(func() { s.metrics.moved.WithLabelValues(string(to)).Inc() })
	if to.open() {
		return nil
	}
	if err := s.notify(ctx, tx, p, to); err != nil {
		return err
	}
	return s.complete(ctx, tx, p.BatchID)
}

// book posts what a change of state means in the ledger, commissions first: accounts come last in the order of locks.
func (s *Service) book(ctx context.Context, tx *db.Tx, p *Payout, to State) error {
	switch to {
	case Paid, Returned:
		// A commission is paid while any payout that has arrived covers a part of it.
		ids, err := readIDs(ctx, tx, `SELECT commission_id FROM payout_items WHERE payout_id = ? AND commission_id NOT IN (
			SELECT i.commission_id FROM payout_items i JOIN payouts o ON o.id = i.payout_id
			WHERE o.affiliate_id = ? AND o.state = 'paid' AND o.id <> ?) ORDER BY commission_id`, p.ID, p.AffiliateID, p.ID)
		if err != nil {
			return fmt.Errorf("read payout items: %w", err)
		}
		if to == Paid {
			if err := s.opts.Commissions.SetPaid(ctx, tx, ids); err != nil {
				return err
			}
			if err := s.post(ctx, tx, p, ledger.PayoutSettled, p.Net, ledger.InFlight, ledger.Paid); err != nil {
				return err
			}
			return s.post(ctx, tx, p, ledger.TaxWithheld, p.Tax, ledger.InFlight, ledger.Withheld)
		}
		if err := s.opts.Commissions.SetPayable(ctx, tx, ids); err != nil {
			return err
		}
		if err := s.post(ctx, tx, p, ledger.PayoutReturned, p.Net, ledger.Paid, ledger.Payable); err != nil {
			return err
		}
		return s.post(ctx, tx, p, ledger.TaxReturned, p.Tax, ledger.Withheld, ledger.Payable)
	case Failed:
		return s.post(ctx, tx, p, ledger.PayoutFailed, p.Gross, ledger.InFlight, ledger.Payable)
	case Cancelled:
		return s.post(ctx, tx, p, ledger.PayoutCancelled, p.Gross, ledger.InFlight, ledger.Payable)
	}
	return nil
}

// post moves minor units between two accounts of a payout's affiliate, and notes that the transaction is about it.
func (s *Service) post(ctx context.Context, tx *db.Tx, p *Payout, kind ledger.TransactionKind, minor int64, from, to ledger.AccountKind) error {
	if minor == 0 {
		return nil
	}
	id, err := s.ledger.Post(ctx, tx, ledger.Transaction{
		Kind: kind, Reason: "payout " + ident.Format(ident.Payout, p.ID),
		Entries: ledger.Transfer(p.Currency, minor, ledger.Account{Kind: from, OwnerID: p.AffiliateID}, ledger.Account{Kind: to, OwnerID: p.AffiliateID}),
	})
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "INSERT INTO payout_transactions (transaction_id, payout_id) VALUES (?, ?)", id, p.ID); err != nil {
		return fmt.Errorf("note ledger transaction of a payout: %w", err)
	}
	return nil
}

// notify tells the affiliate what became of a payout.
func (s *Service) notify(ctx context.Context, tx *db.Tx, p *Payout, to State) error {
	template := ""
	switch to {
	case Paid:
		template = "payout_paid"
	case Failed, Returned:
		template = "payout_returned"
	default:
		return nil
	}
	amount := func(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: p.Currency} }
	id := ident.Format(ident.Payout, p.ID)
	return s.tell(ctx, tx, p.AffiliateID, mail.Message{
		Template: template, Key: template + " " + id, Amounts: map[string]money.Amount{"Net": amount(p.Net), "Gross": amount(p.Gross), "Tax": amount(p.Tax)},
		Data: map[string]string{"Reference": p.Reference, "Payout": id, "Reason": p.Reason},
	})
}

// complete ends a batch that is executing and has no open payout left. Its row is locked, so that of two last payouts
// one sees the other.
func (s *Service) complete(ctx context.Context, tx *db.Tx, batchID int64) error {
	b, err := readBatch(ctx, tx, batchID, "")
	if err != nil || b.State != BatchExecuting {
		return err
	}
	left, err := readIDs(ctx, tx, "SELECT id FROM payouts WHERE batch_id = ? AND state IN ('reserved', 'sending', 'sent') LIMIT 1", batchID)
	if err != nil {
		return fmt.Errorf("look for open payouts: %w", err)
	}
	if len(left) > 0 {
		return nil
	}
	return s.setBatch(ctx, tx, &b, BatchCompleted, "")
}

// lockWithBatch locks a payout and, before it, its batch.
func (s *Service) lockWithBatch(ctx context.Context, tx *db.Tx, id int64) (Payout, Batch, error) {
	var batchID int64
	err := tx.QueryRow(ctx, "SELECT batch_id FROM payouts WHERE id = ?", id).Scan(&batchID)
	if db.IsNoRows(err) {
		return Payout{}, Batch{}, ErrNotFound
	}
	if err != nil {
		return Payout{}, Batch{}, fmt.Errorf("read payout: %w", err)
	}
	b, err := readBatch(ctx, tx, batchID, tx.Dialect().ForUpdate())
	if err != nil {
		return Payout{}, Batch{}, err
	}
	p, err := s.lockPayout(ctx, tx, id)
	return p, b, err
}

// lockPayout locks a payout whose batch is locked.
func (s *Service) lockPayout(ctx context.Context, tx *db.Tx, id int64) (Payout, error) {
	// Locked alone: a join would lock the batch and the method as well.
	if _, err := readIDs(ctx, tx, "SELECT id FROM payouts WHERE id = ?"+tx.Dialect().ForUpdate(), id); err != nil {
		return Payout{}, fmt.Errorf("lock payout: %w", err)
	}
	list, err := readPayouts(ctx, tx, "p.id = ?", id)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Payout{}, err
	}
	return list[0], nil
}

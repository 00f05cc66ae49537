package payment

import (
	"context"
	"errors"
	"fmt"

	"github.com/edgeref/edgeref/core/audit"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/money"
)

// RequestRefund stores a refund and its key in tx; workers ask the gateway for it once tx is committed. The order must
// be locked by the caller, so that two refunds cannot both take what is left. A refund that failed is final: another
// try needs a RefundID of its own. Errors: ErrNotPaid, ErrTooMuch, ErrRefundTaken.
func (s *Service) RequestRefund(ctx context.Context, tx *db.Tx, r RefundRequest) error {
	list, err := readPayments(ctx, tx, "order_id = ? AND state = 'succeeded'", r.OrderID)
	if err != nil {
		return err
	}
	if len(list) == 0 || list[0].Paid.Currency != r.Amount.Currency {
		return ErrNotPaid
	}
	return s.storeRefund(ctx, tx, &list[0], r)
}

func (s *Service) storeRefund(ctx context.Context, tx *db.Tx, p *Payment, r RefundRequest) error {
	key := refundKey(r.RefundID)
	same, err := readRefunds(ctx, tx, "provider_key = ?", key)
	if err != nil {
		return err
	}
	if len(same) == 1 {
		if same[0].OrderID != r.OrderID || same[0].Amount != r.Amount {
			return ErrRefundTaken
		}
		return nil
	}
	var taken int64
	if err := tx.QueryRow(ctx, "SELECT COALESCE(SUM(amount_minor), 0) FROM payment_refunds WHERE payment = ? AND state <> 'failed'", p.ID).Scan(&taken); err != nil {
		return fmt.Errorf("sum refunds: %w", err)
	}
	if r.Amount.Minor <= 0 || r.Amount.Minor > p.Paid.Minor-taken {
		return ErrTooMuch
	}
	now := s.now().UnixMilli()
	row := Refund{
		ID: s.ids.New(), Payment: p.ID, OrderID: r.OrderID, Refund: r.RefundID, Gateway: p.Gateway, State: RefundCreated, Amount: r.Amount,
		PaymentID: p.PaymentID, Reason: clip(r.Reason, maxReason), CreatedAt: now, key: key,
	}
	if p.State == Stray {
		row.Refund = 0
	}
	ok, err := insertRefund(ctx, tx, &row, now)
	if err == nil && !ok {
		err = ErrRefundTaken // by a request at the same time, which did not lock the order
	}
	if err != nil {
		return err
	}
	tx.OnCommit(s.Wake)
	return nil
}

// auditor writes what people changed, in the transaction of the change.
type auditor interface {
	Record(ctx context.Context, tx *db.Tx, e audit.Entry) error
}

func (s *Service) record(ctx context.Context, tx *db.Tx, e audit.Entry) error {
	if s.audit == nil {
		return nil
	}
	return s.audit.Record(ctx, tx, e)
}

// GiveBack refunds a stray payment, which belongs to no order. Functions in also run at the end of its transaction.
// Errors: ErrNotFound, ErrNotStray, ErrTooMuch.
func (s *Service) GiveBack(ctx context.Context, id int64, reason string, also ...func(*db.Tx, Payment) error) (p Payment, err error) {
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		if p, err = readPayment(ctx, tx, id, tx.Dialect().ForUpdate()); err != nil {
			return err
		}
		if p.State != Stray {
			return ErrNotStray
		}
		var taken int64
		if err := tx.QueryRow(ctx, "SELECT COALESCE(SUM(amount_minor), 0) FROM payment_refunds WHERE payment = ? AND state <> 'failed'", id).Scan(&taken); err != nil {
			return err
		}
		left := money.Amount{Minor: p.Paid.Minor - taken, Currency: p.Paid.Currency}
		if err := s.storeRefund(ctx, tx, &p, RefundRequest{OrderID: p.OrderID, RefundID: s.ids.New(), Amount: left, Reason: reason}); err != nil {
			return err
		}
		if err := s.record(ctx, tx, audit.Entry{
			Action: "payment.give_back", Object: ident.Format(ident.Payment, id), After: map[string]any{"amount": left}, Reason: reason,
		}); err != nil {
			return err
		}
		for _, fn := range also {
			if err := fn(tx, p); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return Payment{}, fmt.Errorf("give payment back: %w", err)
	}
	return p, nil
}

// advance does the next step of a refund.
func (s *Service) advance(ctx context.Context, r Refund) error {
	pause := backoff(r.Attempts, firstPause, maxLook)
	g, err := s.gateway(r.Gateway)
	if err != nil {
		return s.postpone(ctx, "payment_refunds", r.ID, r.claim, maxLook, err)
	}
	if r.State == RefundAccepted {
		return s.lookAtRefund(ctx, g, r)
	}
	call, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	// From the second attempt on, an earlier one may have done it, whether or not it was noted.
	change, err := g.Refund(call, RefundCall{Key: r.key, Again: r.Attempts > 1, PaymentID: r.PaymentID, Amount: r.Amount, Reason: r.Reason})
	s.metrics.called(r.Gateway, "refund", err)
	switch {
	case errors.Is(err, ErrRefused):
		change = Change{Kind: ChangeKind(RefundFailed), Amount: r.Amount, Reason: err.Error(), At: s.now().UnixMilli()}
	case err != nil:
		if noteErr := s.unknown(ctx, r, err); noteErr != nil {
			return noteErr
		}
		return s.postpone(ctx, "payment_refunds", r.ID, r.claim, pause, err)
	}
	change.Key, change.PaymentID = r.key, r.PaymentID
	if _, err := s.applyAll(ctx, r.Gateway, r.Payment, []Change{change}); err != nil {
		return s.postpone(ctx, "payment_refunds", r.ID, r.claim, pause, err)
	}
	return s.postpone(ctx, "payment_refunds", r.ID, r.claim, pause, nil)
}

// unknown notes that a call had no clear answer.
func (s *Service) unknown(ctx context.Context, r Refund, cause error) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE payment_refunds SET state = 'unknown', last_error = ?, updated_at = ? WHERE id = ? AND state = 'created'",
			clip(cause.Error(), maxReason), s.now().UnixMilli(), r.ID)
		return err
	})
}

// lookAtRefund asks what became of a refund that the gateway has accepted.
func (s *Service) lookAtRefund(ctx context.Context, g Gateway, r Refund) error {
	pause := backoff(r.Attempts, firstLook, maxLook)
	p, err := readPayment(ctx, s.db, r.Payment, "")
	if err != nil {
		return err
	}
	call, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	changes, err := g.Lookup(call, Query{Key: p.key, Ref: p.Ref, PaymentID: p.PaymentID})
	s.metrics.called(r.Gateway, "lookup", err)
	if err == nil {
		_, err = s.applyAll(ctx, r.Gateway, r.Payment, changes)
	}
	return s.postpone(ctx, "payment_refunds", r.ID, r.claim, pause, err)
}

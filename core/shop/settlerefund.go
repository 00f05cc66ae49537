package shop

import (
	"context"
	"fmt"

	"github.com/edgeref/edgeref/core/conversion"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/payment"
	"github.com/edgeref/edgeref/wire/ident"
)

// find is the refund or dispute of an order that an outcome is about, or nil.
func find(refunds []Refund, match func(r *Refund) bool) *Refund {
	for i := range refunds {
		if match(&refunds[i]) {
			return &refunds[i]
		}
	}
	return nil
}

// settleRefunded books money that went back: a refund that the shop asked for, or one that somebody made at the gateway.
func (s *Service) settleRefunded(ctx context.Context, tx *db.Tx, o *Order, out payment.Outcome) error {
	refunds, err := readRefunds(ctx, tx, o.ID)
	if err != nil {
		return err
	}
	same := func(r *Refund) bool {
		return r.Kind == RefundByShop && (out.Refund != 0 && r.ID == out.Refund ||
			out.RefundID != "" && r.GatewayRef == out.RefundID && r.Gateway == out.Gateway)
	}
	r := find(refunds, same)
	switch {
	case find(refunds, func(r *Refund) bool { return same(r) && r.State == RefundDone }) != nil:
		return nil
	case o.PaidAt == 0:
		return s.review(ctx, tx, o, ReviewExcessRefund, out, "the order was never paid")
	case out.Amount.Currency != o.Currency || out.Amount.Minor <= 0:
		return s.review(ctx, tx, o, ReviewExcessRefund, out, "the order was paid in "+o.Currency)
	}
	left, err := s.left(ctx, tx, o)
	if err != nil {
		return err
	}
	if r != nil && r.Amount != out.Amount.Minor {
		// The gateway gave back something else than was asked for: what it did counts.
		if r.State == RefundRequested {
			r.State, r.SettledAt = RefundFailed, s.now().UnixMilli()
			if err := s.setRefund(ctx, tx, r); err != nil {
				return err
			}
			if left, err = s.left(ctx, tx, o); err != nil {
				return err
			}
		}
		r = nil
	}
	if r != nil && r.State == RefundFailed { // it was said to have failed, so its amount was let go
		r = nil
	}
	if r == nil {
		lines, err := o.divide(RefundWish{Amount: out.Amount.Minor}, left)
		if err != nil {
			return s.review(ctx, tx, o, ReviewExcessRefund, out, "more went back than is left of the order")
		}
		r = &Refund{
			ID: s.ids.New(), OrderID: o.ID, Kind: RefundByShop, State: RefundRequested, Currency: o.Currency, Reason: "refunded at the gateway",
			Actor: gatewayActor, Gateway: out.Gateway, GatewayRef: out.RefundID, CreatedAt: s.now().UnixMilli(), Lines: lines,
		}
		if err := s.insertRefund(ctx, tx, r); err != nil {
			return err
		}
	}
	return s.refunded(ctx, tx, o, r, left, out)
}

// refunded books a refund that the gateway has made.
func (s *Service) refunded(ctx context.Context, tx *db.Tx, o *Order, r *Refund, left []Left, out payment.Outcome) error {
	o.take(r, left)
	r.State, r.SettledAt = RefundDone, s.now().UnixMilli()
	if out.RefundID != "" {
		r.GatewayRef = out.RefundID
	}
	if err := s.setRefund(ctx, tx, r); err != nil {
		return err
	}
	if err := s.takeCommission(ctx, tx, o, r, out, conversion.RefundKindRefund); err != nil {
		return err
	}
	if err := s.revoke(ctx, tx, o, "refund"); err != nil {
		return err
	}
	if err := s.write(ctx, tx, o, "order_refunded", refundMail(r.ID), r.amount()); err != nil {
		return err
	}
	to := o.settled(false)
	if o.State == Disputed {
		to = Disputed
	}
	if err := s.move(ctx, tx, o, to, eventOf(EventRefunded, out)); err != nil {
		return err
	}
	return s.creditNote(ctx, tx, o, r)
}

// settleRefundFailed lets go of what a refund had reserved. One that was booked before and came back is for people: the
// commission and the credit note are out.
func (s *Service) settleRefundFailed(ctx context.Context, tx *db.Tx, o *Order, out payment.Outcome) error {
	refunds, err := readRefunds(ctx, tx, o.ID)
	if err != nil {
		return err
	}
	r := find(refunds, func(r *Refund) bool {
		return r.Kind == RefundByShop && (out.Refund != 0 && r.ID == out.Refund || out.RefundID != "" && r.GatewayRef == out.RefundID)
	})
	switch {
	case r == nil:
		return s.note(ctx, tx, o, eventOf(EventRefundFailed, out))
	case r.State == RefundDone:
		return s.review(ctx, tx, o, ReviewRefundReturned, out, "the money of refund "+ident.Format(ident.OrderRefund, r.ID)+" came back")
	case r.State != RefundRequested:
		return nil
	}
	r.State, r.SettledAt = RefundFailed, s.now().UnixMilli()
	if out.RefundID != "" {
		r.GatewayRef = out.RefundID
	}
	if err := s.setRefund(ctx, tx, r); err != nil {
		return err
	}
	return s.note(ctx, tx, o, eventOf(EventRefundFailed, out))
}

// settleDisputed takes what a gateway holds back: the commission goes with it at once, the goods stay until it is lost.
func (s *Service) settleDisputed(ctx context.Context, tx *db.Tx, o *Order, out payment.Outcome) error {
	refunds, err := readRefunds(ctx, tx, o.ID)
	if err != nil {
		return err
	}
	if find(refunds, func(r *Refund) bool { return r.disputes(out) }) != nil {
		return nil
	}
	if o.PaidAt == 0 || out.Amount.Currency != o.Currency || out.Amount.Minor <= 0 {
		return s.review(ctx, tx, o, ReviewDispute, out, "it is about money that the order does not know")
	}
	left, err := s.left(ctx, tx, o)
	if err != nil {
		return err
	}
	var free int64
	for i := range left {
		free += left[i].Gross - left[i].Reserved
	}
	if out.Amount.Minor > free {
		if err := s.review(ctx, tx, o, ReviewDispute, out, fmt.Sprintf("it is about more than the %s that are left of the order", o.amount(free))); err != nil {
			return err
		}
	}
	lines, err := o.divide(RefundWish{Amount: min(out.Amount.Minor, free)}, left)
	if err != nil {
		return nil //nolint:nilerr // nothing is left; the case says so
	}
	r := &Refund{
		ID: s.ids.New(), OrderID: o.ID, Kind: RefundByDispute, State: RefundHeld, Currency: o.Currency, Reason: clip(out.Reason, maxReason),
		Actor: gatewayActor, Gateway: out.Gateway, GatewayRef: out.DisputeID, CreatedAt: s.now().UnixMilli(), Lines: lines,
	}
	o.take(r, left)
	if err := s.insertRefund(ctx, tx, r); err != nil {
		return err
	}
	if err := s.takeCommission(ctx, tx, o, r, out, conversion.RefundKindDispute); err != nil {
		return err
	}
	return s.move(ctx, tx, o, Disputed, eventOf(EventDisputed, out))
}

func (r *Refund) disputes(out payment.Outcome) bool {
	return r.Kind == RefundByDispute && r.Gateway == out.Gateway && r.GatewayRef == out.DisputeID
}

// settleDispute books how a dispute ended.
func (s *Service) settleDispute(ctx context.Context, tx *db.Tx, o *Order, out payment.Outcome) error {
	refunds, err := readRefunds(ctx, tx, o.ID)
	if err != nil {
		return err
	}
	r := find(refunds, func(r *Refund) bool { return r.disputes(out) })
	if r == nil {
		return s.review(ctx, tx, o, ReviewDispute, out, "a dispute ended of which nothing was booked")
	}
	if r.State != RefundHeld {
		return nil
	}
	others := find(refunds, func(other *Refund) bool { return other.ID != r.ID && other.State == RefundHeld })
	r.SettledAt = s.now().UnixMilli()
	if out.Kind == payment.DisputeWon {
		r.State = RefundReleased
		o.Refunded -= r.Amount
		if err := s.setRefund(ctx, tx, r); err != nil {
			return err
		}
		if err := s.takeCommission(ctx, tx, o, r, out, conversion.RefundKindDisputeWon); err != nil {
			return err
		}
		return s.move(ctx, tx, o, o.after(others, false), eventOf(EventDisputeWon, out))
	}
	r.State = RefundDone
	if err := s.setRefund(ctx, tx, r); err != nil {
		return err
	}
	if err := s.revoke(ctx, tx, o, "dispute"); err != nil {
		return err
	}
	if err := s.move(ctx, tx, o, o.after(others, true), eventOf(EventDisputeLost, out)); err != nil {
		return err
	}
	return s.creditNote(ctx, tx, o, r)
}

// after is the state after a dispute, while others may still be open.
func (o *Order) after(others *Refund, lost bool) State {
	if others != nil {
		return Disputed
	}
	return o.settled(lost)
}

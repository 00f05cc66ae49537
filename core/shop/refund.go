package shop

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/edgeref/edgeref/core/conversion"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/invoice"
	"github.com/edgeref/edgeref/core/payment"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/money"
)

// RefundKind says what takes money back.
type RefundKind string

// RefundState says how far it is.
type RefundState string

// Kinds and states of refunds. Requested reserves; Done and Held have taken.
const (
	RefundByShop    RefundKind = "refund"
	RefundByDispute RefundKind = "dispute"

	RefundRequested RefundState = "requested" // the gateway was, or is being, asked
	RefundDone      RefundState = "done"
	RefundFailed    RefundState = "failed"
	RefundHeld      RefundState = "held"     // of a dispute: it is open
	RefundReleased  RefundState = "released" // of a dispute: it was won
)

// Refund is money that goes, or may go, back to the buyer.
type Refund struct {
	ID         int64
	OrderID    int64
	Kind       RefundKind
	State      RefundState
	Amount     int64 // gross, minor units of the order's currency
	Currency   string
	Reason     string
	Actor      string // who asked for it
	Gateway    string
	GatewayRef string // the gateway's refund or dispute
	CreatedAt  int64  // Unix ms
	SettledAt  int64  // 0: not yet
	Lines      []RefundLine
}

// RefundLine is the part of a refund that one line of the order bears. Net and Tax are 0 while it is only reserved.
type RefundLine struct {
	LineID     int64
	Gross, Net int64
	Tax
}

// RefundWish is a refund to ask for: of an amount, of lines (an amount of 0 is all that is left of the line), or, with
// neither, of all that is left.
type RefundWish struct {
	Amount int64
	Lines  []RefundLine // LineID and Gross
	Reason string
}

// Refund asks for money to be given back. It reserves the amount; the refund is booked when the gateway has confirmed
// it. Functions in also run at the end of the transaction. Errors: ErrNotFound, ErrState, ErrNothingLeft, ErrNoGateway,
// *InvalidError.
func (s *Service) Refund(ctx context.Context, orderID int64, wish RefundWish, also ...func(*db.Tx, Refund) error) (r Refund, err error) {
	var c checker
	c.line("reason", wish.Reason, maxReason, true)
	if wish.Amount < 0 || wish.Amount > 0 && len(wish.Lines) > 0 {
		c.fail("amount", "must be positive, and absent where lines are given")
	}
	if err := c.err(); err != nil {
		return Refund{}, err
	}
	id := s.ids.New()
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		o, err := lockOrder(ctx, tx, orderID)
		if err != nil {
			return err
		}
		if o.State != Paid && o.State != PartlyRefunded {
			return fmt.Errorf("%w: it is %s", ErrState, o.State)
		}
		if s.refunds == nil || o.PaymentID == "" {
			return ErrNoGateway
		}
		left, err := s.left(ctx, tx, &o)
		if err != nil {
			return err
		}
		lines, err := o.divide(wish, left)
		if err != nil {
			return err
		}
		r = Refund{
			ID: id, OrderID: o.ID, Kind: RefundByShop, State: RefundRequested, Currency: o.Currency, Reason: wish.Reason, Actor: actorOf(ctx),
			Gateway: o.Gateway, CreatedAt: s.now().UnixMilli(), Lines: lines,
		}
		if err := s.insertRefund(ctx, tx, &r); err != nil {
			return err
		}
		if err := s.refunds.RequestRefund(ctx, tx, payment.RefundRequest{OrderID: o.ID, RefundID: r.ID, Amount: o.amount(r.Amount), Reason: r.Reason}); err != nil {
			return fmt.Errorf("ask for refund: %w", err)
		}
		if err := s.note(ctx, tx, &o, Event{Kind: EventRefundRequested, Amount: r.Amount, Gateway: o.Gateway, PaymentID: o.PaymentID, Detail: r.Reason}); err != nil {
			return err
		}
		if err := s.audit(ctx, tx, "order.refund", o.reference(), nil, r, r.Reason); err != nil {
			return err
		}
		return runAll(tx, r, also)
	})
	if err != nil {
		return Refund{}, err
	}
	return r, nil
}

// left is what is left of each line, in their order. The order must be locked.
func (s *Service) left(ctx context.Context, q db.Querier, o *Order) ([]Left, error) {
	left := make([]Left, len(o.Lines))
	for i := range o.Lines {
		l := &o.Lines[i]
		left[i] = Left{Gross: l.Gross, Net: l.Net, Tax: l.Tax}
	}
	refunds, err := readRefunds(ctx, q, o.ID)
	if err != nil {
		return nil, err
	}
	for _, r := range refunds {
		for _, part := range r.Lines {
			i := slices.IndexFunc(o.Lines, func(l Line) bool { return l.ID == part.LineID })
			if i < 0 {
				return nil, fmt.Errorf("refund %d: %w", r.ID, errUnbalanced)
			}
			switch r.State {
			case RefundRequested:
				left[i].Reserved += part.Gross
			case RefundDone, RefundHeld:
				left[i].Gross -= part.Gross
				left[i].Net -= part.Net
				left[i].Tax = left[i].Tax.minus(part.Tax)
			case RefundFailed, RefundReleased:
			}
		}
	}
	return left, nil
}

// divide splits a wish over the lines, within what is free of each. Only gross parts are set.
func (o *Order) divide(wish RefundWish, left []Left) ([]RefundLine, error) {
	free := make([]int64, len(left))
	var all int64
	for i := range left {
		free[i] = left[i].Gross - left[i].Reserved
		all += free[i]
	}
	parts := free
	switch {
	case len(wish.Lines) > 0:
		parts = make([]int64, len(left))
		for _, want := range wish.Lines {
			i := slices.IndexFunc(o.Lines, func(l Line) bool { return l.ID == want.LineID })
			if i < 0 || want.Gross < 0 || parts[i] != 0 {
				return nil, &InvalidError{[]FieldError{{"lines", "must be different lines of the order, with amounts that are not negative"}}}
			}
			if parts[i] = want.Gross; want.Gross == 0 {
				parts[i] = free[i]
			}
			if parts[i] > free[i] || parts[i] == 0 {
				return nil, ErrNothingLeft
			}
		}
	case wish.Amount > all, all == 0:
		return nil, ErrNothingLeft
	case wish.Amount > 0:
		parts = split(wish.Amount, free)
	}
	var lines []RefundLine
	for i, gross := range parts {
		if gross > 0 {
			lines = append(lines, RefundLine{LineID: o.Lines[i].ID, Gross: gross})
		}
	}
	return lines, nil
}

func (s *Service) insertRefund(ctx context.Context, tx *db.Tx, r *Refund) error {
	r.Amount = 0
	for _, l := range r.Lines {
		r.Amount += l.Gross
	}
	if _, err := tx.Exec(ctx, `INSERT INTO order_refunds (id, order_id, kind, state, amount_minor, currency, reason, actor, gateway, gateway_ref, created_at,
		settled_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, r.ID, r.OrderID, r.Kind, r.State, r.Amount, r.Currency, r.Reason, r.Actor, r.Gateway,
		r.GatewayRef, r.CreatedAt, r.SettledAt); err != nil {
		return fmt.Errorf("store refund: %w", err)
	}
	for _, l := range r.Lines {
		if _, err := tx.Exec(ctx, `INSERT INTO order_refund_lines (refund_id, line_id, gross_minor, net_minor, tax_minor, cgst_minor, sgst_minor, igst_minor)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, r.ID, l.LineID, l.Gross, l.Net, l.Tax.Total, l.CGST, l.SGST, l.IGST); err != nil {
			return fmt.Errorf("store line of refund: %w", err)
		}
	}
	return nil
}

// setRefund stores the state of a refund, and the arithmetic of its lines.
func (s *Service) setRefund(ctx context.Context, tx *db.Tx, r *Refund) error {
	if _, err := tx.Exec(ctx, "UPDATE order_refunds SET state = ?, gateway_ref = ?, settled_at = ? WHERE id = ?", r.State, r.GatewayRef, r.SettledAt, r.ID); err != nil {
		return fmt.Errorf("store refund: %w", err)
	}
	for _, l := range r.Lines {
		if _, err := tx.Exec(ctx, `UPDATE order_refund_lines SET net_minor = ?, tax_minor = ?, cgst_minor = ?, sgst_minor = ?, igst_minor = ?
			WHERE refund_id = ? AND line_id = ?`, l.Net, l.Tax.Total, l.CGST, l.SGST, l.IGST, r.ID, l.LineID); err != nil {
			return fmt.Errorf("store line of refund: %w", err)
		}
	}
	return nil
}

// Refunds returns the refunds and disputes of an order, the oldest first.
func (s *Service) Refunds(ctx context.Context, orderID int64) ([]Refund, error) {
	return readRefunds(ctx, s.db, orderID)
}

func readRefunds(ctx context.Context, q db.Querier, orderID int64) ([]Refund, error) {
	rows, err := q.Query(ctx, `SELECT r.id, r.order_id, r.kind, r.state, r.amount_minor, r.currency, r.reason, r.actor, r.gateway, r.gateway_ref,
		r.created_at, r.settled_at, l.line_id, l.gross_minor, l.net_minor, l.tax_minor, l.cgst_minor, l.sgst_minor, l.igst_minor
		FROM order_refunds r JOIN order_refund_lines l ON l.refund_id = r.id WHERE r.order_id = ? ORDER BY r.id, l.line_id`, orderID)
	if err != nil {
		return nil, fmt.Errorf("read refunds: %w", err)
	}
	defer rows.Close()
	var out []Refund
	for rows.Next() {
		var r Refund
		var l RefundLine
		if err := rows.Scan(&r.ID, &r.OrderID, &r.Kind, &r.State, &r.Amount, &r.Currency, &r.Reason, &r.Actor, &r.Gateway, &r.GatewayRef,
			&r.CreatedAt, &r.SettledAt, &l.LineID, &l.Gross, &l.Net, &l.Tax.Total, &l.CGST, &l.SGST, &l.IGST); err != nil {
			return nil, fmt.Errorf("read refunds: %w", err)
		}
		if len(out) == 0 || out[len(out)-1].ID != r.ID {
			out = append(out, r)
		}
		last := &out[len(out)-1]
		last.Lines = append(last.Lines, l)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read refunds: %w", err)
	}
	return out, nil
}

// take lets a refund take its gross parts of what is left: it sets their net and tax, and what the order has given back.
func (o *Order) take(r *Refund, left []Left) {
	for i := range r.Lines {
		part := &r.Lines[i]
		at := slices.IndexFunc(o.Lines, func(l Line) bool { return l.ID == part.LineID })
		part.Net, part.Tax = refundShare(part.Gross, left[at])
		left[at].Gross -= part.Gross
		left[at].Net -= part.Net
		left[at].Tax = left[at].Tax.minus(part.Tax)
		o.Refunded += part.Gross
	}
}

// settled is the state that follows from what went back.
func (o *Order) settled(lost bool) State {
	switch {
	case o.Refunded == 0:
		return Paid
	case o.Refunded < o.Totals.Gross:
		return PartlyRefunded
	case lost:
		return ChargedBack
	}
	return Refunded
}

// takeCommission books what a refund took as a refund of the conversion, net and by lines. What the books refuse is
// kept for people.
func (s *Service) takeCommission(ctx context.Context, tx *db.Tx, o *Order, r *Refund, out payment.Outcome, kind conversion.RefundKind) error {
	if o.ConversionID == 0 {
		return nil
	}
	b := conversion.OrderRefund{OrderID: o.ID, RefundID: ident.Format(ident.OrderRefund, r.ID), Kind: kind, At: s.now().UnixMilli()}
	if kind == conversion.RefundKindDisputeWon {
		b.DisputeID, b.RefundID = b.RefundID, b.RefundID+"/won"
	}
	var net int64
	for _, part := range r.Lines {
		i := slices.IndexFunc(o.Lines, func(l Line) bool { return l.ID == part.LineID })
		if l := &o.Lines[i]; l.Earns && part.Net > 0 {
			net += part.Net
			b.Lines = append(b.Lines, conversion.Line{LineID: l.ID, ProductID: l.ProductID, Net: o.amount(part.Net), Quantity: 1})
		}
	}
	if net == 0 {
		return nil
	}
	err := s.opts.Conversions.RefundOrder(ctx, tx, b)
	if errors.Is(err, conversion.ErrOrder) || errors.Is(err, conversion.ErrOrderConflict) || errors.Is(err, conversion.ErrNoOrder) {
		return s.review(ctx, tx, o, ReviewNotBooked, out, err.Error())
	}
	if err != nil {
		return fmt.Errorf("book refund of order %s: %w", o.Number, err)
	}
	return nil
}

// creditNote is the document of a refund.
func (s *Service) creditNote(ctx context.Context, tx *db.Tx, o *Order, r *Refund) error {
	invoices, err := s.opts.Invoices.OfOrder(ctx, tx, o.ID)
	if err != nil {
		return err
	}
	d := o.document()
	d.Kind, d.RefID, d.Reason, d.Lines = invoice.KindCreditNote, r.ID, r.Reason, nil
	for i := range invoices {
		if invoices[i].Kind == invoice.KindInvoice {
			// Who it was sold to stands there, whatever was forgotten since.
			d.Against, d.AgainstDate, d.Buyer = invoices[i].Number, invoices[i].Snapshot.Date, invoices[i].Snapshot.Buyer
		}
	}
	for _, part := range r.Lines {
		i := slices.IndexFunc(o.Lines, func(l Line) bool { return l.ID == part.LineID })
		l := &o.Lines[i]
		d.Lines = append(d.Lines, o.documentLine(l, part.Net, part.Tax))
	}
	_, err = s.opts.Invoices.Issue(ctx, tx, d)
	return err
}

func (r *Refund) amount() money.Amount { return money.Amount{Minor: r.Amount, Currency: r.Currency} }

package shop

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/edgeref/edgeref/core/conversion"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/invoice"
	"github.com/edgeref/edgeref/core/mail"
	"github.com/edgeref/edgeref/core/payment"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/money"
)

// gatewayActor is who did what a gateway tells.
const gatewayActor = "gateway"

// Payable describes an order that is waiting to be paid. Errors: payment.ErrNoOrder, payment.ErrNotPayable.
func (s *Service) Payable(ctx context.Context, orderID int64) (payment.Order, error) {
	o, err := s.Order(ctx, orderID)
	if errors.Is(err, ErrNotFound) {
		return payment.Order{}, payment.ErrNoOrder
	}
	if err != nil {
		return payment.Order{}, err
	}
	if !o.State.payable() || o.ExpiresAt <= s.now().UnixMilli() || o.Totals.Gross == 0 {
		return payment.Order{}, payment.ErrNotPayable
	}
	return payment.Order{
		ID: o.ID, Ref: o.reference(), Amount: o.amount(o.Totals.Gross), Email: o.Buyer.Email, Description: "Order " + o.Number,
		ReturnURL: strings.ReplaceAll(s.opts.ReturnURL, "{token}", o.Token),
	}, nil
}

// Begin notes that the buyer goes to a gateway, and must come before he does: what the gateway then tells may come at
// once. Errors: ErrNotFound, payment.ErrNotPayable.
func (s *Service) Begin(ctx context.Context, orderID int64, gateway string) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		o, err := lockOrder(ctx, tx, orderID)
		if err != nil {
			return err
		}
		if !o.State.payable() || o.ExpiresAt <= s.now().UnixMilli() || o.Totals.Gross == 0 {
			return payment.ErrNotPayable
		}
		if o.State == Pending && o.Gateway == gateway {
			return nil // he is there, or comes back to it
		}
		o.Gateway = gateway
		return s.move(ctx, tx, &o, Pending, Event{Kind: EventBegun, Gateway: gateway})
	})
}

// amount is minor units in the order's currency.
func (o *Order) amount(minor int64) money.Amount {
	return money.Amount{Minor: minor, Currency: o.Currency}
}

// Settle books in tx what became of an order's money. The same outcome again changes nothing. What no rule can book is
// kept as a case for people, and is no error. It fails with payment.ErrNoOrder where there is no such order.
func (s *Service) Settle(ctx context.Context, tx *db.Tx, out payment.Outcome) error {
	o, err := lockOrder(ctx, tx, out.OrderID)
	if errors.Is(err, ErrNotFound) {
		return payment.ErrNoOrder
	}
	if err != nil {
		return err
	}
	tx.OnCommit(func() { s.metrics.outcomes.WithLabelValues(string(out.Kind)).Inc() })
	switch out.Kind {
	case payment.Paid:
		return s.settlePaid(ctx, tx, &o, out)
	case payment.Failed:
		return s.settleFailed(ctx, tx, &o, out)
	case payment.Refunded:
		return s.settleRefunded(ctx, tx, &o, out)
	case payment.RefundFailed:
		return s.settleRefundFailed(ctx, tx, &o, out)
	case payment.DisputeOpened:
		return s.settleDisputed(ctx, tx, &o, out)
	case payment.DisputeWon, payment.DisputeLost:
		return s.settleDispute(ctx, tx, &o, out)
	}
	return s.review(ctx, tx, &o, ReviewUnknown, out, "the shop does not know what "+string(out.Kind)+" is")
}

func eventOf(kind EventKind, out payment.Outcome) Event {
	ref := out.RefundID
	if out.DisputeID != "" {
		ref = out.DisputeID
	}
	return Event{
		Kind: kind, Amount: out.Amount.Minor, Currency: out.Amount.Currency, Gateway: out.Gateway, PaymentID: out.PaymentID, Ref: ref,
		Actor: gatewayActor, Detail: clip(out.Reason, maxReason),
	}
}

// settlePaid takes money in. Money that is not what the order asks for, or comes a second time, goes to people: it must
// neither deliver the goods for a part of the price nor vanish.
func (s *Service) settlePaid(ctx context.Context, tx *db.Tx, o *Order, out payment.Outcome) error {
	switch {
	case o.PaidAt != 0 && o.Gateway == out.Gateway && o.PaymentID == out.PaymentID:
		return nil
	case o.PaidAt != 0:
		return s.review(ctx, tx, o, ReviewPaidTwice, out, "the order was paid before, by "+o.Gateway+" payment "+o.PaymentID)
	case out.Amount.Currency != o.Currency:
		return s.review(ctx, tx, o, ReviewWrongCurrency, out, "the order asks for "+o.amount(o.Totals.Gross).String())
	case out.Amount.Minor != o.Totals.Gross:
		return s.review(ctx, tx, o, ReviewWrongAmount, out, "the order asks for "+o.amount(o.Totals.Gross).String())
	}
	late := o.State == Expired
	o.Gateway, o.PaymentID = out.Gateway, out.PaymentID
	at := min(out.At, s.now().UnixMilli())
	if at <= 0 {
		at = s.now().UnixMilli()
	}
	if err := s.pay(ctx, tx, o, eventOf(EventPaid, out), at); err != nil {
		return err
	}
	if late {
		return s.review(ctx, tx, o, ReviewPaidLate, out, "the order had expired; it was delivered, because the price was promised")
	}
	return nil
}

// pay makes a locked order paid, with all that follows. The invoice number comes last, because it keeps out all others
// until the commit.
func (s *Service) pay(ctx context.Context, tx *db.Tx, o *Order, e Event, at int64) error {
	o.PaidAt = at
	if err := moveRedemption(ctx, tx, o, "used"); err != nil {
		return err
	}
	unbooked, err := s.bookSale(ctx, tx, o, at)
	if err != nil {
		return err
	}
	if err := s.grant(ctx, tx, o); err != nil {
		return err
	}
	if err := s.write(ctx, tx, o, "order_paid", o.paidMail(), o.amount(o.Totals.Gross)); err != nil {
		return err
	}
	if err := s.move(ctx, tx, o, Paid, e); err != nil {
		return err
	}
	if unbooked != "" {
		out := payment.Outcome{Amount: o.amount(o.Totals.Gross), Gateway: o.Gateway, PaymentID: o.PaymentID}
		if err := s.review(ctx, tx, o, ReviewNotBooked, out, unbooked); err != nil {
			return err
		}
	}
	_, err = s.opts.Invoices.Issue(ctx, tx, o.document())
	return err
}

// bookSale books the order as a conversion, on the net price of the lines that its program pays for. What the books
// refuse is returned in words: the buyer has paid and gets what he bought whatever becomes of the commission.
func (s *Service) bookSale(ctx context.Context, tx *db.Tx, o *Order, at int64) (refused string, err error) {
	sale := conversion.OrderSale{
		ProgramID: o.ProgramID, OrderID: o.ID, TxnID: o.Number, CustomerKey: o.CustomerKey, Decision: o.Attribution, At: at,
	}
	var net int64
	for i := range o.Lines {
		l := &o.Lines[i]
		if l.Earns {
			net += l.Net
			sale.Lines = append(sale.Lines, conversion.Line{LineID: l.ID, ProductID: l.ProductID, Net: o.amount(l.Net), Quantity: 1, HoldDays: max(l.HoldDays, 0)})
		}
	}
	if o.ProgramID == 0 || net == 0 {
		return "", nil
	}
	o.ConversionID, err = s.opts.Conversions.BookOrder(ctx, tx, sale)
	if errors.Is(err, conversion.ErrOrder) || errors.Is(err, conversion.ErrOrderConflict) {
		o.ConversionID = 0
		return clip(err.Error(), maxNote), nil
	}
	if err != nil {
		return "", fmt.Errorf("book order %s: %w", o.Number, err)
	}
	return "", nil
}

// settleFailed notes an attempt that failed. The buyer may try again until the order expires.
func (s *Service) settleFailed(ctx context.Context, tx *db.Tx, o *Order, out payment.Outcome) error {
	e := eventOf(EventFailed, out)
	if !o.State.payable() {
		return s.note(ctx, tx, o, e)
	}
	return s.move(ctx, tx, o, Failed, e)
}

// document is the invoice of an order.
func (o *Order) document() invoice.Document {
	d := invoice.Document{
		Kind: invoice.KindInvoice, OrderID: o.ID, OrderNumber: o.Number, Currency: o.Currency, TaxKind: string(o.TaxKind), SupplyPlace: o.supplyName(),
		Buyer:       invoice.Party{Name: o.Buyer.Name, Address: o.Buyer.Address, Country: o.Buyer.Country, Region: regionName(o.Buyer), TaxID: o.Buyer.GSTIN, Email: o.Buyer.Email},
		PaidThrough: o.Gateway, PaymentID: o.PaymentID,
	}
	for i := range o.Lines {
		l := &o.Lines[i]
		line := o.documentLine(l, l.Net, l.Tax)
		line.Discount = l.Discount
		d.Lines = append(d.Lines, line)
	}
	return d
}

func (o *Order) documentLine(l *Line, net int64, tax Tax) invoice.Line {
	return invoice.Line{
		Name: l.Name, SKU: l.SKU, TaxCode: l.TaxCode, TaxBP: l.rate(o.TaxKind), Net: net, Tax: tax.Total, CGST: tax.CGST, SGST: tax.SGST,
		IGST: tax.IGST, Gross: net + tax.Total,
	}
}

// rate is the rate that was charged.
func (l *Line) rate(kind TaxKind) int64 {
	if kind == NoTax || kind == Export {
		return 0
	}
	return l.TaxBP
}

func (o *Order) supplyName() string {
	if st, ok := stateOf(o.SupplyPlace); ok && (o.TaxKind == IntraState || o.TaxKind == InterState) {
		return st.name + " (" + st.code + ")"
	}
	return o.SupplyPlace
}

func regionName(b Buyer) string {
	if st, ok := stateOf(b.Region); ok && b.Country == india {
		return st.name
	}
	return b.Region
}

// paidMail is the key of the mail that says that the order was paid.
func (o *Order) paidMail() string { return o.reference() + "/paid" }

// refundMail is the key of the mail that says that a refund was made.
func refundMail(refundID int64) string { return ident.Format(ident.OrderRefund, refundID) }

// MailKeys are the keys under which mails about an order and its refunds are queued.
func MailKeys(o Order, refunds []Refund) []string {
	keys := []string{o.paidMail()}
	for _, r := range refunds {
		keys = append(keys, refundMail(r.ID))
	}
	return keys
}

// write queues a mail to the buyer. An address that cannot be written to must not keep money from being booked.
func (s *Service) write(ctx context.Context, tx *db.Tx, o *Order, template, key string, amount money.Amount) error {
	if s.opts.Mail == nil || o.Buyer.Email == "" {
		return nil
	}
	names := make([]string, 0, len(o.Lines))
	for i := range o.Lines {
		names = append(names, o.Lines[i].Name)
	}
	err := s.opts.Mail.Queue(ctx, tx, mail.Message{To: o.Buyer.Email, Template: template, Key: key, Amounts: map[string]money.Amount{"Amount": amount}, Data: map[string]string{
		"Number": o.Number, "Products": clip(strings.Join(names, ", "), maxNote), "Name": o.Buyer.Name,
		"OrderURL": strings.ReplaceAll(s.opts.ReturnURL, "{token}", o.Token),
	}})
	if errors.Is(err, mail.ErrRecipient) {
		s.log.Warn("cannot write to the buyer", "order", o.reference())
		return nil
	}
	return err
}

// expireEvery and expireBatch bound the work of Run.
const (
	expireEvery = time.Minute
	expireBatch = 100
)

// Run lets orders expire that were not paid in time, until ctx ends.
func (s *Service) Run(ctx context.Context) {
	tick := time.NewTicker(expireEvery)
	defer tick.Stop()
	for {
		if _, err := s.ExpireDue(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("let unpaid orders expire", "error", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// ExpireDue lets the orders expire whose time is over, each in a transaction of its own, and returns how many there were.
func (s *Service) ExpireDue(ctx context.Context) (expired int, err error) {
	for _, state := range []State{Created, Pending, Failed} {
		for {
			due, err := s.due(ctx, state)
			if err != nil {
				return expired, err
			}
			for _, id := range due {
				if err := s.expire(ctx, id); err != nil {
					return expired, fmt.Errorf("let order %s expire: %w", ident.Format(ident.Order, id), err)
				}
				expired++
			}
			if len(due) < expireBatch {
				break
			}
		}
	}
	return expired, nil
}

func (s *Service) due(ctx context.Context, state State) (ids []int64, err error) {
	rows, err := s.db.Query(ctx, "SELECT id FROM orders WHERE state = ? AND expires_at <= ? ORDER BY expires_at LIMIT ?", state, s.now().UnixMilli(), expireBatch)
	if err != nil {
		return nil, fmt.Errorf("look for orders that expire: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("look for orders that expire: %w", err)
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

func (s *Service) expire(ctx context.Context, id int64) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		o, err := lockOrder(ctx, tx, id)
		if err != nil || !o.State.payable() || o.ExpiresAt > s.now().UnixMilli() {
			return err // paid, or tried again, meanwhile
		}
		if err := moveRedemption(ctx, tx, &o, "released"); err != nil {
			return err
		}
		return s.move(ctx, tx, &o, Expired, Event{Kind: EventExpired, Actor: "system"})
	})
}

// clip shortens text from outside to a number of bytes, at a whole character.
func clip(text string, limit int) string {
	text = strings.ToValidUTF8(text, "")
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "")
}

package conversion

import (
	"context"
	"errors"
	"fmt"

	"github.com/edgeref/edgeref/core/attribution"
	"github.com/edgeref/edgeref/core/db"
	wire "github.com/edgeref/edgeref/wire/conversion"
	"github.com/edgeref/edgeref/wire/money"
)

// MaxLines is how many lines an order may have.
const MaxLines = 200

// Errors about orders, for errors.Is.
var (
	ErrOrder         = errors.New("invalid order")
	ErrOrderConflict = errors.New("the order was booked with other input")
	ErrNoOrder       = errors.New("the order was not booked")
)

// Line is one line of an order, or a part of one that is refunded.
type Line struct {
	LineID    int64 // unique in its order
	ProductID int64
	Net       money.Amount // for all of the quantity, without tax, after discounts
	Quantity  int64        // at least 1; ignored in a refund
	HoldDays  int          // its commission is held at least so long, beside what the program says; ignored in a refund
}

// OrderSale is a paid order of the shop.
type OrderSale struct {
	ProgramID   int64
	OrderID     int64
	TxnID       string // the transaction id of the conversion: unique in the program
	CustomerKey string // see CustomerKey in wire/conversion; "": unknown
	// Decision is that of attribution.Service.Decide at the checkout. It is booked as it is, but for an affiliate who has
	// been suspended since.
	Decision attribution.Decision
	Lines    []Line // 1 to MaxLines, in one currency
	At       int64  // Unix ms, when it was paid
}

// RefundKind says what takes from an order.
type RefundKind string

// Kinds of refunds.
const (
	RefundKindRefund     RefundKind = "refund"
	RefundKindDispute    RefundKind = "dispute"     // a dispute was opened: it takes at once
	RefundKindDisputeWon RefundKind = "dispute_won" // gives back what the dispute took
)

// OrderRefund is money that went back to the buyer of an order, or came back from a dispute.
type OrderRefund struct {
	OrderID  int64
	RefundID string // unique in the program, among all refunds and disputes; it makes the call idempotent
	// DisputeID is, for a dispute that was won, the RefundID with which it was opened.
	DisputeID string
	Kind      RefundKind
	// What went back, without tax: by lines, or as a sum that is split over what is left of all lines; neither: all
	// that is left. Never more is taken than is left. Ignored for a dispute that was won.
	Lines []Line
	Net   *money.Amount
	At    int64 // Unix ms
}

func (o *OrderSale) amount() (money.Amount, error) {
	if o.OrderID <= 0 || len(o.Lines) == 0 || len(o.Lines) > MaxLines {
		return money.Amount{}, fmt.Errorf("%w: it needs an id and 1 to %d lines", ErrOrder, MaxLines)
	}
	sum := money.Amount{Currency: o.Lines[0].Net.Currency}
	seen := make(map[int64]bool, len(o.Lines))
	for _, l := range o.Lines {
		if l.LineID <= 0 || seen[l.LineID] || l.Quantity < 1 || l.Net.Minor < 0 || l.Net.Minor > money.MaxMinor {
			return money.Amount{}, fmt.Errorf("%w: line %d needs an id of its own, a quantity and an amount that is not negative", ErrOrder, l.LineID)
		}
		seen[l.LineID] = true
		var err error
		if sum, err = sum.Add(l.Net); err != nil {
			return money.Amount{}, fmt.Errorf("%w: line %d: %w", ErrOrder, l.LineID, err)
		}
	}
	return sum, nil
}

// BookOrder books a paid order as a sale in the caller's transaction, which must hold the order's lock, and returns
// the conversion. Booked again, the order gives the same conversion; with another amount, ErrOrderConflict.
func (s *Service) BookOrder(ctx context.Context, tx *db.Tx, o OrderSale) (int64, error) {
	amount, err := o.amount()
	if err != nil {
		return 0, err
	}
	if err := s.checkOrder(ctx, tx, &o); err != nil {
		return 0, err
	}
	b := booking{s: s, tx: tx, now: s.now().UnixMilli(), order: &o, event: &wire.Event{
		ProgramID: o.ProgramID, Type: wire.Sale, TxnID: o.TxnID, Amount: &amount, Channel: wire.Shop, ReceivedAt: o.At, Customer: o.CustomerKey,
	}, lines: linesOf(&o)}
	result, err := b.book(ctx)
	if err != nil {
		return 0, fmt.Errorf("book order: %w", err)
	}
	c, err := readKey(ctx, tx, o.ProgramID, wire.Sale, o.TxnID)
	if err != nil {
		return 0, fmt.Errorf("book order: %w", err)
	}
	switch result.Outcome {
	case wire.Booked:
	case wire.Duplicate:
		if known, err := orderConversion(ctx, tx, o.OrderID); err != nil || known != c.ID {
			return 0, errors.Join(ErrOrderConflict, err)
		}
		return c.ID, nil
	case wire.Conflict:
		return 0, fmt.Errorf("%w: %s", ErrOrderConflict, result.Detail)
	case wire.Refused:
		return 0, fmt.Errorf("%w: %s", ErrOrder, result.Detail)
	}
	return c.ID, s.finish(ctx, tx, &b, wire.Booked)
}

// checkOrder refuses an order that was booked under another transaction id, before anything is written.
func (s *Service) checkOrder(ctx context.Context, tx *db.Tx, o *OrderSale) error {
	id, err := orderConversion(ctx, tx, o.OrderID)
	if errors.Is(err, ErrNoOrder) {
		return nil
	}
	if err != nil {
		return err
	}
	list, err := read(ctx, tx, "id = ?", id)
	if err != nil {
		return fmt.Errorf("read the conversion of an order: %w", err)
	}
	if len(list) != 1 || list[0].ProgramID != o.ProgramID || list[0].TxnID != o.TxnID {
		return fmt.Errorf("%w: it is %q", ErrOrderConflict, list[0].TxnID)
	}
	return nil
}

// finish hands out the facts of a booking in somebody else's transaction, and counts it once that is committed.
func (s *Service) finish(ctx context.Context, tx *db.Tx, b *booking, outcome wire.Outcome) error {
	if reason := b.decided; reason != "" {
		tx.OnCommit(func() { s.attributions.WithLabelValues(string(reason)).Inc() })
	}
	tx.OnCommit(func() { s.events.WithLabelValues(string(outcome)).Inc() })
	return s.outbox.Add(ctx, tx, b.facts...)
}

// storeOrder stores what an order has beside its conversion.
func (b *booking) storeOrder(ctx context.Context, conversionID int64) error {
	made, err := b.tx.TryInsert(ctx, "INSERT INTO conversion_orders (order_id, conversion_id) VALUES (?, ?)", b.order.OrderID, conversionID)
	if err == nil && !made {
		err = ErrOrderConflict
	}
	if err != nil {
		return fmt.Errorf("note the order of a conversion: %w", err)
	}
	return insertLines(ctx, b.tx, conversionID, b.lines)
}

// orderConversion is the conversion that an order became, or ErrNoOrder.
func orderConversion(ctx context.Context, q db.Querier, orderID int64) (int64, error) {
	var id int64
	err := q.QueryRow(ctx, "SELECT conversion_id FROM conversion_orders WHERE order_id = ?", orderID).Scan(&id)
	if db.IsNoRows(err) {
		return 0, ErrNoOrder
	}
	if err != nil {
		return 0, fmt.Errorf("read the conversion of an order: %w", err)
	}
	return id, nil
}

package payment

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/money"
)

// State says how far an attempt to pay is.
type State string

// States of an attempt.
const (
	Created   State = "created" // stored; the gateway has not been called, or is being called
	Unknown   State = "unknown" // the call had no clear end
	Open      State = "open"    // the buyer can pay
	Succeeded State = "succeeded"
	Ended     State = "failed" // refused, or nobody paid in time
	Stray     State = "stray"  // paid, but the order cannot use it: to be given back
)

// Payment is one attempt to pay an order. Times are Unix ms, 0 for never.
type Payment struct {
	ID        int64
	OrderID   int64
	Gateway   string
	State     State
	Amount    money.Amount
	Ref       string       // the gateway's name for the attempt
	PaymentID string       // the gateway's name for the payment; empty: not paid
	Paid      money.Amount // what came in; no currency: nothing
	PaidAt    int64
	Reason    string
	ExpiresAt int64
	CreatedAt int64
	UpdatedAt int64

	key       string
	live      bool
	url       string
	params    string // JSON
	returnURL string
	attempts  int64
	claim     int64
}

const paymentColumns = `id, order_id, gateway, live, provider_key, state, amount_minor, currency, ref, payment_id, paid_minor, paid_currency, paid_at,
	url, params, return_url, reason, expires_at, attempts, claim, created_at, updated_at`

func (p *Payment) session() (Session, error) {
	out := Session{Gateway: p.Gateway, URL: p.url}
	if err := json.Unmarshal([]byte(p.params), &out.Params); err != nil {
		return Session{}, fmt.Errorf("read stored session: %w", err)
	}
	return out, nil
}

// settled reports whether money came in.
func (p *Payment) settled() bool { return p.State == Succeeded || p.State == Stray }

// early reports whether something that follows a payment is said before the payment itself is known.
func (p *Payment) early(c Change) bool {
	return !p.settled() || c.PaymentID != "" && c.PaymentID != p.PaymentID
}

func readPayments(ctx context.Context, q db.Querier, rest string, args ...any) ([]Payment, error) {
	rows, err := q.Query(ctx, "SELECT "+paymentColumns+" FROM payments WHERE "+rest, args...)
	if err != nil {
		return nil, fmt.Errorf("read payments: %w", err)
	}
	defer rows.Close()
	var out []Payment
	for rows.Next() {
		var p Payment
		var live int64
		if err := rows.Scan(&p.ID, &p.OrderID, &p.Gateway, &live, &p.key, &p.State, &p.Amount.Minor, &p.Amount.Currency, &p.Ref, &p.PaymentID,
			&p.Paid.Minor, &p.Paid.Currency, &p.PaidAt, &p.url, &p.params, &p.returnURL, &p.Reason, &p.ExpiresAt, &p.attempts, &p.claim,
			&p.CreatedAt, &p.UpdatedAt); err != nil {
			return nil, fmt.Errorf("read payments: %w", err)
		}
		p.live = live == 0
		out = append(out, p)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read payments: %w", err)
	}
	return out, nil
}

func readPayment(ctx context.Context, q db.Querier, id int64, lock string) (Payment, error) {
	list, err := readPayments(ctx, q, "id = ?"+lock, id)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Payment{}, err
	}
	return list[0], nil
}

// RefundState says how far a refund is.
type RefundState string

// States of a refund.
const (
	RefundCreated   RefundState = "created" // stored; the gateway has not been called, or is being called
	RefundUnknown   RefundState = "unknown" // called without a clear answer: in flight until the gateway has said
	RefundAccepted  RefundState = "pending" // the gateway will do it
	RefundSucceeded RefundState = "succeeded"
	RefundEnded     RefundState = "failed"
)

// Refund is money given back. Times are Unix ms, 0 for never.
type Refund struct {
	ID        int64
	Payment   int64 // Payment.ID
	OrderID   int64
	Refund    int64 // of the shop; 0: made at the gateway, or of a stray payment
	Gateway   string
	State     RefundState
	Amount    money.Amount
	PaymentID string // the gateway's
	RefundID  string // the gateway's; empty: not known
	Reason    string
	LastError string
	DoneAt    int64
	Attempts  int64
	CreatedAt int64
	UpdatedAt int64

	key   string
	claim int64
}

// Ours reports whether it was asked for through us.
func (r *Refund) Ours() bool { return strings.HasPrefix(r.key, ident.PaymentRefund+"_") }

const refundColumns = `id, payment, order_id, refund, gateway, provider_key, state, amount_minor, currency, payment_id, refund_id, reason, last_error, done_at,
	attempts, claim, created_at, updated_at`

func readRefunds(ctx context.Context, q db.Querier, rest string, args ...any) ([]Refund, error) {
	rows, err := q.Query(ctx, "SELECT "+refundColumns+" FROM payment_refunds WHERE "+rest, args...)
	if err != nil {
		return nil, fmt.Errorf("read refunds: %w", err)
	}
	defer rows.Close()
	var out []Refund
	for rows.Next() {
		var r Refund
		if err := rows.Scan(&r.ID, &r.Payment, &r.OrderID, &r.Refund, &r.Gateway, &r.key, &r.State, &r.Amount.Minor, &r.Amount.Currency, &r.PaymentID,
			&r.RefundID, &r.Reason, &r.LastError, &r.DoneAt, &r.Attempts, &r.claim, &r.CreatedAt, &r.UpdatedAt); err != nil {
			return nil, fmt.Errorf("read refunds: %w", err)
		}
		out = append(out, r)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read refunds: %w", err)
	}
	return out, nil
}

func insertRefund(ctx context.Context, tx *db.Tx, r *Refund, nextAt int64) (bool, error) {
	ok, err := tx.TryInsert(ctx, "INSERT INTO payment_refunds ("+refundColumns+", next_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', ?, 0, 0, ?, ?, ?)",
		r.ID, r.Payment, r.OrderID, r.Refund, r.Gateway, r.key, r.State, r.Amount.Minor, r.Amount.Currency, r.PaymentID, r.RefundID, r.Reason, r.DoneAt,
		r.CreatedAt, r.CreatedAt, nextAt)
	if err != nil {
		return false, fmt.Errorf("store refund: %w", err)
	}
	return ok, nil
}

// column reads one column of numbers.
func column(ctx context.Context, q db.Querier, query string, args ...any) ([]int64, error) {
	rows, err := q.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []int64
	for rows.Next() {
		var v int64
		if err := rows.Scan(&v); err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

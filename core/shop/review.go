package shop

import (
	"context"
	"fmt"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/payment"
	"github.com/edgeref/edgeref/wire/ident"
)

// ReviewKind says why a case was opened.
type ReviewKind string

// Kinds of cases.
const (
	ReviewPaidTwice      ReviewKind = "paid_twice"
	ReviewPaidLate       ReviewKind = "paid_late" // delivered after all
	ReviewWrongAmount    ReviewKind = "wrong_amount"
	ReviewWrongCurrency  ReviewKind = "wrong_currency"
	ReviewNotBooked      ReviewKind = "not_booked"      // paid and delivered, but the conversion was refused
	ReviewExcessRefund   ReviewKind = "excess_refund"   // more went back than is left of the order
	ReviewRefundReturned ReviewKind = "refund_returned" // a refund came back after it had been booked
	ReviewDispute        ReviewKind = "dispute"         // a dispute about more than is left, or that was never opened
	ReviewUnknown        ReviewKind = "unknown_outcome"
)

// Review is something a gateway told that people must look at.
type Review struct {
	ID         int64
	OrderID    int64
	Kind       ReviewKind
	Amount     int64 // minor units
	Currency   string
	Gateway    string
	PaymentID  string
	Ref        string // the gateway's refund or dispute
	Detail     string
	CreatedAt  int64  // Unix ms
	ResolvedAt int64  // 0: open
	ResolvedBy string // who closed it
	Note       string // what was done about it
}

// review opens a case about a locked order, once for each thing that was told.
func (s *Service) review(ctx context.Context, tx *db.Tx, o *Order, kind ReviewKind, out payment.Outcome, detail string) error {
	e := eventOf(EventReview, out)
	e.Detail = clip(string(kind)+": "+detail, maxNote)
	var known int
	if err := tx.QueryRow(ctx, "SELECT COUNT(*) FROM order_reviews WHERE order_id = ? AND kind = ? AND gateway = ? AND payment_id = ? AND ref = ?",
		o.ID, kind, e.Gateway, e.PaymentID, e.Ref).Scan(&known); err != nil {
		return fmt.Errorf("look for case: %w", err)
	}
	if known > 0 {
		return nil
	}
	if _, err := tx.Exec(ctx, `INSERT INTO order_reviews (id, order_id, kind, amount_minor, currency, gateway, payment_id, ref, detail, created_at,
		resolved_at, resolved_by, note) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, '', '')`, s.ids.New(), o.ID, kind, e.Amount, e.Currency, e.Gateway, e.PaymentID,
		e.Ref, clip(detail, maxNote), s.now().UnixMilli()); err != nil {
		return fmt.Errorf("open case: %w", err)
	}
	tx.OnCommit(func() { s.metrics.reviews.WithLabelValues(string(kind)).Inc() })
	return s.note(ctx, tx, o, e)
}

// ReviewFilter selects cases; zero values select all.
type ReviewFilter struct {
	OrderID int64
	Open    bool // only those that are
	Since   int64
	Before  int64
	Limit   int
}

// Reviews returns cases, the newest first.
func (s *Service) Reviews(ctx context.Context, f ReviewFilter) ([]Review, error) {
	q := filter{where: "id < ?", args: []any{below(f.Before)}}
	q.add("id >= ?", f.Since, f.Since != 0)
	q.add("order_id = ?", f.OrderID, f.OrderID != 0)
	q.add("resolved_at = ?", 0, f.Open)
	return readReviews(ctx, s.db, q.where+" ORDER BY id DESC LIMIT ?", append(q.args, f.Limit)...)
}

// CloseReview closes a case with a note of what was done. Functions in also run at the end of the transaction. Errors:
// ErrNotFound, ErrReviewClosed, *InvalidError.
func (s *Service) CloseReview(ctx context.Context, id int64, note string, also ...func(*db.Tx, Review) error) (r Review, err error) {
	var c checker
	c.line("note", note, maxNote, true)
	if err := c.err(); err != nil {
		return Review{}, err
	}
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		list, err := readReviews(ctx, tx, "id = ?", id)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return ErrNotFound
		}
		o, err := lockOrder(ctx, tx, list[0].OrderID)
		if err != nil {
			return err
		}
		if list, err = readReviews(ctx, tx, "id = ?", id); err != nil { // as it is behind the lock
			return err
		}
		if r = list[0]; r.ResolvedAt != 0 {
			return ErrReviewClosed
		}
		before := r
		r.ResolvedAt, r.ResolvedBy, r.Note = s.now().UnixMilli(), actorOf(ctx), note
		if _, err := tx.Exec(ctx, "UPDATE order_reviews SET resolved_at = ?, resolved_by = ?, note = ? WHERE id = ?", r.ResolvedAt, r.ResolvedBy, r.Note, id); err != nil {
			return fmt.Errorf("close case: %w", err)
		}
		if err := s.note(ctx, tx, &o, Event{Kind: EventReviewed, Detail: clip(string(r.Kind)+": "+note, maxNote)}); err != nil {
			return err
		}
		if err := s.audit(ctx, tx, "order_review.close", ident.Format(ident.OrderReview, id), before, r, note); err != nil {
			return err
		}
		return runAll(tx, r, also)
	})
	if err != nil {
		return Review{}, err
	}
	return r, nil
}

func readReviews(ctx context.Context, q db.Querier, rest string, args ...any) ([]Review, error) {
	rows, err := q.Query(ctx, `SELECT id, order_id, kind, amount_minor, currency, gateway, payment_id, ref, detail, created_at, resolved_at, resolved_by, note
		FROM order_reviews WHERE `+rest, args...)
	if err != nil {
		return nil, fmt.Errorf("read cases: %w", err)
	}
	defer rows.Close()
	var out []Review
	for rows.Next() {
		var r Review
		if err := rows.Scan(&r.ID, &r.OrderID, &r.Kind, &r.Amount, &r.Currency, &r.Gateway, &r.PaymentID, &r.Ref, &r.Detail, &r.CreatedAt,
			&r.ResolvedAt, &r.ResolvedBy, &r.Note); err != nil {
			return nil, fmt.Errorf("read cases: %w", err)
		}
		out = append(out, r)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read cases: %w", err)
	}
	return out, nil
}

// Package business counts across domains, for the first page of who runs the business: what was earned in a span, and what waits
// for somebody. It reads tables of others and changes nothing; each number is one indexed count or sum.
package business

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/newid"
)

// Money is what a span brought in one currency, in minor units.
type Money struct {
	Currency   string
	Revenue    int64 // of paid orders, tax included
	Tax        int64
	Refunds    int64 // given back in the span, tax included
	RefundsTax int64
	Commission int64 // of commissions made in the span, less what was taken back of them until now
	Net        int64 // what stays: revenue less tax, refunds and commission
}

// Figures are what a span brought.
type Figures struct {
	Orders, Refunds, NewAffiliates, NewBuyers int64
	Money                                     []Money // by currency
}

// Span counts what happened from a time until before another.
func Span(ctx context.Context, q db.Querier, from, to time.Time) (f Figures, err error) {
	a, b := from.UnixMilli(), to.UnixMilli()
	err = q.QueryRow(ctx, `SELECT (SELECT COUNT(*) FROM orders WHERE paid_at >= ? AND paid_at < ?),
		(SELECT COUNT(*) FROM order_refunds WHERE settled_at >= ? AND settled_at < ? AND state = 'done'),
		(SELECT COUNT(*) FROM affiliates WHERE created_at >= ? AND created_at < ?),
		(SELECT COUNT(*) FROM (SELECT DISTINCT o.customer_key FROM orders o WHERE o.paid_at >= ? AND o.paid_at < ? AND o.customer_key <> ''
			AND NOT EXISTS (SELECT 1 FROM orders e WHERE e.customer_key = o.customer_key AND e.paid_at > 0 AND e.paid_at < ?)) n)`,
		a, b, a, b, a, b, a, b, a).Scan(&f.Orders, &f.Refunds, &f.NewAffiliates, &f.NewBuyers)
	if err != nil {
		return f, fmt.Errorf("count orders and affiliates: %w", err)
	}
	sums := map[string]*Money{}
	of := func(currency string) *Money {
		if sums[currency] == nil {
			sums[currency] = &Money{Currency: currency}
		}
		return sums[currency]
	}
	err = each(ctx, q, func(currency string, x, y int64) { of(currency).Revenue, of(currency).Tax = x, y },
		"SELECT currency, SUM(total_minor), SUM(tax_minor) FROM orders WHERE paid_at >= ? AND paid_at < ? GROUP BY currency", a, b)
	if err != nil {
		return f, err
	}
	err = each(ctx, q, func(currency string, x, y int64) { of(currency).Refunds, of(currency).RefundsTax = x, y },
		`SELECT r.currency, SUM(l.gross_minor), SUM(l.tax_minor) FROM order_refunds r JOIN order_refund_lines l ON l.refund_id = r.id
			WHERE r.settled_at >= ? AND r.settled_at < ? AND r.state = 'done' GROUP BY r.currency`, a, b)
	if err != nil {
		return f, err
	}
	// Identifiers sort by time, and there is no other index for that.
	err = each(ctx, q, func(currency string, x, y int64) { of(currency).Commission = x - y },
		"SELECT currency, SUM(amount_minor), SUM(reversed_minor) FROM commissions WHERE id >= ? AND id < ? AND replaced_at = 0 GROUP BY currency",
		newid.First(from), newid.First(to))
	if err != nil {
		return f, err
	}
	for _, m := range sums {
		m.Net = m.Revenue - m.Tax - (m.Refunds - m.RefundsTax) - m.Commission
		f.Money = append(f.Money, *m)
	}
	slices.SortFunc(f.Money, func(x, y Money) int { return strings.Compare(x.Currency, y.Currency) })
	return f, nil
}

// each calls fn with the rows of a query for a currency and two sums.
func each(ctx context.Context, q db.Querier, fn func(currency string, x, y int64), query string, args ...any) error {
	rows, err := q.Query(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("sum up money: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var currency string
		var x, y int64
		// A sum beyond int64 fails here; it is never cut.
		if err := rows.Scan(&currency, &x, &y); err != nil {
			return fmt.Errorf("sum up money: %w", err)
		}
		fn(currency, x, y)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("sum up money: %w", err)
	}
	return nil
}

// Task is something that waits for somebody.
type Task string

// Tasks. What each asks is in queries.
const (
	Applications      Task = "applications"       // people who want to become affiliates
	CommissionReviews Task = "commission_reviews" // balances that a reversal took below the floor
	OrderReviews      Task = "order_reviews"      // what gateways told and no rule can book
	PaymentEvents     Task = "payment_events"     // of gateways, that were given up or need a look
	StrayPayments     Task = "stray_payments"     // that their order cannot use
	KYCDocuments      Task = "kyc_documents"      // to be reviewed
	PayoutBatches     Task = "payout_batches"     // that wait for approval
	PayoutRequests    Task = "payout_requests"    // of affiliates, that wait for a batch
	UnknownPayouts    Task = "unknown_payouts"    // of which nobody knows whether they were sent
	DeadWebhooks      Task = "dead_webhooks"      // deliveries that were given up
	DeadMails         Task = "dead_mails"         // that were given up
	Conflicts         Task = "conflicts"          // conversions of the last 7 days that were not booked
)

// conflictsFor is how far back Conflicts looks: nobody marks them as done.
const conflictsFor = 7 * 24 * time.Hour

// Tasks are all of them, in the order of their urgency.
func Tasks() []Task {
	return []Task{UnknownPayouts, StrayPayments, PaymentEvents, OrderReviews, Conflicts, PayoutBatches, PayoutRequests, CommissionReviews, KYCDocuments, Applications, DeadWebhooks, DeadMails}
}

func (t Task) query(now time.Time) (string, []any) {
	switch t {
	case Applications:
		return "SELECT COUNT(*) FROM affiliate_applications", nil
	case CommissionReviews:
		return "SELECT COUNT(*) FROM commission_reviews WHERE resolved_at = 0", nil
	case OrderReviews:
		return "SELECT COUNT(*) FROM order_reviews WHERE resolved_at = 0", nil
	case PaymentEvents:
		return "SELECT COUNT(*) FROM payment_event_work WHERE state IN ('review', 'dead')", nil
	case StrayPayments:
		return `SELECT COUNT(*) FROM payments p WHERE p.state = 'stray' AND NOT EXISTS (SELECT 1 FROM payment_refunds r WHERE r.payment = p.id AND r.state <> 'failed')`, nil
	case KYCDocuments:
		return "SELECT COUNT(*) FROM kyc_documents WHERE state = 'submitted'", nil
	case PayoutBatches:
		return "SELECT COUNT(*) FROM payout_batches WHERE state = 'created'", nil
	case PayoutRequests:
		return "SELECT COUNT(*) FROM payout_requests WHERE state = 'waiting'", nil
	case UnknownPayouts:
		return "SELECT COUNT(*) FROM payouts WHERE state = 'sending'", nil
	case DeadWebhooks:
		return "SELECT COUNT(*) FROM webhook_deliveries WHERE state = 'dead'", nil
	case DeadMails:
		return "SELECT COUNT(*) FROM mails WHERE state = 'dead'", nil
	case Conflicts:
		return "SELECT COUNT(*) FROM conversion_conflicts WHERE id >= ?", []any{newid.First(now.Add(-conflictsFor))}
	}
	return "", nil
}

// Waiting counts what waits, of the tasks that are named.
func Waiting(ctx context.Context, q db.Querier, now time.Time, tasks []Task) (map[Task]int64, error) {
	out := make(map[Task]int64, len(tasks))
	for _, t := range tasks {
		query, args := t.query(now)
		if query == "" {
			panic("BUG: unknown task " + string(t))
		}
		var n int64
		if err := q.QueryRow(ctx, query, args...).Scan(&n); err != nil {
			return nil, fmt.Errorf("count %s: %w", t, err)
		}
		out[t] = n
	}
	return out, nil
}

package payout

import (
	"context"
	"fmt"

	"github.com/edgeref/edgeref/core/commission"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/ledger"
	"github.com/edgeref/edgeref/wire/ident"
)

// breaks each find the first payout that differs from the ledger or from what it pays: a query of payout, transaction and
// commission id (0: none), and the words for it.
var breaks = [...]struct{ name, query, detail string }{
	{"payout_ledger", `SELECT x.id, 0, 0 FROM (
			SELECT p.id, p.state, p.gross_minor, p.net_minor, p.tax_minor,
				COALESCE(SUM(CASE WHEN a.kind = 'payable' THEN e.amount_minor ELSE 0 END), 0) AS payable,
				COALESCE(SUM(CASE WHEN a.kind = 'in_flight' THEN e.amount_minor ELSE 0 END), 0) AS flight,
				COALESCE(SUM(CASE WHEN a.kind = 'paid' THEN e.amount_minor ELSE 0 END), 0) AS paid,
				COALESCE(SUM(CASE WHEN a.kind = 'withheld' THEN e.amount_minor ELSE 0 END), 0) AS withheld,
				COALESCE(SUM(CASE WHEN a.owner_id <> p.affiliate_id OR a.currency <> p.currency THEN 1 ELSE 0 END), 0) AS strange
			FROM payouts p LEFT JOIN payout_transactions t ON t.payout_id = p.id
			LEFT JOIN ledger_entries e ON e.transaction_id = t.transaction_id LEFT JOIN ledger_accounts a ON a.id = e.account_id
			GROUP BY p.id, p.state, p.gross_minor, p.net_minor, p.tax_minor
		) x WHERE x.strange <> 0
			OR x.payable <> CASE WHEN x.state IN ('reserved', 'sending', 'sent', 'paid') THEN -x.gross_minor ELSE 0 END
			OR x.flight <> CASE WHEN x.state IN ('reserved', 'sending', 'sent') THEN x.gross_minor ELSE 0 END
			OR x.paid <> CASE WHEN x.state = 'paid' THEN x.net_minor ELSE 0 END
			OR x.withheld <> CASE WHEN x.state = 'paid' THEN x.tax_minor ELSE 0 END ORDER BY x.id LIMIT 1`,
		"payout %s and its ledger entries do not agree"},
	{"payout_items", `SELECT x.id, 0, 0 FROM (
			SELECT p.id, p.gross_minor, COALESCE(SUM(i.amount_minor), 0) AS items FROM payouts p LEFT JOIN payout_items i ON i.payout_id = p.id GROUP BY p.id, p.gross_minor
		) x WHERE x.items <> x.gross_minor ORDER BY x.id LIMIT 1`,
		"payout %s does not equal the commissions that it pays"},
	{"payout_transaction", `SELECT 0, t.id, 0 FROM ledger_transactions t LEFT JOIN payout_transactions x ON x.transaction_id = t.id
		WHERE t.kind IN ('payout_reserved', 'payout_settled', 'payout_failed', 'payout_cancelled', 'payout_returned', 'tax_withheld', 'tax_returned')
			AND x.transaction_id IS NULL ORDER BY t.id LIMIT 1`,
		"a transaction about a payout belongs to none"},
	{"commission_paid", `SELECT 0, 0, c.id FROM commissions c LEFT JOIN (
			SELECT DISTINCT i.commission_id FROM payout_items i JOIN payouts p ON p.id = i.payout_id WHERE p.state = 'paid'
		) x ON x.commission_id = c.id
		WHERE c.state = 'paid' AND x.commission_id IS NULL OR c.state = 'payable' AND x.commission_id IS NOT NULL ORDER BY c.id LIMIT 1`,
		"the state of a commission does not say whether a payout that arrived covers it"},
}

// Reconcile compares every commission and every payout with the ledger. It is what ledger.Options.Reconcile wants.
func Reconcile(ctx context.Context, q db.Querier) (compared int64, found *ledger.Break, err error) {
	compared, found, err = commission.Reconcile(ctx, q)
	if err != nil || found != nil {
		return compared, found, err
	}
	for _, b := range breaks {
		var payoutID int64
		out := &ledger.Break{Check: b.name, Detail: b.detail}
		err := q.QueryRow(ctx, b.query).Scan(&payoutID, &out.TransactionID, &out.CommissionID)
		if db.IsNoRows(err) {
			continue
		}
		if err != nil {
			return compared, nil, fmt.Errorf("check %s: %w", b.name, err)
		}
		if payoutID != 0 {
			out.Detail = fmt.Sprintf(b.detail, ident.Format(ident.Payout, payoutID))
		}
		return compared, out, nil
	}
	return compared, nil, nil
}

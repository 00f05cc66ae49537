package commission

import (
	"context"
	"fmt"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/ledger"
)

// unequal finds the first commission whose amounts or state differ from its ledger entries: what it cost is its amount
// less what was reversed, pending holds that while the state is pending and nothing after, and all entries are in its
// currency and in accounts of its affiliate.
const unequal = `SELECT c.id, c.state, c.amount_minor - c.reversed_minor, c.spent, c.pending, c.strange FROM (
		SELECT c.id, c.state, c.amount_minor, c.reversed_minor,
			COALESCE(SUM(CASE WHEN a.kind = 'commission_expense' THEN -e.amount_minor ELSE 0 END), 0) AS spent,
			COALESCE(SUM(CASE WHEN a.kind = 'pending' THEN e.amount_minor ELSE 0 END), 0) AS pending,
			COALESCE(SUM(CASE WHEN a.currency <> c.currency OR a.owner_id NOT IN (0, c.affiliate_id) THEN 1 ELSE 0 END), 0) AS strange
		FROM commissions c
		LEFT JOIN ledger_transactions t ON t.commission_id = c.id
		LEFT JOIN ledger_entries e ON e.transaction_id = t.id
		LEFT JOIN ledger_accounts a ON a.id = e.account_id
		GROUP BY c.id, c.state, c.amount_minor, c.reversed_minor
	) c WHERE c.spent <> c.amount_minor - c.reversed_minor
		OR c.pending <> CASE WHEN c.state = 'pending' THEN c.amount_minor - c.reversed_minor ELSE 0 END
		OR c.state = 'reversed' AND c.amount_minor <> c.reversed_minor
		OR c.strange <> 0 ORDER BY c.id LIMIT 1`

const unexplained = `SELECT c.id, c.reversed_minor, c.explained FROM (
		SELECT c.id, c.reversed_minor,
			COALESCE((SELECT SUM(r.amount_minor) FROM commission_reversals r WHERE r.commission_id = c.id), 0)
			- COALESCE((SELECT SUM(g.amount_minor) FROM commission_restorals g WHERE g.commission_id = c.id), 0) AS explained
		FROM commissions c
	) c WHERE c.reversed_minor <> c.explained ORDER BY c.id LIMIT 1`

const unknown = `SELECT t.id, t.commission_id FROM ledger_transactions t LEFT JOIN commissions c ON c.id = t.commission_id
	WHERE t.commission_id <> 0 AND c.id IS NULL ORDER BY t.id LIMIT 1`

// Reconcile compares every commission with the ledger. It is what ledger.Options.Reconcile wants.
func Reconcile(ctx context.Context, q db.Querier) (compared int64, found *ledger.Break, err error) {
	if err := q.QueryRow(ctx, "SELECT COUNT(*) FROM commissions").Scan(&compared); err != nil {
		return 0, nil, fmt.Errorf("count commissions: %w", err)
	}
	for _, check := range []func(context.Context, db.Querier) (*ledger.Break, error){findUnequal, findUnexplained, findUnknown} {
		if found, err := check(ctx, q); err != nil || found != nil {
			return compared, found, err
		}
	}
	return compared, nil, nil
}

func findUnequal(ctx context.Context, q db.Querier) (*ledger.Break, error) {
	var id, left, spent, pending, strange int64
	var state State
	err := q.QueryRow(ctx, unequal).Scan(&id, &state, &left, &spent, &pending, &strange)
	if db.IsNoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("compare commissions with the ledger: %w", err)
	}
	return &ledger.Break{Check: "commission_ledger", CommissionID: id, Detail: fmt.Sprintf(
		"a commission in state %s with %d minor units left has cost %d in the ledger, of which %d are pending; %d entries are in accounts of others",
		state, left, spent, pending, strange)}, nil
}

func findUnexplained(ctx context.Context, q db.Querier) (*ledger.Break, error) {
	var id, reversed, explained int64
	err := q.QueryRow(ctx, unexplained).Scan(&id, &reversed, &explained)
	if db.IsNoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("compare commissions with their reversals: %w", err)
	}
	return &ledger.Break{Check: "commission_reversals", CommissionID: id, Detail: fmt.Sprintf(
		"%d minor units are reversed, but its reversals, less what was given back, come to %d", reversed, explained)}, nil
}

func findUnknown(ctx context.Context, q db.Querier) (*ledger.Break, error) {
	var id, commission int64
	err := q.QueryRow(ctx, unknown).Scan(&id, &commission)
	if db.IsNoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("compare the ledger with commissions: %w", err)
	}
	return &ledger.Break{Check: "commission_exists", TransactionID: id, CommissionID: commission, Detail: "a transaction is about a commission that does not exist"}, nil
}

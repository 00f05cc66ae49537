package ledger

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/money"
)

// Balance is the sum of all entries of one account, or of all accounts of one kind.
type Balance struct {
	Kind   AccountKind
	Amount money.Amount
}

// Balances returns the balance of each account of an affiliate, or, for affiliate 0, the sums over all accounts of
// each kind; by currency, then kind.
func (l *Ledger) Balances(ctx context.Context, affiliateID int64) ([]Balance, error) {
	return balances(ctx, l.db, affiliateID)
}

func balances(ctx context.Context, q db.Querier, affiliateID int64) ([]Balance, error) {
	where, args := "", []any(nil)
	if affiliateID != 0 {
		where, args = "WHERE a.owner_id = ? ", []any{affiliateID}
	}
	rows, err := q.Query(ctx, `SELECT a.kind, a.currency, COALESCE(SUM(e.amount_minor), 0) FROM ledger_accounts a
		LEFT JOIN ledger_entries e ON e.account_id = a.id `+where+`GROUP BY a.currency, a.kind ORDER BY a.currency, a.kind`, args...)
	if err != nil {
		return nil, fmt.Errorf("read balances: %w", err)
	}
	defer rows.Close()
	var out []Balance
	for rows.Next() {
		var b Balance
		// A sum beyond int64 fails here or in the query; it is never cut.
		if err := rows.Scan(&b.Kind, &b.Amount.Currency, &b.Amount.Minor); err != nil {
			return nil, fmt.Errorf("read balances: %w", err)
		}
		out = append(out, b)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read balances: %w", err)
	}
	return out, nil
}

// Filter selects transactions.
type Filter struct {
	AffiliateID  int64 // with an entry in one of this affiliate's accounts; 0: all
	CommissionID int64 // about this commission; 0: all
	Before       int64 // with an ID below this one; 0: from the newest
	Limit        int   // at least 1
}

// Transactions returns transactions with all their entries, newest first.
func (l *Ledger) Transactions(ctx context.Context, f Filter) ([]Transaction, error) {
	if f.Before == 0 {
		f.Before = math.MaxInt64
	}
	ids, err := l.transactionIDs(ctx, f)
	if err != nil {
		return nil, err
	}
	byID := make(map[int64]*Transaction, len(ids))
	for part, args := range db.Chunks(ids) {
		if err := readTransactions(ctx, l.db, byID, db.In(len(part)), args); err != nil {
			return nil, err
		}
	}
	out := make([]Transaction, 0, len(ids))
	for _, id := range ids {
		if t := byID[id]; t != nil {
			out = append(out, *t)
		}
	}
	return out, nil
}

// transactionIDs reads the newest of each account by itself and merges them: a join would sort an affiliate's history.
func (l *Ledger) transactionIDs(ctx context.Context, f Filter) ([]int64, error) {
	if f.AffiliateID == 0 {
		where, args := "", []any{f.Before}
		if f.CommissionID != 0 {
			where, args = " AND commission_id = ?", append(args, f.CommissionID)
		}
		return readIDs(ctx, l.db, "SELECT id FROM ledger_transactions WHERE id < ?"+where+" ORDER BY id DESC LIMIT ?", append(args, f.Limit)...)
	}
	accounts, err := readIDs(ctx, l.db, "SELECT id FROM ledger_accounts WHERE owner_id = ?", f.AffiliateID)
	if err != nil {
		return nil, err
	}
	var all []int64
	for _, account := range accounts {
		query, args := "SELECT transaction_id FROM ledger_entries WHERE account_id = ? AND transaction_id < ?", []any{account, f.Before}
		if f.CommissionID != 0 {
			query += " AND transaction_id IN (SELECT id FROM ledger_transactions WHERE commission_id = ?)"
			args = append(args, f.CommissionID)
		}
		ids, err := readIDs(ctx, l.db, query+" ORDER BY transaction_id DESC LIMIT ?", append(args, f.Limit)...)
		if err != nil {
			return nil, err
		}
		all = append(all, ids...)
	}
	slices.SortFunc(all, func(a, b int64) int { return cmp.Compare(b, a) })
	all = slices.Compact(all)
	return all[:min(len(all), f.Limit)], nil
}

func readIDs(ctx context.Context, q db.Querier, query string, args ...any) ([]int64, error) {
	rows, err := q.Query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("list ledger transactions: %w", err)
	}
	defer rows.Close()
	var ids []int64
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("list ledger transactions: %w", err)
		}
		ids = append(ids, id)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list ledger transactions: %w", err)
	}
	return ids, nil
}

func readTransactions(ctx context.Context, q db.Querier, byID map[int64]*Transaction, in string, args []any) error {
	rows, err := q.Query(ctx, `SELECT t.id, t.kind, t.reason, t.conversion_id, t.commission_id, t.posted_at,
		a.id, a.kind, a.owner_id, a.currency, e.amount_minor
		FROM ledger_transactions t JOIN ledger_entries e ON e.transaction_id = t.id JOIN ledger_accounts a ON a.id = e.account_id
		WHERE t.id IN `+in+` ORDER BY t.id, a.id`, args...)
	if err != nil {
		return fmt.Errorf("read ledger transactions: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var t Transaction
		var e Entry
		if err := rows.Scan(&t.ID, &t.Kind, &t.Reason, &t.ConversionID, &t.CommissionID, &t.PostedAt,
			&e.Account.ID, &e.Account.Kind, &e.Account.OwnerID, &e.Account.Currency, &e.Minor); err != nil {
			return fmt.Errorf("read ledger transactions: %w", err)
		}
		if byID[t.ID] == nil {
			byID[t.ID] = &t
		}
		byID[t.ID].Entries = append(byID[t.ID].Entries, e)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read ledger transactions: %w", err)
	}
	return nil
}

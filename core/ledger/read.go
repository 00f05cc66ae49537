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
	AffiliateID  int64   // with an entry in one of this affiliate's accounts; 0: all
	CommissionID int64   // about this commission; 0: all
	Commissions  []int64 // about one of these; nil: all. At most MaxAbout
	ConversionID int64   // caused by this conversion; 0: all
	IDs          []int64 // one of these; nil: all. At most MaxAbout
	Since        int64   // with an ID of this or above
	Before       int64   // with an ID below this one; 0: from the newest
	Limit        int     // at least 1
}

// MaxAbout bounds the lists in a Filter.
const MaxAbout = db.MaxIn

// about are the conditions on what transactions are about; each part of the result is read off one index in the order of
// identifiers.
func (f Filter) about() (parts []string, args [][]any) {
	rest, restArgs := "", []any(nil)
	if f.IDs != nil {
		rest, restArgs = " AND id IN "+db.In(len(f.IDs)), anys(f.IDs)
	}
	plus := ""
	if f.ConversionID != 0 {
		if f.CommissionID != 0 || f.Commissions != nil {
			plus = "+" // a commission has fewer transactions; SQLite would not know
		}
		rest, restArgs = rest+" AND "+plus+"conversion_id = ?", append(restArgs, f.ConversionID)
	}
	commissions := f.Commissions
	if f.CommissionID != 0 {
		if commissions != nil && !slices.Contains(commissions, f.CommissionID) {
			return nil, nil
		}
		commissions = []int64{f.CommissionID}
	}
	if commissions == nil {
		return []string{rest}, [][]any{restArgs}
	}
	for _, id := range commissions {
		parts, args = append(parts, " AND commission_id = ?"+rest), append(args, append([]any{id}, restArgs...))
	}
	return parts, args
}

func anys(ids []int64) []any {
	out := make([]any, len(ids))
	for i := range ids {
		out[i] = ids[i]
	}
	return out
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

// transactionIDs reads the newest of each account or commission by itself and merges them: a join would sort an affiliate's
// history.
func (l *Ledger) transactionIDs(ctx context.Context, f Filter) ([]int64, error) {
	if f.IDs != nil && len(f.IDs) == 0 || len(f.IDs) > MaxAbout || len(f.Commissions) > MaxAbout {
		return nil, nil
	}
	var accounts []int64
	if f.AffiliateID != 0 {
		var err error
		if accounts, err = readIDs(ctx, l.db, "SELECT id FROM ledger_accounts WHERE owner_id = ?", f.AffiliateID); err != nil {
			return nil, err
		}
	}
	var all []int64
	parts, args := f.about()
	for i, part := range parts {
		if f.AffiliateID == 0 {
			ids, err := readIDs(ctx, l.db, "SELECT id FROM ledger_transactions WHERE id >= ? AND id < ?"+part+" ORDER BY id DESC LIMIT ?",
				slices.Concat([]any{f.Since, f.Before}, args[i], []any{f.Limit})...)
			if err != nil {
				return nil, err
			}
			all = append(all, ids...)
			continue
		}
		for _, account := range accounts {
			ids, err := l.accountIDs(ctx, f, account, part, args[i])
			if err != nil {
				return nil, err
			}
			all = append(all, ids...)
		}
	}
	slices.SortFunc(all, func(a, b int64) int { return cmp.Compare(b, a) })
	all = slices.Compact(all)
	return all[:min(len(all), f.Limit)], nil
}

// accountIDs are the newest transactions with an entry in an account; part narrows them down to what they are about.
func (l *Ledger) accountIDs(ctx context.Context, f Filter, account int64, part string, about []any) ([]int64, error) {
	query, args := "SELECT transaction_id FROM ledger_entries WHERE account_id = ? AND transaction_id >= ? AND transaction_id < ?", []any{account, f.Since, f.Before}
	if part != "" {
		query, args = query+" AND transaction_id IN (SELECT id FROM ledger_transactions WHERE 1 = 1"+part+")", append(args, about...)
	}
	return readIDs(ctx, l.db, query+" ORDER BY transaction_id DESC LIMIT ?", append(args, f.Limit)...)
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

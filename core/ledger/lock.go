package ledger

import (
	"context"
	"fmt"
	"slices"

	"github.com/edgeref/edgeref/core/db"
)

// Standing is what an account holds, read behind its lock: nobody posts to it before the transaction ends.
type Standing struct {
	Account Account
	Minor   int64
	Newest  int64 // the newest transaction with an entry in it; 0: there is none
}

// Lock locks the accounts of one kind and currency that belong to owners, in order of account, and returns what each
// holds, by owner. Owners without such an account are left out. Whoever decides by a balance calls it first; it comes
// after locks on commissions, if there are any.
func (l *Ledger) Lock(ctx context.Context, tx *db.Tx, kind AccountKind, currency string, owners []int64) (map[int64]Standing, error) {
	byAccount := make(map[int64]int64, len(owners))
	for part, args := range db.Chunks(owners) {
		if err := findOwned(ctx, tx, byAccount, kind, currency, db.In(len(part)), args); err != nil {
			return nil, err
		}
	}
	accounts := make([]int64, 0, len(byAccount))
	for account := range byAccount {
		accounts = append(accounts, account)
	}
	slices.Sort(accounts)
	for part, args := range db.Chunks(accounts) {
		// By primary key: any other index would lock in its own order.
		if _, err := readIDs(ctx, tx, "SELECT id FROM ledger_accounts WHERE id IN "+db.In(len(part))+" ORDER BY id"+tx.Dialect().ForUpdate(), args...); err != nil {
			return nil, fmt.Errorf("lock ledger accounts: %w", err)
		}
	}
	out := make(map[int64]Standing, len(accounts))
	for _, account := range accounts {
		s := Standing{Account: Account{ID: account, Kind: kind, OwnerID: byAccount[account], Currency: currency}}
		err := tx.QueryRow(ctx, "SELECT COALESCE(SUM(amount_minor), 0), COALESCE(MAX(transaction_id), 0) FROM ledger_entries WHERE account_id = ?", account).
			Scan(&s.Minor, &s.Newest)
		if err != nil {
			return nil, fmt.Errorf("read balance: %w", err)
		}
		out[s.Account.OwnerID] = s
	}
	return out, nil
}

func findOwned(ctx context.Context, tx *db.Tx, byAccount map[int64]int64, kind AccountKind, currency, in string, args []any) error {
	rows, err := tx.Query(ctx, "SELECT id, owner_id FROM ledger_accounts WHERE owner_id IN "+in+" AND kind = ? AND currency = ?", append(args, kind, currency)...)
	if err != nil {
		return fmt.Errorf("find ledger accounts: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var account, owner int64
		if err := rows.Scan(&account, &owner); err != nil {
			return fmt.Errorf("find ledger accounts: %w", err)
		}
		byAccount[account] = owner
	}
	return rows.Err()
}

// Lowest is the lowest balance that an account had after transactions newer than one of its own, or 0 where there are
// none. The transaction is what Standing.Newest gave earlier; 0: since the beginning.
func Lowest(ctx context.Context, q db.Querier, kind AccountKind, currency string, owner, newerThan int64) (int64, error) {
	var lowest int64
	err := q.QueryRow(ctx, `SELECT COALESCE(MIN(running), 0) FROM (
			SELECT e.transaction_id, SUM(e.amount_minor) OVER (ORDER BY e.transaction_id) AS running
			FROM ledger_accounts a JOIN ledger_entries e ON e.account_id = a.id WHERE a.owner_id = ? AND a.kind = ? AND a.currency = ?
		) history WHERE transaction_id > ?`, owner, kind, currency, newerThan).Scan(&lowest)
	if err != nil {
		return 0, fmt.Errorf("read lowest balance: %w", err)
	}
	return lowest, nil
}

// BalanceAt is what an account held after a transaction; 0 where it does not exist.
func BalanceAt(ctx context.Context, q db.Querier, kind AccountKind, currency string, owner, transaction int64) (int64, error) {
	var minor int64
	err := q.QueryRow(ctx, `SELECT COALESCE(SUM(e.amount_minor), 0) FROM ledger_accounts a JOIN ledger_entries e ON e.account_id = a.id
		WHERE a.owner_id = ? AND a.kind = ? AND a.currency = ? AND e.transaction_id <= ?`, owner, kind, currency, transaction).Scan(&minor)
	if err != nil {
		return 0, fmt.Errorf("read earlier balance: %w", err)
	}
	return minor, nil
}

package ledger

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/edgeref/edgeref/core/db"
)

// Post writes t in tx and returns its ID. Accounts that do not exist yet are made.
//
// Entries are written in order of account ID, and each takes a shared lock on its account (through the foreign key),
// so posts run beside each other and never wait for each other in a circle. Whoever must decide by a balance locks the
// account's row for itself first, also in order of ID, and holds off every post to it until its own commit.
func (l *Ledger) Post(ctx context.Context, tx *db.Tx, t Transaction) (int64, error) {
	if err := t.validate(); err != nil {
		return 0, err
	}
	entries := slices.Clone(t.Entries)
	if err := l.ensureAccounts(ctx, tx, entries); err != nil {
		return 0, err
	}
	slices.SortFunc(entries, func(a, b Entry) int { return cmp.Compare(a.Account.ID, b.Account.ID) })
	id := l.ids.New()
	_, err := tx.Exec(ctx, `INSERT INTO ledger_transactions (id, kind, reason, conversion_id, commission_id, posted_at)
		VALUES (?, ?, ?, ?, ?, ?)`, id, t.Kind, t.Reason, t.ConversionID, t.CommissionID, l.now().UnixMilli())
	if err != nil {
		return 0, fmt.Errorf("post ledger transaction: %w", err)
	}
	args := make([]any, 0, 3*len(entries))
	for _, e := range entries {
		args = append(args, id, e.Account.ID, e.Minor)
	}
	rows := strings.Repeat(", (?, ?, ?)", len(entries))[2:]
	if _, err := tx.Exec(ctx, "INSERT INTO ledger_entries (transaction_id, account_id, amount_minor) VALUES "+rows, args...); err != nil {
		return 0, fmt.Errorf("post ledger entries: %w", err)
	}
	return id, nil
}

// ensureAccounts fills in the account IDs of entries and makes the accounts that are missing, in a fixed order.
func (l *Ledger) ensureAccounts(ctx context.Context, tx *db.Tx, entries []Entry) error {
	missing, err := findAccounts(ctx, tx, entries)
	if err != nil || len(missing) == 0 {
		return err
	}
	slices.SortFunc(missing, func(a, b Account) int {
		return cmp.Or(cmp.Compare(a.OwnerID, b.OwnerID), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Currency, b.Currency))
	})
	for _, a := range missing {
		// No upsert: on MySQL that is an update of the row that is there, which its trigger refuses.
		_, err := tx.TryInsert(ctx, "INSERT INTO ledger_accounts (id, owner_id, kind, currency, created_at) VALUES (?, ?, ?, ?, ?)",
			l.ids.New(), a.OwnerID, a.Kind, a.Currency, l.now().UnixMilli())
		if err != nil {
			return fmt.Errorf("make ledger account: %w", err)
		}
	}
	// Another transaction may have made them first, so their IDs are read and not assumed.
	missing, err = findAccounts(ctx, tx, entries)
	if err == nil && len(missing) > 0 {
		err = fmt.Errorf("make ledger account: %s of owner %d did not appear", missing[0].Kind, missing[0].OwnerID)
	}
	return err
}

// findAccounts fills in the IDs of the accounts that exist and returns those that do not.
func findAccounts(ctx context.Context, tx *db.Tx, entries []Entry) ([]Account, error) {
	args := make([]any, 0, 3*len(entries))
	for _, e := range entries {
		args = append(args, e.Account.OwnerID, e.Account.Kind, e.Account.Currency)
	}
	rows, err := tx.Query(ctx, "SELECT id, owner_id, kind, currency FROM ledger_accounts WHERE "+
		strings.Repeat(" OR (owner_id = ? AND kind = ? AND currency = ?)", len(entries))[4:], args...)
	if err != nil {
		return nil, fmt.Errorf("read ledger accounts: %w", err)
	}
	defer rows.Close()
	ids := make(map[Account]int64, len(entries))
	for rows.Next() {
		var a Account
		var id int64
		if err := rows.Scan(&id, &a.OwnerID, &a.Kind, &a.Currency); err != nil {
			return nil, fmt.Errorf("read ledger accounts: %w", err)
		}
		ids[a] = id
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read ledger accounts: %w", err)
	}
	var missing []Account
	for i := range entries {
		key := entries[i].Account
		key.ID = 0
		if entries[i].Account.ID = ids[key]; ids[key] == 0 {
			missing = append(missing, key)
		}
	}
	return missing, nil
}

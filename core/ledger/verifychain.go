package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/edgeref/edgeref/core/db"
)

// verifyBatch bounds the transactions of the chain that are in memory at once.
const verifyBatch = 1_000

// chainVerifier walks the chain from its beginning.
type chainVerifier struct {
	expect Head // zero: none
	at     end  // as recomputed so far
	buf    []byte
	report *Report
}

// verifyChain recomputes the chain in q's moment and compares it with what is stored, with expect, and with the
// transactions that are there.
func verifyChain(ctx context.Context, q db.Querier, r *Report, expect Head) (*Break, error) {
	v := &chainVerifier{expect: expect, at: end{Head: Head{Hash: genesis}}, report: r}
	for {
		before := v.at.Seq
		found, err := v.batch(ctx, q)
		if err != nil || found != nil {
			return found, err
		}
		if v.at.Seq-before < verifyBatch {
			break
		}
	}
	r.Head, r.Sealed = v.at.Head, v.at.Seq
	last, _, err := readEnd(ctx, q, "")
	if err != nil {
		return nil, err
	}
	if last != v.at {
		return &Break{Check: "chain_head", Detail: fmt.Sprintf("the chain ends at %s, but its head was %s: links are missing at the end, or were added by hand", v.at.Head, last.Head)}, nil
	}
	if found, err := v.rest(ctx, q); err != nil || found != nil {
		return found, err
	}
	// Last, because all else says more about the place.
	if expect.Hash != "" && (expect.Seq > v.at.Seq || expect.Seq == 0 && expect.Hash != genesis) {
		return &Break{Check: "chain_expected_head", Detail: fmt.Sprintf("the chain ends at %s and does not contain %s", v.at.Head, expect)}, nil
	}
	return nil, nil
}

// batch reads the next links with what they seal.
func (v *chainVerifier) batch(ctx context.Context, q db.Querier) (*Break, error) {
	rows, err := q.Query(ctx, `SELECT c.seq, c.transaction_id, c.sealed_at, c.late, c.hash, t.id, t.kind, t.reason, t.conversion_id,
			t.commission_id, t.posted_at, a.id, a.owner_id, a.kind, a.currency, e.amount_minor
		FROM (SELECT seq, transaction_id, sealed_at, late, hash FROM ledger_chain WHERE seq > ? ORDER BY seq LIMIT ?) c
		LEFT JOIN ledger_transactions t ON t.id = c.transaction_id
		LEFT JOIN ledger_entries e ON e.transaction_id = t.id
		LEFT JOIN ledger_accounts a ON a.id = e.account_id
		ORDER BY c.seq, e.account_id`, v.at.Seq, verifyBatch)
	if err != nil {
		return nil, fmt.Errorf("read the ledger chain: %w", err)
	}
	defer rows.Close()
	var current *link
	var stored string
	for rows.Next() {
		next, hash, err := scanLink(rows)
		if err != nil {
			return nil, fmt.Errorf("read the ledger chain: %w", err)
		}
		if current != nil && current.seq == next.seq {
			current.tx.Entries = append(current.tx.Entries, next.tx.Entries...)
			continue
		}
		if current != nil {
			if found := v.check(current, stored); found != nil {
				return found, nil
			}
		}
		current, stored = next, hash
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read the ledger chain: %w", err)
	}
	if current != nil {
		return v.check(current, stored), nil
	}
	return nil, nil
}

// scanLink reads one row: a link with at most one entry. A transaction that is missing has no kind.
func scanLink(rows *sql.Rows) (*link, string, error) {
	var l link
	var hash string
	var txID, conversion, commission, posted, account, owner, minor sql.NullInt64
	var kind, reason, accountKind, currency sql.NullString
	err := rows.Scan(&l.seq, &l.tx.ID, &l.sealedAt, &l.late, &hash, &txID, &kind, &reason, &conversion, &commission, &posted,
		&account, &owner, &accountKind, &currency, &minor)
	if err != nil {
		return nil, "", err
	}
	l.tx.Kind, l.tx.Reason, l.tx.PostedAt = TransactionKind(kind.String), reason.String, posted.Int64
	l.tx.ConversionID, l.tx.CommissionID = conversion.Int64, commission.Int64
	if account.Valid {
		l.tx.Entries = []Entry{{Minor: minor.Int64, Account: Account{
			ID: account.Int64, OwnerID: owner.Int64, Kind: AccountKind(accountKind.String), Currency: currency.String,
		}}}
	}
	return &l, hash, nil
}

// check goes one link on.
func (v *chainVerifier) check(l *link, stored string) *Break {
	at := func(check, detail string, args ...any) *Break {
		return &Break{Check: check, TransactionID: l.tx.ID, Detail: fmt.Sprintf(detail, args...)}
	}
	if l.seq != v.at.Seq+1 {
		return at("chain_gap", "number %d of the chain is missing: the next is %d", v.at.Seq+1, l.seq)
	}
	if l.tx.Kind == "" {
		return at("chain_transaction", "the transaction that was sealed as number %d is gone", l.seq)
	}
	var hash string
	if hash, v.buf = l.hash(v.buf, v.at.Hash); hash != stored {
		return at("chain_hash", "number %d of the chain is not what was sealed: the transaction, its entries, its place or its hash was changed", l.seq)
	}
	if !l.late && isLate(l.tx.PostedAt, v.at.newestAt) {
		return at("chain_backdated", "number %d of the chain is dated %s, long before what was sealed before it", l.seq, instant(l.tx.PostedAt))
	}
	if l.late {
		v.report.AcceptedLate++
	}
	v.at = end{Head: Head{Seq: l.seq, Hash: hash}, newestAt: l.base(v.at.newestAt)}
	if l.seq == v.expect.Seq && hash != v.expect.Hash {
		return at("chain_expected_head", "number %d of the chain has the hash %s and not the expected one", l.seq, hash)
	}
	return nil
}

// rest looks at what is not sealed.
func (v *chainVerifier) rest(ctx context.Context, q db.Querier) (*Break, error) {
	id, err := firstID(ctx, q, `SELECT t.id FROM ledger_transactions t LEFT JOIN ledger_chain c ON c.transaction_id = t.id AND c.seq > 0
		LEFT JOIN ledger_unsealed u ON u.transaction_id = t.id WHERE c.seq IS NULL AND u.transaction_id IS NULL ORDER BY t.id LIMIT 1`)
	if err != nil {
		return nil, err
	}
	if id != 0 {
		return &Break{Check: "chain_unaccounted", TransactionID: id, Detail: "a transaction is neither sealed nor waiting to be: it was slipped in, or its link was deleted"}, nil
	}
	id, err = firstID(ctx, q, `SELECT u.transaction_id FROM ledger_unsealed u LEFT JOIN ledger_transactions t ON t.id = u.transaction_id
		LEFT JOIN ledger_chain c ON c.transaction_id = u.transaction_id WHERE t.id IS NULL OR c.seq IS NOT NULL ORDER BY u.transaction_id LIMIT 1`)
	if err != nil {
		return nil, err
	}
	if id != 0 {
		return &Break{Check: "chain_waiting", TransactionID: id, Detail: "a transaction waits to be sealed that does not exist or is sealed already"}, nil
	}
	id, err = firstID(ctx, q, `SELECT u.transaction_id FROM ledger_unsealed u JOIN ledger_transactions t ON t.id = u.transaction_id
		WHERE t.posted_at < ? ORDER BY u.transaction_id LIMIT 1`, v.at.newestAt-lateAfter.Milliseconds())
	if err != nil {
		return nil, err
	}
	if id != 0 {
		return &Break{Check: "chain_backdated", TransactionID: id, Detail: "a transaction appeared that is dated long before what is sealed already (the last of " + instant(v.at.newestAt) + ")"}, nil
	}
	t, err := readTail(ctx, q)
	v.report.Unsealed, v.report.OldestUnsealedAt = t.count, t.oldestAt
	return nil, err
}

// firstID is 0 where the query has no rows.
func firstID(ctx context.Context, q db.Querier, query string, args ...any) (id int64, err error) {
	err = q.QueryRow(ctx, query, args...).Scan(&id)
	if db.IsNoRows(err) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("compare the ledger with its chain: %w", err)
	}
	return id, nil
}

// instant is a time in Unix ms as verification prints it.
func instant(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z") }

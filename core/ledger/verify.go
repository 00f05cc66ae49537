package ledger

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/money"
)

// Break is the first thing that Verify found wrong.
type Break struct {
	Check         string // the name of the check, such as "transaction_sum"
	TransactionID int64  // 0: it is not about one transaction
	CommissionID  int64  // 0: it is not about one commission
	Detail        string // in plain words
}

// Report is the result of Verify.
type Report struct {
	Accounts, Transactions, Entries int64
	Reconciled                      int64     // commissions compared with the ledger
	Balances                        []Balance // sums of each kind of account
	Head                            Head      // of the hash chain; an operator may keep it elsewhere and expect it later
	Sealed, Unsealed                int64     // transactions in the chain, and those that wait for it
	OldestUnsealedAt                int64     // Unix ms; 0: all are sealed
	AcceptedLate                    int64     // sealed by an operator's word although they came late
	Break                           *Break    // nil: the ledger holds
}

// String is one line.
func (r Report) String() string {
	var b strings.Builder
	if r.Break != nil {
		fmt.Fprintf(&b, "ledger BROKEN at %s: %s", r.Break.Check, r.Break.Detail)
		if r.Break.TransactionID != 0 {
			b.WriteString(" [" + ident.Format(ident.LedgerTransaction, r.Break.TransactionID) + "]")
		}
		if r.Break.CommissionID != 0 {
			b.WriteString(" [" + ident.Format(ident.Commission, r.Break.CommissionID) + "]")
		}
		return b.String()
	}
	fmt.Fprintf(&b, "ledger holds: %d transactions, %d entries, %d accounts, %d commissions", r.Transactions, r.Entries, r.Accounts, r.Reconciled)
	currency := ""
	for _, balance := range r.Balances {
		if balance.Amount.Currency != currency {
			currency = balance.Amount.Currency
			b.WriteString("; " + currency)
		}
		b.WriteString(" " + string(balance.Kind) + " " + balance.Amount.Decimal())
	}
	fmt.Fprintf(&b, "; chain %s", r.Head)
	if r.Unsealed > 0 {
		fmt.Fprintf(&b, ", %d not sealed yet, the oldest of %s", r.Unsealed, instant(r.OldestUnsealedAt))
	}
	if r.AcceptedLate > 0 {
		fmt.Fprintf(&b, ", %d accepted late", r.AcceptedLate)
	}
	return b.String()
}

// check finds the first transaction that is wrong: a query of transaction id and two more columns for the detail.
type check struct{ name, query, detail string }

// checks are in order: each relies on those before it.
var checks = [...]check{
	{"entry_transaction", `SELECT e.transaction_id, e.account_id, e.amount_minor FROM ledger_entries e
		LEFT JOIN ledger_transactions t ON t.id = e.transaction_id WHERE t.id IS NULL ORDER BY e.transaction_id LIMIT 1`,
		"an entry of account %s over %s belongs to no transaction"},
	{"entry_account", `SELECT e.transaction_id, e.account_id, e.amount_minor FROM ledger_entries e
		LEFT JOIN ledger_accounts a ON a.id = e.account_id WHERE a.id IS NULL ORDER BY e.transaction_id LIMIT 1`,
		"account %s of an entry over %s does not exist"},
	{"transaction_entries", `SELECT t.id, t.kind, COUNT(e.account_id) FROM ledger_transactions t
		LEFT JOIN ledger_entries e ON e.transaction_id = t.id GROUP BY t.id, t.kind HAVING COUNT(e.account_id) < 2 ORDER BY t.id LIMIT 1`,
		"a transaction of kind %s has %s entries"},
	{"transaction_sum", `SELECT e.transaction_id, a.currency, SUM(e.amount_minor) FROM ledger_entries e
		JOIN ledger_accounts a ON a.id = e.account_id GROUP BY e.transaction_id, a.currency
		HAVING SUM(e.amount_minor) <> 0 ORDER BY e.transaction_id LIMIT 1`,
		"the entries in %s sum to %s minor units, not to zero"},
}

// Verify recomputes the ledger from its entries, all at one moment: every entry has its account and transaction, every
// transaction has entries that sum to zero in each currency, the hash chain covers what was sealed and nothing of it has
// changed, each currency sums to zero, and every commission equals its entries. An error means that the database could not be read; what is wrong with the ledger is in Report.Break.
func (l *Ledger) Verify(ctx context.Context) (Report, error) { return l.VerifyFrom(ctx, Head{}) }

// VerifyFrom is Verify that also requires the chain to contain a head that was printed before.
func (l *Ledger) VerifyFrom(ctx context.Context, expect Head) (Report, error) {
	var r Report
	err := l.db.Snapshot(ctx, func(tx *db.Tx) error {
		r = Report{}
		err := tx.QueryRow(ctx, `SELECT (SELECT COUNT(*) FROM ledger_accounts), (SELECT COUNT(*) FROM ledger_transactions),
			(SELECT COUNT(*) FROM ledger_entries)`).Scan(&r.Accounts, &r.Transactions, &r.Entries)
		if err != nil {
			return fmt.Errorf("count ledger rows: %w", err)
		}
		for _, c := range checks {
			if r.Break, err = c.run(ctx, tx); err != nil || r.Break != nil {
				return err
			}
		}
		if r.Break, err = verifyChain(ctx, tx, &r, expect); err != nil || r.Break != nil {
			return err
		}
		if r.Balances, err = balances(ctx, tx, 0); err != nil {
			return err
		}
		if r.Break = currencySums(r.Balances); r.Break != nil {
			return nil
		}
		r.Reconciled, r.Break, err = l.reconcile(ctx, tx)
		return err
	})
	if err != nil {
		return Report{}, fmt.Errorf("verify ledger: %w", err)
	}
	l.remember(r)
	return r, nil
}

// Verified is a verification and when it ended.
type Verified struct {
	Report Report
	At     time.Time
}

// remember keeps a verification for Last, but for a head that somebody expected and mistyped: that says nothing of the ledger.
func (l *Ledger) remember(r Report) {
	if l.now != nil && (r.Break == nil || r.Break.Check != "chain_expected_head") {
		l.last.Store(&Verified{r, l.now()})
	}
}

// Last is the last verification of this process, whoever asked for it; ok is false if there was none.
func (l *Ledger) Last() (v Verified, ok bool) {
	if last := l.last.Load(); last != nil {
		return *last, true
	}
	return Verified{}, false
}

// Unsealed counts the transactions that the hash chain does not cover yet; oldest is when the oldest was posted, Unix ms, or 0.
func (l *Ledger) Unsealed(ctx context.Context) (count, oldest int64, err error) {
	t, err := readTail(ctx, l.db)
	return t.count, t.oldestAt, err
}

func (c check) run(ctx context.Context, q db.Querier) (*Break, error) {
	var id int64
	var first, second string
	err := q.QueryRow(ctx, c.query).Scan(&id, &first, &second)
	if db.IsNoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("check %s: %w", c.name, err)
	}
	return &Break{Check: c.name, TransactionID: id, Detail: fmt.Sprintf(c.detail, first, second)}, nil
}

// currencySums follows from the checks before it unless the database itself answers inconsistently.
func currencySums(sums []Balance) *Break {
	total := map[string]money.Amount{}
	for _, s := range sums {
		sum := total[s.Amount.Currency]
		sum.Currency = s.Amount.Currency
		sum, err := sum.Add(s.Amount)
		if err != nil {
			return &Break{Check: "currency_sum", Detail: "the balances in " + s.Amount.Currency + " are beyond what can be summed"}
		}
		total[s.Amount.Currency] = sum
	}
	for _, s := range sums {
		if sum := total[s.Amount.Currency]; sum.Minor != 0 {
			return &Break{Check: "currency_sum", Detail: "all accounts together hold " + sum.String() + ", not zero"}
		}
	}
	return nil
}

// Package ledger is the append-only double-entry record of all money owed and paid.
//
// Amounts are signed minor units: a positive entry credits its account. What the business owes an affiliate is a
// positive balance, what it has spent a negative one. The entries of a transaction sum to zero in each currency.
// Nothing is changed or deleted, which the database itself enforces; a correction is a new transaction. Balances are
// always summed up from entries and stored nowhere. Only this package writes the ledger's tables.
package ledger

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/newid"
	"github.com/edgeref/edgeref/wire/money"
)

// AccountKind says what the balance of an account means.
type AccountKind string

// Kinds of accounts. The first belongs to the business, the others to one affiliate each.
const (
	Expense  AccountKind = "commission_expense" // minus what commissions have cost
	Pending  AccountKind = "pending"            // earned, still on hold
	Payable  AccountKind = "payable"            // may be paid out; negative when a refund came after the payout
	InFlight AccountKind = "in_flight"          // in a payout that is under way
	Paid     AccountKind = "paid"               // paid out
	Withheld AccountKind = "withheld"           // kept back, for example as tax
)

func (k AccountKind) known() bool {
	switch k {
	case Expense, Pending, Payable, InFlight, Paid, Withheld:
		return true
	}
	return false
}

// TransactionKind says what happened.
type TransactionKind string

// Kinds of transactions.
const (
	CommissionEarned   TransactionKind = "commission_earned"
	CommissionReleased TransactionKind = "commission_released"
	CommissionReversed TransactionKind = "commission_reversed"
	CommissionRestored TransactionKind = "commission_restored" // a dispute was won: what it took is given back
	PayoutReserved     TransactionKind = "payout_reserved"     // payable to in_flight
	PayoutSettled      TransactionKind = "payout_settled"      // in_flight to paid
	PayoutFailed       TransactionKind = "payout_failed"       // in_flight back to payable
	PayoutCancelled    TransactionKind = "payout_cancelled"    // in_flight back to payable
	PayoutReturned     TransactionKind = "payout_returned"     // paid back to payable
	TaxWithheld        TransactionKind = "tax_withheld"        // in_flight to withheld
	TaxReturned        TransactionKind = "tax_returned"        // withheld back to payable
)

// MaxReason is the longest reason of a transaction, in bytes; longer ones are refused.
const MaxReason = 255

// Account is one account. Its kind, owner and currency identify it as well as its ID does.
type Account struct {
	ID       int64
	Kind     AccountKind
	OwnerID  int64 // the affiliate; 0: the business
	Currency string
}

// Entry is one line of a transaction. For Post, the account's ID is left 0.
type Entry struct {
	Account Account
	Minor   int64 // in the account's currency; not zero
}

// Transaction is a set of entries that sums to zero in each currency.
type Transaction struct {
	ID           int64 // made by Post
	Kind         TransactionKind
	Reason       string // in plain words
	ConversionID int64  // what caused it; 0: no conversion
	CommissionID int64  // what it is about; 0: no commission
	PostedAt     int64  // Unix ms, set by Post
	Entries      []Entry
}

// ErrInvalid is wrapped by every error of Post that is about the transaction and not about the database.
var ErrInvalid = errors.New("invalid ledger transaction")

// Transfer returns the two entries that move minor units from one account to another. minor may be negative.
func Transfer(currency string, minor int64, from, to Account) []Entry {
	from.Currency, to.Currency = currency, currency
	return []Entry{{Account: from, Minor: -minor}, {Account: to, Minor: minor}}
}

// Options are what New needs.
type Options struct {
	DB *db.DB
	// Reconcile compares what the books outside the ledger say with the ledger, in the transaction that Verify reads
	// in. It returns how many it compared, and the first that differs.
	Reconcile func(ctx context.Context, q db.Querier) (compared int64, found *Break, err error)
	IDs       *newid.Generator // only Post needs it
	Now       func() time.Time // only Post needs it
}

// Ledger posts and reads transactions. It is safe for concurrent use.
type Ledger struct {
	db        *db.DB
	ids       *newid.Generator
	now       func() time.Time
	reconcile func(ctx context.Context, q db.Querier) (int64, *Break, error)
	last      atomic.Pointer[Verified]
}

// New returns a Ledger.
func New(opts Options) *Ledger {
	if opts.DB == nil || opts.Reconcile == nil {
		panic("BUG: a ledger needs a database, and books to reconcile with")
	}
	return &Ledger{db: opts.DB, ids: opts.IDs, now: opts.Now, reconcile: opts.Reconcile}
}

// validate checks what can be checked without a database.
func (t *Transaction) validate() error {
	if t.Kind == "" || len(t.Reason) > MaxReason {
		return fmt.Errorf("%w: needs a kind, and a reason of at most %d bytes", ErrInvalid, MaxReason)
	}
	if len(t.Entries) < 2 {
		return fmt.Errorf("%w: %d entries", ErrInvalid, len(t.Entries))
	}
	seen := make(map[Account]bool, len(t.Entries))
	sums := map[string]money.Amount{}
	for _, e := range t.Entries {
		a := Account{Kind: e.Account.Kind, OwnerID: e.Account.OwnerID, Currency: e.Account.Currency}
		switch {
		case !a.Kind.known():
			return fmt.Errorf("%w: unknown account kind %.32q", ErrInvalid, a.Kind)
		case (a.Kind == Expense) != (a.OwnerID == 0) || a.OwnerID < 0:
			return fmt.Errorf("%w: account %s of owner %d", ErrInvalid, a.Kind, a.OwnerID)
		case seen[a]:
			return fmt.Errorf("%w: account %s of owner %d twice", ErrInvalid, a.Kind, a.OwnerID)
		case e.Minor == 0:
			return fmt.Errorf("%w: an entry of zero", ErrInvalid)
		case e.Minor > money.MaxMinor || e.Minor < -money.MaxMinor:
			return fmt.Errorf("%w: %w", ErrInvalid, money.ErrRange)
		}
		if _, err := money.Decimals(a.Currency); err != nil {
			return fmt.Errorf("%w: %w", ErrInvalid, err)
		}
		seen[a] = true
		sum, ok := sums[a.Currency]
		if !ok {
			sum.Currency = a.Currency
		}
		sum, err := sum.Add(money.Amount{Minor: e.Minor, Currency: a.Currency})
		if err != nil {
			return fmt.Errorf("%w: %w", ErrInvalid, err)
		}
		sums[a.Currency] = sum
	}
	for _, sum := range sums {
		if sum.Minor != 0 {
			return fmt.Errorf("%w: entries sum to %s, not to zero", ErrInvalid, sum)
		}
	}
	return nil
}

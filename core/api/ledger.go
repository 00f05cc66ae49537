package api

import (
	"context"
	"net/http"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/conversion"
	"github.com/edgeref/edgeref/core/ledger"
	"github.com/edgeref/edgeref/core/payout"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/money"
)

// Balance is what an account, or all accounts of a kind, hold.
type Balance struct {
	Kind   ledger.AccountKind `json:"kind" example:"pending" doc:"commission_expense of the business; pending, payable, in_flight, paid and withheld of affiliates"`
	Amount money.Amount       `json:"amount" doc:"What is owed is positive, what was spent negative"`
}

// LedgerEntry is one line of a transaction.
type LedgerEntry struct {
	AccountID   string             `json:"account_id" example:"lac_01J8Z0QK5T2VG"`
	Kind        ledger.AccountKind `json:"kind" example:"pending"`
	AffiliateID string             `json:"affiliate_id" doc:"Empty: the business"`
	Amount      money.Amount       `json:"amount"`
}

// LedgerTransaction is a set of entries that sums to zero.
type LedgerTransaction struct {
	ID           string                 `json:"id" example:"ltx_01J8Z0QK5T2VG"`
	Kind         ledger.TransactionKind `json:"kind" example:"commission_earned"`
	Reason       string                 `json:"reason"`
	ConversionID string                 `json:"conversion_id" doc:"What caused it; may be empty"`
	CommissionID string                 `json:"commission_id" doc:"What it is about; may be empty"`
	PostedAt     Time                   `json:"posted_at"`
	Entries      []LedgerEntry          `json:"entries" nullable:"false"`
}

// Verification is the result of recomputing the ledger.
type Verification struct {
	OK           bool         `json:"ok"`
	Text         string       `json:"text" doc:"One line in plain words"`
	Transactions int64        `json:"transactions"`
	Entries      int64        `json:"entries"`
	Accounts     int64        `json:"accounts"`
	Commissions  int64        `json:"commissions" doc:"Compared with their entries"`
	Balances     []Balance    `json:"balances" nullable:"false" doc:"Sums over all accounts of each kind"`
	Head         string       `json:"head" example:"7:1f40fc92da241694750979ee6cf582f2d5d7d28e18335de05abc54d0560e0f53" doc:"Number and hash of the newest sealed transaction. Keep it elsewhere, and expect it later"`
	Sealed       int64        `json:"sealed" doc:"Transactions in the hash chain"`
	Unsealed     int64        `json:"unsealed" doc:"Transactions that wait to be sealed"`
	Oldest       *Time        `json:"oldest_unsealed_at,omitempty"`
	AcceptedLate int64        `json:"accepted_late" doc:"Sealed by an operator's word although they came late"`
	Break        *LedgerBreak `json:"break,omitempty" doc:"The first thing that is wrong"`
}

// LedgerBreak is what is wrong with the ledger.
type LedgerBreak struct {
	Check         string `json:"check" example:"transaction_sum"`
	TransactionID string `json:"transaction_id"`
	CommissionID  string `json:"commission_id"`
	Detail        string `json:"detail"`
}

type ledgerList struct {
	ListInput
	AffiliateID  string `query:"affiliate_id" example:"aff_01J8Z0QK5T2VG"`
	CommissionID string `query:"commission_id" example:"com_01J8Z0QK5T2VG"`
	ConversionID string `query:"conversion_id" example:"cnv_01J8Z0QK5T2VG" doc:"What a conversion caused"`
	OrderID      string `query:"order_id" example:"ord_01J8Z0QK5T2VG" doc:"About the commissions of an order"`
	PayoutID     string `query:"payout_id" example:"pyt_01J8Z0QK5T2VG" doc:"By which a payout moved money"`
	PeriodInput
}

// LedgerOrigins know which transactions are about what the ledger itself knows nothing of.
type LedgerOrigins struct {
	Conversions *conversion.Service
	Payouts     *payout.Service
}

func (in *ledgerList) filter(ctx context.Context, o LedgerOrigins) (f ledger.Filter, err error) {
	if f.Since, f.Before, err = in.between(ident.LedgerTransaction, in.PeriodInput); err != nil {
		return f, err
	}
	var errs [5]error
	var order, payoutID int64
	f.AffiliateID, errs[0] = fieldID(ident.Affiliate, "query.affiliate_id", in.AffiliateID)
	f.CommissionID, errs[1] = fieldID(ident.Commission, "query.commission_id", in.CommissionID)
	f.ConversionID, errs[2] = fieldID(ident.Conversion, "query.conversion_id", in.ConversionID)
	order, errs[3] = fieldID(ident.Order, "query.order_id", in.OrderID)
	payoutID, errs[4] = fieldID(ident.Payout, "query.payout_id", in.PayoutID)
	if err := invalidAll(errs[:]...); err != nil {
		return f, err
	}
	f.Limit = in.Limit + 1
	if order != 0 {
		if f.Commissions, err = o.Conversions.OrderCommissions(ctx, order, ledger.MaxAbout); err != nil {
			return f, err
		}
		f.Commissions = notNil(f.Commissions)
	}
	if payoutID != 0 {
		if f.IDs, err = o.Payouts.TransactionIDs(ctx, payoutID, ledger.MaxAbout); err != nil {
			return f, err
		}
		f.IDs = notNil(f.IDs)
	}
	return f, nil
}

// Ledger registers the operations on the ledger. All of them read: it is written by bookings only.
func Ledger(l *ledger.Ledger, o LedgerOrigins) Module {
	return func(a *API) {
		handle(a, operation{
			id: "list-balances", method: http.MethodGet, path: "/ledger/balances", tag: "Ledger", scope: access.LedgerRead,
			summary: "List balances", about: "Of one affiliate, or summed up over all accounts of each kind. Always one page.",
		}, func(ctx context.Context, in *struct {
			AffiliateID string `query:"affiliate_id" example:"aff_01J8Z0QK5T2VG"`
		}) (*listOutput[Balance], error) {
			affiliate, err := fieldID(ident.Affiliate, "query.affiliate_id", in.AffiliateID)
			if err != nil {
				return nil, err
			}
			rows, err := l.Balances(ctx, affiliate)
			return &listOutput[Balance]{Body: List[Balance]{Items: balanceBodies(rows)}}, err
		})
		handle(a, operation{
			id: "list-ledger-transactions", method: http.MethodGet, path: "/ledger/transactions", tag: "Ledger", scope: access.LedgerRead,
			summary: "List ledger transactions", about: "The newest first.", errors: []int{http.StatusBadRequest},
		}, func(ctx context.Context, in *ledgerList) (*listOutput[LedgerTransaction], error) {
			f, err := in.filter(ctx, o)
			if err != nil {
				return nil, err
			}
			rows, err := l.Transactions(ctx, f)
			if err != nil {
				return nil, err
			}
			return page(ident.LedgerTransaction, in.Limit, rows, func(t ledger.Transaction) int64 { return t.ID }, transactionBody), nil
		})
		verifying := newTurnstile(verificationsPerMinute)
		handle(a, operation{
			id: "verify-ledger", method: http.MethodGet, path: "/ledger/verification", tag: "Ledger", scope: access.LedgerRead,
			summary: "Verify the ledger", about: "Recomputes all of it; takes a while where it is large. One at a time, and at most 12 a minute.",
			errors: []int{http.StatusTooManyRequests},
		}, func(ctx context.Context, in *struct {
			ExpectHead string `query:"expect_head" maxLength:"100" doc:"A head that was answered before: the chain must contain it"`
		}) (*struct{ Body Verification }, error) {
			var expect ledger.Head
			if in.ExpectHead != "" {
				var err error
				if expect, err = ledger.ParseHead(in.ExpectHead); err != nil {
					return nil, invalid("query.expect_head", "must be SEQ:HASH as head of a verification")
				}
			}
			end, err := verifying.begin(a.now())
			if err != nil {
				return nil, err
			}
			defer end()
			r, err := l.VerifyFrom(ctx, expect)
			return &struct{ Body Verification }{verificationBody(r)}, err
		})
		exportLedger(a, l)
	}
}

func balanceBodies(rows []ledger.Balance) []Balance {
	out := make([]Balance, len(rows))
	for i, b := range rows {
		out[i] = Balance(b)
	}
	return out
}

func transactionBody(t ledger.Transaction) LedgerTransaction {
	body := LedgerTransaction{
		ID: ident.Format(ident.LedgerTransaction, t.ID), Kind: t.Kind, Reason: t.Reason, ConversionID: identOrNone(ident.Conversion, t.ConversionID),
		CommissionID: identOrNone(ident.Commission, t.CommissionID), PostedAt: timeOf(t.PostedAt), Entries: make([]LedgerEntry, len(t.Entries)),
	}
	for i, e := range t.Entries {
		body.Entries[i] = LedgerEntry{
			AccountID: ident.Format(ident.LedgerAccount, e.Account.ID), Kind: e.Account.Kind,
			AffiliateID: identOrNone(ident.Affiliate, e.Account.OwnerID), Amount: money.Amount{Minor: e.Minor, Currency: e.Account.Currency},
		}
	}
	return body
}

func verificationBody(r ledger.Report) Verification {
	body := Verification{
		OK: r.Break == nil, Text: r.String(), Transactions: r.Transactions, Entries: r.Entries, Accounts: r.Accounts,
		Commissions: r.Reconciled, Balances: balanceBodies(r.Balances),
		Head: r.Head.String(), Sealed: r.Sealed, Unsealed: r.Unsealed, Oldest: timeOrNil(r.OldestUnsealedAt), AcceptedLate: r.AcceptedLate,
	}
	if b := r.Break; b != nil {
		body.Break = &LedgerBreak{
			Check: b.Check, TransactionID: identOrNone(ident.LedgerTransaction, b.TransactionID),
			CommissionID: identOrNone(ident.Commission, b.CommissionID), Detail: b.Detail,
		}
	}
	return body
}

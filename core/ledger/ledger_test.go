package ledger_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/core/ledger"
	"github.com/edgeref/edgeref/core/newid"
	"github.com/edgeref/edgeref/wire/money"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return now }

func agree(context.Context, db.Querier) (int64, *ledger.Break, error) { return 0, nil, nil }

func open(t testing.TB, d *db.DB) *ledger.Ledger {
	t.Helper()
	return ledger.New(ledger.Options{DB: d, IDs: newid.New(clock), Now: clock, Reconcile: agree})
}

func post(ctx context.Context, d *db.DB, l *ledger.Ledger, t ledger.Transaction) (id int64, err error) {
	err = d.InTx(ctx, func(tx *db.Tx) error {
		id, err = l.Post(ctx, tx, t)
		return err
	})
	return id, err
}

var (
	expense = ledger.Account{Kind: ledger.Expense}
	pending = func(owner int64) ledger.Account { return ledger.Account{Kind: ledger.Pending, OwnerID: owner} }
	payable = func(owner int64) ledger.Account { return ledger.Account{Kind: ledger.Payable, OwnerID: owner} }
)

func earned(currency string, minor int64, owner, commission int64) ledger.Transaction {
	return ledger.Transaction{
		Kind: ledger.CommissionEarned, Reason: "sale", CommissionID: commission,
		Entries: ledger.Transfer(currency, minor, expense, pending(owner)),
	}
}

func TestPostAndRead(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx, l := t.Context(), open(t, d)
		for _, tx := range []ledger.Transaction{
			earned("INR", 1000, 1, 101),
			earned("JPY", 7, 1, 102),
			earned("INR", 500, 2, 103),
			{Kind: ledger.CommissionReleased, CommissionID: 101, Entries: ledger.Transfer("INR", 1000, pending(1), payable(1))},
			{Kind: ledger.CommissionReversed, ConversionID: 9, CommissionID: 101, Entries: ledger.Transfer("INR", 1500, payable(1), expense)},
		} {
			if _, err := post(ctx, d, l, tx); err != nil {
				t.Fatal(err)
			}
		}
		got, err := l.Balances(ctx, 1)
		if err != nil {
			t.Fatal(err)
		}
		want := []ledger.Balance{
			{Kind: ledger.Payable, Amount: money.Amount{Minor: -500, Currency: "INR"}},
			{Kind: ledger.Pending, Amount: money.Amount{Minor: 0, Currency: "INR"}},
			{Kind: ledger.Pending, Amount: money.Amount{Minor: 7, Currency: "JPY"}},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("balances (-want +got):\n%s", diff)
		}
		r, err := l.Verify(ctx)
		if err != nil {
			t.Fatal(err)
		}
		const line = "ledger holds: 5 transactions, 10 entries, 6 accounts, 0 commissions; " +
			"INR commission_expense 0.00 payable -5.00 pending 5.00; JPY commission_expense -7 pending 7; " +
			"chain 0:0000000000000000000000000000000000000000000000000000000000000000, 5 not sealed yet, the oldest of 2026-03-01T12:00:00.000Z"
		if r.String() != line {
			t.Errorf("report %q, want %q", r, line)
		}
		testPaging(t, l)
	})
}

func testPaging(t *testing.T, l *ledger.Ledger) {
	t.Helper()
	for _, tt := range []struct {
		name   string
		filter ledger.Filter
		want   int
	}{
		{"all", ledger.Filter{}, 5},
		{"affiliate", ledger.Filter{AffiliateID: 1}, 4},
		{"commission", ledger.Filter{CommissionID: 101}, 3},
		{"both", ledger.Filter{AffiliateID: 1, CommissionID: 102}, 1},
		{"neither", ledger.Filter{AffiliateID: 2, CommissionID: 102}, 0},
		{"nobody", ledger.Filter{AffiliateID: 77}, 0},
	} {
		for _, limit := range []int{1, 2, 100} {
			tt.filter.Limit, tt.filter.Before = limit, 0
			var pages []ledger.Transaction
			for {
				page, err := l.Transactions(t.Context(), tt.filter)
				if err != nil {
					t.Fatal(err)
				}
				pages = append(pages, page...)
				if len(page) < limit {
					break
				}
				tt.filter.Before = page[len(page)-1].ID
			}
			if len(pages) != tt.want {
				t.Errorf("%s, %d at a time: %d transactions, want %d", tt.name, limit, len(pages), tt.want)
			}
			for i, tx := range pages {
				if len(tx.Entries) != 2 || i > 0 && pages[i-1].ID <= tx.ID || tx.PostedAt != now.UnixMilli() {
					t.Errorf("%s: transaction %d is %+v", tt.name, i, tx)
				}
			}
		}
	}
}

func TestPostRefuses(t *testing.T) {
	d := dbtest.SQLite(t)
	l := open(t, d)
	tests := []struct {
		name string
		tx   ledger.Transaction
	}{
		{"no kind", ledger.Transaction{Entries: ledger.Transfer("INR", 1, expense, pending(1))}},
		{"no entries", ledger.Transaction{Kind: "x"}},
		{"one entry", ledger.Transaction{Kind: "x", Entries: ledger.Transfer("INR", 1, expense, pending(1))[:1]}},
		{"zero", earned("INR", 0, 1, 1)},
		{"unknown currency", earned("XXX", 1, 1, 1)},
		{"beyond the limit", earned("INR", money.MaxMinor+1, 1, 1)},
		{"expense of an affiliate", ledger.Transaction{Kind: "x", Entries: ledger.Transfer("INR", 1, ledger.Account{Kind: ledger.Expense, OwnerID: 1}, pending(1))}},
		{"pending of the business", ledger.Transaction{Kind: "x", Entries: ledger.Transfer("INR", 1, expense, pending(0))}},
		{"unknown kind", ledger.Transaction{Kind: "x", Entries: ledger.Transfer("INR", 1, ledger.Account{Kind: "gift"}, pending(1))}},
		{"account twice", ledger.Transaction{Kind: "x", Entries: ledger.Transfer("INR", 1, pending(1), pending(1))}},
		{"long reason", ledger.Transaction{Kind: "x", Reason: strings.Repeat("x", 256), Entries: ledger.Transfer("INR", 1, expense, pending(1))}},
		{"not zero", ledger.Transaction{Kind: "x", Entries: append(ledger.Transfer("INR", 1, expense, pending(1)), ledger.Entry{Account: ledger.Account{Kind: ledger.Payable, OwnerID: 1, Currency: "INR"}, Minor: 1})}},
		{"zero only across currencies", ledger.Transaction{Kind: "x", Entries: []ledger.Entry{
			{Account: ledger.Account{Kind: ledger.Expense, Currency: "INR"}, Minor: -5},
			{Account: ledger.Account{Kind: ledger.Pending, OwnerID: 1, Currency: "JPY"}, Minor: 5},
		}}},
	}
	for _, tt := range tests {
		if _, err := post(t.Context(), d, l, tt.tx); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("%s: error %v, want ErrInvalid", tt.name, err)
		}
	}
	if r, err := l.Verify(t.Context()); err != nil || r.Transactions != 0 || r.Accounts != 0 {
		t.Errorf("refused transactions left %+v (%v)", r, err)
	}
}

// The database itself refuses every way of changing what is written.
func TestAppendOnly(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx, l := t.Context(), open(t, d)
		id, err := post(ctx, d, l, earned("INR", 1000, 1, 101))
		if err != nil {
			t.Fatal(err)
		}
		before, err := l.Transactions(ctx, ledger.Filter{Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		account := before[0].Entries[0].Account.ID
		replace := "INSERT OR REPLACE"
		if d.Dialect() == db.MySQL {
			replace = "REPLACE"
		}
		for _, tt := range []struct {
			query string
			args  []any
		}{
			{"UPDATE ledger_entries SET amount_minor = amount_minor + 1", nil},
			{"UPDATE ledger_entries SET amount_minor = 5 WHERE transaction_id = ?", []any{id}},
			{"DELETE FROM ledger_entries", nil},
			{"UPDATE ledger_transactions SET reason = 'other'", nil},
			{"DELETE FROM ledger_transactions WHERE id = ?", []any{id}},
			{"UPDATE ledger_accounts SET owner_id = 2 WHERE owner_id = 1", nil},
			{"DELETE FROM ledger_accounts", nil},
			{replace + " INTO ledger_entries (transaction_id, account_id, amount_minor) VALUES (?, ?, 5)", []any{id, account}},
			{replace + " INTO ledger_transactions (id, kind, reason, conversion_id, commission_id, posted_at) VALUES (?, 'x', '', 0, 0, 0)", []any{id}},
			{replace + " INTO ledger_accounts (id, owner_id, kind, currency, created_at) VALUES (?, 9, 'paid', 'INR', 0)", []any{account}},
		} {
			err := d.InTx(ctx, func(tx *db.Tx) error {
				_, err := tx.Exec(ctx, tt.query, tt.args...)
				return err
			})
			if err == nil || !strings.Contains(err.Error(), "append-only") && !db.IsForeignKey(err) {
				t.Errorf("%s: error %v, want a refusal", tt.query, err)
			}
		}
		after, err := l.Transactions(ctx, ledger.Filter{Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("changed (-before +after):\n%s", diff)
		}
	})
}

// Verify names the first break, for each kind of break that a hand in the database could make.
func TestVerifyFindsBreaks(t *testing.T) {
	const entry = "INSERT INTO ledger_entries (transaction_id, account_id, amount_minor) VALUES (?, ?, ?)"
	tests := []struct {
		name  string
		check string
		spoil func(ctx context.Context, tx *db.Tx, id, account int64) error
	}{
		{"entry without transaction", "entry_transaction", func(ctx context.Context, tx *db.Tx, _, account int64) error {
			_, err := tx.Exec(ctx, entry, 999, account, 5)
			return err
		}},
		{"entry without account", "entry_account", func(ctx context.Context, tx *db.Tx, id, _ int64) error {
			_, err := tx.Exec(ctx, entry, id, 999, 5)
			return err
		}},
		{"transaction without entries", "transaction_entries", func(ctx context.Context, tx *db.Tx, _, _ int64) error {
			_, err := tx.Exec(ctx, "INSERT INTO ledger_transactions (id, kind, reason, conversion_id, commission_id, posted_at) VALUES (999, 'x', '', 0, 0, 0)")
			return err
		}},
		{"entry added later", "transaction_sum", func(ctx context.Context, tx *db.Tx, id, _ int64) error {
			if _, err := tx.Exec(ctx, "INSERT INTO ledger_accounts (id, owner_id, kind, currency, created_at) VALUES (5, 7, 'paid', 'INR', 0)"); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, entry, id, 5, 5)
			return err
		}},
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx, l := t.Context(), open(t, d)
		id, err := post(ctx, d, l, earned("INR", 1000, 1, 101))
		if err != nil {
			t.Fatal(err)
		}
		txs, err := l.Transactions(ctx, ledger.Filter{Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		undo := errors.New("undo")
		for _, tt := range tests {
			err := d.InTx(ctx, func(tx *db.Tx) error {
				off, on := "PRAGMA defer_foreign_keys = ON", "PRAGMA defer_foreign_keys = OFF"
				if d.Dialect() == db.MySQL {
					off, on = "SET foreign_key_checks = 0", "SET foreign_key_checks = 1"
				}
				if _, err := tx.Exec(ctx, off); err != nil {
					return err
				}
				if err := tt.spoil(ctx, tx, id, txs[0].Entries[0].Account.ID); err != nil {
					return err
				}
				if _, err := tx.Exec(ctx, on); err != nil {
					return err
				}
				found, err := ledger.FirstBreak(ctx, tx)
				if err != nil {
					return err
				}
				if found == nil || found.Check != tt.check || found.TransactionID == 0 {
					t.Errorf("%s: found %+v, want %s", tt.name, found, tt.check)
				}
				return undo
			})
			if !errors.Is(err, undo) {
				t.Errorf("%s: %v", tt.name, err)
			}
		}
	})
}

func TestVerifyReportsReconciliation(t *testing.T) {
	d := dbtest.SQLite(t)
	found := &ledger.Break{Check: "commission_state", CommissionID: 5, Detail: "differs"}
	l := ledger.New(ledger.Options{DB: d, Reconcile: func(context.Context, db.Querier) (int64, *ledger.Break, error) {
		return 3, found, nil
	}})
	r, err := l.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r.Break != found || r.Reconciled != 3 || r.String() != "ledger BROKEN at commission_state: differs [com_0000000000005]" {
		t.Errorf("report %q: %+v", r, r)
	}
}

// Sums beyond int64 are an error, never a wrong number.
func TestBalanceOverflow(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx, l := t.Context(), open(t, d)
		if _, err := post(ctx, d, l, earned("KWD", 1, 1, 1)); err != nil {
			t.Fatal(err)
		}
		// Post takes no such amounts, and nobody would wait for ten thousand of the largest.
		err := d.InTx(ctx, func(tx *db.Tx) error {
			for _, query := range []string{
				"INSERT INTO ledger_transactions (id, kind, reason, conversion_id, commission_id, posted_at) VALUES (5, 'x', '', 0, 0, 0)",
				`INSERT INTO ledger_entries (transaction_id, account_id, amount_minor)
					SELECT 5, id, CASE WHEN owner_id = 0 THEN -9223372036854775807 ELSE 9223372036854775807 END FROM ledger_accounts`,
			} {
				if _, err := tx.Exec(ctx, query); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if b, err := l.Balances(ctx, 1); err == nil {
			t.Errorf("balances %v, want an error", b)
		}
		if r, err := l.Verify(ctx); err == nil {
			t.Errorf("report %v, want an error", r)
		}
	})
}

// Balances are the sums of what was posted, whatever was posted.
func TestBalancesProperty(t *testing.T) {
	d := dbtest.SQLite(t)
	l := open(t, d)
	want := map[ledger.Account]int64{}
	rapid.Check(t, func(rt *rapid.T) {
		currency := rapid.SampledFrom([]string{"INR", "JPY", "KWD"}).Draw(rt, "currency")
		owner := rapid.Int64Range(1, 4).Draw(rt, "owner")
		parts := rapid.SliceOfNDistinct(rapid.SampledFrom([]ledger.AccountKind{ledger.Pending, ledger.Payable, ledger.Paid, ledger.Withheld}), 1, 4, rapid.ID).Draw(rt, "parts")
		tx := ledger.Transaction{Kind: "mix"}
		sum := int64(0)
		for _, kind := range parts {
			minor := rapid.Int64Range(-1_000_000, 1_000_000).Filter(func(n int64) bool { return n != 0 }).Draw(rt, "minor")
			tx.Entries = append(tx.Entries, ledger.Entry{Account: ledger.Account{Kind: kind, OwnerID: owner, Currency: currency}, Minor: minor})
			sum += minor
		}
		tx.Entries = append(tx.Entries, ledger.Entry{Account: ledger.Account{Kind: ledger.Expense, Currency: currency}, Minor: -sum})
		_, err := post(t.Context(), d, l, tx)
		if sum == 0 {
			if !errors.Is(err, ledger.ErrInvalid) {
				rt.Fatalf("an entry of zero: %v", err)
			}
			return
		}
		if err != nil {
			rt.Fatal(err)
		}
		for _, e := range tx.Entries {
			want[e.Account] += e.Minor
		}
	})
	for owner := range int64(5) {
		balances, err := l.Balances(t.Context(), owner)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range balances {
			if key := (ledger.Account{Kind: b.Kind, OwnerID: owner, Currency: b.Amount.Currency}); owner > 0 && want[key] != b.Amount.Minor {
				t.Errorf("%+v holds %d, want %d", key, b.Amount.Minor, want[key])
			}
		}
	}
	r, err := l.Verify(t.Context())
	if err != nil || r.Break != nil {
		t.Errorf("report %+v, %v", r, err)
	}
	if cmp.Equal(r, ledger.Report{}, cmpopts.EquateEmpty()) {
		t.Error("nothing was posted")
	}
}

package payout_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/core/ledger"
	"github.com/edgeref/edgeref/core/payout"
)

// The whole way of a payout, and back, and again.
func TestLifeOfAPayout(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d)
		a := f.payee()
		first := f.payable(a, 1_000_00)
		b := f.approved(inINR)
		f.wantBalances(a, "in_flight 1000.00")
		f.verify()
		f.work()
		p := f.of(b.ID)[0]
		if p.State != payout.Sent || p.Attempt == nil || p.Attempt.Sends != 1 || p.Attempt.ProviderID == "" || p.Masked != "HDFC0001234 ****"+p.Masked[len(p.Masked)-4:] {
			t.Errorf("sent: %+v", p)
		}
		f.bank.finish(payout.Done)
		f.advance(2 * time.Minute)
		f.work()
		p = f.of(b.ID)[0]
		if p.State != payout.Paid || p.Reference == "" || p.PaidAt != f.millis.Load() {
			t.Errorf("paid: %+v", p)
		}
		if got, _ := f.payouts.Batch(t.Context(), b.ID); got.State != payout.BatchCompleted || got.ByState[payout.Paid] != 1 {
			t.Errorf("batch %+v", got)
		}
		f.wantBalances(a, "paid 1000.00")
		if got := f.commissionStates(a); got != "paid" {
			t.Errorf("commission is %s", got)
		}
		f.verify()

		// A refund after the payout makes the balance negative; the next payout nets it.
		f.refund(a, first, 300_00)
		f.wantBalances(a, "paid 1000.00, payable -300.00")
		f.verify()
		f.payable(a, 500_00)
		second := f.approved(inINR)
		p = f.of(second.ID)[0]
		if p.Gross != 200_00 || len(p.Items) != 2 || p.Items[0].Minor != -300_00 || p.Items[1].Minor != 500_00 {
			t.Errorf("second payout %+v", p)
		}
		f.work()
		f.bank.finish(payout.Done)
		f.advance(2 * time.Minute)
		f.work()
		f.wantBalances(a, "paid 1200.00")
		f.verify()

		// It comes back, and is paid again under a new key.
		p = f.of(second.ID)[0]
		f.bank.set(p.Attempt.Key, payout.Undone)
		if known, err := f.payouts.Notice(t.Context(), "bank", "event 1", "reversed", p.Attempt.Key); !known || err != nil {
			t.Errorf("notice: %v, %v", known, err)
		}
		f.work()
		p = f.of(second.ID)[0]
		if p.State != payout.Returned || p.Reason == "" {
			t.Errorf("returned: %+v", p)
		}
		f.wantBalances(a, "paid 1000.00, payable 200.00")
		if got := f.commissionStates(a); got != "paid payable" {
			t.Errorf("commissions are %s", got)
		}
		f.verify()
		third := f.approved(inINR)
		f.work()
		f.bank.finish(payout.Done)
		f.advance(2 * time.Minute)
		f.work()
		again := f.of(third.ID)[0]
		if again.State != payout.Paid || again.Attempt.Key == p.Attempt.Key {
			t.Errorf("again: %+v", again)
		}
		f.wantBalances(a, "paid 1200.00")
		f.verify()
		if f.bank.count() != 3 {
			t.Errorf("%d transfers, want 3", f.bank.count())
		}
		testMails(t, f, "payout_method_changed 1, payout_paid 3, payout_returned 1")
	})
}

func testMails(t *testing.T, f *fixture, want string) {
	t.Helper()
	rows, err := f.db.Query(t.Context(), "SELECT template, COUNT(*) FROM mails GROUP BY template ORDER BY template")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var got []string
	for rows.Next() {
		var name, n string
		if err := rows.Scan(&name, &n); err != nil {
			t.Fatal(err)
		}
		got = append(got, name+" "+n)
	}
	if err := rows.Err(); err != nil || strings.Join(got, ", ") != want {
		t.Errorf("mails %v, %v; want %s", got, err, want)
	}
}

func codes(c payout.Candidate) string {
	var out []string
	for _, r := range c.Reasons {
		out = append(out, r.Code)
	}
	return strings.Join(out, " ")
}

// Everything that stands against a payout is said, and nobody of them is in the batch.
func TestPreviewSaysWhy(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d)
		f.options.Documents = demand{}
		f.options.Policy.TaxCountries = []string{"DE"}
		f.payouts = payout.New(f.options)
		want := map[int64]string{}
		payee := func(reasons string, minor int64) affiliate {
			a := f.payee()
			f.exec("UPDATE affiliates SET name = 'known' WHERE id = ?", a.id)
			if minor != 0 {
				f.sale(a, minor)
			}
			want[a.id] = reasons
			return a
		}
		payee("", 1_000_00)
		payee("below_minimum", 99_99)
		suspended := payee("affiliate_suspended", 1_000_00)
		frozen := payee("method_frozen", 1_000_00)
		unsupported := payee("method_unsupported", 1_000_00)
		missing := payee("method_missing", 1_000_00)
		one, other := payee("shared_account", 1_000_00), payee("shared_account", 1_000_00)
		allowed := payee("", 1_000_00)
		unknown := payee("kyc_missing", 1_000_00)
		untaxed := payee("tax_rule_missing", 1_000_00)
		owing := payee("negative_balance", 0)
		below := payee("review_needed negative_balance", 0)
		sales := map[int64]string{owing.id: f.sale(owing, 500_00), below.id: f.sale(below, 501_00)}
		f.release()
		held := payee("on_hold", 1_000_00)
		// Paid, and then refunded.
		for _, a := range []affiliate{owing, below} {
			f.approved(payout.Selection{Currency: "INR", Executor: "bank", AffiliateIDs: []int64{a.id}})
			f.work()
			f.bank.finish(payout.Done)
			f.advance(2 * time.Minute)
			f.work()
			f.refund(a, sales[a.id], 0)
		}
		f.exec("UPDATE affiliates SET status = 'suspended' WHERE id = ?", suspended.id)
		f.exec("UPDATE affiliates SET name = 'unknown' WHERE id = ?", unknown.id)
		f.method(frozen, "999999999999")
		for _, a := range []affiliate{one, other, allowed} {
			account := "888888888888"
			if a == allowed {
				account = "777777777777"
			}
			f.method(a, account)
		}
		second := f.affiliate()
		shared := f.method(second, "777777777777")
		for _, id := range []int64{f.inUse(allowed), shared.ID} {
			if _, err := f.payouts.AllowShared(f.person(1), id, true, "spouses", nil); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := f.payouts.SetMethod(t.Context(), unsupported.id, "INR", payout.Destination{Kind: payout.PayPal, Holder: "A", Account: "a@example.com"}, nil); err != nil {
			t.Fatal(err)
		}
		f.exec("UPDATE payout_methods SET frozen_until = 0 WHERE affiliate_id <> ?", frozen.id)
		if err := f.payouts.RemoveMethod(t.Context(), missing.id, f.inUse(missing)); err != nil {
			t.Fatal(err)
		}
		if _, err := f.payouts.SetTaxProfile(t.Context(), untaxed.id, "DE", "DE 123", nil); err != nil {
			t.Fatal(err)
		}
		preview, err := f.payouts.Preview(t.Context(), inINR)
		if err != nil {
			t.Fatal(err)
		}
		ready := 0
		for _, c := range preview.Candidates {
			if got := codes(c); got != want[c.AffiliateID] {
				t.Errorf("reasons %q, want %q: %+v", got, want[c.AffiliateID], c)
			}
			if c.Ready() {
				ready++
			}
		}
		if len(preview.Candidates) != len(want) || ready != 2 || preview.Payouts != 2 || preview.Net != 2_000_00 {
			t.Errorf("%d candidates of %d, %d ready: %+v", len(preview.Candidates), len(want), ready, preview)
		}
		b, err := f.payouts.Create(f.person(1), inINR, "may", nil)
		if err != nil || b.Payouts != 2 || b.Net != 2_000_00 {
			t.Errorf("batch %+v, %v", b, err)
		}
		f.wantBalances(held, "pending 1000.00")
		f.verify()

		// After the review, the balance is negative still, and nothing else; below it again, it is reviewed again.
		if err := f.payouts.Review(f.person(1), below.id, "INR", "talked to her", nil); err != nil {
			t.Fatal(err)
		}
		preview, err = f.payouts.Preview(t.Context(), payout.Selection{Currency: "INR", Executor: "bank", AffiliateIDs: []int64{below.id}})
		if err != nil || len(preview.Candidates) != 1 || codes(preview.Candidates[0]) != "negative_balance" {
			t.Errorf("after the review: %+v, %v", preview, err)
		}
		f.payable(below, 700_00)
		preview, err = f.payouts.Preview(t.Context(), payout.Selection{Currency: "INR", Executor: "bank", AffiliateIDs: []int64{below.id}})
		if err != nil || codes(preview.Candidates[0]) != "" || preview.Candidates[0].Gross != 199_00 {
			t.Errorf("after new sales: %+v, %v", preview, err)
		}
	})
}

func (f *fixture) inUse(a affiliate) int64 {
	f.t.Helper()
	list, err := f.payouts.Methods(f.t.Context(), payout.MethodFilter{AffiliateID: a.id, InUse: true, Limit: 10})
	if err != nil || len(list) != 1 {
		f.t.Fatalf("methods %+v, %v", list, err)
	}
	return list[0].ID
}

func TestWhoMayApprove(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d)
		a := f.payee()
		f.payable(a, 1_000_00)
		b, err := f.payouts.Create(f.person(1), inINR, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		seen := payout.Seen{Payouts: 1, Net: 1_000_00}
		p := access.Principal{PersonID: 2, SecondFactorAt: f.millis.Load()}
		for name, tt := range map[string]struct {
			change func(*access.Principal)
			seen   payout.Seen
			want   error
		}{
			"a machine":              {func(p *access.Principal) { p.PersonID, p.TokenID = 0, 7 }, seen, payout.ErrNeedsPerson},
			"a machine as a person":  {func(p *access.Principal) { p.TokenID = 7 }, seen, payout.ErrNeedsPerson},
			"somebody who looks on":  {func(p *access.Principal) { p.ReadOnly = true }, seen, payout.ErrNeedsPerson},
			"no second factor":       {func(p *access.Principal) { p.SecondFactorAt = 0 }, seen, payout.ErrSecondFactor},
			"an old second factor":   {func(p *access.Principal) { p.SecondFactorAt -= (15*time.Minute + 1).Milliseconds() + 1 }, seen, payout.ErrSecondFactor},
			"a factor of the future": {func(p *access.Principal) { p.SecondFactorAt += 60_000 }, seen, payout.ErrSecondFactor},
			"the maker":              {func(p *access.Principal) { p.PersonID = 1 }, seen, payout.ErrOwnBatch},
			"a payee":                {func(p *access.Principal) { p.AffiliateID = a.id }, seen, payout.ErrOwnPayout},
			"another total":          {func(*access.Principal) {}, payout.Seen{Payouts: 1, Net: 999_99}, payout.ErrChanged},
			"another count":          {func(*access.Principal) {}, payout.Seen{Payouts: 2, Net: 1_000_00}, payout.ErrChanged},
		} {
			who := p
			tt.change(&who)
			if _, err := f.payouts.Approve(access.With(t.Context(), who), b.ID, tt.seen, nil); !errors.Is(err, tt.want) {
				t.Errorf("%s: %v, want %v", name, err, tt.want)
			}
		}
		f.work()
		if f.bank.count() != 0 {
			t.Fatal("money left without an approval")
		}
		got, err := f.payouts.Approve(access.With(t.Context(), p), b.ID, seen, nil)
		if err != nil || got.State != payout.BatchApproved {
			t.Errorf("approved: %+v, %v", got, err)
		}
		if _, err := f.payouts.Approve(f.person(3), b.ID, seen, nil); !errors.Is(err, payout.ErrState) {
			t.Errorf("once more: %v", err)
		}
	})
}

// Where a machine made the batch, or much is to be paid, two people approve.
func TestTwoApprovals(t *testing.T) {
	f := newFixture(t, dbtest.SQLite(t))
	f.payable(f.payee(), 1_000_00)
	machine := access.With(t.Context(), access.Principal{TokenID: 9, Scopes: []access.Scope{access.Admin}})
	b, err := f.payouts.Create(machine, inINR, "", nil)
	if err != nil || b.CreatedToken != 9 || b.ApprovalsNeeded != 2 {
		t.Fatalf("%+v, %v", b, err)
	}
	seen := payout.Seen{Payouts: 1, Net: 1_000_00}
	if b, err = f.payouts.Approve(f.person(1), b.ID, seen, nil); err != nil || b.State != payout.BatchCreated || len(b.Approvals) != 1 {
		t.Fatalf("first: %+v, %v", b, err)
	}
	if _, err := f.payouts.Approve(f.person(1), b.ID, seen, nil); !errors.Is(err, payout.ErrApproved) {
		t.Errorf("the same again: %v", err)
	}
	if b, err = f.payouts.Approve(f.person(2), b.ID, seen, nil); err != nil || b.State != payout.BatchApproved {
		t.Errorf("second: %+v, %v", b, err)
	}
	f.payable(f.payee(), 60_000_00)
	if b, err = f.payouts.Create(f.person(1), inINR, "", nil); err != nil || b.ApprovalsNeeded != 2 {
		t.Errorf("large: %+v, %v", b, err)
	}
	f.payable(f.payee(), 100_001_00)
	if _, err = f.payouts.Create(f.person(1), inINR, "", nil); !errors.Is(err, payout.ErrLimit) {
		t.Errorf("too large: %v", err)
	}
	if _, err := f.payouts.Cancel(f.person(1), b.ID, "not today", nil); err != nil {
		t.Error(err)
	}
	f.verify()
}

func TestCancel(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d)
		a := f.payee()
		f.payable(a, 1_000_00)
		b := f.approved(inINR)
		b, err := f.payouts.Cancel(f.person(3), b.ID, "wrong month", nil)
		if err != nil || b.State != payout.BatchCancelled || b.ByState[payout.Cancelled] != 1 || b.Payouts != 0 {
			t.Errorf("%+v, %v", b, err)
		}
		f.wantBalances(a, "payable 1000.00")
		f.work()
		if f.bank.count() != 0 {
			t.Error("a cancelled batch was sent")
		}
		if _, err := f.payouts.Cancel(f.person(3), b.ID, "again", nil); !errors.Is(err, payout.ErrState) {
			t.Errorf("again: %v", err)
		}
		// What was sent cannot be cancelled.
		b = f.approved(inINR)
		f.work()
		if _, err := f.payouts.Cancel(f.person(3), b.ID, "too late", nil); !errors.Is(err, payout.ErrState) {
			t.Errorf("too late: %v", err)
		}
		f.wantBalances(a, "in_flight 1000.00")
		f.verify()
	})
}

// What changed between approval and execution is not sent.
func TestThingsChangeBeforeExecution(t *testing.T) {
	f := newFixture(t, dbtest.SQLite(t))
	suspended, moved, good := f.payee(), f.payee(), f.payee()
	for _, a := range []affiliate{suspended, moved, good} {
		f.sale(a, 1_000_00)
	}
	f.release()
	b := f.approved(inINR)
	f.exec("UPDATE affiliates SET status = 'suspended' WHERE id = ?", suspended.id)
	f.method(moved, "123123123123")
	f.work()
	if got, _ := f.payouts.Batch(t.Context(), b.ID); got.ByState[payout.Cancelled] != 2 || got.ByState[payout.Sent] != 1 || f.bank.count() != 1 {
		t.Errorf("%+v, %d transfers", got, f.bank.count())
	}
	f.wantBalances(suspended, "payable 1000.00")
	f.wantBalances(good, "in_flight 1000.00")
	f.verify()
}

// While the ledger does not hold, nothing is made, approved or sent.
func TestGuardStopsPayouts(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d)
		f.payable(f.payee(), 1_000_00)
		f.payable(f.payee(), 1_000_00)
		approved := f.approved(payout.Selection{Currency: "INR", Executor: "bank", AffiliateIDs: []int64{f.oldest()}})
		// Somebody with the rights of the database's owner changes a commission.
		f.exec("UPDATE commissions SET amount_minor = amount_minor + 100")
		f.advance(time.Second) // the guard remembers, in this test for no longer than this
		if _, err := f.payouts.Create(f.person(1), inINR, "", nil); !errors.Is(err, ledger.ErrClosed) {
			t.Errorf("create: %v", err)
		}
		if _, err := f.payouts.Approve(f.person(2), approved.ID, payout.Seen{}, nil); !errors.Is(err, ledger.ErrClosed) {
			t.Errorf("approve: %v", err)
		}
		if _, err := f.payouts.BankFile(f.person(2), approved.ID, "", nil); !errors.Is(err, ledger.ErrClosed) {
			t.Errorf("bank file: %v", err)
		}
		f.work()
		if f.bank.count() != 0 {
			t.Error("money left while the ledger was broken")
		}
		f.exec("UPDATE commissions SET amount_minor = amount_minor - 100")
		f.advance(time.Second)
		f.work()
		if f.bank.count() != 1 {
			t.Error("nothing left after the ledger was whole again")
		}
		f.verify()
	})
}

// oldest is the affiliate that was made first.
func (f *fixture) oldest() (id int64) {
	f.t.Helper()
	if err := f.db.QueryRow(f.t.Context(), "SELECT MIN(id) FROM affiliates").Scan(&id); err != nil {
		f.t.Fatal(err)
	}
	return id
}

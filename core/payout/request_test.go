package payout_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/core/payout"
)

// self is a context in which an affiliate acts.
func (f *fixture) self(a affiliate) context.Context {
	return access.With(f.t.Context(), access.Principal{PersonID: a.id, SessionID: 1, AffiliateID: a.id, Name: "affiliate", Scopes: access.Grants(access.RoleAffiliate)})
}

func (f *fixture) ask(a affiliate) payout.Request {
	f.t.Helper()
	r, err := f.payouts.Request(f.self(a), a.id, "INR", nil)
	if err != nil {
		f.t.Fatal(err)
	}
	return r
}

// requests are those of an affiliate, the oldest first.
func (f *fixture) requests(a affiliate) []payout.Request {
	f.t.Helper()
	list, err := f.payouts.Requests(f.t.Context(), payout.RequestFilter{AffiliateID: a.id, Limit: 1_000})
	if err != nil {
		f.t.Fatal(err)
	}
	out := make([]payout.Request, 0, len(list))
	for i := range list {
		out = append(out, list[len(list)-1-i])
	}
	return out
}

// wantRequests compares the states of an affiliate's requests, the oldest first.
func (f *fixture) wantRequests(a affiliate, want string) {
	f.t.Helper()
	var got []string
	for _, r := range f.requests(a) {
		got = append(got, string(r.State))
	}
	if strings.Join(got, " ") != want {
		f.t.Errorf("requests are %q, want %q", got, want)
	}
}

// asked is a selection of those who asked.
func asked() payout.Selection {
	return payout.Selection{Currency: "INR", Executor: "bank", RequestedOnly: true}
}

// From the wish to the money, with a batch in between that is cancelled.
func TestLifeOfARequest(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d)
		a, silent := f.payee(), f.payee()
		f.sale(silent, 700_00)
		f.payable(a, 1_000_00)
		if _, err := f.payouts.Create(f.person(1), asked(), "", nil); !errors.Is(err, payout.ErrNothing) {
			t.Errorf("a batch of nobody: %v", err)
		}
		r := f.ask(a)
		if r.State != payout.RequestWaiting || r.Gross != 1_000_00 || r.Net != 1_000_00 || r.DecidedBy != a.id || r.CreatedAt != f.millis.Load() {
			t.Errorf("request %+v", r)
		}
		if _, err := f.payouts.Request(f.self(a), a.id, "INR", nil); !errors.Is(err, payout.ErrRequested) {
			t.Errorf("once more: %v", err)
		}
		f.wantBalances(a, "payable 1000.00")
		p, err := f.payouts.Preview(t.Context(), inINR)
		if err != nil || p.Payouts != 2 || p.Requests != 1 || p.RequestsReady != 1 {
			t.Errorf("preview of everybody %+v, %v", p, err)
		}
		p, err = f.payouts.Preview(t.Context(), asked())
		if err != nil || p.Payouts != 1 || len(p.Candidates) != 1 || p.Candidates[0].AffiliateID != a.id || p.Candidates[0].Request == nil || p.Candidates[0].Request.ID != r.ID {
			t.Errorf("preview of those who asked %+v, %v", p, err)
		}
		prospects, err := f.payouts.Prospects(t.Context(), f.requests(a))
		if c, ok := prospects[r.ID]; err != nil || !ok || !c.Ready() || c.Balance != 1_000_00 || c.Method == nil {
			t.Errorf("prospects %+v, %v", prospects, err)
		}

		b, err := f.payouts.Create(f.person(1), asked(), "", nil)
		if err != nil || b.Payouts != 1 || b.Net != 1_000_00 {
			t.Fatalf("batch %+v, %v", b, err)
		}
		got := f.requests(a)[0]
		if got.State != payout.RequestTaken || got.BatchID != b.ID || got.PayoutID != f.of(b.ID)[0].ID || got.DecidedBy != 1 {
			t.Errorf("taken: %+v", got)
		}
		f.wantBalances(silent, "payable 700.00")
		if _, err := f.payouts.Request(f.self(a), a.id, "INR", nil); !errors.Is(err, payout.ErrNothingPayable) {
			t.Errorf("asking for what is in flight: %v", err)
		}
		if _, err := f.payouts.Withdraw(f.self(a), a.id, r.ID, nil); !errors.Is(err, payout.ErrState) {
			t.Errorf("withdrawing what is taken: %v", err)
		}
		if _, err := f.payouts.Cancel(f.person(1), b.ID, "wrong day", nil); err != nil {
			t.Fatal(err)
		}
		if got = f.requests(a)[0]; got.State != payout.RequestWaiting || got.BatchID != 0 || got.PayoutID != 0 || got.CreatedAt != r.CreatedAt {
			t.Errorf("waits again: %+v", got)
		}
		f.wantBalances(a, "payable 1000.00")

		// A batch of everybody takes it as well. What is paid stays answered, also when it comes back.
		b = f.approved(inINR)
		f.work()
		f.bank.finish(payout.Done)
		f.advance(2 * time.Minute)
		f.work()
		f.wantRequests(a, "taken")
		for _, p := range f.of(b.ID) {
			if _, err := f.payouts.Return(f.person(1), p.ID, "account closed", nil); err != nil && !errors.Is(err, payout.ErrState) {
				t.Fatal(err)
			}
		}
		f.wantRequests(a, "taken")
		f.verify()
		testAudited(t, f, "payout_request.create 1, payout_request.reopen 1, payout_request.take 2")
	})
}

// testAudited counts what the audit log says of requests.
func testAudited(t *testing.T, f *fixture, want string) {
	t.Helper()
	rows, err := f.db.Query(t.Context(), "SELECT action, COUNT(*) FROM audit_log WHERE action LIKE 'payout_request.%' GROUP BY action ORDER BY action")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var got []string
	for rows.Next() {
		var action, n string
		if err := rows.Scan(&action, &n); err != nil {
			t.Fatal(err)
		}
		got = append(got, action+" "+n)
	}
	if err := rows.Err(); err != nil || strings.Join(got, ", ") != want {
		t.Errorf("audited %v, %v; want %s", got, err, want)
	}
}

// Who cannot be paid cannot ask, and is told the first thing that stands against it.
func TestRequestsAreRefused(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d)
		f.options.Documents = demand{}
		f.payouts = payout.New(f.options)
		payee := func(minor int64) affiliate {
			a := f.payee()
			f.exec("UPDATE affiliates SET name = 'known' WHERE id = ?", a.id)
			if minor != 0 {
				f.sale(a, minor)
			}
			return a
		}
		nothing, small, suspended, frozen, missing, unknown, owing := payee(0), payee(99_99), payee(1_000_00), payee(1_000_00), payee(1_000_00), payee(1_000_00), payee(0)
		sale := f.sale(owing, 300_00)
		f.release()
		held := payee(1_000_00)
		f.approved(payout.Selection{Currency: "INR", Executor: "bank", AffiliateIDs: []int64{owing.id}})
		f.refund(owing, sale, 0)
		f.exec("UPDATE affiliates SET status = 'suspended' WHERE id = ?", suspended.id)
		f.exec("UPDATE affiliates SET name = 'unknown' WHERE id = ?", unknown.id)
		f.method(frozen, "999999999999")
		if err := f.payouts.RemoveMethod(t.Context(), missing.id, f.inUse(missing)); err != nil {
			t.Fatal(err)
		}
		for name, tt := range map[string]struct {
			who  int64
			want error
		}{
			"nothing was earned":      {nothing.id, payout.ErrNothingPayable},
			"all is on hold":          {held.id, payout.ErrNothingPayable},
			"owes":                    {owing.id, payout.ErrNothingPayable},
			"below the minimum":       {small.id, payout.ErrBelowMinimum},
			"suspended":               {suspended.id, payout.ErrInactive},
			"the account is new":      {frozen.id, payout.ErrNoMethod},
			"there is no account":     {missing.id, payout.ErrNoMethod},
			"documents are missing":   {unknown.id, payout.ErrHeld},
			"there is no such person": {7, payout.ErrNotFound},
		} {
			if r, err := f.payouts.Request(t.Context(), tt.who, "INR", nil); !errors.Is(err, tt.want) {
				t.Errorf("%s: %+v, %v, want %v", name, r, err, tt.want)
			}
		}
		var in *payout.InvalidError
		if _, err := f.payouts.Request(t.Context(), small.id, "RUPEES", nil); !errors.As(err, &in) || in.Field != "currency" {
			t.Errorf("no currency: %v", err)
		}
		if list, err := f.payouts.Requests(t.Context(), payout.RequestFilter{Limit: 10}); err != nil || len(list) != 0 {
			t.Errorf("what was refused is kept: %+v, %v", list, err)
		}
	})
}

// A payout that is taken out of its batch lets its request wait again; where it was asked for anew meanwhile, the older one is closed.
func TestExcludedFromABatch(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d)
		once, anew, gone := f.payee(), f.payee(), f.payee()
		all := []affiliate{once, anew, gone}
		for _, a := range all {
			f.sale(a, 1_000_00)
		}
		f.release()
		for _, a := range all {
			f.ask(a)
		}
		b := f.approved(asked())
		f.payable(anew, 500_00)
		f.ask(anew)
		f.wantRequests(anew, "taken waiting")
		for _, p := range f.of(b.ID) {
			if p.AffiliateID != gone.id {
				if _, err := f.payouts.CancelPayout(f.person(1), p.ID, "not yet", nil); err != nil {
					t.Fatal(err)
				}
			}
		}
		// The worker leaves somebody out who was suspended since.
		f.exec("UPDATE affiliates SET status = 'suspended' WHERE id = ?", gone.id)
		f.work()
		f.wantRequests(once, "waiting")
		f.wantRequests(anew, "withdrawn waiting")
		f.wantRequests(gone, "waiting")
		if old := f.requests(anew)[0]; old.Reason == "" || old.PayoutID != 0 {
			t.Errorf("replaced: %+v", old)
		}
		p, err := f.payouts.Preview(t.Context(), asked())
		if err != nil || p.Requests != 3 || p.RequestsReady != 2 || p.Payouts != 2 || len(p.Candidates) != 3 {
			t.Errorf("preview %+v, %v", p, err)
		}
		f.wantBalances(anew, "payable 1500.00")
		f.verify()
	})
}

func TestWithdrawAndDecline(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d)
		a, other := f.payee(), f.payee()
		f.payable(a, 1_000_00)
		r := f.ask(a)
		if _, err := f.payouts.Withdraw(f.self(other), other.id, r.ID, nil); !errors.Is(err, payout.ErrNotFound) {
			t.Errorf("another's: %v", err)
		}
		got, err := f.payouts.Withdraw(f.self(a), a.id, r.ID, func(_ *db.Tx, r payout.Request) error {
			if r.State != payout.RequestWithdrawn {
				t.Errorf("told of %+v", r)
			}
			return nil
		})
		if err != nil || got.State != payout.RequestWithdrawn {
			t.Errorf("withdrawn: %+v, %v", got, err)
		}
		if _, err := f.payouts.Decline(f.person(1), r.ID, "too late", nil); !errors.Is(err, payout.ErrState) {
			t.Errorf("declining what was withdrawn: %v", err)
		}
		r = f.ask(a)
		for _, reason := range []string{" ", "two\nlines", strings.Repeat("x", payout.MaxText+1)} {
			var in *payout.InvalidError
			if _, err := f.payouts.Decline(f.person(1), r.ID, reason, nil); !errors.As(err, &in) || in.Field != "reason" {
				t.Errorf("reason %.10q: %v", reason, err)
			}
		}
		if _, err := f.payouts.Decline(f.person(1), 7, "no", nil); !errors.Is(err, payout.ErrNotFound) {
			t.Errorf("declining nothing: %v", err)
		}
		got, err = f.payouts.Decline(f.person(1), r.ID, "send the cheque first", nil)
		if err != nil || got.State != payout.RequestDeclined || got.Reason != "send the cheque first" || got.DecidedBy != 1 {
			t.Errorf("declined: %+v, %v", got, err)
		}
		f.wantRequests(a, "withdrawn declined")
		f.wantBalances(a, "payable 1000.00")
		f.ask(a)
		testMails(t, f, "payout_declined 1, payout_method_changed 2")
		testAudited(t, f, "payout_request.create 3, payout_request.decline 1, payout_request.withdraw 1")
		if list, err := f.payouts.Requests(t.Context(), payout.RequestFilter{State: payout.RequestDeclined, Currency: "INR", Limit: 10}); err != nil || len(list) != 1 || list[0].ID != r.ID {
			t.Errorf("declined ones %+v, %v", list, err)
		}
	})
}

// Of those who ask at once, one is heard.
func TestOneRequestWaits(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d)
		a := f.payee()
		f.payable(a, 1_000_00)
		var made atomic.Int64
		var group errgroup.Group
		var start sync.WaitGroup
		start.Add(8)
		for range 8 {
			group.Go(func() error {
				start.Done()
				start.Wait()
				_, err := f.payouts.Request(f.self(a), a.id, "INR", nil)
				if err == nil {
					made.Add(1)
				} else if errors.Is(err, payout.ErrRequested) {
					err = nil
				}
				return err
			})
		}
		if err := group.Wait(); err != nil || made.Load() != 1 {
			t.Errorf("%d were made, %v", made.Load(), err)
		}
		f.wantRequests(a, "waiting")
	})
}

func TestRequestsOfADay(t *testing.T) {
	f := newFixture(t, dbtest.SQLite(t))
	a := f.payee()
	f.payable(a, 1_000_00)
	for range payout.MaxRequestsADay {
		if _, err := f.payouts.Withdraw(f.self(a), a.id, f.ask(a).ID, nil); err != nil {
			t.Fatal(err)
		}
		f.advance(time.Minute)
	}
	if _, err := f.payouts.Request(f.self(a), a.id, "INR", nil); !errors.Is(err, payout.ErrTooManyRequests) {
		t.Errorf("one too many: %v", err)
	}
	f.advance(day)
	f.ask(a)
}

// Who is forgotten asks for nothing, and what was said to him is gone.
func TestForgottenRequests(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d)
		a := f.payee()
		f.payable(a, 1_000_00)
		if _, err := f.payouts.Decline(f.person(1), f.ask(a).ID, "Asha, call us", nil); err != nil {
			t.Fatal(err)
		}
		f.ask(a)
		records, err := f.payouts.ExportAffiliate(t.Context(), a.id)
		if err != nil || len(records.Requests) != 2 || records.Requests[1].Reason != "Asha, call us" || records.Requests[0].Gross.Minor != 1_000_00 {
			t.Errorf("export %+v, %v", records.Requests, err)
		}
		if err := d.InTx(t.Context(), func(tx *db.Tx) error { return f.payouts.EraseAffiliate(t.Context(), tx, a.id) }); err != nil {
			t.Fatal(err)
		}
		f.wantRequests(a, "declined withdrawn")
		for _, r := range f.requests(a) {
			if r.Reason != "" {
				t.Errorf("%+v still says why", r)
			}
		}
	})
}

package payout_test

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/core/ledger"
	"github.com/edgeref/edgeref/core/payout"
)

// Eight workers do whatever comes to their mind at once: sales, refunds, releases, batches, approvals, transfers, cancellations.
// Nothing is lost, nothing paid twice, and the ledger holds.
func TestEightWorkers(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d)
		f.options.Guard = gate{}
		f.payouts = payout.New(f.options)
		payees := make([]affiliate, 6)
		for i := range payees {
			payees[i] = f.payee()
			f.sale(payees[i], 500_00)
		}
		f.release()
		var group errgroup.Group
		for worker := range 8 {
			random := rand.New(rand.NewPCG(uint64(worker), 1))
			group.Go(func() error {
				for range 25 {
					if err := f.anything(random, payees); err != nil {
						return err
					}
				}
				return nil
			})
		}
		if err := group.Wait(); err != nil {
			t.Fatal(err)
		}
		// All that was begun comes to its end.
		for range 10 {
			f.work()
			f.bank.finish(payout.Done)
			f.advance(time.Hour)
		}
		f.verify()
		if _, err := f.sealer.Seal(t.Context()); err != nil {
			t.Fatal(err)
		}
		r := f.verify()
		var sent int64
		for _, b := range r.Balances {
			if b.Kind == ledger.Paid {
				sent = b.Amount.Minor
			}
		}
		list, err := f.payouts.Payouts(t.Context(), payout.Filter{State: payout.Paid, Limit: 10_000})
		if err != nil {
			t.Fatal(err)
		}
		var paid int64
		for _, p := range list {
			paid += p.Net
		}
		if paid != sent || len(list) != f.bank.count() {
			t.Errorf("%d payouts over %d; the ledger says %d, the bank made %d transfers", len(list), paid, sent, f.bank.count())
		}
		f.testRequests(t)
		t.Logf("%s; %d payouts", r, len(list))
	})
}

// testRequests compares every request with the payout that answers it.
func (f *fixture) testRequests(t *testing.T) {
	t.Helper()
	all, err := f.payouts.Requests(t.Context(), payout.RequestFilter{Limit: 10_000})
	if err != nil || len(all) == 0 {
		t.Errorf("%d requests, %v", len(all), err)
	}
	for _, r := range all {
		if r.State != payout.RequestTaken {
			continue
		}
		if p, err := f.payouts.Payout(t.Context(), r.PayoutID, r.AffiliateID); err != nil || p.State == payout.Cancelled || p.BatchID != r.BatchID {
			t.Errorf("%+v is answered by %+v, %v", r, p, err)
		}
	}
}

// anything does one random thing. What somebody else's doing made impossible is no error.
func (f *fixture) anything(random *rand.Rand, payees []affiliate) error {
	a, ctx := payees[random.IntN(len(payees))], f.t.Context()
	ours := func(err error) error {
		for _, fine := range []error{payout.ErrNothing, payout.ErrState, payout.ErrChanged, payout.ErrApproved, payout.ErrLimit, payout.ErrRequested, payout.ErrNothingPayable, payout.ErrBelowMinimum, payout.ErrTooManyRequests,
			payout.ErrHeld} {
			if errors.Is(err, fine) {
				return nil
			}
		}
		return err
	}
	switch random.IntN(8) {
	case 0, 1:
		sale := f.sale(a, 100_00+random.Int64N(500_00))
		if random.IntN(3) == 0 {
			f.refund(a, sale, 1+random.Int64N(100_00))
		}
	case 2:
		f.advance(time.Minute)
		_, err := f.commissions.ReleaseDue(ctx, f.now().Add(hold+time.Hour), 50)
		return err
	case 3:
		b, err := f.payouts.Create(f.person(1), payout.Selection{Currency: "INR", Executor: "bank", RequestedOnly: random.IntN(3) == 0}, "", nil)
		if err != nil {
			return ours(err)
		}
		if random.IntN(4) == 0 {
			_, err = f.payouts.Cancel(f.person(1), b.ID, "changed my mind", nil)
			return ours(err)
		}
		_, err = f.payouts.Approve(f.person(2), b.ID, payout.Seen{Payouts: b.Payouts, Net: b.Net}, nil)
		return ours(err)
	case 4:
		_, err := f.payouts.Work(ctx)
		return err
	case 5:
		r, err := f.payouts.Request(f.self(a), a.id, "INR", nil)
		if err == nil && random.IntN(4) == 0 {
			_, err = f.payouts.Withdraw(f.self(a), a.id, r.ID, nil)
		}
		return ours(err)
	default:
		f.bank.finish(payout.Done)
		_, err := f.payouts.Work(ctx)
		return err
	}
	return nil
}

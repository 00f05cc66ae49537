package payout_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/core/ledger"
	"github.com/edgeref/edgeref/core/payout"
)

// gate lets all money leave.
type gate struct{}

func (gate) Check(context.Context) (ledger.Clearance, error) { return ledger.Clearance{}, nil }

var errKilled = errors.New("the process was killed here")

// settled runs the worker, whatever it is told by the bank, until nothing is open, and lets time pass between.
func (f *fixture) settled(batch int64) payout.Batch {
	f.t.Helper()
	for range 200 {
		_, _ = f.payouts.Work(f.t.Context())
		f.bank.finish(payout.Done)
		b, err := f.payouts.Batch(f.t.Context(), batch)
		if err != nil {
			f.t.Fatal(err)
		}
		if b.State == payout.BatchCompleted {
			return b
		}
		f.advance(time.Minute)
	}
	f.t.Fatalf("the batch does not end: %+v", f.of(batch))
	return payout.Batch{}
}

// A process that is killed at any step, whatever the bank did with the call under way, pays exactly once.
func TestKilledAtEveryStep(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d)
		for _, step := range payout.Steps() {
			for _, bank := range []string{"", "before", "after"} {
				t.Run(step+" "+bank, func(t *testing.T) {
					f.t = t
					a := f.payee()
					f.payable(a, 1_000_00)
					before := f.bank.count()
					b := f.approved(payout.Selection{Currency: "INR", Executor: "bank", AffiliateIDs: []int64{a.id}})
					first := true
					f.bank.fail = func(_ int, what string) string {
						if what == "send" && first {
							return bank
						}
						return ""
					}
					killed := false
					f.payouts.SetStep(func(name string) error {
						if name == "called" {
							first = false
						}
						if name == step && !killed {
							killed = true
							return errKilled
						}
						return nil
					})
					f.settled(b.ID)
					if !killed && (step != "looking" || bank != "") && step != "looking" {
						t.Errorf("the worker never came to %s", step)
					}
					if made := f.bank.count() - before; made != 1 {
						t.Errorf("%d transfers", made)
					}
					f.wantBalances(a, "paid 1000.00")
				})
			}
		}
		f.t = t
		f.verify()
	})
}

// Whatever fails, as often as it likes: at most one transfer for each payout, the books agree with the bank, and all ends.
func TestAnyFaults(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d)
		f.options.Guard = gate{} // it would verify all that the runs before have left
		f.payouts = payout.New(f.options)
		rapid.Check(t, func(rt *rapid.T) {
			seed := rapid.Uint64().Draw(rt, "seed")
			random := rand.New(rand.NewPCG(seed, 0))
			n := rapid.IntRange(1, 4).Draw(rt, "payees")
			sel := payout.Selection{Currency: "INR", Executor: "bank"}
			payees := make([]affiliate, n)
			for i := range payees {
				payees[i] = f.payee()
				f.sale(payees[i], 1_000_00+int64(i))
				sel.AffiliateIDs = append(sel.AffiliateIDs, payees[i].id)
			}
			f.release()
			before := f.bank.count()
			b := f.approved(sel)
			f.bank.fail = func(int, string) string {
				return []string{"", "", "before", "after", "reject"}[random.IntN(5)]
			}
			f.payouts.SetStep(func(string) error {
				if random.IntN(6) == 0 {
					return errKilled
				}
				return nil
			})
			for range 14 {
				_, _ = f.payouts.Work(t.Context())
				f.advance(time.Duration(random.IntN(400)) * time.Second)
			}
			f.bank.fail = func(int, string) string { return "" }
			f.payouts.SetStep(func(string) error { return nil })
			f.settled(b.ID)
			paid := 0
			for i, p := range f.of(b.ID) {
				switch p.State {
				case payout.Paid:
					paid++
					f.wantBalances(payees[i], "paid "+p.NetAmount().Decimal())
				case payout.Failed:
					f.wantBalances(payees[i], "payable "+p.NetAmount().Decimal())
				default:
					rt.Fatalf("payout is %s", p.State)
				}
				if p.Attempt != nil && p.Attempt.Sends > 1 && p.State == payout.Failed {
					rt.Fatalf("one that was sent %d times was taken for refused: %+v", p.Attempt.Sends, p)
				}
			}
			if made := f.bank.count() - before; made != paid {
				rt.Fatalf("%d transfers for %d payouts", made, paid)
			}
		})
		f.verify()
	})
}

// A refusal is only believed where no earlier call can have succeeded, and nobody may call a payout failed that is still looked up.
func TestRefusalAfterALostAnswer(t *testing.T) {
	f := newFixture(t, dbtest.SQLite(t))
	a := f.payee()
	f.payable(a, 1_000_00)
	b := f.approved(inINR)
	f.bank.fail = func(_ int, what string) string {
		if what == "send" {
			return "before"
		}
		return ""
	}
	f.work()
	p := f.of(b.ID)[0]
	if p.State != payout.Sending || p.Attempt.LastError == "" {
		t.Fatalf("%+v", p)
	}
	if _, err := f.payouts.Fail(f.person(1), p.ID, "the bank says no", nil); !errors.Is(err, payout.ErrState) {
		t.Errorf("called failed at once: %v", err)
	}
	f.bank.fail = func(_ int, what string) string {
		if what == "send" {
			return "reject"
		}
		return ""
	}
	for range 60 {
		f.work()
		f.advance(time.Hour)
	}
	p = f.of(b.ID)[0]
	sends := p.Attempt.Sends
	if p.State != payout.Sending || sends < 2 || sends > 30 {
		t.Fatalf("%+v", p.Attempt)
	}
	f.wantBalances(a, "in_flight 1000.00")
	f.advance(48 * time.Hour)
	f.work()
	if p = f.of(b.ID)[0]; p.Attempt.Sends != sends {
		t.Errorf("sent again after %s", payout.ResendFor)
	}
	if _, err := f.payouts.Fail(t.Context(), p.ID, "the bank says no", nil); !errors.Is(err, payout.ErrNeedsPerson) {
		t.Errorf("by nobody: %v", err)
	}
	if _, err := f.payouts.Fail(f.person(1), p.ID, "the bank says no", nil); err != nil {
		t.Error(err)
	}
	f.wantBalances(a, "payable 1000.00")
	f.verify()
}

// Two workers on one database share the payouts and send each once.
func TestTwoWorkers(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d)
		sel := payout.Selection{Currency: "INR", Executor: "bank"}
		for range 30 {
			a := f.payee()
			f.sale(a, 1_000_00)
			sel.AffiliateIDs = append(sel.AffiliateIDs, a.id)
		}
		f.release()
		b := f.approved(sel)
		var group errgroup.Group
		for range 2 {
			worker := payout.New(f.options)
			group.Go(func() error {
				for {
					n, err := worker.Work(t.Context())
					if n == 0 || err != nil {
						return err
					}
				}
			})
		}
		if err := group.Wait(); err != nil {
			t.Fatal(err)
		}
		f.bank.finish(payout.Done)
		f.settled(b.ID)
		for _, p := range f.of(b.ID) {
			if p.State != payout.Paid || p.Attempt.Sends != 1 {
				t.Errorf("%+v", p)
			}
		}
		if f.bank.count() != 30 {
			t.Errorf("%d transfers", f.bank.count())
		}
		f.verify()
	})
}

// What a provider tells twice, in any order, is looked up and counts once.
func TestNoticesAreNotBelieved(t *testing.T) {
	f := newFixture(t, dbtest.SQLite(t))
	a := f.payee()
	f.payable(a, 1_000_00)
	b := f.approved(inINR)
	f.work()
	key := f.of(b.ID)[0].Attempt.Key
	for i, event := range []string{"reversed", "processed", "reversed", "reversed"} {
		known, err := f.payouts.Notice(t.Context(), "bank", fmt.Sprint(i/2), event, key)
		if !known || err != nil {
			t.Errorf("%s: %v, %v", event, known, err)
		}
	}
	f.work()
	if got := f.of(b.ID)[0].State; got != payout.Sent {
		t.Errorf("a notice was believed: %s", got)
	}
	for _, tt := range []struct{ executor, key string }{{"bank", "pyt_0000000000001"}, {"other", key}, {"bank", "nonsense"}, {"bank", ""}} {
		if known, err := f.payouts.Notice(t.Context(), tt.executor, "x", "processed", tt.key); known || err != nil {
			t.Errorf("%+v: %v, %v", tt, known, err)
		}
	}
	f.bank.finish(payout.Done)
	if _, err := f.payouts.Notice(t.Context(), "bank", "last", "processed", key); err != nil {
		t.Fatal(err)
	}
	f.work()
	if got := f.of(b.ID)[0]; got.State != payout.Paid || !slices.ContainsFunc(got.Events, func(e payout.Event) bool { return e.To == "paid" && e.From == "sent" }) {
		t.Errorf("%+v", got)
	}
	f.verify()
}

package payment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
)

// each runs a test on every kind of database.
func each(t *testing.T, test func(t *testing.T, f *fixture)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { test(t, newFixture(t, d)) })
}

func TestPaidAndRefunded(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		order := f.order()
		ref := f.begin(order)
		if again := f.begin(order); again != ref {
			t.Errorf("asked again, the buyer is sent to %s and not to %s", again, ref)
		}
		f.webhook(http.StatusNoContent, "evt_1", Change{Kind: ChangeKind(Failed), Ref: ref, PaymentID: "pay_0", Amount: inr(149900), Reason: "card declined"})
		f.work()
		f.webhook(http.StatusNoContent, "evt_2", paid(ref, "pay_1"))
		f.work()
		f.webhook(http.StatusNoContent, "evt_3", Change{Kind: ChangeKind(Failed), Ref: ref, PaymentID: "pay_2", Amount: inr(149900)})
		f.work()
		f.wantTold(order, "failed 149900, paid 149900")
		f.wantEvent("evt_3", EventIgnored)

		if err := f.refund(order, 77, 49900); err != nil {
			t.Fatal(err)
		}
		if err := f.refund(order, 77, 49900); err != nil {
			t.Errorf("the same refund again: %v", err)
		}
		if err := f.refund(order, 77, 1); !errors.Is(err, ErrRefundTaken) {
			t.Errorf("another refund of the same name: %v", err)
		}
		if err := f.refund(order, 78, 100001); !errors.Is(err, ErrTooMuch) {
			t.Errorf("more than is left: %v", err)
		}
		f.work()
		// The webhook about it comes too, and names it by our key.
		f.webhook(http.StatusNoContent, "evt_4", Change{Kind: ChangeKind(Refunded), Key: refundKey(77), PaymentID: "pay_1", RefundID: "rf_" + refundKey(77), Amount: inr(49900)})
		// This one was made at the gateway.
		f.webhook(http.StatusNoContent, "evt_5", Change{Kind: ChangeKind(Refunded), PaymentID: "pay_1", RefundID: "rf_dashboard", Amount: inr(100)})
		f.work()
		f.wantTold(order, "failed 149900, paid 149900, refunded 49900 ours, refunded 100")
		if f.gateway.calls["refund "+refundKey(77)] != 1 {
			t.Errorf("the gateway was asked %d times", f.gateway.calls["refund "+refundKey(77)])
		}
		if _, err := f.Begin(t.Context(), order, "nowhere"); !errors.Is(err, ErrNoGateway) {
			t.Errorf("a gateway that is not there: %v", err)
		}
		if _, err := f.Begin(t.Context(), 1, "fake"); !errors.Is(err, ErrNoOrder) {
			t.Errorf("an order that is not there: %v", err)
		}
	})
}

// Every webhook comes three times, in random order, 20 at once, while workers run: everything is booked once.
func TestThreeTimesInRandomOrderTwentyAtOnce(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		defer goleak.VerifyNone(t, goleak.IgnoreCurrent(), goleak.IgnoreTopFunction("github.com/go-sql-driver/mysql.(*mysqlConn).startWatcher.func1"))
		const orders = 12
		var events []Event
		want := map[int64]string{}
		for i := range orders {
			order := f.order()
			ref, pay := f.begin(order), fmt.Sprintf("pay_%d", i)
			events = append(events,
				Event{ID: fmt.Sprint("evt_a", i), Changes: []Change{paid(ref, pay)}},
				Event{ID: fmt.Sprint("evt_b", i), Changes: []Change{paid(ref, pay)}}, // as order.paid beside payment.captured
				Event{ID: fmt.Sprint("evt_c", i), Changes: []Change{{Kind: ChangeKind(Refunded), Ref: ref, PaymentID: pay, RefundID: fmt.Sprint("rf_", i), Amount: inr(500)}}},
				Event{ID: fmt.Sprint("evt_d", i), Changes: []Change{{Kind: ChangeKind(DisputeOpened), Ref: ref, PaymentID: pay, DisputeID: fmt.Sprint("dp_", i), Amount: inr(900)}}},
				Event{ID: fmt.Sprint("evt_e", i), Changes: []Change{{Kind: ChangeKind(DisputeWon), Ref: ref, PaymentID: pay, DisputeID: fmt.Sprint("dp_", i), Amount: inr(900)}}},
			)
			want[order] = "paid 1, refunded 1, dispute_opened 1, dispute_won 1"
		}
		bodies := make([][]byte, 0, 3*len(events))
		for _, e := range events {
			body, err := json.Marshal(e)
			if err != nil {
				t.Fatal(err)
			}
			bodies = append(bodies, body, body, body)
		}
		seed := uint64(f.clock().UnixNano())
		rand.New(rand.NewPCG(seed, 1)).Shuffle(len(bodies), func(i, j int) { bodies[i], bodies[j] = bodies[j], bodies[i] })

		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { _ = f.Run(ctx) })
		var senders sync.WaitGroup
		next := make(chan []byte)
		for range 20 {
			senders.Go(func() {
				for body := range next {
					if status := f.send(body, fakeSign(body)); status != http.StatusNoContent {
						t.Errorf("answered %d", status)
					}
				}
			})
		}
		for _, body := range bodies {
			next <- body
		}
		close(next)
		senders.Wait()
		stop()
		running.Wait()
		for range 8 { // those that came too early come due again
			f.advance(time.Minute)
			f.work()
		}
		for order := range want {
			counts := map[string]int{}
			for _, one := range strings.Split(f.told(order), ", ") {
				kind, _, _ := strings.Cut(one, " ")
				counts[kind]++
			}
			if len(counts) != 4 || counts["paid"] != 1 || counts["refunded"] != 1 || counts["dispute_opened"] != 1 || counts["dispute_won"] != 1 {
				t.Errorf("order %d was told %s", order, f.told(order))
			}
		}
		for _, e := range events {
			if s := f.event(e.ID); s.State != EventDone && s.State != EventIgnored {
				t.Errorf("event %s is %s: %s", e.ID, s.State, s.Reason)
			}
		}
	})
}

func TestUnknownOutcomeOfBeginKeepsItsKey(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		order := f.order()
		// The gateway does it, and the answer is lost.
		f.setFail(func(string, string) (bool, error) { return true, errLine })
		if _, err := f.Begin(t.Context(), order, "fake"); !errors.Is(err, ErrUnknown) {
			t.Fatalf("%v, want ErrUnknown", err)
		}
		f.shop.mu.Lock()
		changed := f.shop.orders[order]
		changed.Amount = inr(99900)
		f.shop.orders[order] = changed
		f.shop.mu.Unlock()
		if _, err := f.Begin(t.Context(), order, "fake"); !errors.Is(err, ErrUnknown) {
			t.Fatalf("%v, want ErrUnknown: no new key while the old one is in flight", err)
		}
		if n := len(f.attempts(order)); n != 1 {
			t.Fatalf("%d attempts", n)
		}
		f.setFail(nil)
		s, err := f.Begin(t.Context(), order, "fake")
		if err != nil {
			t.Fatal(err)
		}
		list := f.attempts(order)
		if len(list) != 2 || list[0].State != Open || list[0].live || list[1].Amount != inr(99900) || s.Params["ref"] != list[1].Ref {
			t.Errorf("attempts: %+v, session %+v", list, s)
		}
		if len(f.gateway.begun) != 2 {
			t.Errorf("the gateway began %d payments", len(f.gateway.begun))
		}
	})
}

func TestWorkerClearsUpWhatWasBegun(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		order := f.order()
		f.setFail(func(string, string) (bool, error) { return false, errLine })
		if _, err := f.Begin(t.Context(), order, "fake"); !errors.Is(err, ErrUnknown) {
			t.Fatal(err)
		}
		f.setFail(nil)
		f.advance(time.Minute)
		f.work()
		list := f.attempts(order)
		if len(list) != 1 || list[0].State != Open || list[0].Ref == "" {
			t.Fatalf("attempts: %+v", list)
		}
		// Its webhook is lost: the gateway is asked.
		f.gateway.changes[list[0].Ref] = []Change{{Kind: ChangeKind(Refunded), PaymentID: "pay_9", RefundID: "rf_9", Amount: inr(10)}, paid(list[0].Ref, "pay_9")}
		f.advance(time.Hour)
		f.work()
		f.wantTold(order, "paid 149900, refunded 10")
	})
}

func TestNobodyPays(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		order := f.order()
		ref := f.begin(order)
		for range 20 {
			f.advance(6 * time.Hour)
			f.work()
		}
		f.wantTold(order, "failed 149900")
		if list := f.attempts(order); list[0].State != Ended {
			t.Errorf("attempt is %s", list[0].State)
		}
		// Late is better than never.
		f.webhook(http.StatusNoContent, "evt_late", paid(ref, "pay_1"))
		f.work()
		f.wantTold(order, "failed 149900, paid 149900")
	})
}

func TestRefusedBeginIsFinal(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		order := f.order()
		f.setFail(func(string, string) (bool, error) { return false, fmt.Errorf("%w: currency", ErrRefused) })
		if _, err := f.Begin(t.Context(), order, "fake"); !errors.Is(err, ErrRefused) {
			t.Fatal(err)
		}
		f.setFail(nil)
		f.begin(order)
		if list := f.attempts(order); len(list) != 2 || list[0].State != Ended || list[1].State != Open {
			t.Errorf("attempts: %+v", list)
		}
	})
}

func TestRefundOutcomes(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		order := f.order()
		ref := f.begin(order)
		if err := f.refund(order, 1, 100); !errors.Is(err, ErrNotPaid) {
			t.Fatalf("refund before it is paid: %v", err)
		}
		f.webhook(http.StatusNoContent, "evt_1", paid(ref, "pay_1"))
		f.work()

		// The gateway does it and the answer is lost, again and again: one key, one refund, and it stays in flight.
		f.setFail(func(op, _ string) (bool, error) {
			if op == "refund" {
				return true, errLine
			}
			return true, nil
		})
		if err := f.refund(order, 1, 100); err != nil {
			t.Fatal(err)
		}
		for range 5 {
			f.work()
			f.advance(7 * time.Hour)
		}
		list, err := readRefunds(t.Context(), f.db, "order_id = ?", order)
		if err != nil || len(list) != 1 || list[0].State != RefundUnknown || list[0].LastError == "" {
			t.Fatalf("refunds: %+v, %v", list, err)
		}
		f.wantTold(order, "paid 149900")
		f.setFail(nil)
		f.work()
		f.wantTold(order, "paid 149900, refunded 100 ours")
		if len(f.gateway.refunds) != 1 {
			t.Errorf("%d refunds at the gateway", len(f.gateway.refunds))
		}

		// Refused is final, and told.
		f.setFail(func(op, _ string) (bool, error) { return false, fmt.Errorf("%w: balance", ErrRefused) })
		if err := f.refund(order, 2, 200); err != nil {
			t.Fatal(err)
		}
		f.work()
		f.setFail(nil)
		f.wantTold(order, "paid 149900, refunded 100 ours, refund_failed 200 ours")

		// Accepted, done later, and found by asking.
		f.gateway.pending = true
		if err := f.refund(order, 3, 300); err != nil {
			t.Fatal(err)
		}
		f.work()
		f.gateway.changes[ref] = []Change{{Kind: ChangeKind(Refunded), Key: refundKey(3), PaymentID: "pay_1", RefundID: "rf_" + refundKey(3), Amount: inr(300)}}
		f.advance(7 * time.Hour)
		f.work()
		f.wantTold(order, "paid 149900, refunded 100 ours, refund_failed 200 ours, refunded 300 ours")
	})
}

func TestMoneyThatNoOrderCanUse(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		for name, c := range map[string]struct {
			told  string
			setup func(order int64, ref string)
		}{
			"another amount": {"", func(_ int64, ref string) {
				c := paid(ref, "pay_amount")
				c.Amount = inr(149800)
				f.webhook(http.StatusNoContent, "evt_amount", c)
			}},
			"another currency": {"", func(_ int64, ref string) {
				c := paid(ref, "pay_currency")
				c.Amount.Currency = "USD"
				f.webhook(http.StatusNoContent, "evt_currency", c)
			}},
			"second payment of an attempt": {"paid 149900", func(_ int64, ref string) {
				f.webhook(http.StatusNoContent, "evt_second1", paid(ref, "pay_second1"))
				f.work()
				f.webhook(http.StatusNoContent, "evt_second2", paid(ref, "pay_second2"))
				f.webhook(http.StatusNoContent, "evt_second3", paid(ref, "pay_second2"))
				// Its refund must not count against the order.
				f.webhook(http.StatusNoContent, "evt_second4", Change{Kind: ChangeKind(Refunded), Ref: ref, PaymentID: "pay_second2", RefundID: "rf_second", Amount: inr(149900)})
			}},
			"order gone": {"", func(order int64, ref string) {
				f.shop.refuse = func(o Outcome) error {
					if o.OrderID == order {
						return ErrNotPayable
					}
					return nil
				}
				f.webhook(http.StatusNoContent, "evt_gone", paid(ref, "pay_gone"))
			}},
		} {
			t.Run(name, func(t *testing.T) {
				order := f.order()
				c.setup(order, f.begin(order))
				for range 5 {
					f.work()
					f.advance(time.Minute)
				}
				f.wantTold(order, c.told)
				strays := 0
				for _, p := range f.attempts(order) {
					if p.State == Stray {
						strays++
					}
				}
				if strays != 1 {
					t.Errorf("%d stray payments: %+v", strays, f.attempts(order))
				}
			})
		}
		list, err := f.Events(t.Context(), EventFilter{State: EventReview, Limit: 100})
		if err != nil || len(list) != 4 {
			t.Fatalf("%d events to review, %v; want 4: %+v", len(list), err, list)
		}
	})
}

func TestTwoAttemptsArePaid(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		order := f.order()
		first := f.begin(order)
		f.shop.mu.Lock()
		o := f.shop.orders[order]
		o.Amount = inr(99900)
		f.shop.orders[order] = o
		f.shop.mu.Unlock()
		second := f.begin(order) // a coupon was found; the first page is still open
		c := paid(second, "pay_b")
		c.Amount = inr(99900)
		f.webhook(http.StatusNoContent, "evt_a", paid(first, "pay_a"))
		f.webhook(http.StatusNoContent, "evt_b", c)
		f.work()
		if told := f.told(order); told != "paid 149900" && told != "paid 99900" {
			t.Errorf("the shop was told %q", told)
		}
		var stray Payment
		for _, p := range f.attempts(order) {
			if p.State == Stray {
				stray = p
			}
		}
		if stray.ID == 0 || !strings.Contains(stray.Reason, "paid before") {
			t.Fatalf("attempts: %+v", f.attempts(order))
		}
		if _, err := f.GiveBack(t.Context(), stray.ID, "paid twice"); err != nil {
			t.Fatal(err)
		}
		if _, err := f.GiveBack(t.Context(), stray.ID, "paid twice"); !errors.Is(err, ErrTooMuch) {
			t.Errorf("given back twice: %v", err)
		}
		f.work()
		list, err := readRefunds(t.Context(), f.db, "payment = ?", stray.ID)
		if err != nil || len(list) != 1 || list[0].State != RefundSucceeded || list[0].Amount != stray.Paid {
			t.Errorf("refunds of the stray payment: %+v, %v", list, err)
		}
		if strings.Contains(f.told(order), "refunded") {
			t.Error("the shop was told of a refund that is not its order's")
		}
	})
}

func TestDisputesInAnyOrder(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		order := f.order()
		ref := f.begin(order)
		lost := Change{Kind: ChangeKind(DisputeLost), PaymentID: "pay_1", Ref: ref, DisputeID: "dp_1", Amount: inr(149900)}
		opened := lost
		opened.Kind = ChangeKind(DisputeOpened)
		f.webhook(http.StatusNoContent, "evt_lost", lost)
		f.work()
		f.wantTold(order, "")
		f.wantEvent("evt_lost", EventPending)
		f.webhook(http.StatusNoContent, "evt_paid", paid(ref, "pay_1"))
		f.work()
		f.advance(time.Minute)
		f.work()
		f.webhook(http.StatusNoContent, "evt_opened", opened)
		f.work()
		f.wantTold(order, "paid 149900, dispute_opened 149900, dispute_lost 149900")
	})
}

func TestEventsAboutNothingOfOursAreKept(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.webhook(http.StatusNoContent, "evt_1", paid("ref_of_somebody_else", "pay_x"))
		f.webhook(http.StatusNoContent, "evt_2")
		f.work()
		f.wantEvent("evt_1", EventPending) // it may be about one that is being begun
		f.wantEvent("evt_2", EventIgnored)
		for range 15 {
			f.advance(time.Minute)
			f.work()
		}
		f.wantEvent("evt_1", EventReview)
		e, err := f.Event(t.Context(), f.event("evt_1").ID)
		if err != nil || !strings.Contains(string(e.Body), "ref_of_somebody_else") {
			t.Errorf("body %s, %v", e.Body, err)
		}
		if _, err := f.Dismiss(t.Context(), e.ID, "of the old shop"); err != nil {
			t.Fatal(err)
		}
		f.wantEvent("evt_1", EventIgnored)
		if _, err := f.Event(t.Context(), 1); !errors.Is(err, ErrNoEvent) {
			t.Error(err)
		}
	})
}

func TestFailedEventsAreRetriedThenDeadThenReplayed(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		order := f.order()
		ref := f.begin(order)
		f.shop.refuse = func(Outcome) error { return errLine }
		f.webhook(http.StatusNoContent, "evt_1", paid(ref, "pay_1"))
		for range 60 {
			f.work()
			f.advance(30 * time.Minute)
		}
		f.wantEvent("evt_1", EventDead)
		if e := f.event("evt_1"); e.Attempts < 10 || e.Attempts > 60 {
			t.Errorf("%d attempts", e.Attempts)
		}
		f.wantTold(order, "")
		f.shop.refuse = nil
		if n, more, err := f.ReplayDead(t.Context(), "fake"); n != 1 || more || err != nil {
			t.Fatalf("replayed %d, %v, %v", n, more, err)
		}
		if _, err := f.Replay(t.Context(), f.event("evt_1").ID); !errors.Is(err, ErrEventPending) {
			t.Errorf("replay of a pending event: %v", err)
		}
		f.work()
		f.wantEvent("evt_1", EventDone)
		if _, err := f.Replay(t.Context(), f.event("evt_1").ID); err != nil {
			t.Fatal(err)
		}
		f.work()
		f.wantEvent("evt_1", EventIgnored)
		f.wantTold(order, "paid 149900")
	})
}

// A refresh says only that something changed: the gateway is asked what.
func TestRefreshAsks(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		order := f.order()
		ref := f.begin(order)
		f.gateway.changes[ref] = []Change{paid(ref, "pay_1")}
		f.webhook(http.StatusNoContent, "evt_1", Change{Kind: Refresh, Ref: ref})
		f.setFail(func(string, string) (bool, error) { return false, errLine })
		f.work()
		f.wantEvent("evt_1", EventPending)
		f.setFail(nil)
		f.advance(time.Minute)
		f.work()
		f.wantTold(order, "paid 149900")
	})
}

// Two attempts of one order are paid at the same moment: one pays it.
func TestTwoAttemptsArePaidAtOnce(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		for range 10 {
			order := f.order()
			ref := f.begin(order)
			s, err := f.Begin(t.Context(), order, "other")
			if err != nil {
				t.Fatal(err)
			}
			var both sync.WaitGroup
			for gateway, ref := range map[string]string{"fake": ref, "other": s.Params["ref"]} {
				both.Go(func() {
					if _, err := f.applyAll(t.Context(), gateway, 0, []Change{paid(ref, "pay_"+ref)}); err != nil {
						t.Error(err)
					}
				})
			}
			both.Wait()
			f.wantTold(order, "paid 149900")
			states := map[State]int{}
			for _, p := range f.attempts(order) {
				states[p.State]++
			}
			if states[Succeeded] != 1 || states[Stray] != 1 {
				t.Errorf("attempts: %v", states)
			}
		}
	})
}

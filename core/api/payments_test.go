package api_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/api"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/payment"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/money"
)

// till is a gateway that says what a test lets it say: an event is the body of a webhook, "payment ref amount".
type till struct{}

func (till) Begin(_ context.Context, b payment.BeginCall) (payment.Begun, error) {
	return payment.Begun{Ref: "ref_" + b.Key, URL: "https://gateway.example/"}, nil
}

func (till) Refund(_ context.Context, r payment.RefundCall) (payment.Change, error) {
	return payment.Change{Kind: payment.ChangeKind(payment.Refunded), Key: r.Key, RefundID: "rf_" + r.Key, Amount: r.Amount}, nil
}

func (till) Lookup(context.Context, payment.Query) ([]payment.Change, error) { return nil, nil }

func (till) List(context.Context, int64, int64, func(payment.Change) error) error { return nil }

func (till) ParseWebhook(_ http.Header, raw []byte) (payment.Event, error) {
	part := strings.Fields(string(raw))
	if len(part) != 3 {
		return payment.Event{}, payment.ErrSignature
	}
	amount, err := money.Parse(part[2], "INR")
	return payment.Event{ID: "evt_" + part[0], Type: "paid", Changes: []payment.Change{{Kind: payment.ChangeKind(payment.Paid), PaymentID: part[0], Ref: part[1], Amount: amount}}}, err
}

// tillShop has orders of 1499.00 INR, and books nothing while broken.
type tillShop struct{ broken bool }

func (*tillShop) Payable(_ context.Context, id int64) (payment.Order, error) {
	return payment.Order{ID: id, Ref: "ord", Amount: money.Amount{Minor: 149900, Currency: "INR"}, ReturnURL: "https://shop.example/"}, nil
}

func (s *tillShop) Settle(context.Context, *db.Tx, payment.Outcome) error {
	if s.broken {
		return errors.New("broken")
	}
	return nil
}

func paymentModule(s *server) api.Module {
	s.payments = payment.New(payment.Options{DB: s.db, IDs: s.ids, Now: s.clock.Now, Gateways: map[string]payment.Gateway{"till": till{}}, PublicURL: "https://core.example", Auditor: s.audit})
	return api.Payments(s.payments)
}

// tell sends a webhook and does what is due.
func (s *server) tell(event string) {
	s.t.Helper()
	if err := s.payments.Receive(s.t.Context(), "till", http.Header{}, []byte(event)); err != nil {
		s.t.Fatal(err)
	}
	s.work()
}

func (s *server) work() {
	s.t.Helper()
	if _, err := s.payments.Work(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

func TestPayments(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		shop := &tillShop{}
		s.payments.Serve(shop)
		order := s.ids.New()
		if _, err := s.payments.Begin(t.Context(), order, "till"); err != nil {
			t.Fatal(err)
		}
		orderID := ident.Format(ident.Order, order)
		var list struct{ Items []api.Payment }
		s.do("GET", "/api/v1/payments?order_id="+orderID, nil).want(http.StatusOK).into(&list)
		if len(list.Items) != 1 || list.Items[0].State != payment.Open || list.Items[0].OrderID != orderID || list.Items[0].Paid != nil {
			t.Fatalf("payments: %+v", list)
		}
		pmt := list.Items[0]

		// The shop is broken for two days: the event is dead, and replayed.
		shop.broken = true
		s.tell("pay_1 " + pmt.Ref + " 1499.00")
		for range 50 {
			s.clock.add(time.Hour)
			s.work()
		}
		var events struct{ Items []api.PaymentEvent }
		s.do("GET", "/api/v1/payment-events?state=dead", nil).want(http.StatusOK).into(&events)
		if len(events.Items) != 1 || !strings.Contains(events.Items[0].Reason, "broken") {
			t.Fatalf("dead events: %+v", events)
		}
		shop.broken = false
		var replayed api.PaymentEventsReplayed
		s.do("POST", "/api/v1/payment-events/replay-dead?gateway=till", nil, "Idempotency-Key", "r").want(http.StatusOK).into(&replayed)
		if replayed.Replayed != 1 {
			t.Errorf("replayed %+v", replayed)
		}
		path := "/api/v1/payment-events/" + events.Items[0].ID
		s.do("POST", path+"/replay", nil).want(http.StatusConflict, "event_pending")
		s.work()
		var event api.PaymentEventDetail
		s.do("GET", path, nil).want(http.StatusOK).into(&event)
		s.do("POST", path+"/replay", nil, "Idempotency-Key", "e").want(http.StatusOK)
		s.work() // it is known already
		if event.State != payment.EventDone || event.OrderID != orderID || event.Body != "pay_1 "+pmt.Ref+" 1499.00" {
			t.Errorf("event: %+v", event)
		}
		var paid api.Payment
		s.do("GET", "/api/v1/payments/"+pmt.ID, nil).want(http.StatusOK).into(&paid)
		if paid.State != payment.Succeeded || paid.Paid == nil || paid.Paid.Minor != 149900 || paid.PaymentID != "pay_1" {
			t.Errorf("paid: %+v", paid)
		}
		s.do("POST", "/api/v1/payments/"+pmt.ID+"/give-back", map[string]any{"reason": "because"}).want(http.StatusConflict, "payment_not_stray")

		// It is paid again: a person has to see to it, and gives it back.
		s.tell("pay_2 " + pmt.Ref + " 1499.00")
		s.do("GET", "/api/v1/payment-events?state=review", nil).want(http.StatusOK).into(&events)
		if len(events.Items) != 1 {
			t.Fatalf("events to review: %+v", events)
		}
		review := "/api/v1/payment-events/" + events.Items[0].ID
		s.do("POST", review+"/dismiss", map[string]any{"reason": "given back"}).want(http.StatusOK)
		s.do("GET", "/api/v1/payments?state=stray", nil).want(http.StatusOK).into(&list)
		if len(list.Items) != 1 || list.Items[0].PaymentID != "pay_2" {
			t.Fatalf("stray: %+v", list)
		}
		stray := "/api/v1/payments/" + list.Items[0].ID + "/give-back"
		s.bearer = s.signIn(5, func(p *access.Principal) { p.SecondFactorAt = 0 }, access.RoleFinance)
		s.do("POST", stray, map[string]any{"reason": "paid twice"}).want(http.StatusForbidden, "second_factor_required")
		s.bearer = adminSecret
		s.do("POST", stray, map[string]any{"reason": "paid twice"}, "Idempotency-Key", "b").want(http.StatusOK)
		s.do("POST", stray, map[string]any{"reason": "paid twice"}, "Idempotency-Key", "b").want(http.StatusOK)
		s.do("POST", stray, map[string]any{"reason": "paid twice"}).want(http.StatusConflict, "exceeds_payment")
		s.work()
		var refunds struct{ Items []api.PaymentRefund }
		s.do("GET", "/api/v1/payment-refunds?order_id="+orderID, nil).want(http.StatusOK).into(&refunds)
		if len(refunds.Items) != 1 || refunds.Items[0].State != payment.RefundSucceeded || !refunds.Items[0].Ours || refunds.Items[0].Amount.Minor != 149900 {
			t.Errorf("refunds: %+v", refunds)
		}

		// The gateway's list is empty: it has not what we have.
		now := s.clock.Now().UnixMilli()
		if _, err := s.payments.Reconcile(t.Context(), "till", now-4*24*time.Hour.Milliseconds(), now+1); err != nil {
			t.Fatal(err)
		}
		var comparisons struct{ Items []api.PaymentComparison }
		s.do("GET", "/api/v1/payment-reconciliations", nil).want(http.StatusOK).into(&comparisons)
		if len(comparisons.Items) != 1 || comparisons.Items[0].DifferenceCount != 3 {
			t.Fatalf("comparisons: %+v", comparisons)
		}
		var one api.PaymentComparison
		s.do("GET", "/api/v1/payment-reconciliations/"+comparisons.Items[0].ID, nil).want(http.StatusOK).into(&one)
		if d := one.Differences[0]; d.Kind != payment.MissingThere || d.OrderID != orderID {
			t.Errorf("difference: %+v", d)
		}
		for _, missing := range []string{"payments/pmt_0000000000001", "payment-events/pev_0000000000001", "payment-reconciliations/rcn_0000000000001"} {
			s.do("GET", "/api/v1/"+missing, nil).want(http.StatusNotFound)
		}
	})
}

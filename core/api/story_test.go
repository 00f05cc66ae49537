package api_test

import (
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/api"
	"github.com/edgeref/edgeref/core/payment"
	"github.com/edgeref/edgeref/core/payout"
	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/money"
)

// buy makes an order by a click, as a buyer does.
func (s *server) buy(sh shop, p api.Product) api.CheckoutOrder {
	s.t.Helper()
	bearer := s.bearer
	defer func() { s.bearer = bearer }()
	s.bearer = ""
	var order api.CheckoutOrder
	s.do("POST", "/api/v1/checkout/orders", checkout(map[string]any{"gateway": "sandbox"}, p), "Cookie", "er_cid="+sh.click.String()).
		want(http.StatusCreated).into(&order)
	return order
}

// payAtTill pays an order at the till, through payments as they are.
func (s *server) payAtTill(number, paymentID string) {
	s.t.Helper()
	s.payments.Serve(s.gateway.shop)
	id := s.orderID(number)
	if _, err := s.payments.Begin(s.t.Context(), id, "till"); err != nil {
		s.t.Fatal(err)
	}
	list, err := s.payments.Payments(s.t.Context(), payment.Filter{OrderID: id, Limit: 1})
	if err != nil || len(list) != 1 {
		s.t.Fatal(list, err)
	}
	s.tell(paymentID + " " + list[0].Ref + " " + list[0].Amount.Decimal())
}

func kinds(st api.OrderStory) (out []string) {
	for _, e := range st.Entries {
		out = append(out, string(e.Kind))
	}
	return out
}

func states(parts []api.StoryPart) map[string]api.PartState {
	out := map[string]api.PartState{}
	for _, p := range parts {
		out[p.Part] = p.State
	}
	return out
}

// soldAndRefunded is an order that was clicked, bought, paid, and half refunded.
func (s *server) soldAndRefunded() (shop, api.CheckoutOrder) {
	s.t.Helper()
	sh := s.shop()
	s.analytics.rows = []click.Record{{ID: sh.click, ProgramID: 1, Browser: "Firefox"}}
	order := s.buy(sh, s.product("a", 118_000, "program_id", sh.program.ID))
	s.clock.add(time.Minute)
	s.payAtTill(order.Number, "pay_1")
	s.clock.add(time.Hour)
	s.do("POST", "/api/v1/orders/"+order.ID+"/refunds", map[string]any{"reason": "half", "amount": money.Amount{Minor: 59_000, Currency: "INR"}}).want(http.StatusCreated)
	last := s.gateway.asked[len(s.gateway.asked)-1]
	s.gateway.settle(s.t, payment.Outcome{OrderID: last.OrderID, Kind: payment.Refunded, Amount: last.Amount, RefundID: "re_1", Refund: last.RefundID, PaymentID: "pay_1"})
	return sh, order
}

func TestOrderStory(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		sh, order := s.soldAndRefunded()
		path := "/api/v1/orders/" + order.ID + "/story"
		var st api.OrderStory
		s.do("GET", path, nil).want(http.StatusOK).into(&st)
		want := []string{
			"click", "attribution", "order_event", "order_event", "payment", // the checkout
			"payment_event", "order_event", "document", "conversion", "commission", "ledger_transaction", "mail", // paid
			"order_event", "refund", "order_event", "document", "conversion", "reversal", "ledger_transaction", "mail", "audit", // half of it went back
		}
		got := kinds(st)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) || st.Order.ID != order.ID {
			t.Errorf("kinds %v\nwant  %v", got, want)
		}
		if !slices.IsSortedFunc(st.Entries, func(a, b api.StoryEntry) int {
			switch {
			case a.At < b.At:
				return -1
			case a.At > b.At:
				return 1
			}
			return 0
		}) {
			t.Errorf("not in order: %v", kinds(st))
		}
		for part, state := range states(st.Parts) {
			if state != "complete" {
				t.Errorf("%s is %s", part, state)
			}
		}
		first := st.Entries[0]
		if first.Click == nil || !first.Click.Stored || first.Click.Browser != "Firefox" || first.Click.Result != "attributed" || first.ID != sh.click.String() ||
			!slices.Equal(first.Refs, []string{sh.affiliate.ID, sh.link.ID}) {
			t.Errorf("click %+v %+v", first, first.Click)
		}
		for _, e := range st.Entries {
			switch {
			case e.Commission != nil && (e.Commission.Why == "" || e.Commission.Amount.Minor != 75_000 || e.Commission.Reversed.Minor != 37_500):
				t.Errorf("commission %+v", e.Commission)
			case e.Transaction != nil && len(e.Transaction.Entries) != 2:
				t.Errorf("transaction %+v", e.Transaction)
			case e.Attribution != nil && (e.Attribution.Decided != "checkout" || e.Attribution.Text == ""):
				t.Errorf("attribution %+v", e.Attribution)
			case e.Mail != nil && e.Mail.To != "bea@example.com":
				t.Errorf("mail %+v", e.Mail)
			}
		}
		if n := s.analytics.clicks; n.AffiliateID == 0 || n.To.Sub(n.From) != time.Millisecond {
			t.Errorf("asked the clicks for %+v", n)
		}
	})
}

// Who may see orders sees of their stories what the own scopes open; what does not answer is named and holds up nothing.
func TestOrderStoryInParts(t *testing.T) {
	s := sqliteServer(t)
	_, order := s.soldAndRefunded()
	path := "/api/v1/orders/" + order.ID + "/story"
	s.analytics.err = errors.New("down")
	var st api.OrderStory
	s.do("GET", path, nil).want(http.StatusOK).into(&st)
	if states(st.Parts)["click"] != "unavailable" || len(st.Entries) != 21 || st.Entries[0].Click == nil || st.Entries[0].Click.Stored {
		t.Errorf("%v %+v", st.Parts, st.Entries[0])
	}
	s.bearer = s.signIn(7, nil, access.RoleSupport)
	s.do("GET", path, nil).want(http.StatusOK).into(&st)
	got := states(st.Parts)
	if got["ledger_transaction"] != "not_permitted" || got["payout"] != "not_permitted" || got["audit"] != "not_permitted" || got["mail"] != "complete" || got["commission"] != "complete" {
		t.Errorf("support sees %v", got)
	}
	for _, kind := range kinds(st) {
		if kind == "ledger_transaction" || kind == "audit" || kind == "payout" {
			t.Errorf("support sees a %s", kind)
		}
	}
	s.bearer = s.token(access.OrdersRead)
	s.do("GET", path, nil).want(http.StatusOK).into(&st)
	for _, kind := range kinds(st) {
		if !slices.Contains([]string{"attribution", "order_event", "payment", "payment_event", "refund", "payment_refund", "document"}, kind) {
			t.Errorf("orders:read alone sees a %s", kind)
		}
	}
	s.do("GET", "/api/v1/orders/ord_0000000000001/story", nil).want(http.StatusNotFound, "not_found")
}

// The payout that paid a commission belongs to the story, and so does who assigned the sale to somebody else.
func TestOrderStoryGoesOn(t *testing.T) {
	s := sqliteServer(t)
	p := s.payee()
	s.fresh()
	s.as(p.self).do("POST", "/api/v1/me/affiliate/payout-methods", map[string]any{
		"currency": "INR", "kind": "bank_in", "holder": "Asha Rao", "account": account, "ifsc": "hdfc0001234",
	}).want(http.StatusCreated)
	s.do("PUT", "/api/v1/me/affiliate/tax-profile", map[string]any{"country": "IN", "tax_id": "abcpk1234l"}).want(http.StatusOK)
	s.as(adminSecret)
	order := s.buy(p.shop, s.product("a", 1_180_000, "program_id", p.program.ID))
	s.payAtTill(order.Number, "pay_1")
	s.clock.add(45 * 24 * time.Hour)
	if _, err := s.commissions.ReleaseDue(t.Context(), s.clock.Now(), 100); err != nil {
		t.Fatal(err)
	}
	s.fresh()
	var terms api.TaxTerms
	s.as(p.finance).do("GET", "/api/v1/tax-rules/example", nil).want(http.StatusOK).into(&terms)
	s.do("POST", "/api/v1/tax-rules", terms).want(http.StatusCreated)
	s.do("POST", "/api/v1/payout-batches", map[string]any{"currency": "INR", "executor": "bank_file"}).want(http.StatusCreated)
	var st api.OrderStory
	s.as(adminSecret).do("GET", "/api/v1/orders/"+order.ID+"/story", nil).want(http.StatusOK).into(&st)
	var sale string
	var share *api.StoryPayout
	for _, e := range st.Entries {
		switch {
		case e.Conversion != nil:
			sale = e.ID
		case e.Payout != nil:
			share = e.Payout
		}
	}
	if share == nil || share.Share.Amount.Minor != 750_000 || share.State != payout.Reserved || share.AffiliateID != p.affiliate.ID {
		t.Errorf("payout %+v", share)
	}
	var bob api.Affiliate
	s.do("POST", "/api/v1/affiliates", map[string]any{"name": "Bob", "email": "bob@example.com"}).want(http.StatusCreated).into(&bob)
	s.do("POST", "/api/v1/conversions/"+sale+"/assign", map[string]any{"affiliate_id": bob.ID, "reason": "his webinar"}).want(http.StatusOK)
	s.do("GET", "/api/v1/orders/"+order.ID+"/story", nil).want(http.StatusOK).into(&st)
	found := false
	for _, e := range st.Entries {
		found = found || e.Attribution != nil && e.Attribution.Decided == "conversion" && slices.Contains(e.Refs, bob.ID)
	}
	if !found {
		t.Errorf("no entry of the assignment: %v", kinds(st))
	}
}

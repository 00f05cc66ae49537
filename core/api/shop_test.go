package api_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/api"
	"github.com/edgeref/edgeref/core/attribution"
	"github.com/edgeref/edgeref/core/conversion"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/core/invoice"
	"github.com/edgeref/edgeref/core/payment"
	store "github.com/edgeref/edgeref/core/shop"
	"github.com/edgeref/edgeref/wire/money"
)

// gateway is a payment gateway that the test plays: it knows the shop, and answers what it is told to.
type gateway struct {
	shop  *store.Service
	db    *db.DB
	err   error
	asked []payment.RefundRequest
}

func (g *gateway) Gateways() []string { return []string{"sandbox"} }

func (g *gateway) Begin(ctx context.Context, orderID int64, name string) (payment.Session, error) {
	o, err := g.shop.Payable(ctx, orderID)
	if err == nil {
		err = g.err
	}
	return payment.Session{Gateway: name, URL: "https://pay.example.com/" + o.Ref}, err
}

func (g *gateway) RequestRefund(_ context.Context, _ *db.Tx, r payment.RefundRequest) error {
	g.asked = append(g.asked, r)
	return nil
}

func (g *gateway) settle(t *testing.T, out payment.Outcome) {
	t.Helper()
	out.Gateway = "sandbox"
	if err := g.db.InTx(t.Context(), func(tx *db.Tx) error { return g.shop.Settle(t.Context(), tx, out) }); err != nil {
		t.Fatal(err)
	}
}

// inboxes are the verified addresses of people.
type inboxes map[int64]string

func (i inboxes) VerifiedEmail(_ context.Context, person int64) (string, error) {
	return i[person], nil
}

func shopModule(s *server, conversions *conversion.Service) api.Module {
	invoices := invoice.New(invoice.Options{DB: s.db, IDs: s.ids, Now: s.clock.Now, Seller: invoice.Party{Name: "Seller"}})
	g := &gateway{db: s.db}
	sales, err := store.New(store.Options{
		DB: s.db, IDs: s.ids, Attribution: attribution.New(attribution.Options{Keys: testKeyring(s.t)}), Conversions: conversions, Invoices: invoices, Audit: s.audit,
		Mail: s.letters(""), Seller: store.Seller{Country: "IN", State: "KA", TaxID: "29AAPFU0939F1ZR"}, ReturnURL: "https://shop.example.com/{token}", Now: s.clock.Now,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	g.shop, s.gateway, s.inboxes = sales, g, inboxes{}
	s.desk.Shop, s.desk.Invoices = sales, invoices
	sales.UseGateways(g)
	return api.Shop(api.ShopOptions{Shop: sales, Invoices: invoices, Payments: g, CookieName: "er_cid", Addresses: s.inboxes})
}

func (s *server) product(slug string, price int64, more ...any) api.Product {
	s.t.Helper()
	body := map[string]any{
		"slug": slug, "name": "Course " + slug, "prices": []money.Amount{{Minor: price, Currency: "INR"}}, "tax_bp": 1800, "tax_code": "999293", "tax_included": true,
		"entitlements": []string{"course:" + slug}, "status": "active",
	}
	for i := 0; i+1 < len(more); i += 2 {
		body[more[i].(string)] = more[i+1]
	}
	var p api.Product
	s.do("POST", "/api/v1/products", body).want(http.StatusCreated).into(&p)
	return p
}

func checkout(more map[string]any, products ...api.Product) map[string]any {
	items := []map[string]any{}
	for _, p := range products {
		items = append(items, map[string]any{"product_id": p.ID})
	}
	body := map[string]any{"items": items, "customer": map[string]any{"email": "Bea@example.com", "name": "Bea", "state": "MH"}}
	for k, v := range more {
		body[k] = v
	}
	return body
}

// From the quote to the refund, over HTTP, as the pages do it.
func TestCheckoutStory(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		sh := s.shop()
		p := s.product("a", 118_000, "program_id", sh.program.ID)
		q := s.product("b", 59_000)
		var bundle api.Product
		s.do("POST", "/api/v1/products", map[string]any{
			"slug": "both", "kind": "bundle", "name": "Both", "prices": []money.Amount{{Minor: 118_000, Currency: "INR"}}, "tax_included": true,
			"part_ids": []string{p.ID, q.ID}, "status": "active", "program_id": sh.program.ID, "hold_days": 60,
		}, "Idempotency-Key", "bundle").want(http.StatusCreated).into(&bundle)
		s.do("POST", "/api/v1/coupons", map[string]any{"code": "diwali20", "percent_bp": 2000, "max_per_customer": 1}).want(http.StatusCreated)
		admin := s.bearer
		s.bearer = ""

		var quote api.Quote
		s.do("POST", "/api/v1/checkout/quote", map[string]any{"items": []any{map[string]any{"slug": "both"}}, "coupon": "nope", "customer": map[string]any{"state": "KA"}}).want(http.StatusOK).into(&quote)
		if quote.CouponProblem != store.CouponUnknown || len(quote.Lines) != 2 || quote.Totals.Total.Minor != 118_000 || quote.TaxKind != store.IntraState ||
			quote.Lines[0].Total.Minor != 78_667 || quote.Lines[1].Total.Minor != 39_333 || quote.Gateways[0] != "sandbox" {
			t.Errorf("quote %+v", quote)
		}
		var order api.CheckoutOrder
		body := checkout(map[string]any{"coupon": "Diwali20", "gateway": "sandbox", "click_ids": []string{"rubbish"}}, bundle)
		first := s.do("POST", "/api/v1/checkout/orders", body, "Idempotency-Key", "8e03978e-40d5-43dd-bc93-6894a57f9324", "Cookie", "x=1; er_cid="+sh.click.String()).want(http.StatusCreated)
		first.into(&order)
		if order.State != store.Pending || order.Payment == nil || order.Totals.Total.Minor != 94_400 || order.Totals.Net.Minor != 80_000 || order.Totals.Tax.IGST.Minor != 14_400 {
			t.Errorf("order %+v", order)
		}
		var again api.CheckoutOrder
		s.do("POST", "/api/v1/checkout/orders", body, "Idempotency-Key", "8e03978e-40d5-43dd-bc93-6894a57f9324").want(http.StatusCreated).into(&again)
		if again.ID != order.ID || again.Token != order.Token {
			t.Errorf("again %+v", again)
		}
		s.do("POST", "/api/v1/checkout/orders", checkout(map[string]any{"coupon": "diwali20"}, p)).want(http.StatusConflict, "coupon_used_by_customer")
		s.do("POST", "/api/v1/checkout/orders/"+order.Token+"/payment", map[string]any{"gateway": "sandbox"}).want(http.StatusOK)
		s.do("POST", "/api/v1/checkout/orders/"+order.Token+"/payment", map[string]any{"gateway": "bank"}).want(http.StatusUnprocessableEntity, "gateway_unknown")
		s.do("GET", "/api/v1/checkout/orders/"+order.Token+"/invoice.pdf", nil).want(http.StatusNotFound, "not_found")

		id := s.orderID(order.Number)
		s.gateway.settle(t, payment.Outcome{OrderID: id, Kind: payment.Paid, Amount: order.Totals.Total, PaymentID: "pay_1"})
		s.do("GET", "/api/v1/checkout/orders/"+order.Token, nil).want(http.StatusOK).into(&order)
		if order.State != store.Paid || len(order.Invoices) != 1 {
			t.Errorf("paid %+v", order)
		}
		pdf := s.do("GET", "/api/v1/checkout/orders/"+order.Token+"/invoice.pdf", nil).want(http.StatusOK)
		if pdf.header.Get("Content-Type") != "application/pdf" || !bytes.HasPrefix(pdf.body, []byte("%PDF")) {
			t.Errorf("invoice %v", pdf.header)
		}
		s.do("GET", "/api/v1/checkout/orders/"+order.Token[1:]+"x", nil).want(http.StatusNotFound, "not_found")
		s.do("POST", "/api/v1/checkout/orders/"+order.Token+"/payment", map[string]any{"gateway": "sandbox"}).want(http.StatusConflict, "order_not_payable")
		s.bearer = admin
		testOrderRefund(t, s, sh, order)
		testMyOrders(t, s, order)
	})
}

func (s *server) orderID(number string) int64 {
	s.t.Helper()
	list, err := s.gateway.shop.Orders(s.t.Context(), store.OrderFilter{Number: number, Limit: 1})
	if err != nil || len(list) != 1 {
		s.t.Fatalf("%v, %v", list, err)
	}
	return list[0].ID
}

func testOrderRefund(t *testing.T, s *server, sh shop, order api.CheckoutOrder) {
	var refund api.OrderRefund
	path := "/api/v1/orders/" + order.ID
	s.do("POST", path+"/refunds", map[string]any{"reason": "x", "amount": money.Amount{Minor: 94_401, Currency: "INR"}}).want(http.StatusConflict, "exceeds_order")
	s.do("POST", path+"/refunds", map[string]any{"reason": "x", "amount": money.Amount{Minor: 1, Currency: "USD"}}).want(http.StatusUnprocessableEntity, "validation_failed")
	body := map[string]any{"reason": "not as described", "lines": []any{map[string]any{"line_id": order.Lines[0].ID}}}
	s.do("POST", path+"/refunds", body, "Idempotency-Key", "r1").want(http.StatusCreated).into(&refund)
	s.do("POST", path+"/refunds", body, "Idempotency-Key", "r1").want(http.StatusCreated)
	last := s.gateway.asked[len(s.gateway.asked)-1]
	s.gateway.settle(t, payment.Outcome{OrderID: last.OrderID, Kind: payment.Refunded, Amount: last.Amount, RefundID: "re_1", Refund: last.RefundID, PaymentID: "pay_1"})
	s.gateway.settle(t, payment.Outcome{OrderID: last.OrderID, Kind: payment.Paid, Amount: order.Totals.Total, PaymentID: "pay_2"})

	var detail api.OrderDetail
	s.do("GET", path, nil).want(http.StatusOK).into(&detail)
	if detail.State != store.PartlyRefunded || detail.AffiliateID != sh.affiliate.ID || detail.Attribution.Arguments.Reason != attribution.Attributed ||
		len(detail.Refunds) != 1 || detail.Refunds[0].State != store.RefundDone || len(detail.Invoices) != 2 || len(detail.Events) != 6 || len(detail.Reviews) != 1 ||
		detail.ConversionID == "" || len(detail.Entitlements) != 2 || detail.Entitlements[0].RevokedAt == nil {
		t.Errorf("order %+v", detail)
	}
	s.do("GET", "/api/v1/conversions/"+detail.ConversionID, nil).want(http.StatusOK)
	s.do("GET", path+"/invoice.pdf?number="+detail.Invoices[1].Number, nil).want(http.StatusOK)
	for _, query := range []string{"email=BEA@example.com", "number=" + strings.ToLower(order.Number), "transaction=pay_1", "state=partly_refunded", "affiliate_id=" + sh.affiliate.ID} {
		var list api.List[api.Order]
		s.do("GET", "/api/v1/orders?"+query, nil).want(http.StatusOK).into(&list)
		if len(list.Items) != 1 || list.Items[0].ID != order.ID {
			t.Errorf("%s: %+v", query, list)
		}
	}
	var cases api.List[api.OrderReview]
	s.do("GET", "/api/v1/order-reviews?open=true", nil).want(http.StatusOK).into(&cases)
	if len(cases.Items) != 1 || cases.Items[0].Kind != store.ReviewPaidTwice {
		t.Fatalf("cases %+v", cases)
	}
	s.do("POST", "/api/v1/order-reviews/"+cases.Items[0].ID+"/close", map[string]any{"note": "given back"}).want(http.StatusOK)
	s.do("POST", "/api/v1/order-reviews/"+cases.Items[0].ID+"/close", map[string]any{"note": "given back"}).want(http.StatusConflict, "review_closed")
}

func testMyOrders(t *testing.T, s *server, order api.CheckoutOrder) {
	s.inboxes[7], s.inboxes[8] = "bea@example.com", "bob@example.com"
	var list api.List[api.CheckoutOrder]
	s.bearer = s.signIn(7, nil, access.RoleLearner)
	s.do("GET", "/api/v1/me/orders", nil).want(http.StatusOK).into(&list)
	if len(list.Items) != 1 || list.Items[0].ID != order.ID {
		t.Errorf("mine %+v", list)
	}
	s.do("GET", "/api/v1/me/orders/"+order.ID, nil).want(http.StatusOK)
	s.do("GET", "/api/v1/me/orders/"+order.ID+"/invoice.pdf", nil).want(http.StatusOK)
	for _, stranger := range []int64{8, 9} { // another, and one whose address is not verified
		s.bearer = s.signIn(stranger, nil, access.RoleLearner)
		s.do("GET", "/api/v1/me/orders", nil).want(http.StatusOK).into(&list)
		if len(list.Items) != 0 {
			t.Errorf("person %d sees %+v", stranger, list)
		}
		s.do("GET", "/api/v1/me/orders/"+order.ID, nil).want(http.StatusNotFound, "not_found")
		s.do("GET", "/api/v1/me/orders/"+order.ID+"/invoice.pdf", nil).want(http.StatusNotFound, "not_found")
	}
}

func TestProductsAndCoupons(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		p := s.product("a", 100)
		s.do("POST", "/api/v1/products", map[string]any{"slug": "a", "name": "again"}).want(http.StatusConflict, "slug_taken")
		s.do("POST", "/api/v1/products", map[string]any{"slug": "x", "name": "x", "kind": "bundle", "part_ids": []string{p.ID}}).want(http.StatusUnprocessableEntity, "validation_failed")
		s.do("POST", "/api/v1/products", map[string]any{"slug": "x", "name": "x", "prices": []money.Amount{{Minor: 1, Currency: "INR"}, {Minor: 2, Currency: "INR"}}}).want(http.StatusUnprocessableEntity, "validation_failed")
		var got api.Product
		s.do("PATCH", "/api/v1/products/"+p.ID, map[string]any{"name": "A", "hold_days": 45, "prices": []money.Amount{{Minor: 5, Currency: "USD"}}}).want(http.StatusOK).into(&got)
		if got.Name != "A" || *got.HoldDays != 45 || got.Prices[0].Currency != "USD" || len(got.Prices) != 1 || got.Entitlements[0] != "course:a" {
			t.Errorf("changed %+v", got)
		}
		s.do("PATCH", "/api/v1/products/"+p.ID, map[string]any{"hold_days": nil, "status": "archived"}).want(http.StatusOK).into(&got)
		if got.HoldDays != nil || got.Status != store.Archived {
			t.Errorf("changed %+v", got)
		}
		s.do("POST", "/api/v1/checkout/quote", map[string]any{"items": []any{map[string]any{"product_id": p.ID}}, "currency": "USD"}).want(http.StatusUnprocessableEntity, "validation_failed")
		s.do("GET", "/api/v1/products/"+p.ID, nil).want(http.StatusOK)
		var products api.List[api.Product]
		s.do("GET", "/api/v1/products?status=archived", nil).want(http.StatusOK).into(&products)
		if len(products.Items) != 1 {
			t.Errorf("list %+v", products)
		}
		var c api.Coupon
		s.do("POST", "/api/v1/coupons", map[string]any{"code": "flat", "amounts": []money.Amount{{Minor: 50, Currency: "INR"}}, "ends_at": "2026-06-01T00:00:00Z"}).want(http.StatusCreated).into(&c)
		s.do("POST", "/api/v1/coupons", map[string]any{"code": "FLAT", "percent_bp": 1}).want(http.StatusConflict, "coupon_code_taken")
		s.do("POST", "/api/v1/coupons", map[string]any{"code": "none"}).want(http.StatusUnprocessableEntity, "validation_failed")
		s.do("PATCH", "/api/v1/coupons/"+c.ID, map[string]any{"ends_at": nil, "status": "disabled", "max_uses": 3}).want(http.StatusOK).into(&c)
		if c.EndsAt != nil || c.Status != store.CouponDisabled || c.MaxUses != 3 || c.Code != "FLAT" {
			t.Errorf("changed %+v", c)
		}
		s.do("GET", "/api/v1/coupons/"+c.ID, nil).want(http.StatusOK)
		var list api.List[api.Coupon]
		s.do("GET", "/api/v1/coupons?code=flat", nil).want(http.StatusOK).into(&list)
		if len(list.Items) != 1 {
			t.Errorf("list %+v", list)
		}
	})
}

// A gateway that does not answer must not lose the order, or make the buyer order twice.
func TestCheckoutWithoutItsGateway(t *testing.T) {
	s := newServer(t, dbtest.SQLite(t), modules)
	p := s.product("a", 118_000)
	s.gateway.err = errors.New("down")
	s.bearer = ""
	var order api.CheckoutOrder
	s.do("POST", "/api/v1/checkout/orders", checkout(map[string]any{"gateway": "sandbox"}, p)).want(http.StatusCreated).into(&order)
	if order.Payment != nil || order.Token == "" {
		t.Errorf("order %+v", order)
	}
	s.gateway.err = payment.ErrUnknown
	s.do("POST", "/api/v1/checkout/orders/"+order.Token+"/payment", map[string]any{"gateway": "sandbox"}).want(http.StatusServiceUnavailable, "gateway_unavailable")
	s.gateway.err = nil
	s.do("POST", "/api/v1/checkout/orders/"+order.Token+"/payment", map[string]any{"gateway": "sandbox"}).want(http.StatusOK)
	s.clock.add(25 * time.Hour)
	s.do("POST", "/api/v1/checkout/orders/"+order.Token+"/payment", map[string]any{"gateway": "sandbox"}).want(http.StatusConflict, "order_not_payable")
}

func TestCheckoutRefusesNonsense(t *testing.T) {
	s := newServer(t, dbtest.SQLite(t), modules)
	p := s.product("a", 118_000)
	s.bearer = ""
	for name, change := range map[string]map[string]any{
		"email":   {"customer": map[string]any{"email": "ann", "name": "Ann"}},
		"name":    {"customer": map[string]any{"email": "ann@example.com", "name": " "}},
		"state":   {"customer": map[string]any{"email": "ann@example.com", "name": "Ann", "state": "Bavaria"}},
		"gstin":   {"customer": map[string]any{"email": "ann@example.com", "name": "Ann", "gstin": "29AAPFU0939F1ZX"}},
		"country": {"customer": map[string]any{"email": "ann@example.com", "name": "Ann", "country": "I1"}},
		"twice":   {"items": []any{map[string]any{"product_id": p.ID}, map[string]any{"slug": "a"}}},
		"none":    {"items": []any{map[string]any{"slug": "b"}}},
		"both":    {"items": []any{map[string]any{"slug": "a", "product_id": p.ID}}},
	} {
		if got := s.do("POST", "/api/v1/checkout/orders", checkout(change, p)); got.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	var order api.CheckoutOrder
	s.do("POST", "/api/v1/checkout/orders", checkout(map[string]any{"customer": map[string]any{"email": "ann@example.com", "name": "Ann", "gstin": "27AAPFU0939F1ZV"}}, p)).want(http.StatusCreated).into(&order)
	if order.TaxKind != store.InterState || order.Customer.State != "MH" {
		t.Errorf("order %+v", order)
	}
}

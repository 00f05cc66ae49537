package site_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/edgeref/edgeref/core/attribution"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/core/payment"
	"github.com/edgeref/edgeref/core/shop"
)

// From a link to the receipt, without scripts.
func TestPurchase(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.product("sales", 118_000)
		b := w.browser()
		landed := b.get("/products/sales?utm_source=x&cid=" + w.click())
		if landed.status != http.StatusOK || landed.header.Get("Cache-Control") != "private, no-store" || !strings.Contains(landed.header.Get("Set-Cookie"), "er_cid=") {
			t.Fatalf("%d %v", landed.status, landed.header)
		}
		if !strings.Contains(landed.body, "/checkout/sales?click_id=") {
			t.Error("the click does not go on with the visitor")
		}
		sent := b.buy("sales")
		orders := w.orders()
		if sent.status != http.StatusSeeOther || len(orders) != 1 || sent.location() != w.url+"/"+"ord_"+strings.TrimPrefix(sent.location(), w.url+"/ord_") {
			t.Fatalf("%d to %s, %d orders\n%s", sent.status, sent.location(), len(orders), sent.body)
		}
		o := orders[0]
		if o.AffiliateID != w.partner || o.Attribution.Explanation.Reason != attribution.Attributed || o.Buyer.Email != "bea@example.com" || o.Buyer.Region != "MH" || o.State != shop.Pending {
			t.Errorf("%+v", o)
		}
		waiting := b.get("/thank-you/" + o.Token)
		if waiting.status != http.StatusOK || !strings.HasPrefix(waiting.header.Get("Refresh"), "3; url=/thank-you/"+o.Token+"?look=1") || waiting.header.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%d %v", waiting.status, waiting.header)
		}
		w.settle(o, payment.Paid)
		done := b.get("/thank-you/" + o.Token + "?look=1")
		for _, want := range []string{"Thank you, Bea!", o.Number, "₹1,180.00", "IGST 18%", "₹180.00", "₹1,000.00", "Invoice INV/", "/api/v1/checkout/orders/" + o.Token + "/invoice.pdf", "Maharashtra"} {
			if !strings.Contains(done.body, want) {
				t.Errorf("the receipt lacks %q", want)
			}
		}
		if done.header.Get("Refresh") != "" || done.header.Get("Cache-Control") != "private, no-store" || !strings.Contains(done.body, "noindex") {
			t.Errorf("%v", done.header)
		}
	})
}

// A form that is sent twice, also at once, is one order; one that asks for something else is another.
func TestDoubleSubmit(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.product("sales", 118_000)
		w.coupon(shop.Coupon{Code: "ONCE", PercentBP: 1000, MaxUses: 1})
		b := w.browser()
		p := b.get("/checkout/sales?coupon=once")
		form := filled(p, "name", "Bea", "email", "bea@example.com", "country", "IN", "coupon", "once", "gateway", "sandbox", "action", "order")
		var all sync.WaitGroup
		locations := make([]string, 4)
		for i := range locations {
			all.Go(func() { locations[i] = b.do(http.MethodPost, "/checkout/sales", form).location() })
		}
		all.Wait()
		for _, l := range locations {
			if l == "" || l != locations[0] {
				t.Errorf("sent at once: %q", locations)
			}
		}
		if n := len(w.orders()); n != 1 {
			t.Fatalf("%d orders", n)
		}
		w.settle(w.orders()[0], payment.Paid)
		if again := b.do(http.MethodPost, "/checkout/sales", form); again.location() != "/thank-you/"+w.orders()[0].Token {
			t.Errorf("after it was paid: %d to %q", again.status, again.location())
		}
		// The secret of a form is no use in another browser.
		other := w.browser()
		stolen := filled(other.get("/checkout/sales"), "name", "Eve", "email", "eve@example.com", "country", "IN", "gateway", "sandbox", "action", "order")
		stolen.Set("once", form.Get("once"))
		if other.do(http.MethodPost, "/checkout/sales", stolen); len(w.orders()) != 2 {
			t.Errorf("%d orders", len(w.orders()))
		}
	})
}

// Nobody orders at another total than he was shown.
func TestTotalChanges(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		it := w.product("sales", 118_000)
		w.coupon(shop.Coupon{Code: "TENTH", PercentBP: 1000})
		b := w.browser()
		p := b.get("/checkout/sales")
		form := filled(p, "name", "Bea", "email", "bea@example.com", "country", "IN", "gateway", "sandbox", "action", "order")
		if _, err := w.shop.UpdateProduct(t.Context(), it.ID, shop.ProductChange{Prices: map[string]int64{"INR": 236_000}}); err != nil {
			t.Fatal(err)
		}
		p = b.do(http.MethodPost, "/checkout/sales", form)
		if p.status != http.StatusConflict || !strings.Contains(p.body, "The total has changed to ₹2,360.00") || len(w.orders()) != 0 {
			t.Fatalf("%d, %d orders", p.status, len(w.orders()))
		}
		// A coupon that was typed in and not applied changes it too.
		form = filled(p, "name", "Bea", "email", "bea@example.com", "country", "IN", "coupon", "tenth", "gateway", "sandbox", "action", "order")
		if p = b.do(http.MethodPost, "/checkout/sales", form); p.status != http.StatusConflict || !strings.Contains(p.body, "₹2,124.00") || !strings.Contains(p.body, "TENTH is taken off") {
			t.Fatalf("%d\n%s", p.status, p.body)
		}
		form.Set("seen", filled(p).Get("seen"))
		if p = b.do(http.MethodPost, "/checkout/sales", form); p.status != http.StatusSeeOther || w.orders()[0].Totals.Gross != 212_400 {
			t.Fatalf("%d", p.status)
		}
	})
}

func TestCheckoutRefusals(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	w.product("sales", 118_000)
	w.coupon(shop.Coupon{Code: "OVER", PercentBP: 1000, EndsAt: 1000})
	for _, tt := range []struct {
		name   string
		fields []string
		status int
		want   string
	}{
		{"no name", []string{"name", " "}, 422, "Enter your name"},
		{"no address", []string{"email", "bea"}, 422, "Enter an e-mail address"},
		{"bad GSTIN", []string{"gstin", "29AAPFU0939F1Z1"}, 422, "This GSTIN is not right"},
		{"GSTIN of another state", []string{"gstin", sellerGSTIN}, 422, "This GSTIN is not right"},
		{"no such country", []string{"country", "X"}, 422, "Choose a country"},
		{"no such state", []string{"state", "ZZ"}, 422, "Choose a state"},
		{"unknown coupon", []string{"coupon", "NOPE"}, 409, "There is no such coupon"},
		{"old coupon", []string{"coupon", "OVER"}, 409, "not valid any more"},
		{"no gateway", []string{"gateway", ""}, 422, "Choose how you want to pay"},
		{"unknown gateway", []string{"gateway", "barter"}, 422, "Choose how you want to pay"},
		{"too long", []string{"address", strings.Repeat("x", 501)}, 422, "too long"},
		{"no total seen", []string{"seen", ""}, 409, "The total has changed"},
		{"only an update", []string{"action", "update", "name", ""}, 200, "Pay ₹1,180.00"},
		{"an action that there is not", []string{"action", "delete"}, 200, "Pay ₹1,180.00"},
		{"script in the name", []string{"name", `"><script>alert(1)</script>`, "email", "x"}, 422, "&#34;&gt;&lt;script&gt;"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w.t = t
			p := w.browser().buy("sales", tt.fields...)
			if p.status != tt.status || !strings.Contains(p.body, tt.want) || len(w.orders()) != 0 {
				t.Errorf("%d, %d orders; want %d with %q\n%s", p.status, len(w.orders()), tt.status, tt.want, p.body)
			}
			if strings.Contains(p.body, "<script>alert") || p.header.Get("Cache-Control") != "private, no-store" {
				t.Error("the page runs what was sent, or is kept")
			}
			validate(t, p)
		})
	}
}

func TestFormsOfOthers(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	w.product("sales", 118_000)
	b := w.browser()
	form := filled(b.get("/checkout/sales"), "name", "Bea", "email", "bea@example.com", "country", "IN", "gateway", "sandbox", "action", "order")
	for _, tt := range []struct {
		name    string
		b       *browser
		csrf    string
		headers []string
		status  int
	}{
		{"of another site", b, form.Get("csrf"), []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"of another origin", b, form.Get("csrf"), []string{"Origin", "https://evil.example"}, 403},
		{"without the token", b, "", nil, 403},
		{"with another's token", w.browser(), form.Get("csrf"), nil, 403},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sent := url.Values{}
			for k, v := range form {
				sent[k] = v
			}
			sent.Set("csrf", tt.csrf)
			if p := tt.b.do(http.MethodPost, "/checkout/sales", sent, tt.headers...); p.status != tt.status || len(w.orders()) != 0 {
				t.Errorf("%d, %d orders", p.status, len(w.orders()))
			}
		})
	}
	large := url.Values{"csrf": {form.Get("csrf")}, "name": {strings.Repeat("x", 20<<10)}}
	if p := b.do(http.MethodPost, "/checkout/sales", large); p.status != http.StatusBadRequest {
		t.Errorf("a form that is too large: %d", p.status)
	}
}

func TestTooManyForms(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	w.product("sales", 118_000)
	b := w.browser()
	form := filled(b.get("/checkout/sales"), "action", "update")
	last := page{}
	for range 61 {
		last = b.do(http.MethodPost, "/checkout/sales", form)
	}
	if last.status != http.StatusTooManyRequests || last.header.Get("Retry-After") == "" {
		t.Errorf("%d", last.status)
	}
	w.address = netip.MustParseAddr("203.0.113.9")
	if p := b.do(http.MethodPost, "/checkout/sales", form); p.status != http.StatusOK {
		t.Errorf("another's: %d", p.status)
	}
	if n, err := testutil.GatherAndCount(w.registry, "edgeref_site_refused_total"); err != nil || n != 4 {
		t.Errorf("%d reasons", n)
	}
}

func TestStates(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	w.product("sales", 118_000)
	b := w.browser()
	begin := func() shop.Order {
		b.buy("sales", "name", fmt.Sprintf("Bea %d", len(w.orders())))
		return w.orders()[0]
	}
	t.Run("failed, then paid", func(t *testing.T) {
		w.t = t
		o := begin()
		w.settle(o, payment.Failed)
		p := b.get("/thank-you/" + o.Token)
		if !strings.Contains(p.body, "did not go through") || p.header.Get("Refresh") != "" {
			t.Fatalf("%v\n%s", p.header, p.body)
		}
		validate(t, p)
		if p = b.do(http.MethodPost, "/thank-you/"+o.Token, filled(p, "gateway", "sandbox")); p.status != http.StatusSeeOther || !strings.HasPrefix(p.location(), w.url+"/ord_") {
			t.Errorf("again: %d to %s", p.status, p.location())
		}
		if p = b.do(http.MethodPost, "/thank-you/"+o.Token, filled(b.get("/thank-you/"+o.Token), "gateway", "barter")); p.location() != "/thank-you/"+o.Token {
			t.Errorf("by a gateway that there is not: %d to %s", p.status, p.location())
		}
	})
	t.Run("gateway down", func(t *testing.T) {
		w.t = t
		w.pay.err = payment.ErrUnknown
		p := b.buy("sales", "name", "Down")
		w.pay.err = nil
		if p.status != http.StatusSeeOther || !strings.HasSuffix(p.location(), "?problem=payment") {
			t.Fatalf("%d to %s", p.status, p.location())
		}
		if p = b.get(p.location()); !strings.Contains(p.body, "does not answer just now") || p.header.Get("Refresh") != "" {
			t.Errorf("%s", p.body)
		}
		validate(t, p)
	})
	t.Run("looks less often, then no more", func(t *testing.T) {
		w.t = t
		o := begin()
		for look, want := range map[string]string{"": "3;", "11": "3;", "12": "30;", "21": "30;", "22": "", "-5": "3;", "x": "3;", "99999999999999999999": "3;"} {
			if got := b.get("/thank-you/" + o.Token + "?look=" + look).header.Get("Refresh"); !strings.HasPrefix(got, want) || want == "" && got != "" {
				t.Errorf("look %q: %q", look, got)
			}
		}
	})
	t.Run("others", func(t *testing.T) {
		w.t = t
		o := begin()
		for state, want := range map[shop.State]string{
			shop.Expired: "has expired", shop.PartlyRefunded: "A part was refunded", shop.Refunded: "was refunded", shop.Disputed: "is disputed", shop.ChargedBack: "charged back", shop.Created: "waits for its payment",
		} {
			w.exec("UPDATE orders SET state = ? WHERE id = ?", state, o.ID)
			p := b.get("/thank-you/" + o.Token)
			if p.status != http.StatusOK || !strings.Contains(p.body, want) {
				t.Errorf("%s: %d lacks %q", state, p.status, want)
			}
			validate(t, p)
		}
		w.exec("UPDATE orders SET state = ?, name = '', email = '', address = '', erased_at = 1 WHERE id = ?", shop.Paid, o.ID)
		if p := b.get("/thank-you/" + o.Token); p.status != http.StatusOK || strings.Contains(p.body, "Thank you") {
			t.Errorf("erased: %d", p.status)
		}
	})
}

func TestFreeOrder(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	w.product("gift", 0)
	p := w.browser().buy("gift", "gateway", "")
	if p.status != http.StatusSeeOther || p.location() != "/thank-you/"+w.orders()[0].Token || w.orders()[0].State != shop.Paid || w.pay.begun != 0 {
		t.Errorf("%d to %s", p.status, p.location())
	}
}

// The way to a provider elsewhere is a page: of a provider that takes a form, one that its policy lets out to it alone.
func TestWaysOut(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	w.product("sales", 118_000)
	w.pay.names, w.pay.url = []string{"razorpay", "stripe"}, "https://pay.example"
	b := w.browser()
	p := b.buy("sales", "gateway", "stripe")
	o := w.orders()[0]
	if p.location() != "/pay/"+o.Token+"/stripe" {
		t.Fatalf("%d to %s", p.status, p.location())
	}
	p = b.get(p.location())
	if p.status != http.StatusOK || !strings.HasPrefix(p.header.Get("Refresh"), "1; url=https://pay.example/ord_") || strings.Contains(p.header.Get("Content-Security-Policy"), "script-src") {
		t.Errorf("%d %v", p.status, p.header)
	}
	validate(t, p)
	if p = b.get("/pay/" + o.Token + "/razorpay"); p.location() != "/thank-you/"+o.Token {
		t.Errorf("a provider that was not begun: %d to %s", p.status, p.location())
	}
	w.pay.params = map[string]string{"key_id": "rzp_test", "name": `Ann's "shop"`}
	p = b.buy("sales", "gateway", "razorpay", "name", "Another")
	p = b.get(p.location())
	policy := p.header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "form-action https://pay.example; script-src 'self'") || p.header.Get("Refresh") != "" {
		t.Errorf("%s", policy)
	}
	for _, want := range []string{`action="https://pay.example/ord_`, `name="key_id" value="rzp_test"`, `value="Ann&#39;s &#34;shop&#34;"`, `src="/assets/pay-`} {
		if !strings.Contains(p.body, want) {
			t.Errorf("lacks %s\n%s", want, p.body)
		}
	}
	validate(t, p)
	w.settle(w.orders()[0], payment.Paid)
	if p = b.get("/pay/" + w.orders()[0].Token + "/razorpay"); p.location() != "/thank-you/"+w.orders()[0].Token {
		t.Errorf("after it was paid: %d to %s", p.status, p.location())
	}
	w.pay.err = errors.New("the line is dead")
	if p = b.get("/pay/" + o.Token + "/stripe"); p.location() != "/thank-you/"+o.Token+"?problem=payment" {
		t.Errorf("gateway down: %d to %s", p.status, p.location())
	}
}

func TestTokens(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	b := w.browser()
	for _, token := range []string{"x", strings.Repeat("A", 32), strings.Repeat("A", 65), "%27%20OR%201=1--", "%00", "..%2f..%2fetc"} {
		for _, path := range []string{"/thank-you/" + token, "/pay/" + token + "/sandbox"} {
			if p := b.get(path); p.status != http.StatusNotFound || !strings.Contains(p.body, "There is nothing here") {
				t.Errorf("%s: %d", path, p.status)
			}
		}
	}
}

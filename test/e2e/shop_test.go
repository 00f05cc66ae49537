package e2e

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// A visitor comes through a link and buys without scripts: by plain pages, links and forms, up to the invoice. The
// affiliate whose link it was earns.
func TestBuyWithoutScripts(t *testing.T) {
	env := []string{"EDGEREF_ADMIN_TOKEN=" + adminToken, "EDGEREF_SHOP_SELLER_COUNTRY=IN", "EDGEREF_SHOP_SELLER_STATE=KA", "EDGEREF_SHOP_SELLER_TAX_ID=29AAPFU0939F1ZR"}
	p := launch(t, env, "serve", "--data", t.TempDir(), "--tracker-listen", "127.0.0.1:0", "--core-listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0")
	s := &site{t: t, core: p.core}
	machine := &person{site: s, email: "the machine", token: adminToken}
	var program, affiliate, product, link made
	machine.want(http.StatusCreated, http.MethodPost, "/programs", object{"name": "Courses"}, &program)
	machine.want(http.StatusCreated, http.MethodPost, "/commission-rules", object{"program_id": program.ID, "on": "sale", "percent_bp": 7500}, nil)
	machine.want(http.StatusCreated, http.MethodPost, "/affiliates", object{"name": "Asha", "email": "asha@example.com"}, &affiliate)
	machine.want(http.StatusCreated, http.MethodPost, "/products", object{
		"slug": "sales", "name": "Sales training", "description": "Learn to *sell*.", "prices": []object{{"minor": 118_000, "currency": "INR"}}, "tax_bp": 1800, "tax_included": true,
		"program_id": program.ID, "status": "active",
	}, &product)
	machine.want(http.StatusCreated, http.MethodPost, "/coupons", object{"code": "DIWALI20", "percent_bp": 2000}, nil)
	machine.want(http.StatusCreated, http.MethodPost, "/links", object{"program_id": program.ID, "affiliate_id": affiliate.ID, "destination": p.core + "/products/sales"}, &link)

	b := s.browser()
	var landed string
	waitFor(t, 10*time.Second, func() bool {
		landed = b.do(http.MethodGet, p.tracker+"/"+link.Slug, nil).location
		return strings.Contains(landed, "click_id=")
	}, func() string { return "the link does not lead to the product with a click: " + landed })
	page := b.do(http.MethodGet, landed, nil)
	buy := regexp.MustCompile(`href="(/checkout/sales[^"]*)"`).FindStringSubmatch(page.body)
	if page.status != http.StatusOK || buy == nil {
		t.Fatalf("%d\n%s", page.status, page.body)
	}
	page = b.do(http.MethodGet, html.UnescapeString(buy[1]), nil)
	page = b.submit(page, "coupon", "diwali20", "action", "update")
	if !strings.Contains(page.body, "₹944.00") {
		t.Fatalf("the coupon takes nothing off:\n%s", page.body)
	}
	page = b.submit(page, "name", "Bea Rao", "email", "bea@example.com", "country", "IN", "state", "MH", "coupon", "diwali20", "gateway", "sandbox", "action", "order")
	pay, found := strings.CutPrefix(page.location, p.core)
	if page.status != http.StatusSeeOther || !found || !strings.HasPrefix(pay, "/sandbox/pay/") {
		t.Fatalf("%d to %q\n%s", page.status, page.location, page.body)
	}
	page = b.do(http.MethodPost, pay, url.Values{"action": {"pay"}, "copies": {"3"}, "order": {"mixed"}, "delay": {"0"}})
	for i := 0; page.location != "" && i < 5; i++ {
		page = b.do(http.MethodGet, page.location, nil)
	}
	token := regexp.MustCompile(`/thank-you/([A-Za-z0-9_-]{32})`)
	var receipt string
	waitFor(t, 20*time.Second, func() bool {
		if again := token.FindString(page.body); again != "" {
			receipt = again
			page = b.do(http.MethodGet, again, nil)
		}
		return strings.Contains(page.body, "Thank you, Bea!")
	}, func() string { return "the payment does not show:\n" + page.body })
	if !strings.Contains(page.body, "IGST 18%") || !strings.Contains(page.body, "₹144.00") {
		t.Errorf("the receipt does not show the tax:\n%s", page.body)
	}
	invoice := regexp.MustCompile(`href="(/api/v1/checkout/orders/[^"]+/invoice\.pdf[^"]*)"`).FindStringSubmatch(page.body)
	if invoice == nil {
		t.Fatalf("%s has no invoice:\n%s", receipt, page.body)
	}
	if pdf := b.do(http.MethodGet, html.UnescapeString(invoice[1]), nil); pdf.status != http.StatusOK || !strings.HasPrefix(pdf.body, "%PDF") {
		t.Errorf("invoice: %d", pdf.status)
	}
	var commissions struct {
		Items []struct {
			Amount struct {
				Minor int64 `json:"minor"`
			} `json:"amount"`
		} `json:"items"`
	}
	waitFor(t, 20*time.Second, func() bool {
		machine.want(http.StatusOK, http.MethodGet, "/commissions?affiliate_id="+affiliate.ID, nil, &commissions)
		return len(commissions.Items) == 1
	}, func() string { return "no commission" })
	if got := commissions.Items[0].Amount.Minor; got != 60_000 { // 75% of 800.00 without tax
		t.Errorf("commission of %d", got)
	}
}

// What there is not is a page for browsers and a problem for programs.
func TestWhatThereIsNot(t *testing.T) {
	p := launch(t, []string{"EDGEREF_ADMIN_TOKEN=" + adminToken}, "serve", "--data", t.TempDir(), "--tracker-listen", "127.0.0.1:0", "--core-listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0")
	for _, tt := range []struct{ path, accept, want string }{
		{"/nothing", "text/html", "text/html; charset=utf-8"},
		{"/nothing", "*/*", "application/problem+json"},
		{"/api/v1/nothing", "text/html", "application/problem+json"},
		{"/account/nothing", "text/html", "text/html; charset=utf-8"},
		{"/products/nothing", "*/*", "text/html; charset=utf-8"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.core+tt.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept", tt.accept)
		resp, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if got := resp.Header.Get("Content-Type"); resp.StatusCode != http.StatusNotFound || got != tt.want {
			t.Errorf("%s for %s: %d %s", tt.path, tt.accept, resp.StatusCode, got)
		}
	}
}

package shop_test

import (
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/edgeref/edgeref/core/attribution"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/shop"
)

func (f *fixture) exec(t testing.TB, query string, args ...any) {
	t.Helper()
	err := f.db.InTx(t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(t.Context(), query, args...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Who buys for himself is found by his address, whatever its case, and the program says what follows.
func TestSelfPurchase(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		p := f.product(t, "a", 118_000)
		buy := func() (shop.Order, error) { return f.CreateOrder(t.Context(), f.wish(" asha@PARTNER.example ", "", p)) }
		o, err := buy()
		if err != nil || o.AffiliateID != 0 || o.Attribution.Explanation.Reason != attribution.SelfPurchase {
			t.Errorf("by default: %+v, %v", o.Attribution, err)
		}
		f.exec(t, "UPDATE programs SET terms = ?", `{"self_purchases":true}`)
		if o, err = buy(); err != nil || o.AffiliateID != f.affiliate {
			t.Errorf("allowed: %+v, %v", o.Attribution, err)
		}
		f.exec(t, "UPDATE programs SET terms = ?", `{"refuse_self_purchases":true}`)
		if _, err = buy(); !errors.Is(err, shop.ErrSelfPurchase) {
			t.Errorf("refused: %v", err)
		}
		if o := f.order(t, "", p); o.AffiliateID != f.affiliate {
			t.Errorf("another's: %+v", o.Attribution)
		}
		// A second account of the same person, under another address, is bought through: the address of the buyer decides.
		f.exec(t, "UPDATE affiliates SET email = 'other@partner.example'")
		if o, err = buy(); err != nil || o.AffiliateID != f.affiliate {
			t.Errorf("after the address changed: %+v, %v", o.Attribution, err)
		}
	})
}

// A coupon that an affiliate owns says whom the order belongs to, before any click.
func TestCouponAttributes(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		p := f.product(t, "a", 118_000)
		f.coupon(t, shop.Coupon{Code: "ASHA10", PercentBP: 1000, AffiliateID: f.affiliate})
		n := f.wish("ann@example.com", "asha10", p)
		n.Touches = nil
		o, err := f.CreateOrder(t.Context(), n)
		if err != nil || o.AffiliateID != f.affiliate || o.Attribution.Explanation.Source != attribution.ByCoupon || o.Totals.Discount != 11_800 {
			t.Errorf("%+v, %v", o, err)
		}
	})
}

// A bundle's price goes to its parts by their own prices; each bears its own tax, and the longest hold counts.
func TestBundle(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		a := f.product(t, "a", 30_000)
		b := f.product(t, "b", 60_000, func(p *shop.Product) { p.TaxBP, p.TaxCode = 500, "4901" })
		bundle := f.product(t, "both", 70_001, func(p *shop.Product) {
			p.Kind, p.Parts, p.Entitlements, p.HoldDays = shop.Bundle, []int64{a.ID, b.ID}, nil, 90
		})
		o := f.buy(t, "", bundle)
		if len(o.Lines) != 2 || o.Lines[0].List != 23_334 || o.Lines[1].List != 46_667 || o.Lines[0].TaxBP != 1800 || o.Lines[1].TaxBP != 500 || o.Lines[1].BundleID != bundle.ID {
			t.Errorf("lines %+v", o.Lines)
		}
		if codes := f.valid(t, o); !slices.Equal(codes, []string{"course:a", "course:b"}) {
			t.Errorf("entitlements %v", codes)
		}
		var days int64
		if err := f.db.QueryRow(t.Context(), "SELECT MIN(release_at - created_at) FROM commissions").Scan(&days); err != nil || days/86_400_000 != 90 {
			t.Errorf("held for %d ms, %v", days, err)
		}
		if _, err := f.CreateOrder(t.Context(), f.wish("bob@example.com", "", bundle, a)); err == nil {
			t.Error("a product was sold twice in one order")
		}
	})
}

func TestWhatCannotBeSold(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		a := f.product(t, "a", 118_000)
		draft := f.product(t, "draft", 1, func(p *shop.Product) { p.Status = shop.Draft })
		dollars := f.product(t, "dollars", 1, func(p *shop.Product) { p.Prices = map[string]int64{"USD": 1} })
		f.exec(t, "INSERT INTO programs (id, name, status, currency, attribution_window_days, attribution_model, hold_days, allowed_hosts, fallback_url, click_param, browser_conversions, terms, secret, previous_secret, created_at, updated_at, rev) SELECT 7, name, status, currency, attribution_window_days, attribution_model, hold_days, allowed_hosts, fallback_url, click_param, browser_conversions, terms, secret, previous_secret, created_at, updated_at, rev FROM programs")
		other := f.product(t, "other", 1, func(p *shop.Product) { p.ProgramID = 7 })
		for field, products := range map[string][]shop.Product{"items": {a, draft}, "currency": {a, dollars}} {
			_, err := f.CreateOrder(t.Context(), f.wish("ann@example.com", "", products...))
			wantField(t, err, field)
		}
		if _, err := f.CreateOrder(t.Context(), f.wish("ann@example.com", "", a, other)); !errors.Is(err, shop.ErrMixedPrograms) {
			t.Errorf("two programs: %v", err)
		}
		f.coupon(t, shop.Coupon{Code: "LATER", PercentBP: 1, StartsAt: f.millis.Load() + 1})
		f.coupon(t, shop.Coupon{Code: "OVER", PercentBP: 1, EndsAt: f.millis.Load()})
		f.coupon(t, shop.Coupon{Code: "OFF", PercentBP: 1, Status: shop.CouponDisabled})
		f.coupon(t, shop.Coupon{Code: "OTHERS", PercentBP: 1000, Products: []int64{other.ID}})
		f.coupon(t, shop.Coupon{Code: "DOLLARS", Amounts: map[string]int64{"USD": 1}})
		for code, want := range map[string]shop.CouponReason{
			"later": shop.CouponNotYet, "over": shop.CouponOver, "off": shop.CouponUnknown, "none": shop.CouponUnknown, "others": shop.CouponNotForThis, "dollars": shop.CouponNotForThis,
		} {
			var coupon *shop.CouponError
			n := f.wish("ann@example.com", code, a)
			if _, err := f.CreateOrder(t.Context(), n); !errors.As(err, &coupon) || coupon.Reason != want {
				t.Errorf("%s: %v", code, err)
			}
			if q, err := f.Quote(t.Context(), n.Cart); err != nil || q.CouponError != want || q.Totals.Gross != 118_000 {
				t.Errorf("quote with %s: %+v, %v", code, q, err)
			}
		}
		for field, change := range map[string]func(p *shop.Product){
			"slug": func(p *shop.Product) { p.Slug = "A b" }, "name": func(p *shop.Product) { p.Name = " " }, "tax_bp": func(p *shop.Product) { p.TaxBP = 10_001 },
			"prices": func(p *shop.Product) { p.Prices = map[string]int64{"INR": -1} }, "program_id": func(p *shop.Product) { p.ProgramID = 1 },
			"parts": func(p *shop.Product) { p.Kind, p.Entitlements, p.Parts = shop.Bundle, nil, []int64{a.ID, 1} }, "hold_days": func(p *shop.Product) { p.HoldDays = 366 },
			"entitlements": func(p *shop.Product) { p.Entitlements = []string{"x", "x"} }, "status": func(p *shop.Product) { p.Status = "sold" },
		} {
			p := shop.Product{Slug: "new", Name: "n", Prices: map[string]int64{"INR": 1}, HoldDays: shop.NoHold}
			change(&p)
			_, err := f.CreateProduct(t.Context(), p)
			wantField(t, err, field)
		}
	})
}

// Nobody changes the story of an order, or an invoice, not even in the database.
func TestHistoryIsAppendOnly(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.buy(t, "", f.product(t, "a", 118_000))
		for _, query := range []string{"UPDATE order_events SET detail = 'x'", "DELETE FROM order_events", "UPDATE invoices SET total_minor = 1", "DELETE FROM invoices"} {
			err := f.db.InTx(t.Context(), func(tx *db.Tx) error {
				_, err := tx.Exec(t.Context(), query)
				return err
			})
			if err == nil {
				t.Errorf("%s has worked", query)
			}
		}
		f.exec(t, "UPDATE order_lines SET list_minor = list_minor + 1")
		if list, err := f.Orders(t.Context(), shop.OrderFilter{Limit: 1}); err != nil || len(list) != 1 {
			t.Fatal(err)
		} else if _, err := f.Order(t.Context(), list[0].ID); err == nil {
			t.Error("an order whose lines do not add up was read")
		}
	})
}

// An order under a token of the caller's is made once, however often and at once it is asked for.
func TestCreateOrderAgain(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		p := f.product(t, "a", 118_000)
		f.coupon(t, shop.Coupon{Code: "ONCE", PercentBP: 1000, MaxUses: 1})
		n := f.wish("ann@example.com", "once", p)
		n.Token = shop.TokenOf("secret", "a", "b")
		const askers = 6
		orders, failures := make([]shop.Order, askers), make([]error, askers)
		var all sync.WaitGroup
		for i := range askers {
			all.Go(func() { orders[i], failures[i] = f.CreateOrder(t.Context(), n) })
		}
		all.Wait()
		for i, o := range orders {
			if failures[i] != nil || o.ID != orders[0].ID || o.Token != n.Token {
				t.Errorf("asked at once: order %d, %v", o.ID, failures[i])
			}
		}
		f.settle(t, paid(orders[0], "pay_1"))
		if o, err := f.CreateOrder(t.Context(), n); err != nil || o.ID != orders[0].ID || o.State != shop.Paid {
			t.Errorf("asked after it was paid: %s, %v", o.State, err)
		}
		n.Cart.Coupon, n.Token = "", shop.TokenOf("secret", "a", "c")
		if o, err := f.CreateOrder(t.Context(), n); err != nil || o.ID == orders[0].ID {
			t.Errorf("asked for something else: %v", err)
		}
	})
}

func TestTokenOf(t *testing.T) {
	seen := map[string]bool{}
	for _, parts := range [][]string{{}, {""}, {"ab"}, {"a", "b"}, {"", "ab"}} {
		token := shop.TokenOf("secret", parts...)
		if len(token) != 32 || seen[token] {
			t.Errorf("%q: %q", parts, token)
		}
		seen[token] = true
	}
	if shop.TokenOf("other", "ab") == shop.TokenOf("secret", "ab") {
		t.Error("the secret does not matter")
	}
}

func TestCountryOfBuyer(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		p := f.product(t, "a", 118_000)
		for _, country := range []string{"I", "IND", "1N", "é"} {
			var invalid *shop.InvalidError
			cart := shop.Cart{Items: []shop.Item{{ID: p.ID}}, Buyer: shop.Buyer{Country: country}}
			if _, err := f.Quote(t.Context(), cart); !errors.As(err, &invalid) || invalid.Fields[0].Field != "customer.country" {
				t.Errorf("%q: %v", country, err)
			}
		}
	})
}

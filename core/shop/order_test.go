package shop_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/edgeref/edgeref/core/attribution"
	"github.com/edgeref/edgeref/core/payment"
	"github.com/edgeref/edgeref/core/shop"
	"github.com/edgeref/edgeref/wire/money"
)

// An order through an affiliate's link, paid once however often that is told, with all that follows.
func TestOrderIsPaid(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		a, b := f.product(t, "a", 118_000), f.product(t, "b", 50_000, func(p *shop.Product) { p.TaxIncluded = false })
		o := f.order(t, "", a, b)
		// 1,180 holds 180 of tax; 500 has 90 on top.
		if want := (shop.Totals{List: 168_000, Net: 150_000, Tax: shop.Tax{Total: 27_000, CGST: 13_500, SGST: 13_500}, Gross: 177_000}); o.Totals != want {
			t.Errorf("totals %+v", o.Totals)
		}
		if o.State != shop.Created || o.AffiliateID != f.affiliate || o.Attribution.Explanation.Reason != attribution.Attributed || o.TaxKind != shop.IntraState {
			t.Errorf("order %+v", o)
		}
		if err := f.Begin(t.Context(), o.ID, "sandbox"); err != nil {
			t.Fatal(err)
		}
		pay, err := f.Payable(t.Context(), o.ID)
		if err != nil || pay.Amount.Minor != 177_000 || pay.ReturnURL != "https://shop.example.com/thanks/"+o.Token {
			t.Errorf("%+v, %v", pay, err)
		}
		for range 3 {
			f.settle(t, paid(o, "pay_1"))
		}
		got := f.reread(t, o)
		if got.State != shop.Paid || got.PaymentID != "pay_1" || got.ConversionID == 0 || got.Totals != o.Totals {
			t.Errorf("order %+v", got)
		}
		if kinds := f.story(t, o); !slices.Equal(kinds, []shop.EventKind{shop.EventCreated, shop.EventBegun, shop.EventPaid}) {
			t.Errorf("story %v", kinds)
		}
		if b := f.balances(t); b != "pending 1125.00 INR;" { // 75 % of the net 1,500
			t.Errorf("balances %s", b)
		}
		docs := f.documents(t, o)
		if len(docs) != 1 || docs[0].Number != "INV/25-26/000001" || docs[0].Total.Minor != 177_000 || docs[0].Snapshot.Date != "2026-03-31" {
			t.Errorf("documents %+v", docs)
		}
		if codes := f.valid(t, o); !slices.Equal(codes, []string{"course:a", "course:b"}) {
			t.Errorf("entitlements %v", codes)
		}
		if len(f.mails.sent) != 1 || f.mails.sent[0].To != "ann@example.com" || f.mails.sent[0].Amounts["Amount"] != (money.Amount{Minor: 177_000, Currency: "INR"}) {
			t.Errorf("mails %+v", f.mails.sent)
		}
		if _, err := f.Payable(t.Context(), o.ID); !errors.Is(err, payment.ErrNotPayable) {
			t.Errorf("payable again: %v", err)
		}
		if err := f.Begin(t.Context(), o.ID, "sandbox"); !errors.Is(err, payment.ErrNotPayable) {
			t.Errorf("begun again: %v", err)
		}
		f.verify(t)
	})
}

// Money that does not fit is kept for people: it neither delivers nor vanishes.
func TestMoneyThatDoesNotFit(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		p := f.product(t, "a", 118_000)
		for name, c := range map[string]struct {
			change func(o *payment.Outcome)
			kind   shop.ReviewKind
		}{
			"too little":     {func(o *payment.Outcome) { o.Amount.Minor-- }, shop.ReviewWrongAmount},
			"too much":       {func(o *payment.Outcome) { o.Amount.Minor++ }, shop.ReviewWrongAmount},
			"wrong currency": {func(o *payment.Outcome) { o.Amount.Currency = "USD" }, shop.ReviewWrongCurrency},
		} {
			o := f.order(t, "", p)
			out := paid(o, "odd "+name)
			c.change(&out)
			f.settle(t, out)
			f.settle(t, out)
			if got := f.reread(t, o); got.State != shop.Created || !slices.Equal(f.reviews(t, o), []shop.ReviewKind{c.kind}) || len(f.documents(t, o)) != 0 {
				t.Errorf("%s: %s, %v", name, got.State, f.reviews(t, o))
			}
			f.settle(t, paid(o, "right "+name)) // and then the right one
			if got := f.reread(t, o); got.State != shop.Paid {
				t.Errorf("%s: then %s", name, got.State)
			}
		}
		o := f.buy(t, "", p)
		f.settle(t, paid(o, "second"))
		if got := f.reread(t, o); got.PaymentID == "second" || !slices.Equal(f.reviews(t, o), []shop.ReviewKind{shop.ReviewPaidTwice}) || len(f.documents(t, o)) != 1 {
			t.Errorf("paid twice: %+v, %v", got, f.reviews(t, o))
		}
		list, err := f.Reviews(t.Context(), shop.ReviewFilter{Open: true, Limit: 10})
		if err != nil || len(list) != 4 {
			t.Fatalf("%d cases, %v", len(list), err)
		}
		r, err := f.CloseReview(t.Context(), list[0].ID, "given back")
		if err != nil || r.ResolvedAt == 0 || r.ResolvedBy != "system" {
			t.Errorf("%+v, %v", r, err)
		}
		if _, err := f.CloseReview(t.Context(), list[0].ID, "again"); !errors.Is(err, shop.ErrReviewClosed) {
			t.Errorf("closed again: %v", err)
		}
		if err := f.trySettle(t.Context(), payment.Outcome{OrderID: 1, Kind: payment.Paid}); !errors.Is(err, payment.ErrNoOrder) {
			t.Errorf("no order: %v", err)
		}
		f.settle(t, payment.Outcome{OrderID: o.ID, Kind: "vanished"})
		if kinds := f.reviews(t, o); kinds[0] != shop.ReviewUnknown {
			t.Errorf("cases %v", kinds)
		}
		f.verify(t)
	})
}

// An order that failed or expired is delivered if the money comes after all; its coupon then counts again.
func TestLatePayment(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		p := f.product(t, "a", 118_000)
		f.coupon(t, shop.Coupon{Code: "ONCE", PercentBP: 1000, MaxUses: 1})
		o := f.order(t, "once", p)
		f.settle(t, payment.Outcome{OrderID: o.ID, Kind: payment.Failed, Gateway: "sandbox", PaymentID: "pay_0", Reason: "card declined"})
		if got := f.reread(t, o); got.State != shop.Failed {
			t.Errorf("state %s", got.State)
		}
		if _, err := f.CreateOrder(t.Context(), f.wish("bob@example.com", "ONCE", p)); !errors.As(err, new(*shop.CouponError)) {
			t.Errorf("coupon used up: %v", err)
		}
		f.advance(24 * time.Hour)
		if err := f.Begin(t.Context(), o.ID, "sandbox"); !errors.Is(err, payment.ErrNotPayable) {
			t.Errorf("begun after its time: %v", err)
		}
		for want := range 2 {
			if n, err := f.ExpireDue(t.Context()); err != nil || n != 1-want {
				t.Errorf("%d expired, %v", n, err)
			}
		}
		second, err := f.CreateOrder(t.Context(), f.wish("bob@example.com", "ONCE", p)) // the use came back
		if err != nil {
			t.Fatal(err)
		}
		f.settle(t, paid(o, "pay_1"))
		got := f.reread(t, o)
		if got.State != shop.Paid || !slices.Equal(f.reviews(t, o), []shop.ReviewKind{shop.ReviewPaidLate}) || len(f.documents(t, o)) != 1 {
			t.Errorf("%s, %v", got.State, f.reviews(t, o))
		}
		if c, err := f.Coupon(t.Context(), o.CouponID); err != nil || c.Used != 2 {
			t.Errorf("used %d, %v", c.Used, err)
		}
		f.settle(t, payment.Outcome{OrderID: o.ID, Kind: payment.Failed, Gateway: "sandbox", PaymentID: "pay_0"}) // out of order
		if got := f.reread(t, o); got.State != shop.Paid {
			t.Errorf("state %s", got.State)
		}
		want := []shop.EventKind{shop.EventCreated, shop.EventFailed, shop.EventExpired, shop.EventPaid, shop.EventReview, shop.EventFailed}
		if kinds := f.story(t, o); !slices.Equal(kinds, want) {
			t.Errorf("story %v", kinds)
		}
		if second.CouponID != o.CouponID {
			t.Error("another coupon")
		}
	})
}

func TestFreeOrderIsPaidAtOnce(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		p := f.product(t, "a", 118_000)
		f.coupon(t, shop.Coupon{Code: "GIFT", PercentBP: 10_000})
		o := f.order(t, "gift", p)
		if o.State != shop.Paid || o.Totals.Gross != 0 || f.reread(t, o).State != shop.Paid || len(f.valid(t, o)) != 1 || len(f.documents(t, o)) != 1 {
			t.Errorf("%+v", o)
		}
		if b := f.balances(t); b != "" {
			t.Errorf("balances %s", b)
		}
		if _, err := f.Refund(t.Context(), o.ID, shop.RefundWish{Reason: "x"}); !errors.Is(err, shop.ErrNoGateway) {
			t.Errorf("refund: %v", err)
		}
	})
}

// Eight pay at once, some twice: every invoice number once, none left out, on both databases.
func TestInvoicesHaveNoGaps(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		p := f.product(t, "a", 118_000)
		const payers, each = 8, 6
		orders := make([]shop.Order, payers*each)
		for i := range orders {
			o, err := f.CreateOrder(t.Context(), f.wish(fmt.Sprintf("buyer%d@example.com", i%5), "", p))
			if err != nil {
				t.Fatal(err)
			}
			orders[i] = o
		}
		var wg sync.WaitGroup
		errs := make([]error, payers)
		for w := range payers {
			wg.Go(func() {
				for i := range each {
					o := orders[w*each+i]
					other := orders[(w*each+i+each)%len(orders)] // which somebody else pays too, by the same payment
					errs[w] = errors.Join(errs[w], f.trySettle(t.Context(), paid(o, "pay_"+o.Number)), f.trySettle(t.Context(), paid(other, "pay_"+other.Number)))
				}
			})
		}
		wg.Wait()
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
		var numbers []string
		for _, o := range orders {
			docs := f.documents(t, o)
			if len(docs) != 1 {
				t.Fatalf("%d documents", len(docs))
			}
			numbers = append(numbers, docs[0].Number)
		}
		slices.Sort(numbers)
		for i, n := range numbers {
			if want := fmt.Sprintf("INV/25-26/%06d", i+1); n != want {
				t.Fatalf("number %d is %s", i+1, n)
			}
		}
		f.verify(t)
	})
}

// The last uses of a coupon go to as many as there are, however many ask at once.
func TestCouponsAreNotOverused(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		p := f.product(t, "a", 118_000)
		c := f.coupon(t, shop.Coupon{Code: "FIRST10", Amounts: map[string]int64{"INR": 10_000}, MaxUses: 5, MaxPerCustomer: 1})
		var wg sync.WaitGroup
		var mu sync.Mutex
		got := map[shop.CouponReason]int{}
		for i := range 16 {
			wg.Go(func() {
				_, err := f.CreateOrder(t.Context(), f.wish(fmt.Sprintf("buyer%d@example.com", i%8), "first10", p))
				var coupon *shop.CouponError
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					got[""]++
				case errors.As(err, &coupon):
					got[coupon.Reason]++
				default:
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if got[""] != 5 || got[shop.CouponUsedUp]+got[shop.CouponUsedByBuyer] != 11 {
			t.Errorf("outcomes %v", got)
		}
		if c, err := f.Coupon(t.Context(), c.ID); err != nil || c.Used != 5 {
			t.Errorf("used %d, %v", c.Used, err)
		}
	})
}

func TestErasure(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		p := f.product(t, "a", 118_000)
		o := f.buy(t, "", p)
		c, err := f.ExportContact(t.Context(), " ANN@example.com")
		if err != nil || len(c.Orders) != 1 || len(c.Orders[0].Lines) != 1 || len(c.Entitlements) != 1 {
			t.Fatalf("%+v, %v", c, err)
		}
		f.erase(t, "Ann@Example.com", 1)
		f.erase(t, "ann@example.com", 0)
		got := f.reread(t, o)
		if got.Buyer.Email != "" || got.Buyer.Name != "" || got.ErasedAt == 0 || got.Totals != o.Totals {
			t.Errorf("%+v", got)
		}
		// A refund afterwards works, writes to nobody, and its credit note names who the invoice named.
		f.settle(t, payment.Outcome{OrderID: o.ID, Kind: payment.Refunded, Amount: money.Amount{Minor: 118_000, Currency: "INR"}, Gateway: "sandbox", RefundID: "r"})
		docs := f.documents(t, o)
		if len(docs) != 2 || docs[1].Snapshot.Buyer.Name != "Ann" || docs[1].Snapshot.Against != docs[0].Number || len(f.mails.sent) != 1 {
			t.Errorf("%+v", docs)
		}
		f.story(t, o)
	})
}

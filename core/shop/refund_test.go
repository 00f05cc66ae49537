package shop_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/core/invoice"
	"github.com/edgeref/edgeref/core/payment"
	"github.com/edgeref/edgeref/core/shop"
	"github.com/edgeref/edgeref/wire/money"
)

func back(o shop.Order, kind payment.Kind, minor int64, ref string) payment.Outcome {
	out := payment.Outcome{OrderID: o.ID, Kind: kind, Amount: money.Amount{Minor: minor, Currency: o.Currency}, Gateway: "sandbox", PaymentID: o.PaymentID}
	switch kind {
	case payment.Refunded, payment.RefundFailed:
		out.RefundID = ref
	default:
		out.DisputeID = ref
	}
	return out
}

// A line goes back, then the rest: the tax by line, the commission at its rate, the entitlement with the line.
func TestRefunds(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		a, b := f.product(t, "a", 118_000), f.product(t, "b", 59_000)
		o := f.buy(t, "", a, b)
		r, err := f.Refund(t.Context(), o.ID, shop.RefundWish{Lines: []shop.RefundLine{{LineID: o.Lines[1].ID}}, Reason: "not as described"})
		if err != nil || r.Amount != 59_000 || r.State != shop.RefundRequested || len(f.asked) == 0 || f.asked[0].Amount.Minor != 59_000 {
			t.Fatalf("%+v, %v, asked %+v", r, err, f.asked)
		}
		if got := f.reread(t, o); got.State != shop.Paid || got.Refunded != 0 || f.balances(t) != "pending 1125.00 INR;" {
			t.Errorf("before the gateway has said so: %+v", got)
		}
		// What is asked for is reserved.
		if _, err := f.Refund(t.Context(), o.ID, shop.RefundWish{Amount: 118_001, Reason: "x"}); !errors.Is(err, shop.ErrNothingLeft) {
			t.Errorf("too much: %v", err)
		}
		if _, err := f.Refund(t.Context(), o.ID, shop.RefundWish{Lines: []shop.RefundLine{{LineID: o.Lines[1].ID, Gross: 1}}, Reason: "x"}); !errors.Is(err, shop.ErrNothingLeft) {
			t.Errorf("line twice: %v", err)
		}
		done := back(o, payment.Refunded, 59_000, "re_1")
		done.Refund = r.ID
		for range 2 {
			f.settle(t, done)
		}
		if got := f.reread(t, o); got.State != shop.PartlyRefunded || got.Refunded != 59_000 {
			t.Errorf("%+v", got)
		}
		if b := f.balances(t); b != "pending 750.00 INR;" {
			t.Errorf("balances %s", b)
		}
		if codes := f.valid(t, o); !slices.Equal(codes, []string{"course:a"}) {
			t.Errorf("entitlements %v", codes)
		}
		// The rest, at the gateway, in two parts.
		f.settle(t, back(o, payment.Refunded, 17_999, "re_2"))
		f.settle(t, back(o, payment.Refunded, 100_001, "re_3"))
		f.settle(t, back(o, payment.Refunded, 1, "re_4")) // of nothing
		if got := f.reread(t, o); got.State != shop.Refunded || got.Refunded != got.Totals.Gross {
			t.Errorf("%+v", got)
		}
		if b := f.balances(t); b != "" || len(f.valid(t, o)) != 0 {
			t.Errorf("balances %s, entitlements %v", b, f.valid(t, o))
		}
		if kinds := f.reviews(t, o); !slices.Equal(kinds, []shop.ReviewKind{shop.ReviewExcessRefund}) {
			t.Errorf("cases %v", kinds)
		}
		docs := f.documents(t, o)
		if len(docs) != 4 || docs[1].Number != "CN/25-26/000001" || docs[3].Number != "CN/25-26/000003" || docs[1].Snapshot.Reason != "not as described" {
			t.Errorf("documents %+v", docs)
		}
		if _, err := f.Refund(t.Context(), o.ID, shop.RefundWish{Reason: "x"}); !errors.Is(err, shop.ErrState) {
			t.Errorf("refund of nothing: %v", err)
		}
		f.verify(t)
		f.story(t, o)
	})
}

func TestRefundThatFails(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		o := f.buy(t, "", f.product(t, "a", 118_000))
		r, err := f.Refund(t.Context(), o.ID, shop.RefundWish{Reason: "x"})
		if err != nil {
			t.Fatal(err)
		}
		failed := back(o, payment.RefundFailed, 118_000, "")
		failed.Refund = r.ID
		for range 2 {
			f.settle(t, failed)
		}
		list, err := f.Refunds(t.Context(), o.ID)
		if err != nil || len(list) != 1 || list[0].State != shop.RefundFailed {
			t.Errorf("%+v, %v", list, err)
		}
		if _, err := f.Refund(t.Context(), o.ID, shop.RefundWish{Amount: 118_000, Reason: "again"}); err != nil {
			t.Errorf("its amount is not free again: %v", err)
		}
		list, _ = f.Refunds(t.Context(), o.ID)
		done := back(o, payment.Refunded, 118_000, "re_1")
		done.Refund = list[1].ID
		f.settle(t, done)
		// And the bank sends it back: nobody but people can know what to do.
		done.Kind = payment.RefundFailed
		f.settle(t, done)
		if kinds := f.reviews(t, o); !slices.Equal(kinds, []shop.ReviewKind{shop.ReviewRefundReturned}) || f.reread(t, o).State != shop.Refunded {
			t.Errorf("cases %v", kinds)
		}
		f.story(t, o)
	})
}

// What the gateway gave back counts, not what was asked for.
func TestRefundOfAnotherAmount(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		o := f.buy(t, "", f.product(t, "a", 118_000))
		r, err := f.Refund(t.Context(), o.ID, shop.RefundWish{Reason: "x"})
		if err != nil {
			t.Fatal(err)
		}
		done := back(o, payment.Refunded, 11_800, "re_1")
		done.Refund = r.ID
		for range 2 {
			f.settle(t, done)
		}
		if got := f.reread(t, o); got.State != shop.PartlyRefunded || got.Refunded != 11_800 || len(f.documents(t, o)) != 2 {
			t.Errorf("%+v", got)
		}
	})
}

// A dispute takes the commission at once, and gives it back if it is won; the goods stay until it is lost.
func TestDisputes(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		o := f.buy(t, "", f.product(t, "a", 118_000))
		open := back(o, payment.DisputeOpened, 118_000, "dp_1")
		for range 2 {
			f.settle(t, open)
		}
		if got := f.reread(t, o); got.State != shop.Disputed || got.Refunded != 118_000 || f.balances(t) != "" || len(f.valid(t, o)) != 1 {
			t.Errorf("opened: %+v, %s", got, f.balances(t))
		}
		if _, err := f.Refund(t.Context(), o.ID, shop.RefundWish{Reason: "x"}); !errors.Is(err, shop.ErrState) {
			t.Errorf("refund meanwhile: %v", err)
		}
		won := back(o, payment.DisputeWon, 118_000, "dp_1")
		for range 2 {
			f.settle(t, won)
		}
		if got := f.reread(t, o); got.State != shop.Paid || got.Refunded != 0 || len(f.documents(t, o)) != 1 || f.balances(t) != "pending 750.00 INR;" {
			t.Errorf("won: %+v, %s", got, f.balances(t))
		}
		f.settle(t, back(o, payment.DisputeOpened, 118_000, "dp_2"))
		lost := back(o, payment.DisputeLost, 118_000, "dp_2")
		for range 2 {
			f.settle(t, lost)
		}
		if got := f.reread(t, o); got.State != shop.ChargedBack || len(f.valid(t, o)) != 0 || len(f.documents(t, o)) != 2 {
			t.Errorf("lost: %+v", got)
		}
		f.settle(t, back(o, payment.DisputeOpened, 118_000, "dp_3")) // about nothing
		f.settle(t, back(o, payment.DisputeLost, 118_000, "dp_4"))   // never opened
		kinds := f.reviews(t, o)
		if !slices.Equal(kinds, []shop.ReviewKind{shop.ReviewDispute, shop.ReviewDispute}) {
			t.Errorf("cases %v", kinds)
		}
		f.verify(t)
		f.story(t, o)
	})
}

// Whatever gateways tell, in whatever order and however often: no order gives back more than it took, its lines add up, its
// story is one path of the state machine, and the documents have numbers without gaps that add up to what was taken.
func TestAnySequence(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d)
		products := []shop.Product{f.product(t, "a", 99_999), f.product(t, "b", 4_999, func(p *shop.Product) { p.TaxIncluded = false }), f.product(t, "free", 0)}
		f.coupon(t, shop.Coupon{Code: "TEN", PercentBP: 1000})
		n := 0
		rapid.Check(t, func(rt *rapid.T) {
			n++
			coupon := rapid.SampledFrom([]string{"", "TEN"}).Draw(rt, "coupon")
			o := f.order(t, coupon, products[:rapid.IntRange(1, 3).Draw(rt, "products")]...)
			for range rapid.IntRange(1, 12).Draw(rt, "steps") {
				f.step(t, rt, o)
			}
			f.checkOrder(t, o)
		})
		f.checkNumbers(t)
		f.verify(t)
		if n < 50 {
			t.Errorf("%d orders only", n)
		}
	})
}

// step is anything that may happen to an order.
func (f *fixture) step(t *testing.T, rt *rapid.T, o shop.Order) {
	total := o.Totals.Gross
	amount := rapid.OneOf(rapid.Just(total), rapid.Int64Range(1, max(total, 2))).Draw(rt, "amount")
	ref := fmt.Sprint(o.Number, rapid.IntRange(0, 2).Draw(rt, "ref"))
	kind := rapid.SampledFrom([]payment.Kind{
		payment.Paid, payment.Paid, payment.Paid, payment.Failed, payment.Refunded, payment.Refunded, payment.RefundFailed, payment.DisputeOpened, payment.DisputeWon, payment.DisputeLost,
		"wish", "begin", "expire",
	}).Draw(rt, "kind")
	out := back(o, kind, amount, ref)
	out.PaymentID = ref
	switch kind {
	case payment.Paid:
		out.DisputeID = ""
		if rapid.IntRange(0, 4).Draw(rt, "right") > 0 {
			out.Amount.Minor = total
		}
	case payment.Failed:
		out.DisputeID = ""
	case payment.Refunded, payment.RefundFailed:
		if list, err := f.Refunds(t.Context(), o.ID); err == nil && len(list) > 0 && rapid.Bool().Draw(rt, "ours") {
			r := list[rapid.IntRange(0, len(list)-1).Draw(rt, "refund")]
			if r.Kind == shop.RefundByShop {
				out.Refund, out.RefundID, out.Amount.Minor = r.ID, fmt.Sprint("re_", r.ID), r.Amount
			}
		}
	case "wish":
		_, err := f.Refund(t.Context(), o.ID, shop.RefundWish{Amount: amount, Reason: "x"})
		if err != nil && !errors.Is(err, shop.ErrState) && !errors.Is(err, shop.ErrNothingLeft) && !errors.Is(err, shop.ErrNoGateway) {
			rt.Fatal(err)
		}
		return
	case "begin":
		if err := f.Begin(t.Context(), o.ID, "sandbox"); err != nil && !errors.Is(err, payment.ErrNotPayable) {
			rt.Fatal(err)
		}
		return
	case "expire":
		f.advance(25 * time.Hour)
		if _, err := f.ExpireDue(t.Context()); err != nil {
			rt.Fatal(err)
		}
		return
	}
	if err := f.trySettle(t.Context(), out); err != nil {
		rt.Fatal(err)
	}
}

func (f *fixture) checkOrder(t *testing.T, o shop.Order) {
	t.Helper()
	f.story(t, o)
	got := f.reread(t, o)
	refunds, err := f.Refunds(t.Context(), o.ID)
	if err != nil {
		t.Fatal(err)
	}
	var taken, lost, reserved int64
	perLine := map[int64]int64{}
	for _, r := range refunds {
		var parts int64
		for _, l := range r.Lines {
			parts += l.Gross
			if r.State == shop.RefundDone || r.State == shop.RefundHeld {
				perLine[l.LineID] += l.Gross
				if l.Net+l.Tax.Total != l.Gross {
					t.Errorf("refund line %+v", l)
				}
			}
		}
		if parts != r.Amount {
			t.Errorf("refund %+v does not add up", r)
		}
		switch r.State {
		case shop.RefundDone:
			taken, lost = taken+r.Amount, lost+r.Amount
		case shop.RefundHeld:
			taken += r.Amount
		case shop.RefundRequested:
			reserved += r.Amount
		}
	}
	if got.Refunded != taken || taken+reserved > got.Totals.Gross {
		t.Errorf("order %+v gave back %d and reserves %d", got, taken, reserved)
	}
	for _, l := range got.Lines {
		if perLine[l.ID] > l.Gross {
			t.Errorf("line %+v gave back %d", l, perLine[l.ID])
		}
	}
	var invoiced, credited int64
	for _, d := range f.documents(t, o) {
		if d.Kind == invoice.KindInvoice {
			invoiced += d.Total.Minor
		} else {
			credited += d.Total.Minor
		}
	}
	if want := got.Totals.Gross; got.PaidAt != 0 && invoiced != want || got.PaidAt == 0 && invoiced != 0 || credited != lost {
		t.Errorf("%s: invoiced %d of %d, credited %d of %d", got.State, invoiced, want, credited, lost)
	}
	if valid := len(f.valid(t, o)) > 0; valid != (got.PaidAt != 0 && lost < got.Totals.Gross || got.PaidAt != 0 && got.Totals.Gross == 0) {
		t.Errorf("%s after %d lost: entitled %v", got.State, lost, valid)
	}
}

// checkNumbers looks that each series goes from 1 to its last number.
func (f *fixture) checkNumbers(t *testing.T) {
	t.Helper()
	var gaps int
	err := f.db.QueryRow(t.Context(), `SELECT COUNT(*) FROM (SELECT series, year, COUNT(*) AS n, MIN(seq) AS low, MAX(seq) AS high FROM invoices GROUP BY series, year) s
		WHERE low <> 1 OR high <> n OR high <> (SELECT last FROM invoice_series i WHERE i.series = s.series AND i.year = s.year)`).Scan(&gaps)
	if err != nil || gaps != 0 {
		t.Errorf("%d series with gaps, %v", gaps, err)
	}
}

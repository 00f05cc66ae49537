package conversion_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/edgeref/edgeref/core/attribution"
	"github.com/edgeref/edgeref/core/commission"
	"github.com/edgeref/edgeref/core/conversion"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/wire/click"
	wire "github.com/edgeref/edgeref/wire/conversion"
	"github.com/edgeref/edgeref/wire/money"
)

func amount(minor int64) *money.Amount { a := inr(minor); return &a }

// sponsored gives b's affiliate sponsors, the nearest first, and returns them.
func (f *fixture) sponsored(t testing.TB, b business, n int) []int64 {
	t.Helper()
	var out []int64
	child := b.affiliate
	for range n {
		up := b
		f.affiliate(t, &up)
		f.exec(t, "UPDATE affiliates SET sponsor_id = ? WHERE id = ?", up.affiliate, child)
		child = up.affiliate
		out = append(out, child)
	}
	return out
}

func (f *fixture) terms(t testing.TB, b business, json string) {
	t.Helper()
	f.exec(t, "UPDATE programs SET terms = ? WHERE id = ?", json, b.program)
}

// order is a paid order of b's affiliate, with lines of so many minor units for products 1, 2 and so on.
func (f *fixture) order(t testing.TB, b business, id int64, nets ...int64) conversion.OrderSale {
	t.Helper()
	o := conversion.OrderSale{
		ProgramID: b.program, OrderID: id, TxnID: fmt.Sprint("ORD-", id), At: f.millis.Load(),
		Decision: f.decide(t, attribution.Request{ProgramID: b.program, Touches: []click.ID{b.click}}),
	}
	for i, net := range nets {
		o.Lines = append(o.Lines, conversion.Line{LineID: int64(i + 1), ProductID: int64(i + 1), Quantity: 1, Net: inr(net)})
	}
	return o
}

func (f *fixture) mustBook(t testing.TB, o conversion.OrderSale) []commission.Commission {
	t.Helper()
	id, err := f.bookOrder(t, o)
	if err != nil {
		t.Fatal(err)
	}
	list, err := f.commissions.Of(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func amounts(list []commission.Commission) string {
	s := ""
	for _, c := range list {
		s += fmt.Sprintf("%d.%d=%d ", c.LineID, c.Level, c.Amount.Minor)
	}
	return strings.TrimSpace(s)
}

// Each line is paid by the most specific rule that fits it, levels come on top, and the guard scales what is too much.
func TestLevelsAndGuard(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d)
		b := f.business(t)
		up := f.sponsored(t, b, 2)
		f.rule(t, b, 0, wire.Sale, commission.Terms{PercentBP: 7500, More: commission.More{
			Levels: []commission.Level{{PercentBP: 1000, Of: commission.OfNet}, {PercentBP: 1000, Of: commission.OfCommission}},
		}})
		if _, err := f.commissions.CreateRule(t.Context(), commission.NewRule{ProgramID: b.program, ProductID: 2, On: wire.Sale, Terms: commission.Terms{Flat: amount(500)}}); err != nil {
			t.Fatal(err)
		}
		o := f.order(t, b, 1, 100_000, 20_000)
		o.Lines[1].Quantity = 3
		if got := amounts(f.mustBook(t, o)); got != "1.0=75000 1.1=10000 1.2=7500 2.0=1500" {
			t.Errorf("without a guard: %s", got)
		}
		f.terms(t, b, `{"max_share_bp":8000}`)
		list := f.mustBook(t, f.order(t, b, 2, 100_001))
		// 80 % of 1000.01, split in proportion to 750.01, 100.00 and 75.00 (10 % of 750.01).
		if got := amounts(list); got != "1.0=64865 1.1=8649 1.2=6486" {
			t.Errorf("with a guard: %s", got)
		}
		if text := list[1].Explanation.Text(); !strings.Contains(text, "As sponsor of level 1: 10.00 % of 1000.01 INR = 100.00 INR") || !strings.Contains(text, "margin guard allows") {
			t.Errorf("explained as %q", text)
		}
		if got := f.balances(t, up[0]); got != "pending 186.49 INR; " {
			t.Errorf("sponsor has %q", got)
		}
		if got := f.facts(t, up[0], "INR"); got.Commission != 18_649 || got.Sales != 0 || got.Revenue != 0 {
			t.Errorf("facts of the sponsor %+v", got)
		}
		// A third of the second order: each of its commissions gives back a third.
		if err := f.refundOrder(t, conversion.OrderRefund{OrderID: 2, RefundID: "r", Kind: conversion.RefundKindRefund, Net: amount(33_333), At: f.millis.Load()}); err != nil {
			t.Fatal(err)
		}
		if got := f.balances(t, up[0]); got != "pending 157.66 INR; " {
			t.Errorf("sponsor has %q after a refund", got)
		}
		f.exec(t, "UPDATE affiliates SET status = 'suspended' WHERE id = ?", up[0])
		if got := amounts(f.mustBook(t, f.order(t, b, 3, 1_000))); got != "1.0=727 1.2=73" {
			t.Errorf("with a suspended sponsor: %s", got)
		}
		f.verify(t)
	})
}

// A refund by lines reverses each line at its own rate; a dispute takes, and gives back when it is won, in any order.
func TestLinesAndDisputes(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d)
		b := f.business(t)
		f.rule(t, b, 0, wire.Sale, commission.Terms{PercentBP: 5000})
		if _, err := f.commissions.CreateRule(t.Context(), commission.NewRule{ProgramID: b.program, ProductID: 2, On: wire.Sale, Terms: commission.Terms{PercentBP: 1000}}); err != nil {
			t.Fatal(err)
		}
		f.mustBook(t, f.order(t, b, 1, 10_000, 10_000))
		do := func(want string, r conversion.OrderRefund) {
			t.Helper()
			r.OrderID, r.At = 1, f.millis.Load()
			for range 2 {
				if err := f.refundOrder(t, r); err != nil {
					t.Fatal(err)
				}
				if got := f.balances(t, b.affiliate); got != want {
					t.Errorf("%s %s: balances %q, want %q", r.Kind, r.RefundID, got, want)
				}
			}
		}
		do("pending 60.00 INR; ", conversion.OrderRefund{RefundID: "won early", DisputeID: "d0", Kind: conversion.RefundKindDisputeWon})
		do("pending 60.00 INR; ", conversion.OrderRefund{RefundID: "d0", Kind: conversion.RefundKindDispute})
		do("pending 35.00 INR; ", conversion.OrderRefund{RefundID: "r1", Kind: conversion.RefundKindRefund, Lines: []conversion.Line{{LineID: 1, Net: inr(5_000)}}})
		do("", conversion.OrderRefund{RefundID: "d1", Kind: conversion.RefundKindDispute})
		do("", conversion.OrderRefund{RefundID: "r2", Kind: conversion.RefundKindRefund, Net: amount(1)})
		do("pending 35.00 INR; ", conversion.OrderRefund{RefundID: "w1", DisputeID: "d1", Kind: conversion.RefundKindDisputeWon})
		do("pending 35.00 INR; ", conversion.OrderRefund{RefundID: "w1 again", DisputeID: "d1", Kind: conversion.RefundKindDisputeWon})
		f.advance(15 * day)
		if n, err := f.commissions.ReleaseDue(t.Context(), f.now(), 10); err != nil || n != 2 {
			t.Fatal(n, err)
		}
		f.exec(t, "UPDATE commissions SET state = 'paid'") // as a payout does
		f.terms(t, b, `{"floors":[{"minor":0,"currency":"INR"}]}`)
		do("", conversion.OrderRefund{RefundID: "d2", Kind: conversion.RefundKindDispute})
		do("payable 35.00 INR; ", conversion.OrderRefund{RefundID: "w2", DisputeID: "d2", Kind: conversion.RefundKindDisputeWon})
		list, err := f.commissions.List(t.Context(), commission.Filter{AffiliateID: b.affiliate, Limit: 10})
		if err != nil || len(list) != 2 || list[0].State != commission.Paid || list[1].State != commission.Paid {
			t.Errorf("%+v, %v", list, err)
		}
		if got := f.facts(t, b.affiliate, "INR"); got.Sales != 1 || got.Refunds != 1 || got.Revenue != 15_000 || got.Commission != 3_500 {
			t.Errorf("facts %+v", got)
		}
		f.verify(t)
	})
}

// Sales of one affiliate that tiers count see each other, whatever comes at once: so many are paid by each step.
func TestTiersAndCapsAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d)
		b := f.business(t)
		f.terms(t, b, `{"time_zone":"Asia/Kolkata"}`)
		f.rule(t, b, 0, wire.Sale, commission.Terms{PercentBP: 1000, More: commission.More{
			Tiers:    &commission.Tiers{By: commission.ByCount, Steps: []commission.Step{{From: 5, PercentBP: 2000}, {From: 9, PercentBP: 3000}}},
			CapMonth: amount(23_000),
		}})
		var g errgroup.Group
		for worker := range 4 {
			g.Go(func() error {
				for i := range 3 {
					if _, err := f.conversions.Book(t.Context(), []wire.Event{f.sale(b, fmt.Sprint(worker, i), 10_000, "INR")}); err != nil {
						return err
					}
				}
				return nil
			})
		}
		if err := g.Wait(); err != nil {
			t.Fatal(err)
		}
		// Four at 10 %, four at 20 %, three at 30 %, and of the last the cap leaves 20.00.
		if got := f.balances(t, b.affiliate); got != "pending 230.00 INR; " {
			t.Errorf("balances %q", got)
		}
		list, err := f.commissions.List(t.Context(), commission.Filter{AffiliateID: b.affiliate, Limit: 20})
		if err != nil {
			t.Fatal(err)
		}
		count := map[int64]int{}
		for _, c := range list {
			count[c.Amount.Minor]++
		}
		if count[1000] != 4 || count[2000] != 5 || count[3000] != 3 {
			t.Errorf("amounts %v", count)
		}
		f.verify(t)
	})
}

// A lead binds its customer; later sales of the customer follow without a click, until the binding ends; a coupon goes
// first where the program says so.
func TestCustomerAndCoupon(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d)
		b := f.business(t)
		other := b
		f.affiliate(t, &other)
		f.rule(t, b, 0, wire.Sale, commission.Terms{PercentBP: 1000, More: commission.More{Months: 1}})
		if _, err := f.conversions.GiveCoupon(t.Context(), attribution.Coupon{ProgramID: b.program, Code: "spring", AffiliateID: other.affiliate}); err != nil {
			t.Fatal(err)
		}
		lead := f.event(b, wire.Lead, "lead")
		lead.Customer = wire.CustomerKey("ann@example.com")
		f.book(t, lead)
		sale := func(txn, coupon string, clicked click.ID) conversion.Conversion {
			t.Helper()
			e := f.sale(b, txn, 10_000, "INR")
			e.ClickID, e.Customer, e.Coupon = clicked, lead.Customer, coupon
			if got := outcomes(f.book(t, e)); got != "booked" {
				t.Fatal(got)
			}
			c, err := f.conversions.ByKey(t.Context(), b.program, wire.Sale, txn)
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		if c := sale("s1", "", click.ID{}); c.AffiliateID != b.affiliate || c.Attribution.Source != attribution.ByClick {
			t.Errorf("by the click that the lead kept: %d, %s", c.AffiliateID, c.Attribution.Text())
		}
		if c := sale("s2", " Spring", click.ID{}); c.AffiliateID != other.affiliate || c.Attribution.Source != attribution.ByCoupon || !strings.Contains(c.Attribution.Text(), "What else was looked at") {
			t.Errorf("by coupon: %d, %s", c.AffiliateID, c.Attribution.Text())
		}
		f.terms(t, b, `{"precedence":["customer","click"]}`)
		if c := sale("s3", "spring", other.click); c.AffiliateID != b.affiliate || c.Attribution.Source != attribution.ByCustomer {
			t.Errorf("by customer: %d, %s", c.AffiliateID, c.Attribution.Text())
		}
		f.advance(32 * day)
		if c := sale("s4", "", click.ID{}); c.AffiliateID != 0 || c.Attribution.Reason == attribution.Attributed {
			t.Errorf("after the binding ended: %d, %s", c.AffiliateID, c.Attribution.Text())
		}
		f.terms(t, b, `{"lifetime":true}`)
		if c := sale("s5", "", click.ID{}); c.AffiliateID != b.affiliate || c.NoCommission != commission.RecurringEnded {
			t.Errorf("for a lifetime, and more than a month after the first sale: %d, %q, %s", c.AffiliateID, c.NoCommission, c.Attribution.Text())
		}
		f.verify(t)
	})
}

// An assignment takes everything from one and gives it to the other, refunds included, and back again.
func TestAssign(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d)
		b := f.business(t)
		other := b
		f.affiliate(t, &other)
		f.rule(t, b, 0, wire.Sale, commission.Terms{PercentBP: 1000})
		f.rule(t, b, other.affiliate, wire.Sale, commission.Terms{PercentBP: 2000})
		f.mustBook(t, f.order(t, b, 1, 10_000, 20_000))
		if err := f.refundOrder(t, conversion.OrderRefund{OrderID: 1, RefundID: "r1", Kind: conversion.RefundKindRefund, Lines: []conversion.Line{{LineID: 2, Net: inr(20_000)}}, At: f.millis.Load()}); err != nil {
			t.Fatal(err)
		}
		c, err := f.conversions.ByKey(t.Context(), b.program, wire.Sale, "ORD-1")
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct {
			to          int64
			mine, their string
		}{
			{other.affiliate, "", "pending 20.00 INR; "},
			{0, "", ""},
			{b.affiliate, "pending 10.00 INR; ", ""},
		} {
			got, err := f.conversions.Assign(t.Context(), conversion.Assignment{ConversionID: c.ID, AffiliateID: step.to, By: "Ann", Note: "he asked"})
			if err != nil || got.AffiliateID != step.to || !strings.Contains(got.Attribution.Text(), "Ann: he asked") {
				t.Fatal(got, err)
			}
			if mine, their := f.balances(t, b.affiliate), f.balances(t, other.affiliate); mine != step.mine || their != step.their {
				t.Errorf("assigned to %d: %q and %q", step.to, mine, their)
			}
			fact := f.facts(t, step.to, "INR")
			if fact.Sales != 1 || fact.Revenue != 10_000 || fact.Refunds != 1 {
				t.Errorf("facts of %d: %+v", step.to, fact)
			}
		}
		if _, err := f.conversions.Assign(t.Context(), conversion.Assignment{ConversionID: c.ID, AffiliateID: b.affiliate, By: "Ann", Note: "again"}); !errors.Is(err, conversion.ErrAssignedAlso) {
			t.Errorf("assigned again: %v", err)
		}
		if fact := f.facts(t, other.affiliate, "INR"); fact.Sales != 0 || fact.Revenue != 0 || fact.Commission != 0 || fact.Refunds != 0 {
			t.Errorf("what is left of the other: %+v", fact)
		}
		if err := f.refundOrder(t, conversion.OrderRefund{OrderID: 1, RefundID: "r2", Kind: conversion.RefundKindRefund, At: f.millis.Load()}); err != nil {
			t.Fatal(err)
		}
		if got := f.balances(t, b.affiliate); got != "" {
			t.Errorf("after all was refunded: %q", got)
		}
		f.verify(t)
	})
}

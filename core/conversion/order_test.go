package conversion_test

import (
	"errors"
	"testing"

	"github.com/edgeref/edgeref/core/attribution"
	"github.com/edgeref/edgeref/core/commission"
	"github.com/edgeref/edgeref/core/conversion"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/wire/click"
	wire "github.com/edgeref/edgeref/wire/conversion"
	"github.com/edgeref/edgeref/wire/money"
)

func inr(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: "INR"} }

func (f *fixture) decide(t testing.TB, r attribution.Request) attribution.Decision {
	t.Helper()
	if r.Now = f.millis.Load(); r.At == 0 {
		r.At = r.Now
	}
	d, err := f.attribution.Decide(t.Context(), f.db, r)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (f *fixture) bookOrder(t testing.TB, o conversion.OrderSale) (id int64, err error) {
	t.Helper()
	err = f.db.InTx(t.Context(), func(tx *db.Tx) error {
		var err error
		id, err = f.conversions.BookOrder(t.Context(), tx, o)
		return err
	})
	return id, err
}

func (f *fixture) refundOrder(t testing.TB, r conversion.OrderRefund) error {
	t.Helper()
	return f.db.InTx(t.Context(), func(tx *db.Tx) error { return f.conversions.RefundOrder(t.Context(), tx, r) })
}

// An order's attribution is frozen at the checkout and booked as it is, once.
func TestOrder(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d)
		b := f.business(t)
		f.rule(t, b, 0, wire.Sale, commission.Terms{PercentBP: 7500})
		decision := f.decide(t, attribution.Request{ProgramID: b.program, Touches: []click.ID{{}, b.click, b.click}})
		if decision.AffiliateID != b.affiliate || decision.LinkID != b.link || len(decision.Explanation.Candidates) != 1 {
			t.Fatalf("decided %+v", decision)
		}
		o := conversion.OrderSale{
			ProgramID: b.program, OrderID: 7, TxnID: "ORD-7", Decision: decision, At: f.millis.Load(),
			Lines: []conversion.Line{{LineID: 1, ProductID: 11, Net: inr(100_000), Quantity: 1}, {LineID: 2, ProductID: 12, Net: inr(20_000), Quantity: 2}},
		}
		id, err := f.bookOrder(t, o)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := f.bookOrder(t, o); err != nil || again != id {
			t.Errorf("booked again: %d, %v; want %d", again, err, id)
		}
		if got := f.balances(t, b.affiliate); got != "pending 900.00 INR; " {
			t.Errorf("balances %q", got)
		}
		other := o
		other.Lines = o.Lines[:1]
		if _, err := f.bookOrder(t, other); !errors.Is(err, conversion.ErrOrderConflict) {
			t.Errorf("other input: %v", err)
		}
		if err := f.refundOrder(t, conversion.OrderRefund{OrderID: 8, RefundID: "r", Kind: conversion.RefundKindRefund, At: 1}); !errors.Is(err, conversion.ErrNoOrder) {
			t.Errorf("refund of no order: %v", err)
		}
		part := inr(60_000)
		for range 2 {
			if err := f.refundOrder(t, conversion.OrderRefund{OrderID: 7, RefundID: "r1", Kind: conversion.RefundKindRefund, Net: &part, At: f.millis.Load()}); err != nil {
				t.Fatal(err)
			}
		}
		if got := f.balances(t, b.affiliate); got != "pending 450.00 INR; " {
			t.Errorf("balances after a refund %q", got)
		}
		if got := f.facts(t, b.affiliate, "INR"); got.Revenue != 60_000 || got.Sales != 1 || got.Refunds != 1 || got.Commission != 45_000 {
			t.Errorf("facts %+v", got)
		}
		f.verify(t)
	})
}

package conversion_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/edgeref/edgeref/core/attribution"
	"github.com/edgeref/edgeref/core/commission"
	"github.com/edgeref/edgeref/core/conversion"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/core/ledger"
	"github.com/edgeref/edgeref/wire/click"
	wire "github.com/edgeref/edgeref/wire/conversion"
	"github.com/edgeref/edgeref/wire/money"
	"github.com/edgeref/edgeref/wire/report"
)

func TestSaleToPayable(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d)
		b := f.business(t)
		rule := f.rule(t, b, 0, wire.Sale, commission.Terms{PercentBP: 7500})
		got := f.book(t, f.sale(b, "order-1", 149_999, "INR"))
		if diff := cmp.Diff([]wire.Result{{Outcome: wire.Booked}}, got); diff != "" {
			t.Fatal(diff)
		}
		c, err := f.conversions.ByKey(t.Context(), b.program, wire.Sale, "order-1")
		if err != nil {
			t.Fatal(err)
		}
		if c.AffiliateID != b.affiliate || c.LinkID != b.link || c.ClickID != b.click || c.Attribution.Reason != attribution.Attributed {
			t.Errorf("conversion %+v", c)
		}
		list, err := f.commissions.Of(t.Context(), c.ID)
		if err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		earned := list[0]
		// 149999 x 0.75 = 112499.25
		if earned.Amount != (money.Amount{Minor: 112_499, Currency: "INR"}) || earned.RuleID != rule.ID || earned.State != commission.Pending {
			t.Errorf("commission %+v", earned)
		}
		if text := earned.Explanation.Text(); !strings.HasPrefix(text, "75.00 % of 1499.99 INR = 1124.99 INR (rounded half away from zero), by the program's rule rul_") {
			t.Errorf("explained as %q", text)
		}
		want := report.Fact{Sales: 1, Revenue: 149_999, Commission: 112_499}
		if got := f.facts(t, b.affiliate, "INR"); got != want {
			t.Errorf("facts %+v, want %+v", got, want)
		}
		f.advance(14*day - time.Millisecond)
		for _, step := range []struct {
			advance  time.Duration
			released int
			balances string
		}{
			{0, 0, "pending 1124.99 INR; "},
			{time.Millisecond, 1, "payable 1124.99 INR; "},
			{day, 0, "payable 1124.99 INR; "},
		} {
			f.advance(step.advance)
			n, err := f.commissions.ReleaseDue(t.Context(), f.now(), 100)
			if err != nil || n != step.released || f.balances(t, b.affiliate) != step.balances {
				t.Errorf("released %d (%v), balances %q, want %d and %q", n, err, f.balances(t, b.affiliate), step.released, step.balances)
			}
		}
		f.verify(t)
	})
}

// Each reason, through the database: the core believes neither the edge nor the Click ID.
func TestAttributionReasons(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d)
		b := f.business(t)
		other := f.business(t)
		f.rule(t, b, 0, wire.Sale, commission.Terms{PercentBP: 1000})
		disabled, suspended := b, b
		f.affiliate(t, &disabled)
		f.affiliate(t, &suspended)
		f.exec(t, "UPDATE links SET status = 'disabled', updated_at = ? WHERE id = ?", start.Add(-time.Hour).UnixMilli(), disabled.link)
		// A later edit does not move the time of disabling.
		f.exec(t, "UPDATE links SET destination = 'https://example.org/', updated_at = ? WHERE id = ?", start.UnixMilli(), disabled.link)
		f.exec(t, "UPDATE affiliates SET status = 'suspended' WHERE id = ?", suspended.affiliate)
		foreign, err := click.NewKeyring(click.Key{ID: 1, Secret: []byte("another secret..")})
		if err != nil {
			t.Fatal(err)
		}
		at := func(b business, ago time.Duration) click.ID {
			return f.keys.Mint(start.Add(-ago), 1, b.link, b.affiliate)
		}
		for _, tt := range []struct {
			click click.ID
			want  attribution.Reason
		}{
			{b.click, attribution.Attributed},
			{click.ID{}, attribution.NoClick},
			{foreign.Mint(start, 1, b.link, b.affiliate), attribution.UnknownClick},
			{f.keys.Mint(start, 1, b.link, b.affiliate+1), attribution.UnknownClick},
			{f.keys.Mint(start, 1, b.link+1, b.affiliate), attribution.UnknownClick},
			{other.click, attribution.ProgramMismatch},
			{at(b, 30*day), attribution.Attributed},
			{at(b, 30*day+time.Millisecond), attribution.WindowExpired},
			{at(b, -6*time.Minute), attribution.ClickInFuture},
			{at(disabled, 2*time.Hour), attribution.Attributed},
			{at(disabled, 30*time.Minute), attribution.LinkDisabled},
			{suspended.click, attribution.AffiliateSuspended},
		} {
			e := f.sale(b, fmt.Sprintf("txn %s %s", tt.want, tt.click), 1000, "INR")
			e.ClickID, e.TxnID = tt.click, fmt.Sprint(f.ids.New())
			if got := outcomes(f.book(t, e)); got != "booked" {
				t.Fatalf("%s: %s", tt.want, got)
			}
			c, err := f.conversions.ByKey(t.Context(), b.program, wire.Sale, e.TxnID)
			if err != nil {
				t.Fatal(err)
			}
			if c.Attribution.Reason != tt.want || (c.AffiliateID != 0) != (tt.want == attribution.Attributed) {
				t.Errorf("reason %s of affiliate %d, want %s", c.Attribution.Reason, c.AffiliateID, tt.want)
			}
			list, err := f.commissions.Of(t.Context(), c.ID)
			if earned := err == nil && len(list) == 1; earned != (tt.want == attribution.Attributed) {
				t.Errorf("%s: commission: %v", tt.want, err)
			}
		}
		f.verify(t)
		if got := f.facts(t, 0, "INR"); got.Sales != 9 || got.Revenue != 9000 || got.Commission != 0 {
			t.Errorf("facts of nobody %+v", got)
		}
	})
}

// step is an event and its outcome; without one, the hold ends and commissions are released.
type step struct {
	event   func(f *fixture, b business) wire.Event
	outcome wire.Outcome
}

// takingBack is a course of events about one sale or lead, and what is left after it.
type takingBack struct {
	name     string
	steps    []step
	balances string
	sales    int64
	revenue  int64
}

func takingBackCases() []takingBack {
	sale := func(minor int64) step {
		return step{func(f *fixture, b business) wire.Event { return f.sale(b, "s", minor, "INR") }, wire.Booked}
	}
	refund := func(txn string, minor int64, outcome wire.Outcome) step {
		return step{func(f *fixture, b business) wire.Event { return f.refund(b, txn, "s", minor, "INR") }, outcome}
	}
	reject := func(txn string, outcome wire.Outcome) step {
		return step{func(f *fixture, b business) wire.Event { return f.reject(b, txn, "s") }, outcome}
	}
	lead := step{func(f *fixture, b business) wire.Event { return f.event(b, wire.Lead, "s") }, wire.Booked}
	release := step{}
	return []takingBack{
		{"sale", []step{sale(1001)}, "pending 3.34 INR; ", 1, 1001},
		{"part", []step{sale(1001), refund("r", 500, wire.Booked)}, "pending 1.67 INR; ", 1, 501},
		{"thirds come to the whole", []step{sale(1001), refund("a", 333, wire.Booked), refund("b", 333, wire.Booked), refund("c", 335, wire.Booked)}, "", 1, 0},
		{"single units come to the whole", []step{sale(3), refund("a", 1, wire.Booked), refund("b", 1, wire.Booked), refund("c", 1, wire.Booked)}, "", 1, 0},
		{"all that is left", []step{sale(1001), refund("a", 333, wire.Booked), refund("b", 0, wire.Booked)}, "", 1, 0},
		{"one too many", []step{sale(1001), refund("a", 0, wire.Booked), refund("b", 1, wire.Refused)}, "", 1, 0},
		{"too large", []step{sale(1001), refund("a", 1002, wire.Refused)}, "pending 3.34 INR; ", 1, 1001},
		{"too large after another", []step{sale(1001), refund("a", 1, wire.Booked), refund("b", 1001, wire.Refused)}, "pending 3.34 INR; ", 1, 1000},
		{"again", []step{sale(1001), refund("a", 500, wire.Booked), refund("a", 500, wire.Duplicate)}, "pending 1.67 INR; ", 1, 501},
		{"again with another amount", []step{sale(1001), refund("a", 500, wire.Booked), refund("a", 501, wire.Conflict)}, "pending 1.67 INR; ", 1, 501},
		{"refused again", []step{sale(1001), refund("a", 1002, wire.Refused), refund("a", 1002, wire.Refused)}, "pending 3.34 INR; ", 1, 1001},
		{"before its sale", []step{refund("r", 500, wire.Booked), refund("r", 500, wire.Duplicate), sale(1001)}, "pending 1.67 INR; ", 1, 501},
		{"everything before its sale", []step{refund("r", 0, wire.Booked), sale(1001)}, "", 1, 0},
		{"too large before its sale", []step{refund("r", 1002, wire.Booked), sale(1001), refund("r", 1002, wire.Refused)}, "pending 3.34 INR; ", 1, 1001},
		{"after release", []step{sale(1001), release, refund("r", 500, wire.Booked)}, "payable 1.67 INR; ", 1, 501},
		{"around release", []step{sale(1001), refund("a", 500, wire.Booked), release, refund("b", 501, wire.Booked)}, "", 1, 0},
		{"rejected", []step{sale(1001), reject("x", wire.Booked)}, "", 0, 0},
		{"rejected after a part", []step{sale(1001), refund("r", 500, wire.Booked), reject("x", wire.Booked), reject("y", wire.Refused)}, "", 0, 0},
		{"rejected after the whole", []step{sale(1001), refund("r", 0, wire.Booked), reject("x", wire.Booked), reject("y", wire.Refused)}, "", 0, 0},
		{"rejected before its sale", []step{reject("x", wire.Booked), sale(1001), refund("r", 1, wire.Refused)}, "", 0, 0},
		{"rejected after release", []step{sale(1001), release, reject("x", wire.Booked)}, "", 0, 0},
		{"lead", []step{lead}, "pending 0.50 INR; ", 0, 0},
		{"lead rejected", []step{lead, reject("x", wire.Booked)}, "", 0, 0},
		{"lead is not refunded", []step{lead, refund("r", 0, wire.Booked)}, "pending 0.50 INR; ", 0, 0},
		{"rejection takes lead and sale", []step{lead, sale(1001), reject("x", wire.Booked)}, "", 0, 0},
		{"rejection takes the sale that comes after it", []step{lead, reject("x", wire.Booked), sale(1001)}, "", 0, 0},
		{"free sale", []step{sale(0), refund("r", 0, wire.Booked), refund("q", 0, wire.Refused)}, "", 1, 0},
	}
}

func TestTakingBack(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d)
		for _, tt := range takingBackCases() {
			t.Run(tt.name, func(t *testing.T) {
				b := f.business(t)
				f.rule(t, b, 0, wire.Sale, commission.Terms{PercentBP: 3333})
				f.rule(t, b, 0, wire.Lead, commission.Terms{Flat: &money.Amount{Minor: 50, Currency: "INR"}})
				for i, s := range tt.steps {
					if s.event == nil {
						f.advance(14 * day)
						if _, err := f.commissions.ReleaseDue(t.Context(), f.now(), 1000); err != nil {
							t.Fatal(err)
						}
						continue
					}
					if got := f.book(t, s.event(f, b)); got[0].Outcome != s.outcome {
						t.Errorf("step %d: %+v, want %s", i, got[0], s.outcome)
					}
				}
				if got := f.balances(t, b.affiliate); got != tt.balances {
					t.Errorf("balances %q, want %q", got, tt.balances)
				}
				if got := f.facts(t, b.affiliate, "INR"); got.Sales != tt.sales || got.Revenue != tt.revenue {
					t.Errorf("facts %+v, want %d sales, revenue %d", got, tt.sales, tt.revenue)
				}
				f.verify(t)
			})
		}
	})
}

func TestPayableMayTurnNegative(t *testing.T) {
	d := dbtest.SQLite(t)
	f := newFixture(t, d)
	b := f.business(t)
	f.rule(t, b, 0, wire.Sale, commission.Terms{PercentBP: 5000})
	f.book(t, f.sale(b, "s", 1000, "INR"))
	f.advance(15 * day)
	if _, err := f.commissions.ReleaseDue(t.Context(), f.now(), 10); err != nil {
		t.Fatal(err)
	}
	// A payout in miniature: what was payable has left.
	err := d.InTx(t.Context(), func(tx *db.Tx) error {
		_, err := f.ledger.Post(t.Context(), tx, ledger.Transaction{Kind: "payout", Entries: ledger.Transfer("INR", 500,
			ledger.Account{Kind: ledger.Payable, OwnerID: b.affiliate}, ledger.Account{Kind: ledger.Paid, OwnerID: b.affiliate})})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	f.book(t, f.refund(b, "r", "s", 0, ""))
	if got := f.balances(t, b.affiliate); got != "paid 5.00 INR; payable -5.00 INR; " {
		t.Errorf("balances %q", got)
	}
	f.verify(t)
}

func TestFlatRules(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d)
		b := f.business(t)
		f.rule(t, b, 0, wire.Sale, commission.Terms{Flat: &money.Amount{Minor: 1000, Currency: "INR"}})
		f.book(t, f.sale(b, "usd", 5000, "USD"), f.sale(b, "inr", 300, "INR"), f.sale(b, "free", 0, "INR"))
		if got := f.balances(t, b.affiliate); got != "pending 20.00 INR; " {
			t.Errorf("balances %q", got)
		}
		c, err := f.conversions.ByKey(t.Context(), b.program, wire.Sale, "usd")
		if err != nil || c.NoCommission != commission.CurrencyMismatch {
			t.Errorf("sale in another currency: %+v, %v", c, err)
		}
		// Thirds of a flat amount: 333, then 667 in all, then the rest.
		for i, want := range []string{"pending 16.67 INR; ", "pending 13.33 INR; ", "pending 10.00 INR; "} {
			f.book(t, f.refund(b, fmt.Sprint("r", i), "inr", 100, "INR"))
			if got := f.balances(t, b.affiliate); got != want {
				t.Errorf("after refund %d: %q, want %q", i, got, want)
			}
		}
		f.book(t, f.refund(b, "rf", "free", 0, ""), f.refund(b, "ru", "usd", 0, ""))
		if got := f.balances(t, b.affiliate); got != "" {
			t.Errorf("balances %q, want none", got)
		}
		f.verify(t)
	})
}

func TestNoRuleNoCommission(t *testing.T) {
	f := newFixture(t, dbtest.SQLite(t))
	b := f.business(t)
	f.book(t, f.sale(b, "s", 1000, "INR"), f.refund(b, "r", "s", 400, "INR"))
	c, err := f.conversions.ByKey(t.Context(), b.program, wire.Sale, "s")
	if err != nil || c.NoCommission != commission.NoRule || c.AffiliateID != b.affiliate || c.Refunded == nil || *c.Refunded != (money.Amount{Minor: 400, Currency: "INR"}) {
		t.Errorf("conversion %+v, %v", c, err)
	}
	if got := f.facts(t, b.affiliate, "INR"); got != (report.Fact{Sales: 1, Refunds: 1, Revenue: 600}) {
		t.Errorf("facts %+v", got)
	}
}

func TestRefundInAnotherCurrency(t *testing.T) {
	f := newFixture(t, dbtest.SQLite(t))
	b := f.business(t)
	got := f.book(t, f.sale(b, "s", 1000, "INR"), f.refund(b, "r", "s", 400, "USD"))
	if outcomes(got) != "booked refused" || !strings.Contains(got[1].Detail, "another currency") {
		t.Errorf("results %+v", got)
	}
	list, err := f.conversions.List(t.Context(), conversion.Filter{State: conversion.Refused, Limit: 10})
	if err != nil || len(list) != 1 || list[0].Reason != conversion.CurrencyMismatch {
		t.Errorf("kept for review: %+v, %v", list, err)
	}
}

func TestUnknownProgram(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d)
		b := f.business(t)
		b.program = 12345
		got := f.book(t, f.sale(b, "s", 1000, "INR"), f.sale(b, "s", 1000, "INR"), f.refund(b, "r", "s", 0, ""))
		if outcomes(got) != "refused refused refused" || got[0].Detail != "there is no such program" {
			t.Errorf("results %+v", got)
		}
	})
}

// What cannot be booked is kept whole, once for each distinct event, and never fails the rest of its batch.
func TestConflictsAndInvalid(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d)
		b := f.business(t)
		first := f.sale(b, "s", 1000, "INR")
		other := f.sale(b, "s", 1001, "INR")
		invalid := f.sale(b, "bad\x00", 1000, "INR")
		huge := f.sale(b, strings.Repeat("é\xff", 500), 1000, "INR")
		huge.Type = wire.Type(strings.Repeat("t", 100))
		nowhere := f.sale(b, "s2", 1000, "INR")
		nowhere.ProgramID = -5
		odd := f.sale(b, "odd", 1000, "INR")
		odd.Channel = wire.Channel(strings.Repeat("c", 100))
		f.book(t, first, other)
		for range 2 {
			f.book(t, first, other, invalid, huge, nowhere)
		}
		got := f.book(t, first, other, other, invalid, huge, nowhere, odd)
		if want := "duplicate conflict conflict refused refused refused booked"; outcomes(got) != want {
			t.Errorf("outcomes %s, want %s", outcomes(got), want)
		}
		list, err := f.conversions.Conflicts(t.Context(), 0, 0, 10)
		if err != nil || len(list) != 4 {
			t.Fatalf("%d kept, want 4 (%v)", len(list), err)
		}
		page, err := f.conversions.Conflicts(t.Context(), 0, list[1].ID, 10)
		if err != nil || len(page) != 2 || page[0].ID != list[2].ID {
			t.Errorf("page %+v, %v", page, err)
		}
		kept := list[len(list)-1]
		if !strings.Contains(string(kept.Event), `"minor":1001`) || kept.Type != wire.Sale || kept.TxnID != "s" {
			t.Errorf("kept %+v", kept)
		}
	})
}

// One transaction id may stand for a lead, a sale and a refund; texts that only a collation would take for equal are
// different ids.
func TestKeys(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d)
		b, other := f.business(t), f.business(t)
		got := f.book(t, f.event(b, wire.Lead, "x"), f.sale(b, "x", 10, "INR"), f.sale(b, "X", 10, "INR"), f.sale(b, "x ", 10, "INR"),
			f.sale(b, "ẋ", 10, "INR"), f.sale(other, "x", 10, "INR"), f.refund(b, "x", "", 3, "INR"))
		got = append(got, f.book(t, f.refund(b, "x", "X", 3, "INR"))...)
		if want := "booked booked booked booked booked booked booked conflict"; outcomes(got) != want {
			t.Errorf("outcomes %s, want %s", outcomes(got), want)
		}
	})
}

func TestGetAndList(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d)
		b := f.business(t)
		for i := range 5 {
			f.book(t, f.sale(b, fmt.Sprint("s", i), 10, "JPY"), f.event(b, wire.Lead, fmt.Sprint("s", i)))
		}
		for _, tt := range []struct {
			filter conversion.Filter
			want   int
		}{
			{conversion.Filter{}, 10},
			{conversion.Filter{ProgramID: b.program}, 10},
			{conversion.Filter{ProgramID: 1}, 0},
			{conversion.Filter{AffiliateID: b.affiliate, Type: wire.Lead}, 5},
			{conversion.Filter{TxnID: "s3"}, 2},
			{conversion.Filter{State: conversion.Waiting}, 0},
		} {
			for _, limit := range []int{3, 100} {
				f2, n := tt.filter, 0
				f2.Limit = limit
				for {
					page, err := f.conversions.List(t.Context(), f2)
					if err != nil {
						t.Fatal(err)
					}
					n += len(page)
					if len(page) < limit {
						break
					}
					f2.Before = page[len(page)-1].ID
				}
				if n != tt.want {
					t.Errorf("%+v: %d, want %d", tt.filter, n, tt.want)
				}
			}
		}
		if _, err := f.conversions.Get(t.Context(), 5); !errors.Is(err, conversion.ErrNotFound) {
			t.Errorf("get: %v", err)
		}
		if _, err := f.conversions.ByKey(t.Context(), b.program, wire.Refund, "s1"); !errors.Is(err, conversion.ErrNotFound) {
			t.Errorf("by key: %v", err)
		}
	})
}

// The largest amounts, and currencies without and with three decimals.
func TestAmountEdges(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d)
		b := f.business(t)
		f.rule(t, b, 0, wire.Sale, commission.Terms{PercentBP: 10_000})
		f.book(t, f.sale(b, "kwd", money.MaxMinor, "KWD"), f.sale(b, "jpy", money.MaxMinor, "JPY"), f.sale(b, "one", 1, "JPY"))
		if got, want := f.balances(t, b.affiliate), "pending 1000000000000001 JPY; pending 1000000000000.000 KWD; "; got != want {
			t.Errorf("balances %q, want %q", got, want)
		}
		f.book(t, f.refund(b, "r1", "kwd", money.MaxMinor-1, "KWD"), f.refund(b, "r2", "jpy", 0, ""))
		if got, want := f.balances(t, b.affiliate), "pending 1 JPY; pending 0.001 KWD; "; got != want {
			t.Errorf("balances %q, want %q", got, want)
		}
		f.verify(t)
	})
}

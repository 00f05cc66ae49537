package commission

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/core/ledger"
	"github.com/edgeref/edgeref/core/newid"
	"github.com/edgeref/edgeref/wire/conversion"
	"github.com/edgeref/edgeref/wire/money"
)

const (
	program   = 11
	affiliate = 22
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

type fixture struct {
	*Service
	mu  sync.Mutex
	at  time.Time
	reg *prometheus.Registry
}

func (f *fixture) clock() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.at
}

func (f *fixture) advance(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.at = f.at.Add(d)
}

func newFixture(t testing.TB, d *db.DB) *fixture {
	t.Helper()
	f := &fixture{at: start, reg: prometheus.NewRegistry()}
	ids := newid.New(f.clock)
	books := ledger.New(ledger.Options{DB: d, IDs: ids, Now: f.clock, Reconcile: Reconcile})
	f.Service = New(Options{DB: d, IDs: ids, Ledger: books, Now: f.clock, Registerer: f.reg, ReleaseEvery: time.Millisecond})
	f.exec(t, `INSERT INTO programs (id, name, status, currency, attribution_window_days, attribution_model, hold_days, allowed_hosts,
		fallback_url, click_param, browser_conversions, secret, previous_secret, created_at, updated_at, rev)
		VALUES (?, 'p', 'active', '', 30, 'last_click', 14, '[]', '', 'click_id', 'off', 's', '', 0, 0, 0)`, program)
	f.exec(t, "INSERT INTO affiliates (id, name, email, status, created_at, updated_at) VALUES (?, 'a', 'a@example.com', 'active', 0, 0)", affiliate)
	return f
}

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

// sale makes a conversion row and its commission.
func (f *fixture) sale(t testing.TB, owner, minor int64) *Commission {
	t.Helper()
	id := f.ids.New()
	f.exec(t, `INSERT INTO conversions (id, program_id, type, txn_id, subject, hash, click_id, amount_minor, currency, name, channel, node,
		received_at, booked_at, state, reason, affiliate_id, link_id, attribution, explanation, no_commission, refunded_minor, refunded_currency, closed)
		VALUES (?, ?, 'sale', ?, '', ?, '', 0, '', '', '', 0, 0, 0, '', '', 0, 0, '', '{}', '', 0, '', 0)`,
		id, program, fmt.Sprint(id), make([]byte, 32))
	var c []Commission
	err := f.db.InTx(t.Context(), func(tx *db.Tx) error {
		var none string
		var err error
		c, none, err = f.Earn(t.Context(), tx, Source{
			ConversionID: id, ProgramID: program, AffiliateID: owner, LinkID: 1, On: conversion.Sale,
			Amount: &money.Amount{Minor: minor, Currency: "INR"}, At: f.clock().UnixMilli(), Hold: time.Hour,
		})
		if none != "" {
			return errors.New(none)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return &c[0]
}

func (f *fixture) verify(t testing.TB) ledger.Report {
	t.Helper()
	r, err := f.ledger.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRuleLife(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f, ctx := newFixture(t, d), t.Context()
		general, err := f.CreateRule(ctx, NewRule{ProgramID: program, On: conversion.Sale, Terms: Terms{PercentBP: 1000}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.CreateRule(ctx, NewRule{ProgramID: program, On: conversion.Sale, Terms: Terms{PercentBP: 2000}}); !errors.Is(err, ErrRuleExists) {
			t.Errorf("second rule: %v", err)
		}
		own, err := f.CreateRule(ctx, NewRule{ProgramID: program, AffiliateID: affiliate, On: conversion.Sale, Terms: Terms{PercentBP: 5000}})
		if err != nil {
			t.Fatal(err)
		}
		if c := f.sale(t, affiliate, 1000); c.Amount.Minor != 500 || c.RuleID != own.ID {
			t.Errorf("the affiliate's own rule gives %s by %d", c.Amount, c.RuleID)
		}
		if c := f.sale(t, 99, 1000); c.Amount.Minor != 100 || c.RuleID != general.ID {
			t.Errorf("the program's rule gives %s by %d", c.Amount, c.RuleID)
		}
		f.advance(time.Hour)
		changed, err := f.ChangeRule(ctx, own.ID, Terms{Flat: &money.Amount{Minor: 7, Currency: "INR"}})
		if err != nil || changed.Version != 2 || changed.CreatedAt != own.CreatedAt {
			t.Errorf("changed to %+v: %v", changed, err)
		}
		if c := f.sale(t, affiliate, 1000); c.Amount.Minor != 7 || c.RuleVersion != 2 {
			t.Errorf("version 2 gives %s by version %d", c.Amount, c.RuleVersion)
		}
		f.advance(time.Hour)
		if err := f.EndRule(ctx, own.ID); err != nil {
			t.Fatal(err)
		}
		if c := f.sale(t, affiliate, 1000); c.RuleID != general.ID {
			t.Errorf("after its end, rule %d still applies", c.RuleID)
		}
		for _, err := range []error{f.EndRule(ctx, own.ID), second(f.ChangeRule(ctx, own.ID, Terms{}))} {
			if !errors.Is(err, ErrRuleEnded) {
				t.Errorf("on an ended rule: %v", err)
			}
		}
		if err := f.EndRule(ctx, 5); !errors.Is(err, ErrRuleNotFound) {
			t.Errorf("on no rule: %v", err)
		}
		again, err := f.CreateRule(ctx, NewRule{ProgramID: program, AffiliateID: affiliate, On: conversion.Sale, Terms: Terms{PercentBP: 0}})
		if err != nil {
			t.Fatal(err)
		}
		if c := f.sale(t, affiliate, 1000); c.Amount.Minor != 0 || c.RuleID != again.ID {
			t.Errorf("a rule of 0 %% gives %s by %d", c.Amount, c.RuleID)
		}
		testListing(t, f)
		if r := f.verify(t); r.Break != nil || r.Reconciled != 5 {
			t.Errorf("%s", r)
		}
	})
}

func second[T any](_ T, err error) error { return err }

func testListing(t *testing.T, f *fixture) {
	t.Helper()
	for _, tt := range []struct {
		filter RuleFilter
		want   int
	}{
		{RuleFilter{}, 2},
		{RuleFilter{Ended: true}, 3},
		{RuleFilter{AffiliateID: affiliate}, 1},
		{RuleFilter{ProgramID: program, AffiliateID: affiliate, Ended: true}, 2},
		{RuleFilter{ProgramID: 1, Ended: true}, 0},
	} {
		tt.filter.Limit = 10
		rules, err := f.Rules(t.Context(), tt.filter)
		if err != nil || len(rules) != tt.want {
			t.Errorf("%+v: %d rules, want %d (%v)", tt.filter, len(rules), tt.want, err)
		}
		for _, r := range rules {
			one, err := f.Rule(t.Context(), r.ID)
			if err != nil || one.Version != r.Version {
				t.Errorf("rule %d: %+v, %v", r.ID, one, err)
			}
		}
	}
}

// Of many who make the same rule at once, one succeeds.
func TestRuleMadeAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d)
		var mu sync.Mutex
		made := 0
		g, ctx := errgroup.WithContext(t.Context())
		for range 8 {
			g.Go(func() error {
				_, err := f.CreateRule(ctx, NewRule{ProgramID: program, On: conversion.Lead, Terms: Terms{Flat: &money.Amount{Minor: 7, Currency: "INR"}}})
				if errors.Is(err, ErrRuleExists) {
					return nil
				}
				mu.Lock()
				defer mu.Unlock()
				made++
				return err
			})
		}
		if err := g.Wait(); err != nil || made != 1 {
			t.Errorf("%d rules made: %v", made, err)
		}
	})
}

func TestRuleRefused(t *testing.T) {
	f := newFixture(t, dbtest.SQLite(t))
	flat := func(minor int64, currency string) Terms {
		return Terms{Flat: &money.Amount{Minor: minor, Currency: currency}}
	}
	for _, tt := range []struct {
		name string
		rule NewRule
		want error
	}{
		{"too much", NewRule{ProgramID: program, On: conversion.Sale, Terms: Terms{PercentBP: 10_001}}, ErrRule},
		{"negative share", NewRule{ProgramID: program, On: conversion.Sale, Terms: Terms{PercentBP: -1}}, ErrRule},
		{"negative amount", NewRule{ProgramID: program, On: conversion.Sale, Terms: flat(-1, "INR")}, ErrRule},
		{"amount beyond the limit", NewRule{ProgramID: program, On: conversion.Sale, Terms: flat(money.MaxMinor+1, "INR")}, ErrRule},
		{"no currency", NewRule{ProgramID: program, On: conversion.Sale, Terms: flat(1, "XXX")}, money.ErrCurrency},
		{"both", NewRule{ProgramID: program, On: conversion.Sale, Terms: Terms{PercentBP: 1, Flat: &money.Amount{Minor: 1, Currency: "INR"}}}, ErrRule},
		{"share of a lead", NewRule{ProgramID: program, On: conversion.Lead, Terms: Terms{PercentBP: 1}}, ErrRule},
		{"on a refund", NewRule{ProgramID: program, On: conversion.Refund, Terms: Terms{PercentBP: 1}}, ErrRule},
		{"no program", NewRule{ProgramID: 5, On: conversion.Sale, Terms: Terms{PercentBP: 1}}, ErrNoProgram},
		{"no affiliate", NewRule{ProgramID: program, AffiliateID: 5, On: conversion.Sale, Terms: Terms{PercentBP: 1}}, ErrNoAffiliate},
	} {
		if _, err := f.CreateRule(t.Context(), tt.rule); !errors.Is(err, tt.want) || !errors.Is(err, ErrRule) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestChoose(t *testing.T) {
	v := func(id, owner, version, from, ended int64) Rule {
		return Rule{ID: id, AffiliateID: owner, Version: version, ValidFrom: from, EndedAt: ended}
	}
	history := []Rule{
		v(1, 0, 1, 100, 0), v(1, 0, 2, 200, 0), // the program's, changed at 200
		v(2, 7, 1, 150, 300), v(2, 7, 2, 250, 300), // the affiliate's own, changed at 250, ended at 300
		v(3, 7, 1, 400, 0), // and a later one
	}
	for _, tt := range []struct{ at, rule, version int64 }{
		{100, 1, 1}, {149, 1, 1}, {150, 2, 1}, {249, 2, 1}, {250, 2, 2}, {299, 2, 2}, {300, 1, 2}, {399, 1, 2}, {400, 3, 1}, {999, 3, 1},
		{50, 3, 1}, // before all: the live rule made since then, the affiliate's own first
	} {
		if got := choose(history, 0, tt.at); got == nil || got.ID != tt.rule || got.Version != tt.version {
			t.Errorf("at %d: %+v, want rule %d version %d", tt.at, got, tt.rule, tt.version)
		}
	}
	if got := choose(history[2:4], 0, 500); got != nil {
		t.Errorf("after the only rule ended: %+v", got)
	}
	if got := choose(history[2:4], 0, 50); got != nil {
		t.Errorf("before a rule that has ended since: %+v", got)
	}
}

// Parts that come to the whole sale take back exactly the commission, in any order, each part within half a minor unit
// of its exact share together with those before it.
func TestReversalArithmetic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base := money.Amount{Minor: rapid.Int64Range(1, money.MaxMinor).Draw(t, "base"), Currency: "INR"}
		rule := &Rule{ID: 1, Version: 1, On: conversion.Sale, Terms: Terms{PercentBP: rapid.Int64Range(0, MaxPercentBP).Draw(t, "bp")}}
		if rapid.Bool().Draw(t, "flat") {
			rule.Terms = Terms{Flat: &money.Amount{Minor: rapid.Int64Range(0, money.MaxMinor).Draw(t, "minor"), Currency: "INR"}}
		}
		e, ok, err := earn(rule, rule.Terms.PercentBP, rule.Terms.Flat, &item{quantity: 1, net: &base})
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		refunded, reversed := int64(0), int64(0)
		for refunded < base.Minor {
			refunded += rapid.Int64Range(1, base.Minor-refunded).Draw(t, "part")
			if rapid.IntRange(0, 4).Draw(t, "finish") == 0 {
				refunded = base.Minor
			}
			a, err := e.reverse(reversed, refunded, refunded == base.Minor)
			if err != nil {
				t.Fatal(err)
			}
			if a.Result.Minor < 0 || a.Due.Minor > e.Result.Minor || a.Before.Minor+a.Result.Minor != a.Due.Minor {
				t.Fatalf("%+v", a)
			}
			reversed += a.Result.Minor
		}
		if reversed != e.Result.Minor {
			t.Fatalf("%d taken back of %s", reversed, e.Result)
		}
	})
}

func TestReverseRefusesWhatIsNotAPart(t *testing.T) {
	e := Explanation{PercentBP: 5000, Base: &money.Amount{Minor: 100, Currency: "INR"}, Result: money.Amount{Minor: 50, Currency: "INR"}}
	for _, refunded := range []int64{-1, 100, 101} {
		if a, err := e.reverse(0, refunded, false); err == nil {
			t.Errorf("%d: %+v", refunded, a)
		}
	}
	if a, err := e.reverse(40, 50, false); err == nil {
		t.Errorf("less due than was reversed before: %+v", a)
	}
}

// Releases by several at once release each commission once; one that cannot be released keeps back no other.
func TestReleaseDue(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f, ctx := newFixture(t, d), t.Context()
		if _, err := f.CreateRule(ctx, NewRule{ProgramID: program, On: conversion.Sale, Terms: Terms{PercentBP: 5000}}); err != nil {
			t.Fatal(err)
		}
		const count = 230
		for range count {
			f.sale(t, affiliate, 10)
			f.advance(time.Millisecond)
		}
		if n, err := f.ReleaseDue(ctx, f.clock(), 1000); n != 0 || err != nil {
			t.Fatalf("released %d before the hold ended (%v)", n, err)
		}
		f.advance(time.Hour)
		if n, err := f.ReleaseDue(ctx, f.clock(), 7); n != 7 || err != nil {
			t.Fatalf("released %d with a limit of 7 (%v)", n, err)
		}
		var mu sync.Mutex
		total := 7
		g, gctx := errgroup.WithContext(ctx)
		for range 4 {
			g.Go(func() error {
				n, err := f.ReleaseDue(gctx, f.clock(), 1000)
				mu.Lock()
				defer mu.Unlock()
				total += n
				return err
			})
		}
		if err := g.Wait(); err != nil || total != count {
			t.Errorf("released %d, want %d (%v)", total, count, err)
		}
		balances, err := f.ledger.Balances(ctx, affiliate)
		if err != nil || len(balances) != 2 || balances[0].Kind != ledger.Payable || balances[0].Amount.Minor != 5*count || balances[1].Amount.Minor != 0 {
			t.Errorf("balances %+v (%v)", balances, err)
		}
		if r := f.verify(t); r.Break != nil {
			t.Errorf("%s", r)
		}
		if got := testutil.ToFloat64(f.released); got != count {
			t.Errorf("metric says %v released", got)
		}
	})
}

func TestReleaseIsolatesFailures(t *testing.T) {
	d := dbtest.SQLite(t)
	f, ctx := newFixture(t, d), t.Context()
	if _, err := f.CreateRule(ctx, NewRule{ProgramID: program, On: conversion.Sale, Terms: Terms{PercentBP: 5000}}); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		f.sale(t, affiliate, 10)
	}
	// A commission of an owner that the ledger has no account for, and refuses to make one for.
	broken := f.sale(t, affiliate, 10)
	f.exec(t, "UPDATE commissions SET affiliate_id = -1 WHERE id = ?", broken.ID)
	f.advance(2 * time.Hour)
	n, err := f.ReleaseDue(ctx, f.clock(), 1000)
	if n != 5 || !errors.Is(err, ledger.ErrInvalid) {
		t.Errorf("released %d, want 5; error %v", n, err)
	}
	if got := testutil.ToFloat64(f.failed); got != 1 {
		t.Errorf("metric says %v failures", got)
	}
	if r := f.verify(t); r.Break == nil || r.Break.CommissionID != broken.ID {
		t.Errorf("%s", r)
	}
}

// Reconcile finds each way in which a hand in the database could part commissions from the ledger.
func TestReconcileFindsBreaks(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f, ctx := newFixture(t, d), t.Context()
		if _, err := f.CreateRule(ctx, NewRule{ProgramID: program, On: conversion.Sale, Terms: Terms{PercentBP: 5000}}); err != nil {
			t.Fatal(err)
		}
		c := f.sale(t, affiliate, 1000)
		undo := errors.New("undo")
		for _, tt := range []struct{ name, check, query string }{
			{"amount", "commission_ledger", "UPDATE commissions SET amount_minor = amount_minor + 1"},
			{"state", "commission_ledger", "UPDATE commissions SET state = 'payable'"},
			{"reversed in name only", "commission_ledger", "UPDATE commissions SET state = 'reversed'"},
			{"owner", "commission_ledger", "UPDATE commissions SET affiliate_id = 99"},
			{"currency", "commission_ledger", "UPDATE commissions SET currency = 'JPY'"},
			{"taken back", "commission_ledger", "UPDATE commissions SET reversed_minor = 1"},
			{"unexplained", "commission_reversals", `INSERT INTO commission_reversals (commission_id, conversion_id, amount_minor, explanation, created_at)
				SELECT id, conversion_id, 3, '{}', 0 FROM commissions`},
			{"unknown commission", "commission_exists", `INSERT INTO ledger_transactions (id, kind, reason, conversion_id, commission_id, posted_at)
				VALUES (5, 'x', '', 0, 999, 0)`},
		} {
			err := d.InTx(ctx, func(tx *db.Tx) error {
				if _, err := tx.Exec(ctx, tt.query); err != nil {
					return err
				}
				compared, found, err := Reconcile(ctx, tx)
				if err != nil {
					return err
				}
				if compared != 1 || found == nil || found.Check != tt.check || found.CommissionID != c.ID && found.CommissionID != 999 {
					t.Errorf("%s: found %+v, want %s", tt.name, found, tt.check)
				}
				return undo
			})
			if !errors.Is(err, undo) {
				t.Errorf("%s: %v", tt.name, err)
			}
		}
		if r := f.verify(t); r.Break != nil {
			t.Errorf("%s", r)
		}
	})
}

func TestExplanationText(t *testing.T) {
	flat := Explanation{RuleID: "rul_1", RuleVersion: 3, On: conversion.Lead, Flat: &money.Amount{Minor: 50, Currency: "JPY"}, Result: money.Amount{Minor: 50, Currency: "JPY"}}
	if got := flat.Text(); got != "50 JPY for each lead, by the affiliate's own rule rul_1, version 3." {
		t.Errorf("%q", got)
	}
	e := Explanation{PercentBP: 7505, Base: &money.Amount{Minor: 1000, Currency: "INR"}, Result: money.Amount{Minor: 751, Currency: "INR"}}
	a, err := e.reverse(100, 500, false)
	if err != nil || !strings.HasPrefix(a.Text(), "5.00 INR of the sale are refunded in all, for which 3.75 INR was paid; 1.00 INR had been taken back before: 2.75 INR.") {
		t.Errorf("%q, %v", a.Text(), err)
	}
}

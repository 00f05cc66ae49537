package demo

import (
	"context"
	"net/url"
	"time"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/audit"
	"github.com/edgeref/edgeref/core/catalog"
	"github.com/edgeref/edgeref/core/commission"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/shop"
	"github.com/edgeref/edgeref/core/tax"
	"github.com/edgeref/edgeref/wire/conversion"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/link"
	"github.com/edgeref/edgeref/wire/money"
)

// Groups of affiliates, by their place in world.groups.
const (
	goldPartners = iota
	creators
	ambassadors
)

// noted writes that somebody changed something, as the API does.
func noted[T any](ctx context.Context, w *world, action, kind string, id func(T) int64, body func(T) any) func(*db.Tx, T) error {
	return func(tx *db.Tx, v T) error {
		return w.audit.Record(ctx, tx, audit.Entry{Action: action, Object: ident.Format(kind, id(v)), After: body(v)})
	}
}

// makePrograms makes the terms: a program of the business's own courses, and one of partners who sell elsewhere.
func (w *world) makePrograms(ctx context.Context) (err error) {
	record := noted(ctx, w, "program.create", ident.Program, func(p catalog.Program) int64 { return p.ID }, func(p catalog.Program) any {
		return map[string]any{"name": p.Name, "currency": p.Currency, "hold_days": p.HoldDays, "attribution_window_days": p.AttributionWindowDays}
	})
	share := int64(9_000)
	hosts := []string{"learn." + Domain}
	if u, err := url.Parse(w.o.URL); err == nil && u.Host != "" {
		hosts = append(hosts, u.Host)
	}
	w.academy, err = w.catalog.CreateProgram(ctx, catalog.ProgramFields{
		Name: "Nimbak courses", Currency: "INR", AttributionWindowDays: 30, AttributionModel: catalog.LastClick, HoldDays: 14, AllowedHosts: hosts,
		FallbackURL: w.o.URL + "/", ClickParam: "click_id", BrowserConversions: link.BrowserLeads,
		Terms: catalog.Terms{TimeZone: "Asia/Kolkata", MaxShareBP: &share, Floors: []money.Amount{{Minor: -200_000, Currency: "INR"}}},
	}, record)
	if err != nil {
		return err
	}
	w.partners, err = w.catalog.CreateProgram(ctx, catalog.ProgramFields{
		Name: "Partner tools", Currency: "USD", AttributionWindowDays: 45, AttributionModel: catalog.FirstClick, HoldDays: 30,
		AllowedHosts: []string{"ledgerleaf.example", "*.ledgerleaf.example", "hostwren.example"}, FallbackURL: "https://hostwren.example/", ClickParam: "cid",
		BrowserConversions: link.BrowserOff,
	}, record)
	if err != nil {
		return err
	}
	for _, name := range []string{goldPartners: "Gold partners", creators: "Video creators", ambassadors: "Campus ambassadors"} {
		g, err := w.catalog.CreateGroup(ctx, name, noted(ctx, w, "affiliate_group.create", ident.AffiliateGroup, func(g catalog.Group) int64 { return g.ID },
			func(g catalog.Group) any { return map[string]string{"name": g.Name} }))
		if err != nil {
			return err
		}
		w.groups = append(w.groups, g)
	}
	return nil
}

// makeRules says what is paid. It comes after products and the first affiliates, whom some rules are for.
func (w *world) makeRules(ctx context.Context) error {
	rupees := func(n int64) *money.Amount { return &money.Amount{Minor: n * 100, Currency: "INR"} }
	upline := []commission.Level{{PercentBP: 500, Of: commission.OfNet}, {PercentBP: 200, Of: commission.OfNet}}
	rules := []commission.NewRule{
		{ProgramID: w.academy.ID, On: conversion.Sale, Terms: commission.Terms{PercentBP: 6000, More: commission.More{
			Levels: upline, Tiers: &commission.Tiers{By: commission.ByCount, Steps: []commission.Step{{From: 20, PercentBP: 6500}, {From: 50, PercentBP: 7000}}},
		}}},
		{ProgramID: w.academy.ID, GroupID: w.groups[goldPartners].ID, On: conversion.Sale, Terms: commission.Terms{PercentBP: 7500, More: commission.More{Levels: upline[:1]}}},
		{ProgramID: w.academy.ID, GroupID: w.groups[ambassadors].ID, On: conversion.Sale, Terms: commission.Terms{PercentBP: 5000, More: commission.More{CapMonth: rupees(40_000)}}},
		{ProgramID: w.academy.ID, ProductID: w.products["mentoring"].ID, On: conversion.Sale, Terms: commission.Terms{PercentBP: 3000, More: commission.More{CapOrder: rupees(6_000), Levels: upline[:1]}}},
		{ProgramID: w.academy.ID, AffiliateID: w.affiliates[0].ID, On: conversion.Sale, Terms: commission.Terms{PercentBP: 7800, More: commission.More{Levels: upline[:1]}}},
		{ProgramID: w.academy.ID, On: conversion.Lead, Terms: commission.Terms{Flat: rupees(20)}},
		{ProgramID: w.partners.ID, On: conversion.Sale, Terms: commission.Terms{PercentBP: 3000}},
		{ProgramID: w.partners.ID, On: conversion.Lead, Terms: commission.Terms{Flat: &money.Amount{Minor: 150, Currency: "USD"}}},
	}
	for _, r := range rules {
		made, err := w.commissions.CreateRule(ctx, r, noted(ctx, w, "commission_rule.create", ident.Rule, func(r commission.Rule) int64 { return r.ID }, ruleBody))
		if err != nil {
			return err
		}
		w.rules = append(w.rules, made)
	}
	return nil
}

func ruleBody(r commission.Rule) any {
	return map[string]any{"on": r.On, "version": r.Version, "percent_bp": r.Terms.PercentBP}
}

// raiseRule gives campus ambassadors more half way, so that a rule has two versions.
func (w *world) raiseRule(ctx context.Context) error {
	r := w.rules[2]
	r.Terms.PercentBP = 5500
	_, err := w.commissions.ChangeRule(ctx, r.ID, r.Terms, func(tx *db.Tx, before, after commission.Rule) error {
		return w.audit.Record(ctx, tx, audit.Entry{
			Action: "commission_rule.update", Object: ident.Format(ident.Rule, r.ID), Before: ruleBody(before), After: ruleBody(after), Reason: "new term",
		})
	})
	return err
}

// makeCoupons makes coupons of the business, and of affiliates, whose orders are theirs.
func (w *world) makeCoupons(ctx context.Context) error {
	day := func(n int) int64 { return w.day(n).UnixMilli() }
	list := []shop.Coupon{
		{Code: "WELCOME10", PercentBP: 1000, MaxPerCustomer: 1},
		{Code: "FESTIVE25", PercentBP: 2500, StartsAt: day(w.o.Size.Days / 3), EndsAt: day(w.o.Size.Days/3 + 4)},
		{Code: "FLAT300", Amounts: map[string]int64{"INR": 30_000, "USD": 400}, MaxUses: 150},
		{Code: "MENTOR5", PercentBP: 500, Products: []int64{w.products["mentoring"].ID}},
		{Code: "ASHA15", PercentBP: 1500, AffiliateID: w.affiliates[0].ID},
	}
	for _, i := range []int{2, 3, 5} {
		if i < len(w.affiliates) {
			list = append(list, shop.Coupon{Code: couponOf(w.affiliates[i].Name), PercentBP: 1000, AffiliateID: w.affiliates[i].ID})
		}
	}
	for _, c := range list {
		c.Status = shop.CouponActive
		made, err := w.shop.CreateCoupon(ctx, c)
		if err != nil {
			return err
		}
		w.coupons = append(w.coupons, made)
	}
	return nil
}

// makeTaxRule takes the example as the rule in force.
func (w *world) makeTaxRule(ctx context.Context) error {
	t := tax.Example()
	t.ValidFrom = w.start.Add(-24 * time.Hour).UnixMilli()
	t.ConfirmedBy, t.Note = "nobody: this is a demo", "as the example has it"
	_, err := w.taxes.Create(ctx, t, nil)
	return err
}

// as is a context in which a person of the cast acts, with a second factor that was just proved.
func (w *world) as(ctx context.Context, variable string) context.Context {
	p := w.cast[variable]
	return access.With(ctx, access.Principal{
		PersonID: p.ID, SessionID: p.ID, AffiliateID: p.AffiliateID, Name: p.Name, Roles: p.Roles, Scopes: access.GrantsOf(p.Roles),
		SecondFactorAt: w.clock.Now().UnixMilli(), Address: "203.0.113.24",
	})
}

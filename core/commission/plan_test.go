package commission

import (
	"strings"
	"testing"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/wire/conversion"
)

// However many commissions there are, a page is read off an index that has them in order.
func TestPagesComeFromAnIndex(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d)
		rule, err := f.CreateRule(t.Context(), NewRule{ProgramID: program, On: conversion.Sale, Terms: Terms{PercentBP: 5000}})
		if err != nil {
			t.Fatal(err)
		}
		const numbers = ` WITH RECURSIVE a (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM a WHERE i < 70), b (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM b WHERE i < 70) `
		f.exec(t, `INSERT INTO conversions (id, program_id, type, txn_id, subject, hash, click_id, amount_minor, currency, name, channel, node,
			received_at, booked_at, state, reason, affiliate_id, link_id, attribution, explanation, no_commission, refunded_minor, refunded_currency, closed)`+numbers+
			`SELECT 100 * a.i + b.i, 1, 'sale', 100 * a.i + b.i, '', x'`+strings.Repeat("00", 32)+`', '', 1, 'INR', '', 'api', 0, 0, 0, 'booked', '', 1, 1, '', '', '', 0, '', 0 FROM a, b`)
		f.exec(t, `INSERT INTO commissions (id, conversion_id, program_id, affiliate_id, link_id, state, currency, amount_minor, reversed_minor, rule_id,
			rule_version, explanation, created_at, release_at, released_at)`+numbers+
			`SELECT 100 * a.i + b.i, 100 * a.i + b.i, 1, b.i, 1, CASE WHEN b.i % 4 = 0 THEN 'pending' ELSE 'paid' END, 'INR', 1, 0, ?, 1, '', 0, 0, 0 FROM a, b`, rule.ID)
		for _, c := range []struct {
			filter Filter
			index  string // "": the table itself, from its end
		}{
			{Filter{}, ""},
			{Filter{State: Pending}, "commissions_state"},
			{Filter{AffiliateID: 7}, "commissions_affiliate"},
			{Filter{AffiliateID: 7, State: Paid}, "commissions_affiliate"},
			{Filter{AffiliateID: 7, Since: 300}, "commissions_affiliate"},
			{Filter{Conversion: 307, AffiliateID: 7, State: Paid}, "commissions_conversion"},
		} {
			for _, before := range []int64{0, 5000} {
				c.filter.Before = before
				if d.Dialect() == db.MySQL && c.index == "commissions_conversion" {
					c.index = "commissions_of" // its name there
				}
				where, args := c.filter.where()
				plan := dbtest.Plan(t, d, "SELECT id, explanation FROM commissions WHERE "+where+" ORDER BY id DESC LIMIT 51", args...)
				if strings.Contains(plan, "filesort") || strings.Contains(plan, "TEMP B-TREE") || c.index != "" && !strings.Contains(plan, c.index+" ") {
					t.Errorf("%+v: want index %q without sorting, plan is\n%s", c.filter, c.index, plan)
				}
			}
		}
	})
}

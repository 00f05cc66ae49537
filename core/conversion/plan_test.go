package conversion_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/edgeref/edgeref/core/conversion"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
	wire "github.com/edgeref/edgeref/wire/conversion"
)

// However many conversions there are, a page is read off an index that has them in order: nothing is sorted, and the
// whole table is never looked through.
func TestPagesComeFromAnIndex(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d)
		f.exec(t, `INSERT INTO conversions (id, program_id, type, txn_id, subject, hash, click_id, amount_minor, currency, name, channel, node,
			received_at, booked_at, state, reason, affiliate_id, link_id, attribution, explanation, no_commission, refunded_minor, refunded_currency, closed)
			WITH RECURSIVE a (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM a WHERE i < 70), b (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM b WHERE i < 70)
			SELECT 100 * a.i + b.i, 1 + (b.i % 2), CASE WHEN b.i % 9 = 0 THEN 'refund' ELSE 'sale' END, 100 * a.i + b.i, 100 * a.i + b.i,
				x'0000000000000000000000000000000000000000000000000000000000000000', '', 1, 'INR', '', 'api', 0, 0, 0, CASE WHEN b.i % 30 = 0 THEN 'waiting' ELSE 'booked' END, '',
				b.i, 1, '', '', '', 0, '', 0
			FROM a, b`)
		for _, c := range []struct {
			filter conversion.Filter
			index  string // "": the table itself, from its end
		}{
			{conversion.Filter{}, ""},
			{conversion.Filter{ProgramID: 1}, "conversions_program"},
			{conversion.Filter{ProgramID: 1, Type: wire.Refund}, "conversions_program_type"},
			{conversion.Filter{Type: wire.Refund}, "conversions_type"},
			{conversion.Filter{State: conversion.Waiting}, "conversions_state"},
			{conversion.Filter{AffiliateID: 7}, "conversions_affiliate"},
			{conversion.Filter{State: conversion.Booked}, ""},
			{conversion.Filter{ProgramID: 1, State: conversion.Booked}, "conversions_program"},
			{conversion.Filter{ClickID: "c7"}, "conversions_click"},
			{conversion.Filter{ClickID: "c7", AffiliateID: 7, TxnID: "207"}, "conversions_click"},
			{conversion.Filter{AffiliateID: 7, Since: 300}, "conversions_affiliate"},
			{conversion.Filter{Since: 300}, ""},
			{conversion.Filter{AffiliateID: 7, ProgramID: 2, Type: wire.Sale, State: conversion.Booked}, "conversions_affiliate"},
		} {
			for _, before := range []int64{0, 5000} {
				c.filter.Before = before
				where, args := c.filter.Where()
				plan := dbtest.Plan(t, d, "SELECT id, explanation FROM conversions WHERE "+where+" ORDER BY id DESC LIMIT 51", args...)
				if strings.Contains(plan, "filesort") || strings.Contains(plan, "TEMP B-TREE") || c.index != "" && !strings.Contains(plan, c.index+" ") {
					t.Errorf("%s: want index %q without sorting, plan is\n%s", fmt.Sprintf("%+v", c.filter), c.index, plan)
				}
			}
		}
	})
}

package shop

import (
	"strings"
	"testing"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
)

// However many orders there are, a page is read off an index that has them in order, and the few of a payment or a click are
// found by theirs.
func TestPagesComeFromAnIndex(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		fill(t, d)
		for _, c := range []struct {
			filter OrderFilter
			index  string // of MySQL; "": the table itself, from its end
			sqlite string // where it is called otherwise
			sorted bool   // the few that were found
		}{
			{OrderFilter{}, "", "", false},
			{OrderFilter{Since: 300}, "", "", false},
			{OrderFilter{State: Disputed}, "orders_state", "", false},
			{OrderFilter{AffiliateID: 7, State: Paid, Since: 300}, "orders_affiliate", "", false},
			{OrderFilter{Email: "7@example.com", AffiliateID: 7, State: Paid}, "orders_email", "", false},
			{OrderFilter{CustomerKey: "k7", State: Paid}, "orders_customer", "", false},
			{OrderFilter{Number: "307", Email: "7@example.com"}, "orders_number", "sqlite_autoindex_orders_1", true},
			{OrderFilter{Transaction: "pay_307", State: Paid}, "order_events_payment", "", true},
			{OrderFilter{ClickID: "c307", Email: "7@example.com"}, "order_clicks", "SEARCH order_clicks USING PRIMARY KEY", true},
		} {
			for _, before := range []int64{0, 5000} {
				c.filter.Before = before
				where, args := c.filter.clauses()
				plan := dbtest.Plan(t, d, "SELECT id, address FROM orders WHERE "+where+" ORDER BY id DESC LIMIT 51", args...)
				index := c.index
				if c.sqlite != "" && d.Dialect() == db.SQLite {
					index = c.sqlite
				}
				sorts := strings.Contains(plan, "filesort") || strings.Contains(plan, "TEMP B-TREE FOR ORDER BY")
				if sorts && !c.sorted || !strings.Contains(plan, index) {
					t.Errorf("%+v: want index %q, plan is\n%s", c.filter, index, plan)
				}
			}
		}
	})
}

// fill makes 4,900 orders, each with an event and a click.
func fill(t *testing.T, d *db.DB) {
	t.Helper()
	const numbers = ` WITH RECURSIVE a (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM a WHERE i < 70), b (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM b WHERE i < 70) `
	text := func(prefix, number, suffix string) string {
		if d.Dialect() == db.MySQL {
			return "CONCAT('" + prefix + "', " + number + ", '" + suffix + "')"
		}
		return "'" + prefix + "' || (" + number + ") || '" + suffix + "'"
	}
	const id = "100 * a.i + b.i"
	for _, query := range []string{
		`INSERT INTO orders (id, number, token, state, currency, list_minor, discount_minor, net_minor, tax_minor, total_minor, refunded_minor, tax_kind, supply_place,
			email, customer_key, name, address, country, region, gstin, program_id, affiliate_id, link_id, attribution, coupon_id, coupon_code, gateway, payment_id,
			conversion_id, created_at, updated_at, expires_at, paid_at, erased_at)` + numbers + `SELECT ` + id + `, ` + text("", id, "") + `, ` + text("t", id, "") + `,
			CASE WHEN b.i % 30 = 0 THEN 'disputed' ELSE 'paid' END, 'INR', 1, 0, 1, 0, 1, 0, 'none', '', ` + text("", "b.i", "@example.com") + `, ` + text("k", "b.i", "") + `,
			'', '', 'IN', '', '', 0, b.i, 0, '{}', 0, '', '', '', 0, 1, 1, 1, 1, 0 FROM a, b`,
		`INSERT INTO order_events (id, order_id, kind, from_state, to_state, amount_minor, currency, gateway, payment_id, ref, actor, detail, at)` + numbers +
			`SELECT ` + id + `, ` + id + `, 'paid', '', '', 0, '', '', ` + text("pay_", id, "") + `, '', '', '', 1 FROM a, b`,
		`INSERT INTO order_clicks (click_id, order_id)` + numbers + `SELECT ` + text("c", id, "") + `, ` + id + ` FROM a, b`,
	} {
		err := d.InTx(t.Context(), func(tx *db.Tx) error {
			_, err := tx.Exec(t.Context(), query)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

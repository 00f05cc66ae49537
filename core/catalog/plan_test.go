package catalog_test

import (
	"strings"
	"testing"

	"github.com/edgeref/edgeref/core/catalog"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/wire/link"
)

// many makes 4,900 affiliates with a link each.
func (w *world) many() {
	w.t.Helper()
	p := w.program()
	const numbers = ` WITH RECURSIVE a (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM a WHERE i < 70), b (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM b WHERE i < 70) `
	err := w.db.InTx(w.t.Context(), func(tx *db.Tx) error {
		name := "'Name ' || (100 * a.i + b.i)"
		if w.db.Dialect() == db.MySQL {
			name = "CONCAT('Name ', 100 * a.i + b.i)"
		}
		if _, err := tx.Exec(w.t.Context(), `INSERT INTO affiliates (id, name, email, status, sponsor_id, group_id, created_at, updated_at)`+numbers+
			`SELECT 100 * a.i + b.i, `+name+`, `+name+`, 'active', b.i, a.i, 1, 1 FROM a, b`); err != nil {
			return err
		}
		_, err := tx.Exec(w.t.Context(), `INSERT INTO links (id, slug, affiliate_id, program_id, destination, status, expires_at, created_at, updated_at, rev)`+numbers+
			`SELECT 100 * a.i + b.i, 100 * a.i + b.i, 100 * a.i + b.i, ?, 'https://shop.example/', 'active', 0, 1, 1, 1 FROM a, b`, p.ID)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// However many affiliates and links there are, a page is read off an index: the whole table is never looked through for a
// name, an address or a slug, and nothing but what was found by one is sorted.
func TestPagesComeFromAnIndex(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.many()
		check := func(table, where string, args []any, index string, sorted bool) {
			t.Helper()
			plan := dbtest.Plan(t, d, "SELECT id, created_at FROM "+table+" WHERE "+where+" ORDER BY id DESC LIMIT 51", args...)
			sorts := strings.Contains(plan, "filesort") || strings.Contains(plan, "TEMP B-TREE FOR ORDER BY")
			if sorts && !sorted || index != "" && !strings.Contains(plan, index+" ") {
				t.Errorf("%s: want index %q, plan is\n%s", where, index, plan)
			}
		}
		for _, before := range []int64{0, 5000} {
			for _, c := range []struct {
				filter catalog.AffiliateFilter
				index  string
				sorted bool
			}{
				{catalog.AffiliateFilter{}, "", false},
				{catalog.AffiliateFilter{Since: 300}, "", false},
				{catalog.AffiliateFilter{Status: catalog.Active}, "", false},
				{catalog.AffiliateFilter{SponsorID: 7}, "affiliates_sponsor", false},
				{catalog.AffiliateFilter{GroupID: 7, Since: 300}, "affiliates_group", false},
				{catalog.AffiliateFilter{SponsorID: 7, GroupID: 7, Status: catalog.Suspended}, "affiliates_sponsor", false},
				{catalog.AffiliateFilter{Name: "name 12"}, "affiliates_name", true},
				{catalog.AffiliateFilter{Email: "name 12", SponsorID: 7}, "affiliate_emails_email", true},
			} {
				c.filter.Before = before
				where, args := c.filter.Where(d.Dialect())
				check("affiliates", where, args, c.index, c.sorted)
			}
			for _, c := range []struct {
				filter catalog.LinkFilter
				index  string
				sorted bool
			}{
				{catalog.LinkFilter{}, "", false},
				{catalog.LinkFilter{Status: link.Active, Since: 300}, "", false},
				{catalog.LinkFilter{AffiliateID: 107, ProgramID: 7}, "links_affiliate", false},
				{catalog.LinkFilter{AffiliateID: 107, ProgramID: 7, Slug: "10", Status: link.Active}, "links_affiliate", false},
			} {
				where, args := c.filter.Where(before)
				check("links", where, args, c.index, c.sorted)
			}
		}
		where, args := catalog.LinkFilter{Slug: "12"}.Where(0)
		slug := "links_slug"
		if d.Dialect() == db.SQLite {
			slug = "sqlite_autoindex_links_1" // of the unique column
		}
		check("links", where, args, slug, true)
	})
}

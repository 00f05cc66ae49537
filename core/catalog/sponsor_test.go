package catalog_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/edgeref/edgeref/core/catalog"
	"github.com/edgeref/edgeref/wire/money"
)

func (w *world) join(t *testing.T, name string, sponsor int64) catalog.Affiliate {
	t.Helper()
	a, err := w.AddAffiliate(t.Context(), catalog.NewAffiliate{Name: name, Email: name + "@example.com", SponsorID: sponsor})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// Nobody becomes his own sponsor, directly or over others, and a downline is read page by page, whole or by level.
func TestSponsors(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		root := w.join(t, "root", 0)
		a, b := w.join(t, "a", root.ID), w.join(t, "b", root.ID)
		c := w.join(t, "c", a.ID)
		w.join(t, "d", c.ID)
		var invalid *catalog.InvalidError
		for _, sponsor := range []int64{a.ID, c.ID, 12345} {
			if _, err := w.UpdateAffiliate(t.Context(), a.ID, catalog.AffiliatePatch{SponsorID: &sponsor}); !errors.As(err, &invalid) || invalid.Fields[0].Field != "sponsor_id" {
				t.Errorf("sponsor %d of a: %v", sponsor, err)
			}
		}
		if _, err := w.AddAffiliate(t.Context(), catalog.NewAffiliate{Name: "x", Email: "x@example.com", SponsorID: 1, GroupID: 2}); !errors.As(err, &invalid) || len(invalid.Fields) != 2 {
			t.Errorf("neither sponsor nor group exists: %v", err)
		}
		list := func(of int64, f catalog.DownlineFilter) (names string, last int64) {
			t.Helper()
			if f.Limit == 0 {
				f.Limit = 10
			}
			found, err := w.Downline(t.Context(), of, f)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range found {
				names, last = names+fmt.Sprintf("%s%d<%s ", m.Name, m.Depth, m.SponsorName), m.ID
			}
			return names, last
		}
		for _, c := range []struct {
			of     int64
			filter catalog.DownlineFilter
			want   string
		}{
			{root.ID, catalog.DownlineFilter{}, "d3<c c2<a b1<root a1<root "},
			{root.ID, catalog.DownlineFilter{Level: 1}, "b1<root a1<root "},
			{root.ID, catalog.DownlineFilter{Level: 3}, "d3<c "},
			{root.ID, catalog.DownlineFilter{Level: 4}, ""},
			{a.ID, catalog.DownlineFilter{}, "d2<c c1<a "},
			{b.ID, catalog.DownlineFilter{}, ""},
		} {
			if got, _ := list(c.of, c.filter); got != c.want {
				t.Errorf("%+v of %d: %q, want %q", c.filter, c.of, got, c.want)
			}
		}
		first, last := list(root.ID, catalog.DownlineFilter{Limit: 3})
		if rest, _ := list(root.ID, catalog.DownlineFilter{Limit: 3, Before: last}); first+rest != "d3<c c2<a b1<root a1<root " {
			t.Errorf("two pages: %q and %q", first, rest)
		}
		if _, err := w.UpdateAffiliate(t.Context(), c.ID, catalog.AffiliatePatch{SponsorID: &b.ID}); err != nil {
			t.Fatal(err)
		}
		if got, _ := list(b.ID, catalog.DownlineFilter{}); got != "d2<c c1<b " {
			t.Errorf("after c moved to b: %q", got)
		}
	})
}

func TestGroups(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		g, err := w.CreateGroup(t.Context(), "Gold")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.CreateGroup(t.Context(), " "); err == nil {
			t.Error("a group without a name")
		}
		if g, err = w.RenameGroup(t.Context(), g.ID, "Platinum"); err != nil || g.Name != "Platinum" {
			t.Errorf("%+v, %v", g, err)
		}
		a := w.join(t, "a", 0)
		if a, err = w.UpdateAffiliate(t.Context(), a.ID, catalog.AffiliatePatch{GroupID: &g.ID}); err != nil || a.GroupID != g.ID {
			t.Errorf("%+v, %v", a, err)
		}
		if list, err := w.Groups(t.Context(), 0, 10); err != nil || len(list) != 1 || list[0] != g {
			t.Errorf("%+v, %v", list, err)
		}
		if _, err := w.Group(t.Context(), a.ID); !errors.Is(err, catalog.ErrNotFound) {
			t.Errorf("no such group: %v", err)
		}
	})
}

func TestTerms(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		fields := fields()
		fields.AttributionModel = catalog.FirstClick
		share := int64(8000)
		fields.Terms = catalog.Terms{
			Precedence: []string{"click", "coupon"}, Bind: "any", BindDays: 90, Lifetime: true, TimeZone: "Asia/Kolkata", MaxShareBP: &share,
			ProductHolds: []catalog.ProductHold{{ProductID: 7, Days: 60}}, Floors: []money.Amount{{Minor: -5000, Currency: "INR"}},
		}
		p, err := w.CreateProgram(t.Context(), fields)
		if err != nil {
			t.Fatal(err)
		}
		p, err = w.Program(t.Context(), p.ID)
		if err != nil || *p.Terms.MaxShareBP != 8000 || p.Terms.HoldDays(30, 7) != 60 || p.Terms.HoldDays(90, 7) != 90 || p.Terms.HoldDays(30, 8) != 30 ||
			p.Terms.Location().String() != "Asia/Kolkata" || strings.Join(p.Terms.Precedence, " ") != "click coupon" {
			t.Errorf("%+v, %v", p.Terms, err)
		}
		if p, err = w.UpdateProgram(t.Context(), p.ID, catalog.ProgramPatch{Terms: &catalog.Terms{}}); err != nil || p.Terms.MaxShareBP != nil {
			t.Errorf("%+v, %v", p.Terms, err)
		}
		over := int64(10_001)
		for name, terms := range map[string]catalog.Terms{
			"precedence":    {Precedence: []string{"click", "click"}},
			"bind":          {Bind: "sometimes"},
			"bind_days":     {BindDays: -1},
			"time_zone":     {TimeZone: "Mars"},
			"max_share_bp":  {MaxShareBP: &over},
			"product_holds": {ProductHolds: []catalog.ProductHold{{ProductID: 1}, {ProductID: 1}}},
			"floors":        {Floors: []money.Amount{{Minor: 1, Currency: "INR"}}},
		} {
			var invalid *catalog.InvalidError
			_, err := w.UpdateProgram(t.Context(), p.ID, catalog.ProgramPatch{Terms: &terms})
			if !errors.As(err, &invalid) || len(invalid.Fields) != 1 || invalid.Fields[0].Field != "terms."+name {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

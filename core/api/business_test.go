package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/api"
	"github.com/edgeref/edgeref/core/business"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/system"
	"github.com/edgeref/edgeref/wire/node"
)

const businessSpanOf2026 = "/api/v1/overview?from=2026-05-01T00:00:00Z&to=2026-05-02T00:00:00Z"

func TestBusiness(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		sh := s.shop()
		s.do("POST", "/api/v1/conversions", sh.sale("o-1", 10_000)).want(http.StatusCreated)
		// The same sale with another amount is a conflict that somebody should look at.
		s.do("POST", "/api/v1/conversions", sh.sale("o-1", 20_000)).want(http.StatusConflict)
		insert := func(query string, args ...any) {
			t.Helper()
			err := s.db.InTx(t.Context(), func(tx *db.Tx) error {
				_, err := tx.Exec(t.Context(), query, args...)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		at := s.clock.Now().UnixMilli()
		order := func(id int64, customer string, paid int64) {
			insert(`INSERT INTO orders (id, number, token, state, currency, list_minor, discount_minor, net_minor, tax_minor, total_minor, refunded_minor, tax_kind, supply_place, email,
				customer_key, name, address, country, region, gstin, program_id, affiliate_id, link_id, attribution, coupon_id, coupon_code, gateway, payment_id, conversion_id,
				created_at, updated_at, expires_at, paid_at, erased_at) VALUES (?, ?, ?, 'paid', 'INR', 11800, 0, 10000, 1800, 11800, 0, '', '', '', ?, '', '', '', '', '', 0, 0, 0, '{}', 0, '',
				'', '', 0, ?, ?, 0, ?, 0)`, id, customer+"-"+string(rune('a'+id)), string(rune('a'+id)), customer, paid, paid, paid)
		}
		order(1, "ann", at-48*3600_000)
		order(2, "ann", at)
		order(3, "bob", at)
		s.bearer = s.signIn(7, nil, access.RoleAdmin)
		var o api.BusinessOverview
		s.do("GET", businessSpanOf2026+"&compare_from=2026-04-29T00:00:00Z&compare_to=2026-04-30T00:00:00Z", nil).want(http.StatusOK).into(&o)
		if f := o.Figures; f == nil || f.Orders != 2 || f.NewBuyers != 1 || f.NewAffiliates != 1 || len(f.Money) != 1 || f.Money[0].Revenue != 23_600 || f.Money[0].Commission == 0 ||
			f.Money[0].Net != 20_000-f.Money[0].Commission {
			t.Errorf("%+v", o.Figures)
		}
		if c := o.Compare; c == nil || c.Orders != 1 || c.NewBuyers != 1 || c.Money[0].Net != 10_000 {
			t.Errorf("%+v", o.Compare)
		}
		counts := map[business.Task]int64{}
		for _, item := range o.Todo {
			counts[item.Task] = item.Count
		}
		if len(counts) != len(business.Tasks()) || counts[business.Conflicts] != 1 || counts[business.Applications] != 0 {
			t.Errorf("%+v", o.Todo)
		}
		s.do("GET", "/api/v1/overview", nil).want(http.StatusOK).into(&o)
		s.do("GET", "/api/v1/overview?from=2026-05-01T00:00:00Z", nil).want(http.StatusUnprocessableEntity, "validation_failed")
		s.do("GET", "/api/v1/overview?from=2026-05-02T00:00:00Z&to=2026-05-01T00:00:00Z", nil).want(http.StatusUnprocessableEntity, "validation_failed")

		// Support learns of what it may look into, and of no more.
		s.bearer = s.signIn(8, nil, access.RoleSupport)
		o = api.BusinessOverview{}
		s.do("GET", "/api/v1/overview", nil).want(http.StatusOK).into(&o)
		for _, item := range o.Todo {
			switch item.Task {
			case business.PayoutBatches, business.PayoutRequests, business.UnknownPayouts, business.KYCDocuments, business.DeadWebhooks, business.CommissionReviews:
				t.Errorf("support is told of %s", item.Task)
			}
		}
		if len(o.Todo) == 0 {
			t.Error("support is told of nothing")
		}
	})
}

// What is not well is told to whom it concerns: all of it to whoever may see the system, the ledger to finance, nothing to others.
func TestBusinessTellsOfTheSystem(t *testing.T) {
	s := sqliteServer(t)
	state := func(bearer string) *api.BusinessSystem {
		t.Helper()
		s.clock.add(2 * time.Second) // what was asked is kept for one
		s.bearer = bearer
		var o api.BusinessOverview
		s.do("GET", "/api/v1/overview", nil).want(http.StatusOK).into(&o)
		return o.System
	}
	admin, finance, support := s.signIn(7, nil, access.RoleAdmin), s.signIn(8, nil, access.RoleFinance), s.signIn(9, nil, access.RoleSupport)
	for _, who := range []string{admin, finance, support} {
		if got := state(who); got == nil || got.State != system.OK || got.Troubles == nil || len(got.Troubles) != 0 {
			t.Errorf("while all is well: %+v", got)
		}
	}
	s.ledgerFacts = system.LedgerFacts{VerifiedAt: s.clock.Now(), Text: "sums differ"}
	now := s.clock.Now().UnixMilli()
	if err := s.nodes().Report(t.Context(), node.Status{Node: 3, Instance: "x", StartedAt: now, SentAt: now}); err != nil {
		t.Fatal(err)
	}
	got := state(admin)
	if got.State != system.Bad || len(got.Troubles) != 2 || got.Troubles[0].Kind != system.TroubleLedger || got.Troubles[1].Kind != system.TroubleNode || got.Troubles[1].Name != "3" ||
		got.Troubles[1].State != system.Warn {
		t.Errorf("admin: %+v", got)
	}
	if got = state(finance); got.State != system.Bad || len(got.Troubles) != 1 || !strings.Contains(got.Troubles[0].Text, "sums differ") {
		t.Errorf("finance: %+v", got)
	}
	if got = state(support); len(got.Troubles) != 2 {
		t.Errorf("support: %+v", got)
	}
	if got = state(s.token(access.ReportsRead)); got != nil {
		t.Errorf("a machine that reads reports: %+v", got)
	}
}

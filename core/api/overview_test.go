package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/api"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/ident"
)

// person writes somebody who may be an affiliate.
func (s *server) person(name, email string, affiliate string) string {
	s.t.Helper()
	affiliateID, err := ident.Parse(ident.Affiliate, affiliate)
	if err != nil {
		s.t.Fatal(err)
	}
	id := s.ids.New()
	err = s.db.InTx(s.t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(s.t.Context(), `INSERT INTO people (id, email, name, roles, affiliate_id, status, password, password_changed_at, created_at, updated_at, erased_at)
			VALUES (?, ?, ?, 'affiliate learner', ?, 'active', '', 0, 1, 1, 0)`, id, email, name, affiliateID)
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return ident.Format(ident.Person, id)
}

func TestPersonOverview(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		sh, order := s.soldAndRefunded()
		bea := s.person("Bea", "bea@example.com", sh.affiliate.ID)
		s.do("PATCH", "/api/v1/affiliates/"+sh.affiliate.ID, map[string]any{"name": "Ann Other", "reason": "married"}).want(http.StatusOK)
		path := "/api/v1/people/" + bea + "/overview"
		var o api.PersonOverview
		s.do("GET", path, nil).want(http.StatusOK).into(&o)
		if o.Person.ID != bea || o.Affiliate == nil || o.Affiliate.ID != sh.affiliate.ID || len(o.Links) != 1 || len(o.Balances) != 1 || o.Balances[0].Amount.Minor != 37_500 ||
			len(o.Orders) != 1 || o.Orders[0].ID != order.ID || len(o.Entitlements) != 1 || o.Entitlements[0].Code != "course:a" || len(o.Mails) != 2 || len(o.Sessions) != 0 ||
			len(o.Audit) != 2 || o.Audit[0].Reason != "married" || o.SecondFactor {
			t.Errorf("overview %+v", o)
		}
		for part, state := range states(o.Parts) {
			if state != "complete" {
				t.Errorf("%s is %s", part, state)
			}
		}
		for range 11 {
			s.link(sh.affiliate, sh.program)
		}
		s.bearer = s.signIn(7, nil, access.RoleSupport)
		s.do("GET", path, nil).want(http.StatusOK).into(&o)
		got := states(o.Parts)
		if got["links"] != "cut" || len(o.Links) != 10 || got["balances"] != "not_permitted" || len(o.Balances) != 0 || got["audit"] != "not_permitted" || len(o.Audit) != 0 ||
			got["sessions"] != "not_permitted" || got["mails"] != "complete" {
			t.Errorf("support sees %v of %+v", got, o)
		}
		s.do("GET", "/api/v1/people/per_0000000000001/overview", nil).want(http.StatusNotFound, "not_found")
	})
}

// Who applies to become an affiliate waits, is approved or refused, and is told by mail.
func TestApplications(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		apply := func(name string) string {
			var id int64
			err := s.db.InTx(t.Context(), func(tx *db.Tx) (err error) {
				id, err = s.desk.Catalog.Admit(t.Context(), tx, name, strings.ToLower(name)+"@example.com", 0, true)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return "/api/v1/affiliates/" + ident.Format(ident.Affiliate, id)
		}
		eva, joe := apply("Eva"), apply("Joe")
		if n := s.count("/affiliates?status=pending"); n != 2 {
			t.Errorf("%d wait", n)
		}
		var now api.Affiliate
		s.do("PATCH", eva, map[string]any{"status": "active"}, "Idempotency-Key", "k").want(http.StatusOK).into(&now)
		if now.Status != "active" {
			t.Errorf("approved: %+v", now)
		}
		s.do("PATCH", joe, map[string]any{"status": "suspended"}).want(http.StatusUnprocessableEntity, "validation_failed")
		s.do("PATCH", joe, map[string]any{"status": "suspended", "reason": "links from a forum of spam"}).want(http.StatusOK).into(&now)
		if now.Status != "suspended" || s.count("/affiliates?status=pending") != 0 {
			t.Errorf("refused: %+v", now)
		}
		// Later changes are nobody's business but ours.
		s.do("PATCH", eva, map[string]any{"status": "suspended"}).want(http.StatusOK)
		s.do("PATCH", joe, map[string]any{"status": "active"}).want(http.StatusOK)
		var mails api.List[api.Mail]
		s.do("GET", "/api/v1/mails", nil).want(http.StatusOK).into(&mails)
		if len(mails.Items) != 2 || mails.Items[0].To != "joe@example.com" || mails.Items[0].Template != "affiliate_refused" || mails.Items[1].Template != "affiliate_approved" {
			t.Fatalf("mails %+v", mails.Items)
		}
		var refusal api.MailDetail
		s.do("GET", "/api/v1/mails/"+mails.Items[0].ID, nil).want(http.StatusOK).into(&refusal)
		if !strings.Contains(refusal.Text, "links from a forum of spam") {
			t.Errorf("refusal %q", refusal.Text)
		}
		if log := s.auditLog("?action=affiliate.update"); len(log) != 4 || log[2].Reason != "links from a forum of spam" {
			t.Errorf("log %+v", log)
		}
	})
}

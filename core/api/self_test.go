package api_test

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/api"
	"github.com/edgeref/edgeref/core/catalog"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/report"
)

// figures is what analytics answers in the tests of modules.
func (s *server) figures() *analytics {
	s.analytics = &analytics{}
	return s.analytics
}

// asAffiliate signs in a person who is an affiliate.
func (s *server) asAffiliate(person int64, affiliate string) string {
	s.t.Helper()
	id, err := ident.Parse(ident.Affiliate, affiliate)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.signIn(person, func(p *access.Principal) { p.AffiliateID = id }, access.RoleAffiliate)
}

const mine = "/api/v1/me/affiliate"

func TestAffiliatesHelpThemselves(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		sh := s.shop()
		s.bearer = s.asAffiliate(7, sh.affiliate.ID)
		var profile api.OwnProfile
		s.do("GET", mine, nil).want(http.StatusOK).into(&profile)
		if profile.ID != sh.affiliate.ID || profile.Email != "ann@example.com" {
			t.Errorf("profile %+v", profile)
		}
		s.do("PATCH", mine, map[string]any{"name": "Ann Other"}).want(http.StatusOK).into(&profile)
		if profile.Name != "Ann Other" {
			t.Errorf("changed to %+v", profile)
		}
		s.do("PATCH", mine, map[string]any{"name": "Ann", "status": "active"}).want(http.StatusUnprocessableEntity, "validation_failed")
		var programs struct{ Items []api.OpenProgram }
		s.do("GET", mine+"/programs", nil).want(http.StatusOK).into(&programs)
		if len(programs.Items) != 1 || programs.Items[0].ID != sh.program.ID {
			t.Errorf("programs %+v", programs)
		}
		var made, now api.Link
		ask := map[string]any{"program_id": sh.program.ID, "destination": "https://shop.example/c?src={sub1}", "slug": "anns-own"}
		s.do("POST", mine+"/links", ask, "Idempotency-Key", "the-first-link-of-ann").want(http.StatusCreated).into(&made)
		// A request is repeated with the next access token of the same person as well.
		s.bearer = s.asAffiliate(7, sh.affiliate.ID)
		s.do("POST", mine+"/links", ask, "Idempotency-Key", "the-first-link-of-ann").want(http.StatusCreated).into(&now)
		if made.AffiliateID != sh.affiliate.ID || made.Slug != "anns-own" || now.ID != made.ID {
			t.Errorf("made %+v, then %+v", made, now)
		}
		s.do("PATCH", mine+"/links/"+made.ID, map[string]any{"status": "disabled"}).want(http.StatusOK).into(&now)
		if now.Status != "disabled" {
			t.Errorf("changed to %+v", now)
		}
		s.do("PATCH", mine+"/links/"+made.ID, map[string]any{"status": "active"}).want(http.StatusUnprocessableEntity, "validation_failed")
		var list struct{ Items []api.Link }
		s.do("GET", mine+"/links", nil).want(http.StatusOK).into(&list)
		if len(list.Items) != 2 {
			t.Errorf("links %+v", list.Items)
		}
		if log := s.auditLog("?actor_id=per_0000000000007"); len(log) != 3 {
			t.Errorf("log %+v", log)
		}
	})
}

// Where affiliates may send the visitors of our domain.
func TestOwnLinksStayWithTheProgram(t *testing.T) {
	s := sqliteServer(t)
	var program api.ProgramWithSecret
	s.do("POST", "/api/v1/programs", map[string]any{
		"name": "Courses", "currency": "INR", "allowed_hosts": []string{"shop.example", "*.wild.example", "dev.example:8443"},
	}).want(http.StatusCreated).into(&program)
	var none api.ProgramWithSecret
	s.do("POST", "/api/v1/programs", map[string]any{"name": "Nowhere", "currency": "INR"}).want(http.StatusCreated).into(&none)
	ann := s.affiliate()
	s.bearer = s.asAffiliate(7, ann.ID)
	ask := func(program, destination string) answer {
		return s.do("POST", mine+"/links", map[string]any{"program_id": program, "destination": destination})
	}
	for destination, good := range map[string]bool{
		"https://shop.example/": true, "http://shop.example:80/x": true, "https://SHOP.example:443/{sub1}": true, "https://a.wild.example/": true,
		"https://dev.example:8443/": true,
		"https://evil.example/":     false, "https://shop.example.evil.example/": false, "https://shop.example@evil.example/": false, "https://evilshop.example/": false,
		"https://wild.example/": false, "https://evilwild.example/": false, "https://shop.example:8443/": false, "https://dev.example/": false,
		"javascript:alert(1)": false, "//shop.example/": false, "https://shop.example\\@evil.example/": false, "https://evil.example/#shop.example": false,
	} {
		got := ask(program.ID, destination)
		if (got.status == http.StatusCreated) != good || !good && got.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s", destination, got.status, got.body)
		}
	}
	ask(none.ID, "https://shop.example/").want(http.StatusUnprocessableEntity, "validation_failed")
	ask("prg_0000000000001", "https://shop.example/").want(http.StatusUnprocessableEntity, "validation_failed")
	var link api.Link
	ask(program.ID, "https://shop.example/").want(http.StatusCreated).into(&link)
	s.do("PATCH", mine+"/links/"+link.ID, map[string]any{"destination": "https://evil.example/"}).want(http.StatusUnprocessableEntity, "validation_failed")
	s.do("POST", mine+"/links", map[string]any{"program_id": program.ID, "destination": "https://shop.example/", "affiliate_id": "aff_0000000000001"}).
		want(http.StatusUnprocessableEntity, "validation_failed")
	own := s.bearer
	s.bearer = adminSecret
	s.do("PATCH", "/api/v1/programs/"+program.ID, map[string]any{"status": "disabled"}).want(http.StatusOK)
	s.bearer = own
	ask(program.ID, "https://shop.example/").want(http.StatusUnprocessableEntity, "validation_failed")
	s.bearer = adminSecret
	s.do("PATCH", "/api/v1/programs/"+program.ID, map[string]any{"status": "active"}).want(http.StatusOK)
	s.do("PATCH", "/api/v1/affiliates/"+ann.ID, map[string]any{"status": "suspended"}).want(http.StatusOK)
	s.bearer = own
	ask(program.ID, "https://shop.example/").want(http.StatusForbidden, "affiliate_inactive")
	s.do("PATCH", mine+"/links/"+link.ID, map[string]any{"status": "disabled"}).want(http.StatusForbidden, "affiliate_inactive")
	s.do("GET", mine+"/links", nil).want(http.StatusOK)
	// A person whose role says affiliate and who is none has nothing.
	s.bearer = s.signIn(8, nil, access.RoleAffiliate)
	for _, c := range s.calls() {
		if strings.HasPrefix(c.path, mine) && c.method == http.MethodGet {
			path := c.path
			if strings.Contains(path, "/reports") || strings.Contains(path, "/clicks") {
				path += "?from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:00Z"
			}
			if strings.HasSuffix(path, "/payout-statement") {
				path += "?year=2026"
			}
			s.do(c.method, path, nil).want(http.StatusNotFound, "not_found")
		}
	}
}

func TestOwnLinksAreLimited(t *testing.T) {
	s := sqliteServer(t)
	program, ann := s.program(), s.affiliate()
	s.bearer = s.asAffiliate(7, ann.ID)
	ask := map[string]any{"program_id": program.ID, "destination": "https://shop.example/"}
	s.do("POST", mine+"/links", ask).want(http.StatusCreated)
	err := s.db.InTx(t.Context(), func(tx *db.Tx) error {
		for i := range catalog.MaxOwnLinks - 2 {
			_, err := tx.Exec(t.Context(), `INSERT INTO links (id, slug, affiliate_id, program_id, destination, status, expires_at, created_at, updated_at, rev)
				SELECT ?, ?, affiliate_id, program_id, destination, status, 0, 0, 0, ? FROM links WHERE slug NOT LIKE 'bulk%'`, 1+i, fmt.Sprintf("bulk%d", i), 1_000_000+i)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	s.do("POST", mine+"/links", ask).want(http.StatusCreated)
	s.do("POST", mine+"/links", ask).want(http.StatusConflict, "too_many_links")
}

// Reports about oneself are about oneself, whatever is asked.
func TestOwnReports(t *testing.T) {
	s := sqliteServer(t)
	ann := s.affiliate()
	id, err := ident.Parse(ident.Affiliate, ann.ID)
	if err != nil {
		t.Fatal(err)
	}
	s.analytics.result = report.Result{Total: report.Figures{Clicks: 3}}
	record := click.Record{ID: testKeyring(t).Mint(s.clock.Now(), 1, 5, id), Network: "203.0.113.0/24"}
	s.analytics.rows = []click.Record{record}
	s.bearer = s.asAffiliate(7, ann.ID)
	span := "?from=2026-05-01T00:00:00Z&to=2026-05-02T00:00:00Z"
	for _, more := range []string{"", "&group_by=affiliate", "&filter=affiliate:aff_0000000000009", "&filter=affiliate:!" + ann.ID, "&format=csv"} {
		s.analytics.query = report.Query{}
		s.do("GET", mine+"/reports"+span+more, nil).want(http.StatusOK)
		if s.analytics.query.AffiliateID != id {
			t.Errorf("%s asks for affiliate %d", more, s.analytics.query.AffiliateID)
		}
	}
	s.do("GET", mine+"/reports"+span+"&affiliate_id=aff_0000000000009", nil).want(http.StatusUnprocessableEntity, "validation_failed")
	got := s.do("GET", mine+"/reports"+span+"&format=csv", nil).want(http.StatusOK)
	if ct := got.header.Get("Content-Type"); ct != "text/csv; charset=utf-8" || !strings.HasPrefix(string(got.body), "row,start,key,clicks") {
		t.Errorf("%s: %s", ct, got.body)
	}
	var clicks struct{ Items []api.Click }
	s.do("GET", mine+"/clicks"+span, nil).want(http.StatusOK).into(&clicks)
	if s.analytics.clicks.AffiliateID != id || len(clicks.Items) != 1 || clicks.Items[0].ID != record.ID.String() || clicks.Items[0].Network != "" {
		t.Errorf("asked %+v, got %+v", s.analytics.clicks, clicks.Items)
	}
	s.do("GET", mine+"/clicks"+span+"&affiliate_id=aff_0000000000009", nil).want(http.StatusUnprocessableEntity, "validation_failed")
}

// belongings are one of everything that an affiliate can have, by what stands before {id} in a path.
func (s *server) belongings(sh shop, txn, hook string) map[string]string {
	s.t.Helper()
	out := map[string]string{"links": sh.link.ID}
	var booked api.ConversionDetail
	s.do("POST", "/api/v1/conversions", sh.sale(txn, 10_000)).want(http.StatusCreated).into(&booked)
	out["conversions"], out["commissions"] = booked.ID, booked.Commissions[0].ID
	var back api.WebhookWithSecret
	s.do("POST", "/api/v1/webhooks", map[string]any{"affiliate_id": sh.affiliate.ID, "url": hook, "events": []string{"commission.created"}}).
		want(http.StatusCreated).into(&back)
	var sent api.WebhookDelivery
	s.do("POST", "/api/v1/webhooks/"+back.ID+"/test", nil).want(http.StatusOK).into(&sent)
	out["webhooks"], out["webhook-deliveries"] = back.ID, sent.ID
	return out
}

// pay adds what a paid affiliate has to his belongings.
func (s *server) pay(out map[string]string, sh shop, self string) {
	s.t.Helper()
	finance := s.signIn(50, nil, access.RoleFinance)
	s.fresh()
	var method api.OwnPayoutMethod
	s.as(self).do("POST", mine+"/payout-methods", map[string]any{
		"currency": "INR", "kind": "bank_in", "holder": "Asha Rao", "account": account, "ifsc": "HDFC0001234",
	}).want(http.StatusCreated).into(&method)
	var document api.KYCDocument
	s.do("POST", mine+"/kyc-documents", map[string]any{"country": "IN", "kind": "pan_card", "file_name": "pan.png"}).want(http.StatusCreated).into(&document)
	out["kyc-documents"] = document.ID
	s.do("PUT", mine+"/tax-profile", map[string]any{"country": "IN", "tax_id": "ABCPK1234L"}).want(http.StatusOK)
	s.earn(payee{shop: sh}, "a-2", 1_000_000)
	var terms api.TaxTerms
	s.as(finance).do("GET", "/api/v1/tax-rules/example", nil).want(http.StatusOK).into(&terms)
	s.do("POST", "/api/v1/tax-rules", terms).want(http.StatusCreated)
	var request api.OwnPayoutRequest
	s.as(self).do("POST", ownRequests, map[string]any{"currency": "INR"}).want(http.StatusCreated).into(&request)
	out["payout-requests"] = request.ID
	s.as(finance).do("POST", "/api/v1/payout-batches", map[string]any{"currency": "INR", "executor": "bank_file"}).want(http.StatusCreated)
	var list api.List[api.Payout]
	s.do("GET", "/api/v1/payouts?limit=1", nil).want(http.StatusOK).into(&list)
	out["payout-methods"], out["payouts"] = method.ID, list.Items[0].ID
	s.bearer = adminSecret
}

// changes are bodies that would succeed, by operation.
func changesOf() map[string]any {
	return map[string]any{
		"update-my-link":        map[string]any{"status": "disabled"},
		"update-my-webhook":     map[string]any{"state": "disabled"},
		"send-own-kyc-document": "\x89PNG\r\n\x1a\n",
	}
}

// Affiliate B sees and changes nothing of A's: a table over all operations of affiliates.
func TestAffiliatesAreIsolated(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		hook, _ := s.listen()
		shA := s.shop()
		paid := map[string]string{}
		s.pay(paid, shA, s.asAffiliate(1, shA.affiliate.ID)) // first: it takes 45 days
		shA.click = s.clickOn(shA)
		of := s.belongings(shA, "a-1", hook+"/a")
		maps.Copy(of, paid)
		shB := shA
		shB.affiliate = s.affiliate()
		shB.link = s.link(shB.affiliate, shB.program)
		shB.click = s.clickOn(shB)
		ofB := s.belongings(shB, "b-1", hook+"/b")
		a, b := s.asAffiliate(1, shA.affiliate.ID), s.asAffiliate(2, shB.affiliate.ID)
		object := regexp.MustCompile(`/([a-z-]+)/{id}`)
		kind := func(path string) string {
			if m := object.FindStringSubmatch(path); m != nil {
				return m[1]
			}
			return ""
		}
		at := func(path, id string) string {
			path = strings.ReplaceAll(path, "{id}", id)
			if strings.HasSuffix(path, "/reports") || strings.HasSuffix(path, "/clicks") {
				path += "?from=2026-05-01T00:00:00Z&to=2026-05-02T00:00:00Z"
			}
			return path
		}
		routes := s.routes(mine)
		if len(routes) < 20 {
			t.Fatalf("only %d operations", len(routes))
		}
		seen := func() map[string]string {
			out := map[string]string{}
			s.bearer = a
			for _, r := range routes {
				if r.method == http.MethodGet {
					got := s.do(r.method, at(r.path, of[kind(r.path)]), nil)
					if out[r.id] = stable(got.body); kind(r.path) != "" && got.status != http.StatusOK && got.status != http.StatusConflict {
						t.Fatalf("%s by its owner: %d %s", r.id, got.status, got.body) // a conflict: it is his, and not ready
					}
				}
			}
			return out
		}
		for _, r := range routes {
			if k := kind(r.path); strings.Contains(r.path, "{id}") && of[k] == "" {
				t.Fatalf("%s: give A one of %s", r.id, k)
			}
		}
		before := seen()
		s.bearer = b
		for _, r := range routes {
			k := kind(r.path)
			if k == "" {
				if r.method == http.MethodGet {
					got := string(s.do(r.method, at(r.path, ""), nil).body)
					for what, id := range of {
						if strings.Contains(got, id) || strings.Contains(got, shA.affiliate.ID) {
							t.Errorf("%s shows B the %s of A: %s", r.id, what, got)
						}
					}
				}
				continue
			}
			var as []string
			if r.id == "send-own-kyc-document" {
				as = []string{"Content-Type", "image/png"}
			}
			got := s.do(r.method, at(r.path, of[k]), changesOf()[r.id], as...).want(http.StatusNotFound, "not_found")
			none := s.do(r.method, at(r.path, of[k][:4]+"0000000000001"), changesOf()[r.id], as...).want(http.StatusNotFound, "not_found")
			if stable(got.body) != stable(none.body) {
				t.Errorf("%s tells that there is one: %s, and where there is none %s", r.id, got.body, none.body)
			}
		}
		after := seen()
		for id, was := range before {
			if now := after[id]; now != was {
				t.Errorf("%s of A was %s and is %s", id, was, now)
			}
		}
		// The same requests by whom it belongs to succeed, so the refusals above mean something.
		s.bearer = b
		for _, r := range routes {
			if k := kind(r.path); ofB[k] != "" && r.method == http.MethodGet {
				s.do(r.method, at(r.path, ofB[k]), nil).want(http.StatusOK)
			}
		}
		for _, r := range routes {
			if k := kind(r.path); k != "" && r.method == http.MethodPatch {
				s.do(r.method, at(r.path, ofB[k]), changesOf()[r.id]).want(http.StatusOK)
			}
		}
	})
}

// stable is a problem without what differs in each.
func stable(body []byte) string {
	return regexp.MustCompile(`"request_id":"[^"]*"`).ReplaceAllString(string(body), "")
}

// route is an operation of the document with its path as it is there.
type route struct{ id, method, path string }

func (s *server) routes(under string) (out []route) {
	s.t.Helper()
	d := s.document()
	for path, methods := range d.Paths {
		for method, op := range methods {
			if strings.HasPrefix(path, under) {
				out = append(out, route{op.OperationID, strings.ToUpper(method), path})
			}
		}
	}
	return out
}

func (s *server) clickOn(sh shop) click.ID {
	s.t.Helper()
	linkID, err1 := ident.Parse(ident.Link, sh.link.ID)
	affiliateID, err2 := ident.Parse(ident.Affiliate, sh.affiliate.ID)
	if err1 != nil || err2 != nil {
		s.t.Fatal(err1, err2)
	}
	return testKeyring(s.t).Mint(s.clock.Now().Add(-time.Hour), 1, linkID, affiliateID)
}

// An affiliate's own postback from its making to its end.
func TestOwnWebhooks(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		sh := s.shop()
		hook, heard := s.listen()
		own := s.asAffiliate(7, sh.affiliate.ID)
		s.bearer = own
		var made, rotated api.WebhookWithSecret
		s.do("POST", mine+"/webhooks", map[string]any{"url": hook + "/?tx={txn_id}&money={commission}", "events": []string{"commission.created"}}).
			want(http.StatusCreated).into(&made)
		if made.Kind != "postback" || made.AffiliateID != sh.affiliate.ID || made.Secret == "" {
			t.Errorf("made %+v", made)
		}
		at := mine + "/webhooks/" + made.ID
		s.bearer = adminSecret
		s.do("POST", "/api/v1/conversions", sh.sale("o-1", 10_000)).want(http.StatusCreated)
		if got := <-heard; got.query.Get("tx") != "o-1" || got.query.Get("money") != "75.00" {
			t.Errorf("heard %v", got.query)
		}
		s.bearer = own
		s.do("POST", at+"/secret", nil).want(http.StatusOK).into(&rotated)
		if rotated.Secret == made.Secret || rotated.Secret == "" {
			t.Error("the secret stayed")
		}
		var sent, again api.WebhookDelivery
		s.do("POST", at+"/test", nil).want(http.StatusOK).into(&sent)
		<-heard
		s.do("POST", mine+"/webhook-deliveries/"+sent.ID+"/replay", nil).want(http.StatusOK).into(&again)
		<-heard
		var log struct{ Items []api.WebhookDelivery }
		s.do("GET", at+"/deliveries", nil).want(http.StatusOK).into(&log)
		if len(log.Items) != 2 || again.ID != sent.ID {
			t.Errorf("log %+v", log.Items)
		}
		var changed api.Webhook
		s.do("PATCH", at, map[string]any{"description": "my tracker"}).want(http.StatusOK).into(&changed)
		if changed.Description != "my tracker" {
			t.Errorf("changed %+v", changed)
		}
		for range 19 {
			s.do("POST", mine+"/webhooks", map[string]any{"url": hook, "events": []string{"commission.created"}}).want(http.StatusCreated)
		}
		s.do("POST", mine+"/webhooks", map[string]any{"url": hook, "events": []string{"commission.created"}}).want(http.StatusConflict, "too_many_webhooks")
		s.do("DELETE", at, nil).want(http.StatusNoContent)
		s.do("GET", at, nil).want(http.StatusNotFound, "not_found")
	})
}

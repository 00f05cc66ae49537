package api_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/api"
	"github.com/edgeref/edgeref/core/db/dbtest"
)

// Every test of this package counts: each server fails its test if a change succeeded without an entry in the audit log,
// and once all tests have run, every operation that changes something must have succeeded in one of them. So an operation
// that is added without an entry, or without a test, fails here.
var tried = struct {
	sync.Mutex
	declared  map[string]string // "POST /api/v1/programs" -> operation
	succeeded map[string]bool
}{declared: map[string]string{}, succeeded: map[string]bool{}}

// testedElsewhere are operations whose success is shown by the tests of another package, and where.
func testedElsewhere() map[string]string { return map[string]string{} }

func TestMain(m *testing.M) {
	code := m.Run()
	if run := flag.Lookup("test.run"); code == 0 && run.Value.String() == "" && !testing.Short() {
		code = untried()
	}
	os.Exit(code)
}

func untried() (code int) {
	for route, id := range tried.declared {
		if testedElsewhere()[id] == "" && !tried.succeeded[route] {
			fmt.Fprintf(os.Stderr, "no test of this package makes %s (%s) succeed, so nothing shows that it is audited\n", id, route)
			code = 1
		}
	}
	return code
}

// checkAudited runs at the end of every test that has a server.
func (s *server) checkAudited() {
	w := httptest.NewRecorder()
	s.api.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/openapi.json", nil))
	var d struct {
		Paths map[string]map[string]struct {
			OperationID string   `json:"operationId"`
			Tags        []string `json:"tags"`
		} `json:"paths"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &d); err != nil {
		s.t.Error(err)
		return
	}
	tried.Lock()
	defer tried.Unlock()
	for path, methods := range d.Paths {
		for method, op := range methods {
			if method != "get" && !slices.Contains(op.Tags, "Test") {
				tried.declared[strings.ToUpper(method)+" "+path] = op.OperationID
			}
		}
	}
	families, err := s.reg.Gather()
	if err != nil {
		s.t.Error(err)
		return
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			label := map[string]string{}
			for _, l := range m.GetLabel() {
				label[l.GetName()] = l.GetValue()
			}
			switch {
			case f.GetName() == "edgeref_api_unaudited_changes_total" && label["operation"] != "probe" && m.GetCounter().GetValue() > 0:
				s.t.Errorf("%s succeeded and left no entry in the audit log", label["operation"])
			case f.GetName() == "edgeref_api_requests_total" && strings.HasPrefix(label["status"], "2"):
				tried.succeeded[label["method"]+" "+label["route"]] = true
			}
		}
	}
}

// At run time a change without an entry is counted and logged.
func TestUnauditedChangesAreCounted(t *testing.T) {
	s := newServer(t, dbtest.SQLite(t), probe(func(context.Context) error { return nil }))
	s.do("POST", "/api/v1/probe", nil).want(http.StatusCreated)
	s.wantMetric("edgeref_api_unaudited_changes_total", map[string]string{"operation": "probe"}, 1)
	if !strings.Contains(s.log.String(), "left no audit entry") {
		t.Errorf("log: %s", s.log)
	}
}

// auditLog reads the newest entries, as an auditor would.
func (s *server) auditLog(query string) (out []api.AuditEntry) {
	s.t.Helper()
	var list struct{ Items []api.AuditEntry }
	bearer := s.bearer
	s.bearer = adminSecret
	s.do("GET", "/api/v1/audit-log"+query, nil).want(http.StatusOK).into(&list)
	s.bearer = bearer
	return list.Items
}

// What the log says of each kind of change: who, what, before, after, from where.
func TestAuditLog(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		sh := s.shop()
		s.bearer = s.signIn(7, nil, access.RoleAdmin)
		from := []string{"CF-Connecting-IP", "198.51.100.9"}
		var changed api.Affiliate
		s.do("PATCH", "/api/v1/affiliates/"+sh.affiliate.ID, map[string]any{"name": "Ann Other"}, from...).want(http.StatusOK).into(&changed)
		got := s.auditLog("?object=" + sh.affiliate.ID)
		if len(got) != 2 || got[0].Action != "affiliate.update" || got[1].Action != "affiliate.create" || string(got[1].Before) != "null" {
			t.Fatalf("log of the affiliate: %+v", got)
		}
		want := api.AuditActor{Kind: "person", ID: "per_0000000000007", Session: "ses_0000000000008"}
		if diff := cmp.Diff(want, got[0].Actor); diff != "" || got[0].Address != "198.51.100.9" || got[0].At == "" {
			t.Errorf("who: %s, from %q at %s", diff, got[0].Address, got[0].At)
		}
		var before, after api.Affiliate
		if json.Unmarshal(got[0].Before, &before) != nil || json.Unmarshal(got[0].After, &after) != nil {
			t.Fatalf("before %s, after %s", got[0].Before, got[0].After)
		}
		if diff := cmp.Diff(sh.affiliate, before) + cmp.Diff(changed, after); diff != "" {
			t.Errorf("before and after: %s", diff)
		}
		if got[1].Actor.Kind != "token" || got[1].Actor.Name != "first admin" {
			t.Errorf("the machine is %+v", got[1].Actor)
		}
		if again := s.auditLog("?actor_id=per_0000000000007"); len(again) != 1 || again[0].ID != got[0].ID {
			t.Errorf("by actor: %+v", again)
		}
		// A change that fails is none.
		s.do("PATCH", "/api/v1/affiliates/"+sh.affiliate.ID, map[string]any{"email": "nowhere"}).want(http.StatusUnprocessableEntity)
		if again := s.auditLog("?object=" + sh.affiliate.ID); len(again) != 2 {
			t.Errorf("after a failure: %+v", again)
		}
		// Secrets are not in it.
		s.bearer = adminSecret
		var rotated api.ProgramWithSecret
		s.do("POST", "/api/v1/programs/"+sh.program.ID+"/postback-secret", nil).want(http.StatusOK).into(&rotated)
		all, err := json.Marshal(s.auditLog("?limit=200"))
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{sh.program.PostbackSecret, rotated.PostbackSecret, adminSecret} {
			if strings.Contains(string(all), secret) {
				t.Errorf("the log holds %q", secret)
			}
		}
	})
}

// Bookings by people and machines are in the log, once; what was booked before is no change.
func TestAuditOfBookings(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		sh := s.shop()
		s.bearer = s.signIn(7, nil, access.RoleAdmin)
		var made api.ConversionDetail
		s.do("POST", "/api/v1/conversions", sh.sale("o-1", 100)).want(http.StatusCreated).into(&made)
		s.do("POST", "/api/v1/conversions", sh.sale("o-1", 100)).want(http.StatusOK)
		s.do("POST", "/api/v1/conversions", sh.sale("o-1", 200)).want(http.StatusConflict)
		got := s.auditLog("?action=conversion.book")
		if len(got) != 1 || got[0].Object != made.ID || got[0].Actor.Kind != "person" || !strings.Contains(string(got[0].After), `"txn_id":"o-1"`) {
			t.Errorf("log: %+v", got)
		}
	})
}

// Somebody who sends a delivery again is in the log.
func TestAuditOfReplays(t *testing.T) {
	s := sqliteServer(t)
	address, heard := s.listen()
	var hook api.WebhookWithSecret
	s.do("POST", "/api/v1/webhooks", map[string]any{"url": address, "events": []string{"conversion.booked"}}).want(http.StatusCreated).into(&hook)
	var sent, again api.WebhookDelivery
	s.do("POST", "/api/v1/webhooks/"+hook.ID+"/test", nil).want(http.StatusOK).into(&sent)
	first := <-heard
	s.do("POST", "/api/v1/webhook-deliveries/"+sent.ID+"/replay", nil).want(http.StatusOK).into(&again)
	if second := <-heard; second.payload.ID != first.payload.ID || again.State != "pending" {
		t.Errorf("sent %s, then %s; %+v", first.payload.ID, second.payload.ID, again)
	}
	if got := s.auditLog("?object=" + sent.ID); len(got) != 1 || got[0].Action != "webhook_delivery.replay" {
		t.Errorf("log: %+v", got)
	}
	if got := s.auditLog("?object=" + hook.ID); len(got) != 2 || got[0].Action != "webhook.test" || strings.Contains(string(got[1].After), "whsec_") {
		t.Errorf("log: %+v", got)
	}
}

func TestAuditOfGroups(t *testing.T) {
	s := sqliteServer(t)
	var made, now api.Group
	s.do("POST", "/api/v1/affiliate-groups", map[string]any{"name": "Gold"}).want(http.StatusCreated).into(&made)
	s.do("PATCH", "/api/v1/affiliate-groups/"+made.ID, map[string]any{"name": "Platinum"}).want(http.StatusOK).into(&now)
	got := s.auditLog("?object=" + made.ID)
	if len(got) != 2 || !strings.Contains(string(got[0].Before), "Gold") || !strings.Contains(string(got[0].After), "Platinum") || now.Name != "Platinum" {
		t.Errorf("log: %+v", got)
	}
}

func TestAuditLogPages(t *testing.T) {
	s := sqliteServer(t)
	s.shop()
	var list struct {
		Items      []api.AuditEntry
		NextCursor string `json:"next_cursor"`
	}
	seen := map[string]bool{}
	for path := "?limit=2"; ; path = "?limit=2&cursor=" + list.NextCursor {
		s.do("GET", "/api/v1/audit-log"+path, nil).want(http.StatusOK).into(&list)
		for _, e := range list.Items {
			seen[e.Action] = true
		}
		if list.NextCursor == "" {
			break
		}
	}
	for _, action := range []string{"program.create", "affiliate.create", "link.create", "commission_rule.create"} {
		if !seen[action] {
			t.Errorf("%s is missing: %v", action, seen)
		}
	}
	s.do("GET", "/api/v1/audit-log?actor_id=x", nil).want(http.StatusUnprocessableEntity, "validation_failed")
	s.do("GET", "/api/v1/audit-log?from=yesterday", nil).want(http.StatusUnprocessableEntity, "validation_failed")
	s.do("GET", "/api/v1/audit-log?from=2027-01-01T00:00:00Z", nil).want(http.StatusOK).into(&list)
	if len(list.Items) != 0 {
		t.Errorf("from the future: %+v", list.Items)
	}
}

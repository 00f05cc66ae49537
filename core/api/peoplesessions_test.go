package api_test

import (
	"net/http"
	"testing"

	"github.com/edgeref/edgeref/core/access"
	persons "github.com/edgeref/edgeref/core/account"
	"github.com/edgeref/edgeref/core/api"
	"github.com/edgeref/edgeref/core/audit"
	"github.com/edgeref/edgeref/wire/ident"
)

// Those who manage people see where somebody is signed in, and end it: of nobody above themselves, with a reason.
func TestPeopleSessions(t *testing.T) {
	eachAccount(t, func(t *testing.T, s *server, a *accounts) {
		owner, ownerSecret := a.somebody(s, "owner@example.com", access.RoleOwner)
		_, adminToken := a.somebody(s, "admin@example.com", access.RoleAdmin)
		lea, leaSecret := a.somebody(s, "lea@example.com", access.RoleLearner)
		_, supportSecret := a.somebody(s, "support@example.com", access.RoleSupport)
		if _, err := a.SignIn(t.Context(), persons.Attempt{Email: lea.Email, Password: ownPassword, UserAgent: "Mozilla/5.0 (Linux; Android 15) Chrome/140.0"}); err != nil {
			t.Fatal(err)
		}
		path := func(p persons.Person) string {
			return "/api/v1/people/" + ident.Format(ident.Person, p.ID) + "/sessions"
		}
		sessions := func(p persons.Person) []api.Session {
			t.Helper()
			var list api.List[api.Session]
			s.do("GET", path(p), nil).want(http.StatusOK).into(&list)
			return list.Items
		}
		because := map[string]string{"reason": "lost telephone"}
		s.bearer = adminToken
		list := sessions(lea)
		if len(list) != 2 || list[0].Device != "Chrome on Android" || list[0].Current || list[0].LastUsedAt == "" || list[0].CreatedAt == "" {
			t.Fatalf("sessions %+v", list)
		}
		end := func(p persons.Person, session string) string { return path(p) + "/" + session + "/end" }
		s.do("POST", end(lea, list[0].ID), nil).want(http.StatusBadRequest, "bad_request")
		s.do("POST", end(lea, list[0].ID), map[string]string{"reason": "x"}).want(http.StatusUnprocessableEntity, "validation_failed")
		s.do("POST", end(lea, sessions(owner)[0].ID), because).want(http.StatusNotFound, "not_found")
		s.do("POST", end(owner, sessions(owner)[0].ID), because).want(http.StatusForbidden, "owner_required")
		s.do("POST", path(owner)+"/end", because).want(http.StatusForbidden, "owner_required")
		s.do("GET", "/api/v1/people/per_0000000000001/sessions", nil).want(http.StatusNotFound, "not_found")
		s.do("POST", "/api/v1/people/per_0000000000001/sessions/end", because).want(http.StatusNotFound, "not_found")
		for _, secret := range []string{supportSecret, leaSecret} {
			s.bearer = secret
			s.do("GET", path(lea), nil).want(http.StatusForbidden, "forbidden")
			s.do("POST", path(lea)+"/end", because).want(http.StatusForbidden, "forbidden")
			s.do("POST", end(lea, list[0].ID), because).want(http.StatusForbidden, "forbidden")
		}
		s.bearer = adminToken
		s.do("POST", end(lea, list[0].ID), because, "Idempotency-Key", "end-one-session-1").want(http.StatusNoContent)
		s.do("POST", end(lea, list[0].ID), because, "Idempotency-Key", "end-one-session-1").want(http.StatusNoContent) // the same deed
		s.do("POST", end(lea, list[0].ID), because).want(http.StatusNotFound, "not_found")
		if left := sessions(lea); len(left) != 1 || left[0].ID != list[1].ID {
			t.Errorf("left %+v", left)
		}
		s.do("POST", path(lea)+"/end", because).want(http.StatusNoContent)
		if left := sessions(lea); len(left) != 0 {
			t.Errorf("left %+v", left)
		}
		s.bearer = ownerSecret
		s.do("POST", path(owner)+"/end", because).want(http.StatusNoContent) // his own
		log, err := s.audit.List(t.Context(), audit.Filter{Object: ident.Format(ident.Person, lea.ID), Limit: 10})
		if err != nil || len(log) < 2 || log[0].Action != "person.sessions_end" || log[1].Action != "person.session_end" || log[0].Reason != "lost telephone" || log[1].Reason != "lost telephone" {
			t.Errorf("log %+v, %v", log, err)
		}
	})
}

// An access token is refused from the request after its session was ended on, although it was remembered; others are not.
func TestEndedSessionIsRefusedAtOnce(t *testing.T) {
	eachAccount(t, func(t *testing.T, s *server, a *accounts) {
		owner, _ := a.somebody(s, "owner@example.com", access.RoleOwner)
		first, firstSecret := a.somebody(s, "first@example.com", access.RoleAdmin)
		_, secondSecret := a.somebody(s, "second@example.com", access.RoleAdmin)
		lea, _ := a.somebody(s, "lea@example.com", access.RoleLearner)
		// Looks at a person are access tokens that belong to the session of who looks.
		look := func(secret string) (view api.ViewToken) {
			t.Helper()
			s.bearer = secret
			s.do("POST", "/api/v1/people/"+ident.Format(ident.Person, lea.ID)+"/view", map[string]string{"reason": "ticket 17"}).want(http.StatusCreated).into(&view)
			return view
		}
		ended, kept := look(firstSecret).AccessToken, look(secondSecret).AccessToken
		me := func(token string) answer { s.bearer = token; return s.do("GET", "/api/v1/me", nil) }
		me(ended).want(http.StatusOK)
		me(kept).want(http.StatusOK)
		s.bearer = s.signIn(owner.ID, nil, access.RoleOwner)
		s.do("POST", "/api/v1/people/"+ident.Format(ident.Person, first.ID)+"/sessions/end", map[string]string{"reason": "left"}).want(http.StatusNoContent)
		me(ended).want(http.StatusUnauthorized, "unauthenticated")
		me(kept).want(http.StatusOK)
	})
}

package api_test

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/pquerna/otp/totp"

	"github.com/edgeref/edgeref/core/access"
	persons "github.com/edgeref/edgeref/core/account"
	"github.com/edgeref/edgeref/core/account/oauth"
	"github.com/edgeref/edgeref/core/account/password"
	"github.com/edgeref/edgeref/core/api"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/mail"
	"github.com/edgeref/edgeref/core/secret"
	"github.com/edgeref/edgeref/core/token"
	"github.com/edgeref/edgeref/wire/ident"
)

const ownPassword = "a sail over the green lake"

// letters queues mails and remembers the links in them, by address.
type letters struct {
	*mail.Service
	mu    sync.Mutex
	links map[string]string
}

func (l *letters) Queue(ctx context.Context, tx *db.Tx, m mail.Message) error {
	tx.OnCommit(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.links[m.To] = m.Data["URL"]
	})
	return l.Service.Queue(ctx, tx, m)
}

// accounts are people with sessions, as the server's API knows them.
type accounts struct {
	*persons.Service
	oauth *oauth.Service
	mails *letters
}

func newAccounts(s *server) *accounts {
	s.t.Helper()
	ring, err := secret.NewRing([]string{secret.NewKey("1")})
	if err != nil {
		s.t.Fatal(err)
	}
	a := &accounts{mails: &letters{Service: s.letters(""), links: map[string]string{}}}
	a.Service = persons.New(persons.Options{
		DB: s.db, IDs: s.ids, Now: s.clock.Now, Ring: ring, Mail: a.mails, Audit: s.audit, URL: "https://core.example",
		Passwords: password.New(password.Options{Params: password.Params{Memory: 64, Time: 1, Threads: 1}}),
	})
	a.oauth, err = oauth.New(oauth.Options{
		DB: s.db, IDs: s.ids, Now: s.clock.Now, Accounts: a.Service, Ring: ring, Audit: s.audit, Issuer: "https://core.example",
		Address: func(*http.Request) netip.Addr { return netip.Addr{} },
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.accounts = a
	return a
}

// Authenticate takes access tokens as they are, beside those that tests make up.
func (s *server) Authenticate(ctx context.Context, secret string) (access.Principal, error) {
	if s.accounts == nil {
		return access.Principal{}, token.ErrUnauthenticated
	}
	return s.accounts.oauth.Authenticate(ctx, secret)
}

func (a *accounts) modules() []api.Module {
	return []api.Module{api.Accounts(a.Service), api.OAuth(a.oauth)}
}

// somebody makes a person with a session; the server takes the secret that is returned.
func (a *accounts) somebody(s *server, email string, roles ...access.Role) (persons.Person, string) {
	s.t.Helper()
	owner := access.Principal{PersonID: 1, Roles: []access.Role{access.RoleOwner}}
	if err := a.Invite(s.t.Context(), owner, email, "Somebody", roles); err != nil {
		s.t.Fatal(err)
	}
	link, err := url.Parse(a.mails.links[email])
	if err != nil {
		s.t.Fatal(err)
	}
	p, err := a.SetPassword(s.t.Context(), link.Query().Get("link"), ownPassword, "")
	if err != nil {
		s.t.Fatal(err)
	}
	in, err := a.SignIn(s.t.Context(), persons.Attempt{Email: email, Password: ownPassword})
	if err != nil {
		s.t.Fatal(err)
	}
	return p, s.signIn(p.ID, func(who *access.Principal) { who.SessionID = in.Session.ID }, roles...)
}

// eachAccount runs test against an API of accounts on every kind of database.
func eachAccount(t *testing.T, test func(t *testing.T, s *server, a *accounts)) {
	t.Helper()
	var a *accounts
	eachWith(t, func(s *server) []api.Module {
		a = newAccounts(s)
		return a.modules()
	}, func(t *testing.T, s *server) { test(t, s, a) })
}

func TestOwnAccount(t *testing.T) {
	eachAccount(t, func(t *testing.T, s *server, a *accounts) {
		p, secret := a.somebody(s, "ann@example.com", access.RoleLearner)
		s.bearer = secret
		var me api.Me
		s.do("GET", "/api/v1/me", nil).want(http.StatusOK).into(&me)
		if me.ID != ident.Format(ident.Person, p.ID) || me.Email != p.Email || me.AffiliateID != "" || me.ReadOnly {
			t.Errorf("me %+v", me)
		}
		s.do("PATCH", "/api/v1/me", map[string]string{"name": "Ann"}).want(http.StatusOK).into(&me)
		if me.Name != "Ann" {
			t.Errorf("renamed %+v", me)
		}
		s.do("PATCH", "/api/v1/me", map[string]any{"roles": []string{"owner"}}).want(http.StatusUnprocessableEntity, "validation_failed")
		s.do("POST", "/api/v1/me/password", map[string]string{"current_password": "x", "new_password": "three boats on one river"}).want(http.StatusForbidden, "wrong_password")
		s.do("POST", "/api/v1/me/password", map[string]string{"current_password": ownPassword, "new_password": "short"}).want(http.StatusUnprocessableEntity, "validation_failed")
		s.do("POST", "/api/v1/me/email", map[string]string{"email": "ann@new.example", "password": ownPassword}).want(http.StatusAccepted)
		var list api.List[api.Session]
		s.do("GET", "/api/v1/me/sessions", nil).want(http.StatusOK).into(&list)
		if len(list.Items) != 1 || !list.Items[0].Current {
			t.Errorf("sessions %+v", list)
		}

		var e api.EnrolmentBody
		s.do("POST", "/api/v1/me/second-factor", map[string]string{"password": ownPassword}).want(http.StatusCreated).into(&e)
		s.do("POST", "/api/v1/me/second-factor/confirm", map[string]string{"code": "000000"}).want(http.StatusForbidden, "wrong_code")
		code, err := totp.GenerateCode(e.Secret, s.clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		var codes api.RecoveryCodes
		s.do("POST", "/api/v1/me/second-factor/confirm", map[string]string{"code": code}).want(http.StatusOK).into(&codes)
		s.do("POST", "/api/v1/me/second-factor/prove", map[string]string{"code": code}).want(http.StatusForbidden, "wrong_code")
		s.do("POST", "/api/v1/me/second-factor/prove", map[string]string{"code": codes.Codes[0]}).want(http.StatusNoContent)
		var state api.FactorState
		s.do("GET", "/api/v1/me/second-factor", nil).want(http.StatusOK).into(&state)
		if !state.Enrolled || state.RecoveryCodesLeft != 9 {
			t.Errorf("second factor %+v", state)
		}
		s.do("POST", "/api/v1/me/second-factor/recovery-codes", nil).want(http.StatusOK).into(&codes)
		s.do("POST", "/api/v1/me/second-factor/remove", map[string]string{"password": ownPassword, "code": codes.Codes[0]}).want(http.StatusNoContent)
		const next = "three boats on one river"
		s.do("POST", "/api/v1/me/password", map[string]string{"current_password": ownPassword, "new_password": next}).want(http.StatusNoContent)
		s.do("POST", "/api/v1/me/sessions/end-others", nil).want(http.StatusNoContent)
		got := s.do("GET", "/api/v1/me/export", nil).want(http.StatusOK)
		if !strings.Contains(string(got.body), "ann@example.com") || !strings.Contains(got.header.Get("Content-Disposition"), "attachment") {
			t.Errorf("export %s", got.body)
		}
		s.do("DELETE", "/api/v1/me/sessions/"+list.Items[0].ID, nil).want(http.StatusNoContent)
		s.do("DELETE", "/api/v1/me/sessions/"+list.Items[0].ID, nil).want(http.StatusNotFound, "not_found")
		s.do("DELETE", "/api/v1/me", map[string]string{"password": "x"}).want(http.StatusForbidden, "wrong_password")
		s.do("DELETE", "/api/v1/me", map[string]string{"password": next}).want(http.StatusNoContent)
		if left, err := a.Person(t.Context(), p.ID); err != nil || left.Status != persons.Erased {
			t.Errorf("left %+v, %v", left, err)
		}
	})
}

func TestPeople(t *testing.T) {
	eachAccount(t, func(t *testing.T, s *server, a *accounts) {
		owner, ownerSecret := a.somebody(s, "owner@example.com", access.RoleOwner)
		admin, adminToken := a.somebody(s, "admin@example.com", access.RoleAdmin)
		lea, _ := a.somebody(s, "lea@example.com", access.RoleLearner)
		path := func(p persons.Person) string { return "/api/v1/people/" + ident.Format(ident.Person, p.ID) }
		s.bearer = adminToken
		s.do("PATCH", path(admin), map[string]any{"roles": []string{"admin", "owner"}}).want(http.StatusForbidden, "own_roles")
		s.do("PATCH", path(lea), map[string]any{"roles": []string{"finance"}}).want(http.StatusForbidden, "owner_required")
		s.do("PATCH", path(lea), map[string]any{"roles": []string{"root"}}).want(http.StatusUnprocessableEntity)
		s.do("POST", path(owner)+"/view", map[string]string{"reason": "curious"}).want(http.StatusForbidden, "owner_required")
		s.do("POST", "/api/v1/people/invitations", map[string]any{"email": "x@example.com", "name": "X", "roles": []string{"owner"}}).want(http.StatusForbidden, "owner_required")
		s.do("POST", "/api/v1/people/invitations", map[string]any{"email": "x@example.com", "name": "X", "roles": []string{"support"}}).want(http.StatusAccepted)
		var view api.ViewToken
		s.do("POST", path(lea)+"/view", map[string]string{"reason": "ticket 17"}).want(http.StatusCreated).into(&view)
		who, err := a.oauth.Authenticate(t.Context(), view.AccessToken)
		if err != nil || !who.ReadOnly || who.PersonID != lea.ID || who.ViewerID != admin.ID || who.Can(access.PeopleRead) || !who.Can(access.LearnerSelf) {
			t.Errorf("view %+v, %v", who, err)
		}
		s.do("DELETE", path(lea)+"/view", nil).want(http.StatusNoContent)
		s.do("DELETE", path(lea)+"/view", nil).want(http.StatusNoContent) // it has ended already
		if _, err := a.oauth.Authenticate(t.Context(), view.AccessToken); !errors.Is(err, token.ErrUnauthenticated) {
			t.Errorf("after the end of the view: %v", err)
		}
		var list api.List[api.Person]
		s.do("GET", "/api/v1/people?email=lea", nil).want(http.StatusOK).into(&list)
		if len(list.Items) != 1 || list.Items[0].Email != lea.Email {
			t.Errorf("found %+v", list)
		}
		s.bearer = adminSecret
		s.do("POST", path(lea)+"/view", map[string]string{"reason": "machine"}).want(http.StatusForbidden, "person_required")
		s.do("PATCH", path(lea), map[string]any{"roles": []string{"owner"}}).want(http.StatusForbidden, "owner_required")
		s.bearer = ownerSecret
		var changed api.Person
		s.do("PATCH", path(lea), map[string]any{"roles": []string{"learner", "finance"}, "reason": "does the books"}).want(http.StatusOK).into(&changed)
		if len(changed.Roles) != 2 {
			t.Errorf("changed %+v", changed)
		}
		s.do("POST", path(lea)+"/erase", map[string]string{"reason": "asked for"}).want(http.StatusNoContent)
		s.do("POST", path(lea)+"/erase", map[string]string{"reason": "asked for"}).want(http.StatusNoContent)

		var made api.NewOAuthClient
		s.do("POST", "/api/v1/oauth-clients", map[string]any{"name": "App", "redirect_uris": []string{"https://app.example/cb"}, "scopes": []string{"me"}, "confidential": true}).want(http.StatusCreated).into(&made)
		for _, bad := range []string{"http://app.example/cb", "https://app.example/cb#x", "https://*.example/cb", "javascript:alert(1)", "https://u:p@app.example/"} {
			s.do("POST", "/api/v1/oauth-clients", map[string]any{"name": "App", "redirect_uris": []string{bad}, "scopes": []string{}}).want(http.StatusUnprocessableEntity, "validation_failed")
		}
		var clients api.List[api.OAuthClient]
		s.do("GET", "/api/v1/oauth-clients", nil).want(http.StatusOK).into(&clients)
		if made.Secret == "" || len(clients.Items) != 1 || clients.Items[0].ID != made.ID {
			t.Errorf("made %+v, listed %+v", made, clients)
		}
		s.do("DELETE", "/api/v1/oauth-clients/"+made.ID, nil).want(http.StatusNoContent)
		s.do("DELETE", "/api/v1/oauth-clients/web", nil).want(http.StatusConflict, "built_in")
		s.do("DELETE", "/api/v1/oauth-clients/cli_x", nil).want(http.StatusNotFound, "not_found")
	})
}

package api_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/api"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/core/token"
)

var update = flag.Bool("update", false, "write what the tests find to testdata, to be reviewed as a change of rights")

const personPrefix = "person_"

// people are signed in, by their access tokens. A test that wants one puts him here before its requests.
type people map[string]access.Principal

func (p people) Authenticate(_ context.Context, secret string) (access.Principal, error) {
	who, ok := p[secret]
	if !ok {
		return access.Principal{}, token.ErrUnauthenticated
	}
	return who, nil
}

// signIn makes a person and returns his access token. His second factor is fresh.
func (s *server) signIn(id int64, change func(*access.Principal), roles ...access.Role) string {
	p := access.Principal{
		PersonID: id, SessionID: id + 1, Name: "somebody", Roles: roles, Scopes: access.GrantsOf(roles), SecondFactorAt: s.clock.Now().UnixMilli(),
	}
	if change != nil {
		change(&p)
	}
	secret := fmt.Sprintf("%s%d", personPrefix, len(s.people))
	s.people[secret] = p
	return secret
}

// call is one operation of the document, as the table tests call it.
type call struct {
	id, method, path, scope         string
	public, secondFactor, needsHand bool
}

// calls are all operations, sorted by id, with an x for each parameter of the path.
func (s *server) calls() []call {
	s.t.Helper()
	var d struct {
		Paths map[string]map[string]struct {
			OperationID  string                `json:"operationId"`
			Public       bool                  `json:"x-public"`
			SecondFactor bool                  `json:"x-second-factor"`
			NeedsPerson  bool                  `json:"x-needs-person"`
			Security     []map[string][]string `json:"security"`
		} `json:"paths"`
	}
	s.do("GET", "/openapi.json", nil).want(http.StatusOK).into(&d)
	parameter := regexp.MustCompile(`{[^}]+}`)
	var out []call
	for path, methods := range d.Paths {
		for method, op := range methods {
			c := call{
				id: op.OperationID, method: strings.ToUpper(method), path: parameter.ReplaceAllString(path, "x"),
				public: op.Public, secondFactor: op.SecondFactor, needsHand: op.NeedsPerson,
			}
			if !op.Public {
				c.scope = op.Security[0]["bearer"][0]
			}
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b call) int { return strings.Compare(a.id, b.id) })
	return out
}

// passes sends an operation without content, as whoever has the secret, and reports whether it got as far as its content.
// Otherwise it returns the code of the refusal.
func (s *server) passes(c call, secret string) (bool, string) {
	s.t.Helper()
	s.bearer = secret
	got := s.do(c.method, c.path, nil)
	if got.status != http.StatusUnauthorized && got.status != http.StatusForbidden {
		return true, ""
	}
	var p api.Problem
	if err := json.Unmarshal(got.body, &p); err != nil {
		s.t.Fatalf("%s: %d %s", c.id, got.status, got.body)
	}
	return false, p.Code
}

// The whole of what may be done by whom is in testdata/access.txt. Each line is tried over HTTP: by a person of each role,
// by one without a role, without a token, and by a machine whose token has the one scope of the operation (or, where no token
// can have that, all scopes).
func TestWhoMayDoWhat(t *testing.T) {
	s := sqliteServer(t)
	secrets := map[access.Role]string{}
	for i, role := range access.Roles() {
		secrets[role] = s.signIn(int64(100+i), func(p *access.Principal) { p.AffiliateID = 5 }, role)
	}
	nobody := s.signIn(99, nil)
	machines := map[string]string{}
	for _, scope := range access.Scopes() {
		machines[string(scope)] = adminSecret
		if !scope.Personal() {
			machines[string(scope)] = s.token(scope)
		}
	}
	var table strings.Builder
	table.WriteString("# Who may do what. Made by: go test ./core/api -run TestWhoMayDoWhat -update\n" +
		"# machine: a token of exactly this scope. beside: what is demanded beside the scope.\n\n")
	line := func(cells ...any) {
		table.WriteString(strings.TrimRight(fmt.Sprintf("%-34s %-17s %-58s %-8s %s", cells...), " ") + "\n")
	}
	line("operation", "scope", "roles", "machine", "beside")
	for _, c := range s.calls() {
		if c.public {
			for _, secret := range []string{"", nobody} {
				if ok, code := s.passes(c, secret); !ok && code == "unauthenticated" {
					t.Errorf("%s is public and refuses with %s", c.id, code)
				}
			}
			line(c.id, "public", "everybody", "yes", "")
			continue
		}
		if ok, code := s.passes(c, ""); ok || code != "unauthenticated" {
			t.Errorf("%s without a token: %v %s", c.id, ok, code)
		}
		if ok, code := s.passes(c, nobody); ok || code != "forbidden" {
			t.Errorf("%s by a person without a role: %v %s", c.id, ok, code)
		}
		var roles, beside []string
		for _, role := range access.Roles() {
			if ok, _ := s.passes(c, secrets[role]); ok {
				roles = append(roles, string(role))
			}
		}
		machine := "no"
		if ok, _ := s.passes(c, machines[c.scope]); ok {
			machine = "yes"
		}
		if c.needsHand {
			beside = append(beside, "a person")
		}
		if c.secondFactor {
			beside = append(beside, "second factor")
		}
		line(c.id, c.scope, strings.Join(roles, " "), machine, strings.Join(beside, ", "))
	}
	path := filepath.Join("testdata", "access.txt")
	if *update {
		if err := os.WriteFile(path, []byte(table.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	golden, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want, got := strings.Split(string(golden), "\n"), strings.Split(table.String(), "\n")
	for _, l := range got {
		if !slices.Contains(want, l) {
			t.Errorf("is not in %s (see its first line):\n%s", path, l)
		}
	}
	for _, l := range want {
		if !slices.Contains(got, l) {
			t.Errorf("is in %s and not so:\n%s", path, l)
		}
	}
}

// Whoever looks at another's pages changes nothing, whatever his roles.
func TestReadOnlySessionsChangeNothing(t *testing.T) {
	s := sqliteServer(t)
	secret := s.signIn(1, func(p *access.Principal) { p.ReadOnly, p.AffiliateID = true, 5 }, access.Roles()...)
	for _, c := range s.calls() {
		if c.public {
			continue
		}
		ok, code := s.passes(c, secret)
		if read := c.method == http.MethodGet; ok != read || !ok && code != "read_only" {
			t.Errorf("%s %s: %v %s", c.method, c.id, ok, code)
		}
	}
}

// What demands a second factor gets one that is fresh, and its own.
func TestSecondFactor(t *testing.T) {
	s := newServer(t, dbtest.SQLite(t), func(*server) []api.Module {
		return []api.Module{api.Demand("both", true, true), api.Demand("factor", true, false), api.Demand("person", false, true)}
	})
	now := s.clock.Now()
	all := func(change func(*access.Principal)) string { return s.signIn(1, change, access.RoleOwner) }
	at := func(t time.Time) string {
		return all(func(p *access.Principal) { p.SecondFactorAt = t.UnixMilli() })
	}
	never := all(func(p *access.Principal) { p.SecondFactorAt = 0 })
	for _, c := range []struct {
		who, secret            string
		both, factor, byPerson string
	}{
		{"machine", adminSecret, "person_required", "", "person_required"},
		{"never", never, "second_factor_required", "second_factor_required", ""},
		{"now", at(now), "", "", ""},
		{"almost too old", at(now.Add(time.Millisecond - api.SecondFactorFor)), "", "", ""},
		{"too old", at(now.Add(-api.SecondFactorFor)), "second_factor_required", "second_factor_required", ""},
		{"future", at(now.Add(time.Second)), "second_factor_required", "second_factor_required", ""},
	} {
		s.bearer = c.secret
		for path, code := range map[string]string{"both": c.both, "factor": c.factor, "person": c.byPerson} {
			got := s.do("POST", "/api/v1/"+path, nil)
			if code == "" {
				got.want(http.StatusNoContent)
			} else {
				got.want(http.StatusForbidden, code)
			}
		}
	}
}

func (s *server) token(scopes ...access.Scope) string {
	s.t.Helper()
	_, secret, err := s.tokens.Create(s.t.Context(), "for a test", scopes)
	if err != nil {
		s.t.Fatal(err)
	}
	return secret
}

func TestPrincipalKnowsWhereItComesFrom(t *testing.T) {
	var seen access.Principal
	s := newServer(t, dbtest.SQLite(t), probe(func(ctx context.Context) error {
		seen, _ = access.From(ctx)
		return nil
	}))
	for _, secret := range []string{adminSecret, s.signIn(7, nil, access.RoleOwner)} {
		s.bearer = secret
		s.do("POST", "/api/v1/probe", nil, "CF-Connecting-IP", "198.51.100.9").want(http.StatusCreated)
		if seen.Address != "198.51.100.9" || (seen.PersonID == 7) == (seen.TokenID != 0) {
			t.Errorf("seen %+v", seen)
		}
		s.do("POST", "/api/v1/probe", nil).want(http.StatusCreated)
		if seen.Address != "127.0.0.1" {
			t.Errorf("without a proxy seen %+v", seen)
		}
	}
}

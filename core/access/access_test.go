package access_test

import (
	"slices"
	"testing"

	"github.com/edgeref/edgeref/core/access"
)

func TestEveryRoleIsGrantedKnownScopes(t *testing.T) {
	for _, r := range access.Roles() {
		grants := access.Grants(r)
		if !slices.Contains(grants, access.Me) {
			t.Errorf("%s cannot reach his own account", r)
		}
		for _, s := range grants {
			if !slices.Contains(access.Scopes(), s) {
				t.Errorf("%s is granted the unknown scope %s", r, s)
			}
		}
	}
	if got := access.Grants("root"); got != nil {
		t.Errorf("an unknown role is granted %v", got)
	}
}

// Nobody but the owner both prepares money and changes who may approve it.
func TestDutiesAreSeparate(t *testing.T) {
	for _, r := range access.Roles() {
		g := access.Grants(r)
		if slices.Contains(g, access.PayoutsWrite) && slices.Contains(g, access.PeopleWrite) {
			t.Errorf("%s may prepare payouts and change roles", r)
		}
	}
}

func TestAdminHasNoPersonalScopes(t *testing.T) {
	p := access.Principal{Scopes: []access.Scope{access.Admin}}
	for _, s := range access.Scopes() {
		if p.Can(s) == s.Personal() {
			t.Errorf("admin and %s: %v", s, p.Can(s))
		}
	}
}

func TestSplitReversesJoin(t *testing.T) {
	if got := access.Split(access.Join(access.Scopes())); !slices.Equal(got, access.Scopes()) {
		t.Errorf("got %v", got)
	}
}

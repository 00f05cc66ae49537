package account_test

import (
	"errors"
	"testing"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/account"
	"github.com/edgeref/edgeref/core/account/password"
)

func TestIntroducedPeopleSignInAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const factor = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
		phc, err := password.New(password.Options{Params: cheap()}).Hash(t.Context(), goodPassword)
		if err != nil {
			t.Fatal(err)
		}
		owner, err := w.Introduce(t.Context(), account.Introduction{
			Email: "Owner@Example.com", Name: "Olga", Roles: []access.Role{access.RoleOwner}, PasswordHash: phc, FactorSecret: factor,
		})
		if err != nil {
			t.Fatal(err)
		}
		in := w.signIn("owner@example.com")
		if !in.Session.Pending {
			t.Error("signed in without the second factor")
		}
		if _, err := w.SecondFactor(t.Context(), in.Secret, w.code(factor), "", home); err != nil {
			t.Errorf("second factor: %v", err)
		}
		if _, made, err := w.EnsureOwner(t.Context(), "other@example.com"); err != nil || made {
			t.Errorf("a second first owner was invited: %v, %v", made, err)
		}
		if _, err := w.Introduce(t.Context(), account.Introduction{Email: "owner@example.com", Name: "Oskar"}); !errors.Is(err, account.ErrTaken) {
			t.Errorf("introduced twice: %v", err)
		}
		p, err := w.Introduce(t.Context(), account.Introduction{Email: "ann@example.com", Name: "Ann", Roles: []access.Role{access.RoleAffiliate}, Applies: true})
		if err != nil {
			t.Fatal(err)
		}
		if a, err := w.catalog.Affiliate(t.Context(), p.AffiliateID); err != nil || a.Status != "pending" {
			t.Errorf("applicant is %q, %v", a.Status, err)
		}
		if _, err := w.SignIn(t.Context(), attempt("ann@example.com", home)); !errors.Is(err, account.ErrCredentials) {
			t.Errorf("signed in without a password: %v", err)
		}
		if owner.Email != "owner@example.com" {
			t.Errorf("address %q", owner.Email)
		}
	})
}

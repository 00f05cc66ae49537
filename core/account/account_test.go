package account_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/account"
	"github.com/edgeref/edgeref/core/account/password"
	"github.com/edgeref/edgeref/core/catalog"
)

func TestSignUpToSignIn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		sponsor, err := w.catalog.CreateAffiliate(ctx, "Sponsor", "sponsor@example.com")
		if err != nil {
			t.Fatal(err)
		}
		if err := w.RequestSignUp(ctx, account.SignUp{Email: " Ann@EXAMPLE.com ", Name: "Ann", Affiliate: true, SponsorID: sponsor.ID, Address: home}); err != nil {
			t.Fatal(err)
		}
		w.process()
		m := w.lastMail("ann@example.com")
		link := linkOf(t, m)
		var invalid *account.InvalidError
		if _, err := w.SetPassword(ctx, link, "short", ""); m.Template != "sign_up" || !errors.As(err, &invalid) {
			t.Errorf("mail %s, short password: %v", m.Template, err)
		}
		p, err := w.SetPassword(ctx, link, goodPassword, "")
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(p.Roles, []access.Role{access.RoleAffiliate, access.RoleLearner}) || p.Email != "ann@example.com" || p.AffiliateID == 0 {
			t.Errorf("made %+v", p)
		}
		if a, err := w.catalog.Affiliate(ctx, p.AffiliateID); err != nil || a.Status != catalog.Pending {
			t.Errorf("affiliate %+v, %v", a, err)
		}
		if _, err := w.SetPassword(ctx, link, goodPassword, ""); !errors.Is(err, account.ErrLink) {
			t.Errorf("link used twice: %v", err)
		}
		in, err := w.SignIn(ctx, attempt("ANN@example.com", home))
		if err != nil || in.Session.Pending || in.Session.Device != "Firefox on Linux" {
			t.Fatalf("signed in %+v, %v", in, err)
		}
		v, who, err := w.SessionBySecret(ctx, in.Secret)
		if err != nil || v.ID != in.Session.ID || who.ID != p.ID {
			t.Errorf("session %+v of %+v, %v", v, who, err)
		}
		for _, wrong := range []string{"", "x", strings.Repeat("A", 43), in.Secret[:42] + "!"} {
			if _, _, err := w.SessionBySecret(ctx, wrong); !errors.Is(err, account.ErrNoSession) {
				t.Errorf("session of %q: %v", wrong, err)
			}
		}
		if err := w.EndSession(ctx, p.ID, v.ID); err != nil {
			t.Fatal(err)
		}
		if _, _, err := w.SessionBySecret(ctx, in.Secret); !errors.Is(err, account.ErrNoSession) {
			t.Errorf("ended session: %v", err)
		}
	})
}

// Two links to one address: whoever comes first makes the person, and the other link is worth nothing.
func TestOnlyOneLinkMakesThePerson(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		var links []string
		for range 2 {
			if err := w.RequestSignUp(ctx, account.SignUp{Email: "ann@example.com", Name: "Ann", Address: home}); err != nil {
				t.Fatal(err)
			}
			w.process()
			links = append(links, linkOf(t, w.lastMail("ann@example.com")))
		}
		if _, err := w.SetPassword(ctx, links[1], goodPassword, ""); err != nil {
			t.Fatal(err)
		}
		if _, err := w.SetPassword(ctx, links[0], "another sail over the lake", ""); !errors.Is(err, account.ErrLink) {
			t.Errorf("the other link: %v", err)
		}
		w.clock.add(25 * time.Hour)
		w.signIn("ann@example.com")
	})
}

func TestSessionsEndByThemselves(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.person("ann@example.com", access.RoleLearner)
		idle, used := w.signIn(p.Email), w.signIn(p.Email)
		for range 3 {
			w.clock.add(5 * 24 * time.Hour)
			if _, _, err := w.SessionBySecret(t.Context(), used.Secret); err != nil {
				t.Fatal(err)
			}
		}
		if _, _, err := w.SessionBySecret(t.Context(), idle.Secret); !errors.Is(err, account.ErrNoSession) {
			t.Errorf("15 days without use: %v", err)
		}
		for range 3 {
			w.clock.add(5 * 24 * time.Hour)
			_, _, _ = w.SessionBySecret(t.Context(), used.Secret)
		}
		if _, _, err := w.SessionBySecret(t.Context(), used.Secret); !errors.Is(err, account.ErrNoSession) {
			t.Errorf("30 days of use: %v", err)
		}
		w.clock.add(31 * 24 * time.Hour)
		if err := w.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		var n int
		if err := w.db.QueryRow(t.Context(), "SELECT (SELECT COUNT(*) FROM sessions) + (SELECT COUNT(*) FROM account_links)").Scan(&n); err != nil || n != 0 {
			t.Errorf("%d rows left, %v", n, err)
		}
	})
}

func TestNewPasswordEndsAllElse(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		p := w.person("ann@example.com", access.RoleLearner)
		here, there := w.signIn(p.Email), w.signIn(p.Email)
		var changed [][2]int64
		w.Watch(func(session, person int64) { changed = append(changed, [2]int64{session, person}) })
		if err := w.ChangePassword(ctx, p.ID, here.Session.ID, "wrong", "three boats on one river"); !errors.Is(err, account.ErrCredentials) {
			t.Errorf("wrong password: %v", err)
		}
		var invalid *account.InvalidError
		if err := w.ChangePassword(ctx, p.ID, here.Session.ID, goodPassword, "password123"); !errors.As(err, &invalid) {
			t.Errorf("common password: %v", err)
		}
		if err := w.ChangePassword(ctx, p.ID, here.Session.ID, goodPassword, "three boats on one river"); err != nil {
			t.Fatal(err)
		}
		if _, _, err := w.SessionBySecret(ctx, here.Secret); err != nil {
			t.Errorf("own session: %v", err)
		}
		if _, _, err := w.SessionBySecret(ctx, there.Secret); !errors.Is(err, account.ErrNoSession) {
			t.Errorf("other session: %v", err)
		}
		if len(changed) != 1 || changed[0] != [2]int64{0, p.ID} {
			t.Errorf("told %v", changed)
		}
		if w.lastMail(p.Email).Template != "password_changed" {
			t.Error("not told by mail")
		}
		if err := w.RequestReset(ctx, p.Email, home); err != nil {
			t.Fatal(err)
		}
		w.process()
		link := linkOf(t, w.lastMail(p.Email))
		if _, err := w.SetPassword(ctx, link, goodPassword, ""); err != nil {
			t.Fatal(err)
		}
		if _, _, err := w.SessionBySecret(ctx, here.Secret); !errors.Is(err, account.ErrNoSession) {
			t.Errorf("session after a reset: %v", err)
		}
		w.signIn(p.Email)
	})
}

func TestHashesAreUpgradedAtSignIn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.person("ann@example.com", access.RoleLearner)
		opts := w.opts
		opts.Registerer = nil
		opts.Passwords = password.New(password.Options{Params: password.Params{Memory: 128, Time: 1, Threads: 1}})
		newer := account.New(opts)
		for _, want := range []string{"m=64,", "m=128,"} {
			var phc string
			if err := w.db.QueryRow(t.Context(), "SELECT password FROM people WHERE id = ?", p.ID).Scan(&phc); err != nil || !strings.Contains(phc, want) {
				t.Errorf("hash %q, %v, want %s", phc, err, want)
			}
			if _, err := newer.SignIn(t.Context(), attempt(p.Email, home)); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestChangeOfAddress(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		p, other := w.person("ann@example.com", access.RoleLearner), w.person("bob@example.com", access.RoleLearner)
		if err := w.RequestEmail(ctx, p.ID, "ann@new.example", "wrong"); !errors.Is(err, account.ErrCredentials) {
			t.Errorf("wrong password: %v", err)
		}
		// An address that is somebody's gets word of it and no link; the answer is the same.
		if err := w.RequestEmail(ctx, p.ID, other.Email, goodPassword); err != nil {
			t.Fatal(err)
		}
		if err := w.RequestEmail(ctx, p.ID, "ann@new.example", goodPassword); err != nil {
			t.Fatal(err)
		}
		w.process()
		if m := w.lastMail(other.Email); m.Template != "account_exists" {
			t.Errorf("mail to the other: %s", m.Template)
		}
		link := linkOf(t, w.lastMail("ann@new.example"))
		if _, err := w.SetPassword(ctx, link, goodPassword, ""); !errors.Is(err, account.ErrLink) {
			t.Errorf("a link to confirm an address sets a password: %v", err)
		}
		if got, err := w.ConfirmEmail(ctx, link); err != nil || got.Email != "ann@new.example" {
			t.Fatalf("confirmed %+v, %v", got, err)
		}
		if w.lastMail("ann@example.com").Template != "email_changed" {
			t.Error("the old address was not told")
		}
		w.signIn("ann@new.example")
		if _, err := w.SignIn(ctx, attempt("ann@example.com", home)); !errors.Is(err, account.ErrCredentials) {
			t.Errorf("old address: %v", err)
		}
	})
}

func TestNormalizeEmail(t *testing.T) {
	for in, want := range map[string]string{
		"Ann@Example.COM": "ann@example.com", " ann@example.com ": "ann@example.com", "ann@münchen.example": "ann@xn--mnchen-3ya.example",
		"a.b+c@sub.example.co.in": "a.b+c@sub.example.co.in",
	} {
		if got, err := account.NormalizeEmail(in); err != nil || got != want {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "ann", "@example.com", "ann@", "ann@localhost", "a b@example.com", "ann@example.com\nBcc: x@y.z", `"a b"@example.com`,
		"Ann <ann@example.com>", "ann@[127.0.0.1]", strings.Repeat("a", 65) + "@example.com", "ann@" + strings.Repeat("a", 260) + ".com", "änn@example.com", "a@b@example.com"} {
		if got, err := account.NormalizeEmail(in); err == nil {
			t.Errorf("%q became %q", in, got)
		}
	}
}

func FuzzNormalizeEmail(f *testing.F) {
	for _, seed := range []string{"ann@example.com", "Ann@münchen.example", "\"\"@a.b", "a@b.c\r\n", "a@xn--.com", "(c)a@b.c"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		once, err := account.NormalizeEmail(in)
		if err != nil {
			return
		}
		twice, err := account.NormalizeEmail(once)
		if err != nil || twice != once {
			t.Errorf("%q: %q, then %q, %v", in, once, twice, err)
		}
		if strings.ContainsAny(once, " \r\n\t<>\",;") || strings.Count(once, "@") != 1 || once != strings.ToLower(once) {
			t.Errorf("%q became %q", in, once)
		}
	})
}

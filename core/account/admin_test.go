package account_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/account"
	"github.com/edgeref/edgeref/core/audit"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/ident"
)

func acting(p account.Person) access.Principal {
	return access.Principal{PersonID: p.ID, SessionID: 1, Roles: p.Roles, Scopes: access.GrantsOf(p.Roles)}
}

// Who may change whom, as a table.
func TestWhoMayChangeRoles(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		owner, admin := w.person("owner@example.com", access.RoleOwner), w.person("admin@example.com", access.RoleAdmin)
		finance, learner := w.person("fin@example.com", access.RoleFinance), w.person("lea@example.com", access.RoleLearner)
		machine := access.Principal{TokenID: 7, Scopes: []access.Scope{access.Admin}}
		suspended := account.Suspended
		for name, c := range map[string]struct {
			actor access.Principal
			on    account.Person
			to    account.Change
			want  error
		}{
			"himself":                  {acting(admin), admin, account.Change{Roles: []access.Role{access.RoleAdmin, access.RoleSupport}}, account.ErrOwnRoles},
			"himself, as owner":        {acting(owner), owner, account.Change{Roles: []access.Role{access.RoleOwner, access.RoleFinance}}, account.ErrOwnRoles},
			"admin makes owner":        {acting(admin), learner, account.Change{Roles: []access.Role{access.RoleOwner}}, account.ErrOwnerOnly},
			"admin makes finance":      {acting(admin), learner, account.Change{Roles: []access.Role{access.RoleFinance}}, account.ErrOwnerOnly},
			"admin takes finance":      {acting(admin), finance, account.Change{Roles: []access.Role{access.RoleLearner}}, account.ErrOwnerOnly},
			"admin suspends owner":     {acting(admin), owner, account.Change{Status: &suspended}, account.ErrOwnerOnly},
			"machine makes owner":      {machine, learner, account.Change{Roles: []access.Role{access.RoleOwner}}, account.ErrOwnerOnly},
			"unknown role":             {acting(owner), learner, account.Change{Roles: []access.Role{"root"}}, &account.InvalidError{}},
			"machine demotes last own": {access.Principal{PersonID: 99, Roles: []access.Role{access.RoleOwner}}, owner, account.Change{Roles: []access.Role{access.RoleAdmin}}, account.ErrLastOwner},
			"suspends the last owner":  {access.Principal{PersonID: 99, Roles: []access.Role{access.RoleOwner}}, owner, account.Change{Status: &suspended}, account.ErrLastOwner},
			"admin makes support":      {acting(admin), learner, account.Change{Roles: []access.Role{access.RoleLearner, access.RoleSupport}}, nil},
			"owner makes finance":      {acting(owner), admin, account.Change{Roles: []access.Role{access.RoleAdmin, access.RoleFinance}}, nil},
		} {
			_, err := w.ChangePerson(t.Context(), c.actor, c.on.ID, c.to)
			var invalid *account.InvalidError
			if wanted := new(account.InvalidError); errors.As(c.want, &wanted) && errors.As(err, &invalid) {
				continue
			}
			if !errors.Is(err, c.want) {
				t.Errorf("%s: %v, want %v", name, err, c.want)
			}
		}
		if p, err := w.Person(t.Context(), learner.ID); err != nil || !slices.Equal(p.Roles, []access.Role{access.RoleSupport, access.RoleLearner}) {
			t.Errorf("roles %v, %v", p.Roles, err)
		}
		if err := w.Invite(t.Context(), acting(admin), "new@example.com", "New", []access.Role{access.RoleOwner}); !errors.Is(err, account.ErrOwnerOnly) {
			t.Errorf("admin invites an owner: %v", err)
		}
		if err := w.Invite(t.Context(), acting(owner), owner.Email, "New", []access.Role{access.RoleAdmin}); !errors.Is(err, account.ErrTaken) {
			t.Errorf("invited twice: %v", err)
		}
	})
}

func TestSuspendedPersonIsSignedOut(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		owner, p := w.person("owner@example.com", access.RoleOwner), w.person("lea@example.com", access.RoleLearner)
		in := w.signIn(p.Email)
		status := account.Suspended
		ctx := access.With(t.Context(), acting(owner))
		if _, err := w.ChangePerson(ctx, acting(owner), p.ID, account.Change{Status: &status, Reason: "fraud"}); err != nil {
			t.Fatal(err)
		}
		if _, _, err := w.SessionBySecret(ctx, in.Secret); !errors.Is(err, account.ErrNoSession) {
			t.Errorf("session: %v", err)
		}
		if _, err := w.SignIn(ctx, attempt(p.Email, home)); !errors.Is(err, account.ErrSuspended) {
			t.Errorf("sign-in: %v", err)
		}
		list, err := w.audit.List(ctx, audit.Filter{Action: "person.update", Limit: 5})
		if err != nil || len(list) != 1 || list[0].Actor.ID != owner.ID || list[0].Reason != "fraud" || strings.Contains(string(list[0].After), "lea@") {
			t.Errorf("audit %+v, %v", list, err)
		}
	})
}

// Who may end whose sessions, and what ends with them.
func TestSessionsOfOthersEnd(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		owner, admin := w.person("owner@example.com", access.RoleOwner), w.person("admin@example.com", access.RoleAdmin)
		finance, lea := w.person("fin@example.com", access.RoleFinance), w.person("lea@example.com", access.RoleLearner)
		money, lost, kept := w.signIn(finance.Email), w.signIn(lea.Email), w.signIn(lea.Email)
		alive := func(in account.SignedIn) bool {
			_, _, err := w.SessionBySecret(t.Context(), in.Secret)
			return err == nil
		}
		machine := access.Principal{TokenID: 7, Scopes: []access.Scope{access.PeopleWrite}}
		ctx := access.With(t.Context(), acting(admin))
		var changed [][2]int64
		w.Watch(func(session, person int64) { changed = append(changed, [2]int64{session, person}) })
		for name, c := range map[string]struct {
			actor access.Principal
			of    account.Person
			id    int64
			want  error
		}{
			"admin of finance":   {acting(admin), finance, money.Session.ID, account.ErrOwnerOnly},
			"machine of finance": {machine, finance, money.Session.ID, account.ErrOwnerOnly},
			"another's":          {acting(admin), lea, money.Session.ID, account.ErrNoSession},
			"nobody's":           {acting(admin), account.Person{ID: 99}, money.Session.ID, account.ErrNotFound},
		} {
			if err := w.EndSessionOf(ctx, c.actor, c.of.ID, c.id, "lost"); !errors.Is(err, c.want) {
				t.Errorf("%s: %v, want %v", name, err, c.want)
			}
			if errors.Is(c.want, account.ErrNoSession) {
				continue // of all there may be none
			}
			if err := w.EndSessionsOf(ctx, c.actor, c.of.ID, "lost"); !errors.Is(err, c.want) {
				t.Errorf("%s, all: %v, want %v", name, err, c.want)
			}
		}
		if !alive(money) || !alive(lost) {
			t.Fatal("a refusal ended sessions")
		}
		if err := w.EndSessionOf(ctx, acting(admin), lea.ID, lost.Session.ID, "lost"); err != nil {
			t.Fatal(err)
		}
		if alive(lost) || !alive(kept) || !alive(money) {
			t.Errorf("after one ended: %v %v %v", alive(lost), alive(kept), alive(money))
		}
		if err := w.EndSessionOf(ctx, acting(admin), lea.ID, lost.Session.ID, "lost"); !errors.Is(err, account.ErrNoSession) {
			t.Errorf("ended twice: %v", err)
		}
		if err := w.EndSessionsOf(access.With(ctx, acting(owner)), acting(owner), finance.ID, "left the firm"); err != nil || alive(money) || !alive(kept) {
			t.Errorf("all of finance by an owner: %v, alive %v, others %v", err, alive(money), alive(kept))
		}
		if want := [2]int64{0, finance.ID}; changed[len(changed)-1] != want {
			t.Errorf("told of %v", changed)
		}
		own := w.signIn(admin.Email)
		if err := w.EndSessionOf(ctx, acting(admin), admin.ID, own.Session.ID, "mine"); err != nil || alive(own) {
			t.Errorf("his own: %v", err)
		}
		list, err := w.audit.List(ctx, audit.Filter{Object: ident.Format(ident.Person, lea.ID), Action: "person.session_end", Limit: 5})
		if err != nil || len(list) != 1 || list[0].Actor.ID != admin.ID || list[0].Reason != "lost" || !strings.Contains(string(list[0].Before), "Firefox on Linux") {
			t.Errorf("audit %+v, %v", list, err)
		}
	})
}

func TestFirstOwnerIsMadeOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		url, created, err := w.EnsureOwner(t.Context(), "owner@example.com")
		if err != nil || !created {
			t.Fatalf("%v, %v", created, err)
		}
		if _, again, err := w.EnsureOwner(t.Context(), "other@example.com"); err != nil || again {
			t.Errorf("made twice: %v, %v", again, err)
		}
		_, link, _ := strings.Cut(url, "?link=")
		if p, err := w.SetPassword(t.Context(), link, goodPassword, ""); err != nil || !p.Is(access.RoleOwner) {
			t.Errorf("%+v, %v", p, err)
		}
	})
}

// part is a domain that knows a person.
type part struct {
	name   string
	erased []account.Subject
}

func (p *part) Part() string { return p.name }

func (p *part) Erase(_ context.Context, _ *db.Tx, s account.Subject) error {
	p.erased = append(p.erased, s)
	return nil
}

func (p *part) Export(_ context.Context, s account.Subject) (any, error) {
	return map[string]int64{"person": s.PersonID}, nil
}

func TestExportAndErasure(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		domain := &part{name: "orders"}
		opts := w.opts
		opts.Registerer, opts.Erasers, opts.Exporters = nil, []account.Eraser{domain}, []account.Exporter{domain}
		w.Service = account.New(opts)
		owner := w.person("owner@example.com", access.RoleOwner)
		p := w.person("lea@example.com", access.RoleLearner)
		in := w.signIn(p.Email)
		w.enrol(in)

		out, err := w.Export(ctx, p.ID)
		if err != nil || out.Person.Email != p.Email || !out.SecondFactor || len(out.Sessions) != 1 || out.Parts["orders"] == nil {
			t.Errorf("export %+v, %v", out, err)
		}
		if b, err := json.Marshal(out); err != nil || strings.Contains(string(b), "argon2") {
			t.Errorf("export holds a hash, or %v", err)
		}
		if err := w.EraseOwn(ctx, p.ID, "wrong"); !errors.Is(err, account.ErrCredentials) {
			t.Errorf("erased with a wrong password: %v", err)
		}
		if err := w.EraseOwn(ctx, owner.ID, goodPassword); !errors.Is(err, account.ErrLastOwner) {
			t.Errorf("the last owner erased himself: %v", err)
		}
		for range 2 {
			if err := w.Erase(ctx, acting(owner), p.ID, "asked by letter"); err != nil {
				t.Fatal(err)
			}
		}
		if len(domain.erased) != 1 || domain.erased[0].Email != p.Email || !strings.HasSuffix(domain.erased[0].PseudonymEmail, "@erased.invalid") {
			t.Errorf("told %+v", domain.erased)
		}
		got, err := w.Person(ctx, p.ID)
		if err != nil || got.Status != account.Erased || len(got.Roles) != 0 || strings.Contains(got.Email+got.Name, "lea") {
			t.Errorf("left %+v, %v", got, err)
		}
		if _, _, err := w.SessionBySecret(ctx, in.Secret); !errors.Is(err, account.ErrNoSession) {
			t.Errorf("session: %v", err)
		}
		for _, table := range []string{"second_factors", "recovery_codes", "known_devices"} {
			var n int
			if err := w.db.QueryRow(ctx, "SELECT COUNT(*) FROM "+table).Scan(&n); err != nil || n != 0 {
				t.Errorf("%s has %d rows, %v", table, n, err)
			}
		}
		if _, err := w.ChangePerson(ctx, acting(owner), p.ID, account.Change{Roles: []access.Role{access.RoleAdmin}}); !errors.Is(err, account.ErrErased) {
			t.Errorf("changed after erasure: %v", err)
		}
		// The address is free again.
		w.person("lea@example.com", access.RoleLearner)
	})
}

func TestListAndSearch(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ann, bob := w.person("ann@example.com", access.RoleLearner), w.person("bob@example.com", access.RoleLearner)
		for _, c := range []struct {
			filter account.PeopleFilter
			before int64
			want   []int64
		}{
			{account.PeopleFilter{}, 0, []int64{bob.ID, ann.ID}},
			{account.PeopleFilter{}, bob.ID, []int64{ann.ID}},
			{account.PeopleFilter{EmailPrefix: "ANN@"}, 0, []int64{ann.ID}},
			{account.PeopleFilter{EmailPrefix: "b", Status: account.Active}, 0, []int64{bob.ID}},
			{account.PeopleFilter{Status: account.Suspended}, 0, nil},
			{account.PeopleFilter{EmailPrefix: "x"}, 0, nil},
		} {
			list, err := w.People(t.Context(), c.filter, c.before, 10)
			var ids []int64
			for _, p := range list {
				ids = append(ids, p.ID)
			}
			if err != nil || !slices.Equal(ids, c.want) {
				t.Errorf("%+v: %v, %v", c, ids, err)
			}
		}
	})
}

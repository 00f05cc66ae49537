package token_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/core/newid"
	"github.com/edgeref/edgeref/core/token"
)

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func newStore(d *db.DB) (*token.Store, *clock) {
	c := &clock{now: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}
	return token.New(token.Options{DB: d, IDs: newid.New(c.Now), Now: c.Now}), c
}

func TestLifeOfAToken(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		store, clock := newStore(d)
		ctx := t.Context()
		made, secret, err := store.Create(ctx, "shop", []access.Scope{access.CatalogRead, access.CatalogRead, access.LedgerRead})
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(secret, token.Prefix) || len(made.Scopes) != 2 {
			t.Errorf("secret %.4s..., scopes %v", secret, made.Scopes)
		}
		p, err := store.Authenticate(ctx, secret)
		if err != nil || p.TokenID != made.ID || !p.Can(access.LedgerRead) || p.Can(access.CatalogWrite) || p.Can(access.Admin) {
			t.Errorf("principal %+v, %v", p, err)
		}
		for _, wrong := range []string{"", secret + "x", secret[:len(secret)-1], strings.Repeat("x", 10_000)} {
			if _, err := store.Authenticate(ctx, wrong); !errors.Is(err, token.ErrUnauthenticated) {
				t.Errorf("%d bytes of a wrong secret: %v", len(wrong), err)
			}
		}
		list, err := store.List(ctx, 0, 10)
		if err != nil || len(list) != 1 || list[0].LastUsedAt != clock.Now().UnixMilli() {
			t.Errorf("list %+v, %v", list, err)
		}
		if err := store.Revoke(ctx, made.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Authenticate(ctx, secret); !errors.Is(err, token.ErrUnauthenticated) {
			t.Errorf("revoked token: %v", err)
		}
		if err := store.Revoke(ctx, made.ID); !errors.Is(err, token.ErrNotFound) {
			t.Errorf("revoked twice: %v", err)
		}
	})
}

func TestSecretIsNotStored(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		store, _ := newStore(d)
		_, secret, err := store.Create(t.Context(), "shop", []access.Scope{access.Admin})
		if err != nil {
			t.Fatal(err)
		}
		var name, scopes, hash string
		if err := d.QueryRow(t.Context(), "SELECT name, scopes, hash FROM tokens").Scan(&name, &scopes, &hash); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(name+scopes+hash, secret[len(token.Prefix):]) {
			t.Error("the secret is in the database")
		}
	})
}

// A second core learns of a revocation when its cache entry ends, however often the token is used meanwhile.
func TestRevocationReachesOtherProcesses(t *testing.T) {
	d := dbtest.SQLite(t)
	one, clock := newStore(d)
	two := token.New(token.Options{DB: d, IDs: newid.New(clock.Now), Now: clock.Now})
	made, secret, err := one.Create(t.Context(), "shop", []access.Scope{access.Admin})
	if err != nil {
		t.Fatal(err)
	}
	auth := func() error {
		_, err := two.Authenticate(t.Context(), secret)
		return err
	}
	if err := auth(); err != nil {
		t.Fatal(err)
	}
	if err := one.Revoke(t.Context(), made.ID); err != nil {
		t.Fatal(err)
	}
	for range 4 {
		clock.add(time.Second)
		if err := auth(); err != nil {
			t.Fatalf("within the time of the cache: %v", err)
		}
	}
	clock.add(token.CacheTTL - 4*time.Second)
	if err := auth(); !errors.Is(err, token.ErrUnauthenticated) {
		t.Errorf("after the time of the cache: %v", err)
	}
}

func TestEnsureAdmin(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		store, _ := newStore(d)
		ctx := t.Context()
		for _, bad := range []string{"short", "with a space in it", "non-ascii-ä-secret", strings.Repeat("x", 300)} {
			if _, _, err := store.EnsureAdmin(ctx, bad); !errors.Is(err, token.ErrInvalid) {
				t.Errorf("%.20q: %v", bad, err)
			}
		}
		secret, created, err := store.EnsureAdmin(ctx, "given-by-the-environment")
		if err != nil || !created || secret != "given-by-the-environment" {
			t.Fatalf("%q, %v, %v", secret, created, err)
		}
		p, err := store.Authenticate(ctx, secret)
		if err != nil || !p.Can(access.ReportsRead) {
			t.Errorf("principal %+v, %v", p, err)
		}
		if err := store.Revoke(ctx, p.TokenID); err != nil {
			t.Fatal(err)
		}
		// A restart with another secret must not make a second door.
		if _, created, err := store.EnsureAdmin(ctx, "another-given-secret"); err != nil || created {
			t.Errorf("second time: created %v, %v", created, err)
		}
	})
}

func TestEnsureAdminOnceAmongMany(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		store, _ := newStore(d)
		var wg sync.WaitGroup
		made := make(chan string, 8)
		for range cap(made) {
			wg.Go(func() {
				secret, created, err := store.EnsureAdmin(context.WithoutCancel(t.Context()), "")
				if err != nil {
					t.Error(err)
				}
				if created {
					made <- secret
				}
			})
		}
		wg.Wait()
		if len(made) != 1 {
			t.Fatalf("%d first admin tokens", len(made))
		}
		if _, err := store.Authenticate(t.Context(), <-made); err != nil {
			t.Error(err)
		}
	})
}

func TestCreateRefuses(t *testing.T) {
	store, _ := newStore(dbtest.SQLite(t))
	for _, c := range []struct {
		name   string
		scopes []access.Scope
	}{
		{"", []access.Scope{access.Admin}},
		{strings.Repeat("n", token.MaxName+1), []access.Scope{access.Admin}},
		{"x", nil},
		{"x", []access.Scope{"root"}},
		{"x", []access.Scope{access.Me}},
	} {
		if _, _, err := store.Create(t.Context(), c.name, c.scopes); !errors.Is(err, token.ErrInvalid) {
			t.Errorf("%.10q %v: %v", c.name, c.scopes, err)
		}
	}
}

func BenchmarkAuthenticate(b *testing.B) {
	store, _ := newStore(dbtest.SQLite(b))
	_, secret, err := store.Create(b.Context(), "bench", []access.Scope{access.Admin})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := store.Authenticate(b.Context(), secret); err != nil {
			b.Fatal(err)
		}
	}
}

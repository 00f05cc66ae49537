// Package demo fills an empty system with a believable business, so that every page has something to show. It works
// through the domains' own services, on their database, with a clock of its own.
package demo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/edgeref/edgeref/core/account"
	"github.com/edgeref/edgeref/core/account/password"
	"github.com/edgeref/edgeref/core/audit"
	"github.com/edgeref/edgeref/core/catalog"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/mail"
	"github.com/edgeref/edgeref/core/newid"
	"github.com/edgeref/edgeref/core/secret"
	"github.com/edgeref/edgeref/core/token"
)

// Options are what Make needs. Nothing else may use the database meanwhile.
type Options struct {
	DB        *db.DB // with this version's schema
	Ring      *secret.Ring
	Passwords *password.Hasher
	Now       func() time.Time
	Logger    *slog.Logger // default: none
	URL, Site string       // where the pages are, and the name of the business

	AdminToken string // empty: one is made
	Password   string // of all people
	Factor     string // secret of the second factor of all who have one, base32
}

// Result is what was made, for those who look at it.
type Result struct {
	AdminToken string
}

// Make makes the demo in an empty database. Errors: ErrForeign, ErrHalf; after any other, and when ctx ends, the database
// is of no use.
func Make(ctx context.Context, o Options) (Result, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if reason := password.Check(o.Password, ""); reason != "" {
		return Result{}, errors.New("the password of the demo " + reason)
	}
	if err := begin(ctx, o.DB); err != nil {
		return Result{}, err
	}
	r, err := fill(ctx, o)
	if err != nil {
		return Result{}, fmt.Errorf("make demo data: %w", err)
	}
	return r, finish(ctx, o.DB)
}

func fill(ctx context.Context, o Options) (r Result, err error) {
	ids := newid.New(o.Now)
	letters, err := mail.New(mail.Options{DB: o.DB, IDs: ids, Now: o.Now, Ring: o.Ring, Site: o.Site, Logger: o.Logger})
	if err != nil {
		return Result{}, err
	}
	links, err := catalog.New(ctx, catalog.Options{DB: o.DB, IDs: ids, Logger: o.Logger, Now: o.Now})
	if err != nil {
		return Result{}, err
	}
	people := account.New(account.Options{
		DB: o.DB, IDs: ids, Now: o.Now, Logger: o.Logger, Ring: o.Ring, Mail: letters, Audit: audit.New(audit.Options{DB: o.DB, IDs: ids}),
		Affiliates: links, URL: o.URL, Site: o.Site, Passwords: o.Passwords,
	})
	keys := Keys{FactorSecret: o.Factor}
	if keys.PasswordHash, err = o.Passwords.Hash(ctx, o.Password); err != nil {
		return Result{}, err
	}
	if err := Introduce(ctx, people, keys); err != nil {
		return Result{}, err
	}
	tokens := token.New(token.Options{DB: o.DB, IDs: ids, Logger: o.Logger, Now: o.Now})
	r.AdminToken, _, err = tokens.EnsureAdmin(ctx, o.AdminToken)
	return r, err
}

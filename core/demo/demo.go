// Package demo fills an empty system with a believable business, so that every page has something to show. It works
// through the domains' own services, on their database, with a clock of its own that walks through the days.
package demo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"gocloud.dev/blob"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/account/password"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/invoice"
	"github.com/edgeref/edgeref/core/payout"
	"github.com/edgeref/edgeref/core/secret"
	"github.com/edgeref/edgeref/core/shop"
	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/report"
)

// Analytics is where clicks and facts go.
type Analytics interface {
	AppendClicks(ctx context.Context, batchID string, clicks []click.Record) error
	AppendFacts(ctx context.Context, batchID string, facts []report.Fact) error
}

// Size is how large the business is.
type Size struct {
	Days       int // at least 3; the last one is today, as far as it has come
	Affiliates int // at least 20
	Clicks     int // in all days, if today were over
	Orders     int // that come by clicks, paid or not, in the same time
}

// Whole is the business that serve --demo shows.
func Whole() Size { return Size{Days: 90, Affiliates: 200, Clicks: 300_000, Orders: 4_000} }

// Small is enough for every kind of thing to be there, for tests.
func Small() Size { return Size{Days: 35, Affiliates: 40, Clicks: 6_000, Orders: 250} }

// Options are what Make needs. Nothing else may use the database meanwhile.
type Options struct {
	DB        *db.DB // with this version's schema
	Ring      *secret.Ring
	Keys      *click.Keyring // of Click IDs
	Analytics Analytics      // empty
	Bucket    *blob.Bucket   // of documents
	Passwords *password.Hasher
	Now       func() time.Time
	Logger    *slog.Logger                    // default: none
	Progress  func(part float64, what string) // told now and then, part from 0 to 1; default: nobody
	Size      Size                            // default: Whole()

	// How the core is set up that will run on the data.
	URL, Site, ReturnURL string // where the pages are, the name of the business, and where buyers return to
	Seller               shop.Seller
	Invoices             invoice.Options // numbers and seller
	Policy               payout.Policy
	Payer                string
	Required             map[string][]string // documents by country

	AdminToken string // empty: one is made
	Password   string // of all people
	Factor     string // secret of the second factor of all who have one, base32
}

func (o *Options) now() time.Time { return o.Now().Truncate(time.Millisecond).UTC() }

func (o *Options) progress(part float64, what string) {
	if o.Progress != nil {
		o.Progress(part, what)
	}
}

// Result is what was made, for those who look at it.
type Result struct {
	AdminToken, ReportsToken string
	PostbackSecret           string // of the program of the business's own courses
	Affiliates, Links        int
	Clicks, Leads            int
	Orders, Paid             int
	Refunds, Disputes        int // through the shop
	Outside                  int // sales of partners
	Payouts                  int
}

// Make makes the demo in an empty database. The same size gives the same business at the same time of the day, but for
// identifiers and dates. Errors: ErrForeign, ErrHalf; after any other, and when ctx ends, the database is of no use.
func Make(ctx context.Context, o Options) (Result, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Size == (Size{}) {
		o.Size = Whole()
	}
	if reason := password.Check(o.Password, ""); reason != "" {
		return Result{}, errors.New("the password of the demo " + reason)
	}
	if err := begin(ctx, o.DB); err != nil {
		return Result{}, err
	}
	w := &world{o: &o, slugs: map[string]int{}, buyerAt: map[string]*buyer{}, byID: map[int64]*affiliate{}, fates: random("fates", 0)}
	if err := w.fill(ctx); err != nil {
		return Result{}, fmt.Errorf("make demo data: %w", err)
	}
	return w.result, finish(ctx, o.DB)
}

// fill makes the world.
func (w *world) fill(ctx context.Context) (err error) {
	w.start = firstDay(w.o.now(), w.o.Size.Days)
	c := &clock{now: w.day(-1)}
	w.agenda = &agenda{clock: c, end: w.o.now()}
	if w.services, err = newServices(ctx, w.o, c); err != nil {
		return err
	}
	keys := Keys{FactorSecret: w.o.Factor}
	if keys.PasswordHash, err = w.o.Passwords.Hash(ctx, w.o.Password); err != nil {
		return err
	}
	crowd, err := newCrowd()
	if err != nil {
		return err
	}
	w.o.progress(0, "people, courses and terms")
	if err := w.prepare(ctx, keys); err != nil {
		return err
	}
	if err := w.walk(ctx, crowd); err != nil {
		return err
	}
	w.o.progress(0.96, "books")
	if err := w.close(ctx); err != nil {
		return err
	}
	w.result.Affiliates, w.result.Links = len(w.affiliates), len(w.links)
	w.o.progress(1, "done")
	return nil
}

// close does what is left to do, and has the books checked.
func (w *world) close(ctx context.Context) error {
	for _, step := range []func(context.Context) error{w.flush, w.tidy, w.report} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	found, err := w.books.Verify(ctx)
	if err != nil {
		return err
	}
	if found.Break != nil {
		return fmt.Errorf("BUG: the ledger does not hold: %s: %s", found.Break.Check, found.Break.Detail)
	}
	return nil
}

// makeTokens makes the tokens of machines.
func (w *world) makeTokens(ctx context.Context) (err error) {
	if w.result.AdminToken, _, err = w.tokens.EnsureAdmin(ctx, w.o.AdminToken); err != nil {
		return err
	}
	if _, w.result.ReportsToken, err = w.tokens.Create(ctx, "demo: reports only", []access.Scope{access.ReportsRead}); err != nil {
		return err
	}
	w.result.PostbackSecret = w.academy.Secret
	return nil
}

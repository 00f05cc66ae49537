package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"github.com/edgeref/edgeref/config"
	"github.com/edgeref/edgeref/core/account"
	"github.com/edgeref/edgeref/core/account/oauth"
	"github.com/edgeref/edgeref/core/account/pages"
	"github.com/edgeref/edgeref/core/account/password"
	"github.com/edgeref/edgeref/core/api"
	"github.com/edgeref/edgeref/core/catalog"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/newid"
	"github.com/edgeref/edgeref/core/shop"
	"github.com/edgeref/edgeref/core/web"
)

// embeddedOwner is who the first owner of a serve without configuration signs in as, until he changes it.
const embeddedOwner = "owner@edgeref.localhost"

// accountPart is people and their sign-ins, as far as others need them.
type accountPart struct {
	people *account.Service
	oauth  *oauth.Service
	pages  *pages.Pages
	// ownerLink opens the page on which the first owner chooses a password; empty but on the start that made it.
	ownerLink string
}

// startAccounts starts what people sign in with. The address of the core is known by now.
func (e *environment) startAccounts(ctx context.Context, database *db.DB, ids *newid.Generator, guards *accessPart, links *catalog.Catalog, orders *shop.Service,
	paying *payoutPart, proxies []netip.Prefix, settings written) (*accountPart, error) {
	c, log := e.config.Account, e.log.With("part", "accounts")
	// The library of the protocol tells the default logger of each request that it refuses, which anybody can cause.
	slog.SetDefault(slog.New(slog.DiscardHandler))
	p := &accountPart{}
	p.people = account.New(account.Options{
		DB: database, IDs: ids, Now: time.Now, Logger: log, Registerer: e.registry, Ring: guards.ring, Mail: guards.mail, Audit: guards.audit, Affiliates: links,
		URL: e.publicURL, Site: e.config.Mail.Site, Passwords: hasher(c, e.registry),
		Erasers:   []account.Eraser{affiliateRecords{links}, orderRecords{orders}, payoutRecords{paying}},
		Exporters: []account.Exporter{affiliateRecords{links}, orderRecords{orders}, payoutRecords{paying}, documentRecords{paying}},
	})
	address := func(r *http.Request) netip.Addr { return api.ClientAddress(r, proxies) }
	redirects, signOut := c.WebRedirects, c.WebSignOut
	if len(redirects) == 0 {
		redirects = []string{e.publicURL + "/app/callback"}
	}
	if len(signOut) == 0 {
		signOut = []string{e.publicURL + "/app/"}
	}
	var err error
	p.oauth, err = oauth.New(oauth.Options{
		DB: database, IDs: ids, Now: time.Now, Logger: log, Registerer: e.registry, Accounts: p.people, Ring: guards.ring, Audit: guards.audit,
		Issuer: e.publicURL, WebRedirects: redirects, WebSignOut: signOut, Address: address,
	})
	if err != nil {
		return nil, err
	}
	p.pages, err = pages.New(pages.Options{
		Accounts: p.people, OAuth: p.oauth, Secure: strings.HasPrefix(e.publicURL, "https://"), Site: e.config.Mail.Site, Home: cmp.Or(c.Home, web.Prefix), Brand: settings.brand, Demo: e.demo,
		Address: address, Now: time.Now, Logger: log, Registerer: e.registry,
	})
	if err != nil {
		return nil, err
	}
	if err := p.ensureOwner(ctx, c.Owner, e.embedded); err != nil {
		return nil, err
	}
	return p, nil
}

// run does what strangers asked for, and forgets what has expired, in the background.
func (p *accountPart) run(of *parts) {
	of.background("account requests", p.people.Run)
	of.background("expired tokens", p.oauth.Run)
}

func hasher(c config.Account, reg prometheus.Registerer) *password.Hasher {
	params := password.Default()
	params.Memory = uint32(c.HashMemory >> 10) // KiB; validated
	return password.New(password.Options{Params: params, Concurrent: c.HashesAtOnce, Registerer: reg})
}

// ensureOwner makes the link of the first owner, once in the life of a database.
func (p *accountPart) ensureOwner(ctx context.Context, email string, embedded bool) (err error) {
	if email == "" && embedded {
		email = embeddedOwner
	}
	if email == "" {
		return nil
	}
	link, created, err := p.people.EnsureOwner(ctx, email)
	if created {
		p.ownerLink = link
	}
	return err
}

// module is the accounts' part of the API.
func (p *accountPart) modules() []api.Module {
	return []api.Module{api.Accounts(p.people), api.OAuth(p.oauth)}
}

// authenticator takes people's access tokens, and machines' tokens as machines does.
func (p *accountPart) scheme() api.Scheme {
	return api.Scheme{Prefix: oauth.AccessPrefix, Authenticator: p.oauth}
}

// handle puts the pages and the protocol beside the API.
func (p *accountPart) handle(mux *http.ServeMux) {
	protocol := p.oauth.Handler()
	mux.Handle("/account/", p.pages)
	mux.Handle("/oauth/", protocol)
	mux.Handle("/.well-known/openid-configuration", protocol)
}

// affiliateRecords lets accounts forget and show what the catalogue keeps about a person.
type affiliateRecords struct{ links *catalog.Catalog }

func (affiliateRecords) Part() string { return catalog.Part }

func (a affiliateRecords) Erase(ctx context.Context, tx *db.Tx, s account.Subject) error {
	if s.AffiliateID == 0 {
		return nil
	}
	return a.links.EraseAffiliate(ctx, tx, s.AffiliateID, s.Pseudonym, s.PseudonymEmail)
}

func (a affiliateRecords) Export(ctx context.Context, s account.Subject) (any, error) {
	if s.AffiliateID == 0 {
		return nil, nil
	}
	return a.links.ExportAffiliate(ctx, s.AffiliateID)
}

// orderRecords lets accounts forget who orders were for, and tell people of theirs.
type orderRecords struct{ orders *shop.Service }

func (orderRecords) Part() string { return "orders" }

func (o orderRecords) Erase(ctx context.Context, tx *db.Tx, s account.Subject) error {
	_, err := o.orders.EraseContact(ctx, tx, s.Email)
	return err
}

func (o orderRecords) Export(ctx context.Context, s account.Subject) (any, error) {
	return o.orders.ExportContact(ctx, s.Email)
}

// payoutRecords lets accounts show and forget where an affiliate is paid.
type payoutRecords struct{ paying *payoutPart }

func (payoutRecords) Part() string { return "payouts" }

func (p payoutRecords) Erase(ctx context.Context, tx *db.Tx, s account.Subject) error {
	if s.AffiliateID == 0 {
		return nil
	}
	return p.paying.payouts.EraseAffiliate(ctx, tx, s.AffiliateID)
}

func (p payoutRecords) Export(ctx context.Context, s account.Subject) (any, error) {
	if s.AffiliateID == 0 {
		return nil, nil
	}
	return p.paying.payouts.ExportAffiliate(ctx, s.AffiliateID)
}

// documentRecords lets accounts show by which documents an affiliate is known. They are not forgotten with the person:
// who was paid must stay known for as long as the law says.
type documentRecords struct{ paying *payoutPart }

func (documentRecords) Part() string { return "documents" }

func (d documentRecords) Export(ctx context.Context, s account.Subject) (any, error) {
	if s.AffiliateID == 0 {
		return nil, nil
	}
	return d.paying.documents.ExportAffiliate(ctx, s.AffiliateID)
}

// inviteOwnerCommand makes an owner from the machine: for who lost the first link, or the last owner.
func (p *program) inviteOwnerCommand() *cobra.Command {
	var email, name string
	cmd := p.role(config.Any, "invite-owner", "Print a link by which somebody becomes an owner; it is good for a week",
		func(ctx context.Context, c *config.Config, log *slog.Logger) error {
			return p.inviteOwner(ctx, c, log, email, name)
		})
	cmd.Flags().StringVar(&email, "email", "", "address to sign in with; must be nobody's yet")
	cmd.Flags().StringVar(&name, "name", "Owner", "name of the person")
	return cmd
}

func (p *program) inviteOwner(ctx context.Context, c *config.Config, log *slog.Logger, email, name string) error {
	if email == "" {
		return fmt.Errorf("--email is needed: the address that the owner signs in with")
	}
	if err := fillSecrets(c, false); err != nil {
		return err
	}
	database, err := openBooks(ctx, c, log)
	if err != nil {
		return err
	}
	defer database.Close()
	e := &environment{config: c, log: log, registry: prometheus.NewRegistry(), parts: &parts{log: log}, publicURL: c.Core.PublicURL}
	if e.publicURL == "" {
		e.publicURL = "http://" + c.Core.Listen
	}
	ids := newid.New(time.Now)
	guards, err := e.startAccess(ctx, database, ids)
	if err != nil {
		return err
	}
	defer func() { _ = e.parts.stop() }()
	people := account.New(account.Options{
		DB: database, IDs: ids, Now: time.Now, Logger: log, Ring: guards.ring, Mail: guards.mail, Audit: guards.audit, URL: e.publicURL, Passwords: hasher(c.Account, nil),
	})
	link, err := people.InviteOwner(ctx, email, name)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "%s\n", link)
	return nil
}

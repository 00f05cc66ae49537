package demo

import (
	"context"

	"github.com/edgeref/edgeref/core/account"
	"github.com/edgeref/edgeref/core/attribution"
	"github.com/edgeref/edgeref/core/audit"
	"github.com/edgeref/edgeref/core/catalog"
	"github.com/edgeref/edgeref/core/commission"
	"github.com/edgeref/edgeref/core/conversion"
	"github.com/edgeref/edgeref/core/invoice"
	"github.com/edgeref/edgeref/core/kyc"
	"github.com/edgeref/edgeref/core/ledger"
	"github.com/edgeref/edgeref/core/mail"
	"github.com/edgeref/edgeref/core/material"
	"github.com/edgeref/edgeref/core/newid"
	"github.com/edgeref/edgeref/core/outbox"
	"github.com/edgeref/edgeref/core/payment"
	"github.com/edgeref/edgeref/core/payment/sandbox"
	"github.com/edgeref/edgeref/core/payout"
	"github.com/edgeref/edgeref/core/shop"
	"github.com/edgeref/edgeref/core/site"
	"github.com/edgeref/edgeref/core/tax"
	"github.com/edgeref/edgeref/core/token"
	"github.com/edgeref/edgeref/core/webhook"
)

// services are the domains of the core, as a core has them, with the demo's clock and without what runs by itself.
type services struct {
	audit       *audit.Log
	catalog     *catalog.Catalog
	people      *account.Service
	hooks       *webhook.Service
	books       *ledger.Ledger
	sealer      *ledger.Sealer
	commissions *commission.Service
	facts       *outbox.Outbox
	conversions *conversion.Service
	play        *sandbox.Gateway
	payments    *payment.Service
	shop        *shop.Service
	payouts     *payout.Service
	documents   *kyc.Service
	taxes       *tax.Service
	tokens      *token.Store
	site        *site.Service
	materials   *material.Service
}

func newServices(ctx context.Context, o *Options, clock *clock) (*services, error) {
	now, d, log := clock.Now, o.DB, o.Logger
	ids := newid.New(now)
	s := &services{
		audit: audit.New(audit.Options{DB: d, IDs: ids}), tokens: token.New(token.Options{DB: d, IDs: ids, Logger: log, Now: now}),
		hooks:  webhook.New(webhook.Options{DB: d, Ring: o.Ring, IDs: ids, Now: now, Logger: log, Workers: 64, Wrap: Receivers}),
		sealer: ledger.NewSealer(ledger.SealerOptions{DB: d, Now: now, Logger: log}),
		books:  ledger.New(ledger.Options{DB: d, IDs: ids, Now: now, Reconcile: payout.Reconcile}),
		facts:  outbox.New(outbox.Options{DB: d, IDs: ids, Sink: o.Analytics, Now: now, Logger: log, Batch: factsPerBatch}),
	}
	s.site = site.New(site.Options{DB: d, IDs: ids, Bucket: o.Bucket, Audit: s.audit, Now: now, Logger: log})
	s.materials = material.New(material.Options{DB: d, IDs: ids, Audit: s.audit, Now: now})
	s.taxes = tax.New(tax.Options{DB: d, IDs: ids, Audit: s.audit, Now: now})
	var err error
	if s.catalog, err = catalog.New(ctx, catalog.Options{DB: d, IDs: ids, Logger: log, Now: now}); err != nil {
		return nil, err
	}
	letters, err := mail.New(mail.Options{DB: d, IDs: ids, Now: now, Ring: o.Ring, Site: o.Site, Logger: log})
	if err != nil {
		return nil, err
	}
	s.people = account.New(account.Options{
		DB: d, IDs: ids, Now: now, Logger: log, Ring: o.Ring, Mail: letters, Audit: s.audit, Affiliates: s.catalog, URL: o.URL, Site: o.Site, Passwords: o.Passwords,
	})
	s.commissions = commission.New(commission.Options{DB: d, IDs: ids, Ledger: s.books, Announcer: s.hooks, Now: now, Logger: log})
	s.conversions, err = conversion.New(conversion.Options{
		DB: d, IDs: ids, Keys: o.Keys, Commissions: s.commissions, Outbox: s.facts, Announcer: s.hooks, Auditor: s.audit, Now: now, Logger: log,
	})
	if err != nil {
		return nil, err
	}
	if err := s.openShop(o, clock, ids, letters); err != nil {
		return nil, err
	}
	s.openPayouts(o, clock, ids, letters)
	return s, nil
}

func (s *services) openShop(o *Options, clock *clock, ids *newid.Generator, letters *mail.Service) (err error) {
	now, d, log := clock.Now, o.DB, o.Logger
	if s.play, err = sandbox.New(sandbox.Options{DB: d, IDs: ids, Now: now, PublicURL: o.URL, Logger: log}); err != nil {
		return err
	}
	s.payments = payment.New(payment.Options{
		DB: d, IDs: ids, Now: now, Gateways: map[string]payment.Gateway{sandbox.Name: s.play}, PublicURL: o.URL, Auditor: s.audit, Logger: log,
	})
	s.play.SetWebhooks(s.payments.Handler())
	bills := o.Invoices
	bills.DB, bills.IDs, bills.Now = d, ids, now
	s.shop, err = shop.New(shop.Options{
		DB: d, IDs: ids, Attribution: attribution.New(attribution.Options{Keys: o.Keys}), Conversions: s.conversions, Invoices: invoice.New(bills),
		Audit: s.audit, Mail: letters, Seller: o.Seller, ReturnURL: o.ReturnURL, Now: now, Logger: log,
	})
	if err != nil {
		return err
	}
	s.shop.UseGateways(s.payments)
	s.payments.Serve(s.shop)
	return nil
}

func (s *services) openPayouts(o *Options, clock *clock, ids *newid.Generator, letters *mail.Service) {
	now, d, log := clock.Now, o.DB, o.Logger
	s.documents = kyc.New(kyc.Options{DB: d, IDs: ids, Bucket: o.Bucket, Ring: o.Ring, Audit: s.audit, Required: o.Required, Now: now, Logger: log})
	guard := ledger.NewGuard(ledger.GuardOptions{Verify: s.books.VerifyFrom, Now: now, Logger: log})
	s.payouts = payout.New(payout.Options{
		DB: d, IDs: ids, Ledger: s.books, Commissions: s.commissions, Guard: guard, Ring: o.Ring, Audit: s.audit, Mail: letters, Documents: s.documents,
		Executors: payout.Offline(), Policy: o.Policy, Payer: o.Payer, Now: now, Logger: log,
	})
}

package main

import (
	"cmp"
	"context"
	"html/template"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/edgeref/edgeref/core/account/pages"
	"github.com/edgeref/edgeref/core/api"
	"github.com/edgeref/edgeref/core/shop"
	"github.com/edgeref/edgeref/core/site"
	public "github.com/edgeref/edgeref/core/web/site"
)

// startPublic serves the pages that everybody may see.
func (e *environment) startPublic(settings *site.Service, sales *shopPart, proxies []netip.Prefix) error {
	c := e.config.Shop
	zone, err := time.LoadLocation(c.Invoice.Zone)
	if err != nil {
		return err
	}
	pages, err := public.New(public.Options{
		Shop: sales.shop, Invoices: sales.invoices, Payments: sales.payments, Content: written{settings, e.config.Mail.Site}, Markdown: settings.Markdown().HTML,
		Picture:  func(p shop.Product) string { return site.PathOf(p.Image) },
		Seller:   public.Seller{Name: c.Seller.Name, Address: strings.ReplaceAll(c.Seller.Address, "|", "\n"), Country: c.Seller.Country, TaxID: c.Seller.TaxID, Email: c.Seller.Email},
		Currency: c.Currency, Zone: zone, URL: e.publicURL, CookieName: e.config.Tracker.CookieName, Demo: e.demo,
		Address: func(r *http.Request) netip.Addr { return api.ClientAddress(r, proxies) }, Now: time.Now, Logger: e.log.With("part", "site"), Registerer: e.registry,
	})
	if err != nil {
		return err
	}
	for _, path := range pages.Paths() {
		e.route(path, pages)
	}
	e.fallback = pages.Fallback
	return nil
}

// written is what the owner has saved, as the public pages want it.
type written struct {
	settings *site.Service
	name     string // until he has saved
}

// Content implements the public pages' writer.
func (a written) Content(ctx context.Context) (public.Content, error) {
	s, err := a.settings.Get(ctx)
	if err != nil {
		return public.Content{}, err
	}
	c := public.Content{
		Name: s.Name, Headline: s.Headline, Text: s.HTML.Text, Hero: site.PathOf(s.HeroImage), Featured: s.Featured, SupportEmail: s.SupportEmail, Accent: s.Accent,
		Locale: s.Locale, Revision: s.Revision, UpdatedAt: s.UpdatedAt,
		Legal: map[string]template.HTML{"terms": s.HTML.Terms, "privacy": s.HTML.Privacy, "refunds": s.HTML.Refund, "contact": s.HTML.Contact},
	}
	if s.Revision == 0 {
		c.Accent = ""
		if a.name != "" {
			c.Name = a.name
		}
	}
	return c, nil
}

// brand is what pages beside the public ones say that they belong to.
func (a written) brand(ctx context.Context) pages.Brand {
	c, err := a.Content(ctx)
	if err != nil {
		return pages.Brand{Name: cmp.Or(a.name, "Edgeref")} // the pages of sign-in work without
	}
	return pages.Brand{Name: c.Name, Accent: c.Accent, Locale: c.Locale}
}

package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/edgeref/edgeref/config"
	"github.com/edgeref/edgeref/core/account"
	"github.com/edgeref/edgeref/core/api"
	"github.com/edgeref/edgeref/core/attribution"
	"github.com/edgeref/edgeref/core/conversion"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/invoice"
	"github.com/edgeref/edgeref/core/newid"
	"github.com/edgeref/edgeref/core/payment"
	"github.com/edgeref/edgeref/core/shop"
	"github.com/edgeref/edgeref/wire/click"
)

// shopPart is the running shop, as far as others need it.
type shopPart struct {
	shop     *shop.Service
	database *db.DB
	invoices *invoice.Service
	payments *payment.Service
}

// startShop makes the shop, joins it with its payments, and starts what lets unpaid orders expire.
func (e *environment) startShop(
	database *db.DB, ids *newid.Generator, keys *click.Keyring, conversions *conversion.Service, payments *payment.Service, guards *accessPart,
) (*shopPart, error) {
	c := &e.config.Shop
	bills, err := invoices(c)
	if err != nil {
		return nil, err
	}
	bills.DB, bills.IDs, bills.Now = database, ids, time.Now
	p := &shopPart{database: database, payments: payments, invoices: invoice.New(bills)}
	p.shop, err = shop.New(shop.Options{
		DB: database, IDs: ids, Attribution: attribution.New(attribution.Options{Keys: keys}), Conversions: conversions, Invoices: p.invoices,
		Audit: guards.audit, Mail: guards.mail, Seller: seller(c), Currency: c.Currency, OrderTTL: c.OrderTTL, ReturnURL: e.returnURL(), Now: time.Now, Logger: e.log.With("part", "shop"), Registerer: e.registry,
	})
	if err != nil {
		return nil, err
	}
	p.shop.UseGateways(payments)
	payments.Serve(p.shop)
	e.parts.background("orders that expire", p.shop.Run)
	return p, nil
}

// seller is the business, as far as tax goes.
func seller(c *config.Shop) shop.Seller {
	return shop.Seller{Country: c.Seller.Country, State: c.Seller.State, TaxID: c.Seller.TaxID}
}

// invoices say how documents are numbered and whose they are.
func invoices(c *config.Shop) (invoice.Options, error) {
	zone, err := time.LoadLocation(c.Invoice.Zone)
	return invoice.Options{
		Zone: zone, YearStart: time.Month(c.Invoice.YearStart), Prefix: c.Invoice.Prefix, CreditPrefix: c.Invoice.CreditPrefix,
		Seller: invoice.Party{
			Name: c.Seller.Name, Address: strings.ReplaceAll(c.Seller.Address, "|", "\n"), Country: c.Seller.Country, Region: c.Seller.State,
			TaxID: c.Seller.TaxID, Email: c.Seller.Email,
		},
	}, err
}

// returnURL is where buyers return to from the gateways.
func (e *environment) returnURL() string {
	if e.config.Shop.ReturnURL != "" {
		return e.config.Shop.ReturnURL
	}
	return e.publicURL + "/thank-you/{token}"
}

// module is the shop's part of the API.
func (p *shopPart) module(e *environment) api.Module {
	return api.Shop(api.ShopOptions{Shop: p.shop, Invoices: p.invoices, Payments: p.payments, CookieName: e.config.Tracker.CookieName, Addresses: buyers{p.database}})
}

// buyers are the people of the accounts, as the shop knows them: by their address.
type buyers struct{ database *db.DB }

// VerifiedEmail is the address of a person who may sign in. Nobody becomes a person before the address was verified.
func (b buyers) VerifiedEmail(ctx context.Context, personID int64) (string, error) {
	p, err := account.ReadPerson(ctx, b.database, personID)
	if errors.Is(err, account.ErrNotFound) || err == nil && p.Status != account.Active {
		return "", nil
	}
	return p.Email, err
}

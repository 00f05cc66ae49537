package main

import (
	"context"
	"fmt"
	"time"

	"github.com/edgeref/edgeref/core/audit"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/demo"
	"github.com/edgeref/edgeref/core/mail"
	"github.com/edgeref/edgeref/core/newid"
	"github.com/edgeref/edgeref/core/secret"
	"github.com/edgeref/edgeref/core/site"
	"github.com/edgeref/edgeref/core/webhook"
)

// accessPart is what every domain of the core needs beside its database.
type accessPart struct {
	ring  *secret.Ring
	audit *audit.Log
	mail  *mail.Service
}

// startAccess makes the keys, the audit log and the mail of a core.
func (e *environment) startAccess(ctx context.Context, database *db.DB, ids *newid.Generator) (*accessPart, error) {
	ring, err := secret.NewRing(e.config.Core.EncryptionKeys)
	if err != nil {
		return nil, err
	}
	if err := ring.Prove(ctx, database); err != nil {
		return nil, err
	}
	letters, err := e.startMail(database, ids, ring)
	if err != nil {
		return nil, err
	}
	return &accessPart{
		ring: ring, mail: letters, audit: audit.New(audit.Options{DB: database, IDs: ids, Registerer: e.registry}),
	}, nil
}

// startMail starts what sends mail, to a server or, where none is configured, to the local mailbox.
func (e *environment) startMail(database *db.DB, ids *newid.Generator, ring *secret.Ring) (*mail.Service, error) {
	c, log := e.config.Mail, e.log.With("part", "mail")
	zone, err := time.LoadLocation(e.config.Shop.Invoice.Zone)
	if err != nil {
		return nil, fmt.Errorf("shop.invoice.zone: %w", err)
	}
	opts := mail.Options{
		DB: database, IDs: ids, Now: time.Now, Ring: ring, Site: c.Site, Zone: zone, Logger: log, Registerer: e.registry,
		// Nobody has chosen a language of his own yet: everybody is written to in that of the business.
		Locale: func(ctx context.Context, q db.Querier, _ string) (string, error) { return site.Locale(ctx, q) },
	}
	if c.SMTP != "" {
		server, err := mail.NewSMTP(mail.SMTPOptions{
			Addr: c.SMTP, TLS: c.TLS, Username: c.Username, Password: c.Password, Auth: c.Auth, From: c.From, Timeout: c.Timeout,
		})
		if err != nil {
			return nil, err
		}
		opts.Sender = server
	}
	letters, err := mail.New(opts)
	if err != nil {
		return nil, err
	}
	e.parts.background("mail", func(ctx context.Context) { logEnd(log, "mail", letters.Run(ctx)) })
	return letters, nil
}

// startWebhooks makes the webhooks of a core; they are delivered once the core runs.
func (e *environment) startWebhooks(ctx context.Context, database *db.DB, ids *newid.Generator, ring *secret.Ring) (*webhook.Service, error) {
	c, log := e.config.Webhooks, e.log.With("part", "core")
	if c.AllowHTTP || c.AllowLoopback {
		log.Warn("webhooks may go to addresses that nobody should be able to name: this is for tests and demonstrations only",
			"webhooks.allow_http", c.AllowHTTP, "webhooks.allow_loopback", c.AllowLoopback)
	}
	opts := webhook.Options{
		DB: database, Ring: ring, IDs: ids, Now: time.Now, Logger: log, Registerer: e.registry, AllowHTTP: c.AllowHTTP, AllowLoopback: c.AllowLoopback,
	}
	if e.demo {
		opts.Wrap = demo.Receivers
	}
	hooks := webhook.New(opts)
	if n, err := hooks.Reseal(ctx); err != nil {
		return nil, err
	} else if n > 0 {
		log.Info("secrets of webhooks sealed with the newest encryption key", "webhooks", n)
	}
	return hooks, nil
}

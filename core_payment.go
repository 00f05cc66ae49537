package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"github.com/edgeref/edgeref/config"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/newid"
	"github.com/edgeref/edgeref/core/payment"
	"github.com/edgeref/edgeref/core/payment/razorpay"
	"github.com/edgeref/edgeref/core/payment/sandbox"
	"github.com/edgeref/edgeref/core/payment/stripe"
)

// gateways are the payment gateways that the configuration sets up. The sandbox, where it is on, is given apart: it has
// a page, and webhooks of its own to send.
func (e *environment) gateways(database *db.DB, ids *newid.Generator) (map[string]payment.Gateway, *sandbox.Gateway, error) {
	out := map[string]payment.Gateway{}
	if c := e.config.Razorpay; c.KeyID != "" {
		out[razorpay.Name] = razorpay.New(razorpay.Options{
			KeyID: c.KeyID, KeySecret: c.KeySecret, WebhookSecrets: c.WebhookSecrets, AccountID: c.AccountID, MerchantName: c.MerchantName, URL: c.URL,
		})
	}
	if c := e.config.Stripe; c.SecretKey != "" {
		out[stripe.Name] = stripe.New(stripe.Options{SecretKey: c.SecretKey, WebhookSecrets: c.WebhookSecrets, URL: c.URL, Now: time.Now})
	}
	if !e.config.PlaysGateway(e.role) {
		return out, nil, nil
	}
	play, err := sandbox.New(sandbox.Options{DB: database, IDs: ids, Now: time.Now, PublicURL: e.publicURL, Logger: e.log.With("part", "sandbox")})
	if err != nil {
		return nil, nil, err
	}
	out[sandbox.Name] = play
	return out, play, nil
}

// startPayments makes the payment service and what it serves. The shop is named with Serve before runPayments.
func (e *environment) startPayments(database *db.DB, ids *newid.Generator, guards *accessPart) (*payment.Service, error) {
	gateways, play, err := e.gateways(database, ids)
	if err != nil {
		return nil, err
	}
	log := e.log.With("part", "payments")
	s := payment.New(payment.Options{
		DB: database, IDs: ids, Now: time.Now, Gateways: gateways, PublicURL: e.publicURL, Auditor: guards.audit, Logger: log, Registerer: e.registry,
	})
	e.route(payment.WebhookPath, s.Handler())
	e.route(payment.ReturnPath, s.Handler())
	if play != nil {
		log.Warn("the sandbox payment gateway is on: whoever buys can say that he has paid; core.sandbox=false switches it off")
		play.SetWebhooks(s.Handler())
		e.route(sandbox.PagePath, play.Handler())
		e.parts.background("sandbox payments", func(ctx context.Context) { logEnd(log, "sandbox payments", play.Run(ctx)) })
	}
	return s, nil
}

// runPayments does the work behind payments.
func (e *environment) runPayments(s *payment.Service) {
	e.parts.background("payments", func(ctx context.Context) { logEnd(e.log, "payments", s.Run(ctx)) })
}

// paymentCommands are what can be done with payments from outside.
func (p *program) paymentCommands() []*cobra.Command {
	var gateway, from, to string
	compare := p.role(config.Any, "reconcile-payments", "Compare payments and refunds with a gateway's list; exit 0 where they agree",
		func(ctx context.Context, c *config.Config, log *slog.Logger) error {
			return p.reconcilePayments(ctx, c, log, gateway, from, to)
		})
	compare.Flags().StringVar(&gateway, "gateway", "", "razorpay, stripe or sandbox")
	compare.Flags().StringVar(&from, "from", "", "what was paid on this day (UTC) or at this time (RFC 3339) or later; default: the day before yesterday")
	compare.Flags().StringVar(&to, "to", "", "what was paid before this day (UTC) or time; default: today")
	return []*cobra.Command{compare}
}

// reconcilePayments prints each difference on a line of its own, and fails where there are any. The result is stored.
func (p *program) reconcilePayments(ctx context.Context, c *config.Config, log *slog.Logger, gateway, from, to string) error {
	start, err := parseMoment("--from", from)
	if err != nil {
		return err
	}
	end, err := parseMoment("--to", to)
	if err != nil {
		return err
	}
	today := time.Now().UTC().Truncate(24 * time.Hour)
	if end.IsZero() {
		end = today
	}
	if start.IsZero() {
		start = today.AddDate(0, 0, -2)
	}
	database, err := openBooks(ctx, c, log)
	if err != nil {
		return err
	}
	defer database.Close()
	e := &environment{config: c, log: log, registry: prometheus.NewRegistry(), role: config.Serve}
	ids := newid.New(time.Now)
	gateways, _, err := e.gateways(database, ids)
	if err != nil {
		return err
	}
	s := payment.New(payment.Options{DB: database, IDs: ids, Now: time.Now, Gateways: gateways, Logger: log})
	if gateway == "" {
		return fmt.Errorf("--gateway: which one? there are %v", s.Gateways())
	}
	found, err := s.Reconcile(ctx, gateway, start.UnixMilli(), end.UnixMilli())
	if err != nil {
		return fmt.Errorf("reconcile payments: %w", err)
	}
	for _, d := range found.Differences {
		fmt.Fprintln(p.stdout, d)
	}
	if found.Count > 0 {
		return fmt.Errorf("%d differences between us and %s in %d payments and %d refunds of it: docs/payments.md says what each means", found.Count, gateway, found.Payments, found.Refunds)
	}
	fmt.Fprintf(p.stdout, "%s agrees: %d payments, %d refunds\n", gateway, found.Payments, found.Refunds)
	return nil
}

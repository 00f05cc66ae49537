package main

import (
	"context"
	"fmt"
	"time"

	"gocloud.dev/blob"

	"github.com/edgeref/edgeref/config"
	"github.com/edgeref/edgeref/core/api"
	"github.com/edgeref/edgeref/core/commission"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/kyc"
	"github.com/edgeref/edgeref/core/ledger"
	"github.com/edgeref/edgeref/core/newid"
	"github.com/edgeref/edgeref/core/payout"
	"github.com/edgeref/edgeref/core/payout/razorpayx"
	"github.com/edgeref/edgeref/core/tax"
)

// payoutPart is what pays affiliates, as far as others need it.
type payoutPart struct {
	payouts   *payout.Service
	documents *kyc.Service
	modules   []api.Module
}

// startPayouts makes what pays affiliates. Its worker runs in the background.
func (e *environment) startPayouts(ctx context.Context, database *db.DB, ids *newid.Generator, guards *accessPart, books *ledger.Ledger, commissions *commission.Service, bucket *blob.Bucket) (*payoutPart, error) {
	log := e.log.With("part", "payouts")
	policy, err := payoutPolicy(e.config)
	if err != nil {
		return nil, err
	}
	guard := ledger.NewGuard(ledger.GuardOptions{Verify: books.VerifyFrom, Now: time.Now, Logger: log, Registerer: e.registry})
	required, err := config.Required(e.config.Payout.KYCRequired)
	if err != nil {
		return nil, fmt.Errorf("payout.kyc_required: %w", err)
	}
	documents := kyc.New(kyc.Options{
		DB: database, IDs: ids, Bucket: bucket, Ring: guards.ring, Audit: guards.audit, Required: required, MaxBytes: int64(e.config.KYC.MaxBytes),
		LinkFor: e.config.KYC.LinkFor, Now: time.Now, Logger: log, Registerer: e.registry,
	})
	zone, err := time.LoadLocation(e.config.Shop.Invoice.Zone)
	if err != nil {
		return nil, fmt.Errorf("shop.invoice.zone: %w", err)
	}
	executors := payout.Offline()
	var provider *razorpayx.Client
	if x := e.config.RazorpayX; x.KeyID != "" {
		provider = razorpayx.New(razorpayx.Options{
			URL: x.URL, KeyID: x.KeyID, KeySecret: x.KeySecret, AccountNumber: x.AccountNumber, WebhookSecret: x.WebhookSecret,
		})
		executors[razorpayx.Name] = provider
	}
	payouts := payout.New(payout.Options{
		DB: database, IDs: ids, Ledger: books, Commissions: commissions, Guard: guard, Ring: guards.ring, Audit: guards.audit, Mail: guards.mail, Documents: documents,
		Executors: executors, Policy: policy, Payer: e.config.Payout.Payer, Zone: zone, Now: time.Now, Logger: log, Registerer: e.registry,
	})
	// What older encryption keys sealed is sealed anew, so that they can be taken away.
	resealed, err := payouts.Reseal(ctx)
	if err != nil {
		return nil, fmt.Errorf("seal payout methods with the newest encryption key: %w", err)
	}
	if resealed > 0 {
		log.Info("payout methods and tax identities are sealed with the newest encryption key", "changed", resealed)
	}
	rules := tax.New(tax.Options{DB: database, IDs: ids, Audit: guards.audit, Now: time.Now})
	e.parts.background("payouts", func(ctx context.Context) { logEnd(log, "payouts", payouts.Run(ctx)) })
	modules := []api.Module{api.Payouts(payouts), api.Statements(payouts), api.TaxRules(rules), api.KYC(documents)}
	if provider != nil {
		modules = append(modules, api.PayoutNotices(payouts, provider))
	}
	return &payoutPart{payouts, documents, modules}, nil
}

func payoutPolicy(c *config.Config) (p payout.Policy, err error) {
	for _, list := range []struct {
		into *map[string]int64
		from []string
	}{
		{&p.Minimum, c.Payout.Minimum}, {&p.Floor, c.Payout.Floor}, {&p.BatchLimit, c.Payout.BatchLimit}, {&p.TwoApprovals, c.Payout.TwoApprovals},
	} {
		if *list.into, err = config.Amounts(list.from); err != nil {
			return p, fmt.Errorf("settings of payouts: %w", err)
		}
	}
	p.MethodFreeze, p.TaxCountries = c.Payout.MethodFreeze, c.Payout.TaxCountries
	return p, nil
}

package config

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/edgeref/edgeref/wire/money"
)

// Payout is how affiliates are paid.
type Payout struct {
	Payer        string        `default:"Edgeref" help:"name of the business, on statements and bank files"`
	Minimum      []string      `default:"INR:500" unit:"currency:amount list" help:"least that is paid at once, in major units; other currencies have no minimum"`
	Floor        []string      `default:"INR:5000" unit:"currency:amount list" help:"how far below zero a balance may fall before somebody must look at the affiliate; other currencies: 0"`
	BatchLimit   []string      `default:"" unit:"currency:amount list" help:"most that one batch may pay; other currencies have no limit"`
	TwoApprovals []string      `default:"INR:500000" unit:"currency:amount list" help:"total above which two people beside its maker must approve a batch"`
	MethodFreeze time.Duration `default:"72h" unit:"duration" help:"how long nothing is paid to an account that was just entered"`
	TaxCountries []string      `default:"IN" unit:"country list" help:"countries to which nothing is paid unless a tax rule is in force"`
	KYCRequired  []string      `default:"IN:pan_card" unit:"country:kind list" help:"documents of an affiliate that must be accepted before anything is paid to a country; * is every country"`
}

// RazorpayX sends payouts by itself; it is there once a key is set.
type RazorpayX struct {
	KeyID         string `default:"" help:"key of RazorpayX; empty: it is not used"`
	KeySecret     string `default:"" secret:"true" help:"secret of that key"`
	AccountNumber string `default:"" help:"RazorpayX account from which payouts are made"`
	WebhookSecret string `default:"" secret:"true" help:"secret of the webhook whose URL is this core's /api/v1/payout-notices/razorpayx"`
	URL           string `default:"https://api.razorpay.com" unit:"URL" help:"where its API is"`
}

// KYC is where documents are kept by which affiliates are known.
type KYC struct {
	Bucket   string        `default:"" unit:"URL" help:"s3://BUCKET?region=... (other parameters as in gocloud.dev/blob), or file:///DIR; empty: kyc in the data directory"`
	MaxBytes Size          `default:"8MiB" unit:"bytes" help:"largest document that is taken"`
	LinkFor  time.Duration `default:"2m" unit:"duration" help:"how long a link to a document works"`
}

// Amounts reads a list of currency:amount into minor units by currency.
func Amounts(list []string) (map[string]int64, error) {
	out := make(map[string]int64, len(list))
	for _, text := range list {
		code, amount, ok := strings.Cut(text, ":")
		if !ok {
			return nil, fmt.Errorf("%q is not currency:amount, as INR:500", text)
		}
		a, err := money.Parse(amount, code)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", text, err)
		}
		if _, twice := out[code]; twice {
			return nil, fmt.Errorf("%s is there twice", code)
		}
		out[code] = a.Minor
	}
	return out, nil
}

// Required reads a list of country:kind into kinds by country.
func Required(list []string) (map[string][]string, error) {
	out := map[string][]string{}
	for _, text := range list {
		country, kind, ok := strings.Cut(text, ":")
		if !ok || kind == "" || country != "*" && !isCountry(country) {
			return nil, fmt.Errorf("%q is not country:kind, as IN:pan_card", text)
		}
		out[country] = append(out[country], kind)
	}
	return out, nil
}

func isCountry(c string) bool {
	return len(c) == 2 && strings.Trim(c, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

func (c *Config) validatePayout(bad func(path, format string, args ...any)) {
	for path, list := range map[string][]string{
		"payout.minimum": c.Payout.Minimum, "payout.floor": c.Payout.Floor, "payout.batch_limit": c.Payout.BatchLimit, "payout.two_approvals": c.Payout.TwoApprovals,
	} {
		if _, err := Amounts(list); err != nil {
			bad(path, "%v", err)
		}
	}
	if _, err := Required(c.Payout.KYCRequired); err != nil {
		bad("payout.kyc_required", "%v", err)
	}
	for _, country := range c.Payout.TaxCountries {
		if !isCountry(country) {
			bad("payout.tax_countries", "%q is not two capital letters", country)
		}
	}
	if c.Payout.MethodFreeze < 0 {
		bad("payout.method_freeze", "must not be negative")
	}
	if x := c.RazorpayX; x.KeyID != "" {
		if err := errors.Join(set("key_secret", x.KeySecret), set("account_number", x.AccountNumber), set("webhook_secret", x.WebhookSecret)); err != nil {
			bad("razorpay_x", "%v", err)
		}
	}
	if c.KYC.MaxBytes < 1<<10 || c.KYC.MaxBytes > 64<<20 {
		bad("kyc.max_bytes", "must be 1KiB to 64MiB")
	}
	if c.KYC.LinkFor <= 0 || c.KYC.LinkFor > time.Hour {
		bad("kyc.link_for", "must be more than 0 and at most 1h")
	}
}

func set(name, value string) error {
	if value == "" {
		return fmt.Errorf("%s must be set with key_id", name)
	}
	return nil
}

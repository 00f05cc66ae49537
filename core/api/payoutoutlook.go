package api

import (
	"context"
	"net/http"
	"slices"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/commission"
	"github.com/edgeref/edgeref/core/kyc"
	"github.com/edgeref/edgeref/core/payout"
	"github.com/edgeref/edgeref/wire/money"
)

// PayoutOutlook is what the next payout in one currency would be, as things are now.
type PayoutOutlook struct {
	Currency      string         `json:"currency" example:"INR"`
	Pending       money.Amount   `json:"pending" doc:"On hold"`
	NextReleaseAt *Time          `json:"next_release_at" nullable:"true" doc:"When the next hold ends; null: nothing is on hold"`
	Payable       money.Amount   `json:"payable" doc:"The balance; negative: refunds took back more than there was, and it is set off against what comes"`
	Gross         money.Amount   `json:"gross" doc:"What a payout would take from the balance"`
	Tax           money.Amount   `json:"tax" doc:"What would be withheld"`
	TaxText       string         `json:"tax_text" example:"194H: 2.00 %"`
	TaxYearFrom   *Time          `json:"tax_year_from" nullable:"true" doc:"When the tax year began; null: no tax rule is in force"`
	Net           money.Amount   `json:"net" doc:"What would be sent"`
	Minimum       money.Amount   `json:"minimum" doc:"Below which nothing is paid"`
	Account       string         `json:"account" example:"HDFC0001234 ****6789" doc:"Masked; empty: there is no payout method"`
	FrozenUntil   *Time          `json:"frozen_until" nullable:"true" doc:"Nothing is paid to the account before; null: there is none"`
	Country       string         `json:"country" example:"IN" doc:"Whose rules on tax and documents apply; empty: it is not known"`
	Missing       []string       `json:"missing_documents" nullable:"false" example:"[\"pan_card\"]" doc:"Kinds that are not accepted yet"`
	Ready         bool           `json:"ready" doc:"Nothing stands against paying"`
	Reasons       []PayoutReason `json:"reasons" nullable:"false" doc:"Everything that stands against paying"`
}

func ownOutlook(a *API, s *payout.Service) {
	handle(a, operation{
		id: "get-own-payout-outlook", method: http.MethodGet, path: "/me/affiliate/payout-outlook", tag: "My payouts", scope: access.AffiliateSelf,
		summary: "See what your next payout would be", about: "By currency, if a batch were made now: the amount, and everything that stands against it. Always one page.",
		errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, _ *struct{}) (*listOutput[PayoutOutlook], error) {
		affiliate, err := affiliateOf(ctx)
		if err != nil {
			return nil, err
		}
		rows, err := s.Outlooks(ctx, affiliate)
		if err != nil {
			return nil, err
		}
		out := &listOutput[PayoutOutlook]{}
		out.Body.Items = make([]PayoutOutlook, len(rows))
		for i := range rows {
			out.Body.Items[i] = outlookBody(&rows[i])
		}
		return out, nil
	})
}

func outlookBody(o *payout.Outlook) PayoutOutlook {
	in := func(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: o.Currency} }
	out := PayoutOutlook{
		Currency: o.Currency, Pending: in(o.Pending), NextReleaseAt: timeOrNil(o.NextRelease), Payable: in(o.Balance), Gross: in(o.Gross), Tax: in(o.Tax), Net: in(o.Net),
		TaxYearFrom: timeOrNil(o.TaxYear), Minimum: in(o.Minimum), Country: o.Country, Missing: notNil(o.Missing), Ready: o.Ready(), Reasons: []PayoutReason{},
	}
	if o.Gross > 0 {
		out.TaxText = o.Withheld.String()
	}
	if o.Method != nil {
		out.Account, out.FrozenUntil = o.Method.Masked, timeOrNil(o.Method.FrozenUntil)
	}
	for _, r := range o.Reasons {
		out.Reasons = append(out.Reasons, PayoutReason{Code: r.Code, Detail: ownReason(r)})
	}
	return out
}

// ownReason is the detail of a reason as the affiliate may read it: it names no others, and nothing that only the business
// can do.
func ownReason(r payout.Reason) string {
	switch r.Code {
	case payout.SharedAccount:
		return "the account must be looked at first"
	case payout.ReviewNeeded, payout.Unexplained:
		return "the balance must be looked at first"
	case payout.MethodUnsupported:
		return "no payouts are sent to accounts of this kind"
	case payout.TaxRuleMissing:
		return "the tax for the country is not set up yet"
	}
	return r.Detail
}

// KYCRequirements say which documents are needed, and what is taken.
type KYCRequirements struct {
	Countries map[string][]string `json:"countries" doc:"Kinds without which nothing is paid, by country; * is every country"`
	Types     []string            `json:"types" nullable:"false" example:"[\"application/pdf\",\"image/jpeg\",\"image/png\"]" doc:"What a file may be"`
	MaxBytes  int64               `json:"max_bytes" example:"8388608" doc:"Of one file"`
	MaxOpen   int                 `json:"max_open" example:"20" doc:"Documents that may wait for their file or a review"`
}

func ownRequirements(a *API, s *kyc.Service) {
	handle(a, operation{
		id: "get-own-kyc-requirements", method: http.MethodGet, path: "/me/affiliate/kyc-requirements", tag: "My payouts", scope: access.AffiliateSelf,
		summary: "See which documents are needed", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, _ *struct{}) (*struct{ Body KYCRequirements }, error) {
		if _, err := affiliateOf(ctx); err != nil {
			return nil, err
		}
		body := KYCRequirements{Countries: map[string][]string{}, Types: kyc.Types(), MaxBytes: s.MaxBytes(), MaxOpen: kyc.MaxDocuments}
		for country, kinds := range s.Required() {
			body.Countries[country] = slices.Clone(kinds)
		}
		return &struct{ Body KYCRequirements }{body}, nil
	})
}

// LevelEarnings is what somebody has earned on one level and in one currency.
type LevelEarnings struct {
	Level       int          `json:"level" example:"1" doc:"0: by own sales; 1: by those of whom one brought; and so on"`
	Commissions int64        `json:"commissions" example:"12"`
	Earned      money.Amount `json:"earned"`
	Reversed    money.Amount `json:"reversed" doc:"Of what was earned, taken back since"`
	Pending     money.Amount `json:"pending" doc:"Of what is left, on hold"`
}

func ownLevels(a *API, s *commission.Service) {
	handleSelf(a, operation{
		id: "list-my-level-earnings", method: http.MethodGet, path: "/level-earnings", summary: "List what you have earned by level",
		about: "By level and currency, of all times. Always one page.",
	}, func(ctx context.Context, affiliate int64, _ *struct{}) (*listOutput[LevelEarnings], error) {
		rows, err := s.Levels(ctx, affiliate)
		if err != nil {
			return nil, err
		}
		out := &listOutput[LevelEarnings]{}
		out.Body.Items = make([]LevelEarnings, len(rows))
		for i, l := range rows {
			out.Body.Items[i] = LevelEarnings{Level: l.Level, Commissions: l.Commissions, Earned: l.Earned, Reversed: l.Reversed, Pending: l.Unreleased}
		}
		return out, nil
	})
}

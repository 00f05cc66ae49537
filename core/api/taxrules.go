package api

import (
	"context"
	"net/http"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/tax"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/money"
)

// TaxTerms are what a rule says.
type TaxTerms struct {
	Name        string       `json:"name" minLength:"1" maxLength:"64" example:"194H" doc:"As on statements"`
	Country     string       `json:"country" minLength:"2" maxLength:"2" example:"IN" doc:"Of the payee"`
	Threshold   money.Amount `json:"threshold" doc:"A year; its currency is that of the payouts"`
	RateBP      int64        `json:"rate_bp" minimum:"0" maximum:"10000" example:"200" doc:"Basis points"`
	NoIDRateBP  int64        `json:"no_id_rate_bp" minimum:"0" maximum:"10000" example:"2000" doc:"For payees without a tax identity"`
	Mode        tax.Mode     `json:"threshold_mode" enum:"whole,excess" example:"whole" doc:"whole: all of the year is taxed once the threshold is passed; excess: what is beyond it"`
	YearMonth   int          `json:"year_month" minimum:"1" maximum:"12" example:"4" doc:"When a tax year begins"`
	YearDay     int          `json:"year_day" minimum:"1" maximum:"28" example:"1"`
	UTCOffset   int          `json:"utc_offset_minutes" minimum:"-840" maximum:"840" example:"330" doc:"Where it begins"`
	RoundTo     int64        `json:"round_to_minor" minimum:"1" maximum:"100000" example:"100" doc:"Minor units of which the tax is a multiple; half is rounded away from zero"`
	ValidFrom   Time         `json:"valid_from"`
	ConfirmedBy string       `json:"confirmed_by" maxLength:"128" example:"A. Accountant" doc:"Empty: nobody has confirmed it"`
	Note        string       `json:"note" maxLength:"500" example:""`
}

// TaxRule is one rule. Rules are never changed: one that begins later takes its place.
type TaxRule struct {
	ID string `json:"id" example:"txr_01J8Z0QK5T2VG"`
	TaxTerms
	CreatedAt Time `json:"created_at"`
}

type taxRuleOutput struct{ Body TaxRule }

// TaxRules registers the operations on the rules by which tax is withheld.
func TaxRules(s *tax.Service) Module {
	return func(a *API) {
		handle(a, operation{
			id: "list-tax-rules", method: http.MethodGet, path: "/tax-rules", tag: "Payouts", scope: access.PayoutsRead,
			summary: "List tax rules", about: "The newest first. Of those for a country and currency, the one that began last is in force.", errors: []int{http.StatusBadRequest},
		}, func(ctx context.Context, in *ListInput) (*listOutput[TaxRule], error) {
			before, err := in.after(ident.TaxRule)
			if err != nil {
				return nil, err
			}
			rows, err := s.List(ctx, before, in.Limit+1)
			if err != nil {
				return nil, err
			}
			return page(ident.TaxRule, in.Limit, rows, func(r tax.Rule) int64 { return r.ID }, taxRuleBody), nil
		})
		handle(a, operation{
			id: "get-example-tax-rule", method: http.MethodGet, path: "/tax-rules/example", tag: "Payouts", scope: access.PayoutsRead,
			summary: "Get an example of a rule", about: "India, section 194H, as we understand it. To be confirmed by an accountant; it is not in force unless you create it.",
		}, func(context.Context, *struct{}) (*struct{ Body TaxTerms }, error) {
			return &struct{ Body TaxTerms }{taxTermsBody(tax.Example())}, nil
		})
		handle(a, operation{
			id: "create-tax-rule", method: http.MethodPost, path: "/tax-rules", tag: "Payouts", scope: access.PayoutsWrite, secondFactor: true,
			status: http.StatusCreated, summary: "Create a tax rule", about: "It counts for batches that are made after it begins.", errors: []int{http.StatusConflict},
		}, func(ctx context.Context, in *struct{ Body TaxTerms }) (*taxRuleOutput, error) {
			from, err := parseTime("body.valid_from", in.Body.ValidFrom)
			if err != nil {
				return nil, err
			}
			b, out := in.Body, &taxRuleOutput{}
			_, err = s.Create(ctx, tax.Terms{
				Name: b.Name, Country: b.Country, Currency: b.Threshold.Currency, RateBP: b.RateBP, NoIDRateBP: b.NoIDRateBP, Threshold: b.Threshold.Minor,
				Mode: b.Mode, YearMonth: b.YearMonth, YearDay: b.YearDay, UTCOffset: b.UTCOffset, RoundTo: b.RoundTo, ValidFrom: from,
				ConfirmedBy: b.ConfirmedBy, Note: b.Note,
			}, func(tx *db.Tx, r tax.Rule) error {
				out.Body = taxRuleBody(r)
				return record(ctx, tx, http.StatusCreated, out.Body)
			})
			return out, payoutProblem(err)
		})
	}
}

func taxTermsBody(t tax.Terms) TaxTerms {
	return TaxTerms{
		Name: t.Name, Country: t.Country, Threshold: money.Amount{Minor: t.Threshold, Currency: t.Currency}, RateBP: t.RateBP, NoIDRateBP: t.NoIDRateBP,
		Mode: t.Mode, YearMonth: t.YearMonth, YearDay: t.YearDay, UTCOffset: t.UTCOffset, RoundTo: t.RoundTo, ValidFrom: timeOf(t.ValidFrom),
		ConfirmedBy: t.ConfirmedBy, Note: t.Note,
	}
}

func taxRuleBody(r tax.Rule) TaxRule {
	return TaxRule{ID: ident.Format(ident.TaxRule, r.ID), TaxTerms: taxTermsBody(r.Terms), CreatedAt: timeOf(r.CreatedAt)}
}

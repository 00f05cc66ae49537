package api

import (
	"context"
	"net/http"
	"time"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/commission"
	"github.com/edgeref/edgeref/wire/conversion"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/money"
)

// RehearseRequest is a draft of rules, and the time over which to run it.
type RehearseRequest struct {
	ProgramID string        `json:"program_id" example:"prg_01J8Z0QK5T2VG"`
	From      time.Time     `json:"from" example:"2026-10-01T00:00:00Z" doc:"Of the sales and leads"`
	To        time.Time     `json:"to" example:"2026-11-01T00:00:00Z" doc:"Until before then"`
	Rules     []DraftRule   `json:"rules" minItems:"1" maxItems:"200" nullable:"false" doc:"They alone pay, as if they had always been in force"`
	Terms     *ProgramTerms `json:"terms,omitempty" doc:"Instead of the program's, such as another margin guard; absent: as they are"`
}

// DraftRule is a rule of a draft.
type DraftRule struct {
	AffiliateID string          `json:"affiliate_id,omitempty" doc:"For one affiliate"`
	GroupID     string          `json:"group_id,omitempty" doc:"For one group of affiliates"`
	ProductID   string          `json:"product_id,omitempty" doc:"For one product"`
	On          conversion.Type `json:"on" enum:"sale,lead"`
	RuleTerms
}

// RehearsalResult is what a draft would have paid.
type RehearsalResult struct {
	Conversions int64                 `json:"conversions" example:"1200" doc:"Sales and leads that were looked at"`
	Affiliates  []RehearsalDifference `json:"affiliates" nullable:"false"`
}

// RehearsalDifference is what one affiliate earned, and would have earned; what was refunded since is in neither.
type RehearsalDifference struct {
	AffiliateID string       `json:"affiliate_id" example:"aff_01J8Z0QK5T2VG"`
	Paid        money.Amount `json:"paid" doc:"As earned by the rules of then"`
	Draft       money.Amount `json:"draft" doc:"As the draft would have paid"`
	Difference  money.Amount `json:"difference" doc:"Draft less paid"`
}

func rehearseOperation(a *API, s *commission.Service) {
	handle(a, operation{
		id: "rehearse-commission-rules", method: http.MethodPost, path: "/commission-rules/rehearse", tag: "Commission rules", scope: access.LedgerRead,
		summary: "Run a draft of rules over past sales", unaudited: "it changes nothing",
		about: "Nothing is written: the draft is run over past sales and leads in the order in which they were booked, at one moment. Attribution stays as it was; " +
			"tiers and monthly caps begin empty. At most 20,000 sales and leads.",
	}, func(ctx context.Context, in *struct{ Body RehearseRequest }) (*struct{ Body RehearsalResult }, error) {
		draft, err := in.Body.draft()
		if err != nil {
			return nil, err
		}
		result, err := s.Rehearse(ctx, draft)
		if err != nil {
			return nil, ruleProblem(err)
		}
		out := &struct{ Body RehearsalResult }{RehearsalResult{Conversions: result.Conversions, Affiliates: []RehearsalDifference{}}}
		for _, d := range result.Affiliates {
			amount := func(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: d.Currency} }
			out.Body.Affiliates = append(out.Body.Affiliates, RehearsalDifference{
				AffiliateID: ident.Format(ident.Affiliate, d.AffiliateID), Paid: amount(d.Paid), Draft: amount(d.Draft), Difference: amount(d.Draft - d.Paid),
			})
		}
		return out, nil
	})
}

func (r *RehearseRequest) draft() (commission.Draft, error) {
	program, err := fieldID(ident.Program, "body.program_id", r.ProgramID)
	errs := []error{err}
	d := commission.Draft{ProgramID: program, From: r.From.UnixMilli(), To: r.To.UnixMilli()}
	for _, rule := range r.Rules {
		want, err := RuleRequest{
			ProgramID: r.ProgramID, AffiliateID: rule.AffiliateID, GroupID: rule.GroupID, ProductID: rule.ProductID, On: rule.On, RuleTerms: rule.RuleTerms,
		}.rule()
		d.Rules, errs = append(d.Rules, want), append(errs, err)
	}
	if r.Terms != nil {
		terms, err := r.Terms.terms()
		d.Terms, errs = &terms, append(errs, err)
	}
	return d, invalidAll(errs...)
}

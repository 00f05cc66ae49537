package api

import (
	"context"
	"net/http"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/commission"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/conversion"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/money"
)

// Rule is a commission rule in its newest version.
type Rule struct {
	ID          string          `json:"id" example:"rul_01J8Z0QK5T2VG"`
	ProgramID   string          `json:"program_id" example:"prg_01J8Z0QK5T2VG"`
	AffiliateID string          `json:"affiliate_id" doc:"Empty: not for one affiliate"`
	GroupID     string          `json:"group_id" doc:"Empty: not for one group"`
	ProductID   string          `json:"product_id" doc:"Empty: for every product"`
	On          conversion.Type `json:"on" enum:"sale,lead"`
	PercentBP   *int64          `json:"percent_bp" nullable:"true" doc:"Share of the sale in basis points; null where the amount is flat" example:"7500"`
	Flat        *money.Amount   `json:"flat,omitempty"`
	MoreTerms
	Version   int64 `json:"version" example:"1"`
	ValidFrom Time  `json:"valid_from" doc:"Of this version"`
	CreatedAt Time  `json:"created_at"`
	EndedAt   *Time `json:"ended_at" nullable:"true"`
}

// RuleTerms are what a rule pays: a share or a flat amount.
type RuleTerms struct {
	PercentBP *int64        `json:"percent_bp,omitempty" minimum:"0" maximum:"10000" example:"7500" doc:"Share of the sale in basis points"`
	Flat      *money.Amount `json:"flat,omitempty" doc:"For each unit; only for sales in the same currency: money is never converted"`
	MoreTerms
}

// MoreTerms are the terms that few rules have.
type MoreTerms struct {
	Tiers    *commission.Tiers  `json:"tiers,omitempty" doc:"Rates that grow with what the rule has paid the affiliate for in the calendar month, in the program's time zone. The sale itself counts: the one that reaches a step is paid by it as a whole"`
	Months   int                `json:"months,omitempty" minimum:"0" maximum:"1200" example:"12" doc:"For how many calendar months after a customer's first sale of a product later ones earn; 0: for ever"`
	Levels   []commission.Level `json:"levels,omitempty" maxItems:"10" nullable:"false" doc:"What the sponsor of the affiliate earns, his sponsor, and so on"`
	CapOrder *money.Amount      `json:"cap_order,omitempty" doc:"What the affiliate himself earns by one order at most"`
	CapMonth *money.Amount      `json:"cap_month,omitempty" doc:"What the affiliate himself earns by the rule in a calendar month at most"`
}

func (m MoreTerms) more() commission.More {
	return commission.More{Tiers: m.Tiers, Months: m.Months, Levels: m.Levels, CapOrder: m.CapOrder, CapMonth: m.CapMonth}
}

// RuleRequest asks for a rule.
type RuleRequest struct {
	ProgramID   string          `json:"program_id" example:"prg_01J8Z0QK5T2VG"`
	AffiliateID string          `json:"affiliate_id,omitempty" doc:"For one affiliate"`
	GroupID     string          `json:"group_id,omitempty" doc:"For one group of affiliates; not beside affiliate_id"`
	ProductID   string          `json:"product_id,omitempty" doc:"For one product"`
	On          conversion.Type `json:"on" enum:"sale,lead"`
	RuleTerms
}

// RulePath names one rule.
type RulePath struct {
	ID string `path:"id" example:"rul_01J8Z0QK5T2VG"`
}

type ruleOutput struct{ Body Rule }

type ruleList struct {
	ListInput
	ProgramID   string `query:"program_id" example:"prg_01J8Z0QK5T2VG"`
	AffiliateID string `query:"affiliate_id" example:"aff_01J8Z0QK5T2VG"`
	GroupID     string `query:"group_id" example:"grp_01J8Z0QK5T2VG"`
	ProductID   string `query:"product_id" example:"prd_01J8Z0QK5T2VG"`
	Ended       bool   `query:"ended" doc:"Rules that have ended too"`
}

func ruleOperations(a *API, s *commission.Service) {
	handle(a, operation{
		id: "create-commission-rule", method: http.MethodPost, path: "/commission-rules", tag: "Commission rules", scope: access.CatalogWrite,
		status: http.StatusCreated, summary: "Create a commission rule",
		about: "The most specific rule pays: the affiliate's own with the product, the affiliate's own, his group's with the product, his group's, " +
			"the product's, the program's. A second live one for the same program, affiliate, group, product and trigger is refused with rule_exists.",
		errors: []int{http.StatusConflict},
	}, func(ctx context.Context, in *struct{ Body RuleRequest }) (*ruleOutput, error) {
		want, err := in.Body.rule()
		if err != nil {
			return nil, err
		}
		out := &ruleOutput{}
		_, err = s.CreateRule(ctx, want, func(tx *db.Tx, made commission.Rule) error {
			out.Body = ruleBody(made)
			if err := a.audited(ctx, tx, "commission_rule.create", ident.Rule, made.ID, nil, out.Body); err != nil {
				return err
			}
			return record(ctx, tx, http.StatusCreated, out.Body)
		})
		return out, ruleProblem(err)
	})
	handle(a, operation{
		id: "list-commission-rules", method: http.MethodGet, path: "/commission-rules", tag: "Commission rules", scope: access.CatalogRead,
		summary: "List commission rules", about: "The newest first.", errors: []int{http.StatusBadRequest},
	}, func(ctx context.Context, in *ruleList) (*listOutput[Rule], error) {
		before, err := in.after(ident.Rule)
		if err != nil {
			return nil, err
		}
		program, err1 := fieldID(ident.Program, "query.program_id", in.ProgramID)
		affiliate, err2 := fieldID(ident.Affiliate, "query.affiliate_id", in.AffiliateID)
		group, err3 := fieldID(ident.AffiliateGroup, "query.group_id", in.GroupID)
		product, err4 := fieldID(ident.Product, "query.product_id", in.ProductID)
		if err := invalidAll(err1, err2, err3, err4); err != nil {
			return nil, err
		}
		rows, err := s.Rules(ctx, commission.RuleFilter{ProgramID: program, AffiliateID: affiliate, GroupID: group, ProductID: product, Ended: in.Ended, Before: before, Limit: in.Limit + 1})
		if err != nil {
			return nil, err
		}
		return page(ident.Rule, in.Limit, rows, func(r commission.Rule) int64 { return r.ID }, ruleBody), nil
	})
	handle(a, operation{
		id: "get-commission-rule", method: http.MethodGet, path: "/commission-rules/{id}", tag: "Commission rules", scope: access.CatalogRead,
		summary: "Get a commission rule", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *RulePath) (*ruleOutput, error) {
		id, err := pathID(ident.Rule, in.ID)
		if err != nil {
			return nil, err
		}
		r, err := s.Rule(ctx, id)
		return &ruleOutput{ruleBody(r)}, err
	})
	ruleChanges(a, s)
	ruleVersionsOperation(a, s)
}

func ruleChanges(a *API, s *commission.Service) {
	handle(a, operation{
		id: "update-commission-rule", method: http.MethodPatch, path: "/commission-rules/{id}", tag: "Commission rules", scope: access.CatalogWrite,
		summary: "Change a commission rule", about: "Makes a new version, for conversions received from now on. Commissions keep the version they were made with.",
		errors: []int{http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, in *struct {
		RulePath
		Body RuleTerms
	}) (*ruleOutput, error) {
		id, err := pathID(ident.Rule, in.ID)
		if err != nil {
			return nil, err
		}
		terms, err := in.Body.terms()
		if err != nil {
			return nil, err
		}
		r, err := s.ChangeRule(ctx, id, terms, changed(ctx, a, "commission_rule.update", ident.Rule, id, ruleBody))
		return &ruleOutput{ruleBody(r)}, err
	})
	handle(a, operation{
		id: "end-commission-rule", method: http.MethodDelete, path: "/commission-rules/{id}", tag: "Commission rules", scope: access.CatalogWrite,
		summary: "End a commission rule", about: "It can still be read; commissions made by it stay.", status: http.StatusNoContent,
		errors: []int{http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, in *RulePath) (*struct{}, error) {
		id, err := pathID(ident.Rule, in.ID)
		if err != nil {
			return nil, err
		}
		return nil, s.EndRule(ctx, id, ended(ctx, a, "commission_rule.end", ident.Rule, id, ruleBody))
	})
}

func (t RuleTerms) terms() (commission.Terms, error) {
	switch {
	case (t.PercentBP == nil) == (t.Flat == nil):
		return commission.Terms{}, invalid("body.percent_bp", "give either percent_bp or flat")
	case t.Flat != nil:
		return commission.Terms{Flat: t.Flat, More: t.more()}, nil
	}
	return commission.Terms{PercentBP: *t.PercentBP, More: t.more()}, nil
}

func (r RuleRequest) rule() (commission.NewRule, error) {
	program, err1 := fieldID(ident.Program, "body.program_id", r.ProgramID)
	affiliate, err2 := fieldID(ident.Affiliate, "body.affiliate_id", r.AffiliateID)
	terms, err3 := r.terms()
	group, err4 := fieldID(ident.AffiliateGroup, "body.group_id", r.GroupID)
	product, err5 := fieldID(ident.Product, "body.product_id", r.ProductID)
	return commission.NewRule{ProgramID: program, AffiliateID: affiliate, GroupID: group, ProductID: product, On: r.On, Terms: terms},
		invalidAll(err1, err2, err3, err4, err5)
}

func ruleBody(r commission.Rule) Rule {
	body := Rule{
		ID: ident.Format(ident.Rule, r.ID), ProgramID: ident.Format(ident.Program, r.ProgramID), AffiliateID: identOrNone(ident.Affiliate, r.AffiliateID),
		GroupID: identOrNone(ident.AffiliateGroup, r.GroupID), ProductID: identOrNone(ident.Product, r.ProductID),
		MoreTerms: moreBody(r.Terms.More), On: r.On, Flat: r.Terms.Flat, Version: r.Version, ValidFrom: timeOf(r.ValidFrom), CreatedAt: timeOf(r.CreatedAt), EndedAt: timeOrNil(r.EndedAt),
	}
	if r.Terms.Flat == nil {
		body.PercentBP = &r.Terms.PercentBP
	}
	return body
}

func moreBody(m commission.More) MoreTerms {
	return MoreTerms{Tiers: m.Tiers, Months: m.Months, Levels: m.Levels, CapOrder: m.CapOrder, CapMonth: m.CapMonth}
}

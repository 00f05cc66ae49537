package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/commission"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/money"
)

// Commission is what an affiliate earns from one sale or lead.
type Commission struct {
	ID           string           `json:"id" example:"com_01J8Z0QK5T2VG"`
	ConversionID string           `json:"conversion_id" example:"cnv_01J8Z0QK5T2VG"`
	ProgramID    string           `json:"program_id" example:"prg_01J8Z0QK5T2VG"`
	AffiliateID  string           `json:"affiliate_id" example:"aff_01J8Z0QK5T2VG"`
	LinkID       string           `json:"link_id" example:"lnk_01J8Z0QK5T2VG" doc:"Empty: not by a link"`
	Level        int              `json:"level" example:"0" doc:"0: of whom the conversion belongs to; 1: of his sponsor, and so on"`
	LineID       string           `json:"line_id" doc:"Of an order; empty: the whole conversion" example:"oln_01J8Z0QK5T2VG"`
	State        commission.State `json:"state" enum:"pending,payable,paid,reversed"`
	Amount       money.Amount     `json:"amount" doc:"As earned"`
	Reversed     money.Amount     `json:"reversed" doc:"Taken back so far"`
	RuleID       string           `json:"rule_id" example:"rul_01J8Z0QK5T2VG"`
	RuleVersion  int64            `json:"rule_version" example:"1"`
	CreatedAt    Time             `json:"created_at"`
	ReleaseAt    Time             `json:"release_at" doc:"When the hold ends"`
	ReleasedAt   *Time            `json:"released_at" nullable:"true" doc:"When it became payable"`
	ReplacedAt   *Time            `json:"replaced_at" nullable:"true" doc:"When the conversion was assigned to somebody else"`
}

// CommissionDetail is a commission with its arithmetic.
type CommissionDetail struct {
	Commission
	Explanation CommissionExplanation `json:"explanation"`
	Reversals   []Reversal            `json:"reversals" nullable:"false"`
	Restorals   []Reversal            `json:"restorals" nullable:"false" doc:"What disputes that were won gave back"`
}

// CommissionExplanation is the arithmetic of a commission, as it was frozen.
type CommissionExplanation struct {
	Text       string               `json:"text" doc:"In plain words"`
	Arithmetic CommissionArithmetic `json:"arithmetic"`
}

// CommissionArithmetic and ReversalArithmetic are in the form in which they are kept.
type (
	CommissionArithmetic commission.Explanation
	ReversalArithmetic   commission.Arithmetic
)

// Reversal is what one refund or rejection took back of a commission.
type Reversal struct {
	CommissionID string             `json:"commission_id" example:"com_01J8Z0QK5T2VG"`
	ConversionID string             `json:"conversion_id" example:"cnv_01J8Z0QK5T2VG" doc:"The refund or rejection"`
	Amount       money.Amount       `json:"amount"`
	Text         string             `json:"text" doc:"The arithmetic in plain words"`
	Arithmetic   ReversalArithmetic `json:"arithmetic"`
	CreatedAt    Time               `json:"created_at"`
}

// CommissionPath names one commission.
type CommissionPath struct {
	ID string `path:"id" example:"com_01J8Z0QK5T2VG"`
}

type commissionList struct {
	ListInput
	AffiliateID string `query:"affiliate_id" example:"aff_01J8Z0QK5T2VG"`
	State       string `query:"state" enum:"pending,payable,paid,reversed"`

	ConversionID string `query:"conversion_id" example:"cnv_01J8Z0QK5T2VG" doc:"What the sale or lead earned"`
	PeriodInput
}

// Commissions registers the operations on commissions and their rules.
func Commissions(s *commission.Service) Module {
	return func(a *API) {
		handle(a, operation{
			id: "list-commissions", method: http.MethodGet, path: "/commissions", tag: "Commissions", scope: access.LedgerRead,
			summary: "List commissions", about: "The newest first.", errors: []int{http.StatusBadRequest},
		}, func(ctx context.Context, in *commissionList) (*listOutput[Commission], error) {
			since, before, err := in.between(ident.Commission, in.PeriodInput)
			if err != nil {
				return nil, err
			}
			affiliate, err1 := fieldID(ident.Affiliate, "query.affiliate_id", in.AffiliateID)
			earner, err2 := fieldID(ident.Conversion, "query.conversion_id", in.ConversionID)
			if err := invalidAll(err1, err2); err != nil {
				return nil, err
			}
			rows, err := s.List(ctx, commission.Filter{
				AffiliateID: affiliate, Conversion: earner, State: commission.State(in.State), Since: since, Before: before, Limit: in.Limit + 1,
			})
			if err != nil {
				return nil, err
			}
			return page(ident.Commission, in.Limit, rows, func(c commission.Commission) int64 { return c.ID }, commissionBody), nil
		})
		handle(a, operation{
			id: "get-commission", method: http.MethodGet, path: "/commissions/{id}", tag: "Commissions", scope: access.LedgerRead,
			summary: "Get a commission", about: "With the rule, the arithmetic and everything that was taken back.", errors: []int{http.StatusNotFound},
		}, func(ctx context.Context, in *CommissionPath) (*struct{ Body CommissionDetail }, error) {
			id, err := pathID(ident.Commission, in.ID)
			if err != nil {
				return nil, err
			}
			c, err := s.Get(ctx, id)
			if err != nil {
				return nil, err
			}
			return &struct{ Body CommissionDetail }{commissionDetail(c)}, nil
		})
		lowBalanceOperations(a, s)
		rehearseOperation(a, s)
		ruleOperations(a, s)
	}
}

func commissionDetail(c commission.Commission) CommissionDetail {
	return CommissionDetail{
		Commission:  commissionBody(c),
		Explanation: CommissionExplanation{Text: c.Explanation.Text(), Arithmetic: CommissionArithmetic(c.Explanation)},
		Reversals:   reversalBodies(c.Reversals), Restorals: reversalBodies(c.Restorals),
	}
}

func commissionBody(c commission.Commission) Commission {
	return Commission{
		ID: ident.Format(ident.Commission, c.ID), ConversionID: ident.Format(ident.Conversion, c.ConversionID),
		ProgramID: ident.Format(ident.Program, c.ProgramID), AffiliateID: ident.Format(ident.Affiliate, c.AffiliateID),
		LinkID: identOrNone(ident.Link, c.LinkID), Level: c.Level, LineID: identOrNone(ident.OrderLine, c.LineID), State: c.State, Amount: c.Amount,
		Reversed: money.Amount{Minor: c.Reversed, Currency: c.Amount.Currency},
		RuleID:   ident.Format(ident.Rule, c.RuleID), RuleVersion: c.RuleVersion,
		CreatedAt: timeOf(c.CreatedAt), ReleaseAt: timeOf(c.ReleaseAt), ReleasedAt: timeOrNil(c.ReleasedAt), ReplacedAt: timeOrNil(c.ReplacedAt),
	}
}

func reversalBodies(list []commission.Reversal) []Reversal {
	out := make([]Reversal, len(list))
	for i, r := range list {
		out[i] = reversalBody(r)
	}
	return out
}

func reversalBody(r commission.Reversal) Reversal {
	return Reversal{
		CommissionID: ident.Format(ident.Commission, r.CommissionID), ConversionID: ident.Format(ident.Conversion, r.ConversionID),
		Amount: r.Amount, Text: r.Explanation.Text(), Arithmetic: ReversalArithmetic(r.Explanation), CreatedAt: timeOf(r.CreatedAt),
	}
}

// ruleProblem says which field of a rule is wrong; other errors stay as they are.
func ruleProblem(err error) error {
	switch {
	case errors.Is(err, commission.ErrNoProgram):
		return invalid("body.program_id", "there is no such program")
	case errors.Is(err, commission.ErrNoAffiliate):
		return invalid("body.affiliate_id", "there is no such affiliate")
	case errors.Is(err, commission.ErrNoGroup):
		return invalid("body.group_id", "there is no such group")
	}
	return err
}

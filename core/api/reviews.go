package api

import (
	"context"
	"net/http"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/audit"
	"github.com/edgeref/edgeref/core/commission"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/money"
)

// CommissionReview is a balance that a reversal took below the floor of the program.
type CommissionReview struct {
	ID           string       `json:"id" example:"crv_01J8Z0QK5T2VG"`
	ProgramID    string       `json:"program_id" example:"prg_01J8Z0QK5T2VG"`
	AffiliateID  string       `json:"affiliate_id" example:"aff_01J8Z0QK5T2VG"`
	CommissionID string       `json:"commission_id" example:"com_01J8Z0QK5T2VG"`
	ConversionID string       `json:"conversion_id" example:"cnv_01J8Z0QK5T2VG" doc:"The refund that took it back"`
	Balance      money.Amount `json:"balance" doc:"Payable, after the reversal"`
	Floor        money.Amount `json:"floor"`
	CreatedAt    Time         `json:"created_at"`
	ResolvedAt   *Time        `json:"resolved_at" nullable:"true"`
	Resolution   string       `json:"resolution" doc:"What was decided" example:""`
}

// ResolveRequest says what was decided.
type ResolveRequest struct {
	Note string `json:"note" minLength:"1" maxLength:"1000" example:"spoke with him; his next payouts cover it"`
}

func lowBalanceOperations(a *API, s *commission.Service) {
	handle(a, operation{
		id: "list-commission-reviews", method: http.MethodGet, path: "/commission-reviews", tag: "Commissions", scope: access.LedgerRead,
		summary: "List balances below their floor", about: "Reversals are booked whatever the balance; these took one below the floor of its program. The newest first.",
		errors: []int{http.StatusBadRequest},
	}, func(ctx context.Context, in *struct {
		ListInput
		Resolved bool `query:"resolved" doc:"Those that were resolved too"`
	}) (*listOutput[CommissionReview], error) {
		before, err := in.after(ident.CommissionReview)
		if err != nil {
			return nil, err
		}
		rows, err := s.Reviews(ctx, in.Resolved, before, in.Limit+1)
		if err != nil {
			return nil, err
		}
		return page(ident.CommissionReview, in.Limit, rows, func(r commission.Review) int64 { return r.ID }, lowBalanceBody), nil
	})
	handle(a, operation{
		id: "resolve-commission-review", method: http.MethodPost, path: "/commission-reviews/{id}/resolve", tag: "Commissions", scope: access.PayoutsWrite,
		summary: "Close the review of a balance", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *struct {
		ID   string `path:"id" example:"crv_01J8Z0QK5T2VG"`
		Body ResolveRequest
	}) (*struct{ Body CommissionReview }, error) {
		id, err := pathID(ident.CommissionReview, in.ID)
		if err != nil {
			return nil, err
		}
		out := &struct{ Body CommissionReview }{}
		_, err = s.ResolveReview(ctx, id, in.Body.Note, func(tx *db.Tx, r commission.Review) error {
			out.Body = lowBalanceBody(r)
			if a.audit != nil {
				err := a.audit.Record(ctx, tx, audit.Entry{Action: "commission_review.resolve", Object: out.Body.ID, After: out.Body, Reason: in.Body.Note})
				if err != nil {
					return err
				}
			}
			return record(ctx, tx, http.StatusOK, out.Body)
		})
		return out, err
	})
}

func lowBalanceBody(r commission.Review) CommissionReview {
	return CommissionReview{
		ID: ident.Format(ident.CommissionReview, r.ID), ProgramID: ident.Format(ident.Program, r.ProgramID), AffiliateID: ident.Format(ident.Affiliate, r.AffiliateID),
		CommissionID: ident.Format(ident.Commission, r.CommissionID), ConversionID: ident.Format(ident.Conversion, r.ConversionID),
		Balance: r.Balance, Floor: r.Floor, CreatedAt: timeOf(r.CreatedAt), ResolvedAt: timeOrNil(r.ResolvedAt), Resolution: r.Resolution,
	}
}

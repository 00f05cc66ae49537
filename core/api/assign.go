package api

import (
	"context"
	"net/http"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/audit"
	"github.com/edgeref/edgeref/core/conversion"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/ident"
)

// AssignRequest gives a conversion to an affiliate.
type AssignRequest struct {
	AffiliateID string `json:"affiliate_id,omitempty" example:"aff_01J8Z0QK5T2VG" doc:"Absent: nobody"`
	Reason      string `json:"reason" minLength:"1" maxLength:"500" example:"the buyer wrote whom he heard of us from"`
}

func assignOperation(a *API, s *conversion.Service) {
	handle(a, operation{
		id: "assign-conversion", method: http.MethodPost, path: "/conversions/{id}/assign", tag: "Conversions", scope: access.ConversionsWrite,
		summary: "Assign a sale or lead by hand", secondFactor: true,
		about: "What it earned so far is taken back, and it earns anew for the affiliate by the rules in force when it happened. Its refunds follow. " +
			"409 assigned_already when it belongs to the affiliate; 422 not_assignable when it was rejected, or is no sale or lead.",
		errors: []int{http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, in *struct {
		ConversionPath
		Body AssignRequest
	}) (*struct{ Body Conversion }, error) {
		id, err := pathID(ident.Conversion, in.ID)
		if err != nil {
			return nil, err
		}
		affiliate, err := fieldID(ident.Affiliate, "body.affiliate_id", in.Body.AffiliateID)
		if err != nil {
			return nil, err
		}
		out := &struct{ Body Conversion }{}
		_, err = s.Assign(ctx, conversion.Assignment{ConversionID: id, AffiliateID: affiliate, By: principalOf(ctx).Name, Note: in.Body.Reason},
			func(tx *db.Tx, before, after conversion.Conversion) error {
				out.Body = conversionBody(after)
				if err := a.assigned(ctx, tx, before, out.Body, in.Body.Reason); err != nil {
					return err
				}
				return record(ctx, tx, http.StatusOK, out.Body)
			})
		return out, err
	})
}

// assigned writes the assignment into the audit log, with its reason.
func (a *API) assigned(ctx context.Context, tx *db.Tx, before conversion.Conversion, after Conversion, reason string) error {
	if a.audit == nil {
		return nil
	}
	return a.audit.Record(ctx, tx, audit.Entry{Action: "conversion.assign", Object: after.ID, Before: conversionBody(before), After: after, Reason: reason})
}

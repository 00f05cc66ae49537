package api

import (
	"context"
	"net/http"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/attribution"
	"github.com/edgeref/edgeref/core/conversion"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/ident"
)

// CouponCode is a code by which conversions are attributed to an affiliate.
type CouponCode struct {
	ProgramID   string `json:"program_id" example:"prg_01J8Z0QK5T2VG"`
	Code        string `json:"code" example:"SPRING"`
	AffiliateID string `json:"affiliate_id" example:"aff_01J8Z0QK5T2VG"`
	CreatedAt   Time   `json:"created_at"`
}

// CouponCodeRequest gives a code to an affiliate.
type CouponCodeRequest struct {
	ProgramID   string `json:"program_id" example:"prg_01J8Z0QK5T2VG"`
	Code        string `json:"code" minLength:"1" maxLength:"64" example:"SPRING" doc:"Upper and lower case are the same"`
	AffiliateID string `json:"affiliate_id" example:"aff_01J8Z0QK5T2VG"`
}

// couponCodeKind names cursors of the list.
const couponCodeKind = "coupon-code"

func couponCodeOperations(a *API, s *conversion.Service) {
	handle(a, operation{
		id: "create-coupon-code", method: http.MethodPost, path: "/coupon-codes", tag: "Coupon codes", scope: access.CatalogWrite,
		status: http.StatusCreated, summary: "Let an affiliate own a coupon code",
		about:  "Conversions from elsewhere that name the code are his, as the program's precedence says. Coupons of the shop have their owner there. 409 coupon_taken when it is another's.",
		errors: []int{http.StatusConflict},
	}, func(ctx context.Context, in *struct{ Body CouponCodeRequest }) (*struct{ Body CouponCode }, error) {
		program, err1 := fieldID(ident.Program, "body.program_id", in.Body.ProgramID)
		affiliate, err2 := fieldID(ident.Affiliate, "body.affiliate_id", in.Body.AffiliateID)
		if err := invalidAll(err1, err2); err != nil {
			return nil, err
		}
		out := &struct{ Body CouponCode }{}
		_, err := s.GiveCoupon(ctx, attribution.Coupon{ProgramID: program, Code: in.Body.Code, AffiliateID: affiliate}, func(tx *db.Tx, c attribution.Coupon) error {
			out.Body = couponCodeBody(c)
			if err := a.audited(ctx, tx, "coupon_code.give", ident.Program, c.ProgramID, nil, out.Body); err != nil {
				return err
			}
			return record(ctx, tx, http.StatusCreated, out.Body)
		})
		return out, err
	})
	handle(a, operation{
		id: "list-coupon-codes", method: http.MethodGet, path: "/coupon-codes", tag: "Coupon codes", scope: access.CatalogRead,
		summary: "List coupon codes that affiliates own", about: "In order of the code.", errors: []int{http.StatusBadRequest},
	}, func(ctx context.Context, in *struct {
		ListInput
		ProgramID string `query:"program_id" required:"true" example:"prg_01J8Z0QK5T2VG"`
	}) (*listOutput[CouponCode], error) {
		program, err := fieldID(ident.Program, "query.program_id", in.ProgramID)
		if err != nil {
			return nil, err
		}
		after := ""
		if in.Cursor != "" {
			if after, err = decodeCursor(couponCodeKind, in.Cursor); err != nil {
				return nil, err
			}
		}
		rows, err := s.Coupons(ctx, program, after, in.Limit+1)
		if err != nil {
			return nil, err
		}
		out := &listOutput[CouponCode]{}
		out.Body.Items = []CouponCode{}
		for _, c := range rows[:min(in.Limit, len(rows))] {
			out.Body.Items = append(out.Body.Items, couponCodeBody(c))
		}
		if len(rows) > in.Limit {
			out.Body.NextCursor = encodeCursor(couponCodeKind, rows[in.Limit-1].Code)
		}
		return out, nil
	})
	handle(a, operation{
		id: "end-coupon-code", method: http.MethodDelete, path: "/coupon-codes/{program}/{code}", tag: "Coupon codes", scope: access.CatalogWrite,
		status: http.StatusNoContent, summary: "Take a coupon code from its owner", about: "What was attributed by it stays.", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *struct {
		Program string `path:"program" example:"prg_01J8Z0QK5T2VG"`
		Code    string `path:"code" maxLength:"64" example:"SPRING"`
	}) (*struct{}, error) {
		program, err := pathID(ident.Program, in.Program)
		if err != nil {
			return nil, err
		}
		return nil, s.EndCoupon(ctx, program, in.Code, func(tx *db.Tx, c attribution.Coupon) error {
			return a.audited(ctx, tx, "coupon_code.end", ident.Program, c.ProgramID, couponCodeBody(c), nil)
		})
	})
}

func couponCodeBody(c attribution.Coupon) CouponCode {
	return CouponCode{
		ProgramID: ident.Format(ident.Program, c.ProgramID), Code: c.Code, AffiliateID: ident.Format(ident.Affiliate, c.AffiliateID), CreatedAt: timeOf(c.CreatedAt),
	}
}

package api

import (
	"context"
	"net/http"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/shop"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/money"
)

// Coupon takes something off an order.
type Coupon struct {
	ID             string            `json:"id" example:"cpn_01J8Z0QK5T2VG"`
	Code           string            `json:"code" example:"DIWALI20" doc:"In upper case; buyers may write it in any"`
	PercentBP      int64             `json:"percent_bp" example:"2000" doc:"Share of the price, in basis points; 0: a flat one"`
	Amounts        []money.Amount    `json:"amounts" nullable:"false" doc:"Of a flat one: off the order, one a currency"`
	ProductIDs     []string          `json:"product_ids" nullable:"false" example:"[\"prd_01J8Z0QK5T2VG\"]" doc:"That it is for; empty: all"`
	MaxUses        int64             `json:"max_uses" example:"500" doc:"0: no limit"`
	MaxPerCustomer int64             `json:"max_per_customer" example:"1" doc:"0: no limit"`
	Used           int64             `json:"used" example:"17" doc:"By orders that are paid, or may still be"`
	AffiliateID    string            `json:"affiliate_id" example:"aff_01J8Z0QK5T2VG" doc:"Who owns it: orders with it belong to this affiliate; empty: the business"`
	StartsAt       *Time             `json:"starts_at" nullable:"true"`
	EndsAt         *Time             `json:"ends_at" nullable:"true"`
	Status         shop.CouponStatus `json:"status" enum:"active,disabled"`
	CreatedAt      Time              `json:"created_at"`
	UpdatedAt      Time              `json:"updated_at"`
}

// CouponRequest asks for a coupon.
type CouponRequest struct {
	Code           string         `json:"code" minLength:"3" maxLength:"40" example:"DIWALI20" doc:"A-Z 0-9 - _, in any case"`
	PercentBP      int64          `json:"percent_bp,omitempty" minimum:"1" maximum:"10000" example:"2000"`
	Amounts        []money.Amount `json:"amounts,omitempty" maxItems:"30" nullable:"false"`
	ProductIDs     []string       `json:"product_ids,omitempty" maxItems:"200" nullable:"false" example:"[\"prd_01J8Z0QK5T2VG\"]"`
	MaxUses        int64          `json:"max_uses,omitempty" minimum:"0" example:"500"`
	MaxPerCustomer int64          `json:"max_per_customer,omitempty" minimum:"0" example:"1"`
	AffiliateID    string         `json:"affiliate_id,omitempty" example:"aff_01J8Z0QK5T2VG"`
	StartsAt       *Time          `json:"starts_at,omitempty"`
	EndsAt         *Time          `json:"ends_at,omitempty"`
}

// CouponChange changes what is present; the code cannot be changed.
type CouponChange struct {
	PercentBP      *int64             `json:"percent_bp,omitempty" minimum:"0" maximum:"10000" example:"2000"`
	Amounts        []money.Amount     `json:"amounts,omitempty" maxItems:"30" nullable:"false"`
	ProductIDs     []string           `json:"product_ids,omitempty" maxItems:"200" nullable:"false" example:"[\"prd_01J8Z0QK5T2VG\"]"`
	MaxUses        *int64             `json:"max_uses,omitempty" minimum:"0" example:"500"`
	MaxPerCustomer *int64             `json:"max_per_customer,omitempty" minimum:"0" example:"1"`
	AffiliateID    *string            `json:"affiliate_id,omitempty" example:"aff_01J8Z0QK5T2VG" doc:"Empty: the business. Orders that were made stay whose they are"`
	StartsAt       Nullable[Time]     `json:"starts_at,omitempty"`
	EndsAt         Nullable[Time]     `json:"ends_at,omitempty"`
	Status         *shop.CouponStatus `json:"status,omitempty" enum:"active,disabled" example:"disabled"`
}

// CouponPath names one coupon.
type CouponPath struct {
	ID string `path:"id" example:"cpn_01J8Z0QK5T2VG"`
}

type couponList struct {
	ListInput
	Code        string `query:"code" maxLength:"40" example:"DIWALI20"`
	AffiliateID string `query:"affiliate_id" example:"aff_01J8Z0QK5T2VG"`
}

type couponOutput struct{ Body Coupon }

func couponOperations(a *API, s *shop.Service) {
	handle(a, operation{
		id: "list-coupons", method: http.MethodGet, path: "/coupons", tag: "Shop", scope: access.ShopRead,
		summary: "List coupons", about: "The newest first.", errors: []int{http.StatusBadRequest},
	}, func(ctx context.Context, in *couponList) (*listOutput[Coupon], error) {
		before, err := in.after(ident.Coupon)
		if err != nil {
			return nil, err
		}
		affiliate, err := fieldID(ident.Affiliate, "query.affiliate_id", in.AffiliateID)
		if err != nil {
			return nil, err
		}
		rows, err := s.Coupons(ctx, shop.CouponFilter{Code: in.Code, AffiliateID: affiliate, Before: before, Limit: in.Limit + 1})
		if err != nil {
			return nil, err
		}
		return page(ident.Coupon, in.Limit, rows, func(c shop.Coupon) int64 { return c.ID }, couponBody), nil
	})
	handle(a, operation{
		id: "get-coupon", method: http.MethodGet, path: "/coupons/{id}", tag: "Shop", scope: access.ShopRead,
		summary: "Get a coupon", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *CouponPath) (*couponOutput, error) {
		id, err := pathID(ident.Coupon, in.ID)
		if err != nil {
			return nil, err
		}
		c, err := s.Coupon(ctx, id)
		return &couponOutput{couponBody(c)}, err
	})
	handle(a, operation{
		id: "create-coupon", method: http.MethodPost, path: "/coupons", tag: "Shop", scope: access.ShopWrite, status: http.StatusCreated,
		summary: "Create a coupon", about: "Either percent_bp or amounts.", errors: []int{http.StatusConflict},
	}, func(ctx context.Context, in *struct{ Body CouponRequest }) (*couponOutput, error) {
		c, err := in.Body.coupon()
		if err != nil {
			return nil, err
		}
		out := &couponOutput{}
		_, err = s.CreateCoupon(ctx, c, func(tx *db.Tx, c shop.Coupon) error {
			out.Body = couponBody(c)
			return record(ctx, tx, http.StatusCreated, out.Body)
		})
		return out, err
	})
	handle(a, operation{
		id: "update-coupon", method: http.MethodPatch, path: "/coupons/{id}", tag: "Shop", scope: access.ShopWrite,
		summary: "Change a coupon", about: "Orders that were made keep their discount.", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *struct {
		CouponPath
		Body CouponChange
	}) (*couponOutput, error) {
		id, err := pathID(ident.Coupon, in.ID)
		if err != nil {
			return nil, err
		}
		change, err := in.Body.change()
		if err != nil {
			return nil, err
		}
		c, err := s.UpdateCoupon(ctx, id, change)
		return &couponOutput{couponBody(c)}, err
	})
}

func (r *CouponRequest) coupon() (shop.Coupon, error) {
	affiliate, err1 := fieldID(ident.Affiliate, "body.affiliate_id", r.AffiliateID)
	products, err2 := productIDs("body.product_ids", r.ProductIDs)
	amounts, err3 := pricesOf("body.amounts", r.Amounts)
	starts, err4 := timeOrZero("body.starts_at", r.StartsAt)
	ends, err5 := timeOrZero("body.ends_at", r.EndsAt)
	return shop.Coupon{
		Code: r.Code, PercentBP: r.PercentBP, Amounts: amounts, Products: products, MaxUses: r.MaxUses, MaxPerCustomer: r.MaxPerCustomer,
		AffiliateID: affiliate, StartsAt: starts, EndsAt: ends,
	}, invalidAll(err1, err2, err3, err4, err5)
}

func (c *CouponChange) change() (shop.CouponChange, error) {
	out := shop.CouponChange{PercentBP: c.PercentBP, MaxUses: c.MaxUses, MaxPerCustomer: c.MaxPerCustomer, Status: c.Status}
	var errs [5]error
	if c.AffiliateID != nil {
		var id int64
		id, errs[0] = fieldID(ident.Affiliate, "body.affiliate_id", *c.AffiliateID)
		out.AffiliateID = &id
	}
	if c.ProductIDs != nil {
		out.Products, errs[1] = productIDs("body.product_ids", c.ProductIDs)
	}
	if c.Amounts != nil {
		out.Amounts, errs[2] = pricesOf("body.amounts", c.Amounts)
	}
	if c.StartsAt.Sent {
		var at int64
		at, errs[3] = timeOrZero("body.starts_at", c.StartsAt.Value)
		out.StartsAt = &at
	}
	if c.EndsAt.Sent {
		var at int64
		at, errs[4] = timeOrZero("body.ends_at", c.EndsAt.Value)
		out.EndsAt = &at
	}
	return out, invalidAll(errs[:]...)
}

// timeOrZero is parseTime of a time that may be absent.
func timeOrZero(location string, t *Time) (int64, error) {
	if t == nil {
		return 0, nil
	}
	return parseTime(location, *t)
}

func couponBody(c shop.Coupon) Coupon {
	return Coupon{
		ID: ident.Format(ident.Coupon, c.ID), Code: c.Code, PercentBP: c.PercentBP, Amounts: amountsOf(c.Amounts), ProductIDs: identsOf(ident.Product, c.Products),
		MaxUses: c.MaxUses, MaxPerCustomer: c.MaxPerCustomer, Used: c.Used, AffiliateID: identOrNone(ident.Affiliate, c.AffiliateID),
		StartsAt: timeOrNil(c.StartsAt), EndsAt: timeOrNil(c.EndsAt), Status: c.Status, CreatedAt: timeOf(c.CreatedAt), UpdatedAt: timeOf(c.UpdatedAt),
	}
}

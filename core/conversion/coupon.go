package conversion

import (
	"context"

	"github.com/edgeref/edgeref/core/attribution"
	"github.com/edgeref/edgeref/core/db"
)

// GiveCoupon lets an affiliate own a coupon code in a program: conversions that name it may become his. The functions in
// also run in the same transaction.
func (s *Service) GiveCoupon(ctx context.Context, c attribution.Coupon, also ...func(*db.Tx, attribution.Coupon) error) (attribution.Coupon, error) {
	c.CreatedAt = s.now().UnixMilli()
	return s.attribution.GiveCoupon(ctx, s.db, c, also...)
}

// EndCoupon takes a code from its owner; what was attributed by it stays.
func (s *Service) EndCoupon(ctx context.Context, programID int64, code string, also ...func(*db.Tx, attribution.Coupon) error) error {
	return s.attribution.EndCoupon(ctx, s.db, programID, code, s.now().UnixMilli(), also...)
}

// Coupons returns the codes of a program that are owned, in order, those after one code.
func (s *Service) Coupons(ctx context.Context, programID int64, after string, limit int) ([]attribution.Coupon, error) {
	return s.attribution.Coupons(ctx, s.db, programID, after, limit)
}

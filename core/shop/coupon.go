package shop

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/ident"
)

// CouponStatus of a coupon.
type CouponStatus string

// Statuses of a coupon.
const (
	CouponActive   CouponStatus = "active"
	CouponDisabled CouponStatus = "disabled"
)

// Coupon takes something off. One that an affiliate owns also says whom the order belongs to.
type Coupon struct {
	ID             int64
	Code           string           // in upper case; it is compared without regard to case
	PercentBP      int64            // 0: a flat one
	Amounts        map[string]int64 // of a flat one: minor units by currency, off the order once
	Products       []int64          // that it is for; none: all. A bundle counts as itself
	MaxUses        int64            // 0: no limit
	MaxPerCustomer int64            // 0: no limit
	Used           int64            // by orders that are paid, or may still be
	AffiliateID    int64            // who owns it; 0: the business
	StartsAt       int64            // Unix ms
	EndsAt         int64            // Unix ms; 0: never
	Status         CouponStatus
	CreatedAt      int64 // Unix ms
	UpdatedAt      int64
}

// CouponChange changes what is not nil. What orders were given stays theirs.
type CouponChange struct {
	PercentBP, MaxUses, MaxPerCustomer, AffiliateID, StartsAt, EndsAt *int64
	Amounts                                                           map[string]int64
	Products                                                          []int64
	Status                                                            *CouponStatus
}

func (c CouponChange) apply(k *Coupon) {
	set(&k.PercentBP, c.PercentBP)
	set(&k.MaxUses, c.MaxUses)
	set(&k.MaxPerCustomer, c.MaxPerCustomer)
	set(&k.AffiliateID, c.AffiliateID)
	set(&k.StartsAt, c.StartsAt)
	set(&k.EndsAt, c.EndsAt)
	set(&k.Status, c.Status)
	if c.Amounts != nil {
		k.Amounts = c.Amounts
	}
	if c.Products != nil {
		k.Products = c.Products
	}
}

// CouponReason says why a coupon does not count for an order.
type CouponReason string

// Reasons. A buyer is told; a disabled coupon is as unknown to him as one that never was.
const (
	CouponUnknown     CouponReason = "coupon_unknown"
	CouponNotYet      CouponReason = "coupon_not_yet_valid"
	CouponOver        CouponReason = "coupon_expired"
	CouponUsedUp      CouponReason = "coupon_used_up"
	CouponUsedByBuyer CouponReason = "coupon_used_by_customer"
	CouponNotForThis  CouponReason = "coupon_not_for_products"
)

// CouponError refuses an order because of its coupon.
type CouponError struct{ Reason CouponReason }

// Error implements error.
func (e *CouponError) Error() string {
	switch e.Reason {
	case CouponUnknown:
		return "there is no such coupon"
	case CouponNotYet:
		return "the coupon is not valid yet"
	case CouponOver:
		return "the coupon is not valid any more"
	case CouponUsedUp:
		return "the coupon has been used as often as it may"
	case CouponUsedByBuyer:
		return "this customer has used the coupon as often as one may"
	case CouponNotForThis:
		return "the coupon is not for these products, or not in this currency"
	}
	return string(e.Reason)
}

// couponCode is the form in which codes are compared.
func couponCode(text string) string { return strings.ToUpper(strings.TrimSpace(text)) }

func (c *Coupon) check() error {
	var k checker
	bad := strings.ContainsFunc(c.Code, func(r rune) bool {
		return (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
	})
	if len(c.Code) < 3 || len(c.Code) > maxCode || bad {
		k.fail("code", "must have 3 to %d characters of A-Z 0-9 - _", maxCode)
	}
	k.prices("amounts", c.Amounts, 1)
	switch {
	case c.PercentBP < 0 || c.PercentBP > 10_000:
		k.fail("percent_bp", "must be 1 to 10000")
	case c.PercentBP == 0 && len(c.Amounts) == 0:
		k.fail("percent_bp", "or amounts must be given")
	case c.PercentBP > 0 && len(c.Amounts) > 0:
		k.fail("percent_bp", "and amounts cannot both be given")
	}
	if len(c.Products) > maxProducts || !distinct(c.Products) {
		k.fail("product_ids", "must be at most %d different products", maxProducts)
	}
	if c.MaxUses < 0 {
		k.fail("max_uses", "must not be negative")
	}
	if c.MaxPerCustomer < 0 {
		k.fail("max_per_customer", "must not be negative")
	}
	if c.EndsAt != 0 && c.EndsAt <= c.StartsAt {
		k.fail("ends_at", "must be later than starts_at")
	}
	if c.Status != CouponActive && c.Status != CouponDisabled {
		k.fail("status", "must be active or disabled")
	}
	return k.err()
}

func (c *Coupon) checkReferences(ctx context.Context, tx *db.Tx) error {
	var k checker
	if c.AffiliateID != 0 {
		var n int64
		if err := tx.QueryRow(ctx, "SELECT COUNT(*) FROM affiliates WHERE id = ?", c.AffiliateID).Scan(&n); err != nil {
			return fmt.Errorf("read affiliate: %w", err)
		}
		if n == 0 {
			k.fail("affiliate_id", "there is no such affiliate")
		}
	}
	if len(c.Products) > 0 {
		var n int
		if err := tx.QueryRow(ctx, "SELECT COUNT(*) FROM products WHERE id IN "+db.In(len(c.Products)), anys(c.Products)...).Scan(&n); err != nil {
			return fmt.Errorf("read products: %w", err)
		}
		if n != len(c.Products) {
			k.fail("product_ids", "names a product that there is not")
		}
	}
	return k.err()
}

// CreateCoupon makes a coupon; id, count and times of c are ignored, and an empty status is CouponActive. Functions in
// also run at the end of its transaction. Errors: *InvalidError, ErrCodeTaken.
func (s *Service) CreateCoupon(ctx context.Context, c Coupon, also ...func(*db.Tx, Coupon) error) (Coupon, error) {
	c.Code, c.Used = couponCode(c.Code), 0
	if c.Status == "" {
		c.Status = CouponActive
	}
	if err := c.check(); err != nil {
		return Coupon{}, err
	}
	c.ID = s.ids.New()
	err := s.db.InTx(ctx, func(tx *db.Tx) error {
		c.CreatedAt = s.now().UnixMilli()
		c.UpdatedAt = c.CreatedAt
		if err := c.checkReferences(ctx, tx); err != nil {
			return err
		}
		made, err := tx.TryInsert(ctx, `INSERT INTO coupons (id, code, percent_bp, amounts, products, max_uses, max_per_customer, used, affiliate_id,
			starts_at, ends_at, status, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?)`, c.ID, c.Code, c.PercentBP, encode(c.amounts()),
			encode(orEmpty(c.Products)), c.MaxUses, c.MaxPerCustomer, c.AffiliateID, c.StartsAt, c.EndsAt, c.Status, c.CreatedAt, c.UpdatedAt)
		if err != nil {
			return fmt.Errorf("store coupon: %w", err)
		}
		if !made {
			return ErrCodeTaken
		}
		if err := s.audit(ctx, tx, "coupon.create", ident.Format(ident.Coupon, c.ID), nil, c, ""); err != nil {
			return err
		}
		return runAll(tx, c, also)
	})
	if err != nil {
		return Coupon{}, err
	}
	return c, nil
}

func (c *Coupon) amounts() map[string]int64 {
	if c.Amounts == nil {
		return map[string]int64{}
	}
	return c.Amounts
}

// UpdateCoupon changes a coupon. Errors: ErrNotFound, *InvalidError.
func (s *Service) UpdateCoupon(ctx context.Context, id int64, change CouponChange) (c Coupon, err error) {
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		before, err := readCoupon(ctx, tx, "id = ?"+tx.Dialect().ForUpdate(), id)
		if err != nil {
			return err
		}
		c = before
		change.apply(&c)
		c.UpdatedAt = s.now().UnixMilli()
		if err := c.check(); err != nil {
			return err
		}
		if err := c.checkReferences(ctx, tx); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE coupons SET percent_bp = ?, amounts = ?, products = ?, max_uses = ?, max_per_customer = ?, affiliate_id = ?,
			starts_at = ?, ends_at = ?, status = ?, updated_at = ? WHERE id = ?`, c.PercentBP, encode(c.amounts()), encode(orEmpty(c.Products)), c.MaxUses,
			c.MaxPerCustomer, c.AffiliateID, c.StartsAt, c.EndsAt, c.Status, c.UpdatedAt, id); err != nil {
			return fmt.Errorf("store coupon: %w", err)
		}
		return s.audit(ctx, tx, "coupon.update", ident.Format(ident.Coupon, id), before, c, "")
	})
	if err != nil {
		return Coupon{}, err
	}
	return c, nil
}

// Coupon returns a coupon, or ErrNotFound.
func (s *Service) Coupon(ctx context.Context, id int64) (Coupon, error) {
	return readCoupon(ctx, s.db, "id = ?", id)
}

// CouponFilter selects coupons; zero values select all.
type CouponFilter struct {
	Code        string
	AffiliateID int64
	Before      int64 // identifiers below this only
	Limit       int
}

// Coupons returns coupons, the newest first.
func (s *Service) Coupons(ctx context.Context, f CouponFilter) ([]Coupon, error) {
	q := filter{where: "id < ?", args: []any{below(f.Before)}}
	q.add("code = ?", couponCode(f.Code), f.Code != "")
	q.add("affiliate_id = ?", f.AffiliateID, f.AffiliateID != 0)
	return readCoupons(ctx, s.db, q.where+" ORDER BY id DESC LIMIT ?", append(q.args, f.Limit)...)
}

func readCoupon(ctx context.Context, q db.Querier, rest string, args ...any) (Coupon, error) {
	list, err := readCoupons(ctx, q, rest, args...)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Coupon{}, err
	}
	return list[0], nil
}

func readCoupons(ctx context.Context, q db.Querier, rest string, args ...any) ([]Coupon, error) {
	rows, err := q.Query(ctx, `SELECT id, code, percent_bp, amounts, products, max_uses, max_per_customer, used, affiliate_id, starts_at, ends_at,
		status, created_at, updated_at FROM coupons WHERE `+rest, args...)
	if err != nil {
		return nil, fmt.Errorf("read coupons: %w", err)
	}
	defer rows.Close()
	var out []Coupon
	for rows.Next() {
		var c Coupon
		var amounts, products string
		if err := rows.Scan(&c.ID, &c.Code, &c.PercentBP, &amounts, &products, &c.MaxUses, &c.MaxPerCustomer, &c.Used, &c.AffiliateID,
			&c.StartsAt, &c.EndsAt, &c.Status, &c.CreatedAt, &c.UpdatedAt); err != nil {
			return nil, fmt.Errorf("read coupons: %w", err)
		}
		if err := decodeAll(amounts, &c.Amounts, products, &c.Products); err != nil {
			return nil, fmt.Errorf("read coupons: %w", err)
		}
		out = append(out, c)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read coupons: %w", err)
	}
	return out, nil
}

// couponFor is the coupon that a code names, if it counts for customer at the time; otherwise a *CouponError. With lock
// it is locked, so that the uses stay what they are until the transaction ends. customer may be empty in a quote.
func couponFor(ctx context.Context, q db.Querier, code, customer string, now int64, lock string) (*Coupon, error) {
	c, err := readCoupon(ctx, q, "code = ?"+lock, couponCode(code))
	if errors.Is(err, ErrNotFound) {
		return nil, &CouponError{CouponUnknown}
	}
	if err != nil {
		return nil, err
	}
	switch {
	case c.Status != CouponActive:
		return nil, &CouponError{CouponUnknown}
	case now < c.StartsAt:
		return nil, &CouponError{CouponNotYet}
	case c.EndsAt != 0 && now >= c.EndsAt:
		return nil, &CouponError{CouponOver}
	case c.MaxUses > 0 && c.Used >= c.MaxUses:
		return nil, &CouponError{CouponUsedUp}
	}
	if c.MaxPerCustomer > 0 && customer != "" {
		var n int64
		if err := q.QueryRow(ctx, "SELECT COUNT(*) FROM coupon_redemptions WHERE coupon_id = ? AND customer_key = ? AND state <> 'released'",
			c.ID, customer).Scan(&n); err != nil {
			return nil, fmt.Errorf("count uses of coupon: %w", err)
		}
		if n >= c.MaxPerCustomer {
			return nil, &CouponError{CouponUsedByBuyer}
		}
	}
	return &c, nil
}

// isFor reports whether the coupon is for a product or bundle.
func (c *Coupon) isFor(product int64) bool {
	return len(c.Products) == 0 || slices.Contains(c.Products, product)
}

// redeem counts a use of a coupon that the transaction has locked.
func redeem(ctx context.Context, tx *db.Tx, c *Coupon, orderID int64, customer string, now int64) error {
	if _, err := tx.Exec(ctx, "INSERT INTO coupon_redemptions (order_id, coupon_id, customer_key, state, created_at) VALUES (?, ?, ?, 'held', ?)",
		orderID, c.ID, customer, now); err != nil {
		return fmt.Errorf("redeem coupon: %w", err)
	}
	if _, err := tx.Exec(ctx, "UPDATE coupons SET used = used + 1 WHERE id = ?", c.ID); err != nil {
		return fmt.Errorf("redeem coupon: %w", err)
	}
	return nil
}

// moveRedemption brings the use of an order's coupon into a state. The order must be locked. A use that was released and
// is paid after all counts again, also beyond the limit: the buyer was promised the price.
func moveRedemption(ctx context.Context, tx *db.Tx, o *Order, to string) error {
	if o.CouponID == 0 {
		return nil
	}
	var from string
	err := tx.QueryRow(ctx, "SELECT state FROM coupon_redemptions WHERE order_id = ?", o.ID).Scan(&from)
	if err != nil {
		return fmt.Errorf("read use of coupon: %w", err)
	}
	if _, err := tx.Exec(ctx, "UPDATE coupon_redemptions SET state = ? WHERE order_id = ?", to, o.ID); err != nil {
		return fmt.Errorf("move use of coupon: %w", err)
	}
	change := 0
	switch {
	case from != "released" && to == "released":
		change = -1
	case from == "released" && to != "released":
		change = 1
	}
	if change != 0 {
		if _, err := tx.Exec(ctx, "UPDATE coupons SET used = used + ? WHERE id = ?", change, o.CouponID); err != nil {
			return fmt.Errorf("count use of coupon: %w", err)
		}
	}
	return nil
}

package attribution

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/edgeref/edgeref/core/catalog"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/click"
)

// Errors about coupons, for errors.Is.
var (
	ErrCoupon         = errors.New("invalid coupon code")
	ErrCouponTaken    = errors.New("the coupon code belongs to another affiliate of the program; end it first")
	ErrCouponNotFound = errors.New("no such coupon code")
)

// MaxCoupon is the longest coupon code, in bytes.
const MaxCoupon = 64

// PolicyOf is the policy that a program's fields make.
func PolicyOf(windowDays int64, model string, terms *catalog.Terms) Policy {
	p := Policy{
		Model: Model(model), Window: Days(windowDays), Bind: Binding(terms.Bind), BindFor: Days(int64(terms.BindDays)),
		Lifetime: terms.Lifetime, SelfBuys: terms.SelfPurchases,
	}
	for _, s := range terms.Precedence {
		p.Precedence = append(p.Precedence, Source(s))
	}
	return p
}

// kept reads the touches of a customer within the window, those first that the model prefers.
func (s *Service) kept(ctx context.Context, q db.Querier, policy *Policy, r *Request) ([]click.ID, error) {
	order := " ORDER BY clicked_at DESC, click_id DESC LIMIT ?"
	if policy.Model == FirstClick {
		order = " ORDER BY clicked_at, click_id LIMIT ?"
	}
	rows, err := q.Query(ctx, "SELECT click_id FROM touches WHERE program_id = ? AND customer = ? AND clicked_at >= ?"+order,
		r.ProgramID, r.CustomerKey, r.At-policy.Window.Milliseconds(), MaxTouches)
	if err != nil {
		return nil, fmt.Errorf("read touches: %w", err)
	}
	defer rows.Close()
	var out []click.ID
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, fmt.Errorf("read touches: %w", err)
		}
		id, err := click.ParseID(text)
		if err != nil {
			return nil, fmt.Errorf("read touches: %w", err)
		}
		out = append(out, id)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read touches: %w", err)
	}
	return out, nil
}

// Keep remembers in tx the clicks that a customer brought along, so that a later decision can look at them too. Clicks
// that do not verify are left out; those kept already stay.
func (s *Service) Keep(ctx context.Context, tx *db.Tx, programID int64, customer string, touches []click.ID, now int64) error {
	if customer == "" {
		return nil
	}
	for _, id := range touches[:min(len(touches), MaxTouches)] {
		if id.IsZero() || s.keys.Verify(id) != nil {
			continue
		}
		_, err := tx.Exec(ctx, "INSERT INTO touches (program_id, customer, clicked_at, click_id, affiliate_id, seen_at) VALUES (?, ?, ?, ?, ?, ?)"+
			tx.Dialect().Upsert([]string{"program_id", "customer", "clicked_at", "click_id"}),
			programID, customer, id.UnixMilli(), id.String(), id.AffiliateID(), now)
		if err != nil {
			return fmt.Errorf("keep touch: %w", err)
		}
	}
	return nil
}

// binding is the claim of the affiliate to whom the customer is bound; nil where he is bound to nobody.
func binding(ctx context.Context, q db.Querier, r *Request) (*Claim, error) {
	if r.CustomerKey == "" {
		return nil, nil
	}
	var c Claim
	var status *string
	err := q.QueryRow(ctx, `SELECT b.affiliate_id, b.link_id, b.bound_at, a.status FROM customer_bindings b
		LEFT JOIN affiliates a ON a.id = b.affiliate_id WHERE b.program_id = ? AND b.customer = ?`, r.ProgramID, r.CustomerKey).
		Scan(&c.AffiliateID, &c.LinkID, &c.At, &status)
	if db.IsNoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read to whom a customer is bound: %w", err)
	}
	c.Suspended = status == nil || *status != string(catalog.Active)
	return &c, nil
}

// Bound is what binds a customer.
type Bound struct {
	ProgramID    int64
	Customer     string
	AffiliateID  int64
	LinkID       int64
	ConversionID int64
	At           int64 // Unix ms
}

// Bind binds a customer in tx, unless he is bound already and that has not ended.
func Bind(ctx context.Context, tx *db.Tx, policy *Policy, b Bound) error {
	made, err := tx.TryInsert(ctx, `INSERT INTO customer_bindings (program_id, customer, affiliate_id, link_id, conversion_id, bound_at)
		VALUES (?, ?, ?, ?, ?, ?)`, b.ProgramID, b.Customer, b.AffiliateID, b.LinkID, b.ConversionID, b.At)
	if err != nil {
		return fmt.Errorf("bind customer: %w", err)
	}
	if made || policy.Lifetime {
		return nil
	}
	_, err = tx.Exec(ctx, `UPDATE customer_bindings SET affiliate_id = ?, link_id = ?, conversion_id = ?, bound_at = ?
		WHERE program_id = ? AND customer = ? AND bound_at < ?`,
		b.AffiliateID, b.LinkID, b.ConversionID, b.At, b.ProgramID, b.Customer, b.At-policy.bindFor().Milliseconds())
	if err != nil {
		return fmt.Errorf("bind customer: %w", err)
	}
	return nil
}

// Rebind lets a binding follow the conversion that made it to another affiliate, or ends it for 0.
func Rebind(ctx context.Context, tx *db.Tx, programID int64, customer string, conversionID, affiliateID int64) error {
	query, args := "UPDATE customer_bindings SET affiliate_id = ?, link_id = 0 WHERE program_id = ? AND customer = ? AND conversion_id = ?",
		[]any{affiliateID, programID, customer, conversionID}
	if affiliateID == 0 {
		query, args = "DELETE FROM customer_bindings WHERE program_id = ? AND customer = ? AND conversion_id = ?", args[1:]
	}
	if _, err := tx.Exec(ctx, query, args...); err != nil {
		return fmt.Errorf("bind customer to somebody else: %w", err)
	}
	return nil
}

// Coupon is a code by which conversions of a program are attributed to an affiliate.
type Coupon struct {
	ProgramID   int64
	Code        string // upper case
	AffiliateID int64
	CreatedAt   int64 // Unix ms
}

// couponCode is the form in which codes are compared.
func couponCode(text string) string { return strings.ToUpper(strings.TrimSpace(text)) }

// owner is who owns a coupon code in a program; 0: nobody.
func owner(ctx context.Context, q db.Querier, programID int64, code string) (int64, error) {
	var id int64
	err := q.QueryRow(ctx, "SELECT affiliate_id FROM coupon_owners WHERE program_id = ? AND code = ? AND ended_at = 0", programID, couponCode(code)).Scan(&id)
	if err != nil && !db.IsNoRows(err) {
		return 0, fmt.Errorf("read the owner of a coupon: %w", err)
	}
	return id, nil
}

// GiveCoupon lets an affiliate own a code in a program, also one that ended before. The functions in also run in the
// same transaction.
func (s *Service) GiveCoupon(ctx context.Context, d *db.DB, c Coupon, also ...func(*db.Tx, Coupon) error) (Coupon, error) {
	c.Code = couponCode(c.Code)
	if c.Code == "" || len(c.Code) > MaxCoupon || strings.ContainsFunc(c.Code, func(r rune) bool { return r <= ' ' || r == 0x7f || r == 0xfffd }) {
		return Coupon{}, fmt.Errorf("%w: it has 1 to %d bytes and no spaces", ErrCoupon, MaxCoupon)
	}
	err := d.InTx(ctx, func(tx *db.Tx) error {
		if err := parties(ctx, tx, c); err != nil {
			return err
		}
		made, err := tx.TryInsert(ctx, "INSERT INTO coupon_owners (program_id, code, affiliate_id, created_at, ended_at) VALUES (?, ?, ?, ?, 0)",
			c.ProgramID, c.Code, c.AffiliateID, c.CreatedAt)
		if err == nil && !made {
			err = revive(ctx, tx, &c)
		}
		if err != nil {
			return err
		}
		for _, fn := range also {
			if err := fn(tx, c); err != nil {
				return err
			}
		}
		return nil
	})
	return c, err
}

func parties(ctx context.Context, q db.Querier, c Coupon) error {
	var program, affiliate bool
	err := q.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM programs WHERE id = ?), EXISTS (SELECT 1 FROM affiliates WHERE id = ?)", c.ProgramID, c.AffiliateID).
		Scan(&program, &affiliate)
	switch {
	case err != nil:
		return fmt.Errorf("look for program and affiliate: %w", err)
	case !program:
		return fmt.Errorf("%w: there is no such program", ErrCoupon)
	case !affiliate:
		return fmt.Errorf("%w: there is no such affiliate", ErrCoupon)
	}
	return nil
}

// revive gives a code that ended, or belongs to the same affiliate already, to the affiliate of c.
func revive(ctx context.Context, tx *db.Tx, c *Coupon) error {
	var holder, ended int64
	err := tx.QueryRow(ctx, "SELECT affiliate_id, ended_at FROM coupon_owners WHERE program_id = ? AND code = ?"+tx.Dialect().ForUpdate(), c.ProgramID, c.Code).
		Scan(&holder, &ended)
	switch {
	case err != nil:
		return fmt.Errorf("read coupon code: %w", err)
	case ended == 0 && holder != c.AffiliateID:
		return ErrCouponTaken
	}
	_, err = tx.Exec(ctx, "UPDATE coupon_owners SET affiliate_id = ?, created_at = ?, ended_at = 0 WHERE program_id = ? AND code = ?",
		c.AffiliateID, c.CreatedAt, c.ProgramID, c.Code)
	if err != nil {
		return fmt.Errorf("give coupon code: %w", err)
	}
	return nil
}

// EndCoupon takes a code from its owner. What was attributed by it stays.
func (s *Service) EndCoupon(ctx context.Context, d *db.DB, programID int64, code string, now int64, also ...func(*db.Tx, Coupon) error) error {
	return d.InTx(ctx, func(tx *db.Tx) error {
		list, err := coupons(ctx, tx, "program_id = ? AND code = ? AND ended_at = 0"+tx.Dialect().ForUpdate(), programID, couponCode(code))
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return ErrCouponNotFound
		}
		if _, err := tx.Exec(ctx, "UPDATE coupon_owners SET ended_at = ? WHERE program_id = ? AND code = ?", now, programID, list[0].Code); err != nil {
			return fmt.Errorf("end coupon code: %w", err)
		}
		for _, fn := range also {
			if err := fn(tx, list[0]); err != nil {
				return err
			}
		}
		return nil
	})
}

// Coupons returns the codes of a program that are owned, in order, those after one code.
func (s *Service) Coupons(ctx context.Context, q db.Querier, programID int64, after string, limit int) ([]Coupon, error) {
	return coupons(ctx, q, "program_id = ? AND code > ? AND ended_at = 0 ORDER BY code LIMIT ?", programID, after, limit)
}

func coupons(ctx context.Context, q db.Querier, rest string, args ...any) ([]Coupon, error) {
	rows, err := q.Query(ctx, "SELECT program_id, code, affiliate_id, created_at FROM coupon_owners WHERE "+rest, args...)
	if err != nil {
		return nil, fmt.Errorf("read coupon codes: %w", err)
	}
	defer rows.Close()
	var out []Coupon
	for rows.Next() {
		var c Coupon
		if err := rows.Scan(&c.ProgramID, &c.Code, &c.AffiliateID, &c.CreatedAt); err != nil {
			return nil, fmt.Errorf("read coupon codes: %w", err)
		}
		out = append(out, c)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read coupon codes: %w", err)
	}
	return slices.Clip(out), nil
}

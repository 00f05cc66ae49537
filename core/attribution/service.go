package attribution

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/edgeref/edgeref/core/catalog"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/click"
)

const (
	// MaxTouches is how many clicks a request may name, and how many kept ones are looked at beside them; more are ignored.
	MaxTouches = 20
)

// ErrNoProgram says that there is no such program.
var ErrNoProgram = errors.New("attribution: there is no such program")

// Keys verify Click IDs.
type Keys interface{ Verify(id click.ID) error }

// Options are what New needs.
type Options struct {
	Keys Keys
}

// Service decides about conversions whose evidence is in the database. It is safe for concurrent use.
type Service struct {
	keys Keys
}

// New returns a Service.
func New(opts Options) *Service {
	if opts.Keys == nil {
		panic("BUG: attribution needs keys that verify Click IDs")
	}
	return &Service{keys: opts.Keys}
}

// Request asks whom a conversion belongs to.
type Request struct {
	ProgramID int64
	// Touches are the clicks that whoever buys brought along, verified or not, such as the Click ID of the cookie and that
	// of a parameter. Zero IDs and repetitions are ignored. Clicks of the same customer that were kept before are looked
	// at beside them.
	Touches []click.ID
	// Coupon is the coupon as named, and CouponAffiliateID its owner. With a coupon and no owner, the program's own list
	// of affiliates' coupons is asked.
	Coupon            string
	CouponAffiliateID int64
	CustomerKey       string // see conversion.CustomerKey in wire; "": unknown
	BuyerAffiliateID  int64  // the affiliate who buys for himself; 0: none
	At                int64  // of the conversion, Unix ms
	Now               int64  // Unix ms
}

// Decide answers r from what q reads. The decision may be stored, as on an order, and booked later: it is not made
// again then. The error wraps ErrNoProgram where there is no such program.
func (s *Service) Decide(ctx context.Context, q db.Querier, r Request) (Decision, error) {
	policy, err := ReadPolicy(ctx, q, r.ProgramID)
	if err != nil {
		return Decision{}, err
	}
	return s.DecideBy(ctx, q, &policy, r)
}

// DecideBy is Decide for a caller that has the program's policy.
func (s *Service) DecideBy(ctx context.Context, q db.Querier, policy *Policy, r Request) (Decision, error) {
	e := Evidence{ProgramID: r.ProgramID, Buyer: r.BuyerAffiliateID, At: r.At, Now: r.Now}
	if r.CustomerKey != "" {
		kept, err := s.kept(ctx, q, policy, &r)
		if err != nil {
			return Decision{}, err
		}
		r.Touches = append(slices.Clone(r.Touches[:min(len(r.Touches), MaxTouches)]), kept...)
	}
	var err error
	if e.Touches, err = s.touches(ctx, q, r); err != nil {
		return Decision{}, err
	}
	if e.Coupon, err = coupon(ctx, q, r); err != nil {
		return Decision{}, err
	}
	if e.Customer, err = binding(ctx, q, &r); err != nil {
		return Decision{}, err
	}
	return Choose(policy, &e), nil
}

// touches are the clicks of the request, with their links.
func (s *Service) touches(ctx context.Context, q db.Querier, r Request) ([]Touch, error) {
	var out []Touch
	for _, id := range r.Touches {
		if id.IsZero() || slices.ContainsFunc(out, func(t Touch) bool { return t.ClickID == id }) {
			continue
		}
		out = append(out, Touch{ClickID: id, Verified: s.keys.Verify(id) == nil})
	}
	return out, readLinks(ctx, q, out)
}

// readLinks fills in the links of verified clicks.
func readLinks(ctx context.Context, q db.Querier, touches []Touch) error {
	var args []any
	for _, t := range touches {
		if t.Verified {
			args = append(args, t.ClickID.LinkID())
		}
	}
	if len(args) == 0 {
		return nil
	}
	rows, err := q.Query(ctx, `SELECT l.id, l.affiliate_id, l.program_id, l.disabled_at, a.status FROM links l
		JOIN affiliates a ON a.id = l.affiliate_id WHERE l.id IN `+db.In(len(args)), args...)
	if err != nil {
		return fmt.Errorf("read links of clicks: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var l Link
		var status string
		if err := rows.Scan(&l.ID, &l.AffiliateID, &l.ProgramID, &l.DisabledAt, &status); err != nil {
			return fmt.Errorf("read links of clicks: %w", err)
		}
		l.Suspended = status != "active"
		for i := range touches {
			if touches[i].Verified && touches[i].ClickID.LinkID() == l.ID {
				touches[i].Link = &l
			}
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read links of clicks: %w", err)
	}
	return nil
}

// coupon is the claim of the coupon's owner; nil where the request names no coupon.
func coupon(ctx context.Context, q db.Querier, r Request) (*Claim, error) {
	if r.Coupon == "" && r.CouponAffiliateID == 0 {
		return nil, nil
	}
	c := &Claim{Coupon: r.Coupon, AffiliateID: r.CouponAffiliateID}
	var err error
	if c.AffiliateID == 0 {
		c.AffiliateID, err = owner(ctx, q, r.ProgramID, r.Coupon)
	}
	if err != nil || c.AffiliateID == 0 {
		return c, err
	}
	c.Suspended, err = suspended(ctx, q, c.AffiliateID)
	return c, err
}

// suspended reports whether an affiliate cannot earn now.
func suspended(ctx context.Context, q db.Querier, affiliateID int64) (bool, error) {
	var status string
	err := q.QueryRow(ctx, "SELECT status FROM affiliates WHERE id = ?", affiliateID).Scan(&status)
	if errors.Is(err, sql.ErrNoRows) {
		return true, nil // nobody who could be paid
	}
	if err != nil {
		return false, fmt.Errorf("read affiliate: %w", err)
	}
	return status != "active", nil
}

// ReadPolicy reads how a program decides. The error wraps ErrNoProgram where there is no such program.
func ReadPolicy(ctx context.Context, q db.Querier, programID int64) (Policy, error) {
	var days int64
	var model string
	var stored []byte
	err := q.QueryRow(ctx, "SELECT attribution_window_days, attribution_model, terms FROM programs WHERE id = ?", programID).Scan(&days, &model, &stored)
	if errors.Is(err, sql.ErrNoRows) {
		return Policy{}, ErrNoProgram
	}
	if err != nil {
		return Policy{}, fmt.Errorf("read how a program attributes: %w", err)
	}
	terms, err := catalog.ParseTerms(stored)
	if err != nil {
		return Policy{}, err
	}
	return PolicyOf(days, model, &terms), nil
}

// Confirm is a decision that was made before, as it stands now: an affiliate who has been suspended since earns nothing.
func Confirm(ctx context.Context, q db.Querier, d Decision) (Decision, error) {
	if d.AffiliateID == 0 {
		return d, nil
	}
	gone, err := suspended(ctx, q, d.AffiliateID)
	if err != nil || !gone {
		return d, err
	}
	d.AffiliateID, d.LinkID, d.Explanation.Reason = 0, 0, AffiliateSuspended
	return d, nil
}

// Clicks are those that the decision looked at and that are real.
func (e Explanation) Clicks() []click.ID {
	var out []click.ID
	for _, c := range e.Candidates {
		if c.Source != ByClick || c.At == 0 {
			continue
		}
		if id, err := click.ParseID(c.ClickID); err == nil {
			out = append(out, id)
		}
	}
	return out
}

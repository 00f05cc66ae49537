package catalog

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/edgeref/edgeref/wire/money"
)

// FirstClick is the attribution model in which the first click of a customer within the window earns.
const FirstClick = "first_click"

// Limits of a program's terms.
const (
	maxTerms        = 8000 // bytes, as stored
	maxProductHolds = 100
	maxFloors       = 20
	maxBindDays     = 3650
	wholeBP         = 10_000
)

// Terms are what a program says of attribution and commissions beside its other fields. The zero Terms are the defaults.
type Terms struct {
	// Precedence orders what connects a conversion with an affiliate, best first: coupon, click, customer. What is missing
	// never counts. nil: all three, in this order.
	Precedence []string `json:"precedence,omitempty"`
	// Bind says which conversions bind their customer to the affiliate: none, lead or any. "": lead.
	Bind     string `json:"bind,omitempty"`
	BindDays int    `json:"bind_days,omitempty"` // how long; 0: as long as the attribution window
	Lifetime bool   `json:"lifetime,omitempty"`  // for ever
	// SelfPurchases lets an affiliate earn by what he buys himself.
	SelfPurchases bool `json:"self_purchases,omitempty"`
	// RefuseSelfPurchases keeps an affiliate from buying through his own link or coupon: the checkout refuses. Without
	// either he may buy, and nobody earns.
	RefuseSelfPurchases bool   `json:"refuse_self_purchases,omitempty"`
	TimeZone            string `json:"time_zone,omitempty"` // IANA name, for calendar months; "": UTC
	// MaxShareBP bounds all commissions of a line together, in basis points of its net price. nil: nothing bounds them.
	MaxShareBP *int64 `json:"max_share_bp,omitempty"`
	// ProductHolds are holds of single products. The longer of it and the program's counts.
	ProductHolds []ProductHold `json:"product_holds,omitempty"`
	// Floors are payable balances, zero or negative, at most one a currency: a reversal that takes an affiliate below is
	// booked, and kept for review.
	Floors []money.Amount `json:"floors,omitempty"`
}

// ProductHold is how long the commissions on one product are held at least.
type ProductHold struct {
	ProductID int64 `json:"product_id,string"`
	Days      int   `json:"days"`
}

// ParseTerms reads Terms as they are stored.
func ParseTerms(stored []byte) (Terms, error) {
	var t Terms
	if len(stored) == 0 {
		return t, nil
	}
	if err := json.Unmarshal(stored, &t); err != nil {
		return Terms{}, fmt.Errorf("read terms of a program: %w", err)
	}
	return t, nil
}

// stored is the form that ParseTerms reads; the zero Terms are empty.
func (t *Terms) stored() (string, error) {
	b, err := json.Marshal(t)
	if err != nil {
		return "", fmt.Errorf("encode terms of a program: %w", err)
	}
	if string(b) == "{}" {
		return "", nil
	}
	return string(b), nil
}

// Location is the time zone of calendar months.
func (t *Terms) Location() *time.Location {
	loc, err := time.LoadLocation(t.TimeZone)
	if err != nil {
		return time.UTC // checked when it was saved; a machine that does not know it any more still books
	}
	return loc
}

// HoldDays is how long commissions on a product (0: none) are held, with programHold as the least.
func (t *Terms) HoldDays(programHold int, productID int64) int {
	for _, h := range t.ProductHolds {
		if h.ProductID == productID {
			return max(programHold, h.Days)
		}
	}
	return programHold
}

// Floor is the floor in one currency.
func (t *Terms) Floor(currency string) (money.Amount, bool) {
	for _, f := range t.Floors {
		if f.Currency == currency {
			return f, true
		}
	}
	return money.Amount{}, false
}

func (c *checker) terms(t *Terms) {
	for i, source := range t.Precedence {
		if !slices.Contains([]string{"coupon", "click", "customer"}, source) || slices.Contains(t.Precedence[:i], source) {
			c.fail("terms.precedence", "may hold coupon, click and customer, each once")
		}
	}
	oneOf(c, "terms.bind", t.Bind, "", "none", "lead", "any")
	c.between("terms.bind_days", t.BindDays, 0, maxBindDays)
	if _, err := time.LoadLocation(t.TimeZone); err != nil || t.TimeZone == "Local" {
		c.fail("terms.time_zone", "is not a time zone like Asia/Kolkata")
	}
	if share := t.MaxShareBP; share != nil && (*share < 0 || *share > wholeBP) {
		c.fail("terms.max_share_bp", "must be 0 to "+strconv.Itoa(wholeBP))
	}
	if len(t.ProductHolds) > maxProductHolds {
		c.fail("terms.product_holds", "has more than "+strconv.Itoa(maxProductHolds)+" entries")
	}
	for i, h := range t.ProductHolds {
		c.between("terms.product_holds", h.Days, 0, maxHoldDays)
		if h.ProductID <= 0 || slices.ContainsFunc(t.ProductHolds[:i], func(o ProductHold) bool { return o.ProductID == h.ProductID }) {
			c.fail("terms.product_holds", "names a product twice, or none")
		}
	}
	if len(t.Floors) > maxFloors {
		c.fail("terms.floors", "has more than "+strconv.Itoa(maxFloors)+" entries")
	}
	for i, f := range t.Floors {
		if _, err := money.Decimals(f.Currency); err != nil || f.Minor > 0 || f.Minor < -money.MaxMinor ||
			slices.ContainsFunc(t.Floors[:i], func(o money.Amount) bool { return o.Currency == f.Currency }) {
			c.fail("terms.floors", "must be zero or negative, one for each currency")
		}
	}
	if text, err := t.stored(); err != nil || len(text) > maxTerms {
		c.fail("terms", "are larger than "+strconv.Itoa(maxTerms)+" bytes")
	}
}

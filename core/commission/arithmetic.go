package commission

import (
	"fmt"

	"github.com/edgeref/edgeref/wire/conversion"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/money"
)

// rounding names what money.Amount.Ratio does, for whoever reads an explanation.
const rounding = "half away from zero"

// Explanation is the arithmetic of a commission, frozen when it was made. Reversals follow it whatever becomes of the
// rule.
type Explanation struct {
	RuleID      string          `json:"rule_id"`
	RuleVersion int64           `json:"rule_version"`
	ForAll      bool            `json:"for_all"` // the program's rule; else the affiliate's own
	On          conversion.Type `json:"on"`
	PercentBP   int64           `json:"percent_bp,omitempty"`
	Flat        *money.Amount   `json:"flat,omitempty"`
	Base        *money.Amount   `json:"base,omitempty"` // the sale; nil for a lead
	Rounding    string          `json:"rounding,omitempty"`
	Result      money.Amount    `json:"result"`
}

// Text is the arithmetic in plain words.
func (e Explanation) Text() string {
	scope := "the affiliate's own rule"
	if e.ForAll {
		scope = "the program's rule"
	}
	rule := fmt.Sprintf("%s %s, version %d", scope, e.RuleID, e.RuleVersion)
	if e.Flat != nil {
		return fmt.Sprintf("%s for each %s, by %s.", e.Flat, e.On, rule)
	}
	return fmt.Sprintf("%d.%02d %% of %s = %s (rounded %s), by %s.", e.PercentBP/100, e.PercentBP%100, e.Base, e.Result, e.Rounding, rule)
}

// earn applies a rule to a sale or lead. ok is false where the rule pays another currency than the sale's.
func earn(r *Rule, base *money.Amount) (e Explanation, ok bool, err error) {
	e = Explanation{
		RuleID: ident.Format(ident.Rule, r.ID), RuleVersion: r.Version, ForAll: r.AffiliateID == 0, On: r.On,
		PercentBP: r.Terms.PercentBP, Flat: r.Terms.Flat, Base: base,
	}
	switch {
	case e.Flat != nil && base != nil && base.Currency != e.Flat.Currency:
		return e, false, nil
	case e.Flat != nil:
		e.Result = *e.Flat
		return e, true, nil
	case base == nil:
		return e, false, fmt.Errorf("%w: rule %s takes a share of a lead", ErrRule, e.RuleID)
	}
	e.Rounding = rounding
	e.Result, err = base.BasisPoints(e.PercentBP)
	return e, err == nil, err
}

// Arithmetic is that of a reversal: by how much what is reversed in all grows to.
type Arithmetic struct {
	All      bool          `json:"all,omitempty"`      // nothing of the sale is left
	Refunded *money.Amount `json:"refunded,omitempty"` // of the sale, by all its refunds up to this one
	Due      money.Amount  `json:"due"`                // to be reversed in all up to here
	Before   money.Amount  `json:"before"`             // reversed before
	Result   money.Amount  `json:"result"`             // Due - Before
}

// Text is the arithmetic in plain words.
func (a Arithmetic) Text() string {
	if a.All {
		return fmt.Sprintf("Nothing of it is left, so all of %s is taken back; %s had been before: %s.", a.Due, a.Before, a.Result)
	}
	return fmt.Sprintf("%s of the sale are refunded in all, for which %s was paid; %s had been taken back before: %s.", a.Refunded, a.Due, a.Before, a.Result)
}

// reverse computes the reversal after refunds of refunded minor units in all (or of everything). It rounds the sum of
// all refunds and not each of them, so refunds that come to the whole sale, in whatever parts, take back exactly the
// commission, and their order does not matter.
func (e Explanation) reverse(before, refunded int64, all bool) (Arithmetic, error) {
	amount := func(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: e.Result.Currency} }
	a := Arithmetic{All: all, Before: amount(before), Due: e.Result}
	if !all {
		if e.Base == nil || refunded < 0 || refunded >= e.Base.Minor {
			return a, fmt.Errorf("reverse commission: %d minor units refunded is not a part of the sale", refunded)
		}
		part := money.Amount{Minor: refunded, Currency: e.Base.Currency}
		var err error
		if e.Flat == nil {
			a.Due, err = part.BasisPoints(e.PercentBP)
		} else {
			a.Due, err = e.Result.Ratio(refunded, e.Base.Minor)
		}
		if err != nil {
			return a, fmt.Errorf("reverse commission: %w", err)
		}
		a.Refunded = &part
	}
	a.Result = amount(a.Due.Minor - before)
	if a.Result.Minor < 0 || a.Due.Minor > e.Result.Minor {
		return a, fmt.Errorf("reverse commission: %s due after %s, of %s", a.Due, a.Before, e.Result)
	}
	return a, nil
}

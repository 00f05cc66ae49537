package commission

import (
	"fmt"

	"github.com/edgeref/edgeref/wire/conversion"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/money"
)

// rounding names what money.Amount.Ratio does, for whoever reads an explanation.
const rounding = "half away from zero"

// ReductionKind says what made a commission smaller.
type ReductionKind string

// Kinds of reductions.
const (
	CapOrder    ReductionKind = "cap_order"
	CapMonth    ReductionKind = "cap_month"
	MarginGuard ReductionKind = "margin_guard"
)

// Reduction is one step by which a commission became smaller, because it and its neighbours came to more than a limit.
type Reduction struct {
	Kind   ReductionKind `json:"kind"`
	Limit  money.Amount  `json:"limit"`  // of all of them together
	Total  int64         `json:"total"`  // what they came to before, in minor units
	Before int64         `json:"before"` // of this one
	After  int64         `json:"after"`
}

// TierUsed says which step of a rule's tiers a sale was paid by.
type TierUsed struct {
	By      TierBy `json:"by"`
	From    int64  `json:"from"`    // where the step begins
	Reached int64  `json:"reached"` // what the month came to with this sale
}

// Explanation is the arithmetic of a commission, frozen when it was made. Reversals follow it whatever becomes of the
// rule.
type Explanation struct {
	RuleID      string          `json:"rule_id"`
	RuleVersion int64           `json:"rule_version"`
	ForAll      bool            `json:"for_all"` // a rule for every affiliate or for a group; else the affiliate's own
	GroupID     string          `json:"group_id,omitempty"`
	ProductID   string          `json:"product_id,omitempty"` // of the rule
	On          conversion.Type `json:"on"`
	PercentBP   int64           `json:"percent_bp,omitempty"`
	Flat        *money.Amount   `json:"flat,omitempty"`
	Quantity    int64           `json:"quantity,omitempty"` // units of a flat amount, where more than one
	Base        *money.Amount   `json:"base,omitempty"`     // the net price of the line, or the sale; nil for a lead
	Tier        *TierUsed       `json:"tier,omitempty"`
	Month       int             `json:"month,omitempty"` // in which it counts for tiers and caps, as 202603

	Level   int           `json:"level,omitempty"` // how many sponsors above the affiliate whom the sale belongs to
	Of      Basis         `json:"of,omitempty"`
	ShareOf *money.Amount `json:"share_of,omitempty"` // what a level takes its share of

	Rounding   string       `json:"rounding,omitempty"`
	Reductions []Reduction  `json:"reductions,omitempty"` // in order
	Result     money.Amount `json:"result"`
}

// describe names the rule.
func describe(r *Rule) Explanation {
	e := Explanation{RuleID: ident.Format(ident.Rule, r.ID), RuleVersion: r.Version, ForAll: r.AffiliateID == 0, On: r.On}
	if r.GroupID != 0 {
		e.GroupID = ident.Format(ident.AffiliateGroup, r.GroupID)
	}
	if r.ProductID != 0 {
		e.ProductID = ident.Format(ident.Product, r.ProductID)
	}
	return e
}

func (e *Explanation) reduce(kind ReductionKind, limit money.Amount, total, part int64) {
	e.Reductions = append(e.Reductions, Reduction{Kind: kind, Limit: limit, Total: total, Before: e.Result.Minor, After: part})
	e.Result.Minor = part
}

func (e *Explanation) scope() string {
	scope := "the affiliate's own rule"
	switch {
	case e.GroupID != "":
		scope = "the rule of group " + e.GroupID
	case e.ForAll:
		scope = "the program's rule"
	}
	if e.ProductID != "" {
		scope += " for product " + e.ProductID
	}
	return fmt.Sprintf("%s %s, version %d", scope, e.RuleID, e.RuleVersion)
}

// Text is the arithmetic in plain words.
func (e Explanation) Text() string {
	first := e.Result // before reductions
	if len(e.Reductions) > 0 {
		first.Minor = e.Reductions[0].Before
	}
	percent := fmt.Sprintf("%d.%02d %%", e.PercentBP/100, e.PercentBP%100)
	var text string
	switch {
	case e.Level > 0 && e.Of == OfCommission:
		text = fmt.Sprintf("As sponsor of level %d: %s of the commission of %s = %s (rounded %s), by %s.", e.Level, percent, e.ShareOf, first, e.Rounding, e.scope())
	case e.Level > 0:
		text = fmt.Sprintf("As sponsor of level %d: %s of %s = %s (rounded %s), by %s.", e.Level, percent, e.ShareOf, first, e.Rounding, e.scope())
	case e.Flat != nil && e.Quantity > 1:
		text = fmt.Sprintf("%s for each of %d units = %s, by %s.", e.Flat, e.Quantity, first, e.scope())
	case e.Flat != nil:
		text = fmt.Sprintf("%s for each %s, by %s.", e.Flat, e.On, e.scope())
	default:
		text = fmt.Sprintf("%s of %s = %s (rounded %s), by %s.", percent, e.Base, first, e.Rounding, e.scope())
	}
	if t := e.Tier; t != nil {
		reached, from := fmt.Sprintf("%d sales", t.Reached), fmt.Sprintf("%d", t.From)
		if t.By == ByAmount {
			reached, from = (money.Amount{Minor: t.Reached, Currency: e.Result.Currency}).String(), (money.Amount{Minor: t.From, Currency: e.Result.Currency}).String()
		}
		text += fmt.Sprintf(" The rate is that from %s on: with this sale the month %d-%02d comes to %s.", from, e.Month/100, e.Month%100, reached)
	}
	for _, r := range e.Reductions {
		text += " " + r.text(e.Result.Currency)
	}
	return text
}

func (r Reduction) text(currency string) string {
	amount := func(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: currency} }
	what := "The margin guard allows all commissions of the line"
	switch r.Kind {
	case CapOrder:
		what = "The rule's cap for an order allows"
	case CapMonth:
		what = "What is left of the rule's cap for the month allows"
	case MarginGuard:
	}
	return fmt.Sprintf("%s %s together, and they came to %s: %s became %s.", what, r.Limit, amount(r.Total), amount(r.Before), amount(r.After))
}

func errShareOfLead(ruleID string) error {
	return fmt.Errorf("%w: rule %s takes a share of a lead", ErrRule, ruleID)
}

// Arithmetic is that of a reversal: by how much what is reversed in all grows to.
type Arithmetic struct {
	All      bool          `json:"all,omitempty"`      // nothing of the sale is left
	Replaced bool          `json:"replaced,omitempty"` // the conversion was assigned by hand
	Refunded *money.Amount `json:"refunded,omitempty"` // of the sale or line, by all its refunds up to this one
	Due      money.Amount  `json:"due"`                // to be reversed in all up to here
	Before   money.Amount  `json:"before"`             // reversed before
	Result   money.Amount  `json:"result"`             // Due - Before; of what is given back, Before - Due
}

// Text is the arithmetic in plain words.
func (a Arithmetic) Text() string {
	if a.Replaced {
		return fmt.Sprintf("The conversion was assigned by hand to somebody else, so all of %s is taken back; %s had been before: %s.", a.Due, a.Before, a.Result)
	}
	if a.All {
		return fmt.Sprintf("Nothing of it is left, so all of %s is taken back; %s had been before: %s.", a.Due, a.Before, a.Result)
	}
	return fmt.Sprintf("%s of the sale are refunded in all, for which %s was paid; %s had been taken back before: %s.", a.Refunded, a.Due, a.Before, a.Result)
}

// due is how much is reversed in all after refunds of refunded minor units in all (or of everything). It rounds the sum
// of all refunds and not each of them, so refunds that come to the whole, in whatever parts, take back exactly the
// commission, and their order does not matter. It follows the original rate, also where that was reduced.
func (e Explanation) due(before, refunded int64, all bool) (Arithmetic, error) {
	a := Arithmetic{All: all, Before: e.amount(before), Due: e.Result}
	if all {
		return a, nil
	}
	if e.Base == nil || refunded < 0 || refunded >= e.Base.Minor && refunded != 0 {
		return a, fmt.Errorf("reverse commission: %d minor units refunded is not a part of the sale", refunded)
	}
	part := money.Amount{Minor: refunded, Currency: e.Base.Currency}
	a.Refunded = &part
	var err error
	switch {
	case refunded == 0:
		a.Due.Minor = 0
	case e.Flat == nil && e.Level == 0 && len(e.Reductions) == 0:
		a.Due, err = part.BasisPoints(e.PercentBP)
	default:
		a.Due, err = e.Result.Ratio(refunded, e.Base.Minor)
	}
	if err != nil {
		return a, fmt.Errorf("reverse commission: %w", err)
	}
	return a, nil
}

func (e Explanation) amount(minor int64) money.Amount {
	return money.Amount{Minor: minor, Currency: e.Result.Currency}
}

// reverse computes what a refund takes back.
func (e Explanation) reverse(before, refunded int64, all bool) (Arithmetic, error) {
	a, err := e.due(before, refunded, all)
	if err != nil {
		return a, err
	}
	a.Result = e.amount(a.Due.Minor - before)
	if a.Result.Minor < 0 || a.Due.Minor > e.Result.Minor {
		return a, fmt.Errorf("reverse commission: %s due after %s, of %s", a.Due, a.Before, e.Result)
	}
	return a, nil
}

// restore computes what is given back when less is refunded than before.
func (e Explanation) restore(before, refunded int64) (Arithmetic, error) {
	a, err := e.due(before, refunded, false)
	if err != nil {
		return a, err
	}
	a.Result = e.amount(before - a.Due.Minor)
	if a.Result.Minor < 0 {
		return a, fmt.Errorf("restore commission: %s due after %s, of %s", a.Due, a.Before, e.Result)
	}
	return a, nil
}

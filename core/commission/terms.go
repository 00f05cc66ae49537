package commission

import (
	"encoding/json"
	"fmt"

	"github.com/edgeref/edgeref/wire/conversion"
	"github.com/edgeref/edgeref/wire/money"
)

// Limits of a rule's terms.
const (
	// MaxPercentBP is the highest share of a sale, in basis points: all of it.
	MaxPercentBP = 10_000
	// MaxLevels is how many sponsors a rule may pay.
	MaxLevels = 10
	maxSteps  = 50
	maxMonths = 1200
	maxMore   = 8000 // bytes, as stored
)

// Terms are what a rule pays: a share of the sale, or a fixed amount, and more.
type Terms struct {
	PercentBP int64         // basis points, 0 to MaxPercentBP; counts where Flat is nil
	Flat      *money.Amount // for each unit; only for sales in the same currency: money is never converted
	More
}

// More are the terms that few rules have. The zero More changes nothing.
type More struct {
	Tiers *Tiers `json:"tiers,omitempty"`
	// Months is for how many calendar months after a customer's first sale of a product later ones earn; 0: for ever.
	Months int     `json:"months,omitempty"`
	Levels []Level `json:"levels,omitempty"` // of the sponsor, his sponsor, and so on
	// CapOrder and CapMonth bound what the affiliate himself earns by this rule, by one order and in a calendar month.
	// With a cap in another currency than the sale's the rule pays nothing: money is never converted.
	CapOrder *money.Amount `json:"cap_order,omitempty"`
	CapMonth *money.Amount `json:"cap_month,omitempty"`
}

// TierBy says what is counted in a month.
type TierBy string

// What tiers count.
const (
	ByCount  TierBy = "count"  // sales
	ByAmount TierBy = "amount" // their net prices
)

// Tiers are rates that grow with what the rule has paid the affiliate for in the calendar month of the sale. The sale
// itself counts: the one that reaches a step is paid by that step, as a whole. Sales count in the order in which they
// are booked; one that was refunded in full counts no more for those that are booked after that.
type Tiers struct {
	By       TierBy `json:"by" enum:"count,amount"`
	Currency string `json:"currency,omitempty" example:"INR" doc:"By amount: sales in another currency are paid by the rule's own rate"`
	Steps    []Step `json:"steps" minItems:"1" maxItems:"50" nullable:"false" doc:"Ascending; below the first the rule's own rate counts"`
}

// Step is a rate from a volume on. Below the first step the rule's own rate counts.
type Step struct {
	From      int64         `json:"from" minimum:"1" example:"10" doc:"Sales, or minor units"`
	PercentBP int64         `json:"percent_bp,omitempty" minimum:"0" maximum:"10000" example:"8000"`
	Flat      *money.Amount `json:"flat,omitempty"`
}

// Basis is what the share of a level is taken of.
type Basis string

// Bases.
const (
	OfNet        Basis = "net"        // the net price of the line
	OfCommission Basis = "commission" // what the affiliate himself earns by it, after caps
)

// Level is what one sponsor above the affiliate earns.
type Level struct {
	PercentBP int64 `json:"percent_bp" minimum:"0" maximum:"10000" example:"500"`
	Of        Basis `json:"of" enum:"net,commission" doc:"Of the net price of the line, or of what the affiliate himself earns by it, after caps"`
}

// volumes reports whether the rule needs to know what it has paid in the month.
func (t *Terms) volumes() bool { return t.Tiers != nil || t.CapMonth != nil }

func parseMore(stored []byte) (More, error) {
	var m More
	if len(stored) == 0 {
		return m, nil
	}
	if err := json.Unmarshal(stored, &m); err != nil {
		return More{}, fmt.Errorf("read terms: %w", err)
	}
	return m, nil
}

func (m More) stored() (string, error) {
	b, err := json.Marshal(m)
	if err != nil {
		return "", fmt.Errorf("encode terms: %w", err)
	}
	if string(b) == "{}" {
		return "", nil
	}
	if len(b) > maxMore {
		return "", fmt.Errorf("%w: the terms are larger than %d bytes", ErrRule, maxMore)
	}
	return string(b), nil
}

func (t Terms) validate(on conversion.Type) error {
	if on != conversion.Sale && on != conversion.Lead {
		return fmt.Errorf("%w: it is on sale or on lead", ErrRule)
	}
	if err := validateRate(on, t.PercentBP, t.Flat); err != nil {
		return err
	}
	if t.Months < 0 || t.Months > maxMonths || t.Months > 0 && on == conversion.Lead {
		return fmt.Errorf("%w: the limit of months must be 0 to %d, and is for sales", ErrRule, maxMonths)
	}
	if len(t.Levels) > MaxLevels {
		return fmt.Errorf("%w: more than %d levels", ErrRule, MaxLevels)
	}
	for _, l := range t.Levels {
		switch {
		case l.Of != OfNet && l.Of != OfCommission:
			return fmt.Errorf("%w: a level takes its share of net or of commission", ErrRule)
		case l.Of == OfNet && on == conversion.Lead:
			return fmt.Errorf("%w: a lead has no net price to take a share of", ErrRule)
		case l.PercentBP < 0 || l.PercentBP > MaxPercentBP:
			return fmt.Errorf("%w: the share of a level must be 0 to %d basis points", ErrRule, MaxPercentBP)
		}
	}
	for _, limit := range []*money.Amount{t.CapOrder, t.CapMonth} {
		if err := validateAmount(limit); err != nil {
			return err
		}
	}
	return t.Tiers.validate(on)
}

func validateRate(on conversion.Type, percent int64, flat *money.Amount) error {
	switch {
	case flat == nil && on == conversion.Lead:
		return fmt.Errorf("%w: a lead has no amount to take a share of; give a flat amount", ErrRule)
	case flat == nil && (percent < 0 || percent > MaxPercentBP):
		return fmt.Errorf("%w: the share must be 0 to %d basis points", ErrRule, MaxPercentBP)
	case flat != nil && percent != 0:
		return fmt.Errorf("%w: either a share or a flat amount", ErrRule)
	}
	return validateAmount(flat)
}

func validateAmount(a *money.Amount) error {
	if a == nil {
		return nil
	}
	if a.Minor < 0 || a.Minor > money.MaxMinor {
		return fmt.Errorf("%w: %w", ErrRule, money.ErrRange)
	}
	if _, err := money.Decimals(a.Currency); err != nil {
		return fmt.Errorf("%w: %w", ErrRule, err)
	}
	return nil
}

func (t *Tiers) validate(on conversion.Type) error {
	if t == nil {
		return nil
	}
	switch {
	case t.By != ByCount && t.By != ByAmount:
		return fmt.Errorf("%w: tiers go by count or by amount", ErrRule)
	case t.By == ByAmount && on == conversion.Lead:
		return fmt.Errorf("%w: leads have no amount to go by", ErrRule)
	case len(t.Steps) == 0 || len(t.Steps) > maxSteps:
		return fmt.Errorf("%w: tiers have 1 to %d steps", ErrRule, maxSteps)
	case (t.By == ByAmount) != (t.Currency != ""):
		return fmt.Errorf("%w: tiers by amount name a currency, others none", ErrRule)
	}
	if t.Currency != "" {
		if err := validateAmount(&money.Amount{Currency: t.Currency}); err != nil {
			return err
		}
	}
	before := int64(0)
	for _, s := range t.Steps {
		if s.From <= before {
			return fmt.Errorf("%w: the steps of tiers must ascend, from above 0", ErrRule)
		}
		before = s.From
		if err := validateRate(on, s.PercentBP, s.Flat); err != nil {
			return err
		}
	}
	return nil
}

// rate is what the terms pay for a sale with which the month comes to reached; step is nil below the first.
func (t *Terms) rate(reached int64) (percent int64, flat *money.Amount, step *Step) {
	percent, flat = t.PercentBP, t.Flat
	if t.Tiers == nil {
		return percent, flat, nil
	}
	for i := range t.Tiers.Steps {
		if s := &t.Tiers.Steps[i]; s.From <= reached {
			percent, flat, step = s.PercentBP, s.Flat, s
		}
	}
	return percent, flat, step
}

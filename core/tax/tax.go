// Package tax holds the rules by which tax is withheld from payouts. Rules are configuration of the business: what they
// say must be confirmed by an accountant, and each says whether it was.
//
// A rule counts what a payee is paid in a year. Up to a threshold nothing is withheld. Beyond it the mode decides:
// "whole" taxes everything that was paid in the year, also what came before the threshold was passed and was not taxed
// yet; "excess" taxes only what is beyond it. The rate is that of the moment: who has given no tax identity pays the higher
// one, and what was withheld by it is not given back by us.
//
// Rounding: the tax of one payout is rounded once, half away from zero, to a multiple of the rule's rounding unit.
package tax

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/money"
)

// Mode says what is taxed once the threshold is passed.
type Mode string

// Modes.
const (
	Whole  Mode = "whole"  // all of the year
	Excess Mode = "excess" // what is beyond the threshold
)

// Limits, in bytes.
const (
	MaxName      = 64
	MaxNote      = 500
	MaxConfirmer = 128
)

// Errors of this package.
var (
	ErrNotFound = errors.New("no such tax rule")
	ErrExists   = errors.New("there is a rule for this country, currency and time already: rules are never changed, make one that begins later")
)

// InvalidError is what is wrong with one field of a rule.
type InvalidError struct{ Field, Reason string }

// Error implements error.
func (e *InvalidError) Error() string { return e.Field + " " + e.Reason }

// Terms are what a rule says.
type Terms struct {
	Name        string // as on statements: "194H"
	Country     string // of the payee, ISO 3166-1 alpha-2
	Currency    string
	RateBP      int64 // basis points
	NoIDRateBP  int64 // for payees without a tax identity
	Threshold   int64 // minor units a year
	Mode        Mode
	YearMonth   int   // the month in which a tax year begins, 1 to 12
	YearDay     int   // and its day, 1 to 28
	UTCOffset   int   // minutes east of UTC: where the year begins
	RoundTo     int64 // minor units of which the tax is a multiple; 1, or 100 for whole rupees
	ValidFrom   int64 // Unix ms
	ConfirmedBy string
	Note        string
}

// Rule is one rule for payees of a country in a currency, from a time on.
type Rule struct {
	ID int64
	Terms
	CreatedAt int64 // Unix ms
}

// Example is the rule for commission in India as we understand section 194H of the Income Tax Act in its form of 2025: 2 %
// beyond 20,000 rupees in a year from 1 April, 20 % without a PAN, in whole rupees. It is an example of the form, to be
// confirmed by an accountant, and is in force only where somebody makes a rule of it.
func Example() Terms {
	return Terms{
		Name: "194H", Country: "IN", Currency: "INR", RateBP: 200, NoIDRateBP: 2000, Threshold: 20_000_00, Mode: Whole,
		YearMonth: 4, YearDay: 1, UTCOffset: 330, RoundTo: 100,
		ValidFrom: time.Date(2025, 3, 31, 18, 30, 0, 0, time.UTC).UnixMilli(),
		Note:      "Example, to be confirmed by an accountant: TDS on commission, Income Tax Act section 194H, threshold and rate as of 1 April 2025.",
	}
}

// Year is the tax year that at lies in: from start up to and without end.
func (t Terms) Year(at time.Time) (start, end time.Time) {
	zone := time.FixedZone("", t.UTCOffset*60)
	local := at.In(zone)
	start = time.Date(local.Year(), time.Month(t.YearMonth), t.YearDay, 0, 0, 0, 0, zone)
	if local.Before(start) {
		start = start.AddDate(-1, 0, 0)
	}
	return start.UTC(), start.AddDate(1, 0, 0).UTC()
}

// Before is what the year has seen before a payout: of payouts that are under way or paid.
type Before struct {
	Gross int64 // minor units paid
	Taxed int64 // minor units that tax was withheld from
}

// Result is what is withheld from one payout, with all that it follows from.
type Result struct {
	Rule        string `json:"rule"`
	RuleID      int64  `json:"rule_id"`
	Mode        Mode   `json:"mode"`
	Threshold   int64  `json:"threshold_minor"`
	GrossBefore int64  `json:"gross_before_minor"`
	TaxedBefore int64  `json:"taxed_before_minor"`
	Gross       int64  `json:"gross_minor"`
	Taxable     int64  `json:"taxable_minor"`
	RateBP      int64  `json:"rate_bp"`
	HasID       bool   `json:"has_tax_id"`
	Tax         int64  `json:"tax_minor"`
}

// Apply computes what is withheld from a payout of gross minor units. The tax may exceed gross, where much that came
// before the threshold becomes taxable at once.
func (r Rule) Apply(gross int64, before Before, hasID bool) (Result, error) {
	out := Result{
		Rule: r.Name, RuleID: r.ID, Mode: r.Mode, Threshold: r.Threshold, GrossBefore: before.Gross, TaxedBefore: before.Taxed,
		Gross: gross, RateBP: r.RateBP, HasID: hasID,
	}
	if !hasID {
		out.RateBP = r.NoIDRateBP
	}
	total, err := money.Amount{Minor: before.Gross, Currency: r.Currency}.Add(money.Amount{Minor: gross, Currency: r.Currency})
	if err != nil {
		return Result{}, fmt.Errorf("sum up the tax year: %w", err)
	}
	if total.Minor > r.Threshold {
		out.Taxable = total.Minor
		if r.Mode == Excess {
			out.Taxable -= r.Threshold
		}
		// A payout that came back may have been taxed with a later one.
		out.Taxable = max(0, out.Taxable-before.Taxed)
	}
	unit := max(r.RoundTo, 1)
	units, err := money.Amount{Minor: out.Taxable, Currency: r.Currency}.Ratio(out.RateBP, 10_000*unit)
	if err != nil {
		return Result{}, fmt.Errorf("compute tax: %w", err)
	}
	out.Tax = units.Minor * unit
	return out, nil
}

// String says in plain words how the tax came about.
func (r Result) String() string {
	if r.Rule == "" {
		return "no tax rule applies"
	}
	if r.Taxable == 0 {
		return fmt.Sprintf("%s: below the threshold of the year", r.Rule)
	}
	id := ""
	if !r.HasID {
		id = ", no tax identity given"
	}
	return fmt.Sprintf("%s: %d.%02d %%%s", r.Rule, r.RateBP/100, r.RateBP%100, id)
}

// validate says what is wrong first.
func (t Terms) validate() error {
	text := func(field, value string, limit int) error {
		if len(value) > limit || !utf8.ValidString(value) || strings.ContainsAny(value, "\x00\r\n") {
			return &InvalidError{field, fmt.Sprintf("must be one line of at most %d bytes", limit)}
		}
		return nil
	}
	if err := errors.Join(text("name", t.Name, MaxName), text("note", t.Note, MaxNote), text("confirmed_by", t.ConfirmedBy, MaxConfirmer)); err != nil {
		return err
	}
	bp := func(n int64) bool { return n >= 0 && n <= 10_000 }
	_, currencyErr := money.Decimals(t.Currency)
	switch {
	case strings.TrimSpace(t.Name) == "":
		return &InvalidError{"name", "must not be empty"}
	case !ValidCountry(t.Country):
		return &InvalidError{"country", "must be two capital letters (ISO 3166-1)"}
	case currencyErr != nil:
		return &InvalidError{"currency", "must be an ISO 4217 code"}
	case !bp(t.RateBP):
		return &InvalidError{"rate_bp", "must be 0 to 10000"}
	case !bp(t.NoIDRateBP) || t.NoIDRateBP < t.RateBP:
		return &InvalidError{"no_id_rate_bp", "must be rate_bp to 10000"}
	case t.Threshold < 0 || t.Threshold > money.MaxMinor:
		return &InvalidError{"threshold_minor", "is out of range"}
	case t.Mode != Whole && t.Mode != Excess:
		return &InvalidError{"threshold_mode", "must be whole or excess"}
	case t.YearMonth < 1 || t.YearMonth > 12:
		return &InvalidError{"year_month", "must be 1 to 12"}
	case t.YearDay < 1 || t.YearDay > 28:
		return &InvalidError{"year_day", "must be 1 to 28"}
	case t.UTCOffset < -14*60 || t.UTCOffset > 14*60:
		return &InvalidError{"utc_offset_minutes", "must be -840 to 840"}
	case t.RoundTo < 1 || t.RoundTo > 100_000:
		return &InvalidError{"round_to_minor", "must be 1 to 100000"}
	case t.ValidFrom <= 0:
		return &InvalidError{"valid_from", "must be a time"}
	}
	return nil
}

// ValidCountry reports whether a text has the form of ISO 3166-1 alpha-2.
func ValidCountry(c string) bool {
	return len(c) == 2 && c[0] >= 'A' && c[0] <= 'Z' && c[1] >= 'A' && c[1] <= 'Z'
}

// InForce is the rule for payees of a country in a currency at a time (Unix ms). ok is false where there is none.
func InForce(ctx context.Context, q db.Querier, country, currency string, at int64) (r Rule, ok bool, err error) {
	list, err := read(ctx, q, "country = ? AND currency = ? AND valid_from <= ? ORDER BY valid_from DESC LIMIT 1", country, currency, at)
	if err != nil || len(list) == 0 {
		return Rule{}, false, err
	}
	return list[0], true, nil
}

func read(ctx context.Context, q db.Querier, rest string, args ...any) ([]Rule, error) {
	rows, err := q.Query(ctx, `SELECT id, name, country, currency, rate_bp, no_id_rate_bp, threshold_minor, threshold_mode, begin_month, begin_day,
		utc_offset_min, round_minor, valid_from, confirmed_by, note, created_at FROM tax_rules WHERE `+rest, args...)
	if err != nil {
		return nil, fmt.Errorf("read tax rules: %w", err)
	}
	defer rows.Close()
	var out []Rule
	for rows.Next() {
		var r Rule
		if err := rows.Scan(&r.ID, &r.Name, &r.Country, &r.Currency, &r.RateBP, &r.NoIDRateBP, &r.Threshold, &r.Mode, &r.YearMonth, &r.YearDay,
			&r.UTCOffset, &r.RoundTo, &r.ValidFrom, &r.ConfirmedBy, &r.Note, &r.CreatedAt); err != nil {
			return nil, fmt.Errorf("read tax rules: %w", err)
		}
		out = append(out, r)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read tax rules: %w", err)
	}
	return out, nil
}

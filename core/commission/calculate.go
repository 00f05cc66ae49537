package commission

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/edgeref/edgeref/wire/money"
)

// The arithmetic of a sale or lead, in this order, on each line:
//
//  1. The most specific rule that fits the line; its months; its tier.
//  2. The affiliate's own commission: a share of the net price, or a flat amount for each unit.
//  3. The rule's cap for the order, then for the month, each split over the rule's lines.
//  4. What each level earns, of the net price or of what is left of 2.
//  5. The margin guard: all of the line together never more than the program's share of its net price, split over them.
//
// Everything is rounded as package money says.

// item is what is paid for: a line of an order, or a whole sale or lead.
type item struct {
	line, product, quantity int64
	net                     *money.Amount // nil: a lead
	rule                    *Rule         // nil: nothing is paid
	none                    string        // why
	own                     award
}

// award is one commission as calculated.
type award struct {
	line, product, affiliate int64
	level                    int
	rule                     *Rule
	explanation              Explanation
}

// sponsor is one affiliate above the one whom the sale belongs to.
type sponsor struct {
	id        int64
	suspended bool
}

// volume is what a rule has paid an affiliate in a month, in one currency.
type volume struct {
	rule, affiliate    int64
	month              int // year * 100 + month
	currency           string
	sales, net, earned int64
}

// lookup is what a calculation asks for while it runs: the database when it books, the past when it rehearses. Each is
// called only where a rule needs it; volumes in order of the rule's ID.
type lookup struct {
	volume    func(ctx context.Context, rule int64, month int, currency string) (*volume, error)
	firstSale func(ctx context.Context, product int64) (at int64, found bool, err error)
	upline    func(ctx context.Context, depth int) ([]sponsor, error)
}

// calculate returns what src earns by the versions of all rules that may fit, and the volumes that grew. Where the
// affiliate himself earns nothing, it says why.
func calculate(ctx context.Context, versions []Rule, src *Source, look lookup) (awards []award, grown []*volume, none string, err error) {
	items := src.items()
	for i := range items {
		if err := items[i].choose(ctx, versions, src, look); err != nil {
			return nil, nil, "", err
		}
	}
	for _, rule := range usedRules(items) {
		v, err := applyRule(ctx, rule, items, src, look)
		if err != nil {
			return nil, nil, "", err
		}
		if v != nil {
			grown = append(grown, v)
		}
	}
	none = NoRule
	for i := range items {
		it := &items[i]
		if it.rule == nil {
			none = it.none
			continue
		}
		line := []award{it.own}
		if line, err = addLevels(ctx, line, it, look); err != nil {
			return nil, nil, "", err
		}
		guard(line, it.net, src.Terms.MaxShareBP)
		awards = append(awards, line...)
	}
	if len(awards) > 0 {
		none = ""
	}
	return awards, grown, none, nil
}

func (src *Source) items() []item {
	if len(src.Lines) == 0 {
		return []item{{quantity: 1, net: src.Amount}}
	}
	out := make([]item, len(src.Lines))
	for i, l := range src.Lines {
		out[i] = item{line: l.ID, product: l.ProductID, quantity: l.Quantity, net: &l.Net}
	}
	return out
}

// choose finds the rule of one item.
func (it *item) choose(ctx context.Context, versions []Rule, src *Source, look lookup) error {
	it.rule, it.none = choose(versions, it.product, src.At), NoRule
	if it.rule == nil || it.rule.Terms.Months == 0 {
		return nil
	}
	first, found, err := look.firstSale(ctx, it.product)
	if err != nil || !found {
		return err
	}
	end := time.UnixMilli(first).In(src.Terms.Location()).AddDate(0, it.rule.Terms.Months, 0).UnixMilli()
	if src.At >= end {
		it.rule, it.none = nil, RecurringEnded
	}
	return nil
}

// usedRules lists the rules of items, each once, in order of ID.
func usedRules(items []item) []*Rule {
	var out []*Rule
	for _, it := range items {
		if it.rule != nil && !slices.ContainsFunc(out, func(r *Rule) bool { return r.ID == it.rule.ID }) {
			out = append(out, it.rule)
		}
	}
	slices.SortFunc(out, func(a, b *Rule) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

// applyRule works out the affiliate's own commissions by one rule, on all its lines.
func applyRule(ctx context.Context, rule *Rule, items []item, src *Source, look lookup) (*volume, error) {
	var mine []*item
	net, currency := int64(0), ""
	for i := range items {
		if it := &items[i]; it.rule != nil && it.rule.ID == rule.ID {
			mine = append(mine, it)
			if it.net != nil {
				net, currency = net+it.net.Minor, it.net.Currency
			}
		}
	}
	if currency == "" && rule.Terms.Flat != nil {
		currency = rule.Terms.Flat.Currency // of a lead
	}
	var v *volume
	if rule.Terms.volumes() {
		var err error
		if v, err = look.volume(ctx, rule.ID, monthOf(src.At, src.Terms.Location()), currency); err != nil {
			return nil, err
		}
	}
	tier, reached := rule.Terms.reached(v, net, currency)
	percent, flat, step := rule.Terms.rate(reached)
	for _, it := range mine {
		e, ok, err := earn(rule, percent, flat, it)
		if err != nil {
			return nil, err
		}
		if !ok || foreign(rule.Terms.CapOrder, e.Result) || foreign(rule.Terms.CapMonth, e.Result) {
			it.rule, it.none = nil, CurrencyMismatch
			continue
		}
		if v != nil {
			e.Month = v.month
		}
		if tier != nil && step != nil {
			e.Tier = &TierUsed{By: tier.By, From: step.From, Reached: reached}
		}
		it.own = award{line: it.line, product: it.product, affiliate: src.AffiliateID, rule: rule, explanation: e}
	}
	mine = slices.DeleteFunc(mine, func(it *item) bool { return it.rule == nil })
	if len(mine) == 0 {
		return nil, nil
	}
	if limit := rule.Terms.CapOrder; limit != nil {
		capItems(mine, CapOrder, *limit)
	}
	if limit := rule.Terms.CapMonth; limit != nil {
		capItems(mine, CapMonth, money.Amount{Minor: max(0, limit.Minor-v.earned), Currency: limit.Currency})
	}
	if v != nil {
		v.sales, v.net = v.sales+1, v.net+net
		for _, it := range mine {
			v.earned += it.own.explanation.Result.Minor
		}
	}
	return v, nil
}

// reached is how far the month comes with a sale of net; tiers is nil where it does not count for them.
func (t *Terms) reached(v *volume, net int64, currency string) (tiers *Tiers, reached int64) {
	switch {
	case t.Tiers == nil || v == nil:
		return nil, 0
	case t.Tiers.By == ByCount:
		return t.Tiers, v.sales + 1
	case t.Tiers.Currency != currency:
		return nil, 0
	}
	return t.Tiers, v.net + net
}

func foreign(limit *money.Amount, a money.Amount) bool {
	return limit != nil && limit.Currency != a.Currency
}

// capItems lets the own commissions of items come to no more than limit together.
func capItems(items []*item, kind ReductionKind, limit money.Amount) {
	weights := make([]int64, len(items))
	total := int64(0)
	for i, it := range items {
		weights[i] = it.own.explanation.Result.Minor
		total += weights[i]
	}
	if total <= limit.Minor {
		return
	}
	for i, part := range money.Split(limit.Minor, weights) {
		items[i].own.explanation.reduce(kind, limit, total, part)
	}
}

// addLevels appends what the sponsors earn by one line. A suspended sponsor earns nothing, and nobody moves up.
func addLevels(ctx context.Context, line []award, it *item, look lookup) ([]award, error) {
	levels := it.rule.Terms.Levels
	if len(levels) == 0 {
		return line, nil
	}
	upline, err := look.upline(ctx, len(levels))
	if err != nil {
		return nil, err
	}
	own := it.own.explanation.Result
	for i := range min(len(levels), len(upline)) {
		if upline[i].suspended {
			continue
		}
		e := describe(it.rule)
		e.Level, e.PercentBP, e.Of, e.Base, e.ShareOf, e.Rounding = i+1, levels[i].PercentBP, levels[i].Of, it.net, &own, rounding
		if e.Of == OfNet {
			e.ShareOf = it.net
		}
		if e.Result, err = e.ShareOf.BasisPoints(e.PercentBP); err != nil {
			return nil, err
		}
		line = append(line, award{line: it.line, product: it.product, affiliate: upline[i].id, level: i + 1, rule: it.rule, explanation: e})
	}
	return line, nil
}

// guard scales the commissions of a line down where they come to more than share basis points of its net price.
func guard(line []award, net *money.Amount, share *int64) {
	if net == nil || share == nil {
		return // a lead has no price
	}
	limit, total := net.Limit(*share), int64(0)
	weights := make([]int64, len(line))
	for i, a := range line {
		weights[i] = a.explanation.Result.Minor
		total += weights[i]
	}
	if total <= limit.Minor {
		return
	}
	for i, part := range money.Split(limit.Minor, weights) {
		line[i].explanation.reduce(MarginGuard, limit, total, part)
	}
}

// monthOf is the calendar month of a time, as year * 100 + month.
func monthOf(at int64, zone *time.Location) int {
	t := time.UnixMilli(at).In(zone)
	return t.Year()*100 + int(t.Month())
}

// earn applies a rate to one item. ok is false where it is in another currency than the sale.
func earn(r *Rule, percent int64, flat *money.Amount, it *item) (e Explanation, ok bool, err error) {
	e = describe(r)
	e.PercentBP, e.Flat, e.Base = percent, flat, it.net
	switch {
	case flat != nil && it.net != nil && it.net.Currency != flat.Currency:
		return e, false, nil
	case flat != nil:
		if e.Result = *flat; it.quantity > 1 {
			e.Quantity = it.quantity
			if e.Result, err = flat.Ratio(it.quantity, 1); err == nil && e.Result.Minor > money.MaxMinor {
				err = money.ErrRange
			}
		}
		return e, err == nil, err
	case it.net == nil:
		return e, false, errShareOfLead(e.RuleID)
	}
	e.Rounding = rounding
	e.Result, err = it.net.BasisPoints(percent)
	return e, err == nil, err
}

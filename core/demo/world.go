package demo

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/edgeref/edgeref/core/account"
	"github.com/edgeref/edgeref/core/catalog"
	"github.com/edgeref/edgeref/core/commission"
	"github.com/edgeref/edgeref/core/shop"
	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/conversion"
)

const (
	seed          = 20200401
	factsPerBatch = 10_000
	// daysBegin is where the business's days begin: in India, half past six in the evening UTC.
	daysBegin = 5*time.Hour + 30*time.Minute
	day       = 24 * time.Hour
)

// world is the business while it is made.
type world struct {
	*services
	*agenda
	o     *Options
	start time.Time // the first day's midnight in India

	academy, partners catalog.Program
	groups            []catalog.Group
	products          map[string]shop.Product // by slug
	coupons           []shop.Coupon
	rules             []commission.Rule
	cast              map[string]account.Person // by variable
	affiliates        []*affiliate              // in the order of their weight
	links             []*referral               // in the order of their making
	buyers            []*buyer
	slugs             map[string]int    // how often a slug was wanted
	buyerAt           map[string]*buyer // by address
	result            Result
	fates             *rand.Rand // of orders, in the order in which they are made
	sales             []*sale    // that were paid
	byID              map[int64]*affiliate
	recent            []click.ID         // of people who came to the checkout
	waiting           []conversion.Event // received and not booked
}

// random is a source of numbers of its own for each purpose and day, so that one does not disturb another.
func random(purpose string, n int) *rand.Rand {
	h := uint64(14695981039346656037)
	for i := range len(purpose) {
		h = (h ^ uint64(purpose[i])) * 1099511628211
	}
	return rand.New(rand.NewPCG(seed+uint64(n), h))
}

// day is the midnight in India at which day n begins; the last one is today.
func (w *world) day(n int) time.Time { return w.start.Add(time.Duration(n) * day) }

// firstDay is where the business begins, so that the last of its days is the one of now.
func firstDay(now time.Time, days int) time.Time {
	today := now.Add(daysBegin).Truncate(day).Add(-daysBegin)
	return today.Add(-time.Duration(days-1) * day).UTC()
}

// prepare makes what is there before the first visitor comes.
func (w *world) prepare(ctx context.Context, keys Keys) error {
	if err := w.introduceCast(ctx, keys); err != nil {
		return err
	}
	owner := w.as(ctx, "DEMO_OWNER")
	for _, step := range []func(context.Context) error{w.makePrograms, w.makeGoods, w.dress, w.handOut, w.makeTaxRule, w.makeTokens} {
		if err := step(owner); err != nil {
			return err
		}
	}
	if err := w.recruit(ctx, keys); err != nil {
		return err
	}
	if err := w.makeRules(owner); err != nil {
		return err
	}
	if err := w.makeCoupons(w.as(ctx, "DEMO_ADMIN")); err != nil {
		return err
	}
	w.planRuns()
	w.planRequests()
	w.planExtras(keys)
	return nil
}

// introduceCast makes the people of the cast. The affiliates among them join with the others.
func (w *world) introduceCast(ctx context.Context, keys Keys) error {
	w.cast = map[string]account.Person{}
	for _, who := range Cast() {
		if who.affiliate() {
			continue
		}
		p, err := w.people.Introduce(ctx, who.introduction(keys))
		if err != nil {
			return err
		}
		w.cast[who.Variable] = p
	}
	return nil
}

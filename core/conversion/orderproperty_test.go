package conversion_test

import (
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/edgeref/edgeref/core/commission"
	"github.com/edgeref/edgeref/core/conversion"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
	wire "github.com/edgeref/edgeref/wire/conversion"
)

// anyRule draws a rule with any of what rules may have.
func anyRule(t *rapid.T) commission.Terms {
	terms := terms(t)
	if rapid.Bool().Draw(t, "levels") {
		terms.Levels = []commission.Level{
			{PercentBP: rapid.Int64Range(0, 10_000).Draw(t, "level 1"), Of: commission.OfNet},
			{PercentBP: rapid.Int64Range(0, 10_000).Draw(t, "level 2"), Of: commission.OfCommission},
		}
	}
	if rapid.Bool().Draw(t, "tiers") {
		terms.Tiers = &commission.Tiers{By: commission.ByAmount, Currency: "INR", Steps: []commission.Step{{From: 2_000, PercentBP: 9_000}}}
	}
	if rapid.Bool().Draw(t, "caps") {
		terms.CapOrder, terms.CapMonth = amount(rapid.Int64Range(0, 3_000).Draw(t, "order")), amount(rapid.Int64Range(0, 5_000).Draw(t, "month"))
	}
	return terms
}

// Whatever happens to orders, in whatever order: the ledger balances, every commission is explained, no line pays more
// than the guard allows, and analytics knows the same figures of everybody.
func TestAnyOrders(t *testing.T) {
	t.Parallel()
	const guard = 6_000
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d)
		next := int64(0)
		rapid.Check(t, func(rt *rapid.T) {
			b := f.business(t)
			other := b
			f.affiliate(t, &other)
			everybody := append([]int64{b.affiliate, other.affiliate}, f.sponsored(t, b, 2)...)
			f.terms(t, b, fmt.Sprintf(`{"max_share_bp":%d,"floors":[{"minor":0,"currency":"INR"}]}`, guard))
			f.rule(t, b, 0, wire.Sale, anyRule(rt))
			orders := map[int64]bool{}
			first := next + 1
			for range rapid.IntRange(1, 10).Draw(rt, "steps") {
				id := first + rapid.Int64Range(0, 2).Draw(rt, "order")
				next = max(next, id)
				f.anyStep(t, rt, b, other.affiliate, id, orders)
			}
			for _, who := range everybody {
				f.checkAffiliate(t, rt, business{program: b.program, affiliate: who})
				f.checkGuard(t, rt, who, guard)
			}
		})
		f.verify(t)
	})
}

// anyStep does one random thing to an order.
func (f *fixture) anyStep(t *testing.T, rt *rapid.T, b business, other, id int64, orders map[int64]bool) {
	key := func(kind string) string { return fmt.Sprint(kind, id, rapid.IntRange(0, 1).Draw(rt, "key")) }
	refund := conversion.OrderRefund{OrderID: id, At: f.millis.Load()}
	var err error
	switch kind := rapid.IntRange(0, 9).Draw(rt, "kind"); {
	case !orders[id]:
		_, err = f.bookOrder(t, f.order(t, b, id, rapid.SliceOfN(rapid.Int64Range(0, 2_000), 1, 3).Draw(rt, "nets")...))
		orders[id] = true
	case kind < 4:
		refund.Kind, refund.RefundID = conversion.RefundKindRefund, key("r")
		if rapid.Bool().Draw(rt, "by line") {
			refund.Lines = []conversion.Line{{LineID: 1, Net: inr(rapid.Int64Range(1, 2_000).Draw(rt, "line"))}}
		} else {
			refund.Net = amount(rapid.Int64Range(1, 4_000).Draw(rt, "net"))
		}
		err = f.refundOrder(t, refund)
	case kind < 6:
		refund.Kind, refund.RefundID = conversion.RefundKindDispute, key("d")
		err = f.refundOrder(t, refund)
	case kind < 8:
		refund.Kind, refund.RefundID, refund.DisputeID = conversion.RefundKindDisputeWon, key("w"), key("d")
		err = f.refundOrder(t, refund)
	case kind == 8:
		f.advance(15 * day)
		_, err = f.commissions.ReleaseDue(t.Context(), f.now(), 1000)
	default:
		var c conversion.Conversion
		if c, err = f.conversions.ByKey(t.Context(), b.program, wire.Sale, fmt.Sprint("ORD-", id)); err == nil {
			to := rapid.SampledFrom([]int64{0, b.affiliate, other}).Draw(rt, "to")
			_, err = f.conversions.Assign(t.Context(), conversion.Assignment{ConversionID: c.ID, AffiliateID: to, By: "Ann", Note: "n"})
		}
	}
	if err != nil && !errors.Is(err, conversion.ErrOrder) && !errors.Is(err, conversion.ErrAssignedAlso) && !errors.Is(err, conversion.ErrNotFound) {
		rt.Fatal(err)
	}
}

// checkGuard sums up what each line of the affiliate's conversions pays in all.
func (f *fixture) checkGuard(t *testing.T, rt *rapid.T, affiliate, share int64) {
	list, err := f.commissions.List(t.Context(), commission.Filter{AffiliateID: affiliate, Limit: 100})
	if err != nil {
		rt.Fatal(err)
	}
	for _, c := range list {
		all, err := f.commissions.Of(t.Context(), c.ConversionID)
		if err != nil {
			rt.Fatal(err)
		}
		sum := int64(0)
		for _, o := range all {
			if o.LineID == c.LineID && o.ReplacedAt == c.ReplacedAt && o.CreatedAt == c.CreatedAt {
				sum += o.Amount.Minor
			}
		}
		if c.ReplacedAt == 0 && sum > c.Explanation.Base.Minor*share/10_000 {
			rt.Fatalf("the line of %s pays %d", c.Explanation.Text(), sum)
		}
	}
}

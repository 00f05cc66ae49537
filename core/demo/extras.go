package demo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/account"
	"github.com/edgeref/edgeref/core/attribution"
	"github.com/edgeref/edgeref/core/audit"
	"github.com/edgeref/edgeref/core/conversion"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/ledger"
	"github.com/edgeref/edgeref/core/payment/sandbox"
	"github.com/edgeref/edgeref/core/shop"
	"github.com/edgeref/edgeref/core/webhook"
	"github.com/edgeref/edgeref/wire/click"
	wire "github.com/edgeref/edgeref/wire/conversion"
	"github.com/edgeref/edgeref/wire/ident"
)

// planExtras puts on the agenda what happens once, and what no visitor does.
func (w *world) planExtras(keys Keys) {
	days := w.o.Size.Days
	at := func(part float64, hour time.Duration, do func(context.Context) error) {
		w.at(w.day(int(part*float64(days))).Add(hour*time.Hour), do)
	}
	at(0.5, 10, func(ctx context.Context) error { return w.raiseRule(w.as(ctx, "DEMO_ADMIN")) })
	at(0.9, 9, func(ctx context.Context) error { return w.openHooks(w.as(ctx, "DEMO_ADMIN")) })
	at(0.8, 15, w.assignByHand)
	at(0.82, 12, func(ctx context.Context) error { return w.refundAfterPayout(ctx, 3) })
	at(0.92, 12, w.closeReviews)
	at(0.1, 12, func(ctx context.Context) error { return w.giveCode(w.as(ctx, "DEMO_ADMIN")) })
	for n := max(days-6, 1); n < days; n++ {
		w.at(w.day(n).Add(4*time.Hour), func(ctx context.Context) error {
			// As a core's operator does each night, the day before against the gateway's list.
			_, err := w.payments.Reconcile(ctx, sandbox.Name, w.day(n-1).UnixMilli(), w.day(n).UnixMilli())
			return err
		})
	}
	at(0.3, 12, func(ctx context.Context) error { return w.enrolLearners(ctx, keys) })
	at(0.6, 12, func(ctx context.Context) error { return w.enrolLearners(ctx, keys) })
	w.planLearner()
}

// giveCode lets an affiliate own a code that a partner's shop takes.
func (w *world) giveCode(ctx context.Context) error {
	a := w.affiliates[1]
	if a.ID == 0 || a.fate != works {
		return nil
	}
	_, err := w.conversions.GiveCoupon(ctx, attribution.Coupon{ProgramID: w.partners.ID, Code: "LEAF" + couponOf(a.Name), AffiliateID: a.ID}, func(tx *db.Tx, c attribution.Coupon) error {
		return w.audit.Record(ctx, tx, audit.Entry{Action: "coupon_code.give", Object: ident.Format(ident.Program, c.ProgramID), After: map[string]string{"code": c.Code}})
	})
	return err
}

// planLearner lets the learner of the cast buy: by a link, with a coupon, a part of which goes back, and once not yet.
func (w *world) planLearner() {
	who := w.cast["DEMO_LEARNER"]
	b := &buyer{currency: "INR", owns: map[string]bool{}}
	b.Name, b.Email, b.Country, b.Region, b.Address = who.Name, who.Email, "IN", "MH", "14, Lake Road\nPune 411038"
	w.remember(b)
	days := w.o.Size.Days
	buy := func(n int, hour time.Duration, coupon string, becomes outcome, items ...string) {
		w.at(w.day(n).Add(hour*time.Hour), func(ctx context.Context) error {
			var list []shop.Item
			for _, slug := range items {
				list, b.owns[slug] = append(list, shop.Item{Slug: slug}), true
			}
			id, err := w.learnerClicks(ctx, n)
			if err != nil {
				return err
			}
			return w.checkout(ctx, b, list, coupon, []click.ID{id}, becomes)
		})
	}
	buy(days/6, 20, "", paid, "sales-basics")
	buy(days/3, 21, "WELCOME10", paidAtLast, "career-bundle")
	buy(days*2/3, 19, "", paid, "video-marketing", "personal-finance")
	buy(days-1, 1, "", neverPaid, "web-design")
	w.at(w.day(days*2/3+2).Add(10*time.Hour), func(ctx context.Context) error {
		orders, err := w.shop.Orders(ctx, shop.OrderFilter{Email: b.Email, State: shop.Paid, Limit: 1})
		if err != nil || len(orders) == 0 {
			return err
		}
		o, err := w.shop.Order(ctx, orders[0].ID)
		if err != nil || len(o.Lines) < 2 {
			return err
		}
		wish := shop.RefundWish{Reason: "one of the two was bought by mistake", Lines: []shop.RefundLine{{LineID: o.Lines[1].ID, Gross: o.Lines[1].Gross}}}
		if _, err := w.shop.Refund(w.as(ctx, "DEMO_FINANCE"), o.ID, wish); err != nil {
			return err
		}
		w.result.Refunds++
		w.after(time.Second, w.settle)
		return nil
	})
}

// learnerClicks is the click by which the learner comes on a day, on a link of the big affiliate.
func (w *world) learnerClicks(ctx context.Context, n int) (click.ID, error) {
	var l *referral
	for _, one := range w.links {
		if one.owner == w.affiliates[bigOne] && one.ProgramID == w.academy.ID && one.course != "" {
			l = one
			break
		}
	}
	if l == nil {
		return click.ID{}, errors.New("BUG: the big affiliate has no link yet")
	}
	w.result.Clicks++
	id := w.o.Keys.Mint(w.clock.Now().Add(-10*time.Minute), node, l.ID, l.AffiliateID)
	return id, w.o.Analytics.AppendClicks(ctx, fmt.Sprint("demo learner ", n), []click.Record{{
		ID: id, ProgramID: l.ProgramID, Sub: [5]string{"bio"}, UTMSource: "instagram", UTMMedium: "social", ReferrerHost: "l.instagram.com", ReferrerPath: "/",
		Browser: "Chrome Mobile", OS: "Android", Device: "mobile", Country: "IN", Language: "mr", Network: networkOf(1 << 9), Visitor: uint64(n) + 1,
	}})
}

// enrolLearners lets some buyers make an account, by which they find their orders.
func (w *world) enrolLearners(ctx context.Context, keys Keys) error {
	for _, b := range w.buyers[:min(len(w.buyers), 300)] {
		if b.orders == 0 || b.enrolled || b.Email == w.cast["DEMO_LEARNER"].Email || !chance(w.fates, 0.15) {
			continue
		}
		b.enrolled = true
		_, err := w.people.Introduce(ctx, account.Introduction{Email: b.Email, Name: b.Name, Roles: []access.Role{access.RoleLearner}, PasswordHash: keys.PasswordHash})
		if err != nil && !errors.Is(err, account.ErrTaken) {
			return err
		}
	}
	return nil
}

// openHooks makes a webhook of the business, one to a server that is often busy, and postbacks of affiliates, one of
// which nobody answers any more.
func (w *world) openHooks(ctx context.Context) error {
	create := func(e webhook.NewEndpoint) error {
		_, _, err := w.hooks.Create(ctx, e, func(tx *db.Tx, made webhook.Endpoint, _ string) error {
			return w.audit.Record(ctx, tx, audit.Entry{Action: "webhook.create", Object: ident.Format(ident.Webhook, made.ID), After: map[string]string{"url": made.URL}})
		})
		return err
	}
	list := []webhook.NewEndpoint{
		{URL: "https://crm.nimbak.example/hooks/edgeref", Events: []webhook.Name{webhook.CommissionReversed, webhook.CommissionRestored, webhook.ConversionRefused}, Description: "customer relations: what was taken back"},
		{URL: "https://busy.ledgerleaf.example/in", ProgramID: w.partners.ID, Events: []webhook.Name{webhook.ConversionBooked}, Description: "partner's own count"},
	}
	for i, host := range []string{"track." + slugOf(w.affiliates[bigOne].Name), "old.stats", "busy.clicks"} {
		if a := w.affiliates[3*i]; a.ID != 0 && a.fate == works {
			list = append(list, webhook.NewEndpoint{
				AffiliateID: a.ID, URL: "https://" + host + ".example/pb?event={type}&amount={commission}&id={conversion_id}&click={click_id}",
				Events: []webhook.Name{webhook.ConversionBooked}, Description: "my tracker",
			})
		}
	}
	for _, e := range list {
		if err := create(e); err != nil {
			return fmt.Errorf("webhook %s: %w", e.URL, err)
		}
	}
	return nil
}

// assignByHand gives three sales that belong to nobody to who brought them.
func (w *world) assignByHand(ctx context.Context) error {
	list, err := w.conversions.List(ctx, conversion.Filter{ProgramID: w.academy.ID, Type: wire.Sale, Limit: 400})
	if err != nil {
		return err
	}
	done := 0
	for _, c := range list {
		if c.AffiliateID != 0 || done == 3 {
			continue
		}
		a := w.affiliates[done+1]
		if a.ID == 0 || a.fate != works {
			continue
		}
		const note = "came by a printed code; the affiliate has sent the picture"
		actor := w.as(ctx, "DEMO_ADMIN")
		if _, err := w.conversions.Assign(actor, conversion.Assignment{ConversionID: c.ID, AffiliateID: a.ID, By: "Vikram Sethi", Note: note}, func(tx *db.Tx, _, after conversion.Conversion) error {
			return w.audit.Record(actor, tx, audit.Entry{
				Action: "conversion.assign", Object: ident.Format(ident.Conversion, c.ID), After: map[string]string{"affiliate_id": ident.Format(ident.Affiliate, after.AffiliateID)}, Reason: note,
			})
		}); err != nil {
			return fmt.Errorf("assign conversion: %w", err)
		}
		done++
	}
	return nil
}

// refundAfterPayout gives back orders whose commission was paid, of affiliates who earn so little that they owe it then.
func (w *world) refundAfterPayout(ctx context.Context, n int) error {
	now := w.clock.Now()
	for _, s := range w.sales {
		if n == 0 {
			break
		}
		if s.owner == nil || s.total.Currency != "INR" || s.total.Minor < 590_000 || now.Sub(s.paidAt) < 30*day {
			continue
		}
		balances, err := w.books.Balances(ctx, s.owner.ID)
		if err != nil {
			return err
		}
		payable := int64(0)
		for _, b := range balances {
			if b.Kind == ledger.Payable && b.Amount.Currency == "INR" {
				payable = b.Amount.Minor
			}
		}
		// Of the price about half is taken back: it is without tax, and the rates are 50 to 75 %.
		if payable-s.total.Minor*4/10 > -200_000 {
			continue
		}
		if err := w.refund(ctx, s, true, "complaint upheld: access did not work"); err != nil {
			return err
		}
		n--
	}
	return nil
}

// closeReviews looks at two of the cases that orders have left; the others are still to do.
func (w *world) closeReviews(ctx context.Context) error {
	list, err := w.shop.Reviews(ctx, shop.ReviewFilter{Limit: 100})
	if err != nil {
		return err
	}
	for _, r := range list[max(len(list)-2, 0):] {
		if _, err := w.shop.CloseReview(w.as(ctx, "DEMO_FINANCE"), r.ID, "the buyer has his courses, and keeps them"); err != nil {
			return err
		}
	}
	return nil
}

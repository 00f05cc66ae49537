package demo

import (
	"context"
	"errors"
	"fmt"
	"path"
	"time"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/payment/sandbox"
	"github.com/edgeref/edgeref/core/shop"
	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/conversion"
	"github.com/edgeref/edgeref/wire/money"
)

// Chances in the life of an order.
const (
	paysAtOnce   = 0.86
	paysAtLast   = 0.06 // after an attempt that failed; the others never pay
	isRefunded   = 0.045
	isDisputed   = 0.006
	usesCoupon   = 0.16
	cameByOthers = 0.12 // has clicked another affiliate's link before
)

// sale is an order on its way.
type sale struct {
	order  int64
	ref    string // of the payment page
	total  money.Amount
	buyer  *buyer
	owner  *affiliate // whose it is; nil: nobody's
	paidAt time.Time
}

// follow lets happen what a click leads to.
func (w *world) follow(p prospect) {
	r := w.fates
	if p.kind != buys {
		w.at(p.at.Add(time.Duration(60+r.IntN(1800))*time.Second), func(context.Context) error { w.signUp(p); return nil })
	}
	if p.kind == signsUp {
		return
	}
	delay := time.Duration(90+r.IntN(2400)) * time.Second
	if chance(r, 0.3) {
		delay = time.Duration(r.ExpFloat64() * 40 * float64(time.Hour))
	}
	w.at(p.at.Add(delay), func(ctx context.Context) error {
		if p.link.ProgramID == w.partners.ID {
			w.sellOutside(p)
			return nil
		}
		b := w.meet(p.country)
		touches := []click.ID{p.id}
		if len(w.recent) > 0 && chance(r, cameByOthers) {
			touches = append(touches, one(r, w.recent))
		}
		w.recent = append(w.recent, p.id)
		if len(w.recent) > 400 {
			w.recent = w.recent[1:]
		}
		return w.checkout(ctx, b, w.choose(b, p.link.course), w.couponFor(b), touches, w.decide())
	})
}

// straight lets people come to the checkout on day n whom nobody has referred, and now and then an affiliate who buys
// through a link of his own.
func (w *world) straight(n int) {
	r := w.fates
	count := int(float64(w.o.Size.Orders)*w.share(n)*0.05 + r.Float64())
	for range count {
		w.at(w.day(n).Add(time.Duration((8+14*r.Float64())*float64(time.Hour))), func(ctx context.Context) error {
			b := w.meet("IN")
			return w.checkout(ctx, b, w.choose(b, ""), "", nil, w.decide())
		})
	}
	if n%30 != 11 || len(w.recent) == 0 {
		return
	}
	a := w.affiliates[12+n/30]
	w.at(w.day(n).Add(21*time.Hour), func(ctx context.Context) error {
		for _, id := range w.recent {
			if a.ID != 0 && id.AffiliateID() == a.ID {
				b := &buyer{currency: "INR", owns: map[string]bool{}}
				b.Email, b.Name, b.Country = a.email, a.Name, "IN"
				return w.checkout(ctx, b, w.choose(b, ""), "", []click.ID{id}, paid)
			}
		}
		return nil
	})
}

// outcome is what becomes of a checkout.
type outcome int

const (
	paid outcome = iota
	paidAtLast
	paidLate // after the order had expired
	neverPaid
)

func (w *world) decide() outcome {
	switch x := w.fates.Float64(); {
	case x < paysAtOnce:
		return paid
	case x < paysAtOnce+paysAtLast:
		return paidAtLast
	case x < paysAtOnce+paysAtLast+0.0025:
		return paidLate
	}
	return neverPaid
}

func (w *world) couponFor(b *buyer) string {
	r := w.fates
	if !chance(r, usesCoupon) {
		return ""
	}
	if b.orders == 0 && chance(r, 0.5) {
		return "WELCOME10"
	}
	return one(r, w.coupons).Code
}

// asBuyer is a context in which somebody at the checkout acts.
func asBuyer(ctx context.Context) context.Context { return access.With(ctx, access.Principal{}) }

// checkout makes an order and lets the buyer go on to pay.
func (w *world) checkout(ctx context.Context, b *buyer, items []shop.Item, coupon string, touches []click.ID, becomes outcome) error {
	cart := shop.Cart{Items: items, Currency: b.currency, Coupon: coupon, Buyer: b.Buyer}
	o, err := w.shop.CreateOrder(asBuyer(ctx), shop.NewOrder{Cart: cart, Touches: touches})
	var refused *shop.CouponError
	if errors.As(err, &refused) {
		cart.Coupon = ""
		o, err = w.shop.CreateOrder(asBuyer(ctx), shop.NewOrder{Cart: cart, Touches: touches})
	}
	if err != nil {
		return fmt.Errorf("order of %v: %w", items, err)
	}
	b.orders++
	w.result.Orders++
	s := &sale{order: o.ID, buyer: b, total: money.Amount{Minor: o.Totals.Gross, Currency: o.Currency}, owner: w.byID[o.AffiliateID]}
	if o.Totals.Gross == 0 {
		return nil
	}
	w.after(time.Duration(5+w.fates.IntN(60))*time.Second, func(ctx context.Context) error { return w.goToPay(ctx, s, becomes) })
	return nil
}

// goToPay leads the buyer to the payment page.
func (w *world) goToPay(ctx context.Context, s *sale, becomes outcome) error {
	if err := w.shop.Begin(asBuyer(ctx), s.order, sandbox.Name); err != nil {
		return fmt.Errorf("begin payment: %w", err)
	}
	session, err := w.payments.Begin(asBuyer(ctx), s.order, sandbox.Name)
	if err != nil {
		return err
	}
	s.ref = path.Base(session.URL)
	soon := time.Duration(20+w.fates.IntN(200)) * time.Second
	switch becomes {
	case paid:
		w.after(soon, func(ctx context.Context) error { return w.pay(ctx, s) })
	case paidAtLast:
		w.after(soon, func(ctx context.Context) error { return w.tell(ctx, s, "fail") })
		w.after(3*soon, func(ctx context.Context) error { return w.payAgain(ctx, s) })
	case paidLate:
		// The page lives a little longer than the order, because it was opened later.
		w.after(day-time.Second, func(ctx context.Context) error {
			if _, err := w.shop.ExpireDue(ctx); err != nil {
				return err
			}
			return w.pay(ctx, s)
		})
	case neverPaid:
	}
	return nil
}

// payAgain opens the page again after a failure, as a buyer does who comes back.
func (w *world) payAgain(ctx context.Context, s *sale) error {
	if err := w.shop.Begin(asBuyer(ctx), s.order, sandbox.Name); err != nil {
		return fmt.Errorf("begin payment again: %w", err)
	}
	session, err := w.payments.Begin(asBuyer(ctx), s.order, sandbox.Name)
	if err != nil {
		return err
	}
	s.ref = path.Base(session.URL)
	return w.pay(ctx, s)
}

// pay pays. Of the newest orders the gateway's webhooks tell, as in life; of the others we ask, which takes less.
func (w *world) pay(ctx context.Context, s *sale) error {
	if w.end.Sub(w.clock.Now()) < toldByWebhooks {
		if err := w.tell(ctx, s, "pay"); err != nil {
			return err
		}
	} else {
		if err := w.play.Play(ctx, s.ref, "pay", 0); err != nil {
			return err
		}
		if err := w.payments.Ask(ctx, s.order); err != nil {
			return err
		}
	}
	w.result.Paid++
	s.paidAt = w.clock.Now()
	w.sales = append(w.sales, s)
	w.afterSale(s)
	return nil
}

const toldByWebhooks = 36 * time.Hour

// tell does something on the payment page, and lets the gateway's webhooks arrive.
func (w *world) tell(ctx context.Context, s *sale, action string) error {
	if err := w.play.Play(ctx, s.ref, action, 1); err != nil {
		return err
	}
	w.after(time.Second, w.settle)
	return nil
}

// settle takes in what the gateway has to say, and does what is due of payments.
func (w *world) settle(ctx context.Context) error {
	for {
		sent, err := w.play.SendDue(ctx)
		if err != nil {
			return err
		}
		worked, err := w.payments.Work(ctx)
		if err != nil {
			return err
		}
		if sent+worked == 0 {
			return nil
		}
	}
}

// afterSale decides whether the buyer comes back for his money.
func (w *world) afterSale(s *sale) {
	r := w.fates
	switch x := r.Float64(); {
	case x < isRefunded:
		whole := chance(r, 0.6)
		reason := one(r, []string{"bought twice by mistake", "not what was expected", "could not follow in English", "found no time for it", "asked within seven days", "goodwill after a late start"})
		w.after(time.Duration((0.3+r.ExpFloat64()*4)*float64(day)), func(ctx context.Context) error { return w.refund(ctx, s, whole, reason) })
	case x < isRefunded+0.002:
		w.after(3*day, func(ctx context.Context) error { return w.tell(ctx, s, "refund") })
	case x < isRefunded+0.002+isDisputed:
		w.after(time.Duration((2+r.ExpFloat64()*5)*float64(day)), func(ctx context.Context) error {
			w.result.Disputes++
			ends := one(r, []string{"won", "won", "lost"})
			w.after(time.Duration((5+r.Float64()*10)*float64(day)), func(ctx context.Context) error { return w.tell(ctx, s, ends) })
			return w.tell(ctx, s, "dispute")
		})
	}
}

// refund gives money back through the gateway, in the name of finance.
func (w *world) refund(ctx context.Context, s *sale, whole bool, reason string) error {
	wish := shop.RefundWish{Reason: reason}
	if !whole {
		wish.Amount = s.total.Minor / 2 / 100 * 100
	}
	_, err := w.shop.Refund(w.as(ctx, "DEMO_FINANCE"), s.order, wish)
	if errors.Is(err, shop.ErrState) || errors.Is(err, shop.ErrNothingLeft) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("refund: %w", err)
	}
	w.result.Refunds++
	if err := w.settle(ctx); err != nil {
		return err
	}
	w.after(time.Second, w.settle)
	return nil
}

// signUp tells of a lead, as the script on the business's pages does. Edge nodes deliver in batches, see flush.
func (w *world) signUp(p prospect) {
	w.result.Leads++
	e := conversion.Event{
		ProgramID: p.link.ProgramID, Type: conversion.Lead, TxnID: fmt.Sprintf("signup-%06d", w.result.Leads), ClickID: p.id, Name: "signup",
		Channel: conversion.Script, ReceivedAt: w.clock.Now().UnixMilli(), Node: node,
	}
	if p.link.ProgramID == w.partners.ID {
		e.Channel, e.Name = conversion.Postback, "trial"
	}
	w.waiting = append(w.waiting, e)
}

// sellOutside tells of what a partner has sold, as his server does.
func (w *world) sellOutside(p prospect) {
	r := w.fates
	w.result.Outside++
	amount := money.Amount{Minor: int64(9+r.IntN(110)) * 100, Currency: "USD"}
	if chance(r, 0.25) {
		amount = money.Amount{Minor: int64(699+r.IntN(5)*500) * 100, Currency: "INR"}
	}
	e := conversion.Event{
		ProgramID: p.link.ProgramID, Type: conversion.Sale, TxnID: fmt.Sprintf("LL-%d", 41_000+w.result.Outside), ClickID: p.id, Amount: &amount,
		Channel: conversion.Postback, ReceivedAt: w.clock.Now().UnixMilli(), Node: node,
	}
	w.waiting = append(w.waiting, e)
	switch w.result.Outside % 25 {
	case 7: // half of it goes back
		e.Type, e.RefTxnID, e.TxnID, e.Amount = conversion.Refund, e.TxnID, e.TxnID+"-R", &money.Amount{Minor: amount.Minor / 2, Currency: amount.Currency}
	case 12: // cancelled
		e.Type, e.Amount = conversion.Rejected, nil
	case 18: // the partner's system sends the same order with another price: a conflict to look at
		e.Amount = &money.Amount{Minor: amount.Minor + 500, Currency: amount.Currency}
	case 21: // and gives back more than he took: refused
		e.Type, e.RefTxnID, e.TxnID, e.Amount = conversion.Refund, e.TxnID, e.TxnID+"-R", &money.Amount{Minor: amount.Minor * 2, Currency: amount.Currency}
	default:
		return
	}
	w.after(time.Duration(5+r.IntN(90))*time.Hour, func(context.Context) error {
		e.ReceivedAt = w.clock.Now().UnixMilli()
		w.waiting = append(w.waiting, e)
		return nil
	})
}

// flush books what edge nodes have received.
func (w *world) flush(ctx context.Context) error {
	if len(w.waiting) == 0 {
		return nil
	}
	_, err := w.conversions.Book(ctx, w.waiting)
	w.waiting = nil
	return err
}

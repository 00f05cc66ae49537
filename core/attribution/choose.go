package attribution

import (
	"cmp"
	"slices"
	"time"

	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/ident"
)

// Source is what connects a conversion with an affiliate.
type Source string

// Sources.
const (
	ByClick    Source = "click"
	ByCoupon   Source = "coupon"   // the conversion names a coupon that an affiliate owns
	ByCustomer Source = "customer" // an earlier conversion bound the customer to an affiliate
	ByHand     Source = "manual"   // somebody assigned it
)

// Model says which of several clicks counts.
type Model string

// Models.
const (
	LastClick  Model = "last_click"
	FirstClick Model = "first_click"
)

// Binding says which conversions bind their customer to the affiliate they belong to.
type Binding string

// Bindings.
const (
	BindNone Binding = "none"
	BindLead Binding = "lead" // leads only
	BindAny  Binding = "any"  // leads and sales
)

// Policy is how a program decides. The zero Policy is last click, coupon before click before customer, leads bind for
// as long as the window, and nobody earns by buying himself.
type Policy struct {
	Model      Model         // "": LastClick
	Window     time.Duration // of clicks
	Precedence []Source      // best first, each at most once; a source that is missing never counts. nil: DefaultPrecedence
	Bind       Binding       // "": BindLead
	BindFor    time.Duration // how long a customer stays bound; 0: as long as Window
	Lifetime   bool          // a customer stays bound for ever
	SelfBuys   bool          // an affiliate earns by what he buys himself
}

// DefaultPrecedence is that of a program which states none.
func DefaultPrecedence() []Source { return []Source{ByCoupon, ByClick, ByCustomer} }

func (p *Policy) precedence() []Source {
	if p.Precedence == nil {
		return DefaultPrecedence()
	}
	return p.Precedence
}

func (p *Policy) bindFor() time.Duration {
	if p.BindFor == 0 {
		return p.Window
	}
	return p.BindFor
}

// Binds reports whether a lead (or, with lead false, a sale) that was attributed binds its customer.
func (p *Policy) Binds(lead bool) bool {
	return p.Bind == BindAny || lead && (p.Bind == BindLead || p.Bind == "")
}

// Touch is a click that may have led to the conversion.
type Touch struct {
	ClickID  click.ID
	Verified bool  // a key of ours signed it
	Link     *Link // nil: there is no such link
}

// Claim is that of an affiliate without a click: he owns the coupon, or the customer is bound to him.
type Claim struct {
	Coupon      string
	AffiliateID int64 // 0: nobody owns the coupon
	LinkID      int64 // 0: unknown
	At          int64 // Unix ms, when the customer was bound
	Suspended   bool
}

// Evidence is all that a decision with several candidates rests on.
type Evidence struct {
	ProgramID int64
	Touches   []Touch // each click once
	Coupon    *Claim  // nil: no coupon
	Customer  *Claim  // nil: the customer is unknown, or not bound
	Buyer     int64   // the affiliate who buys; 0: no affiliate
	At, Now   int64   // Unix ms; a conversion from the future counts as received now
}

// party is a candidate with what is not shown of it.
type party struct {
	shown     Candidate
	affiliate int64
	link      int64
	detail    Explanation // of a click, as of a decision that had only this one
}

// Choose decides between all candidates. Each is looked at by itself first; of the clicks that pass, the model picks
// one; of the sources that have somebody left, the first in the order of precedence wins.
func Choose(p *Policy, e *Evidence) Decision {
	at := e.At
	if at <= 0 || at > e.Now {
		at = e.Now
	}
	parties := append(clickParties(p, e), claimParties(p, e, at)...)
	order := p.precedence()
	winner := -1
	for _, source := range order {
		for i := range parties {
			if winner < 0 && parties[i].shown.Source == source && parties[i].shown.Result == Attributed {
				winner = i
			}
		}
	}
	for i := range parties {
		c := &parties[i].shown
		switch {
		case i == winner || c.Result != Attributed:
		case !slices.Contains(order, c.Source):
			c.Result = SourceOff
		default:
			c.Result = Outranked
		}
	}
	d := Decision{Explanation: Explanation{Reason: NoClick, ReceivedAt: at}}
	switch {
	case winner >= 0:
		d.AffiliateID, d.LinkID, d.Explanation = parties[winner].affiliate, parties[winner].link, parties[winner].detail
		d.Explanation.Reason, d.Explanation.Source = Attributed, parties[winner].shown.Source
	case len(parties) > 0:
		d.Explanation = parties[0].detail
		d.Explanation.Reason, d.Explanation.Source = parties[0].shown.Result, parties[0].shown.Source
	}
	d.Explanation.Model, d.Explanation.Precedence = p.Model, order
	for _, c := range parties {
		d.Explanation.Candidates = append(d.Explanation.Candidates, c.shown)
	}
	return d
}

// clickParties judges the clicks, newest first, and lets the model pick one of those that pass.
func clickParties(p *Policy, e *Evidence) []party {
	out := make([]party, 0, len(e.Touches))
	for _, t := range e.Touches {
		in := Input{
			ClickID: t.ClickID, Verified: t.Verified, ProgramID: e.ProgramID, ReceivedAt: e.At, Now: e.Now, Window: p.Window, Link: t.Link,
		}
		d := Decide(in)
		c := party{affiliate: d.AffiliateID, link: d.LinkID, detail: d.Explanation}
		c.detail.Candidates, c.detail.Source = nil, ByClick
		if d.Explanation.Reason == Attributed && d.AffiliateID == e.Buyer && !p.SelfBuys {
			c.detail.Reason = SelfPurchase
		}
		c.shown = clickCandidate(&c.detail)
		out = append(out, c)
	}
	slices.SortStableFunc(out, func(a, b party) int {
		return cmp.Or(cmp.Compare(b.shown.At, a.shown.At), cmp.Compare(b.shown.ClickID, a.shown.ClickID))
	})
	picked := -1
	for i := range out {
		if out[i].shown.Result == Attributed && (picked < 0 || p.Model == FirstClick) {
			picked = i
		}
	}
	for i := range out {
		if i != picked && out[i].shown.Result == Attributed {
			out[i].shown.Result = NotLast
			if p.Model == FirstClick {
				out[i].shown.Result = NotFirst
			}
		}
	}
	return out
}

func clickCandidate(e *Explanation) Candidate {
	return Candidate{
		Source: ByClick, AffiliateID: e.AffiliateID, LinkID: e.LinkID, ClickID: e.ClickID, At: e.ClickedAt, Result: e.Reason,
	}
}

// claimParties judges coupon and customer.
func claimParties(p *Policy, e *Evidence, at int64) []party {
	var out []party
	add := func(source Source, claim *Claim, result Reason) {
		switch {
		case result != Attributed:
		case claim.Suspended:
			result = AffiliateSuspended
		case claim.AffiliateID == e.Buyer && !p.SelfBuys:
			result = SelfPurchase
		}
		c := party{affiliate: claim.AffiliateID, link: claim.LinkID, detail: Explanation{ReceivedAt: at, Source: source, Coupon: claim.Coupon, BoundAt: claim.At, Reason: result}}
		if claim.AffiliateID != 0 {
			c.detail.AffiliateID = ident.Format(ident.Affiliate, claim.AffiliateID)
		}
		if claim.LinkID != 0 {
			c.detail.LinkID = ident.Format(ident.Link, claim.LinkID)
		}
		c.shown = Candidate{Source: source, AffiliateID: c.detail.AffiliateID, LinkID: c.detail.LinkID, Coupon: claim.Coupon, At: claim.At, Result: result}
		out = append(out, c)
	}
	if c := e.Coupon; c != nil {
		result := Attributed
		if c.AffiliateID == 0 {
			result = CouponUnowned
		}
		add(ByCoupon, c, result)
	}
	if c := e.Customer; c != nil {
		result := Attributed
		if !p.Lifetime && at-c.At > p.bindFor().Milliseconds() {
			result = BindingExpired
		}
		add(ByCustomer, c, result)
	}
	return out
}

// Days is a number of days as a duration.
func Days(n int64) time.Duration { return time.Duration(n) * 24 * time.Hour }

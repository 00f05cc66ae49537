package api

import (
	"context"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/attribution"
	"github.com/edgeref/edgeref/core/commission"
	"github.com/edgeref/edgeref/core/conversion"
	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/money"
)

// why collects what explains a conversion.
type why struct {
	a           *API
	d           *DeskServices
	affiliate   int64                   // who asks about himself; 0: the business
	family      []conversion.Conversion // about one sale or lead
	shown       int64                   // the conversion that is explained
	subject     int64                   // the sale or lead; 0: it has not come in
	commissions []commission.Commission

	products map[int64]string // of the lines of the order
	out      Why
}

func (w *why) answer(ctx context.Context) (*whyOutput, error) {
	shown := w.find(w.shown)
	if shown == nil {
		return nil, conversion.ErrNotFound
	}
	w.out = Why{View: w.view(shown), Clicks: []StoryClick{}, Related: []Conversion{}, Commissions: []WhyCommission{}, Parts: []StoryPart{}}
	w.out.Conversion = w.conversion(shown)
	for i := range w.family {
		if c := &w.family[i]; c.ID != shown.ID {
			w.out.Related = append(w.out.Related, w.conversion(c))
		}
	}
	if w.told() {
		if err := w.attribution(ctx, shown); err != nil {
			return nil, err
		}
	}
	if err := w.order(ctx); err != nil {
		return nil, err
	}
	for i := range w.commissions {
		w.out.Commissions = append(w.out.Commissions, w.commission(&w.commissions[i]))
	}
	for _, p := range []struct {
		name  string
		scope access.Scope
		read  func(context.Context) (bool, error)
	}{
		{"rule", access.CatalogRead, w.rules},
		{"payout", access.PayoutsRead, w.payouts},
	} {
		if err := w.a.part(ctx, &w.out.Parts, p.name, w.scope(p.scope), p.read); err != nil {
			return nil, err
		}
	}
	return &whyOutput{w.out}, nil
}

// scope is what opens a part: to affiliates, that it is about themselves.
func (w *why) scope(of access.Scope) access.Scope {
	if w.affiliate != 0 {
		return access.AffiliateSelf
	}
	return of
}

func (w *why) view(c *conversion.Conversion) WhyView {
	switch {
	case w.affiliate == 0:
		return viewAll
	case c.AffiliateID == w.affiliate:
		return viewOwn
	}
	for _, m := range w.commissions {
		if m.Level == 0 {
			return viewReassigned
		}
	}
	return viewDownline
}

// told reports whether the caller may know to whom the conversion belongs.
func (w *why) told() bool { return w.out.View == viewAll || w.out.View == viewOwn }

// conversion shows a conversion, without what is only its affiliate's business.
func (w *why) conversion(c *conversion.Conversion) Conversion {
	full := conversionBody(*c)
	if w.told() {
		return full
	}
	return Conversion{
		ID: full.ID, ProgramID: full.ProgramID, Type: full.Type, Amount: full.Amount, State: full.State, Refunded: full.Refunded, Closed: full.Closed,
		ReceivedAt: full.ReceivedAt, BookedAt: full.BookedAt,
	}
}

// attribution tells the decision, the clicks that it weighed, and the link.
func (w *why) attribution(ctx context.Context, c *conversion.Conversion) error {
	e := c.Attribution
	if w.affiliate != 0 {
		e = ownAttribution(e, ident.Format(ident.Affiliate, w.affiliate))
	}
	w.out.Attribution = &Attribution{Text: e.Text(), Arguments: AttributionArguments(e)}
	if c.LinkID != 0 {
		l, err := w.d.Catalog.Link(ctx, c.LinkID)
		if err != nil {
			return err
		}
		body := linkBody(l)
		w.out.Link = &body
	}
	return w.a.part(ctx, &w.out.Parts, "click", w.scope(access.ReportsRead), func(ctx context.Context) (bool, error) { return w.clicks(ctx, e) })
}

// ownAttribution is a decision as the affiliate whom it favours may read it: of others, only why they did not win.
func ownAttribution(e attribution.Explanation, own string) attribution.Explanation {
	candidates := make([]attribution.Candidate, len(e.Candidates))
	for i, c := range e.Candidates {
		if c.AffiliateID != own {
			c = attribution.Candidate{Source: c.Source, At: c.At, Result: c.Result}
		}
		candidates[i] = c
	}
	e.Candidates = candidates
	if e.Assigner != "" {
		e.Assigner, e.Note = "the business", "ask it for the reason."
	}
	return e
}

// clicks are those that the decision weighed, as the store of clicks has them.
func (w *why) clicks(ctx context.Context, e attribution.Explanation) (more bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, clicksTimeout)
	defer cancel()
	for _, c := range e.Candidates {
		id, parseErr := click.ParseID(c.ClickID)
		if parseErr != nil || c.Result == attribution.UnknownClick {
			continue
		}
		if len(w.out.Clicks) == maxStoryClicks {
			return true, err
		}
		body := StoryClick{Result: string(c.Result), Click: clickBody(&click.Record{ID: id})}
		// Where analytics is down, what the Click IDs say is shown all the same.
		if err == nil {
			var found *click.Record
			if found, err = storedClick(ctx, w.d.Clicks, id); found != nil {
				body.Stored, body.Click = true, clickBody(found)
			}
		}
		if w.affiliate != 0 {
			body.Network = "" // the visitor is the business's, not the affiliate's
		}
		w.out.Clicks = append(w.out.Clicks, body)
	}
	return false, err
}

// order reads what was sold.
func (w *why) order(ctx context.Context) error {
	if w.subject == 0 {
		return nil
	}
	d, err := w.d.Conversions.Detail(ctx, w.subject)
	if err != nil || d.OrderID == 0 {
		return err
	}
	o, err := w.d.Shop.Order(ctx, d.OrderID)
	if err != nil {
		return err
	}
	w.products = map[int64]string{}
	for _, l := range o.Lines {
		w.products[l.ID] = l.Name
	}
	if w.affiliate == 0 {
		w.out.OrderID = ident.Format(ident.Order, d.OrderID)
	}
	return nil
}

func (w *why) commission(c *commission.Commission) WhyCommission {
	body := WhyCommission{CommissionDetail: commissionDetail(*c), Product: w.products[c.LineID], Payouts: []StoryPayout{}}
	if w.affiliate != 0 && c.Level > 0 {
		body.LinkID = "" // of somebody below
	}
	return body
}

func (w *why) rules(ctx context.Context) (bool, error) {
	for i, c := range w.commissions {
		r, err := w.d.Commissions.RuleVersion(ctx, c.RuleID, c.RuleVersion)
		if noRule(err) {
			continue
		}
		if err != nil {
			return false, err
		}
		body := ruleBody(r)
		if w.affiliate != 0 && r.AffiliateID != w.affiliate {
			body.AffiliateID = "" // of somebody below
		}
		w.out.Commissions[i].Rule = &body
	}
	return false, nil
}

func (w *why) payouts(ctx context.Context) (bool, error) {
	ids := make([]int64, len(w.commissions))
	for i, c := range w.commissions {
		ids[i] = c.ID
	}
	list, err := w.d.Payouts.Shares(ctx, ids, maxStoryEntries+1)
	list, more := firsts(list, maxStoryEntries)
	for _, sh := range list {
		share := PayoutItem{CommissionID: ident.Format(ident.Commission, sh.CommissionID), Amount: money.Amount{Minor: sh.Minor, Currency: sh.Currency}}
		for i := range w.out.Commissions {
			if w.commissions[i].ID == sh.CommissionID {
				w.out.Commissions[i].Payouts = append(w.out.Commissions[i].Payouts, StoryPayout{payoutBody(sh.Payout), share})
			}
		}
	}
	return more, err
}

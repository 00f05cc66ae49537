package api

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/attribution"
	"github.com/edgeref/edgeref/core/audit"
	"github.com/edgeref/edgeref/core/conversion"
	"github.com/edgeref/edgeref/core/ledger"
	"github.com/edgeref/edgeref/core/payment"
	"github.com/edgeref/edgeref/core/shop"
	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/money"
	"github.com/edgeref/edgeref/wire/report"
)

// story collects the entries of one order. Parts are read one after the other, outside of transactions: later ones need
// what earlier ones found.
type story struct {
	d       *DeskServices
	order   shop.Order
	entries []StoryEntry

	refunds     []shop.Refund
	family      []conversion.Conversion
	commissions []int64
	objects     []string // whose audit entries belong to the order
}

// orderStory reads what the caller may see of an order. Errors: shop.ErrNotFound.
func (a *API) orderStory(ctx context.Context, d *DeskServices, id int64) (OrderStory, error) {
	order, err := d.Shop.Order(ctx, id)
	if err != nil {
		return OrderStory{}, err
	}
	s := &story{d: d, order: order, objects: []string{ident.Format(ident.Order, id)}}
	out := OrderStory{Order: orderBody(order)}
	for _, p := range []struct {
		kind  StoryKind
		scope access.Scope
		read  func(context.Context) (bool, error)
	}{
		{kindOrderEvent, access.OrdersRead, s.orderEvents},
		{kindRefund, access.OrdersRead, s.orderRefunds},
		{kindPayment, access.OrdersRead, s.payments},
		{kindPaymentEvent, access.OrdersRead, s.paymentEvents},
		{kindPaymentRefund, access.OrdersRead, s.paymentRefunds},
		{kindDocument, access.OrdersRead, s.documents},
		{kindConversion, access.ConversionsRead, s.conversions},
		{kindAttribution, access.OrdersRead, s.attributions},
		{kindClick, access.ReportsRead, s.clicks},
		{kindCommission, access.ConversionsRead, s.earned},
		{kindTransaction, access.LedgerRead, s.transactions},
		{kindPayout, access.PayoutsRead, s.payouts},
		{kindMail, access.MailRead, s.mails},
		{kindAudit, access.AuditRead, s.audit},
	} {
		if err := a.part(ctx, &out.Parts, string(p.kind), p.scope, p.read); err != nil {
			return OrderStory{}, err
		}
	}
	slices.SortStableFunc(s.entries, func(x, y StoryEntry) int {
		return cmp.Or(strings.Compare(string(x.At), string(y.At)), rankOf(x.Kind)-rankOf(y.Kind))
	})
	out.Entries = notNil(s.entries)
	return out, nil
}

// rankOf orders entries of one millisecond: what causes comes before what it causes.
func rankOf(kind StoryKind) int {
	return slices.Index([]StoryKind{
		kindClick, kindAttribution, kindPayment, kindPaymentEvent, kindOrderEvent, kindRefund, kindPaymentRefund, kindDocument, kindConversion,
		kindCommission, kindReversal, kindRestoral, kindTransaction, kindPayout, kindMail, kindAudit,
	}, kind)
}

// add adds an entry. Empty references are left out.
func (s *story) add(at int64, e StoryEntry, refs ...string) {
	e.At = timeOf(at)
	e.Refs = slices.DeleteFunc(refs, func(ref string) bool { return ref == "" })
	if e.Refs == nil {
		e.Refs = []string{}
	}
	s.entries = append(s.entries, e)
}

// firsts cuts a list that was read with one more than is shown.
func firsts[T any](list []T, limit int) ([]T, bool) {
	if len(list) > limit {
		return list[:limit], true
	}
	return list, false
}

func (s *story) orderEvents(ctx context.Context) (bool, error) {
	events, err := s.d.Shop.Events(ctx, s.order.ID)
	events, more := firsts(events, maxStoryEntries)
	for _, e := range events {
		body := eventBody(e)
		s.add(e.At, StoryEntry{Kind: kindOrderEvent, OrderEvent: &body})
	}
	return more, err
}

func (s *story) orderRefunds(ctx context.Context) (more bool, err error) {
	if s.refunds, err = s.d.Shop.Refunds(ctx, s.order.ID); err != nil {
		return false, err
	}
	list, more := firsts(s.refunds, maxStoryEntries)
	for _, r := range list {
		body := refundBody(r)
		s.add(r.CreatedAt, StoryEntry{Kind: kindRefund, ID: body.ID, Refund: &body})
	}
	return more, nil
}

func (s *story) payments(ctx context.Context) (bool, error) {
	list, err := s.d.Payments.Payments(ctx, payment.Filter{OrderID: s.order.ID, Limit: maxStoryEntries + 1})
	list, more := firsts(list, maxStoryEntries)
	for _, p := range list {
		body := paymentBody(p)
		s.objects = append(s.objects, body.ID)
		s.add(p.CreatedAt, StoryEntry{Kind: kindPayment, ID: body.ID, Payment: &body})
	}
	return more, err
}

func (s *story) paymentEvents(ctx context.Context) (bool, error) {
	list, err := s.d.Payments.Events(ctx, payment.EventFilter{OrderID: s.order.ID, Limit: maxStoryEntries + 1})
	list, more := firsts(list, maxStoryEntries)
	for _, e := range list {
		body := paymentEventBody(e)
		s.objects = append(s.objects, body.ID)
		s.add(e.ReceivedAt, StoryEntry{Kind: kindPaymentEvent, ID: body.ID, PaymentEvent: &body})
	}
	return more, err
}

func (s *story) paymentRefunds(ctx context.Context) (bool, error) {
	list, err := s.d.Payments.Refunds(ctx, payment.Filter{OrderID: s.order.ID, Limit: maxStoryEntries + 1})
	list, more := firsts(list, maxStoryEntries)
	for _, r := range list {
		body := paymentRefundBody(r)
		s.add(r.CreatedAt, StoryEntry{Kind: kindPaymentRefund, ID: body.ID, PaymentRefund: &body}, body.PaymentID)
	}
	return more, err
}

func (s *story) documents(ctx context.Context) (bool, error) {
	list, err := s.d.Invoices.List(ctx, s.order.ID)
	list, more := firsts(list, maxStoryEntries)
	for _, inv := range list {
		s.add(inv.IssuedAt, StoryEntry{Kind: kindDocument, ID: ident.Format(ident.Invoice, inv.ID), Document: &InvoiceSummary{
			Number: inv.Number, Kind: inv.Kind, Total: inv.Total, IssuedAt: timeOf(inv.IssuedAt),
		}})
	}
	return more, err
}

func (s *story) conversions(ctx context.Context) (more bool, err error) {
	if s.order.ConversionID == 0 {
		return false, nil
	}
	if s.family, err = s.d.Conversions.Family(ctx, s.order.ConversionID, maxStoryEntries+1); err != nil {
		return false, err
	}
	s.family, more = firsts(s.family, maxStoryEntries)
	for _, c := range s.family {
		body := conversionBody(c)
		s.objects = append(s.objects, body.ID)
		s.add(c.BookedAt, StoryEntry{Kind: kindConversion, ID: body.ID, Conversion: &body}, body.ProgramID, body.AffiliateID, body.LinkID)
	}
	return more, nil
}

// attributions are the decision of the checkout, and the one that holds where somebody changed it since.
func (s *story) attributions(context.Context) (bool, error) {
	entry := func(at int64, decided string, e attribution.Explanation) {
		s.add(at, StoryEntry{Kind: kindAttribution, Attribution: &StoryAttribution{
			Attribution{Text: e.Text(), Arguments: AttributionArguments(e)}, decided,
		}}, e.AffiliateID, e.LinkID)
	}
	entry(s.order.CreatedAt, "checkout", s.order.Attribution.Explanation)
	for _, c := range s.family {
		if c.ID == s.order.ConversionID && (c.AffiliateID != s.order.AffiliateID || c.Attribution.Assigner != "") {
			entry(c.BookedAt, "conversion", c.Attribution)
		}
	}
	return false, nil
}

// clicks are those that the decision of the checkout weighed.
func (s *story) clicks(ctx context.Context) (more bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, clicksTimeout)
	defer cancel()
	var seen []string
	for _, c := range s.order.Attribution.Explanation.Candidates {
		id, parseErr := click.ParseID(c.ClickID)
		// What a Click ID says that nobody of ours signed is not repeated.
		if parseErr != nil || c.Result == attribution.UnknownClick || slices.Contains(seen, c.ClickID) {
			continue
		}
		if len(seen) == maxStoryClicks {
			return true, err
		}
		seen = append(seen, c.ClickID)
		body := &StoryClick{Result: string(c.Result), Click: clickBody(&click.Record{ID: id})}
		// Where analytics is down, what the Click IDs say is shown all the same.
		if err == nil {
			var found *click.Record
			if found, err = storedClick(ctx, s.d.Clicks, id); found != nil {
				body.Stored, body.Click = true, clickBody(found)
			}
		}
		s.add(id.UnixMilli(), StoryEntry{Kind: kindClick, ID: c.ClickID, Click: body}, body.AffiliateID, body.LinkID)
	}
	return false, err
}

// storedClick finds a click in the store by its identifier, which holds its time and affiliate. It is nil where the store
// does not have it.
func storedClick(ctx context.Context, r reporter, id click.ID) (*click.Record, error) {
	rows, err := r.Clicks(ctx, report.ClickQuery{
		From: id.Time(), To: id.Time().Add(time.Millisecond), AffiliateID: id.AffiliateID(), Limit: report.MaxLimit,
	})
	if err != nil {
		return nil, err
	}
	for i := range rows {
		if rows[i].ID == id {
			return &rows[i], nil
		}
	}
	return nil, nil
}

// earned are the commissions of the sale, and what refunds and disputes made of them.
func (s *story) earned(ctx context.Context) (bool, error) {
	if s.order.ConversionID == 0 {
		return false, nil
	}
	list, err := s.d.Commissions.Of(ctx, s.order.ConversionID)
	list, more := firsts(list, maxStoryEntries)
	for _, c := range list {
		body := commissionBody(c)
		s.commissions = append(s.commissions, c.ID)
		s.add(c.CreatedAt, StoryEntry{Kind: kindCommission, ID: body.ID, Commission: &StoryCommission{body, c.Explanation.Text()}},
			body.ConversionID, body.AffiliateID, body.RuleID)
		for _, r := range c.Reversals {
			change := reversalBody(r)
			s.add(r.CreatedAt, StoryEntry{Kind: kindReversal, ID: body.ID, Reversal: &change}, change.ConversionID, body.AffiliateID)
		}
		for _, r := range c.Restorals {
			change := reversalBody(r)
			s.add(r.CreatedAt, StoryEntry{Kind: kindRestoral, ID: body.ID, Restoral: &change}, change.ConversionID, body.AffiliateID)
		}
	}
	return more, err
}

// commissionIDs are those of the order, whether or not the caller may see the commissions themselves.
func (s *story) commissionIDs(ctx context.Context) ([]int64, error) {
	if s.commissions != nil || s.order.ConversionID == 0 {
		return s.commissions, nil
	}
	list, err := s.d.Commissions.Of(ctx, s.order.ConversionID)
	for _, c := range list {
		s.commissions = append(s.commissions, c.ID)
	}
	return s.commissions, err
}

func (s *story) transactions(ctx context.Context) (bool, error) {
	ids, err := s.commissionIDs(ctx)
	if err != nil {
		return false, err
	}
	if len(ids) == 0 {
		return false, nil
	}
	ids, more := firsts(ids, maxStoryObjects)
	list, err := s.d.Ledger.Transactions(ctx, ledger.Filter{Commissions: ids, Limit: maxStoryEntries + 1})
	list, over := firsts(list, maxStoryEntries)
	for _, t := range list {
		body := transactionBody(t)
		s.add(t.PostedAt, StoryEntry{Kind: kindTransaction, ID: body.ID, Transaction: &body}, body.ConversionID, body.CommissionID)
	}
	return more || over, err
}

func (s *story) payouts(ctx context.Context) (bool, error) {
	ids, err := s.commissionIDs(ctx)
	if err != nil {
		return false, err
	}
	list, err := s.d.Payouts.Shares(ctx, ids, maxStoryEntries+1)
	list, more := firsts(list, maxStoryEntries)
	for _, sh := range list {
		body := payoutBody(sh.Payout)
		share := PayoutItem{CommissionID: ident.Format(ident.Commission, sh.CommissionID), Amount: money.Amount{Minor: sh.Minor, Currency: sh.Currency}}
		s.add(sh.CreatedAt, StoryEntry{Kind: kindPayout, ID: body.ID, Payout: &StoryPayout{body, share}}, share.CommissionID, body.AffiliateID, body.BatchID)
	}
	return more, err
}

func (s *story) mails(ctx context.Context) (bool, error) {
	list, err := s.d.Mails.ByKeys(ctx, shop.MailKeys(s.order, s.refunds))
	list, more := firsts(list, maxStoryEntries)
	for _, m := range list {
		body := mailBody(m)
		s.add(m.CreatedAt, StoryEntry{Kind: kindMail, ID: body.ID, Mail: &body})
	}
	return more, err
}

func (s *story) audit(ctx context.Context) (bool, error) {
	objects, more := firsts(s.objects, maxStoryObjects)
	left := maxStoryEntries
	for _, object := range objects {
		if left == 0 {
			return true, nil
		}
		list, err := s.d.Audit.List(ctx, audit.Filter{Object: object, Limit: left + 1})
		if err != nil {
			return false, err
		}
		list, over := firsts(list, left)
		more, left = more || over, left-len(list)
		for _, r := range list {
			body := auditBody(r)
			s.add(r.At, StoryEntry{Kind: kindAudit, ID: body.ID, Audit: &body}, body.Object, body.Actor.ID)
		}
	}
	return more, nil
}

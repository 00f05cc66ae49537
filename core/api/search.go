package api

import (
	"cmp"
	"context"
	"net/http"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/catalog"
	"github.com/edgeref/edgeref/core/conversion"
	"github.com/edgeref/edgeref/core/payment"
	"github.com/edgeref/edgeref/core/shop"
	"github.com/edgeref/edgeref/wire/click"
	wire "github.com/edgeref/edgeref/wire/conversion"
	"github.com/edgeref/edgeref/wire/money"
)

// maxHits bounds what is found of one kind.
const maxHits = 10

// SearchResult is what was found.
type SearchResult struct {
	Hits  []SearchHit `json:"hits" nullable:"false" doc:"What names the text as a whole comes first"`
	Parts []StoryPart `json:"parts" nullable:"false" doc:"Which kinds were looked for, and how completely. not_permitted: the caller lacks the scope"`
	// Unsigned says why a text that has the form of a Click ID found no click.
	Unsigned bool `json:"unsigned_click_id" doc:"It looks like a Click ID, and no key of ours signed it"`
}

// SearchHit is one thing that was found.
type SearchHit struct {
	Kind     HitKind       `json:"kind" enum:"person,affiliate,affiliate_group,program,link,product,coupon,rule,order,document,order_refund,payment,payment_refund,payment_event,click,conversion,commission,ledger_transaction,payout,payout_batch,mail,audit"`
	ID       string        `json:"id" example:"ord_01J8Z0QK5T2VG"`
	Title    string        `json:"title" example:"2611-7K3M-9QXT" doc:"What it is called"`
	Subtitle string        `json:"subtitle" example:"ann@example.com" doc:"What tells it from others; may be empty"`
	State    string        `json:"state" example:"paid" doc:"Empty: it has none"`
	Amount   *money.Amount `json:"amount,omitempty"`
	OrderID  string        `json:"order_id" example:"ord_01J8Z0QK5T2VG" doc:"Whose story it belongs to; may be empty"`
	Refs     []string      `json:"refs" nullable:"false" example:"[\"aff_01J8Z0QK5T2VG\"]" doc:"Other identifiers that it names"`
	At       *Time         `json:"at" nullable:"true" doc:"When it was made, or happened"`
	Click    *Click        `json:"click,omitempty" doc:"Of a click, as it is stored; absent: it is not, and what is shown is what its Click ID says"`
}

// HitKind is the kind of what was found.
type HitKind string

// search is one run of it.
type search struct {
	d     *DeskServices
	query searchQuery
	out   SearchResult
	seen  map[string]bool
}

func searchOperation(a *API, d *DeskServices) {
	handle(a, operation{
		id: "search", method: http.MethodGet, path: "/search", tag: "People", scope: access.PeopleRead,
		summary: "Find by whatever somebody has in hand",
		about: "The beginning of an e-mail address or a name, any identifier, the number of an order or document, a Click ID, a slug or the address of a link, " +
			"the transaction of a conversion, or a gateway's name of a payment or refund. At most 10 of a kind. What the caller's scopes do not open is not looked for.",
	}, func(ctx context.Context, in *struct {
		Q string `query:"q" required:"true" minLength:"1" maxLength:"2048" example:"ann@example.com"`
	}) (*struct{ Body SearchResult }, error) {
		s := &search{d: d, query: parseSearch(in.Q), seen: map[string]bool{}, out: SearchResult{Hits: []SearchHit{}, Parts: []StoryPart{}}}
		err := s.run(ctx, a)
		return &struct{ Body SearchResult }{s.out}, err
	})
}

// run looks for everything that the text may be.
func (s *search) run(ctx context.Context, a *API) error {
	q := &s.query
	if q.id != 0 {
		l := lookups()[q.prefix]
		return a.part(ctx, &s.out.Parts, string(l.kind), l.scope, func(ctx context.Context) (bool, error) { return false, s.byID(ctx, l) })
	}
	signed := !q.click.IsZero() && s.d.Keys.Verify(q.click) == nil
	s.out.Unsigned = !q.click.IsZero() && !signed
	for _, look := range []struct {
		wanted bool
		name   string
		scope  access.Scope
		read   func(context.Context) (bool, error)
	}{
		{signed, "click", access.ReportsRead, s.clicks},
		{q.number != "" || q.email != "" || q.txn != "" || signed, "order", access.OrdersRead, s.orders},
		{q.number != "", "document", access.OrdersRead, s.documents},
		{q.txn != "", "payment", access.OrdersRead, s.payments},
		{q.txn != "" || signed, "conversion", access.ConversionsRead, s.conversions},
		{q.email != "" || q.words != "", "person", access.PeopleRead, s.people},
		{q.email != "" || q.words != "", "affiliate", access.CatalogRead, s.affiliates},
		{q.slug != "", "link", access.CatalogRead, s.links},
	} {
		if !look.wanted {
			continue
		}
		if err := a.part(ctx, &s.out.Parts, look.name, look.scope, look.read); err != nil {
			return err
		}
	}
	return nil
}

// add adds what was not found before.
func (s *search) add(hit SearchHit, refs ...string) {
	if s.seen[hit.ID] {
		return
	}
	s.seen[hit.ID] = true
	hit.Refs = []string{}
	for _, ref := range refs {
		if ref != "" {
			hit.Refs = append(hit.Refs, ref)
		}
	}
	s.out.Hits = append(s.out.Hits, hit)
}

// clicks finds the click of a Click ID that is ours.
func (s *search) clicks(ctx context.Context) (bool, error) {
	id := s.query.click
	at := timeOf(id.UnixMilli())
	hit := SearchHit{Kind: "click", ID: id.String(), Title: id.String(), At: &at}
	ctx, cancel := context.WithTimeout(ctx, clicksTimeout)
	defer cancel()
	found, err := storedClick(ctx, s.d.Clicks, id)
	if found != nil {
		body := clickBody(found)
		hit.Click = &body
	}
	named := clickBody(&click.Record{ID: id})
	s.add(hit, named.AffiliateID, named.LinkID)
	return false, err
}

func (s *search) orders(ctx context.Context) (more bool, err error) {
	q := &s.query
	filters := []shop.OrderFilter{}
	if q.number != "" {
		filters = append(filters, shop.OrderFilter{Number: q.number})
	}
	if q.txn != "" {
		filters = append(filters, shop.OrderFilter{Transaction: q.txn})
	}
	if q.email != "" {
		filters = append(filters, shop.OrderFilter{Email: q.email})
	}
	if !q.click.IsZero() {
		filters = append(filters, shop.OrderFilter{ClickID: q.click.String()})
	}
	for _, f := range filters {
		f.Limit = maxHits + 1
		list, err := s.d.Shop.Orders(ctx, f)
		if err != nil {
			return more, err
		}
		list, over := firsts(list, maxHits)
		more = more || over
		for i := range list {
			s.order(&list[i])
		}
	}
	return more, nil
}

func (s *search) order(o *shop.Order) {
	body := orderBody(*o)
	s.add(SearchHit{
		Kind: "order", ID: body.ID, Title: body.Number, Subtitle: body.Customer.Email, State: string(body.State), Amount: &body.Total, OrderID: body.ID, At: &body.CreatedAt,
	}, body.AffiliateID, body.ConversionID)
}

func (s *search) documents(ctx context.Context) (bool, error) {
	inv, err := s.d.Invoices.ByNumber(ctx, s.query.number)
	if err != nil {
		return false, ignoreMissing(err)
	}
	s.document(inv)
	return false, nil
}

func (s *search) payments(ctx context.Context) (bool, error) {
	list, refunds, err := s.d.Payments.Find(ctx, s.query.txn, maxHits+1)
	if err != nil {
		return false, err
	}
	list, more := firsts(list, maxHits)
	for _, p := range list {
		s.payment(p)
	}
	refunds, over := firsts(refunds, maxHits)
	for _, r := range refunds {
		s.paymentRefund(r)
	}
	return more || over, nil
}

func (s *search) payment(p payment.Payment) {
	body := paymentBody(p)
	s.add(SearchHit{
		Kind: "payment", ID: body.ID, Title: cmp.Or(body.PaymentID, body.Ref, body.ID), Subtitle: body.Gateway, State: string(body.State), Amount: &body.Amount, OrderID: body.OrderID,
		At: &body.CreatedAt,
	})
}

func (s *search) paymentRefund(r payment.Refund) {
	body := paymentRefundBody(r)
	s.add(SearchHit{
		Kind: "payment_refund", ID: body.ID, Title: cmp.Or(body.RefundID, body.ID), Subtitle: body.Gateway, State: string(body.State), Amount: &body.Amount, OrderID: body.OrderID,
		At: &body.CreatedAt,
	}, body.PaymentID)
}

func (s *search) conversions(ctx context.Context) (more bool, err error) {
	f := conversion.Filter{TxnID: s.query.txn, Limit: maxHits + 1}
	if f.TxnID == "" {
		f.ClickID = s.query.click.String()
	}
	if len(f.TxnID) > wire.MaxText {
		return false, nil
	}
	list, err := s.d.Conversions.List(ctx, f)
	list, more = firsts(list, maxHits)
	for _, c := range list {
		s.conversion(c)
	}
	return more, err
}

func (s *search) conversion(c conversion.Conversion) {
	body := conversionBody(c)
	s.add(SearchHit{
		Kind: "conversion", ID: body.ID, Title: body.TxnID, Subtitle: string(body.Type), State: string(body.State), Amount: body.Amount, At: &body.BookedAt,
	}, body.ProgramID, body.AffiliateID, body.LinkID)
}

// links finds the link that has the slug, then those that begin with it.
func (s *search) links(ctx context.Context) (bool, error) {
	l, err := s.d.Catalog.LinkBySlug(ctx, s.query.slug)
	if err == nil {
		s.link(l)
	} else if err = ignoreMissing(err); err != nil {
		return false, err
	}
	list, err := s.d.Catalog.Links(ctx, catalog.LinkFilter{Slug: s.query.slug}, 0, maxHits+1)
	list, more := firsts(list, maxHits)
	for _, l := range list {
		s.link(l)
	}
	return more, err
}

func (s *search) link(l catalog.Link) {
	body := linkBody(l)
	s.add(SearchHit{Kind: "link", ID: body.ID, Title: body.Slug, Subtitle: body.Destination, State: string(body.Status), At: &body.CreatedAt}, body.AffiliateID, body.ProgramID)
}

// ignoreMissing is nil for errors that say that there is no such thing.
func ignoreMissing(err error) error {
	if p := shopProblem(err); p != nil && p.Status == http.StatusNotFound {
		return nil
	}
	if status, _, _, ok := classify(err); ok && status == http.StatusNotFound {
		return nil
	}
	return err
}

package api

import (
	"cmp"
	"context"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/account"
	"github.com/edgeref/edgeref/core/audit"
	"github.com/edgeref/edgeref/core/catalog"
	"github.com/edgeref/edgeref/core/commission"
	"github.com/edgeref/edgeref/core/invoice"
	"github.com/edgeref/edgeref/core/ledger"
	"github.com/edgeref/edgeref/core/mail"
	"github.com/edgeref/edgeref/core/payment"
	"github.com/edgeref/edgeref/core/payout"
	"github.com/edgeref/edgeref/core/shop"
	"github.com/edgeref/edgeref/wire/ident"
)

// lookup finds what an identifier names.
type lookup struct {
	kind  HitKind
	scope access.Scope
	find  func(s *search, ctx context.Context, id int64) error
}

// lookups are the kinds of identifiers that can be looked up, by their prefix.
func lookups() map[string]lookup {
	return map[string]lookup{
		ident.Person:            {"person", access.PeopleRead, (*search).findPerson},
		ident.Affiliate:         {"affiliate", access.CatalogRead, (*search).findAffiliate},
		ident.AffiliateGroup:    {"affiliate_group", access.CatalogRead, (*search).findGroup},
		ident.Program:           {"program", access.CatalogRead, (*search).findProgram},
		ident.Link:              {"link", access.CatalogRead, (*search).findLink},
		ident.Rule:              {"rule", access.CatalogRead, (*search).findRule},
		ident.Product:           {"product", access.ShopRead, (*search).findProduct},
		ident.Coupon:            {"coupon", access.ShopRead, (*search).findCoupon},
		ident.Order:             {"order", access.OrdersRead, (*search).findOrder},
		ident.OrderLine:         {"order", access.OrdersRead, orderOf(shop.LinePart)},
		ident.OrderReview:       {"order", access.OrdersRead, orderOf(shop.ReviewPart)},
		ident.OrderRefund:       {"order", access.OrdersRead, orderOf(shop.RefundPart)},
		ident.Invoice:           {"document", access.OrdersRead, (*search).findDocument},
		ident.Payment:           {"payment", access.OrdersRead, (*search).findPayment},
		ident.PaymentRefund:     {"payment_refund", access.OrdersRead, (*search).findPaymentRefund},
		ident.PaymentEvent:      {"payment_event", access.OrdersRead, (*search).findPaymentEvent},
		ident.Conversion:        {"conversion", access.ConversionsRead, (*search).findConversion},
		ident.Commission:        {"commission", access.LedgerRead, (*search).findCommission},
		ident.LedgerTransaction: {"ledger_transaction", access.LedgerRead, (*search).findTransaction},
		ident.Payout:            {"payout", access.PayoutsRead, (*search).findPayout},
		ident.PayoutBatch:       {"payout_batch", access.PayoutsRead, (*search).findBatch},
		ident.Mail:              {"mail", access.MailRead, (*search).findMail},
		ident.AuditEntry:        {"audit", access.AuditRead, (*search).findAudit},
	}
}

// byID adds what the identifier names, if there is such a thing.
func (s *search) byID(ctx context.Context, l lookup) error {
	return ignoreMissing(l.find(s, ctx, s.query.id))
}

// found gives what was read to add, unless it could not be read.
func found[T any](v T, err error, add func(T)) error {
	if err == nil {
		add(v)
	}
	return err
}

func (s *search) people(ctx context.Context) (bool, error) {
	list, err := s.d.Accounts.People(ctx, account.PeopleFilter{EmailPrefix: s.query.email, NamePrefix: s.query.words}, 0, maxHits+1)
	list, more := firsts(list, maxHits)
	for _, p := range list {
		s.person(p)
	}
	return more, err
}

func (s *search) person(p account.Person) {
	body := personBody(p)
	s.add(SearchHit{Kind: "person", ID: body.ID, Title: body.Name, Subtitle: body.Email, State: string(body.Status), At: &body.CreatedAt}, body.AffiliateID)
}

func (s *search) findPerson(ctx context.Context, id int64) error {
	p, err := s.d.Accounts.Person(ctx, id)
	return found(p, err, s.person)
}

func (s *search) affiliates(ctx context.Context) (bool, error) {
	list, err := s.d.Catalog.Affiliates(ctx, catalog.AffiliateFilter{Email: s.query.email, Name: s.query.words, Limit: maxHits + 1})
	list, more := firsts(list, maxHits)
	for _, a := range list {
		s.affiliate(a)
	}
	return more, err
}

func (s *search) affiliate(a catalog.Affiliate) {
	body := affiliateBody(a)
	s.add(SearchHit{Kind: "affiliate", ID: body.ID, Title: body.Name, Subtitle: body.Email, State: string(body.Status), At: &body.CreatedAt}, body.SponsorID, body.GroupID)
}

func (s *search) findAffiliate(ctx context.Context, id int64) error {
	a, err := s.d.Catalog.Affiliate(ctx, id)
	return found(a, err, s.affiliate)
}

func (s *search) findGroup(ctx context.Context, id int64) error {
	g, err := s.d.Catalog.Group(ctx, id)
	return found(g, err, func(g catalog.Group) {
		s.add(SearchHit{Kind: "affiliate_group", ID: ident.Format(ident.AffiliateGroup, g.ID), Title: g.Name, At: timeOrNil(g.CreatedAt)})
	})
}

func (s *search) findProgram(ctx context.Context, id int64) error {
	p, err := s.d.Catalog.Program(ctx, id)
	return found(p, err, func(p catalog.Program) {
		s.add(SearchHit{Kind: "program", ID: ident.Format(ident.Program, p.ID), Title: p.Name, State: string(p.Status), At: timeOrNil(p.CreatedAt)})
	})
}

func (s *search) findLink(ctx context.Context, id int64) error {
	l, err := s.d.Catalog.Link(ctx, id)
	return found(l, err, s.link)
}

func (s *search) findRule(ctx context.Context, id int64) error {
	r, err := s.d.Commissions.Rule(ctx, id)
	return found(r, err, func(r commission.Rule) {
		state := "live"
		if r.EndedAt != 0 {
			state = "ended"
		}
		s.add(SearchHit{Kind: "rule", ID: ident.Format(ident.Rule, r.ID), Title: ident.Format(ident.Rule, r.ID), Subtitle: string(r.On), State: state, At: timeOrNil(r.CreatedAt)},
			ident.Format(ident.Program, r.ProgramID), identOrNone(ident.Affiliate, r.AffiliateID))
	})
}

func (s *search) findProduct(ctx context.Context, id int64) error {
	p, err := s.d.Shop.Product(ctx, id)
	return found(p, err, func(p shop.Product) {
		s.add(SearchHit{Kind: "product", ID: ident.Format(ident.Product, p.ID), Title: p.Name, Subtitle: p.Slug, State: string(p.Status), At: timeOrNil(p.CreatedAt)})
	})
}

func (s *search) findCoupon(ctx context.Context, id int64) error {
	c, err := s.d.Shop.Coupon(ctx, id)
	return found(c, err, func(c shop.Coupon) {
		s.add(SearchHit{Kind: "coupon", ID: ident.Format(ident.Coupon, c.ID), Title: c.Code, State: string(c.Status), At: timeOrNil(c.CreatedAt)}, identOrNone(ident.Affiliate, c.AffiliateID))
	})
}

func (s *search) findOrder(ctx context.Context, id int64) error {
	o, err := s.d.Shop.Order(ctx, id)
	return found(&o, err, s.order)
}

// orderOf finds the order that a part of one belongs to.
func orderOf(p shop.Part) func(*search, context.Context, int64) error {
	return func(s *search, ctx context.Context, id int64) error {
		order, err := s.d.Shop.OrderOf(ctx, p, id)
		if err != nil {
			return err
		}
		return s.findOrder(ctx, order)
	}
}

func (s *search) document(inv invoice.Invoice) {
	order := ident.Format(ident.Order, inv.OrderID)
	total := inv.Total
	s.add(SearchHit{
		Kind: "document", ID: ident.Format(ident.Invoice, inv.ID), Title: inv.Number, Subtitle: string(inv.Kind), Amount: &total, OrderID: order, At: timeOrNil(inv.IssuedAt),
	}, order)
}

func (s *search) findDocument(ctx context.Context, id int64) error {
	inv, err := s.d.Invoices.Get(ctx, id)
	return found(inv, err, s.document)
}

func (s *search) findPayment(ctx context.Context, id int64) error {
	p, err := s.d.Payments.Payment(ctx, id)
	return found(p, err, s.payment)
}

func (s *search) findPaymentRefund(ctx context.Context, id int64) error {
	r, err := s.d.Payments.RefundByID(ctx, id)
	return found(r, err, s.paymentRefund)
}

func (s *search) findPaymentEvent(ctx context.Context, id int64) error {
	e, err := s.d.Payments.Event(ctx, id)
	return found(e, err, func(e payment.StoredEvent) {
		body := paymentEventBody(e)
		s.add(SearchHit{
			Kind: "payment_event", ID: body.ID, Title: body.Type, Subtitle: body.Gateway, State: string(body.State), OrderID: body.OrderID, At: &body.ReceivedAt,
		})
	})
}

func (s *search) findConversion(ctx context.Context, id int64) error {
	c, err := s.d.Conversions.Get(ctx, id)
	return found(c, err, s.conversion)
}

func (s *search) findCommission(ctx context.Context, id int64) error {
	c, err := s.d.Commissions.Get(ctx, id)
	return found(c, err, func(c commission.Commission) {
		body := commissionBody(c)
		s.add(SearchHit{Kind: "commission", ID: body.ID, Title: body.ID, State: string(body.State), Amount: &body.Amount, At: &body.CreatedAt}, body.AffiliateID, body.ConversionID)
	})
}

func (s *search) findTransaction(ctx context.Context, id int64) error {
	list, err := s.d.Ledger.Transactions(ctx, ledger.Filter{IDs: []int64{id}, Limit: 1})
	for _, t := range list {
		body := transactionBody(t)
		s.add(SearchHit{Kind: "ledger_transaction", ID: body.ID, Title: string(body.Kind), Subtitle: body.Reason, At: &body.PostedAt}, body.CommissionID, body.ConversionID)
	}
	return err
}

func (s *search) findPayout(ctx context.Context, id int64) error {
	p, err := s.d.Payouts.Payout(ctx, id, 0)
	return found(p, err, func(p payout.Payout) {
		body := payoutBody(p)
		s.add(SearchHit{
			Kind: "payout", ID: body.ID, Title: cmp.Or(body.Reference, body.ID), Subtitle: body.Account, State: string(body.State), Amount: &body.Net, At: &body.CreatedAt,
		}, body.AffiliateID, body.BatchID)
	})
}

func (s *search) findBatch(ctx context.Context, id int64) error {
	b, err := s.d.Payouts.Batch(ctx, id)
	return found(b, err, func(b payout.Batch) {
		body := payoutBatchBody(b)
		s.add(SearchHit{Kind: "payout_batch", ID: body.ID, Title: cmp.Or(body.Note, body.ID), Subtitle: body.Executor, State: string(body.State), Amount: &body.Net, At: &body.CreatedAt})
	})
}

func (s *search) findMail(ctx context.Context, id int64) error {
	m, err := s.d.Mails.Get(ctx, id)
	return found(m, err, func(m mail.Mail) {
		body := mailBody(m)
		s.add(SearchHit{Kind: "mail", ID: body.ID, Title: body.Subject, Subtitle: body.To, State: string(body.State), At: &body.CreatedAt})
	})
}

func (s *search) findAudit(ctx context.Context, id int64) error {
	list, err := s.d.Audit.List(ctx, audit.Filter{Before: id + 1, Limit: 1})
	for _, r := range list {
		if body := auditBody(r); r.ID == id {
			s.add(SearchHit{Kind: "audit", ID: body.ID, Title: body.Action, Subtitle: body.Object, At: &body.At}, body.Object, body.Actor.ID)
		}
	}
	return err
}

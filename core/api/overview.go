package api

import (
	"cmp"
	"context"
	"net/http"
	"slices"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/account"
	"github.com/edgeref/edgeref/core/audit"
	"github.com/edgeref/edgeref/core/catalog"
	"github.com/edgeref/edgeref/core/mail"
	"github.com/edgeref/edgeref/core/payout"
	"github.com/edgeref/edgeref/core/shop"
	"github.com/edgeref/edgeref/wire/ident"
)

// maxOverview is how many of each list an overview shows.
const maxOverview = 10

// PersonOverview is a person with the newest of all that belongs to him.
type PersonOverview struct {
	Person       Person             `json:"person"`
	SecondFactor bool               `json:"second_factor" doc:"The person has one"`
	Affiliate    *Affiliate         `json:"affiliate,omitempty" doc:"Absent: the person is none, or the caller may not see it"`
	Links        []Link             `json:"links" nullable:"false"`
	Balances     []Balance          `json:"balances" nullable:"false"`
	Payouts      []Payout           `json:"payouts" nullable:"false"`
	Orders       []Order            `json:"orders" nullable:"false" doc:"Made with the person's address"`
	Entitlements []OrderEntitlement `json:"entitlements" nullable:"false" doc:"What was bought with the person's address"`
	Mails        []Mail             `json:"mails" nullable:"false"`
	Sessions     []Session          `json:"sessions" nullable:"false"`
	Audit        []AuditEntry       `json:"audit" nullable:"false" doc:"About the person or the affiliate"`
	Parts        []StoryPart        `json:"parts" nullable:"false" doc:"How complete each list is. cut: the lists' own operations have more"`
}

// overview collects what belongs to a person.
type overview struct {
	d      *DeskServices
	person account.Person
	out    PersonOverview
}

func overviewOperation(a *API, d *DeskServices) {
	handle(a, operation{
		id: "get-person-overview", method: http.MethodGet, path: "/people/{id}/overview", tag: "People", scope: access.PeopleRead,
		summary: "Get a person with all that belongs to him",
		about: "The newest 10 of each kind: links, balances and payouts of an affiliate, orders, rights and mails by the e-mail address, sign-ins, and the audit log. " +
			"What the caller's scopes do not open, or cannot be read now, is named in `parts` and left out.",
		errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *PersonPath) (*struct{ Body PersonOverview }, error) {
		id, err := pathID(ident.Person, in.ID)
		if err != nil {
			return nil, err
		}
		p, err := d.Accounts.Person(ctx, id)
		if err != nil {
			return nil, err
		}
		o := &overview{d: d, person: p, out: PersonOverview{
			Person: personBody(p), Links: []Link{}, Balances: []Balance{}, Payouts: []Payout{}, Orders: []Order{}, Entitlements: []OrderEntitlement{},
			Mails: []Mail{}, Sessions: []Session{}, Audit: []AuditEntry{},
		}}
		err = o.read(ctx, a)
		return &struct{ Body PersonOverview }{o.out}, err
	})
}

func (o *overview) read(ctx context.Context, a *API) error {
	for _, p := range []struct {
		name      string
		scope     access.Scope
		affiliate bool // only of affiliates
		read      func(context.Context) (bool, error)
	}{
		{"second_factor", access.PeopleRead, false, o.factor},
		{"affiliate", access.CatalogRead, true, o.affiliate},
		{"links", access.CatalogRead, true, o.links},
		{"balances", access.LedgerRead, true, o.balances},
		{"payouts", access.PayoutsRead, true, o.payouts},
		{"orders", access.OrdersRead, false, o.orders},
		{"entitlements", access.OrdersRead, false, o.entitlements},
		{"mails", access.MailRead, false, o.mails},
		{"sessions", access.PeopleWrite, false, o.sessions},
		{"audit", access.AuditRead, false, o.audit},
	} {
		if p.affiliate && o.person.AffiliateID == 0 {
			continue
		}
		if err := a.part(ctx, &o.out.Parts, p.name, p.scope, p.read); err != nil {
			return err
		}
	}
	return nil
}

// bodies are the first maxOverview of a list as they are shown, and whether there are more.
func bodies[T, B any](list []T, body func(T) B) ([]B, bool) {
	list, more := firsts(list, maxOverview)
	out := make([]B, 0, len(list))
	for _, v := range list {
		out = append(out, body(v))
	}
	return out, more
}

func (o *overview) factor(ctx context.Context) (_ bool, err error) {
	o.out.SecondFactor, err = o.d.Accounts.Enrolled(ctx, o.person.ID)
	return false, err
}

func (o *overview) affiliate(ctx context.Context) (bool, error) {
	a, err := o.d.Catalog.Affiliate(ctx, o.person.AffiliateID)
	if err == nil {
		body := affiliateBody(a)
		o.out.Affiliate = &body
	}
	return false, err
}

func (o *overview) links(ctx context.Context) (more bool, err error) {
	list, err := o.d.Catalog.Links(ctx, catalog.LinkFilter{AffiliateID: o.person.AffiliateID}, 0, maxOverview+1)
	o.out.Links, more = bodies(list, linkBody)
	return more, err
}

func (o *overview) balances(ctx context.Context) (bool, error) {
	list, err := o.d.Ledger.Balances(ctx, o.person.AffiliateID)
	o.out.Balances = balanceBodies(list)
	return false, err
}

func (o *overview) payouts(ctx context.Context) (more bool, err error) {
	list, err := o.d.Payouts.Payouts(ctx, payout.Filter{AffiliateID: o.person.AffiliateID, Limit: maxOverview + 1})
	o.out.Payouts, more = bodies(list, payoutBody)
	return more, err
}

func (o *overview) orders(ctx context.Context) (more bool, err error) {
	list, err := o.d.Shop.Orders(ctx, shop.OrderFilter{Email: o.person.Email, Limit: maxOverview + 1})
	o.out.Orders, more = bodies(list, orderBody)
	return more, err
}

func (o *overview) entitlements(ctx context.Context) (bool, error) {
	list, err := o.d.Shop.Entitlements(ctx, shop.CustomerKey(o.person.Email))
	for _, e := range list {
		o.out.Entitlements = append(o.out.Entitlements, entitlementBody(e))
	}
	return false, err
}

func (o *overview) mails(ctx context.Context) (more bool, err error) {
	list, err := o.d.Mails.List(ctx, mail.Filter{To: o.person.Email, Limit: maxOverview + 1})
	o.out.Mails, more = bodies(list, mailBody)
	return more, err
}

func (o *overview) sessions(ctx context.Context) (more bool, err error) {
	list, err := o.d.Accounts.Sessions(ctx, o.person.ID)
	who := principalOf(ctx)
	o.out.Sessions, more = bodies(list, func(v account.Session) Session { return sessionBody(v, who) })
	return more, err
}

// audit merges what was done to the person and to the affiliate.
func (o *overview) audit(ctx context.Context) (more bool, err error) {
	objects := []string{ident.Format(ident.Person, o.person.ID)}
	if o.person.AffiliateID != 0 {
		objects = append(objects, ident.Format(ident.Affiliate, o.person.AffiliateID))
	}
	var all []audit.Recorded
	for _, object := range objects {
		list, err := o.d.Audit.List(ctx, audit.Filter{Object: object, Limit: maxOverview + 1})
		if err != nil {
			return false, err
		}
		all = append(all, list...)
	}
	slices.SortFunc(all, func(a, b audit.Recorded) int { return cmp.Compare(b.ID, a.ID) })
	o.out.Audit, more = bodies(all, auditBody)
	return more, nil
}

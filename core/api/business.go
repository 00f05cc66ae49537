package api

import (
	"context"
	"net/http"
	"time"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/business"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/system"
)

// maxSpan is the longest span of an overview.
const maxSpan = 366 * 2 * 24 * time.Hour

// BusinessMoney is what a span brought in one currency.
type BusinessMoney struct {
	Currency   string `json:"currency" example:"INR"`
	Revenue    int64  `json:"revenue_minor" example:"1180000" doc:"Of paid orders, tax included"`
	Tax        int64  `json:"tax_minor" example:"180000"`
	Refunds    int64  `json:"refunds_minor" example:"118000" doc:"Given back in the span, tax included"`
	Commission int64  `json:"commission_minor" example:"675000" doc:"Of commissions made in the span, less what was taken back of them until now"`
	Net        int64  `json:"net_minor" example:"225000" doc:"What stays: revenue less tax, refunds and commission"`
}

// BusinessFigures are what a span brought.
type BusinessFigures struct {
	Orders        int64           `json:"orders" example:"12" doc:"Paid"`
	Refunds       int64           `json:"refunds" example:"1"`
	NewAffiliates int64           `json:"new_affiliates" example:"3"`
	NewBuyers     int64           `json:"new_buyers" example:"9" doc:"Who had never paid before"`
	Money         []BusinessMoney `json:"money" nullable:"false" doc:"By currency: currencies are never added up"`
}

// TodoItem is something that waits for somebody.
type TodoItem struct {
	Task  business.Task `json:"task" enum:"unknown_payouts,stray_payments,payment_events,order_reviews,conflicts,payout_batches,payout_requests,commission_reviews,kyc_documents,applications,dead_webhooks,dead_mails"`
	Count int64         `json:"count" example:"2"`
}

// BusinessSystem is what of the machinery somebody should look at.
type BusinessSystem struct {
	State    system.State     `json:"state" enum:"ok,warn,bad" doc:"The worst of the troubles"`
	Troubles []system.Trouble `json:"troubles" nullable:"false" doc:"The worst first"`
}

// BusinessOverview is the first page of who runs the business.
type BusinessOverview struct {
	Figures *BusinessFigures `json:"figures,omitempty" doc:"Of the span; absent where none was asked for"`
	Compare *BusinessFigures `json:"compare,omitempty" doc:"Of the span to compare with"`
	Todo    []TodoItem       `json:"todo" nullable:"false" doc:"Also those that are 0; only what the asker may look into"`
	System  *BusinessSystem  `json:"system,omitempty" doc:"What is not well with trackers, stores, queues and the ledger, as in GET /api/v1/system; who may not read that and may read the ledger is told of the ledger alone. Absent: neither"`
}

type businessInput struct {
	From        Time `query:"from" doc:"Figures at this time or later"`
	To          Time `query:"to" doc:"Figures before this time; needed with from"`
	CompareFrom Time `query:"compare_from" doc:"The same of another span"`
	CompareTo   Time `query:"compare_to"`
}

// taskScope is what one must be allowed in order to see that something waits.
func taskScope(t business.Task) access.Scope {
	switch t {
	case business.Applications:
		return access.CatalogRead
	case business.CommissionReviews:
		return access.LedgerRead
	case business.OrderReviews, business.PaymentEvents, business.StrayPayments:
		return access.OrdersRead
	case business.KYCDocuments:
		return access.KYCRead
	case business.PayoutBatches, business.PayoutRequests, business.UnknownPayouts:
		return access.PayoutsRead
	case business.DeadWebhooks:
		return access.WebhooksRead
	case business.DeadMails:
		return access.MailRead
	case business.Conflicts:
		return access.ConversionsRead
	}
	return access.Admin
}

// machinery says how everything is; it answers in bounded time, whatever is dead.
type machinery interface {
	Health(context.Context) system.Health
}

// businessSystem is what the asker may know of how the machinery is; nil: nothing.
func businessSystem(ctx context.Context, m machinery, who access.Principal) *BusinessSystem {
	all := who.Can(access.SystemRead)
	if !all && !who.Can(access.LedgerRead) {
		return nil
	}
	out := &BusinessSystem{State: system.OK, Troubles: []system.Trouble{}}
	for _, t := range m.Health(ctx).Troubles {
		if all || t.Kind == system.TroubleLedger {
			out.Troubles = append(out.Troubles, t)
		}
	}
	if len(out.Troubles) > 0 {
		out.State = out.Troubles[0].State
	}
	return out
}

// Business registers the first page of who runs the business.
func Business(d *db.DB, m machinery) Module {
	return func(a *API) {
		handle(a, operation{
			id: "get-overview", method: http.MethodGet, path: "/overview", tag: "Reports", scope: access.ReportsRead,
			summary: "Get an overview of the business",
			about: "What waits for somebody and what is not well, in one request; with `from` and `to` also orders, money and new people of that span, and with `compare_from` and `compare_to` of another. " +
				"Figures come from the books. Clicks and conversion rates are in `GET /api/v1/reports`, what is owed in `GET /api/v1/ledger/balances`.",
		}, func(ctx context.Context, in *businessInput) (*struct{ Body BusinessOverview }, error) {
			out := &struct{ Body BusinessOverview }{BusinessOverview{Todo: []TodoItem{}}}
			var err1, err2 error
			if in.From != "" || in.To != "" {
				out.Body.Figures, err1 = businessSpan(ctx, d, "", in.From, in.To)
			}
			if in.CompareFrom != "" || in.CompareTo != "" {
				out.Body.Compare, err2 = businessSpan(ctx, d, "compare_", in.CompareFrom, in.CompareTo)
			}
			if err := invalidAll(err1, err2); err != nil {
				return nil, err
			}
			who := principalOf(ctx)
			out.Body.System = businessSystem(ctx, m, who)
			var tasks []business.Task
			for _, t := range business.Tasks() {
				if who.Can(taskScope(t)) {
					tasks = append(tasks, t)
				}
			}
			counts, err := business.Waiting(ctx, d, a.now(), tasks)
			if err != nil {
				return nil, err
			}
			for _, t := range tasks {
				out.Body.Todo = append(out.Body.Todo, TodoItem{t, counts[t]})
			}
			return out, nil
		})
	}
}

func businessSpan(ctx context.Context, d *db.DB, prefix string, fromText, toText Time) (*BusinessFigures, error) {
	begin, err1 := parseTime("query."+prefix+"from", fromText)
	end, err2 := parseTime("query."+prefix+"to", toText)
	if err := invalidAll(err1, err2); err != nil {
		return nil, err
	}
	from, to := time.UnixMilli(begin), time.UnixMilli(end)
	if !from.Before(to) || to.Sub(from) > maxSpan {
		return nil, invalid("query."+prefix+"to", "must be after from, by two years at most")
	}
	f, err := business.Span(ctx, d, from, to)
	if err != nil {
		return nil, err
	}
	out := &BusinessFigures{Orders: f.Orders, Refunds: f.Refunds, NewAffiliates: f.NewAffiliates, NewBuyers: f.NewBuyers, Money: make([]BusinessMoney, len(f.Money))}
	for i, m := range f.Money {
		out.Money[i] = BusinessMoney{m.Currency, m.Revenue, m.Tax, m.Refunds, m.Commission, m.Net}
	}
	return out, nil
}

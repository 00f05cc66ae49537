package api

import (
	"context"
	"net/http"
	"time"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/account"
	"github.com/edgeref/edgeref/core/audit"
	"github.com/edgeref/edgeref/core/catalog"
	"github.com/edgeref/edgeref/core/commission"
	"github.com/edgeref/edgeref/core/conversion"
	"github.com/edgeref/edgeref/core/invoice"
	"github.com/edgeref/edgeref/core/ledger"
	"github.com/edgeref/edgeref/core/mail"
	"github.com/edgeref/edgeref/core/payment"
	"github.com/edgeref/edgeref/core/payout"
	"github.com/edgeref/edgeref/core/shop"
	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/ident"
)

// DeskServices are what the operations for people who look into a matter read: all of the core, and clicks.
type DeskServices struct {
	Accounts    *account.Service
	Catalog     *catalog.Catalog
	Shop        *shop.Service
	Invoices    *invoice.Service
	Payments    *payment.Service
	Conversions *conversion.Service
	Commissions *commission.Service
	Ledger      *ledger.Ledger
	Payouts     *payout.Service
	Mails       *mail.Service
	Audit       *audit.Log
	Clicks      reporter
	Keys        *click.Keyring // tells Click IDs of ours from others
}

// Desk registers the operations that answer for one matter from all domains at once. They only read, and compose what the
// domains' own operations show. What a caller's scopes do not open is left out and named.
func Desk(d DeskServices) Module {
	return func(a *API) {
		storyOperation(a, &d)
		whyOperations(a, &d)
		searchOperation(a, &d)
		overviewOperation(a, &d)
	}
}

// StoryPart says how much of one kind an answer holds.
type StoryPart struct {
	Part  string       `json:"part" example:"commission" doc:"A kind of entries, or a member of the answer"`
	State PartState    `json:"state" enum:"complete,cut,unavailable,not_permitted" doc:"cut: there is more than is shown. unavailable: it could not be read now; ask again later. not_permitted: the caller lacks the scope"`
	Scope access.Scope `json:"scope" example:"conversions:read" doc:"What it takes to see this part"`
}

// PartState says how much of a part is there.
type PartState string

// States of parts.
const (
	partComplete     PartState = "complete"
	partCut          PartState = "cut"
	partUnavailable  PartState = "unavailable"
	partNotPermitted PartState = "not_permitted"
)

// Limits of what one answer shows.
const (
	maxStoryEntries = 200 // of one kind
	maxStoryClicks  = 10
	maxStoryObjects = 100 // whose entries in the ledger or the audit log are read
	// clicksTimeout is how long analytics is waited for.
	clicksTimeout = 3 * time.Second
)

// part reads one part of an answer, unless the caller may not see it. read reports whether there is more; where it fails
// the part is unavailable and the answer goes on without it, unless the request itself has ended.
func (a *API) part(ctx context.Context, parts *[]StoryPart, name string, scope access.Scope, read func(context.Context) (more bool, err error)) error {
	p := StoryPart{Part: name, Scope: scope, State: partComplete}
	if !principalOf(ctx).Can(scope) {
		p.State = partNotPermitted
	} else if more, err := read(ctx); ctx.Err() != nil {
		return ctx.Err()
	} else if err != nil {
		a.log.Error("a part of an answer could not be read", "request_id", infoOf(ctx).id, "part", name, "error", err)
		p.State = partUnavailable
	} else if more {
		p.State = partCut
	}
	*parts = append(*parts, p)
	return nil
}

// OrderStory is all that is known of an order, from the click to the payout.
type OrderStory struct {
	Order   Order        `json:"order"`
	Parts   []StoryPart  `json:"parts" nullable:"false" doc:"How complete each kind of entries is"`
	Entries []StoryEntry `json:"entries" nullable:"false" doc:"The oldest first"`
}

// StoryEntry is one thing that happened. The member named as its kind describes it; the others are absent.
type StoryEntry struct {
	At   Time      `json:"at"`
	Kind StoryKind `json:"kind" enum:"click,attribution,order_event,payment,payment_event,payment_refund,refund,document,conversion,commission,reversal,restoral,ledger_transaction,payout,mail,audit"`
	ID   string    `json:"id" example:"com_01J8Z0QK5T2VG" doc:"Of what it is about; empty: it has none of its own"`
	Refs []string  `json:"refs" nullable:"false" example:"[\"aff_01J8Z0QK5T2VG\"]" doc:"Other identifiers that it names; their prefix says of what"`

	Click         *StoryClick        `json:"click,omitempty"`
	Attribution   *StoryAttribution  `json:"attribution,omitempty"`
	OrderEvent    *OrderEvent        `json:"order_event,omitempty"`
	Payment       *Payment           `json:"payment,omitempty"`
	PaymentEvent  *PaymentEvent      `json:"payment_event,omitempty"`
	PaymentRefund *PaymentRefund     `json:"payment_refund,omitempty"`
	Refund        *OrderRefund       `json:"refund,omitempty"`
	Document      *InvoiceSummary    `json:"document,omitempty"`
	Conversion    *Conversion        `json:"conversion,omitempty"`
	Commission    *StoryCommission   `json:"commission,omitempty"`
	Reversal      *Reversal          `json:"reversal,omitempty"`
	Restoral      *Reversal          `json:"restoral,omitempty"`
	Transaction   *LedgerTransaction `json:"ledger_transaction,omitempty"`
	Payout        *StoryPayout       `json:"payout,omitempty"`
	Mail          *Mail              `json:"mail,omitempty"`
	Audit         *AuditEntry        `json:"audit,omitempty"`
}

// StoryKind is the kind of an entry.
type StoryKind string

// Kinds of entries, in the order of those that happened in the same millisecond.
const (
	kindClick         StoryKind = "click"
	kindAttribution   StoryKind = "attribution"
	kindOrderEvent    StoryKind = "order_event"
	kindPayment       StoryKind = "payment"
	kindPaymentEvent  StoryKind = "payment_event"
	kindRefund        StoryKind = "refund"
	kindPaymentRefund StoryKind = "payment_refund"
	kindDocument      StoryKind = "document"
	kindConversion    StoryKind = "conversion"
	kindCommission    StoryKind = "commission"
	kindReversal      StoryKind = "reversal"
	kindRestoral      StoryKind = "restoral"
	kindTransaction   StoryKind = "ledger_transaction"
	kindPayout        StoryKind = "payout"
	kindMail          StoryKind = "mail"
	kindAudit         StoryKind = "audit"
)

// StoryClick is a click that could have brought the order, as far as it is known.
type StoryClick struct {
	Result string `json:"result" example:"attributed" doc:"attributed: it did; otherwise why not"`
	Stored bool   `json:"stored" doc:"false: the store of clicks has it not, or not any more; what is shown is what its Click ID says"`
	Click
}

// StoryAttribution is a decision whom the order belongs to.
type StoryAttribution struct {
	Attribution
	Decided string `json:"decided" enum:"checkout,conversion" doc:"conversion: what holds since it was booked or assigned by hand, where that differs from the checkout"`
}

// StoryCommission is a commission and why it is what it is.
type StoryCommission struct {
	Commission
	Why string `json:"why" doc:"The rule and the arithmetic in plain words"`
}

// StoryPayout is a payout, and what of it pays a commission of the order.
type StoryPayout struct {
	Payout
	Share PayoutItem `json:"share"`
}

func storyOperation(a *API, d *DeskServices) {
	handle(a, operation{
		id: "get-order-story", method: http.MethodGet, path: "/orders/{id}/story", tag: "Orders", scope: access.OrdersRead,
		summary: "Tell the whole story of an order",
		about: "Clicks, attribution, payments, refunds, documents, conversions, commissions, ledger transactions, payouts, mails and the audit log, in the order in which things happened. " +
			"Kinds that the caller's scopes do not open, or that cannot be read now, are named in `parts` and left out. At most 200 entries of a kind.",
		errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *OrderPath) (*struct{ Body OrderStory }, error) {
		id, err := pathID(ident.Order, in.ID)
		if err != nil {
			return nil, err
		}
		body, err := a.orderStory(ctx, d, id)
		return &struct{ Body OrderStory }{body}, err
	})
}

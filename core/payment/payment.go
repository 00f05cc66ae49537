// Package payment takes money through gateways and gives it back, and knows nothing of what was sold.
//
// Each payment and each refund is stored with the key under which the gateway knows it before the gateway is called;
// one whose outcome is unknown stays in flight under that key until the gateway has said what became of it. What
// gateways tell is verified, stored and answered first, and worked on afterwards: in any order, and any number of times.
package payment

import (
	"context"
	"errors"
	"net/http"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/money"
)

// Errors of this package.
var (
	// ErrNotPayable: Payable says so of an order that is paid, cancelled or for nothing.
	ErrNotPayable = errors.New("the order cannot be paid")
	// ErrNoOrder: Payable and Settle say so of an order that there is not.
	ErrNoOrder = errors.New("no such order")
	// ErrRefused: a gateway said no and did nothing. Every other error of Begin and Refund leaves the outcome unknown.
	ErrRefused = errors.New("the payment gateway refused")
	// ErrSignature: a webhook or callback is not from the gateway, or not from now, or not for this account.
	ErrSignature = errors.New("not signed by the payment gateway")
	// ErrMalformed: it is signed, but cannot be read.
	ErrMalformed = errors.New("not of the payment gateway's form")
)

// Order is what there is to pay.
type Order struct {
	ID          int64
	Ref         string // what the buyer and the gateway's pages call it, as "ord_01J8Z0QK5T2VG"
	Amount      money.Amount
	Email       string // of the buyer; may be empty
	Description string // one line for the gateway's page
	ReturnURL   string // where the buyer goes afterwards, paid or not
}

// Kind is what happened to the money of an order.
type Kind string

// Kinds. For one order: any number of failed before paid, never after; paid once; everything else after paid.
const (
	Paid          Kind = "paid"
	Failed        Kind = "failed" // an attempt to pay; the buyer may try again, so paid can follow
	Refunded      Kind = "refunded"
	RefundFailed  Kind = "refund_failed"  // final: the money stayed with the business, or came back to it
	DisputeOpened Kind = "dispute_opened" // the gateway holds the amount back
	DisputeWon    Kind = "dispute_won"    // after opened, always
	DisputeLost   Kind = "dispute_lost"   // after opened, always
)

// Outcome is told once, in the transaction that makes it known.
type Outcome struct {
	OrderID   int64
	Kind      Kind
	Amount    money.Amount // of this payment, refund or dispute; positive, in the order's currency
	Gateway   string
	PaymentID string // the gateway's
	RefundID  string // the gateway's; of refunded and refund_failed (there it may be empty)
	Refund    int64  // RefundRequest.RefundID; 0: somebody refunded at the gateway, not through us
	DisputeID string // the gateway's; of the dispute kinds
	Reason    string // the gateway's words; may be empty
	At        int64  // Unix ms, when it happened as the gateway has it
}

// orders is the shop, as far as payments need it. It must be safe for concurrent use.
type orders interface {
	// Payable describes an order that is waiting to be paid. Errors: ErrNoOrder, ErrNotPayable.
	Payable(ctx context.Context, orderID int64) (Order, error)
	// Settle books an outcome in tx, where it may lock the order; the payment's row is locked already. It is called
	// once for each outcome that is committed, and may run again with tx. An error leaves all undone and is tried
	// again later; what can never be booked must be booked as a case for people, not answered with an error.
	Settle(ctx context.Context, tx *db.Tx, o Outcome) error
}

// Session is where the buyer pays: at URL, with Params posted as a form if there are any.
type Session struct {
	Gateway string
	URL     string
	Params  map[string]string
}

// RefundRequest asks for money to be given back.
type RefundRequest struct {
	OrderID  int64
	RefundID int64        // the shop's; the same one again is the same refund
	Amount   money.Amount // no more than what is left of the payment
	Reason   string       // for the gateway's records; may be empty
}

// Gateway is one provider. Implementations are safe for concurrent use, have timeouts of their own, and never log or
// return secrets. Amounts are in ISO 4217 minor units on this side, whatever the provider counts in.
type Gateway interface {
	// Begin makes the provider expect a payment. Under one key it takes effect once, however often it is called.
	Begin(ctx context.Context, b BeginCall) (Begun, error)
	// Refund gives money back. Under one key it takes effect once, however often it is called.
	Refund(ctx context.Context, r RefundCall) (Change, error)
	// Lookup asks what became of a payment and its refunds. No changes: nothing yet.
	Lookup(ctx context.Context, q Query) ([]Change, error)
	// ParseWebhook verifies raw as it was received and reads it. It calls nobody. Errors: ErrSignature, ErrMalformed.
	ParseWebhook(header http.Header, raw []byte) (Event, error)
	// List calls fn for every payment that was paid and every refund in a period, in any order. from is included,
	// to is not; both are Unix ms.
	List(ctx context.Context, from, to int64, fn func(Change) error) error
}

// BeginCall is what a gateway needs to begin.
type BeginCall struct {
	Key    string // ours, unique for ever: the provider stores it with the payment
	Again  bool   // an earlier call with this key had an unknown outcome: look for what it did first
	Order  Order
	Return string // URL to which the provider sends the buyer: ours, which leads on to Order.ReturnURL
}

// Begun is a payment that the provider expects.
type Begun struct {
	Ref       string // the provider's name for it before there is a payment: an order or session
	URL       string
	Params    map[string]string
	ExpiresAt int64 // Unix ms; 0: never
}

// RefundCall is what a gateway needs to refund.
type RefundCall struct {
	Key       string
	Again     bool // as in BeginCall
	PaymentID string
	Amount    money.Amount
	Reason    string
}

// Query names a payment: by all that is known of it.
type Query struct {
	Key       string
	Ref       string // may be empty while the outcome of Begin is unknown
	PaymentID string // empty: not known to be paid
}

// ChangeKind is what a gateway says: a Kind, or one of those below.
type ChangeKind string

// Kinds of change beyond those of outcomes.
const (
	Expired       ChangeKind = "expired"        // nobody can pay it any more
	RefundPending ChangeKind = "refund_pending" // accepted by the gateway, not done yet
	Refresh       ChangeKind = "refresh"        // something changed, and only Lookup can say what
)

// Change is one thing that a gateway says about a payment. Key, Ref or PaymentID says about which.
type Change struct {
	Kind      ChangeKind
	Key       string // ours: of the payment, or of the refund where there is one that we asked for
	Ref       string
	PaymentID string
	RefundID  string
	DisputeID string
	Amount    money.Amount
	Reason    string
	At        int64 // Unix ms
}

// Event is one verified webhook.
type Event struct {
	ID      string // the gateway's, the same in every delivery
	Type    string // the gateway's word
	Changes []Change
}

// Package shop sells digital goods: products, bundles and coupons; orders from the checkout to the refund.
//
// What an order says is frozen when it is made: its lines, its tax, and whom it belongs to. What happens to it afterwards
// is one state machine with a story that is only ever added to. The shop calls nobody: gateways tell it what became of
// the money, through Settle, and what it asks of them is a row in the same transaction.
package shop

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/edgeref/edgeref/core/attribution"
	"github.com/edgeref/edgeref/core/audit"
	"github.com/edgeref/edgeref/core/conversion"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/invoice"
	"github.com/edgeref/edgeref/core/mail"
	"github.com/edgeref/edgeref/core/newid"
	"github.com/edgeref/edgeref/core/payment"
)

// Errors of this package.
var (
	ErrNotFound      = errors.New("there is no such thing")
	ErrSlugTaken     = errors.New("the slug is taken")
	ErrCodeTaken     = errors.New("the coupon code is taken")
	ErrState         = errors.New("the order's state does not allow this")
	ErrNothingLeft   = errors.New("more than is left of the order to refund")
	ErrSelfPurchase  = errors.New("affiliates of this program cannot buy for themselves")
	ErrReviewClosed  = errors.New("the case is closed")
	ErrNoGateway     = errors.New("the order was paid through no gateway")
	ErrMixedPrograms = errors.New("products of different programs cannot be bought in one order")
)

// InvalidError says what is wrong with the input, field by field.
type InvalidError struct{ Fields []FieldError }

// FieldError is one thing that is wrong. Field is the name of the field in the API.
type FieldError struct{ Field, Reason string }

// Error implements error.
func (e *InvalidError) Error() string {
	parts := make([]string, len(e.Fields))
	for i, f := range e.Fields {
		parts[i] = f.Field + " " + f.Reason
	}
	return "invalid: " + strings.Join(parts, "; ")
}

// decider says whom an order belongs to.
type decider interface {
	Decide(ctx context.Context, q db.Querier, r attribution.Request) (attribution.Decision, error)
}

// booker books paid orders and refunds as conversions.
type booker interface {
	BookOrder(ctx context.Context, tx *db.Tx, o conversion.OrderSale) (int64, error)
	RefundOrder(ctx context.Context, tx *db.Tx, r conversion.OrderRefund) error
}

// invoicer makes the documents that the law asks for.
type invoicer interface {
	Issue(ctx context.Context, tx *db.Tx, d invoice.Document) (invoice.Invoice, error)
	OfOrder(ctx context.Context, q db.Querier, orderID int64) ([]invoice.Invoice, error)
}

// auditor keeps who changed what.
type auditor interface {
	Record(ctx context.Context, tx *db.Tx, e audit.Entry) error
}

// mailer sends mail after the transaction.
type mailer interface {
	Queue(ctx context.Context, tx *db.Tx, m mail.Message) error
}

// refunder asks a gateway, after the transaction, to give money back.
type refunder interface {
	RequestRefund(ctx context.Context, tx *db.Tx, r payment.RefundRequest) error
}

// Options are what New needs.
type Options struct {
	DB          *db.DB
	IDs         *newid.Generator
	Attribution decider
	Conversions booker
	Invoices    invoicer
	Audit       auditor // default: changes are not recorded
	Mail        mailer  // default: nothing is sent
	Seller      Seller
	Currency    string        // of a checkout that names none; default INR
	OrderTTL    time.Duration // how long an order may be paid; default 24 h
	// ReturnURL is where a buyer goes after paying; {token} stands for the order's token.
	ReturnURL  string
	Now        func() time.Time
	Logger     *slog.Logger          // default: none
	Registerer prometheus.Registerer // default: metrics are not exported
}

// Service is the shop of one database. It is safe for concurrent use.
type Service struct {
	opts    Options
	db      *db.DB
	ids     *newid.Generator
	now     func() time.Time
	log     *slog.Logger
	metrics *metrics
	refunds refunder // see UseGateways
}

// New returns the shop. Run must run for unpaid orders to expire.
func New(opts Options) (*Service, error) {
	if opts.DB == nil || opts.IDs == nil || opts.Attribution == nil || opts.Conversions == nil || opts.Invoices == nil || opts.Now == nil {
		return nil, errors.New("shop: database, identifiers, attribution, conversions, invoices and clock are required")
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Currency == "" {
		opts.Currency = "INR"
	}
	if opts.OrderTTL <= 0 {
		opts.OrderTTL = defaultOrderTTL
	}
	if opts.Seller.Country == "" {
		opts.Seller.Country = india
	}
	if err := opts.Seller.check(); err != nil {
		return nil, err
	}
	return &Service{opts: opts, db: opts.DB, ids: opts.IDs, now: opts.Now, log: opts.Logger, metrics: newMetrics(opts.Registerer)}, nil
}

// UseGateways gives the shop what asks gateways for refunds: payments need the shop first. Call it before anything is
// refunded.
func (s *Service) UseGateways(r refunder) { s.refunds = r }

// audit records a change by whoever acts in ctx.
func (s *Service) audit(ctx context.Context, tx *db.Tx, action, object string, before, after any, reason string) error {
	if s.opts.Audit == nil {
		return nil
	}
	return s.opts.Audit.Record(ctx, tx, audit.Entry{Action: action, Object: object, Before: before, After: after, Reason: reason})
}

// Package conversion books conversions: each once, with its attribution, its commission, its ledger transaction and
// its facts for analytics, all in one database transaction.
package conversion

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/edgeref/edgeref/core/attribution"
	"github.com/edgeref/edgeref/core/audit"
	"github.com/edgeref/edgeref/core/commission"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/newid"
	"github.com/edgeref/edgeref/core/outbox"
	"github.com/edgeref/edgeref/core/webhook"
	"github.com/edgeref/edgeref/wire/click"
	wire "github.com/edgeref/edgeref/wire/conversion"
	"github.com/edgeref/edgeref/wire/money"
)

// State of a conversion.
type State string

// States.
const (
	Booked  State = "booked"
	Waiting State = "waiting" // a refund or rejection whose sale or lead has not come in yet
	Refused State = "refused" // kept for review; Reason says why
)

// Restored is the type of a dispute that was won: it gives back what the dispute took. Nobody can send it; it follows from
// what a payment gateway tells the shop.
const Restored wire.Type = "restored"

// Closing says whether anything of a sale or lead is left to take back.
type Closing int8

// Closings.
const (
	Open           Closing = 0
	RefundedInFull Closing = 1
	Rejected       Closing = 2
)

// Reasons why a valid event is refused.
const (
	NoProgram        = "program_not_found"
	NothingLeft      = "nothing_left"      // it was refunded or rejected in full before
	ExceedsSale      = "exceeds_sale"      // the refund is larger than what is left of the sale
	CurrencyMismatch = "currency_mismatch" // the refund is in another currency than the sale
)

// ErrNotFound says that there is no such conversion.
var ErrNotFound = errors.New("no such conversion")

// Conversion is an event as booked.
type Conversion struct {
	ID           int64
	ProgramID    int64
	Type         wire.Type
	TxnID        string
	Subject      string // the merchant's transaction that it is about
	ClickID      click.ID
	Amount       *money.Amount // as sent
	Name         string
	Channel      wire.Channel
	Node         uint16
	ReceivedAt   int64 // Unix ms, at the edge
	BookedAt     int64 // Unix ms, when the core took it in
	State        State
	Reason       string // why it was refused
	AffiliateID  int64  // 0: it belongs to nobody
	LinkID       int64
	Attribution  attribution.Explanation
	NoCommission string // why a sale or lead that belongs to somebody earned nothing
	// Refunded is, of a sale, what its refunds took back so far; of a refund or rejection, what it took back itself.
	// nil: there is no amount, as of a lead.
	Refunded *money.Amount
	Closed   Closing

	hash []byte
}

// Conflict is an event that was not booked and has no Conversion: its key was booked with other input, or it was not
// valid.
type Conflict struct {
	ID        int64
	ProgramID int64
	Type      wire.Type
	TxnID     string
	Event     []byte // JSON of the whole event
	Detail    string
	CreatedAt int64 // Unix ms
}

// Announcer tells others what becomes of conversions. Announce writes in tx, and is called when the conversion and
// its commission are written.
type Announcer interface {
	Announce(ctx context.Context, tx *db.Tx, e webhook.Event) error
}

// auditor writes down what somebody did, in the transaction in which it was done.
type auditor interface {
	Record(ctx context.Context, tx *db.Tx, e audit.Entry) error
}

// Options are what New needs.
type Options struct {
	DB          *db.DB
	IDs         *newid.Generator
	Keys        *click.Keyring // verifies Click IDs again: an edge node's word is not taken for it
	Commissions *commission.Service
	Outbox      *outbox.Outbox
	Announcer   Announcer // default: nobody is told
	Auditor     auditor   // default: none
	Now         func() time.Time
	Logger      *slog.Logger          // default: none
	Registerer  prometheus.Registerer // default: metrics are not exported
}

// Service books and reads conversions. It is safe for concurrent use.
type Service struct {
	db           *db.DB
	ids          *newid.Generator
	keys         *click.Keyring
	commissions  *commission.Service
	outbox       *outbox.Outbox
	tell         Announcer // may be nil
	audit        auditor   // may be nil
	attribution  *attribution.Service
	now          func() time.Time
	log          *slog.Logger
	events       *prometheus.CounterVec
	attributions *prometheus.CounterVec
}

// New returns a Service.
func New(opts Options) (*Service, error) {
	if opts.DB == nil || opts.IDs == nil || opts.Keys == nil || opts.Commissions == nil || opts.Outbox == nil || opts.Now == nil {
		return nil, errors.New("conversion: database, identifiers, click keys, commissions, outbox and clock are required")
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	f := promauto.With(opts.Registerer)
	return &Service{
		db: opts.DB, ids: opts.IDs, keys: opts.Keys, commissions: opts.Commissions, outbox: opts.Outbox, tell: opts.Announcer, audit: opts.Auditor,
		attribution: attribution.New(attribution.Options{Keys: opts.Keys}),
		now:         opts.Now, log: opts.Logger,
		events: f.NewCounterVec(prometheus.CounterOpts{
			Name: "edgeref_conversion_events_total",
			Help: "Events given to Book whose outcome is known, by outcome: booked, duplicate, conflict or refused.",
		}, []string{"outcome"}),
		attributions: f.NewCounterVec(prometheus.CounterOpts{
			Name: "edgeref_conversion_attributions_total",
			Help: "Sales and leads booked, by the reason of their attribution.",
		}, []string{"reason"}),
	}, nil
}

// words explains a reason to whoever sent the event.
func words(reason string) string {
	switch reason {
	case NoProgram:
		return "there is no such program"
	case NothingLeft:
		return "nothing of it is left: it was refunded or rejected in full before"
	case ExceedsSale:
		return "the refund is larger than what is left of the sale"
	case CurrencyMismatch:
		return "the refund is in another currency than the sale"
	}
	return reason
}

// StateText says in plain words what a state that is not simply booked means.
func (c *Conversion) StateText() string {
	switch c.State {
	case Waiting:
		return "kept until the conversion that it takes back comes in"
	case Refused:
		return words(c.Reason)
	case Booked:
	}
	return ""
}

// takesBack reports whether the conversion is about another: a refund or rejection, or a dispute that was won.
func (c *Conversion) takesBack() bool {
	return c.Type == wire.Refund || c.Type == wire.Rejected || c.Type == Restored
}

// decisive is the click by which the conversion was attributed; zero where it was not by a click.
func (c *Conversion) decisive() click.ID {
	if s := c.Attribution.Source; s != "" && s != attribution.ByClick {
		return click.ID{}
	}
	if id, err := click.ParseID(c.Attribution.ClickID); err == nil {
		return id
	}
	return c.ClickID
}

// rest is what is left of a sale to refund.
func (c *Conversion) rest() int64 {
	if c.Closed != Open || c.Amount == nil {
		return 0
	}
	return c.Amount.Minor - c.refunded()
}

// refunded is Refunded in minor units.
func (c *Conversion) refunded() int64 {
	if c.Refunded == nil {
		return 0
	}
	return c.Refunded.Minor
}

// addRefunded adds minor units of currency to Refunded.
func (c *Conversion) addRefunded(minor int64, currency string) {
	c.Refunded = &money.Amount{Minor: c.refunded() + minor, Currency: currency}
}

var _ interface {
	Book(ctx context.Context, events []wire.Event) ([]wire.Result, error)
} = (*Service)(nil)

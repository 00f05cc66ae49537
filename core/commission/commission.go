// Package commission turns sales and leads into what affiliates earn: rules with frozen versions, commissions with
// their arithmetic, their release after the hold, and their reversal.
//
// A commission is pending while its program's hold lasts, then payable, then paid; it is reversed once all of it has
// been taken back. Every change of one posts to the ledger in the same transaction.
package commission

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/ledger"
	"github.com/edgeref/edgeref/core/newid"
	"github.com/edgeref/edgeref/core/webhook"
	"github.com/edgeref/edgeref/wire/money"
)

// State of a commission.
type State string

// States.
const (
	Pending  State = "pending"
	Payable  State = "payable"
	Paid     State = "paid"
	Reversed State = "reversed"
)

// Reasons why a sale or lead that belongs to an affiliate earns no commission.
const (
	NoRule           = "no_rule"
	CurrencyMismatch = "rule_currency_mismatch" // a flat amount or a cap in another currency than the sale
	RecurringEnded   = "recurring_ended"        // the months for which later sales to the customer earn are over
)

// ErrNotFound says that there is no such commission.
var ErrNotFound = errors.New("no such commission")

// Commission is what an affiliate earns from one sale or lead.
type Commission struct {
	ID           int64
	ConversionID int64
	LineID       int64 // of an order; 0: the whole conversion
	Level        int   // 0: of whom the conversion belongs to; 1: of his sponsor, and so on
	ProgramID    int64
	AffiliateID  int64
	LinkID       int64
	State        State
	Amount       money.Amount // as earned
	Reversed     int64        // minor units taken back so far
	RuleID       int64
	RuleVersion  int64
	Explanation  Explanation
	CreatedAt    int64 // Unix ms
	ReleaseAt    int64 // Unix ms, when the hold ends
	ReleasedAt   int64 // Unix ms, when it became payable; 0: it has not
	PaidAt       int64 // Unix ms, when it was paid, if it is reversed since; 0: it was not
	ReplacedAt   int64 // Unix ms, when somebody assigned the conversion to somebody else; 0: it counts
	Reversals    []Reversal
	Restorals    []Reversal // what was given back of the reversals
}

// Reversal is what one refund, dispute or rejection took back, or a dispute that was won gave back.
type Reversal struct {
	CommissionID int64
	ConversionID int64 // the refund or rejection; of an assignment by hand the sale or lead itself
	Amount       money.Amount
	Explanation  Arithmetic
	CreatedAt    int64 // Unix ms
}

// Announcer tells others what happens to commissions. Announce writes in tx, and is called when the change is written.
type Announcer interface {
	Announce(ctx context.Context, tx *db.Tx, e webhook.Event) error
}

// Options are what New needs.
type Options struct {
	DB         *db.DB
	IDs        *newid.Generator
	Ledger     *ledger.Ledger
	Announcer  Announcer // default: nobody is told
	Now        func() time.Time
	Logger     *slog.Logger          // default: none
	Registerer prometheus.Registerer // default: metrics are not exported
	// ReleaseEvery is how often Run looks for commissions whose hold has ended. Default one minute.
	ReleaseEvery time.Duration
}

// Service makes, releases and reverses commissions. It is safe for concurrent use.
type Service struct {
	db       *db.DB
	ids      *newid.Generator
	ledger   *ledger.Ledger
	tell     Announcer // may be nil
	now      func() time.Time
	log      *slog.Logger
	every    time.Duration
	released prometheus.Counter
	failed   prometheus.Counter
	reviews  prometheus.Counter
}

// New returns a Service.
func New(opts Options) *Service {
	if opts.DB == nil || opts.IDs == nil || opts.Ledger == nil || opts.Now == nil {
		panic("BUG: commissions need a database, identifiers, a ledger and a clock")
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.ReleaseEvery <= 0 {
		opts.ReleaseEvery = time.Minute
	}
	f := promauto.With(opts.Registerer)
	return &Service{
		db: opts.DB, ids: opts.IDs, ledger: opts.Ledger, tell: opts.Announcer, now: opts.Now, log: opts.Logger, every: opts.ReleaseEvery,
		released: f.NewCounter(prometheus.CounterOpts{
			Name: "edgeref_commission_released_total",
			Help: "Commissions that became payable.",
		}),
		failed: f.NewCounter(prometheus.CounterOpts{
			Name: "edgeref_commission_release_failures_total",
			Help: "Commissions whose release failed; each is tried again with the next round.",
		}),
		reviews: f.NewCounter(prometheus.CounterOpts{
			Name: "edgeref_commission_reviews_total",
			Help: "Reversals that took an affiliate's payable balance below the floor of the program.",
		}),
	}
}

// announce tells others of c; minor units in its currency are what the event is about.
func (s *Service) announce(ctx context.Context, tx *db.Tx, c *Commission, name webhook.Name, minor int64) error {
	if s.tell == nil {
		return nil
	}
	return s.tell.Announce(ctx, tx, webhook.Event{
		Name: name, ProgramID: c.ProgramID, AffiliateID: c.AffiliateID, ConversionID: c.ConversionID, CommissionID: c.ID,
		Commission: &money.Amount{Minor: minor, Currency: c.Amount.Currency},
	})
}

// post moves minor units in c's currency; nothing is posted for 0, because the ledger has no entries of zero.
func (s *Service) post(ctx context.Context, tx *db.Tx, c *Commission, kind ledger.TransactionKind, reason string, conversionID, minor int64, from, to ledger.Account) error {
	if minor == 0 {
		return nil
	}
	_, err := s.ledger.Post(ctx, tx, ledger.Transaction{
		Kind: kind, Reason: reason, ConversionID: conversionID, CommissionID: c.ID,
		Entries: ledger.Transfer(c.Amount.Currency, minor, from, to),
	})
	return err
}

// holder is the account that holds what is left of c for its affiliate.
func (c *Commission) holder() ledger.Account {
	if c.ReleasedAt != 0 {
		return ledger.Account{Kind: ledger.Payable, OwnerID: c.AffiliateID}
	}
	return ledger.Account{Kind: ledger.Pending, OwnerID: c.AffiliateID}
}

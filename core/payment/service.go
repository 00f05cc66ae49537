package payment

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/newid"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/money"
)

// Limits and times.
const (
	callTimeout = 20 * time.Second // of one call of a gateway, retries of its client included
	// leaseTime must outlast any call and its note in the database, so that no other worker calls meanwhile.
	leaseTime    = time.Minute
	firstBackoff = time.Second // after a failed event; calls begin with firstPause
	firstPause   = 10 * time.Second
	maxBackoff   = time.Hour
	firstLook    = 5 * time.Minute // after which a payment that nobody has told of is asked about
	maxLook      = 6 * time.Hour
	defaultPool  = 8
	defaultPoll  = time.Second
	maxHastened  = 20                  // looks at one payment before its time: strangers can ask for them
	maxWork      = 100                 // rows of one call of Work
	maxName      = 250                 // bytes of a name that a gateway gives
	maxReason    = 250                 // bytes kept
	maxReplay    = 5_000               // events in one call
	retryFor     = 24 * time.Hour      // of events
	unknownFor   = 10 * time.Minute    // after which an event about no payment of ours is one for people
	abandonAfter = 3 * 24 * time.Hour  // after which nobody pays any more, where a gateway has no end of its own
	renewBefore  = time.Minute         // an attempt that ends sooner is not given out again
	maxAmount    = money.MaxMinor      // minor units
	maxListed    = 200_000             // entries of a gateway's list in one comparison
	maxPeriod    = 92 * 24 * time.Hour // of one comparison
)

// Further errors of this package.
var (
	ErrNotFound     = errors.New("no such payment")
	ErrNoEvent      = errors.New("no such payment event")
	ErrNoGateway    = errors.New("there is no such payment gateway here; it is not set up, or switched off")
	ErrUnknown      = errors.New("the payment gateway gave no clear answer; ask again: it is done once")
	ErrNotPaid      = errors.New("the order has no payment to refund")
	ErrTooMuch      = errors.New("the refund is more than what is left of the payment")
	ErrRefundTaken  = errors.New("another refund has this identifier")
	ErrEventPending = errors.New("the event is being worked on")
	ErrNotStray     = errors.New("the payment belongs to its order; refund the order")
)

// Options are what New needs.
type Options struct {
	DB         *db.DB
	IDs        *newid.Generator
	Now        func() time.Time
	Gateways   map[string]Gateway // by the name that stands in URLs; not changed afterwards
	PublicURL  string             // where buyers reach this core, without a slash at the end
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Auditor    auditor       // optional
	Workers    int           // gateways called at once; default 8
	Poll       time.Duration // how often to look for what is due; default 1 s
}

// Service takes payments. It is safe for concurrent use.
type Service struct {
	db       *db.DB
	ids      *newid.Generator
	now      func() time.Time
	gateways map[string]Gateway
	public   string
	log      *slog.Logger
	audit    auditor
	workers  int
	poll     time.Duration
	orders   orders // set by Serve, before anything runs
	metrics  *metrics
	wake     chan struct{}

	places   chan struct{} // one for each webhook that is being taken in
	limiters map[string]*rate.Limiter

	mu       sync.Mutex
	loggedAt time.Time // when a refused webhook was last logged; guarded by mu
}

// New returns a Service, for which there are no orders until Serve names the shop. Run does the work behind it.
func New(opts Options) *Service {
	if opts.DB == nil || opts.IDs == nil || opts.Now == nil {
		panic("BUG: payments need a database, identifiers and a clock")
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Workers <= 0 {
		opts.Workers = defaultPool
	}
	if opts.Poll <= 0 {
		opts.Poll = defaultPoll
	}
	s := &Service{
		db: opts.DB, ids: opts.IDs, now: opts.Now, gateways: maps.Clone(opts.Gateways), public: strings.TrimSuffix(opts.PublicURL, "/"),
		log: opts.Logger, audit: opts.Auditor, workers: opts.Workers, poll: opts.Poll, wake: make(chan struct{}, 1),
		places: make(chan struct{}, maxReceiving), limiters: map[string]*rate.Limiter{}, orders: noShop{},
	}
	for name := range s.gateways {
		s.limiters[name] = rate.NewLimiter(webhooksPerSecond, webhooksAtOnce)
	}
	s.metrics = newMetrics(opts.Registerer, s)
	return s
}

// Serve names the shop whose orders are paid. Call it before anything else: the shop and the payments need each other.
func (s *Service) Serve(o orders) { s.orders = o }

// noShop has no orders.
type noShop struct{}

func (noShop) Payable(context.Context, int64) (Order, error) { return Order{}, ErrNoOrder }

func (noShop) Settle(context.Context, *db.Tx, Outcome) error { return ErrNoOrder }

// Gateways are the names of the gateways there are, sorted.
func (s *Service) Gateways() []string { return slices.Sorted(maps.Keys(s.gateways)) }

// Wake makes the workers look at once.
func (s *Service) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *Service) gateway(name string) (Gateway, error) {
	g, ok := s.gateways[name]
	if !ok {
		return nil, fmt.Errorf("%w: %.16q", ErrNoGateway, name)
	}
	return g, nil
}

// paymentKey and refundKey are what gateways know a payment and a refund by. They never change.
func paymentKey(id int64) string { return ident.Format(ident.Payment, id) }

func refundKey(id int64) string { return ident.Format(ident.PaymentRefund, id) }

// backoff is the pause after a failed attempt, doubling from first to limit.
func backoff(attempt int64, first, limit time.Duration) time.Duration {
	for ; attempt > 1 && first < limit; attempt-- {
		first *= 2
	}
	return min(first, limit)
}

// clip bounds a text from outside and makes it one that both databases can keep.
func clip(text string, limit int) string {
	text = strings.ReplaceAll(text, "\x00", "")
	return strings.ToValidUTF8(text[:min(len(text), limit)], "")
}

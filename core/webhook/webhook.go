// Package webhook tells others what happened: webhooks of the business, and postbacks of affiliates.
//
// What is to be told is written in the transaction of what happened, once for each endpoint that wants it. Workers
// send it afterwards, at least once, under an identifier that never changes; what fails is tried again for a day and
// then kept as dead, to be replayed by hand. Endpoints are addresses that strangers name: nothing is sent to an
// address that is not public.
package webhook

import (
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/newid"
)

// Limits and times.
const (
	MaxDescription = 255                 // bytes
	MaxEndpoints   = 10_000              // not deleted, of everybody
	MaxPostbacks   = 20                  // not deleted, of one affiliate
	Keep           = 30 * 24 * time.Hour // how long deliveries and their log stay
	RetryFor       = 24 * time.Hour
	DisableAfter   = 5 * 24 * time.Hour // of nothing but failures
	RotationPeriod = 24 * time.Hour     // in which the previous secret signs too

	sendTimeout = 10 * time.Second
	// leaseTime must outlast any send and its note in the database, so that no other worker sends meanwhile.
	leaseTime     = time.Minute
	firstBackoff  = 10 * time.Second
	maxBackoff    = 2 * time.Hour
	defaultPool   = 16
	perEndpoint   = 4 // sends at once, in one process
	defaultPoll   = time.Second
	pruneEvery    = 10 * time.Minute
	maxBody       = 4 << 10     // bytes read of an answer
	maxResponse   = 1_000       // bytes kept of it
	maxError      = 250         // bytes
	maxReplay     = 5_000       // deliveries in one call
	endpointsStay = time.Second // how old the list of endpoints may be in memory
)

// Errors of this package.
var (
	ErrNotFound         = errors.New("no such webhook")
	ErrDeliveryNotFound = errors.New("no such delivery")
	ErrNotActive        = errors.New("the webhook is disabled; enable it first")
	ErrPending          = errors.New("the delivery is pending: it will be sent without a replay")
	ErrTooMany          = errors.New("there are too many webhooks; delete some")
)

// InvalidError says which field of an endpoint is wrong.
type InvalidError struct{ Field, Reason string }

// Error implements error.
func (e *InvalidError) Error() string { return e.Field + " " + e.Reason }

// sealer encrypts what must not be read in the database. It is safe for concurrent use.
type sealer interface {
	Seal(plain, context []byte) (string, error)
	Open(sealed string, context []byte) ([]byte, error)
	Reseal(sealed string, context []byte) (text string, changed bool, err error)
}

// Options are what New needs.
type Options struct {
	DB         *db.DB
	Ring       sealer // of the secrets that sign; only who makes no endpoint and delivers nothing may leave it out
	IDs        *newid.Generator
	Now        func() time.Time
	Logger     *slog.Logger          // default: none
	Registerer prometheus.Registerer // default: metrics are not exported
	Workers    int                   // sends at once; default 16
	Poll       time.Duration         // how often to look for what is due; default 1 s
	Resolver   *net.Resolver         // default: the system's
	// AllowHTTP lets endpoints be http, and AllowLoopback lets them be on this machine: for tests and demonstrations.
	AllowHTTP, AllowLoopback bool
	Timeout                  time.Duration // of one attempt; default and limit 10 s
	// Wrap, where it is set, is given what sends requests to public addresses, and returns what is used instead: for
	// demonstrations, where receivers are played.
	Wrap func(http.RoundTripper) http.RoundTripper
}

// Service keeps endpoints, takes events in and delivers them. It is safe for concurrent use.
type Service struct {
	db      *db.DB
	ids     *newid.Generator
	now     func() time.Time
	log     *slog.Logger
	opts    Options
	guard   *guard
	client  *http.Client
	metrics *metrics
	wake    chan struct{}

	mu       sync.Mutex // guards what follows
	active   []subscription
	loadedAt time.Time // zero: never, or active is out of date

	sending  sync.Mutex
	inFlight map[int64]int // sends of this process by endpoint; guarded by sending
}

// New returns a Service. Run delivers.
func New(opts Options) *Service {
	if opts.DB == nil || opts.IDs == nil || opts.Now == nil {
		panic("BUG: webhooks need a database, identifiers and a clock")
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
	if opts.Timeout <= 0 || opts.Timeout > sendTimeout {
		opts.Timeout = sendTimeout
	}
	g := newGuard(opts.AllowHTTP, opts.AllowLoopback)
	s := &Service{
		db: opts.DB, ids: opts.IDs, now: opts.Now, log: opts.Logger, opts: opts, guard: g,
		client: newClient(g, opts.Resolver, opts.Timeout), wake: make(chan struct{}, 1), inFlight: map[int64]int{},
	}
	if opts.Wrap != nil {
		s.client.Transport = opts.Wrap(s.client.Transport)
	}
	s.metrics = newMetrics(opts.Registerer, s)
	return s
}

// Wake makes the workers look at once.
func (s *Service) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

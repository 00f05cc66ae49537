// Package account keeps people: who they are, how they sign in, and which of their sign-ins are still good. The
// protocol by which programs act for them is in oauth, the pages that they see in pages, and password hashing in
// password.
//
// An address becomes a person only when somebody has opened the link that was sent to it: signing up, invitations, new
// passwords and changed addresses are all links. So an answer never has to tell whether an address is known.
package account

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/edgeref/edgeref/core/account/password"
	"github.com/edgeref/edgeref/core/audit"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/mail"
)

// Limits and times.
const (
	MaxName = 255 // bytes

	linkLifetime   = 24 * time.Hour     // of a link to sign up or to confirm an address
	inviteLifetime = 7 * 24 * time.Hour // of an invitation
	resetLifetime  = 3 * time.Hour      // of a link to a new password; longer than resetGapLong
	// mailsPerDay bounds what strangers can have sent to one address. Links to a new password are never refused for a
	// whole day, but held apart: the first few by resetGap, further ones by resetGapLong.
	mailsPerDay  = 5
	resetGap     = 5 * time.Minute
	resetGapLong = 2 * time.Hour

	// A session ends SessionLifetime after its sign-in, or sessionIdle after its last use.
	SessionLifetime = 30 * 24 * time.Hour
	sessionIdle     = 14 * 24 * time.Hour
	pendingLifetime = 10 * time.Minute // between password and second factor
	deviceLifetime  = 180 * 24 * time.Hour
	touchEvery      = time.Minute // how exact last_used_at is

	requestPoll  = time.Second
	requestBatch = 50
	maxRequests  = 10_000 // that wait; a stranger's request beyond is refused
	sweepEvery   = 10 * time.Minute
)

// Errors of this package.
var (
	ErrNotFound     = errors.New("there is no such person")
	ErrCredentials  = errors.New("the address or the password is not right")
	ErrCode         = errors.New("the code is not right, or was used before")
	ErrSuspended    = errors.New("this account is suspended; write to support")
	ErrNoSession    = errors.New("the sign-in has ended")
	ErrLink         = errors.New("the link is not valid any more; ask for a new one")
	ErrTaken        = errors.New("a person has this address already")
	ErrEnrolled     = errors.New("a second factor is set up already; remove it first")
	ErrNotEnrolled  = errors.New("no second factor is set up")
	ErrOwnRoles     = errors.New("nobody changes his own roles or status")
	ErrOwnerOnly    = errors.New("only an owner may do this to an owner or to finance, or make somebody one")
	ErrLastOwner    = errors.New("this is the last owner; make somebody else an owner first")
	ErrErased       = errors.New("the person was erased")
	ErrCrowded      = errors.New("too many requests wait already; try again later")
	ErrStaff        = errors.New("only an owner may look at the pages of staff")
	ErrNotAffiliate = errors.New("the person is no affiliate")
)

// What is wrong with what a person enters to sign up, as an InvalidError says it. A password's reasons are those of password.
const (
	ReasonEmail     = "is not an address like ann@example.com"
	ReasonEmpty     = "is empty"
	ReasonLong      = "is longer than 255 bytes"
	ReasonText      = "holds characters that are not text"
	ReasonAffiliate = "cannot be chosen here"
)

// InvalidError says which input is wrong. Reason continues the sentence that begins with the field's name.
type InvalidError struct{ Field, Reason string }

// Error implements error.
func (e *InvalidError) Error() string { return e.Field + " " + e.Reason }

// TooManyError says that there were too many failed attempts; it says the same whether the account exists or not.
type TooManyError struct{ Wait time.Duration }

// Error implements error.
func (e *TooManyError) Error() string {
	return "too many attempts; try again in " + e.Wait.Round(time.Second).String()
}

// IDs makes identifiers.
type IDs interface{ New() int64 }

// mailer queues a mail in the caller's transaction. A message whose key is taken changes nothing.
type mailer interface {
	Queue(ctx context.Context, tx *db.Tx, m mail.Message) error
}

// auditor writes who changed what in the caller's transaction; it reads who from ctx.
type auditor interface {
	Record(ctx context.Context, tx *db.Tx, e audit.Entry) error
}

// sealer encrypts what the database must not show. It is safe for concurrent use.
type sealer interface {
	Seal(plain, context []byte) (string, error)
	Open(sealed string, context []byte) ([]byte, error)
}

// affiliates makes an affiliate of somebody, in the caller's transaction. sponsor 0 is nobody; one who does not exist
// or is not active is taken as nobody. An application waits for approval; an invited affiliate is active at once.
type affiliates interface {
	Admit(ctx context.Context, tx *db.Tx, name, email string, sponsor int64, pending bool) (id int64, err error)
}

// Eraser forgets who a person was in one domain, in the caller's transaction, and keeps what the law wants kept. It may
// be called again for the same person. Part names the domain.
type Eraser interface {
	Part() string
	Erase(ctx context.Context, tx *db.Tx, p Subject) error
}

// Exporter gives all that one domain keeps about a person, as values that encode as JSON. Part names the domain.
type Exporter interface {
	Part() string
	Export(ctx context.Context, p Subject) (any, error)
}

// Subject is whom an Eraser or Exporter is asked about. Pseudonym takes the place of the name and, with
// PseudonymEmail, of the address.
type Subject struct {
	PersonID, AffiliateID int64
	Email                 string
	Pseudonym             string
	PseudonymEmail        string
}

// Options are what New needs.
type Options struct {
	DB         *db.DB
	IDs        IDs
	Now        func() time.Time
	Logger     *slog.Logger          // default: none
	Registerer prometheus.Registerer // default: metrics are not exported
	Passwords  *password.Hasher
	Ring       sealer
	Mail       mailer
	Audit      auditor    // nil: nothing is recorded
	Affiliates affiliates // nil: nobody can sign up as an affiliate
	URL        string     // where the pages are, without a slash at the end: links in mails begin with it
	Site       string     // name of the business, as authenticator apps show it; default Edgeref
	Erasers    []Eraser
	Exporters  []Exporter
}

// Service keeps people and their sign-ins. It is safe for concurrent use.
type Service struct {
	db         *db.DB
	ids        IDs
	now        func() time.Time
	log        *slog.Logger
	passwords  *password.Hasher
	ring       sealer
	mail       mailer
	audit      auditor
	affiliates affiliates
	url, site  string
	erasers    []Eraser
	exporters  []Exporter
	metrics    *metrics
	wake       chan struct{}
	watchers   []func(sessionID, personID int64)
}

// New returns a Service. Run does what strangers asked for.
func New(opts Options) *Service {
	if opts.DB == nil || opts.IDs == nil || opts.Now == nil || opts.Passwords == nil || opts.Ring == nil || opts.Mail == nil {
		panic("BUG: accounts need a database, identifiers, a clock, a password hasher, encryption keys and mail")
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Site == "" {
		opts.Site = "Edgeref"
	}
	s := &Service{
		db: opts.DB, ids: opts.IDs, now: opts.Now, log: opts.Logger, passwords: opts.Passwords, ring: opts.Ring, mail: opts.Mail,
		audit: opts.Audit, affiliates: opts.Affiliates, url: strings.TrimRight(opts.URL, "/"), site: opts.Site,
		erasers: opts.Erasers, exporters: opts.Exporters, wake: make(chan struct{}, 1),
	}
	s.metrics = newMetrics(opts.Registerer, s)
	return s
}

// Watch has fn called after sessions ended or changed: of one session, or of all of a person where sessionID is 0. It
// must be called before the service is used; fn must not block.
func (s *Service) Watch(fn func(sessionID, personID int64)) { s.watchers = append(s.watchers, fn) }

// changed tells the watchers when tx is committed.
func (s *Service) changed(tx *db.Tx, sessionID, personID int64) {
	tx.OnCommit(func() {
		for _, fn := range s.watchers {
			fn(sessionID, personID)
		}
	})
}

func (s *Service) record(ctx context.Context, tx *db.Tx, e audit.Entry) error {
	if s.audit == nil {
		return nil
	}
	return s.audit.Record(ctx, tx, e)
}

// unixMS is the time now.
func (s *Service) unixMS() int64 { return s.now().UnixMilli() }

// Run does what strangers asked for, and forgets what has expired, until ctx ends.
func (s *Service) Run(ctx context.Context) {
	poll, sweep := time.NewTicker(requestPoll), time.NewTicker(sweepEvery)
	defer poll.Stop()
	defer sweep.Stop()
	for {
		if err := s.ProcessRequests(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("work on account requests; they are tried again", "error", err)
		}
		select {
		case <-poll.C:
		case <-s.wake:
		case <-sweep.C:
			if err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
				s.log.Warn("forget expired sign-ins and links", "error", err)
			}
		case <-ctx.Done():
			return
		}
	}
}

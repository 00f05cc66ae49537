// Package payout pays affiliates: where the money goes, batches that a second person approves, transfers that are never
// sent twice, and the tax that is withheld.
//
// A batch reserves what it will pay in the ledger when it is made. Each of its payouts has at most one attempt, whose
// idempotency key and request are stored before the first call and never change; while nobody knows how a call
// ended, the payout stays in flight and the provider is asked. A payout that failed or came back is payable again, as
// part of a later batch and under a new key.
package payout

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/audit"
	"github.com/edgeref/edgeref/core/commission"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/ledger"
	"github.com/edgeref/edgeref/core/mail"
	"github.com/edgeref/edgeref/core/newid"
	"github.com/edgeref/edgeref/core/tax"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/money"
)

// State of a payout.
type State string

// States of a payout. Reserved, Sending and Sent are open: the money is in flight in the ledger.
const (
	Reserved  State = "reserved"  // part of a batch; nothing was sent
	Sending   State = "sending"   // an attempt is stored; whether it reached the provider may be unknown
	Sent      State = "sent"      // the provider, or the bank, has it
	Paid      State = "paid"      // it arrived
	Failed    State = "failed"    // it did not, and will not; payable again
	Returned  State = "returned"  // it arrived and came back; payable again
	Cancelled State = "cancelled" // it was never sent; payable again
)

// open reports whether the money is in flight.
func (s State) open() bool { return s == Reserved || s == Sending || s == Sent }

// BatchState is the state of a batch.
type BatchState string

// States of a batch.
const (
	BatchCreated   BatchState = "created"   // waits for approval
	BatchApproved  BatchState = "approved"  // waits for its execution to begin
	BatchExecuting BatchState = "executing" // at least one payout may have left
	BatchCompleted BatchState = "completed" // none of its payouts is open
	BatchCancelled BatchState = "cancelled"
)

// Times and limits.
const (
	// factorAge is how old a second factor may be when money is approved.
	factorAge = 15 * time.Minute
	// never is a time at which no worker looks.
	never = int64(1)<<62 - 1
	// MaxBatch is the most payouts of one batch: its creation is one transaction that holds their accounts.
	MaxBatch = 500
	// maxItems bounds the commissions that one payout covers; what is beyond it is paid with the next.
	maxItems = 5_000
	// maxCandidates bounds a preview.
	maxCandidates = 5_000
	// MaxText bounds notes, references and reasons, in bytes.
	MaxText = 128
)

// Errors of this package, for errors.Is.
var (
	ErrNotFound      = errors.New("no such payout, batch, request or method")
	ErrNothing       = errors.New("nothing can be paid: a preview says why")
	ErrState         = errors.New("its state does not allow that")
	ErrNeedsPerson   = errors.New("a person must do that, not a machine")
	ErrSecondFactor  = errors.New("a second factor proved in the last 15 minutes is needed")
	ErrOwnBatch      = errors.New("who made a batch cannot approve it")
	ErrOwnPayout     = errors.New("who is paid by a batch cannot approve it")
	ErrApproved      = errors.New("you have approved this batch already")
	ErrChanged       = errors.New("the batch is not what was approved: look at it again")
	ErrLimit         = errors.New("the batch is above the limit of one batch")
	ErrMethodExists  = errors.New("this account is the payout method already")
	ErrUnknownMethod = errors.New("there is no such executor")
	ErrDownloaded    = errors.New("the bank file was downloaded before; ask for it again with a reason")
	ErrFileChanged   = errors.New("the bank file would differ from the one downloaded before; do not use either, and see what changed")
)

// auditor writes what a person changed in the transaction of the change.
type auditor interface {
	Record(ctx context.Context, tx *db.Tx, e audit.Entry) error
}

// mailer queues a mail in the caller's transaction.
type mailer interface {
	Queue(ctx context.Context, tx *db.Tx, m mail.Message) error
}

// sealer encrypts with keys that rotate; context binds a text to its place.
type sealer interface {
	Seal(plain, context []byte) (string, error)
	Open(sealed string, context []byte) ([]byte, error)
	Reseal(sealed string, context []byte) (text string, changed bool, err error)
}

// documents says which documents of an affiliate are missing before money may be sent to a country.
type documents interface {
	Missing(ctx context.Context, q db.Querier, affiliateID int64, country string) ([]string, error)
}

// guard says whether money may leave: only while the ledger holds.
type guard interface {
	Check(ctx context.Context) (ledger.Clearance, error)
}

// Policy is what the business has decided. The zero Policy withholds nothing from anybody and has no minimum.
type Policy struct {
	Minimum map[string]int64 // minor units by currency, below which nothing is paid
	// Floor is how far below zero a payable balance may fall, in minor units by currency, before somebody has to look at the
	// affiliate. A currency that is missing has the floor 0.
	Floor map[string]int64
	// BatchLimit is the most that one batch may pay, in minor units by currency; a currency that is missing has no limit.
	BatchLimit map[string]int64
	// TwoApprovals is the total above which a batch needs two people beside its maker, in minor units by currency.
	TwoApprovals map[string]int64
	MethodFreeze time.Duration // how long nothing is paid to a new account
	TaxCountries []string      // countries to which nothing is paid unless a tax rule is in force
}

// Options are what New needs.
type Options struct {
	DB          *db.DB
	IDs         *newid.Generator
	Ledger      *ledger.Ledger
	Commissions *commission.Service
	Guard       guard
	Ring        sealer
	Audit       auditor   // default: nobody is told
	Mail        mailer    // default: nobody is told
	Documents   documents // default: none are needed
	// Executors are the ways in which money can leave, by name.
	Executors  map[string]Executor
	Policy     Policy
	Payer      string         // the name of the business, on statements and bank files
	Zone       *time.Location // of the days on statements that no tax rule gives another; default UTC
	Now        func() time.Time
	Logger     *slog.Logger          // default: none
	Registerer prometheus.Registerer // default: metrics are not exported
	Poll       time.Duration         // how often the worker looks for what is due; default 2 s
}

// Service makes, approves and executes batches. It is safe for concurrent use.
type Service struct {
	db      *db.DB
	ids     *newid.Generator
	ledger  *ledger.Ledger
	opts    Options
	policy  Policy
	now     func() time.Time
	log     *slog.Logger
	metrics *metrics
	// step is called between the steps of the worker; an error stops it there, as a crash would. Tests set it.
	step func(name string) error
	wake chan struct{}
}

// New returns a Service.
func New(opts Options) *Service {
	if opts.DB == nil || opts.IDs == nil || opts.Ledger == nil || opts.Commissions == nil || opts.Guard == nil || opts.Ring == nil || opts.Now == nil {
		panic("BUG: payouts need a database, identifiers, a ledger, commissions, a guard, keys and a clock")
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Poll <= 0 {
		opts.Poll = 2 * time.Second
	}
	if opts.Zone == nil {
		opts.Zone = time.UTC
	}
	if opts.Payer == "" {
		opts.Payer = "Edgeref"
	}
	s := &Service{
		db: opts.DB, ids: opts.IDs, ledger: opts.Ledger, opts: opts, policy: opts.Policy, now: opts.Now, log: opts.Logger,
		step: func(string) error { return nil }, wake: make(chan struct{}, 1),
	}
	s.metrics = newMetrics(opts.Registerer, s)
	return s
}

// Batch is a set of payouts in one currency by one executor.
type Batch struct {
	ID              int64
	Currency        string
	Executor        string
	State           BatchState
	Note            string
	CreatedBy       int64 // a person; 0: a machine
	CreatedToken    int64 // a machine's token; 0: a person
	ApprovalsNeeded int64
	FileSHA256      string // of the bank file; empty before its first download
	FileAt          int64  // Unix ms
	FileDownloads   int64
	CreatedAt       int64 // Unix ms
	UpdatedAt       int64 // Unix ms
	// What follows is summed up when it is read.
	Gross, Tax, Net int64 // minor units of all payouts that were not cancelled
	Payouts         int64 // that were not cancelled
	ByState         map[State]int64
	Approvals       []Approval
}

// Approval is one person's word for a batch, and what the person saw.
type Approval struct {
	PersonID  int64
	Net       int64 // minor units
	Payouts   int64
	CreatedAt int64 // Unix ms
}

// Payout is one transfer to one affiliate.
type Payout struct {
	ID          int64
	BatchID     int64
	AffiliateID int64
	MethodID    int64
	Currency    string
	Gross       int64 // minor units: what leaves the payable balance
	Tax         int64 // withheld
	Net         int64 // what is sent
	Taxable     int64
	TaxRuleID   int64
	TaxYear     int64  // Unix ms
	TaxNote     string // JSON of tax.Result
	State       State
	Reference   string // the bank's, such as a UTR
	Reason      string // why it failed, came back or was cancelled
	CreatedAt   int64  // Unix ms
	UpdatedAt   int64  // Unix ms
	PaidAt      int64  // Unix ms; 0: it was not
	Executor    string // of its batch
	Masked      string // of its method
	Attempt     *Attempt
	Items       []Item
	Events      []Event

	nextAt, claim int64
}

// NetAmount is what is sent.
func (p *Payout) NetAmount() money.Amount { return money.Amount{Minor: p.Net, Currency: p.Currency} }

// TaxText says in plain words how the tax came about.
func (p *Payout) TaxText() string {
	var r tax.Result
	if err := json.Unmarshal([]byte(p.TaxNote), &r); err != nil {
		return ""
	}
	return r.String()
}

// Attempt is what was asked of a provider, once.
type Attempt struct {
	Key        string
	ProviderID string
	Sends      int64 // calls that may have reached the provider, all under the same key
	Lookups    int64
	SentAt     int64 // Unix ms, the last call
	LastError  string

	request []byte
}

// Item is what a payout pays of one commission. Negative: what a refund took back after an earlier payout.
type Item struct {
	CommissionID int64
	Minor        int64
}

// Event is one change of state.
type Event struct {
	ID        int64
	PayoutID  int64 // 0: of the batch
	From, To  string
	Reason    string
	PersonID  int64 // 0: not a person
	TokenID   int64 // 0: not a machine
	CreatedAt int64 // Unix ms
}

// actor is who does something.
func actor(ctx context.Context) access.Principal {
	p, _ := access.From(ctx)
	return p
}

// record writes the audit log.
func (s *Service) record(ctx context.Context, tx *db.Tx, action, object, reason string, before, after any) error {
	if s.opts.Audit == nil {
		return nil
	}
	return s.opts.Audit.Record(ctx, tx, audit.Entry{Action: action, Object: object, Before: before, After: after, Reason: reason})
}

// tell queues a mail to an affiliate. One whose address cannot be written to does not hold up money.
func (s *Service) tell(ctx context.Context, tx *db.Tx, affiliateID int64, m mail.Message) error {
	if s.opts.Mail == nil {
		return nil
	}
	var name string
	if err := tx.QueryRow(ctx, "SELECT name, email FROM affiliates WHERE id = ?", affiliateID).Scan(&name, &m.To); err != nil {
		return err
	}
	m.Data["Name"] = name
	err := s.opts.Mail.Queue(ctx, tx, m)
	if errors.Is(err, mail.ErrRecipient) {
		s.log.Warn("an affiliate has no address that can be written to", "affiliate", ident.Format(ident.Affiliate, affiliateID), "template", m.Template)
		return nil
	}
	return err
}

func clip(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	cut := limit
	for cut > 0 && text[cut]&0xc0 == 0x80 {
		cut--
	}
	return text[:cut]
}

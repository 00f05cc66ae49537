package payout

import (
	"context"
	"errors"
	"fmt"

	"github.com/edgeref/edgeref/wire/money"
)

// Executor is a way in which money can leave. One that is nothing more is worked by people: they download a bank file, or
// transfer by hand, and say what became of each payout. It is safe for concurrent use.
type Executor interface {
	// Supports reports whether it can pay an amount to an account of this kind.
	Supports(kind Kind, amount money.Amount) bool
}

// Sender is an Executor that sends by itself. Its calls may take up to 30 seconds each.
type Sender interface {
	Executor
	// Prepare makes the request of a transfer; it may ask the provider for what that needs, but moves no money, and may be
	// repeated. The request is stored and sent as it is, always under the same key; it holds no secrets. An error that
	// wraps ErrRejected says that this account can never be paid.
	Prepare(ctx context.Context, t Transfer, to Destination) (request []byte, err error)
	// Send sends a request under a key, also one that may have been sent before: the provider must take both for one. An error
	// means that the outcome is unknown, unless it wraps ErrRejected: the provider has not moved, and will not move, money
	// for this call.
	Send(ctx context.Context, key string, request []byte) (Result, error)
	// LookUp asks what became of the transfer that was sent under key. providerID is the provider's own, if it is known.
	LookUp(ctx context.Context, key, providerID string) (Result, error)
}

// ErrRejected is wrapped where a provider refused a request for good.
var ErrRejected = errors.New("refused by the provider")

// Transfer is what is to be sent.
type Transfer struct {
	Key         string // idempotency key, which is also our reference
	AffiliateID int64
	Email       string // of the affiliate
	Amount      money.Amount
}

// Outcome is what a provider says of a transfer.
type Outcome string

// Outcomes.
const (
	Unseen     Outcome = "unseen"     // the provider does not know it (yet)
	InProgress Outcome = "inprogress" // it has it, and has not finished
	Done       Outcome = "done"       // the money arrived
	Undone     Outcome = "undone"     // it will not arrive, or came back
)

// Result is a provider's answer.
type Result struct {
	Outcome    Outcome
	ProviderID string
	Reference  string // of the bank, such as a UTR
	Reason     string // in plain words
}

// Names of the executors that people work.
const (
	BankFile = "bank_file"
	Manual   = "manual"
)

// Kinded is an executor that people work, for the kinds of accounts that it names.
type Kinded []Kind

// Supports implements Executor.
func (k Kinded) Supports(kind Kind, _ money.Amount) bool {
	for _, has := range k {
		if has == kind {
			return true
		}
	}
	return false
}

// Offline are the executors that need no provider.
func Offline() map[string]Executor {
	return map[string]Executor{BankFile: Kinded{BankIN, IBAN}, Manual: Kinded(Kinds())}
}

// sender returns the executor of a name if it sends by itself.
func (s *Service) sender(name string) (Sender, bool) {
	x, ok := s.opts.Executors[name].(Sender)
	return x, ok
}

func (s *Service) executor(name string) (Executor, error) {
	x, ok := s.opts.Executors[name]
	if !ok {
		return nil, fmt.Errorf("%w: %.32q", ErrUnknownMethod, name)
	}
	return x, nil
}

// NoticeOf is what a provider's webhook is about.
type NoticeOf struct {
	EventKey string // the same in every delivery of one event
	Event    string
	Key      string // of the transfer
}

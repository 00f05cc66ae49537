package payout

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/ledger"
	"github.com/edgeref/edgeref/core/mail"
	"github.com/edgeref/edgeref/core/newid"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/money"
)

// RequestState is how far a request is.
type RequestState string

// States of a request. It waits again if the payout that took it is cancelled before it was sent.
const (
	RequestWaiting   RequestState = "waiting"   // for a batch
	RequestTaken     RequestState = "taken"     // a payout answers it, whatever becomes of that
	RequestWithdrawn RequestState = "withdrawn" // by its affiliate, or because a newer one took its place
	RequestDeclined  RequestState = "declined"  // by the business, with a reason
)

// maxRequestsADay bounds how often an affiliate may ask in 24 hours, in all currencies.
const maxRequestsADay = 20

// replaced is the reason of a request that would wait again while a newer one does.
const replaced = "it was asked for anew meanwhile"

// Errors of requests, for errors.Is. An outlook says more.
var (
	ErrNothingPayable  = errors.New("nothing is payable now: see the payout outlook")
	ErrBelowMinimum    = errors.New("what is payable is below the minimum: see the payout outlook")
	ErrNoMethod        = errors.New("there is no payout method that can be paid now: see the payout outlook")
	ErrHeld            = errors.New("payouts to this affiliate are held: see the payout outlook")
	ErrInactive        = errors.New("the affiliate is not active")
	ErrRequested       = errors.New("a request in this currency is waiting already")
	ErrTooManyRequests = fmt.Errorf("payouts were asked for %d times in 24 hours: wait a day", maxRequestsADay)
)

// Request is an affiliate's wish to be paid. It moves and reserves nothing: what is paid is what is payable when a batch
// is made.
type Request struct {
	ID           int64
	AffiliateID  int64
	Currency     string
	State        RequestState
	Gross, Net   int64  // minor units, what a payout would have been when it was asked for
	BatchID      int64  // 0: it is not taken
	PayoutID     int64  // 0: it is not taken
	Reason       string // why it was declined, or closed
	DecidedBy    int64  // the person who changed it last; 0: a machine or the system
	DecidedToken int64  // a machine's token; 0: a person or the system
	CreatedAt    int64  // Unix ms
	UpdatedAt    int64  // Unix ms
}

// summary is what the audit log keeps of a request.
func (r *Request) summary() any {
	out := map[string]any{"affiliate": ident.Format(ident.Affiliate, r.AffiliateID), "currency": r.Currency, "state": r.State, "gross_minor": r.Gross, "net_minor": r.Net}
	if r.PayoutID != 0 {
		out["payout"] = ident.Format(ident.Payout, r.PayoutID)
	}
	return out
}

// Request notes that an affiliate wants to be paid in a currency. then runs at the end of the transaction. Errors:
// *InvalidError, ErrNotFound, ErrRequested, ErrInactive, ErrNothingPayable, ErrBelowMinimum, ErrNoMethod, ErrHeld,
// ErrTooManyRequests.
func (s *Service) Request(ctx context.Context, affiliateID int64, currency string, then func(*db.Tx, Request) error) (r Request, err error) {
	if _, err := money.Decimals(currency); err != nil {
		return r, &InvalidError{"currency", "must be an ISO 4217 code"}
	}
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		c, err := s.mayRequest(ctx, tx, affiliateID, currency)
		if err != nil {
			return err
		}
		now := s.now().UnixMilli()
		r = Request{
			ID: s.ids.New(), AffiliateID: affiliateID, Currency: currency, State: RequestWaiting, Gross: c.Gross, Net: c.Net,
			DecidedBy: actor(ctx).PersonID, DecidedToken: actor(ctx).TokenID, CreatedAt: now, UpdatedAt: now,
		}
		made, err := tx.TryInsert(ctx, `INSERT INTO payout_requests (id, affiliate_id, currency, state, slot, gross_minor, net_minor, batch_id, payout_id, reason,
			decided_by, decided_token, created_at, updated_at) VALUES (?, ?, ?, ?, 0, ?, ?, 0, 0, '', ?, ?, ?, ?)`,
			r.ID, r.AffiliateID, r.Currency, r.State, r.Gross, r.Net, r.DecidedBy, r.DecidedToken, r.CreatedAt, r.UpdatedAt)
		if err != nil {
			return fmt.Errorf("make payout request: %w", err)
		}
		if !made {
			return ErrRequested
		}
		tx.OnCommit(func() { s.metrics.requests.WithLabelValues(string(RequestWaiting)).Inc() })
		if err := s.record(ctx, tx, "payout_request.create", ident.Format(ident.PayoutRequest, r.ID), "", nil, r.summary()); err != nil {
			return err
		}
		if then != nil {
			return then(tx, r)
		}
		return nil
	})
	return r, err
}

// mayRequest finds what a payout would be now, behind the lock of the balance: a batch that takes the money meanwhile either
// comes before, and there is nothing left to ask for, or finds the request.
func (s *Service) mayRequest(ctx context.Context, tx *db.Tx, affiliateID int64, currency string) (c Candidate, err error) {
	standing, err := s.ledger.Lock(ctx, tx, ledger.Payable, currency, []int64{affiliateID})
	if err != nil {
		return c, err
	}
	waiting, err := waitingRequests(ctx, tx, currency, []int64{affiliateID}, "")
	if err != nil {
		return c, err
	}
	if waiting[affiliateID] != nil {
		return c, ErrRequested
	}
	var lately int
	since := newid.First(s.now().Add(-24 * time.Hour))
	if err := tx.QueryRow(ctx, "SELECT COUNT(*) FROM payout_requests WHERE affiliate_id = ? AND id >= ?", affiliateID, since).Scan(&lately); err != nil {
		return c, fmt.Errorf("count payout requests: %w", err)
	}
	if lately >= maxRequestsADay {
		s.metrics.limited.Inc()
		return c, ErrTooManyRequests
	}
	c = Candidate{AffiliateID: affiliateID, Balance: standing[affiliateID].Minor}
	if err := s.assess(ctx, tx, &c, Selection{Currency: currency}, anyOf(s.opts.Executors)); err != nil {
		if db.IsNoRows(err) {
			err = ErrNotFound
		}
		return c, err
	}
	return c, c.refusal()
}

// refusal is why a payout of a candidate cannot be asked for, or nil: the first thing that the affiliate can understand or mend.
func (c *Candidate) refusal() error {
	has := func(codes ...string) bool {
		return slices.ContainsFunc(c.Reasons, func(r Reason) bool { return slices.Contains(codes, r.Code) })
	}
	switch {
	case c.Ready():
		return nil
	case has(Suspended):
		return ErrInactive
	case has(OnHold, NegativeBalance), has(BelowMinimum) && c.Gross <= 0:
		return ErrNothingPayable
	case has(BelowMinimum):
		return ErrBelowMinimum
	case has(MethodMissing, MethodFrozen, MethodUnsupported):
		return ErrNoMethod
	}
	return ErrHeld
}

// Withdraw takes a waiting request of an affiliate back. Errors: ErrNotFound, ErrState.
func (s *Service) Withdraw(ctx context.Context, affiliateID, id int64, then func(*db.Tx, Request) error) (Request, error) {
	return s.close(ctx, id, affiliateID, RequestWithdrawn, "payout_request.withdraw", "", then)
}

// Decline closes a waiting request with a reason, which the affiliate is told. Errors: *InvalidError, ErrNotFound, ErrState.
func (s *Service) Decline(ctx context.Context, id int64, reason string, then func(*db.Tx, Request) error) (Request, error) {
	if err := oneLine("reason", reason, true); err != nil {
		return Request{}, err
	}
	return s.close(ctx, id, 0, RequestDeclined, "payout_request.decline", reason, then)
}

// close ends a waiting request; affiliateID is its owner, or 0 for anybody's.
func (s *Service) close(ctx context.Context, id, affiliateID int64, to RequestState, action, reason string, then func(*db.Tx, Request) error) (r Request, err error) {
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		list, err := readRequests(ctx, tx, "id = ? AND ? IN (0, affiliate_id)"+tx.Dialect().ForUpdate(), id, affiliateID)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return ErrNotFound
		}
		if list[0].State != RequestWaiting {
			return ErrState
		}
		r = list[0]
		r.State, r.Reason = to, reason
		if err := s.setRequest(ctx, tx, &list[0], &r, action); err != nil {
			return err
		}
		if to == RequestDeclined {
			err := s.tell(ctx, tx, r.AffiliateID, mail.Message{
				Template: "payout_declined", Key: "payout_declined " + ident.Format(ident.PayoutRequest, r.ID),
				Times: map[string]int64{"Asked": r.CreatedAt}, Data: map[string]string{"Currency": r.Currency, "Reason": reason},
			})
			if err != nil {
				return err
			}
		}
		if then != nil {
			return then(tx, r)
		}
		return nil
	})
	return r, err
}

// take says that a payout answers a request, whose row is locked.
func (s *Service) take(ctx context.Context, tx *db.Tx, was *Request, p *Payout) error {
	r := *was
	r.State, r.BatchID, r.PayoutID = RequestTaken, p.BatchID, p.ID
	return s.setRequest(ctx, tx, was, &r, "payout_request.take")
}

// reopen lets the request that a cancelled payout had taken wait again, or closes it where a newer one waits. The transaction has posted
// to the affiliate's payable account, so nobody asks meanwhile.
func (s *Service) reopen(ctx context.Context, tx *db.Tx, p *Payout) error {
	list, err := readRequests(ctx, tx, "payout_id = ?"+tx.Dialect().ForUpdate(), p.ID)
	if err != nil || len(list) == 0 {
		return err
	}
	newer, err := waitingRequests(ctx, tx, p.Currency, []int64{p.AffiliateID}, "")
	if err != nil {
		return err
	}
	r := list[0]
	r.State, r.BatchID, r.PayoutID = RequestWaiting, 0, 0
	if newer[p.AffiliateID] != nil {
		r.State, r.Reason = RequestWithdrawn, replaced
	}
	return s.setRequest(ctx, tx, &list[0], &r, "payout_request.reopen")
}

// setRequest changes a request whose row is locked.
func (s *Service) setRequest(ctx context.Context, tx *db.Tx, was, r *Request, action string) error {
	who := actor(ctx)
	r.DecidedBy, r.DecidedToken, r.UpdatedAt = who.PersonID, who.TokenID, s.now().UnixMilli()
	slot := r.ID
	if r.State == RequestWaiting {
		slot = 0
	}
	_, err := tx.Exec(ctx, "UPDATE payout_requests SET state = ?, slot = ?, batch_id = ?, payout_id = ?, reason = ?, decided_by = ?, decided_token = ?, updated_at = ? WHERE id = ?",
		r.State, slot, r.BatchID, r.PayoutID, r.Reason, r.DecidedBy, r.DecidedToken, r.UpdatedAt, r.ID)
	if err != nil {
		return fmt.Errorf("change payout request: %w", err)
	}
	tx.OnCommit(func() { s.metrics.requests.WithLabelValues(string(r.State)).Inc() })
	return s.record(ctx, tx, action, ident.Format(ident.PayoutRequest, r.ID), r.Reason, was.summary(), r.summary())
}

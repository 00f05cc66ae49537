package payment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/money"
)

// Begin gives the place where the buyer can pay an order through a gateway. Asked again, it gives the same one while
// that can be paid. It calls the gateway, so it must not be called inside a transaction. Errors: ErrNoOrder,
// ErrNotPayable, ErrNoGateway, ErrRefused; ErrUnknown, after which it is to be called again.
func (s *Service) Begin(ctx context.Context, orderID int64, gateway string) (Session, error) {
	g, err := s.gateway(gateway)
	if err != nil {
		return Session{}, err
	}
	o, err := s.orders.Payable(ctx, orderID)
	if err != nil {
		return Session{}, err
	}
	if err := checkOrder(o); err != nil {
		return Session{}, err
	}
	// Twice: an attempt over another amount whose outcome is unknown is cleared up under its key before there is a new one.
	for range 2 {
		p, fresh, err := s.attempt(ctx, o, gateway)
		if err != nil {
			return Session{}, fmt.Errorf("begin payment: %w", err)
		}
		if p.State != Open {
			if p, err = s.begin(ctx, g, p, o, !fresh); err != nil {
				return Session{}, err
			}
		}
		if p.Amount == o.Amount {
			return p.session()
		}
	}
	return Session{}, fmt.Errorf("begin payment: the amount of order %d changes while it is paid", orderID)
}

func checkOrder(o Order) error {
	if _, err := money.Decimals(o.Amount.Currency); err != nil {
		return fmt.Errorf("%w: %w", ErrNotPayable, err)
	}
	if o.Amount.Minor <= 0 || o.Amount.Minor > maxAmount {
		return fmt.Errorf("%w: its amount is %s", ErrNotPayable, o.Amount)
	}
	if !strings.HasPrefix(o.ReturnURL, "https://") && !strings.HasPrefix(o.ReturnURL, "http://") || len(o.ReturnURL) > 2048 {
		return fmt.Errorf("%w: its return URL is not an absolute one of at most 2048 bytes", ErrNotPayable)
	}
	return nil
}

// attempt is the live attempt of an order at a gateway: the one there is, or a new one.
func (s *Service) attempt(ctx context.Context, o Order, gateway string) (p Payment, fresh bool, err error) {
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		now := s.now()
		p, fresh = Payment{}, false
		// A second round, if another request stores one between our look and our insert.
		for range 2 {
			list, err := readPayments(ctx, tx, "order_id = ? AND gateway = ? AND live = 0"+tx.Dialect().ForUpdate(), o.ID, gateway)
			if err != nil {
				return err
			}
			if len(list) == 1 {
				p = list[0]
				if p.State != Open || p.Amount == o.Amount && (p.ExpiresAt == 0 || p.ExpiresAt > now.Add(renewBefore).UnixMilli()) {
					return nil
				}
				if _, err := tx.Exec(ctx, "UPDATE payments SET live = id, updated_at = ? WHERE id = ?", now.UnixMilli(), p.ID); err != nil {
					return err
				}
			}
			p = Payment{ID: s.ids.New(), OrderID: o.ID, Gateway: gateway, State: Created, Amount: o.Amount, live: true, params: "{}", returnURL: o.ReturnURL, CreatedAt: now.UnixMilli()}
			p.key = paymentKey(p.ID)
			if fresh, err = insertPayment(ctx, tx, &p, now.Add(leaseTime).UnixMilli()); err != nil || fresh {
				return err
			}
		}
		return errors.New("another attempt appears and disappears")
	})
	return p, fresh, err
}

func insertPayment(ctx context.Context, tx *db.Tx, p *Payment, nextAt int64) (bool, error) {
	live := p.ID
	if p.live {
		live = 0
	}
	ok, err := tx.TryInsert(ctx, "INSERT INTO payments ("+paymentColumns+", next_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', ?, ?, ?, 0, 0, 0, ?, ?, ?)",
		p.ID, p.OrderID, p.Gateway, live, p.key, p.State, p.Amount.Minor, p.Amount.Currency, p.Ref, p.PaymentID, p.Paid.Minor, p.Paid.Currency, p.PaidAt,
		p.params, p.returnURL, p.Reason, p.CreatedAt, p.CreatedAt, nextAt)
	if err != nil {
		return false, fmt.Errorf("store payment: %w", err)
	}
	return ok, nil
}

// begin calls the gateway for an attempt that is stored, and notes what it answered.
func (s *Service) begin(ctx context.Context, g Gateway, p Payment, o Order, again bool) (Payment, error) {
	o.Amount = p.Amount // what was asked for under this key
	// The outcome must be noted even if whoever asked has gone.
	ctx = context.WithoutCancel(ctx)
	call, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	begun, err := g.Begin(call, BeginCall{Key: p.key, Again: again, Order: o, Return: s.returnURL(p.ID)})
	s.metrics.called(p.Gateway, "begin", err)
	id := p.ID
	if noteErr := s.db.InTx(ctx, func(tx *db.Tx) error {
		if err := s.noteBegun(ctx, tx, id, begun, err); err != nil {
			return err
		}
		var readErr error
		p, readErr = readPayment(ctx, tx, id, "")
		return readErr
	}); noteErr != nil {
		return Payment{}, fmt.Errorf("note that a payment was begun: %w", noteErr)
	}
	switch {
	case p.State == Open:
		return p, nil // also if another request of the same key was first
	case p.settled():
		return Payment{}, fmt.Errorf("%w: it has just been paid", ErrNotPayable)
	case errors.Is(err, ErrRefused):
		return Payment{}, err
	}
	s.log.Warn("beginning a payment failed, its outcome is unknown", "gateway", p.Gateway, "payment", paymentKey(id), "error", err)
	return Payment{}, ErrUnknown
}

func (s *Service) noteBegun(ctx context.Context, tx *db.Tx, id int64, begun Begun, failure error) error {
	now := s.now()
	waiting := " WHERE id = ? AND state IN ('created', 'unknown')"
	switch {
	case failure == nil:
		params, err := json.Marshal(begun.Params)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "UPDATE payments SET state = 'open', ref = ?, url = ?, params = ?, expires_at = ?, reason = '', attempts = 0, claim = 0, next_at = ?, updated_at = ?"+waiting,
			begun.Ref, begun.URL, string(params), begun.ExpiresAt, now.Add(firstLook).UnixMilli(), now.UnixMilli(), id)
		return err
	case errors.Is(failure, ErrRefused):
		_, err := tx.Exec(ctx, "UPDATE payments SET state = 'failed', live = id, reason = ?, claim = 0, updated_at = ?"+waiting,
			clip(failure.Error(), maxReason), now.UnixMilli(), id)
		return err
	}
	_, err := tx.Exec(ctx, "UPDATE payments SET state = 'unknown', reason = ?, next_at = ?, updated_at = ?"+waiting,
		clip(failure.Error(), maxReason), now.Add(firstPause).UnixMilli(), now.UnixMilli(), id)
	return err
}

// returnURL is where gateways send the buyer.
func (s *Service) returnURL(id int64) string {
	return s.public + ReturnPath + ident.Format(ident.Payment, id)
}

// Ask asks the gateways at once what became of the attempts to pay an order that are open, and books it.
func (s *Service) Ask(ctx context.Context, orderID int64) error {
	list, err := readPayments(ctx, s.db, "order_id = ? AND state = 'open'", orderID)
	if err != nil {
		return err
	}
	for i := range list {
		p := &list[i]
		g, err := s.gateway(p.Gateway)
		if err != nil {
			return err
		}
		call, cancel := context.WithTimeout(ctx, callTimeout)
		changes, err := g.Lookup(call, Query{Key: p.key, Ref: p.Ref, PaymentID: p.PaymentID})
		cancel()
		s.metrics.called(p.Gateway, "lookup", err)
		if err == nil {
			_, err = s.applyAll(ctx, p.Gateway, p.ID, changes)
		}
		if err != nil {
			return fmt.Errorf("ask for payment: %w", err)
		}
	}
	return nil
}

// lookAt asks the gateway about an attempt that nobody has told us of for a while.
func (s *Service) lookAt(ctx context.Context, p Payment) error {
	g, err := s.gateway(p.Gateway)
	if err != nil {
		return s.postpone(ctx, "payments", p.ID, p.claim, maxLook, err)
	}
	if p.State != Open && p.live {
		o, err := s.orders.Payable(ctx, p.OrderID)
		if err == nil {
			// The same key: it is done once, and the buyer who comes back finds it.
			if _, err = s.begin(ctx, g, p, o, true); err == nil || errors.Is(err, ErrRefused) {
				return nil
			}
		}
	}
	call, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	changes, err := g.Lookup(call, Query{Key: p.key, Ref: p.Ref, PaymentID: p.PaymentID})
	s.metrics.called(p.Gateway, "lookup", err)
	pause := backoff(p.attempts, firstLook, maxLook)
	if err != nil {
		return s.postpone(ctx, "payments", p.ID, p.claim, pause, err)
	}
	now := s.now()
	end := p.ExpiresAt
	if end == 0 {
		end = p.CreatedAt + abandonAfter.Milliseconds()
	}
	if len(changes) == 0 && now.UnixMilli() > end+time.Hour.Milliseconds() {
		changes = []Change{{Kind: Expired, Key: p.key, Ref: p.Ref, Reason: "nobody paid in time", At: end}}
	}
	if _, err := s.applyAll(ctx, p.Gateway, p.ID, changes); err != nil {
		return s.postpone(ctx, "payments", p.ID, p.claim, pause, err)
	}
	return s.postpone(ctx, "payments", p.ID, p.claim, pause, nil)
}

package payout

import (
	"context"
	"fmt"
	"time"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/ident"
)

// Settle notes that a payout arrived, by the word of a person or machine who knows: for executors that people work.
// Errors: ErrNotFound, ErrState, *InvalidError.
func (s *Service) Settle(ctx context.Context, id int64, reference string, then func(*db.Tx, Payout) error) (Payout, error) {
	if err := oneLine("reference", reference, true); err != nil {
		return Payout{}, err
	}
	return s.byHand(ctx, id, "payout.settle", reference, Paid, change{reference: reference}, then)
}

// Fail notes that a payout did not and will not arrive; what it held is payable again.
func (s *Service) Fail(ctx context.Context, id int64, reason string, then func(*db.Tx, Payout) error) (Payout, error) {
	if err := oneLine("reason", reason, true); err != nil {
		return Payout{}, err
	}
	return s.byHand(ctx, id, "payout.fail", reason, Failed, change{reason: reason}, then)
}

// Return notes that a payout arrived and came back; what it held is payable again.
func (s *Service) Return(ctx context.Context, id int64, reason string, then func(*db.Tx, Payout) error) (Payout, error) {
	if err := oneLine("reason", reason, true); err != nil {
		return Payout{}, err
	}
	return s.byHand(ctx, id, "payout.return", reason, Returned, change{reason: reason}, then)
}

// CancelPayout cancels one payout that was not sent yet.
func (s *Service) CancelPayout(ctx context.Context, id int64, reason string, then func(*db.Tx, Payout) error) (Payout, error) {
	if err := oneLine("reason", reason, true); err != nil {
		return Payout{}, err
	}
	return s.byHand(ctx, id, "payout.cancel", reason, Cancelled, change{reason: reason}, then)
}

func (s *Service) byHand(ctx context.Context, id int64, action, words string, to State, c change, then func(*db.Tx, Payout) error) (p Payout, err error) {
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		var b Batch
		var err error
		if p, b, err = s.lockWithBatch(ctx, tx, id); err != nil {
			return err
		}
		from := p.State
		if err := s.mayByHand(ctx, tx, &p, &b, to); err != nil {
			return err
		}
		if b.State == BatchApproved && to != Cancelled {
			if err := s.setBatch(ctx, tx, &b, BatchExecuting, ""); err != nil {
				return err
			}
		}
		if err := s.move(ctx, tx, &p, to, c); err != nil {
			return err
		}
		err = s.record(ctx, tx, action, ident.Format(ident.Payout, id), words, map[string]any{"state": from}, map[string]any{"state": to})
		if err == nil && then != nil {
			err = then(tx, p)
		}
		return err
	})
	return p, err
}

// mayByHand keeps people from saying what a provider should be asked. Once an attempt is so old that it is no longer
// sent again by itself, a person with a second factor may say how it ended.
func (s *Service) mayByHand(ctx context.Context, tx *db.Tx, p *Payout, b *Batch, to State) error {
	if to == Cancelled {
		if p.State != Reserved {
			return ErrState
		}
		return nil
	}
	if b.State != BatchApproved && b.State != BatchExecuting && b.State != BatchCompleted {
		return ErrState // what nobody has approved cannot have been paid
	}
	if _, sends := s.sender(b.Executor); !sends {
		// Of a bank file only what is in the file can have been paid.
		if b.Executor == BankFile && p.State == Reserved {
			return ErrState
		}
		return nil
	}
	who, now := actor(ctx), s.now()
	if who.PersonID == 0 {
		return ErrNeedsPerson
	}
	if age := now.Sub(time.UnixMilli(who.SecondFactorAt)); who.SecondFactorAt == 0 || age < 0 || age > factorAge {
		return ErrSecondFactor
	}
	if p.State == Reserved {
		return ErrState
	}
	var created int64
	err := tx.QueryRow(ctx, "SELECT created_at FROM payout_attempts WHERE payout_id = ?", p.ID).Scan(&created)
	if err != nil {
		return fmt.Errorf("read payout attempt: %w", err)
	}
	if p.State != Paid && now.Sub(time.UnixMilli(created)) < resendFor {
		return fmt.Errorf("%w: it is still looked up with its provider, until %s", ErrState, time.UnixMilli(created).Add(resendFor).UTC().Format(time.RFC3339))
	}
	return nil
}

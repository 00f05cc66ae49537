package demo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/edgeref/edgeref/core/payout"
)

// requestsWanted is how many requests the demo shows waiting, where so many affiliates can be paid.
const requestsWanted = 5

// planRequests puts on the agenda who asks to be paid. Batches take everybody who can be paid, so none of them changes by it.
func (w *world) planRequests() {
	days := float64(w.o.Size.Days)
	// The small affiliate asked for what waits for approval since. The large one can still ask.
	small := w.affiliates[min(smallOne, len(w.affiliates)/2)]
	w.at(w.day(int(0.985*days)).Add(6*time.Hour), func(ctx context.Context) error {
		_, err := w.ask(ctx, small)
		return err
	})
	var declined *affiliate
	w.at(w.day(int(0.93*days)).Add(10*time.Hour), func(ctx context.Context) (err error) {
		declined, err = w.declineOne(ctx)
		return err
	})
	// Those of odd ranks are in no batch that is made later.
	waiting := 0
	for i := 1; i < len(w.affiliates) && i < 60; i += 2 {
		a := w.affiliates[i]
		w.at(w.end.Add(-time.Duration(30-i/2)*time.Hour), func(ctx context.Context) error {
			if waiting == requestsWanted || a == declined {
				return nil
			}
			asked, err := w.ask(ctx, a)
			if asked != nil {
				waiting++
			}
			return err
		})
	}
}

// ask lets an affiliate ask for what he has in rupees; nil: he cannot be paid.
func (w *world) ask(ctx context.Context, a *affiliate) (*payout.Request, error) {
	if a.ID == 0 || a.fate != works {
		return nil, nil
	}
	r, err := w.payouts.Request(w.asAffiliate(ctx, a), a.ID, "INR", nil)
	for _, refused := range []error{
		payout.ErrNothingPayable, payout.ErrBelowMinimum, payout.ErrNoMethod, payout.ErrHeld, payout.ErrInactive, payout.ErrRequested, payout.ErrTooManyRequests,
	} {
		if errors.Is(err, refused) {
			return nil, nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("ask for a payout: %w", err)
	}
	return &r, nil
}

// declineOne has the first of the strong ones who can ask, and whom the last batches leave out, declined a few hours later. It returns who
// that is, or nil.
func (w *world) declineOne(ctx context.Context) (*affiliate, error) {
	for i := 1; i < len(w.affiliates); i += 2 {
		a := w.affiliates[i]
		r, err := w.ask(ctx, a)
		if err != nil {
			return nil, err
		}
		if r == nil {
			continue
		}
		w.after(5*time.Hour, func(ctx context.Context) error {
			_, err := w.payouts.Decline(w.as(ctx, "DEMO_FINANCE"), r.ID, "your new bank wants the cancelled cheque first; please send it", nil)
			return err
		})
		return a, nil
	}
	return nil, nil
}

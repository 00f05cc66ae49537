package demo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/edgeref/edgeref/core/payout"
)

// run is one batch of payouts on the agenda.
type run struct {
	at       float64 // of all days
	currency string
	executor string
	note     string
	becomes  runFate
}

type runFate int

const (
	runPaid      runFate = iota // all of it arrives, but for what turns out otherwise
	runWaits                    // for approval
	runHalf                     // is being worked off by hand: one arrived, one failed, the others are open
	runCancelled                // before it was approved
)

func runs() []run {
	return []run{
		{0.36, "INR", payout.BankFile, "first run", runPaid}, {0.55, "INR", payout.BankFile, "monthly run", runPaid},
		{0.72, "USD", payout.Manual, "partner tools, all so far", runCancelled}, {0.74, "INR", payout.BankFile, "monthly run", runPaid},
		{0.94, "USD", payout.Manual, "partner tools", runHalf}, {0.985, "INR", payout.BankFile, "smaller partners, to be approved", runWaits},
	}
}

// planRuns puts the batches on the agenda, late in the morning in India.
func (w *world) planRuns() {
	for i, one := range runs() {
		n := int(one.at * float64(w.o.Size.Days))
		w.at(w.day(n).Add(11*time.Hour), func(ctx context.Context) error { return w.pay1(ctx, i, one) })
	}
}

// pay1 makes a batch in the name of one person of finance, and has another approve it a few minutes later.
func (w *world) pay1(ctx context.Context, n int, r run) error {
	if err := w.tidy(ctx); err != nil {
		return err
	}
	sel := payout.Selection{Currency: r.currency, Executor: r.executor}
	if r.becomes == runWaits { // for some only, so that there is somebody left to make a batch for
		for i := 10; i < len(w.affiliates); i += 2 {
			if id := w.affiliates[i].ID; id != 0 {
				sel.AffiliateIDs = append(sel.AffiliateIDs, id)
			}
		}
	}
	b, err := w.payouts.Create(w.as(ctx, "DEMO_FINANCE"), sel, r.note, nil)
	if errors.Is(err, payout.ErrNothing) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("make payout batch: %w", err)
	}
	w.result.Payouts += int(b.Payouts)
	switch r.becomes {
	case runWaits:
		return nil
	case runCancelled:
		w.after(3*time.Minute, func(ctx context.Context) error {
			_, err := w.payouts.Cancel(w.as(ctx, "DEMO_FINANCE"), b.ID, "the hold of partner tools is 30 days; wait for all of it", nil)
			return err
		})
		return nil
	}
	w.after(2*time.Minute, func(ctx context.Context) error {
		for i, who := range []string{"DEMO_FINANCE2", "DEMO_OWNER"} {
			if int64(i) >= b.ApprovalsNeeded {
				break
			}
			if _, err := w.payouts.Approve(w.as(ctx, who), b.ID, payout.Seen{Payouts: b.Payouts, Net: b.Net}, nil); err != nil {
				return fmt.Errorf("approve payout batch: %w", err)
			}
		}
		return nil
	})
	w.after(4*time.Minute, func(ctx context.Context) error { return w.send(ctx, n, b, r) })
	return nil
}

// send gives the bank its file, and notes over the next day what arrived.
func (w *world) send(ctx context.Context, n int, b payout.Batch, r run) error {
	if r.executor == payout.BankFile {
		if _, err := w.payouts.BankFile(w.as(ctx, "DEMO_FINANCE"), b.ID, "", nil); err != nil {
			return fmt.Errorf("bank file: %w", err)
		}
	}
	w.after(20*time.Hour, func(ctx context.Context) error {
		list, err := w.payouts.Payouts(ctx, payout.Filter{BatchID: b.ID, Limit: payout.MaxBatch})
		if err != nil {
			return err
		}
		for i := range list {
			if err := w.arrive(ctx, n, i, &list[len(list)-1-i], r); err != nil {
				return err
			}
		}
		return nil
	})
	return nil
}

// arrive notes what became of payout i of a batch.
func (w *world) arrive(ctx context.Context, n, i int, p *payout.Payout, r run) error {
	finance := w.as(ctx, "DEMO_FINANCE")
	if r.becomes == runHalf && i > 1 || p.State != payout.Sent && p.State != payout.Reserved {
		return nil
	}
	if r.becomes == runHalf && i == 1 || n == 3 && i == 4 {
		_, err := w.payouts.Fail(finance, p.ID, "the bank knows no such account", nil)
		return err
	}
	if _, err := w.payouts.Settle(finance, p.ID, fmt.Sprintf("DEMO%02d%08d", n+1, 31_000+7*i), nil); err != nil {
		return fmt.Errorf("settle payout: %w", err)
	}
	if n == 1 && i == 2 {
		w.after(2*day, func(ctx context.Context) error { return w.comeBack(ctx, p) })
	}
	return nil
}

// comeBack returns a payout, whereupon the affiliate gives another account; the next batch pays it again.
func (w *world) comeBack(ctx context.Context, p *payout.Payout) error {
	if _, err := w.payouts.Return(w.as(ctx, "DEMO_FINANCE"), p.ID, "the account was closed", nil); err != nil {
		return err
	}
	for i, a := range w.affiliates {
		if a.ID == p.AffiliateID {
			w.after(20*time.Hour, func(ctx context.Context) error {
				_, err := w.payouts.SetMethod(w.asAffiliate(ctx, a), a.ID, p.Currency, bankOf(random("another account", i), a.Name), nil)
				return err
			})
		}
	}
	return nil
}

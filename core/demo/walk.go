package demo

import (
	"context"
	"fmt"
	"time"
)

const (
	flushEvery = 15 * time.Minute
	tidyEvery  = 6 * time.Hour
	manyDue    = 100_000
)

// visits are what a day's visitors left.
type visits struct {
	clicks    int
	prospects []prospect
	err       error
}

// walk lets the business happen, day by day. The clicks of a day are made and stored while the day before happens.
func (w *world) walk(ctx context.Context, c *crowd) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := w.until(ctx, w.day(0)); err != nil {
		return err
	}
	w.every(flushEvery, w.flush)
	w.every(tidyEvery, w.tidy)
	next := w.begin(ctx, c, 0)
	defer func() { <-next }() // nobody writes after this has returned
	for n := range w.o.Size.Days {
		v := <-next
		if v.err != nil {
			next = closed()
			return fmt.Errorf("make the clicks of a day: %w", v.err)
		}
		if next = closed(); n+1 < w.o.Size.Days {
			next = w.begin(ctx, c, n+1)
		}
		w.result.Clicks += v.clicks
		for _, p := range v.prospects {
			w.follow(p)
		}
		w.straight(n)
		end := w.day(n + 1)
		if end.After(w.end) {
			end = w.end
		}
		if err := w.until(ctx, end); err != nil {
			return err
		}
		if err := w.report(ctx); err != nil {
			return err
		}
		w.o.progress(0.02+0.93*float64(n+1)/float64(w.o.Size.Days), fmt.Sprintf("day %d of %d: %d clicks, %d orders", n+1, w.o.Size.Days, w.result.Clicks, w.result.Orders))
	}
	return nil
}

// begin makes and stores the clicks of a day, by the links that there are now.
func (w *world) begin(ctx context.Context, c *crowd, n int) <-chan visits {
	g, done := w.open(), make(chan visits, 1)
	go func() {
		defer close(done)
		records, prospects := w.visit(c, g, n)
		done <- visits{len(records), prospects, w.keep(ctx, n, records)}
	}()
	return done
}

func closed() <-chan visits {
	c := make(chan visits)
	close(c)
	return c
}

// every does something now and then, until the end.
func (w *world) every(pause time.Duration, do func(context.Context) error) {
	var again func(context.Context) error
	again = func(ctx context.Context) error {
		w.after(pause, again)
		return do(ctx)
	}
	w.after(pause, again)
}

// tidy does what a core does all the time.
func (w *world) tidy(ctx context.Context) error {
	if _, err := w.commissions.ReleaseDue(ctx, w.clock.Now(), manyDue); err != nil {
		return err
	}
	if err := w.settle(ctx); err != nil {
		return err
	}
	if _, err := w.shop.ExpireDue(ctx); err != nil {
		return err
	}
	if err := w.deliver(ctx); err != nil {
		return err
	}
	return w.seal(ctx)
}

// seal appends to the hash chain. All is posted in the order of its time, so nothing is late.
func (w *world) seal(ctx context.Context) error {
	done, err := w.sealer.Seal(ctx)
	if err == nil && done.Refused > 0 {
		err = fmt.Errorf("BUG: %d ledger transactions are late", done.Refused)
	}
	return err
}

// report brings the facts of a day to analytics, where the clicks that they are about are by now.
func (w *world) report(ctx context.Context) error {
	for {
		n, err := w.facts.Publish(ctx)
		if err != nil || n == 0 {
			return err
		}
	}
}

// deliver sends webhooks.
func (w *world) deliver(ctx context.Context) error {
	for {
		n, err := w.hooks.Work(ctx)
		if err != nil || n == 0 {
			return err
		}
	}
}

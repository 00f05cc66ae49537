// Package deliver moves what the edge has spooled to where it is kept: batch after batch, each until it has arrived.
package deliver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/edgeref/edgeref/tracker/spool"
)

// source is what is delivered; *spool.Spool is one. A batch comes from Next again, unchanged, until Ack, also after a
// restart. Ahead, which never waits, gives a look at the batch that Next will return after that, or nil. Only the goroutine
// of Run uses the source, but for Ahead, which runs beside the others.
type source interface {
	Next(ctx context.Context, maxRecords, maxBytes int, maxAge time.Duration) (*spool.Batch, error)
	Ahead(maxRecords, maxBytes int) *spool.Batch
	Quarantine(b *spool.Batch, index int, reason string) error
	Note(b *spool.Batch, text string) error
	Ack(b *spool.Batch) error
	Stats() spool.Stats
}

// Options configure a Deliverer. Zero values mean the default named.
type Options struct {
	MaxRecords int           // of a batch; default 10,000 clicks or 1,000 conversions
	MaxBytes   int           // of a batch; default 8 MiB of clicks or 768 KiB of conversions
	MaxAge     time.Duration // of a record before its batch goes even if it is not full; default 1 s

	AttemptTimeout time.Duration // of one call of the sink; default 30 s
	MinBackoff     time.Duration // bound of the first pause; default 100 ms
	MaxBackoff     time.Duration // bound of every pause; default 30 s
	// DrainTimeout is how long Run may go on after its context has ended, to deliver what is spooled; default 10 s,
	// negative: not at all. What is left stays in the spool.
	DrainTimeout time.Duration

	// GiveWay is called once by each goroutine that delivers, before its work; default: nothing. It may tie the goroutine
	// to a thread of lower priority.
	GiveWay func()

	Logger     *slog.Logger          // default: discards
	Registerer prometheus.Registerer // default: none
	Clock      func() time.Time      // default: time.Now
}

func (o *Options) setDefaults(maxRecords, maxBytes int) error {
	defaults := []struct {
		value *time.Duration
		to    time.Duration
	}{
		{&o.MaxAge, time.Second}, {&o.AttemptTimeout, 30 * time.Second}, {&o.MinBackoff, 100 * time.Millisecond},
		{&o.MaxBackoff, 30 * time.Second}, {&o.DrainTimeout, 10 * time.Second},
	}
	for _, d := range defaults {
		if *d.value == 0 {
			*d.value = d.to
		}
	}
	if o.MaxRecords == 0 {
		o.MaxRecords = maxRecords
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = maxBytes
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.GiveWay == nil {
		o.GiveWay = func() {}
	}
	if o.MaxRecords < 0 || o.MaxBytes < 0 || o.MaxAge < 0 || o.AttemptTimeout < 0 || o.MinBackoff < 0 || o.MaxBackoff < o.MinBackoff {
		return errors.New("deliver: limits must be positive, and MaxBackoff at least MinBackoff")
	}
	return nil
}

// phase is a part of the way of a batch, and a label value.
type phase string

const (
	next   phase = "next"   // out of the spool
	decode phase = "decode" // and into quarantine what cannot be decoded
	send   phase = "send"   // to the sink
	ack    phase = "ack"    // to the spool

	setAside phase = "set_aside" // writing down what the sink refuses
)

// job is a batch ready to be sent, whole or in parts, as often as it takes.
type job struct {
	index []int // of the payload of each decoded record, ascending; none: there is nothing to send
	send  func(ctx context.Context, id string, lo, hi int) error
}

// Deliverer moves the batches of one spool to one sink.
type Deliverer struct {
	source   source
	prepare  func(*spool.Batch) (job, error) // quarantines what it cannot decode; may be called again for a batch
	getReady func(*spool.Batch)              // does of prepare what changes nothing, while another batch is on its way; nil: nothing
	letGo    func()                          // drops what was prepared, after the last batch; nil: nothing
	opt      Options
	log      *slog.Logger
	metrics  *metrics
	outage   outage
}

func newDeliverer(src source, name string, opt Options) (*Deliverer, error) {
	m, err := newMetrics(name, opt.Registerer)
	if err != nil {
		return nil, err
	}
	log := opt.Logger.With("spool", name)
	return &Deliverer{source: src, opt: opt, log: log, metrics: m, outage: outage{log: log, clock: opt.Clock}}, nil
}

// Run delivers until ctx ends, and then what is left, for at most DrainTimeout. It may be called once. It returns an
// error only if the spool is closed under it.
func (d *Deliverer) Run(ctx context.Context) error {
	d.opt.GiveWay()
	work, stop := d.drainContext(ctx)
	defer stop()
	helper := d.startHelper()
	defer func() {
		helper.stop()
		if d.letGo != nil {
			d.letGo()
		}
	}()
	for ctx.Err() == nil {
		if err := d.step(ctx, work, helper, d.opt.MaxAge); err != nil && !isEnd(err) {
			return err
		}
	}
	for work.Err() == nil {
		err := d.step(work, work, helper, -1)
		if errors.Is(err, spool.ErrEmpty) {
			break
		}
		if err != nil && !isEnd(err) {
			return err
		}
	}
	if n := d.source.Stats().PendingRecords; n > 0 {
		d.log.Warn("stopped with records in the spool, which the next start delivers", "records", n)
	}
	return nil
}

func isEnd(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// drainContext returns a context that lives DrainTimeout longer than ctx.
func (d *Deliverer) drainContext(ctx context.Context) (context.Context, context.CancelFunc) {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		select {
		case <-work.Done():
			return
		case <-ctx.Done():
		}
		timer := time.NewTimer(d.opt.DrainTimeout) // fires at once if negative
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel()
		case <-work.Done():
		}
	}()
	return work, func() {
		cancel()
		<-done
	}
}

// step delivers one batch, while the helper gets the next one ready. wait bounds the waiting for it and the pauses
// between attempts, which its end cuts short; work bounds everything.
func (d *Deliverer) step(wait, work context.Context, h *helper, maxAge time.Duration) error {
	var b *spool.Batch
	if err := d.persist(wait, wait, next, func(ctx context.Context) (err error) {
		b, err = d.source.Next(ctx, d.opt.MaxRecords, d.opt.MaxBytes, maxAge)
		return err
	}); err != nil {
		return err
	}
	var j job
	if err := d.persist(wait, work, decode, func(context.Context) (err error) {
		j, err = d.prepare(b)
		return err
	}); err != nil {
		return err
	}
	h.begin()
	delivered, err := d.deliver(wait, work, b, j)
	h.wait()
	if err != nil {
		return err
	}
	if err := d.persist(wait, work, ack, func(context.Context) error { return d.source.Ack(b) }); err != nil {
		return err
	}
	d.metrics.delivered(b, delivered, d.opt.Clock())
	return nil
}

// attempt calls the sink once with a range of the records.
func (d *Deliverer) attempt(ctx context.Context, j job, id string, lo, hi int) error {
	limited, cancel := context.WithTimeout(ctx, d.opt.AttemptTimeout)
	defer cancel()
	began := d.opt.Clock()
	err := j.send(limited, id, lo, hi)
	timedOut := err != nil && limited.Err() != nil && ctx.Err() == nil
	d.metrics.attempted(d.opt.Clock().Sub(began), err, timedOut)
	if timedOut {
		return fmt.Errorf("no answer within %v: %w", d.opt.AttemptTimeout, err)
	}
	return err
}

// persist does what may fail until it succeeds, with a random pause up to a doubling bound between the attempts: many
// edges that lost the same sink must not come back in step. The end of wait cuts a pause short and starts the bound
// anew. It returns the error of work once that ends, a permanent one of the sink, or the spool's ErrClosed or ErrEmpty.
func (d *Deliverer) persist(wait, work context.Context, p phase, do func(context.Context) error) error {
	bound, ended := d.opt.MinBackoff, wait.Err() != nil
	for {
		err := do(work)
		if err == nil {
			d.outage.end(p)
			d.metrics.backoff.Set(0)
			return nil
		}
		if errors.Is(err, spool.ErrClosed) || errors.Is(err, spool.ErrEmpty) {
			return fmt.Errorf("%s: %w", p, err)
		}
		if p == send && isPermanent(err) {
			d.outage.end(p)
			return err
		}
		if work.Err() != nil {
			return work.Err()
		}
		d.metrics.failures.WithLabelValues(string(p)).Inc()
		pause := rand.N(bound + 1)
		d.outage.failed(p, err, pause)
		d.metrics.backoff.Set(pause.Seconds())
		if err := sleep(wait, work, pause, ended); err != nil {
			return err
		}
		bound = min(2*bound, d.opt.MaxBackoff)
		if !ended && wait.Err() != nil {
			bound, ended = d.opt.MinBackoff, true
		}
	}
}

// sleep returns after the pause or when wait, unless it had ended before, or work ends. It returns the error of work.
func sleep(wait, work context.Context, pause time.Duration, ended bool) error {
	cut := wait.Done()
	if ended {
		cut = nil
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-cut:
	case <-work.Done():
	}
	return work.Err()
}

// Package outbox brings facts from the core's database to analytics, at least once and in batches that never change.
//
// Facts are written in the transaction that books a conversion, so they exist if and only if it was booked. A
// publisher gives waiting facts to a batch, in the database and before the first attempt; after that a batch is sent
// under its own number with the same facts in the same order until the sink confirms it, whatever fails in between.
// The sink drops what it has seen. One publisher works at a time, by a lease that it keeps renewing; should two overlap
// after all, they send the same batches, which is harmless.
package outbox

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/newid"
	"github.com/edgeref/edgeref/wire/report"
)

// Sink takes facts in. A batch that comes again, whole and under the same ID, changes nothing, and a fact that comes in
// several batches counts once. An error with a method Permanent that returns true says that the batch will always be
// refused for its content; it is sent in parts then.
type Sink interface {
	AppendFacts(ctx context.Context, batchID string, facts []report.Fact) error
}

const (
	defaultBatch  = 1_000
	defaultLinger = 200 * time.Millisecond
	defaultPoll   = time.Second
	defaultKeep   = 7 * 24 * time.Hour
	firstBackoff  = 100 * time.Millisecond
	maxBackoff    = 15 * time.Second
	pruneEvery    = 10 * time.Minute
	pruneBatches  = 5 // in one transaction
	sendTimeout   = 20 * time.Second
	// leaseTime is how long facts wait after the core that published them has died. While it lives it renews its lease
	// three times as often, also during a send.
	leaseTime  = 5 * time.Second
	renewEvery = leaseTime / 3
)

// Options are what New needs.
type Options struct {
	DB         *db.DB
	IDs        *newid.Generator
	Sink       Sink
	Now        func() time.Time
	Logger     *slog.Logger          // default: none
	Registerer prometheus.Registerer // default: metrics are not exported
	Batch      int                   // facts in a batch at most; default 1000
	Linger     time.Duration         // pause after a batch that was not full, so that the next is worth sending; default 200 ms
	Poll       time.Duration         // how often to look for facts that other cores wrote; default 1 s
	Keep       time.Duration         // how long delivered facts stay for inspection; default 7 days
}

// Outbox stores and publishes facts. It is safe for concurrent use.
type Outbox struct {
	db       *db.DB
	ids      *newid.Generator
	sink     Sink
	now      func() time.Time
	log      *slog.Logger
	metrics  *metrics
	opts     Options
	wake     chan struct{}
	sending  sync.Mutex    // the lease keeps other cores out, this our own goroutines
	holder   int64         // names this publisher in the lease
	leasedAt int64         // Unix ms at which this publisher took or renewed its lease; guarded by sending
	renew    time.Duration // renewEvery, except in tests
}

// New returns an Outbox. Run publishes.
func New(opts Options) *Outbox {
	if opts.DB == nil || opts.IDs == nil || opts.Sink == nil || opts.Now == nil {
		panic("BUG: an outbox needs a database, identifiers, a sink and a clock")
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Batch <= 0 {
		opts.Batch = defaultBatch
	}
	if opts.Linger <= 0 {
		opts.Linger = defaultLinger
	}
	if opts.Poll <= 0 {
		opts.Poll = defaultPoll
	}
	if opts.Keep <= 0 {
		opts.Keep = defaultKeep
	}
	o := &Outbox{
		db: opts.DB, ids: opts.IDs, sink: opts.Sink, now: opts.Now, log: opts.Logger, opts: opts,
		wake: make(chan struct{}, 1), holder: opts.IDs.New(), renew: renewEvery,
	}
	o.metrics = newMetrics(opts.Registerer, o)
	return o
}

// Add writes facts in tx, and wakes the publisher once tx is committed.
func (o *Outbox) Add(ctx context.Context, tx *db.Tx, facts ...report.Fact) error {
	if len(facts) == 0 {
		return nil
	}
	now := o.now().UnixMilli()
	for part := range slices.Chunk(facts, db.MaxIn) {
		args := make([]any, 0, 3*len(part))
		for i := range part {
			text, err := json.Marshal(&part[i])
			if err != nil {
				return fmt.Errorf("encode fact: %w", err)
			}
			args = append(args, part[i].ID, string(text), now)
		}
		rows := strings.Repeat(", (?, 0, ?, ?)", len(part))[2:]
		if _, err := tx.Exec(ctx, "INSERT INTO outbox_facts (id, batch_id, fact, created_at) VALUES "+rows, args...); err != nil {
			return fmt.Errorf("write facts to the outbox: %w", err)
		}
	}
	tx.OnCommit(o.Wake)
	return nil
}

// Wake makes the publisher look at once.
func (o *Outbox) Wake() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// Run publishes until ctx ends. Failures are logged and tried again with growing pauses, without end: facts stay in
// the database meanwhile.
func (o *Outbox) Run(ctx context.Context) error {
	defer func() {
		o.sending.Lock()
		defer o.sending.Unlock()
		o.release(context.WithoutCancel(ctx))
	}()
	backoff := firstBackoff
	var pruned time.Time
	for ctx.Err() == nil {
		sent, err := o.Publish(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			o.metrics.failures.Inc()
			pause := backoff/2 + rand.N(backoff/2+1)
			o.log.Error("publishing facts to analytics failed, will try again", "error", err, "pause", pause)
			o.pause(ctx, pause)
			backoff = min(2*backoff, maxBackoff)
			continue
		case sent == o.opts.Batch:
		case sent > 0:
			o.pause(ctx, o.opts.Linger)
		default:
			o.await(ctx)
		}
		backoff = firstBackoff
		if now := o.now(); err == nil && now.Sub(pruned) >= pruneEvery {
			pruned = now
			if err := o.Prune(ctx); err != nil && ctx.Err() == nil {
				o.log.Error("pruning the outbox failed, will try again", "error", err)
			}
		}
	}
	return nil
}

func (o *Outbox) pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

func (o *Outbox) await(ctx context.Context) {
	timer := time.NewTimer(o.opts.Poll)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-o.wake:
	}
}

// Publish sends the oldest batch that is not confirmed, or a new one, and returns how many facts it held: 0 if there
// was nothing to do, or another publisher has the lease. A batch that the sink refuses for its content becomes two, or,
// if it is one fact, is set aside.
func (o *Outbox) Publish(ctx context.Context) (int, error) {
	o.sending.Lock()
	defer o.sending.Unlock()
	idle, err := o.idle(ctx)
	if err != nil || idle {
		return 0, err
	}
	mine, err := o.lease(ctx)
	if err != nil || !mine {
		return 0, err
	}
	defer o.keepLease(ctx)()
	batch, err := o.openBatch(ctx)
	if err != nil || batch == 0 {
		return 0, err
	}
	facts, err := o.facts(ctx, batch)
	if err != nil {
		return 0, err
	}
	sendCtx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	if err := o.sink.AppendFacts(sendCtx, strconv.FormatInt(batch, 10), facts); err != nil {
		if isPermanent(err) {
			return len(facts), o.takeApart(ctx, batch, facts, err)
		}
		return 0, fmt.Errorf("send batch %d of %d facts: %w", batch, len(facts), err)
	}
	if err := o.confirm(ctx, batch); err != nil {
		return 0, err
	}
	o.metrics.delivered.Add(float64(len(facts)))
	return len(facts), nil
}

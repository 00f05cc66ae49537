package ledger

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/edgeref/edgeref/core/db"
)

const (
	defaultSealEvery = time.Second
	maxSealPause     = 15 * time.Second
	finalSealTimeout = 5 * time.Second
	// sealBatch bounds how long one batch holds the lock of the head and, on SQLite, keeps bookings waiting.
	sealBatch = 250
)

// SealerOptions are what NewSealer needs.
type SealerOptions struct {
	DB         *db.DB
	Now        func() time.Time
	Logger     *slog.Logger          // default: none
	Registerer prometheus.Registerer // default: metrics are not exported
	Every      time.Duration         // between two looks at what waits; default 1 s
}

// Sealer appends posted transactions to the hash chain, behind the transactions that post them. It is safe for
// concurrent use, and several may run on one database: the lock of the head's row lets one append at a time.
type Sealer struct {
	db      *db.DB
	now     func() time.Time
	log     *slog.Logger
	every   time.Duration
	metrics *sealMetrics
}

// NewSealer returns a Sealer. Run seals.
func NewSealer(opts SealerOptions) *Sealer {
	if opts.DB == nil || opts.Now == nil {
		panic("BUG: a sealer needs a database and a clock")
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Every <= 0 {
		opts.Every = defaultSealEvery
	}
	s := &Sealer{db: opts.DB, now: opts.Now, log: opts.Logger, every: opts.Every}
	s.metrics = newSealMetrics(opts.Registerer, s)
	return s
}

// Sealed is what one pass over the waiting transactions did.
type Sealed struct {
	Sealed int64
	// Refused wait on: they are dated long before what is sealed already, or have no entries. Verification names the
	// first of them.
	Refused int64
	Late    int64 // of those sealed, accepted although they are late
}

// Run seals at once and then regularly until ctx ends, and once more then. Failures are logged and tried again with
// growing pauses, without end.
func (s *Sealer) Run(ctx context.Context) {
	pause, refused := s.every, int64(0)
	for ctx.Err() == nil {
		done, err := s.Seal(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			pause = min(2*pause, maxSealPause)
			s.metrics.failures.Inc()
			s.log.Error("sealing the ledger failed, will try again", "error", err, "pause", pause)
		case err == nil:
			pause = s.every
			if done.Refused > refused {
				s.log.Error("ledger transactions are dated long before what is sealed already and are not sealed: verify the ledger", "count", done.Refused)
			}
			refused = done.Refused
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), finalSealTimeout)
	defer cancel()
	if _, err := s.Seal(ctx); err != nil {
		s.log.Warn("could not seal the last ledger transactions; the next start does", "error", err)
	}
}

// Seal seals what was posted and committed before the call, except what came too late.
func (s *Sealer) Seal(ctx context.Context) (Sealed, error) { return s.pass(ctx, false) }

// SealLate is Seal that accepts what came too late, and marks it so in the chain. It is for an operator who has
// looked at each and found a wrong clock to be the reason.
func (s *Sealer) SealLate(ctx context.Context) (Sealed, error) { return s.pass(ctx, true) }

func (s *Sealer) pass(ctx context.Context, acceptLate bool) (total Sealed, err error) {
	after := int64(0)
	for {
		ids, err := s.waiting(ctx, after)
		if err != nil {
			return total, err
		}
		if len(ids) == 0 {
			break
		}
		after = ids[len(ids)-1]
		done, err := s.batch(ctx, ids, acceptLate)
		if err != nil {
			return total, err
		}
		total.Sealed += done.Sealed
		total.Refused += done.Refused
		total.Late += done.Late
		s.metrics.sealed.Add(float64(done.Sealed))
		if len(ids) < sealBatch {
			break
		}
	}
	s.metrics.refused.Set(float64(total.Refused))
	return total, nil
}

func (s *Sealer) waiting(ctx context.Context, after int64) ([]int64, error) {
	ids, err := readIDs(ctx, s.db, "SELECT transaction_id FROM ledger_unsealed WHERE transaction_id > ? ORDER BY transaction_id LIMIT ?", after, sealBatch)
	if err != nil {
		return nil, fmt.Errorf("find ledger transactions to seal: %w", err)
	}
	return ids, nil
}

// batch seals those of ids that still wait.
func (s *Sealer) batch(ctx context.Context, ids []int64, acceptLate bool) (done Sealed, err error) {
	// What is committed never changes, so it is read before the lock is taken.
	content := make(map[int64]*Transaction, len(ids))
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = id
	}
	if err := readTransactions(ctx, s.db, content, db.In(len(ids)), args); err != nil {
		return done, err
	}
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		done = Sealed{}
		last, err := lockEnd(ctx, tx)
		if err != nil {
			return err
		}
		// Another sealer may have taken some before we had the lock.
		still, err := readIDs(ctx, tx, "SELECT transaction_id FROM ledger_unsealed WHERE transaction_id IN "+db.In(len(ids))+" ORDER BY transaction_id", args...)
		if err != nil {
			return err
		}
		var rows, sealed []any
		var buf []byte
		now := s.now().UnixMilli()
		for _, id := range still {
			t := content[id]
			if t == nil || isLate(t.PostedAt, last.newestAt) && !acceptLate {
				done.Refused++
				continue
			}
			l := link{seq: last.Seq + 1, sealedAt: now, late: isLate(t.PostedAt, last.newestAt), tx: *t}
			last.Seq = l.seq
			last.Hash, buf = l.hash(buf, last.Hash)
			last.newestAt = l.base(last.newestAt)
			late := 0
			if l.late {
				late = 1
				done.Late++
			}
			rows = append(rows, l.seq, id, l.sealedAt, late, last.Hash)
			sealed = append(sealed, id)
		}
		if len(sealed) == 0 {
			return nil
		}
		done.Sealed = int64(len(sealed))
		return store(ctx, tx, rows, sealed, last)
	})
	if err != nil {
		return Sealed{}, fmt.Errorf("seal ledger transactions: %w", err)
	}
	return done, nil
}

// lockEnd reads the head and keeps other sealers out until the transaction ends.
func lockEnd(ctx context.Context, tx *db.Tx) (end, error) {
	last, found, err := readEnd(ctx, tx, tx.Dialect().ForUpdate())
	if err != nil || found {
		return last, err
	}
	if _, err := tx.TryInsert(ctx, "INSERT INTO ledger_chain_head (id, seq, hash, newest_at) VALUES (1, 0, ?, 0)", genesis); err != nil {
		return end{}, fmt.Errorf("begin the ledger chain: %w", err)
	}
	if last, found, err = readEnd(ctx, tx, tx.Dialect().ForUpdate()); err == nil && !found {
		err = fmt.Errorf("begin the ledger chain: its head did not appear")
	}
	return last, err
}

func store(ctx context.Context, tx *db.Tx, rows, sealed []any, last end) error {
	values := strings.Repeat(", (?, ?, ?, ?, ?)", len(sealed))[2:]
	if _, err := tx.Exec(ctx, "INSERT INTO ledger_chain (seq, transaction_id, sealed_at, late, hash) VALUES "+values, rows...); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "DELETE FROM ledger_unsealed WHERE transaction_id IN "+db.In(len(sealed)), sealed...); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, "UPDATE ledger_chain_head SET seq = ?, hash = ?, newest_at = ? WHERE id = 1", last.Seq, last.Hash, last.newestAt)
	return err
}

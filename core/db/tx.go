package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

const (
	maxAttempts  = 10
	firstBackoff = 4 * time.Millisecond
	maxBackoff   = 500 * time.Millisecond
)

// ErrUnknownOutcome says that the connection was lost while a transaction was being committed: it may or may not have
// taken effect. InTx does not run the work again then; whoever asked must look, or send the same request again under
// the same idempotency key.
var ErrUnknownOutcome = errors.New("outcome of the commit is unknown")

// Tx is a transaction. It belongs to the goroutine that runs the function it was given to, and ends with it.
type Tx struct {
	tx       *sql.Tx
	dialect  Dialect
	onCommit []func()
}

// Dialect is the dialect of the database.
func (t *Tx) Dialect() Dialect { return t.dialect }

// Exec runs a statement that gives no rows.
func (t *Tx) Exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return t.tx.ExecContext(ctx, query, args...)
}

// Query reads rows inside the transaction. The caller closes them before the next statement.
func (t *Tx) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return t.tx.QueryContext(ctx, query, args...)
}

// QueryRow reads one row inside the transaction.
func (t *Tx) QueryRow(ctx context.Context, query string, args ...any) *sql.Row {
	return t.tx.QueryRowContext(ctx, query, args...)
}

// TryInsert runs an INSERT and reports whether it took effect; false means that a unique key is taken. The transaction
// goes on either way. On MySQL the row in the way stays locked in shared mode until the end.
func (t *Tx) TryInsert(ctx context.Context, query string, args ...any) (bool, error) {
	_, err := t.tx.ExecContext(ctx, query, args...)
	if IsDuplicate(err) {
		return false, nil
	}
	return err == nil, err
}

// OnCommit runs fn after the commit, in the goroutine of InTx; not if the transaction fails or its outcome is unknown.
// fn must not use the database.
func (t *Tx) OnCommit(fn func()) { t.onCommit = append(t.onCommit, fn) }

// InTx runs fn in a transaction that may write, and commits it if fn returns nil.
//
// fn runs again, in a new transaction, when the database chose it as the victim of a deadlock, when a lock was not to
// be had in time, or when SQLite was busy: at most 10 times, with growing random pauses, while ctx lives. So fn must
// set everything it hands out afresh on each run, and must have no effect outside the database. A commit whose outcome
// is unknown is never run again: the error wraps ErrUnknownOutcome.
func (d *DB) InTx(ctx context.Context, fn func(tx *Tx) error) error {
	started := time.Now()
	backoff := firstBackoff
	for attempt := 1; ; attempt++ {
		err := d.once(ctx, d.write, nil, fn)
		reason := retryReason(err)
		if err == nil || reason == "" || errors.Is(err, ErrUnknownOutcome) {
			d.metrics.finished(err, time.Since(started))
			return err
		}
		if attempt == maxAttempts {
			d.metrics.exhausted.Inc()
			d.metrics.finished(err, time.Since(started))
			return fmt.Errorf("transaction given up after %d attempts: %w", attempt, err)
		}
		d.metrics.retries.WithLabelValues(reason).Inc()
		// Full jitter: competitors must not meet again.
		if !sleep(ctx, 1+rand.N(backoff)) {
			d.metrics.finished(err, time.Since(started))
			return fmt.Errorf("transaction given up: %w", errors.Join(context.Cause(ctx), err))
		}
		backoff = min(2*backoff, maxBackoff)
	}
}

// Snapshot runs fn in a read-only transaction in which all queries see the same moment, however long they take: ctx has to
// bound them.
func (d *DB) Snapshot(ctx context.Context, fn func(tx *Tx) error) error {
	opts := &sql.TxOptions{ReadOnly: true}
	if d.dialect == MySQL {
		opts.Isolation = sql.LevelRepeatableRead
	}
	return d.once(ctx, d.patient, opts, fn)
}

func (d *DB) once(ctx context.Context, pool *sql.DB, opts *sql.TxOptions, fn func(tx *Tx) error) error {
	sqlTx, err := pool.BeginTx(ctx, opts)
	if err != nil {
		return fmt.Errorf("begin transaction: %w", err)
	}
	// Also when fn panics; after a commit it does nothing.
	defer func() { _ = sqlTx.Rollback() }()
	tx := &Tx{tx: sqlTx, dialect: d.dialect}
	if err := fn(tx); err != nil {
		return err
	}
	if err := sqlTx.Commit(); err != nil {
		if errors.Is(err, sql.ErrTxDone) && ctx.Err() != nil {
			err = ctx.Err() // database/sql has rolled back because of it
		}
		if !rolledBack(err) {
			return fmt.Errorf("commit transaction: %w: %w", ErrUnknownOutcome, err)
		}
		return fmt.Errorf("commit transaction: %w", err)
	}
	for _, fn := range tx.onCommit {
		fn()
	}
	return nil
}

// sleep reports whether the pause passed before ctx ended.
func sleep(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

package outbox

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/report"
)

const leaseName = "facts"

// idle reports whether there is nothing to publish, without a write.
func (o *Outbox) idle(ctx context.Context) (bool, error) {
	var work bool
	err := o.db.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM outbox_facts WHERE batch_id = 0)
		OR EXISTS (SELECT 1 FROM outbox_batches WHERE delivered_at = 0)`).Scan(&work)
	if err != nil {
		return false, fmt.Errorf("look into the outbox: %w", err)
	}
	return !work, nil
}

// lease takes or renews the right to publish, unless it was renewed a moment ago.
func (o *Outbox) lease(ctx context.Context) (mine bool, err error) {
	now := o.now().UnixMilli()
	if now >= o.leasedAt && now < o.leasedAt+renewEvery.Milliseconds() {
		return true, nil
	}
	if mine, err = o.take(ctx, now); err != nil {
		return false, err
	}
	if o.leasedAt = 0; mine {
		o.leasedAt = now
	}
	return mine, nil
}

// take makes this publisher the holder until leaseTime from now, unless another one is. A lease that ends later than
// any can was taken while a clock was wrong, and counts for nothing.
func (o *Outbox) take(ctx context.Context, now int64) (mine bool, err error) {
	until := now + leaseTime.Milliseconds()
	err = o.db.InTx(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(ctx, "INSERT INTO outbox_lease (name, holder, until) VALUES (?, ?, 0)"+tx.Dialect().Upsert([]string{"name"}), leaseName, o.holder); err != nil {
			return err
		}
		res, err := tx.Exec(ctx, "UPDATE outbox_lease SET holder = ?, until = ? WHERE name = ? AND (holder = ? OR until < ? OR until > ?)",
			o.holder, until, leaseName, o.holder, now, until+leaseTime.Milliseconds())
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		mine = n == 1
		return err
	})
	if err != nil {
		return false, fmt.Errorf("take the outbox lease: %w", err)
	}
	return mine, nil
}

// keepLease renews the lease until the function that it returns is called. sending is held meanwhile. If a renewal
// fails, another publisher may start, which is harmless.
func (o *Outbox) keepLease(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(o.renew)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			now := o.now().UnixMilli()
			mine, err := o.take(ctx, now)
			switch {
			case ctx.Err() != nil:
				return
			case err != nil:
				o.log.Warn("cannot renew the outbox lease; another core may publish too, which is harmless", "error", err)
			case mine:
				o.leasedAt = now
			default:
				o.leasedAt = 0
				return
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// release gives the lease back, so that another core need not wait for its end.
func (o *Outbox) release(ctx context.Context) {
	o.leasedAt = 0
	err := o.db.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE outbox_lease SET until = 0 WHERE name = ? AND holder = ?", leaseName, o.holder)
		return err
	})
	if err != nil {
		o.log.Warn("could not give back the outbox lease; another core takes it when it ends", "error", err, "ends_in", leaseTime)
	}
}

// openBatch returns the oldest batch that is not confirmed; where there is none, it makes one of the oldest waiting
// facts. 0: there are none.
func (o *Outbox) openBatch(ctx context.Context) (batch int64, err error) {
	err = o.db.InTx(ctx, func(tx *db.Tx) error {
		err := tx.QueryRow(ctx, "SELECT id FROM outbox_batches WHERE delivered_at = 0 ORDER BY id LIMIT 1").Scan(&batch)
		if err == nil || !db.IsNoRows(err) {
			return err
		}
		batch = 0
		ids, err := o.waiting(ctx, tx)
		if err != nil || len(ids) == 0 {
			return err
		}
		batch = o.ids.New()
		if _, err := tx.Exec(ctx, "INSERT INTO outbox_batches (id, created_at, delivered_at) VALUES (?, ?, 0)", batch, o.now().UnixMilli()); err != nil {
			return err
		}
		for part, args := range db.Chunks(ids) {
			res, err := tx.Exec(ctx, "UPDATE outbox_facts SET batch_id = ? WHERE batch_id = 0 AND id IN "+db.In(len(part)), append([]any{batch}, args...)...)
			if err != nil {
				return err
			}
			// Only a publisher whose lease ran out meets another here: it must not leave a batch that lacks facts.
			if n, err := res.RowsAffected(); err != nil || n != int64(len(part)) {
				return fmt.Errorf("another publisher took %d of %d facts (%w)", int64(len(part))-n, len(part), errOvertaken)
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("make a batch: %w", err)
	}
	return batch, nil
}

func (o *Outbox) waiting(ctx context.Context, tx *db.Tx) ([]int64, error) {
	rows, err := tx.Query(ctx, "SELECT id FROM outbox_facts WHERE batch_id = 0 ORDER BY id LIMIT ?", o.opts.Batch)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var ids []int64
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

// facts reads a batch in the order in which it is always sent.
func (o *Outbox) facts(ctx context.Context, batch int64) ([]report.Fact, error) {
	rows, err := o.db.Query(ctx, "SELECT fact FROM outbox_facts WHERE batch_id = ? ORDER BY id", batch)
	if err != nil {
		return nil, fmt.Errorf("read batch %d: %w", batch, err)
	}
	defer rows.Close()
	var facts []report.Fact
	for rows.Next() {
		var text []byte
		var fact report.Fact
		if err := rows.Scan(&text); err != nil {
			return nil, fmt.Errorf("read batch %d: %w", batch, err)
		}
		if err := json.Unmarshal(text, &fact); err != nil {
			return nil, fmt.Errorf("read a fact of batch %d: %w", batch, err)
		}
		facts = append(facts, fact)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read batch %d: %w", batch, err)
	}
	return facts, nil
}

// confirm notes that the sink has a batch. If it fails, the batch is sent again.
func (o *Outbox) confirm(ctx context.Context, batch int64) error {
	err := o.db.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE outbox_batches SET delivered_at = ? WHERE id = ?", o.now().UnixMilli(), batch)
		return err
	})
	if err != nil {
		return fmt.Errorf("confirm batch %d: %w", batch, err)
	}
	return nil
}

// Prune deletes facts and batches that were delivered longer than Options.Keep ago, a few batches at a time.
func (o *Outbox) Prune(ctx context.Context) error {
	before := o.now().Add(-o.opts.Keep).UnixMilli()
	for {
		var deleted int64
		err := o.db.InTx(ctx, func(tx *db.Tx) error {
			deleted = 0
			batches, err := o.old(ctx, tx, before)
			if err != nil || len(batches) == 0 {
				return err
			}
			in := db.In(len(batches))
			if _, err := tx.Exec(ctx, "DELETE FROM outbox_facts WHERE batch_id IN "+in, batches...); err != nil {
				return err
			}
			deleted = int64(len(batches))
			_, err = tx.Exec(ctx, "DELETE FROM outbox_batches WHERE id IN "+in, batches...)
			return err
		})
		if err != nil {
			return fmt.Errorf("prune the outbox: %w", err)
		}
		if deleted < pruneBatches {
			return nil
		}
	}
}

func (o *Outbox) old(ctx context.Context, tx *db.Tx, before int64) ([]any, error) {
	rows, err := tx.Query(ctx, "SELECT id FROM outbox_batches WHERE delivered_at > 0 AND delivered_at < ? ORDER BY delivered_at, id LIMIT ?", before, pruneBatches)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var batches []any
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		batches = append(batches, id)
	}
	return batches, rows.Err()
}

// pending counts facts that the sink has not confirmed, and returns when the oldest was written, in Unix ms.
func (o *Outbox) pending(ctx context.Context) (count, oldest int64, err error) {
	err = o.db.QueryRow(ctx, `SELECT SUM(n), COALESCE(MIN(oldest), 0) FROM (
		SELECT COUNT(*) AS n, MIN(created_at) AS oldest FROM outbox_facts WHERE batch_id = 0
		UNION ALL SELECT COUNT(*), MIN(f.created_at) FROM outbox_batches b JOIN outbox_facts f ON f.batch_id = b.id WHERE b.delivered_at = 0
	) p`).Scan(&count, &oldest)
	if err != nil {
		return 0, 0, fmt.Errorf("count pending facts: %w", err)
	}
	return count, oldest, nil
}

package outbox

import (
	"context"
	"errors"
	"fmt"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/report"
)

// setAside is delivered_at of a batch of one fact that the sink refused for its content. It is kept until it is requeued.
const setAside = -1

// permanent is what an error of a sink implements to say that it is about the content.
type permanent interface{ Permanent() bool }

func isPermanent(err error) bool {
	var p permanent
	return errors.As(err, &p) && p.Permanent()
}

// takeApart makes two batches of one that the sink has refused for its content, or sets aside the one fact that it holds.
// The refused batch is gone from then on: what has been given to other batches is never sent under its number again.
func (o *Outbox) takeApart(ctx context.Context, batch int64, facts []report.Fact, reason error) error {
	err := o.db.InTx(ctx, func(tx *db.Tx) error {
		if len(facts) == 1 {
			_, err := tx.Exec(ctx, "UPDATE outbox_batches SET delivered_at = ? WHERE id = ? AND delivered_at = 0", setAside, batch)
			return err
		}
		res, err := tx.Exec(ctx, "DELETE FROM outbox_batches WHERE id = ? AND delivered_at = 0", batch)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err // another publisher has been faster
		}
		last := facts[len(facts)/2-1].ID
		for _, half := range []string{"id <= ?", "id > ?"} {
			id := o.ids.New()
			if _, err := tx.Exec(ctx, "INSERT INTO outbox_batches (id, created_at, delivered_at) VALUES (?, ?, 0)", id, o.now().UnixMilli()); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, "UPDATE outbox_facts SET batch_id = ? WHERE batch_id = ? AND "+half, id, batch, last); err != nil {
				return err
			}
		}
		return nil
	})
	switch {
	case err != nil:
		return fmt.Errorf("take apart batch %d, which analytics refuses: %w", batch, errors.Join(err, reason))
	case len(facts) == 1:
		o.metrics.refused.Inc()
		o.log.Error("analytics refuses a fact for its content; it is set aside: mend the store, then run edgeref core requeue-facts",
			"batch", batch, "fact", facts[0].ID, "reason", reason)
	default:
		o.log.Warn("analytics refuses a batch for its content: sending it in parts", "batch", batch, "facts", len(facts), "reason", reason)
	}
	return nil
}

// Requeue lets what was set aside be sent again, and returns how many facts that are.
func Requeue(ctx context.Context, d *db.DB) (facts int64, err error) {
	err = d.InTx(ctx, func(tx *db.Tx) error {
		res, err := tx.Exec(ctx, "UPDATE outbox_batches SET delivered_at = 0 WHERE delivered_at = ?", setAside)
		if err != nil {
			return err
		}
		facts, err = res.RowsAffected()
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("requeue facts: %w", err)
	}
	return facts, nil
}

// aside counts the facts that are set aside.
func (o *Outbox) aside(ctx context.Context) (n int64, err error) {
	if err := o.db.QueryRow(ctx, "SELECT COUNT(*) FROM outbox_batches WHERE delivered_at = ?", setAside).Scan(&n); err != nil {
		return 0, fmt.Errorf("count facts that are set aside: %w", err)
	}
	return n, nil
}

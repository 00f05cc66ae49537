package webhook

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/money"
)

// DeliveryState says how far a delivery is.
type DeliveryState string

// States of a delivery.
const (
	Pending   DeliveryState = "pending"
	Delivered DeliveryState = "delivered"
	Dead      DeliveryState = "dead" // not tried any more; it can be replayed
)

const deliveryColumns = "id, endpoint_id, event_id, state, attempts, next_at, claim, started_at, last_status, last_error, delivered_at, created_at, updated_at"

// Delivery is one event for one endpoint. Times are Unix ms.
type Delivery struct {
	ID          int64
	EndpointID  int64
	EventID     int64
	Event       Name
	State       DeliveryState
	Attempts    int64 // since the event, or since the last replay
	NextAt      int64 // when it is tried again; meaningless unless pending
	LastStatus  int   // 0: no answer
	LastError   string
	DeliveredAt int64 // 0: not
	CreatedAt   int64
	Payload     []byte    // Get only
	Log         []Attempt // Get only; the newest first
}

// Attempt is one request that was sent.
type Attempt struct {
	Attempt    int64
	DurationMS int64
	Status     int // 0: no answer
	Error      string
	Response   string // the beginning of the body
	CreatedAt  int64  // Unix ms
}

// DeliveryFilter selects deliveries; zero values select all.
type DeliveryFilter struct {
	EndpointID int64
	State      DeliveryState
	Since      int64 // identifiers of this or above only
	Before     int64 // identifiers below this only
	Limit      int
}

// Deliveries returns deliveries without their logs, the newest first.
func (s *Service) Deliveries(ctx context.Context, f DeliveryFilter) ([]Delivery, error) {
	where, args := "1 = 1", []any{}
	add := func(condition string, value any, wanted bool) {
		if wanted {
			where, args = where+" AND "+condition, append(args, value)
		}
	}
	add("d.endpoint_id = ?", f.EndpointID, f.EndpointID != 0)
	add("d.state = ?", f.State, f.State != "")
	add("d.id >= ?", f.Since, f.Since != 0)
	add("d.id < ?", f.Before, f.Before != 0)
	list, err := readDeliveries(ctx, s.db, where+" ORDER BY d.id DESC LIMIT ?", append(args, f.Limit)...)
	return list, wrap("list webhook deliveries", err)
}

// Delivery reads one delivery with its log, at most 100 attempts of it. Errors: ErrDeliveryNotFound.
func (s *Service) Delivery(ctx context.Context, id int64) (Delivery, error) {
	d, err := readDelivery(ctx, s.db, id, "")
	if err != nil {
		return Delivery{}, wrap("read webhook delivery", err)
	}
	rows, err := s.db.Query(ctx, `SELECT attempt, duration_ms, status, error, response, created_at FROM webhook_attempts
		WHERE delivery_id = ? ORDER BY id DESC LIMIT 100`, id)
	if err != nil {
		return Delivery{}, fmt.Errorf("read webhook log: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var a Attempt
		if err := rows.Scan(&a.Attempt, &a.DurationMS, &a.Status, &a.Error, &a.Response, &a.CreatedAt); err != nil {
			return Delivery{}, fmt.Errorf("read webhook log: %w", err)
		}
		d.Log = append(d.Log, a)
	}
	if err := rows.Err(); err != nil {
		return Delivery{}, fmt.Errorf("read webhook log: %w", err)
	}
	return d, nil
}

func readDelivery(ctx context.Context, q db.Querier, id int64, lock string) (Delivery, error) {
	list, err := readDeliveries(ctx, q, "d.id = ?"+lock, id)
	if err == nil && len(list) == 0 {
		err = ErrDeliveryNotFound
	}
	if err != nil {
		return Delivery{}, err
	}
	return list[0], nil
}

func readDeliveries(ctx context.Context, q db.Querier, rest string, args ...any) ([]Delivery, error) {
	rows, err := q.Query(ctx, `SELECT d.id, d.endpoint_id, d.event_id, e.name, d.state, d.attempts, d.next_at, d.last_status, d.last_error,
		d.delivered_at, d.created_at, e.payload FROM webhook_deliveries d JOIN webhook_events e ON e.id = d.event_id WHERE `+rest, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Delivery
	for rows.Next() {
		var d Delivery
		if err := rows.Scan(&d.ID, &d.EndpointID, &d.EventID, &d.Event, &d.State, &d.Attempts, &d.NextAt, &d.LastStatus, &d.LastError,
			&d.DeliveredAt, &d.CreatedAt, &d.Payload); err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, rows.Err()
}

const replaySet = "UPDATE webhook_deliveries SET state = 'pending', attempts = 0, claim = 0, next_at = ?, started_at = ?, updated_at = ? WHERE "

// Replay makes a delivery that is dead or delivered due again, for another RetryFor, under the same id. Functions in
// also run at the end of its transaction. Errors: ErrDeliveryNotFound, ErrPending, ErrNotActive.
func (s *Service) Replay(ctx context.Context, id int64, also ...func(*db.Tx, Delivery) error) (d Delivery, err error) {
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		if d, err = readDelivery(ctx, tx, id, tx.Dialect().ForUpdate()); err != nil {
			return err
		}
		if d.State == Pending {
			return ErrPending
		}
		if err := mustBeActive(ctx, tx, d.EndpointID); err != nil {
			return err
		}
		at := s.now().UnixMilli()
		if _, err := tx.Exec(ctx, replaySet+"id = ?", at, at, at, id); err != nil {
			return err
		}
		d.State, d.Attempts, d.NextAt = Pending, 0, at
		for _, fn := range also {
			if err := fn(tx, d); err != nil {
				return err
			}
		}
		tx.OnCommit(s.Wake)
		return nil
	})
	if err != nil {
		return Delivery{}, wrap("replay webhook delivery", err)
	}
	return d, nil
}

// ReplayDead makes the oldest dead deliveries of an endpoint due again, at most 5,000, and returns how many, with
// whether more are left. Functions in also run at the end of its transaction. Errors: ErrNotFound, ErrNotActive.
func (s *Service) ReplayDead(ctx context.Context, endpoint int64, also ...func(tx *db.Tx, replayed int, more bool) error) (replayed int, more bool, err error) {
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		if err := mustBeActive(ctx, tx, endpoint); err != nil {
			return err
		}
		ids, err := column(ctx, tx, "SELECT id FROM webhook_deliveries WHERE endpoint_id = ? AND state = 'dead' ORDER BY id LIMIT ?"+
			tx.Dialect().ForUpdate(), endpoint, maxReplay+1)
		if err != nil {
			return err
		}
		if more = len(ids) > maxReplay; more {
			ids = ids[:maxReplay]
		}
		replayed = len(ids)
		at := s.now().UnixMilli()
		for part, args := range db.Chunks(ids) {
			if _, err := tx.Exec(ctx, replaySet+"id IN "+db.In(len(part)), append([]any{at, at, at}, args...)...); err != nil {
				return err
			}
		}
		for _, fn := range also {
			if err := fn(tx, replayed, more); err != nil {
				return err
			}
		}
		tx.OnCommit(s.Wake)
		return nil
	})
	if err != nil {
		return 0, false, wrap("replay webhook deliveries", err)
	}
	return replayed, more, nil
}

func mustBeActive(ctx context.Context, tx *db.Tx, endpoint int64) error {
	e, err := readEndpoint(ctx, tx, endpoint, "")
	if err == nil && e.State != Active {
		err = ErrNotActive
	}
	return err
}

// column reads one column of identifiers.
func column(ctx context.Context, q db.Querier, query string, args ...any) ([]int64, error) {
	rows, err := q.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []int64
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		out = append(out, id)
	}
	return out, rows.Err()
}

// SendTest sends a made-up event to an endpoint at once, also to a disabled one, and returns what became of it. It is
// tried once, and does not count for the endpoint's health. Functions in also run at the end of the transaction before it
// is sent. Errors: ErrNotFound.
func (s *Service) SendTest(ctx context.Context, endpoint int64, also ...func(*db.Tx, Endpoint) error) (Delivery, error) {
	var j job
	err := s.db.InTx(ctx, func(tx *db.Tx) error {
		e, err := readEndpoint(ctx, tx, endpoint, "")
		if err != nil {
			return err
		}
		now := s.now()
		j = job{claim: s.ids.New(), attempt: 1, started: now.UnixMilli(), event: s.ids.New(), name: Test, endpoint: e}
		p := example(j.event, &e)
		p.Timestamp = newPayload(Test, j.event, now).Timestamp
		if j.payload, err = json.Marshal(p); err != nil {
			return fmt.Errorf("encode webhook event: %w", err)
		}
		if err := s.write(ctx, tx, p, j.event, now, []int64{endpoint}); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, "SELECT id FROM webhook_deliveries WHERE event_id = ?", j.event).Scan(&j.delivery); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "UPDATE webhook_deliveries SET claim = ?, attempts = 1, next_at = ? WHERE id = ?", j.claim, now.Add(leaseTime).UnixMilli(), j.delivery); err != nil {
			return err
		}
		for _, fn := range also {
			if err := fn(tx, e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return Delivery{}, wrap("send test webhook", err)
	}
	if err := s.note(context.WithoutCancel(ctx), &j, s.send(ctx, &j)); err != nil {
		return Delivery{}, fmt.Errorf("send test webhook: %w", err)
	}
	return s.Delivery(ctx, j.delivery)
}

// example is a made-up event for e.
func example(id int64, e *Endpoint) Payload {
	return Payload{ID: ident.Format(ident.WebhookEvent, id), Type: Test, Data: Data{
		Conversion: Conversion{
			ID: ident.Format(ident.Conversion, 0), ProgramID: ident.Format(ident.Program, e.ProgramID), AffiliateID: optional(ident.Affiliate, e.AffiliateID),
			LinkID: ident.Format(ident.Link, 0), Type: "sale", TxnID: "test & order/1", Amount: &money.Amount{Minor: 149900, Currency: "INR"}, State: "booked",
		},
		Commission: &Commission{ID: ident.Format(ident.Commission, 0), Amount: money.Amount{Minor: 112425, Currency: "INR"}},
	}}
}

// Prune deletes deliveries that ended longer than Keep ago, and log entries as old.
func (s *Service) Prune(ctx context.Context) error {
	before := s.now().Add(-Keep).UnixMilli()
	for _, state := range []DeliveryState{Delivered, Dead} {
		for deleted := db.MaxIn; deleted == db.MaxIn; {
			err := s.db.InTx(ctx, func(tx *db.Tx) error {
				ids, err := column(ctx, tx, "SELECT id FROM webhook_deliveries WHERE state = ? AND updated_at < ? LIMIT ?", state, before, db.MaxIn)
				if deleted = len(ids); err != nil || deleted == 0 {
					return err
				}
				return remove(ctx, tx, ids)
			})
			if err != nil {
				return fmt.Errorf("prune webhook deliveries: %w", err)
			}
		}
	}
	for deleted := db.MaxIn; deleted == db.MaxIn; {
		err := s.db.InTx(ctx, func(tx *db.Tx) error {
			ids, err := column(ctx, tx, "SELECT id FROM webhook_attempts WHERE created_at < ? LIMIT ?", before, db.MaxIn)
			if deleted = len(ids); err != nil || deleted == 0 {
				return err
			}
			_, err = tx.Exec(ctx, "DELETE FROM webhook_attempts WHERE id IN "+db.In(deleted), anys(ids)...)
			return err
		})
		if err != nil {
			return fmt.Errorf("prune webhook log: %w", err)
		}
	}
	return nil
}

// remove deletes deliveries, their logs, and events that have no delivery any more. At most db.MaxIn.
func remove(ctx context.Context, tx *db.Tx, ids []int64) error {
	args, in := anys(ids), db.In(len(ids))
	events, err := column(ctx, tx, "SELECT DISTINCT event_id FROM webhook_deliveries WHERE id IN "+in, args...)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "DELETE FROM webhook_attempts WHERE delivery_id IN "+in, args...); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "DELETE FROM webhook_deliveries WHERE id IN "+in, args...); err != nil {
		return err
	}
	if len(events) == 0 {
		return nil
	}
	_, err = tx.Exec(ctx, `DELETE FROM webhook_events WHERE id IN `+db.In(len(events))+
		` AND NOT EXISTS (SELECT 1 FROM webhook_deliveries d WHERE d.event_id = webhook_events.id)`, anys(events)...)
	return err
}

func anys(ids []int64) []any {
	out := make([]any, len(ids))
	for i, id := range ids {
		out[i] = id
	}
	return out
}

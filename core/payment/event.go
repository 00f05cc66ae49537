package payment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/edgeref/edgeref/core/audit"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/ident"
)

// EventState says how far an event of a gateway is.
type EventState string

// States of an event.
const (
	EventPending EventState = "pending"
	EventDone    EventState = "done"
	EventIgnored EventState = "ignored" // it says nothing that concerns us, or nothing new
	EventReview  EventState = "review"  // only a person can decide
	EventDead    EventState = "dead"    // given up after a day of attempts
)

// StoredEvent is an event of a gateway with its state. Times are Unix ms.
type StoredEvent struct {
	ID         int64
	Gateway    string
	EventID    string // the gateway's
	Type       string // the gateway's word
	State      EventState
	Reason     string // why it waits, was ignored, or needs a person
	OrderID    int64  // 0: not known
	Attempts   int64
	NextAt     int64
	ReceivedAt int64
	UpdatedAt  int64
	Body       []byte // as it was received; of Event only
}

// EventName is the identifier of an event outside.
func EventName(id int64) string { return ident.Format(ident.PaymentEvent, id) }

// take stores a verified event, unless it is there already, and has it worked on. It returns whether it is new.
func (s *Service) take(ctx context.Context, gateway string, e Event, raw []byte) (fresh bool, err error) {
	if e.ID == "" || len(e.ID) > maxName {
		return false, fmt.Errorf("%w: its event has no name, or a very long one", ErrMalformed)
	}
	for _, c := range e.Changes {
		if max(len(c.Key), len(c.Ref), len(c.PaymentID), len(c.RefundID), len(c.DisputeID)) > maxName {
			return false, fmt.Errorf("%w: it holds a name of more than %d bytes", ErrMalformed, maxName)
		}
	}
	changes, err := json.Marshal(e.Changes)
	if err != nil {
		return false, fmt.Errorf("encode payment event: %w", err)
	}
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		fresh = false
		id, now := s.ids.New(), s.now().UnixMilli()
		ok, err := tx.TryInsert(ctx, "INSERT INTO payment_events (id, gateway, event_id, type, changes, body, received_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
			id, gateway, e.ID, clip(e.Type, 64), string(changes), raw, now)
		if err != nil || !ok {
			return err
		}
		state, reason := EventPending, ""
		if len(e.Changes) == 0 {
			state, reason = EventIgnored, "it does not concern us"
		}
		if _, err := tx.Exec(ctx, `INSERT INTO payment_event_work (event, gateway, state, reason, order_id, attempts, started_at, next_at, claim, updated_at)
			VALUES (?, ?, ?, ?, 0, 0, ?, ?, 0, ?)`, id, gateway, state, reason, now, now, now); err != nil {
			return err
		}
		fresh = true
		tx.OnCommit(s.Wake)
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("store payment event: %w", err)
	}
	return fresh, nil
}

// Receive takes a webhook in: it is verified and stored when Receive returns without an error, and worked on
// afterwards. The same one again changes nothing. Errors: ErrNoGateway, ErrSignature, ErrMalformed.
func (s *Service) Receive(ctx context.Context, gateway string, header http.Header, raw []byte) error {
	g, err := s.gateway(gateway)
	if err != nil {
		return err
	}
	e, err := g.ParseWebhook(header, raw)
	if err == nil {
		var fresh bool
		fresh, err = s.take(ctx, gateway, e, raw)
		s.metrics.received(gateway, fresh, err)
		return err
	}
	s.metrics.received(gateway, false, err)
	return err
}

// EventFilter selects events; zero values select all.
type EventFilter struct {
	Gateway string
	State   EventState
	OrderID int64
	Since   int64 // identifiers of this or above only
	Before  int64 // identifiers below this only
	Limit   int
}

// Events returns events without their bodies, the newest first.
func (s *Service) Events(ctx context.Context, f EventFilter) ([]StoredEvent, error) {
	where, args := "1 = 1", []any{}
	add := func(condition string, value any, wanted bool) {
		if wanted {
			where, args = where+" AND "+condition, append(args, value)
		}
	}
	add("w.gateway = ?", f.Gateway, f.Gateway != "")
	add("w.state = ?", f.State, f.State != "")
	add("w.order_id = ?", f.OrderID, f.OrderID != 0)
	add("w.event >= ?", f.Since, f.Since != 0)
	add("w.event < ?", f.Before, f.Before != 0)
	return readEvents(ctx, s.db, "", where+" ORDER BY w.event DESC LIMIT ?", append(args, f.Limit)...)
}

// Event is one event with its body. Errors: ErrNoEvent.
func (s *Service) Event(ctx context.Context, id int64) (StoredEvent, error) {
	e, err := readEvent(ctx, s.db, id, "")
	if err != nil {
		return StoredEvent{}, err
	}
	if err := s.db.QueryRow(ctx, "SELECT body FROM payment_events WHERE id = ?", id).Scan(&e.Body); err != nil {
		return StoredEvent{}, fmt.Errorf("read payment event: %w", err)
	}
	return e, nil
}

func readEvent(ctx context.Context, q db.Querier, id int64, lock string) (StoredEvent, error) {
	list, err := readEvents(ctx, q, lock, "w.event = ?", id)
	if err == nil && len(list) == 0 {
		err = ErrNoEvent
	}
	if err != nil {
		return StoredEvent{}, err
	}
	return list[0], nil
}

func readEvents(ctx context.Context, q db.Querier, lock, where string, args ...any) ([]StoredEvent, error) {
	rows, err := q.Query(ctx, `SELECT w.event, w.gateway, e.event_id, e.type, w.state, w.reason, w.order_id, w.attempts, w.next_at, e.received_at, w.updated_at
		FROM payment_event_work w JOIN payment_events e ON e.id = w.event WHERE `+where+lock, args...)
	if err != nil {
		return nil, fmt.Errorf("read payment events: %w", err)
	}
	defer rows.Close()
	var out []StoredEvent
	for rows.Next() {
		var e StoredEvent
		if err := rows.Scan(&e.ID, &e.Gateway, &e.EventID, &e.Type, &e.State, &e.Reason, &e.OrderID, &e.Attempts, &e.NextAt, &e.ReceivedAt, &e.UpdatedAt); err != nil {
			return nil, fmt.Errorf("read payment events: %w", err)
		}
		out = append(out, e)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read payment events: %w", err)
	}
	return out, nil
}

// Replay has an event that is not pending worked on again, for another day. Functions in also run at the end of its
// transaction. Errors: ErrNoEvent, ErrEventPending.
func (s *Service) Replay(ctx context.Context, id int64, also ...func(*db.Tx, StoredEvent) error) (StoredEvent, error) {
	return s.settleEvent(ctx, id, EventPending, "payment_event.replay", "", also)
}

// Dismiss ends an event that needs a person, or was given up, without doing anything. Errors: ErrNoEvent,
// ErrEventPending.
func (s *Service) Dismiss(ctx context.Context, id int64, reason string, also ...func(*db.Tx, StoredEvent) error) (StoredEvent, error) {
	return s.settleEvent(ctx, id, EventIgnored, "payment_event.dismiss", reason, also)
}

func (s *Service) settleEvent(ctx context.Context, id int64, to EventState, action, reason string, also []func(*db.Tx, StoredEvent) error) (e StoredEvent, err error) {
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		if e, err = readEvent(ctx, tx, id, tx.Dialect().ForUpdate()); err != nil {
			return err
		}
		if e.State == EventPending {
			return ErrEventPending
		}
		before, now := e.State, s.now().UnixMilli()
		if _, err := tx.Exec(ctx, "UPDATE payment_event_work SET state = ?, reason = ?, attempts = 0, started_at = ?, next_at = ?, claim = 0, updated_at = ? WHERE event = ?",
			to, clip(reason, maxReason), now, now, now, id); err != nil {
			return err
		}
		e.State, e.Reason, e.Attempts, e.NextAt, e.UpdatedAt = to, reason, 0, now, now
		if err := s.record(ctx, tx, audit.Entry{Action: action, Object: EventName(id), Before: string(before), After: string(to), Reason: reason}); err != nil {
			return err
		}
		for _, fn := range also {
			if err := fn(tx, e); err != nil {
				return err
			}
		}
		tx.OnCommit(s.Wake)
		return nil
	})
	if err != nil && !errors.Is(err, ErrNoEvent) && !errors.Is(err, ErrEventPending) {
		err = fmt.Errorf("change payment event: %w", err)
	}
	return e, err
}

// ReplayDead has the oldest events that were given up worked on again, at most 5,000, of one gateway or of all. It
// returns how many, and whether more are left. Functions in also run at the end of its transaction.
func (s *Service) ReplayDead(ctx context.Context, gateway string, also ...func(tx *db.Tx, replayed int, more bool) error) (replayed int, more bool, err error) {
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		where, args := "state = 'dead'", []any{}
		if gateway != "" {
			where, args = where+" AND gateway = ?", append(args, gateway)
		}
		ids, err := column(ctx, tx, "SELECT event FROM payment_event_work WHERE "+where+" ORDER BY event LIMIT ?"+tx.Dialect().ForUpdate(), append(args, maxReplay+1)...)
		if err != nil {
			return err
		}
		if more = len(ids) > maxReplay; more {
			ids = ids[:maxReplay]
		}
		replayed = len(ids)
		now := s.now().UnixMilli()
		for part, args := range db.Chunks(ids) {
			if _, err := tx.Exec(ctx, "UPDATE payment_event_work SET state = 'pending', attempts = 0, started_at = ?, next_at = ?, claim = 0, updated_at = ? WHERE event IN "+
				db.In(len(part)), append([]any{now, now, now}, args...)...); err != nil {
				return err
			}
		}
		if err := s.record(ctx, tx, audit.Entry{Action: "payment_event.replay_dead", Object: "payment_events", After: map[string]any{"gateway": gateway, "replayed": replayed}}); err != nil {
			return err
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
		return 0, false, fmt.Errorf("replay payment events: %w", err)
	}
	return replayed, more, nil
}

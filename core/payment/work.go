package payment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/edgeref/edgeref/core/db"
)

// queue is a table whose rows come due.
type queue struct {
	table, id, states string
}

func queues() []queue {
	return []queue{
		{table: "payment_event_work", id: "event", states: "('pending')"},
		{table: "payment_refunds", id: "id", states: "('created', 'unknown', 'pending')"},
		{table: "payments", id: "id", states: "('created', 'unknown', 'open')"},
	}
}

// job is a row that this worker has leased.
type job struct {
	table string
	id    int64
	claim int64
}

// Run does what is due until ctx ends: events, refunds, and payments that nobody told of. What is under way is finished
// first. Several cores may run it.
func (s *Service) Run(ctx context.Context) error {
	finished := make(chan struct{}, s.workers)
	running := 0
	defer func() {
		for ; running > 0; running-- {
			<-finished
		}
	}()
	for ctx.Err() == nil {
		jobs, err := s.claim(ctx, s.workers-running)
		if err != nil && ctx.Err() == nil {
			s.log.Error("looking for payments to work on failed, will try again", "error", err, "pause", s.poll)
		}
		for _, j := range jobs {
			running++
			go func() {
				defer func() { finished <- struct{}{} }()
				s.do(ctx, j)
			}()
		}
		if len(jobs) == 0 || running == s.workers {
			running -= s.await(ctx, finished)
		}
	}
	return nil
}

// Work does what is due now, one after the other, and returns how much that was. Run does the same all the time; this is
// for who sets the clock.
func (s *Service) Work(ctx context.Context) (int, error) {
	jobs, err := s.claim(ctx, maxWork)
	for _, j := range jobs {
		s.do(ctx, j)
	}
	return len(jobs), err
}

// await waits for something to do and returns how many jobs have ended.
func (s *Service) await(ctx context.Context, finished <-chan struct{}) int {
	timer := time.NewTimer(s.poll)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-s.wake:
	case <-finished:
		return 1
	}
	return 0
}

// claim leases at most n rows that are due: events first, because they say most.
func (s *Service) claim(ctx context.Context, n int) (jobs []job, err error) {
	for _, q := range queues() {
		if len(jobs) >= n {
			break
		}
		some, err := s.claimOf(ctx, q, n-len(jobs))
		if err != nil {
			return jobs, fmt.Errorf("claim from %s: %w", q.table, err)
		}
		jobs = append(jobs, some...)
	}
	return jobs, nil
}

func (s *Service) claimOf(ctx context.Context, q queue, n int) (jobs []job, err error) {
	where := q.table + " WHERE state IN " + q.states + " AND next_at <= ?"
	var due bool
	if err := s.db.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM "+where+")", s.now().UnixMilli()).Scan(&due); err != nil || !due {
		return nil, err
	}
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		jobs = nil
		ids, err := column(ctx, tx, "SELECT "+q.id+" FROM "+where+" ORDER BY next_at, "+q.id+" LIMIT ?"+tx.Dialect().SkipLocked(), s.now().UnixMilli(), n)
		if err != nil || len(ids) == 0 {
			return err
		}
		claim := s.ids.New()
		args := []any{claim, s.now().Add(leaseTime).UnixMilli()}
		for _, id := range ids {
			args = append(args, id)
			jobs = append(jobs, job{table: q.table, id: id, claim: claim})
		}
		_, err = tx.Exec(ctx, "UPDATE "+q.table+" SET claim = ?, attempts = attempts + 1, next_at = ? WHERE "+q.id+" IN "+db.In(len(ids)), args...)
		return err
	})
	return jobs, err
}

// do does one job. What it cannot note comes due again when its lease ends. A stop lets it finish: every call of a
// gateway is bounded.
func (s *Service) do(ctx context.Context, j job) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaseTime-5*time.Second)
	defer cancel()
	var err error
	switch j.table {
	case "payment_event_work":
		err = s.workOn(ctx, j)
	case "payment_refunds":
		var list []Refund
		if list, err = readRefunds(ctx, s.db, "id = ? AND claim = ?", j.id, j.claim); err == nil && len(list) == 1 {
			err = s.advance(ctx, list[0])
		}
	case "payments":
		var list []Payment
		if list, err = readPayments(ctx, s.db, "id = ? AND claim = ?", j.id, j.claim); err == nil && len(list) == 1 {
			err = s.lookAt(ctx, list[0])
		}
	}
	if err != nil {
		s.log.Error("working on a payment failed; it comes due again", "work", j.table, "error", err)
	}
}

// postpone lets go of a row until pause has passed, if it is still leased under claim. cause is what stopped the work;
// it is logged and not returned.
func (s *Service) postpone(ctx context.Context, table string, id, claim int64, pause time.Duration, cause error) error {
	if cause != nil {
		s.log.Warn("a payment gateway could not be asked or gave no clear answer; trying again", "work", table, "id", id, "pause", pause, "error", cause)
	}
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		set, args := "claim = 0, next_at = ?", []any{s.now().Add(pause).UnixMilli()}
		if table == "payment_refunds" && cause != nil {
			set, args = set+", last_error = ?", append(args, clip(cause.Error(), maxReason))
		}
		_, err := tx.Exec(ctx, "UPDATE "+table+" SET "+set+" WHERE id = ? AND claim = ?", append(args, id, claim)...)
		return err
	})
}

// workOn works on one event.
func (s *Service) workOn(ctx context.Context, j job) error {
	var e received
	var changes string
	err := s.db.QueryRow(ctx, `SELECT w.attempts, w.started_at, e.gateway, e.changes FROM payment_event_work w JOIN payment_events e ON e.id = w.event
		WHERE w.event = ? AND w.claim = ?`, j.id, j.claim).Scan(&e.attempts, &e.started, &e.gateway, &changes)
	if db.IsNoRows(err) {
		return nil // another worker has it
	}
	if err != nil {
		return fmt.Errorf("read payment event: %w", err)
	}
	if err := json.Unmarshal([]byte(changes), &e.changes); err != nil {
		return fmt.Errorf("read payment event: %w", err)
	}
	done, err := s.applyEvent(ctx, e)
	return s.noteEvent(ctx, j, e, done, err)
}

// received is an event to work on.
type received struct {
	gateway  string
	changes  []Change
	attempts int64
	started  int64 // Unix ms
}

// applyEvent applies an event; where it only says that something changed, it asks what.
func (s *Service) applyEvent(ctx context.Context, e received) (applied, error) {
	payment := int64(0)
	for _, c := range e.changes {
		if c.Kind != Refresh {
			continue
		}
		g, err := s.gateway(e.gateway)
		if err != nil {
			return applied{}, err
		}
		id, err := find(ctx, s.db, e.gateway, c)
		if err != nil {
			return applied{}, err
		}
		p, err := readPayment(ctx, s.db, id, "")
		if err != nil {
			return applied{}, err
		}
		call, cancel := context.WithTimeout(ctx, callTimeout)
		changes, err := g.Lookup(call, Query{Key: p.key, Ref: p.Ref, PaymentID: p.PaymentID})
		cancel()
		s.metrics.called(e.gateway, "lookup", err)
		if err != nil {
			return applied{orderID: p.OrderID}, err
		}
		out, err := s.applyAll(ctx, e.gateway, p.ID, changes)
		out.orderID = p.OrderID
		return out, err
	}
	return s.applyAll(ctx, e.gateway, payment, e.changes)
}

// noteEvent says how far an event is after an attempt.
func (s *Service) noteEvent(ctx context.Context, j job, e received, done applied, failure error) error {
	now := s.now()
	age := now.Sub(time.UnixMilli(e.started))
	pause := backoff(e.attempts, firstBackoff, maxBackoff)
	state, reason := EventPending, ""
	switch {
	case failure == nil && done.review != "":
		state, reason = EventReview, done.review
	case failure == nil && done.booked > 0:
		state = EventDone
	case failure == nil:
		state, reason = EventIgnored, "it was known already, or changes nothing"
	case errors.Is(failure, errUnmatched) && age >= unknownFor:
		state, reason = EventReview, failure.Error()
	case age+pause > retryFor:
		state, reason = EventDead, failure.Error()
	default:
		reason = failure.Error()
	}
	err := s.db.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE payment_event_work SET state = ?, reason = ?, order_id = ?, claim = 0, next_at = ?, updated_at = ? WHERE event = ? AND claim = ?",
			state, clip(reason, maxReason), done.orderID, now.Add(pause).UnixMilli(), now.UnixMilli(), j.id, j.claim)
		return err
	})
	if err != nil {
		return fmt.Errorf("note payment event: %w", err)
	}
	s.metrics.worked.WithLabelValues(e.gateway, string(state)).Inc()
	switch {
	case state == EventDead || state == EventReview:
		s.log.Error("a payment event needs somebody to look at it", "event", EventName(j.id), "state", state, "reason", reason)
	case failure != nil && !errors.Is(failure, errEarly) && !errors.Is(failure, errUnmatched):
		s.log.Warn("working on a payment event failed, will try again", "event", EventName(j.id), "attempt", e.attempts, "error", failure)
	}
	return nil
}

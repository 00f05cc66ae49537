package payout

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/ident"
)

// How payouts leave by an executor that sends by itself. Each line is a transaction, or a call outside of one:
//
//	begin     batch approved -> executing, if the ledger holds; its payouts become due
//	claim     a due payout is leased by this worker
//	prepare   the provider is asked for what the request needs; no money moves
//	attempt   the key and the request are stored: reserved -> sending
//	send      the call
//	note      what it said: sending -> sent, paid or failed; or still sending, to be looked up
//
// Wherever a worker dies, the lease ends and another goes on: before "attempt" from the start, since nothing was sent; after it
// with a look-up. The same request is sent again only where the provider says that it does not know the key, and
// only under that key.
const (
	// leaseTime outlasts a call and its note.
	leaseTime   = 2 * time.Minute
	callTimeout = 30 * time.Second
	// claimLimit is how many a worker takes at once; they are worked one after the other, each lease renewed before its call.
	claimLimit = 10
	// unseenGrace is how long after a call a provider may not know it yet: before that it is not sent again.
	unseenGrace = 5 * time.Minute
	// resendFor is how long after it was first stored an attempt is sent again by itself. What is not known then stays in
	// flight until a person finds out.
	resendFor = 24 * time.Hour
	// firstLookup and lastLookup bound the pauses between look-ups.
	firstLookup = time.Minute
	lastLookup  = time.Hour
	// closedPause is how long a batch waits while no money may leave.
	closedPause = time.Minute
)

// Run executes approved batches until ctx ends. Several cores may run it.
func (s *Service) Run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		case <-s.wake:
		}
		for ctx.Err() == nil {
			n, err := s.Work(ctx)
			if err != nil && ctx.Err() == nil {
				s.log.Error("payouts could not go on, will try again", "error", err)
			}
			if n == 0 || err != nil {
				break
			}
		}
		timer.Reset(s.opts.Poll)
	}
}

// Work does what is due now, once, and returns how much that was.
func (s *Service) Work(ctx context.Context) (int, error) {
	begun, err := s.begin(ctx)
	if err != nil {
		return begun, err
	}
	ids, err := s.claim(ctx)
	if err != nil {
		return begun, err
	}
	var errs []error
	for _, c := range ids {
		if ctx.Err() != nil {
			break
		}
		// A call that is under way is finished and noted, also when the process is to stop.
		if err := s.advance(context.WithoutCancel(ctx), c); err != nil {
			errs = append(errs, fmt.Errorf("payout %s: %w", ident.Format(ident.Payout, c.payout), err))
		}
	}
	return begun + len(ids), errors.Join(errs...)
}

// begin starts the execution of approved batches, of which the sending executors' payouts become due.
func (s *Service) begin(ctx context.Context) (int, error) {
	ids, err := readIDs(ctx, s.db, "SELECT id FROM payout_batches WHERE state = 'approved' ORDER BY id LIMIT 20")
	if err != nil {
		return 0, fmt.Errorf("find approved batches: %w", err)
	}
	n := 0
	for _, id := range ids {
		b, err := readBatch(ctx, s.db, id, "")
		if err != nil {
			return n, err
		}
		if _, sends := s.sender(b.Executor); !sends {
			continue
		}
		if _, err := s.opts.Guard.Check(ctx); err != nil {
			s.metrics.refused.Inc()
			s.log.Error("payouts wait", "batch", ident.Format(ident.PayoutBatch, id), "error", err)
			return n, nil
		}
		if err := s.execute(ctx, id); err != nil && !errors.Is(err, ErrState) {
			return n, err
		}
		n++
	}
	return n, nil
}

// execute makes the payouts of an approved batch due.
func (s *Service) execute(ctx context.Context, id int64) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		b, err := readBatch(ctx, tx, id, tx.Dialect().ForUpdate())
		if err != nil {
			return err
		}
		if b.State != BatchApproved {
			return ErrState
		}
		if _, err := tx.Exec(ctx, "UPDATE payouts SET next_at = ? WHERE batch_id = ? AND state = 'reserved'", s.now().UnixMilli(), id); err != nil {
			return fmt.Errorf("make payouts due: %w", err)
		}
		return s.setBatch(ctx, tx, &b, BatchExecuting, "")
	})
}

// lease is one worker's hold on a payout.
type lease struct{ payout, claim int64 }

// claim leases payouts that are due, the longest due first.
func (s *Service) claim(ctx context.Context) (out []lease, err error) {
	now := s.now()
	var due bool
	err = s.db.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM payouts WHERE state IN ('reserved', 'sending', 'sent', 'paid') AND next_at <= ?)", now.UnixMilli()).Scan(&due)
	if err != nil || !due {
		return nil, err
	}
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		out = nil
		for _, state := range []State{Reserved, Sending, Sent, Paid} {
			ids, err := readIDs(ctx, tx, "SELECT id FROM payouts WHERE state = ? AND next_at <= ? ORDER BY next_at, id LIMIT ?"+tx.Dialect().SkipLocked(),
				state, now.UnixMilli(), claimLimit-len(out))
			if err != nil {
				return err
			}
			for _, id := range ids {
				l := lease{id, s.ids.New()}
				if _, err := tx.Exec(ctx, "UPDATE payouts SET claim = ?, next_at = ? WHERE id = ?", l.claim, now.Add(leaseTime).UnixMilli(), id); err != nil {
					return err
				}
				out = append(out, l)
			}
			if len(out) >= claimLimit {
				break
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("claim payouts: %w", err)
	}
	return out, nil
}

// errLost says that another worker, or a person, has gone on with a payout meanwhile.
var errLost = errors.New("somebody else goes on with the payout")

// advance does the next thing for a leased payout.
func (s *Service) advance(ctx context.Context, l lease) error {
	list, err := readPayouts(ctx, s.db, "p.id = ? AND p.claim = ?", l.payout, l.claim)
	if err != nil || len(list) == 0 {
		return err
	}
	p := list[0]
	x, ok := s.sender(p.Executor)
	if !ok {
		return s.postpone(ctx, l, lastLookup)
	}
	if p.State == Reserved {
		err = s.first(ctx, l, &p, x)
	} else {
		err = s.follow(ctx, l, &p, x)
	}
	if errors.Is(err, errLost) {
		return nil
	}
	return err
}

// first sends a payout that was never sent.
func (s *Service) first(ctx context.Context, l lease, p *Payout, x Sender) error {
	if err := s.step("claimed"); err != nil {
		return err
	}
	// Asked again for each payout: what was true of the batch may have ended meanwhile. The guard remembers.
	if _, err := s.opts.Guard.Check(ctx); err != nil {
		s.metrics.refused.Inc()
		if isClosed(err) {
			return s.postpone(ctx, l, closedPause)
		}
		return err
	}
	if why, err := s.stillPayable(ctx, s.db, p); err != nil {
		return err
	} else if why != "" {
		return s.drop(ctx, l, Cancelled, why)
	}
	to, err := s.destination(ctx, s.db, p.MethodID)
	if err != nil {
		return err
	}
	t := Transfer{Key: ident.Format(ident.Payout, p.ID), AffiliateID: p.AffiliateID, Amount: p.NetAmount()}
	if err := s.db.QueryRow(ctx, "SELECT email FROM affiliates WHERE id = ?", p.AffiliateID).Scan(&t.Email); err != nil {
		return fmt.Errorf("read affiliate: %w", err)
	}
	request, err := s.prepare(ctx, x, t, to)
	if errors.Is(err, ErrRejected) {
		return s.drop(ctx, l, Failed, err.Error())
	}
	if err != nil {
		s.log.Warn("a payout cannot be prepared, will try again", "payout", t.Key, "error", err)
		return s.postpone(ctx, l, firstLookup)
	}
	if err := s.step("prepared"); err != nil {
		return err
	}
	if err := s.attempt(ctx, l, t.Key, request); err != nil {
		return err
	}
	if err := s.step("stored"); err != nil {
		return err
	}
	return s.send(ctx, l, x, t.Key, request)
}

func (s *Service) prepare(ctx context.Context, x Sender, t Transfer, to Destination) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return x.Prepare(ctx, t, to)
}

// stillPayable says why a payout must not be sent any more, if so: things change between approval and execution.
func (s *Service) stillPayable(ctx context.Context, q db.Querier, p *Payout) (why string, err error) {
	var status string
	if err := q.QueryRow(ctx, "SELECT status FROM affiliates WHERE id = ?", p.AffiliateID).Scan(&status); err != nil {
		return "", fmt.Errorf("read affiliate: %w", err)
	}
	if status != "active" {
		return "the affiliate was suspended", nil
	}
	m, err := methodInUse(ctx, q, p.AffiliateID, p.Currency)
	if err != nil {
		return "", err
	}
	if m == nil || m.ID != p.MethodID {
		return "the payout method was changed", nil
	}
	return "", nil
}

// attempt stores the one attempt of a payout. From here on it may have been sent.
func (s *Service) attempt(ctx context.Context, l lease, key string, request []byte) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		p, err := s.leased(ctx, tx, l)
		if err != nil {
			return err
		}
		if p.State != Reserved {
			return errLost
		}
		now := s.now()
		_, err = tx.Exec(ctx, `INSERT INTO payout_attempts (payout_id, executor, idempotency_key, request, provider_id, sends, lookups, sent_at, last_error, created_at)
			VALUES (?, ?, ?, ?, '', 0, 0, ?, '', ?)`, p.ID, p.Executor, key, string(request), now.UnixMilli(), now.UnixMilli())
		if err != nil {
			return fmt.Errorf("store payout attempt: %w", err)
		}
		if err := s.move(ctx, tx, &p, Sending, change{nextAt: now.Add(leaseTime).UnixMilli()}); err != nil {
			return err
		}
		// move lets go of the lease; the call is still ours.
		_, err = tx.Exec(ctx, "UPDATE payouts SET claim = ? WHERE id = ?", l.claim, p.ID)
		return err
	})
}

// leased locks a payout and its batch and makes sure that the lease still holds.
func (s *Service) leased(ctx context.Context, tx *db.Tx, l lease) (Payout, error) {
	p, _, err := s.lockWithBatch(ctx, tx, l.payout)
	if err == nil && p.claim != l.claim {
		err = errLost
	}
	return p, err
}

// send makes the call and notes its outcome. It is counted before it is made, so a refusal is believed only where no
// earlier call can have succeeded.
func (s *Service) send(ctx context.Context, l lease, x Sender, key string, request []byte) error {
	var sends int64
	err := s.db.InTx(ctx, func(tx *db.Tx) error {
		p, err := s.leased(ctx, tx, l)
		if err != nil {
			return err
		}
		if p.State != Sending {
			return errLost
		}
		now := s.now()
		if _, err := tx.Exec(ctx, "UPDATE payout_attempts SET sends = sends + 1, sent_at = ? WHERE payout_id = ?", now.UnixMilli(), l.payout); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "UPDATE payouts SET next_at = ? WHERE id = ?", now.Add(leaseTime).UnixMilli(), l.payout); err != nil {
			return err
		}
		return tx.QueryRow(ctx, "SELECT sends FROM payout_attempts WHERE payout_id = ?", l.payout).Scan(&sends)
	})
	if err != nil {
		return err
	}
	if err := s.step("counted"); err != nil {
		return err
	}
	callCtx, cancel := context.WithTimeout(ctx, callTimeout)
	result, err := x.Send(callCtx, key, request)
	cancel()
	if err := s.step("called"); err != nil {
		return err
	}
	switch {
	case err == nil:
		s.metrics.calls.WithLabelValues("answered").Inc()
		return s.note(ctx, l, result)
	case errors.Is(err, ErrRejected) && sends == 1:
		s.metrics.calls.WithLabelValues("rejected").Inc()
		return s.note(ctx, l, Result{Outcome: Undone, Reason: err.Error()})
	}
	s.metrics.calls.WithLabelValues("unknown").Inc()
	s.log.Warn("the outcome of a payout is unknown; it stays in flight and is looked up", "payout", key, "error", err)
	return s.unknown(ctx, l, err.Error(), firstLookup)
}

// follow asks what became of a payout that was, or may have been, sent.
func (s *Service) follow(ctx context.Context, l lease, p *Payout, x Sender) error {
	a, err := readAttempt(ctx, s.db, p.ID)
	if err != nil {
		return err
	}
	if a == nil {
		return s.postpone(ctx, l, lastLookup) // handed over by people
	}
	if err := s.step("looking"); err != nil {
		return err
	}
	callCtx, cancel := context.WithTimeout(ctx, callTimeout)
	result, err := x.LookUp(callCtx, a.Key, a.ProviderID)
	cancel()
	if err != nil {
		s.metrics.calls.WithLabelValues("lookup_failed").Inc()
		return s.unknown(ctx, l, err.Error(), backoff(a.Lookups))
	}
	s.metrics.calls.WithLabelValues("looked_up").Inc()
	if result.Outcome != Unseen {
		return s.note(ctx, l, result)
	}
	now := s.now()
	var created int64
	if err := s.db.QueryRow(ctx, "SELECT created_at FROM payout_attempts WHERE payout_id = ?", p.ID).Scan(&created); err != nil {
		return fmt.Errorf("read payout attempt: %w", err)
	}
	quiet := now.Sub(time.UnixMilli(a.SentAt)) >= unseenGrace
	if p.State == Sending && quiet && now.Sub(time.UnixMilli(created)) < resendFor {
		return s.send(ctx, l, x, a.Key, a.request)
	}
	return s.unknown(ctx, l, "the provider does not know it", backoff(a.Lookups))
}

// backoff is the pause before the next look-up.
func backoff(lookups int64) time.Duration {
	return min(firstLookup<<min(lookups, 10), lastLookup)
}

// postpone gives a lease back for a while.
func (s *Service) postpone(ctx context.Context, l lease, pause time.Duration) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE payouts SET claim = 0, next_at = ? WHERE id = ? AND claim = ?", s.now().Add(pause).UnixMilli(), l.payout, l.claim)
		return err
	})
}

// unknown notes that nothing is known yet.
func (s *Service) unknown(ctx context.Context, l lease, why string, pause time.Duration) error {
	err := s.db.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE payout_attempts SET lookups = lookups + 1, last_error = ? WHERE payout_id = ?", clip(why, 250), l.payout)
		return err
	})
	return errors.Join(err, s.postpone(ctx, l, pause))
}

// drop ends a payout that was never sent.
func (s *Service) drop(ctx context.Context, l lease, to State, why string) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		p, err := s.leased(ctx, tx, l)
		if err != nil {
			return err
		}
		if p.State != Reserved {
			return errLost
		}
		return s.move(ctx, tx, &p, to, change{reason: why})
	})
}

// note brings a payout to what its provider says. It may be told the same thing any number of times.
func (s *Service) note(ctx context.Context, l lease, r Result) error {
	if err := s.step("noting"); err != nil {
		return err
	}
	err := s.db.InTx(ctx, func(tx *db.Tx) error {
		p, err := s.leased(ctx, tx, l)
		if err != nil {
			return err
		}
		if r.ProviderID != "" {
			_, err := tx.Exec(ctx, "UPDATE payout_attempts SET provider_id = ?, lookups = lookups + 1, last_error = '' WHERE payout_id = ?", clip(r.ProviderID, 64), p.ID)
			if err != nil {
				return fmt.Errorf("note payout attempt: %w", err)
			}
		}
		return s.settle(ctx, tx, &p, r)
	})
	if err != nil {
		return err
	}
	return s.step("noted")
}

func (s *Service) settle(ctx context.Context, tx *db.Tx, p *Payout, r Result) error {
	now := s.now()
	later := change{reason: r.Reason, reference: r.Reference}
	switch {
	case r.Outcome == InProgress && p.State == Sending:
		later.nextAt = now.Add(firstLookup).UnixMilli()
		return s.move(ctx, tx, p, Sent, later)
	case r.Outcome == Done && p.State.open():
		later.nextAt = now.Add(settledEvery).UnixMilli()
		return s.move(ctx, tx, p, Paid, later)
	case r.Outcome == Undone && p.State.open():
		return s.move(ctx, tx, p, Failed, later)
	case r.Outcome == Undone && p.State == Paid:
		return s.move(ctx, tx, p, Returned, later)
	}
	next := never
	switch {
	case p.State == Paid && now.Sub(time.UnixMilli(p.PaidAt)) < settledLookups:
		next = now.Add(settledEvery).UnixMilli()
	case p.State.open():
		next = now.Add(backoff(int64(now.Sub(time.UnixMilli(p.UpdatedAt)) / firstLookup))).UnixMilli()
	}
	reference := p.Reference
	if reference == "" {
		reference = clip(r.Reference, MaxText)
	}
	_, err := tx.Exec(ctx, "UPDATE payouts SET claim = 0, next_at = ?, reference = ? WHERE id = ?", next, reference, p.ID)
	return err
}

// Notice notes, once, that a provider told us something about the payout with our key, and makes a worker look it up: what a
// notice says is not taken for the truth, so notices may come in any order, and any number of times. It reports whether
// there is such a payout.
func (s *Service) Notice(ctx context.Context, executor, eventKey, event, key string) (known bool, err error) {
	id, err := ident.Parse(ident.Payout, key)
	if err != nil {
		return false, nil //nolint:nilerr // a transfer that is not one of ours
	}
	now := s.now().UnixMilli()
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		known = false
		mine, err := readIDs(ctx, tx, "SELECT payout_id FROM payout_attempts WHERE payout_id = ? AND executor = ?", id, executor)
		if err != nil || len(mine) == 0 {
			return err
		}
		known = true
		fresh, err := tx.TryInsert(ctx, "INSERT INTO payout_notices (id, executor, event_key, event, payout_id, received_at) VALUES (?, ?, ?, ?, ?, ?)",
			s.ids.New(), executor, clip(eventKey, 128), clip(event, 64), id, now)
		if err != nil || !fresh {
			return err
		}
		// A worker that holds it loses it: what it was just told may be older than this.
		_, err = tx.Exec(ctx, "UPDATE payouts SET claim = 0, next_at = ? WHERE id = ? AND state IN ('sending', 'sent', 'paid')", now, id)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("note what a provider told: %w", err)
	}
	s.poke()
	return known, nil
}

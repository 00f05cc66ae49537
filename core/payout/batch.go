package payout

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/ledger"
	"github.com/edgeref/edgeref/wire/ident"
)

// Create makes a batch of everybody in the selection who can be paid, and reserves the money in the ledger; at most
// MaxBatch, in order of affiliate. Who cannot be paid is left out, as in a preview. Requests that wait for what is paid are taken. then
// runs at the end of the transaction.
// Errors: *InvalidError, ErrNothing, ErrLimit; ledger.ErrClosed while no money may leave.
func (s *Service) Create(ctx context.Context, sel Selection, note string, then func(*db.Tx, Batch) error) (b Batch, err error) {
	x, err := s.check(sel)
	if err != nil {
		return b, err
	}
	if len(note) > MaxText || strings.ContainsAny(note, "\x00\r\n") {
		return b, &InvalidError{"note", fmt.Sprintf("must be one line of at most %d bytes", MaxText)}
	}
	if _, err := s.opts.Guard.Check(ctx); err != nil {
		s.metrics.refused.Inc()
		return b, err
	}
	// Who may be in it is found without locks; what counts is what is found behind them.
	preview, err := s.Preview(ctx, sel)
	if err != nil {
		return b, err
	}
	var owners []int64
	for i := range preview.Candidates {
		if c := &preview.Candidates[i]; c.Ready() {
			if len(owners) == MaxBatch {
				s.metrics.limited.Inc()
				break
			}
			owners = append(owners, c.AffiliateID)
		}
	}
	if len(owners) == 0 {
		return b, ErrNothing
	}
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		b = s.newBatch(ctx, sel, note)
		ready, err := s.choose(ctx, tx, &b, sel, x, owners)
		if err != nil {
			return err
		}
		if err := s.insertBatch(ctx, tx, &b); err != nil {
			return err
		}
		for i := range ready {
			if err := s.reserve(ctx, tx, &b, &ready[i]); err != nil {
				return err
			}
		}
		b.ByState = map[State]int64{Reserved: b.Payouts}
		if err := s.record(ctx, tx, "payout_batch.create", ident.Format(ident.PayoutBatch, b.ID), note, nil, b.summary()); err != nil {
			return err
		}
		if then != nil {
			return then(tx, b)
		}
		return nil
	})
	return b, err
}

// choose locks the balances of owners, and then their requests, and returns those who can be paid. It sums them up in b.
func (s *Service) choose(ctx context.Context, tx *db.Tx, b *Batch, sel Selection, x Executor, owners []int64) (ready []Candidate, err error) {
	standings, err := s.ledger.Lock(ctx, tx, ledger.Payable, sel.Currency, owners)
	if err != nil {
		return nil, err
	}
	waiting, err := waitingRequests(ctx, tx, sel.Currency, owners, tx.Dialect().ForUpdate())
	if err != nil {
		return nil, err
	}
	for _, owner := range owners {
		c := Candidate{AffiliateID: owner, Balance: standings[owner].Minor, Request: waiting[owner]}
		if sel.RequestedOnly && c.Request == nil {
			continue // withdrawn or declined since the preview
		}
		if err := s.assess(ctx, tx, &c, sel, x); err != nil {
			return nil, err
		}
		if c.Ready() {
			ready = append(ready, c)
			b.Payouts, b.Gross, b.Tax, b.Net = b.Payouts+1, b.Gross+c.Gross, b.Tax+c.Tax, b.Net+c.Net
		}
	}
	return ready, nil
}

func (s *Service) newBatch(ctx context.Context, sel Selection, note string) Batch {
	who, now := actor(ctx), s.now().UnixMilli()
	b := Batch{
		ID: s.ids.New(), Currency: sel.Currency, Executor: sel.Executor, State: BatchCreated, Note: note, CreatedBy: who.PersonID,
		ApprovalsNeeded: 1, CreatedAt: now, UpdatedAt: now,
	}
	if who.PersonID == 0 {
		// Whoever has the machine's token may be the one who approves, so two people have to look.
		b.CreatedToken, b.ApprovalsNeeded = who.TokenID, 2
	}
	return b
}

// insertBatch checks the limits and writes the row.
func (s *Service) insertBatch(ctx context.Context, tx *db.Tx, b *Batch) error {
	if b.Payouts == 0 {
		return ErrNothing
	}
	if limit, ok := s.policy.BatchLimit[b.Currency]; ok && b.Net > limit {
		return ErrLimit
	}
	if limit, ok := s.policy.TwoApprovals[b.Currency]; ok && b.Net > limit {
		b.ApprovalsNeeded = 2
	}
	_, err := tx.Exec(ctx, `INSERT INTO payout_batches (id, currency, executor, state, note, created_by, created_token, approvals_needed,
		file_sha256, file_at, file_downloads, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, '', 0, 0, ?, ?)`,
		b.ID, b.Currency, b.Executor, b.State, b.Note, b.CreatedBy, b.CreatedToken, b.ApprovalsNeeded, b.CreatedAt, b.UpdatedAt)
	if err != nil {
		return fmt.Errorf("make payout batch: %w", err)
	}
	return s.event(ctx, tx, b.ID, 0, "", string(BatchCreated), b.Note)
}

// reserve makes one payout of a batch; the transaction holds the lock of the affiliate's payable account.
func (s *Service) reserve(ctx context.Context, tx *db.Tx, b *Batch, c *Candidate) error {
	note, err := c.taxNote()
	if err != nil {
		return err
	}
	p := Payout{
		ID: s.ids.New(), BatchID: b.ID, AffiliateID: c.AffiliateID, MethodID: c.Method.ID, Currency: b.Currency, Gross: c.Gross, Tax: c.Tax, Net: c.Net,
		Taxable: c.Withheld.Taxable, TaxRuleID: c.Withheld.RuleID, TaxYear: c.taxYear, TaxNote: note, State: Reserved, nextAt: never,
		CreatedAt: b.CreatedAt, UpdatedAt: b.CreatedAt,
	}
	_, err = tx.Exec(ctx, `INSERT INTO payouts (id, batch_id, affiliate_id, method_id, currency, gross_minor, tax_minor, net_minor, taxable_minor,
		tax_rule_id, tax_year, tax_note, state, reference, reason, next_at, claim, created_at, updated_at, paid_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', '', ?, 0, ?, ?, 0)`,
		p.ID, p.BatchID, p.AffiliateID, p.MethodID, p.Currency, p.Gross, p.Tax, p.Net, p.Taxable, p.TaxRuleID, p.TaxYear, p.TaxNote, p.State,
		p.nextAt, p.CreatedAt, p.UpdatedAt)
	if err != nil {
		return fmt.Errorf("make payout: %w", err)
	}
	for part := range chunks(c.items, 200) {
		args := make([]any, 0, 3*len(part))
		for _, i := range part {
			args = append(args, p.ID, i.CommissionID, i.Minor)
		}
		_, err := tx.Exec(ctx, "INSERT INTO payout_items (payout_id, commission_id, amount_minor) VALUES "+strings.Repeat(", (?, ?, ?)", len(part))[2:], args...)
		if err != nil {
			return fmt.Errorf("make payout items: %w", err)
		}
	}
	if err := s.event(ctx, tx, b.ID, p.ID, "", string(Reserved), ""); err != nil {
		return err
	}
	if err := s.post(ctx, tx, &p, ledger.PayoutReserved, p.Gross, ledger.Payable, ledger.InFlight); err != nil || c.Request == nil {
		return err
	}
	return s.take(ctx, tx, c.Request, &p)
}

// chunks yields items in parts of at most n.
func chunks[T any](items []T, n int) func(func([]T) bool) {
	return func(yield func([]T) bool) {
		for len(items) > 0 {
			part := items[:min(n, len(items))]
			if items = items[len(part):]; !yield(part) {
				return
			}
		}
	}
}

// Seen is what an approver saw: the batch must still be that.
type Seen struct {
	Payouts int64
	Net     int64 // minor units
}

// Approve gives one person's word for a batch. It must be another person than its maker, with a second factor, who is not
// paid by it; machines never approve. With enough approvals the batch may be executed. Errors: ErrNotFound,
// ErrNeedsPerson, ErrSecondFactor, ErrOwnBatch, ErrOwnPayout, ErrApproved, ErrChanged, ErrState; ledger.ErrClosed.
func (s *Service) Approve(ctx context.Context, id int64, seen Seen, then func(*db.Tx, Batch) error) (b Batch, err error) {
	who, now := actor(ctx), s.now()
	if who.PersonID == 0 || who.TokenID != 0 || who.ReadOnly {
		return b, ErrNeedsPerson
	}
	if age := now.Sub(time.UnixMilli(who.SecondFactorAt)); who.SecondFactorAt == 0 || age < 0 || age > factorAge {
		return b, ErrSecondFactor
	}
	if _, err := s.opts.Guard.Check(ctx); err != nil {
		s.metrics.refused.Inc()
		return b, err
	}
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		var err error
		if b, err = s.lockBatch(ctx, tx, id); err != nil {
			return err
		}
		if err := s.mayApprove(ctx, tx, &b, who.PersonID, who.AffiliateID); err != nil {
			return err
		}
		if seen.Payouts != b.Payouts || seen.Net != b.Net {
			return ErrChanged
		}
		made, err := tx.TryInsert(ctx, "INSERT INTO payout_approvals (batch_id, person_id, total_minor, payouts, created_at) VALUES (?, ?, ?, ?, ?)",
			b.ID, who.PersonID, seen.Net, seen.Payouts, now.UnixMilli())
		if err != nil {
			return fmt.Errorf("approve payout batch: %w", err)
		}
		if !made {
			return ErrApproved
		}
		b.Approvals = append(b.Approvals, Approval{PersonID: who.PersonID, Net: seen.Net, Payouts: seen.Payouts, CreatedAt: now.UnixMilli()})
		if err := s.record(ctx, tx, "payout_batch.approve", ident.Format(ident.PayoutBatch, b.ID), "", nil, b.summary()); err != nil {
			return err
		}
		if int64(len(b.Approvals)) >= b.ApprovalsNeeded {
			if err := s.setBatch(ctx, tx, &b, BatchApproved, ""); err != nil {
				return err
			}
			tx.OnCommit(s.poke)
		}
		if then != nil {
			return then(tx, b)
		}
		return nil
	})
	return b, err
}

func (s *Service) mayApprove(ctx context.Context, tx *db.Tx, b *Batch, person, affiliate int64) error {
	if b.State != BatchCreated {
		return ErrState
	}
	if b.CreatedBy == person {
		return ErrOwnBatch
	}
	// Also where the person's own account no longer says so: what counts is whom the account's affiliate is.
	if affiliate != 0 {
		own, err := readIDs(ctx, tx, "SELECT id FROM payouts WHERE batch_id = ? AND affiliate_id = ? AND state <> 'cancelled' LIMIT 1", b.ID, affiliate)
		if err != nil {
			return fmt.Errorf("look for own payouts: %w", err)
		}
		if len(own) > 0 {
			return ErrOwnPayout
		}
	}
	return nil
}

// Cancel cancels a batch: everything of it that was not sent yet. What was sent goes on, and the batch with it.
func (s *Service) Cancel(ctx context.Context, id int64, reason string, then func(*db.Tx, Batch) error) (b Batch, err error) {
	if err := oneLine("reason", reason, true); err != nil {
		return b, err
	}
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		var err error
		if b, err = s.lockBatch(ctx, tx, id); err != nil {
			return err
		}
		if b.State == BatchCompleted || b.State == BatchCancelled {
			return ErrState
		}
		before := b.summary()
		waiting, err := readIDs(ctx, tx, "SELECT id FROM payouts WHERE batch_id = ? AND state = 'reserved' ORDER BY id"+tx.Dialect().ForUpdate(), id)
		if err != nil {
			return fmt.Errorf("lock payouts: %w", err)
		}
		for _, payoutID := range waiting {
			p, err := s.lockPayout(ctx, tx, payoutID)
			if err != nil {
				return err
			}
			if err := s.move(ctx, tx, &p, Cancelled, change{reason: reason}); err != nil {
				return err
			}
		}
		if b, err = s.lockBatch(ctx, tx, id); err != nil {
			return err
		}
		if b.State == BatchCreated || b.State == BatchApproved {
			if err := s.setBatch(ctx, tx, &b, BatchCancelled, reason); err != nil {
				return err
			}
		} else if len(waiting) == 0 {
			return ErrState
		}
		if err := s.record(ctx, tx, "payout_batch.cancel", ident.Format(ident.PayoutBatch, id), reason, before, b.summary()); err != nil {
			return err
		}
		if then != nil {
			return then(tx, b)
		}
		return nil
	})
	return b, err
}

// setBatch changes the state of a batch whose row is locked.
func (s *Service) setBatch(ctx context.Context, tx *db.Tx, b *Batch, to BatchState, reason string) error {
	from := b.State
	b.State, b.UpdatedAt = to, s.now().UnixMilli()
	if _, err := tx.Exec(ctx, "UPDATE payout_batches SET state = ?, updated_at = ? WHERE id = ?", to, b.UpdatedAt, b.ID); err != nil {
		return fmt.Errorf("change payout batch: %w", err)
	}
	return s.event(ctx, tx, b.ID, 0, string(from), string(to), reason)
}

// event notes a change of state, and who made it.
func (s *Service) event(ctx context.Context, tx *db.Tx, batchID, payoutID int64, from, to, reason string) error {
	who := actor(ctx)
	_, err := tx.Exec(ctx, `INSERT INTO payout_events (id, batch_id, payout_id, from_state, to_state, reason, person_id, token_id, created_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`, s.ids.New(), batchID, payoutID, from, to, clip(reason, 250), who.PersonID, who.TokenID, s.now().UnixMilli())
	if err != nil {
		return fmt.Errorf("note payout event: %w", err)
	}
	return nil
}

// summary is what the audit log keeps of a batch.
func (b *Batch) summary() any {
	return map[string]any{
		"currency": b.Currency, "executor": b.Executor, "state": b.State, "payouts": b.Payouts, "gross_minor": b.Gross, "tax_minor": b.Tax, "net_minor": b.Net,
		"approvals": len(b.Approvals),
	}
}

// oneLine checks a text that people enter.
func oneLine(field, text string, must bool) error {
	if must && strings.TrimSpace(text) == "" {
		return &InvalidError{field, "must not be empty"}
	}
	if len(text) > MaxText || strings.ContainsAny(text, "\x00\r\n") {
		return &InvalidError{field, fmt.Sprintf("must be one line of at most %d bytes", MaxText)}
	}
	return nil
}

// poke wakes the worker.
func (s *Service) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Review notes that somebody has looked at an affiliate whose balance fell below the floor: payouts go on until it falls
// below it again.
func (s *Service) Review(ctx context.Context, affiliateID int64, currency, reason string, then func(*db.Tx) error) error {
	if err := oneLine("reason", reason, true); err != nil {
		return err
	}
	if who := actor(ctx); who.PersonID == 0 {
		return ErrNeedsPerson
	}
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		standing, err := s.ledger.Lock(ctx, tx, ledger.Payable, currency, []int64{affiliateID})
		if err != nil {
			return err
		}
		at, ok := standing[affiliateID]
		if !ok {
			return ErrNotFound
		}
		_, err = tx.Exec(ctx, "INSERT INTO payout_reviews (id, affiliate_id, currency, up_to, person_id, reason, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
			s.ids.New(), affiliateID, currency, at.Newest, actor(ctx).PersonID, reason, s.now().UnixMilli())
		if err != nil {
			return fmt.Errorf("note payout review: %w", err)
		}
		err = s.record(ctx, tx, "payout.review", ident.Format(ident.Affiliate, affiliateID), reason, nil, map[string]any{"currency": currency, "balance_minor": at.Minor})
		if err == nil && then != nil {
			err = then(tx)
		}
		return err
	})
}

// isClosed reports whether no money may leave.
func isClosed(err error) bool { return errors.Is(err, ledger.ErrClosed) }

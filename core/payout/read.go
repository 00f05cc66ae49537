package payout

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/edgeref/edgeref/core/db"
)

// readBatch reads the row of a batch, without what is summed up.
func readBatch(ctx context.Context, q db.Querier, id int64, lock string) (Batch, error) {
	list, err := readBatches(ctx, q, "id = ?"+lock, id)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Batch{}, err
	}
	return list[0], nil
}

func readBatches(ctx context.Context, q db.Querier, rest string, args ...any) ([]Batch, error) {
	rows, err := q.Query(ctx, `SELECT id, currency, executor, state, note, created_by, created_token, approvals_needed, file_sha256, file_at,
		file_downloads, created_at, updated_at FROM payout_batches WHERE `+rest, args...)
	if err != nil {
		return nil, fmt.Errorf("read payout batches: %w", err)
	}
	defer rows.Close()
	var out []Batch
	for rows.Next() {
		b := Batch{ByState: map[State]int64{}}
		if err := rows.Scan(&b.ID, &b.Currency, &b.Executor, &b.State, &b.Note, &b.CreatedBy, &b.CreatedToken, &b.ApprovalsNeeded, &b.FileSHA256,
			&b.FileAt, &b.FileDownloads, &b.CreatedAt, &b.UpdatedAt); err != nil {
			return nil, fmt.Errorf("read payout batches: %w", err)
		}
		out = append(out, b)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read payout batches: %w", err)
	}
	return out, nil
}

// sumUp fills in what is derived.
func sumUp(ctx context.Context, q db.Querier, b *Batch) error {
	rows, err := q.Query(ctx, "SELECT state, COUNT(*), SUM(gross_minor), SUM(tax_minor), SUM(net_minor) FROM payouts WHERE batch_id = ? GROUP BY state", b.ID)
	if err != nil {
		return fmt.Errorf("sum up payouts: %w", err)
	}
	defer rows.Close()
	b.Payouts, b.Gross, b.Tax, b.Net, b.ByState = 0, 0, 0, 0, map[State]int64{}
	for rows.Next() {
		var state State
		var n, gross, tax, net int64
		if err := rows.Scan(&state, &n, &gross, &tax, &net); err != nil {
			return fmt.Errorf("sum up payouts: %w", err)
		}
		b.ByState[state] = n
		if state != Cancelled {
			b.Payouts, b.Gross, b.Tax, b.Net = b.Payouts+n, b.Gross+gross, b.Tax+tax, b.Net+net
		}
	}
	if err := errorsOf(rows.Err(), rows.Close()); err != nil {
		return fmt.Errorf("sum up payouts: %w", err)
	}
	b.Approvals = nil
	given, err := q.Query(ctx, "SELECT person_id, total_minor, payouts, created_at FROM payout_approvals WHERE batch_id = ? ORDER BY created_at, person_id", b.ID)
	if err != nil {
		return fmt.Errorf("read approvals: %w", err)
	}
	defer given.Close()
	for given.Next() {
		var a Approval
		if err := given.Scan(&a.PersonID, &a.Net, &a.Payouts, &a.CreatedAt); err != nil {
			return fmt.Errorf("read approvals: %w", err)
		}
		b.Approvals = append(b.Approvals, a)
	}
	return given.Err()
}

func (s *Service) lockBatch(ctx context.Context, tx *db.Tx, id int64) (Batch, error) {
	b, err := readBatch(ctx, tx, id, tx.Dialect().ForUpdate())
	if err != nil {
		return b, err
	}
	return b, sumUp(ctx, tx, &b)
}

// readPayouts reads payouts p without items, events and attempts.
func readPayouts(ctx context.Context, q db.Querier, rest string, args ...any) ([]Payout, error) {
	rows, err := q.Query(ctx, `SELECT p.id, p.batch_id, p.affiliate_id, p.method_id, p.currency, p.gross_minor, p.tax_minor, p.net_minor, p.taxable_minor,
		p.tax_rule_id, p.tax_year, p.tax_note, p.state, p.reference, p.reason, p.next_at, p.claim, p.created_at, p.updated_at, p.paid_at, b.executor, m.masked
		FROM payouts p JOIN payout_batches b ON b.id = p.batch_id JOIN payout_methods m ON m.id = p.method_id WHERE `+rest, args...)
	if err != nil {
		return nil, fmt.Errorf("read payouts: %w", err)
	}
	defer rows.Close()
	var out []Payout
	for rows.Next() {
		var p Payout
		if err := rows.Scan(&p.ID, &p.BatchID, &p.AffiliateID, &p.MethodID, &p.Currency, &p.Gross, &p.Tax, &p.Net, &p.Taxable, &p.TaxRuleID, &p.TaxYear,
			&p.TaxNote, &p.State, &p.Reference, &p.Reason, &p.nextAt, &p.claim, &p.CreatedAt, &p.UpdatedAt, &p.PaidAt, &p.Executor, &p.Masked); err != nil {
			return nil, fmt.Errorf("read payouts: %w", err)
		}
		out = append(out, p)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read payouts: %w", err)
	}
	return out, nil
}

// BatchFilter selects batches.
type BatchFilter struct {
	State    BatchState // "": all
	Currency string     // "": all
	Since    int64      // with an ID of this or above
	Before   int64      // with an ID below this one; 0: from the newest
	Limit    int
}

// Batches returns batches, the newest first.
func (s *Service) Batches(ctx context.Context, f BatchFilter) ([]Batch, error) {
	where, args := []string{"id >= ?", "id < ?"}, []any{f.Since, bound(f.Before)}
	if f.State != "" {
		where, args = append(where, "state = ?"), append(args, f.State)
	}
	if f.Currency != "" {
		where, args = append(where, "currency = ?"), append(args, f.Currency)
	}
	list, err := readBatches(ctx, s.db, strings.Join(where, " AND ")+" ORDER BY id DESC LIMIT ?", append(args, f.Limit)...)
	if err != nil {
		return nil, err
	}
	for i := range list {
		if err := sumUp(ctx, s.db, &list[i]); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// Batch returns one batch, or ErrNotFound.
func (s *Service) Batch(ctx context.Context, id int64) (Batch, error) {
	b, err := readBatch(ctx, s.db, id, "")
	if err != nil {
		return b, err
	}
	return b, sumUp(ctx, s.db, &b)
}

// Events returns the changes of a batch and all its payouts, the newest first.
func (s *Service) Events(ctx context.Context, batchID, before int64, limit int) ([]Event, error) {
	return readEvents(ctx, s.db, "batch_id = ? AND id < ? ORDER BY id DESC LIMIT ?", batchID, bound(before), limit)
}

func readEvents(ctx context.Context, q db.Querier, rest string, args ...any) ([]Event, error) {
	rows, err := q.Query(ctx, "SELECT id, payout_id, from_state, to_state, reason, person_id, token_id, created_at FROM payout_events WHERE "+rest, args...)
	if err != nil {
		return nil, fmt.Errorf("read payout events: %w", err)
	}
	defer rows.Close()
	var out []Event
	for rows.Next() {
		var e Event
		if err := rows.Scan(&e.ID, &e.PayoutID, &e.From, &e.To, &e.Reason, &e.PersonID, &e.TokenID, &e.CreatedAt); err != nil {
			return nil, fmt.Errorf("read payout events: %w", err)
		}
		out = append(out, e)
	}
	return out, rows.Err()
}

// Filter selects payouts.
type Filter struct {
	BatchID     int64 // 0: all
	AffiliateID int64 // 0: all
	State       State // "": all
	Since       int64 // with an ID of this or above
	Before      int64 // with an ID below this one; 0: from the newest
	Limit       int
}

// Payouts returns payouts without items, events and attempts, the newest first.
func (s *Service) Payouts(ctx context.Context, f Filter) ([]Payout, error) {
	where, args := []string{"p.id >= ?", "p.id < ?"}, []any{f.Since, bound(f.Before)}
	if f.BatchID != 0 {
		where, args = append(where, "p.batch_id = ?"), append(args, f.BatchID)
	}
	if f.AffiliateID != 0 {
		where, args = append(where, "p.affiliate_id = ?"), append(args, f.AffiliateID)
	}
	if f.State != "" {
		where, args = append(where, "p.state = ?"), append(args, f.State)
	}
	return readPayouts(ctx, s.db, strings.Join(where, " AND ")+" ORDER BY p.id DESC LIMIT ?", append(args, f.Limit)...)
}

// TransactionIDs returns the transactions of the ledger by which a payout moved money, the oldest first, at most limit.
func (s *Service) TransactionIDs(ctx context.Context, payoutID int64, limit int) ([]int64, error) {
	rows, err := s.db.Query(ctx, "SELECT transaction_id FROM payout_transactions WHERE payout_id = ? ORDER BY transaction_id LIMIT ?", payoutID, limit)
	if err != nil {
		return nil, fmt.Errorf("read transactions of a payout: %w", err)
	}
	defer rows.Close()
	var ids []int64
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("read transactions of a payout: %w", err)
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

// Share is what a payout pays of a commission.
type Share struct {
	Payout
	CommissionID int64
	Minor        int64 // of the payout's currency; negative: what a refund took back after an earlier payout
}

// Shares returns the payouts that contain some of the commissions, without items, events and attempts: by commission, the
// oldest first, at most limit.
func (s *Service) Shares(ctx context.Context, commissionIDs []int64, limit int) ([]Share, error) {
	var out []Share
	for part, args := range db.Chunks(commissionIDs) {
		if len(out) >= limit {
			break
		}
		list, err := s.shares(ctx, db.In(len(part)), append(args, limit-len(out))...)
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	return out, nil
}

func (s *Service) shares(ctx context.Context, in string, args ...any) ([]Share, error) {
	rows, err := s.db.Query(ctx, "SELECT payout_id, commission_id, amount_minor FROM payout_items WHERE commission_id IN "+in+
		" ORDER BY commission_id, payout_id LIMIT ?", args...)
	if err != nil {
		return nil, fmt.Errorf("read payouts of commissions: %w", err)
	}
	defer rows.Close()
	var out []Share
	var ids []int64
	for rows.Next() {
		var sh Share
		if err := rows.Scan(&sh.ID, &sh.CommissionID, &sh.Minor); err != nil {
			return nil, fmt.Errorf("read payouts of commissions: %w", err)
		}
		out, ids = append(out, sh), append(ids, sh.ID)
	}
	if err := errorsOf(rows.Err(), rows.Close()); err != nil {
		return nil, fmt.Errorf("read payouts of commissions: %w", err)
	}
	byID := map[int64]Payout{}
	for part, args := range db.Chunks(ids) {
		list, err := readPayouts(ctx, s.db, "p.id IN "+db.In(len(part)), args...)
		if err != nil {
			return nil, err
		}
		for _, p := range list {
			byID[p.ID] = p
		}
	}
	for i := range out {
		out[i].Payout = byID[out[i].ID]
	}
	return out, nil
}

// Payout returns one payout with its items, events and attempt; affiliateID is its owner, or 0 for anybody's. The error is
// ErrNotFound where there is none.
func (s *Service) Payout(ctx context.Context, id, affiliateID int64) (p Payout, err error) {
	err = s.db.Snapshot(ctx, func(tx *db.Tx) error {
		list, err := readPayouts(ctx, tx, "p.id = ? AND ? IN (0, p.affiliate_id)", id, affiliateID)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return ErrNotFound
		}
		p = list[0]
		if p.Items, err = readItems(ctx, tx, id); err != nil {
			return err
		}
		if p.Events, err = readEvents(ctx, tx, "payout_id = ? ORDER BY id", id); err != nil {
			return err
		}
		p.Attempt, err = readAttempt(ctx, tx, id)
		return err
	})
	return p, err
}

func readItems(ctx context.Context, q db.Querier, payoutID int64) ([]Item, error) {
	rows, err := q.Query(ctx, "SELECT commission_id, amount_minor FROM payout_items WHERE payout_id = ? ORDER BY commission_id", payoutID)
	if err != nil {
		return nil, fmt.Errorf("read payout items: %w", err)
	}
	defer rows.Close()
	var out []Item
	for rows.Next() {
		var i Item
		if err := rows.Scan(&i.CommissionID, &i.Minor); err != nil {
			return nil, fmt.Errorf("read payout items: %w", err)
		}
		out = append(out, i)
	}
	return out, rows.Err()
}

// readAttempt is nil where there was none.
func readAttempt(ctx context.Context, q db.Querier, payoutID int64) (*Attempt, error) {
	var a Attempt
	err := q.QueryRow(ctx, "SELECT idempotency_key, request, provider_id, sends, lookups, sent_at, last_error FROM payout_attempts WHERE payout_id = ?", payoutID).
		Scan(&a.Key, &a.request, &a.ProviderID, &a.Sends, &a.Lookups, &a.SentAt, &a.LastError)
	if db.IsNoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read payout attempt: %w", err)
	}
	return &a, nil
}

// bound is an identifier that all of a page are below.
func bound(before int64) int64 {
	if before == 0 {
		return math.MaxInt64
	}
	return before
}

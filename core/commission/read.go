package commission

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/edgeref/edgeref/core/db"
)

// Filter selects commissions.
type Filter struct {
	AffiliateID int64 // 0: all
	State       State // "": all
	Conversion  int64 // earned by this one; 0: all
	Since       int64 // with an ID of this or above
	Before      int64 // with an ID below this one; 0: from the newest
	Limit       int   // at least 1
}

// List returns commissions without their reversals, newest first.
func (s *Service) List(ctx context.Context, f Filter) ([]Commission, error) {
	where, args := f.where()
	list, err := read(ctx, s.db, where+" ORDER BY id DESC LIMIT ?", append(args, f.Limit)...)
	if err != nil {
		return nil, fmt.Errorf("list commissions: %w", err)
	}
	return list, nil
}

// where lets one filter choose the index: the plus, which changes nothing else, hides the others from SQLite then.
func (f Filter) where() (string, []any) {
	where, args, hide := "1 = 1", []any(nil), ""
	if f.Conversion != 0 {
		where, args, hide = where+" AND conversion_id = ?", append(args, f.Conversion), "+"
	}
	if f.AffiliateID != 0 {
		where, args, hide = where+" AND "+hide+"affiliate_id = ?", append(args, f.AffiliateID), "+"
	}
	if f.State != "" {
		where, args = where+" AND "+hide+"state = ?", append(args, f.State)
	}
	if f.Since != 0 {
		where, args = where+" AND id >= ?", append(args, f.Since)
	}
	if f.Before != 0 {
		where, args = where+" AND id < ?", append(args, f.Before)
	}
	return where, args
}

// Get returns one commission with its reversals, or ErrNotFound.
func (s *Service) Get(ctx context.Context, id int64) (Commission, error) {
	c, err := one(ctx, s.db, "id = ?", id, "")
	if db.IsNoRows(err) {
		return Commission{}, ErrNotFound
	}
	if err != nil {
		return Commission{}, fmt.Errorf("read commission: %w", err)
	}
	return c, s.readChanges(ctx, &c)
}

// Of returns the commissions that a sale or lead earned, with their reversals: those that count before those that an
// assignment replaced.
func (s *Service) Of(ctx context.Context, conversionID int64) ([]Commission, error) {
	list, err := read(ctx, s.db, "conversion_id = ? ORDER BY replaced_at, id", conversionID)
	if err != nil {
		return nil, fmt.Errorf("read commissions of a conversion: %w", err)
	}
	for i := range list {
		if err := s.readChanges(ctx, &list[i]); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (s *Service) readChanges(ctx context.Context, c *Commission) (err error) {
	if c.Reversals, err = changes(ctx, s.db, reversals, "r.commission_id = ?", c.ID); err != nil {
		return err
	}
	c.Restorals, err = changes(ctx, s.db, restorals, "r.commission_id = ?", c.ID)
	return err
}

// TakenBackBy returns the reversals that a refund, dispute or rejection made.
func (s *Service) TakenBackBy(ctx context.Context, conversionID int64) ([]Reversal, error) {
	return changes(ctx, s.db, reversals, "r.conversion_id = ?", conversionID)
}

// GivenBackBy returns what a dispute that was won gave back.
func (s *Service) GivenBackBy(ctx context.Context, conversionID int64) ([]Reversal, error) {
	return changes(ctx, s.db, restorals, "r.conversion_id = ?", conversionID)
}

// one returns sql.ErrNoRows where there is none.
func one(ctx context.Context, q db.Querier, where string, arg int64, lock string) (Commission, error) {
	list, err := read(ctx, q, where+lock, arg)
	if err == nil && len(list) == 0 {
		err = sql.ErrNoRows
	}
	if err != nil {
		return Commission{}, err
	}
	return list[0], nil
}

func read(ctx context.Context, q db.Querier, rest string, args ...any) ([]Commission, error) {
	rows, err := q.Query(ctx, `SELECT id, conversion_id, line_id, level, program_id, affiliate_id, link_id, state, currency, amount_minor, reversed_minor,
		rule_id, rule_version, explanation, created_at, release_at, released_at, paid_at, replaced_at FROM commissions WHERE `+rest, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Commission
	for rows.Next() {
		var c Commission
		var explanation []byte
		if err := rows.Scan(&c.ID, &c.ConversionID, &c.LineID, &c.Level, &c.ProgramID, &c.AffiliateID, &c.LinkID, &c.State, &c.Amount.Currency, &c.Amount.Minor,
			&c.Reversed, &c.RuleID, &c.RuleVersion, &explanation, &c.CreatedAt, &c.ReleaseAt, &c.ReleasedAt, &c.PaidAt, &c.ReplacedAt); err != nil {
			return nil, err
		}
		if err := json.Unmarshal(explanation, &c.Explanation); err != nil {
			return nil, fmt.Errorf("explanation of commission %d: %w", c.ID, err)
		}
		out = append(out, c)
	}
	return out, rows.Err()
}

// Tables of changes.
const (
	reversals = "commission_reversals"
	restorals = "commission_restorals"
)

func changes(ctx context.Context, q db.Querier, table, where string, arg int64) ([]Reversal, error) {
	rows, err := q.Query(ctx, `SELECT r.commission_id, r.conversion_id, r.amount_minor, c.currency, r.explanation, r.created_at
		FROM `+table+` r JOIN commissions c ON c.id = r.commission_id WHERE `+where+" ORDER BY r.created_at, r.conversion_id, r.commission_id", arg)
	if err != nil {
		return nil, fmt.Errorf("read reversals: %w", err)
	}
	defer rows.Close()
	var out []Reversal
	for rows.Next() {
		var r Reversal
		var explanation []byte
		if err := rows.Scan(&r.CommissionID, &r.ConversionID, &r.Amount.Minor, &r.Amount.Currency, &explanation, &r.CreatedAt); err != nil {
			return nil, fmt.Errorf("read reversals: %w", err)
		}
		if err := json.Unmarshal(explanation, &r.Explanation); err != nil {
			return nil, fmt.Errorf("explanation of a reversal of commission %d: %w", r.CommissionID, err)
		}
		out = append(out, r)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read reversals: %w", err)
	}
	return out, nil
}

package commission

import (
	"context"
	"fmt"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/money"
)

// LevelSum is what an affiliate has earned on one level and in one currency: 0 by his own sales, 1 by those of whom he
// brought, and so on.
type LevelSum struct {
	Level       int
	Commissions int64
	Earned      money.Amount
	Reversed    money.Amount // of Earned
	Unreleased  money.Amount // of what is left, on hold
}

// Levels sums up an affiliate's commissions that count, by level and currency.
func (s *Service) Levels(ctx context.Context, affiliateID int64) ([]LevelSum, error) {
	rows, err := s.db.Query(ctx, `SELECT level, currency, COUNT(*), COALESCE(SUM(amount_minor), 0), COALESCE(SUM(reversed_minor), 0),
			COALESCE(SUM(CASE WHEN state = 'pending' THEN amount_minor - reversed_minor ELSE 0 END), 0)
		FROM commissions WHERE affiliate_id = ? AND replaced_at = 0 GROUP BY level, currency ORDER BY level, currency`, affiliateID)
	if err != nil {
		return nil, fmt.Errorf("sum up commissions by level: %w", err)
	}
	defer rows.Close()
	var out []LevelSum
	for rows.Next() {
		var l LevelSum
		if err := rows.Scan(&l.Level, &l.Earned.Currency, &l.Commissions, &l.Earned.Minor, &l.Reversed.Minor, &l.Unreleased.Minor); err != nil {
			return nil, fmt.Errorf("sum up commissions by level: %w", err)
		}
		l.Reversed.Currency, l.Unreleased.Currency = l.Earned.Currency, l.Earned.Currency
		out = append(out, l)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("sum up commissions by level: %w", err)
	}
	return out, nil
}

// MemberSum is what an affiliate has earned, in one currency, by the sales of one of those whom he brought.
type MemberSum struct {
	MemberID    int64
	Commissions int64
	Kept        money.Amount // less what was taken back
}

// ByMembers sums up an affiliate's commissions that count, by members of his downline and currency.
func (s *Service) ByMembers(ctx context.Context, affiliateID int64, members []int64) ([]MemberSum, error) {
	var out []MemberSum
	for part, args := range db.Chunks(members) {
		list, err := s.byMembers(ctx, affiliateID, part, args)
		if err != nil {
			return nil, fmt.Errorf("sum up commissions by members: %w", err)
		}
		out = append(out, list...)
	}
	return out, nil
}

func (s *Service) byMembers(ctx context.Context, affiliateID int64, members []int64, args []any) (out []MemberSum, err error) {
	rows, err := s.db.Query(ctx, `SELECT v.affiliate_id, c.currency, COUNT(*), SUM(c.amount_minor - c.reversed_minor)
		FROM commissions c JOIN conversions v ON v.id = c.conversion_id
		WHERE c.affiliate_id = ? AND c.level > 0 AND c.replaced_at = 0 AND v.affiliate_id IN `+db.In(len(members))+`
		GROUP BY v.affiliate_id, c.currency ORDER BY v.affiliate_id, c.currency`, append([]any{affiliateID}, args...)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var m MemberSum
		if err := rows.Scan(&m.MemberID, &m.Kept.Currency, &m.Commissions, &m.Kept.Minor); err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, rows.Err()
}

// NextRelease returns when the hold of an affiliate's next commission in a currency ends, in Unix ms; 0: nothing is on hold.
func (s *Service) NextRelease(ctx context.Context, affiliateID int64, currency string) (at int64, err error) {
	err = s.db.QueryRow(ctx, "SELECT COALESCE(MIN(release_at), 0) FROM commissions WHERE affiliate_id = ? AND currency = ? AND state = ?", affiliateID, currency, Pending).Scan(&at)
	if err != nil {
		return 0, fmt.Errorf("read the end of the next hold: %w", err)
	}
	return at, nil
}

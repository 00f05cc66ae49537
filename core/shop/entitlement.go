package shop

import (
	"context"
	"fmt"

	"github.com/edgeref/edgeref/core/db"
)

// Entitlement is a right that a customer has bought.
type Entitlement struct {
	ID        int64
	ProductID int64
	Code      string
	OrderID   int64
	LineID    int64
	GrantedAt int64  // Unix ms
	RevokedAt int64  // 0: valid
	Reason    string // why it was revoked
}

// grant gives the buyer of an order what its lines entitle to.
func (s *Service) grant(ctx context.Context, tx *db.Tx, o *Order) error {
	for i := range o.Lines {
		l := &o.Lines[i]
		for _, code := range l.Entitlements {
			if _, err := tx.Exec(ctx, `INSERT INTO entitlements (id, customer_key, product_id, code, order_id, line_id, granted_at, revoked_at, reason)
				VALUES (?, ?, ?, ?, ?, ?, ?, 0, '')`, s.ids.New(), o.CustomerKey, l.ProductID, code, o.ID, l.ID, s.now().UnixMilli()); err != nil {
				return fmt.Errorf("grant entitlement: %w", err)
			}
		}
	}
	return nil
}

// revoke takes back what the lines entitle to that have gone back for good: not what an open dispute holds. A line that
// cost nothing is taken back with the whole order.
func (s *Service) revoke(ctx context.Context, tx *db.Tx, o *Order, reason string) error {
	refunds, err := readRefunds(ctx, tx, o.ID)
	if err != nil {
		return err
	}
	gone, all := map[int64]int64{}, int64(0)
	for _, r := range refunds {
		if r.State != RefundDone {
			continue
		}
		for _, l := range r.Lines {
			gone[l.LineID] += l.Gross
			all += l.Gross
		}
	}
	for i := range o.Lines {
		l := &o.Lines[i]
		if gone[l.ID] < l.Gross || l.Gross == 0 && all < o.Totals.Gross {
			continue
		}
		if _, err := tx.Exec(ctx, "UPDATE entitlements SET revoked_at = ?, reason = ? WHERE line_id = ? AND revoked_at = 0",
			s.now().UnixMilli(), reason, l.ID); err != nil {
			return fmt.Errorf("revoke entitlement: %w", err)
		}
	}
	return nil
}

// Entitlements returns what a customer has bought, revoked or not, the oldest first.
func (s *Service) Entitlements(ctx context.Context, customerKey string) ([]Entitlement, error) {
	return s.entitlements(ctx, "customer_key = ?", customerKey)
}

// OrderEntitlements returns what an order entitles to, revoked or not, the oldest first.
func (s *Service) OrderEntitlements(ctx context.Context, orderID int64) ([]Entitlement, error) {
	return s.entitlements(ctx, "order_id = ?", orderID)
}

func (s *Service) entitlements(ctx context.Context, where string, arg any) ([]Entitlement, error) {
	rows, err := s.db.Query(ctx, `SELECT id, product_id, code, order_id, line_id, granted_at, revoked_at, reason FROM entitlements WHERE `+where+`
		ORDER BY id LIMIT ?`, arg, maxEntitlementRows)
	if err != nil {
		return nil, fmt.Errorf("read entitlements: %w", err)
	}
	defer rows.Close()
	var out []Entitlement
	for rows.Next() {
		var e Entitlement
		if err := rows.Scan(&e.ID, &e.ProductID, &e.Code, &e.OrderID, &e.LineID, &e.GrantedAt, &e.RevokedAt, &e.Reason); err != nil {
			return nil, fmt.Errorf("read entitlements: %w", err)
		}
		out = append(out, e)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read entitlements: %w", err)
	}
	return out, nil
}

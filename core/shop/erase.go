package shop

import (
	"context"
	"fmt"

	"github.com/edgeref/edgeref/core/db"
)

// Contact is what the shop keeps of a person, for the person's own copy.
type Contact struct {
	Orders       []Order // with their lines
	Entitlements []Entitlement
}

// ExportContact returns everything about the person with an e-mail address, at most 1,000 orders.
func (s *Service) ExportContact(ctx context.Context, email string) (Contact, error) {
	orders, err := s.OrdersWithLines(ctx, OrderFilter{Email: email, Limit: maxExport})
	if err != nil {
		return Contact{}, err
	}
	rights, err := s.Entitlements(ctx, customerKey(email))
	return Contact{Orders: orders, Entitlements: rights}, err
}

// EraseContact forgets, in the caller's transaction, who the orders of an e-mail address were for, and returns how many
// there were. Amounts, lines and the hash of the address stay; so do invoices, which the law wants kept as they are. What
// was bought cannot be used any more under another address.
func (s *Service) EraseContact(ctx context.Context, tx *db.Tx, email string) (int, error) {
	email = normalEmail(email)
	if email == "" {
		return 0, nil
	}
	orders, err := readOrders(ctx, tx, "email = ? ORDER BY id"+tx.Dialect().ForUpdate(), email)
	if err != nil {
		return 0, err
	}
	now := s.now().UnixMilli()
	for i := range orders {
		o := &orders[i]
		if _, err := tx.Exec(ctx, "UPDATE orders SET email = '', name = '', address = '', gstin = '', erased_at = ? WHERE id = ?", now, o.ID); err != nil {
			return 0, fmt.Errorf("erase buyer of order: %w", err)
		}
		if err := s.note(ctx, tx, o, Event{Kind: EventErased}); err != nil {
			return 0, err
		}
	}
	return len(orders), nil
}

package payment

import (
	"context"
)

// Filter selects payments or refunds; zero values select all.
type Filter struct {
	OrderID int64
	Gateway string
	State   string // a State or RefundState
	Since   int64  // identifiers of this or above only
	Before  int64  // identifiers below this only
	Limit   int
}

func (f Filter) where() (string, []any) {
	where, args := "1 = 1", []any{}
	add := func(condition string, value any, wanted bool) {
		if wanted {
			where, args = where+" AND "+condition, append(args, value)
		}
	}
	add("order_id = ?", f.OrderID, f.OrderID != 0)
	add("gateway = ?", f.Gateway, f.Gateway != "")
	add("state = ?", f.State, f.State != "")
	add("id >= ?", f.Since, f.Since != 0)
	add("id < ?", f.Before, f.Before != 0)
	return where + " ORDER BY id DESC LIMIT ?", append(args, f.Limit)
}

// Payments returns attempts to pay, the newest first.
func (s *Service) Payments(ctx context.Context, f Filter) ([]Payment, error) {
	where, args := f.where()
	return readPayments(ctx, s.db, where, args...)
}

// Payment is one attempt. Errors: ErrNotFound.
func (s *Service) Payment(ctx context.Context, id int64) (Payment, error) {
	return readPayment(ctx, s.db, id, "")
}

// Refunds returns refunds, the newest first.
func (s *Service) Refunds(ctx context.Context, f Filter) ([]Refund, error) {
	where, args := f.where()
	return readRefunds(ctx, s.db, where, args...)
}

// RefundByID is one refund. Errors: ErrNotFound.
func (s *Service) RefundByID(ctx context.Context, id int64) (Refund, error) {
	list, err := readRefunds(ctx, s.db, "id = ?", id)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Refund{}, err
	}
	return list[0], nil
}

// Find returns the payments and refunds that a gateway of this configuration calls name: at most limit of each of a gateway.
func (s *Service) Find(ctx context.Context, name string, limit int) (payments []Payment, refunds []Refund, err error) {
	for _, gateway := range s.Gateways() {
		for _, column := range []string{"payment_id", "ref"} {
			list, err := readPayments(ctx, s.db, "gateway = ? AND "+column+" = ? LIMIT ?", gateway, name, limit)
			if err != nil {
				return nil, nil, err
			}
			payments = append(payments, list...)
		}
		list, err := readRefunds(ctx, s.db, "gateway = ? AND refund_id = ? LIMIT ?", gateway, name, limit)
		if err != nil {
			return nil, nil, err
		}
		refunds = append(refunds, list...)
	}
	return payments, refunds, nil
}

package conversion

import (
	"context"
	"fmt"

	"github.com/edgeref/edgeref/core/commission"
	"github.com/edgeref/edgeref/core/db"
	wire "github.com/edgeref/edgeref/wire/conversion"
)

// Filter selects conversions.
type Filter struct {
	ProgramID   int64     // 0: all
	AffiliateID int64     // 0: all
	Type        wire.Type // "": all
	State       State     // "": all
	TxnID       string    // "": all
	ClickID     string    // "": all
	Since       int64     // with an ID of this or above
	Before      int64     // with an ID below this one; 0: from the newest
	Limit       int       // at least 1
}

// List returns conversions, newest first.
func (s *Service) List(ctx context.Context, f Filter) ([]Conversion, error) {
	where, args := f.where()
	list, err := read(ctx, s.db, where+" ORDER BY id DESC LIMIT ?", append(args, f.Limit)...)
	if err != nil {
		return nil, fmt.Errorf("list conversions: %w", err)
	}
	return list, nil
}

// where puts the filters in the order in which they narrow down. Only the first one, or program and type together, may
// choose the index: the plus, which changes nothing else, hides the others from SQLite, which knows no statistics and
// would take the longer way as readily.
func (f Filter) where() (string, []any) {
	where, args, hide := "1 = 1", []any(nil), ""
	and := func(column string, arg any) {
		where, args = where+" AND "+hide+column+" = ?", append(args, arg)
	}
	if f.ClickID != "" {
		and("click_id", f.ClickID)
		where, hide = where+" AND click_id <> ''", "+" // which the index leaves out
	}
	if f.TxnID != "" {
		and("txn_id", f.TxnID)
		hide = "+"
	}
	if f.AffiliateID != 0 {
		and("affiliate_id", f.AffiliateID)
		hide = "+"
	}
	if f.State != "" && f.State != Booked {
		and("state", f.State)
		hide = "+"
	}
	if f.ProgramID != 0 {
		and("program_id", f.ProgramID)
	}
	if f.Type != "" {
		and("type", f.Type)
	}
	if f.State == Booked {
		hide = "+" // nearly all are
		and("state", f.State)
	}
	if f.Since != 0 {
		where, args = where+" AND id >= ?", append(args, f.Since)
	}
	if f.Before != 0 {
		where, args = where+" AND id < ?", append(args, f.Before)
	}
	return where, args
}

// Get returns one conversion, or ErrNotFound.
func (s *Service) Get(ctx context.Context, id int64) (Conversion, error) {
	list, err := read(ctx, s.db, "id = ?", id)
	if err != nil {
		return Conversion{}, fmt.Errorf("read conversion: %w", err)
	}
	if len(list) == 0 {
		return Conversion{}, ErrNotFound
	}
	return list[0], nil
}

// Detail is a conversion with what it earned, or took back.
type Detail struct {
	Conversion
	Customer  string                  // his key; "": unknown
	OrderID   int64                   // of the shop; 0: it is no order
	Earned    []commission.Commission // by a sale or lead: those that count first
	TakenBack []commission.Reversal   // by a refund or rejection
	GivenBack []commission.Reversal   // by a dispute that was won
}

// Detail returns one conversion with its commissions, or ErrNotFound.
func (s *Service) Detail(ctx context.Context, id int64) (Detail, error) {
	c, err := s.Get(ctx, id)
	if err != nil {
		return Detail{}, err
	}
	d := Detail{Conversion: c}
	switch {
	case c.Type == Restored:
		d.GivenBack, err = s.commissions.GivenBackBy(ctx, id)
		return d, err
	case c.takesBack():
		d.TakenBack, err = s.commissions.TakenBackBy(ctx, id)
		return d, err
	}
	if d.Customer, err = customerOf(ctx, s.db, id); err != nil {
		return Detail{}, err
	}
	err = s.db.QueryRow(ctx, "SELECT order_id FROM conversion_orders WHERE conversion_id = ?", id).Scan(&d.OrderID)
	if err != nil && !db.IsNoRows(err) {
		return Detail{}, fmt.Errorf("read the order of a conversion: %w", err)
	}
	d.Earned, err = s.commissions.Of(ctx, id)
	return d, err
}

// Family returns a conversion with all that are about the same transaction of the merchant, as its refunds: the oldest
// first, at most limit. The error is ErrNotFound where there is no such conversion.
func (s *Service) Family(ctx context.Context, id int64, limit int) ([]Conversion, error) {
	c, err := s.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	list, err := read(ctx, s.db, "program_id = ? AND subject = ? ORDER BY id LIMIT ?", c.ProgramID, c.Subject, limit)
	if err != nil {
		return nil, fmt.Errorf("read conversions about the same subject: %w", err)
	}
	return list, nil
}

// OrderCommissions returns which commissions the sale of an order earned, the oldest first, at most limit.
func (s *Service) OrderCommissions(ctx context.Context, orderID int64, limit int) ([]int64, error) {
	rows, err := s.db.Query(ctx, `SELECT c.id FROM conversion_orders o JOIN commissions c ON c.conversion_id = o.conversion_id
		WHERE o.order_id = ? ORDER BY c.id LIMIT ?`, orderID, limit)
	if err != nil {
		return nil, fmt.Errorf("read commissions of an order: %w", err)
	}
	defer rows.Close()
	var ids []int64
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("read commissions of an order: %w", err)
		}
		ids = append(ids, id)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read commissions of an order: %w", err)
	}
	return ids, nil
}

// customerOf is the key of the customer whom a conversion names, or "".
func customerOf(ctx context.Context, q db.Querier, id int64) (string, error) {
	var customer string
	err := q.QueryRow(ctx, "SELECT customer FROM conversion_customers WHERE conversion_id = ?", id).Scan(&customer)
	if err != nil && !db.IsNoRows(err) {
		return "", fmt.Errorf("read the customer of a conversion: %w", err)
	}
	return customer, nil
}

// ByKey returns the conversion that holds a key, or ErrNotFound.
func (s *Service) ByKey(ctx context.Context, programID int64, kind wire.Type, txnID string) (Conversion, error) {
	c, err := readKey(ctx, s.db, programID, kind, txnID)
	if db.IsNoRows(err) {
		return Conversion{}, ErrNotFound
	}
	if err != nil {
		return Conversion{}, err
	}
	return *c, nil
}

// Conflicts returns events kept for review, newest first: those with an ID of since or above, and below before (0: from the
// newest), at most limit.
func (s *Service) Conflicts(ctx context.Context, since, before int64, limit int) ([]Conflict, error) {
	where, args := "WHERE id >= ? ", []any{since}
	if before != 0 {
		where, args = where+"AND id < ? ", append(args, before)
	}
	rows, err := s.db.Query(ctx, "SELECT id, program_id, type, txn_id, event, detail, created_at FROM conversion_conflicts "+where+
		"ORDER BY id DESC LIMIT ?", append(args, limit)...)
	if err != nil {
		return nil, fmt.Errorf("list conflicts: %w", err)
	}
	defer rows.Close()
	var out []Conflict
	for rows.Next() {
		var c Conflict
		if err := rows.Scan(&c.ID, &c.ProgramID, &c.Type, &c.TxnID, &c.Event, &c.Detail, &c.CreatedAt); err != nil {
			return nil, fmt.Errorf("list conflicts: %w", err)
		}
		out = append(out, c)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list conflicts: %w", err)
	}
	return out, nil
}

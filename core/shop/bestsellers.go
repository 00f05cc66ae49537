package shop

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/edgeref/edgeref/core/newid"
	"github.com/edgeref/edgeref/wire/money"
)

// Bestseller is a product with what was sold of it in one currency.
type Bestseller struct {
	ProductID int64
	Name      string // as the product is called now
	Sold      int64  // lines of orders that were paid
	Net       money.Amount
}

// Bestsellers returns the products that brought the most in each currency, among orders that were begun in a span of time
// and were paid, whatever was refunded since. At most limit a currency; the currency that was used most comes first.
// Identifiers grow with time, so that the span is read off the primary key.
func (s *Service) Bestsellers(ctx context.Context, from, to time.Time, limit int) ([]Bestseller, error) {
	rows, err := s.db.Query(ctx, `SELECT l.product_id, p.name, o.currency, COUNT(*), SUM(l.net_minor)
		FROM orders o JOIN order_lines l ON l.order_id = o.id JOIN products p ON p.id = l.product_id
		WHERE o.id >= ? AND o.id < ? AND o.paid_at > 0 GROUP BY l.product_id, p.name, o.currency`, newid.First(from), newid.First(to))
	if err != nil {
		return nil, fmt.Errorf("read bestsellers: %w", err)
	}
	defer rows.Close()
	var all []Bestseller
	for rows.Next() {
		var b Bestseller
		if err := rows.Scan(&b.ProductID, &b.Name, &b.Net.Currency, &b.Sold, &b.Net.Minor); err != nil {
			return nil, fmt.Errorf("read bestsellers: %w", err)
		}
		all = append(all, b)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read bestsellers: %w", err)
	}
	return best(all, limit), nil
}

// best sorts bestsellers and keeps limit of each currency.
func best(all []Bestseller, limit int) []Bestseller {
	used := map[string]int64{}
	for _, b := range all {
		used[b.Net.Currency] += b.Sold
	}
	slices.SortFunc(all, func(a, b Bestseller) int {
		return cmp.Or(
			cmp.Compare(used[b.Net.Currency], used[a.Net.Currency]), cmp.Compare(a.Net.Currency, b.Net.Currency),
			cmp.Compare(b.Net.Minor, a.Net.Minor), cmp.Compare(a.ProductID, b.ProductID),
		)
	})
	kept := map[string]int{}
	return slices.DeleteFunc(all, func(b Bestseller) bool {
		kept[b.Net.Currency]++
		return kept[b.Net.Currency] > limit
	})
}

package catalog

import (
	"context"
	"fmt"

	"github.com/edgeref/edgeref/core/db"
)

// Name is what a list shows of a thing that it refers to.
type Name struct {
	ID     int64
	Name   string // of a link: its slug
	Status string // empty: the kind has none
}

// AffiliateNames returns the names of those affiliates that exist, in no order.
func (c *Catalog) AffiliateNames(ctx context.Context, ids []int64) ([]Name, error) {
	return c.names(ctx, "affiliates", "SELECT id, name, CASE WHEN EXISTS (SELECT 1 FROM affiliate_applications p WHERE p.affiliate_id = affiliates.id) THEN 'pending' ELSE status END FROM affiliates", ids)
}

// LinkNames returns the slugs of those links that exist, in no order.
func (c *Catalog) LinkNames(ctx context.Context, ids []int64) ([]Name, error) {
	return c.names(ctx, "links", "SELECT id, slug, status FROM links", ids)
}

// ProgramNames returns the names of those programs that exist, in no order.
func (c *Catalog) ProgramNames(ctx context.Context, ids []int64) ([]Name, error) {
	return c.names(ctx, "programs", "SELECT id, name, status FROM programs", ids)
}

// GroupNames returns the names of those groups that exist, in no order.
func (c *Catalog) GroupNames(ctx context.Context, ids []int64) ([]Name, error) {
	return c.names(ctx, "affiliate groups", "SELECT id, name, '' FROM affiliate_groups", ids)
}

func (c *Catalog) names(ctx context.Context, what, query string, ids []int64) ([]Name, error) {
	var out []Name
	for part, args := range db.Chunks(ids) {
		some, err := collect(ctx, c.db, scanName, what, query+" WHERE id IN "+db.In(len(part)), args...)
		if err != nil {
			return nil, fmt.Errorf("names of %w", err)
		}
		out = append(out, some...)
	}
	return out, nil
}

func scanName(r row) (n Name, err error) {
	err = r.Scan(&n.ID, &n.Name, &n.Status)
	return n, err
}

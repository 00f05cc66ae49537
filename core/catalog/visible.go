package catalog

import (
	"context"
	"fmt"
	"slices"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/link"
)

// VisibleNames returns what identifiers of a kind are called: affiliates and programs by name, links by slug. What is not there is absent,
// and, if viewer is an affiliate and not 0, whatever is not his: others, their links, and programs that are neither open nor hold a link
// of his.
func (c *Catalog) VisibleNames(ctx context.Context, kind string, ids []int64, viewer int64) (map[int64]string, error) {
	query, mine, args := "", "", []any{viewer}
	switch kind {
	case ident.Affiliate:
		query, mine = "SELECT id, name FROM affiliates", " AND id = ?"
	case ident.Program:
		query, mine = "SELECT id, name FROM programs", " AND (status = ? OR EXISTS (SELECT 1 FROM links l WHERE l.affiliate_id = ? AND l.program_id = programs.id))"
		args = []any{string(link.Active), viewer}
	case ident.Link:
		query, mine = "SELECT id, slug FROM links", " AND affiliate_id = ?"
	default:
		return nil, fmt.Errorf("BUG: %q has no names", kind)
	}
	if viewer == 0 {
		mine, args = "", nil
	}
	out := make(map[int64]string, len(ids))
	for part, in := range db.Chunks(ids) {
		rows, err := collect(ctx, c.db, scanVisible, "names", query+" WHERE id IN "+db.In(len(part))+mine, append(slices.Clone(in), args...)...)
		if err != nil {
			return nil, err
		}
		for _, n := range rows {
			out[n.ID] = n.Name
		}
	}
	return out, nil
}

func scanVisible(r row) (n Name, err error) {
	err = r.Scan(&n.ID, &n.Name)
	return n, err
}

// SlugFree says whether an affiliate can have a slug; if not, why: an *InvalidError or ErrSlugTaken.
func (c *Catalog) SlugFree(ctx context.Context, slug string) error {
	var check checker
	if check.slug(slug); check.err() != nil {
		return check.err()
	}
	var links int64
	if err := c.db.QueryRow(ctx, "SELECT COUNT(*) FROM links WHERE slug = ?", slug).Scan(&links); err != nil {
		return fmt.Errorf("look for slug: %w", err)
	}
	if links > 0 {
		return ErrSlugTaken
	}
	return nil
}

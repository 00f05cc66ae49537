package catalog

import (
	"context"
	"fmt"

	"github.com/edgeref/edgeref/core/db"
)

// Group is a group of affiliates for which commission rules may be made. An affiliate is in one group at most, so it is
// never open whose rule counts. Times are Unix ms.
type Group struct {
	ID        int64
	Name      string
	CreatedAt int64
	UpdatedAt int64
}

func (g *Group) validate() error {
	var c checker
	c.text("name", g.Name, maxName)
	return c.err()
}

// CreateGroup makes a group. Functions in then run at the end of the transaction.
func (c *Catalog) CreateGroup(ctx context.Context, name string, then ...func(*db.Tx, Group) error) (Group, error) {
	now := c.now().UnixMilli()
	g := Group{ID: c.ids.New(), Name: name, CreatedAt: now, UpdatedAt: now}
	if err := g.validate(); err != nil {
		return Group{}, err
	}
	err := c.db.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "INSERT INTO affiliate_groups (id, name, created_at, updated_at) VALUES (?, ?, ?, ?)", g.ID, g.Name, g.CreatedAt, g.UpdatedAt)
		if err != nil {
			return fmt.Errorf("insert group: %w", err)
		}
		return also(tx, g, then)
	})
	return g, err
}

// RenameGroup gives a group another name.
func (c *Catalog) RenameGroup(ctx context.Context, id int64, name string, then ...func(tx *db.Tx, before, after Group) error) (g Group, err error) {
	err = c.db.InTx(ctx, func(tx *db.Tx) error {
		if g, err = readGroup(ctx, tx, id); err != nil {
			return err
		}
		before := g
		g.Name, g.UpdatedAt = name, c.now().UnixMilli()
		if err := g.validate(); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "UPDATE affiliate_groups SET name = ?, updated_at = ? WHERE id = ?", g.Name, g.UpdatedAt, g.ID); err != nil {
			return fmt.Errorf("rename group: %w", err)
		}
		return alsoChanged(tx, before, g, then)
	})
	return g, err
}

// Group returns a group, or ErrNotFound.
func (c *Catalog) Group(ctx context.Context, id int64) (Group, error) {
	return readGroup(ctx, c.db, id)
}

// Groups returns groups with an id below before (0: from the newest), the newest first.
func (c *Catalog) Groups(ctx context.Context, before int64, limit int) ([]Group, error) {
	return collect(ctx, c.db, scanGroup, "groups", selectGroup+" WHERE id < ? ORDER BY id DESC LIMIT ?", below(before), limit)
}

const selectGroup = "SELECT id, name, created_at, updated_at FROM affiliate_groups"

func readGroup(ctx context.Context, q db.Querier, id int64) (Group, error) {
	g, err := scanGroup(q.QueryRow(ctx, selectGroup+" WHERE id = ?", id))
	if err != nil {
		return Group{}, notFound("group", err)
	}
	return g, nil
}

func scanGroup(r row) (g Group, err error) {
	err = r.Scan(&g.ID, &g.Name, &g.CreatedAt, &g.UpdatedAt)
	return g, err
}

package api

import (
	"context"
	"net/http"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/catalog"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/ident"
)

// Group is a group of affiliates as shown.
type Group struct {
	ID        string `json:"id" example:"grp_01J8Z0QK5T2VG"`
	Name      string `json:"name" example:"Gold"`
	CreatedAt Time   `json:"created_at"`
	UpdatedAt Time   `json:"updated_at"`
}

// GroupRequest names a group.
type GroupRequest struct {
	Name string `json:"name" minLength:"1" maxLength:"255" example:"Gold"`
}

// GroupPath names one group.
type GroupPath struct {
	ID string `path:"id" example:"grp_01J8Z0QK5T2VG"`
}

type groupOutput struct{ Body Group }

func groupOperations(a *API, c *catalog.Catalog) {
	handle(a, operation{
		id: "create-affiliate-group", method: http.MethodPost, path: "/affiliate-groups", tag: "Affiliates", scope: access.CatalogWrite,
		status: http.StatusCreated, summary: "Create a group of affiliates", about: "Commission rules may be made for it. An affiliate is in one group at most.",
	}, func(ctx context.Context, in *struct{ Body GroupRequest }) (*groupOutput, error) {
		out := &groupOutput{}
		_, err := c.CreateGroup(ctx, in.Body.Name, func(tx *db.Tx, made catalog.Group) error {
			out.Body = groupBody(made)
			if err := a.audited(ctx, tx, "affiliate_group.create", ident.AffiliateGroup, made.ID, nil, out.Body); err != nil {
				return err
			}
			return record(ctx, tx, http.StatusCreated, out.Body)
		})
		return out, err
	})
	handle(a, operation{
		id: "list-affiliate-groups", method: http.MethodGet, path: "/affiliate-groups", tag: "Affiliates", scope: access.CatalogRead,
		summary: "List groups of affiliates", about: "The newest first.", errors: []int{http.StatusBadRequest},
	}, func(ctx context.Context, in *ListInput) (*listOutput[Group], error) {
		before, err := in.after(ident.AffiliateGroup)
		if err != nil {
			return nil, err
		}
		rows, err := c.Groups(ctx, before, in.Limit+1)
		if err != nil {
			return nil, err
		}
		return page(ident.AffiliateGroup, in.Limit, rows, func(g catalog.Group) int64 { return g.ID }, groupBody), nil
	})
	handle(a, operation{
		id: "get-affiliate-group", method: http.MethodGet, path: "/affiliate-groups/{id}", tag: "Affiliates", scope: access.CatalogRead,
		summary: "Get a group of affiliates", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *GroupPath) (*groupOutput, error) {
		id, err := pathID(ident.AffiliateGroup, in.ID)
		if err != nil {
			return nil, err
		}
		found, err := c.Group(ctx, id)
		return &groupOutput{groupBody(found)}, err
	})
	handle(a, operation{
		id: "update-affiliate-group", method: http.MethodPatch, path: "/affiliate-groups/{id}", tag: "Affiliates", scope: access.CatalogWrite,
		summary: "Rename a group of affiliates", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *struct {
		GroupPath
		Body GroupRequest
	}) (*groupOutput, error) {
		id, err := pathID(ident.AffiliateGroup, in.ID)
		if err != nil {
			return nil, err
		}
		now, err := c.RenameGroup(ctx, id, in.Body.Name, changed(ctx, a, "affiliate_group.update", ident.AffiliateGroup, id, groupBody))
		return &groupOutput{groupBody(now)}, err
	})
	downlineOperation(a, c)
}

func groupBody(g catalog.Group) Group {
	return Group{ID: ident.Format(ident.AffiliateGroup, g.ID), Name: g.Name, CreatedAt: timeOf(g.CreatedAt), UpdatedAt: timeOf(g.UpdatedAt)}
}

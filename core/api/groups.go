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

// DownlineMember is somebody who came through an affiliate.
type DownlineMember struct {
	ID        string         `json:"id" example:"aff_01J8Z0QK5T2VG"`
	Name      string         `json:"name" example:"Ann Example"`
	Status    catalog.Status `json:"status" enum:"active,suspended"`
	SponsorID string         `json:"sponsor_id" example:"aff_01J8Z0QK5T2VG"`
	Depth     int            `json:"depth" example:"1" doc:"1: brought by the affiliate himself"`
	JoinedAt  Time           `json:"joined_at"`
}

// Downline is who came through an affiliate, directly and through others.
type Downline struct {
	Members []DownlineMember `json:"members" nullable:"false" doc:"By depth, then by age"`
	More    bool             `json:"more" doc:"There are more than the 1000 shown" example:"false"`
}

// DepthInput says how deep to look.
type DepthInput struct {
	Depth int `query:"depth" minimum:"1" maximum:"10" default:"3" example:"3"`
}

type downlineOutput struct{ Body Downline }

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
	downlineOperations(a, c)
}

func downlineOperations(a *API, c *catalog.Catalog) {
	handle(a, operation{
		id: "get-downline", method: http.MethodGet, path: "/affiliates/{id}/downline", tag: "Affiliates", scope: access.CatalogRead,
		summary: "Show whom an affiliate brought", about: "Directly and through others, to a depth.", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *struct {
		AffiliatePath
		DepthInput
	}) (*downlineOutput, error) {
		id, err := pathID(ident.Affiliate, in.ID)
		if err != nil {
			return nil, err
		}
		if _, err := c.Affiliate(ctx, id); err != nil {
			return nil, err
		}
		return downline(ctx, c, id, in.Depth)
	})
	handle(a, operation{
		id: "get-my-downline", method: http.MethodGet, path: "/me/downline", tag: "Affiliates", scope: access.AffiliateSelf,
		summary: "Show whom you brought", about: "Directly and through others, to a depth.", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *DepthInput) (*downlineOutput, error) {
		id := principalOf(ctx).AffiliateID
		if id == 0 {
			return nil, errNoSuch
		}
		return downline(ctx, c, id, in.Depth)
	})
}

func downline(ctx context.Context, c *catalog.Catalog, id int64, depth int) (*downlineOutput, error) {
	found, err := c.Downline(ctx, id, depth)
	if err != nil {
		return nil, err
	}
	out := &downlineOutput{Downline{Members: make([]DownlineMember, 0, len(found.Members)), More: found.More}}
	for _, m := range found.Members {
		out.Body.Members = append(out.Body.Members, DownlineMember{
			ID: ident.Format(ident.Affiliate, m.ID), Name: m.Name, Status: m.Status, SponsorID: ident.Format(ident.Affiliate, m.SponsorID),
			Depth: m.Depth, JoinedAt: timeOf(m.CreatedAt),
		})
	}
	return out, nil
}

func groupBody(g catalog.Group) Group {
	return Group{ID: ident.Format(ident.AffiliateGroup, g.ID), Name: g.Name, CreatedAt: timeOf(g.CreatedAt), UpdatedAt: timeOf(g.UpdatedAt)}
}

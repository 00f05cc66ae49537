package api

import (
	"context"
	"net/http"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/catalog"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/link"
)

// Link is a link as shown.
type Link struct {
	ID          string     `json:"id" example:"lnk_01J8Z0QK5T2VG"`
	Slug        string     `json:"slug" example:"spring-sale"`
	AffiliateID string     `json:"affiliate_id" example:"aff_01J8Z0QK5T2VG"`
	ProgramID   string     `json:"program_id" example:"prg_01J8Z0QK5T2VG"`
	Destination string     `json:"destination" example:"https://shop.example/course?src={sub1}"`
	Status      link.State `json:"status" enum:"active,disabled"`
	ExpiresAt   *Time      `json:"expires_at" nullable:"true" doc:"null: never"`
	CreatedAt   Time       `json:"created_at"`
	UpdatedAt   Time       `json:"updated_at"`
}

// LinkRequest asks for a link.
type LinkRequest struct {
	AffiliateID string `json:"affiliate_id" example:"aff_01J8Z0QK5T2VG"`
	ProgramID   string `json:"program_id" example:"prg_01J8Z0QK5T2VG"`
	Slug        string `json:"slug,omitempty" maxLength:"64" example:"spring-sale" doc:"The path of the link; one of 7 characters is made if it is absent"`
	Destination string `json:"destination" minLength:"1" maxLength:"2048" example:"https://shop.example/course?src={sub1}" doc:"May hold the macros {click_id}, {sub1} to {sub5}, {country}, {affiliate_id}, {link_id}, {program_id} and {slug}"`
	ExpiresAt   *Time  `json:"expires_at,omitempty" doc:"Absent: never"`
}

// LinkPatchRequest changes what it names.
type LinkPatchRequest struct {
	Destination *string        `json:"destination,omitempty" minLength:"1" maxLength:"2048"`
	Status      *link.State    `json:"status,omitempty" enum:"active,disabled"`
	ExpiresAt   Nullable[Time] `json:"expires_at,omitempty" required:"false" doc:"null: never"`
}

// LinkPath names one link.
type LinkPath struct {
	ID string `path:"id" example:"lnk_01J8Z0QK5T2VG"`
}

type linkOutput struct{ Body Link }

type linkList struct {
	ListInput
	AffiliateID string `query:"affiliate_id" example:"aff_01J8Z0QK5T2VG"`
	ProgramID   string `query:"program_id" example:"prg_01J8Z0QK5T2VG"`
	PeriodInput
	Slug   string `query:"slug" maxLength:"64" example:"spring" doc:"Beginning of the slug; of many, the first 500 are looked at, unless the affiliate is named"`
	Status string `query:"status" enum:"active,disabled"`
}

func linkOperations(a *API, c *catalog.Catalog) {
	handle(a, operation{
		id: "create-link", method: http.MethodPost, path: "/links", tag: "Links", scope: access.CatalogWrite,
		status: http.StatusCreated, summary: "Create a link", errors: []int{http.StatusConflict},
	}, func(ctx context.Context, in *struct{ Body LinkRequest }) (*linkOutput, error) {
		want, err := in.Body.link()
		if err != nil {
			return nil, err
		}
		out := &linkOutput{}
		_, err = c.CreateLink(ctx, want, func(tx *db.Tx, made catalog.Link) error {
			out.Body = linkBody(made)
			if err := a.audited(ctx, tx, "link.create", ident.Link, made.ID, nil, out.Body); err != nil {
				return err
			}
			return record(ctx, tx, http.StatusCreated, out.Body)
		})
		return out, err
	})
	handle(a, operation{
		id: "list-links", method: http.MethodGet, path: "/links", tag: "Links", scope: access.CatalogRead,
		summary: "List links", about: "The newest first.", errors: []int{http.StatusBadRequest},
	}, func(ctx context.Context, in *linkList) (*listOutput[Link], error) {
		since, before, err := in.between(ident.Link, in.PeriodInput)
		if err != nil {
			return nil, err
		}
		affiliate, err1 := fieldID(ident.Affiliate, "query.affiliate_id", in.AffiliateID)
		program, err2 := fieldID(ident.Program, "query.program_id", in.ProgramID)
		if err := invalidAll(err1, err2); err != nil {
			return nil, err
		}
		rows, err := c.Links(ctx, catalog.LinkFilter{
			AffiliateID: affiliate, ProgramID: program, Slug: in.Slug, Status: link.State(in.Status), Since: since,
		}, before, in.Limit+1)
		if err != nil {
			return nil, err
		}
		return page(ident.Link, in.Limit, rows, func(l catalog.Link) int64 { return l.ID }, linkBody), nil
	})
	handle(a, operation{
		id: "get-link", method: http.MethodGet, path: "/links/{id}", tag: "Links", scope: access.CatalogRead,
		summary: "Get a link", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *LinkPath) (*linkOutput, error) {
		id, err := pathID(ident.Link, in.ID)
		if err != nil {
			return nil, err
		}
		l, err := c.Link(ctx, id)
		return &linkOutput{linkBody(l)}, err
	})
	handle(a, operation{
		id: "update-link", method: http.MethodPatch, path: "/links/{id}", tag: "Links", scope: access.CatalogWrite,
		summary: "Change a link", about: "Fields that are absent stay as they are. The change is everywhere within a second.",
		errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *struct {
		LinkPath
		Body LinkPatchRequest
	}) (*linkOutput, error) {
		id, err := pathID(ident.Link, in.ID)
		if err != nil {
			return nil, err
		}
		patch, err := in.Body.patch()
		if err != nil {
			return nil, err
		}
		l, err := c.UpdateLink(ctx, id, patch, changed(ctx, a, "link.update", ident.Link, id, linkBody))
		return &linkOutput{linkBody(l)}, err
	})
}

func (r LinkRequest) link() (catalog.NewLink, error) {
	affiliate, err1 := fieldID(ident.Affiliate, "body.affiliate_id", r.AffiliateID)
	program, err2 := fieldID(ident.Program, "body.program_id", r.ProgramID)
	var expires int64
	var err3 error
	if r.ExpiresAt != nil {
		expires, err3 = parseTime("body.expires_at", *r.ExpiresAt)
	}
	return catalog.NewLink{
		AffiliateID: affiliate, ProgramID: program, Slug: r.Slug, Destination: r.Destination, ExpiresAt: expires,
	}, invalidAll(err1, err2, err3)
}

func (r LinkPatchRequest) patch() (catalog.LinkPatch, error) {
	patch := catalog.LinkPatch{Destination: r.Destination, Status: r.Status}
	if !r.ExpiresAt.Sent {
		return patch, nil
	}
	var expires int64
	if r.ExpiresAt.Value != nil {
		var err error
		if expires, err = parseTime("body.expires_at", *r.ExpiresAt.Value); err != nil {
			return catalog.LinkPatch{}, err
		}
	}
	patch.ExpiresAt = &expires
	return patch, nil
}

func linkBody(l catalog.Link) Link {
	return Link{
		ID: ident.Format(ident.Link, l.ID), Slug: l.Slug, AffiliateID: ident.Format(ident.Affiliate, l.AffiliateID),
		ProgramID: ident.Format(ident.Program, l.ProgramID), Destination: l.Destination, Status: l.Status,
		ExpiresAt: timeOrNil(l.ExpiresAt), CreatedAt: timeOf(l.CreatedAt), UpdatedAt: timeOf(l.UpdatedAt),
	}
}

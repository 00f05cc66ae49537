package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/catalog"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/ident"
)

// Affiliate is an affiliate as shown.
type Affiliate struct {
	ID        string         `json:"id" example:"aff_01J8Z0QK5T2VG"`
	Name      string         `json:"name" example:"Ann Example"`
	Email     string         `json:"email" example:"ann@example.com"`
	Status    catalog.Status `json:"status" enum:"active,suspended,pending" doc:"pending: asked to become one, and waits for approval (set active) or refusal (set suspended)"`
	SponsorID string         `json:"sponsor_id" example:"aff_01J8Z0QK5T2VG" doc:"Who brought this affiliate; empty: nobody"`
	GroupID   string         `json:"group_id" example:"grp_01J8Z0QK5T2VG" doc:"Empty: none"`
	CreatedAt Time           `json:"created_at"`
	UpdatedAt Time           `json:"updated_at"`
}

// AffiliateRequest asks for an affiliate.
type AffiliateRequest struct {
	Name  string `json:"name" minLength:"1" maxLength:"255" example:"Ann Example"`
	Email string `json:"email" minLength:"3" maxLength:"254" example:"ann@example.com"`

	SponsorID string `json:"sponsor_id,omitempty" example:"aff_01J8Z0QK5T2VG" doc:"The affiliate who brought this one"`
	GroupID   string `json:"group_id,omitempty" example:"grp_01J8Z0QK5T2VG"`
}

// AffiliatePatchRequest changes what it names.
type AffiliatePatchRequest struct {
	Name   *string         `json:"name,omitempty" minLength:"1" maxLength:"255"`
	Email  *string         `json:"email,omitempty" minLength:"3" maxLength:"254"`
	Status *catalog.Status `json:"status,omitempty" enum:"active,suspended" doc:"The links of a suspended affiliate are disabled while it lasts"`

	SponsorID *string `json:"sponsor_id,omitempty" example:"aff_01J8Z0QK5T2VG" doc:"Empty: nobody. Commissions made from now on follow it; a circle is refused"`
	GroupID   *string `json:"group_id,omitempty" example:"grp_01J8Z0QK5T2VG" doc:"Empty: none"`

	Reason string `json:"reason,omitempty" maxLength:"500" example:"agreed by phone" doc:"For the audit log. Required to refuse who applied (pending to suspended): he reads it in a mail"`
}

// AffiliatePath names one affiliate.
type AffiliatePath struct {
	ID string `path:"id" example:"aff_01J8Z0QK5T2VG"`
}

type affiliateOutput struct{ Body Affiliate }

type affiliateList struct {
	ListInput
	PeriodInput
	Status    string `query:"status" enum:"active,suspended,pending" doc:"pending: applications that wait"`
	Email     string `query:"email" maxLength:"254" example:"ann@" doc:"Beginning of the address; of many, the first 500 are looked at"`
	Name      string `query:"name" maxLength:"255" example:"Ann" doc:"Beginning of the name, in any case; of many, the first 500 are looked at"`
	SponsorID string `query:"sponsor_id" example:"aff_01J8Z0QK5T2VG"`
	GroupID   string `query:"group_id" example:"grp_01J8Z0QK5T2VG"`
}

func (in *affiliateList) filter() (catalog.AffiliateFilter, error) {
	since, before, err := in.between(ident.Affiliate, in.PeriodInput)
	if err != nil {
		return catalog.AffiliateFilter{}, err
	}
	sponsor, err1 := fieldID(ident.Affiliate, "query.sponsor_id", in.SponsorID)
	group, err2 := fieldID(ident.AffiliateGroup, "query.group_id", in.GroupID)
	return catalog.AffiliateFilter{
		Status: catalog.Status(in.Status), Email: strings.TrimSpace(in.Email), Name: strings.TrimSpace(in.Name), SponsorID: sponsor, GroupID: group,
		Since: since, Before: before, Limit: in.Limit + 1,
	}, invalidAll(err1, err2)
}

func affiliateOperations(a *API, c *catalog.Catalog) {
	handle(a, operation{
		id: "create-affiliate", method: http.MethodPost, path: "/affiliates", tag: "Affiliates", scope: access.CatalogWrite,
		status: http.StatusCreated, summary: "Create an affiliate",
	}, func(ctx context.Context, in *struct{ Body AffiliateRequest }) (*affiliateOutput, error) {
		out := &affiliateOutput{}
		want, err := in.Body.affiliate()
		if err != nil {
			return nil, err
		}
		_, err = c.AddAffiliate(ctx, want, func(tx *db.Tx, made catalog.Affiliate) error {
			out.Body = affiliateBody(made)
			if err := a.audited(ctx, tx, "affiliate.create", ident.Affiliate, made.ID, nil, out.Body); err != nil {
				return err
			}
			return record(ctx, tx, http.StatusCreated, out.Body)
		})
		return out, err
	})
	handle(a, operation{
		id: "list-affiliates", method: http.MethodGet, path: "/affiliates", tag: "Affiliates", scope: access.CatalogRead,
		summary: "List affiliates", about: "The newest first.", errors: []int{http.StatusBadRequest},
	}, func(ctx context.Context, in *affiliateList) (*listOutput[Affiliate], error) {
		f, err := in.filter()
		if err != nil {
			return nil, err
		}
		rows, err := c.Affiliates(ctx, f)
		if err != nil {
			return nil, err
		}
		return page(ident.Affiliate, in.Limit, rows, func(a catalog.Affiliate) int64 { return a.ID }, affiliateBody), nil
	})
	handle(a, operation{
		id: "get-affiliate", method: http.MethodGet, path: "/affiliates/{id}", tag: "Affiliates", scope: access.CatalogRead,
		summary: "Get an affiliate", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *AffiliatePath) (*affiliateOutput, error) {
		id, err := pathID(ident.Affiliate, in.ID)
		if err != nil {
			return nil, err
		}
		found, err := c.Affiliate(ctx, id)
		return &affiliateOutput{affiliateBody(found)}, err
	})
	handle(a, operation{
		id: "update-affiliate", method: http.MethodPatch, path: "/affiliates/{id}", tag: "Affiliates", scope: access.CatalogWrite,
		summary: "Change an affiliate",
		about:   "Fields that are absent stay as they are. Who applied is told by mail when he is approved (pending to active) or refused (pending to suspended).", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *struct {
		AffiliatePath
		Body AffiliatePatchRequest
	}) (*affiliateOutput, error) {
		id, err := pathID(ident.Affiliate, in.ID)
		if err != nil {
			return nil, err
		}
		patch, err := in.Body.patch()
		if err != nil {
			return nil, err
		}
		now, err := c.UpdateAffiliate(ctx, id, patch, changedFor(ctx, a, "affiliate.update", in.Body.Reason, ident.Affiliate, id, affiliateBody))
		return &affiliateOutput{affiliateBody(now)}, err
	})
}

func affiliateBody(a catalog.Affiliate) Affiliate {
	return Affiliate{
		ID: ident.Format(ident.Affiliate, a.ID), Name: a.Name, Email: a.Email, Status: a.Status,
		SponsorID: identOrNone(ident.Affiliate, a.SponsorID), GroupID: identOrNone(ident.AffiliateGroup, a.GroupID),
		CreatedAt: timeOf(a.CreatedAt), UpdatedAt: timeOf(a.UpdatedAt),
	}
}

func (r AffiliateRequest) affiliate() (catalog.NewAffiliate, error) {
	sponsor, err1 := fieldID(ident.Affiliate, "body.sponsor_id", r.SponsorID)
	group, err2 := fieldID(ident.AffiliateGroup, "body.group_id", r.GroupID)
	return catalog.NewAffiliate{Name: r.Name, Email: r.Email, SponsorID: sponsor, GroupID: group}, invalidAll(err1, err2)
}

func (r AffiliatePatchRequest) patch() (catalog.AffiliatePatch, error) {
	sponsor, err1 := optionalID(ident.Affiliate, "body.sponsor_id", r.SponsorID)
	group, err2 := optionalID(ident.AffiliateGroup, "body.group_id", r.GroupID)
	return catalog.AffiliatePatch{Reason: r.Reason, Name: r.Name, Email: r.Email, Status: r.Status, SponsorID: sponsor, GroupID: group}, invalidAll(err1, err2)
}

// optionalID is fieldID for a field that may be absent.
func optionalID(kind, location string, text *string) (*int64, error) {
	if text == nil {
		return nil, nil
	}
	id, err := fieldID(kind, location, *text)
	return &id, err
}

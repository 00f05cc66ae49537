package api

import (
	"context"
	"net/http"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/catalog"
	"github.com/edgeref/edgeref/core/commission"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/money"
)

// DownlineMember is somebody who came through an affiliate.
type DownlineMember struct {
	ID          string         `json:"id" example:"aff_01J8Z0QK5T2VG"`
	Name        string         `json:"name" example:"Ann Example"`
	Status      catalog.Status `json:"status" enum:"active,suspended,pending"`
	SponsorID   string         `json:"sponsor_id" example:"aff_01J8Z0QK5T2VG"`
	SponsorName string         `json:"sponsor_name" example:"Bob Example" doc:"Of who brought him"`
	Depth       int            `json:"depth" example:"1" doc:"1: brought by the affiliate himself"`
	JoinedAt    Time           `json:"joined_at"`
}

// OwnDownlineMember is somebody who came through the affiliate who asks, and what that earned.
type OwnDownlineMember struct {
	DownlineMember
	Commissions int64          `json:"commissions" example:"12" doc:"That you earned by his sales"`
	Earned      []money.Amount `json:"earned" nullable:"false" doc:"Of these, less what was taken back; one for each currency"`
}

// DownlineInput selects members of a downline.
type DownlineInput struct {
	ListInput
	Level int `query:"level" minimum:"1" maximum:"10" doc:"Only this one; all ten if absent" example:"1"`
}

// read gives the rows of a page and one more.
func (in *DownlineInput) read(ctx context.Context, c *catalog.Catalog, affiliate int64) ([]catalog.Member, error) {
	before, err := in.after(ident.Affiliate)
	if err != nil {
		return nil, err
	}
	return c.Downline(ctx, affiliate, catalog.DownlineFilter{Level: in.Level, Before: before, Limit: in.Limit + 1})
}

func memberID(m catalog.Member) int64 { return m.ID }

const downlineAbout = "Directly and through others, ten levels deep. The newest first."

func downlineOperation(a *API, c *catalog.Catalog) {
	handle(a, operation{
		id: "list-downline", method: http.MethodGet, path: "/affiliates/{id}/downline", tag: "Affiliates", scope: access.CatalogRead,
		summary: "List whom an affiliate brought", about: downlineAbout, errors: []int{http.StatusBadRequest, http.StatusNotFound},
	}, func(ctx context.Context, in *struct {
		AffiliatePath
		DownlineInput
	}) (*listOutput[DownlineMember], error) {
		id, err := pathID(ident.Affiliate, in.ID)
		if err != nil {
			return nil, err
		}
		if _, err := c.Affiliate(ctx, id); err != nil {
			return nil, err
		}
		rows, err := in.read(ctx, c, id)
		if err != nil {
			return nil, err
		}
		return page(ident.Affiliate, in.Limit, rows, memberID, memberBody), nil
	})
}

func ownDownline(a *API, c *catalog.Catalog, s *commission.Service) {
	handleSelf(a, operation{
		id: "list-my-downline", method: http.MethodGet, path: "/downline", summary: "List whom you brought", about: downlineAbout,
		errors: []int{http.StatusBadRequest},
	}, func(ctx context.Context, affiliate int64, in *DownlineInput) (*listOutput[OwnDownlineMember], error) {
		rows, err := in.read(ctx, c, affiliate)
		if err != nil {
			return nil, err
		}
		ids := make([]int64, 0, len(rows))
		for _, m := range rows[:min(in.Limit, len(rows))] {
			ids = append(ids, m.ID)
		}
		sums, err := s.ByMembers(ctx, affiliate, ids)
		if err != nil {
			return nil, err
		}
		of := map[int64][]commission.MemberSum{}
		for _, sum := range sums {
			of[sum.MemberID] = append(of[sum.MemberID], sum)
		}
		return page(ident.Affiliate, in.Limit, rows, memberID, func(m catalog.Member) OwnDownlineMember {
			body := OwnDownlineMember{DownlineMember: memberBody(m), Earned: make([]money.Amount, 0, len(of[m.ID]))}
			for _, sum := range of[m.ID] {
				body.Commissions += sum.Commissions
				body.Earned = append(body.Earned, sum.Kept)
			}
			return body
		}), nil
	})
}

func memberBody(m catalog.Member) DownlineMember {
	return DownlineMember{
		ID: ident.Format(ident.Affiliate, m.ID), Name: m.Name, Status: m.Status, SponsorID: ident.Format(ident.Affiliate, m.SponsorID),
		SponsorName: m.SponsorName, Depth: m.Depth, JoinedAt: timeOf(m.CreatedAt),
	}
}

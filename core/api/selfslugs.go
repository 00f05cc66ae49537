package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/edgeref/edgeref/core/catalog"
)

// SlugCheck says whether a slug can be had. Somebody else may still be faster.
type SlugCheck struct {
	Slug   string `json:"slug" example:"spring-sale"`
	Free   bool   `json:"free"`
	Reason string `json:"reason" enum:",taken,not_allowed" example:"" doc:"Why not. not_allowed: too short, reserved, or with other characters than A-Z a-z 0-9 . _ ~ -"`
}

// minOwnSlug is the shortest slug that affiliates may choose, as OwnLinkRequest says; shorter ones are the business's.
const minOwnSlug = 4

type slugCheckOutput struct{ Body SlugCheck }

// ownSlugs tells nothing that a visit to the link would not tell.
func ownSlugs(a *API, c *catalog.Catalog) {
	handleSelf(a, operation{
		id: "check-my-slug", method: http.MethodGet, path: "/slugs/{slug}", summary: "See whether a slug is free", about: "Of a link that you want to make.",
	}, func(ctx context.Context, _ int64, in *struct {
		Slug string `path:"slug" maxLength:"64" example:"spring-sale"`
	}) (*slugCheckOutput, error) {
		out := &slugCheckOutput{SlugCheck{Slug: in.Slug}}
		var bad *catalog.InvalidError
		switch err := c.SlugFree(ctx, in.Slug); {
		case len(in.Slug) < minOwnSlug:
			out.Body.Reason = "not_allowed"
		case err == nil:
			out.Body.Free = true
		case errors.Is(err, catalog.ErrSlugTaken):
			out.Body.Reason = "taken"
		case errors.As(err, &bad):
			out.Body.Reason = "not_allowed"
		default:
			return nil, err
		}
		return out, nil
	})
}

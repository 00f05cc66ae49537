package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/catalog"
	"github.com/edgeref/edgeref/wire/ident"
)

// Name is what a page shows in the place of an identifier.
type Name struct {
	ID     string `json:"id" example:"aff_01J8Z0QK5T2VG"`
	Name   string `json:"name" example:"Ann Example" doc:"Of a link: its slug"`
	Status string `json:"status" example:"active" doc:"Empty: it has none"`
}

// nameOperations registers the look-up of names: a list of a hundred rows needs one request for them, not a hundred.
func nameOperations(a *API, c *catalog.Catalog) {
	handle(a, operation{
		id: "list-names", method: http.MethodGet, path: "/names", tag: "Affiliates", scope: access.CatalogRead,
		summary: "List the names of affiliates, groups, links and programs",
		about:   "In the order asked for. What does not exist is left out. Always one page.",
	}, func(ctx context.Context, in *struct {
		ID []string `query:"id,explode" required:"true" minItems:"1" maxItems:"200" doc:"Identifiers, of one or of several kinds" example:"[\"aff_01J8Z0QK5T2VG\"]"`
	}) (*listOutput[Name], error) {
		found, err := namesOf(ctx, c, in.ID)
		if err != nil {
			return nil, err
		}
		out := &listOutput[Name]{Body: List[Name]{Items: []Name{}}}
		for _, id := range in.ID {
			if n, ok := found[id]; ok {
				out.Body.Items = append(out.Body.Items, n)
				delete(found, id)
			}
		}
		return out, nil
	})
}

// namesOf looks identifiers up, one query a kind.
func namesOf(ctx context.Context, c *catalog.Catalog, texts []string) (map[string]Name, error) {
	readers := map[string]func(context.Context, []int64) ([]catalog.Name, error){
		ident.Affiliate: c.AffiliateNames, ident.AffiliateGroup: c.GroupNames, ident.Link: c.LinkNames, ident.Program: c.ProgramNames,
	}
	asked := map[string][]int64{}
	for _, text := range texts {
		kind, _, _ := strings.Cut(text, "_")
		if readers[kind] == nil {
			return nil, invalid("query.id", "must be identifiers of affiliates, groups, links or programs")
		}
		id, err := fieldID(kind, "query.id", text)
		if err != nil {
			return nil, err
		}
		asked[kind] = append(asked[kind], id)
	}
	out := make(map[string]Name, len(texts))
	for kind, ids := range asked {
		rows, err := readers[kind](ctx, ids)
		if err != nil {
			return nil, err
		}
		for _, n := range rows {
			text := ident.Format(kind, n.ID)
			out[text] = Name{ID: text, Name: n.Name, Status: n.Status}
		}
	}
	return out, nil
}

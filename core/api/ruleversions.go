package api

import (
	"context"
	"net/http"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/commission"
	"github.com/edgeref/edgeref/wire/ident"
)

func ruleVersionsOperation(a *API, s *commission.Service) {
	handle(a, operation{
		id: "list-commission-rule-versions", method: http.MethodGet, path: "/commission-rules/{id}/versions", tag: "Commission rules", scope: access.CatalogRead,
		summary: "List all versions of a commission rule", about: "The newest first. Commissions name the version they were made with. Always one page.",
		errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *RulePath) (*listOutput[Rule], error) {
		id, err := pathID(ident.Rule, in.ID)
		if err != nil {
			return nil, err
		}
		rows, err := s.Versions(ctx, id)
		if err != nil {
			return nil, err
		}
		out := &listOutput[Rule]{Body: List[Rule]{Items: make([]Rule, len(rows))}}
		for i, r := range rows {
			out.Body.Items[i] = ruleBody(r)
		}
		return out, nil
	})
}

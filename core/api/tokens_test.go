package api_test

import (
	"net/http"
	"testing"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/api"
)

// Every scope that a machine may have can be asked for by name, and no other.
func TestTokensTakeEveryScope(t *testing.T) {
	s := sqliteServer(t)
	for _, scope := range access.Scopes() {
		got := s.do("POST", "/api/v1/tokens", map[string]any{"name": "x", "scopes": []access.Scope{scope}})
		if scope.Personal() {
			got.want(http.StatusUnprocessableEntity, "validation_failed")
			continue
		}
		var made api.NewToken
		got.want(http.StatusCreated).into(&made)
		if len(made.Scopes) != 1 || made.Scopes[0] != scope {
			t.Errorf("%s: %+v", scope, made)
		}
	}
	s.do("POST", "/api/v1/tokens", map[string]any{"name": "x", "scopes": []string{"root"}}).want(http.StatusUnprocessableEntity, "validation_failed")
}

func TestTokens(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		var made api.NewToken
		s.do("POST", "/api/v1/tokens", map[string]any{"name": "shop", "scopes": []string{"catalog:read"}}).want(http.StatusCreated).into(&made)
		s.bearer = made.Secret
		s.do("GET", "/api/v1/tokens", nil).want(http.StatusForbidden, "forbidden")
		s.bearer = adminSecret
		s.do("DELETE", "/api/v1/tokens/"+made.ID, nil).want(http.StatusNoContent)
		s.do("DELETE", "/api/v1/tokens/"+made.ID, nil).want(http.StatusNotFound, "not_found")
		s.do("DELETE", "/api/v1/tokens/aff_0000000000001", nil).want(http.StatusNotFound, "not_found")
		s.bearer = made.Secret
		s.do("GET", "/api/v1/tokens", nil).want(http.StatusUnauthorized, "unauthenticated")
	})
}

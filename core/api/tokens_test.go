package api_test

import (
	"net/http"
	"testing"

	"github.com/edgeref/edgeref/core/api"
)

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

package api

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/token"
)

const securityScheme = "bearer"

// authorize lets a request pass whose token has the scope that its operation declares. An operation that declares
// none lets nobody pass, unless it is public.
func (a *API) authorize(ctx huma.Context, next func(huma.Context)) {
	if l := limiterOf(ctx.Operation()); l != nil {
		a.admit(ctx, l, next)
		return
	}
	std := ctx.Context()
	p, err := a.tokens.Authenticate(std, bearer(ctx.Header("Authorization")))
	if errors.Is(err, token.ErrUnauthenticated) {
		ctx.SetHeader("WWW-Authenticate", `Bearer realm="edgeref"`)
	}
	if err == nil {
		infoOf(std).token = p.TokenID
		err = permit(ctx.Operation(), p)
	}
	if err != nil {
		a.refuse(ctx, err)
		return
	}
	next(huma.WithContext(ctx, access.With(std, p)))
}

// errScope says that a token is valid but may not do this.
type errScope struct{ scope string }

func (e errScope) Error() string { return "the token lacks the scope " + e.scope }

func permit(op *huma.Operation, p access.Principal) error {
	declared := false
	for _, scheme := range op.Security {
		for _, scope := range scheme[securityScheme] {
			declared = true
			if !p.Can(access.Scope(scope)) {
				return errScope{scope}
			}
		}
	}
	if !declared {
		return errScope{"(no token can do this)"}
	}
	return nil
}

// refuse ends a request in a middleware.
func (a *API) refuse(ctx huma.Context, err error) {
	writeProblemTo(ctx, a.toProblem(ctx.Context(), err))
}

// bearer is the secret of an Authorization header, or empty.
func bearer(header string) string {
	scheme, secret, ok := strings.Cut(header, " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(secret)
}

// principalOf is who makes a request.
func principalOf(ctx context.Context) access.Principal {
	p, ok := access.From(ctx)
	if !ok {
		panic("BUG: request was not authorized")
	}
	return p
}

func unauthenticated() (int, string, string) {
	return http.StatusUnauthorized, "unauthenticated", "a valid token is needed: Authorization: Bearer <token>"
}

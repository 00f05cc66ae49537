package api

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

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
		info := infoOf(std)
		info.token, info.person = p.TokenID, p.PersonID
		p.Address = addressText(info.address)
		err = a.permit(ctx.Operation(), p)
	}
	if err != nil {
		a.refuse(ctx, err)
		return
	}
	next(huma.WithContext(ctx, access.With(std, p)))
}

// SecondFactorFor is how long a proved second factor opens the operations that need one.
const SecondFactorFor = 15 * time.Minute

// Refusals of those who are known. Codes see errors.go.
var (
	errReadOnly     = errors.New("this session only looks at another's pages: it can change nothing")
	errNeedsPerson  = errors.New("this needs a person: a machine's token cannot do it")
	errSecondFactor = errors.New("this needs a second factor, proved in this session within the last 15 minutes")
)

// errScope says that a token is valid but may not do this.
type errScope struct{ scope string }

func (e errScope) Error() string { return "the token lacks the scope " + e.scope }

// rules are what an operation demands beside its scope. They are in its metadata.
type rules struct {
	secondFactor bool // of a person; machines prove nothing
	needsPerson  bool
}

const rulesKey = "rules"

// permit is the one place where it is decided who may do what.
func (a *API) permit(op *huma.Operation, p access.Principal) error {
	if err := permitScope(op, p); err != nil {
		return err
	}
	r, _ := op.Metadata[rulesKey].(rules)
	switch {
	case p.ReadOnly && op.Method != http.MethodGet:
		return errReadOnly
	case r.needsPerson && p.PersonID == 0:
		return errNeedsPerson
	case r.secondFactor && p.PersonID != 0 && !fresh(p.SecondFactorAt, a.now()):
		return errSecondFactor
	}
	return nil
}

// fresh reports whether a second factor that was proved at a time in Unix ms still counts. One from the future does not.
func fresh(at int64, now time.Time) bool {
	age := now.Sub(time.UnixMilli(at))
	return at != 0 && age >= 0 && age < SecondFactorFor
}

func permitScope(op *huma.Operation, p access.Principal) error {
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

// Scheme authenticates the secrets that begin with a prefix, as those of people's sessions do.
type Scheme struct {
	Prefix        string
	Authenticator authenticator
}

// Chain returns an authenticator that asks the first scheme whose prefix a secret has, and fallback about all others: an
// admin token that was given by configuration begins with anything.
func Chain(fallback authenticator, schemes ...Scheme) authenticator {
	return chain{fallback, schemes}
}

type chain struct {
	fallback authenticator
	schemes  []Scheme
}

func (c chain) Authenticate(ctx context.Context, secret string) (access.Principal, error) {
	for _, s := range c.schemes {
		if strings.HasPrefix(secret, s.Prefix) {
			return s.Authenticator.Authenticate(ctx, secret)
		}
	}
	return c.fallback.Authenticate(ctx, secret)
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

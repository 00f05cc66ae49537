// Package api is the core's HTTP API, version 1: JSON under /api/v1, described at /openapi.json, browsable at /docs.
//
// Each domain registers its operations in its own file. What all of them share is done once: tokens and scopes
// (auth.go), errors (errors.go), idempotency keys (idempotency.go), cursors (list.go), limits, log and metrics
// (middleware.go).
package api

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/swaggest/swgui"
	"github.com/swaggest/swgui/v5emb"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/db"
)

const (
	prefix  = "/api/v1"
	maxBody = 1 << 20 // bytes
	// bodyTimeout is how long a client may take to send its body.
	bodyTimeout = 10 * time.Second
	// rawTimeout is bodyTimeout of operations that take a file.
	rawTimeout = 25 * time.Second
	// requestTimeout ends the work of a request whose client waits; far longer than any of it should take.
	requestTimeout = 30 * time.Second
)

// authenticator says who a bearer secret belongs to. The error is token.ErrUnauthenticated, or says that it could not
// look. It is safe for concurrent use.
type authenticator interface {
	Authenticate(ctx context.Context, secret string) (access.Principal, error)
}

// Options of the API.
type Options struct {
	DB         *db.DB // for idempotency keys
	Tokens     authenticator
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Audit      auditor // nil: nothing is audited, for tests
	Now        func() time.Time
	Version    string // of the program, shown in the description
	// TrustedProxies are the networks of peers whose CF-Connecting-IP is believed.
	TrustedProxies []netip.Prefix
}

// Module registers the operations of one domain.
type Module func(*API)

// API serves the operations of its modules. It is safe for concurrent use.
type API struct {
	huma    huma.API
	router  chi.Router
	tokens  authenticator
	keys    *idempotency
	log     *slog.Logger
	now     func() time.Time
	metrics *metrics
	trusted []netip.Prefix
	audit   auditor
}

// New returns the API with the operations of the modules.
func New(opts Options, modules ...Module) (*API, error) {
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	installErrors()
	a := &API{
		router: chi.NewMux(), tokens: opts.Tokens, log: opts.Logger, now: opts.Now, metrics: newMetrics(opts.Registerer),
		trusted: opts.TrustedProxies, audit: opts.Audit,
	}
	a.keys = &idempotency{db: opts.DB, now: opts.Now, metrics: a.metrics}
	a.router.Use(a.identify, a.observe, a.recover, secure, deadline)
	a.router.NotFound(func(w http.ResponseWriter, r *http.Request) {
		writeProblem(w, newProblem(r.Context(), http.StatusNotFound, "not_found", "there is nothing at this path"))
	})
	a.router.MethodNotAllowed(func(w http.ResponseWriter, r *http.Request) {
		writeProblem(w, newProblem(r.Context(), http.StatusMethodNotAllowed, "method_not_allowed", "this path does not take this method"))
	})
	a.huma = humachi.New(a.router, description(opts.Version))
	a.huma.UseMiddleware(a.authorize, a.idempotent)
	for _, module := range modules {
		module(a)
	}
	if err := a.serveDescription(); err != nil {
		return nil, err
	}
	return a, nil
}

// ServeHTTP implements http.Handler.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.router.ServeHTTP(w, r) }

func description(version string) huma.Config {
	cfg := huma.DefaultConfig("Edgeref", version)
	cfg.Info.Description = "Programs, affiliates and links; conversions, commissions and the ledger; reports.\n\n" +
		"A request needs `Authorization: Bearer <token>`, unless its operation says that it is public. Errors are `application/problem+json` with a stable `code`. " +
		"Lists give `items` and `next_cursor`; an empty cursor is the end. " +
		"A POST may carry an `Idempotency-Key`: sent again within 24 hours, it is done once and answered the same."
	cfg.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		securityScheme: {Type: "http", Scheme: "bearer", Description: "A token made with `POST /api/v1/tokens`."},
	}
	// The documents are served by us; and bodies carry no $schema.
	cfg.OpenAPIPath, cfg.DocsPath, cfg.SchemasPath, cfg.CreateHooks = "", "", "", nil
	cfg.RejectUnknownQueryParameters = true // a misspelt filter must not give everything
	return cfg
}

// serveDescription serves the finished OpenAPI document, and a page that shows it without anything from elsewhere.
func (a *API) serveDescription() error {
	doc, err := json.Marshal(a.huma.OpenAPI())
	if err != nil {
		return fmt.Errorf("describe API: %w", err)
	}
	a.router.Get("/openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/openapi+json")
		_, _ = w.Write(doc)
	})
	page := v5emb.NewHandlerWithConfig(swgui.Config{Title: "Edgeref API", SwaggerJSON: "/openapi.json", BasePath: "/docs"})
	docs := func(w http.ResponseWriter, r *http.Request) {
		// The page starts itself with a script in it, and styles itself.
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self' 'unsafe-inline'; "+
			"style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'")
		page.ServeHTTP(w, r)
	}
	a.router.Get("/docs", docs)
	a.router.Get("/docs/*", docs)
	return nil
}

// operation declares one operation. Everybody who calls it needs a token with its scope, unless it is public.
type operation struct {
	id, method, path string // path under /api/v1
	summary, about   string
	tag              string
	scope            access.Scope
	public           bool   // needs no token, and has no scope
	perMinute        int    // of a public operation: requests of one client address
	secondFactor     bool   // a person must have proved one within SecondFactorFor; machines pass
	needsPerson      bool   // machines' tokens are refused, whatever their scopes
	unaudited        string // why a success leaves no audit entry; empty: it must, unless it only reads or is public
	raw              int64  // the body is taken as it comes: at most so many bytes, over at most rawTimeout; 0: JSON
	status           int    // of success; default 200
	errors           []int  // beside 401, 403, 422 and 500
}

// demands says what an operation needs beside its scope.
func (op operation) demands() (text string) {
	if op.needsPerson {
		text = " Needs a person: a machine's token cannot do it."
	}
	if op.secondFactor {
		text += " A person needs a second factor that was proved in the session within 15 minutes (403 `second_factor_required`)."
	}
	return text
}

// handle registers an operation. Errors of fn become problems as errors.go says.
func handle[I, O any](a *API, op operation, fn func(context.Context, *I) (*O, error)) {
	if op.public == slices.Contains(access.Scopes(), op.scope) || op.public == (op.perMinute <= 0) || op.public && (op.secondFactor || op.needsPerson) {
		panic("BUG: operation " + op.id + " must declare a scope, or be public with a limit")
	}
	h := huma.Operation{
		OperationID: op.id, Method: op.method, Path: prefix + op.path, Summary: op.summary,
		Description:   strings.TrimSpace(op.about + "\n\nScope: `" + string(op.scope) + "`."),
		Tags:          []string{op.tag},
		DefaultStatus: op.status,
		Errors:        append([]int{http.StatusUnauthorized, http.StatusForbidden}, op.errors...),
		Security:      []map[string][]string{{securityScheme: {string(op.scope)}}},
		MaxBodyBytes:  maxBody, BodyReadTimeout: bodyTimeout,
	}
	if op.raw > 0 {
		h.SkipValidateBody, h.MaxBodyBytes, h.BodyReadTimeout = true, op.raw, rawTimeout
	}
	if op.secondFactor || op.needsPerson {
		h.Metadata = map[string]any{rulesKey: rules{secondFactor: op.secondFactor, needsPerson: op.needsPerson}}
		h.Extensions = map[string]any{"x-second-factor": op.secondFactor, "x-needs-person": op.needsPerson}
		h.Description += op.demands()
	}
	if op.public {
		h.Description = strings.TrimSpace(op.about + "\n\nPublic: needs no token. At most " + strconv.Itoa(op.perMinute) + " requests a minute from one address.")
		h.Errors = append([]int{http.StatusTooManyRequests}, op.errors...)
		h.Security = nil
		h.Metadata = map[string]any{publicKey: newLimiter(op.perMinute)}
		h.Extensions = map[string]any{"x-public": true}
	}
	if op.method == http.MethodPost {
		h.Parameters = append(h.Parameters, &huma.Param{
			Name: keyHeader, In: "header", Description: "Makes the request safe to repeat for 24 hours.",
			Schema: &huma.Schema{Type: huma.TypeString}, Example: "8e03978e-40d5-43dd-bc93-6894a57f9324",
		})
	}
	if a.isAudited(op) {
		a.metrics.unlogged.WithLabelValues(op.id) // from zero on, so that the first one is an increase
	}
	huma.Register(a.huma, h, func(ctx context.Context, in *I) (*O, error) {
		ctx, done := a.watch(ctx, op)
		out, err := fn(ctx, in)
		done(err)
		if err != nil {
			return nil, a.toProblem(ctx, err)
		}
		return out, nil
	})
}

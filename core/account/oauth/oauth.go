// Package oauth lets programs act for people: OAuth 2 with authorization codes and PKCE, and OpenID Connect on top. The
// protocol is a library's (zitadel/oidc); this package is its storage, decides what is allowed, and answers for tokens.
//
// Access tokens are opaque and looked up, so that they end with their session; refresh tokens change with every use, and
// one that is used twice ends all that came from the same grant.
package oauth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/edgeref/edgeref/core/account"
	"github.com/edgeref/edgeref/core/account/cookie"
	"github.com/edgeref/edgeref/core/account/pace"
	"github.com/edgeref/edgeref/core/audit"
	"github.com/edgeref/edgeref/core/db"
)

// Limits and times.
const (
	// AccessPrefix begins every access token of a person, so that they can be told from machines' tokens.
	AccessPrefix  = "era_"
	refreshPrefix = "erf_"

	AccessLifetime  = 10 * time.Minute
	ViewLifetime    = 10 * time.Minute
	codeLifetime    = time.Minute
	requestLifetime = 30 * time.Minute // to sign in, with mails in between
	idTokenLifetime = 10 * time.Minute

	// Grace is how long after its use a refresh token may be used again by who never got the answer; maxSuccessors bounds
	// how often.
	Grace         = 10 * time.Second
	maxSuccessors = 3

	maxURI        = 2_000 // bytes of a redirect URI
	maxState      = 2_000 // bytes
	maxNonce      = 255
	challengeLen  = 43 // base64url of SHA-256
	secretLen     = 32 // bytes
	secretText    = 43
	maxParameters = 16 << 10 // bytes of a request's query or form
	perMinute     = 120      // authorization requests of one network: each is a row

	sweepEvery = 10 * time.Minute
)

// Errors of this package.
var (
	ErrClientNotFound = errors.New("there is no such OAuth client")
	ErrRequest        = errors.New("the sign-in took too long, or began in another browser; begin again")
	ErrBuiltIn        = errors.New("this client is built in: it is changed by configuration")
)

// IDs makes identifiers.
type IDs interface{ New() int64 }

// sealer encrypts the keys that sign ID tokens. It is safe for concurrent use.
type sealer interface {
	Seal(plain, context []byte) (string, error)
	Open(sealed string, context []byte) ([]byte, error)
}

// auditor writes who changed what in the caller's transaction.
type auditor interface {
	Record(ctx context.Context, tx *db.Tx, e audit.Entry) error
}

// Options are what New needs.
type Options struct {
	DB         *db.DB
	IDs        IDs
	Now        func() time.Time
	Logger     *slog.Logger          // default: none
	Registerer prometheus.Registerer // default: metrics are not exported
	Accounts   *account.Service
	Ring       sealer
	Audit      auditor // nil: nothing is recorded
	// Issuer is the public URL of the core, without a slash at the end. One that begins with http:// is for one machine.
	Issuer string
	// WebRedirects are the redirect URIs of the built-in client of our own pages; WebSignOut where it may go afterwards.
	WebRedirects, WebSignOut []string
	// Address is the network address of the client of a request.
	Address func(*http.Request) netip.Addr
}

// Service issues tokens and answers for them. It is safe for concurrent use.
type Service struct {
	db       *db.DB
	ids      IDs
	now      func() time.Time
	log      *slog.Logger
	accounts *account.Service
	ring     sealer
	audit    auditor
	issuer   string
	jar      cookie.Jar
	web      Client
	metrics  *metrics
	provider *op.Provider
	cache    cache
	address  func(*http.Request) netip.Addr
	pace     *pace.Limiter

	keyMu sync.Mutex
	keys  []signingKey // newest first; read anew when keysAt is old
	keyAt time.Time
}

type metrics struct {
	tokens  *prometheus.CounterVec
	reuse   *prometheus.CounterVec
	grace   prometheus.Counter
	refused *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	f := promauto.With(reg)
	m := &metrics{
		tokens: f.NewCounterVec(prometheus.CounterOpts{
			Name: "edgeref_oauth_tokens_total", Help: "Access tokens given out, by what they were given for: code, refresh, view.",
		}, []string{"grant"}),
		reuse: f.NewCounterVec(prometheus.CounterOpts{
			Name: "edgeref_oauth_reuse_total", Help: "Codes and refresh tokens that were used again, which ended their grant, by kind. Somebody has what he should not.",
		}, []string{"kind"}),
		grace: f.NewCounter(prometheus.CounterOpts{
			Name: "edgeref_oauth_refresh_repeated_total", Help: "Refresh tokens used again within the grace period, as after a lost answer.",
		}),
		refused: f.NewCounterVec(prometheus.CounterOpts{
			Name: "edgeref_oauth_requests_refused_total", Help: "Requests refused before they were looked at, by reason: too_large, too_many, method, cross_site.",
		}, []string{"reason"}),
	}
	for _, grant := range []string{"code", "refresh", "view"} {
		m.tokens.WithLabelValues(grant)
	}
	for _, kind := range []string{"code", "refresh"} {
		m.reuse.WithLabelValues(kind)
	}
	return m
}

// New returns a Service. The error is an issuer or a redirect URI that cannot be one.
func New(opts Options) (*Service, error) {
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	issuer, err := url.Parse(opts.Issuer)
	if err != nil || issuer.Host == "" || issuer.Scheme != "https" && issuer.Scheme != "http" || strings.HasSuffix(opts.Issuer, "/") || issuer.RawQuery != "" {
		return nil, fmt.Errorf("public URL of the core: %q is not a URL like https://core.example", opts.Issuer)
	}
	s := &Service{
		db: opts.DB, ids: opts.IDs, now: opts.Now, log: opts.Logger, accounts: opts.Accounts, ring: opts.Ring, audit: opts.Audit, issuer: opts.Issuer,
		jar: cookie.Jar{Secure: issuer.Scheme == "https"}, metrics: newMetrics(opts.Registerer), cache: newCache(),
		address: opts.Address, pace: pace.New(perMinute, opts.Now),
	}
	s.web = Client{ID: WebClient, Name: "our own pages", RedirectURIs: opts.WebRedirects, PostLogoutURIs: opts.WebSignOut, Scopes: allScopes(), own: true}
	for _, uri := range append(append([]string{}, opts.WebRedirects...), opts.WebSignOut...) {
		if reason := checkRedirect(uri); reason != "" {
			return nil, fmt.Errorf("redirect URI of the built-in client %q %s", uri, reason)
		}
	}
	config := &op.Config{CodeMethodS256: true, GrantTypeRefreshToken: true, SupportedScopes: supportedScopes()}
	options := []op.Option{op.WithCrypto(tokenForm{}), op.WithCustomEndpoints(
		op.NewEndpoint("oauth/authorize"), op.NewEndpoint("oauth/token"), op.NewEndpoint("oauth/userinfo"),
		op.NewEndpoint("oauth/revoke"), op.NewEndpoint("oauth/end-session"), op.NewEndpoint("oauth/keys"))}
	if !s.jar.Secure {
		options = append(options, op.WithAllowInsecure())
	}
	if s.provider, err = op.NewProvider(config, storage{s}, op.StaticIssuer(s.issuer), options...); err != nil {
		return nil, fmt.Errorf("make OpenID provider: %w", err)
	}
	opts.Accounts.Watch(s.cache.drop)
	return s, nil
}

// Run forgets what has expired until ctx ends.
func (s *Service) Run(ctx context.Context) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
				s.log.Warn("forget expired tokens", "error", err)
			}
		case <-ctx.Done():
			return
		}
	}
}

// Sweep deletes what has expired: requests and access tokens soon, grants with their refresh tokens a month later.
func (s *Service) Sweep(ctx context.Context) error {
	now := s.now().UnixMilli()
	for _, t := range []struct{ table, key string }{{"oauth_requests", "id"}, {"oauth_access_tokens", "hash"}} {
		if err := account.SweepExpired(ctx, s.db, t.table, t.key, "expires_at", now); err != nil {
			return err
		}
	}
	return s.sweepGrants(ctx, now-(30*24*time.Hour).Milliseconds())
}

// sweepGrants deletes grants that expired before limit, one a transaction: each may have thousands of refresh tokens.
func (s *Service) sweepGrants(ctx context.Context, limit int64) error {
	for {
		var id int64
		err := s.db.QueryRow(ctx, "SELECT id FROM oauth_grants WHERE expires_at <= ? ORDER BY expires_at LIMIT 1", limit).Scan(&id)
		if db.IsNoRows(err) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read expired grants: %w", err)
		}
		err = s.db.InTx(ctx, func(tx *db.Tx) error {
			if _, err := tx.Exec(ctx, "DELETE FROM oauth_refresh_tokens WHERE grant_id = ?", id); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, "DELETE FROM oauth_grants WHERE id = ?", id)
			return err
		})
		if err != nil {
			return fmt.Errorf("delete expired grant: %w", err)
		}
	}
}

func newSecret() (secret string, hash [sha256.Size]byte) {
	var b [secretLen]byte
	_, _ = rand.Read(b[:]) // never fails
	secret = base64.RawURLEncoding.EncodeToString(b[:])
	return secret, sha256.Sum256([]byte(secret))
}

// tokenForm is how the library writes and reads access tokens: "identifier:subject" becomes the prefix and the
// identifier. Nothing is encrypted, because nothing needs to be: an identifier is 256 random bits, and the database has
// its hash.
type tokenForm struct{}

var errTokenForm = errors.New("not an access token")

func (tokenForm) Encrypt(text string) (string, error) {
	secret, _, ok := strings.Cut(text, ":")
	if !ok || len(secret) != secretText {
		return "", errTokenForm // above all, no code is ever made this way
	}
	return AccessPrefix + secret, nil
}

func (tokenForm) Decrypt(token string) (string, error) {
	secret, ok := strings.CutPrefix(token, AccessPrefix)
	if !ok || len(secret) != secretText || strings.Contains(secret, ":") {
		return "", errTokenForm
	}
	return secret + ":", nil
}

// serverError hides what went wrong from clients; it is logged.
func (s *Service) serverError(ctx context.Context, what string, err error) error {
	if ctx.Err() == nil {
		s.log.Error("oauth: "+what, "error", err)
	}
	return oidc.ErrServerError().WithDescription("try again later")
}

package oauth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/account"
	"github.com/edgeref/edgeref/core/audit"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/ident"
)

// WebClient is the id of the built-in client of our own pages.
const WebClient = "web"

// Limits of a client.
const (
	maxClientName = 128 // bytes
	maxRedirects  = 10
)

// Client is a program that may act for people. Without a secret it is public: a page, or an app.
type Client struct {
	ID             string // WebClient, or as ident.OAuthClient
	Name           string
	RedirectURIs   []string
	PostLogoutURIs []string
	Scopes         []access.Scope // the most that it is granted
	Confidential   bool
	CreatedAt      int64 // Unix ms
	DisabledAt     int64 // Unix ms; 0: enabled

	own    bool // ours: people are not asked whether they agree
	secret string
}

// Own reports whether the client is ours, so that people need not agree.
func (c Client) Own() bool { return c.own }

func allScopes() []access.Scope { return access.Scopes() }

func supportedScopes() []string {
	out := []string{oidc.ScopeOpenID, oidc.ScopeProfile, oidc.ScopeEmail, oidc.ScopeOfflineAccess}
	for _, s := range allScopes() {
		out = append(out, string(s))
	}
	return out
}

// checkRedirect says what is wrong with a redirect URI, or "". Plain http is for this machine alone.
func checkRedirect(text string) string {
	u, err := url.Parse(text)
	switch {
	case err != nil || len(text) > maxURI || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '\\' }):
		return "is not a URL"
	case strings.ContainsRune(text, '#'):
		return "must not have a fragment"
	case u.User != nil || u.Opaque != "":
		return "must not hold a user name"
	case strings.Contains(u.Host, "*"):
		return "must be exact: there are no wildcards"
	case u.Scheme == "https" && u.Host != "":
		return ""
	case u.Scheme == "http" && (u.Hostname() == "localhost" || u.Hostname() == "127.0.0.1" || u.Hostname() == "::1"):
		return ""
	}
	return "must begin with https:// (http:// only for localhost, 127.0.0.1 and [::1])"
}

func (c *Client) validate() error {
	if c.Name = strings.TrimSpace(c.Name); c.Name == "" || len(c.Name) > maxClientName {
		return &account.InvalidError{Field: "name", Reason: "must have 1 to 128 bytes"}
	}
	if len(c.RedirectURIs) == 0 || len(c.RedirectURIs) > maxRedirects || len(c.PostLogoutURIs) > maxRedirects {
		return &account.InvalidError{Field: "redirect_uris", Reason: "must be 1 to 10"}
	}
	for _, uri := range c.RedirectURIs {
		if reason := checkRedirect(uri); reason != "" {
			return &account.InvalidError{Field: "redirect_uris", Reason: reason}
		}
	}
	for _, uri := range c.PostLogoutURIs {
		if reason := checkRedirect(uri); reason != "" {
			return &account.InvalidError{Field: "post_logout_redirect_uris", Reason: reason}
		}
	}
	for _, scope := range c.Scopes {
		if !slices.Contains(access.Scopes(), scope) {
			return &account.InvalidError{Field: "scopes", Reason: "holds a scope that there is not"}
		}
	}
	c.Scopes = slices.Compact(slices.Sorted(slices.Values(c.Scopes)))
	return nil
}

const selectClient = "SELECT id, name, redirect_uris, post_logout_uris, scopes, secret_hash, created_at, disabled_at FROM oauth_clients"

type row interface{ Scan(into ...any) error }

func scanClient(r row) (c Client, err error) {
	var id int64
	var redirects, logouts, scopes string
	err = r.Scan(&id, &c.Name, &redirects, &logouts, &scopes, &c.secret, &c.CreatedAt, &c.DisabledAt)
	if db.IsNoRows(err) {
		return Client{}, ErrClientNotFound
	}
	if err != nil {
		return Client{}, fmt.Errorf("read OAuth client: %w", err)
	}
	c.ID, c.RedirectURIs, c.PostLogoutURIs = ident.Format(ident.OAuthClient, id), strings.Fields(redirects), strings.Fields(logouts)
	c.Scopes, c.Confidential = access.Split(scopes), c.secret != ""
	return c, nil
}

// Client returns a client, or ErrClientNotFound.
func (s *Service) Client(ctx context.Context, id string) (Client, error) {
	if id == WebClient {
		return s.web, nil
	}
	n, err := ident.Parse(ident.OAuthClient, id)
	if err != nil {
		return Client{}, ErrClientNotFound
	}
	return scanClient(s.db.QueryRow(ctx, selectClient+" WHERE id = ?", n))
}

// Clients returns clients with an id below before (0: from the newest), the newest first, without the built-in one.
func (s *Service) Clients(ctx context.Context, before int64, limit int) ([]Client, error) {
	if before == 0 {
		before = math.MaxInt64
	}
	rows, err := s.db.Query(ctx, selectClient+" WHERE id < ? ORDER BY id DESC LIMIT ?", before, limit)
	if err != nil {
		return nil, fmt.Errorf("list OAuth clients: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var out []Client
	for rows.Next() {
		c, err := scanClient(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list OAuth clients: %w", err)
	}
	return out, nil
}

// CreateClient makes a client; a confidential one has a secret, which is shown this once. The error is an
// *account.InvalidError. Functions in also run at the end of the transaction.
func (s *Service) CreateClient(ctx context.Context, c Client, also ...func(*db.Tx, Client, string) error) (Client, string, error) {
	if err := c.validate(); err != nil {
		return Client{}, "", err
	}
	id, secret := s.ids.New(), ""
	c.ID, c.CreatedAt, c.DisabledAt, c.own = ident.Format(ident.OAuthClient, id), s.now().UnixMilli(), 0, false
	if c.Confidential {
		secret, _ = newSecret()
		c.secret = hashText(secret)
	}
	err := s.db.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO oauth_clients (id, name, redirect_uris, post_logout_uris, scopes, secret_hash, created_at, disabled_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, 0)`, id, c.Name, strings.Join(c.RedirectURIs, "\n"), strings.Join(c.PostLogoutURIs, "\n"), access.Join(c.Scopes), c.secret, c.CreatedAt)
		if err != nil {
			return err
		}
		if err := s.record(ctx, tx, "oauth_client.create", c, nil, &c); err != nil {
			return err
		}
		for _, fn := range also {
			if err := fn(tx, c, secret); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return Client{}, "", fmt.Errorf("create OAuth client: %w", err)
	}
	return c, secret, nil
}

// DisableClient ends a client and all that it was granted. The error is ErrClientNotFound, or ErrBuiltIn.
func (s *Service) DisableClient(ctx context.Context, id string) error {
	if id == WebClient {
		return ErrBuiltIn
	}
	c, err := s.Client(ctx, id)
	if err != nil {
		return err
	}
	n, _ := ident.Parse(ident.OAuthClient, id)
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		now := s.now().UnixMilli()
		if _, err := tx.Exec(ctx, "UPDATE oauth_clients SET disabled_at = ? WHERE id = ? AND disabled_at = 0", now, n); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "UPDATE oauth_grants SET revoked_at = ?, reason = 'client' WHERE client_id = ? AND revoked_at = 0", now, id); err != nil {
			return err
		}
		tx.OnCommit(s.cache.clear)
		return s.record(ctx, tx, "oauth_client.disable", c, &c, nil)
	})
	if err != nil {
		return fmt.Errorf("disable OAuth client: %w", err)
	}
	return nil
}

func (s *Service) record(ctx context.Context, tx *db.Tx, action string, c Client, before, after *Client) error {
	if s.audit == nil {
		return nil
	}
	public := func(c *Client) any {
		if c == nil {
			return nil
		}
		return map[string]any{"name": c.Name, "redirect_uris": c.RedirectURIs, "scopes": c.Scopes, "confidential": c.Confidential}
	}
	return s.audit.Record(ctx, tx, audit.Entry{Action: action, Object: c.ID, Before: public(before), After: public(after)})
}

func hashText(secret string) string {
	hash := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(hash[:])
}

func (c Client) hasSecret(secret string) bool {
	return c.secret != "" && subtle.ConstantTimeCompare([]byte(hashText(secret)), []byte(c.secret)) == 1
}

// opClient is a Client as the library wants it.
type opClient struct{ Client }

func (c opClient) GetID() string                    { return c.ID }
func (c opClient) RedirectURIs() []string           { return c.Client.RedirectURIs }
func (c opClient) PostLogoutRedirectURIs() []string { return c.PostLogoutURIs }
func (c opClient) ResponseTypes() []oidc.ResponseType {
	return []oidc.ResponseType{oidc.ResponseTypeCode}
}
func (c opClient) AccessTokenType() op.AccessTokenType { return op.AccessTokenTypeBearer }
func (c opClient) IDTokenLifetime() time.Duration      { return idTokenLifetime }
func (c opClient) ClockSkew() time.Duration            { return 0 }

// DevMode lets the library take redirect URIs that are not https. Which ones may be is decided by checkRedirect, when
// they are registered; here they must only be the same.
func (c opClient) DevMode() bool { return true }

// ApplicationType is never native, for which the library would take any port of this machine.
func (c opClient) ApplicationType() op.ApplicationType {
	if c.Confidential {
		return op.ApplicationTypeWeb
	}
	return op.ApplicationTypeUserAgent
}

func (c opClient) AuthMethod() oidc.AuthMethod {
	if c.Confidential {
		return oidc.AuthMethodBasic
	}
	return oidc.AuthMethodNone
}

func (c opClient) GrantTypes() []oidc.GrantType {
	return []oidc.GrantType{oidc.GrantTypeCode, oidc.GrantTypeRefreshToken}
}

func (c opClient) LoginURL(id string) string {
	return "/account/continue?request=" + url.QueryEscape(id)
}

func (c opClient) RestrictAdditionalIdTokenScopes() func([]string) []string {
	return func(scopes []string) []string { return scopes }
}

func (c opClient) RestrictAdditionalAccessTokenScopes() func([]string) []string {
	return func(scopes []string) []string { return scopes }
}

func (c opClient) IsScopeAllowed(scope string) bool {
	return slices.Contains(c.Scopes, access.Scope(scope))
}

func (c opClient) IDTokenUserinfoClaimsAssertion() bool { return false }

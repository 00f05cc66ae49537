package oauth

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/account"
	"github.com/edgeref/edgeref/core/account/cookie"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/ident"
)

// Request is what a client asks of a person, from its arrival to the exchange of its code. Times are Unix ms.
type Request struct {
	ID          string
	ClientID    string
	RedirectURI string
	State       string
	Nonce       string
	Scopes      []string
	Challenge   string // PKCE, S256
	Prompts     []string
	MaxAge      int64 // seconds; -1: not asked for
	LoginHint   string
	CreatedAt   int64

	browser   []byte
	sessionID int64
	codeAt    int64
	grantID   int64
	session   account.Session // of the exchange
	person    account.Person
}

type browserKey struct{}

// withBrowser says which browser a request comes from.
func withBrowser(ctx context.Context, secret string) context.Context {
	return context.WithValue(ctx, browserKey{}, cookie.BrowserHash(secret))
}

// insertRequest keeps an authorization request. Errors are the library's, for the client to see.
func (s *Service) insertRequest(ctx context.Context, in *oidc.AuthRequest) (*Request, error) {
	if err := checkAuthRequest(in); err != nil {
		return nil, err
	}
	browser, ok := ctx.Value(browserKey{}).([]byte)
	if !ok {
		return nil, oidc.ErrServerError()
	}
	client, err := s.Client(ctx, in.ClientID)
	if err != nil || client.DisabledAt != 0 {
		return nil, oidc.ErrUnauthorizedClient()
	}
	id, _ := newSecret()
	r := &Request{
		ID: id, ClientID: in.ClientID, RedirectURI: in.RedirectURI, State: in.State, Nonce: in.Nonce, Scopes: in.Scopes, Challenge: in.CodeChallenge,
		Prompts: in.Prompt, MaxAge: -1, LoginHint: in.LoginHint, CreatedAt: s.now().UnixMilli(), browser: browser,
	}
	if in.MaxAge != nil {
		r.MaxAge = int64(min(*in.MaxAge, 1<<31))
	}
	if len(r.LoginHint) > 254 {
		r.LoginHint = ""
	}
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO oauth_requests (id, client_id, browser, redirect_uri, state, nonce, scopes, challenge, prompt, max_age, login_hint,
			session_id, code_hash, code_at, grant_id, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, NULL, 0, 0, ?, ?)`,
			r.ID, r.ClientID, browser, r.RedirectURI, r.State, r.Nonce, strings.Join(r.Scopes, " "), r.Challenge, strings.Join(r.Prompts, " "), r.MaxAge,
			r.LoginHint, r.CreatedAt, r.CreatedAt+requestLifetime.Milliseconds())
		return err
	})
	if err != nil {
		return nil, s.serverError(ctx, "keep authorization request", err)
	}
	return r, nil
}

// checkAuthRequest is stricter than the library: a code, by PKCE with S256, in the query.
func checkAuthRequest(in *oidc.AuthRequest) error {
	invalid := func(text string) error { return oidc.ErrInvalidRequest().WithDescription("%s", text) }
	switch {
	case in.ResponseType != oidc.ResponseTypeCode:
		return oidc.ErrUnauthorizedClient().WithDescription("response_type must be code")
	case in.ResponseMode != "" && in.ResponseMode != oidc.ResponseModeQuery:
		return invalid("response_mode must be query")
	case in.CodeChallenge == "" || in.CodeChallengeMethod != oidc.CodeChallengeMethodS256:
		return invalid("PKCE with code_challenge_method S256 is required")
	case !isSecretText(in.CodeChallenge, challengeLen):
		return invalid("code_challenge must be 43 characters of base64url")
	case len(in.State) > maxState || len(in.Nonce) > maxNonce || len(in.RedirectURI) > maxURI:
		return invalid("state, nonce or redirect_uri is too long")
	}
	for _, prompt := range in.Prompt {
		switch prompt {
		case oidc.PromptNone, oidc.PromptLogin, oidc.PromptConsent, oidc.PromptSelectAccount:
		default:
			return invalid("prompt is not known")
		}
	}
	return nil
}

// isSecretText reports whether s is n characters of base64url.
func isSecretText(s string, n int) bool {
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' && c != '_' {
			return false
		}
	}
	return len(s) == n
}

const selectRequest = `SELECT id, client_id, browser, redirect_uri, state, nonce, scopes, challenge, prompt, max_age, login_hint, session_id, code_at, grant_id,
	created_at FROM oauth_requests`

func scanRequest(row row) (*Request, error) {
	r := &Request{}
	var scopes, prompts string
	err := row.Scan(&r.ID, &r.ClientID, &r.browser, &r.RedirectURI, &r.State, &r.Nonce, &scopes, &r.Challenge, &prompts, &r.MaxAge, &r.LoginHint, &r.sessionID,
		&r.codeAt, &r.grantID, &r.CreatedAt)
	if db.IsNoRows(err) {
		return nil, ErrRequest
	}
	if err != nil {
		return nil, fmt.Errorf("read authorization request: %w", err)
	}
	r.Scopes, r.Prompts = strings.Fields(scopes), strings.Fields(prompts)
	return r, nil
}

// Request returns a request that the browser with a secret began and that has no code yet. The error is ErrRequest if
// there is none: what one browser began, no other can go on with.
func (s *Service) Request(ctx context.Context, id, browser string) (*Request, error) {
	if !isSecretText(id, secretText) {
		return nil, ErrRequest
	}
	r, err := scanRequest(s.db.QueryRow(ctx, selectRequest+" WHERE id = ? AND code_at = 0 AND expires_at > ?", id, s.now().UnixMilli()))
	if err != nil {
		return nil, err
	}
	if browser == "" || subtle.ConstantTimeCompare(r.browser, cookie.BrowserHash(browser)) != 1 {
		return nil, ErrRequest
	}
	return r, nil
}

// Step is what has to be done before a request gets its code.
type Step string

// Steps, in their order.
const (
	StepSignIn       Step = "sign_in"
	StepSecondFactor Step = "second_factor"
	StepConsent      Step = "consent"
	StepDone         Step = "done"
)

// Next says what has to be done for a request by the person of a session; session is nil if there is none.
func (s *Service) Next(ctx context.Context, r *Request, session *account.Session) (Step, error) {
	switch {
	case session == nil:
		return StepSignIn, nil
	case session.Pending:
		return StepSecondFactor, nil
	case slices.Contains(r.Prompts, oidc.PromptSelectAccount) || slices.Contains(r.Prompts, oidc.PromptLogin):
		if session.AuthenticatedAt < r.CreatedAt {
			return StepSignIn, nil
		}
	case r.MaxAge >= 0 && session.AuthenticatedAt < min(s.now().UnixMilli()-1000*r.MaxAge, r.CreatedAt):
		return StepSignIn, nil
	}
	client, err := s.Client(ctx, r.ClientID)
	if err != nil {
		return "", err
	}
	if client.own {
		return StepDone, nil
	}
	agreed, err := s.agreed(ctx, session.PersonID, r, session.ID)
	if err != nil {
		return "", err
	}
	if !agreed {
		return StepConsent, nil
	}
	return StepDone, nil
}

// agreed reports whether a person agreed to all that a request wants. prompt=consent asks again: what was agreed to
// before the request does not count.
func (s *Service) agreed(ctx context.Context, personID int64, r *Request, _ int64) (bool, error) {
	var scopes string
	var at int64
	err := s.db.QueryRow(ctx, "SELECT scopes, granted_at FROM oauth_consents WHERE person_id = ? AND client_id = ?", personID, r.ClientID).Scan(&scopes, &at)
	if db.IsNoRows(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read consent: %w", err)
	}
	if slices.Contains(r.Prompts, oidc.PromptConsent) && at < r.CreatedAt {
		return false, nil
	}
	have := strings.Fields(scopes)
	for _, scope := range r.Scopes {
		if !slices.Contains(have, scope) {
			return false, nil
		}
	}
	return true, nil
}

// Agree notes that a person gives a client what a request wants.
func (s *Service) Agree(ctx context.Context, personID int64, r *Request) error {
	err := s.db.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "INSERT INTO oauth_consents (person_id, client_id, scopes, granted_at) VALUES (?, ?, ?, ?)"+
			tx.Dialect().Upsert([]string{"person_id", "client_id"}, "scopes", "granted_at"), personID, r.ClientID, strings.Join(r.Scopes, " "), s.now().UnixMilli())
		return err
	})
	if err != nil {
		return fmt.Errorf("keep consent: %w", err)
	}
	return nil
}

// IssueCode gives a request its code, for the person of a session, and returns where the browser goes with it. The
// caller has seen that Next is StepDone. The error is ErrRequest if the request has one already.
func (s *Service) IssueCode(ctx context.Context, r *Request, session account.Session) (redirect string, err error) {
	code, hash := newSecret()
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		now := s.now().UnixMilli()
		res, err := tx.Exec(ctx, "UPDATE oauth_requests SET session_id = ?, code_hash = ?, code_at = ? WHERE id = ? AND code_at = 0", session.ID, hash[:], now, r.ID)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n != 1 {
			return errors.Join(ErrRequest, err)
		}
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("issue code: %w", err)
	}
	return s.answerURL(r, url.Values{"code": {code}}), nil
}

// RefuseURL is where the browser goes when a request ends without a code. name is an error of OpenID Connect.
func (s *Service) RefuseURL(r *Request, name string) string {
	return s.answerURL(r, url.Values{"error": {name}})
}

// answerURL adds to a redirect URI, which was registered and keeps what it has.
func (s *Service) answerURL(r *Request, values url.Values) string {
	if r.State != "" {
		values.Set("state", r.State)
	}
	values.Set("iss", s.issuer) // RFC 9207: which of several issuers answers
	separator := "?"
	if strings.Contains(r.RedirectURI, "?") {
		separator = "&"
	}
	return r.RedirectURI + separator + values.Encode()
}

// NoPrompt reports whether the client wants an answer without any page.
func (r *Request) NoPrompt() bool { return slices.Contains(r.Prompts, oidc.PromptNone) }

// ScopesOf are the scopes of the API among texts.
func ScopesOf(texts []string) []access.Scope {
	var out []access.Scope
	for _, t := range texts {
		if slices.Contains(access.Scopes(), access.Scope(t)) {
			out = append(out, access.Scope(t))
		}
	}
	return out
}

// authRequest is a Request as the library wants it.
type authRequest struct{ *Request }

func (r authRequest) GetID() string                      { return r.ID }
func (r authRequest) GetACR() string                     { return "" }
func (r authRequest) GetAMR() []string                   { return amrOf(r.session) }
func (r authRequest) GetAudience() []string              { return []string{r.ClientID} }
func (r authRequest) GetAuthTime() time.Time             { return time.UnixMilli(r.session.AuthenticatedAt) }
func (r authRequest) GetClientID() string                { return r.ClientID }
func (r authRequest) GetNonce() string                   { return r.Nonce }
func (r authRequest) GetRedirectURI() string             { return r.RedirectURI }
func (r authRequest) GetResponseType() oidc.ResponseType { return oidc.ResponseTypeCode }
func (r authRequest) GetResponseMode() oidc.ResponseMode { return oidc.ResponseModeQuery }
func (r authRequest) GetScopes() []string                { return r.Scopes }
func (r authRequest) GetState() string                   { return r.State }
func (r authRequest) Done() bool                         { return r.codeAt != 0 }

func (r authRequest) GetCodeChallenge() *oidc.CodeChallenge {
	return &oidc.CodeChallenge{Challenge: r.Challenge, Method: oidc.CodeChallengeMethodS256}
}

func (r authRequest) GetSubject() string {
	if r.person.ID == 0 {
		return ""
	}
	return ident.Format(ident.Person, r.person.ID)
}

// amrOf says how somebody signed in, in the words of RFC 8176.
func amrOf(v account.Session) []string {
	if v.SecondFactorAt != 0 {
		return []string{"pwd", "otp", "mfa"}
	}
	return []string{"pwd"}
}

var _ op.AuthRequest = authRequest{}

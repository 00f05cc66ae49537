package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/edgeref/edgeref/core/account"
	"github.com/edgeref/edgeref/wire/ident"
)

// refreshHeader must come with requests that use the refresh cookie. No form and no other site can send it.
const refreshHeader = "X-Edgeref-Session"

// Handler serves the protocol: /.well-known/openid-configuration and everything below /oauth/. What the library offers
// beyond this is not served.
func (s *Service) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+oidc.DiscoveryEndpoint, s.open(s.discover))
	mux.HandleFunc("GET /oauth/keys", s.open(func(w http.ResponseWriter, r *http.Request) { op.Keys(w, r, s.provider.Storage()) }))
	mux.HandleFunc("GET /oauth/authorize", s.authorize)
	mux.HandleFunc("POST /oauth/token", s.open(s.token))
	mux.HandleFunc("GET /oauth/userinfo", s.open(func(w http.ResponseWriter, r *http.Request) { op.Userinfo(w, r, s.provider) }))
	mux.HandleFunc("POST /oauth/revoke", s.open(func(w http.ResponseWriter, r *http.Request) { op.Revoke(w, r, s.provider) }))
	for _, path := range []string{oidc.DiscoveryEndpoint, "/oauth/keys", "/oauth/token", "/oauth/userinfo", "/oauth/revoke"} {
		mux.HandleFunc("OPTIONS "+path, s.open(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	}
	mux.HandleFunc("GET /oauth/end-session", s.endSession)
	mux.HandleFunc("POST /oauth/session/token", s.ownPages(s.sessionToken))
	mux.HandleFunc("POST /oauth/session/refresh", s.ownPages(s.sessionRefresh))
	mux.HandleFunc("POST /oauth/session/end", s.ownPages(s.sessionEnd))
	return s.bound(mux)
}

// bound limits what a request may hold, sets the headers that all answers have, and names the issuer.
func (s *Service) bound(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		if len(r.URL.RawQuery) > maxParameters || r.ContentLength > maxParameters {
			s.metrics.refused.WithLabelValues("too_large").Inc()
			writeError(w, http.StatusRequestEntityTooLarge, "invalid_request", "the request is too large")
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxParameters)
		// Nothing but the parameters of the request counts once: a parameter that comes twice is not a choice for us.
		if err := r.ParseForm(); err != nil || repeated(r.Form) {
			writeError(w, http.StatusBadRequest, "invalid_request", "the parameters cannot be read, or one comes twice")
			return
		}
		next.ServeHTTP(w, r.WithContext(op.ContextWithIssuer(r.Context(), s.issuer)))
	})
}

func repeated(form url.Values) bool {
	for _, values := range form {
		if len(values) > 1 {
			return true
		}
	}
	return false
}

// open lets pages of every origin use an endpoint, without cookies: it rests on what is in the request alone.
func (s *Service) open(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
		h.Set("Access-Control-Max-Age", "600")
		next(w, r)
	}
}

func (s *Service) discover(w http.ResponseWriter, r *http.Request) {
	doc := op.CreateDiscoveryConfig(r.Context(), s.provider, s.provider.Storage())
	// What the library can do and we do not serve.
	doc.ResponseTypesSupported = []string{string(oidc.ResponseTypeCode)}
	doc.GrantTypesSupported = []oidc.GrantType{oidc.GrantTypeCode, oidc.GrantTypeRefreshToken}
	doc.IntrospectionEndpoint, doc.DeviceAuthorizationEndpoint = "", ""
	doc.IntrospectionEndpointAuthMethodsSupported = nil
	w.Header().Set("Content-Type", "application/json")
	writeJSON(w, http.StatusOK, doc)
}

// authorize takes a request and sends the browser to the pages, where it is bound to this browser from now on.
func (s *Service) authorize(w http.ResponseWriter, r *http.Request) {
	if !s.pace.Allow(s.address(r)) {
		s.metrics.refused.WithLabelValues("too_many").Inc()
		w.Header().Set("Retry-After", "60")
		writeError(w, http.StatusTooManyRequests, "temporarily_unavailable", "too many requests from this network; wait a minute")
		return
	}
	browser := s.jar.Browser(w, r)
	op.Authorize(w, r.WithContext(withBrowser(r.Context(), browser)), s.provider)
}

// token serves two grants; the library knows more.
func (s *Service) token(w http.ResponseWriter, r *http.Request) {
	switch r.PostForm.Get("grant_type") {
	case string(oidc.GrantTypeCode), string(oidc.GrantTypeRefreshToken):
		op.Exchange(w, r, s.provider)
	default:
		writeError(w, http.StatusBadRequest, "unsupported_grant_type", "grant_type must be authorization_code or refresh_token")
	}
}

// endSession ends the sign-in of this browser if the client shows an ID token of its person, and asks the person
// otherwise: a link on another site must not sign anybody out.
func (s *Service) endSession(w http.ResponseWriter, r *http.Request) {
	ask := func() { http.Redirect(w, r, "/account/sign-out", http.StatusSeeOther) }
	req, err := op.ParseEndSessionRequest(r, s.provider.Decoder())
	if err != nil || req.IdTokenHint == "" {
		ask()
		return
	}
	ended, err := op.ValidateEndSessionRequest(r.Context(), req, s.provider)
	if err != nil {
		ask()
		return
	}
	session, person, err := s.accounts.SessionBySecret(r.Context(), s.jar.Session(r))
	if err == nil {
		if ident.Format(ident.Person, person.ID) != ended.UserID {
			ask()
			return
		}
		err = s.accounts.EndSession(r.Context(), person.ID, session.ID)
	}
	if err != nil && !errors.Is(err, account.ErrNoSession) {
		s.log.Error("oauth: end session", "error", err)
		writeError(w, http.StatusServiceUnavailable, "server_error", "try again later")
		return
	}
	s.jar.SetSession(w, "", 0)
	s.jar.SetRefresh(w, "", 0)
	target := ended.RedirectURI
	if req.PostLogoutRedirectURI == "" || target == "" {
		target = "/account/signed-out"
	}
	http.Redirect(w, r, target, http.StatusSeeOther)
}

// ownPages lets through what begins on a page of our own: it needs a header that no form can send, and the browser must
// not say that it comes from elsewhere.
func (s *Service) ownPages(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		site, origin := r.Header.Get("Sec-Fetch-Site"), r.Header.Get("Origin")
		if r.Header.Get(refreshHeader) != "1" || site != "" && site != "same-origin" || origin != "" && origin != s.issuer {
			s.metrics.refused.WithLabelValues("cross_site").Inc()
			writeError(w, http.StatusForbidden, "invalid_request", "this is for our own pages: it needs the header "+refreshHeader+": 1")
			return
		}
		next(w, r)
	}
}

// sessionToken exchanges a code of the built-in client; the refresh token goes into a cookie that no script can read.
func (s *Service) sessionToken(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	request, client, err := op.ValidateAccessTokenRequest(ctx, &oidc.AccessTokenRequest{
		Code: r.PostForm.Get("code"), RedirectURI: r.PostForm.Get("redirect_uri"), CodeVerifier: r.PostForm.Get("code_verifier"), ClientID: WebClient,
	}, s.provider)
	if err != nil {
		op.RequestError(w, r, err, nil)
		return
	}
	answer, err := op.CreateTokenResponse(ctx, request, client, s.provider, true, r.PostForm.Get("code"), "")
	s.answerSession(w, r, answer, err)
}

func (s *Service) sessionRefresh(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	current := s.jar.Refresh(r)
	request, client, err := op.ValidateRefreshTokenRequest(ctx, &oidc.RefreshTokenRequest{RefreshToken: current, ClientID: WebClient}, s.provider)
	if err != nil {
		s.forgetRefresh(w, err)
		op.RequestError(w, r, err, nil)
		return
	}
	answer, err := op.CreateTokenResponse(ctx, request, client, s.provider, true, "", current)
	s.answerSession(w, r, answer, err)
}

func (s *Service) answerSession(w http.ResponseWriter, r *http.Request, answer *oidc.AccessTokenResponse, err error) {
	if err != nil {
		s.forgetRefresh(w, err)
		op.RequestError(w, r, err, nil)
		return
	}
	if answer.RefreshToken != "" {
		s.jar.SetRefresh(w, answer.RefreshToken, account.SessionLifetime)
	}
	answer.RefreshToken = ""
	writeJSON(w, http.StatusOK, answer)
}

// forgetRefresh removes a refresh cookie that is good for nothing any more.
func (s *Service) forgetRefresh(w http.ResponseWriter, err error) {
	var e *oidc.Error
	if errors.As(err, &e) && e.ErrorType == oidc.InvalidGrant {
		s.jar.SetRefresh(w, "", 0)
	}
}

// sessionEnd signs this browser out: the session that its refresh cookie belongs to, or the one of the pages.
func (s *Service) sessionEnd(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 10*time.Second)
	defer cancel()
	var err error
	if request, refreshErr := s.requestByRefresh(ctx, s.jar.Refresh(r)); refreshErr == nil {
		err = s.accounts.EndSession(ctx, request.grant.personID, request.grant.sessionID)
	}
	if session, person, sessionErr := s.accounts.SessionBySecret(ctx, s.jar.Session(r)); sessionErr == nil {
		err = errors.Join(err, s.accounts.EndSession(ctx, person.ID, session.ID))
	}
	if err != nil && !errors.Is(err, account.ErrNoSession) {
		s.log.Error("oauth: end session", "error", err)
		writeError(w, http.StatusServiceUnavailable, "server_error", "try again later")
		return
	}
	s.jar.SetSession(w, "", 0)
	s.jar.SetRefresh(w, "", 0)
	w.WriteHeader(http.StatusNoContent)
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// writeError answers as RFC 6749 section 5.2 says.
func writeError(w http.ResponseWriter, status int, code, description string) {
	writeJSON(w, status, map[string]string{"error": code, "error_description": description})
}

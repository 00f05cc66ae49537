package pages_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/account"
	"github.com/edgeref/edgeref/core/account/oauth"
)

// A refresh token that two parties have: whoever uses it second ends it for both, with all that came of it.
func TestRefreshTokenReuse(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.person("lea@example.com", access.RoleLearner)
		first := s.signedIn("lea@example.com")
		second := s.refresh(first.Refresh)
		if second.status != http.StatusOK || second.Refresh == first.Refresh {
			t.Fatalf("refreshed %+v", second)
		}
		s.clock.add(oauth.Grace + time.Second)
		if stolen := s.refresh(first.Refresh); stolen.status != http.StatusBadRequest || stolen.Error != "invalid_grant" {
			t.Errorf("used again: %+v", stolen)
		}
		if own := s.refresh(second.Refresh); own.Error != "invalid_grant" {
			t.Errorf("the successor is still good: %+v", own)
		}
		for _, access := range []string{first.Access, second.Access} {
			if _, err := s.oauth.Authenticate(t.Context(), access); err == nil {
				t.Error("an access token of the family is still good")
			}
		}
	})
}

// An answer that was lost: the client asks again with what it has. But of two successors only the first used lives, and
// the use of the other ends all: a thief within the grace period is found at the next turn.
func TestLostAnswerOfARefresh(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.person("lea@example.com", access.RoleLearner)
		first := s.signedIn("lea@example.com")
		lost := s.refresh(first.Refresh)
		again := s.refresh(first.Refresh)
		if lost.status != http.StatusOK || again.status != http.StatusOK || lost.Refresh == again.Refresh {
			t.Fatalf("%+v, then %+v", lost, again)
		}
		next := s.refresh(again.Refresh)
		if next.status != http.StatusOK {
			t.Fatalf("%+v", next)
		}
		if both := s.refresh(lost.Refresh); both.Error != "invalid_grant" {
			t.Errorf("two branches live: %+v", both)
		}
		if own := s.refresh(next.Refresh); own.Error != "invalid_grant" {
			t.Errorf("the family lives after it: %+v", own)
		}
	})
}

// A code works once; the second use ends what the first gave. Without the verifier, for another client or another
// address it is worth nothing.
func TestCodes(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.person("lea@example.com", access.RoleLearner)
		b := s.browser()
		exchange := func(code string, change ...string) tokens {
			v := values("grant_type", "authorization_code", "code", code, "redirect_uri", s.url+"/app", "client_id", oauth.WebClient, "code_verifier", verifier)
			for i := 0; i < len(change); i += 2 {
				v.Set(change[i], change[i+1])
			}
			return readTokens(t, s.browser().post("/oauth/token", v))
		}
		code := b.code("lea@example.com")
		for name, change := range map[string][]string{
			"no verifier": {"code_verifier", ""}, "other verifier": {"code_verifier", strings.Repeat("x", 43)}, "the challenge": {"code_verifier", "plain"},
			"other address": {"redirect_uri", s.url + "/app/"}, "other client": {"client_id", "cli_0000000000001"}, "other code": {"code", strings.Repeat("x", 43)},
		} {
			if got := exchange(code, change...); got.status == http.StatusOK {
				t.Errorf("%s: %+v", name, got)
			}
		}
		got := exchange(code)
		if got.status != http.StatusOK {
			t.Fatalf("%+v", got)
		}
		if again := exchange(code); again.Error != "invalid_grant" {
			t.Errorf("code used again: %+v", again)
		}
		if _, err := s.oauth.Authenticate(t.Context(), got.Access); err == nil {
			t.Error("what a stolen code gave is still good")
		}
		late := b.code("lea@example.com")
		s.clock.add(61 * time.Second)
		if got := exchange(late); got.Error != "invalid_grant" {
			t.Errorf("code after a minute: %+v", got)
		}
		for _, grant := range []string{"password", "client_credentials", "urn:ietf:params:oauth:grant-type:jwt-bearer", "urn:ietf:params:oauth:grant-type:token-exchange", ""} {
			if got := s.token("grant_type", grant, "client_id", oauth.WebClient); got.Error != "unsupported_grant_type" {
				t.Errorf("grant %q: %+v", grant, got)
			}
		}
	})
}

// Requests that must not lead to a code, and must not send a browser anywhere that was not registered.
func TestAuthorizeTricks(t *testing.T) {
	s := newSite(t, sqlite(t))
	s.person("lea@example.com", access.RoleLearner)
	b := s.browser()
	b.code("lea@example.com") // signed in: nothing else stands between the request and a code
	for name, c := range map[string]struct {
		redirect string
		change   []string
		answered bool // by the redirect URI, which is ours
	}{
		"no PKCE":             {s.url + "/app", []string{"code_challenge", "", "code_challenge_method", ""}, true},
		"plain PKCE":          {s.url + "/app", []string{"code_challenge_method", "plain"}, true},
		"method left out":     {s.url + "/app", []string{"code_challenge_method", ""}, true},
		"short challenge":     {s.url + "/app", []string{"code_challenge", "abc"}, true},
		"implicit":            {s.url + "/app", []string{"response_type", "id_token token"}, true},
		"fragment":            {s.url + "/app", []string{"response_mode", "fragment"}, true},
		"form_post":           {s.url + "/app", []string{"response_mode", "form_post"}, true},
		"unknown prompt":      {s.url + "/app", []string{"prompt", "register"}, true},
		"elsewhere":           {"https://evil.example/app", nil, false},
		"longer path":         {s.url + "/app/../evil", nil, false},
		"slash at the end":    {s.url + "/app/", nil, false},
		"query added":         {s.url + "/app?x=1", nil, false},
		"fragment added":      {s.url + "/app#x", nil, false},
		"user name":           {strings.Replace(s.url, "http://", "http://evil.example@", 1) + "/app", nil, false},
		"other port":          {"http://127.0.0.1:1/app", nil, false},
		"localhost":           {strings.Replace(s.url, "127.0.0.1", "localhost", 1) + "/app", nil, false},
		"capital letters":     {strings.ToUpper(s.url) + "/app", nil, false},
		"script":              {"javascript:alert(1)", nil, false},
		"no address":          {"", nil, false},
		"unknown client":      {s.url + "/app", []string{"client_id", "cli_0000000000001"}, false},
		"request object":      {s.url + "/app", []string{"request", "x.y.z"}, true},
		"very long state":     {s.url + "/app", []string{"state", strings.Repeat("x", 3000)}, true},
		"line break in scope": {s.url + "/app", []string{"response_mode", "query\r\nX: y"}, true},
	} {
		p := b.get(s.authorizeURL(oauth.WebClient, c.redirect, c.change...))
		if strings.Contains(p.location, "code=") {
			t.Errorf("%s: got a code: %q", name, p.location)
		}
		if sent := strings.HasPrefix(p.location, s.url+"/app?error=") || strings.HasPrefix(p.location, s.url+"/app#error="); sent != c.answered || !sent && p.location != "" {
			t.Errorf("%s: %d, sent to %q", name, p.status, p.location)
		}
	}
	// A parameter that comes twice is no choice for us.
	if p := b.get(s.authorizeURL(oauth.WebClient, s.url+"/app") + "&redirect_uri=" + url.QueryEscape("https://evil.example/")); p.status != http.StatusBadRequest || p.location != "" {
		t.Errorf("twice: %d %q", p.status, p.location)
	}
}

// An attacker begins a sign-in and has somebody else finish it: nothing that he began can be gone on with in another
// browser, and nothing that the victim does gives him a code.
func TestRequestsAreBoundToTheirBrowser(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.person("victim@example.com", access.RoleLearner)
		attacker, victim := s.browser(), s.browser()
		began := attacker.get(s.authorizeURL(oauth.WebClient, s.url+"/app"))
		id := began.url.Query().Get("request")
		if id == "" {
			t.Fatalf("at %s", began.url)
		}
		victim.code("victim@example.com")
		for _, path := range []string{"/account/continue?request=", "/account/consent?request="} {
			if p := victim.get(path + id); p.status != http.StatusGone || p.location != "" {
				t.Errorf("%s in the victim's browser: %d %q", path, p.status, p.location)
			}
		}
		form := victim.get("/account/sign-in?request=" + id)
		if p := victim.submit(form, "email", "victim@example.com", "password", goodPassword); p.location != "" {
			t.Errorf("signed in for the attacker's request: %q", p.location)
		}
		if p := attacker.get("/account/continue?request=" + id); p.location != "" || p.url.Path != "/account/sign-in" {
			t.Errorf("the attacker goes on: %s %q", p.url, p.location)
		}
	})
}

// Forms are taken only from pages that this browser was given.
func TestForgedForms(t *testing.T) {
	s := newSite(t, sqlite(t))
	s.person("lea@example.com", access.RoleLearner)
	b := s.browser()
	p := b.get("/account/sign-in")
	good := values("email", "lea@example.com", "password", goodPassword)
	token := strings.Split(strings.Split(p.body, `name="csrf" value="`)[1], `"`)[0]
	for name, got := range map[string]page{
		"no token":       b.post("/account/sign-in", good),
		"other token":    b.post("/account/sign-in", merge(good, "csrf", strings.Repeat("x", 43))),
		"no cookie":      s.browser().post("/account/sign-in", merge(good, "csrf", token)),
		"from elsewhere": b.post("/account/sign-in", merge(good, "csrf", token), "Sec-Fetch-Site", "cross-site"),
		"other origin":   b.post("/account/sign-in", merge(good, "csrf", token), "Origin", "https://evil.example"),
		"same site only": b.post("/account/sign-in", merge(good, "csrf", token), "Sec-Fetch-Site", "same-site"),
	} {
		if got.status != http.StatusForbidden {
			t.Errorf("%s: %d", name, got.status)
		}
	}
	// A session that was there before the sign-in is not the one after it.
	before := strings.Repeat("A", 43)
	u, _ := url.Parse(s.url)
	b.c.Jar.SetCookies(u, []*http.Cookie{{Name: "er_session", Value: before, Path: "/"}})
	if got := b.submit(p, "email", "lea@example.com", "password", goodPassword); got.status != http.StatusOK || b.cookie("er_session") == before || b.cookie("er_session") == "" {
		t.Errorf("fixed session: %d, cookie %q", got.status, b.cookie("er_session"))
	}
	for name, got := range map[string]page{"clickjacking": p} {
		if csp := got.header.Get("Content-Security-Policy"); !strings.Contains(csp, "frame-ancestors 'none'") || !strings.Contains(csp, "default-src 'none'") || got.header.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: %q", name, csp)
		}
	}
}

func merge(v url.Values, name, value string) url.Values {
	out := url.Values{name: {value}}
	for k, x := range v {
		out[k] = x
	}
	return out
}

// The refresh token of our own pages never reaches a script, and its cookie is worth nothing to another site.
func TestCookieOfOurOwnPages(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.person("lea@example.com", access.RoleLearner)
		b := s.browser()
		code := values("code", b.code("lea@example.com"), "redirect_uri", s.url+"/app", "code_verifier", verifier)
		own := []string{"X-Edgeref-Session", "1"}
		for name, headers := range map[string][]string{
			"a form": {}, "another site": append([]string{"Sec-Fetch-Site", "cross-site"}, own...), "another host of the domain": append([]string{"Sec-Fetch-Site", "same-site"}, own...),
			"another origin": append([]string{"Origin", "https://evil.example"}, own...),
		} {
			for _, path := range []string{"/oauth/session/token", "/oauth/session/refresh", "/oauth/session/end"} {
				if p := b.post(path, code, headers...); p.status != http.StatusForbidden || p.header.Get("Access-Control-Allow-Origin") != "" {
					t.Errorf("%s from %s: %d", path, name, p.status)
				}
			}
		}
		p := b.post("/oauth/session/token", code, own...)
		got := readTokens(t, p)
		set := p.header.Get("Set-Cookie")
		if got.status != http.StatusOK || got.Access == "" || got.Refresh != "" || !strings.Contains(set, "HttpOnly") || !strings.Contains(set, "SameSite=Strict") || !strings.Contains(set, "Path=/oauth/session") {
			t.Fatalf("%+v, cookie %q", got, set)
		}
		before := b.cookie("er_refresh")
		next := readTokens(t, b.post("/oauth/session/refresh", nil, own...))
		if next.status != http.StatusOK || next.Refresh != "" || b.cookie("er_refresh") == before {
			t.Errorf("refreshed %+v", next)
		}
		if p := b.post("/oauth/session/end", nil, own...); p.status != http.StatusNoContent || b.cookie("er_refresh") != "" || b.cookie("er_session") != "" {
			t.Errorf("ended: %d, cookies %q %q", p.status, b.cookie("er_refresh"), b.cookie("er_session"))
		}
		if _, err := s.oauth.Authenticate(t.Context(), next.Access); err == nil {
			t.Error("the access token outlives the session")
		}
	})
}

// What ends with what: revoked tokens, ended sessions, suspended people, and looks at others.
func TestTokensEnd(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		ctx := t.Context()
		lea, admin := s.person("lea@example.com", access.RoleLearner), s.person("adm@example.com", access.RoleAdmin)
		good := func(token string) bool { _, err := s.oauth.Authenticate(ctx, token); return err == nil }
		first := s.signedIn(lea.Email)
		if p := s.browser().post("/oauth/revoke", values("token", first.Refresh, "client_id", "cli_0000000000001")); p.status == http.StatusOK {
			t.Error("another client revokes")
		}
		if p := s.browser().post("/oauth/revoke", values("token", first.Refresh, "client_id", oauth.WebClient)); p.status != http.StatusOK || good(first.Access) {
			t.Errorf("revoked: %d, access %v", p.status, good(first.Access))
		}
		second := s.signedIn(lea.Email)
		s.clock.add(oauth.AccessLifetime)
		if good(second.Access) {
			t.Error("an access token is good after ten minutes")
		}
		if second = s.refresh(second.Refresh); !good(second.Access) {
			t.Fatal("not good after a refresh")
		}
		who, err := s.oauth.Authenticate(ctx, s.signedIn(admin.Email).Access)
		if err != nil {
			t.Fatal(err)
		}
		view, _, err := s.oauth.View(ctx, who, lea.ID, "ticket")
		if err != nil || !good(view) {
			t.Fatalf("view: %v", err)
		}
		status := account.Suspended
		owner := access.Principal{PersonID: 1, Roles: []access.Role{access.RoleOwner}}
		if _, err := s.accounts.ChangePerson(ctx, owner, lea.ID, account.Change{Status: &status}); err != nil {
			t.Fatal(err)
		}
		if good(second.Access) || s.refresh(second.Refresh).status == http.StatusOK {
			t.Error("a suspended person's tokens are good")
		}
		if err := s.accounts.EndSession(ctx, admin.ID, who.SessionID); err != nil {
			t.Fatal(err)
		}
		if good(view) {
			t.Error("a look at a person outlives the session of who looks")
		}
		s.clock.add(62 * 24 * time.Hour)
		if err := s.oauth.Sweep(ctx); err != nil {
			t.Fatal(err)
		}
		var n int
		if err := s.db.QueryRow(ctx, `SELECT (SELECT COUNT(*) FROM oauth_requests) + (SELECT COUNT(*) FROM oauth_access_tokens) + (SELECT COUNT(*) FROM oauth_grants)
			+ (SELECT COUNT(*) FROM oauth_refresh_tokens)`).Scan(&n); err != nil || n != 0 {
			t.Errorf("%d rows stay, %v", n, err)
		}
	})
}

// What an admin ends is refused at once, access token, refresh token and cookie; other sessions of the person and of others go on.
func TestTokensEndWithWhatAnAdminEnds(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		ctx := t.Context()
		lea := s.person("lea@example.com", access.RoleLearner)
		s.person("max@example.com", access.RoleLearner)
		admin := access.Principal{PersonID: 1, Roles: []access.Role{access.RoleAdmin}}
		good := func(token string) bool { _, err := s.oauth.Authenticate(ctx, token); return err == nil }
		lost := s.browser()
		first := s.exchange(lost.code(lea.Email))
		second, other := s.signedIn(lea.Email), s.signedIn("max@example.com")
		who, err := s.oauth.Authenticate(ctx, first.Access) // it is remembered from here on
		if err != nil || !good(second.Access) || !good(other.Access) {
			t.Fatal(err)
		}
		if err := s.accounts.EndSessionOf(ctx, admin, lea.ID, who.SessionID, "lost telephone"); err != nil {
			t.Fatal(err)
		}
		if good(first.Access) || s.refresh(first.Refresh).status == http.StatusOK {
			t.Error("a token outlives its session")
		}
		if p := lost.get(s.authorizeURL(oauth.WebClient, s.url+"/app")); p.location != "" {
			t.Errorf("the browser is still signed in: %s", p.location)
		}
		if second = s.refresh(second.Refresh); !good(second.Access) || !good(other.Access) {
			t.Error("another session ended too")
		}
		if err := s.accounts.EndSessionsOf(ctx, admin, lea.ID, "to be sure"); err != nil {
			t.Fatal(err)
		}
		if good(second.Access) || s.refresh(second.Refresh).status == http.StatusOK {
			t.Error("a token outlives all sessions")
		}
		if !good(other.Access) || !good(s.signedIn(lea.Email).Access) {
			t.Error("others, or the person's next sign-in, are refused too")
		}
	})
}

func TestEndSession(t *testing.T) {
	s := newSite(t, sqlite(t))
	s.person("lea@example.com", access.RoleLearner)
	b := s.browser()
	got := s.exchange(b.code("lea@example.com"))
	// A link on another site signs nobody out.
	if p := b.get("/oauth/end-session?client_id=web"); p.url.Path != "/account/sign-out" || b.cookie("er_session") == "" {
		t.Errorf("without a hint: %s", p.url)
	}
	if p := b.get("/oauth/end-session?id_token_hint=" + got.ID + "&post_logout_redirect_uri=" + url.QueryEscape("https://evil.example/")); p.location != "" {
		t.Errorf("sent to %q", p.location)
	}
	if p := b.get("/oauth/end-session?id_token_hint=" + got.ID + "&post_logout_redirect_uri=" + url.QueryEscape(s.url+"/bye")); !strings.HasPrefix(p.location, s.url+"/bye") || b.cookie("er_session") != "" {
		t.Errorf("%d %s, sent to %q", p.status, p.url, p.location)
	}
	var claims map[string]any
	parts := strings.Split(got.ID, ".")
	if err := json.Unmarshal(decode(t, parts[1]), &claims); err != nil || claims["iss"] != s.url || claims["nonce"] != "n" || claims["aud"] == nil {
		t.Errorf("claims %v, %v", claims, err)
	}
}

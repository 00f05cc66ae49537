package pages_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/account/oauth"
)

// From a stranger to a program that acts for him, through the pages alone.
func TestFromSignUpToTokens(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		ctx := t.Context()
		b := s.browser()
		sent := b.submit(b.get("/account/sign-up"), "name", "Lea", "email", "lea@example.com")
		if sent.status != http.StatusOK || !strings.Contains(sent.body, "Look into your mail") {
			t.Fatalf("%d %s", sent.status, sent.body)
		}
		if err := s.accounts.ProcessRequests(ctx); err != nil {
			t.Fatal(err)
		}
		choose := b.get(s.mails.links["lea@example.com"])
		if p := b.submit(choose, "password", goodPassword, "again", "something else"); p.status != http.StatusUnprocessableEntity || !strings.Contains(p.body, "not the same") {
			t.Errorf("two passwords: %d", p.status)
		}
		if p := b.submit(choose, "password", goodPassword, "again", goodPassword); p.status != http.StatusOK || !strings.Contains(p.body, "Password saved") {
			t.Fatalf("%d %s", p.status, p.body)
		}
		got := s.exchange(b.code("lea@example.com"))
		if got.status != http.StatusOK || !strings.HasPrefix(got.Access, oauth.AccessPrefix) || got.Refresh == "" || got.ID == "" || got.Expires < 590 || got.Expires > 600 {
			t.Fatalf("tokens %+v", got)
		}
		p, err := s.oauth.Authenticate(ctx, got.Access)
		if err != nil || p.Name != "Lea" || !p.Can(access.LearnerSelf) || p.Can(access.Admin) || p.Can(access.AffiliateSelf) || p.SessionID == 0 || p.TokenID != 0 {
			t.Errorf("principal %+v, %v", p, err)
		}
		// The browser is signed in: the next program needs no form.
		if again := b.get(s.authorizeURL(oauth.WebClient, s.url+"/app")); !strings.Contains(again.location, "code=") || !strings.Contains(again.location, "state=st%26te") || !strings.Contains(again.location, "iss=") {
			t.Errorf("second program: %d at %s, %q", again.status, again.url, again.location)
		}
		r, _ := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/oauth/userinfo", nil)
		r.Header.Set("Authorization", "Bearer "+got.Access)
		info := map[string]any{}
		if err := json.Unmarshal([]byte(b.do(r).body), &info); err != nil || info["email"] != "lea@example.com" || info["name"] != "Lea" || info["email_verified"] != true {
			t.Errorf("userinfo %v, %v", info, err)
		}
	})
}

func TestSecondFactorOnThePages(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		p := s.person("fin@example.com", access.RoleFinance)
		first := s.signedIn(p.Email)
		who, err := s.oauth.Authenticate(t.Context(), first.Access)
		if err != nil {
			t.Fatal(err)
		}
		e, err := s.accounts.BeginEnrolment(t.Context(), p.ID, goodPassword)
		if err != nil {
			t.Fatal(err)
		}
		codes, err := s.accounts.ConfirmEnrolment(t.Context(), p.ID, who.SessionID, codeAt(t, e.Secret, s.clock.Now()))
		if err != nil {
			t.Fatal(err)
		}
		if who, err = s.oauth.Authenticate(t.Context(), first.Access); err != nil || who.SecondFactorAt == 0 {
			t.Errorf("the token does not know of the second factor at once: %+v, %v", who, err)
		}
		b := s.browser()
		asked := b.submit(b.get(s.authorizeURL(oauth.WebClient, s.url+"/app")), "email", p.Email, "password", goodPassword)
		if asked.url.Path != "/account/second-factor" {
			t.Fatalf("after the password: %s", asked.url)
		}
		// The password alone opens nothing.
		if half := b.get(s.authorizeURL(oauth.WebClient, s.url+"/app")); half.url.Path != "/account/second-factor" {
			t.Errorf("with half a sign-in: %s", half.url)
		}
		before := b.cookie("er_session")
		if wrong := b.submit(asked, "code", "000000"); wrong.status != http.StatusUnauthorized {
			t.Errorf("wrong code: %d", wrong.status)
		}
		done := b.submit(asked, "code", codes[0])
		if codeOf(t, done); b.cookie("er_session") == before {
			t.Error("the session kept its secret over the second factor")
		}
		got := s.exchange(codeOf(t, done))
		if who, err := s.oauth.Authenticate(t.Context(), got.Access); err != nil || who.SecondFactorAt == 0 {
			t.Errorf("second factor of the session: %+v, %v", who, err)
		}
	})
}

func TestDiscovery(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		b := s.browser()
		var doc struct {
			Issuer        string   `json:"issuer"`
			Token         string   `json:"token_endpoint"`
			ResponseTypes []string `json:"response_types_supported"`
			GrantTypes    []string `json:"grant_types_supported"`
			Challenges    []string `json:"code_challenge_methods_supported"`
			Introspection string   `json:"introspection_endpoint"`
			Device        string   `json:"device_authorization_endpoint"`
		}
		p := b.get("/.well-known/openid-configuration")
		if err := json.Unmarshal([]byte(p.body), &doc); err != nil {
			t.Fatal(err)
		}
		if doc.Issuer != s.url || doc.Token != s.url+"/oauth/token" || len(doc.ResponseTypes) != 1 || len(doc.GrantTypes) != 2 || len(doc.Challenges) != 1 || doc.Introspection+doc.Device != "" {
			t.Errorf("%+v", doc)
		}
		if p.header.Get("Access-Control-Allow-Origin") != "*" {
			t.Error("pages elsewhere cannot read it")
		}
		keys := b.get("/oauth/keys")
		if !strings.Contains(keys.body, `"alg":"RS256"`) || strings.Contains(keys.body, `"d":`) {
			t.Errorf("keys %s", keys.body)
		}
		for _, path := range []string{"/oauth/authorize/callback?id=x", "/oauth/introspect", "/device_authorization", "/healthz", "/ready"} {
			if p := b.get(path); p.status != http.StatusNotFound && p.status != http.StatusMethodNotAllowed {
				t.Errorf("%s is served: %d", path, p.status)
			}
		}
	})
}

func TestConsent(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		ctx := t.Context()
		s.person("lea@example.com", access.RoleLearner)
		c, secret, err := s.oauth.CreateClient(ctx, oauth.Client{
			Name: "Other <b>App</b>", RedirectURIs: []string{"https://other.example/cb?x=1"}, Scopes: []access.Scope{access.LearnerSelf}, Confidential: true,
		})
		if err != nil {
			t.Fatal(err)
		}
		start := s.authorizeURL(c.ID, "https://other.example/cb?x=1", "scope", "openid learner:self admin")
		b := s.browser()
		ask := b.submit(b.get(start), "email", "lea@example.com", "password", goodPassword)
		if ask.url.Path != "/account/consent" || !strings.Contains(ask.body, "Other &lt;b&gt;App") || !strings.Contains(ask.body, "other.example") {
			t.Fatalf("%s\n%s", ask.url, ask.body)
		}
		if csp := ask.header.Get("Content-Security-Policy"); !strings.Contains(csp, "form-action 'self' https://other.example;") {
			t.Errorf("CSP %q", csp)
		}
		if no := b.submit(ask, "answer", "refuse"); !strings.HasPrefix(no.location, "https://other.example/cb?x=1&") || !strings.Contains(no.location, "error=access_denied") {
			t.Errorf("refused: %q", no.location)
		}
		code := codeOf(t, b.submit(ask, "answer", "allow"))
		exchange := values("grant_type", "authorization_code", "code", code, "redirect_uri", "https://other.example/cb?x=1", "code_verifier", verifier)
		if got := readTokens(t, s.browser().post("/oauth/token", withClient(exchange, c.ID))); got.status == http.StatusOK {
			t.Errorf("a confidential client without its secret: %+v", got)
		}
		got := readTokens(t, s.browser().post("/oauth/token", exchange, "Authorization", basic(c.ID, secret)))
		if got.status != http.StatusOK || got.Refresh != "" || strings.Contains(got.Scope, "admin") {
			t.Fatalf("tokens %+v", got)
		}
		if p, err := s.oauth.Authenticate(ctx, got.Access); err != nil || !p.Can(access.LearnerSelf) || p.Can(access.Me) {
			t.Errorf("principal %+v, %v", p, err)
		}
		if next := b.get(start); !strings.Contains(next.location, "code=") {
			t.Errorf("asked again: %s", next.url)
		}
		s.clock.add(time.Second)
		if again := b.get(start + "&prompt=consent"); again.url.Path != "/account/consent" {
			t.Errorf("prompt=consent: %s", again.url)
		}
		if err := s.oauth.DisableClient(ctx, c.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := s.oauth.Authenticate(ctx, got.Access); err == nil {
			t.Error("a token of a disabled client is good")
		}
		if p := b.get(start); strings.Contains(p.location, "code=") {
			t.Error("a disabled client gets a code")
		}
	})
}

func TestPrompts(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.person("lea@example.com", access.RoleLearner)
		b := s.browser()
		none := s.authorizeURL(oauth.WebClient, s.url+"/app", "prompt", "none")
		if p := b.get(none); !strings.Contains(p.location, "error=login_required") {
			t.Errorf("prompt=none of a stranger: %q at %s", p.location, p.url)
		}
		b.code("lea@example.com")
		if p := b.get(none); !strings.Contains(p.location, "code=") {
			t.Errorf("prompt=none: %q at %s", p.location, p.url)
		}
		s.clock.add(time.Second)
		login := b.get(s.authorizeURL(oauth.WebClient, s.url+"/app", "prompt", "login"))
		if login.url.Path != "/account/sign-in" {
			t.Fatalf("prompt=login: %s", login.url)
		}
		codeOf(t, b.submit(login, "email", "lea@example.com", "password", goodPassword))
	})
}

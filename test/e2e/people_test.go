package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
)

// person is somebody who signs in as people do: through the pages, with a browser that keeps cookies.
type person struct {
	site  *site
	email string
	token string // access token
	codes []string
}

// site is a running core as people see it.
type site struct {
	t      *testing.T
	core   string
	offset time.Duration // of the core's clock
}

const (
	goodPassword = "three boats on one river"
	verifier     = "a-verifier-that-is-long-enough-for-pkce-0123456789"
)

// browser follows redirects within the core's own pages.
type browser struct {
	*site
	client *http.Client
}

type webPage struct {
	status   int
	body     string
	location string // where it was sent, beyond our pages
}

func (s *site) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return &browser{s, &http.Client{Jar: jar, Timeout: time.Minute, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.Path, "/account/") || strings.HasPrefix(r.URL.Path, "/oauth/") {
			return nil
		}
		return http.ErrUseLastResponse
	}}}
}

func (b *browser) do(method, target string, form url.Values) webPage {
	b.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	if strings.HasPrefix(target, "/") {
		target = b.core + target
	}
	r, err := http.NewRequestWithContext(b.t.Context(), method, target, body)
	if err != nil {
		b.t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return webPage{resp.StatusCode, string(text), resp.Header.Get("Location")}
}

var (
	formAction  = regexp.MustCompile(`<form method="post"(?: action="([^"]+)")?`)
	hiddenInput = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`)
	mailLink    = regexp.MustCompile(`https?://[^\s"<]+/account/[^\s"<]*link=[^\s"<]+`)
)

// submit sends the form of a page with what is hidden in it.
func (b *browser) submit(p webPage, fields ...string) webPage {
	b.t.Helper()
	action := formAction.FindStringSubmatch(p.body)
	if action == nil {
		b.t.Fatalf("no form in (%d):\n%s", p.status, p.body)
	}
	form := url.Values{}
	for _, m := range hiddenInput.FindAllStringSubmatch(p.body, -1) {
		form.Set(m[1], html.UnescapeString(m[2]))
	}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return b.do(http.MethodPost, html.UnescapeString(action[1]), form)
}

// mailed is the newest link that was mailed to an address.
func (s *site) mailed(email string) string {
	s.t.Helper()
	link := ""
	waitFor(s.t, 30*time.Second, func() bool {
		var list struct {
			Items []struct {
				ID string `json:"id"`
			} `json:"items"`
		}
		s.api(adminToken, http.MethodGet, "/mails?to="+url.QueryEscape(email), nil, &list)
		for _, m := range list.Items {
			var detail struct {
				Text string `json:"text"`
			}
			s.api(adminToken, http.MethodGet, "/mails/"+m.ID, nil, &detail)
			if link = mailLink.FindString(detail.Text); link != "" {
				return true
			}
		}
		return false
	}, func() string { return "no link was mailed to " + email })
	return link
}

// choosePassword follows the link of an invitation or a sign-up.
func (s *site) choosePassword(link string) {
	s.t.Helper()
	b := s.browser()
	if p := b.submit(b.do(http.MethodGet, link, nil), "password", goodPassword, "again", goodPassword); p.status != http.StatusOK {
		s.t.Fatalf("choose a password: %d\n%s", p.status, p.body)
	}
}

// signUp makes an account as a stranger does.
func (s *site) signUp(name, email string, more ...string) *person {
	s.t.Helper()
	b := s.browser()
	path := "/account/sign-up"
	for i := 0; i < len(more); i += 2 {
		if more[i] == "sponsor" {
			path += "?sponsor=" + more[i+1]
		}
	}
	if p := b.submit(b.do(http.MethodGet, path, nil), append([]string{"name", name, "email", email}, more...)...); p.status != http.StatusOK {
		s.t.Fatalf("sign up: %d\n%s", p.status, p.body)
	}
	s.choosePassword(s.mailed(email))
	who := &person{site: s, email: email}
	who.signIn()
	return who
}

// signIn gets an access token by an authorization code, with a recovery code where a second factor is asked for.
func (p *person) signIn() {
	p.site.t.Helper()
	b := p.site.browser()
	challenge := sha256.Sum256([]byte(verifier))
	q := url.Values{
		"client_id": {"web"}, "redirect_uri": {p.site.core + "/app/callback"}, "response_type": {"code"}, "state": {"s"}, "nonce": {"n"},
		"scope":          {"openid me affiliate:self learner:self admin payouts:read payouts:write payouts:approve people:read people:write"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])}, "code_challenge_method": {"S256"},
	}
	page := b.submit(b.do(http.MethodGet, "/oauth/authorize?"+q.Encode(), nil), "email", p.email, "password", goodPassword)
	if page.location == "" {
		if len(p.codes) == 0 {
			p.site.t.Fatalf("sign in %s: %d\n%s", p.email, page.status, page.body)
		}
		page = b.submit(page, "code", p.codes[0])
		p.codes = p.codes[1:]
	}
	back, err := url.Parse(page.location)
	if err != nil || back.Query().Get("code") == "" {
		p.site.t.Fatalf("sign in %s: %d, sent to %q\n%s", p.email, page.status, page.location, page.body)
	}
	answer := b.do(http.MethodPost, "/oauth/token", url.Values{
		"grant_type": {"authorization_code"}, "code": {back.Query().Get("code")}, "redirect_uri": {p.site.core + "/app/callback"},
		"client_id": {"web"}, "code_verifier": {verifier},
	})
	var tokens struct {
		Access string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(answer.body), &tokens); err != nil || tokens.Access == "" {
		p.site.t.Fatalf("sign in %s: %d %s", p.email, answer.status, answer.body)
	}
	p.token = tokens.Access
}

// enrol sets up a second factor; the session has then proved it.
func (p *person) enrol() {
	p.site.t.Helper()
	var enrolment struct {
		Secret string `json:"secret"`
	}
	p.want(http.StatusCreated, http.MethodPost, "/me/second-factor", object{"password": goodPassword}, &enrolment)
	code, err := totp.GenerateCode(enrolment.Secret, time.Now().Add(p.site.offset))
	if err != nil {
		p.site.t.Fatal(err)
	}
	var recovery struct {
		Codes []string `json:"recovery_codes"`
	}
	p.want(http.StatusOK, http.MethodPost, "/me/second-factor/confirm", object{"code": code}, &recovery)
	p.codes = recovery.Codes
}

type object = map[string]any

// want calls the API as the person, and fails the test if the answer has another status.
func (p *person) want(status int, method, path string, in, out any) {
	p.site.t.Helper()
	if got, body := p.site.api(p.token, method, path, in, out); got != status {
		p.site.t.Fatalf("%s %s as %s: %d, want %d: %s", method, path, p.email, got, status, body)
	}
}

// api calls the API; where it succeeds, the answer is decoded into out.
func (s *site) api(token, method, path string, in, out any) (int, string) {
	s.t.Helper()
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			s.t.Fatal(err)
		}
		body = bytes.NewReader(b)
	}
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.core+"/api/v1"+path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if in != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	resp, err := client.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	if out != nil && resp.StatusCode < 300 {
		if err := json.Unmarshal(text, out); err != nil {
			s.t.Fatalf("%s %s: %v in %s", method, path, err, text)
		}
	}
	return resp.StatusCode, string(text)
}

package pages_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/account"
	"github.com/edgeref/edgeref/core/account/oauth"
	"github.com/edgeref/edgeref/core/account/pages"
	"github.com/edgeref/edgeref/core/account/password"
	"github.com/edgeref/edgeref/core/audit"
	"github.com/edgeref/edgeref/core/catalog"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/core/mail"
	"github.com/edgeref/edgeref/core/newid"
	"github.com/edgeref/edgeref/core/secret"
)

const (
	goodPassword = "a sail over the green lake"
	verifier     = "a-verifier-of-43-characters-at-least-012345678901"
)

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// mailbox queues mails as the core does, and remembers the links in them by address.
type mailbox struct {
	*mail.Service
	mu    sync.Mutex
	links map[string]string
}

func (m *mailbox) Queue(ctx context.Context, tx *db.Tx, msg mail.Message) error {
	if err := m.Service.Queue(ctx, tx, msg); err != nil {
		return err
	}
	tx.OnCommit(func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.links[msg.To] = msg.Data["URL"]
	})
	return nil
}

// site is all that people see, over real HTTP.
type site struct {
	t        *testing.T
	url      string
	db       *db.DB
	clock    *clock
	mails    *mailbox
	accounts *account.Service
	oauth    *oauth.Service
	address  netip.Addr // of all clients
	pages    *pages.Pages
}

func each(t *testing.T, test func(t *testing.T, s *site)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { test(t, newSite(t, d)) })
}

func newSite(t *testing.T, d *db.DB, change ...func(*pages.Options)) *site {
	t.Helper()
	// The library of the protocol looks at the real clock, so the one of the tests begins there.
	s := &site{t: t, db: d, clock: &clock{now: time.Now()}, address: netip.MustParseAddr("198.51.100.7")}
	server := httptest.NewUnstartedServer(nil)
	s.url = "http://" + server.Listener.Addr().String()
	ids := newid.New(s.clock.Now)
	ring, err := secret.NewRing([]string{secret.NewKey("1")})
	if err != nil {
		t.Fatal(err)
	}
	service, err := mail.New(mail.Options{DB: d, IDs: ids, Now: s.clock.Now, Ring: ring})
	if err != nil {
		t.Fatal(err)
	}
	s.mails = &mailbox{Service: service, links: map[string]string{}}
	links, err := catalog.New(t.Context(), catalog.Options{DB: d, IDs: ids, Now: s.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	log := audit.New(audit.Options{DB: d, IDs: ids})
	s.accounts = account.New(account.Options{
		DB: d, IDs: ids, Now: s.clock.Now, Ring: ring, Mail: s.mails, Audit: log, Affiliates: links, URL: s.url,
		Passwords: password.New(password.Options{Params: password.Params{Memory: 64, Time: 1, Threads: 1}}),
	})
	address := func(*http.Request) netip.Addr { return s.address }
	s.oauth, err = oauth.New(oauth.Options{
		DB: d, IDs: ids, Now: s.clock.Now, Accounts: s.accounts, Ring: ring, Audit: log, Issuer: s.url,
		WebRedirects: []string{s.url + "/app"}, WebSignOut: []string{s.url + "/bye"}, Address: address,
	})
	if err != nil {
		t.Fatal(err)
	}
	opts := pages.Options{Accounts: s.accounts, OAuth: s.oauth, Address: address, Now: s.clock.Now}
	for _, c := range change {
		c(&opts)
	}
	p, err := pages.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	s.pages = p
	mux := http.NewServeMux()
	mux.Handle("/account/", p)
	mux.Handle("/", s.oauth.Handler())
	server.Config.Handler = mux
	server.Start()
	t.Cleanup(server.Close)
	return s
}

// person makes somebody with a password and roles.
func (s *site) person(email string, roles ...access.Role) account.Person {
	s.t.Helper()
	link, err := url.Parse(s.invite(email, roles...))
	if err != nil {
		s.t.Fatal(err)
	}
	p, err := s.accounts.SetPassword(s.t.Context(), link.Query().Get("link"), goodPassword, "")
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

func (s *site) invite(email string, roles ...access.Role) string {
	s.t.Helper()
	owner := access.Principal{PersonID: 1, Roles: []access.Role{access.RoleOwner}}
	if err := s.accounts.Invite(s.t.Context(), owner, email, "Ann Example", roles); err != nil {
		s.t.Fatal(err)
	}
	s.mails.mu.Lock()
	defer s.mails.mu.Unlock()
	return s.mails.links[email]
}

// browser keeps cookies and follows redirects within the site.
type browser struct {
	s *site
	c *http.Client
}

func (s *site) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	b := &browser{s: s}
	b.c = &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.Path, "/account/") || strings.HasPrefix(r.URL.Path, "/oauth/") {
			return nil
		}
		return http.ErrUseLastResponse // the client's own page
	}}
	return b
}

type page struct {
	status   int
	body     string
	location string // where the browser was sent, outside of our pages
	url      *url.URL
	header   http.Header
}

func (b *browser) do(r *http.Request) page {
	b.s.t.Helper()
	resp, err := b.c.Do(r)
	if err != nil {
		b.s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.s.t.Fatal(err)
	}
	return page{status: resp.StatusCode, body: string(body), location: resp.Header.Get("Location"), url: resp.Request.URL, header: resp.Header}
}

func (b *browser) get(path string) page {
	b.s.t.Helper()
	if strings.HasPrefix(path, "/") {
		path = b.s.url + path
	}
	r, err := http.NewRequestWithContext(b.s.t.Context(), http.MethodGet, path, nil)
	if err != nil {
		b.s.t.Fatal(err)
	}
	return b.do(r)
}

func (b *browser) post(path string, form url.Values, headers ...string) page {
	b.s.t.Helper()
	r, err := http.NewRequestWithContext(b.s.t.Context(), http.MethodPost, b.s.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return b.do(r)
}

// submit fills in the form of a page, as people do: what is hidden is sent along.
func (b *browser) submit(p page, fields ...string) page {
	b.s.t.Helper()
	action := regexp.MustCompile(`<form method="post" action="([^"]+)"`).FindStringSubmatch(p.body)
	if action == nil {
		b.s.t.Fatalf("no form in %s (%d):\n%s", p.url, p.status, p.body)
	}
	form := url.Values{}
	for _, m := range regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`).FindAllStringSubmatch(p.body, -1) {
		form.Set(m[1], strings.ReplaceAll(m[2], "&#43;", "+"))
	}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return b.post(action[1], form)
}

// authorizeURL is where a client sends a browser.
func (s *site) authorizeURL(client, redirect string, more ...string) string {
	challenge := sha256.Sum256([]byte(verifier))
	q := url.Values{
		"client_id": {client}, "redirect_uri": {redirect}, "response_type": {"code"}, "state": {"st&te"}, "nonce": {"n"}, "scope": {"openid profile email offline_access me learner:self admin"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])}, "code_challenge_method": {"S256"},
	}
	for i := 0; i < len(more); i += 2 {
		if more[i+1] == "" {
			q.Del(more[i])
		} else {
			q.Set(more[i], more[i+1])
		}
	}
	return s.url + "/oauth/authorize?" + q.Encode()
}

// code signs somebody in through the pages for the built-in client and returns the code.
func (b *browser) code(email string) string {
	b.s.t.Helper()
	p := b.get(b.s.authorizeURL(oauth.WebClient, b.s.url+"/app"))
	if p.location == "" {
		p = b.submit(p, "email", email, "password", goodPassword)
	}
	return codeOf(b.s.t, p)
}

func codeOf(t *testing.T, p page) string {
	t.Helper()
	u, err := url.Parse(p.location)
	if err != nil || u.Query().Get("code") == "" {
		t.Fatalf("no code: %d at %s, sent to %q, %v\n%s", p.status, p.url, p.location, err, p.body)
	}
	return u.Query().Get("code")
}

// tokens are an answer of the token endpoint.
type tokens struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
	ID      string `json:"id_token"`
	Expires int    `json:"expires_in"`
	Scope   string `json:"scope"`
	Error   string `json:"error"`

	status int
}

func (s *site) token(form ...string) (out tokens) {
	s.t.Helper()
	return readTokens(s.t, s.browser().post("/oauth/token", values(form...)))
}

func values(pairs ...string) url.Values {
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v
}

func readTokens(t *testing.T, p page) (out tokens) {
	t.Helper()
	if err := json.Unmarshal([]byte(p.body), &out); err != nil {
		t.Fatalf("%d %s: %v", p.status, p.body, err)
	}
	out.status = p.status
	return out
}

func (s *site) exchange(code string) tokens {
	s.t.Helper()
	return s.token("grant_type", "authorization_code", "code", code, "redirect_uri", s.url+"/app", "client_id", oauth.WebClient, "code_verifier", verifier)
}

func (s *site) refresh(token string) tokens {
	s.t.Helper()
	return s.token("grant_type", "refresh_token", "refresh_token", token, "client_id", oauth.WebClient)
}

// signedIn is the tokens of somebody who has signed in.
func (s *site) signedIn(email string) tokens {
	s.t.Helper()
	got := s.exchange(s.browser().code(email))
	if got.status != http.StatusOK {
		s.t.Fatalf("exchange: %+v", got)
	}
	return got
}

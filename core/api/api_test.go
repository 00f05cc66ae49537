package api_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/edgeref/edgeref/core/account/oauth"
	"github.com/edgeref/edgeref/core/api"
	"github.com/edgeref/edgeref/core/audit"
	"github.com/edgeref/edgeref/core/commission"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/core/newid"
	"github.com/edgeref/edgeref/core/payment"
	"github.com/edgeref/edgeref/core/payout"
	"github.com/edgeref/edgeref/core/system"
	"github.com/edgeref/edgeref/core/token"
	"github.com/edgeref/edgeref/core/webhook"
)

const adminSecret = "admin-secret-of-the-tests-0123456789"

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)} }

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

// server is the API over real HTTP.
type server struct {
	t           *testing.T
	url         string
	db          *db.DB
	clock       *clock
	tokens      *token.Store
	api         *api.API
	reg         *prometheus.Registry
	log         *lockedBuffer
	ids         *newid.Generator
	hooks       *webhook.Service
	commissions *commission.Service
	payouts     *payout.Service
	payments    *payment.Service
	people      people
	accounts    *accounts
	audit       *audit.Log
	gateway     *gateway
	inboxes     inboxes
	self        api.SelfServices
	desk        api.DeskServices
	analytics   *analytics
	bearer      string
	watching    time.Duration // how long streams of what happens last
	ledgerFacts system.LedgerFacts
}

// each runs test against an API on every kind of database.
func each(t *testing.T, test func(t *testing.T, s *server)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { test(t, newServer(t, d, modules)) })
}

// eachWith is each with other modules.
func eachWith(t *testing.T, build func(*server) []api.Module, test func(t *testing.T, s *server)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { test(t, newServer(t, d, build)) })
}

func newServer(t *testing.T, d *db.DB, build func(s *server) []api.Module) *server {
	t.Helper()
	s := &server{t: t, db: d, clock: newClock(), reg: prometheus.NewRegistry(), log: &lockedBuffer{}, bearer: adminSecret, people: people{}}
	s.ids = newid.New(s.clock.Now)
	s.tokens = token.New(token.Options{DB: d, IDs: s.ids, Now: s.clock.Now})
	if _, _, err := s.tokens.EnsureAdmin(t.Context(), adminSecret); err != nil {
		t.Fatal(err)
	}
	s.audit = audit.New(audit.Options{DB: d, IDs: s.ids})
	a, err := api.New(api.Options{DB: d, Audit: s.audit, Tokens: api.Chain(s.tokens, api.Scheme{Prefix: personPrefix, Authenticator: s.people}, api.Scheme{Prefix: oauth.AccessPrefix, Authenticator: s}), Logger: s.log.logger(), Registerer: s.reg, Now: s.clock.Now, Version: "test", TrustedProxies: loopback()}, build(s)...)
	if err != nil {
		t.Fatal(err)
	}
	s.api = a
	srv := httptest.NewServer(a)
	t.Cleanup(srv.Close)
	s.url = srv.URL
	t.Cleanup(s.checkAudited)
	return s
}

// loopback is where the tests' requests come from.
func loopback() []netip.Prefix {
	return []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
}

// addressSeen is the address that ProbePublic sees.
func addressSeen(t *testing.T, a *api.API, peer, header string) string {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/api/v1/probe-public", strings.NewReader(`{"address":""}`))
	r.RemoteAddr = peer
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("CF-Connecting-IP", header)
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	var got api.AddressBody
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%d %s, %v", w.Code, w.Body, err)
	}
	return got.Address
}

// modules are all of the API, as they are on one database.
func modules(s *server) []api.Module {
	money := moneyModules(s, s.figures())
	c := s.self.Catalog
	money = append(money, siteModules(s)...)
	accounts, mails := newAccounts(s), s.letters("")
	out := append(append(money, accounts.modules()...), api.AffiliateSelf(s.self), api.Tokens(s.tokens), api.Catalog(c), api.Audit(s.audit), api.Mails(mails), paymentModule(s))
	s.desk.Accounts, s.desk.Catalog, s.desk.Payments, s.desk.Payouts, s.desk.Mails, s.desk.Audit = accounts.Service, c, s.payments, s.payouts, mails, s.audit
	s.desk.Conversions, s.desk.Commissions, s.desk.Ledger, s.desk.Clicks, s.desk.Keys = s.self.Conversions, s.self.Commissions, s.self.Ledger, s.self.Reports, testKeyring(s.t)
	return append(out, api.Desk(s.desk))
}

// answer is one HTTP answer.
type answer struct {
	t      *testing.T
	status int
	header http.Header
	body   []byte
}

// do sends a request with the server's bearer token; body is JSON, or nil. Headers are pairs.
func (s *server) do(method, path string, body any, headers ...string) answer {
	s.t.Helper()
	var reader io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		reader = strings.NewReader(b)
	default:
		encoded, err := json.Marshal(b)
		if err != nil {
			s.t.Fatal(err)
		}
		reader = bytes.NewReader(encoded)
	}
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, reader)
	if err != nil {
		s.t.Fatal(err)
	}
	if reader != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if s.bearer != "" {
		req.Header.Set("Authorization", "Bearer "+s.bearer)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer{t: s.t, status: resp.StatusCode, header: resp.Header, body: b}
}

// want fails unless the answer has a status and, where it is a problem, a code.
func (a answer) want(status int, code ...string) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("status %d, want %d: %s", a.status, status, a.body)
	}
	if len(code) == 0 {
		return a
	}
	var p api.Problem
	if err := json.Unmarshal(a.body, &p); err != nil {
		a.t.Fatalf("not a problem: %v: %s", err, a.body)
	}
	if ct := a.header.Get("Content-Type"); ct != "application/problem+json" {
		a.t.Errorf("content type %q", ct)
	}
	if p.Code != code[0] || p.Status != status || p.RequestID == "" || p.RequestID != a.header.Get("X-Request-Id") {
		a.t.Fatalf("problem %+v, want code %q and a request id", p, code[0])
	}
	return a
}

// into decodes the body.
func (a answer) into(v any) {
	a.t.Helper()
	if err := json.Unmarshal(a.body, v); err != nil {
		a.t.Fatalf("decode %s: %v", a.body, err)
	}
}

// get reads one member of the body, a path like "items.0.id" not included.
func (a answer) get(name string) any {
	a.t.Helper()
	var m map[string]any
	a.into(&m)
	v, ok := m[name]
	if !ok {
		a.t.Fatalf("no %q in %s", name, a.body)
	}
	return v
}

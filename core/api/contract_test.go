package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/api"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
)

func sqliteServer(t *testing.T) *server { return newServer(t, dbtest.SQLite(t), modules) }

// document is as much of the OpenAPI document as the tests look at.
type document struct {
	OpenAPI string `json:"openapi"`
	Paths   map[string]map[string]struct {
		OperationID string                `json:"operationId"`
		Public      bool                  `json:"x-public"`
		Security    []map[string][]string `json:"security"`
		Responses   map[string]any        `json:"responses"`
		Parameters  []struct{ Name, In string }
	} `json:"paths"`
}

func (s *server) document() (d document) {
	s.t.Helper()
	s.do("GET", "/openapi.json", nil).want(http.StatusOK).into(&d)
	return d
}

// publicOperations are all that need no token. Whoever adds one says so here.
func publicOperations() []string {
	return []string{"quote-checkout", "create-checkout-order", "get-checkout-order", "begin-checkout-payment", "get-checkout-invoice", "receive-razorpayx-webhook", "open-kyc-file", "get-site-brand"}
}

// Every operation that the document shows refuses those without a token, with a wrong one, and with every right but its own.
func TestEveryOperationIsGuarded(t *testing.T) {
	s := sqliteServer(t)
	d := s.document()
	if d.OpenAPI != "3.1.0" || len(d.Paths) < 20 {
		t.Fatalf("OpenAPI %q with %d paths", d.OpenAPI, len(d.Paths))
	}
	lacking := map[string]string{}
	for _, scope := range access.Scopes() {
		others := slices.DeleteFunc(access.Scopes(), func(other access.Scope) bool { return other == scope || other == access.Admin || other.Personal() })
		_, secret, err := s.tokens.Create(t.Context(), "all but "+string(scope), others)
		if err != nil {
			t.Fatal(err)
		}
		lacking[string(scope)] = secret
	}
	var open []string
	defer func() {
		if len(open) != len(publicOperations()) {
			t.Errorf("public are %v, want %v", open, publicOperations())
		}
	}()
	parameter := regexp.MustCompile(`{[^}]+}`)
	for path, methods := range d.Paths {
		path := parameter.ReplaceAllString(path, "x")
		for method, op := range methods {
			method = strings.ToUpper(method)
			if slices.Contains(publicOperations(), op.OperationID) {
				open = append(open, op.OperationID)
				if !op.Public || len(op.Security) != 0 || op.Responses["429"] == nil || op.Responses["401"] != nil {
					t.Errorf("%s is public and the document does not say so: %+v", op.OperationID, op)
				}
				continue
			}
			if op.Public {
				t.Errorf("%s is public and not known to be", op.OperationID)
			}
			if len(op.Security) != 1 || len(op.Security[0]["bearer"]) != 1 {
				t.Errorf("%s declares %v", op.OperationID, op.Security)
				continue
			}
			s.bearer = ""
			got := s.do(method, path, nil).want(http.StatusUnauthorized, "unauthenticated")
			if got.header.Get("WWW-Authenticate") == "" {
				t.Errorf("%s: no WWW-Authenticate", op.OperationID)
			}
			s.bearer = "wrong"
			s.do(method, path, nil).want(http.StatusUnauthorized, "unauthenticated")
			s.bearer = lacking[op.Security[0]["bearer"][0]]
			s.do(method, path, nil).want(http.StatusForbidden, "forbidden")
			for _, status := range []string{"401", "403", "500"} {
				if op.Responses[status] == nil {
					t.Errorf("%s: the document shows no %s", op.OperationID, status)
				}
			}
			if method == http.MethodPost && !slices.Contains(op.Parameters, struct{ Name, In string }{"Idempotency-Key", "header"}) {
				t.Errorf("%s: the document shows no Idempotency-Key", op.OperationID)
			}
		}
	}
}

func TestDocumentResolves(t *testing.T) {
	s := sqliteServer(t)
	body := string(s.do("GET", "/openapi.json", nil).want(http.StatusOK).body)
	var doc struct {
		Components struct {
			Schemas         map[string]any `json:"schemas"`
			SecuritySchemes map[string]any `json:"securitySchemes"`
		} `json:"components"`
	}
	if err := json.Unmarshal([]byte(body), &doc); err != nil {
		t.Fatal(err)
	}
	if doc.Components.SecuritySchemes["bearer"] == nil {
		t.Error("no security scheme")
	}
	for _, m := range regexp.MustCompile(`"#/components/schemas/([^"]+)"`).FindAllStringSubmatch(body, -1) {
		if doc.Components.Schemas[m[1]] == nil {
			t.Errorf("reference to schema %s, which is missing", m[1])
		}
	}
	if doc.Components.Schemas["Problem"] == nil || strings.Contains(body, "ErrorModel") {
		t.Error("errors are not described as Problem")
	}
}

func TestDocsNeedNothingFromElsewhere(t *testing.T) {
	s := sqliteServer(t)
	s.bearer = ""
	page := s.do("GET", "/docs", nil).want(http.StatusOK)
	if ct := page.header.Get("Content-Type"); !strings.HasPrefix(ct, "text/html") {
		t.Errorf("content type %q", ct)
	}
	found := regexp.MustCompile(`(?:src|href)="([^"]+)"`).FindAllStringSubmatch(string(page.body), -1)
	if len(found) < 3 {
		t.Fatalf("%d assets in the page: %s", len(found), page.body)
	}
	for _, m := range found {
		if !strings.HasPrefix(m[1], "/docs/") {
			t.Errorf("asset from elsewhere: %s", m[1])
			continue
		}
		s.do("GET", m[1], nil).want(http.StatusOK)
	}
	if !strings.Contains(string(page.body), "/openapi.json") {
		t.Error("the page does not name the document")
	}
}

func TestHeadersOfAnswers(t *testing.T) {
	s := sqliteServer(t)
	got := s.do("GET", "/api/v1/programs", nil, "X-Request-Id", "from-the-proxy.1").want(http.StatusOK)
	for name, want := range map[string]string{
		"X-Request-Id": "from-the-proxy.1", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
		"Referrer-Policy": "no-referrer", "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
		"Content-Type": "application/json",
	} {
		if got.header.Get(name) != want {
			t.Errorf("%s: %q, want %q", name, got.header.Get(name), want)
		}
	}
	for _, id := range []string{"with space", strings.Repeat("x", 65), "<script>"} {
		if got := s.do("GET", "/api/v1/programs", nil, "X-Request-Id", id).header.Get("X-Request-Id"); got == id || len(got) != 24 {
			t.Errorf("request id %q for %q", got, id)
		}
	}
}

func TestBadRequests(t *testing.T) {
	s := sqliteServer(t)
	s.do("GET", "/nothing", nil).want(http.StatusNotFound, "not_found")
	s.do("PUT", "/api/v1/programs", `{}`).want(http.StatusMethodNotAllowed, "method_not_allowed")
	s.do("POST", "/api/v1/programs", `{"name":`).want(http.StatusBadRequest, "bad_request")
	s.do("POST", "/api/v1/programs", nil).want(http.StatusBadRequest, "bad_request")
	s.do("POST", "/api/v1/programs", `{"name":"x","colour":"red"}`).want(http.StatusUnprocessableEntity, "validation_failed")
	s.do("POST", "/api/v1/programs", `{"name":1}`).want(http.StatusUnprocessableEntity, "validation_failed")
	s.do("POST", "/api/v1/programs", `x`, "Content-Type", "text/xml").want(http.StatusUnsupportedMediaType, "unsupported_media_type")
	big := `{"name":"` + strings.Repeat("x", 10<<20) + `"}`
	s.do("POST", "/api/v1/programs", big).want(http.StatusRequestEntityTooLarge, "body_too_large")
	s.do("POST", "/api/v1/programs", big, "Idempotency-Key", "k").want(http.StatusRequestEntityTooLarge, "body_too_large")
	s.do("POST", "/api/v1/programs", `{"name":"\u0000"}`).want(http.StatusUnprocessableEntity, "validation_failed")
}

func TestProblemsDoNotRepeatInput(t *testing.T) {
	s := sqliteServer(t)
	got := s.do("POST", "/api/v1/programs", `{"name":"x","click_param":{"hunter2":1},"hunter2":"hunter2"}`).want(http.StatusUnprocessableEntity)
	if strings.Contains(strings.ReplaceAll(string(got.body), "body.hunter2", ""), `"hunter2"`) {
		t.Errorf("the value is repeated: %s", got.body)
	}
}

// probe is a module whose one operation does what a test wants.
func probe(run func(ctx context.Context) error) func(*server) []api.Module {
	return func(*server) []api.Module { return []api.Module{api.Probe(run)} }
}

func TestUnknownErrorsAreLoggedAndNotShown(t *testing.T) {
	fail := errors.New("dial tcp 10.0.0.7: password hunter2")
	s := newServer(t, dbtest.SQLite(t), probe(func(context.Context) error { return fail }))
	got := s.do("POST", "/api/v1/probe", nil, "X-Request-Id", "req-1").want(http.StatusInternalServerError, "internal")
	if strings.Contains(string(got.body), "hunter2") {
		t.Errorf("shown: %s", got.body)
	}
	if n := strings.Count(s.log.String(), "hunter2"); n != 1 || !strings.Contains(s.log.String(), `"request_id":"req-1"`) {
		t.Errorf("logged %d times: %s", n, s.log)
	}
}

func TestTemporaryErrors(t *testing.T) {
	for want, err := range map[string]error{
		"outcome_unknown": fmt.Errorf("commit: %w", db.ErrUnknownOutcome),
		"timeout":         fmt.Errorf("read: %w", context.DeadlineExceeded),
		"unavailable":     fmt.Errorf("read: %w", &net.OpError{Op: "dial", Err: errors.New("refused")}),
	} {
		s := newServer(t, dbtest.SQLite(t), probe(func(context.Context) error { return err }))
		s.do("POST", "/api/v1/probe", nil).want(http.StatusServiceUnavailable, want)
		if !strings.Contains(s.log.String(), want) {
			t.Errorf("%s is not logged", want)
		}
	}
}

func TestPanicsAreAnswered(t *testing.T) {
	s := newServer(t, dbtest.SQLite(t), probe(func(context.Context) error { panic("hunter2") }))
	got := s.do("POST", "/api/v1/probe", nil).want(http.StatusInternalServerError, "internal")
	if strings.Contains(string(got.body), "hunter2") || !strings.Contains(s.log.String(), "hunter2") {
		t.Errorf("shown: %s; logged: %s", got.body, s.log)
	}
	s.wantMetric("edgeref_api_panics_total", nil, 1)
}

func TestLogAndMetricsHoldNoSecrets(t *testing.T) {
	s := sqliteServer(t)
	p := s.program()
	s.do("GET", "/api/v1/programs/"+p.ID+"?secret=hunter2", nil)
	s.do("GET", "/api/v1/hunter2", nil)
	s.do("BREW", "/api/v1/programs", nil)
	families, err := s.reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{s.log.String(), fmt.Sprint(families)} {
		for _, secret := range []string{adminSecret, p.PostbackSecret, "hunter2", "BREW"} {
			if strings.Contains(text, secret) {
				t.Errorf("%q is in the log or the metrics", secret)
			}
		}
	}
	if strings.Contains(fmt.Sprint(families), p.ID) {
		t.Error("a metric names a program")
	}
	s.wantMetric("edgeref_api_requests_total", map[string]string{"method": "POST", "route": "/api/v1/programs", "status": "201"}, 1)
	if !strings.Contains(s.log.String(), `"route":"/api/v1/programs/{id}"`) || !strings.Contains(s.log.String(), `"token":"tok_`) {
		t.Errorf("log: %s", s.log)
	}
}

// wantMetric fails unless a counter with these labels has a value.
func (s *server) wantMetric(name string, labels map[string]string, want float64) {
	s.t.Helper()
	families, err := s.reg.Gather()
	if err != nil {
		s.t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			have := map[string]string{}
			for _, l := range m.GetLabel() {
				have[l.GetName()] = l.GetValue()
			}
			match := true
			for k, v := range labels {
				match = match && have[k] == v
			}
			if match {
				if got := m.GetCounter().GetValue(); got != want {
					s.t.Errorf("%s%v is %v, want %v", name, labels, got, want)
				}
				return
			}
		}
	}
	s.t.Errorf("%s%v is missing", name, labels)
}

// A body that stops half way must not hold a handler for ever; the client is told.
func TestSlowBody(t *testing.T) {
	s := sqliteServer(t)
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, err = fmt.Fprintf(conn, "POST /api/v1/programs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: 100\r\n\r\n{", adminSecret)
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode < 400 || resp.StatusCode >= 600 || resp.StatusCode == http.StatusInternalServerError {
		t.Errorf("status %d", resp.StatusCode)
	}
}

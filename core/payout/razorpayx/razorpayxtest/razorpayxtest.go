// Package razorpayxtest is a RazorpayX for tests: it speaks the documented wire format, and breaks as it is told.
package razorpayxtest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// What a client needs.
const (
	KeyID, KeySecret = "rzp_test_key", "rzp-test-secret"
	Account          = "7878780080316316"
	HookSecret       = "hook-secret"
)

// Provider keeps what was made under which idempotency key. It is safe for concurrent use.
type Provider struct {
	URL     string
	Hanging chan struct{} // gets a value when a request hangs

	mu      sync.Mutex
	payouts map[string]map[string]any // by idempotency key
	bodies  map[string]string
	breaks  func(method, path string) string
}

// Serve starts one that ends with the test.
func Serve(t testing.TB) *Provider {
	p := &Provider{Hanging: make(chan struct{}, 100), payouts: map[string]map[string]any{}, bodies: map[string]string{}, breaks: func(string, string) string { return "" }}
	srv := httptest.NewServer(p)
	t.Cleanup(srv.Close)
	p.URL = srv.URL
	return p
}

func fail(w http.ResponseWriter, status int, code, text string) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{
		"code": code, "description": text, "source": "business", "step": nil, "reason": nil, "metadata": map[string]any{}, "field": nil,
	}})
}

// ServeHTTP implements http.Handler.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	p.mu.Lock()
	how := p.breaks(r.Method, r.URL.Path)
	p.mu.Unlock()
	if user, password, _ := r.BasicAuth(); user != KeyID || password != KeySecret || how == "401" {
		fail(w, http.StatusUnauthorized, "BAD_REQUEST_ERROR", "Authentication failed")
		return
	}
	switch how {
	case "500 before":
		fail(w, http.StatusInternalServerError, "SERVER_ERROR", "We are facing some trouble completing your request at the moment.")
		return
	case "400":
		fail(w, http.StatusBadRequest, "BAD_REQUEST_ERROR", "The fund account is not active.")
		return
	case "429":
		fail(w, http.StatusTooManyRequests, "BAD_REQUEST_ERROR", "Request failed. Please try after sometime.")
		return
	}
	answer := httptest.NewRecorder()
	p.work(answer, r, body)
	switch how {
	case "500 after":
		fail(w, http.StatusInternalServerError, "SERVER_ERROR", "We are facing some trouble completing your request at the moment.")
	case "cut":
		panic(http.ErrAbortHandler)
	case "hang":
		p.Hanging <- struct{}{}
		<-r.Context().Done()
	default:
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	}
}

func (p *Provider) work(w http.ResponseWriter, r *http.Request, body []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var in map[string]any
	if len(body) > 0 {
		if err := json.Unmarshal(body, &in); err != nil {
			fail(w, http.StatusBadRequest, "BAD_REQUEST_ERROR", "The request is not JSON")
			return
		}
	}
	switch {
	case r.Method == http.MethodPost && r.URL.Path == "/v1/contacts":
		in["id"], in["entity"] = "cont_00000000000001", "contact"
		w.WriteHeader(http.StatusCreated)
		_ = json.NewEncoder(w).Encode(in)
	case r.Method == http.MethodPost && r.URL.Path == "/v1/fund_accounts":
		in["id"], in["entity"] = "fa_00000000000001", "fund_account"
		w.WriteHeader(http.StatusCreated)
		_ = json.NewEncoder(w).Encode(in)
	case r.Method == http.MethodPost && r.URL.Path == "/v1/payouts":
		p.make(w, r.Header.Get("X-Payout-Idempotency"), string(body), in)
	case r.Method == http.MethodGet && r.URL.Path == "/v1/payouts":
		items := []any{}
		for _, made := range p.payouts {
			if made["reference_id"] == r.URL.Query().Get("reference_id") && r.URL.Query().Get("account_number") == Account {
				items = append(items, made)
			}
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"entity": "collection", "count": len(items), "items": items})
	case r.Method == http.MethodGet:
		for _, made := range p.payouts {
			if "/v1/payouts/"+made["id"].(string) == r.URL.Path {
				_ = json.NewEncoder(w).Encode(made)
				return
			}
		}
		fail(w, http.StatusBadRequest, "BAD_REQUEST_ERROR", "The id provided does not exist")
	default:
		fail(w, http.StatusNotFound, "BAD_REQUEST_ERROR", "The requested URL was not found on the server.")
	}
}

func (p *Provider) make(w http.ResponseWriter, key, body string, in map[string]any) {
	if len(key) < 4 || len(key) > 36 {
		fail(w, http.StatusBadRequest, "BAD_REQUEST_ERROR", "Idempotency key is missing. Include idempotency header and key in the request.")
		return
	}
	made := p.payouts[key]
	switch {
	case made == nil:
		made = map[string]any{
			"id": fmt.Sprintf("pout_%014d", len(p.payouts)+1), "entity": "payout", "fund_account_id": in["fund_account_id"], "amount": in["amount"],
			"currency": in["currency"], "notes": []any{}, "fees": 0, "tax": 0, "status": "processing", "purpose": in["purpose"], "utr": nil,
			"mode": in["mode"], "reference_id": in["reference_id"], "narration": in["narration"], "batch_id": nil, "failure_reason": nil,
			"created_at": 1545383037, "status_details": map[string]any{"description": nil, "source": nil, "reason": nil},
		}
		p.payouts[key], p.bodies[key] = made, body
	case p.bodies[key] != body:
		fail(w, http.StatusBadRequest, "BAD_REQUEST_ERROR", "Different request body for the same idempotency key")
		return
	}
	_ = json.NewEncoder(w).Encode(made)
}

// Break decides what happens to requests from now on: "" works; "500 before", "400", "401", "429" do nothing; "500 after",
// "cut" and "hang" do the work and lose the answer.
func (p *Provider) Break(how func(method, path string) string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.breaks = how
}

// Set changes the payout of a key.
func (p *Provider) Set(key string, fields map[string]any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for name, value := range fields {
		p.payouts[key][name] = value
	}
}

// SetAll changes all payouts.
func (p *Provider) SetAll(fields map[string]any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, made := range p.payouts {
		for name, value := range fields {
			made[name] = value
		}
	}
}

// Count is how many payouts there are.
func (p *Provider) Count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.payouts)
}

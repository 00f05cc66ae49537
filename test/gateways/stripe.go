package gateways

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Stripe is a provider with one merchant in test mode. Times are Unix seconds.
type Stripe struct {
	harness
	SecretKey, WebhookSecret string
	Server                   *httptest.Server

	state    sync.Mutex
	now      int64
	seq      int
	sessions []map[string]any
	charges  []map[string]any
	refunds  []map[string]any
	byKey    map[string]stripeAnswer
	pending  bool
}

type stripeAnswer struct {
	request string
	status  int
	body    []byte
}

// NewStripe starts a provider whose clock stands at now. Close it.
func NewStripe(now int64) *Stripe {
	p := &Stripe{
		harness: newHarness(), SecretKey: "sk_test_51QzEdgeRefTestKey", WebhookSecret: "whsec_R8n2VtW0xQ4kLmAbC3dE5fGh", now: now, byKey: map[string]stripeAnswer{},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/checkout/sessions", p.once(p.createSession))
	mux.HandleFunc("GET /v1/checkout/sessions/{id}", p.readSession)
	mux.HandleFunc("POST /v1/refunds", p.once(p.createRefund))
	mux.HandleFunc("GET /v1/refunds", func(w http.ResponseWriter, r *http.Request) { p.list(w, r, &p.refunds) })
	mux.HandleFunc("GET /v1/charges", func(w http.ResponseWriter, r *http.Request) { p.list(w, r, &p.charges) })
	p.Server = httptest.NewServer(p.wrap(p.authenticate(mux)))
	return p
}

// Close ends the server and all that hangs.
func (p *Stripe) Close() {
	close(p.stop)
	p.Server.Close()
}

// SetPending makes refunds wait until Finish.
func (p *Stripe) SetPending(pending bool) {
	p.state.Lock()
	defer p.state.Unlock()
	p.pending = pending
}

// Finish gives all refunds that wait a status.
func (p *Stripe) Finish(status string) {
	p.state.Lock()
	defer p.state.Unlock()
	for _, r := range p.refunds {
		if r["status"] == "pending" {
			r["status"] = status
		}
	}
}

// Sessions counts checkout sessions.
func (p *Stripe) Sessions() int { p.state.Lock(); defer p.state.Unlock(); return len(p.sessions) }

// Refunds counts refunds.
func (p *Stripe) Refunds() int { p.state.Lock(); defer p.state.Unlock(); return len(p.refunds) }

func (p *Stripe) authenticate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+p.SecretKey {
			p.fail(w, http.StatusUnauthorized, "invalid_request_error", "Invalid API Key provided")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (p *Stripe) fail(w http.ResponseWriter, status int, kind, message string) {
	p.answer(w, status, map[string]any{"error": map[string]any{"type": kind, "message": message}})
}

func (p *Stripe) answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Request-Id", "req_test")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// once answers a request with a known idempotency key as before, and refuses the key for another request.
func (p *Stripe) once(handle http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		key := r.Header.Get("Idempotency-Key")
		if err := r.ParseForm(); err != nil || key == "" {
			p.fail(w, http.StatusBadRequest, "invalid_request_error", "cannot be read, or has no idempotency key")
			return
		}
		p.state.Lock()
		defer p.state.Unlock()
		request := r.URL.Path + "?" + r.PostForm.Encode()
		done, ok := p.byKey[key]
		if ok && done.request != request {
			p.fail(w, http.StatusBadRequest, "idempotency_error", "Keys for idempotent requests can only be used with the same parameters they were first used with.")
			return
		}
		if !ok {
			rec := httptest.NewRecorder()
			handle(rec, r)
			done = stripeAnswer{request, rec.Code, rec.Body.Bytes()}
			p.byKey[key] = done
		} else {
			w.Header().Set("Idempotent-Replayed", "true")
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(done.status)
		_, _ = w.Write(done.body)
	}
}

func (p *Stripe) id(prefix string) string {
	p.seq++
	return fmt.Sprintf("%s_1Qz%014d", prefix, p.seq)
}

// nested reads metadata[key] parameters.
func nested(r *http.Request, prefix string) map[string]any {
	out := map[string]any{}
	for name, values := range r.PostForm {
		if key, ok := strings.CutPrefix(name, prefix+"["); ok && strings.Count(name, "[") == strings.Count(prefix, "[")+1 {
			out[strings.TrimSuffix(key, "]")] = values[0]
		}
	}
	return out
}

func (p *Stripe) createSession(w http.ResponseWriter, r *http.Request) {
	f := r.PostForm
	amount, err := strconv.ParseInt(f.Get("line_items[0][price_data][unit_amount]"), 10, 64)
	currency := f.Get("line_items[0][price_data][currency]")
	if err != nil || amount < 50 || f.Get("mode") != "payment" || f.Get("success_url") == "" || strings.ToLower(currency) != currency || f.Get("line_items[0][price_data][product_data][name]") == "" {
		p.fail(w, http.StatusBadRequest, "invalid_request_error", "The Checkout Session's total amount due must add up to at least the minimum.")
		return
	}
	id := p.id("cs_test")
	session := map[string]any{
		"id": id, "object": "checkout.session", "amount_total": amount, "amount_subtotal": amount, "currency": currency, "client_reference_id": f.Get("client_reference_id"),
		"created": p.now, "expires_at": p.now + 86400, "livemode": false, "metadata": nested(r, "metadata"), "mode": "payment", "payment_intent": nil,
		"payment_status": "unpaid", "status": "open", "url": "https://checkout.stripe.com/c/pay/" + id, "success_url": f.Get("success_url"),
	}
	session["intent_metadata"] = nested(r, "payment_intent_data[metadata]")
	p.sessions = append(p.sessions, session)
	p.answer(w, http.StatusOK, session)
}

func (p *Stripe) where(all []map[string]any, field string, value any) []map[string]any {
	out := []map[string]any{}
	for _, one := range all {
		if one[field] == value {
			out = append(out, one)
		}
	}
	return out
}

func (p *Stripe) readSession(w http.ResponseWriter, r *http.Request) {
	p.state.Lock()
	defer p.state.Unlock()
	list := p.where(p.sessions, "id", r.PathValue("id"))
	if len(list) == 0 {
		p.fail(w, http.StatusNotFound, "invalid_request_error", "No such checkout.session")
		return
	}
	p.answer(w, http.StatusOK, list[0])
}

func (p *Stripe) createRefund(w http.ResponseWriter, r *http.Request) {
	amount, err := strconv.ParseInt(r.PostForm.Get("amount"), 10, 64)
	list := p.where(p.charges, "payment_intent", r.PostForm.Get("payment_intent"))
	if err != nil || len(list) == 0 {
		p.fail(w, http.StatusNotFound, "invalid_request_error", "No such payment_intent")
		return
	}
	charge := list[0]
	if amount <= 0 || charge["amount_refunded"].(int64)+amount > charge["amount"].(int64) {
		p.fail(w, http.StatusBadRequest, "invalid_request_error", "Refund amount is greater than unrefunded amount on charge")
		return
	}
	p.answer(w, http.StatusOK, p.refund(charge, amount, nested(r, "metadata")))
}

func (p *Stripe) refund(charge map[string]any, amount int64, metadata map[string]any) map[string]any {
	status := "succeeded"
	if p.pending {
		status = "pending"
	}
	charge["amount_refunded"] = charge["amount_refunded"].(int64) + amount
	charge["refunded"] = charge["amount_refunded"] == charge["amount"]
	refund := map[string]any{
		"id": p.id("re"), "object": "refund", "amount": amount, "charge": charge["id"], "created": p.now, "currency": charge["currency"], "metadata": metadata,
		"payment_intent": charge["payment_intent"], "reason": nil, "status": status,
	}
	p.refunds = append(p.refunds, refund)
	return refund
}

// list pages through what was made in a period, the newest first, or of one payment intent.
func (p *Stripe) list(w http.ResponseWriter, r *http.Request, all *[]map[string]any) {
	q := r.URL.Query()
	number := func(name string, fallback int64) int64 {
		n, err := strconv.ParseInt(q.Get(name), 10, 64)
		if err != nil {
			return fallback
		}
		return n
	}
	from, to, limit := number("created[gte]", 0), number("created[lt]", 1<<60), number("limit", 10)
	p.state.Lock()
	defer p.state.Unlock()
	some := []map[string]any{}
	skipping := q.Get("starting_after") != ""
	more := false
	for _, one := range slices.Backward(*all) {
		at := one["created"].(int64)
		if at < from || at >= to || q.Get("payment_intent") != "" && one["payment_intent"] != q.Get("payment_intent") {
			continue
		}
		if skipping {
			skipping = one["id"] != q.Get("starting_after")
			continue
		}
		if int64(len(some)) == limit {
			more = true
			break
		}
		some = append(some, one)
	}
	p.answer(w, http.StatusOK, map[string]any{"object": "list", "url": r.URL.Path, "has_more": more, "data": some})
}

// Pay pays a session and returns it with its charge.
func (p *Stripe) Pay(id string) (session, charge map[string]any) {
	p.state.Lock()
	defer p.state.Unlock()
	session = p.where(p.sessions, "id", id)[0]
	intent := p.id("pi")
	session["payment_intent"], session["payment_status"], session["status"], session["url"] = intent, "paid", "complete", nil
	charge = map[string]any{
		"id": p.id("ch"), "object": "charge", "amount": session["amount_total"], "amount_captured": session["amount_total"], "amount_refunded": int64(0), "captured": true,
		"created": p.now, "currency": session["currency"], "metadata": session["intent_metadata"], "paid": true, "payment_intent": intent, "refunded": false, "status": "succeeded",
	}
	p.charges = append(p.charges, charge)
	return session, charge
}

// Expire ends a session.
func (p *Stripe) Expire(id string) map[string]any {
	p.state.Lock()
	defer p.state.Unlock()
	session := p.where(p.sessions, "id", id)[0]
	session["status"], session["url"] = "expired", nil
	return session
}

// RefundByHand refunds at the provider's dashboard.
func (p *Stripe) RefundByHand(charge map[string]any, amount int64) map[string]any {
	p.state.Lock()
	defer p.state.Unlock()
	return p.refund(charge, amount, map[string]any{})
}

// Webhook is the body and the headers of an event about an object.
func (p *Stripe) Webhook(id, kind string, object map[string]any) ([]byte, http.Header) {
	p.state.Lock()
	defer p.state.Unlock()
	body, err := json.Marshal(map[string]any{
		"id": id, "object": "event", "api_version": "2026-03-25.dahlia", "created": p.now + 2, "data": map[string]any{"object": object}, "livemode": false,
		"pending_webhooks": 1, "request": map[string]any{"id": nil, "idempotency_key": nil}, "type": kind,
	})
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return body, http.Header{"Stripe-Signature": {p.Sign(body, p.now+3)}}
}

// Sign is the header of a body at a time.
func (p *Stripe) Sign(body []byte, at int64) string {
	return fmt.Sprintf("t=%d,v1=%s,v0=%s", at, HexHMAC(p.WebhookSecret, fmt.Sprintf("%d.%s", at, body)), strings.Repeat("0", 64))
}

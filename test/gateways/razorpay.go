package gateways

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"sync"
)

// Razorpay is a provider with one merchant. Times are Unix seconds.
type Razorpay struct {
	harness
	KeyID, KeySecret, WebhookSecret string
	Server                          *httptest.Server

	state    sync.Mutex
	now      int64
	seq      int
	orders   []map[string]any
	payments []map[string]any
	refunds  []map[string]any
	byKey    map[string]razorpayAnswer
	pending  bool
}

type razorpayAnswer struct {
	request string
	refund  map[string]any
}

// NewRazorpay starts a provider whose clock stands at now. Close its Server.
func NewRazorpay(now int64) *Razorpay {
	p := &Razorpay{
		harness: newHarness(), KeyID: "rzp_test_4f9sK2mXv7Qd1A", KeySecret: "kEySeCrEt1234567890abcd", WebhookSecret: "webhook-secret-1", now: now, byKey: map[string]razorpayAnswer{},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/orders", p.createOrder)
	mux.HandleFunc("GET /v1/orders", p.listOrders)
	mux.HandleFunc("GET /v1/orders/{id}/payments", p.orderPayments)
	mux.HandleFunc("GET /v1/payments", func(w http.ResponseWriter, r *http.Request) { p.list(w, r, &p.payments) })
	mux.HandleFunc("GET /v1/refunds", func(w http.ResponseWriter, r *http.Request) { p.list(w, r, &p.refunds) })
	mux.HandleFunc("POST /v1/payments/{id}/refund", p.createRefund)
	mux.HandleFunc("GET /v1/payments/{id}/refunds", p.paymentRefunds)
	p.Server = httptest.NewServer(p.wrap(p.authenticate(mux)))
	return p
}

// Close ends the server and all that hangs.
func (p *Razorpay) Close() {
	close(p.stop)
	p.Server.Close()
}

// SetPending makes refunds wait until Finish.
func (p *Razorpay) SetPending(pending bool) {
	p.state.Lock()
	defer p.state.Unlock()
	p.pending = pending
}

// Finish gives all refunds that wait a status.
func (p *Razorpay) Finish(status string) {
	p.state.Lock()
	defer p.state.Unlock()
	for _, r := range p.refunds {
		if r["status"] == "pending" {
			r["status"] = status
		}
	}
}

// Orders and Refunds count what there is.
func (p *Razorpay) Orders() int { p.state.Lock(); defer p.state.Unlock(); return len(p.orders) }

// Refunds counts refunds.
func (p *Razorpay) Refunds() int { p.state.Lock(); defer p.state.Unlock(); return len(p.refunds) }

func (p *Razorpay) authenticate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if id, secret, ok := r.BasicAuth(); !ok || id != p.KeyID || secret != p.KeySecret {
			p.fail(w, http.StatusUnauthorized, "Authentication failed")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (p *Razorpay) fail(w http.ResponseWriter, status int, description string) {
	p.answer(w, status, map[string]any{"error": map[string]any{"code": "BAD_REQUEST_ERROR", "description": description, "source": "business", "step": "NA", "reason": "input_validation_failed"}})
}

func (p *Razorpay) answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func (p *Razorpay) id(prefix string) string {
	p.seq++
	return fmt.Sprintf("%s_Qz%012d", prefix, p.seq)
}

func (p *Razorpay) createOrder(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Amount   int64          `json:"amount"`
		Currency string         `json:"currency"`
		Receipt  string         `json:"receipt"`
		Notes    map[string]any `json:"notes"`
		Capture  bool           `json:"payment_capture"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.Amount < 100 || len(in.Currency) != 3 || len(in.Receipt) > 40 || !in.Capture {
		p.fail(w, http.StatusBadRequest, "The amount must be at least INR 1.00")
		return
	}
	p.state.Lock()
	defer p.state.Unlock()
	order := map[string]any{
		"id": p.id("order"), "entity": "order", "amount": in.Amount, "amount_paid": 0, "amount_due": in.Amount, "currency": in.Currency, "receipt": in.Receipt,
		"offer_id": nil, "status": "created", "attempts": 0, "notes": in.Notes, "created_at": p.now,
	}
	p.orders = append(p.orders, order)
	p.answer(w, http.StatusOK, order)
}

func collection(items []map[string]any) map[string]any {
	return map[string]any{"entity": "collection", "count": len(items), "items": items}
}

func (p *Razorpay) where(all []map[string]any, field string, value any) []map[string]any {
	out := []map[string]any{}
	for _, one := range all {
		if one[field] == value {
			out = append(out, one)
		}
	}
	return out
}

func (p *Razorpay) listOrders(w http.ResponseWriter, r *http.Request) {
	p.state.Lock()
	defer p.state.Unlock()
	p.answer(w, http.StatusOK, collection(p.where(p.orders, "receipt", r.URL.Query().Get("receipt"))))
}

func (p *Razorpay) orderPayments(w http.ResponseWriter, r *http.Request) {
	p.state.Lock()
	defer p.state.Unlock()
	p.answer(w, http.StatusOK, collection(p.where(p.payments, "order_id", r.PathValue("id"))))
}

func (p *Razorpay) paymentRefunds(w http.ResponseWriter, r *http.Request) {
	p.state.Lock()
	defer p.state.Unlock()
	p.answer(w, http.StatusOK, collection(p.where(p.refunds, "payment_id", r.PathValue("id"))))
}

// list pages through what was made in a period, the newest first.
func (p *Razorpay) list(w http.ResponseWriter, r *http.Request, all *[]map[string]any) {
	q := r.URL.Query()
	from, _ := strconv.ParseInt(q.Get("from"), 10, 64)
	to, _ := strconv.ParseInt(q.Get("to"), 10, 64)
	skip, _ := strconv.Atoi(q.Get("skip"))
	count, err := strconv.Atoi(q.Get("count"))
	if err != nil || count < 1 || count > 100 {
		p.fail(w, http.StatusBadRequest, "The count must be 1 to 100")
		return
	}
	p.state.Lock()
	defer p.state.Unlock()
	some := []map[string]any{}
	for _, one := range slices.Backward(*all) {
		if at := one["created_at"].(int64); at >= from && at <= to {
			some = append(some, one)
		}
	}
	some = some[min(skip, len(some)):]
	p.answer(w, http.StatusOK, collection(some[:min(count, len(some))]))
}

func (p *Razorpay) createRefund(w http.ResponseWriter, r *http.Request) {
	key := r.Header.Get("X-Refund-Idempotency")
	if !regexp.MustCompile(`^[A-Za-z0-9_-]{10,}$`).MatchString(key) {
		p.fail(w, http.StatusBadRequest, "The idempotency key must have at least 10 characters")
		return
	}
	var in struct {
		Amount  int64          `json:"amount"`
		Receipt string         `json:"receipt"`
		Notes   map[string]any `json:"notes"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		p.fail(w, http.StatusBadRequest, "The request cannot be read")
		return
	}
	p.state.Lock()
	defer p.state.Unlock()
	request := fmt.Sprint(r.PathValue("id"), in)
	if done, ok := p.byKey[key]; ok {
		if done.request != request {
			p.fail(w, http.StatusBadRequest, "Different request body sent for the same Idempotency Header")
			return
		}
		p.answer(w, http.StatusOK, done.refund)
		return
	}
	list := p.where(p.payments, "id", r.PathValue("id"))
	if len(list) == 0 || list[0]["captured"] != true {
		p.fail(w, http.StatusBadRequest, "The id provided does not exist")
		return
	}
	payment := list[0]
	refunded := payment["amount_refunded"].(int64)
	if in.Amount < 100 || refunded+in.Amount > payment["amount"].(int64) {
		p.fail(w, http.StatusBadRequest, "The total refund amount is greater than the refund payment amount")
		return
	}
	refund := p.refund(payment, in.Amount)
	refund["receipt"], refund["notes"] = in.Receipt, in.Notes
	p.byKey[key] = razorpayAnswer{request, refund}
	p.answer(w, http.StatusOK, refund)
}

func (p *Razorpay) refund(payment map[string]any, amount int64) map[string]any {
	status := "processed"
	if p.pending {
		status = "pending"
	}
	payment["amount_refunded"] = payment["amount_refunded"].(int64) + amount
	payment["refund_status"] = "partial"
	if payment["amount_refunded"] == payment["amount"] {
		payment["refund_status"], payment["status"] = "full", "refunded"
	}
	refund := map[string]any{
		"id": p.id("rfnd"), "entity": "refund", "amount": amount, "currency": payment["currency"], "payment_id": payment["id"], "notes": []any{}, "receipt": nil,
		"acquirer_data": map[string]any{"arn": nil}, "created_at": p.now, "batch_id": nil, "status": status, "speed_processed": "normal", "speed_requested": "normal",
	}
	p.refunds = append(p.refunds, refund)
	return refund
}

// Pay pays an order, whole, and returns the payment.
func (p *Razorpay) Pay(order string) map[string]any {
	p.state.Lock()
	defer p.state.Unlock()
	o := p.where(p.orders, "id", order)[0]
	payment := map[string]any{
		"id": p.id("pay"), "entity": "payment", "amount": o["amount"], "currency": o["currency"], "status": "captured", "order_id": order, "invoice_id": nil,
		"international": false, "method": "upi", "amount_refunded": int64(0), "refund_status": nil, "captured": true, "description": nil, "card_id": nil, "bank": nil,
		"wallet": nil, "vpa": "buyer@example", "email": "buyer@example.com", "contact": "+919999999999", "notes": []any{}, "fee": 2, "tax": 0,
		"error_code": nil, "error_description": nil, "created_at": p.now,
	}
	o["status"], o["amount_paid"], o["amount_due"] = "paid", o["amount"], 0
	p.payments = append(p.payments, payment)
	return payment
}

// RefundByHand refunds at the provider's dashboard.
func (p *Razorpay) RefundByHand(payment string, amount int64) map[string]any {
	p.state.Lock()
	defer p.state.Unlock()
	return p.refund(p.where(p.payments, "id", payment)[0], amount)
}

// OrderEntity is the order of an id.
func (p *Razorpay) OrderEntity(id string) map[string]any {
	p.state.Lock()
	defer p.state.Unlock()
	return p.where(p.orders, "id", id)[0]
}

// Webhook is the body and the headers of an event about entities, by their names.
func (p *Razorpay) Webhook(eventID, event string, entities map[string]map[string]any) ([]byte, http.Header) {
	p.state.Lock()
	defer p.state.Unlock()
	payload := map[string]any{}
	contains := []string{}
	for name, entity := range entities {
		payload[name] = map[string]any{"entity": entity}
		contains = append(contains, name)
	}
	slices.Sort(contains)
	body, err := json.Marshal(map[string]any{
		"entity": "event", "account_id": "acc_Qk2mXv7Qd1A4f9", "event": event, "contains": contains, "payload": payload, "created_at": p.now + 2,
	})
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return body, http.Header{"X-Razorpay-Signature": {HexHMAC(p.WebhookSecret, string(body))}, "X-Razorpay-Event-Id": {eventID}}
}

// HexHMAC is the hexadecimal HMAC-SHA256 of a text.
func HexHMAC(secret, text string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}

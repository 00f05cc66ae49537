package payment

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/newid"
	"github.com/edgeref/edgeref/wire/money"
)

var errLine = errors.New("the line went dead")

// fakeGateway is a provider that keeps what it did by key, and can fail before or after doing it.
type fakeGateway struct {
	mu      sync.Mutex
	begun   map[string]Begun
	refunds map[string]Change
	changes map[string][]Change // by ref: what Lookup and List say
	calls   map[string]int
	fail    func(operation, key string) (done bool, err error) // nil: nothing fails
	pending bool                                               // refunds are accepted and not done
	expires int64
}

func newFake() *fakeGateway {
	return &fakeGateway{begun: map[string]Begun{}, refunds: map[string]Change{}, changes: map[string][]Change{}, calls: map[string]int{}}
}

func (g *fakeGateway) failing(operation, key string) (bool, error) {
	g.calls[operation+" "+key]++
	if g.fail == nil {
		return true, nil
	}
	return g.fail(operation, key)
}

func (g *fakeGateway) Begin(_ context.Context, b BeginCall) (Begun, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	done, err := g.failing("begin", b.Key)
	if _, there := g.begun[b.Key]; done && !there {
		ref := "ref_" + b.Key
		g.begun[b.Key] = Begun{Ref: ref, URL: "https://gateway.example/" + ref, Params: map[string]string{"ref": ref, "amount": b.Order.Amount.String()}, ExpiresAt: g.expires}
	}
	if err != nil {
		return Begun{}, err
	}
	return g.begun[b.Key], nil
}

func (g *fakeGateway) Refund(_ context.Context, r RefundCall) (Change, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	done, err := g.failing("refund", r.Key)
	if _, there := g.refunds[r.Key]; done && !there {
		kind := ChangeKind(Refunded)
		if g.pending {
			kind = RefundPending
		}
		g.refunds[r.Key] = Change{Kind: kind, Key: r.Key, PaymentID: r.PaymentID, RefundID: "rf_" + r.Key, Amount: r.Amount, At: 7}
	}
	if err != nil {
		return Change{}, err
	}
	return g.refunds[r.Key], nil
}

func (g *fakeGateway) Lookup(_ context.Context, q Query) ([]Change, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, err := g.failing("lookup", q.Key); err != nil {
		return nil, err
	}
	return g.changes[q.Ref], nil
}

func (g *fakeGateway) List(_ context.Context, from, to int64, fn func(Change) error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, list := range g.changes {
		for _, c := range list {
			if c.At >= from && c.At < to {
				if err := fn(c); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

const fakeSecret = "whsec_fake"

func fakeSign(body []byte) string {
	mac := hmac.New(sha256.New, []byte(fakeSecret))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

func (g *fakeGateway) ParseWebhook(h http.Header, raw []byte) (Event, error) {
	if !hmac.Equal([]byte(h.Get("Fake-Signature")), []byte(fakeSign(raw))) {
		return Event{}, ErrSignature
	}
	var e Event
	if err := json.Unmarshal(raw, &e); err != nil {
		return Event{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return e, nil
}

// shop keeps what it is told in a table of its own, as the real one does.
type shop struct {
	mu     sync.Mutex
	orders map[int64]Order
	now    func() time.Time
	ids    *newid.Generator
	refuse func(o Outcome) error // nil: everything is booked
}

func (s *shop) Payable(_ context.Context, id int64) (Order, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ok := s.orders[id]
	if !ok {
		return Order{}, ErrNoOrder
	}
	return o, nil
}

func (s *shop) Settle(ctx context.Context, tx *db.Tx, o Outcome) error {
	// Not told apart from a booking by its key: a second one would be seen.
	if _, err := tx.Exec(ctx, "INSERT INTO told (id, order_id, kind, amount, currency, payment_id, refund_id, refund, dispute_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
		s.ids.New(), o.OrderID, o.Kind, o.Amount.Minor, o.Amount.Currency, o.PaymentID, o.RefundID, o.Refund, o.DisputeID); err != nil {
		return err
	}
	s.mu.Lock()
	refuse := s.refuse
	s.mu.Unlock()
	if refuse != nil {
		return refuse(o)
	}
	return nil
}

// fixture is a service on one database with a fake gateway and a clock that the test sets.
type fixture struct {
	*Service
	t       testing.TB
	shop    *shop
	gateway *fakeGateway
	millis  atomic.Int64
}

func (f *fixture) clock() time.Time        { return time.UnixMilli(f.millis.Load()).UTC() }
func (f *fixture) advance(d time.Duration) { f.millis.Add(d.Milliseconds()) }

func newFixture(t testing.TB, d *db.DB) *fixture {
	t.Helper()
	f := &fixture{t: t, gateway: newFake()}
	f.millis.Store(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).UnixMilli())
	ids := newid.New(f.clock)
	f.shop = &shop{orders: map[int64]Order{}, now: f.clock, ids: ids}
	f.Service = New(Options{
		DB: d, IDs: ids, Now: f.clock, Gateways: map[string]Gateway{"fake": f.gateway, "other": newFake()}, PublicURL: "https://core.example/", Poll: time.Millisecond,
	})
	f.Serve(f.shop)
	err := d.InTx(t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(t.Context(), `CREATE TABLE IF NOT EXISTS told (id BIGINT NOT NULL PRIMARY KEY, order_id BIGINT NOT NULL, kind VARCHAR(20) NOT NULL, amount BIGINT NOT NULL,
			currency VARCHAR(3) NOT NULL, payment_id VARCHAR(64) NOT NULL, refund_id VARCHAR(64) NOT NULL, refund BIGINT NOT NULL, dispute_id VARCHAR(64) NOT NULL)`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func inr(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: "INR"} }

// order makes an order of 1499.00 INR.
func (f *fixture) order() int64 {
	id := f.ids.New()
	f.shop.mu.Lock()
	defer f.shop.mu.Unlock()
	f.shop.orders[id] = Order{ID: id, Ref: fmt.Sprint("ord_", id), Amount: inr(149900), Email: "a@example.com", Description: "A course", ReturnURL: "https://shop.example/thanks"}
	return id
}

// begin begins to pay an order and returns its ref.
func (f *fixture) begin(order int64) string {
	f.t.Helper()
	s, err := f.Begin(f.t.Context(), order, "fake")
	if err != nil {
		f.t.Fatal(err)
	}
	return s.Params["ref"]
}

func paid(ref, payment string) Change {
	return Change{Kind: ChangeKind(Paid), Ref: ref, PaymentID: payment, Amount: inr(149900), At: 5}
}

// webhook sends an event through the handler and wants a status.
func (f *fixture) webhook(want int, id string, changes ...Change) {
	f.t.Helper()
	body, err := json.Marshal(Event{ID: id, Type: "test." + id, Changes: changes})
	if err != nil {
		f.t.Fatal(err)
	}
	if got := f.send(body, fakeSign(body)); got != want {
		f.t.Fatalf("webhook %s is answered %d, want %d", id, got, want)
	}
}

// send posts a webhook and gives the status. It may run beside others.
func (f *fixture) send(body []byte, signature string) int {
	r, err := http.NewRequestWithContext(f.t.Context(), http.MethodPost, WebhookPath+"fake", strings.NewReader(string(body)))
	if err != nil {
		return 0
	}
	r.Header.Set("Fake-Signature", signature)
	w := &statusWriter{header: http.Header{}}
	f.Handler().ServeHTTP(w, r)
	return w.status
}

type statusWriter struct {
	header http.Header
	status int
	body   strings.Builder
}

func (w *statusWriter) Header() http.Header { return w.header }
func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}
func (w *statusWriter) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}

// work does everything that is due now.
func (f *fixture) work() {
	f.t.Helper()
	for {
		n, err := f.Work(f.t.Context())
		if err != nil {
			f.t.Fatal(err)
		}
		if n == 0 {
			return
		}
	}
}

// told lists what the shop booked of an order, in the order in which it was told.
func (f *fixture) told(order int64) string {
	f.t.Helper()
	rows, err := f.db.Query(f.t.Context(), "SELECT kind, amount, currency, refund FROM told WHERE order_id = ? ORDER BY id", order)
	if err != nil {
		f.t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var out []string
	for rows.Next() {
		var kind, currency string
		var amount, refund int64
		if err := rows.Scan(&kind, &amount, &currency, &refund); err != nil {
			f.t.Fatal(err)
		}
		text := fmt.Sprintf("%s %d", kind, amount)
		if refund != 0 {
			text += " ours"
		}
		out = append(out, text)
	}
	if err := rows.Err(); err != nil {
		f.t.Fatal(err)
	}
	return strings.Join(out, ", ")
}

func (f *fixture) wantTold(order int64, want string) {
	f.t.Helper()
	if got := f.told(order); got != want {
		f.t.Errorf("the shop was told %q, want %q", got, want)
	}
}

// event is the newest event.
func (f *fixture) event(id string) StoredEvent {
	f.t.Helper()
	list, err := f.Events(f.t.Context(), EventFilter{Limit: 1000})
	if err != nil {
		f.t.Fatal(err)
	}
	for _, e := range list {
		if e.EventID == id {
			return e
		}
	}
	f.t.Fatalf("event %s is not stored", id)
	return StoredEvent{}
}

func (f *fixture) wantEvent(id string, state EventState) {
	f.t.Helper()
	if e := f.event(id); e.State != state {
		f.t.Errorf("event %s is %s (%s), want %s", id, e.State, e.Reason, state)
	}
}

func (f *fixture) refund(order, id, amount int64) error {
	return f.db.InTx(f.t.Context(), func(tx *db.Tx) error {
		return f.RequestRefund(f.t.Context(), tx, RefundRequest{OrderID: order, RefundID: id, Amount: inr(amount), Reason: "not wanted"})
	})
}

// attempts lists the attempts to pay an order, the oldest first.
func (f *fixture) attempts(order int64) []Payment {
	f.t.Helper()
	list, err := readPayments(f.t.Context(), f.db, "order_id = ? ORDER BY id", order)
	if err != nil {
		f.t.Fatal(err)
	}
	return list
}

func (f *fixture) setFail(fn func(operation, key string) (bool, error)) {
	f.gateway.mu.Lock()
	defer f.gateway.mu.Unlock()
	f.gateway.fail = fn
}

// execute is a transaction of one statement.
func execute(statement string, args ...any) func(*db.Tx) error {
	return func(tx *db.Tx) error {
		_, err := tx.Exec(context.Background(), statement, args...)
		return err
	}
}

// Package paymenttest puts a gateway to the test inside of a payment service, with a shop that counts what it is told.
package paymenttest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/newid"
	"github.com/edgeref/edgeref/core/payment"
	"github.com/edgeref/edgeref/wire/money"
)

// Start is when the clock of a Fixture begins.
func Start() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// Fixture is a payment service with one gateway.
type Fixture struct {
	*payment.Service
	DB     *db.DB
	IDs    *newid.Generator
	t      testing.TB
	name   string
	millis atomic.Int64
	mu     sync.Mutex
	orders map[int64]payment.Order
}

// New returns a service with a gateway of a name.
func New(t testing.TB, d *db.DB, name string, g payment.Gateway) *Fixture {
	t.Helper()
	f := &Fixture{DB: d, t: t, name: name, orders: map[int64]payment.Order{}}
	f.millis.Store(Start().UnixMilli())
	f.IDs = newid.New(f.Now)
	f.Service = payment.New(payment.Options{DB: d, IDs: f.IDs, Now: f.Now, Gateways: map[string]payment.Gateway{name: g}, PublicURL: "https://core.example", Poll: time.Millisecond})
	f.Serve(f)
	if err := d.InTx(t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(t.Context(), "CREATE TABLE told (id BIGINT NOT NULL PRIMARY KEY, order_id BIGINT NOT NULL, kind VARCHAR(20) NOT NULL, amount BIGINT NOT NULL, currency VARCHAR(3) NOT NULL)")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return f
}

// Now is the time that Advance moves.
func (f *Fixture) Now() time.Time { return time.UnixMilli(f.millis.Load()).UTC() }

// Advance moves the clock.
func (f *Fixture) Advance(d time.Duration) { f.millis.Add(d.Milliseconds()) }

// Payable implements the service's shop.
func (f *Fixture) Payable(_ context.Context, id int64) (payment.Order, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	o, ok := f.orders[id]
	if !ok {
		return payment.Order{}, payment.ErrNoOrder
	}
	return o, nil
}

// Settle implements the service's shop. It does not drop what it has seen: a second booking shows.
func (f *Fixture) Settle(ctx context.Context, tx *db.Tx, o payment.Outcome) error {
	_, err := tx.Exec(ctx, "INSERT INTO told (id, order_id, kind, amount, currency) VALUES (?, ?, ?, ?, ?)", f.IDs.New(), o.OrderID, o.Kind, o.Amount.Minor, o.Amount.Currency)
	return err
}

// Order makes an order to pay.
func (f *Fixture) Order(minor int64, currency string) int64 {
	id := f.IDs.New()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.orders[id] = payment.Order{
		ID: id, Ref: fmt.Sprint("ord_", id), Amount: money.Amount{Minor: minor, Currency: currency}, Email: "buyer@example.com", Description: "Selling, part 1",
		ReturnURL: "https://shop.example/thanks",
	}
	return id
}

// MustBegin begins to pay an order.
func (f *Fixture) MustBegin(order int64) payment.Session {
	f.t.Helper()
	s, err := f.Begin(f.t.Context(), order, f.name)
	if err != nil {
		f.t.Fatal(err)
	}
	return s
}

// Refund asks for a refund.
func (f *Fixture) Refund(order, refund, minor int64, currency string) error {
	return f.DB.InTx(f.t.Context(), func(tx *db.Tx) error {
		return f.RequestRefund(f.t.Context(), tx, payment.RefundRequest{
			OrderID: order, RefundID: refund, Amount: money.Amount{Minor: minor, Currency: currency}, Reason: "not wanted",
		})
	})
}

// Settled does what is due, and what comes due in the next minutes.
func (f *Fixture) Settled() {
	f.t.Helper()
	for range 10 {
		for {
			n, err := f.Work(f.t.Context())
			if err != nil {
				f.t.Fatal(err)
			}
			if n == 0 {
				break
			}
		}
		f.Advance(30 * time.Second)
	}
}

// Want compares what the shop was told of an order, in the order in which it was told: "paid 100 INR, refunded 5 INR".
func (f *Fixture) Want(order int64, want string) {
	f.t.Helper()
	if got := f.Told(order); got != want {
		f.t.Errorf("the shop was told %q, want %q", got, want)
	}
}

// Told is what the shop was told of an order.
func (f *Fixture) Told(order int64) string {
	f.t.Helper()
	rows, err := f.DB.Query(f.t.Context(), "SELECT kind, amount, currency FROM told WHERE order_id = ? ORDER BY id", order)
	if err != nil {
		f.t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var out []string
	for rows.Next() {
		var kind, currency string
		var amount int64
		if err := rows.Scan(&kind, &amount, &currency); err != nil {
			f.t.Fatal(err)
		}
		out = append(out, fmt.Sprintf("%s %d %s", kind, amount, currency))
	}
	if err := rows.Err(); err != nil {
		f.t.Fatal(err)
	}
	return strings.Join(out, ", ")
}

// Webhook is a request of a gateway.
type Webhook struct {
	Body   []byte
	Header http.Header
}

// Post sends a webhook through the service's handler and gives the status.
func (f *Fixture) Post(hook Webhook) int {
	r := httptest.NewRequest(http.MethodPost, payment.WebhookPath+f.name, bytes.NewReader(hook.Body))
	r.Header = hook.Header.Clone()
	w := httptest.NewRecorder()
	f.Handler().ServeHTTP(w, r)
	return w.Code
}

// Storm sends each webhook three times, in random order, 20 at once, while workers run, and then settles.
func (f *Fixture) Storm(hooks []Webhook) {
	f.t.Helper()
	var all []Webhook
	for range 3 {
		all = append(all, hooks...)
	}
	rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	ctx, stop := context.WithCancel(f.t.Context())
	var running, senders sync.WaitGroup
	running.Go(func() { _ = f.Run(ctx) })
	next := make(chan Webhook)
	for range 20 {
		senders.Go(func() {
			for hook := range next {
				if status := f.Post(hook); status != http.StatusNoContent {
					f.t.Errorf("a webhook is answered %d", status)
				}
			}
		})
	}
	for _, hook := range all {
		next <- hook
	}
	close(next)
	senders.Wait()
	stop()
	running.Wait()
	f.Settled()
}

// JSON indents a value, to be compared with a file.
func JSON(t testing.TB, v any) string {
	t.Helper()
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b) + "\n"
}

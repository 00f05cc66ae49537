package webhook

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/newid"
	"github.com/edgeref/edgeref/core/secret"
	"github.com/edgeref/edgeref/wire/money"
)

type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// received is one request as the receiver saw it.
type received struct {
	method, target, contentType string
	id, timestamp, signature    string
	body                        string
}

// receiver is a real HTTP server that keeps what it gets and answers what answer says.
type receiver struct {
	url string

	mu     sync.Mutex
	got    []received
	answer func(n int, w http.ResponseWriter) // n: how many requests came before; nil: 204
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{}
	srv := httptest.NewServer(r)
	t.Cleanup(srv.Close)
	r.url = srv.URL
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	r.mu.Lock()
	n, answer := len(r.got), r.answer
	r.got = append(r.got, received{
		req.Method, req.RequestURI, req.Header.Get("Content-Type"),
		req.Header.Get("webhook-id"), req.Header.Get("webhook-timestamp"), req.Header.Get("webhook-signature"), string(body),
	})
	r.mu.Unlock()
	if answer == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	answer(n, w)
}

func (r *receiver) answers(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = func(_ int, w http.ResponseWriter) { w.WriteHeader(status) }
}

func (r *receiver) requests() []received {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]received(nil), r.got...)
}

// verified reports whether a request is signed with secret, by the words of the standard.
func (g received) verified(secret string) bool {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		return false
	}
	content := g.body
	if g.method == http.MethodGet {
		content = g.target
	}
	mac := hmac.New(sha256.New, key)
	_, _ = io.WriteString(mac, strings.Join([]string{g.id, g.timestamp, content}, "."))
	want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	for _, s := range strings.Split(g.signature, " ") {
		if hmac.Equal([]byte(s), []byte(want)) {
			return true
		}
	}
	return false
}

// fixture is a service on one database, with a clock that the test sets.
type fixture struct {
	*Service
	t     *testing.T
	clock *clock
	reg   *prometheus.Registry
}

// testKey seals the secrets of these tests.
const testKey = "1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

func ring(t *testing.T, keys ...string) *secret.Ring {
	t.Helper()
	r, err := secret.NewRing(keys)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func newFixture(t *testing.T, d *db.DB) *fixture {
	t.Helper()
	f := &fixture{t: t, clock: newClock()}
	f.another(d)
	return f
}

// another makes the fixture's service a new one, as if another core went on.
func (f *fixture) another(d *db.DB) *Service {
	f.t.Helper()
	f.reg = prometheus.NewRegistry()
	f.Service = New(Options{DB: d, Ring: ring(f.t, testKey), IDs: newid.New(f.clock.now), Now: f.clock.now, Registerer: f.reg, AllowHTTP: true, AllowLoopback: true, Timeout: 5 * time.Second})
	f.t.Cleanup(f.client.CloseIdleConnections)
	return f.Service
}

func (f *fixture) exec(query string, args ...any) {
	f.t.Helper()
	err := f.db.InTx(f.t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(f.t.Context(), query, args...)
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
}

// webhook makes an endpoint of the business for all events.
func (f *fixture) webhook(url string) (Endpoint, string) {
	f.t.Helper()
	e, secret, err := f.Create(f.t.Context(), NewEndpoint{URL: url, Events: Names()})
	if err != nil {
		f.t.Fatal(err)
	}
	return e, secret
}

// affiliate makes an affiliate with an identifier.
func (f *fixture) affiliate(id int64) {
	f.t.Helper()
	f.exec("INSERT INTO affiliates (id, name, email, status, created_at, updated_at) VALUES (?, 'x', 'x@example.com', 'active', 1, 1)", id)
}

// conversion makes a sale of 1499.00 INR and returns it.
func (f *fixture) conversion(program, affiliate int64, txn string) int64 {
	f.t.Helper()
	id := f.ids.New()
	f.exec(`INSERT INTO conversions (id, program_id, type, txn_id, subject, hash, click_id, amount_minor, currency, name, channel, node, received_at,
		booked_at, state, reason, affiliate_id, link_id, attribution, explanation, no_commission, refunded_minor, refunded_currency, closed)
		VALUES (?, ?, 'sale', ?, ?, ?, '', 149900, 'INR', '', 'api', 0, 1, 1, 'booked', '', ?, 0, 'no_click', '{}', '', 0, '', 0)`,
		id, program, txn, txn, make([]byte, 32), affiliate)
	return id
}

// announce announces an event about a new conversion.
func (f *fixture) announce(name Name, program, affiliate int64, txn string) {
	f.t.Helper()
	e := Event{Name: name, ProgramID: program, AffiliateID: affiliate, ConversionID: f.conversion(program, affiliate, txn)}
	if strings.HasPrefix(string(name), "commission.") {
		e.CommissionID, e.Commission = 9, &money.Amount{Minor: 112425, Currency: "INR"}
	}
	if err := f.db.InTx(f.t.Context(), func(tx *db.Tx) error { return f.Announce(f.t.Context(), tx, e) }); err != nil {
		f.t.Fatal(err)
	}
}

// deliverDue sends what is due until nothing is, and returns how much it sent.
func (s *Service) deliverDue(ctx context.Context) (sent int, err error) {
	for {
		jobs, seen, err := s.claim(ctx, s.opts.Workers)
		if err != nil || seen == 0 {
			return sent, err
		}
		var wg sync.WaitGroup
		for _, j := range jobs {
			wg.Go(func() { s.process(ctx, j) })
		}
		wg.Wait()
		sent += len(jobs)
	}
}

func (f *fixture) deliver(want int) {
	f.t.Helper()
	if n, err := f.deliverDue(f.t.Context()); err != nil || n != want {
		f.t.Fatalf("sent %d, want %d (%v)", n, want, err)
	}
}

// deliveries lists all deliveries in a state ("": all), the newest first.
func (f *fixture) deliveries(state DeliveryState, want int) []Delivery {
	f.t.Helper()
	list, err := f.Deliveries(f.t.Context(), DeliveryFilter{State: state, Limit: 1000})
	if err != nil {
		f.t.Fatal(err)
	}
	if len(list) != want {
		f.t.Fatalf("%d deliveries %s, want %d: %+v", len(list), state, want, list)
	}
	return list
}

// one is the only delivery there is, with its log.
func (f *fixture) one() Delivery {
	f.t.Helper()
	d, err := f.Delivery(f.t.Context(), f.deliveries("", 1)[0].ID)
	if err != nil {
		f.t.Fatal(err)
	}
	return d
}

func (g received) at(t *testing.T) time.Time {
	t.Helper()
	seconds, err := strconv.ParseInt(g.timestamp, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return time.Unix(seconds, 0)
}

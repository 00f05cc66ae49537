package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/core/newid"
	"github.com/edgeref/edgeref/core/payment"
	"github.com/edgeref/edgeref/wire/money"
)

// shop counts what it is told, in the database.
type shop struct{ ids *newid.Generator }

func (s shop) Payable(_ context.Context, id int64) (payment.Order, error) {
	return payment.Order{
		ID: id, Ref: fmt.Sprint("ord_", id), Amount: money.Amount{Minor: 149900, Currency: "INR"}, Description: `Selling <b>"boldly"</b>`, ReturnURL: "https://shop.example/thanks",
	}, nil
}

func (s shop) Settle(ctx context.Context, tx *db.Tx, o payment.Outcome) error {
	_, err := tx.Exec(ctx, "INSERT INTO told (id, order_id, kind, amount) VALUES (?, ?, ?, ?)", s.ids.New(), o.OrderID, o.Kind, o.Amount.Minor)
	return err
}

type fixture struct {
	*Gateway
	t        *testing.T
	payments *payment.Service
	server   *httptest.Server
	client   *http.Client
	millis   atomic.Int64
	orders   int64
}

func newFixture(t *testing.T, d *db.DB) *fixture {
	t.Helper()
	f := &fixture{t: t}
	f.millis.Store(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).UnixMilli())
	now := func() time.Time { return time.UnixMilli(f.millis.Load()) }
	ids := newid.New(now)
	var handler http.Handler
	f.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	t.Cleanup(f.server.Close)
	var err error
	if f.Gateway, err = New(Options{DB: d, IDs: ids, Now: now, PublicURL: f.server.URL, Poll: time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	f.payments = payment.New(payment.Options{
		DB: d, IDs: ids, Now: now, Gateways: map[string]payment.Gateway{Name: f.Gateway}, PublicURL: f.server.URL, Poll: time.Millisecond,
	})
	f.payments.Serve(shop{ids})
	mux := http.NewServeMux()
	mux.Handle(PagePath, f.Handler())
	mux.Handle("/", f.payments.Handler())
	handler = mux
	f.SetWebhooks(f.payments.Handler())
	err = d.InTx(t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(t.Context(), "CREATE TABLE IF NOT EXISTS told (id BIGINT NOT NULL PRIMARY KEY, order_id BIGINT NOT NULL, kind VARCHAR(20) NOT NULL, amount BIGINT NOT NULL)")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	f.client = f.server.Client()
	f.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return f
}

func each(t *testing.T, test func(t *testing.T, f *fixture)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { test(t, newFixture(t, d)) })
}

// begin begins to pay a new order and returns it with the address of the page.
func (f *fixture) begin() (int64, string) {
	f.t.Helper()
	f.orders++
	s, err := f.payments.Begin(f.t.Context(), f.orders, Name)
	if err != nil {
		f.t.Fatal(err)
	}
	return f.orders, s.URL
}

func (f *fixture) press(page, action, more string, want int) string {
	f.t.Helper()
	form, err := url.ParseQuery("action=" + action + "&" + more)
	if err != nil {
		f.t.Fatal(err)
	}
	resp, err := f.client.PostForm(page, form)
	if err != nil {
		f.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != want {
		f.t.Fatalf("%s is answered %d, want %d", action, resp.StatusCode, want)
	}
	return resp.Header.Get("Location")
}

func (f *fixture) get(address string) (int, string) {
	f.t.Helper()
	resp, err := f.client.Get(address)
	if err != nil {
		f.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// settled does all there is to do, moving the clock to where more is due, and returns what the shop was told of an order.
func (f *fixture) settled(order int64) string {
	f.t.Helper()
	for range 1000 {
		sent, err := f.SendDue(f.t.Context())
		if err != nil {
			f.t.Fatal(err)
		}
		worked, err := f.payments.Work(f.t.Context())
		if err != nil {
			f.t.Fatal(err)
		}
		var waiting int
		err = f.db.QueryRow(f.t.Context(), "SELECT (SELECT COUNT(*) FROM sandbox_webhooks) + (SELECT COUNT(*) FROM payment_event_work WHERE state = 'pending')").Scan(&waiting)
		if err != nil {
			f.t.Fatal(err)
		}
		if waiting == 0 {
			return f.told(order)
		}
		if sent+worked == 0 {
			f.millis.Add(100)
		}
	}
	f.t.Fatal("it does not settle")
	return ""
}

func (f *fixture) told(order int64) string {
	f.t.Helper()
	rows, err := f.db.Query(f.t.Context(), "SELECT kind, amount FROM told WHERE order_id = ? ORDER BY id", order)
	if err != nil {
		f.t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var out []string
	for rows.Next() {
		var kind string
		var amount int64
		if err := rows.Scan(&kind, &amount); err != nil {
			f.t.Fatal(err)
		}
		out = append(out, fmt.Sprint(kind, " ", amount))
	}
	if err := rows.Err(); err != nil {
		f.t.Fatal(err)
	}
	return strings.Join(out, ", ")
}

func TestEndings(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		for _, how := range []string{"", "copies=3", "copies=3&order=mixed", "order=mixed&delay=10"} {
			order, page := f.begin()
			f.press(page, "fail", how, http.StatusSeeOther)
			if got := f.settled(order); got != "failed 149900" {
				t.Errorf("%s: after a failure: %q", how, got)
			}
			back := f.press(page, "pay", how, http.StatusSeeOther)
			if got := f.settled(order); got != "failed 149900, paid 149900" {
				t.Errorf("%s: after paying: %q", how, got)
			}
			if status, _ := f.get(back); status != http.StatusSeeOther {
				t.Errorf("%s: the way back %s is answered %d", how, back, status)
			}
			f.press(page, "pay", how, http.StatusConflict)
			f.press(page, "dispute", how, http.StatusSeeOther)
			f.press(page, "won", how, http.StatusSeeOther)
			f.press(page, "lost", how, http.StatusConflict)
			f.press(page, "refund", how, http.StatusSeeOther)
			got := f.settled(order)
			if strings.Count(got, ",") != 4 || !strings.Contains(got, "dispute_opened 149900, ") || !strings.Contains(got, "dispute_won 149900") || !strings.Contains(got, "refunded 149900") {
				t.Errorf("%s: in the end: %q", how, got)
			}
			f.press(page, "refund", how, http.StatusConflict)

			order, page = f.begin()
			f.press(page, "dispute", how, http.StatusSeeOther)
			f.press(page, "lost", how, http.StatusSeeOther)
			if got := f.settled(order); got != "paid 149900, dispute_opened 149900, dispute_lost 149900" {
				t.Errorf("%s: paid and disputed: %q", how, got)
			}
		}
		f.press(f.public+PagePath+"nothing", "pay", "", http.StatusNotFound)
	})
}

func TestPayLater(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		order, page := f.begin()
		f.press(page, "later", "", http.StatusSeeOther)
		if _, body := f.get(page); !strings.Contains(body, "Promised") {
			t.Error("the page does not say that the money comes later")
		}
		f.press(page, "refund", "", http.StatusConflict)
		if got := f.told(order); got != "" {
			t.Errorf("told %q before it is paid", got)
		}
		if got := f.settled(order); got != "paid 149900" {
			t.Errorf("told %q", got)
		}
	})
}

func TestKeysTakeEffectOnce(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		ctx := t.Context()
		o, err := shop{}.Payable(ctx, 1)
		if err != nil {
			t.Fatal(err)
		}
		call := payment.BeginCall{Key: "pmt_1", Order: o, Return: "https://core.example/payments/return/x"}
		first, err := f.Begin(ctx, call)
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if again, err := f.Begin(ctx, call); err != nil || again.Ref != first.Ref {
					t.Errorf("again: %+v, %v", again, err)
				}
			})
		}
		all.Wait()
		call.Order.Amount.Minor++
		if _, err := f.Begin(ctx, call); !errors.Is(err, payment.ErrRefused) {
			t.Errorf("another amount under the key: %v", err)
		}
		f.press(first.URL, "pay", "delay=600", http.StatusSeeOther)
		changes, err := f.Lookup(ctx, payment.Query{Key: "pmt_1"})
		if err != nil || len(changes) != 1 {
			t.Fatalf("%+v, %v", changes, err)
		}
		refund := payment.RefundCall{Key: "prf_1", PaymentID: changes[0].PaymentID, Amount: money.Amount{Minor: 100000, Currency: "INR"}}
		for range 8 {
			all.Go(func() {
				if _, err := f.Refund(ctx, refund); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		refund.Key = "prf_2"
		if _, err := f.Refund(ctx, refund); !errors.Is(err, payment.ErrRefused) {
			t.Errorf("more than there is: %v", err)
		}
		n := 0
		if err := f.List(ctx, 0, f.millis.Load()+1, func(payment.Change) error { n++; return nil }); err != nil || n != 2 {
			t.Errorf("%d in the list, %v; want a payment and a refund", n, err)
		}
	})
}

func TestSignatures(t *testing.T) {
	f := newFixture(t, dbtest.SQLite(t))
	now := time.UnixMilli(f.millis.Load())
	body := []byte(`{"id":"sev_1","type":"payment.captured","object":{"ref":"sbx_1","payment_id":"spy_1","amount_minor":5,"currency":"INR"}}`)
	good := sign(f.secret, now, body)
	for name, c := range map[string]struct {
		header, body string
		want         error
	}{
		"good":          {good, string(body), nil},
		"none":          {"", string(body), payment.ErrSignature},
		"other body":    {good, string(body) + " ", payment.ErrSignature},
		"other secret":  {sign([]byte("x"), now, body), string(body), payment.ErrSignature},
		"old":           {sign(f.secret, now.Add(-301*time.Second), body), string(body), payment.ErrSignature},
		"of the future": {sign(f.secret, now.Add(301*time.Second), body), string(body), payment.ErrSignature},
		"almost old":    {sign(f.secret, now.Add(-299*time.Second), body), string(body), nil},
		"newer time":    {strings.Replace(good, "t=", "t=1", 1), string(body), payment.ErrSignature},
		"no time":       {good[strings.Index(good, ",")+1:], string(body), payment.ErrSignature},
		"not hex":       {"t=1,v1=zz", string(body), payment.ErrSignature},
		"not JSON":      {sign(f.secret, now, []byte("{")), "{", payment.ErrMalformed},
	} {
		_, err := f.ParseWebhook(http.Header{SignatureHeader: {c.header}}, []byte(c.body))
		if !errors.Is(err, c.want) || c.want == nil && err != nil {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestPage(t *testing.T) {
	f := newFixture(t, dbtest.SQLite(t))
	_, page := f.begin()
	status, body := f.get(page)
	for _, want := range []string{"₹1,499.00", "Selling &lt;b&gt;", "ord_1", `value="pay"`, `value="fail"`, `value="later"`, `value="dispute"`, `lang="en-IN"`, "<label"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if status != http.StatusOK || strings.Contains(body, "<script") || strings.Contains(body, "http-equiv") {
		t.Errorf("status %d, or the page has a script", status)
	}
	if status, _ := f.get(f.public + PagePath + "sbx_guess"); status != http.StatusNotFound {
		t.Errorf("a ref that is not there: %d", status)
	}
	// Another site cannot press the buttons of who has the page open.
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, page, strings.NewReader("action=pay"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	resp, err := f.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusForbidden {
		t.Errorf("another site's form: %d", resp.StatusCode)
	}
	f.press(page, "nonsense", "copies=-5&delay=999999999999", http.StatusConflict)
}

// A webhook that cannot be taken in is sent again.
func TestWebhooksAreSentAgain(t *testing.T) {
	d := dbtest.SQLite(t)
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	status := http.StatusServiceUnavailable
	seen := 0
	g, err := New(Options{DB: d, IDs: newid.New(time.Now), Now: func() time.Time { return now }, Webhooks: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		seen++
		w.WriteHeader(status)
	})})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.InTx(t.Context(), func(tx *db.Tx) error {
		return g.queue(t.Context(), tx, manner{copies: 1}, g.event("payment.captured", payment.Change{}))
	}); err != nil {
		t.Fatal(err)
	}
	step := func(want int) {
		t.Helper()
		n, err := g.SendDue(t.Context())
		if err != nil || n != want {
			t.Fatalf("sent %d, %v; want %d", n, err, want)
		}
		now = now.Add(time.Minute)
	}
	step(1)
	step(1)
	status = http.StatusNoContent
	step(1)
	step(0)
	if seen != 3 {
		t.Errorf("%d attempts", seen)
	}
}

func FuzzParseWebhook(f *testing.F) {
	g := &Gateway{secret: []byte("secret"), now: func() time.Time { return time.Unix(1_800_000_000, 0) }}
	for _, body := range []string{
		`{"id":"sev_1","type":"payment.captured","at":5,"object":{"ref":"r","payment_id":"p","amount_minor":5,"currency":"INR"}}`,
		`{"id":"sev_1","type":"x"}`, `{}`, `[]`, `{`, `{"object":[]}`, `{"at":1e99}`,
	} {
		f.Add([]byte(body), sign(g.secret, g.now(), []byte(body)), true)
		f.Add([]byte(body), "t=1,v1=00", false)
	}
	f.Fuzz(func(t *testing.T, body []byte, header string, signIt bool) {
		if signIt {
			header = sign(g.secret, g.now(), body)
		}
		e, err := g.ParseWebhook(http.Header{SignatureHeader: {header}}, body)
		switch {
		case err == nil && !signIt && header != sign(g.secret, g.now(), body):
			// Only a signature made with the secret passes; another spelling of it may.
			if verify(g.secret, header, body, g.now()) != nil {
				t.Fatalf("%q passes", header)
			}
		case err != nil && !errors.Is(err, payment.ErrSignature) && !errors.Is(err, payment.ErrMalformed):
			t.Fatalf("error of another kind: %v", err)
		case err != nil && len(e.Changes) > 0:
			t.Fatal("changes with an error")
		}
	})
}

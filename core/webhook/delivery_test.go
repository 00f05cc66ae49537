package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/core/newid"
	"github.com/edgeref/edgeref/wire/ident"
)

func each(t *testing.T, test func(t *testing.T, f *fixture, r *receiver)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { test(t, newFixture(t, d), newReceiver(t)) })
}

func TestDelivery(t *testing.T) {
	each(t, func(t *testing.T, f *fixture, r *receiver) {
		_, secret := f.webhook(r.url + "/hook?token=x")
		f.announce(CommissionCreated, 7, 0, "order-1")
		f.deliver(1)
		f.deliver(0)
		got := r.requests()[0]
		if got.method != "POST" || got.target != "/hook?token=x" || got.contentType != "application/json" || !got.verified(secret) || got.verified(newSecret()) {
			t.Errorf("received %+v", got)
		}
		if at := got.at(t); !at.Equal(f.clock.now()) {
			t.Errorf("timestamp %v", at)
		}
		var p Payload
		if err := json.Unmarshal([]byte(got.body), &p); err != nil {
			t.Fatal(err)
		}
		if p.ID != got.id || p.Type != CommissionCreated || p.Timestamp != "2026-03-01T12:00:00.000Z" || p.Data.Conversion.TxnID != "order-1" ||
			p.Data.Conversion.Amount.Minor != 149900 || p.Data.Commission.Amount.Decimal() != "1124.25" || p.Data.Conversion.ProgramID != ident.Format(ident.Program, 7) {
			t.Errorf("payload %s", got.body)
		}
		d := f.one()
		if d.State != Delivered || d.LastStatus != 204 || d.Attempts != 1 || len(d.Log) != 1 || d.Log[0].Status != 204 || d.Log[0].Error != "" {
			t.Errorf("delivery %+v", d)
		}
		if got := testutil.ToFloat64(f.metrics.attempts.WithLabelValues("webhook", "delivered")); got != 1 {
			t.Errorf("%v attempts counted", got)
		}
	})
}

// Each endpoint hears of its program, its affiliate and its events, and nobody of what was rolled back.
func TestWhoHearsOfWhat(t *testing.T) {
	each(t, func(t *testing.T, f *fixture, r *receiver) {
		f.affiliate(5)
		f.exec(`INSERT INTO affiliates (id, name, email, status, created_at, updated_at) VALUES (6, 'x', 'y@example.com', 'active', 1, 1)`)
		make := func(path string, affiliate int64, events ...Name) {
			t.Helper()
			if _, _, err := f.Create(t.Context(), NewEndpoint{URL: r.url + path, Method: "POST", AffiliateID: affiliate, Events: events}); err != nil {
				t.Fatal(err)
			}
		}
		make("/all", 0, Names()...)
		make("/booked", 0, ConversionBooked)
		make("/five?{event}", 5, CommissionCreated, ConversionBooked)
		make("/six?{event}", 6, CommissionCreated)
		f.announce(CommissionCreated, 1, 5, "a")
		f.announce(ConversionBooked, 1, 0, "b")
		undo := errors.New("undo")
		e := Event{Name: ConversionBooked, ProgramID: 1, ConversionID: f.conversion(1, 5, "c"), AffiliateID: 5}
		err := f.db.InTx(t.Context(), func(tx *db.Tx) error { return errors.Join(f.Announce(t.Context(), tx, e), undo) })
		if !errors.Is(err, undo) {
			t.Fatal(err)
		}
		f.deliver(4)
		count := map[string]int{}
		for _, g := range r.requests() {
			path, _, _ := strings.Cut(g.target, "?")
			count[path]++
		}
		if fmt.Sprint(count) != "map[/all:2 /booked:1 /five:1]" {
			t.Errorf("heard: %v", count)
		}
	})
}

func TestPostbacks(t *testing.T) {
	each(t, func(t *testing.T, f *fixture, r *receiver) {
		f.affiliate(5)
		events := []Name{CommissionCreated}
		get, secret, err := f.Create(t.Context(), NewEndpoint{AffiliateID: 5, URL: r.url + "/g/{type}?t={txn_id}&a={commission}&c={currency}&click={click_id}", Events: events})
		if err != nil || get.Method != "GET" {
			t.Fatalf("%+v, %v", get, err)
		}
		_, secretPost, err := f.Create(t.Context(), NewEndpoint{AffiliateID: 5, Method: "POST", URL: r.url + "/p?t={txn_id}&e={event}", Events: events})
		if err != nil {
			t.Fatal(err)
		}
		f.announce(CommissionCreated, 1, 5, "a&b=/../c")
		f.deliver(2)
		for _, g := range r.requests() {
			switch g.method {
			case "GET":
				u, err := url.Parse(g.target)
				if err != nil || u.Path != "/g/sale" || u.Query().Encode() != "a=1124.25&c=INR&click=&t=a%26b%3D%2F..%2Fc" || g.body != "" || !g.verified(secret) {
					t.Errorf("received %+v", g)
				}
			case "POST":
				q, err := url.ParseQuery(g.body)
				if err != nil || g.target != "/p" || q.Get("t") != "a&b=/../c" || q.Get("e") != "commission.created" || !g.verified(secretPost) ||
					g.contentType != "application/x-www-form-urlencoded" {
					t.Errorf("received %+v", g)
				}
			}
		}
		if got := testutil.ToFloat64(f.metrics.attempts.WithLabelValues("postback", "delivered")); got != 2 {
			t.Errorf("%v attempts counted", got)
		}
	})
}

// Failures are tried again with growing pauses for a day, always under the same id, and then kept as dead.
func TestRetriesAndDeadLetters(t *testing.T) {
	each(t, func(t *testing.T, f *fixture, r *receiver) {
		r.answers(http.StatusInternalServerError)
		_, secret := f.webhook(r.url)
		f.announce(ConversionBooked, 1, 0, "a")
		began, pause := f.clock.now(), time.Duration(0)
		for f.one().State == Pending {
			due := time.UnixMilli(f.one().NextAt)
			pause = due.Sub(f.clock.now())
			if pause > maxBackoff*6/5 {
				t.Fatalf("pause of %v", pause)
			}
			f.clock.advance(pause - time.Millisecond)
			if pause > 0 {
				f.deliver(0)
			}
			f.clock.advance(time.Millisecond)
			f.deliver(1)
		}
		n := len(r.requests())
		if took := f.clock.now().Sub(began); n < 15 || n > 30 || took > RetryFor || took < RetryFor-maxBackoff*6/5 || pause < maxBackoff*4/5 {
			t.Errorf("%d attempts in %v, last pause %v", n, took, pause)
		}
		for _, g := range r.requests() {
			if g.id != r.requests()[0].id || !g.verified(secret) {
				t.Errorf("received %+v", g)
			}
		}
		d := f.one()
		if d.State != Dead || d.Attempts != int64(n) || len(d.Log) != n || d.LastError != "answered 500 Internal Server Error" {
			t.Errorf("delivery %+v", d)
		}
		if testutil.ToFloat64(f.metrics.dead) != 1 {
			t.Error("not counted as dead")
		}

		r.answers(http.StatusOK)
		f.clock.advance(48 * time.Hour)
		f.deliver(0)
		again, err := f.Replay(t.Context(), d.ID)
		if err != nil || again.State != Pending {
			t.Fatalf("%+v, %v", again, err)
		}
		if _, err := f.Replay(t.Context(), d.ID); !errors.Is(err, ErrPending) {
			t.Errorf("replay of a pending one: %v", err)
		}
		f.deliver(1)
		if d := f.one(); d.State != Delivered || d.Attempts != 1 || len(d.Log) != n+1 || r.requests()[n].id != r.requests()[0].id {
			t.Errorf("after replay: %+v", d)
		}
	})
}

func TestReplayOfAllDead(t *testing.T) {
	each(t, func(t *testing.T, f *fixture, r *receiver) {
		r.answers(http.StatusServiceUnavailable)
		e, _ := f.webhook(r.url)
		const n = 7
		for i := range n {
			f.announce(ConversionBooked, 1, 0, fmt.Sprint(i))
		}
		for range 20 {
			if _, err := f.deliverDue(t.Context()); err != nil {
				t.Fatal(err)
			}
			f.clock.advance(3 * time.Hour)
		}
		f.deliveries(Dead, n)
		r.answers(http.StatusOK)
		if got, more, err := f.ReplayDead(t.Context(), e.ID); got != n || more || err != nil {
			t.Errorf("replayed %d, %v, %v", got, more, err)
		}
		f.deliver(n)
		f.deliveries(Delivered, n)
		if _, _, err := f.ReplayDead(t.Context(), 12345); !errors.Is(err, ErrNotFound) {
			t.Errorf("replay of nothing: %v", err)
		}
		if got, err := f.Get(t.Context(), e.ID); err != nil || got.FailingSince != 0 {
			t.Errorf("endpoint %+v, %v", got, err)
		}
	})
}

// A worker that dies after sending has noted nothing: when its lease ends, another sends again under the same id.
func TestCrashBetweenSendAndNote(t *testing.T) {
	each(t, func(t *testing.T, f *fixture, r *receiver) {
		f.webhook(r.url)
		f.announce(ConversionBooked, 1, 0, "a")
		jobs, _, err := f.claim(t.Context(), 1)
		if err != nil || len(jobs) != 1 {
			t.Fatalf("%v, %v", jobs, err)
		}
		if o := f.send(t.Context(), &jobs[0]); !o.delivered() {
			t.Fatal(o.err)
		}
		dead := f.Service
		f.another(f.db)
		f.clock.advance(leaseTime - time.Millisecond)
		f.deliver(0)
		f.clock.advance(2 * time.Millisecond)
		f.deliver(1)
		got := r.requests()
		if len(got) != 2 || got[0].id != got[1].id {
			t.Fatalf("received %+v", got)
		}
		// The dead one wakes up after all: its outcome changes nothing, but is in the log.
		if err := dead.note(t.Context(), &jobs[0], outcome{status: 500, err: "late"}); err != nil {
			t.Fatal(err)
		}
		if d := f.one(); d.State != Delivered || d.Attempts != 2 || len(d.Log) != 2 {
			t.Errorf("delivery %+v", d)
		}
		if testutil.ToFloat64(dead.metrics.lost) != 1 {
			t.Error("the lost lease was not counted")
		}
	})
}

func TestRotation(t *testing.T) {
	each(t, func(t *testing.T, f *fixture, r *receiver) {
		e, first := f.webhook(r.url)
		_, second, err := f.Rotate(t.Context(), e.ID)
		if err != nil || second == first {
			t.Fatalf("%q, %v", second, err)
		}
		f.announce(ConversionBooked, 1, 0, "a")
		f.deliver(1)
		if g := r.requests()[0]; !g.verified(first) || !g.verified(second) {
			t.Errorf("received %+v", g)
		}
		f.clock.advance(RotationPeriod)
		f.announce(ConversionBooked, 1, 0, "b")
		f.deliver(1)
		if g := r.requests()[1]; g.verified(first) || !g.verified(second) {
			t.Errorf("after the period: received %+v", g)
		}
	})
}

// Several cores at once send each delivery once while no lease ends.
func TestConcurrentWorkersDeliverOnce(t *testing.T) {
	each(t, func(t *testing.T, f *fixture, r *receiver) {
		f.webhook(r.url + "/a")
		f.webhook(r.url + "/b")
		const n = 30
		for i := range n {
			f.announce(ConversionBooked, 1, 0, fmt.Sprint(i))
		}
		var wg sync.WaitGroup
		for range 4 {
			s := f.another(f.db)
			wg.Go(func() {
				if _, err := s.deliverDue(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		// A worker that found all rows locked by the others has gone home early; the last one has not.
		if _, err := f.deliverDue(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.deliveries(Delivered, 2*n)
		seen := map[string]int{}
		for _, g := range r.requests() {
			seen[g.target+g.id]++
		}
		for key, times := range seen {
			if times != 1 {
				t.Errorf("%s came %d times", key, times)
			}
		}
		if len(seen) != 2*n {
			t.Errorf("%d deliveries arrived, want %d", len(seen), 2*n)
		}
	})
}

func TestGoneEndpointIsDisabled(t *testing.T) {
	each(t, func(t *testing.T, f *fixture, r *receiver) {
		r.answers(http.StatusGone)
		e, _ := f.webhook(r.url)
		f.announce(ConversionBooked, 1, 0, "a")
		f.deliver(1)
		got, err := f.Get(t.Context(), e.ID)
		if err != nil || got.State != Disabled || !strings.Contains(got.DisabledReason, "410") {
			t.Fatalf("endpoint %+v, %v", got, err)
		}
		d := f.one()
		if d.State != Dead {
			t.Errorf("delivery %+v", d)
		}
		f.announce(ConversionBooked, 1, 0, "b")
		f.deliveries("", 1)
		if _, err := f.Replay(t.Context(), d.ID); !errors.Is(err, ErrNotActive) {
			t.Errorf("replay to a disabled endpoint: %v", err)
		}
		active := Active
		if _, err := f.Update(t.Context(), e.ID, Change{State: &active}); err != nil {
			t.Fatal(err)
		}
		r.answers(http.StatusOK)
		f.announce(ConversionBooked, 1, 0, "c")
		if _, err := f.Replay(t.Context(), d.ID); err != nil {
			t.Error(err)
		}
		f.deliver(2)
	})
}

// An endpoint that does nothing but fail is disabled after DisableAfter; one success sets it back.
func TestFailingEndpointIsDisabled(t *testing.T) {
	each(t, func(t *testing.T, f *fixture, r *receiver) {
		r.answers(http.StatusBadGateway)
		e, _ := f.webhook(r.url)
		state := func() Endpoint {
			t.Helper()
			got, err := f.Get(t.Context(), e.ID)
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		step := func(txn string) {
			t.Helper()
			f.announce(ConversionBooked, 1, 0, txn)
			if _, err := f.deliverDue(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		step("a")
		f.clock.advance(DisableAfter - time.Hour)
		r.answers(http.StatusOK)
		step("b")
		if got := state(); got.FailingSince != 0 || got.State != Active {
			t.Fatalf("after a success: %+v", got)
		}
		r.answers(http.StatusBadGateway)
		step("c")
		f.clock.advance(DisableAfter - time.Hour)
		step("d")
		if got := state(); got.State != Active {
			t.Fatalf("too early: %+v", got)
		}
		f.clock.advance(time.Hour)
		step("e")
		if got := state(); got.State != Disabled || !strings.Contains(got.DisabledReason, "5 days") || !strings.Contains(got.DisabledReason, "502") {
			t.Fatalf("too late: %+v", got)
		}
		// What still waits becomes dead without being sent.
		before := len(r.requests())
		f.clock.advance(RetryFor)
		f.deliver(0)
		f.deliveries(Pending, 0)
		if len(r.requests()) != before {
			t.Error("sent to a disabled endpoint")
		}
	})
}

func TestAnswersAndErrors(t *testing.T) {
	f, r := newFixture(t, dbtest.SQLite(t)), newReceiver(t)
	f.webhook(r.url)
	r.answer = func(n int, w http.ResponseWriter) {
		switch n {
		case 0:
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(http.StatusTooManyRequests)
		case 1:
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = w.Write([]byte(strings.Repeat("ä\x00\xff", 100_000)))
		case 2:
			http.Redirect(w, &http.Request{Method: "GET", URL: &url.URL{Path: "/"}}, "http://169.254.169.254/", http.StatusFound)
		case 3:
			panic(http.ErrAbortHandler) // hang up
		default:
			w.WriteHeader(http.StatusAccepted)
		}
	}
	f.announce(ConversionBooked, 1, 0, "a")
	f.deliver(1)
	if got := time.UnixMilli(f.one().NextAt).Sub(f.clock.now()); got != time.Hour {
		t.Errorf("Retry-After: pause of %v", got)
	}
	for range 4 {
		f.clock.advance(maxBackoff)
		f.deliver(1)
	}
	log := f.one().Log
	for i, want := range []string{"", "EOF", "answered 302 Found", "answered 500 Internal Server Error", "answered 429 Too Many Requests"} {
		if log[i].Error != want || strings.Contains(log[i].Error, "127.0.0.1") {
			t.Errorf("attempt %d: %q, want %q", 5-i, log[i].Error, want)
		}
	}
	if body := log[3].Response; len(body) > maxResponse || !strings.HasPrefix(body, "ää") {
		t.Errorf("kept %d bytes: %.20q", len(body), body)
	}
}

func TestTestSend(t *testing.T) {
	each(t, func(t *testing.T, f *fixture, r *receiver) {
		e, secret := f.webhook(r.url)
		off := Disabled
		if _, err := f.Update(t.Context(), e.ID, Change{State: &off}); err != nil {
			t.Fatal(err)
		}
		d, err := f.SendTest(t.Context(), e.ID)
		if err != nil || d.State != Delivered || d.Event != Test || len(d.Log) != 1 || !r.requests()[0].verified(secret) {
			t.Fatalf("%+v, %v", d, err)
		}
		r.answers(http.StatusGone)
		if d, err = f.SendTest(t.Context(), e.ID); err != nil || d.State != Dead || d.LastStatus != http.StatusGone {
			t.Fatalf("%+v, %v", d, err)
		}
		if got, err := f.Get(t.Context(), e.ID); err != nil || got.FailingSince != 0 || got.DisabledReason != "disabled by hand" {
			t.Errorf("endpoint %+v, %v", got, err)
		}
		if _, err := f.SendTest(t.Context(), 77); !errors.Is(err, ErrNotFound) {
			t.Error(err)
		}
		f.deliver(0)
	})
}

func TestPrune(t *testing.T) {
	each(t, func(t *testing.T, f *fixture, r *receiver) {
		f.webhook(r.url)
		e, _ := f.webhook(r.url)
		f.announce(ConversionBooked, 1, 0, "a")
		f.deliver(2)
		f.clock.advance(Keep)
		if err := f.Prune(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.deliveries("", 2)
		list, err := f.Deliveries(t.Context(), DeliveryFilter{EndpointID: e.ID, Limit: 10})
		if err != nil || len(list) != 1 {
			t.Fatalf("%v, %v", list, err)
		}
		if _, err := f.Replay(t.Context(), list[0].ID); err != nil { // keeps the event
			t.Fatal(err)
		}
		f.clock.advance(time.Millisecond)
		if err := f.Prune(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.deliveries("", 1)
		f.deliver(1)
		f.clock.advance(Keep + time.Millisecond)
		if err := f.Prune(t.Context()); err != nil {
			t.Fatal(err)
		}
		var left int
		if err := f.db.QueryRow(t.Context(), `SELECT (SELECT COUNT(*) FROM webhook_events) + (SELECT COUNT(*) FROM webhook_deliveries) +
			(SELECT COUNT(*) FROM webhook_attempts)`).Scan(&left); err != nil || left != 0 {
			t.Errorf("%d rows left, %v", left, err)
		}
	})
}

// One endpoint that does not answer keeps only its share of the workers busy, and a stop waits for what is under way.
func TestRun(t *testing.T) {
	each(t, func(t *testing.T, f *fixture, r *receiver) {
		release, arrived := make(chan struct{}), make(chan struct{}, 100)
		slow := newReceiver(t)
		// The driver makes connections, and with them watchers, as it needs them.
		defer goleak.VerifyNone(t, goleak.IgnoreCurrent(), goleak.IgnoreTopFunction("github.com/go-sql-driver/mysql.(*mysqlConn).startWatcher.func1"))
		slow.answer = func(_ int, w http.ResponseWriter) { arrived <- struct{}{}; <-release; w.WriteHeader(http.StatusOK) }
		fast := make(chan struct{}, 100)
		r.answer = func(_ int, w http.ResponseWriter) { fast <- struct{}{}; w.WriteHeader(http.StatusOK) }
		f.webhook(slow.url)
		f.webhook(r.url)
		s := New(Options{Ring: ring(t, testKey), DB: f.db, IDs: newid.New(f.clock.now), Now: f.clock.now, AllowHTTP: true, AllowLoopback: true, Workers: perEndpoint + 2, Poll: time.Hour})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx) }()
		const n = 10
		for i := range n {
			f.announce(ConversionBooked, 1, 0, fmt.Sprint(i))
			s.Wake()
		}
		for range n {
			<-fast
		}
		for range perEndpoint {
			<-arrived
		}
		if got := len(slow.requests()); got != perEndpoint {
			t.Errorf("%d requests at once to one endpoint, want %d", got, perEndpoint)
		}
		stop()
		select {
		case <-done:
			t.Error("stopped before what was under way had ended")
		default:
		}
		close(release)
		if err := <-done; err != nil {
			t.Error(err)
		}
		for _, d := range f.deliveries(Pending, n-perEndpoint) {
			if d.Attempts != 0 {
				t.Errorf("left in the middle: %+v", d)
			}
		}
	})
}

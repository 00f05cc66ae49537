package api_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/api"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/core/token"
)

// keyed is an API with the probe operation, whose work is one row in meta.
type keyed struct {
	*server
	// before, and after the work but before its commit; may be nil.
	before, inside func(ctx context.Context) error
	runs           atomic.Int64
	record         bool // whether the handler records its response
}

func eachKeyed(t *testing.T, test func(t *testing.T, k *keyed)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		k := &keyed{record: true}
		k.server = newServer(t, d, probe(k.work))
		test(t, k)
	})
}

func (k *keyed) work(ctx context.Context) error {
	k.runs.Add(1)
	if k.before != nil {
		if err := k.before(ctx); err != nil {
			return err
		}
	}
	return k.db.InTx(ctx, func(tx *db.Tx) error {
		name := "work-" + time.Now().String() + "-" + string(rune('a'+k.runs.Load()%26))
		if _, err := tx.Exec(ctx, "INSERT INTO meta (name, value) VALUES (?, '')", name); err != nil {
			return err
		}
		if k.inside != nil {
			if err := k.inside(ctx); err != nil {
				return err
			}
		}
		if k.record {
			return api.Record(ctx, tx)
		}
		return nil
	})
}

func (k *keyed) post(key, body string) answer {
	k.t.Helper()
	return k.do("POST", "/api/v1/probe", body, "Idempotency-Key", key)
}

func (k *keyed) wantWork(n int) {
	k.t.Helper()
	var got int
	if err := k.db.QueryRow(k.t.Context(), "SELECT COUNT(*) FROM meta WHERE name LIKE 'work-%'").Scan(&got); err != nil {
		k.t.Fatal(err)
	}
	if got != n {
		k.t.Errorf("work was done %d times, want %d", got, n)
	}
}

func TestKeyMakesARequestOne(t *testing.T) {
	for name, record := range map[string]bool{"recorded": true, "stored afterwards": false} {
		t.Run(name, func(t *testing.T) {
			eachKeyed(t, func(t *testing.T, k *keyed) {
				k.record = record
				first := k.post("k1", `{"a":1}`).want(http.StatusCreated)
				again := k.post("k1", `{"a":1}`).want(http.StatusCreated)
				if string(again.body) != string(first.body) || again.header.Get("Content-Type") != "application/json" {
					t.Errorf("first %q, again %q", first.body, again.body)
				}
				if first.header.Get("Idempotency-Replayed") != "" || again.header.Get("Idempotency-Replayed") != "true" {
					t.Error("Idempotency-Replayed does not tell the two apart")
				}
				k.wantWork(1)
				k.post("k1", `{"a":2}`).want(http.StatusUnprocessableEntity, "idempotency_key_reused")
				k.do("POST", "/api/v1/probe?x=1", `{"a":1}`, "Idempotency-Key", "k1").want(http.StatusUnprocessableEntity, "idempotency_key_reused")
				k.wantWork(1)
				k.post("k2", `{"a":1}`).want(http.StatusCreated)
				k.do("POST", "/api/v1/probe", `{"a":1}`).want(http.StatusCreated)
				k.wantWork(3)
				k.wantMetric("edgeref_api_idempotency_keys_total", map[string]string{"result": "replayed"}, 1)
				k.wantMetric("edgeref_api_idempotency_keys_total", map[string]string{"result": "reused"}, 2)
			})
		})
	}
}

func TestKeysBelongToATokenEach(t *testing.T) {
	eachKeyed(t, func(t *testing.T, k *keyed) {
		_, other, err := k.tokens.Create(t.Context(), "other", []access.Scope{access.Admin})
		if err != nil {
			t.Fatal(err)
		}
		k.post("k", `{"a":1}`).want(http.StatusCreated)
		k.bearer = other
		if again := k.post("k", `{"a":2}`).want(http.StatusCreated); again.header.Get("Idempotency-Replayed") != "" {
			t.Error("another token's response was replayed")
		}
		k.wantWork(2)
	})
}

func TestFailedRequestsLetGoOfTheKey(t *testing.T) {
	eachKeyed(t, func(t *testing.T, k *keyed) {
		for _, fail := range []func(context.Context) error{
			func(context.Context) error { return errors.New("broken") },
			func(context.Context) error { panic("broken") },
			func(context.Context) error { return token.ErrInvalid },
		} {
			k.inside = fail
			if got := k.post("k", `{}`); got.status < 400 {
				t.Errorf("status %d", got.status)
			}
			k.wantWork(0)
		}
		k.inside = nil
		k.post("k", `{"corrected":true}`).want(http.StatusCreated)
		k.wantWork(1)
	})
}

// Of many identical requests at once one does the work; the others are told to wait, or get its response.
func TestConcurrentIdenticalRequests(t *testing.T) {
	eachKeyed(t, func(t *testing.T, k *keyed) {
		started, release := make(chan struct{}), make(chan struct{})
		free := sync.OnceFunc(func() { close(release) })
		t.Cleanup(free) // also when the test fails, so that the server can close
		k.before = func(context.Context) error { close(started); <-release; return nil }
		first := make(chan answer)
		go func() { first <- k.post("k", `{}`) }()
		<-started
		for range 3 {
			got := k.post("k", `{}`).want(http.StatusConflict, "idempotency_in_progress")
			if got.header.Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
		}
		k.post("k", `{"other":true}`).want(http.StatusUnprocessableEntity, "idempotency_key_reused")
		free()
		(<-first).want(http.StatusCreated)
		k.post("k", `{}`).want(http.StatusCreated)
		k.wantWork(1)
	})
}

func TestRaceForAKey(t *testing.T) {
	eachKeyed(t, func(t *testing.T, k *keyed) {
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if got := k.post("k", `{}`); got.status != http.StatusCreated && got.status != http.StatusConflict {
					t.Errorf("status %d: %s", got.status, got.body)
				}
			})
		}
		wg.Wait()
		k.wantWork(1)
	})
}

// A run that is so slow that another took its key over must not commit any more.
func TestLostLeaseCannotCommit(t *testing.T) {
	eachKeyed(t, func(t *testing.T, k *keyed) {
		started, release := make(chan struct{}), make(chan struct{})
		free := sync.OnceFunc(func() { close(release) })
		t.Cleanup(free) // also when the test fails, so that the server can close
		k.before = func(context.Context) error {
			if k.runs.Load() == 1 {
				close(started)
				<-release
			}
			return nil
		}
		slow := make(chan answer)
		go func() { slow <- k.post("k", `{}`) }()
		<-started
		k.clock.add(api.Lease)
		k.post("k", `{}`).want(http.StatusCreated)
		free()
		(<-slow).want(http.StatusConflict, "idempotency_in_progress")
		k.wantWork(1)
		k.wantMetric("edgeref_api_idempotency_keys_total", map[string]string{"result": "taken_over"}, 1)
		if again := k.post("k", `{}`).want(http.StatusCreated); again.header.Get("Idempotency-Replayed") != "true" {
			t.Error("the response of the second run is lost")
		}
	})
}

// The connection is lost when the commit has been done but nobody knows: the same request again gets the response.
func TestUnknownOutcomeThatWasCommitted(t *testing.T) {
	eachKeyed(t, func(t *testing.T, k *keyed) {
		unknown := true
		k2 := &keyed{record: true}
		k2.server = newServer(t, k.db, probe(func(ctx context.Context) error {
			if err := k2.work(ctx); err != nil || !unknown {
				return err
			}
			unknown = false
			return db.ErrUnknownOutcome
		}))
		k2.post("k", `{}`).want(http.StatusServiceUnavailable, "outcome_unknown")
		if again := k2.post("k", `{}`).want(http.StatusCreated); again.header.Get("Idempotency-Replayed") != "true" {
			t.Error("not replayed")
		}
		k2.wantWork(1)
	})
}

func TestKeysExpire(t *testing.T) {
	eachKeyed(t, func(t *testing.T, k *keyed) {
		k.post("old", `{}`).want(http.StatusCreated)
		k.clock.add(24*time.Hour - time.Millisecond)
		k.post("old", `{}`).want(http.StatusCreated)
		k.wantWork(1)
		k.post("new", `{}`).want(http.StatusCreated)
		k.clock.add(time.Millisecond)
		k.post("old", `{"other":1}`).want(http.StatusCreated) // expired, so free for another request
		k.wantWork(3)
		k.clock.add(24*time.Hour - time.Millisecond)
		if n, err := k.api.Sweep(t.Context()); err != nil || n != 1 {
			t.Errorf("forgot %d keys, %v; want 1", n, err)
		}
		k.clock.add(24 * time.Hour)
		if n, err := k.api.Sweep(t.Context()); err != nil || n != 1 {
			t.Errorf("forgot %d keys, %v; want 1", n, err)
		}
	})
}

// Forgetting expired keys does not wait for requests that are being worked on. (SQLite has one writer at a time anyway.)
func TestSweepWaitsForNobody(t *testing.T) {
	eachKeyed(t, func(t *testing.T, k *keyed) {
		if k.db.Dialect() != db.MySQL {
			return
		}
		k.post("old", `{}`).want(http.StatusCreated)
		k.clock.add(24 * time.Hour)
		k.post("new", `{}`).want(http.StatusCreated)
		err := k.db.InTx(t.Context(), func(tx *db.Tx) error {
			var id []byte
			err := tx.QueryRow(t.Context(), "SELECT id FROM idempotency_keys WHERE expires_at > ? FOR UPDATE", k.clock.Now().UnixMilli()).Scan(&id)
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			n, err := k.api.Sweep(ctx)
			if n != 1 {
				t.Errorf("forgot %d keys, want 1", n)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
}

func TestInvalidKeys(t *testing.T) {
	k := &keyed{record: true}
	k.server = newServer(t, dbtest.SQLite(t), probe(k.work))
	for _, key := range []string{strings.Repeat("k", 256), "with space", "ümlaut"} {
		k.post(key, `{}`).want(http.StatusBadRequest, "invalid_idempotency_key")
	}
	k.post(strings.Repeat("k", 255), `{}`).want(http.StatusCreated)
	k.wantWork(1)
}

// A new token's secret is replayed to who asked for it, but is not in the database.
func TestStoredResponsesAreSealed(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		body := `{"name":"shop","scopes":["catalog:read"]}`
		var first, again api.NewToken
		s.do("POST", "/api/v1/tokens", body, "Idempotency-Key", "k").want(http.StatusCreated).into(&first)
		s.do("POST", "/api/v1/tokens", body, "Idempotency-Key", "k").want(http.StatusCreated).into(&again)
		if first.Secret == "" || again.Secret != first.Secret || again.ID != first.ID {
			t.Errorf("first %+v, again %+v", first, again)
		}
		var stored string
		if err := s.db.QueryRow(t.Context(), "SELECT response FROM idempotency_keys").Scan(&stored); err != nil {
			t.Fatal(err)
		}
		if len(stored) < len(first.Secret) || strings.Contains(stored, first.Secret) || strings.Contains(stored, "shop") {
			t.Error("the response is stored in the clear")
		}
	})
}

// Every POST that makes something makes it once.
func TestCreationsAreIdempotent(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		a, p := s.affiliate(), s.program()
		for path, body := range map[string]string{
			"/api/v1/affiliates": `{"name":"Bob","email":"bob@example.com"}`,
			"/api/v1/programs":   `{"name":"Trainings"}`,
			"/api/v1/links":      `{"affiliate_id":"` + a.ID + `","program_id":"` + p.ID + `","destination":"https://shop.example/"}`,
			"/api/v1/programs/" + p.ID + "/postback-secret": ``,
		} {
			first := s.do("POST", path, body, "Idempotency-Key", "k"+path)
			again := s.do("POST", path, body, "Idempotency-Key", "k"+path)
			if first.status >= 300 || again.status != first.status || string(again.body) != string(first.body) {
				t.Errorf("%s: first %d %s, again %d %s", path, first.status, first.body, again.status, again.body)
			}
			if again.header.Get("Idempotency-Replayed") != "true" {
				t.Errorf("%s: not replayed", path)
			}
		}
	})
}

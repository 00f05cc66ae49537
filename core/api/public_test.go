package api_test

import (
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/api"
	"github.com/edgeref/edgeref/core/db/dbtest"
)

func publicServer(t *testing.T, perMinute int) *server {
	s := newServer(t, dbtest.SQLite(t), func(*server) []api.Module { return []api.Module{api.ProbePublic(perMinute)} })
	s.bearer = ""
	return s
}

func TestPublicOperationsAreLimitedByAddress(t *testing.T) {
	s := publicServer(t, 3)
	ask := func(from string) answer {
		return s.do("POST", "/api/v1/probe-public", `{"address":""}`, "CF-Connecting-IP", from)
	}
	for range 3 {
		if got := ask("2001:db8::1").want(http.StatusOK).get("address"); got != "2001:db8::1" {
			t.Errorf("address %v", got)
		}
	}
	// A neighbour in the same /64 is the same client; another network is not.
	if got := ask("2001:db8::2").want(http.StatusTooManyRequests, "rate_limited").header.Get("Retry-After"); got != "20" {
		t.Errorf("Retry-After %q", got)
	}
	ask("2001:db8:0:1::1").want(http.StatusOK)
	s.clock.add(19 * time.Second)
	ask("2001:db8::1").want(http.StatusTooManyRequests, "rate_limited")
	s.clock.add(time.Second)
	ask("2001:db8::1").want(http.StatusOK)
	ask("2001:db8::1").want(http.StatusTooManyRequests, "rate_limited")
	s.wantMetric("edgeref_api_rate_limited_total", map[string]string{"operation": "probe-public"}, 3)
	for _, nonsense := range []string{"x", "0.0.0.0", "fe80::1%eth0"} {
		if got := ask(nonsense); got.status == http.StatusOK && got.get("address") != "127.0.0.1" {
			t.Errorf("address of %q: %s", nonsense, got.body)
		}
	}
}

// Whoever is not a trusted proxy cannot choose its own address.
func TestStrangersCannotNameAnotherAddress(t *testing.T) {
	d := dbtest.SQLite(t)
	s := newServer(t, d, func(*server) []api.Module { return nil })
	a, err := api.New(api.Options{DB: d, Tokens: s.tokens, Now: s.clock.Now, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}, api.ProbePublic(5))
	if err != nil {
		t.Fatal(err)
	}
	for peer, want := range map[string]string{"192.0.2.1:1": "192.0.2.1", "10.1.2.3:1": "198.51.100.7", "[::ffff:10.1.2.3]:1": "198.51.100.7", "@": ""} {
		if got := addressSeen(t, a, peer, "198.51.100.7"); got != want {
			t.Errorf("from %s: %q, want %q", peer, got, want)
		}
	}
}

func TestLimiterIsBounded(t *testing.T) {
	l := api.NewLimiter(1, 2)
	at := time.Unix(1_000_000, 0)
	addr := func(last byte) netip.Addr { return netip.AddrFrom4([4]byte{192, 0, 2, last}) }
	for i := range byte(2) {
		if ok, crowded, _ := l.Allow(addr(i), at); !ok || crowded {
			t.Fatalf("address %d: %v, %v", i, ok, crowded)
		}
	}
	// The table is full: the others share what one has.
	if ok, crowded, _ := l.Allow(addr(2), at); !ok || !crowded {
		t.Errorf("first of the others: %v, %v", ok, crowded)
	}
	if ok, crowded, wait := l.Allow(addr(3), at); ok || !crowded || wait != time.Minute {
		t.Errorf("second of the others: %v, %v, %v", ok, crowded, wait)
	}
	if ok, crowded, _ := l.Allow(addr(4), at.Add(time.Minute)); !ok || crowded {
		t.Errorf("after they were forgotten: %v, %v", ok, crowded)
	}
}

func TestPublicIdempotencyKeys(t *testing.T) {
	s := publicServer(t, 10)
	s.do("POST", "/api/v1/probe-public", `{"address":"a"}`, "Idempotency-Key", "short").want(http.StatusBadRequest, "invalid_idempotency_key")
	const key = "8e03978e-40d5-43dd-bc93-6894a57f9324"
	s.do("POST", "/api/v1/probe-public", `{"address":"a"}`, "Idempotency-Key", key).want(http.StatusOK)
	// Also with a token, which a public operation does not look at.
	s.bearer = adminSecret
	if got := s.do("POST", "/api/v1/probe-public", `{"address":"a"}`, "Idempotency-Key", key).want(http.StatusOK); got.header.Get("Idempotency-Replayed") != "true" {
		t.Error("not replayed")
	}
	s.do("POST", "/api/v1/probe-public", `{"address":"b"}`, "Idempotency-Key", key).want(http.StatusUnprocessableEntity, "idempotency_key_reused")
}

func TestOperationsSayWhoMayCallThem(t *testing.T) {
	for name, module := range map[string]api.Module{
		"nothing": api.Declare("", false, 0), "public without a limit": api.Declare("", true, 0), "a limit alone": api.Declare(access.Me, false, 1),
		"both": api.Declare(access.Me, true, 1), "unknown scope": api.Declare("x", false, 0),
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("was registered")
				}
			}()
			newServer(t, dbtest.SQLite(t), func(*server) []api.Module { return []api.Module{module} })
		})
	}
}

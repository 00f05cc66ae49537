package api

import (
	"errors"
	"net/http"
	"testing"
	"time"
)

func TestTurnstile(t *testing.T) {
	stile, now := newTurnstile(3), time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	limited := func(err error) bool {
		var p *Problem
		return errors.As(err, &p) && p.Status == http.StatusTooManyRequests && p.Code == "rate_limited"
	}
	end, err := stile.begin(now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stile.begin(now); !limited(err) {
		t.Errorf("two at once: %v", err)
	}
	end()
	for range 2 {
		if end, err = stile.begin(now); err != nil {
			t.Fatal(err)
		}
		end()
	}
	if _, err := stile.begin(now); !limited(err) {
		t.Errorf("a fourth in a minute: %v", err)
	}
	if end, err = stile.begin(now.Add(20 * time.Second)); err != nil {
		t.Fatalf("later: %v", err)
	}
	end()
}

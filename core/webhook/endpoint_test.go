package webhook

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/edgeref/edgeref/core/db/dbtest"
)

func TestInvalidEndpoints(t *testing.T) {
	f := newFixture(t, dbtest.SQLite(t))
	f.affiliate(5)
	good := NewEndpoint{URL: "https://example.com/", Events: []Name{ConversionBooked}}
	for field, change := range map[string]func(e *NewEndpoint){
		"url":          func(e *NewEndpoint) { e.URL = "https://10.0.0.1/" },
		"events":       func(e *NewEndpoint) { e.Events = nil },
		"method":       func(e *NewEndpoint) { e.Method = "GET" },
		"description":  func(e *NewEndpoint) { e.Description = strings.Repeat("x", 256) },
		"program_id":   func(e *NewEndpoint) { e.ProgramID = 1 },
		"affiliate_id": func(e *NewEndpoint) { e.AffiliateID = 1 },
	} {
		e := good
		change(&e)
		var invalid *InvalidError
		if _, _, err := f.Create(t.Context(), e); !errors.As(err, &invalid) || invalid.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	for _, e := range []NewEndpoint{
		{URL: "https://example.com/{event}", Events: good.Events}, // a webhook has no macros
		{URL: "https://example.com/?x={nope}", Events: good.Events, AffiliateID: 5},
		{URL: "https://example.com/" + strings.Repeat("x", maxURL), Events: good.Events},
		{URL: "https://example.com/", Events: []Name{Test}},
		{URL: "https://example.com/", Events: good.Events, Method: "DELETE", AffiliateID: 5},
	} {
		var invalid *InvalidError
		if _, _, err := f.Create(t.Context(), e); !errors.As(err, &invalid) {
			t.Errorf("%+v: %v", e, err)
		}
	}
}

func TestEndpointsLive(t *testing.T) {
	each(t, func(t *testing.T, f *fixture, r *receiver) {
		e, secret := f.webhook("https://example.com/a")
		got, err := f.Get(t.Context(), e.ID)
		if err != nil || len(got.Events) != len(Names()) {
			t.Fatalf("%+v, %v", got, err)
		}
		if opened, err := f.openSecrets(&got, 0); err != nil || opened[0] != secret {
			t.Errorf("opened %v, %v", opened, err)
		}
		f.announce(ConversionBooked, 1, 0, "waits")
		// What waits is sent as the endpoint is then.
		url, words := r.url+"/b", "new"
		got, err = f.Update(t.Context(), e.ID, Change{URL: &url, Description: &words, Events: []Name{ConversionRefused}})
		if err != nil || got.URL != url || got.Description != words || len(got.Events) != 1 {
			t.Fatalf("%+v, %v", got, err)
		}
		f.announce(ConversionBooked, 1, 0, "not wanted")
		f.deliver(1)
		bad := "https://127.0.0.2.example/{x}"
		var invalid *InvalidError
		if _, err := f.Update(t.Context(), e.ID, Change{URL: &bad}); !errors.As(err, &invalid) {
			t.Errorf("bad change: %v", err)
		}
		f.announce(ConversionRefused, 1, 0, "never sent")
		if err := f.Delete(t.Context(), e.ID); err != nil {
			t.Fatal(err)
		}
		for name, err := range map[string]error{
			"get":    second(f.Get(t.Context(), e.ID)),
			"delete": f.Delete(t.Context(), e.ID),
			"update": second(f.Update(t.Context(), e.ID, Change{})),
		} {
			if !errors.Is(err, ErrNotFound) {
				t.Errorf("%s after delete: %v", name, err)
			}
		}
		f.deliver(0)
		f.deliveries(Dead, 1)
		f.announce(ConversionRefused, 1, 0, "nobody")
		f.deliveries("", 2)
		if list, err := f.List(t.Context(), EndpointFilter{Limit: 10}); err != nil || len(list) != 0 {
			t.Errorf("%+v, %v", list, err)
		}
		var secrets int
		if err := f.db.QueryRow(t.Context(), "SELECT COUNT(*) FROM webhook_endpoints WHERE secret <> '' OR url <> ''").Scan(&secrets); err != nil || secrets != 0 {
			t.Errorf("%d secrets left, %v", secrets, err)
		}
	})
}

func second[T any](_ T, err error) error { return err }

func TestOtherCoresHearOfEndpointsInASecond(t *testing.T) {
	f, r := newFixture(t, dbtest.SQLite(t)), newReceiver(t)
	f.announce(ConversionBooked, 1, 0, "a")
	first := f.Service
	f.another(f.db)
	f.webhook(r.url)
	f.Service = first
	f.announce(ConversionBooked, 1, 0, "b")
	f.deliveries("", 0)
	f.clock.advance(endpointsStay)
	f.announce(ConversionBooked, 1, 0, "c")
	f.deliveries("", 1)
}

func TestBackoff(t *testing.T) {
	for attempt, want := range map[int64]time.Duration{1: firstBackoff, 2: 2 * firstBackoff, 5: 16 * firstBackoff, 12: maxBackoff, math.MaxInt64: maxBackoff} {
		for range 100 {
			if got := backoff(attempt); got < want*4/5 || got > want*6/5 {
				t.Errorf("after attempt %d: %v, want %v give or take a fifth", attempt, got, want)
			}
		}
	}
}

func TestGauges(t *testing.T) {
	f := newFixture(t, dbtest.SQLite(t))
	f.webhook("https://example.com/")
	f.announce(ConversionBooked, 1, 0, "a")
	f.clock.advance(90 * time.Second)
	want := `
# HELP edgeref_webhook_deliveries Deliveries in the database that are not delivered, by state (pending or dead); NaN while the database does not answer.
# TYPE edgeref_webhook_deliveries gauge
edgeref_webhook_deliveries{state="dead"} 0
edgeref_webhook_deliveries{state="pending"} 1
# HELP edgeref_webhook_overdue_seconds For how long the oldest delivery has been due; 0 if there is none, NaN while the database does not answer.
# TYPE edgeref_webhook_overdue_seconds gauge
edgeref_webhook_overdue_seconds 90
`
	if err := testutil.GatherAndCompare(f.reg, strings.NewReader(want), "edgeref_webhook_deliveries", "edgeref_webhook_overdue_seconds"); err != nil {
		t.Error(err)
	}
}

package api_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/edgeref/edgeref/core/api"
	"github.com/edgeref/edgeref/core/webhook"
)

// told is what a receiver got: the payload of a webhook, or the query of a postback.
type told struct {
	payload webhook.Payload
	query   url.Values
}

// listen starts a receiver, and the workers that send to it until the test ends.
func (s *server) listen() (address string, events <-chan told) {
	s.t.Helper()
	got := make(chan told, 100)
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		e := told{query: r.URL.Query()}
		if body, _ := io.ReadAll(r.Body); len(body) > 0 {
			_ = json.Unmarshal(body, &e.payload)
		}
		got <- e
	}))
	s.t.Cleanup(srv.Close)
	ctx, stop := context.WithCancel(context.WithoutCancel(s.t.Context()))
	done := make(chan error, 1)
	go func() { done <- s.hooks.Run(ctx) }()
	s.t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			s.t.Error(err)
		}
	})
	return srv.URL, got
}

// A sale, its release and its refund, as the business and the affiliate hear of them.
func TestWebhooksTellOfASale(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		sh := s.shop()
		hook, heard := s.listen()
		back, answered := s.listen()
		all := []string{"conversion.booked", "conversion.refused", "commission.created", "commission.released", "commission.reversed", "commission.restored"}
		var made, again api.WebhookWithSecret
		body := map[string]any{"url": hook, "events": all, "program_id": sh.program.ID}
		s.do("POST", "/api/v1/webhooks", body, "Idempotency-Key", "k").want(http.StatusCreated).into(&made)
		s.do("POST", "/api/v1/webhooks", body, "Idempotency-Key", "k").want(http.StatusCreated).into(&again)
		if made.ID != again.ID || made.Secret != again.Secret || !strings.HasPrefix(made.Secret, "whsec_") || made.Kind != "webhook" || made.Method != "POST" {
			t.Errorf("made %+v, then %+v", made, again)
		}
		s.do("POST", "/api/v1/webhooks", map[string]any{
			"url": back + "/?e={event}&t={txn_id}&a={amount}&p={commission}&c={click_id}", "events": all, "affiliate_id": sh.affiliate.ID,
		}).want(http.StatusCreated)

		s.do("POST", "/api/v1/conversions", sh.sale("order-1", 150_000)).want(http.StatusCreated)
		seen := map[webhook.Name]webhook.Payload{}
		for range 2 {
			e := (<-heard).payload
			seen[e.Type] = e
			q := (<-answered).query
			if q.Get("t") != "order-1" || q.Get("a") != "1500.00" || q.Get("p") != "1125.00" || q.Get("c") != sh.click.String() {
				t.Errorf("postback %v", q)
			}
		}
		booked := seen[webhook.ConversionBooked].Data
		if booked.Conversion.TxnID != "order-1" || booked.Conversion.AffiliateID != sh.affiliate.ID || booked.Commission.Amount.Minor != 112_500 ||
			booked.Commission.ID != seen[webhook.CommissionCreated].Data.Commission.ID {
			t.Errorf("told of the sale: %+v", seen)
		}
		// The same sale again is no news; a refund that is too large is refused, one that fits reverses.
		s.do("POST", "/api/v1/conversions", sh.sale("order-1", 150_000)).want(http.StatusOK)
		refund := map[string]any{"program_id": sh.program.ID, "type": "refund", "txn_id": "r", "ref_txn_id": "order-1", "amount": map[string]any{"minor": 150_001, "currency": "INR"}}
		s.do("POST", "/api/v1/conversions", refund).want(http.StatusUnprocessableEntity)
		if e := (<-heard).payload; e.Type != webhook.ConversionRefused || e.Data.Conversion.Reason != "exceeds_sale" {
			t.Errorf("told of the refusal: %+v", e)
		}
		refund["txn_id"], refund["amount"] = "r2", map[string]any{"minor": 50_000, "currency": "INR"}
		s.do("POST", "/api/v1/conversions", refund).want(http.StatusCreated)
		clear(seen)
		for range 2 {
			e := (<-heard).payload
			seen[e.Type] = e
			<-answered
		}
		if seen[webhook.CommissionReversed].Data.Commission.Amount.Minor != 37_500 || seen[webhook.ConversionBooked].Data.Conversion.Type != "refund" {
			t.Errorf("told of the refund: %+v", seen)
		}
		testWebhookRelease(t, s, heard)
	})
}

func testWebhookRelease(t *testing.T, s *server, heard <-chan told) {
	t.Helper()
	s.clock.add(31 * 24 * time.Hour)
	if n, err := s.commissions.ReleaseDue(t.Context(), s.clock.Now(), 10); n != 1 || err != nil {
		t.Fatalf("released %d, %v", n, err)
	}
	e := (<-heard).payload
	for e.Type != webhook.CommissionReleased {
		// The clock's leap ended the leases of what was being noted: it comes again, as it may.
		e = (<-heard).payload
	}
	if e.Data.Commission.Amount.Minor != 75_000 || e.Data.Conversion.TxnID != "order-1" {
		t.Errorf("told of the release: %+v", e)
	}
}

// A rejection that waits is told of when it takes effect, once, though it takes twice.
func TestWebhooksTellOfARejectionOnce(t *testing.T) {
	s := sqliteServer(t)
	sh := s.shop()
	hook, heard := s.listen()
	s.do("POST", "/api/v1/webhooks", map[string]any{"url": hook, "events": []string{"conversion.booked"}}).want(http.StatusCreated)
	for _, kind := range []string{"rejected", "lead"} {
		s.do("POST", "/api/v1/conversions", map[string]any{"program_id": sh.program.ID, "type": kind, "txn_id": "o"}).want(http.StatusCreated)
	}
	s.do("POST", "/api/v1/conversions", sh.sale("o", 100)).want(http.StatusCreated)
	count := map[string]int{}
	for range 3 {
		count[(<-heard).payload.Data.Conversion.Type]++
	}
	var list api.List[api.WebhookDelivery]
	s.do("GET", "/api/v1/webhook-deliveries", nil).want(http.StatusOK).into(&list)
	if len(list.Items) != 3 || count["rejected"] != 1 || count["lead"] != 1 || count["sale"] != 1 {
		t.Errorf("%d deliveries, of %v", len(list.Items), count)
	}
}

func TestWebhookOperations(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		sh := s.shop()
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusTeapot)
			_, _ = w.Write([]byte("short and stout"))
		}))
		defer srv.Close()
		const path = "/api/v1/webhooks"
		for field, body := range map[string]map[string]any{
			"body.url":          {"url": "https://10.0.0.1/", "events": []string{"commission.created"}},
			"body.affiliate_id": {"url": srv.URL, "events": []string{"commission.created"}, "affiliate_id": "aff_0000000000001"},
			"body.program_id":   {"url": srv.URL, "events": []string{"commission.created"}, "program_id": "prg_0000000000001"},
			"body.method":       {"url": srv.URL, "events": []string{"commission.created"}, "method": "GET"},
			"body.events[0]":    {"url": srv.URL, "events": []string{"webhook.test"}},
		} {
			got := s.do("POST", path, body).want(http.StatusUnprocessableEntity, "validation_failed")
			if !strings.Contains(string(got.body), `"`+field+`"`) {
				t.Errorf("%s: %s", field, got.body)
			}
		}
		var hook, rotated api.WebhookWithSecret
		s.do("POST", path, map[string]any{"url": srv.URL + "/a", "events": []string{"commission.created"}}).want(http.StatusCreated).into(&hook)
		if body := string(s.do("GET", path+"/"+hook.ID, nil).want(http.StatusOK).body); strings.Contains(body, "whsec_") {
			t.Errorf("the secret is shown again: %s", body)
		}
		s.do("POST", path+"/"+hook.ID+"/secret", nil).want(http.StatusOK).into(&rotated)
		if rotated.Secret == hook.Secret || rotated.ID != hook.ID {
			t.Errorf("rotated %+v", rotated)
		}
		var test api.WebhookDeliveryDetail
		s.do("POST", path+"/"+hook.ID+"/test", nil).want(http.StatusOK).into(&test)
		if test.State != "dead" || test.LastStatus != http.StatusTeapot || len(test.Log) != 1 || test.Log[0].Response != "short and stout" ||
			!strings.Contains(string(test.Payload), `"webhook.test"`) || test.NextAt != nil {
			t.Errorf("test %+v", test)
		}
		var read api.WebhookDeliveryDetail
		s.do("GET", "/api/v1/webhook-deliveries/"+test.ID, nil).want(http.StatusOK).into(&read)
		if read.EventID != test.EventID || read.WebhookID != hook.ID {
			t.Errorf("read %+v", read)
		}
		for query, want := range map[string]int{"?state=dead": 1, "?state=pending": 0, "?webhook_id=" + hook.ID: 1, "?webhook_id=whk_0000000000001": 0} {
			var list api.List[api.WebhookDelivery]
			if s.do("GET", "/api/v1/webhook-deliveries"+query, nil).want(http.StatusOK).into(&list); len(list.Items) != want {
				t.Errorf("%s: %+v", query, list)
			}
		}
		s.do("PATCH", path+"/"+hook.ID, map[string]any{"state": "disabled"}).want(http.StatusOK)
		s.do("POST", "/api/v1/webhook-deliveries/"+test.ID+"/replay", nil).want(http.StatusConflict, "webhook_disabled")
		s.do("POST", path+"/"+hook.ID+"/replay", nil).want(http.StatusConflict, "webhook_disabled")
		var changed api.Webhook
		s.do("PATCH", path+"/"+hook.ID, map[string]any{"state": "active", "description": "x", "events": []string{"conversion.booked"}}).want(http.StatusOK).into(&changed)
		if changed.State != "active" || changed.Description != "x" || len(changed.Events) != 1 || changed.Events[0] != webhook.ConversionBooked {
			t.Errorf("changed %+v", changed)
		}
		var replayed api.WebhookReplayed
		s.do("POST", path+"/"+hook.ID+"/replay", nil).want(http.StatusOK).into(&replayed)
		if replayed.Replayed != 1 || replayed.More {
			t.Errorf("replayed %+v", replayed)
		}
		s.do("POST", "/api/v1/webhook-deliveries/"+test.ID+"/replay", nil).want(http.StatusConflict, "delivery_pending")
		var list api.List[api.Webhook]
		s.do("POST", path, map[string]any{"url": srv.URL + "/{type}", "events": []string{"commission.created"}, "affiliate_id": sh.affiliate.ID}).want(http.StatusCreated)
		s.do("GET", path+"?affiliate_id="+sh.affiliate.ID, nil).want(http.StatusOK).into(&list)
		if len(list.Items) != 1 || list.Items[0].Kind != "postback" || list.Items[0].Method != "GET" {
			t.Errorf("list %+v", list)
		}
		s.do("DELETE", path+"/"+hook.ID, nil).want(http.StatusNoContent)
		s.do("GET", path+"/"+hook.ID, nil).want(http.StatusNotFound, "not_found")
		s.do("GET", "/api/v1/webhook-deliveries/dlv_0000000000001", nil).want(http.StatusNotFound, "not_found")
		if strings.Contains(s.log.String(), "whsec_") {
			t.Error("a secret is in the log")
		}
	})
}

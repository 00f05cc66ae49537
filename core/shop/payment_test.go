package shop_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/edgeref/edgeref/core/payment"
	"github.com/edgeref/edgeref/core/payment/razorpay"
	"github.com/edgeref/edgeref/core/shop"
	"github.com/edgeref/edgeref/test/gateways"
)

// Orders are paid, refunded at the gateway and disputed, through a real gateway's wire format; every webhook comes three
// times in random order, 20 at once, while workers run. Everything is booked once, and the ledger holds.
func TestWebhooksThreeTimesInRandomOrder(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		const orders = 8
		p := gateways.NewRazorpay(f.now().Unix())
		g := razorpay.New(razorpay.Options{KeyID: p.KeyID, KeySecret: p.KeySecret, WebhookSecrets: []string{p.WebhookSecret}, URL: p.Server.URL, Pause: time.Millisecond})
		t.Cleanup(func() { g.CloseIdleConnections(); p.Close() })
		pay := payment.New(payment.Options{
			DB: f.db, IDs: f.ids, Now: f.now, Gateways: map[string]payment.Gateway{razorpay.Name: g}, PublicURL: "https://core.example", Poll: time.Millisecond,
		})
		pay.Serve(f.Service)
		f.UseGateways(pay)
		product := f.product(t, "sales", 149900)
		type hook struct {
			body   []byte
			header http.Header
		}
		var hooks []hook
		add := func(id, event string, entities map[string]map[string]any) {
			body, header := p.Webhook(id, event, entities)
			hooks = append(hooks, hook{body, header}, hook{body, header}, hook{body, header})
		}
		made := make([]shop.Order, orders)
		for i := range made {
			made[i] = f.order(t, "", product)
			session, err := pay.Begin(t.Context(), made[i].ID, razorpay.Name)
			if err != nil {
				t.Fatal(err)
			}
			ref := session.Params["order_id"]
			paid := p.Pay(ref)
			add(fmt.Sprint("evt_c", i), "payment.captured", map[string]map[string]any{"payment": paid})
			add(fmt.Sprint("evt_o", i), "order.paid", map[string]map[string]any{"payment": paid, "order": p.OrderEntity(ref)})
			if i%2 == 0 {
				add(fmt.Sprint("evt_r", i), "refund.processed", map[string]map[string]any{"payment": paid, "refund": p.RefundByHand(paid["id"].(string), 50000)})
			}
			if i%4 == 1 {
				dispute := map[string]any{"id": fmt.Sprint("disp_", i), "payment_id": paid["id"], "amount": 149900, "currency": "INR", "status": "open"}
				add(fmt.Sprint("evt_d", i), "payment.dispute.created", map[string]map[string]any{"payment": paid, "dispute": dispute})
				won := map[string]any{"id": fmt.Sprint("disp_", i), "payment_id": paid["id"], "amount": 149900, "currency": "INR", "status": "won"}
				add(fmt.Sprint("evt_w", i), "payment.dispute.won", map[string]map[string]any{"payment": paid, "dispute": won})
			}
		}
		rand.Shuffle(len(hooks), func(i, j int) { hooks[i], hooks[j] = hooks[j], hooks[i] })
		ctx, stop := context.WithCancel(t.Context())
		var running, senders sync.WaitGroup
		running.Go(func() { _ = pay.Run(ctx) })
		next := make(chan hook)
		handler := pay.Handler()
		for range 20 {
			senders.Go(func() {
				for h := range next {
					r := httptest.NewRequest(http.MethodPost, payment.WebhookPath+razorpay.Name, bytes.NewReader(h.body))
					r.Header = h.header.Clone()
					w := httptest.NewRecorder()
					if handler.ServeHTTP(w, r); w.Code != http.StatusNoContent {
						t.Errorf("a webhook is answered %d", w.Code)
					}
				}
			})
		}
		for _, h := range hooks {
			next <- h
		}
		close(next)
		senders.Wait()
		stop()
		running.Wait()
		settle := func() {
			t.Helper()
			for range 10 {
				for n := 1; n > 0; {
					var err error
					if n, err = pay.Work(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				f.advance(time.Minute)
			}
		}
		settle()
		for i, o := range made {
			want := shop.Paid
			if i%2 == 0 {
				want = shop.PartlyRefunded
			}
			if got := f.reread(t, o); got.State != want || got.PaymentID == "" || got.ConversionID == 0 {
				t.Errorf("order %d is %s, want %s; its story is %v", i, got.State, want, f.story(t, o))
			}
		}
		count := func(query string, want int) {
			t.Helper()
			var n int
			if err := f.db.QueryRow(t.Context(), query).Scan(&n); err != nil || n != want {
				t.Errorf("%s: %d, %v; want %d", query, n, err, want)
			}
		}
		count("SELECT COUNT(*) FROM conversions WHERE type = 'sale'", orders)
		count("SELECT COUNT(*) FROM payment_outcomes WHERE kind = 'paid'", orders)
		count("SELECT COUNT(*) FROM payment_outcomes WHERE kind = 'refunded'", orders/2)
		count("SELECT COUNT(*) FROM payment_event_work WHERE state NOT IN ('done', 'ignored')", 0)
		f.verify(t)

		// A refund that the shop asks for, whose answer is lost: once, under one key.
		before := p.Refunds()
		p.Fail("POST", "/v1/payments/"+f.reread(t, made[3]).PaymentID+"/refund", gateways.WorkThenCut, gateways.Down, gateways.Down)
		if _, err := f.Refund(t.Context(), made[3].ID, shop.RefundWish{Amount: 149900, Reason: "not wanted"}); err != nil {
			t.Fatal(err)
		}
		settle()
		if got := f.reread(t, made[3]); got.State != shop.Refunded || p.Refunds() != before+1 {
			t.Errorf("the order is %s, with %d refunds at the gateway", got.State, p.Refunds()-before)
		}
		f.verify(t)
	})
}

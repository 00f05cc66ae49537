package razorpay_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/core/payment"
	"github.com/edgeref/edgeref/core/payment/paymenttest"
	"github.com/edgeref/edgeref/core/payment/razorpay"
	"github.com/edgeref/edgeref/test/gateways"
	"github.com/edgeref/edgeref/wire/money"
)

var update = flag.Bool("update", false, "write the golden files anew")

func provider(t *testing.T) (*gateways.Razorpay, *razorpay.Gateway) {
	t.Helper()
	p := gateways.NewRazorpay(paymenttest.Start().Unix())
	g := razorpay.New(options(p))
	t.Cleanup(func() { g.CloseIdleConnections(); p.Close() })
	return p, g
}

func options(p *gateways.Razorpay) razorpay.Options {
	return razorpay.Options{
		KeyID: p.KeyID, KeySecret: p.KeySecret, WebhookSecrets: []string{"the new one", p.WebhookSecret}, AccountID: "acc_Qk2mXv7Qd1A4f9", MerchantName: "Edge School",
		URL: p.Server.URL, Pause: time.Millisecond,
	}
}

func inr(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: "INR"} }

func beginCall(key string) payment.BeginCall {
	return payment.BeginCall{
		Key: key, Order: payment.Order{ID: 1, Ref: "ord_1", Amount: inr(149900), Email: "buyer@example.com", Description: "Selling, part 1"}, Return: "https://core.example/payments/return/pmt_1",
	}
}

// The documented events, as they are understood.
func TestDocumentedEvents(t *testing.T) {
	p, g := provider(t)
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	var got strings.Builder
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		e, err := g.ParseWebhook(http.Header{"X-Razorpay-Signature": {gateways.HexHMAC(p.WebhookSecret, string(body))}, "X-Razorpay-Event-Id": {"evt_1"}}, body)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		fmt.Fprintf(&got, "%s: %s", filepath.Base(file), paymenttest.JSON(t, e.Changes))
	}
	const golden = "testdata/events.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("the events are understood as\n%s\nwant\n%s", got.String(), want)
	}
}

func TestAttacksOnWebhooks(t *testing.T) {
	p, g := provider(t)
	body, header := p.Webhook("evt_1", "payment.captured", map[string]map[string]any{"payment": {"id": "pay_1", "order_id": "order_1", "amount": 100, "currency": "INR", "status": "captured"}})
	with := func(signature string) http.Header {
		h := header.Clone()
		h.Set("X-Razorpay-Signature", signature)
		return h
	}
	foreign := []byte(strings.Replace(string(body), "acc_Qk2mXv7Qd1A4f9", "acc_of_somebody_else", 1))
	for name, c := range map[string]struct {
		header http.Header
		body   []byte
		want   error
	}{
		"wrong signature":        {with(gateways.HexHMAC("guess", string(body))), body, payment.ErrSignature},
		"signed by the key":      {with(gateways.HexHMAC(p.KeySecret, string(body))), body, payment.ErrSignature},
		"other body":             {header, []byte(strings.Replace(string(body), ":100,", ":1,", 1)), payment.ErrSignature},
		"a line feed more":       {header, append(body[:len(body):len(body)], '\n'), payment.ErrSignature},
		"no headers":             {http.Header{}, body, payment.ErrSignature},
		"empty signature":        {with(""), body, payment.ErrSignature},
		"half a signature":       {with(header.Get("X-Razorpay-Signature")[:32]), body, payment.ErrSignature},
		"signature of nothing":   {with(gateways.HexHMAC(p.WebhookSecret, "")), body, payment.ErrSignature},
		"empty body":             {with(gateways.HexHMAC(p.WebhookSecret, "")), nil, payment.ErrMalformed},
		"event of another's":     {with(gateways.HexHMAC(p.WebhookSecret, string(foreign))), foreign, payment.ErrSignature},
		"amount that is no int":  {with(gateways.HexHMAC(p.WebhookSecret, `{"account_id":"acc_Qk2mXv7Qd1A4f9","payload":{"payment":{"entity":{"amount":1.5}}}}`)), []byte(`{"account_id":"acc_Qk2mXv7Qd1A4f9","payload":{"payment":{"entity":{"amount":1.5}}}}`), payment.ErrMalformed},
		"amount beyond an int64": {with(gateways.HexHMAC(p.WebhookSecret, `{"account_id":"acc_Qk2mXv7Qd1A4f9","payload":{"payment":{"entity":{"amount":99999999999999999999}}}}`)), []byte(`{"account_id":"acc_Qk2mXv7Qd1A4f9","payload":{"payment":{"entity":{"amount":99999999999999999999}}}}`), payment.ErrMalformed},
	} {
		if e, err := g.ParseWebhook(c.header, c.body); !errors.Is(err, c.want) || len(e.Changes) > 0 {
			t.Errorf("%s: %v with %d changes, want %v", name, err, len(e.Changes), c.want)
		}
	}
	// The name of an event is not signed: it must not be of use to hide another.
	h := header.Clone()
	h.Del("X-Razorpay-Event-Id")
	nameless, err := g.ParseWebhook(h, body)
	if err != nil || nameless.ID == "" {
		t.Errorf("without a name: %q, %v", nameless.ID, err)
	}
	other, header2 := p.Webhook("evt_1", "payment.captured", map[string]map[string]any{"payment": {"id": "pay_2", "order_id": "order_1", "amount": 100, "currency": "INR", "status": "captured"}})
	one, err1 := g.ParseWebhook(header, body)
	two, err2 := g.ParseWebhook(header2, other)
	if err := errors.Join(err1, err2); err != nil || one.ID == two.ID {
		t.Errorf("two events pass for one: %q, %v", one.ID, err)
	}
}

func TestReturns(t *testing.T) {
	p, g := provider(t)
	good := url.Values{"razorpay_payment_id": {"pay_1"}, "razorpay_order_id": {"order_1"}, "razorpay_signature": {gateways.HexHMAC(p.KeySecret, "order_1|pay_1")}}
	e, ok, err := g.ParseReturn("order_1", good)
	if err != nil || !ok || e.Changes[0].Kind != payment.Refresh || e.Changes[0].PaymentID != "pay_1" {
		t.Errorf("good: %+v, %v, %v", e, ok, err)
	}
	if _, ok, err := g.ParseReturn("order_1", url.Values{"error[code]": {"BAD_REQUEST_ERROR"}}); ok || err != nil {
		t.Errorf("given up: %v, %v", ok, err)
	}
	// Signed for an order of theirs, shown for an order of ours: the stored one counts.
	if _, ok, err := g.ParseReturn("order_2", good); ok || !errors.Is(err, payment.ErrSignature) {
		t.Errorf("another order: %v, %v", ok, err)
	}
	for name, change := range map[string]url.Values{
		"other payment": {"razorpay_payment_id": {"pay_2"}},
		"no signature":  {"razorpay_signature": {""}},
		"by webhook":    {"razorpay_signature": {gateways.HexHMAC(p.WebhookSecret, "order_1|pay_1")}},
		"no payment":    {"razorpay_payment_id": {""}},
	} {
		form := url.Values{}
		for k, v := range good {
			form[k] = v
		}
		for k, v := range change {
			form[k] = v
		}
		if _, ok, err := g.ParseReturn("order_1", form); ok || !errors.Is(err, payment.ErrSignature) {
			t.Errorf("%s: %v, %v", name, ok, err)
		}
	}
}

func TestBegin(t *testing.T) {
	p, g := provider(t)
	ctx := t.Context()
	b, err := g.Begin(ctx, beginCall("pmt_0000000000001"))
	if err != nil {
		t.Fatal(err)
	}
	for field, want := range map[string]string{
		"key_id": p.KeyID, "order_id": b.Ref, "amount": "149900", "currency": "INR", "name": "Edge School", "prefill[email]": "buyer@example.com",
		"callback_url": "https://core.example/payments/return/pmt_1",
	} {
		if b.Params[field] != want {
			t.Errorf("%s is %q, want %q", field, b.Params[field], want)
		}
	}
	if strings.Contains(fmt.Sprint(b.Params), p.KeySecret) || b.URL != p.Server.URL+"/v1/checkout/embedded" {
		t.Errorf("session: %+v", b)
	}
	// The order is made, and the answer is lost: asked again, the same one is found.
	for i, fault := range []gateways.Fault{gateways.WorkThenCut, gateways.WorkThen500, gateways.Down} {
		call := beginCall(fmt.Sprintf("pmt_%013d", 10+i))
		p.Fail("POST", "/v1/orders", fault)
		before := p.Orders()
		if _, err := g.Begin(ctx, call); err == nil || errors.Is(err, payment.ErrRefused) {
			t.Fatalf("fault %d: %v, want an unknown outcome", fault, err)
		}
		call.Again = true
		for range 2 {
			if _, err := g.Begin(ctx, call); err != nil {
				t.Fatal(err)
			}
		}
		if n := p.Orders() - before; n != 1 {
			t.Errorf("fault %d: %d orders of one key", fault, n)
		}
	}
	// A clear no.
	call := beginCall("pmt_0000000000099")
	call.Order.Amount = inr(50)
	if _, err := g.Begin(ctx, call); !errors.Is(err, payment.ErrRefused) {
		t.Errorf("below the least amount: %v", err)
	}
	call.Order.Amount = money.Amount{Minor: 1234, Currency: "KWD"}
	if _, err := g.Begin(ctx, call); !errors.Is(err, payment.ErrRefused) {
		t.Errorf("a third decimal: %v", err)
	}
	call.Order.Amount.Minor = 1230
	if b, err := g.Begin(ctx, call); err != nil || b.Params["amount"] != "1230" {
		t.Errorf("KWD 1.230: %v, %v", b.Params, err)
	}
	call.Key, call.Order.Amount = "pmt_0000000000098", money.Amount{Minor: 500, Currency: "JPY"}
	if b, err := g.Begin(ctx, call); err != nil || b.Params["amount"] != "500" {
		t.Errorf("JPY 500: %v, %v", b.Params, err)
	}
	// A wrong key is ours to put right: nothing is final.
	opts := options(p)
	opts.KeySecret = "wrong"
	if _, err := razorpay.New(opts).Begin(ctx, beginCall("pmt_0000000000097")); err == nil || errors.Is(err, payment.ErrRefused) || strings.Contains(err.Error(), "wrong") {
		t.Errorf("a wrong key: %v", err)
	}
}

func TestRefundOnceWhateverHappens(t *testing.T) {
	p, g := provider(t)
	b, err := g.Begin(t.Context(), beginCall("pmt_0000000000001"))
	if err != nil {
		t.Fatal(err)
	}
	pay := p.Pay(b.Ref)["id"].(string)
	path := "/v1/payments/" + pay + "/refund"
	for i, fault := range []gateways.Fault{gateways.None, gateways.Down, gateways.TooMany, gateways.WorkThen500, gateways.WorkThenCut, gateways.WorkThenHang} {
		p.Fail("POST", path, fault)
		ctx := t.Context()
		if fault == gateways.WorkThenHang {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, 150*time.Millisecond)
			defer cancel()
		}
		call := payment.RefundCall{Key: fmt.Sprintf("prf_%013d", i), PaymentID: pay, Amount: inr(1000), Reason: "x"}
		c, err := g.Refund(ctx, call)
		if fault == gateways.WorkThenHang {
			if err == nil || errors.Is(err, payment.ErrRefused) {
				t.Fatalf("a hanging provider: %v, want an unknown outcome", err)
			}
			call.Again = true
			c, err = g.Refund(t.Context(), call)
		}
		if err != nil || c.Kind != payment.ChangeKind(payment.Refunded) || c.Amount != inr(1000) || c.Key != call.Key {
			t.Errorf("fault %d: %+v, %v", fault, c, err)
		}
		if n := p.Refunds(); n != i+1 {
			t.Errorf("fault %d: %d refunds, want %d", fault, n, i+1)
		}
	}
	if _, err := g.Refund(t.Context(), payment.RefundCall{Key: "prf_9999999999999", PaymentID: pay, Amount: inr(10_000_000)}); !errors.Is(err, payment.ErrRefused) {
		t.Errorf("more than was paid: %v", err)
	}
	if n := p.Requests("POST", path); n < 8 {
		t.Errorf("%d requests only: faults were not repeated", n)
	}
}

func TestListPages(t *testing.T) {
	p, g := provider(t)
	b, err := g.Begin(t.Context(), beginCall("pmt_0000000000001"))
	if err != nil {
		t.Fatal(err)
	}
	var last string
	for range 230 {
		last = p.Pay(b.Ref)["id"].(string)
	}
	p.RefundByHand(last, 500)
	p.Fail("GET", "/v1/payments", gateways.TooMany, gateways.WorkThenCut)
	counts := map[payment.ChangeKind]int{}
	at := paymenttest.Start().UnixMilli()
	list := func(from, to int64) {
		t.Helper()
		clear(counts)
		if err := g.List(t.Context(), from, to, func(c payment.Change) error { counts[c.Kind]++; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	list(at, at+1000)
	if counts[payment.ChangeKind(payment.Paid)] != 230 || counts[payment.ChangeKind(payment.Refunded)] != 1 {
		t.Errorf("listed: %v", counts)
	}
	if list(at-5000, at); len(counts) != 0 {
		t.Errorf("the end of a period is not part of it: %v", counts)
	}
}

// The whole way: paid, refunded by us and by hand, disputed. Every webhook comes three times in random order, 20 at
// once, and the buyer's browser tells of it too.
func TestBookedOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p, g := provider(t)
		f := paymenttest.New(t, d, razorpay.Name, g)
		var hooks []paymenttest.Webhook
		hook := func(id, event string, entities map[string]map[string]any) {
			body, header := p.Webhook(id, event, entities)
			hooks = append(hooks, paymenttest.Webhook{Body: body, Header: header})
		}
		orders := make([]int64, 6)
		for i := range orders {
			orders[i] = f.Order(149900, "INR")
			ref := f.MustBegin(orders[i]).Params["order_id"]
			pay := p.Pay(ref)
			hook(fmt.Sprint("evt_c", i), "payment.captured", map[string]map[string]any{"payment": pay})
			hook(fmt.Sprint("evt_o", i), "order.paid", map[string]map[string]any{"payment": pay, "order": p.OrderEntity(ref)})
			refund := p.RefundByHand(pay["id"].(string), 900)
			hook(fmt.Sprint("evt_r", i), "refund.processed", map[string]map[string]any{"payment": pay, "refund": refund})
			dispute := map[string]any{"id": fmt.Sprint("disp_", i), "payment_id": pay["id"], "amount": 149900, "currency": "INR", "status": "open"}
			hook(fmt.Sprint("evt_d", i), "payment.dispute.created", map[string]map[string]any{"payment": pay, "dispute": dispute})
			lost := map[string]any{"id": fmt.Sprint("disp_", i), "payment_id": pay["id"], "amount": 149900, "currency": "INR", "status": "lost", "amount_deducted": 149900}
			hook(fmt.Sprint("evt_l", i), "payment.dispute.lost", map[string]map[string]any{"payment": pay, "dispute": lost})
			hook(fmt.Sprint("evt_x", i), "payment.dispute.closed", map[string]map[string]any{"payment": pay, "dispute": lost})
		}
		f.Storm(hooks)
		for i, order := range orders {
			told := f.Told(order)
			for _, want := range []string{"paid 149900 INR", "refunded 900 INR", "dispute_opened 149900 INR, ", "dispute_lost 149900 INR"} {
				if strings.Count(told, want) != 1 {
					t.Errorf("order %d was told %q: want %q once", i, told, want)
				}
			}
			if strings.Count(told, ",") != 3 {
				t.Errorf("order %d was told %q", i, told)
			}
		}
		// Refunds through us: the answer is lost, the webhook names our key.
		pay := ""
		order := f.Order(50000, "INR")
		ref := f.MustBegin(order).Params["order_id"]
		pay = p.Pay(ref)["id"].(string)
		form := url.Values{"razorpay_payment_id": {pay}, "razorpay_signature": {gateways.HexHMAC(p.KeySecret, ref+"|"+pay)}}
		list, err := f.Payments(t.Context(), payment.Filter{OrderID: order, Limit: 10})
		if err != nil || len(list) != 1 {
			t.Fatalf("%+v, %v", list, err)
		}
		if target, err := f.Return(t.Context(), list[0].ID, form); err != nil || target != "https://shop.example/thanks" {
			t.Fatalf("led on to %q, %v", target, err)
		}
		f.Settled()
		f.Want(order, "paid 50000 INR")
		p.SetPending(true)
		p.Fail("POST", "/v1/payments/"+pay+"/refund", gateways.WorkThenCut, gateways.Down, gateways.Down)
		if err := f.Refund(order, 1, 20000, "INR"); err != nil {
			t.Fatal(err)
		}
		f.Settled()
		f.Want(order, "paid 50000 INR")
		p.Finish("processed")
		f.Advance(24 * time.Hour)
		f.Settled()
		f.Want(order, "paid 50000 INR, refunded 20000 INR")
	})
}

func FuzzParseWebhook(f *testing.F) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body, "evt_1", true)
	}
	f.Add([]byte(`{"event":"order.paid","payload":{"payment":null,"order":{"entity":null}}}`), "", true)
	f.Add([]byte(`{"event":"refund.processed","payload":{"refund":{"entity":{}}}}`), strings.Repeat("x", 500), true)
	f.Add([]byte(`[]`), "\x00", false)
	g := razorpay.New(razorpay.Options{KeyID: "k", KeySecret: "s", WebhookSecrets: []string{"w"}, URL: "http://127.0.0.1"})
	f.Fuzz(func(t *testing.T, body []byte, id string, signed bool) {
		h := http.Header{"X-Razorpay-Event-Id": {id}}
		if signed {
			h.Set("X-Razorpay-Signature", gateways.HexHMAC("w", string(body)))
		}
		e, err := g.ParseWebhook(h, body)
		switch {
		case !signed && !errors.Is(err, payment.ErrSignature):
			t.Fatalf("not signed: %v", err)
		case err != nil && !errors.Is(err, payment.ErrMalformed) && signed:
			t.Fatalf("error of another kind: %v", err)
		case err == nil && (e.ID == "" || len(e.ID) > 255):
			t.Fatalf("name %q", e.ID)
		}
	})
}

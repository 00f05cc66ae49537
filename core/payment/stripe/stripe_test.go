package stripe_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/core/payment"
	"github.com/edgeref/edgeref/core/payment/paymenttest"
	"github.com/edgeref/edgeref/core/payment/stripe"
	"github.com/edgeref/edgeref/test/gateways"
	"github.com/edgeref/edgeref/wire/money"
)

var update = flag.Bool("update", false, "write the golden files anew")

func provider(t *testing.T) (*gateways.Stripe, *stripe.Gateway) {
	t.Helper()
	p := gateways.NewStripe(paymenttest.Start().Unix())
	g := stripe.New(options(p))
	t.Cleanup(func() { g.CloseIdleConnections(); p.Close() })
	return p, g
}

func options(p *gateways.Stripe) stripe.Options {
	return stripe.Options{SecretKey: p.SecretKey, WebhookSecrets: []string{"whsec_the_new_one", p.WebhookSecret}, URL: p.Server.URL, Now: paymenttest.Start, Retries: -1}
}

func amount(minor int64, currency string) money.Amount {
	return money.Amount{Minor: minor, Currency: currency}
}

func beginCall(key string) payment.BeginCall {
	return payment.BeginCall{
		Key: key, Order: payment.Order{ID: 1, Ref: "ord_1", Amount: amount(149900, "INR"), Email: "buyer@example.com", Description: "Selling, part 1"}, Return: "https://core.example/payments/return/pmt_1",
	}
}

// The documented events, as they are understood.
func TestDocumentedEvents(t *testing.T) {
	p, g := provider(t)
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) < 15 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	var got strings.Builder
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		e, err := g.ParseWebhook(http.Header{"Stripe-Signature": {p.Sign(body, paymenttest.Start().Unix())}}, body)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, c := range e.Changes {
			fmt.Fprintf(&got, "%s: %s %s key=%s ref=%s payment=%s refund=%s dispute=%s reason=%q at=%d\n", filepath.Base(file), c.Kind, c.Amount, c.Key, c.Ref, c.PaymentID, c.RefundID,
				c.DisputeID, c.Reason, c.At)
		}
		if len(e.Changes) == 0 {
			fmt.Fprintf(&got, "%s: nothing\n", filepath.Base(file))
		}
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
	now := paymenttest.Start().Unix()
	body, header := p.Webhook("evt_1", "checkout.session.completed", map[string]any{"id": "cs_1", "payment_intent": "pi_1", "payment_status": "paid", "amount_total": 100, "currency": "inr"})
	sign := func(text string) string { return p.Sign([]byte(text), now) }
	swap := func(old, with string) string { return strings.Replace(string(body), old, with, 1) }
	old := p.Sign(body, now-301)
	for name, c := range map[string]struct {
		header, body string
		want         error
	}{
		"good":                    {header.Get("Stripe-Signature"), string(body), nil},
		"almost old":              {p.Sign(body, now-299), string(body), nil},
		"no signature":            {"", string(body), payment.ErrSignature},
		"wrong secret":            {fmt.Sprintf("t=%d,v1=%s", now, gateways.HexHMAC("whsec_guess", fmt.Sprintf("%d.%s", now, body))), string(body), payment.ErrSignature},
		"other body":              {header.Get("Stripe-Signature"), swap(":100,", ":1,"), payment.ErrSignature},
		"old":                     {old, string(body), payment.ErrSignature},
		"of the future":           {p.Sign(body, now+301), string(body), payment.ErrSignature},
		"old, time replaced":      {strings.Replace(old, fmt.Sprint(now-301), fmt.Sprint(now), 1), string(body), payment.ErrSignature},
		"old, another time first": {fmt.Sprintf("t=%d,%s", now, old), string(body), payment.ErrSignature},
		"old, another time last":  {fmt.Sprintf("%s,t=%d", old, now), string(body), payment.ErrSignature},
		"v0 only":                 {strings.Replace(header.Get("Stripe-Signature"), "v1=", "v0=", 1), string(body), payment.ErrSignature},
		"no time":                 {"v1=" + gateways.HexHMAC(p.WebhookSecret, "."+string(body)), string(body), payment.ErrSignature},
		"of live mode":            {sign(swap(`"livemode":false`, `"livemode":true`)), swap(`"livemode":false`, `"livemode":true`), payment.ErrSignature},
		"of a connected account":  {sign(swap(`"id":"evt_1"`, `"account":"acct_9","id":"evt_1"`)), swap(`"id":"evt_1"`, `"account":"acct_9","id":"evt_1"`), payment.ErrSignature},
		"thin event":              {sign(swap(`"object":"event"`, `"object":"v2.core.event"`)), swap(`"object":"event"`, `"object":"v2.core.event"`), payment.ErrMalformed},
		"no name":                 {sign(swap("evt_1", "")), swap("evt_1", ""), payment.ErrMalformed},
		"not JSON":                {sign("{"), "{", payment.ErrMalformed},
		"amount of a float":       {sign(swap(":100,", ":1.5,")), swap(":100,", ":1.5,"), payment.ErrMalformed},
	} {
		e, err := g.ParseWebhook(http.Header{"Stripe-Signature": {c.header}}, []byte(c.body))
		if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) || err != nil && len(e.Changes) > 0 {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if _, err := g.ParseWebhook(http.Header{"Stripe-Signature": {strings.Repeat("v1=00,", 5000)}}, body); !errors.Is(err, payment.ErrSignature) {
		t.Errorf("thousands of signatures: %v", err)
	}
}

func TestBegin(t *testing.T) {
	p, g := provider(t)
	ctx := t.Context()
	for i, c := range []struct {
		minor    int64
		currency string
		sent     int64 // 0: refused
	}{
		{149900, "INR", 149900}, {1499, "JPY", 1499}, {12340, "KWD", 12340}, {12345, "KWD", 0}, {1499, "ISK", 149900}, {5000, "UGX", 500000},
		{149900, "MGA", 1499}, {149950, "MGA", 0}, {12340, "IQD", 0}, {100, "XXX", 0}, {100, "CLF", 0},
	} {
		call := beginCall(fmt.Sprintf("pmt_%013d", i))
		call.Order.Amount = amount(c.minor, c.currency)
		b, err := g.Begin(ctx, call)
		if c.sent == 0 {
			if !errors.Is(err, payment.ErrRefused) {
				t.Errorf("%s: %v, want a refusal", call.Order.Amount, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", call.Order.Amount, err)
			continue
		}
		session, _ := p.Pay(b.Ref)
		if session["amount_total"] != c.sent || session["currency"] != strings.ToLower(c.currency) || session["client_reference_id"] != call.Key {
			t.Errorf("%s is sent as %v %v", call.Order.Amount, session["amount_total"], session["currency"])
		}
		changes, err := g.Lookup(ctx, payment.Query{Key: call.Key, Ref: b.Ref})
		if err != nil || len(changes) != 1 || changes[0].Amount != call.Order.Amount {
			t.Errorf("%s is read as %+v, %v", call.Order.Amount, changes, err)
		}
	}
	for i, fault := range []gateways.Fault{gateways.WorkThenCut, gateways.WorkThen500, gateways.Down, gateways.TooMany} {
		call := beginCall(fmt.Sprintf("pmt_%013d", 100+i))
		p.Fail("POST", "/v1/checkout/sessions", fault)
		before := p.Sessions()
		if _, err := g.Begin(ctx, call); err == nil || errors.Is(err, payment.ErrRefused) {
			t.Fatalf("fault %d: %v, want an unknown outcome", fault, err)
		}
		call.Again = true
		for range 2 {
			if _, err := g.Begin(ctx, call); err != nil {
				t.Fatal(err)
			}
		}
		if n := p.Sessions() - before; n != 1 {
			t.Errorf("fault %d: %d sessions of one key", fault, n)
		}
	}
	// The key was used with other parameters: nothing is known of the first call, so nothing is final.
	call := beginCall("pmt_0000000000100")
	call.Order.Description = "another"
	if _, err := g.Begin(ctx, call); err == nil || errors.Is(err, payment.ErrRefused) {
		t.Errorf("a key used otherwise: %v", err)
	}
	opts := options(p)
	opts.SecretKey = "sk_test_wrong"
	if _, err := stripe.New(opts).Begin(ctx, beginCall("pmt_0000000000200")); err == nil || errors.Is(err, payment.ErrRefused) || strings.Contains(err.Error(), "sk_test") {
		t.Errorf("a wrong key: %v", err)
	}
}

func TestRefundOnceWhateverHappens(t *testing.T) {
	p, g := provider(t)
	b, err := g.Begin(t.Context(), beginCall("pmt_0000000000001"))
	if err != nil {
		t.Fatal(err)
	}
	session, _ := p.Pay(b.Ref)
	intent := session["payment_intent"].(string)
	for i, fault := range []gateways.Fault{gateways.None, gateways.Down, gateways.TooMany, gateways.WorkThen500, gateways.WorkThenCut, gateways.WorkThenHang} {
		p.Fail("POST", "/v1/refunds", fault)
		call := payment.RefundCall{Key: fmt.Sprintf("prf_%013d", i), PaymentID: intent, Amount: amount(1000, "INR"), Reason: "x"}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		if fault == gateways.WorkThenHang {
			cancel()
			ctx, cancel = context.WithTimeout(t.Context(), 150*time.Millisecond)
		}
		c, err := g.Refund(ctx, call)
		cancel()
		if fault != gateways.None {
			if err == nil || errors.Is(err, payment.ErrRefused) {
				t.Fatalf("fault %d: %v, want an unknown outcome", fault, err)
			}
			call.Again = true
			c, err = g.Refund(t.Context(), call)
		}
		if err != nil || c.Kind != payment.ChangeKind(payment.Refunded) || c.Amount != amount(1000, "INR") || c.Key != call.Key || c.PaymentID != intent {
			t.Errorf("fault %d: %+v, %v", fault, c, err)
		}
		if n := p.Refunds(); n != i+1 {
			t.Errorf("fault %d: %d refunds, want %d", fault, n, i+1)
		}
	}
	if _, err := g.Refund(t.Context(), payment.RefundCall{Key: "prf_9999999999999", PaymentID: intent, Amount: amount(10_000_000, "INR")}); !errors.Is(err, payment.ErrRefused) {
		t.Errorf("more than was paid: %v", err)
	}
}

// The library repeats a request by itself, with the key.
func TestLibraryRepeats(t *testing.T) {
	p, _ := provider(t)
	opts := options(p)
	opts.Retries = 2
	g := stripe.New(opts)
	defer g.CloseIdleConnections()
	p.Fail("POST", "/v1/checkout/sessions", gateways.WorkThenCut)
	if _, err := g.Begin(t.Context(), beginCall("pmt_0000000000001")); err != nil || p.Sessions() != 1 {
		t.Errorf("%d sessions, %v", p.Sessions(), err)
	}
}

func TestListPages(t *testing.T) {
	p, g := provider(t)
	at := paymenttest.Start().UnixMilli()
	for i := range 120 {
		b, err := g.Begin(t.Context(), beginCall(fmt.Sprintf("pmt_%013d", i)))
		if err != nil {
			t.Fatal(err)
		}
		_, charge := p.Pay(b.Ref)
		if i == 0 {
			p.RefundByHand(charge, 500)
		}
	}
	counts := map[payment.ChangeKind]int{}
	list := func(from, to int64) {
		t.Helper()
		clear(counts)
		if err := g.List(t.Context(), from, to, func(c payment.Change) error { counts[c.Kind]++; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	list(at, at+1000)
	if counts[payment.ChangeKind(payment.Paid)] != 120 || counts[payment.ChangeKind(payment.Refunded)] != 1 {
		t.Errorf("listed: %v", counts)
	}
	if list(at-5000, at); len(counts) != 0 {
		t.Errorf("the end of a period is not part of it: %v", counts)
	}
}

// The whole way: paid, refunded by us and by hand, disputed. Every webhook comes three times in random order, 20 at once.
func TestBookedOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p, g := provider(t)
		f := paymenttest.New(t, d, stripe.Name, g)
		var hooks []paymenttest.Webhook
		hook := func(id, kind string, object map[string]any) {
			body, header := p.Webhook(id, kind, object)
			hooks = append(hooks, paymenttest.Webhook{Body: body, Header: header})
		}
		orders := make([]int64, 6)
		refs := make([]string, len(orders))
		for i := range orders {
			orders[i] = f.Order(149900, "INR")
			url := f.MustBegin(orders[i]).URL
			refs[i] = url[strings.LastIndex(url, "/")+1:]
			session, charge := p.Pay(refs[i])
			hook(fmt.Sprint("evt_c", i), "checkout.session.completed", session)
			refund := p.RefundByHand(charge, 900)
			hook(fmt.Sprint("evt_r", i), "charge.refunded", charge)
			hook(fmt.Sprint("evt_u", i), "refund.updated", refund)
			dispute := map[string]any{"id": fmt.Sprint("du_", i), "object": "dispute", "payment_intent": session["payment_intent"], "amount": 149900, "currency": "inr", "status": "needs_response"}
			hook(fmt.Sprint("evt_d", i), "charge.dispute.created", dispute)
			won := map[string]any{"id": fmt.Sprint("du_", i), "object": "dispute", "payment_intent": session["payment_intent"], "amount": 149900, "currency": "inr", "status": "won"}
			hook(fmt.Sprint("evt_w", i), "charge.dispute.closed", won)
		}
		f.Storm(hooks)
		for i, order := range orders {
			told := f.Told(order)
			for _, want := range []string{"paid 149900 INR", "refunded 900 INR", "dispute_opened 149900 INR, ", "dispute_won 149900 INR"} {
				if strings.Count(told, want) != 1 {
					t.Errorf("order %d was told %q: want %q once", i, told, want)
				}
			}
			if strings.Count(told, ",") != 3 {
				t.Errorf("order %d was told %q", i, told)
			}
		}
		// A refund whose answer is lost, then accepted, then done; nobody sends a webhook.
		p.SetPending(true)
		p.Fail("POST", "/v1/refunds", gateways.WorkThenCut)
		if err := f.Refund(orders[0], 1, 20000, "INR"); err != nil {
			t.Fatal(err)
		}
		f.Settled()
		told := f.Told(orders[0])
		p.Finish("succeeded")
		f.Advance(24 * time.Hour)
		f.Settled()
		f.Want(orders[0], told+", refunded 20000 INR")
		if n := p.Refunds(); n != len(orders)+1 {
			t.Errorf("%d refunds at the provider", n)
		}
		// One that nobody pays.
		order := f.Order(5000, "JPY")
		url := f.MustBegin(order).URL
		body, header := p.Webhook("evt_x", "checkout.session.expired", p.Expire(url[strings.LastIndex(url, "/")+1:]))
		header.Set("Stripe-Signature", p.Sign(body, paymenttest.Start().Unix()))
		if status := f.Post(paymenttest.Webhook{Body: body, Header: header}); status != http.StatusNoContent {
			t.Fatalf("answered %d", status)
		}
		f.Settled()
		f.Want(order, "failed 5000 JPY")
	})
}

func FuzzParseWebhook(f *testing.F) {
	p := &gateways.Stripe{WebhookSecret: "w"}
	files, err := filepath.Glob("testdata/*.json")
	if err != nil {
		f.Fatal(err)
	}
	at := paymenttest.Start().Unix()
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body, "", true)
	}
	f.Add([]byte(`{"id":"e","object":"event","type":"charge.refunded","data":{"object":null}}`), "", true)
	f.Add([]byte(`{"id":"e","object":"event","type":"refund.updated","data":{"object":{"payment_intent":{}}}}`), "", true)
	f.Add([]byte(`{}`), "t=1,t=2,v1=00", false)
	g := stripe.New(stripe.Options{SecretKey: "sk_test_x", WebhookSecrets: []string{"w"}, URL: "http://127.0.0.1", Now: paymenttest.Start})
	f.Fuzz(func(t *testing.T, body []byte, header string, signed bool) {
		if signed {
			header = p.Sign(body, at)
		}
		e, err := g.ParseWebhook(http.Header{"Stripe-Signature": {header}}, body)
		switch {
		case !signed && !errors.Is(err, payment.ErrSignature) && !strings.Contains(header, gateways.HexHMAC("w", fmt.Sprintf("%d.%s", at, body))):
			t.Fatalf("not signed: %v", err)
		case err != nil && !errors.Is(err, payment.ErrMalformed) && !errors.Is(err, payment.ErrSignature):
			t.Fatalf("error of another kind: %v", err)
		case err == nil && e.ID == "":
			t.Fatal("an event of no name")
		}
	})
}

// Package stripe is the payment gateway Stripe: checkout sessions, webhooks, refunds, disputes.
//
// Calls go through the provider's library. Webhooks are read by our own code: the library checks their time against
// the clock of the process only, and binds them to one version of the API.
package stripe

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v85"

	"github.com/edgeref/edgeref/core/payment"
)

// Name is what the gateway is called in URLs and in the API.
const Name = "stripe"

// Metadata that carries our keys.
const (
	paymentKey = "edgeref_payment"
	refundKey  = "edgeref_refund"
)

const (
	callTimeout = 8 * time.Second // of one request
	maxListed   = 200_000
	maxReason   = 200 // bytes
)

// Options are what New needs.
type Options struct {
	SecretKey      string
	WebhookSecrets []string         // each may have signed
	URL            string           // of the API
	Now            func() time.Time // for the age of signatures
	Retries        int64            // of a request, by the library; default 2, negative for none
}

// Gateway implements payment.Gateway. It is safe for concurrent use.
type Gateway struct {
	opts   Options
	http   *http.Client
	client *stripe.Client
	live   bool
}

// New returns the gateway. It calls nobody.
func New(opts Options) *Gateway {
	if opts.SecretKey == "" || len(opts.WebhookSecrets) == 0 || opts.URL == "" || opts.Now == nil {
		panic("BUG: Stripe needs a key, a webhook secret, a URL and a clock")
	}
	if opts.Retries == 0 {
		opts.Retries = 2
	}
	g := &Gateway{opts: opts, live: strings.Contains(opts.SecretKey, "_live_"), http: &http.Client{
		Timeout:       callTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 8, IdleConnTimeout: 90 * time.Second,
			TLSHandshakeTimeout: 5 * time.Second, ResponseHeaderTimeout: callTimeout,
		},
	}}
	g.client = stripe.NewClient(opts.SecretKey, stripe.WithBackends(stripe.NewBackendsWithConfig(&stripe.BackendConfig{
		URL: stripe.String(strings.TrimSuffix(opts.URL, "/")), HTTPClient: g.http, MaxNetworkRetries: stripe.Int64(max(opts.Retries, 0)),
		EnableTelemetry: stripe.Bool(false), LeveledLogger: &stripe.LeveledLogger{Level: stripe.LevelNull},
	})))
	return g
}

// CloseIdleConnections ends connections that nobody uses.
func (g *Gateway) CloseIdleConnections() { g.http.CloseIdleConnections() }

// explain makes a clear no errors.Is(ErrRefused). What the provider says of our key, our speed or our idempotency key
// is no answer to the request: nothing is final then.
func explain(doing string, err error) error {
	var e *stripe.Error
	if !errors.As(err, &e) {
		return fmt.Errorf("%s: call stripe: %w", doing, err)
	}
	text := e.Msg[:min(len(e.Msg), maxReason)]
	switch e.HTTPStatusCode {
	case http.StatusBadRequest, http.StatusPaymentRequired, http.StatusNotFound:
		if e.Type != stripe.ErrorTypeIdempotency {
			return fmt.Errorf("%s: %w: %s", doing, payment.ErrRefused, text)
		}
	}
	return fmt.Errorf("%s: stripe answered %d: %s", doing, e.HTTPStatusCode, text)
}

// Begin implements payment.Gateway. A repeated call has the same parameters and the same idempotency key, so it gets
// the session that the first one made.
func (g *Gateway) Begin(ctx context.Context, b payment.BeginCall) (payment.Begun, error) {
	n, err := minor(b.Order.Amount)
	if err != nil {
		return payment.Begun{}, err
	}
	names := map[string]string{paymentKey: b.Key, "order": b.Order.Ref}
	p := &stripe.CheckoutSessionCreateParams{
		Mode: stripe.String(string(stripe.CheckoutSessionModePayment)), ClientReferenceID: stripe.String(b.Key), Metadata: names,
		SuccessURL: stripe.String(b.Return), CancelURL: stripe.String(b.Return),
		AdaptivePricing:   &stripe.CheckoutSessionCreateAdaptivePricingParams{Enabled: stripe.Bool(false)}, // what was asked for is what is paid
		PaymentIntentData: &stripe.CheckoutSessionCreatePaymentIntentDataParams{Metadata: names, Description: stripe.String(b.Order.Ref)},
		LineItems: []*stripe.CheckoutSessionCreateLineItemParams{{
			Quantity: stripe.Int64(1),
			PriceData: &stripe.CheckoutSessionCreateLineItemPriceDataParams{
				Currency: stripe.String(strings.ToLower(b.Order.Amount.Currency)), UnitAmount: stripe.Int64(n),
				ProductData: &stripe.CheckoutSessionCreateLineItemPriceDataProductDataParams{Name: stripe.String(b.Order.Description)},
			},
		}},
	}
	if b.Order.Email != "" {
		p.CustomerEmail = stripe.String(b.Order.Email)
	}
	p.SetIdempotencyKey(b.Key)
	s, err := g.client.V1CheckoutSessions.Create(ctx, p)
	if err != nil {
		return payment.Begun{}, explain("create session", err)
	}
	if s.ID == "" || s.URL == "" || amount(s.AmountTotal, string(s.Currency)) != b.Order.Amount {
		return payment.Begun{}, errors.New("create session: stripe answered with another session than was asked for")
	}
	return payment.Begun{Ref: s.ID, URL: s.URL, ExpiresAt: s.ExpiresAt * 1000}, nil
}

// Refund implements payment.Gateway.
func (g *Gateway) Refund(ctx context.Context, c payment.RefundCall) (payment.Change, error) {
	n, err := minor(c.Amount)
	if err != nil {
		return payment.Change{}, err
	}
	if c.Again {
		// The provider forgets idempotency keys after a day, and keeps a failure under them until then.
		list, err := g.refundsOf(ctx, c.PaymentID)
		if err != nil {
			return payment.Change{}, explain("look for refund", err)
		}
		for _, r := range list {
			if r.Metadata[refundKey] == c.Key {
				return refundChange(r), nil
			}
		}
	}
	p := &stripe.RefundCreateParams{
		PaymentIntent: stripe.String(c.PaymentID), Amount: stripe.Int64(n), Metadata: map[string]string{refundKey: c.Key, "reason": c.Reason},
	}
	p.SetIdempotencyKey(c.Key)
	r, err := g.client.V1Refunds.Create(ctx, p)
	if err != nil {
		return payment.Change{}, explain("create refund", err)
	}
	if r.ID == "" {
		return payment.Change{}, errors.New("create refund: stripe answered without a refund")
	}
	return refundChange(r), nil
}

func (g *Gateway) refundsOf(ctx context.Context, intent string) ([]*stripe.Refund, error) {
	p := &stripe.RefundListParams{PaymentIntent: stripe.String(intent)}
	p.Limit = stripe.Int64(100)
	var out []*stripe.Refund
	for r, err := range g.client.V1Refunds.List(ctx, p).All(ctx) {
		if err != nil {
			return nil, err
		}
		if out = append(out, r); len(out) > 1_000 {
			return nil, errors.New("a payment has more than 1000 refunds")
		}
	}
	return out, nil
}

func refundChange(r *stripe.Refund) payment.Change {
	c := payment.Change{
		Kind: refundKind(string(r.Status)), Key: r.Metadata[refundKey], RefundID: r.ID, Amount: amount(r.Amount, string(r.Currency)),
		Reason: string(r.FailureReason), At: r.Created * 1000,
	}
	if r.PaymentIntent != nil {
		c.PaymentID = r.PaymentIntent.ID
	}
	return c
}

func refundKind(status string) payment.ChangeKind {
	switch status {
	case "succeeded":
		return payment.ChangeKind(payment.Refunded)
	case "failed", "canceled":
		return payment.ChangeKind(payment.RefundFailed)
	}
	return payment.RefundPending // pending, requires_action
}

// Lookup implements payment.Gateway.
func (g *Gateway) Lookup(ctx context.Context, q payment.Query) ([]payment.Change, error) {
	if q.Ref == "" {
		return nil, nil // sessions cannot be found by our key; beginning again under it gives it
	}
	s, err := g.client.V1CheckoutSessions.Retrieve(ctx, q.Ref, nil)
	if err != nil {
		return nil, explain("read session", err)
	}
	if s.Status == stripe.CheckoutSessionStatusExpired {
		return []payment.Change{{Kind: payment.Expired, Key: s.ClientReferenceID, Ref: s.ID, Reason: "the checkout session expired", At: s.ExpiresAt * 1000}}, nil
	}
	if s.PaymentStatus != stripe.CheckoutSessionPaymentStatusPaid || s.PaymentIntent == nil {
		return nil, nil
	}
	out := []payment.Change{{
		Kind: payment.ChangeKind(payment.Paid), Key: s.ClientReferenceID, Ref: s.ID, PaymentID: s.PaymentIntent.ID, Amount: amount(s.AmountTotal, string(s.Currency)),
		At: g.opts.Now().UnixMilli(), // the session does not say when
	}}
	refunds, err := g.refundsOf(ctx, s.PaymentIntent.ID)
	if err != nil {
		return nil, explain("look for refunds", err)
	}
	for _, r := range refunds {
		out = append(out, refundChange(r))
	}
	return out, nil
}

// List implements payment.Gateway.
func (g *Gateway) List(ctx context.Context, from, to int64, fn func(payment.Change) error) error {
	period := &stripe.RangeQueryParams{GreaterThanOrEqual: (from + 999) / 1000, LesserThan: (to + 999) / 1000}
	charges := &stripe.ChargeListParams{CreatedRange: period}
	charges.Limit = stripe.Int64(100)
	seen := 0
	for c, err := range g.client.V1Charges.List(ctx, charges).All(ctx) {
		if err != nil {
			return explain("list charges", err)
		}
		if seen++; seen > maxListed {
			return fmt.Errorf("list charges: there are more than %d; compare a shorter period", maxListed)
		}
		if !c.Paid || !c.Captured || c.PaymentIntent == nil {
			continue
		}
		if err := fn(payment.Change{
			Kind: payment.ChangeKind(payment.Paid), Key: c.Metadata[paymentKey], PaymentID: c.PaymentIntent.ID, Amount: amount(c.AmountCaptured, string(c.Currency)), At: c.Created * 1000,
		}); err != nil {
			return err
		}
	}
	refunds := &stripe.RefundListParams{CreatedRange: period}
	refunds.Limit = stripe.Int64(100)
	for r, err := range g.client.V1Refunds.List(ctx, refunds).All(ctx) {
		if err != nil {
			return explain("list refunds", err)
		}
		if seen++; seen > maxListed {
			return fmt.Errorf("list refunds: there are more than %d; compare a shorter period", maxListed)
		}
		if err := fn(refundChange(r)); err != nil {
			return err
		}
	}
	return nil
}

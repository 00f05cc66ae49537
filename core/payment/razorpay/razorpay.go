// Package razorpay is the payment gateway Razorpay: orders, its hosted checkout page, webhooks, refunds.
//
// The HTTP client is our own. The provider's library for Go takes no context, answers maps, and does not say whether a
// request was sent, which is what an unknown outcome is about.
package razorpay

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/edgeref/edgeref/core/payment"
	"github.com/edgeref/edgeref/wire/money"
)

// Name is what the gateway is called in URLs and in the API.
const Name = "razorpay"

// Limits of lists.
const (
	pageSize = 100 // the provider's limit
	maxPages = 2_000
	maxIDs   = 128 // bytes of one of the provider's names
)

// Options are what New needs.
type Options struct {
	KeyID, KeySecret string
	WebhookSecrets   []string      // each may have signed
	AccountID        string        // events of others are refused; empty: not checked
	MerchantName     string        // for the checkout page; may be empty
	URL              string        // of the API, without a slash at the end
	Pause            time.Duration // before a request is repeated, doubling; default 300 ms
}

// Gateway implements payment.Gateway. It is safe for concurrent use.
type Gateway struct {
	opts   Options
	client *client
}

// New returns the gateway. It calls nobody.
func New(opts Options) *Gateway {
	if opts.KeyID == "" || opts.KeySecret == "" || len(opts.WebhookSecrets) == 0 || opts.URL == "" {
		panic("BUG: Razorpay needs a key, a webhook secret and a URL")
	}
	if opts.Pause <= 0 {
		opts.Pause = firstPause
	}
	opts.URL = strings.TrimSuffix(opts.URL, "/")
	return &Gateway{opts: opts, client: newClient(opts.URL, opts.KeyID, opts.KeySecret, opts.Pause)}
}

// CloseIdleConnections ends connections that nobody uses.
func (g *Gateway) CloseIdleConnections() { g.client.http.CloseIdleConnections() }

// minor is an amount as the provider counts it: in ISO 4217 minor units, whose third decimal must be 0.
func minor(a money.Amount) (int64, error) {
	decimals, err := money.Decimals(a.Currency)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", payment.ErrRefused, err)
	}
	if decimals > 2 && a.Minor%10 != 0 {
		return 0, fmt.Errorf("%w: razorpay takes amounts in %s with two decimals only, not %s", payment.ErrRefused, a.Currency, a)
	}
	return a.Minor, nil
}

type newOrder struct {
	Amount         int64             `json:"amount"`
	Currency       string            `json:"currency"`
	Receipt        string            `json:"receipt"`
	PaymentCapture bool              `json:"payment_capture"`
	Notes          map[string]string `json:"notes"`
}

// Begin implements payment.Gateway. The provider has no idempotency keys for orders: after an unknown outcome it is
// asked for the order of our key, and one that nobody was sent to costs nothing.
func (g *Gateway) Begin(ctx context.Context, b payment.BeginCall) (payment.Begun, error) {
	amount, err := minor(b.Order.Amount)
	if err != nil {
		return payment.Begun{}, err
	}
	var o *order
	if b.Again {
		if o, err = g.orderOf(ctx, b.Key); err != nil {
			return payment.Begun{}, fmt.Errorf("look for order: %w", err)
		}
	}
	if o == nil {
		o = &order{}
		err := g.client.do(ctx, call{method: http.MethodPost, path: "/v1/orders", body: newOrder{
			Amount: amount, Currency: b.Order.Amount.Currency, Receipt: b.Key, PaymentCapture: true, Notes: map[string]string{"order": b.Order.Ref},
		}}, o)
		if err != nil {
			return payment.Begun{}, fmt.Errorf("create order: %w", err)
		}
	}
	if o.ID == "" || len(o.ID) > maxIDs || o.Amount != amount || o.Currency != b.Order.Amount.Currency {
		return payment.Begun{}, errors.New("create order: razorpay answered with another order than was asked for")
	}
	return payment.Begun{Ref: o.ID, URL: g.opts.URL + "/v1/checkout/embedded", Params: g.params(b, o)}, nil
}

// params are the fields of the hosted checkout page's form; those of its script are the same but for key_id.
func (g *Gateway) params(b payment.BeginCall, o *order) map[string]string {
	p := map[string]string{
		"key_id": g.opts.KeyID, "order_id": o.ID, "amount": strconv.FormatInt(o.Amount, 10), "currency": o.Currency,
		"description": b.Order.Description, "callback_url": b.Return, "cancel_url": b.Return,
	}
	if g.opts.MerchantName != "" {
		p["name"] = g.opts.MerchantName
	}
	if b.Order.Email != "" {
		p["prefill[email]"] = b.Order.Email
	}
	return p
}

// orderOf is the order that was made for a key, or nil.
func (g *Gateway) orderOf(ctx context.Context, key string) (*order, error) {
	var list struct {
		Items []order `json:"items"`
	}
	if err := g.client.do(ctx, call{method: http.MethodGet, path: "/v1/orders", query: url.Values{"receipt": {key}}}, &list); err != nil {
		return nil, err
	}
	var oldest *order
	for i, o := range list.Items {
		// The filter says "contains".
		if o.Receipt == key && (oldest == nil || o.CreatedAt <= oldest.CreatedAt) {
			oldest = &list.Items[i]
		}
	}
	return oldest, nil
}

type newRefund struct {
	Amount  int64             `json:"amount"`
	Receipt string            `json:"receipt"`
	Notes   map[string]string `json:"notes"`
}

// Refund implements payment.Gateway.
func (g *Gateway) Refund(ctx context.Context, c payment.RefundCall) (payment.Change, error) {
	amount, err := minor(c.Amount)
	if err != nil {
		return payment.Change{}, err
	}
	path := "/v1/payments/" + url.PathEscape(c.PaymentID)
	if c.Again {
		list, err := g.refundsOf(ctx, c.PaymentID)
		if err != nil {
			return payment.Change{}, fmt.Errorf("look for refund: %w", err)
		}
		for _, r := range list {
			if r.Receipt == c.Key {
				return r.change("", c.Amount.Currency), nil
			}
		}
	}
	var r refund
	// The body must be the same in every attempt.
	err = g.client.do(ctx, call{method: http.MethodPost, path: path + "/refund", key: c.Key, body: newRefund{
		Amount: amount, Receipt: c.Key, Notes: map[string]string{"reason": c.Reason},
	}}, &r)
	if err != nil {
		return payment.Change{}, fmt.Errorf("create refund: %w", err)
	}
	if r.ID == "" || len(r.ID) > maxIDs {
		return payment.Change{}, errors.New("create refund: razorpay answered without a refund")
	}
	return r.change("", c.Amount.Currency), nil
}

func (g *Gateway) refundsOf(ctx context.Context, paymentID string) ([]refund, error) {
	var list struct {
		Items []refund `json:"items"`
	}
	err := g.client.do(ctx, call{method: http.MethodGet, path: "/v1/payments/" + url.PathEscape(paymentID) + "/refunds", query: url.Values{"count": {strconv.Itoa(pageSize)}}}, &list)
	return list.Items, err
}

// Lookup implements payment.Gateway.
func (g *Gateway) Lookup(ctx context.Context, q payment.Query) ([]payment.Change, error) {
	ref := q.Ref
	if ref == "" {
		o, err := g.orderOf(ctx, q.Key)
		if err != nil {
			return nil, fmt.Errorf("look for order: %w", err)
		}
		if o == nil {
			return nil, nil
		}
		ref = o.ID
	}
	var list struct {
		Items []entity `json:"items"`
	}
	if err := g.client.do(ctx, call{method: http.MethodGet, path: "/v1/orders/" + url.PathEscape(ref) + "/payments"}, &list); err != nil {
		return nil, fmt.Errorf("look for payments: %w", err)
	}
	var out []payment.Change
	for _, p := range list.Items {
		if !p.wasCaptured() {
			continue
		}
		c := p.change(payment.ChangeKind(payment.Paid), p.CreatedAt)
		c.Ref = ref
		out = append(out, c)
		if p.AmountRefunded == 0 {
			continue
		}
		refunds, err := g.refundsOf(ctx, p.ID)
		if err != nil {
			return nil, fmt.Errorf("look for refunds: %w", err)
		}
		for _, r := range refunds {
			out = append(out, r.change(ref, p.Currency))
		}
	}
	return out, nil
}

// List implements payment.Gateway.
func (g *Gateway) List(ctx context.Context, from, to int64, fn func(payment.Change) error) error {
	inside := func(at int64) bool { return at*1000 >= from && at*1000 < to }
	err := pages(ctx, g, "/v1/payments", from, to, func(p entity) error {
		if !p.wasCaptured() || !inside(p.CreatedAt) {
			return nil
		}
		return fn(p.change(payment.ChangeKind(payment.Paid), p.CreatedAt))
	})
	if err != nil {
		return fmt.Errorf("list payments: %w", err)
	}
	err = pages(ctx, g, "/v1/refunds", from, to, func(r refund) error {
		if !inside(r.CreatedAt) {
			return nil
		}
		return fn(r.change("", r.Currency))
	})
	if err != nil {
		return fmt.Errorf("list refunds: %w", err)
	}
	return nil
}

// pages calls fn for every item of a list; from and to are Unix ms.
func pages[T any](ctx context.Context, g *Gateway, path string, from, to int64, fn func(T) error) error {
	for page := range maxPages {
		var list struct {
			Items []T `json:"items"`
		}
		query := url.Values{
			"from": {strconv.FormatInt(from/1000, 10)}, "to": {strconv.FormatInt((to+999)/1000, 10)},
			"count": {strconv.Itoa(pageSize)}, "skip": {strconv.Itoa(page * pageSize)},
		}
		if err := g.client.do(ctx, call{method: http.MethodGet, path: path, query: query}, &list); err != nil {
			return err
		}
		for _, item := range list.Items {
			if err := fn(item); err != nil {
				return err
			}
		}
		if len(list.Items) < pageSize {
			return nil
		}
	}
	return fmt.Errorf("there are more than %d; compare a shorter period", maxPages*pageSize)
}

// ParseReturn verifies what the checkout page had the buyer's browser post: the signature is over the order that we
// stored, never over the one that the browser names. It proves that there is a payment, and not of how much.
func (g *Gateway) ParseReturn(ref string, form url.Values) (payment.Event, bool, error) {
	id, signature := form.Get("razorpay_payment_id"), form.Get("razorpay_signature")
	if id == "" && signature == "" {
		return payment.Event{}, false, nil // given up, or failed
	}
	if ref == "" || id == "" || len(id) > maxIDs || !signedBy(g.opts.KeySecret, ref+"|"+id, signature) {
		return payment.Event{}, false, payment.ErrSignature
	}
	return payment.Event{
		ID: "return." + id, Type: "checkout.return", Changes: []payment.Change{{Kind: payment.Refresh, Ref: ref, PaymentID: id}},
	}, true, nil
}

// signedBy compares in constant time.
func signedBy(secret, text, signature string) bool {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(text))
	given, err := hex.DecodeString(signature)
	return err == nil && hmac.Equal(given, mac.Sum(nil))
}

func clip(text string) string {
	return strings.ToValidUTF8(text[:min(len(text), maxReason)], "")
}

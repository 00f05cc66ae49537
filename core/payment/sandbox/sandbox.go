// Package sandbox is a payment gateway that moves no money. A page plays the provider: whoever opens it says how the
// payment ends, and signed webhooks tell of it on the very path that real providers use, once or three times, in any
// order, at once or later. It is for demonstrations and tests; whoever can open the page can "pay".
package sandbox

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/newid"
	"github.com/edgeref/edgeref/core/payment"
	"github.com/edgeref/edgeref/wire/money"
)

// Name is what the gateway is called in URLs and in the API.
const Name = "sandbox"

// SignatureHeader holds "t=<Unix seconds>,v1=<hex HMAC-SHA256 of t.body>".
const SignatureHeader = "Sandbox-Signature"

const (
	tolerance   = 300 * time.Second // of the time in a signature
	expires     = 24 * time.Hour
	maxText     = 250 // bytes
	refBytes    = 16  // of randomness: the page is open to whoever knows its address
	secretBytes = 32
)

// Options are what New needs.
type Options struct {
	DB        *db.DB
	IDs       *newid.Generator
	Now       func() time.Time
	PublicURL string       // where buyers reach this core, without a slash at the end
	Webhooks  http.Handler // what takes webhooks in: payment.Service's Handler; SetWebhooks gives it later
	Logger    *slog.Logger
	Poll      time.Duration // how often to look for webhooks to send; default 200 ms
}

// Gateway implements payment.Gateway. It is safe for concurrent use.
type Gateway struct {
	db       *db.DB
	ids      *newid.Generator
	now      func() time.Time
	public   string
	webhooks http.Handler // set once, before Run
	log      *slog.Logger
	poll     time.Duration
	secret   []byte // of this process: it signs what it sends to itself
	page     *page
	wake     chan struct{}
}

// New returns the gateway. Run sends its webhooks.
func New(opts Options) (*Gateway, error) {
	if opts.DB == nil || opts.IDs == nil || opts.Now == nil {
		panic("BUG: the sandbox needs a database, identifiers and a clock")
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Poll <= 0 {
		opts.Poll = 200 * time.Millisecond
	}
	p, err := newPage(languages())
	if err != nil {
		return nil, err
	}
	g := &Gateway{
		db: opts.DB, ids: opts.IDs, now: opts.Now, public: strings.TrimSuffix(opts.PublicURL, "/"), webhooks: opts.Webhooks, log: opts.Logger, poll: opts.Poll,
		secret: make([]byte, secretBytes), page: p, wake: make(chan struct{}, 1),
	}
	_, _ = rand.Read(g.secret) // never fails
	return g, nil
}

// SetWebhooks names what takes the webhooks in. Call it once, before Run.
func (g *Gateway) SetWebhooks(h http.Handler) { g.webhooks = h }

// record is one payment as the sandbox knows it. Times are Unix ms.
type record struct {
	ID           int64
	Key          string
	Ref          string
	PaymentID    string
	State        string // open, paid, or later: paid at PaidAt
	Amount       money.Amount
	OrderRef     string
	Description  string
	ReturnURL    string
	DisputeID    string
	DisputeState string // "", open, won or lost
	PaidAt       int64
	CreatedAt    int64
}

const columns = "id, provider_key, ref, payment_id, state, amount_minor, currency, order_ref, description, return_url, dispute_id, dispute_state, paid_at, created_at"

func (g *Gateway) read(ctx context.Context, q db.Querier, rest string, args ...any) ([]record, error) {
	rows, err := q.Query(ctx, "SELECT "+columns+" FROM sandbox_payments WHERE "+rest, args...)
	if err != nil {
		return nil, fmt.Errorf("read sandbox payments: %w", err)
	}
	defer rows.Close()
	var out []record
	for rows.Next() {
		var r record
		if err := rows.Scan(&r.ID, &r.Key, &r.Ref, &r.PaymentID, &r.State, &r.Amount.Minor, &r.Amount.Currency, &r.OrderRef, &r.Description, &r.ReturnURL,
			&r.DisputeID, &r.DisputeState, &r.PaidAt, &r.CreatedAt); err != nil {
			return nil, fmt.Errorf("read sandbox payments: %w", err)
		}
		out = append(out, r)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read sandbox payments: %w", err)
	}
	return out, nil
}

func random(prefix string) string {
	b := make([]byte, refBytes)
	_, _ = rand.Read(b) // never fails
	return prefix + hex.EncodeToString(b)
}

// paid reports whether the money is there by now.
func (r *record) paid(now time.Time) bool { return r.State != "open" && r.PaidAt <= now.UnixMilli() }

// Begin implements payment.Gateway.
func (g *Gateway) Begin(ctx context.Context, b payment.BeginCall) (payment.Begun, error) {
	now := g.now()
	r := record{Ref: random("sbx_"), CreatedAt: now.UnixMilli()}
	err := g.db.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.TryInsert(ctx, "INSERT INTO sandbox_payments ("+columns+") VALUES (?, ?, ?, '', 'open', ?, ?, ?, ?, ?, '', '', 0, ?)",
			g.ids.New(), b.Key, r.Ref, b.Order.Amount.Minor, b.Order.Amount.Currency, clip(b.Order.Ref, 64), clip(b.Order.Description, maxText), b.Return, r.CreatedAt)
		if err != nil {
			return err
		}
		list, err := g.read(ctx, tx, "provider_key = ?", b.Key)
		if err == nil {
			r = list[0] // the first call's
		}
		return err
	})
	if err != nil {
		return payment.Begun{}, fmt.Errorf("begin sandbox payment: %w", err)
	}
	if r.Amount != b.Order.Amount {
		return payment.Begun{}, fmt.Errorf("%w: the key was used for %s", payment.ErrRefused, r.Amount)
	}
	return payment.Begun{Ref: r.Ref, URL: g.public + PagePath + r.Ref, ExpiresAt: r.CreatedAt + expires.Milliseconds()}, nil
}

func clip(text string, limit int) string {
	return strings.ToValidUTF8(text[:min(len(text), limit)], "")
}

// Refund implements payment.Gateway.
func (g *Gateway) Refund(ctx context.Context, c payment.RefundCall) (payment.Change, error) {
	var out payment.Change
	err := g.db.InTx(ctx, func(tx *db.Tx) error {
		list, err := g.read(ctx, tx, "payment_id = ?"+tx.Dialect().ForUpdate(), c.PaymentID)
		if err != nil {
			return err
		}
		if len(list) != 1 {
			return fmt.Errorf("%w: no such payment", payment.ErrRefused)
		}
		out, err = g.refund(ctx, tx, list[0], c.Key, c.Amount)
		return err
	})
	if err != nil {
		return payment.Change{}, fmt.Errorf("refund sandbox payment: %w", err)
	}
	return out, nil
}

// refund stores a refund, once for its key, and a webhook about it.
func (g *Gateway) refund(ctx context.Context, tx *db.Tx, r record, key string, amount money.Amount) (payment.Change, error) {
	refunds, err := g.refunds(ctx, tx, r)
	if err != nil {
		return payment.Change{}, err
	}
	left := r.Amount.Minor
	for _, c := range refunds {
		if c.Key == key {
			if c.Amount != amount {
				return payment.Change{}, fmt.Errorf("%w: the key was used for %s", payment.ErrRefused, c.Amount)
			}
			return c, nil
		}
		left -= c.Amount.Minor
	}
	if !r.paid(g.now()) || amount.Currency != r.Amount.Currency || amount.Minor <= 0 || amount.Minor > left {
		return payment.Change{}, fmt.Errorf("%w: there is not so much to refund", payment.ErrRefused)
	}
	now := g.now().UnixMilli()
	out := payment.Change{
		Kind: payment.ChangeKind(payment.Refunded), Key: key, Ref: r.Ref, PaymentID: r.PaymentID, RefundID: random("srf_"), Amount: amount, At: now,
	}
	if _, err := tx.Exec(ctx, "INSERT INTO sandbox_refunds (id, provider_key, refund_id, payment_id, amount_minor, currency, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
		g.ids.New(), key, out.RefundID, r.PaymentID, amount.Minor, amount.Currency, now); err != nil {
		return payment.Change{}, err
	}
	return out, g.queue(ctx, tx, manner{copies: 1}, g.event("refund.processed", out))
}

func (g *Gateway) refunds(ctx context.Context, q db.Querier, r record) ([]payment.Change, error) {
	return g.readRefunds(ctx, q, r.Ref, "payment_id = ? ORDER BY id", r.PaymentID)
}

func (g *Gateway) readRefunds(ctx context.Context, q db.Querier, ref, rest string, args ...any) ([]payment.Change, error) {
	rows, err := q.Query(ctx, "SELECT provider_key, refund_id, payment_id, amount_minor, currency, created_at FROM sandbox_refunds WHERE "+rest, args...)
	if err != nil {
		return nil, fmt.Errorf("read sandbox refunds: %w", err)
	}
	defer rows.Close()
	var out []payment.Change
	for rows.Next() {
		c := payment.Change{Kind: payment.ChangeKind(payment.Refunded), Ref: ref}
		if err := rows.Scan(&c.Key, &c.RefundID, &c.PaymentID, &c.Amount.Minor, &c.Amount.Currency, &c.At); err != nil {
			return nil, fmt.Errorf("read sandbox refunds: %w", err)
		}
		out = append(out, c)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read sandbox refunds: %w", err)
	}
	return out, nil
}

func (r *record) change() payment.Change {
	return payment.Change{
		Kind: payment.ChangeKind(payment.Paid), Key: r.Key, Ref: r.Ref, PaymentID: r.PaymentID, Amount: r.Amount, At: r.PaidAt,
	}
}

// Lookup implements payment.Gateway.
func (g *Gateway) Lookup(ctx context.Context, q payment.Query) ([]payment.Change, error) {
	list, err := g.read(ctx, g.db, "provider_key = ?", q.Key)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	r := list[0]
	if !r.paid(g.now()) {
		return nil, nil
	}
	refunds, err := g.refunds(ctx, g.db, r)
	return append([]payment.Change{r.change()}, refunds...), err
}

// List implements payment.Gateway.
func (g *Gateway) List(ctx context.Context, from, to int64, fn func(payment.Change) error) error {
	list, err := g.read(ctx, g.db, "paid_at >= ? AND paid_at < ? AND paid_at > 0 AND paid_at <= ? ORDER BY paid_at", from, to, g.now().UnixMilli())
	if err != nil {
		return err
	}
	for _, r := range list {
		if err := fn(r.change()); err != nil {
			return err
		}
	}
	refunds, err := g.readRefunds(ctx, g.db, "", "created_at >= ? AND created_at < ? ORDER BY created_at", from, to)
	if err != nil {
		return err
	}
	for _, c := range refunds {
		if err := fn(c); err != nil {
			return err
		}
	}
	return nil
}

// message is the body of a webhook.
type message struct {
	ID     string      `json:"id"`
	Type   string      `json:"type"`
	At     int64       `json:"at"` // Unix ms
	Object messageBody `json:"object"`
}

type messageBody struct {
	Key       string `json:"key,omitempty"`
	Ref       string `json:"ref,omitempty"`
	PaymentID string `json:"payment_id,omitempty"`
	RefundID  string `json:"refund_id,omitempty"`
	DisputeID string `json:"dispute_id,omitempty"`
	Minor     int64  `json:"amount_minor"`
	Currency  string `json:"currency"`
	Reason    string `json:"reason,omitempty"`
}

// kinds are the events that concern us; "payment.authorized" is sent too, as providers do.
func kinds() map[string]payment.ChangeKind {
	return map[string]payment.ChangeKind{
		"payment.captured": payment.ChangeKind(payment.Paid), "order.paid": payment.ChangeKind(payment.Paid), "payment.failed": payment.ChangeKind(payment.Failed),
		"refund.processed": payment.ChangeKind(payment.Refunded), "dispute.created": payment.ChangeKind(payment.DisputeOpened),
		"dispute.won": payment.ChangeKind(payment.DisputeWon), "dispute.lost": payment.ChangeKind(payment.DisputeLost),
	}
}

func (g *Gateway) event(kind string, c payment.Change) message {
	return message{ID: random("sev_"), Type: kind, At: g.now().UnixMilli(), Object: messageBody{
		Key: c.Key, Ref: c.Ref, PaymentID: c.PaymentID, RefundID: c.RefundID, DisputeID: c.DisputeID, Minor: c.Amount.Minor, Currency: c.Amount.Currency, Reason: c.Reason,
	}}
}

// ParseWebhook implements payment.Gateway.
func (g *Gateway) ParseWebhook(header http.Header, raw []byte) (payment.Event, error) {
	if err := verify(g.secret, header.Get(SignatureHeader), raw, g.now()); err != nil {
		return payment.Event{}, err
	}
	var m message
	if err := json.Unmarshal(raw, &m); err != nil {
		return payment.Event{}, fmt.Errorf("%w: %w", payment.ErrMalformed, err)
	}
	e := payment.Event{ID: m.ID, Type: m.Type}
	if kind, ok := kinds()[m.Type]; ok {
		o := m.Object
		e.Changes = []payment.Change{{
			Kind: kind, Key: o.Key, Ref: o.Ref, PaymentID: o.PaymentID, RefundID: o.RefundID, DisputeID: o.DisputeID,
			Amount: money.Amount{Minor: o.Minor, Currency: o.Currency}, Reason: o.Reason, At: m.At,
		}}
	}
	return e, nil
}

func mac(secret []byte, at string, raw []byte) []byte {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(at + "."))
	h.Write(raw)
	return h.Sum(nil)
}

func sign(secret []byte, now time.Time, raw []byte) string {
	at := strconv.FormatInt(now.Unix(), 10)
	return "t=" + at + ",v1=" + hex.EncodeToString(mac(secret, at, raw))
}

func verify(secret []byte, header string, raw []byte, now time.Time) error {
	at, signature, ok := strings.Cut(strings.TrimPrefix(header, "t="), ",v1=")
	given, err := hex.DecodeString(signature)
	seconds, numErr := strconv.ParseInt(at, 10, 64)
	if !ok || err != nil || numErr != nil || !hmac.Equal(given, mac(secret, at, raw)) {
		return payment.ErrSignature
	}
	if age := now.Sub(time.Unix(seconds, 0)); age > tolerance || age < -tolerance {
		return fmt.Errorf("%w: it is of another time", payment.ErrSignature)
	}
	return nil
}

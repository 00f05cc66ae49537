package razorpay

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/edgeref/edgeref/core/payment"
	"github.com/edgeref/edgeref/wire/money"
)

// What we read of the provider's entities. Times are Unix seconds.
type (
	order struct {
		ID        string `json:"id"`
		Amount    int64  `json:"amount"`
		Currency  string `json:"currency"`
		Receipt   string `json:"receipt"`
		CreatedAt int64  `json:"created_at"`
	}
	// entity is a payment.
	entity struct {
		ID               string `json:"id"`
		OrderID          string `json:"order_id"`
		Amount           int64  `json:"amount"`
		Currency         string `json:"currency"`
		Status           string `json:"status"`
		Captured         bool   `json:"captured"`
		AmountRefunded   int64  `json:"amount_refunded"`
		ErrorDescription string `json:"error_description"`
		CreatedAt        int64  `json:"created_at"`
	}
	refund struct {
		ID        string `json:"id"`
		PaymentID string `json:"payment_id"`
		Amount    int64  `json:"amount"`
		Currency  string `json:"currency"`
		Receipt   string `json:"receipt"`
		Status    string `json:"status"`
		CreatedAt int64  `json:"created_at"`
	}
	dispute struct {
		ID             string `json:"id"`
		PaymentID      string `json:"payment_id"`
		Amount         int64  `json:"amount"`
		Currency       string `json:"currency"`
		AmountDeducted int64  `json:"amount_deducted"`
		ReasonCode     string `json:"reason_code"`
		Status         string `json:"status"`
	}
	wrapped[T any] struct {
		Entity *T `json:"entity"`
	}
	message struct {
		AccountID string `json:"account_id"`
		Event     string `json:"event"`
		CreatedAt int64  `json:"created_at"`
		Payload   struct {
			Order          wrapped[order]   `json:"order"`
			Payment        wrapped[entity]  `json:"payment"`
			Refund         wrapped[refund]  `json:"refund"`
			Dispute        wrapped[dispute] `json:"dispute"`
			PaymentDispute wrapped[dispute] `json:"payment.dispute"`
		} `json:"payload"`
	}
)

// wasCaptured reports whether the money came in, even if it was given back since.
func (p *entity) wasCaptured() bool {
	return p.Status == "captured" || p.Status == "refunded" && p.Captured
}

func (p *entity) change(kind payment.ChangeKind, at int64) payment.Change {
	return payment.Change{
		Kind: kind, Ref: p.OrderID, PaymentID: p.ID, Amount: money.Amount{Minor: p.Amount, Currency: p.Currency}, Reason: clip(p.ErrorDescription), At: at * 1000,
	}
}

// change is what a refund says by its status. Old refunds name no currency: theirs is the payment's.
func (r *refund) change(ref, currency string) payment.Change {
	kind := payment.RefundPending
	switch r.Status {
	case "processed":
		kind = payment.ChangeKind(payment.Refunded)
	case "failed":
		kind = payment.ChangeKind(payment.RefundFailed)
	}
	return payment.Change{
		Kind: kind, Key: r.Receipt, Ref: ref, PaymentID: r.PaymentID, RefundID: r.ID, Amount: money.Amount{Minor: r.Amount, Currency: cmp.Or(r.Currency, currency)},
		At: r.CreatedAt * 1000,
	}
}

// ParseWebhook implements payment.Gateway.
func (g *Gateway) ParseWebhook(header http.Header, raw []byte) (payment.Event, error) {
	signature := header.Get("X-Razorpay-Signature")
	if !slices.ContainsFunc(g.opts.WebhookSecrets, func(secret string) bool { return signedBy(secret, string(raw), signature) }) {
		return payment.Event{}, payment.ErrSignature
	}
	var m message
	if err := json.Unmarshal(raw, &m); err != nil {
		return payment.Event{}, fmt.Errorf("%w: %w", payment.ErrMalformed, err)
	}
	if g.opts.AccountID != "" && m.AccountID != g.opts.AccountID {
		return payment.Event{}, fmt.Errorf("%w: it is about another account", payment.ErrSignature)
	}
	return payment.Event{ID: eventID(header, raw), Type: m.Event, Changes: m.changes()}, nil
}

// eventID names an event. The provider's name of it is in a header, which the signature does not cover: with the body's
// hash behind it, nobody can use up the name of an event for another body.
func eventID(header http.Header, raw []byte) string {
	sum := sha256.Sum256(raw)
	digest := hex.EncodeToString(sum[:])
	id := header.Get("X-Razorpay-Event-Id")
	if id == "" || len(id) > maxIDs {
		return "sha256." + digest
	}
	return id + "." + digest[:16]
}

func (m *message) changes() []payment.Change {
	switch m.Event {
	case "payment.captured", "order.paid":
		return m.paid()
	case "payment.failed":
		if p := m.Payload.Payment.Entity; p != nil && p.OrderID != "" {
			return []payment.Change{p.change(payment.ChangeKind(payment.Failed), m.CreatedAt)}
		}
	case "refund.created", "refund.processed", "refund.failed":
		return m.refunded()
	case "payment.dispute.created", "payment.dispute.won", "payment.dispute.lost", "payment.dispute.closed":
		return m.disputed()
	}
	return nil
}

func (m *message) paid() []payment.Change {
	p := m.Payload.Payment.Entity
	if p == nil || !p.wasCaptured() {
		return nil
	}
	c := p.change(payment.ChangeKind(payment.Paid), m.CreatedAt)
	if o := m.Payload.Order.Entity; o != nil && o.ID == p.OrderID {
		c.Key = o.Receipt
	}
	return []payment.Change{c}
}

// refunded is what a refund event says. Payments that were never captured are refunded by the provider itself: that
// money never was ours.
func (m *message) refunded() []payment.Change {
	r, p := m.Payload.Refund.Entity, m.Payload.Payment.Entity
	if r == nil || p != nil && !p.Captured {
		return nil
	}
	ref, currency := "", r.Currency
	if p != nil && p.ID == r.PaymentID {
		ref, currency = p.OrderID, cmp.Or(currency, p.Currency)
	}
	c := r.change(ref, currency)
	// The event's name is newer than the entity's status where they differ.
	switch m.Event {
	case "refund.processed":
		c.Kind = payment.ChangeKind(payment.Refunded)
	case "refund.failed":
		c.Kind = payment.ChangeKind(payment.RefundFailed)
	}
	c.At = m.CreatedAt * 1000
	return []payment.Change{c}
}

func (m *message) disputed() []payment.Change {
	d := m.Payload.Dispute.Entity
	if d == nil {
		d = m.Payload.PaymentDispute.Entity
	}
	if d == nil {
		return nil
	}
	c := payment.Change{
		Kind: payment.ChangeKind(payment.DisputeOpened), PaymentID: d.PaymentID, DisputeID: d.ID, Amount: money.Amount{Minor: d.Amount, Currency: d.Currency},
		Reason: clip(d.ReasonCode), At: m.CreatedAt * 1000,
	}
	if p := m.Payload.Payment.Entity; p != nil && p.ID == d.PaymentID {
		c.Ref = p.OrderID
	}
	lost := d.Status == "lost" || d.Status != "won" && d.AmountDeducted > 0
	switch {
	case m.Event == "payment.dispute.won" || m.Event == "payment.dispute.closed" && !lost:
		c.Kind = payment.ChangeKind(payment.DisputeWon) // closed without a deduction: the business keeps the money
	case m.Event == "payment.dispute.lost" || m.Event == "payment.dispute.closed":
		c.Kind = payment.ChangeKind(payment.DisputeLost)
	}
	return []payment.Change{c}
}

package stripe

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/edgeref/edgeref/core/payment"
)

const (
	tolerance     = 300 * time.Second // of the time in a signature, either way
	maxSignatures = 16                // in one header: one for each secret while they are rolled
)

// named is an object that is given by its id or whole.
type named string

// UnmarshalJSON implements json.Unmarshaler.
func (n *named) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '{' {
		var o struct {
			ID string `json:"id"`
		}
		err := json.Unmarshal(b, &o)
		*n = named(o.ID)
		return err
	}
	return json.Unmarshal(b, (*string)(n))
}

// object is what we read of the object of an event, whichever it is.
type object struct {
	ID                string            `json:"id"`
	Amount            int64             `json:"amount"`
	AmountTotal       int64             `json:"amount_total"`
	Currency          string            `json:"currency"`
	PaymentIntent     named             `json:"payment_intent"`
	PaymentStatus     string            `json:"payment_status"`
	Status            string            `json:"status"`
	ClientReferenceID string            `json:"client_reference_id"`
	Reason            string            `json:"reason"`
	FailureReason     string            `json:"failure_reason"`
	Metadata          map[string]string `json:"metadata"`
}

type message struct {
	ID       string `json:"id"`
	Object   string `json:"object"`
	Type     string `json:"type"`
	Created  int64  `json:"created"`
	Livemode bool   `json:"livemode"`
	Account  string `json:"account"`
	Data     struct {
		Object json.RawMessage `json:"object"`
	} `json:"data"`
}

// ParseWebhook implements payment.Gateway.
func (g *Gateway) ParseWebhook(header http.Header, raw []byte) (payment.Event, error) {
	if err := g.verify(header.Get("Stripe-Signature"), raw); err != nil {
		return payment.Event{}, err
	}
	var m message
	if err := json.Unmarshal(raw, &m); err != nil {
		return payment.Event{}, fmt.Errorf("%w: %w", payment.ErrMalformed, err)
	}
	switch {
	case m.Object != "event" || m.ID == "":
		return payment.Event{}, fmt.Errorf("%w: it is no snapshot event", payment.ErrMalformed)
	case m.Account != "":
		return payment.Event{}, fmt.Errorf("%w: it is about a connected account", payment.ErrSignature)
	case m.Livemode != g.live:
		return payment.Event{}, fmt.Errorf("%w: its mode (live or test) is not that of our key", payment.ErrSignature)
	}
	changes, err := m.changes()
	if err != nil {
		return payment.Event{}, fmt.Errorf("%w: %w", payment.ErrMalformed, err)
	}
	return payment.Event{ID: m.ID, Type: m.Type, Changes: changes}, nil
}

// verify checks "t=SECONDS,v1=HEX,..." over "t.body". A header with two times is refused: two readers could take
// different ones.
func (g *Gateway) verify(header string, raw []byte) error {
	at, signatures := "", []string{}
	for part := range strings.SplitSeq(header, ",") {
		name, value, _ := strings.Cut(part, "=")
		switch {
		case name == "t" && at != "", len(signatures) > maxSignatures:
			return payment.ErrSignature
		case name == "t":
			at = value
		case name == "v1":
			signatures = append(signatures, value)
		}
	}
	seconds, err := strconv.ParseInt(at, 10, 64)
	if err != nil || !g.signed(at, raw, signatures) {
		return payment.ErrSignature
	}
	if age := g.opts.Now().Sub(time.Unix(seconds, 0)); age > tolerance || age < -tolerance {
		return fmt.Errorf("%w: it is of another time", payment.ErrSignature)
	}
	return nil
}

func (g *Gateway) signed(at string, raw []byte, signatures []string) bool {
	for _, secret := range g.opts.WebhookSecrets {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(at + "."))
		mac.Write(raw)
		want := mac.Sum(nil)
		for _, s := range signatures {
			if given, err := hex.DecodeString(s); err == nil && hmac.Equal(given, want) {
				return true
			}
		}
	}
	return false
}

// changes is what an event says.
func (m *message) changes() ([]payment.Change, error) {
	family, _, _ := strings.Cut(m.Type, ".")
	if family != "checkout" && family != "charge" && family != "refund" {
		return nil, nil
	}
	var o object
	if err := json.Unmarshal(m.Data.Object, &o); err != nil {
		return nil, err
	}
	c := payment.Change{
		PaymentID: string(o.PaymentIntent), Amount: amount(o.Amount, o.Currency), Reason: o.Reason[:min(len(o.Reason), maxReason)], At: m.Created * 1000,
	}
	switch {
	case strings.HasPrefix(m.Type, "checkout.session."):
		c.Amount = amount(o.AmountTotal, o.Currency)
		c.Key, c.Ref = o.ClientReferenceID, o.ID
		return m.session(o, c), nil
	case m.Type == "charge.refunded":
		// It holds the sum of all refunds and not which is new.
		c.Kind, c.Key = payment.Refresh, o.Metadata[paymentKey]
		return []payment.Change{c}, nil
	case strings.HasPrefix(m.Type, "refund."), m.Type == "charge.refund.updated":
		c.Kind, c.Key, c.RefundID, c.Reason = refundKind(o.Status), o.Metadata[refundKey], o.ID, o.FailureReason[:min(len(o.FailureReason), maxReason)]
		return []payment.Change{c}, nil
	case strings.HasPrefix(m.Type, "charge.dispute."):
		c.DisputeID = o.ID
		return m.dispute(o, c), nil
	}
	return nil, nil
}

// session is what an event of a checkout session says. A session whose delayed payment failed cannot be paid again.
func (m *message) session(o object, c payment.Change) []payment.Change {
	switch m.Type {
	case "checkout.session.completed", "checkout.session.async_payment_succeeded":
		if o.PaymentStatus != "paid" {
			return nil // the buyer has promised to pay
		}
		c.Kind = payment.ChangeKind(payment.Paid)
	case "checkout.session.async_payment_failed":
		c.Kind, c.Reason = payment.Expired, "the delayed payment failed"
	case "checkout.session.expired":
		c.Kind, c.Reason = payment.Expired, "the checkout session expired"
	default:
		return nil
	}
	return []payment.Change{c}
}

// dispute is what an event of a dispute says. While its status is a warning it is a question of the bank, and no money
// has moved.
func (m *message) dispute(o object, c payment.Change) []payment.Change {
	if strings.HasPrefix(o.Status, "warning_") {
		return nil
	}
	switch m.Type {
	case "charge.dispute.created", "charge.dispute.updated", "charge.dispute.funds_withdrawn":
		c.Kind = payment.ChangeKind(payment.DisputeOpened)
	case "charge.dispute.closed":
		switch o.Status {
		case "won":
			c.Kind = payment.ChangeKind(payment.DisputeWon)
		case "lost":
			c.Kind = payment.ChangeKind(payment.DisputeLost)
		default:
			return nil
		}
	default:
		return nil
	}
	return []payment.Change{c}
}

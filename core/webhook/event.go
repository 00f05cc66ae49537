package webhook

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/money"
)

// Name of an event. Names are part of the API: they are never changed, only added to.
type Name string

// Events.
const (
	ConversionBooked   Name = "conversion.booked"
	ConversionRefused  Name = "conversion.refused"
	CommissionCreated  Name = "commission.created"
	CommissionReleased Name = "commission.released" // its hold has ended: it is payable
	CommissionReversed Name = "commission.reversed" // in part or whole
	CommissionRestored Name = "commission.restored" // a dispute was won: what it took back is given back
	Test               Name = "webhook.test"        // asked for by hand
)

// Names lists the events that an endpoint can want.
func Names() []Name {
	return []Name{ConversionBooked, ConversionRefused, CommissionCreated, CommissionReleased, CommissionReversed, CommissionRestored}
}

// Event is something that happened to a conversion, or to its commission.
type Event struct {
	Name         Name
	ProgramID    int64
	AffiliateID  int64 // 0: nobody's
	ConversionID int64
	CommissionID int64         // 0: there is none
	Commission   *money.Amount // as earned, released, or taken back by this event; nil: there is none
}

// Payload is the body of a webhook, and what macros take their values from.
type Payload struct {
	ID        string `json:"id"`
	Type      Name   `json:"type"`
	Timestamp string `json:"timestamp"`
	Data      Data   `json:"data"`
}

// Data is what an event tells, as it was at that moment.
type Data struct {
	Conversion Conversion  `json:"conversion"`
	Commission *Commission `json:"commission,omitempty"`
}

// Conversion is the conversion of an event. Identifiers that there are none of are empty.
type Conversion struct {
	ID          string        `json:"id"`
	ProgramID   string        `json:"program_id"`
	AffiliateID string        `json:"affiliate_id"`
	LinkID      string        `json:"link_id"`
	ClickID     string        `json:"click_id"`
	Type        string        `json:"type"`
	TxnID       string        `json:"txn_id"`
	Amount      *money.Amount `json:"amount"`
	State       string        `json:"state"`
	Reason      string        `json:"reason,omitempty"`
}

// Commission is the commission of an event. Amount is what the event is about: earned, released or taken back.
type Commission struct {
	ID     string       `json:"id"`
	Amount money.Amount `json:"amount"`
}

// subscription is what Announce needs to know of an active endpoint.
type subscription struct {
	id, program, affiliate int64
	events                 []Name
}

func (s subscription) wants(e Event) bool {
	return (s.program == 0 || s.program == e.ProgramID) && (s.affiliate == 0 || s.affiliate == e.AffiliateID) && slices.Contains(s.events, e.Name)
}

// Announce writes in tx what endpoints are to be told of e, and wakes the workers once tx is committed. The conversion
// must be in tx already, in its new state. Where nobody wants e, nothing is written. Endpoints that another core made
// are known after a second.
func (s *Service) Announce(ctx context.Context, tx *db.Tx, e Event) error {
	endpoints, err := s.wanting(ctx, tx, e)
	if err != nil || len(endpoints) == 0 {
		return err
	}
	id, now := s.ids.New(), s.now()
	payload, err := s.payload(ctx, tx, e, id, now)
	if err != nil {
		return err
	}
	if err := s.write(ctx, tx, payload, id, now, endpoints); err != nil {
		return err
	}
	tx.OnCommit(func() {
		s.metrics.events.WithLabelValues(string(e.Name)).Inc()
		s.Wake()
	})
	return nil
}

// wanting lists the endpoints that e is for.
func (s *Service) wanting(ctx context.Context, tx *db.Tx, e Event) ([]int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if age := s.now().Sub(s.loadedAt); s.loadedAt.IsZero() || age < 0 || age >= endpointsStay {
		active, err := readSubscriptions(ctx, tx)
		if err != nil {
			return nil, err
		}
		s.active, s.loadedAt = active, s.now()
	}
	var out []int64
	for _, sub := range s.active {
		if sub.wants(e) {
			out = append(out, sub.id)
		}
	}
	return out, nil
}

// forget makes the next event look for endpoints anew.
func (s *Service) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loadedAt = time.Time{}
}

func readSubscriptions(ctx context.Context, q db.Querier) ([]subscription, error) {
	rows, err := q.Query(ctx, "SELECT id, program_id, affiliate_id, events FROM webhook_endpoints WHERE state = ? ORDER BY id", Active)
	if err != nil {
		return nil, fmt.Errorf("read webhooks: %w", err)
	}
	defer rows.Close()
	var out []subscription
	for rows.Next() {
		var sub subscription
		var events string
		if err := rows.Scan(&sub.id, &sub.program, &sub.affiliate, &events); err != nil {
			return nil, fmt.Errorf("read webhooks: %w", err)
		}
		sub.events = splitNames(events)
		out = append(out, sub)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read webhooks: %w", err)
	}
	return out, nil
}

// payload describes e as things stand in tx.
func (s *Service) payload(ctx context.Context, q db.Querier, e Event, id int64, at time.Time) (Payload, error) {
	var c Conversion
	var program, affiliate, link int64
	var amount money.Amount
	err := q.QueryRow(ctx, `SELECT program_id, affiliate_id, link_id, click_id, type, txn_id, amount_minor, currency, state, reason
		FROM conversions WHERE id = ?`, e.ConversionID).
		Scan(&program, &affiliate, &link, &c.ClickID, &c.Type, &c.TxnID, &amount.Minor, &amount.Currency, &c.State, &c.Reason)
	if err != nil {
		return Payload{}, fmt.Errorf("read conversion %d for webhooks: %w", e.ConversionID, err)
	}
	c.ID, c.ProgramID = ident.Format(ident.Conversion, e.ConversionID), ident.Format(ident.Program, program)
	c.AffiliateID, c.LinkID = optional(ident.Affiliate, affiliate), optional(ident.Link, link)
	if amount.Currency != "" {
		c.Amount = &amount
	}
	p := newPayload(e.Name, id, at)
	p.Data.Conversion = c
	if e.Commission != nil {
		p.Data.Commission = &Commission{ID: optional(ident.Commission, e.CommissionID), Amount: *e.Commission}
	}
	return p, nil
}

func newPayload(name Name, id int64, at time.Time) Payload {
	return Payload{ID: ident.Format(ident.WebhookEvent, id), Type: name, Timestamp: at.UTC().Format("2006-01-02T15:04:05.000Z")}
}

func optional(kind string, id int64) string {
	if id == 0 {
		return ""
	}
	return ident.Format(kind, id)
}

// write stores an event with a delivery for each endpoint, due at once.
func (s *Service) write(ctx context.Context, tx *db.Tx, p Payload, id int64, now time.Time, endpoints []int64) error {
	text, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("encode webhook event: %w", err)
	}
	at := now.UnixMilli()
	if _, err := tx.Exec(ctx, "INSERT INTO webhook_events (id, name, payload, created_at) VALUES (?, ?, ?, ?)", id, p.Type, string(text), at); err != nil {
		return fmt.Errorf("write webhook event: %w", err)
	}
	for part := range slices.Chunk(endpoints, db.MaxIn/8) {
		args := make([]any, 0, 7*len(part))
		for _, endpoint := range part {
			args = append(args, s.ids.New(), endpoint, id, at, at, at, at)
		}
		rows := strings.Repeat(", (?, ?, ?, 'pending', 0, ?, 0, ?, 0, '', 0, ?, ?)", len(part))[2:]
		if _, err := tx.Exec(ctx, "INSERT INTO webhook_deliveries ("+deliveryColumns+") VALUES "+rows, args...); err != nil {
			return fmt.Errorf("write webhook deliveries: %w", err)
		}
	}
	return nil
}

// values are what macros stand for. Amounts are decimals in major units.
func (p *Payload) values() map[string]string {
	c := p.Data.Conversion
	v := map[string]string{
		"event": string(p.Type), "event_id": p.ID, "conversion_id": c.ID, "txn_id": c.TxnID, "type": c.Type,
		"click_id": c.ClickID, "link_id": c.LinkID, "program_id": c.ProgramID,
	}
	if c.Amount != nil {
		v["amount"], v["currency"] = c.Amount.Decimal(), c.Amount.Currency
	}
	if com := p.Data.Commission; com != nil {
		v["commission"], v["commission_currency"], v["commission_id"] = com.Amount.Decimal(), com.Amount.Currency, com.ID
	}
	return v
}

func joinNames(names []Name) string {
	parts := make([]string, len(names))
	for i, n := range names {
		parts[i] = string(n)
	}
	return strings.Join(parts, " ")
}

func splitNames(s string) []Name {
	parts := strings.Fields(s)
	out := make([]Name, len(parts))
	for i, p := range parts {
		out[i] = Name(p)
	}
	return out
}

// Package conversion defines a conversion on its way from the edge to the core.
package conversion

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/money"
)

// Type is the kind of a conversion.
type Type string

// Types. A refund takes back an amount of a sale; a rejection takes back a whole lead or sale.
const (
	Lead     Type = "lead"
	Sale     Type = "sale"
	Refund   Type = "refund"
	Rejected Type = "rejected"
)

// Channel is the way a conversion came in. It is information: one order that comes in by two channels is one order.
type Channel string

// Channels.
const (
	Postback Channel = "postback" // server to server
	Pixel    Channel = "pixel"    // image on a page
	Script   Channel = "script"   // t.js
	API      Channel = "api"      // the core's own API
	Shop     Channel = "shop"     // an order of the core's own shop
	Upload   Channel = "upload"   // a file
)

// MaxText is the longest transaction id or event name, in bytes.
const MaxText = 128

// Event is one conversion as received. Program, type and transaction id are its key: an event is booked once however
// often it comes in, and Hash tells whether it is the same event.
type Event struct {
	ProgramID int64 `json:"program_id,string"`
	Type      Type  `json:"type"`
	// TxnID is the merchant's id of this lead, sale or refund.
	TxnID string `json:"txn_id"`
	// RefTxnID is the TxnID of the sale (or lead) that a refund or rejection is about; empty: the same as TxnID.
	RefTxnID string `json:"ref_txn_id,omitempty"`
	// ClickID is verified by whoever made the event; zero: the conversion names no click.
	ClickID click.ID `json:"click_id,omitzero"`
	// Amount is required for a sale, absent for a lead and a rejection; a refund without one refunds all that is left.
	Amount *money.Amount `json:"amount,omitempty"`
	// Customer is who bought, as CustomerKey gives it, and Coupon the code that he used; both are optional, and serve the
	// attribution.
	Customer string `json:"customer,omitempty"`
	Coupon   string `json:"coupon,omitempty"`
	// Name is the merchant's name for the kind of event, such as "signup"; information only.
	Name string `json:"name,omitempty"`

	Channel    Channel `json:"channel"`
	ReceivedAt int64   `json:"received_at"` // Unix ms, when it was acknowledged
	Node       uint16  `json:"node,omitempty"`
}

// ErrInvalid is wrapped by every error of Validate.
var ErrInvalid = errors.New("invalid conversion")

// Validate checks what can be checked without a database.
func (e *Event) Validate() error {
	text := func(name, s string, required bool) error {
		switch {
		case s == "" && required:
			return fmt.Errorf("%w: %s is missing", ErrInvalid, name)
		case len(s) > MaxText:
			return fmt.Errorf("%w: %s is longer than %d bytes", ErrInvalid, name, MaxText)
		case !utf8.ValidString(s):
			return fmt.Errorf("%w: %s is not UTF-8", ErrInvalid, name)
		}
		for _, r := range s {
			if r < ' ' || r == 0x7f {
				return fmt.Errorf("%w: %s has a control character", ErrInvalid, name)
			}
		}
		return nil
	}
	if e.ProgramID <= 0 {
		return fmt.Errorf("%w: program is missing", ErrInvalid)
	}
	if err := errors.Join(text("txid", e.TxnID, true), text("ref_txid", e.RefTxnID, false), text("event", e.Name, false),
		text("customer", e.Customer, false), text("coupon", e.Coupon, false)); err != nil {
		return err
	}
	takesBack := e.Type == Refund || e.Type == Rejected
	switch e.Type {
	case Lead, Rejected:
		if e.Amount != nil {
			return fmt.Errorf("%w: a %s has no amount", ErrInvalid, e.Type)
		}
	case Sale:
		if e.Amount == nil {
			return fmt.Errorf("%w: a sale needs an amount", ErrInvalid)
		}
	case Refund:
	default:
		return fmt.Errorf("%w: type must be lead, sale, refund or rejected", ErrInvalid)
	}
	if e.RefTxnID != "" && !takesBack {
		return fmt.Errorf("%w: only a refund or rejection refers to another transaction", ErrInvalid)
	}
	if e.Amount != nil {
		if _, err := money.Decimals(e.Amount.Currency); err != nil {
			return fmt.Errorf("%w: %w", ErrInvalid, err)
		}
		if e.Amount.Minor < 0 || e.Amount.Minor > money.MaxMinor || e.Type == Refund && e.Amount.Minor == 0 {
			return fmt.Errorf("%w: %w", ErrInvalid, money.ErrRange)
		}
	}
	return nil
}

// Subject is the transaction that a refund or rejection is about.
func (e *Event) Subject() string {
	if e.RefTxnID != "" {
		return e.RefTxnID
	}
	return e.TxnID
}

// Hash is taken over what was said (not over when, where and by which channel it came in): two events with one key and
// one hash are the same event sent twice.
func (e *Event) Hash() [sha256.Size]byte {
	b := make([]byte, 0, 256)
	part := func(s string) {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	b = binary.BigEndian.AppendUint64(b, uint64(e.ProgramID))
	part(string(e.Type))
	part(e.TxnID)
	part(e.RefTxnID)
	b = append(b, e.ClickID[:]...)
	if e.Amount != nil {
		b = binary.BigEndian.AppendUint64(b, uint64(e.Amount.Minor))
		part(e.Amount.Currency)
	}
	// Later fields come with a name, and only where they are said: the hashes of events without them stay what they were.
	for _, f := range [...][2]string{{"customer", e.Customer}, {"coupon", e.Coupon}} {
		if f[1] != "" {
			part(f[0])
			part(f[1])
		}
	}
	return sha256.Sum256(b)
}

// Append appends the encoding for the spool: JSON, because a conversion is rare and an operator reads it when it matters.
func (e *Event) Append(dst []byte) ([]byte, error) {
	b, err := json.Marshal(e)
	if err != nil {
		return dst, fmt.Errorf("encode conversion: %w", err)
	}
	return append(dst, b...), nil
}

// Parse reverses Append and validates.
func Parse(b []byte) (Event, error) {
	var e Event
	if err := json.Unmarshal(b, &e); err != nil {
		return Event{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if err := e.Validate(); err != nil {
		return Event{}, err
	}
	return e, nil
}

// Outcome is what became of one event in the core.
type Outcome string

// Outcomes. All of them are final: an event with an outcome is not sent again.
const (
	Booked    Outcome = "booked"
	Duplicate Outcome = "duplicate" // the same event was booked before
	Conflict  Outcome = "conflict"  // the key was booked with other input; kept for review, nothing changed
	Refused   Outcome = "refused"   // can never be booked, for example a program that does not exist; kept for review
)

// Result is the outcome of one event, with its reason in plain words.
type Result struct {
	Outcome Outcome `json:"outcome"`
	Detail  string  `json:"detail,omitempty"`
}

package conversion

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/money"
)

func inr(minor int64) *money.Amount { return &money.Amount{Minor: minor, Currency: "INR"} }

func sale() Event {
	return Event{ProgramID: 1, Type: Sale, TxnID: "order-1", Amount: inr(100), Channel: Postback, ReceivedAt: 1}
}

func TestValidate(t *testing.T) {
	with := func(change func(*Event)) Event { e := sale(); change(&e); return e }
	for name, c := range map[string]struct {
		event Event
		want  string // "" for valid
	}{
		"sale":                    {sale(), ""},
		"free sale":               {with(func(e *Event) { e.Amount = inr(0) }), ""},
		"lead":                    {Event{ProgramID: 1, Type: Lead, TxnID: "l"}, ""},
		"whole refund":            {Event{ProgramID: 1, Type: Refund, TxnID: "order-1"}, ""},
		"part refund":             {Event{ProgramID: 1, Type: Refund, TxnID: "r", RefTxnID: "order-1", Amount: inr(1)}, ""},
		"no program":              {with(func(e *Event) { e.ProgramID = 0 }), "program"},
		"no transaction":          {with(func(e *Event) { e.TxnID = "" }), "txid is missing"},
		"long transaction":        {with(func(e *Event) { e.TxnID = strings.Repeat("x", MaxText+1) }), "longer"},
		"invalid UTF-8":           {with(func(e *Event) { e.TxnID = "\xff" }), "UTF-8"},
		"control character":       {with(func(e *Event) { e.Name = "a\nb" }), "control"},
		"unknown type":            {with(func(e *Event) { e.Type = "gift" }), "type must be"},
		"sale without amount":     {with(func(e *Event) { e.Amount = nil }), "needs an amount"},
		"lead with amount":        {with(func(e *Event) { e.Type = Lead }), "no amount"},
		"rejection with amount":   {with(func(e *Event) { e.Type = Rejected }), "no amount"},
		"sale that refers":        {with(func(e *Event) { e.RefTxnID = "x" }), "only a refund"},
		"unknown currency":        {with(func(e *Event) { e.Amount.Currency = "XYZ" }), "ISO 4217"},
		"negative amount":         {with(func(e *Event) { e.Amount = inr(-1) }), "range"},
		"amount beyond the limit": {with(func(e *Event) { e.Amount = inr(money.MaxMinor + 1) }), "range"},
		"refund of nothing":       {Event{ProgramID: 1, Type: Refund, TxnID: "r", Amount: inr(0)}, "range"},
	} {
		err := c.event.Validate()
		if c.want == "" && err != nil || c.want != "" && (!errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v; want %q", name, err, c.want)
		}
	}
}

func TestHashCoversWhatWasSaidOnly(t *testing.T) {
	base := sale()
	same := base
	same.Channel, same.ReceivedAt, same.Node, same.Name = Pixel, 99, 7, "other"
	if base.Hash() != same.Hash() {
		t.Error("channel, time, node or name changed the hash")
	}
	for name, change := range map[string]func(*Event){
		"program":  func(e *Event) { e.ProgramID++ },
		"type":     func(e *Event) { e.Type = Refund },
		"txn":      func(e *Event) { e.TxnID = "order-2" },
		"ref":      func(e *Event) { e.RefTxnID = "x" },
		"click":    func(e *Event) { e.ClickID[3] = 1 },
		"amount":   func(e *Event) { e.Amount = inr(101) },
		"currency": func(e *Event) { e.Amount = &money.Amount{Minor: 100, Currency: "USD"} },
		"none":     func(e *Event) { e.Amount = nil },
		"customer": func(e *Event) { e.Customer = "id:1" },
		"coupon":   func(e *Event) { e.Coupon = "id:1" },
		// Moving characters between neighbouring fields must not collide.
		"split": func(e *Event) { e.TxnID, e.RefTxnID = "order-", "1" },
	} {
		other := sale()
		change(&other)
		if other.Hash() == base.Hash() {
			t.Errorf("%s: same hash", name)
		}
	}
}

// What was booked before events had customers must be found again by the same hash.
func TestHashOfOldEventsStays(t *testing.T) {
	e := sale()
	if got := fmt.Sprintf("%x", e.Hash()); got != "63fe06a486761c2dbd4a9f57538eed31b72a5d0be4c07741af3a4633008a68e0" {
		t.Errorf("hash %s", got)
	}
}

func TestCustomerKey(t *testing.T) {
	const ann = "b5e0a3ee2ef6a7e5a9a50f0e7fe1ec5a3b2c7e1c1b2c0f2d8c7b8a9d0e1f2a3b"
	for text, want := range map[string]string{
		"": "", " ": "", "42": "id:42", "id:42": "id:42", ann: ann, strings.ToUpper(ann): ann,
		" Ann@Example.com ": CustomerKey("ann@example.com"),
	} {
		if got := CustomerKey(text); got != want || CustomerKey(got) != got {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if got := CustomerKey("a@b.co"); len(got) != 64 || strings.Contains(got, "@") {
		t.Errorf("an address became %q", got)
	}
}

func TestEncodingRoundTrip(t *testing.T) {
	k, err := click.NewKeyring(click.Key{ID: 1, Secret: bytes.Repeat([]byte{1}, 32)})
	if err != nil {
		t.Fatal(err)
	}
	e := sale()
	e.ClickID, e.Node, e.Name = k.Mint(time.Now(), 1, 2, 3), 4, "पहला"
	for _, want := range []Event{e, {ProgramID: 5, Type: Lead, TxnID: "<&>", Channel: Script}} {
		b, err := want.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Parse(b); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, %v; want %+v", got, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	e := sale()
	b, err := e.Append(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{}`))
	f.Add([]byte(`{"program_id":"1","type":"lead","txn_id":"a","click_id":"x"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := Parse(b)
		if err != nil {
			return
		}
		again, err := e.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := Parse(again); err != nil || !reflect.DeepEqual(back, e) {
			t.Fatalf("%+v, then %+v, %v", e, back, err)
		}
	})
}

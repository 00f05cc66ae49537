package trial

import (
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/edgeref/edgeref/bench/load"
	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/conversion"
	"github.com/edgeref/edgeref/wire/money"
)

// Shares of the postbacks: what is no lead, no duplicate and no refund is a sale.
const (
	leadShare      = 0.20
	duplicateShare = 0.10
	refundShare    = 0.05
)

// keptEvents bounds how many acknowledged events are kept to be sent again or refunded; maxAcks those that are kept to be
// compared with the list of conversions, 16 bytes each.
const (
	keptEvents = 1024
	maxAcks    = 10_000_000
)

// event is one postback.
type event struct {
	n         uint64 // of the request that was the first to tell of it
	kind      conversion.Type
	txn, ref  string
	click     click.ID
	minor     int64 // of the sale, also for its refund
	duplicate bool  // has been acknowledged before
}

// converter makes postbacks of clicks that were answered, and reckons what must be booked. It is safe for concurrent use
// by one generator and resend.
type converter struct {
	host     string
	world    *world
	tally    *tally
	patient  bool      // what has no answer, or 5xx, is not over: it is sent again
	each     bool      // keep which events were acknowledged
	timeline *timeline // nil: none

	mu      sync.Mutex
	pending map[uint64]event // by number of the request; at most one a connection
	acked   []event          // sales and leads, overwritten in turn
	nth     int
	sales   []event // not refunded, at most keptEvents
	acks    []ack   // with each, at most maxAcks

	open         map[uint64]*openEvent // by event.n
	unsure       int64                 // attempts without an answer that may have been taken
	resent, late int64                 // attempts by resend, events acknowledged after an attempt without an answer

	booked     booked
	duplicates int64
	refused    map[int]int64 // by status
}

// ack is an event that was acknowledged, and when.
type ack struct {
	n    uint64
	unix int64
}

// booked is what the acknowledged events come to.
type booked struct {
	Leads, Sales, Refunds int64
	Revenue, Commission   int64 // minor units
}

func newConverter(host string, w *world, t *tally) *converter {
	return &converter{host: host, world: w, tally: t, pending: map[uint64]event{}, open: map[uint64]*openEvent{}, refused: map[int]int64{}}
}

// request appends postback n.
func (c *converter) request(dst []byte, n uint64) []byte {
	c.mu.Lock()
	e := c.event(n)
	c.pending[n] = e
	c.mu.Unlock()
	return c.append(dst, &e)
}

// append appends the request that tells of an event.
func (c *converter) append(dst []byte, e *event) []byte {
	dst = append(dst, "GET /postback?status="...)
	dst = append(dst, e.kind...)
	dst = append(dst, "&txid="...)
	dst = append(dst, e.txn...)
	switch {
	case e.kind == conversion.Refund:
		dst = append(dst, "&program="...)
		dst = append(dst, c.world.program.id...)
		dst = append(dst, "&ref_txid="...)
		dst = append(dst, e.ref...)
	case e.click.IsZero():
		dst = append(dst, "&program="...)
		dst = append(dst, c.world.program.id...)
	default:
		dst = append(dst, "&click_id="...)
		dst = e.click.Append(dst)
	}
	if e.kind == conversion.Sale {
		dst = append(dst, "&amount="...)
		dst = append(dst, money.Amount{Minor: e.minor, Currency: currency}.Decimal()...)
	}
	dst = append(dst, " HTTP/1.1\r\nHost: "...)
	dst = append(dst, c.host...)
	dst = append(dst, "\r\nAuthorization: Bearer "...)
	dst = append(dst, c.world.program.secret...)
	return append(dst, "\r\n\r\n"...)
}

func (c *converter) event(n uint64) event {
	d := draw(n, drawConvert)
	share := float64(d>>11) / (1 << 53)
	txn := c.world.run + "-" + strconv.FormatUint(n, 10)
	switch {
	case share < duplicateShare && len(c.acked) > 0:
		e := c.acked[d%uint64(len(c.acked))]
		e.duplicate = true
		return e
	case share < duplicateShare+refundShare && len(c.sales) > 0:
		sale := c.sales[len(c.sales)-1]
		c.sales = c.sales[:len(c.sales)-1]
		return event{n: n, kind: conversion.Refund, txn: txn, ref: sale.txn, minor: sale.minor, click: sale.click}
	}
	id, _ := c.tally.pick(d >> 7)
	if share > 1-leadShare {
		return event{n: n, kind: conversion.Lead, txn: txn, click: id}
	}
	return event{n: n, kind: conversion.Sale, txn: txn, click: id, minor: priceStep * (100 + int64(d>>13%1000))}
}

// take counts one answer.
func (c *converter) take(a load.Answer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.pending[a.N]
	delete(c.pending, a.N)
	c.answered(e, a.Status)
}

// failed counts a request without an answer.
func (c *converter) failed(f load.Failure) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.pending[f.N]
	delete(c.pending, f.N)
	c.unanswered(e, f.Why, f.Sent)
}

// answered counts an answer to an attempt. c.mu is held, also for the next three.
func (c *converter) answered(e event, status int) {
	switch {
	case status == 200:
		c.acknowledge(e)
	case c.patient && status >= 500:
		c.unanswered(e, fmt.Sprintf("answered %d", status), true)
	default:
		c.refused[status]++
		if o := c.open[e.n]; o != nil && !e.duplicate {
			o.given = true
		}
	}
}

func (c *converter) unanswered(e event, why string, sent bool) {
	c.timeline.unanswered("postbacks", why)
	if sent {
		c.unsure++
	}
	if e.duplicate {
		return // it changes nothing, taken or not
	}
	o := c.open[e.n]
	if o == nil {
		o = &openEvent{event: e}
		c.open[e.n] = o
	}
	o.tries++
	o.maybe = o.maybe || sent
	o.next = time.Now().Add(delay(o.tries))
}

func (c *converter) acknowledge(e event) {
	if e.duplicate {
		c.duplicates++
		return
	}
	if c.open[e.n] != nil {
		delete(c.open, e.n)
		c.late++
	}
	now := time.Now().Unix()
	c.timeline.at(now, func(m *Moment) { m.Conversions++ })
	if c.each && len(c.acks) < maxAcks {
		c.acks = append(c.acks, ack{e.n, now})
	}
	c.booked.add(&e)
	if e.kind == conversion.Refund {
		return // it is not sent twice
	}
	if e.kind == conversion.Sale && len(c.sales) < keptEvents {
		c.sales = append(c.sales, e)
	}
	if len(c.acked) < keptEvents {
		c.acked = append(c.acked, e)
		return
	}
	c.acked[c.nth%keptEvents] = e
	c.nth++
}

// add counts an event.
func (b *booked) add(e *event) {
	commission := e.minor * sharePoint / 10_000
	if e.kind == conversion.Lead {
		commission = leadFlat
	}
	if e.click.IsZero() {
		commission = 0 // nobody referred it
	}
	switch e.kind {
	case conversion.Lead:
		b.Leads++
		b.Commission += commission
	case conversion.Sale:
		b.Sales++
		b.Revenue += e.minor
		b.Commission += commission
	case conversion.Refund:
		b.Refunds++
		b.Revenue -= e.minor
		b.Commission -= commission
	}
}

// maybe is what may be booked beside what was acknowledged: what it adds, and what its refunds take.
func (c *converter) maybe() (more, less booked) {
	for _, o := range c.open {
		switch {
		case !o.maybe:
		case o.kind == conversion.Refund:
			less.add(&o.event)
		default:
			more.add(&o.event)
		}
	}
	return more, less
}

// acknowledged is how many events were, first ones and duplicates.
func (c *converter) acknowledged() int64 {
	return c.booked.Leads + c.booked.Sales + c.booked.Refunds + c.duplicates
}

func (b booked) String() string {
	return fmt.Sprintf("%d leads, %d sales, %d refunds, revenue %d, commission %d (minor units)", b.Leads, b.Sales, b.Refunds, b.Revenue, b.Commission)
}

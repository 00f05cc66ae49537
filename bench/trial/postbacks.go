package trial

import (
	"fmt"
	"strconv"

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

// keptEvents bounds how many acknowledged events are kept to be sent again or refunded.
const keptEvents = 1024

// event is one postback.
type event struct {
	kind      conversion.Type
	txn, ref  string
	click     click.ID
	minor     int64 // of the sale, also for its refund
	duplicate bool  // has been acknowledged before
}

// converter makes postbacks of clicks that were answered, and reckons what must be booked. Its methods run on the thread
// of one generator.
type converter struct {
	host    string
	world   *world
	tally   *tally
	pending map[uint64]event // by number of the request; at most one a connection
	acked   []event          // sales and leads, overwritten in turn
	nth     int
	sales   []event // not refunded, at most keptEvents

	booked     booked
	duplicates int64
	refused    map[int]int64 // by status
}

// booked is what the acknowledged events come to.
type booked struct {
	Leads, Sales, Refunds int64
	Revenue, Commission   int64 // minor units
}

func newConverter(host string, w *world, t *tally) *converter {
	return &converter{host: host, world: w, tally: t, pending: map[uint64]event{}, refused: map[int]int64{}}
}

// request appends postback n.
func (c *converter) request(dst []byte, n uint64) []byte {
	e := c.event(n)
	c.pending[n] = e
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
		return event{kind: conversion.Refund, txn: txn, ref: sale.txn, minor: sale.minor, click: sale.click}
	}
	id, _ := c.tally.pick(d >> 7)
	if share > 1-leadShare {
		return event{kind: conversion.Lead, txn: txn, click: id}
	}
	return event{kind: conversion.Sale, txn: txn, click: id, minor: priceStep * (100 + int64(d>>13%1000))}
}

// take counts one answer.
func (c *converter) take(a load.Answer) {
	e := c.pending[a.N]
	delete(c.pending, a.N)
	if a.Status != 200 {
		c.refused[a.Status]++
		return
	}
	if e.duplicate {
		c.duplicates++
		return
	}
	commission := e.minor * sharePoint / 10_000
	if e.kind == conversion.Lead {
		commission = leadFlat
	}
	if e.click.IsZero() {
		commission = 0 // nobody referred it
	}
	switch e.kind {
	case conversion.Lead:
		c.booked.Leads++
		c.booked.Commission += commission
	case conversion.Sale:
		c.booked.Sales++
		c.booked.Revenue += e.minor
		c.booked.Commission += commission
		if len(c.sales) < keptEvents {
			c.sales = append(c.sales, e)
		}
	case conversion.Refund:
		c.booked.Refunds++
		c.booked.Revenue -= e.minor
		c.booked.Commission -= commission
		return // a refund is not sent again
	}
	if len(c.acked) < keptEvents {
		c.acked = append(c.acked, e)
		return
	}
	c.acked[c.nth%keptEvents] = e
	c.nth++
}

// acknowledged is how many events were, first ones and duplicates.
func (c *converter) acknowledged() int64 {
	return c.booked.Leads + c.booked.Sales + c.booked.Refunds + c.duplicates
}

func (b booked) String() string {
	return fmt.Sprintf("%d leads, %d sales, %d refunds, revenue %d, commission %d (minor units)", b.Leads, b.Sales, b.Refunds, b.Revenue, b.Commission)
}

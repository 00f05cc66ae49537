package shop

import (
	"errors"

	"github.com/edgeref/edgeref/wire/money"
)

// Arithmetic of an order, in this order, each step rounded once, half away from zero:
//
//  1. The list price of each line. A bundle's price is split over its parts in the ratio of their own prices.
//  2. The discount, of the sum of the lines that the coupon is for, split over them in the ratio of their prices.
//  3. The tax of each line, out of or on top of what is left, as the price says. Its halves for CGST and SGST are the tax
//     split in two, so they may differ by one minor unit.
//
// What is split always sums to the whole.

// Line is one line of an order. Amounts are minor units of the order's currency.
type Line struct {
	ID          int64
	ProductID   int64
	BundleID    int64 // the bundle whose part it is; 0: none
	Name, SKU   string
	TaxCode     string // HSN or SAC
	TaxBP       int64
	TaxIncluded bool // List includes tax
	Earns       bool // it is of the program of the order
	HoldDays    int  // NoHold: that of the program
	List        int64
	Discount    int64
	Net         int64 // without tax, after the discount
	Tax
	Gross        int64 // Net + Tax.Total
	Entitlements []string

	eligible bool // for the coupon
}

// Tax is a tax and what it consists of: CGST and SGST, IGST, or nothing apart.
type Tax struct{ Total, CGST, SGST, IGST int64 }

func (t Tax) minus(o Tax) Tax {
	return Tax{t.Total - o.Total, t.CGST - o.CGST, t.SGST - o.SGST, t.IGST - o.IGST}
}

func (t Tax) plus(o Tax) Tax {
	return Tax{t.Total + o.Total, t.CGST + o.CGST, t.SGST + o.SGST, t.IGST + o.IGST}
}

// Totals are the sums over the lines.
type Totals struct {
	List, Discount, Net int64
	Tax
	Gross int64
}

var errTotalRange = errors.New("the total is out of range")

// discount takes the coupon off the lines that it is for, and returns what it came to.
func discount(lines []Line, c *Coupon, currency string) int64 {
	weights := make([]int64, len(lines))
	var sum int64
	for i := range lines {
		if lines[i].eligible {
			weights[i] = lines[i].List
			sum += weights[i]
		}
	}
	off := min(c.Amounts[currency], sum)
	if c.PercentBP > 0 {
		off = ratio(sum, c.PercentBP, 10_000)
	}
	for i, part := range split(off, weights) {
		lines[i].Discount = part
	}
	return off
}

// tax sets net, tax and gross of a line from its price and discount.
func (l *Line) tax(kind TaxKind) {
	left, bp := l.List-l.Discount, l.TaxBP
	if kind == NoTax || kind == Export {
		bp = 0
	}
	l.Tax = Tax{}
	if l.TaxIncluded {
		l.Tax.Total = ratio(left, bp, 10_000+bp)
		l.Net = left - l.Tax.Total
	} else {
		l.Tax.Total = ratio(left, bp, 10_000)
		l.Net = left
	}
	l.Gross = l.Net + l.Tax.Total
	switch kind {
	case IntraState:
		l.CGST = l.Tax.Total / 2
		l.SGST = l.Tax.Total - l.CGST
	case InterState:
		l.IGST = l.Tax.Total
	case NoTax, SingleTax, Export:
	}
}

// sum adds the lines up.
func sum(lines []Line) (t Totals, err error) {
	for i := range lines {
		l := &lines[i]
		t.List += l.List
		t.Discount += l.Discount
		t.Net += l.Net
		t.Tax = t.Tax.plus(l.Tax)
		t.Gross += l.Gross
		if t.List > money.MaxMinor || t.Gross > money.MaxMinor {
			return Totals{}, errTotalRange
		}
	}
	return t, nil
}

// refundShare is what net and tax a refund of gross takes of a line of which so much is left. What is left after any
// sequence of refunds is never negative, and the refund that leaves nothing takes all.
func refundShare(gross int64, left Left) (net int64, tax Tax) {
	tax.Total = ratio(left.Tax.Total, gross, left.Gross)
	tax.CGST = ratio(left.CGST, tax.Total, left.Tax.Total)
	tax.IGST = ratio(left.IGST, tax.Total, left.Tax.Total)
	if left.CGST+left.SGST > 0 {
		tax.SGST = tax.Total - tax.CGST - tax.IGST
	}
	return gross - tax.Total, tax
}

// Left is what is left of a line to refund. Reserved is the part of Gross that refunds under way may take.
type Left struct {
	Gross, Net int64
	Tax
	Reserved int64
}

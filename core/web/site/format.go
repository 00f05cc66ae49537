package site

import (
	"fmt"
	"strings"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/number"

	"github.com/edgeref/edgeref/wire/money"
)

// format writes amounts and dates as people of a place do.
type format struct {
	printer *message.Printer
	zone    *time.Location
}

func newFormat(tag language.Tag, zone *time.Location) format {
	return format{printer: message.NewPrinter(tag), zone: zone}
}

// money is an amount as in ₹1,49,900.00. Whole amounts of brief ones lose their decimals.
func (f format) money(a money.Amount) string { return f.amount(a, false) }

// brief is for price tags: ₹1,49,900.
func (f format) brief(a money.Amount) string { return f.amount(a, true) }

func (f format) amount(a money.Amount, brief bool) string {
	text := a.Decimal()
	sign := ""
	if rest, negative := strings.CutPrefix(text, "-"); negative {
		sign, text = "−", rest
	}
	whole, fraction, _ := strings.Cut(text, ".")
	var n int64
	for _, digit := range whole {
		n = n*10 + int64(digit-'0') // at most 10^15 minor units
	}
	out := f.printer.Sprint(number.Decimal(n))
	if fraction != "" && (!brief || strings.Trim(fraction, "0") != "") {
		out += "." + fraction
	}
	return sign + symbol(a.Currency) + out
}

// symbol of a currency, or its code.
func symbol(currency string) string {
	switch currency {
	case "INR":
		return "₹"
	case "USD":
		return "$"
	case "EUR":
		return "€"
	case "GBP":
		return "£"
	case "AED", "AUD", "CAD", "SGD":
	}
	return currency + "\u00a0"
}

// date is as in 24 November 2026.
func (f format) date(millis int64) string {
	return time.UnixMilli(millis).In(f.zone).Format("2 January 2006")
}

// moment is as in 24 November 2026, 2:21 pm IST.
func (f format) moment(millis int64) string {
	return time.UnixMilli(millis).In(f.zone).Format("2 January 2006, 3:04 pm MST")
}

// rate is a share of basis points as in 18% or 2.5%.
func (f format) rate(bp int64) string {
	text := fmt.Sprintf("%d.%02d", bp/100, bp%100)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".") + "%"
}

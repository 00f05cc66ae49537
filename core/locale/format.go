package locale

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/number"

	"github.com/edgeref/edgeref/wire/money"
)

// Format writes for readers of one locale, in one time zone. It is safe for concurrent use. Signs and symbols stand before
// the number.
type Format struct {
	printer  *message.Printer
	digits   [10]string
	point    string // between whole and fraction
	calendar calendar
	zone     *time.Location
}

// New returns the format of a locale. Moments are shown in zone and name it; nil is UTC.
func New(tag language.Tag, zone *time.Location) Format {
	if zone == nil {
		zone = time.UTC
	}
	f := Format{printer: message.NewPrinter(tag), calendar: calendarOf(tag), zone: zone}
	for i := range f.digits {
		f.digits[i] = f.printer.Sprint(number.Decimal(i))
	}
	half := f.printer.Sprint(number.Decimal(1.5))
	f.point = strings.TrimSuffix(strings.TrimPrefix(half, f.digits[1]), f.digits[5])
	return f
}

// Money is an amount as in ₹1,49,900.00.
func (f Format) Money(a money.Amount) string {
	sign, text := f.split(a, false)
	return sign + symbol(a.Currency) + text
}

// Brief is for price tags: whole amounts lose their decimals, ₹1,49,900.
func (f Format) Brief(a money.Amount) string {
	sign, text := f.split(a, true)
	return sign + symbol(a.Currency) + text
}

// Coded is an amount with the code of its currency, as in INR 1,49,900.00: for mails and documents, where symbols get lost.
func (f Format) Coded(a money.Amount) string { return a.Currency + " " + f.Plain(a) }

// Plain is an amount without its currency, which is said elsewhere: 1,49,900.00.
func (f Format) Plain(a money.Amount) string {
	sign, text := f.split(a, false)
	return sign + text
}

// split is the sign of an amount and its digits, in groups. Exact: no amount passes through a fraction.
func (f Format) split(a money.Amount, brief bool) (sign, text string) {
	text = a.Decimal()
	if rest, negative := strings.CutPrefix(text, "-"); negative {
		sign, text = "−", rest
	}
	whole, fraction, _ := strings.Cut(text, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil {
		return "", a.Decimal() // cannot happen: it is an int64 of minor units
	}
	text = f.printer.Sprint(number.Decimal(n))
	if fraction != "" && (!brief || strings.Trim(fraction, "0") != "") {
		text += f.point
		for _, digit := range fraction {
			text += f.digits[digit-'0']
		}
	}
	return sign, text
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
	}
	return currency + "\u00a0"
}

// Date is as in 24 November 2026.
func (f Format) Date(millis int64) string {
	t := time.UnixMilli(millis).In(f.zone)
	return strings.NewReplacer("{day}", strconv.Itoa(t.Day()), "{month}", f.calendar.months[t.Month()-1], "{year}", strconv.Itoa(t.Year())).Replace(f.calendar.date)
}

// Moment is as in 24 November 2026, 2:21 pm IST.
func (f Format) Moment(millis int64) string {
	t := time.UnixMilli(millis).In(f.zone)
	half := f.calendar.halves[t.Hour()/12]
	return strings.NewReplacer("{date}", f.Date(millis), "{clock}", t.Format("3:04"), "{half}", half, "{zone}", t.Format("MST")).Replace(f.calendar.moment)
}

// Rate is a share of basis points as in 18% or 2.5%.
func (f Format) Rate(bp int64) string {
	text := fmt.Sprintf("%d.%02d", bp/100, bp%100)
	return strings.Replace(strings.TrimSuffix(strings.TrimRight(text, "0"), "."), ".", f.point, 1) + "%"
}

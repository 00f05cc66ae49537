package locale_test

import (
	"testing"
	"time"

	"golang.org/x/text/language"

	"github.com/edgeref/edgeref/core/locale"
	"github.com/edgeref/edgeref/wire/money"
)

func TestMoney(t *testing.T) {
	for _, tt := range []struct {
		tag, currency      string
		minor              int64
		full, brief, coded string
	}{
		{"en-IN", "INR", 14990000, "₹1,49,900.00", "₹1,49,900", "INR 1,49,900.00"},
		{"en-IN", "INR", 14990050, "₹1,49,900.50", "₹1,49,900.50", "INR 1,49,900.50"},
		{"en-IN", "INR", 10000000, "₹1,00,000.00", "₹1,00,000", "INR 1,00,000.00"},
		{"hi-IN", "INR", 14990050, "₹1,49,900.50", "₹1,49,900.50", "INR 1,49,900.50"},
		{"en-IN", "INR", -99980, "−₹999.80", "−₹999.80", "INR −999.80"},
		{"en-IN", "INR", 5, "₹0.05", "₹0.05", "INR 0.05"},
		{"en-IN", "INR", 0, "₹0.00", "₹0", "INR 0.00"},
		{"en-IN", "INR", money.MaxMinor, "₹1,00,00,00,00,00,000.00", "₹1,00,00,00,00,00,000", "INR 1,00,00,00,00,00,000.00"},
		{"en-US", "USD", 123456789, "$1,234,567.89", "$1,234,567.89", "USD 1,234,567.89"},
		{"en-IN", "JPY", 1234567, "JPY\u00a012,34,567", "JPY\u00a012,34,567", "JPY 12,34,567"},
		{"en-GB", "KWD", 1234567, "KWD\u00a01,234.567", "KWD\u00a01,234.567", "KWD 1,234.567"},
		{"de-DE", "EUR", 123456789, "€1.234.567,89", "€1.234.567,89", "EUR 1.234.567,89"},
		{"hi-IN-u-nu-deva", "INR", 14990050, "₹१,४९,९००.५०", "₹१,४९,९००.५०", "INR १,४९,९००.५०"},
	} {
		f := locale.New(language.MustParse(tt.tag), time.UTC)
		a := money.Amount{Minor: tt.minor, Currency: tt.currency}
		if full, brief, coded := f.Money(a), f.Brief(a), f.Coded(a); full != tt.full || brief != tt.brief || coded != tt.coded {
			t.Errorf("%s in %s: %q, %q, %q; want %q, %q, %q", a, tt.tag, full, brief, coded, tt.full, tt.brief, tt.coded)
		}
	}
}

func TestRate(t *testing.T) {
	f := locale.New(language.English, time.UTC)
	for bp, want := range map[int64]string{1800: "18%", 900: "9%", 250: "2.5%", 25: "0.25%", 0: "0%", 10_000: "100%"} {
		if got := f.Rate(bp); got != want {
			t.Errorf("%d: %q, want %q", bp, got, want)
		}
	}
}

func TestDates(t *testing.T) {
	ist := time.FixedZone("IST", 5*3600+1800)
	at := time.Date(2026, 11, 24, 20, 30, 0, 0, time.UTC)
	for _, tt := range []struct {
		zone        *time.Location
		at          time.Time
		day, moment string
	}{
		{ist, at, "25 November 2026", "25 November 2026, 2:00 am IST"},
		{nil, at, "24 November 2026", "24 November 2026, 8:30 pm UTC"},
		{time.UTC, at.Add(3*time.Hour + 35*time.Minute), "25 November 2026", "25 November 2026, 12:05 am UTC"},
		{time.UTC, at.Add(-8 * time.Hour), "24 November 2026", "24 November 2026, 12:30 pm UTC"},
	} {
		f := locale.New(language.English, tt.zone)
		if day, moment := f.Date(tt.at.UnixMilli()), f.Moment(tt.at.UnixMilli()); day != tt.day || moment != tt.moment {
			t.Errorf("%v: %q, %q", tt.at, day, moment)
		}
	}
}

func TestPlural(t *testing.T) {
	english := locale.Plural{One: "an hour", Other: "%d hours"}
	polish := locale.Plural{One: "%d godzina", Few: "%d godziny", Many: "%d godzin", Other: "%d godziny"}
	for _, tt := range []struct {
		text locale.Plural
		tag  string
		n    int
		want string
	}{
		{english, "en-IN", 0, "0 hours"}, {english, "en-IN", 1, "an hour"}, {english, "en-IN", 2, "2 hours"},
		{english, "hi", 0, "an hour"}, // Hindi counts nought as one
		{polish, "pl", 1, "1 godzina"}, {polish, "pl", 3, "3 godziny"}, {polish, "pl", 5, "5 godzin"}, {polish, "pl", 22, "22 godziny"},
		{locale.Plural{Other: "%d"}, "pl", 1, "1"},
	} {
		if got := tt.text.Of(language.MustParse(tt.tag), tt.n); got != tt.want {
			t.Errorf("%d in %s: %q, want %q", tt.n, tt.tag, got, tt.want)
		}
	}
}

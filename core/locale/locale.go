// Package locale writes amounts, numbers and dates as readers of a place do. Which texts there are in which language is
// the business of whoever has them.
package locale

import (
	"fmt"
	"strings"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

// Default is the locale of who has named none: the business is Indian, and English without a region says nothing about
// digits.
func Default() language.Tag { return language.MustParse("en-IN") }

// Plural is a text in the forms that a language has for numbers (CLDR's). Forms that it has not stay empty; Other never
// does. The number stands in it as %d, or not at all.
type Plural struct{ Zero, One, Two, Few, Many, Other string }

// Of is the text for n.
func (p Plural) Of(tag language.Tag, n int) string {
	text := ""
	switch plural.Cardinal.MatchPlural(tag, n, 0, 0, 0, 0) {
	case plural.Zero:
		text = p.Zero
	case plural.One:
		text = p.One
	case plural.Two:
		text = p.Two
	case plural.Few:
		text = p.Few
	case plural.Many:
		text = p.Many
	case plural.Other:
	}
	if text == "" {
		text = p.Other
	}
	if !strings.Contains(text, "%") {
		return text
	}
	return fmt.Sprintf(text, n)
}

// calendar is how a language writes dates and times.
type calendar struct {
	months       [12]string
	date, moment string    // with {day}, {month}, {year}; with {date}, {clock}, {half}, {zone}
	halves       [2]string // of the day
}

// calendarOf is English where a language has none here yet.
func calendarOf(language.Tag) calendar {
	return calendar{
		months: [12]string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
		date:   "{day} {month} {year}", moment: "{date}, {clock} {half} {zone}", halves: [2]string{"am", "pm"},
	}
}

package shop

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/edgeref/edgeref/wire/money"
)

// Limits of the input, in bytes where nothing else is said.
const (
	maxSlug         = 96
	maxName         = 255
	maxDescription  = 20_000
	maxSKU          = 64
	maxTaxCode      = 16
	maxPrices       = 30 // currencies
	maxFiles        = 50
	maxFileKey      = 512
	maxEntitlements = 20 // of a product
	maxEntitlement  = 64
	maxParts        = 20 // of a bundle
	maxHoldDays     = 365
	maxCode         = 40
	maxProducts     = 200 // of a coupon
	maxAddress      = 500
	maxRegion       = 64
	maxItems        = 20 // of an order
	maxTouches      = 10
	maxReason       = 255
	maxNote         = 1000
)

// checker collects what is wrong.
type checker struct{ fields []FieldError }

func (c *checker) fail(field, format string, args ...any) {
	c.fields = append(c.fields, FieldError{Field: field, Reason: fmt.Sprintf(format, args...)})
}

func (c *checker) err() error {
	if len(c.fields) == 0 {
		return nil
	}
	return &InvalidError{Fields: c.fields}
}

// line checks one line of text; an empty one is refused where it is required.
func (c *checker) line(field, s string, limit int, required bool) {
	switch {
	case required && strings.TrimSpace(s) == "":
		c.fail(field, "is empty")
	case len(s) > limit:
		c.fail(field, "is longer than %d bytes", limit)
	case !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }):
		c.fail(field, "holds characters that are not text")
	}
}

// text is line, with line breaks.
func (c *checker) text(field, s string, limit int) {
	c.line(field, strings.NewReplacer("\n", "", "\r", "", "\t", "").Replace(s), limit, false)
	if len(s) > limit {
		c.line(field, s[:0], limit, false)
		c.fail(field, "is longer than %d bytes", limit)
	}
}

// name checks something that is written in URLs and code: lower-case letters, digits and the characters of more.
func (c *checker) name(field, s string, limit int, more string) {
	bad := strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && !strings.ContainsRune(more, r)
	})
	if s == "" || len(s) > limit || bad {
		c.fail(field, "must have 1 to %d characters of a-z 0-9 %s", limit, strings.Join(strings.Split(more, ""), " "))
	}
}

// prices checks amounts by currency.
func (c *checker) prices(field string, prices map[string]int64, least int64) {
	if len(prices) > maxPrices {
		c.fail(field, "has more than %d currencies", maxPrices)
	}
	for currency, minor := range prices {
		if _, err := money.Decimals(currency); err != nil {
			c.fail(field, "has a currency that is not an ISO 4217 code in upper case")
			return
		}
		if minor < least || minor > money.MaxMinor {
			c.fail(field, "must be %d to %d minor units", least, int64(money.MaxMinor))
			return
		}
	}
}

func country(s string) bool { return like(s, "AA") }

// encode is JSON for a column; v can always be encoded.
func encode(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic("BUG: encode column: " + err.Error())
	}
	return string(b)
}

// decodeAll reads columns that encode wrote: text, target, text, target...
func decodeAll(pairs ...any) error {
	for i := 0; i+1 < len(pairs); i += 2 {
		text, _ := pairs[i].(string)
		if err := json.Unmarshal([]byte(text), pairs[i+1]); err != nil {
			return fmt.Errorf("decode column: %w", err)
		}
	}
	return nil
}

func distinct[T comparable](items []T) bool {
	for i := range items {
		if slices.Contains(items[:i], items[i]) {
			return false
		}
	}
	return true
}

package site

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/language"

	"github.com/edgeref/edgeref/core/db"
)

// Limits of the settings, in bytes where nothing else is said.
const (
	MaxName     = 80
	MaxHeadline = 200
	MaxText     = 20_000
	MaxLegal    = 120_000 // one legal page
	MaxFeatured = 12      // products
	maxEmail    = 254
	// MinContrast is what the accent colour must have with white: text in white stands on it, and text in it on white
	// (WCAG 2.2, 1.4.3).
	MinContrast = 4.5
)

type checker struct{ fields []FieldError }

func (c *checker) fail(field, format string, args ...any) {
	c.fields = append(c.fields, FieldError{field, fmt.Sprintf(format, args...)})
}

func (c *checker) err() error {
	if len(c.fields) == 0 {
		return nil
	}
	return &InvalidError{c.fields}
}

// text checks a text; line breaks are allowed where lines is set.
func (c *checker) text(field, s string, limit int, lines bool) {
	bad := func(r rune) bool { return r < ' ' && (!lines || r != '\n' && r != '\r' && r != '\t') || r == 0x7f }
	switch {
	case len(s) > limit:
		c.fail(field, "is longer than %d bytes", limit)
	case !utf8.ValidString(s) || strings.ContainsFunc(s, bad):
		c.fail(field, "holds characters that are not text")
	}
}

func (v *Settings) check() error {
	var c checker
	if strings.TrimSpace(v.Name) == "" {
		c.fail("name", "is empty")
	}
	c.text("name", v.Name, MaxName, false)
	c.text("headline", v.Headline, MaxHeadline, false)
	c.text("text", v.Text, MaxText, true)
	c.text("terms", v.Terms, MaxLegal, true)
	c.text("privacy", v.Privacy, MaxLegal, true)
	c.text("refund", v.Refund, MaxLegal, true)
	c.text("contact", v.Contact, MaxLegal, true)
	if len(v.Featured) > MaxFeatured || len(slices.Compact(slices.Sorted(slices.Values(v.Featured)))) != len(v.Featured) {
		c.fail("featured_product_ids", "must be at most %d different products", MaxFeatured)
	}
	if a, err := mail.ParseAddress(v.SupportEmail); v.SupportEmail != "" && (err != nil || a.Name != "" || a.Address != v.SupportEmail || len(v.SupportEmail) > maxEmail) {
		c.fail("support_email", "must be an address, as in help@example.com")
	}
	switch ratio, ok := ContrastWithWhite(v.Accent); {
	case !ok:
		c.fail("accent", "must be a colour as in #1b5fc1")
	case ratio < MinContrast:
		c.fail("accent", "is too light: its contrast with white is %.2f, and must be %.1f at least for text to be readable", ratio, MinContrast)
	}
	if tag, err := language.Parse(v.Locale); err != nil || tag.String() != v.Locale {
		c.fail("locale", "must be a language tag, as in en-IN")
	}
	return c.err()
}

// checkReferences validates against the database.
func (v *Settings) checkReferences(ctx context.Context, q db.Querier) error {
	var c checker
	if v.HeroImage != 0 {
		switch m, err := readMedia(ctx, q, v.HeroImage); {
		case errors.Is(err, ErrNotFound):
			c.fail("hero_image_id", "there is no such picture")
		case err != nil:
			return err
		case !m.IsPicture():
			c.fail("hero_image_id", "is no picture")
		}
	}
	if len(v.Featured) > 0 {
		args := make([]any, len(v.Featured))
		for i, id := range v.Featured {
			args[i] = id
		}
		var n int
		if err := q.QueryRow(ctx, "SELECT COUNT(*) FROM products WHERE id IN "+db.In(len(args)), args...).Scan(&n); err != nil {
			return fmt.Errorf("read products: %w", err)
		}
		if n != len(args) {
			c.fail("featured_product_ids", "has one that is no product")
		}
	}
	return c.err()
}

// ContrastWithWhite is the contrast ratio (1 to 21, WCAG 2.2) of white and a colour written as #rrggbb in lower case.
func ContrastWithWhite(colour string) (ratio float64, ok bool) {
	if len(colour) != 7 || colour[0] != '#' || strings.Trim(colour[1:], "0123456789abcdef") != "" {
		return 0, false
	}
	luminance := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(colour[1+2*i:3+2*i], 16, 8)
		if err != nil {
			return 0, false
		}
		part := float64(n) / 255
		if part <= 0.04045 {
			part /= 12.92
		} else {
			part = math.Pow((part+0.055)/1.055, 2.4)
		}
		luminance += weight * part
	}
	return 1.05 / (luminance + 0.05), true
}

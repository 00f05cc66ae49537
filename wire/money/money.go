// Package money holds amounts of money: int64 minor units and an ISO 4217 currency, never a float.
//
// Rounding, for the whole system: a share (BasisPoints, Ratio) is rounded half away from zero, once, on the final product.
// Where parts must sum to a whole, Split cuts them by largest remainder, so nothing is lost or made. A limit is rounded
// towards zero (Limit), so it is never exceeded.
package money

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"

	"golang.org/x/text/currency"
)

// Errors of this package, for errors.Is.
var (
	ErrCurrency  = errors.New("not an ISO 4217 currency that can be booked")
	ErrSyntax    = errors.New("not a decimal amount")
	ErrNegative  = errors.New("amount is negative")
	ErrPrecision = errors.New("amount has more decimals than the currency")
	ErrRange     = errors.New("amount is out of range")
	ErrMixed     = errors.New("amounts are in different currencies")
)

// MaxMinor bounds a single amount, in minor units: far above any sale, far below where sums could overflow int64.
const MaxMinor = 1_000_000_000_000_000

// Amount is a number of minor units of a currency. The zero Amount has no currency and means "none".
type Amount struct {
	Minor    int64  `json:"minor" doc:"Minor units, for example cents or paise"`
	Currency string `json:"currency" doc:"ISO 4217 code" example:"INR" minLength:"3" maxLength:"3"`
}

// Decimals returns how many decimals the currency has in ISO 4217 (2 for INR, 0 for JPY, 3 for KWD). Codes that are not
// money to book (XXX, XTS, precious metals) are refused. The code must be in upper case.
func Decimals(code string) (int, error) {
	if n, ok := apart(code); ok {
		return n, nil
	}
	if len(code) != 3 || strings.ToUpper(code) != code || code[0] == 'X' && !strings.Contains("XAF XCD XOF XPF", code) {
		return 0, fmt.Errorf("%w: %.8q", ErrCurrency, code)
	}
	unit, err := currency.ParseISO(code)
	if err != nil {
		return 0, fmt.Errorf("%w: %.8q", ErrCurrency, code)
	}
	scale, _ := currency.Standard.Rounding(unit)
	return scale, nil
}

// apart gives the decimals of currencies that x/text has otherwise or not at all: its tables are CLDR's, which leave out
// decimals that nobody writes any more, and older than some currencies. Payment gateways count in ISO's minor units.
func apart(code string) (decimals int, ok bool) {
	switch code {
	case "AFN", "ALL", "AMD", "COP", "GYD", "IDR", "IRR", "KPW", "LAK", "LBP", "MGA", "MMK", "MNT", "MUR", "PKR", "RSD",
		"SLL", "SOS", "SYP", "TZS", "UZS", "YER",
		"MRU", "SLE", "VED", "VES", "XCG", "ZWG":
		return 2, true
	case "IQD":
		return 3, true
	case "UYW":
		return 4, true
	}
	return 0, false
}

// Parse reads a non-negative decimal in major units, as "1499", "1499.5" or "1499.50", exactly. There is no sign, no
// exponent, no thousands separator, and no more decimals than the currency has (trailing zeros included).
func Parse(decimal, code string) (Amount, error) {
	decimals, err := Decimals(code)
	if err != nil {
		return Amount{}, err
	}
	if strings.HasPrefix(decimal, "-") {
		return Amount{}, ErrNegative
	}
	whole, fraction, dotted := strings.Cut(decimal, ".")
	if whole == "" || dotted && fraction == "" || !digits(whole) || !digits(fraction) {
		return Amount{}, ErrSyntax
	}
	if len(fraction) > decimals {
		return Amount{}, fmt.Errorf("%w: %s has %d", ErrPrecision, code, decimals)
	}
	minor, err := strconv.ParseInt(whole+fraction+strings.Repeat("0", decimals-len(fraction)), 10, 64)
	if err != nil || minor > MaxMinor {
		return Amount{}, ErrRange
	}
	return Amount{Minor: minor, Currency: code}, nil
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// Decimal is the amount in major units, exactly, as Parse reads it (with a sign where it is negative).
func (a Amount) Decimal() string {
	decimals, err := Decimals(a.Currency)
	if err != nil {
		decimals = 0
	}
	sign, magnitude := "", uint64(a.Minor)
	if a.Minor < 0 {
		sign, magnitude = "-", -magnitude
	}
	s := strconv.FormatUint(magnitude, 10)
	if decimals == 0 {
		return sign + s
	}
	if len(s) <= decimals {
		s = strings.Repeat("0", decimals-len(s)+1) + s
	}
	return sign + s[:len(s)-decimals] + "." + s[len(s)-decimals:]
}

// String is Decimal and the code, as "1499.50 INR".
func (a Amount) String() string { return a.Decimal() + " " + a.Currency }

// Neg is the amount with the opposite sign.
func (a Amount) Neg() Amount { return Amount{Minor: -a.Minor, Currency: a.Currency} }

// Add adds two amounts of one currency.
func (a Amount) Add(b Amount) (Amount, error) {
	if a.Currency != b.Currency {
		return Amount{}, fmt.Errorf("%w: %s and %s", ErrMixed, a.Currency, b.Currency)
	}
	sum := a.Minor + b.Minor
	if (sum > a.Minor) != (b.Minor > 0) && b.Minor != 0 {
		return Amount{}, ErrRange
	}
	return Amount{Minor: sum, Currency: a.Currency}, nil
}

// BasisPoints is the share of bp/10000 of the amount, rounded half away from zero.
func (a Amount) BasisPoints(bp int64) (Amount, error) { return a.Ratio(bp, 10_000) }

// Ratio is the amount times num/den, rounded half away from zero. den must be positive.
func (a Amount) Ratio(num, den int64) (Amount, error) {
	if den <= 0 {
		panic("BUG: ratio with a denominator that is not positive")
	}
	product := new(big.Int).Mul(big.NewInt(a.Minor), big.NewInt(num))
	half := big.NewInt(den / 2)
	if den%2 == 1 {
		// Double everything so that half is an integer.
		product.Lsh(product, 1)
		half.SetInt64(den)
		den *= 2
	}
	if product.Sign() < 0 {
		product.Sub(product, half)
	} else {
		product.Add(product, half)
	}
	product.Quo(product, big.NewInt(den))
	if !product.IsInt64() || product.Int64() == math.MinInt64 {
		return Amount{}, ErrRange
	}
	return Amount{Minor: product.Int64(), Currency: a.Currency}, nil
}

// Limit is the share of bp/10000 of an amount that is not negative, rounded towards zero: what may be reached and not passed.
func (a Amount) Limit(bp int64) Amount {
	product := new(big.Int).Mul(big.NewInt(a.Minor), big.NewInt(bp))
	return Amount{Minor: product.Quo(product, big.NewInt(10_000)).Int64(), Currency: a.Currency}
}

package stripe

import (
	"fmt"
	"math"
	"strings"

	"github.com/edgeref/edgeref/core/payment"
	"github.com/edgeref/edgeref/wire/money"
)

// decimals is how many decimals of a currency Stripe's amounts have, which are not always ISO 4217's: ariary have none
// there, while króna and Ugandan shillings keep two that must be zero. ok is false for currencies that it does not take.
func decimals(code string) (n int, ok bool) {
	switch code {
	case "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF":
		return 0, true
	case "BHD", "JOD", "KWD", "OMR", "TND":
		return 3, true
	case "ISK", "UGX":
		return 2, true
	}
	iso, err := money.Decimals(code)
	return 2, err == nil && iso == 2
}

// minor is an amount as Stripe counts it.
func minor(a money.Amount) (int64, error) {
	theirs, ok := decimals(a.Currency)
	if !ok {
		return 0, fmt.Errorf("%w: stripe takes no %s", payment.ErrRefused, a.Currency)
	}
	ours, err := money.Decimals(a.Currency)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", payment.ErrRefused, err)
	}
	n := a.Minor
	for ; ours < theirs; ours++ {
		if n > math.MaxInt64/10 {
			return 0, fmt.Errorf("%w: %s is too much", payment.ErrRefused, a)
		}
		n *= 10
	}
	for ; ours > theirs; ours-- {
		if n%10 != 0 {
			return 0, fmt.Errorf("%w: stripe takes %s without decimals only, not %s", payment.ErrRefused, a.Currency, a)
		}
		n /= 10
	}
	if theirs == 3 && n%10 != 0 {
		return 0, fmt.Errorf("%w: stripe takes %s with two decimals only, not %s", payment.ErrRefused, a.Currency, a)
	}
	return n, nil
}

// amount is the reverse of minor. What cannot be told exactly has no currency, and so equals nothing that was asked for.
func amount(n int64, currency string) money.Amount {
	code := strings.ToUpper(currency)
	theirs, ok := decimals(code)
	ours, err := money.Decimals(code)
	if !ok || err != nil {
		return money.Amount{Minor: n}
	}
	for ; ours < theirs; ours++ {
		if n%10 != 0 {
			return money.Amount{Minor: n}
		}
		n /= 10
	}
	for ; ours > theirs; ours-- {
		if n > math.MaxInt64/10 || n < math.MinInt64/10 {
			return money.Amount{Minor: n}
		}
		n *= 10
	}
	return money.Amount{Minor: n, Currency: code}
}

package money

import (
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		decimal, code string
		minor         int64
		err           error
	}{
		{"1499", "INR", 149900, nil},
		{"1499.5", "INR", 149950, nil},
		{"0.01", "USD", 1, nil},
		{"1499", "JPY", 1499, nil},
		{"1.234", "KWD", 1234, nil},
		{"0", "EUR", 0, nil},
		{"10000000000000", "INR", MaxMinor, nil},
		{"10000000000000.01", "INR", 0, ErrRange},
		{strings.Repeat("9", 40), "INR", 0, ErrRange},
		{"1.234", "INR", 0, ErrPrecision},
		{"1.000", "INR", 0, ErrPrecision},
		{"1.0", "JPY", 0, ErrPrecision},
		{"-1", "INR", 0, ErrNegative},
		{"-0", "INR", 0, ErrNegative},
		{"", "INR", 0, ErrSyntax},
		{".5", "INR", 0, ErrSyntax},
		{"1.", "INR", 0, ErrSyntax},
		{"1,5", "INR", 0, ErrSyntax},
		{"1e3", "INR", 0, ErrSyntax},
		{"+1", "INR", 0, ErrSyntax},
		{" 1", "INR", 0, ErrSyntax},
		{"0x10", "INR", 0, ErrSyntax},
		{"١", "INR", 0, ErrSyntax},
		{"1", "XYZ", 0, ErrCurrency},
		{"1", "XXX", 0, ErrCurrency},
		{"1", "XAU", 0, ErrCurrency},
		{"1", "inr", 0, ErrCurrency},
		{"1", "", 0, ErrCurrency},
		{"1", "INRX", 0, ErrCurrency},
	} {
		got, err := Parse(c.decimal, c.code)
		if !errors.Is(err, c.err) || got.Minor != c.minor {
			t.Errorf("Parse(%q, %q) = %d, %v; want %d, %v", c.decimal, c.code, got.Minor, err, c.minor, c.err)
		}
	}
}

// The exponents of ISO 4217 and not those of CLDR, which says how amounts are usually written: gateways and merchants
// count in the former.
func TestDecimalsAreThoseOfISO4217(t *testing.T) {
	for want, codes := range map[int]string{
		0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
		2: "AED AFN ALL AMD CHF COP CRC EUR GYD HUF IDR INR IRR KPW LAK LBP MGA MMK MNT MRU MUR MXN PKR RSD SLE SOS SYP TZS USD UZS VED VES XCD XCG YER ZWG",
		3: "BHD IQD JOD KWD LYD OMR TND",
		4: "CLF UYW",
	} {
		for code := range strings.FieldsSeq(codes) {
			if got, err := Decimals(code); err != nil || got != want {
				t.Errorf("Decimals(%s) = %d, %v; want %d", code, got, err, want)
			}
		}
	}
}

func TestDecimalRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := Amount{
			Minor:    rapid.Int64Range(0, MaxMinor).Draw(t, "minor"),
			Currency: rapid.SampledFrom([]string{"INR", "USD", "JPY", "KWD", "XOF"}).Draw(t, "currency"),
		}
		if got, err := Parse(want.Decimal(), want.Currency); err != nil || got != want {
			t.Fatalf("Parse(%q) = %v, %v; want %v", want.Decimal(), got, err, want)
		}
		if got := want.Neg().Decimal(); want.Minor != 0 && got != "-"+want.Decimal() {
			t.Fatalf("negative of %s is %s", want, got)
		}
	})
	if got := (Amount{Minor: math.MinInt64, Currency: "INR"}).Decimal(); got != "-92233720368547758.08" {
		t.Errorf("smallest amount: %s", got)
	}
}

func TestRatioRoundsHalfAwayFromZeroAndIsOdd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := Amount{Minor: rapid.Int64Range(-MaxMinor, MaxMinor).Draw(t, "minor"), Currency: "INR"}
		num, den := rapid.Int64Range(0, 20_000).Draw(t, "num"), rapid.Int64Range(1, 20_000).Draw(t, "den")
		exact := new(big.Rat).SetFrac(new(big.Int).Mul(big.NewInt(a.Minor), big.NewInt(num)), big.NewInt(den))
		got, err := a.Ratio(num, den)
		if errors.Is(err, ErrRange) && new(big.Rat).Abs(exact).Cmp(new(big.Rat).SetInt64(math.MaxInt64)) >= 0 {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		// At most half a unit off, and exactly half only away from zero.
		off := new(big.Rat).Sub(new(big.Rat).SetInt64(got.Minor), exact)
		half := big.NewRat(1, 2)
		if c := new(big.Rat).Abs(off).Cmp(half); c > 0 || c == 0 && off.Sign() != exact.Sign() {
			t.Fatalf("%d * %d/%d = %d", a.Minor, num, den, got.Minor)
		}
		if opposite, err := a.Neg().Ratio(num, den); err != nil || opposite != got.Neg() {
			t.Fatalf("negative rounds to %v, %v; want %v", opposite, err, got.Neg())
		}
	})
}

func TestRatioOutOfRange(t *testing.T) {
	if _, err := (Amount{Minor: math.MaxInt64, Currency: "INR"}).Ratio(3, 2); !errors.Is(err, ErrRange) {
		t.Errorf("%v; want ErrRange", err)
	}
}

func TestAdd(t *testing.T) {
	inr := func(n int64) Amount { return Amount{Minor: n, Currency: "INR"} }
	if got, err := inr(5).Add(inr(-7)); err != nil || got != inr(-2) {
		t.Errorf("5 + -7 = %v, %v", got, err)
	}
	for _, pair := range [][2]Amount{{inr(math.MaxInt64), inr(1)}, {inr(math.MinInt64), inr(-1)}} {
		if _, err := pair[0].Add(pair[1]); !errors.Is(err, ErrRange) {
			t.Errorf("%v + %v: %v; want ErrRange", pair[0], pair[1], err)
		}
	}
	if _, err := inr(1).Add(Amount{Minor: 1, Currency: "USD"}); !errors.Is(err, ErrMixed) {
		t.Errorf("INR + USD: %v; want ErrMixed", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("1499.50", "INR")
	f.Add("0", "JPY")
	f.Fuzz(func(t *testing.T, decimal, code string) {
		a, err := Parse(decimal, code)
		if err != nil {
			return
		}
		if again, err := Parse(a.Decimal(), code); err != nil || again != a {
			t.Fatalf("%q %q: %v, then %v, %v", decimal, code, a, again, err)
		}
	})
}

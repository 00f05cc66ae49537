package shop

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/edgeref/edgeref/wire/money"
)

func TestSplitKeepsTheSum(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		weights := rapid.SliceOfN(rapid.Int64Range(0, 1_000_000), 1, 20).Draw(t, "weights")
		var sum int64
		for _, w := range weights {
			sum += w
		}
		total := rapid.Int64Range(0, max(sum, 1_000)).Draw(t, "total")
		parts := split(total, weights)
		var got int64
		for i, p := range parts {
			got += p
			if sum > 0 && total <= sum && (p < 0 || p > weights[i]) {
				t.Fatalf("part %d of %d over %v is %d", i, total, weights, p)
			}
			if sum > 0 { // within one of the exact share
				if exact := total * weights[i] / sum; p < exact || p > exact+1 {
					t.Fatalf("part %d of %d over %v is %d, exactly %d", i, total, weights, p, exact)
				}
			}
		}
		if got != total {
			t.Fatalf("%d over %v is %v", total, weights, parts)
		}
	})
}

func lineGen() *rapid.Generator[Line] {
	return rapid.Custom(func(t *rapid.T) Line {
		return Line{
			List:        rapid.OneOf(rapid.Int64Range(0, 100), rapid.Int64Range(0, money.MaxMinor/100)).Draw(t, "list"),
			TaxBP:       rapid.SampledFrom([]int64{0, 1, 25, 500, 1200, 1800, 2800, 10_000}).Draw(t, "tax_bp"),
			TaxIncluded: rapid.Bool().Draw(t, "included"), eligible: rapid.Bool().Draw(t, "eligible"),
		}
	})
}

func kindGen() *rapid.Generator[TaxKind] {
	return rapid.SampledFrom([]TaxKind{NoTax, SingleTax, IntraState, InterState, Export})
}

// Whatever is bought, with whatever coupon: discount, tax and totals add up.
func TestPricesAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lines := rapid.SliceOfN(lineGen(), 1, 12).Draw(t, "lines")
		kind := kindGen().Draw(t, "kind")
		c := &Coupon{Amounts: map[string]int64{"INR": rapid.Int64Range(1, money.MaxMinor).Draw(t, "flat")}}
		if rapid.Bool().Draw(t, "percent") {
			c = &Coupon{PercentBP: rapid.Int64Range(1, 10_000).Draw(t, "bp")}
		}
		off := discount(lines, c, "INR")
		for i := range lines {
			l := &lines[i]
			l.tax(kind)
			paid := l.List - l.Discount
			switch {
			case l.Discount < 0 || l.Discount > l.List || !l.eligible && l.Discount != 0:
				t.Fatalf("discount of %+v", *l)
			case l.Net < 0 || l.Tax.Total < 0 || l.Gross != l.Net+l.Tax.Total:
				t.Fatalf("sums of %+v", *l)
			case l.TaxIncluded && l.Gross != paid, !l.TaxIncluded && l.Net != paid:
				t.Fatalf("price of %+v", *l)
			case (kind == NoTax || kind == Export) && l.Tax != Tax{}:
				t.Fatalf("%s, but %+v", kind, *l)
			case kind == IntraState && (l.CGST+l.SGST != l.Tax.Total || l.SGST-l.CGST > 1 || l.SGST < l.CGST || l.IGST != 0):
				t.Fatalf("halves of %+v", *l)
			case kind == InterState && (l.IGST != l.Tax.Total || l.CGST+l.SGST != 0):
				t.Fatalf("tax of %+v", *l)
			}
			// Out of the net price again, the tax is what was rounded, give or take one.
			if again := ratio(l.Net, l.TaxBP, 10_000); kind != NoTax && kind != Export && (again-l.Tax.Total > 1 || l.Tax.Total-again > 1) {
				t.Fatalf("%d on %d is %d", l.TaxBP, l.Net, l.Tax.Total)
			}
		}
		totals, err := sum(lines)
		if err != nil || totals.Discount != off || totals.Gross != totals.Net+totals.Tax.Total {
			t.Fatalf("%+v, %v", totals, err)
		}
	})
}

// Any refunds of a line, and any that are undone again, leave a rest that adds up and is never negative; the refund that
// leaves nothing takes all.
func TestRefundsOfALineAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := lineGen().Draw(t, "line")
		l.tax(kindGen().Draw(t, "kind"))
		left := Left{Gross: l.Gross, Net: l.Net, Tax: l.Tax}
		type taken struct {
			gross, net int64
			tax        Tax
		}
		var all []taken
		for left.Gross > 0 {
			if len(all) > 0 && rapid.IntRange(0, 5).Draw(t, "undo") == 0 {
				last := all[len(all)-1]
				all = all[:len(all)-1]
				left = Left{Gross: left.Gross + last.gross, Net: left.Net + last.net, Tax: left.Tax.plus(last.tax)}
				continue
			}
			gross := rapid.Int64Range(1, left.Gross).Draw(t, "gross")
			if len(all) > 30 {
				gross = left.Gross
			}
			net, tax := refundShare(gross, left)
			left = Left{Gross: left.Gross - gross, Net: left.Net - net, Tax: left.Tax.minus(tax)}
			all = append(all, taken{gross, net, tax})
			for name, n := range map[string]int64{
				"net": net, "tax": tax.Total, "cgst": tax.CGST, "sgst": tax.SGST, "igst": tax.IGST, "left net": left.Net, "left tax": left.Tax.Total,
				"left cgst": left.CGST, "left sgst": left.SGST, "left igst": left.IGST,
			} {
				if n < 0 {
					t.Fatalf("%s is %d after %d of %+v", name, n, gross, l)
				}
			}
			if net+tax.Total != gross || left.Net+left.Tax.Total != left.Gross {
				t.Fatalf("%d is %d and %d", gross, net, tax.Total)
			}
			if parts := tax.CGST + tax.SGST + tax.IGST; parts != 0 && parts != tax.Total {
				t.Fatalf("tax %+v", tax)
			}
		}
		if left != (Left{}) {
			t.Fatalf("left %+v of %+v", left, l)
		}
	})
}

func TestGSTIN(t *testing.T) {
	for text, want := range map[string]string{
		"27AAPFU0939F1ZV": "MH", "29AAPFU0939F1ZR": "KA",
		"27AAPFU0939F1ZW": "", "27AAPFU0939F1Z": "", "27AAPFU0939F1ZVX": "", "": "", "27aapfu0939f1zv": "", "99AAPFU0939F1Z8": "",
		"27AAPFU0939F1Z\xff": "", "AAAAPFU0939F1ZV": "",
	} {
		got, ok := gstinState(text)
		if got.iso != want || ok != (want != "") {
			t.Errorf("%q: %+v, %v; want %q", text, got, ok, want)
		}
	}
}

// No one changed character passes the check.
func FuzzGSTIN(f *testing.F) {
	f.Add("27AAPFU0939F1ZV", 3, byte('X'))
	f.Add("29AAPFU0939F1ZR", 14, byte('0'))
	f.Fuzz(func(t *testing.T, text string, at int, c byte) {
		if _, ok := gstinState(text); !ok {
			return
		}
		if len(text) != 15 {
			t.Fatalf("%q has passed", text)
		}
		if at < 0 || at >= len(text) || text[at] == c {
			return
		}
		changed := text[:at] + string([]byte{c}) + text[at+1:]
		if _, ok := gstinState(changed); ok && len(changed) == 15 {
			t.Fatalf("%q and %q both pass", text, changed)
		}
	})
}

func TestPlaceOfSupply(t *testing.T) {
	indian := Seller{Country: "IN", State: "KA", TaxID: "29AAPFU0939F1ZR"}
	for _, c := range []struct {
		seller Seller
		buyer  Buyer
		kind   TaxKind
		place  string
	}{
		{indian, Buyer{Country: "IN", Region: "KA"}, IntraState, "KA"},
		{indian, Buyer{Country: "IN", Region: "MH"}, InterState, "MH"},
		{indian, Buyer{Country: "IN"}, IntraState, "KA"}, // no address: where the seller is
		{indian, Buyer{}, IntraState, "KA"},
		{indian, Buyer{Country: "DE", Region: "Bayern"}, Export, "DE"},
		{Seller{Country: "IN", State: "KA"}, Buyer{Country: "IN", Region: "MH"}, NoTax, "MH"}, // not registered
		{Seller{Country: "DE", TaxID: "DE1"}, Buyer{Country: "DE"}, SingleTax, "DE"},
		{Seller{Country: "DE", TaxID: "DE1"}, Buyer{Country: "IN", Region: "KA"}, Export, "IN"},
	} {
		if kind, place := c.seller.supply(&c.buyer); kind != c.kind || place != c.place {
			t.Errorf("%+v to %+v: %s %s, want %s %s", c.seller, c.buyer, kind, place, c.kind, c.place)
		}
	}
}

// The table of states is one to one.
func TestStates(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range states() {
		if seen[s.code] || seen[s.iso] || seen[s.name] || len(s.code) != 2 || len(s.iso) != 2 {
			t.Errorf("%+v", s)
		}
		seen[s.code], seen[s.iso], seen[s.name] = true, true, true
		if got, ok := stateOf(" " + s.iso + " "); !ok || got != s {
			t.Errorf("%s: %+v", s.iso, got)
		}
	}
	for old, now := range map[string]string{"TG": "TS", "OR": "OD", "ct": "CG", "UT": "UK"} {
		if got, ok := stateOf(old); !ok || got.iso != now {
			t.Errorf("%s: %+v", old, got)
		}
	}
}

// From no state to any other than the first does a path lead, and every state can be reached.
func TestStateMachine(t *testing.T) {
	reached := map[State]bool{}
	var walk func(from State)
	walk = func(from State) {
		for _, to := range next(from) {
			if !reached[to] {
				reached[to] = true
				walk(to)
			}
			if to == Created && from != "" {
				t.Errorf("%s leads back to the beginning", from)
			}
		}
	}
	walk("")
	for _, s := range States() {
		if !reached[s] {
			t.Errorf("%s cannot be reached", s)
		}
		if s.payable() != (s == Created || s == Pending || s == Failed) {
			t.Errorf("%s payable: %v", s, s.payable())
		}
	}
	if len(reached) != len(States()) {
		t.Errorf("%d states reached", len(reached))
	}
}

package shop

import (
	"fmt"
	"slices"
	"strings"
)

// india is the country whose goods and services tax is shown apart.
const india = "IN"

// state is a state or union territory of India.
type state struct{ code, iso, name string } // code: of the tax office, the first two digits of a GSTIN; iso: ISO 3166-2:IN

// states lists those that exist. Dadra and Nagar Haveli and Daman and Diu have been one (26) since 2020; 97 is what
// lies in no state.
func states() []state {
	return []state{
		{"01", "JK", "Jammu and Kashmir"}, {"02", "HP", "Himachal Pradesh"}, {"03", "PB", "Punjab"}, {"04", "CH", "Chandigarh"},
		{"05", "UK", "Uttarakhand"}, {"06", "HR", "Haryana"}, {"07", "DL", "Delhi"}, {"08", "RJ", "Rajasthan"}, {"09", "UP", "Uttar Pradesh"},
		{"10", "BR", "Bihar"}, {"11", "SK", "Sikkim"}, {"12", "AR", "Arunachal Pradesh"}, {"13", "NL", "Nagaland"}, {"14", "MN", "Manipur"},
		{"15", "MZ", "Mizoram"}, {"16", "TR", "Tripura"}, {"17", "ML", "Meghalaya"}, {"18", "AS", "Assam"}, {"19", "WB", "West Bengal"},
		{"20", "JH", "Jharkhand"}, {"21", "OD", "Odisha"}, {"22", "CG", "Chhattisgarh"}, {"23", "MP", "Madhya Pradesh"}, {"24", "GJ", "Gujarat"},
		{"26", "DH", "Dadra and Nagar Haveli and Daman and Diu"}, {"27", "MH", "Maharashtra"}, {"29", "KA", "Karnataka"}, {"30", "GA", "Goa"},
		{"31", "LD", "Lakshadweep"}, {"32", "KL", "Kerala"}, {"33", "TN", "Tamil Nadu"}, {"34", "PY", "Puducherry"},
		{"35", "AN", "Andaman and Nicobar Islands"}, {"36", "TS", "Telangana"}, {"37", "AP", "Andhra Pradesh"}, {"38", "LA", "Ladakh"},
		{"97", "OT", "Other Territory"},
	}
}

// Region is a state or territory, as buyers name it.
type Region struct{ Code, Name string }

// Regions are those of India, by name.
func Regions() []Region {
	var out []Region
	for _, s := range states() {
		out = append(out, Region{s.iso, s.name})
	}
	slices.SortFunc(out, func(a, b Region) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// stateOf finds a state by its letters or by its number. Both spellings of states that were renamed are known.
func stateOf(text string) (state, bool) {
	text = strings.ToUpper(strings.TrimSpace(text))
	switch text {
	case "UT", "UA":
		text = "UK"
	case "OR":
		text = "OD"
	case "CT":
		text = "CG"
	case "TG":
		text = "TS"
	}
	for _, s := range states() {
		if s.iso == text || s.code == text {
			return s, true
		}
	}
	return state{}, false
}

const gstinAlphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

// gstinState checks an Indian tax number by its form and its checksum, and returns the state in which it is registered.
// The form is two digits of the state, the PAN (five letters, four digits, a letter), the number of the registration, a
// character that is Z for ordinary ones, and a check character: the sum over factors 1 and 2 in turn, in base 36.
func gstinState(s string) (state, bool) {
	if len(s) != 15 || !like(s[2:12], "AAAAA9999A") {
		return state{}, false
	}
	sum := 0
	for i := range 14 {
		v := strings.IndexByte(gstinAlphabet, s[i])
		if v < 0 {
			return state{}, false
		}
		v *= 1 + i%2
		sum += v/36 + v%36
	}
	if gstinAlphabet[(36-sum%36)%36] != s[14] {
		return state{}, false
	}
	return stateOf(s[:2])
}

// like reports whether s has letters where form has A, and digits where it has 9.
func like(s, form string) bool {
	if len(s) != len(form) {
		return false
	}
	for i := range len(form) {
		c := s[i]
		if form[i] == 'A' && (c < 'A' || c > 'Z') || form[i] == '9' && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// TaxKind says which tax an order bears.
type TaxKind string

// Kinds of tax.
const (
	NoTax      TaxKind = "none"      // the seller is not registered for tax
	SingleTax  TaxKind = "tax"       // one tax, of a seller outside of India
	IntraState TaxKind = "gst_intra" // half CGST, half SGST
	InterState TaxKind = "gst_inter" // IGST
	Export     TaxKind = "export"    // the buyer is in another country: no tax
)

// Seller is the business, as far as tax goes.
type Seller struct {
	Country string // ISO 3166-1 alpha-2
	State   string // of India: letters as in ISO 3166-2:IN
	TaxID   string // GSTIN or what there is in its country; empty: not registered, so no tax is charged
}

// check validates a seller and brings its state into the form that is compared.
func (s *Seller) check() error {
	if s.Country != india || s.TaxID == "" {
		return nil
	}
	of, ok := stateOf(s.State)
	if !ok {
		return fmt.Errorf("seller (setting shop.seller.state): %q is not a state of India like KA", s.State)
	}
	if registered, ok := gstinState(s.TaxID); !ok || registered != of {
		return fmt.Errorf("seller (setting shop.seller.tax_id): it is not a GSTIN that is registered in %s", of.name)
	}
	s.State = of.iso
	return nil
}

// supply decides the tax and the place of supply: of an Indian buyer his state, and that of the seller where he named
// none, as the law has it for buyers without an address.
func (s Seller) supply(b *Buyer) (kind TaxKind, place string) {
	switch {
	case s.TaxID == "":
		return NoTax, b.Region
	case b.Country != "" && b.Country != s.Country:
		return Export, b.Country
	case s.Country != india:
		return SingleTax, s.Country
	case b.Region == "" || b.Region == s.State:
		return IntraState, s.State
	}
	return InterState, b.Region
}

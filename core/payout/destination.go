package payout

import (
	"fmt"
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Kind says what kind of account money goes to.
type Kind string

// Kinds of accounts.
const (
	BankIN Kind = "bank_in" // a bank account in India, with its IFSC
	IBAN   Kind = "iban"    // a bank account with an IBAN
	UPI    Kind = "upi"     // a UPI id (VPA) in India
	PayPal Kind = "paypal"  // an e-mail address at PayPal
)

// Kinds lists all kinds.
func Kinds() []Kind { return []Kind{BankIN, IBAN, UPI, PayPal} }

// Limits of an account's parts, in bytes.
const (
	maxHolder  = 120
	maxAccount = 127
)

// InvalidError is what is wrong with one field of an input. It does not repeat the value.
type InvalidError struct{ Field, Reason string }

// Error implements error.
func (e *InvalidError) Error() string { return e.Field + " " + e.Reason }

// Destination is an account that money can be sent to. It is kept sealed, and shown masked only.
type Destination struct {
	Kind    Kind   `json:"kind"`
	Holder  string `json:"holder"`         // whose account it is
	Account string `json:"account"`        // number, IBAN, UPI id or e-mail address
	IFSC    string `json:"ifsc,omitempty"` // of a bank account in India
}

// Normalize returns the destination in the one form in which it is kept, or an *InvalidError.
func (d Destination) Normalize() (Destination, error) {
	d.Holder = strings.Join(strings.Fields(d.Holder), " ")
	switch {
	case d.Holder == "" || len(d.Holder) > maxHolder || !utf8.ValidString(d.Holder):
		return d, &InvalidError{"holder", fmt.Sprintf("must have 1 to %d bytes", maxHolder)}
	case strings.ContainsFunc(d.Holder, func(r rune) bool { return unicode.IsControl(r) || !unicode.IsPrint(r) }):
		return d, &InvalidError{"holder", "must have printable characters only"}
	case !startsWell(d.Holder):
		return d, &InvalidError{"holder", "must begin with a letter or a digit"}
	case len(d.Account) > maxAccount:
		return d, &InvalidError{"account", fmt.Sprintf("must have at most %d bytes", maxAccount)}
	case d.Kind != BankIN && d.IFSC != "":
		return d, &InvalidError{"ifsc", "belongs to bank accounts in India only"}
	}
	var err error
	switch d.Kind {
	case BankIN:
		if d.IFSC, err = ParseIFSC(d.IFSC); err == nil {
			d.Account, err = parseIndianAccount(d.Account)
		}
	case IBAN:
		d.Account, err = ParseIBAN(d.Account)
	case UPI:
		d.Account, err = ParseUPI(d.Account)
	case PayPal:
		d.Account, err = parsePayPal(d.Account)
	default:
		err = &InvalidError{"kind", "must be bank_in, iban, upi or paypal"}
	}
	return d, err
}

// Country is where the account is, as ISO 3166-1 alpha-2; empty where that cannot be told. d is normalized.
func (d Destination) Country() string {
	switch d.Kind {
	case BankIN, UPI:
		return "IN"
	case IBAN:
		return d.Account[:2]
	}
	return ""
}

// Pays reports whether a kind of account can hold a currency.
func (k Kind) Pays(currency string) bool {
	if k == BankIN || k == UPI {
		return currency == "INR"
	}
	return k != IBAN || currency != "INR"
}

// Masked names the account to people who may not know it. d is normalized.
func (d Destination) Masked() string {
	last := func(n int) string { return "****" + d.Account[len(d.Account)-n:] }
	switch d.Kind {
	case BankIN:
		return d.IFSC + " " + last(4)
	case IBAN:
		return d.Account[:2] + last(4)
	}
	name, at, _ := strings.Cut(d.Account, "@")
	_, size := utf8.DecodeRuneInString(name)
	return name[:size] + "****@" + at
}

// identity is what makes two destinations the same account, whoever is called its holder.
func (d Destination) identity() string {
	return string(d.Kind) + "\x00" + strings.ToLower(d.IFSC) + "\x00" + strings.ToLower(d.Account)
}

// ParseIFSC reads the code of a bank branch in India: 4 letters, a zero, 6 letters or digits.
func ParseIFSC(text string) (string, error) {
	code := strings.ToUpper(strings.TrimSpace(text))
	if len(code) != 11 || !letters(code[:4]) || code[4] != '0' || !alphanumeric(code[5:]) {
		return "", &InvalidError{"ifsc", "must have 4 letters, a zero and 6 letters or digits, as HDFC0001234"}
	}
	return code, nil
}

// parseIndianAccount reads an account number: banks in India have 9 to 18 digits.
func parseIndianAccount(text string) (string, error) {
	number := compact(text)
	if len(number) < 9 || len(number) > 18 || !digits(number) || strings.Trim(number, "0") == "" {
		return "", &InvalidError{"account", "must have 9 to 18 digits"}
	}
	return number, nil
}

// ParseIBAN reads an IBAN (ISO 13616): its country's length, and the check digits modulo 97.
func ParseIBAN(text string) (string, error) {
	iban := strings.ToUpper(compact(text))
	if len(iban) < 5 || !letters(iban[:2]) || !digits(iban[2:4]) || !alphanumeric(iban) {
		return "", &InvalidError{"account", "must be an IBAN: country, two check digits, account"}
	}
	want, known := ibanLength(iban[:2])
	if !known {
		return "", &InvalidError{"account", "is of a country that has no IBAN"}
	}
	if len(iban) != want {
		return "", &InvalidError{"account", fmt.Sprintf("must have %d characters, as every IBAN of its country", want)}
	}
	// Check digits 00, 01 and 99 can satisfy the sum too, but are never given (ISO 7064).
	if check := iban[2:4]; check == "00" || check == "01" || check == "99" || mod97(iban[4:]+iban[:4]) != 1 {
		return "", &InvalidError{"account", "is not an IBAN: its check digits do not match, something is mistyped"}
	}
	return iban, nil
}

// mod97 is the remainder of a number whose letters stand for 10 to 35.
func mod97(text string) int {
	r := 0
	for i := range len(text) {
		if c := text[i]; c >= 'A' {
			r = (r*100 + int(c-'A') + 10) % 97
		} else {
			r = (r*10 + int(c-'0')) % 97
		}
	}
	return r
}

// ibanLength is the length of a country's IBANs, by the registry of ISO 13616.
func ibanLength(country string) (int, bool) {
	const table = "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 FI18 FK18 FO18 FR27 " +
		"GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 " +
		"MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30"
	for i := 0; i < len(table); i += 5 {
		if table[i:i+2] == country {
			return int(table[i+2]-'0')*10 + int(table[i+3]-'0'), true
		}
	}
	return 0, false
}

// ParseUPI reads a UPI id: a name, @, and the handle of a payment service, which has no dot.
func ParseUPI(text string) (string, error) {
	id := strings.ToLower(strings.TrimSpace(text))
	name, handle, ok := strings.Cut(id, "@")
	wrong := !ok || len(name) < 2 || len(name) > 64 || len(handle) < 2 || len(handle) > 32 || !alphanumeric(handle) || digits(handle[:1])
	for _, c := range []byte(name) {
		wrong = wrong || !alphanumeric(string(c)) && c != '.' && c != '-' && c != '_'
	}
	if wrong {
		return "", &InvalidError{"account", "must be a UPI id like name@bank"}
	}
	return id, nil
}

func parsePayPal(text string) (string, error) {
	text = strings.TrimSpace(text)
	a, err := mail.ParseAddress(text)
	if err != nil || a.Name != "" || a.Address != text || strings.ContainsAny(text, "\"<> ") || !strings.Contains(text[strings.LastIndexByte(text, '@'):], ".") {
		return "", &InvalidError{"account", "must be one plain e-mail address"}
	}
	name, host, _ := strings.Cut(text, "@")
	return name + "@" + strings.ToLower(host), nil
}

// startsWell keeps out names that a spreadsheet would take for a formula.
func startsWell(name string) bool {
	r, _ := utf8.DecodeRuneInString(name)
	return unicode.IsLetter(r) || unicode.IsDigit(r)
}

// compact drops the spaces and hyphens by which people group long numbers.
func compact(text string) string {
	return strings.NewReplacer(" ", "", "-", "", "\u00a0", "").Replace(text)
}

func every(s string, ok func(c byte) bool) bool {
	for i := range len(s) {
		if !ok(s[i]) {
			return false
		}
	}
	return s != ""
}

func digits(s string) bool { return every(s, func(c byte) bool { return c >= '0' && c <= '9' }) }

func letters(s string) bool {
	return every(s, func(c byte) bool { return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' })
}

func alphanumeric(s string) bool {
	return every(s, func(c byte) bool { return digits(string(c)) || letters(string(c)) })
}

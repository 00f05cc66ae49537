// Package ident formats the identifiers that leave the system: a type prefix and 13 characters of Crockford base32,
// as in "lnk_01J8Z0QK5T2VG". Inside the system the same identifier is a positive int64.
package ident

import (
	"errors"
	"fmt"
)

// The prefixes in use. An identifier is only valid where its own prefix is expected.
const (
	Program                 = "prg"
	Affiliate               = "aff"
	AffiliateGroup          = "grp"
	Product                 = "prd"
	Link                    = "lnk"
	Rule                    = "rul"
	Conversion              = "cnv"
	Commission              = "com"
	LedgerTransaction       = "ltx"
	LedgerAccount           = "lac"
	Token                   = "tok"
	Conflict                = "cfl"
	Webhook                 = "whk"
	WebhookDelivery         = "dlv"
	WebhookEvent            = "evt"
	AuditEntry              = "aud"
	Mail                    = "mal"
	Person                  = "per"
	Session                 = "ses"
	OAuthClient             = "cli"
	Payout                  = "pyt"
	PayoutBatch             = "pbt"
	PayoutMethod            = "pmd"
	PayoutRequest           = "prq"
	TaxRule                 = "txr"
	KYCDocument             = "kyc"
	Order                   = "ord"
	Payment                 = "pmt"
	PaymentRefund           = "prf"
	PaymentEvent            = "pev"
	Reconciliation          = "rcn"
	Coupon                  = "cpn"
	OrderLine               = "oln"
	OrderRefund             = "rfd"
	OrderReview             = "orv"
	Invoice                 = "inv"
	CommissionReview        = "crv"
	Media                   = "med"
	Material                = "mat"
	textLen                 = 13
	alphabet                = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	invalid           uint8 = 0xff
)

// ErrInvalid says that a text is not an identifier of the expected type.
var ErrInvalid = errors.New("not a valid identifier")

// Format returns prefix_XXXXXXXXXXXXX; the text sorts as the number does. It panics on a negative id, which is a bug.
func Format(prefix string, id int64) string {
	if id < 0 {
		panic("BUG: negative identifier")
	}
	b := make([]byte, 0, len(prefix)+1+textLen)
	b = append(b, prefix...)
	b = append(b, '_')
	for shift := 60; shift >= 0; shift -= 5 {
		b = append(b, alphabet[uint64(id)>>shift&31])
	}
	return string(b)
}

// Parse reverses Format. It accepts lower case and refuses every other spelling.
func Parse(prefix, text string) (int64, error) {
	rest, ok := cut(prefix, text)
	if !ok || len(rest) != textLen {
		return 0, fmt.Errorf("%w: want %s_ and %d characters", ErrInvalid, prefix, textLen)
	}
	var v uint64
	for i := range textLen {
		d := digit(rest[i])
		// The first character carries 3 bits of a positive 63-bit number.
		if d == invalid || i == 0 && d > 7 {
			return 0, fmt.Errorf("%w: character %d of %s_... is out of range", ErrInvalid, i+1, prefix)
		}
		v = v<<5 | uint64(d)
	}
	return int64(v), nil
}

func cut(prefix, text string) (string, bool) {
	if len(text) <= len(prefix) || text[:len(prefix)] != prefix || text[len(prefix)] != '_' {
		return "", false
	}
	return text[len(prefix)+1:], true
}

func digit(c byte) uint8 {
	if c >= 'a' && c <= 'z' {
		c -= 'a' - 'A'
	}
	for i := range len(alphabet) {
		if alphabet[i] == c {
			return uint8(i)
		}
	}
	return invalid
}

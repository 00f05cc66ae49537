package conversion

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// customerPrefix marks a merchant's own customer id.
const customerPrefix = "id:"

// CustomerKey is the form in which a customer is kept, from whatever a merchant calls him by: an e-mail address becomes
// the SHA-256 of its lower-case form, in hexadecimal, so that no address is stored; such a hash stays what it is;
// anything else is the merchant's id, with a prefix. Outer space is ignored; an empty text gives "".
func CustomerKey(text string) string {
	text = strings.TrimSpace(text)
	switch {
	case text == "", strings.HasPrefix(text, customerPrefix):
		return text
	case strings.Contains(text, "@"):
		sum := sha256.Sum256([]byte(strings.ToLower(text)))
		return hex.EncodeToString(sum[:])
	case len(text) == 2*sha256.Size && isHex(text):
		return strings.ToLower(text)
	}
	return customerPrefix + text
}

func isHex(s string) bool {
	_, err := hex.DecodeString(s)
	return err == nil
}

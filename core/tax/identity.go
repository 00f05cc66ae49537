package tax

import "strings"

// maxIdentity is the longest tax identity of a country whose form we do not know, in bytes.
const maxIdentity = 32

// ParseIdentity reads the tax identity of a country in the one form in which it is kept. In India that is a PAN. The error
// is an *InvalidError that does not repeat the value.
func ParseIdentity(country, text string) (string, error) {
	if country == "IN" {
		return ParsePAN(text)
	}
	id := strings.ToUpper(strings.TrimSpace(text))
	for _, c := range []byte(id) {
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '/' && c != '.' && c != ' ' {
			return "", &InvalidError{"tax_id", "must have letters, digits, spaces and - / . only"}
		}
	}
	if len(id) < 4 || len(id) > maxIdentity {
		return "", &InvalidError{"tax_id", "must have 4 to 32 characters"}
	}
	return id, nil
}

// ParsePAN reads a Permanent Account Number of India: five letters, of which the fourth says what kind of person it is,
// four digits, and a letter.
func ParsePAN(text string) (string, error) {
	pan := strings.ToUpper(strings.TrimSpace(text))
	ok := len(pan) == 10
	for i := 0; ok && i < len(pan); i++ {
		if digit := i >= 5 && i < 9; digit {
			ok = pan[i] >= '0' && pan[i] <= '9'
		} else {
			ok = pan[i] >= 'A' && pan[i] <= 'Z'
		}
	}
	if !ok || !strings.Contains("ABCEFGHJKLPT", pan[3:4]) || pan[5:9] == "0000" {
		return "", &InvalidError{"tax_id", "must be a PAN like ABCPK1234L"}
	}
	return pan, nil
}

// Mask names an identity to people who may not know it.
func Mask(id string) string {
	if len(id) < 6 {
		return "****"
	}
	return id[:2] + "****" + id[len(id)-2:]
}

package password

import (
	_ "embed"
	"strings"
	"unicode/utf8"
)

// Limits of a password.
const (
	MinLength = 10  // characters
	MaxLength = 200 // bytes: longer ones only cost time
)

// common are passwords that everybody tries first, one a line, lower case and without what people add to them.
//
//go:embed common.txt
var common string

// What is wrong with a password: the end of a sentence that begins with it.
const (
	TooShort  = "must have 10 characters at least"
	TooLong   = "is longer than 200 bytes"
	Untypable = "holds characters that cannot be typed"
	Repeated  = "is one short pattern, repeated"
	Common    = "is one of the passwords that are tried first"
	LikeEmail = "is little more than the e-mail address"
)

// Check says which of these is wrong with a new password of the person with an address, or "". It asks for length
// and refuses what is guessed first; it does not ask for digits and signs, which make passwords alike.
func Check(password, email string) string {
	switch {
	case utf8.RuneCountInString(password) < MinLength:
		return TooShort
	case len(password) > MaxLength:
		return TooLong
	case !utf8.ValidString(password) || strings.ContainsFunc(password, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return Untypable
	}
	plain := simplify(password)
	local, _, _ := strings.Cut(strings.ToLower(email), "@")
	switch {
	case repeats(strings.ToLower(password)):
		return Repeated
	case listed(plain) || listed(strings.ToLower(password)):
		return Common
	case len(local) >= 4 && strings.Contains(strings.ToLower(password), local) && len(password)-len(local) < 6:
		return LikeEmail
	}
	return ""
}

// simplify removes what people add to a common word: case, the usual replacements, digits and signs at both ends.
func simplify(s string) string {
	s = strings.NewReplacer("@", "a", "$", "s", "0", "o", "1", "i", "3", "e", "5", "s").Replace(strings.ToLower(strings.TrimRight(s, "0123456789!?.*#-_ ")))
	return strings.Trim(s, "0123456789!?.*#-_ ")
}

func listed(s string) bool {
	if s == "" {
		return true
	}
	for line := range strings.Lines(common) {
		if strings.TrimSpace(line) == s {
			return true
		}
	}
	return false
}

// repeats reports whether s is at most four characters, over and over.
func repeats(s string) bool {
	runes := []rune(s)
	for period := 1; period <= 4 && period < len(runes); period++ {
		same := true
		for i := period; i < len(runes) && same; i++ {
			same = runes[i] == runes[i-period]
		}
		if same {
			return true
		}
	}
	return false
}

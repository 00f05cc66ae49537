package redirect

import (
	"unicode/utf8"
	"unsafe"
)

// maxText is the longest text taken from a request into a click, in bytes.
const maxText = 255

// replacement stands for what is not text: bytes that are not UTF-8, and control characters.
const replacement = '?'

const upperHex = "0123456789ABCDEF"

// view is b as a string, without copying: it changes when b does.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// raw is s as bytes that nobody may change.
func raw(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// unreserved reports whether c stands for itself anywhere in a URL (RFC 3986, section 2.3).
func unreserved(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '.' || c == '_' || c == '~'
}

// unsafeInURL reports whether c must not stand in a URL as it is.
func unsafeInURL(c byte) bool {
	switch c {
	case '"', '<', '>', '\\', '^', '`', '{', '|', '}', '#':
		return true
	}
	return c <= ' ' || c >= 0x7f
}

func appendPercent(dst []byte, c byte) []byte {
	return append(dst, '%', upperHex[c>>4], upperHex[c&15])
}

// appendValue appends s so that it is one value wherever in a path, query or fragment it stands.
func appendValue(dst []byte, s string) []byte {
	for i := range len(s) {
		if unreserved(s[i]) {
			dst = append(dst, s[i])
		} else {
			dst = appendPercent(dst, s[i])
		}
	}
	return dst
}

// appendURL appends part of a URL as it is, but for bytes that must not stand there.
func appendURL(dst []byte, s string) []byte {
	for i := range len(s) {
		switch c := s[i]; {
		case c == '%' && !escapeAt(s, i), unsafeInURL(c):
			dst = appendPercent(dst, c)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// escapeAt reports whether a valid percent-encoded byte begins at s[i].
func escapeAt(s string, i int) bool {
	return i+2 < len(s) && s[i] == '%' && hexDigit(s[i+1]) < 16 && hexDigit(s[i+2]) < 16
}

func hexDigit(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10
	}
	return 16
}

// wellEncoded reports whether every percent sign in s begins an encoded byte.
func wellEncoded(s string) bool {
	for i := range len(s) {
		if s[i] == '%' && !escapeAt(s, i) {
			return false
		}
	}
	return true
}

// decodeAt decodes one byte of a query's name or value at s[i] and returns it with the index behind it. A percent sign
// that encodes nothing stands for itself.
func decodeAt(s string, i int) (byte, int) {
	switch {
	case s[i] == '+':
		return ' ', i + 1
	case escapeAt(s, i):
		return hexDigit(s[i+1])<<4 | hexDigit(s[i+2]), i + 3
	}
	return s[i], i + 1
}

// decode appends the decoded form of s to dst.
func decode(dst []byte, s string) []byte {
	for i := 0; i < len(s); {
		var c byte
		c, i = decodeAt(s, i)
		dst = append(dst, c)
	}
	return dst
}

// clean makes text of b in place and returns it, cut to maxText at a character's end.
func clean(b []byte) []byte {
	for i := 0; i < len(b); {
		if c := b[i]; c < utf8.RuneSelf {
			if c < ' ' || c == 0x7f {
				b[i] = replacement
			}
			i++
			continue
		}
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			b[i] = replacement
		}
		i += n
	}
	if len(b) <= maxText {
		return b
	}
	end := maxText
	for end > 0 && !utf8.RuneStart(b[end]) {
		end--
	}
	return b[:end]
}

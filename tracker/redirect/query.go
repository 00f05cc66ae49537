package redirect

import "strings"

// nextPair takes the first parameter off a raw query. value is "" and equals false without an "=".
func nextPair(query string) (pair, name, value, rest string) {
	pair, rest, _ = strings.Cut(query, "&")
	name, value, _ = strings.Cut(pair, "=")
	return pair, name, value, rest
}

// canonical is the form in which parameter names are compared: see sameName.
func canonical(name string) string {
	b := decode(nil, name)
	out := b[:0]
	for _, c := range b {
		if c = fold(c); c > ' ' && c < 0x7f {
			out = append(out, c)
		}
	}
	return string(out)
}

// fold maps bytes of names that some server takes for one another to one of them: letters of either case, and the
// characters that PHP turns into underscores.
func fold(c byte) byte {
	switch {
	case c >= 'A' && c <= 'Z':
		return c + 'a' - 'A'
	case c == '.' || c == '[':
		return '_'
	}
	return c
}

// sameName reports whether some server could take the raw parameter name for the name whose canonical form is given:
// in any encoding and case, as an array ("name[]"), with spaces, controls or non-ASCII characters that get trimmed or
// ignored, cut at a NUL, or with characters that become underscores.
func sameName(raw, canonicalName string) bool {
	matched := 0
	for i := 0; i < len(raw); {
		var c byte
		c, i = decodeAt(raw, i)
		switch {
		case matched == len(canonicalName) && (c == '[' || c == 0):
			return true
		case c == ' ' && matched > 0 && matched < len(canonicalName) && canonicalName[matched] == '_':
			matched++ // PHP turns a space inside a name into an underscore
		case c <= ' ' || c >= 0x7f:
		case matched == len(canonicalName) || fold(c) != canonicalName[matched]:
			return false
		default:
			matched++
		}
	}
	return matched == len(canonicalName)
}

// ours are the names that only speak to the tracker and do not reach the destination by themselves.
func ours(name string) bool {
	if sameName(name, "to") {
		return true
	}
	return len(name) >= len("sub1") && (sameName(name, "sub1") || sameName(name, "sub2") || sameName(name, "sub3") ||
		sameName(name, "sub4") || sameName(name, "sub5"))
}

// maxLocation bounds the Location header, in bytes: what servers and proxies commonly take as one header line. The
// visitor's parameters that do not fit are dropped.
const maxLocation = 8000

// appendVisitor appends the visitor's own parameters to a location, in their order, as they were sent. Left out are
// those that are ours, that the destination sets itself (taken), that carry the click parameter's name, or that are
// not validly encoded. sep is what the first one is separated with. It returns the number of parameters that were
// dropped for their encoding or for lack of room.
func appendVisitor(dst []byte, query string, click string, taken []string, sep byte) ([]byte, int) {
	dropped := 0
	for query != "" {
		var pair, name string
		pair, name, _, query = nextPair(query)
		if pair == "" || ours(name) || sameName(name, click) || takenName(name, taken) {
			continue
		}
		before := len(dst)
		if wellEncoded(pair) {
			dst = appendPair(append(dst, sep), pair)
		}
		if len(dst) == before || len(dst) > maxLocation {
			dst = dst[:before]
			dropped++
			continue
		}
		sep = '&'
	}
	return dst, dropped
}

// appendPair appends one parameter. A semicolon is encoded: some servers take it for another "&".
func appendPair(dst []byte, pair string) []byte {
	for {
		head, tail, found := strings.Cut(pair, ";")
		dst = appendURL(dst, head)
		if !found {
			return dst
		}
		dst, pair = append(dst, "%3B"...), tail
	}
}

func takenName(name string, taken []string) bool {
	for _, t := range taken {
		if sameName(name, t) {
			return true
		}
	}
	return false
}

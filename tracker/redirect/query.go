package redirect

import "strings"

// marks say what stands in a text that needs a closer look. Most parameters have none, and are taken as they are.
type marks uint8

const (
	markEnd       marks = 1 << iota // "&", between parameters
	markEquals                      // "=", behind a name
	markEscape                      // "%", perhaps an encoded byte
	markPlus                        // "+", a space
	markSemicolon                   // ";", another "&" to some servers
	markUnsafe                      // must not stand in a URL as it is
	markNotText                     // a control character, or part of one that is not ASCII
)

// byteMarks are the marks of each byte; read only.
var byteMarks = func() (table [256]marks) {
	for i := range table {
		c := byte(i)
		if unsafeInURL(c) {
			table[i] |= markUnsafe
		}
		if c < ' ' || c >= 0x7f {
			table[i] |= markNotText
		}
	}
	table['&'] |= markEnd
	table['='] |= markEquals
	table['%'] |= markEscape
	table['+'] |= markPlus
	table[';'] |= markSemicolon
	return table
}()

// parameter is one parameter of a raw query.
type parameter struct {
	text, name, value string // name and value are parts of text
	marks             marks  // of the whole text, but for markEnd and markEquals
	nameMarks         marks
}

// nextParameter takes the first parameter off a raw query.
func nextParameter(query string) (p parameter, rest string) {
	var all, inName marks
	end, equals := 0, -1
	for ; end < len(query); end++ {
		m := byteMarks[query[end]]
		if all |= m; m&(markEnd|markEquals) == 0 {
			continue
		}
		if m&markEnd != 0 {
			rest = query[end+1:]
			break
		}
		if equals < 0 {
			equals, inName = end, all
		}
	}
	p.text, p.marks = query[:end], all&^(markEnd|markEquals)
	if equals < 0 {
		p.name, p.nameMarks = p.text, p.marks
	} else {
		p.name, p.value, p.nameMarks = p.text[:equals], p.text[equals+1:], inName&^markEquals
	}
	return p, rest
}

// named is sameName of the parameter's name.
func (p *parameter) named(canonicalName string) bool {
	if p.nameMarks != 0 || canonicalName == "" {
		return sameName(p.name, canonicalName)
	}
	// Nothing is encoded, trimmed or ignored in a name without marks.
	if len(p.name) < len(canonicalName) || fold(p.name[0]) != canonicalName[0] {
		return false
	}
	for i := 1; i < len(canonicalName); i++ {
		if fold(p.name[i]) != canonicalName[i] {
			return false
		}
	}
	return len(p.name) == len(canonicalName) || p.name[len(canonicalName)] == '['
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

// ours reports whether the parameter only speaks to the tracker and does not reach the destination by itself.
func (p *parameter) ours() bool {
	if p.nameMarks == 0 && p.name != "" {
		if c := fold(p.name[0]); c != 's' && c != 't' {
			return false
		}
	}
	return p.named("to") || p.named("sub1") || p.named("sub2") || p.named("sub3") || p.named("sub4") || p.named("sub5")
}

// maxLocation bounds the Location header, in bytes: what servers and proxies commonly take as one header line. The
// visitor's parameters that do not fit are dropped.
const maxLocation = 8000

// appendVisitor appends the visitor's own parameters to a location, in their order, as they were sent. Left out are
// those that are ours, that the destination sets itself (taken), that carry the click parameter's name, or that are
// not validly encoded. sep is what the first one is separated with. It returns the number of parameters that were
// dropped for their encoding or for lack of room.
func appendVisitor(dst []byte, query []parameter, click string, taken []string, sep byte) ([]byte, int) {
	dropped := 0
	for i := range query {
		p := &query[i]
		if p.text == "" || p.ours() || p.named(click) || p.taken(taken) {
			continue
		}
		before := len(dst)
		if p.marks&markEscape == 0 || wellEncoded(p.text) {
			dst = p.append(append(dst, sep))
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

// append appends a well encoded parameter to a URL.
func (p *parameter) append(dst []byte) []byte {
	if p.marks&(markUnsafe|markSemicolon) == 0 {
		return append(dst, p.text...)
	}
	return appendPair(dst, p.text)
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

// taken reports whether the parameter has one of the names.
func (p *parameter) taken(names []string) bool {
	for _, name := range names {
		if p.named(name) {
			return true
		}
	}
	return false
}

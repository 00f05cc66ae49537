package replay

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// maxLine is the longest accepted line of a log, in bytes: above what a web server accepts as request line and headers.
const maxLine = 64 << 10

// errLine is wrapped by every error of parseLine.
var errLine = errors.New("not a line in combined log format")

// logLine is one request of an access log. Fields logged as "-" are empty.
type logLine struct {
	Host      string     // as logged: an address, or a name where the server looked names up
	Addr      netip.Addr // of Host; invalid if Host is a name
	Time      time.Time
	Method    string
	Target    string // path and query as requested
	Referrer  string
	UserAgent string
}

// path is the requested path without its query.
func (l *logLine) path() string {
	path, _, _ := strings.Cut(l.Target, "?")
	return path
}

// parseLine reads one line of Apache's combined format:
//
//	host ident user [day/Mon/year:hour:min:sec zone] "method target protocol" status bytes "referrer" "agent"
//
// Quoted fields are unescaped as Apache escapes them. The last field may lack its closing quote: servers cut lines.
func parseLine(s string) (logLine, error) {
	var l logLine
	if len(s) > maxLine {
		return l, fmt.Errorf("%w: longer than %d bytes", errLine, maxLine)
	}
	p := lineParser{rest: strings.TrimRight(s, "\r\n")}
	l.Host = p.word("host")
	p.word("ident")
	p.user()
	stamp := p.bracketed()
	request := p.quoted("request", false)
	status := p.word("status")
	size := p.word("size")
	l.Referrer = dash(p.quoted("referrer", false))
	l.UserAgent = dash(p.quoted("user agent", true))
	if p.err != nil {
		return logLine{}, p.err
	}
	if len(status) != 3 || !digits(status) || size != "-" && !digits(size) {
		return logLine{}, fmt.Errorf("%w: status and size must be numbers", errLine)
	}
	var err error
	if l.Time, err = time.Parse("02/Jan/2006:15:04:05 -0700", stamp); err != nil {
		return logLine{}, fmt.Errorf("%w: time %.40q", errLine, stamp)
	}
	if l.Method, l.Target, err = splitRequest(request); err != nil {
		return logLine{}, err
	}
	if addr, err := netip.ParseAddr(l.Host); err == nil {
		l.Addr = addr.Unmap().WithZone("")
	}
	return l, nil
}

// splitRequest takes "GET /path HTTP/1.1" apart. The protocol may be missing (HTTP/0.9).
func splitRequest(request string) (method, target string, err error) {
	method, rest, ok := strings.Cut(request, " ")
	if !ok || method == "" {
		return "", "", fmt.Errorf("%w: request %.40q has no target", errLine, request)
	}
	for _, c := range []byte(method) {
		if c < 'A' || c > 'Z' {
			return "", "", fmt.Errorf("%w: method %.20q", errLine, method)
		}
	}
	target = rest
	if i := strings.LastIndexByte(rest, ' '); i >= 0 && strings.HasPrefix(rest[i+1:], "HTTP/") {
		target = rest[:i]
	}
	if target == "" {
		return "", "", fmt.Errorf("%w: request has no target", errLine)
	}
	return method, target, nil
}

func dash(s string) string {
	if s == "-" {
		return ""
	}
	return s
}

func digits(s string) bool {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return s != ""
}

// lineParser eats a line from the left and keeps the first error.
type lineParser struct {
	rest string
	err  error
}

func (p *lineParser) fail(format string, args ...any) string {
	if p.err == nil {
		p.err = fmt.Errorf("%w: "+format, append([]any{errLine}, args...)...)
	}
	return ""
}

func (p *lineParser) word(name string) string {
	word, rest, _ := strings.Cut(p.rest, " ")
	if word == "" || strings.ContainsAny(word, `"[]`) && name != "host" {
		return p.fail("%s is missing", name)
	}
	p.rest = rest
	return word
}

// user eats the user name, which may hold spaces.
func (p *lineParser) user() {
	user, rest, ok := strings.Cut(p.rest, " [")
	if !ok || user == "" {
		p.fail("user or time is missing")
		return
	}
	p.rest = "[" + rest
}

func (p *lineParser) bracketed() string {
	inner, rest, ok := strings.Cut(p.rest, "] ")
	if !ok || !strings.HasPrefix(inner, "[") {
		return p.fail("time is missing")
	}
	p.rest = rest
	return inner[1:]
}

// quoted eats a field in quotes and the space after it, or, for the last one, the end of the line.
func (p *lineParser) quoted(name string, last bool) string {
	if p.err != nil {
		return ""
	}
	if !strings.HasPrefix(p.rest, `"`) {
		return p.fail("%s is missing", name)
	}
	field, rest, closed := unquote(p.rest[1:])
	switch {
	case !closed && !last:
		return p.fail("%s is not closed", name)
	case last && rest != "":
		return p.fail("%d bytes after the %s", len(rest), name)
	case !last && !strings.HasPrefix(rest, " "):
		return p.fail("no space after the %s", name)
	case !last:
		rest = rest[1:]
	}
	p.rest = rest
	return field
}

// unquote reads up to the closing quote and undoes the escapes that Apache writes: \" \\ \b \n \r \t \v and \xhh.
// An unknown escape stays as it is.
func unquote(s string) (field, rest string, closed bool) {
	end := strings.IndexAny(s, `"\`)
	if end < 0 {
		return s, "", false
	}
	if s[end] == '"' {
		return s[:end], s[end+1:], true
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return b.String(), s[i+1:], true
		case s[i] != '\\' || i+1 == len(s):
			b.WriteByte(s[i])
		default:
			decoded, n := unescape(s[i+1:])
			b.WriteString(decoded)
			i += n
		}
	}
	return b.String(), "", false
}

// unescape decodes what follows a backslash and says how many bytes that was.
func unescape(s string) (string, int) {
	switch s[0] {
	case '"', '\\':
		return s[:1], 1
	case 'b':
		return "\b", 1
	case 'n':
		return "\n", 1
	case 'r':
		return "\r", 1
	case 't':
		return "\t", 1
	case 'v':
		return "\v", 1
	case 'x':
		if len(s) >= 3 {
			hi, ok1 := hexDigit(s[1])
			lo, ok2 := hexDigit(s[2])
			if ok1 && ok2 {
				return string([]byte{hi<<4 | lo}), 3
			}
		}
	}
	return `\` + s[:1], 1
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

// Package hosts decides whether a URL that came from outside leads to a host that a program allows.
//
// It reads URLs more strictly than browsers do, and its callers send on what it read, never the text itself: there is
// then nothing for a browser to understand differently.
package hosts

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// Schemes of the URLs that are read.
const (
	HTTP  = "http"
	HTTPS = "https"
)

// maxHost is the longest name of a host, in bytes (RFC 1035).
const maxHost = 253

// ErrURL says that a text is not a URL that is safe to send somebody to.
var ErrURL = errors.New("not a plain http or https URL")

// URL is an absolute http or https URL in parts. Its texts are parts of the text that was parsed, but for Host where
// that was not lower-case ASCII.
type URL struct {
	Scheme string // HTTP or HTTPS
	Host   string // lower-case ASCII
	Port   string // digits; "" if none was given or it is the scheme's own
	Rest   string // path, query and fragment: "", or begins with '/', '?' or '#'
}

// Parse reads an absolute URL. It refuses user names, backslashes, spaces, control characters, IPv6 addresses and any
// other scheme. The error wraps ErrURL.
func Parse(s string) (URL, error) {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c == 0x7f || c == '\\' {
			return URL{}, fmt.Errorf("%w: byte %#x", ErrURL, c)
		}
	}
	var u URL
	switch {
	case hasPrefixFold(s, "https://"):
		u.Scheme, s = HTTPS, s[len("https://"):]
	case hasPrefixFold(s, "http://"):
		u.Scheme, s = HTTP, s[len("http://"):]
	default:
		return URL{}, fmt.Errorf("%w: it must begin with https://", ErrURL)
	}
	end := strings.IndexAny(s, "/?#")
	if end < 0 {
		end = len(s)
	}
	authority, rest := s[:end], s[end:]
	host, port, err := splitPort(authority)
	if err != nil {
		return URL{}, err
	}
	if u.Host, err = ASCII(host); err != nil {
		return URL{}, err
	}
	if u.Scheme == HTTPS && port != "443" || u.Scheme == HTTP && port != "80" {
		u.Port = port
	}
	u.Rest = rest
	return u, nil
}

// splitPort separates the port; host is what remains, "@" and all else that a host cannot have.
func splitPort(authority string) (host, port string, err error) {
	host, port, found := strings.Cut(authority, ":")
	if !found {
		return host, "", nil
	}
	if port == "" || len(port) > 5 || port[0] == '0' {
		return "", "", fmt.Errorf("%w: port", ErrURL)
	}
	n := 0
	for i := range len(port) {
		if port[i] < '0' || port[i] > '9' {
			return "", "", fmt.Errorf("%w: port", ErrURL)
		}
		n = n*10 + int(port[i]-'0')
	}
	if n > 65535 {
		return "", "", fmt.Errorf("%w: port", ErrURL)
	}
	return host, port, nil
}

// ASCII returns the host as DNS has it: lower case, international names in their xn-- form. A host that is so already
// is returned as it is, without an allocation. The error wraps ErrURL.
func ASCII(host string) (string, error) {
	if len(host) > 4*maxHost { // no shorter form of this can be valid; bounds the work below
		return "", fmt.Errorf("%w: host is too long", ErrURL)
	}
	plain := true
	for i := range len(host) {
		switch c := host[i]; {
		case c >= 0x80:
			plain = false
		case c >= 'A' && c <= 'Z':
			plain = false
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '_', c == '.':
		default:
			return "", fmt.Errorf("%w: %q in the host", ErrURL, c)
		}
	}
	if !plain {
		ascii, err := toASCII(host)
		if err != nil {
			return "", err
		}
		return ASCII(ascii)
	}
	if host == "" || len(host) > maxHost || host[0] == '.' || host[len(host)-1] == '.' || strings.Contains(host, "..") {
		return "", fmt.Errorf("%w: host", ErrURL)
	}
	if numeric(host[strings.LastIndexByte(host, '.')+1:]) {
		// Browsers read such a host as an IPv4 address, in forms that differ from what it seems to say.
		if addr, err := netip.ParseAddr(host); err != nil || !addr.Is4() {
			return "", fmt.Errorf("%w: host is an unusual IPv4 address", ErrURL)
		}
	}
	return host, nil
}

func toASCII(host string) (string, error) {
	lower := strings.ToLower(host)
	if isASCII(lower) && isASCII(host) {
		return lower, nil
	}
	if !utf8.ValidString(host) {
		return "", fmt.Errorf("%w: host is not UTF-8", ErrURL)
	}
	ascii, err := idna.Lookup.ToASCII(host)
	if err != nil || !isASCII(ascii) || strings.ToLower(ascii) != ascii {
		return "", fmt.Errorf("%w: host is not a valid international name", ErrURL)
	}
	return ascii, nil
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

func numeric(label string) bool {
	if strings.HasPrefix(label, "0x") {
		return true
	}
	for i := range len(label) {
		if label[i] < '0' || label[i] > '9' {
			return false
		}
	}
	return true
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// Set is the hosts that a program allows. The zero Set allows none. It is safe for concurrent use.
type Set struct{ entries []entry }

type entry struct {
	host       string // for subdomains with the leading dot
	port       string
	subdomains bool
}

// NewSet reads entries such as "shop.example", "shop.example:8443" and "*.shop.example". The last covers every name
// below shop.example, but not shop.example itself. An entry without a port allows the schemes' own ports only.
// What is not a valid entry allows nothing.
func NewSet(entries []string) Set {
	var s Set
	for _, text := range entries {
		name, port, err := splitPort(text)
		if err != nil {
			continue
		}
		base, subdomains := strings.CutPrefix(name, "*.")
		host, err := ASCII(base)
		if err != nil {
			continue
		}
		if subdomains {
			host = "." + host
		}
		if port == "80" || port == "443" {
			port = ""
		}
		s.entries = append(s.entries, entry{host: host, port: port, subdomains: subdomains})
	}
	return s
}

// Allows reports whether u leads to an allowed host.
func (s Set) Allows(u URL) bool {
	for i := range s.entries {
		e := &s.entries[i]
		if e.port != u.Port {
			continue
		}
		if e.host == u.Host || e.subdomains && len(u.Host) > len(e.host) && strings.HasSuffix(u.Host, e.host) {
			return true
		}
	}
	return false
}

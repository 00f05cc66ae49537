package catalog

import (
	"net/mail"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/edgeref/edgeref/wire/link"
	"github.com/edgeref/edgeref/wire/money"
)

// Limits of the input, in bytes where nothing else is said.
const (
	maxName       = 255
	maxEmail      = 254
	maxURL        = 2048
	maxHosts      = 100 // entries
	maxHost       = 253 // RFC 1035
	maxClickParam = 32
	maxWindowDays = 365
	maxHoldDays   = 365
)

// macros that a destination may hold, as the trackers know them.
func isMacro(name string) bool {
	switch name {
	case "click_id", "sub1", "sub2", "sub3", "sub4", "sub5", "country", "affiliate_id", "link_id", "program_id", "slug":
		return true
	}
	return false
}

// reserved reports whether trackers use the path themselves, or whether clients would rewrite it.
func reserved(slug string) bool {
	switch strings.ToLower(slug) {
	case ".", "..", "postback", "pixel.gif", "t.js", "robots.txt", "favicon.ico":
		return true
	}
	return strings.HasPrefix(strings.ToLower(slug), ".well-known")
}

// checker collects what is wrong.
type checker struct{ fields []FieldError }

func (c *checker) fail(field, reason string) {
	c.fields = append(c.fields, FieldError{Field: field, Reason: reason})
}

func (c *checker) err() error {
	if len(c.fields) == 0 {
		return nil
	}
	return &InvalidError{Fields: c.fields}
}

// text checks a line of text that people read.
func (c *checker) text(field, s string, limit int) {
	switch {
	case strings.TrimSpace(s) == "":
		c.fail(field, "is empty")
	case len(s) > limit:
		c.fail(field, "is longer than "+strconv.Itoa(limit)+" bytes")
	case !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }):
		c.fail(field, "holds characters that are not text")
	}
}

func (c *checker) between(field string, n, low, high int) {
	if n < low || n > high {
		c.fail(field, "must be "+strconv.Itoa(low)+" to "+strconv.Itoa(high))
	}
}

func (c *checker) email(s string) {
	addr, err := mail.ParseAddress(s)
	if err != nil || addr.Address != s || len(s) > maxEmail || !strings.Contains(s[strings.LastIndexByte(s, '@')+1:], ".") {
		c.fail("email", "is not an address like ann@example.com")
	}
}

func (c *checker) slug(s string) {
	if s == "" || len(s) > link.MaxSlug || !only(s, "._~-") {
		c.fail("slug", "must have 1 to "+strconv.Itoa(link.MaxSlug)+" characters of A-Z a-z 0-9 . _ ~ -")
	} else if reserved(s) {
		c.fail("slug", "is reserved")
	}
}

func (c *checker) clickParam(s string) {
	if s == "" || len(s) > maxClickParam || !only(s, "._~-") {
		c.fail("click_param", "must have 1 to "+strconv.Itoa(maxClickParam)+" characters of A-Z a-z 0-9 . _ ~ -")
	}
}

func (c *checker) currency(code string) {
	if code == "" {
		return
	}
	if _, err := money.Decimals(code); err != nil {
		c.fail("currency", "is not an ISO 4217 code in upper case")
	}
}

// hosts checks the list of hosts that deep links may go to.
func (c *checker) hosts(hosts []string) {
	if len(hosts) > maxHosts {
		c.fail("allowed_hosts", "has more than "+strconv.Itoa(maxHosts)+" entries")
	}
	for _, entry := range hosts[:min(len(hosts), maxHosts)] {
		name, port, found := strings.Cut(strings.TrimPrefix(entry, "*."), ":")
		if reason := checkHost(name); reason != "" || found && !isPort(port) {
			c.fail("allowed_hosts", "may hold names like shop.example, *.shop.example and shop.example:8443")
			return
		}
	}
}

// url checks a URL that visitors are sent to. It is stricter than browsers are, and no more permissive than the
// trackers, which would refuse the link. Macros may stand anywhere behind the host.
func (c *checker) url(field, s string) {
	if reason := checkURL(s); reason != "" {
		c.fail(field, reason)
	}
}

func checkURL(s string) string {
	if len(s) > maxURL {
		return "is longer than " + strconv.Itoa(maxURL) + " bytes"
	}
	if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '\\' }) {
		return "holds a space, backslash or control character"
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "must be an absolute URL that begins with https:// or http://"
	}
	if u.User != nil {
		return "must not hold a user name"
	}
	if strings.HasSuffix(u.Host, ":") || u.Port() != "" && !isPort(u.Port()) {
		return "has a port that is not 1 to 65535"
	}
	if reason := checkHost(u.Hostname()); reason != "" {
		return reason
	}
	return checkMacros(s)
}

func checkHost(host string) string {
	if host == "" || len(host) > maxHost || !only(host, "._-") ||
		host[0] == '.' || host[len(host)-1] == '.' || strings.Contains(host, "..") {
		return "has a host that is not a name (write international names in their xn-- form)"
	}
	// A last label of digits makes browsers read the host as an IPv4 address, in forms that differ from what it seems to say.
	last := strings.ToLower(host[strings.LastIndexByte(host, '.')+1:])
	if strings.Trim(last, "0123456789") == "" || strings.HasPrefix(last, "0x") {
		if addr, err := netip.ParseAddr(host); err != nil || !addr.Is4() {
			return "has a host that is an unusual IPv4 address"
		}
	}
	return ""
}

func checkMacros(s string) string {
	for {
		_, rest, found := strings.Cut(s, "{")
		if !found {
			return ""
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed || !isMacro(name) {
			return "holds a macro that is not known (known are {click_id}, {sub1} to {sub5}, {country}, {affiliate_id}, {link_id}, {program_id} and {slug})"
		}
		s = after
	}
}

func isPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0 && s[0] != '0'
}

// only reports whether s has only ASCII letters, digits and the characters of more.
func only(s, more string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && strings.IndexByte(more, c) < 0 {
			return false
		}
	}
	return true
}

func oneOf[T ~string](c *checker, field string, v T, values ...T) {
	if !slices.Contains(values, v) {
		parts := make([]string, len(values))
		for i := range values {
			parts[i] = string(values[i])
		}
		c.fail(field, "must be one of "+strings.Join(parts, ", "))
	}
}

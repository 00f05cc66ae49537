package webhook

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	maxURL            = 2048 // bytes, as saved
	maxExpanded       = 8192 // bytes, with the values of macros
	maxHost           = 253
	maxResponseHeader = 16 << 10
	dialTimeout       = 5 * time.Second
	tlsTimeout        = 5 * time.Second
	idleTimeout       = 30 * time.Second
	maxIdle           = 64
)

// ErrAddress says that a host is, or resolves to, an address that nothing is sent to.
var ErrAddress = errors.New("address is not public")

// refused are public-looking networks that lead to ourselves or our neighbours, or to nobody. IPv6 outside of
// 2000::/3 is refused altogether: loopback, link-local, unique local, multicast, mapped and translated IPv4.
func refused() []netip.Prefix {
	texts := []string{
		"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
		"192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
		"198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
		"168.63.129.16/32", // a metadata service on a public address
		"2001::/23",        // protocol assignments, Teredo among them
		"2001:db8::/32",
		"2002::/16", // 6to4: holds an IPv4 address
		"3fff::/20",
	}
	out := make([]netip.Prefix, len(texts))
	for i, s := range texts {
		out[i] = netip.MustParsePrefix(s)
	}
	return out
}

// guard decides which addresses may be talked to.
type guard struct {
	refused       []netip.Prefix
	globalV6      netip.Prefix
	allowHTTP     bool
	allowLoopback bool
}

func newGuard(allowHTTP, allowLoopback bool) *guard {
	return &guard{refused: refused(), globalV6: netip.MustParsePrefix("2000::/3"), allowHTTP: allowHTTP, allowLoopback: allowLoopback}
}

func (g *guard) allows(addr netip.Addr) bool {
	if addr.Zone() != "" {
		return false
	}
	addr = addr.Unmap()
	if g.allowLoopback && addr.IsLoopback() {
		return true
	}
	if !addr.IsValid() || !addr.IsGlobalUnicast() || addr.Is6() && !g.globalV6.Contains(addr) {
		return false
	}
	for _, p := range g.refused {
		if p.Contains(addr) {
			return false
		}
	}
	return true
}

// control looks at the address that is about to be dialled: after every look-up, so that no answer of a name server
// can lead elsewhere.
func (g *guard) control(_ context.Context, network, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil || network != "tcp4" && network != "tcp6" || !g.allows(ap.Addr()) {
		return ErrAddress
	}
	return nil
}

// newClient returns a client that talks to allowed addresses only, directly, and follows no redirect. resolver may be
// nil for the system's.
func newClient(g *guard, resolver *net.Resolver, timeout time.Duration) *http.Client {
	dialer := &net.Dialer{Timeout: dialTimeout, Resolver: resolver, ControlContext: g.control}
	return &http.Client{
		Timeout:       timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy:                  nil, // a proxy would look names up itself, behind our back
			DialContext:            dialer.DialContext,
			TLSHandshakeTimeout:    tlsTimeout,
			ResponseHeaderTimeout:  timeout,
			MaxResponseHeaderBytes: maxResponseHeader,
			DisableCompression:     true, // a small answer must stay small
			ForceAttemptHTTP2:      true,
			MaxIdleConns:           maxIdle,
			MaxIdleConnsPerHost:    2,
			IdleConnTimeout:        idleTimeout,
		},
	}
}

// checkURL refuses what can be known to be wrong before a look-up. text holds no macros.
func (g *guard) checkURL(text string) (*url.URL, error) {
	if len(text) > maxExpanded {
		return nil, fmt.Errorf("is longer than %d bytes", maxExpanded)
	}
	for _, c := range []byte(text) {
		if c <= ' ' || c >= 0x7f || c == '\\' {
			return nil, errors.New("may hold visible ASCII characters only, and no backslash; write others as %XX, and host names in punycode")
		}
	}
	if strings.ContainsAny(text, "{}") {
		return nil, errors.New("must not hold braces: only a postback has macros")
	}
	u, err := url.Parse(text)
	if err != nil {
		return nil, errors.New("is not a URL") // the parser's words would repeat it
	}
	switch {
	case u.Scheme != "https" && (u.Scheme != "http" || !g.allowHTTP):
		return nil, errors.New("must begin with https://")
	case u.Opaque != "" || u.Host == "":
		return nil, errors.New("names no host")
	case u.User != nil:
		return nil, errors.New("must not hold a user or password")
	case strings.Contains(text, "#"):
		return nil, errors.New("must not have a fragment")
	}
	if _, err := url.ParseQuery(u.RawQuery); err != nil {
		return nil, errors.New("has a query that cannot be read")
	}
	if port := u.Port(); port != "" || strings.HasSuffix(u.Host, ":") {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return nil, errors.New("has an impossible port")
		}
	}
	if err := g.checkHost(u.Hostname()); err != nil {
		return nil, err
	}
	return u, nil
}

func (g *guard) checkHost(host string) error {
	if addr, err := netip.ParseAddr(host); err == nil {
		if !g.allows(addr) {
			return errors.New("names an address that is not public")
		}
		return nil
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "" || len(host) > maxHost {
		return errors.New("names no host")
	}
	for _, c := range []byte(host) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '.' && c != '_' {
			return errors.New("has a host name with an impossible character")
		}
	}
	last := host[strings.LastIndexByte(host, '.')+1:]
	switch {
	// Some resolvers read 2130706433, 0177.1 and 0x7f.1 as addresses. No top level domain begins with a digit.
	case last == "" || last[0] >= '0' && last[0] <= '9':
		return errors.New("has a host that is neither a name nor a plain address")
	case g.allowLoopback:
		return nil
	case last == "localhost" || last == "local" || last == "internal" || last == host:
		return errors.New("names a host that is not public")
	}
	return nil
}

// Package visitor tells who made a request as far as a tracker may know: the client's address behind trusted proxies,
// and a hash that recognises a visitor within one UTC day and no longer.
package visitor

import (
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// MaxAgent is how much of the User-Agent enters the hash, in bytes: as much as the click keeps.
const MaxAgent = 512

// salts holds the keys of the days that are still valid. It is asked on every click: safe for concurrent use, and it
// never waits for anything.
type salts interface {
	// Salt returns the key of a day (days since 1970-01-01 UTC), or false if there is none (any more).
	Salt(day int64) ([16]byte, bool)
}

// Options of New.
type Options struct {
	// Trusted are the networks whose CF-Connecting-IP and CF-IPCountry headers are believed.
	Trusted    []netip.Prefix
	Salts      salts
	Registerer prometheus.Registerer
}

// Identifier identifies visitors. It is safe for concurrent use and does not allocate.
type Identifier struct {
	trusted   []netip.Prefix
	salts     salts
	malformed prometheus.Counter
	unsalted  prometheus.Counter
}

// Client is the other end of a request.
type Client struct {
	Addr    netip.Addr // of the client, as well as is known; invalid if the peer has no IP address
	Trusted bool       // the peer's own statements about the client can be believed
}

// New returns an identifier. The error names the setting that is wrong.
func New(o Options) (*Identifier, error) {
	v := &Identifier{
		salts: o.Salts,
		malformed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "edgeref_tracker_client_address_malformed_total",
			Help: "Requests whose trusted peer sent a CF-Connecting-IP that is not an address; the peer's own was taken.",
		}),
		unsalted: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "edgeref_tracker_visitor_unsalted_total",
			Help: "Clicks recorded without a visitor hash because the day's salt was not known.",
		}),
	}
	for _, p := range o.Trusted {
		if !p.IsValid() {
			return nil, fmt.Errorf("trusted ranges: %v is not a network", p)
		}
		if p.Addr().Is4In6() {
			return nil, fmt.Errorf("trusted ranges: write %v as an IPv4 network", p)
		}
		v.trusted = append(v.trusted, p.Masked())
	}
	for _, c := range []prometheus.Collector{v.malformed, v.unsalted} {
		if err := o.Registerer.Register(c); err != nil {
			return nil, fmt.Errorf("register visitor metrics: %w", err)
		}
	}
	return v, nil
}

// Client returns the client of a request that came from peer with the given CF-Connecting-IP header ("" if absent).
// Only a trusted peer's header counts; if that is malformed, the peer is the client. connectingIP may be a view.
func (v *Identifier) Client(peer net.Addr, connectingIP string) Client {
	addr := address(peer)
	if !v.trusts(addr) {
		return Client{Addr: addr}
	}
	if connectingIP == "" {
		return Client{Addr: addr, Trusted: true}
	}
	client, ok := parseAddr(connectingIP)
	if !ok {
		v.malformed.Inc()
		client = addr
	}
	return Client{Addr: client, Trusted: true}
}

// Hash is the visitor of a click: the day's keyed hash of address and User-Agent. It is 0, and counted, while the day's
// key is not known.
func (v *Identifier) Hash(now time.Time, addr netip.Addr, userAgent string) uint64 {
	key, ok := v.salts.Salt(Day(now))
	if !ok {
		v.unsalted.Inc()
		return 0
	}
	return sipHash(key, addr.As16(), userAgent[:min(len(userAgent), MaxAgent)])
}

// Day is the number of the UTC day, counted from 1970-01-01.
func Day(now time.Time) int64 {
	const seconds = 24 * 60 * 60
	day := now.Unix() / seconds
	if now.Unix()%seconds < 0 {
		day--
	}
	return day
}

func (v *Identifier) trusts(addr netip.Addr) bool {
	for _, p := range v.trusted {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// address is addr's IP, IPv4 in its short form and without a zone.
func address(addr net.Addr) netip.Addr {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	ip, _ := netip.AddrFromSlice(tcp.IP)
	return ip.Unmap()
}

// maxAddr is the longest text of an IPv6 address, in bytes; longer ones are not worth an error value each.
const maxAddr = len("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255")

func parseAddr(s string) (netip.Addr, bool) {
	if len(s) > maxAddr {
		return netip.Addr{}, false
	}
	addr, err := netip.ParseAddr(s)
	if err != nil || addr.Zone() != "" || addr.IsUnspecified() {
		return netip.Addr{}, false
	}
	return addr.Unmap(), true
}

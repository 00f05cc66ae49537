package visitor

import (
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// days is a source of salts: the key of each day in it is the day's number.
type days map[int64]bool

func (d days) Salt(day int64) ([16]byte, bool) { return [16]byte{15: byte(day)}, d[day] }

func identifier(t testing.TB, d days, trusted ...string) *Identifier {
	t.Helper()
	o := Options{Salts: d, Registerer: prometheus.NewRegistry()}
	for _, p := range trusted {
		o.Trusted = append(o.Trusted, netip.MustParsePrefix(p))
	}
	v, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func peer(s string) net.Addr { return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(s)) }

func TestClient(t *testing.T) {
	v := identifier(t, nil, "173.245.48.0/20", "2400:cb00::/32", "127.0.0.0/8")
	for _, tt := range []struct {
		name, peer, header, want string
		trusted                  bool
		malformed                float64
	}{
		{"trusted peer", "173.245.48.9:1000", "203.0.113.7", "203.0.113.7", true, 0},
		{"trusted peer, IPv6 client", "173.245.48.9:1000", "2001:db8::7", "2001:db8::7", true, 0},
		{"trusted peer, mapped client", "173.245.48.9:1000", "::ffff:203.0.113.7", "203.0.113.7", true, 0},
		{"trusted peer in mapped form", "[::ffff:173.245.48.9]:1000", "203.0.113.7", "203.0.113.7", true, 0},
		{"trusted IPv6 peer", "[2400:cb00::1]:1000", "203.0.113.7", "203.0.113.7", true, 0},
		{"trusted peer without header", "127.0.0.1:1000", "", "127.0.0.1", true, 0},
		{"other peer", "203.0.113.1:1000", "198.51.100.1", "203.0.113.1", false, 0},
		{"other peer, malformed", "203.0.113.1:1000", "junk", "203.0.113.1", false, 0},
		{"malformed", "127.0.0.1:1000", "junk", "127.0.0.1", true, 1},
		{"two addresses", "127.0.0.1:1000", "203.0.113.7, 198.51.100.1", "127.0.0.1", true, 1},
		{"zone", "127.0.0.1:1000", "fe80::1%eth0", "127.0.0.1", true, 1},
		{"port", "127.0.0.1:1000", "203.0.113.7:80", "127.0.0.1", true, 1},
		{"unspecified", "127.0.0.1:1000", "0.0.0.0", "127.0.0.1", true, 1},
		{"long", "127.0.0.1:1000", strings.Repeat("1", 1000), "127.0.0.1", true, 1},
	} {
		before := testutil.ToFloat64(v.malformed)
		got := v.Client(peer(tt.peer), tt.header)
		if got.Addr != netip.MustParseAddr(tt.want) || got.Trusted != tt.trusted {
			t.Errorf("%s: %v; want %s, %v", tt.name, got, tt.want, tt.trusted)
		}
		if n := testutil.ToFloat64(v.malformed) - before; n != tt.malformed {
			t.Errorf("%s: counted %v malformed headers; want %v", tt.name, n, tt.malformed)
		}
	}
	if got := v.Client(&net.UnixAddr{Name: "/run/x"}, "203.0.113.7"); got.Addr.IsValid() || got.Trusted {
		t.Errorf("peer without an IP address: %v", got)
	}
}

// The published vectors have key 00..0f and message 00, 01, 02...; these are for lengths 16 and 63.
func TestSipHashVectors(t *testing.T) {
	var key, head [16]byte
	for i := range key {
		key[i], head[i] = byte(i), byte(i)
	}
	var tail []byte
	for i := 16; i < 63; i++ {
		tail = append(tail, byte(i))
	}
	for n, want := range map[int]uint64{16: 0x3f2acc7f57c29bdb, 63: 0x958a324ceb064572} {
		if got := sipHash(key, head, string(tail[:n-16])); got != want {
			t.Errorf("%d bytes: %#x; want %#x", n, got, want)
		}
	}
}

func TestHashTellsVisitorsOfOneDayApart(t *testing.T) {
	noon := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	v := identifier(t, days{Day(noon): true, Day(noon) + 1: true})
	a, b := netip.MustParseAddr("203.0.113.7"), netip.MustParseAddr("203.0.113.8")
	same := v.Hash(noon, a, "Firefox")
	if same != v.Hash(noon.Add(11*time.Hour), netip.MustParseAddr("::ffff:203.0.113.7"), "Firefox") {
		t.Error("one visitor of one day has two hashes")
	}
	for name, other := range map[string]uint64{
		"address": v.Hash(noon, b, "Firefox"), "agent": v.Hash(noon, a, "Chrome"), "next day": v.Hash(noon.Add(24*time.Hour), a, "Firefox"),
		"no agent": v.Hash(noon, a, ""), "no address": v.Hash(noon, netip.Addr{}, "Firefox"),
	} {
		if other == same || other == 0 {
			t.Errorf("%s does not tell apart: %x", name, other)
		}
	}
	long := strings.Repeat("x", MaxAgent)
	if v.Hash(noon, a, long) != v.Hash(noon, a, long+"y") {
		t.Error("what is beyond the limit counts")
	}
	if got := v.Hash(noon.Add(-24*time.Hour), a, "Firefox"); got != 0 || testutil.ToFloat64(v.unsalted) != 1 {
		t.Errorf("without a salt: %x, %v counted", got, testutil.ToFloat64(v.unsalted))
	}
}

func TestDay(t *testing.T) {
	for at, want := range map[int64]int64{0: 0, 86399: 0, 86400: 1, -1: -1, -86400: -1, -86401: -2} {
		if got := Day(time.Unix(at, 0)); got != want {
			t.Errorf("%d: day %d; want %d", at, got, want)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for name, p := range map[string]netip.Prefix{"zero": {}, "mapped": netip.MustParsePrefix("::ffff:10.0.0.0/104")} {
		if _, err := New(Options{Trusted: []netip.Prefix{p}, Registerer: prometheus.NewRegistry()}); err == nil {
			t.Errorf("%s network accepted", name)
		}
	}
	reg := prometheus.NewRegistry()
	for i := range 2 {
		if _, err := New(Options{Registerer: reg}); (err != nil) != (i == 1) {
			t.Errorf("registration %d: %v", i+1, err)
		}
	}
}

func FuzzClient(f *testing.F) {
	f.Add("203.0.113.7")
	f.Add("::1%x")
	v := identifier(f, nil, "127.0.0.0/8")
	f.Fuzz(func(t *testing.T, header string) {
		trusted, other := v.Client(peer("127.0.0.1:1"), header), v.Client(peer("203.0.113.1:1"), header)
		if !trusted.Addr.IsValid() || trusted.Addr.Is4In6() || trusted.Addr.Zone() != "" {
			t.Errorf("%q: %v", header, trusted)
		}
		if other.Addr != netip.MustParseAddr("203.0.113.1") || other.Trusted {
			t.Errorf("an untrusted header decides: %v", other)
		}
	})
}

func BenchmarkHash(b *testing.B) {
	now := time.Now()
	v := identifier(b, days{Day(now): true})
	addr, agent := netip.MustParseAddr("203.0.113.7"), strings.Repeat("Mozilla/5.0 ", 10)
	b.ReportAllocs()
	for b.Loop() {
		v.Hash(now, addr, agent)
	}
}

package webhook

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

func TestAddresses(t *testing.T) {
	g := newGuard(false, false)
	for _, s := range []string{
		"127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "100.127.255.255",
		"169.254.169.254", "169.254.0.1", "192.0.0.192", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255",
		"240.0.0.1", "255.255.255.255", "168.63.129.16", "192.88.99.1",
		"::", "::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "fe80::1", "fe80::1%eth0",
		"fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1", "2001::1", "2002:7f00:1::1", "2002:a9fe:a9fe::1", "3fff::1", "100::1", "4000::1",
	} {
		if g.allows(netip.MustParseAddr(s)) {
			t.Errorf("%s is allowed", s)
		}
	}
	for _, s := range []string{"1.1.1.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "169.253.1.1", "223.255.255.254", "::ffff:8.8.8.8", "2606:4700:4700::1111", "2a00:1450::1"} {
		if !g.allows(netip.MustParseAddr(s)) {
			t.Errorf("%s is refused", s)
		}
	}
	if g.allows(netip.Addr{}) {
		t.Error("the zero address is allowed")
	}
	loop := newGuard(true, true)
	for s, want := range map[string]bool{"127.0.0.1": true, "::1": true, "::ffff:127.0.0.1": true, "10.0.0.1": false, "169.254.169.254": false, "0.0.0.0": false} {
		if loop.allows(netip.MustParseAddr(s)) != want {
			t.Errorf("with loopback, %s: want %v", s, want)
		}
	}
}

func TestURLs(t *testing.T) {
	g := newGuard(false, false)
	for _, s := range []string{
		"", "x", "/path", "//example.com/", "http://example.com/", "ftp://example.com/", "file:///etc/passwd", "gopher://example.com/", "javascript:alert(1)",
		"https:", "https://", "https:///x", "https:example.com", "https://user@example.com/", "https://user:pass@example.com/", "https://:@example.com/", "https://example.com@127.0.0.1/",
		"https://example.com/#x", "https://example.com/#", "https://example.com/ x", "https://example.com/\n", "https://example.com/é", "https://exámple.com/",
		`https://example.com\@127.0.0.1/`, "https://example.com:0/", "https://example.com:65536/", "https://example.com:/", "https://example.com:x/", "https://example.com:-1/",
		"https://127.0.0.1/", "https://127.1/", "https://2130706433/", "https://0x7f000001/", "https://0x7f.1/", "https://0177.0.0.1/", "https://017700000001/", "https://127.0.0.1./",
		"https://127.0.0.01/", "https://1.2.3/", "https://1.2.3.4.5/", "https://0/", "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://[::ffff:7f00:1]/", "https://[fe80::1%25eth0]/",
		"https://[64:ff9b::7f00:1]/", "https://169.254.169.254/latest/meta-data", "https://localhost/", "https://LOCALHOST./", "https://a.localhost/", "https://metadata.google.internal/",
		"https://printer.local/", "https://intranet/", "https://example..com/x?%zz", "https://exam%70le.com:443/?a=%", "https://example.com/?a;b", "https://./", "https://example.com,evil/",
		"https://" + strings.Repeat("a.", 130) + "com/", "https://example.com/" + strings.Repeat("x", maxExpanded),
	} {
		if u, err := g.checkURL(s); err == nil {
			t.Errorf("%.80q is allowed as %v", s, u)
		}
	}
	for _, s := range []string{
		"https://example.com", "https://example.com/", "https://example.com:8443/a/b?c=d&e=%20", "https://sub.example.co.in/hook?token=x", "https://8.8.8.8/", "https://[2606:4700:4700::1111]:443/x",
		"https://xn--exmple-cua.com/", "https://a_b.example.com./x", "HTTPS://EXAMPLE.COM/",
	} {
		if _, err := g.checkURL(s); err != nil {
			t.Errorf("%q: %v", s, err)
		}
	}
	if _, err := newGuard(true, false).checkURL("http://example.com/"); err != nil {
		t.Errorf("http where it is allowed: %v", err)
	}
	if _, err := newGuard(true, false).checkURL("http://127.0.0.1/"); err == nil {
		t.Error("loopback where only http is allowed")
	}
}

// nameServer answers every question of kind A with addr, over UDP on loopback.
func nameServer(t *testing.T, addr string) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { _ = conn.Close(); <-done })
	go func() {
		defer close(done)
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			q := m.Questions[0]
			answer := dnsmessage.Message{Header: dnsmessage.Header{ID: m.ID, Response: true, Authoritative: true}, Questions: m.Questions}
			if q.Type == dnsmessage.TypeA {
				answer.Answers = []dnsmessage.Resource{{
					Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class},
					Body:   &dnsmessage.AResource{A: netip.MustParseAddr(addr).As4()},
				}}
			}
			if packed, err := answer.Pack(); err == nil {
				_, _ = conn.WriteTo(packed, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

// Whatever a name resolves to, a refused address is not connected to; a server that would notice listens there.
func TestNamesThatResolveToRefusedAddresses(t *testing.T) {
	var hits atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	defer srv.Close()
	_, port, err := net.SplitHostPort(srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, addr := range []string{"127.0.0.1", "169.254.169.254", "10.1.2.3", "100.64.0.1", "0.0.0.0"} {
		client := newClient(newGuard(true, false), nameServer(t, addr), 5*time.Second)
		_, err := client.Get("http://hooks.example.com:" + port + "/")
		if !errors.Is(err, ErrAddress) {
			t.Errorf("%s: %v, want %v", addr, err, ErrAddress)
		}
		if got := plain(err); got != ErrAddress.Error() {
			t.Errorf("%s is told: %s", addr, got)
		}
		client.CloseIdleConnections()
	}
	// The guard is what refuses: with loopback allowed, the same name arrives.
	client := newClient(newGuard(true, true), nameServer(t, "127.0.0.1"), 5*time.Second)
	defer client.CloseIdleConnections()
	resp, err := client.Get("http://hooks.example.com:" + port + "/")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if hits.Load() != 1 {
		t.Errorf("%d hits, want 1", hits.Load())
	}
}

// Addresses that are spelled so that only a resolver sees them are refused too, if they pass the check of the URL.
func TestSpelledAddressesAreNotDialled(t *testing.T) {
	client := newClient(newGuard(true, false), nil, 5*time.Second)
	defer client.CloseIdleConnections()
	for _, host := range []string{"127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "localhost", "[::]", "0"} {
		resp, err := client.Get("http://" + host + ":9/")
		if err == nil {
			_ = resp.Body.Close()
			t.Errorf("%s was reached", host)
		}
		var refused *net.OpError
		if errors.As(err, &refused) && errors.Is(refused.Err, errRefused()) {
			t.Errorf("%s was dialled: %v", host, err)
		}
	}
}

// errRefused is what a dial to a closed port would give: the proof that it was tried.
func errRefused() error {
	_, err := net.Dial("tcp", "127.0.0.1:9")
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	return err
}

func TestRedirectsAreNotFollowedAndNoProxyIsUsed(t *testing.T) {
	var hits atomic.Int64
	inner := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	defer inner.Close()
	t.Setenv("HTTP_PROXY", inner.URL)
	t.Setenv("http_proxy", inner.URL)
	for _, status := range []int{301, 302, 303, 307, 308} {
		outer := httptest.NewServer(http.RedirectHandler(inner.URL, status))
		client := newClient(newGuard(true, true), nil, 5*time.Second)
		resp, err := client.Post(outer.URL, "application/json", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != status {
			t.Errorf("status %d, want %d", resp.StatusCode, status)
		}
		client.CloseIdleConnections()
		outer.Close()
	}
	if hits.Load() != 0 {
		t.Errorf("%d requests reached the other server", hits.Load())
	}
}

// Everything that passes the check is an absolute URL whose host the client will use as it stands.
func FuzzCheckURL(f *testing.F) {
	for _, s := range []string{"https://example.com/a?b=c", "https://127.1/", `https://a\@b/`, "https://[::1]:80/", "https://a@b/", "https://0x7f.1", "https://example.com:443"} {
		f.Add(s)
	}
	g := newGuard(false, false)
	f.Fuzz(func(t *testing.T, s string) {
		u, err := g.checkURL(s)
		if err != nil {
			return
		}
		again, err := url.Parse(u.String())
		if err != nil || again.Host != u.Host || u.Scheme != "https" || u.User != nil || again.User != nil || u.Fragment != "" {
			t.Fatalf("%q is %v, then %v (%v)", s, u, again, err)
		}
		host := u.Hostname()
		if strings.ContainsAny(host, "@/\\?#% ") {
			t.Fatalf("%q has host %q", s, host)
		}
		if addr, err := netip.ParseAddr(host); err == nil && !g.allows(addr) {
			t.Fatalf("%q leads to %v", s, addr)
		}
	})
}

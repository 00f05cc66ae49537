package api

import (
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/edgeref/edgeref/core/access"
)

// Public operations need no token: an operation is public only where it says so, with a limit. The limit is per client
// address and operation; a client who may ask n times a minute may do so at once, and then every minute/n.

const (
	publicKey = "public" // in the metadata of an operation
	// maxAddresses bounds the memory of a limiter (40 bytes each). Beyond it, unknown addresses share one allowance.
	maxAddresses = 50_000
	// minPublicKey is the least length of an idempotency key that alone seals the response: of people, and without a token.
	minPublicKey = 16
	maxConnectIP = 64 // bytes of the header
)

// limiter counts the requests to one operation. It is safe for concurrent use.
type limiter struct {
	perMinute int
	every     time.Duration // between two requests, in the long run
	limit     int           // addresses; maxAddresses but in tests

	mu sync.Mutex
	// free is, by address, the time in Unix ns at which all that was used is earned back (as in the generic cell rate
	// algorithm). An address whose time has passed need not be kept.
	free  map[netip.Addr]int64
	swept int64 // Unix ns of the last look for addresses that need not be kept
}

func newLimiter(perMinute int) *limiter {
	return &limiter{
		perMinute: perMinute, every: time.Minute / time.Duration(perMinute), limit: maxAddresses, free: map[netip.Addr]int64{},
	}
}

// allow takes one request of addr at a time, or says how long to wait for the next. crowded says that there are too many
// addresses to keep them apart.
func (l *limiter) allow(addr netip.Addr, at time.Time) (ok, crowded bool, wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := at.UnixNano()
	if _, known := l.free[addr]; !known && len(l.free) >= l.limit {
		l.sweep(now)
		if crowded = len(l.free) >= l.limit; crowded {
			addr = netip.Addr{}
		}
	}
	free := max(l.free[addr], now) + int64(l.every)
	if over := free - now - int64(time.Minute); over > 0 {
		return false, crowded, time.Duration(over)
	}
	l.free[addr] = free
	return true, crowded, 0
}

// sweep forgets addresses that may do all again, at most once a second: it looks at all of them.
func (l *limiter) sweep(now int64) {
	if now-l.swept < int64(time.Second) {
		return
	}
	l.swept = now
	for addr, free := range l.free {
		if free <= now {
			delete(l.free, addr)
		}
	}
}

// admit lets a request to a public operation pass, or answers it.
func (a *API) admit(ctx huma.Context, l *limiter, next func(huma.Context)) {
	std := ctx.Context()
	addr := infoOf(std).address
	ok, crowded, wait := l.allow(network(addr), a.now())
	if crowded {
		a.metrics.crowded.Inc()
	}
	if !ok {
		a.metrics.limited.WithLabelValues(ctx.Operation().OperationID).Inc()
		ctx.SetHeader("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
		a.refuse(ctx, &Problem{Status: http.StatusTooManyRequests, Code: "rate_limited", Detail: "too many requests from this address; try again later"})
		return
	}
	next(huma.WithContext(ctx, access.With(std, access.Principal{Name: "public", Address: addressText(addr)})))
}

// limiterOf is the limiter of a public operation, or nil.
func limiterOf(op *huma.Operation) *limiter {
	l, _ := op.Metadata[publicKey].(*limiter)
	return l
}

// network is what a client can be told apart by: an IPv6 client has a whole /64.
func network(addr netip.Addr) netip.Addr {
	if !addr.Is6() {
		return addr
	}
	p, err := addr.Prefix(64)
	if err != nil {
		return netip.Addr{}
	}
	return p.Addr()
}

func addressText(addr netip.Addr) string {
	if !addr.IsValid() {
		return ""
	}
	return addr.String()
}

func (a *API) clientAddress(r *http.Request) netip.Addr { return ClientAddress(r, a.trusted) }

// ClientAddress is who a request comes from: its peer, or what a trusted peer says in CF-Connecting-IP. It is the zero
// address where the peer has none.
func ClientAddress(r *http.Request, trusted []netip.Prefix) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	addr := peer.Addr().Unmap().WithZone("")
	header := r.Header.Get("CF-Connecting-IP")
	if header == "" || len(header) > maxConnectIP {
		return addr
	}
	for _, p := range trusted {
		if !p.Contains(addr) {
			continue
		}
		if client, err := netip.ParseAddr(strings.TrimSpace(header)); err == nil && client.Zone() == "" && !client.IsUnspecified() {
			return client.Unmap()
		}
	}
	return addr
}

// Package pace bounds how often one client may do what costs us something before we know who it is.
package pace

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxNetworks bounds the memory (about 150 bytes each). Beyond it, unknown networks share one allowance.
const maxNetworks = 20_000

// Limiter lets each network do so much a minute, which it may do at once. It is safe for concurrent use.
type Limiter struct {
	perMinute int
	now       func() time.Time

	mu       sync.Mutex
	networks map[netip.Prefix]*rate.Limiter
	swept    time.Time
}

// New returns a Limiter.
func New(perMinute int, now func() time.Time) *Limiter {
	return &Limiter{perMinute: perMinute, now: now, networks: map[netip.Prefix]*rate.Limiter{}}
}

// Allow takes one from what the network of an address has left.
func (l *Limiter) Allow(addr netip.Addr) bool {
	key, now := network(addr), l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.networks[key]
	if n == nil {
		if len(l.networks) >= maxNetworks {
			l.sweep(now)
		}
		if len(l.networks) >= maxNetworks {
			key = netip.Prefix{} // the shared one
			n = l.networks[key]
		}
		if n == nil {
			n = rate.NewLimiter(rate.Limit(float64(l.perMinute)/60), l.perMinute)
			l.networks[key] = n
		}
	}
	return n.AllowN(now, 1)
}

// sweep forgets networks that have all left, at most once a second: it looks at all of them.
func (l *Limiter) sweep(now time.Time) {
	if now.Sub(l.swept) < time.Second {
		return
	}
	l.swept = now
	for key, n := range l.networks {
		if n.TokensAt(now) >= float64(l.perMinute) {
			delete(l.networks, key)
		}
	}
}

func network(addr netip.Addr) netip.Prefix {
	addr = addr.Unmap()
	bits := 32
	if addr.Is6() {
		bits = 56
	}
	p, err := addr.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}

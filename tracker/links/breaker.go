package links

import (
	"sync/atomic"
	"time"
)

// probeInterval is the time between two look-ups while the source is down, and how long an answer is kept that was
// given without asking it.
const probeInterval = time.Second

// breakerRest is the time without a look-up after which nothing is known of the source any more.
const breakerRest = 10 * probeInterval

// breaker keeps look-ups away from a source that does not answer. One failure opens it; from then on one look-up per
// probeInterval goes out, in the background, until one succeeds or nobody wanted one for a while. Times are durations
// since the store was made.
type breaker struct {
	open  atomic.Bool
	probe atomic.Int64 // when the next probe may go out
}

func (b *breaker) failed(now time.Duration) {
	b.probe.Store(int64(now + probeInterval))
	b.open.Store(true)
}

func (b *breaker) succeeded() { b.open.Store(false) }

func (b *breaker) isOpen(now time.Duration) bool {
	return b.open.Load() && now < time.Duration(b.probe.Load())+breakerRest
}

// due reports, to one caller each time, that a probe should go out.
func (b *breaker) due(now time.Duration) bool {
	at := b.probe.Load()
	return int64(now) >= at && b.probe.CompareAndSwap(at, int64(now+probeInterval))
}

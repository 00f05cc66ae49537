// Package live hands what happens to those who watch: one look at the stores a second for all of them together, and none while
// nobody watches.
package live

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Limits.
const (
	MaxListeners    = 500 // of one process
	MaxOfOne        = 5   // of one person or token
	buffer          = 128 // events that a slow listener may be behind
	lookEvery       = time.Second
	lookTimeout     = 5 * time.Second
	overlap         = 10 * time.Second // how late an event may come into its store and still be seen
	rememberedLimit = 20_000           // events
)

// Errors of this package.
var (
	ErrTooMany = errors.New("too many watch; close one and try again")
	ErrClosed  = errors.New("the process stops")
)

// Event is something that happened. Data is one line of JSON for the business, Own the same for the affiliate whose it is.
type Event struct {
	ID          string // unique
	Kind        string // click, conversion or commission
	AffiliateID int64  // 0: nobody's
	Data, Own   []byte
}

// Source gives what happened since a time, oldest first; what it gave before it may give again. It is called from one
// goroutine.
type Source interface {
	Since(ctx context.Context, since time.Time) ([]Event, error)
}

// Options are what New needs.
type Options struct {
	Sources    []Source
	Now        func() time.Time
	Logger     *slog.Logger          // default: none
	Registerer prometheus.Registerer // default: metrics are not exported
	Every      time.Duration         // default 1 s
}

// Hub joins stores and listeners. It is safe for concurrent use.
type Hub struct {
	opts    Options
	sent    prometheus.Counter
	missed  prometheus.Counter
	failure prometheus.Counter

	mu        sync.Mutex
	listeners map[*Listener]struct{}
	of        map[int64]int // listeners of one person or token
	looking   bool
	closed    bool
	stop      chan struct{} // closed by Close

	// Of the one goroutine that looks.
	seen map[string]time.Time // when an event was given out
}

// Listener is one who watches. Events and Missed are for one goroutine.
type Listener struct {
	hub       *Hub
	who       int64
	affiliate int64 // 0: everything
	events    chan Event
	done      chan struct{} // closed under the hub's mu

	mu     sync.Mutex
	missed int
}

// New returns a hub. It works while somebody listens.
func New(o Options) *Hub {
	if o.Now == nil {
		panic("BUG: watching needs a clock")
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Every <= 0 {
		o.Every = lookEvery
	}
	f := promauto.With(o.Registerer)
	h := &Hub{
		opts: o, listeners: map[*Listener]struct{}{}, of: map[int64]int{}, stop: make(chan struct{}), seen: map[string]time.Time{},
		sent:    f.NewCounter(prometheus.CounterOpts{Name: "edgeref_live_events_total", Help: "Events handed to those who watch, once for each."}),
		missed:  f.NewCounter(prometheus.CounterOpts{Name: "edgeref_live_missed_events_total", Help: "Events that listeners were too slow for."}),
		failure: f.NewCounter(prometheus.CounterOpts{Name: "edgeref_live_failures_total", Help: "Looks at a store that failed."}),
	}
	f.NewGaugeFunc(prometheus.GaugeOpts{Name: "edgeref_live_listeners", Help: "Who watches now."}, func() float64 {
		h.mu.Lock()
		defer h.mu.Unlock()
		return float64(len(h.listeners))
	})
	return h
}

// Listen begins to watch: what is of the affiliate, or everything for 0. who is a person or token. Close the listener.
// Errors: ErrTooMany, ErrClosed.
func (h *Hub) Listen(who, affiliate int64) (*Listener, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.closed:
		return nil, ErrClosed
	case len(h.listeners) >= MaxListeners || h.of[who] >= MaxOfOne:
		return nil, ErrTooMany
	}
	l := &Listener{hub: h, who: who, affiliate: affiliate, events: make(chan Event, buffer), done: make(chan struct{})}
	h.listeners[l] = struct{}{}
	h.of[who]++
	if !h.looking {
		h.looking = true
		go h.look(h.opts.Now())
	}
	return l, nil
}

// Events gives what happens, until the listener is closed.
func (l *Listener) Events() <-chan Event { return l.events }

// Done is closed when the listener is to end: it was closed, End was called for it, or the process stops.
func (l *Listener) Done() <-chan struct{} { return l.done }

// Missed is how many events the listener was too slow for since it was asked last.
func (l *Listener) Missed() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.missed
	l.missed = 0
	return n
}

// Close ends watching.
func (l *Listener) Close() {
	l.hub.mu.Lock()
	defer l.hub.mu.Unlock()
	if _, there := l.hub.listeners[l]; !there {
		return
	}
	l.hub.drop(l)
}

// End ends all watching of one person or token now. Who still may begins again.
func (h *Hub) End(who int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for l := range h.listeners {
		if l.who == who {
			h.drop(l)
		}
	}
}

// drop forgets a listener that is there; h.mu is held.
func (h *Hub) drop(l *Listener) {
	delete(h.listeners, l)
	if h.of[l.who]--; h.of[l.who] == 0 {
		delete(h.of, l.who)
	}
	close(l.done)
}

// Close ends all watching.
func (h *Hub) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return
	}
	h.closed = true
	close(h.stop)
	for l := range h.listeners {
		h.drop(l)
	}
}

// look looks at the stores while somebody listens. What happened before began is not news.
func (h *Hub) look(began time.Time) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	tick := time.NewTicker(h.opts.Every)
	defer tick.Stop()
	since := began
	for {
		select {
		case <-tick.C:
		case <-h.stop:
			return
		}
		h.mu.Lock()
		if len(h.listeners) == 0 {
			h.looking = false
			clear(h.seen)
			h.mu.Unlock()
			return
		}
		h.mu.Unlock()
		now := h.opts.Now()
		h.once(ctx, laterOf(began, since.Add(-overlap)), now)
		since = now
	}
}

func laterOf(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func (h *Hub) once(ctx context.Context, since, now time.Time) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	for _, source := range h.opts.Sources {
		events, err := source.Since(ctx, since)
		if err != nil {
			h.failure.Inc()
			h.opts.Logger.Debug("what is new could not be read for those who watch", "error", err)
			continue
		}
		for i := range events {
			if _, known := h.seen[events[i].ID]; !known {
				h.seen[events[i].ID] = now
				h.hand(events[i])
			}
		}
	}
	// An event that is older than the overlap is not given again.
	for id, at := range h.seen {
		if now.Sub(at) > 2*overlap || len(h.seen) > rememberedLimit {
			delete(h.seen, id)
		}
	}
}

// hand gives an event to everybody whose it is, and waits for nobody.
func (h *Hub) hand(e Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for l := range h.listeners {
		if l.affiliate != 0 && l.affiliate != e.AffiliateID {
			continue
		}
		select {
		case l.events <- e:
			h.sent.Inc()
		default:
			h.missed.Inc()
			l.mu.Lock()
			l.missed++
			l.mu.Unlock()
		}
	}
}

// Package heartbeat tells the core every few seconds how an edge node is. Nothing waits for it and nothing depends on it: a core
// that does not want to know, or is down, costs a failed request every few seconds.
package heartbeat

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"time"

	"github.com/edgeref/edgeref/tracker/links"
	"github.com/edgeref/edgeref/tracker/spool"
	"github.com/edgeref/edgeref/wire/node"
)

const (
	every   = 5 * time.Second
	timeout = 4 * time.Second
)

// Sink is whom a node tells: the core. It is called from one goroutine.
type Sink interface {
	Report(ctx context.Context, s node.Status) error
}

// Spool is one of the node's queues.
type Spool struct {
	Name  string
	Stats func() spool.Stats
}

// Options are what New needs.
type Options struct {
	Node     int
	Version  string
	Instance string // see NewInstance
	Feed     func() links.Feed
	Spools   []Spool
	Sink     Sink
	Now      func() time.Time
	Logger   *slog.Logger
}

// Heart is what tells. Run it once.
type Heart struct {
	opts      Options
	startedAt int64
	delivered []uint64 // of each spool, when it was looked at last
	at        []int64  // when that grew, Unix ms
}

// NewInstance names one start of a process.
func NewInstance() string {
	var b [12]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// New returns the heart of a node.
func New(o Options) *Heart {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Heart{opts: o, startedAt: o.Now().UnixMilli(), delivered: make([]uint64, len(o.Spools)), at: make([]int64, len(o.Spools))}
}

// Run tells at once and then every few seconds, until ctx ends.
func (h *Heart) Run(ctx context.Context) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		h.tell(ctx)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (h *Heart) tell(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	// The change feed warns of a core that does not answer.
	if err := h.opts.Sink.Report(ctx, h.status()); err != nil && ctx.Err() == nil {
		h.opts.Logger.Debug("the core did not take the status of this node", "error", err)
	}
}

func (h *Heart) status() node.Status {
	now := h.opts.Now().UnixMilli()
	f := h.opts.Feed()
	s := node.Status{
		Node: h.opts.Node, Instance: h.opts.Instance, Version: h.opts.Version, StartedAt: h.startedAt, SentAt: now,
		Feed: node.Feed{ID: f.ID, Cursor: f.Cursor, Connected: f.Connected, LagMS: f.Lag.Milliseconds(), Links: int64(f.Links), Error: text(f.Err)},
	}
	for i, q := range h.opts.Spools {
		st := q.Stats()
		if st.Delivered > h.delivered[i] {
			h.delivered[i], h.at[i] = st.Delivered, now
		}
		s.Spools = append(s.Spools, node.Spool{
			Name: q.Name, Appended: st.Appended, Delivered: st.Delivered, Quarantined: st.Quarantined, Pending: st.PendingRecords, PendingBytes: st.PendingBytes,
			OldestMS: st.OldestAge.Milliseconds(), DiskBytes: st.DiskBytes, LimitBytes: st.LimitBytes, Full: st.Full, Stalled: st.Stalled, Error: text(st.Err),
			LastDeliveredAt: h.at[i],
		})
	}
	return s
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return node.Cut(err.Error())
}

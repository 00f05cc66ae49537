package heartbeat_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/edgeref/edgeref/tracker/heartbeat"
	"github.com/edgeref/edgeref/tracker/links"
	"github.com/edgeref/edgeref/tracker/spool"
	"github.com/edgeref/edgeref/wire/node"
)

// core remembers what it was told.
type core struct {
	told []node.Status
	err  error
}

func (c *core) Report(_ context.Context, s node.Status) error {
	c.told = append(c.told, s)
	return c.err
}

// A node tells how it is at once and every few seconds, also a core that does not listen.
func TestHeart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &core{err: errors.New("down")}
		var stats atomic.Pointer[spool.Stats]
		stats.Store(&spool.Stats{PendingRecords: 4, OldestAge: time.Second, Err: errors.New("disk on fire")})
		h := heartbeat.New(heartbeat.Options{
			Node: 3, Version: "1", Instance: heartbeat.NewInstance(), Sink: c, Now: time.Now,
			Feed:   func() links.Feed { return links.Feed{Cursor: 7, Connected: true, Links: 2} },
			Spools: []heartbeat.Spool{{Name: "clicks", Stats: func() spool.Stats { return *stats.Load() }}},
		})
		started := time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { h.Run(ctx); close(ended) }()
		synctest.Wait()
		if len(c.told) != 1 {
			t.Fatalf("told %d times at once", len(c.told))
		}
		first := c.told[0]
		if first.Validate() != nil || first.Feed.Cursor != 7 || first.Spools[0].Error != "disk on fire" || first.Spools[0].OldestMS != 1000 || first.Spools[0].LastDeliveredAt != 0 {
			t.Errorf("%+v", first)
		}
		stats.Store(&spool.Stats{PendingRecords: 4, OldestAge: time.Second, Err: errors.New("disk on fire"), Delivered: 9})
		time.Sleep(20 * time.Second) // of the bubble
		synctest.Wait()
		if n := len(c.told); n != 5 || c.told[4].Spools[0].LastDeliveredAt != started.Add(5*time.Second).UnixMilli() {
			t.Errorf("told %d times: %+v", n, c.told[n-1])
		}
		cancel()
		<-ended
	})
}

package links

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"
)

const (
	// pollGrace is how much longer than asked a request to the feed may take.
	pollGrace = 3 * time.Second
	// pollGap is the least time between two requests when the first brought nothing, for a feed that does not wait.
	pollGap = 200 * time.Millisecond
	// The feed is asked again after a failure between these times, more or less by half.
	minBackoff = 200 * time.Millisecond
	maxBackoff = 5 * time.Second
)

// feedState is what others need to know of the feed. Times are durations since the store was made.
type feedState struct {
	connected  atomic.Bool
	freshUntil atomic.Int64 // the replica has every change until then, but for those on their way
	completeAt atomic.Int64 // when the feed was last followed to its end
	lastError  atomic.Pointer[error]
}

// fresh reports whether the replica is as good as the core. A connection that died without a word goes unnoticed for
// one request of the feed at most.
func (f *feedState) fresh(now time.Duration) bool { return int64(now) < f.freshUntil.Load() }

func (f *feedState) lag(now time.Duration) time.Duration {
	if f.fresh(now) {
		return 0
	}
	return max(0, now-time.Duration(f.completeAt.Load()))
}

// Run follows the change feed and saves snapshots until ctx ends; then it saves a last one and returns. Call it once.
func (s *Store[T]) Run(ctx context.Context) {
	saving, stopSaving := context.WithCancel(context.WithoutCancel(ctx))
	var saver sync.WaitGroup
	saver.Go(func() { s.saveUntil(saving) })
	s.follow(ctx)
	stopSaving() // after the last page, so that it is in the last snapshot
	saver.Wait()
}

func (s *state) follow(ctx context.Context) {
	retry := &backoff.ExponentialBackOff{
		InitialInterval: minBackoff, MaxInterval: maxBackoff, Multiplier: 2, RandomizationFactor: 0.5,
	}
	retry.Reset()
	for ctx.Err() == nil {
		asked := s.opts.Now()
		more, err := s.poll(ctx)
		switch {
		case ctx.Err() != nil:
		case err != nil:
			s.disconnected(err)
			sleep(ctx, retry.NextBackOff())
		default:
			retry.Reset()
			if !more {
				sleep(ctx, pollGap-s.opts.Now().Sub(asked))
			}
		}
	}
	s.feed.connected.Store(false)
	s.feed.freshUntil.Store(0)
}

func (s *state) disconnected(err error) {
	s.metrics.feedErrors.Inc()
	s.feed.freshUntil.Store(0)
	s.feed.lastError.Store(&err)
	if s.feed.connected.Swap(false) || s.metrics.feedLog.allow(s.elapsed()) {
		s.opts.Log.Warn("the core's change feed does not answer, known links stay as they are", "error", err)
	}
}

// poll takes in one page; more says to ask again at once.
func (s *state) poll(ctx context.Context) (more bool, err error) {
	at := s.replica.position()
	// Whether anything was missed must be known at once after a failure, not when the next change comes.
	wait := s.opts.PollWait
	if !s.feed.connected.Load() {
		wait = 0
	}
	ctx, cancel := context.WithTimeout(ctx, wait+pollGrace)
	defer cancel()
	page, err := s.source.Changes(ctx, at.feed, at.cursor, wait)
	if err != nil {
		return false, err
	}
	a, err := s.replica.apply(at, &page)
	if err != nil {
		return false, err
	}
	s.metrics.pages.Inc()
	if a.restarted {
		s.metrics.resyncs.Inc()
		s.opts.Log.Warn("the core's change feed started again, copying all links", "feed", page.Feed, "was", at.feed, "cursor", at.cursor)
	}
	if a.invalid+a.full > 0 {
		s.metrics.refusedInvalid.Add(float64(a.invalid))
		s.metrics.refusedFull.Add(float64(a.full))
		if s.metrics.feedLog.allow(s.elapsed()) {
			s.opts.Log.Error("links are not kept on this node; if there is no room, raise its limit for the replica",
				"invalid", a.invalid, "no_room", a.full)
		}
	}
	if s.salts.offer(page.Salts) || a.changed {
		s.changed()
	}
	s.caughtUp(!page.More)
	return page.More || wait == 0 || page.Cursor > at.cursor, nil
}

func (s *state) caughtUp(complete bool) {
	now := s.elapsed()
	if !s.feed.connected.Swap(true) {
		s.opts.Log.Info("the core's change feed answers")
	}
	s.feed.lastError.Store(nil)
	if !complete {
		s.feed.freshUntil.Store(0)
		return
	}
	s.feed.completeAt.Store(int64(now))
	s.feed.freshUntil.Store(int64(now + s.opts.PollWait + 2*pollGrace))
}

// sleep waits for d, if it is positive, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/edgeref/edgeref/core/system"
)

// stopTimeout bounds the stop of one part, beyond what it was given to finish its work. What a part could not finish is
// on disk, and goes on after the next start.
const stopTimeout = 15 * time.Second

// parts are what a process has started. They are started against the flow of data (stores first, listeners last) and
// stopped in reverse: first nobody comes in any more, then what is under way is finished, then stores close.
type parts struct {
	log   *slog.Logger
	stops []stopper

	mu   sync.Mutex
	work []system.Work // what runs in the background, in the order of its start
}

type stopper struct {
	name  string
	limit time.Duration
	stop  func(context.Context) error
}

// onStop says how to stop what has just been started.
func (p *parts) onStop(name string, stop func(context.Context) error) {
	p.stops = append(p.stops, stopper{name, stopTimeout, stop})
}

// background runs fn until the part is stopped; stopping cancels its context and waits for it.
func (p *parts) background(name string, fn func(context.Context)) { p.backgroundFor(name, 0, fn) }

// backgroundFor is background for an fn that may go on working for the time of finish after its context has ended.
func (p *parts) backgroundFor(name string, finish time.Duration, fn func(context.Context)) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	place := p.began(name)
	go func() {
		defer close(done)
		fn(ctx)
		if ctx.Err() == nil {
			p.ended(place)
		}
	}()
	p.stops = append(p.stops, stopper{name, max(finish, 0) + stopTimeout, func(stopCtx context.Context) error {
		cancel()
		select {
		case <-done:
			return nil
		case <-stopCtx.Done():
			return stopCtx.Err()
		}
	}})
}

func (p *parts) began(name string) (place int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.work = append(p.work, system.Work{Verdict: system.Verdict{State: system.OK, Text: "it goes on"}, Name: name})
	return len(p.work) - 1
}

// ended notes work that ended before it was told to.
func (p *parts) ended(place int) {
	now := time.Now().UTC().Truncate(time.Millisecond)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.work[place].Verdict = system.Verdict{State: system.Bad, Text: "it ended by itself: see the log for why, and restart the process"}
	p.work[place].EndedAt = &now
}

// inBackground is the background work as it is now.
func (p *parts) inBackground() []system.Work {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.work)
}

// stop ends all parts, the last started first, and reports every failure.
func (p *parts) stop() error {
	var errs []error
	for i := len(p.stops) - 1; i >= 0; i-- {
		s := p.stops[i]
		ctx, cancel := context.WithTimeout(context.Background(), s.limit)
		if err := s.stop(ctx); err != nil {
			errs = append(errs, fmt.Errorf("stop %s: %w", s.name, err))
		}
		cancel()
	}
	p.stops = nil
	return errors.Join(errs...)
}

// serve runs a listener's server in the background and returns the channel of its result. A server that ends before it is
// told to makes the process not ready: it must not look well while nobody is answered.
func (e *environment) serve(name string, fn func() error) <-chan error {
	done := make(chan error, 1)
	ended := make(chan struct{})
	go func() {
		done <- fn()
		close(ended)
	}()
	e.ops.require(name, func(context.Context) error {
		select {
		case <-ended:
			return errors.New("has stopped accepting connections; restart the process")
		default:
			return nil
		}
	})
	return done
}

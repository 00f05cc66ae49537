package spool

import (
	"log/slog"
	"sync"
	"time"
)

// logPause is the least time between two lines about the same thing.
const logPause = 10 * time.Second

// throttled logs warnings, each kind of them at most once per logPause: a failing disk fails for every click.
type throttled struct {
	logger *slog.Logger
	clock  func() time.Time
	mu     sync.Mutex
	next   map[string]time.Time
}

func newThrottled(logger *slog.Logger, clock func() time.Time) *throttled {
	return &throttled{logger: logger, clock: clock, next: make(map[string]time.Time)}
}

// warn logs unless kind, one of a fixed set, was logged a moment ago.
func (l *throttled) warn(kind, msg string, args ...any) {
	now := l.clock()
	l.mu.Lock()
	quiet := now.Before(l.next[kind])
	if !quiet {
		l.next[kind] = now.Add(logPause)
	}
	l.mu.Unlock()
	if !quiet {
		l.logger.Warn(msg, args...)
	}
}

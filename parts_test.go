package main

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"
)

// A stop waits for a spool to drain for as long as the configuration says, and for nothing else longer than stopTimeout.
func TestStopWaitsAsLongAsConfigured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &parts{log: slog.New(slog.DiscardHandler)}
		drained := false
		p.backgroundFor("delivery", time.Minute, func(ctx context.Context) {
			<-ctx.Done()
			<-time.After(time.Minute)
			drained = true
		})
		if err := p.stop(); err != nil || !drained {
			t.Errorf("stopped with %v, drained %v", err, drained)
		}
		stuck := make(chan struct{})
		p.background("stuck", func(context.Context) { <-stuck })
		began := time.Now()
		if err := p.stop(); err == nil || time.Since(began) != stopTimeout {
			t.Errorf("stopped with %v after %v, want an error after %v", err, time.Since(began), stopTimeout)
		}
		close(stuck)
	})
}

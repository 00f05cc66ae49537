package commission

import (
	"context"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/wire/conversion"
)

// Run releases what becomes due while it runs, and ends with its context.
func TestRun(t *testing.T) {
	f := newFixture(t, dbtest.SQLite(t))
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	if _, err := f.CreateRule(t.Context(), NewRule{ProgramID: program, On: conversion.Sale, Terms: Terms{PercentBP: 5000}}); err != nil {
		t.Fatal(err)
	}
	f.sale(t, affiliate, 10)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	f.advance(2 * time.Hour)
	poll := time.NewTicker(time.Millisecond)
	defer poll.Stop()
	for testutil.ToFloat64(f.released) == 0 && ctx.Err() == nil {
		<-poll.C
	}
	if ctx.Err() != nil {
		t.Error("nothing was released")
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("run ended with %v", err)
	}
}

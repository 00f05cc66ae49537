package deliver

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/edgeref/edgeref/tracker/spool"
	"github.com/edgeref/edgeref/wire/conversion"
)

// coreSink answers each event with the outcome that its transaction id names.
type coreSink struct {
	mu    sync.Mutex
	fail  []error
	short int // calls that answer one event too few
	calls []string
}

func (s *coreSink) Book(_ context.Context, events []conversion.Event) ([]conversion.Result, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []string
	var results []conversion.Result
	for _, e := range events {
		ids = append(ids, e.TxnID)
		results = append(results, conversion.Result{Outcome: conversion.Outcome(e.TxnID)})
	}
	s.calls = append(s.calls, strings.Join(ids, " "))
	if len(s.fail) > 0 {
		err := s.fail[0]
		s.fail = s.fail[1:]
		return nil, err
	}
	if s.short > 0 {
		s.short--
		return results[1:], nil
	}
	return results, nil
}

func appendConversions(t *testing.T, s *spool.Spool, ids ...string) {
	t.Helper()
	for _, id := range ids {
		e := conversion.Event{ProgramID: 1, Type: conversion.Lead, TxnID: id, Channel: conversion.Postback}
		b, err := e.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Append(b); err != nil {
			t.Fatal(err)
		}
	}
}

func TestConversionsAreBookedAndCounted(t *testing.T) {
	inBubble(t, func(t *testing.T, s *spool.Spool) {
		reg := prometheus.NewRegistry()
		sink := &coreSink{fail: []error{errDown}, short: 1}
		d, err := NewConversions(s, sink, Options{MaxRecords: 6, Registerer: reg})
		if err != nil {
			t.Fatal(err)
		}
		stop := run(t, d)
		appendConversions(t, s, "booked", "booked", "duplicate", "conflict", "refused")
		if err := s.Append([]byte(`{"program_id":"0"}`)); err != nil {
			t.Fatal(err)
		}
		after(time.Second)
		appendConversions(t, s, "something new")
		after(time.Second)
		stop()
		const first = "booked booked duplicate conflict refused"
		if want := strings.Join([]string{first, first, first, "something new"}, "|"); strings.Join(sink.calls, "|") != want {
			t.Errorf("%q; want %q", sink.calls, want)
		}
		for outcome, want := range map[string]float64{"booked": 2, "duplicate": 1, "conflict": 1, "refused": 1, "other": 1} {
			if got := value(t, reg, "edgeref_delivery_conversions_total", outcome); got != want {
				t.Errorf("%s: %v; want %v", outcome, got, want)
			}
		}
		if st := s.Stats(); st.Delivered != 6 || st.Quarantined != 1 || st.PendingRecords != 0 {
			t.Errorf("%+v", st)
		}
	})
}

func TestConversionsOfARestartComeInTheSameBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		var batches []string
		for i := range 2 {
			s := openSpool(t, dir)
			sink := &coreSink{}
			if i == 0 {
				sink.fail = []error{errDown, errDown, errDown, errDown, errDown, errDown, errDown, errDown}
				appendConversions(t, s, "booked", "refused")
			}
			d, err := NewConversions(s, sink, Options{MaxRecords: 2, DrainTimeout: -1})
			if err != nil {
				t.Fatal(err)
			}
			stop := run(t, d)
			synctest.Wait()
			stop()
			batches = append(batches, sink.calls[0])
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if batches[0] != batches[1] || batches[0] != "booked refused" {
			t.Errorf("%q", batches)
		}
	})
}

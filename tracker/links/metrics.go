package links

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// result is how one call of Find ended.
type result int

const (
	resultHit         result = iota // from the cache
	resultStale                     // known from before, because the source did not answer
	resultNegative                  // there is no such link
	resultReplica                   // from the replica
	resultSource                    // from the source
	resultUnavailable               // nothing is known and the source did not answer
	resultInvalid                   // the link exists and cannot be followed
	results
)

func (r result) String() string {
	return [results]string{"hit", "stale", "negative", "replica", "source", "unavailable", "invalid"}[r]
}

// metrics are counted where things happen; gauges are read when they are asked for.
type metrics struct {
	lookups        [results]prometheus.Counter
	sourceErrors   prometheus.Counter
	sourceLimited  prometheus.Counter
	refreshLimited prometheus.Counter

	pages, feedErrors, resyncs   prometheus.Counter
	refusedInvalid, refusedFull  prometheus.Counter
	saltsMade                    prometheus.Counter
	saveErrors, loadErrors       prometheus.Counter
	snapshotCorrupt              prometheus.Counter
	feedLog                      throttle
	snapshotSaved, snapshotBytes atomic.Int64 // Unix ns of the last save; bytes
	unsavedSince                 atomic.Int64 // Unix ns; 0: all is saved
}

func counter(name, help string) prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "edgeref", Subsystem: "tracker", Name: name, Help: help})
}

func newMetrics() *metrics {
	m := &metrics{
		sourceErrors:    counter("links_source_errors_total", "Look-ups that the source failed or did not answer in time."),
		sourceLimited:   counter("links_source_limited_total", "Look-ups not sent to the source because too many were under way."),
		refreshLimited:  counter("links_refresh_limited_total", "Refreshes put off because too many were under way."),
		pages:           counter("links_feed_pages_total", "Pages of the change feed taken in."),
		feedErrors:      counter("links_feed_errors_total", "Requests to the change feed that failed."),
		resyncs:         counter("links_feed_resyncs_total", "Full copies begun because the feed started again."),
		saltsMade:       counter("salts_made_total", "Visitor salts made here because the core had not given one."),
		snapshotCorrupt: counter("links_snapshot_corrupt_total", "Snapshots found corrupt at start and put aside."),
	}
	return m
}

// register makes all metrics known; state is what gauges read from.
func (m *metrics) register(reg prometheus.Registerer, s *state) error {
	lookups := prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: "edgeref", Subsystem: "tracker", Name: "link_lookups_total", Help: "Links looked up, by how that ended.",
	}, []string{"result"})
	for r := range results {
		m.lookups[r] = lookups.WithLabelValues(r.String())
	}
	refused := prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: "edgeref", Subsystem: "tracker", Name: "links_refused_total",
		Help: "Links and programs of the feed that were not kept: invalid, or no room for them.",
	}, []string{"reason"})
	m.refusedInvalid, m.refusedFull = refused.WithLabelValues("invalid"), refused.WithLabelValues("full")
	snapshot := prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: "edgeref", Subsystem: "tracker", Name: "links_snapshot_errors_total", Help: "Snapshots that could not be saved or loaded.",
	}, []string{"op"})
	m.saveErrors, m.loadErrors = snapshot.WithLabelValues("save"), snapshot.WithLabelValues("load")
	if reg == nil {
		return nil
	}
	all := append(m.gauges(s), lookups, refused, snapshot, m.sourceErrors, m.sourceLimited, m.refreshLimited,
		m.pages, m.feedErrors, m.resyncs, m.saltsMade, m.snapshotCorrupt)
	var errs []error
	for _, c := range all {
		errs = append(errs, reg.Register(c))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("register link metrics: %w", err)
	}
	return nil
}

func (m *metrics) gauges(s *state) []prometheus.Collector {
	gauge := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Namespace: "edgeref", Subsystem: "tracker", Name: name, Help: help,
		}, value)
	}
	since := func(ns int64) float64 {
		if ns == 0 {
			return 0
		}
		return max(0, s.opts.Now().Sub(time.Unix(0, ns)).Seconds())
	}
	flag := func(b bool) float64 {
		if b {
			return 1
		}
		return 0
	}
	return []prometheus.Collector{
		gauge("links_known", "Links in the replica.", func() float64 { return float64(s.replica.size().links) }),
		gauge("links_programs_known", "Programs in the replica.", func() float64 { return float64(s.replica.size().programs) }),
		gauge("links_replica_bytes", "Memory that the replica's links and indexes take.",
			func() float64 { return float64(s.replica.size().bytes) }),
		gauge("links_feed_connected", "1 while the change feed answers.", func() float64 { return flag(s.feed.connected.Load()) }),
		gauge("links_feed_lag_seconds", "Time since all changes were known; 0 while the feed is connected and followed to its end.",
			func() float64 { return s.feed.lag(s.elapsed()).Seconds() }),
		gauge("links_source_breaker_open", "1 while look-ups are kept away from a source that does not answer.",
			func() float64 { return flag(s.breaker.isOpen(s.elapsed())) }),
		gauge("links_snapshot_age_seconds", "Time since the snapshot was saved; it is saved when something changed.",
			func() float64 { return since(m.snapshotSaved.Load()) }),
		gauge("links_snapshot_unsaved_seconds", "Age of the oldest change that is not in the snapshot; 0 if there is none.",
			func() float64 { return since(m.unsavedSince.Load()) }),
		gauge("links_snapshot_bytes", "Size of the snapshot.", func() float64 { return float64(m.snapshotBytes.Load()) }),
	}
}

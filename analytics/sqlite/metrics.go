package sqlite

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Operations, as labels.
const (
	opAppendClicks = "append_clicks"
	opAppendFacts  = "append_facts"
	opReport       = "report"
	opClicks       = "clicks"
)

// kindLabel is the label of a kind of records.
func kindLabel(kind int) string { return []string{kindClicks: "clicks", kindFacts: "facts"}[kind] }

type metrics struct {
	appended   *prometheus.CounterVec // kind
	duplicates *prometheus.CounterVec // kind
	refused    prometheus.Counter
	failed     *prometheus.CounterVec   // operation
	duration   *prometheus.HistogramVec // operation
	expired    prometheus.Counter
	waiting    prometheus.Gauge
	cache      *prometheus.CounterVec // result
	cacheBytes prometheus.Gauge
}

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		appended: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "edgeref_analytics_appended_records_total", Help: "Records stored; what came again is not counted again."}, []string{"kind"}),
		duplicates: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "edgeref_analytics_duplicate_batches_total", Help: "Batches that had been stored before and were ignored."}, []string{"kind"}),
		refused: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "edgeref_analytics_refused_batches_total", Help: "Batches that were larger than the store takes, or had no fit ID."}),
		failed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "edgeref_analytics_failed_operations_total", Help: "Appends, reports and listings that ended with an error, unless the caller gave up."}, []string{"operation"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "edgeref_analytics_operation_seconds", Help: "Time that appends, reports and listings took.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2.5, 12)}, []string{"operation"}),
		expired: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "edgeref_analytics_expired_blocks_total", Help: "Blocks of clicks and facts whose details retention has deleted."}),
		waiting: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "edgeref_analytics_waiting_clicks", Help: "Clicks that facts name and that have not come in."}),
		cache: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "edgeref_analytics_cached_days_total", Help: "Days that reports found in the cache (hit) or had to read (miss)."}, []string{"result"}),
		cacheBytes: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "edgeref_analytics_cache_bytes", Help: "Memory taken by the cache of parts of reports."}),
	}
	if r == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.appended, m.duplicates, m.refused, m.failed, m.duration, m.expired, m.waiting, m.cache, m.cacheBytes} {
		if err := r.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// done records the end of an operation.
func (m *metrics) done(operation string, begun time.Time, err error) {
	m.duration.WithLabelValues(operation).Observe(time.Since(begun).Seconds())
	if err != nil && !errors.Is(err, context.Canceled) {
		m.failed.WithLabelValues(operation).Inc()
	}
}

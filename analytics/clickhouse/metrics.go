package clickhouse

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	appended *prometheus.CounterVec
	refused  prometheus.Counter
	failed   *prometheus.CounterVec
	duration *prometheus.HistogramVec
}

func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{
		appended: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "edgeref_analytics_appended_records_total",
			Help: "Records in batches that the store has acknowledged, batches that it already had included.",
		}, []string{"kind"}),
		refused: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "edgeref_analytics_refused_batches_total",
			Help: "Batches that were larger than the store takes.",
		}),
		failed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "edgeref_analytics_failed_operations_total",
			Help: "Appends, reports and listings that ended with an error, unless the caller gave up.",
		}, []string{"operation"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "edgeref_analytics_operation_seconds",
			Help:    "Time that appends, reports and listings took.",
			Buckets: prometheus.ExponentialBuckets(0.002, 2.5, 12), // 2 ms to 48 s
		}, []string{"operation"}),
	}
	if r != nil {
		r.MustRegister(m.appended, m.refused, m.failed, m.duration)
	}
	return m
}

// Values of the label operation.
const (
	appendClicks = "append_clicks"
	appendFacts  = "append_facts"
	reports      = "report"
	listings     = "clicks"
)

func (m *metrics) done(operation string, start time.Time, err error) {
	m.duration.WithLabelValues(operation).Observe(time.Since(start).Seconds())
	if err != nil && !errors.Is(err, context.Canceled) {
		m.failed.WithLabelValues(operation).Inc()
	}
}

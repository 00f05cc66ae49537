package deliver

import (
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/edgeref/edgeref/tracker/spool"
)

type metrics struct {
	attempts, batches, failures *prometheus.CounterVec
	records, refused            prometheus.Counter
	age, duration               prometheus.Histogram
	backoff, lastSuccess        prometheus.Gauge
}

func newMetrics(name string, reg prometheus.Registerer) (*metrics, error) {
	labels := prometheus.Labels{"spool": name}
	vec := func(name, help, label string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "edgeref_delivery_" + name, Help: help, ConstLabels: labels}, []string{label})
	}
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: "edgeref_delivery_" + name, Help: help, ConstLabels: labels})
	}
	histogram := func(name, help string, buckets []float64) prometheus.Histogram {
		return prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "edgeref_delivery_" + name, Help: help, ConstLabels: labels, Buckets: buckets,
		})
	}
	m := &metrics{
		attempts: vec("attempts_total", "Calls of the sink, by result.", "result"),
		batches:  vec("batches_total", "Batches that are done with, by outcome.", "outcome"),
		failures: vec("failures_total", "Failures that were followed by another attempt, by what failed.", "step"),
		records: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "edgeref_delivery_records_total", Help: "Records that the sink has taken.", ConstLabels: labels}),
		refused: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "edgeref_delivery_refused_records_total", Help: "Records that the sink refused for good, each alone; they are in quarantine.",
			ConstLabels: labels}),
		age: histogram("batch_age_seconds", "Age of the oldest record of a batch when the sink has taken it.",
			prometheus.ExponentialBuckets(0.05, 2.5, 14)), // 50 ms to 2 hours
		duration: histogram("attempt_duration_seconds", "Time of one call of the sink.",
			prometheus.ExponentialBuckets(0.001, 3, 11)), // 1 ms to a minute
		backoff:     gauge("backoff_seconds", "The pause that is being made after a failure; 0 if there is none."),
		lastSuccess: gauge("last_success_timestamp_seconds", "Unix time at which a batch last was done with; 0 if none was."),
	}
	for _, v := range []string{"ok", "error", "timeout", "refused"} {
		m.attempts.WithLabelValues(v)
	}
	for _, p := range []phase{next, decode, send, ack, setAside} {
		m.failures.WithLabelValues(string(p))
	}
	for _, v := range []string{"delivered", "undeliverable", "split"} {
		m.batches.WithLabelValues(v)
	}
	return m, register(reg, m.attempts, m.batches, m.failures, m.records, m.refused, m.age, m.duration, m.backoff, m.lastSuccess)
}

func register(reg prometheus.Registerer, collectors ...prometheus.Collector) error {
	if reg == nil {
		return nil
	}
	for _, c := range collectors {
		if err := reg.Register(c); err != nil {
			return fmt.Errorf("register delivery metrics: %w", err)
		}
	}
	return nil
}

func (m *metrics) attempted(took time.Duration, err error, timedOut bool) {
	result := "ok"
	switch {
	case timedOut:
		result = "timeout"
	case isPermanent(err):
		result = "refused"
	case err != nil:
		result = "error"
	}
	m.attempts.WithLabelValues(result).Inc()
	m.duration.Observe(took.Seconds())
}

// delivered counts a batch that is done with, of which the sink has taken so many records.
func (m *metrics) delivered(b *spool.Batch, records int, now time.Time) {
	m.lastSuccess.Set(float64(now.UnixMilli()) / 1000)
	if records == 0 {
		m.batches.WithLabelValues("undeliverable").Inc()
		return
	}
	m.batches.WithLabelValues("delivered").Inc()
	m.records.Add(float64(records))
	m.age.Observe(max(0, now.Sub(b.Oldest).Seconds()))
}

package sqlite

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	clicks     prometheus.Counter
	facts      prometheus.Counter
	duplicates *prometheus.CounterVec // kind
	failures   *prometheus.CounterVec // reason
	append     prometheus.Histogram
	report     prometheus.Histogram
	expired    prometheus.Counter
	waiting    prometheus.Gauge
}

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	seconds := prometheus.ExponentialBuckets(0.001, 2, 14)
	m := &metrics{
		clicks: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "edgeref_analytics_appended_clicks_total", Help: "Clicks stored; those of a batch that came again are not counted again."}),
		facts: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "edgeref_analytics_appended_facts_total", Help: "Facts stored; those that came again are not counted again."}),
		duplicates: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "edgeref_analytics_duplicate_batches_total", Help: "Batches that had been stored before and were ignored."}, []string{"kind"}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "edgeref_analytics_append_failures_total", Help: "Batches of which nothing was stored, because of an error."}, []string{"reason"}),
		append: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "edgeref_analytics_append_seconds", Help: "Time to store a batch.", Buckets: seconds}),
		report: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "edgeref_analytics_report_seconds", Help: "Time to answer a report.", Buckets: seconds}),
		expired: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "edgeref_analytics_expired_blocks_total", Help: "Blocks of clicks and facts whose details retention has deleted."}),
		waiting: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "edgeref_analytics_waiting_clicks", Help: "Clicks that facts name and that have not come in."}),
	}
	if r == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.clicks, m.facts, m.duplicates, m.failures, m.append, m.report, m.expired, m.waiting} {
		if err := r.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

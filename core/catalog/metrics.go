package catalog

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

type metrics struct {
	waiters prometheus.Gauge
	refused prometheus.Counter
	pages   prometheus.Counter
	lookups *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	f := promauto.With(reg)
	return &metrics{
		waiters: f.NewGauge(prometheus.GaugeOpts{
			Name: "edgeref_catalog_feed_waiters",
			Help: "Callers that wait for a change of the catalogue.",
		}),
		refused: f.NewCounter(prometheus.CounterOpts{
			Name: "edgeref_catalog_feed_waiters_refused_total",
			Help: "Callers refused because as many wait as may.",
		}),
		pages: f.NewCounter(prometheus.CounterOpts{
			Name: "edgeref_catalog_feed_pages_total",
			Help: "Pages of the feed that held a change.",
		}),
		lookups: f.NewCounterVec(prometheus.CounterOpts{
			Name: "edgeref_catalog_lookups_total",
			Help: "Look-ups of a link by its slug, by result: found, not_found or failed.",
		}, []string{"result"}),
	}
}

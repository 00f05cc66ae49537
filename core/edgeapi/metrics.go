package edgeapi

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

type metrics struct {
	requests       *prometheus.CounterVec
	conversions    *prometheus.CounterVec
	clicks         prometheus.Counter
	batchesRefused prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) *metrics {
	f := promauto.With(reg)
	return &metrics{
		requests: f.NewCounterVec(prometheus.CounterOpts{
			Name: "edgeref_edgeapi_requests_total",
			Help: "Requests of trackers to the core, by route and status.",
		}, []string{"route", "status"}),
		conversions: f.NewCounterVec(prometheus.CounterOpts{
			Name: "edgeref_edgeapi_conversions_total",
			Help: "Conversions from trackers, by outcome; invalid ones could not even be read.",
		}, []string{"outcome"}),
		clicks: f.NewCounter(prometheus.CounterOpts{
			Name: "edgeref_edgeapi_clicks_total",
			Help: "Clicks taken from trackers, those sent again included.",
		}),
		batchesRefused: f.NewCounter(prometheus.CounterOpts{
			Name: "edgeref_edgeapi_click_batches_refused_total",
			Help: "Batches of clicks refused because as many were being taken as may.",
		}),
	}
}

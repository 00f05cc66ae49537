package api

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

type metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	inFlight prometheus.Gauge
	panics   prometheus.Counter
	keys     *prometheus.CounterVec
	unlogged *prometheus.CounterVec
	limited  *prometheus.CounterVec
	crowded  prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) *metrics {
	f := promauto.With(reg)
	return &metrics{
		requests: f.NewCounterVec(prometheus.CounterOpts{
			Name: "edgeref_api_requests_total",
			Help: "Requests to the core's API, by method, route template and status.",
		}, []string{"method", "route", "status"}),
		seconds: f.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "edgeref_api_request_seconds",
			Help:    "Time to answer a request to the core's API, by method and route template.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"method", "route"}),
		inFlight: f.NewGauge(prometheus.GaugeOpts{
			Name: "edgeref_api_requests_in_flight",
			Help: "Requests to the core's API being answered now.",
		}),
		panics: f.NewCounter(prometheus.CounterOpts{
			Name: "edgeref_api_panics_total",
			Help: "Requests that ended in a panic.",
		}),
		keys: f.NewCounterVec(prometheus.CounterOpts{
			Name: "edgeref_api_idempotency_keys_total",
			Help: "Requests with an idempotency key, by result: claimed, replayed, in_progress, reused, taken_over.",
		}, []string{"result"}),
		unlogged: f.NewCounterVec(prometheus.CounterOpts{
			Name: "edgeref_api_unaudited_changes_total",
			Help: "Changes that succeeded and left no entry in the audit log, by operation. Each is a bug.",
		}, []string{"operation"}),
		limited: f.NewCounterVec(prometheus.CounterOpts{
			Name: "edgeref_api_rate_limited_total",
			Help: "Requests to public operations refused because their address asks too often, by operation.",
		}, []string{"operation"}),
		crowded: f.NewCounter(prometheus.CounterOpts{
			Name: "edgeref_api_rate_limiter_full_total",
			Help: "Requests to public operations from more addresses than can be told apart; they share one allowance.",
		}),
	}
}

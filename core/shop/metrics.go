package shop

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

const (
	defaultOrderTTL    = 24 * time.Hour
	maxEvents          = 1_000 // of one order that are shown
	maxEntitlementRows = 1_000
	maxExport          = 1_000
)

type metrics struct {
	transitions *prometheus.CounterVec
	outcomes    *prometheus.CounterVec
	reviews     *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	f := promauto.With(reg)
	return &metrics{
		transitions: f.NewCounterVec(prometheus.CounterOpts{
			Name: "edgeref_shop_order_transitions_total",
			Help: "Steps of orders, by the state that they came to.",
		}, []string{"state"}),
		outcomes: f.NewCounterVec(prometheus.CounterOpts{
			Name: "edgeref_shop_outcomes_total",
			Help: "What gateways told of orders' money, by kind.",
		}, []string{"kind"}),
		reviews: f.NewCounterVec(prometheus.CounterOpts{
			Name: "edgeref_shop_reviews_total",
			Help: "Cases opened for people, by kind.",
		}, []string{"kind"}),
	}
}

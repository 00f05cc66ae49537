package db

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

type metrics struct {
	transactions *prometheus.CounterVec
	retries      *prometheus.CounterVec
	exhausted    prometheus.Counter
	seconds      prometheus.Histogram
}

func newMetrics(reg prometheus.Registerer) *metrics {
	f := promauto.With(reg)
	return &metrics{
		transactions: f.NewCounterVec(prometheus.CounterOpts{
			Name: "edgeref_db_transactions_total",
			Help: "Transactions that were to write, by result: committed, failed, or unknown (connection lost during commit).",
		}, []string{"result"}),
		retries: f.NewCounterVec(prometheus.CounterOpts{
			Name: "edgeref_db_transaction_retries_total",
			Help: "Transactions run again, by reason: deadlock, lock_timeout or busy.",
		}, []string{"reason"}),
		exhausted: f.NewCounter(prometheus.CounterOpts{
			Name: "edgeref_db_transaction_retries_exhausted_total",
			Help: "Transactions given up because they had been run as often as allowed.",
		}),
		seconds: f.NewHistogram(prometheus.HistogramOpts{
			Name:    "edgeref_db_transaction_seconds",
			Help:    "Time of a transaction that was to write, with waiting and retries.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}),
	}
}

func (m *metrics) finished(err error, took time.Duration) {
	m.seconds.Observe(took.Seconds())
	switch {
	case err == nil:
		m.transactions.WithLabelValues("committed").Inc()
	case errors.Is(err, ErrUnknownOutcome):
		m.transactions.WithLabelValues("unknown").Inc()
	default:
		m.transactions.WithLabelValues("failed").Inc()
	}
}

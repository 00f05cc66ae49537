package ledger

import (
	"context"
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// scrapeTimeout bounds the query behind the gauges.
const scrapeTimeout = 2 * time.Second

type sealMetrics struct {
	sealed, failures prometheus.Counter
	refused          prometheus.Gauge
}

func newSealMetrics(reg prometheus.Registerer, s *Sealer) *sealMetrics {
	f := promauto.With(reg)
	m := &sealMetrics{
		sealed: f.NewCounter(prometheus.CounterOpts{
			Name: "edgeref_ledger_sealed_transactions_total",
			Help: "Ledger transactions that this core has appended to the hash chain.",
		}),
		failures: f.NewCounter(prometheus.CounterOpts{
			Name: "edgeref_ledger_seal_failures_total",
			Help: "Attempts to seal that failed and will be repeated.",
		}),
		refused: f.NewGauge(prometheus.GaugeOpts{
			Name: "edgeref_ledger_refused_transactions",
			Help: "Ledger transactions that are not sealed because they are dated long before what is sealed already.",
		}),
	}
	if reg != nil {
		reg.MustRegister(&gauges{
			sealer: s,
			count: prometheus.NewDesc("edgeref_ledger_unsealed_transactions",
				"Ledger transactions that the hash chain does not cover yet; NaN while the database does not answer.", nil, nil),
			oldest: prometheus.NewDesc("edgeref_ledger_oldest_unsealed_seconds",
				"Age of the oldest ledger transaction that the hash chain does not cover; 0 if it covers all.", nil, nil),
		})
	}
	return m
}

// gauges ask the database when they are read, so that they are right whichever core seals.
type gauges struct {
	sealer        *Sealer
	count, oldest *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (g *gauges) Describe(ch chan<- *prometheus.Desc) { ch <- g.count; ch <- g.oldest }

// Collect implements prometheus.Collector.
func (g *gauges) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	count, age := math.NaN(), math.NaN()
	if t, err := readTail(ctx, g.sealer.db); err == nil {
		count, age = float64(t.count), 0
		if t.count > 0 {
			age = max(0, g.sealer.now().Sub(time.UnixMilli(t.oldestAt)).Seconds())
		}
	}
	ch <- prometheus.MustNewConstMetric(g.count, prometheus.GaugeValue, count)
	ch <- prometheus.MustNewConstMetric(g.oldest, prometheus.GaugeValue, age)
}

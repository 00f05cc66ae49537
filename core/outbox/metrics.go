package outbox

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// errOvertaken says that this publisher's lease had run out and another one works.
var errOvertaken = errors.New("overtaken; will look again")

// scrapeTimeout bounds the query behind the gauges.
const scrapeTimeout = 2 * time.Second

type metrics struct {
	delivered prometheus.Counter
	failures  prometheus.Counter
	refused   prometheus.Counter
}

func newMetrics(reg prometheus.Registerer, o *Outbox) *metrics {
	f := promauto.With(reg)
	m := &metrics{
		delivered: f.NewCounter(prometheus.CounterOpts{
			Name: "edgeref_outbox_delivered_records_total",
			Help: "Facts that analytics confirmed to this core.",
		}),
		failures: f.NewCounter(prometheus.CounterOpts{
			Name: "edgeref_outbox_failures_total",
			Help: "Attempts to publish that failed and will be repeated.",
		}),
		refused: f.NewCounter(prometheus.CounterOpts{
			Name: "edgeref_outbox_refused_records_total",
			Help: "Facts that analytics refused for their content, each alone.",
		}),
	}
	if reg != nil {
		reg.MustRegister(&gauges{
			outbox: o,
			pending: prometheus.NewDesc("edgeref_outbox_pending_records",
				"Facts in the database that analytics has not confirmed; NaN while the database does not answer.", nil, nil),
			aside: prometheus.NewDesc("edgeref_outbox_set_aside_records",
				"Facts in the database that analytics refused for their content; NaN while the database does not answer.", nil, nil),
			oldest: prometheus.NewDesc("edgeref_outbox_oldest_pending_seconds",
				"Age of the oldest fact that analytics has not confirmed; 0 if there is none.", nil, nil),
		})
	}
	return m
}

// Backlog counts facts that analytics has not confirmed, those it refused, and gives the age of the oldest that waits.
func (o *Outbox) Backlog(ctx context.Context) (pending, dead int64, waiting time.Duration, err error) {
	pending, oldest, err := o.pending(ctx)
	if err != nil {
		return 0, 0, 0, err
	}
	if oldest > 0 {
		waiting = max(0, o.now().Sub(time.UnixMilli(oldest)))
	}
	dead, err = o.aside(ctx)
	return pending, dead, waiting, err
}

// gauges ask the database when they are read, so that they are right at any moment and for facts of every core.
type gauges struct {
	outbox                 *Outbox
	pending, aside, oldest *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (g *gauges) Describe(ch chan<- *prometheus.Desc) { ch <- g.pending; ch <- g.aside; ch <- g.oldest }

// Collect implements prometheus.Collector.
func (g *gauges) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	pending, age, aside := math.NaN(), math.NaN(), math.NaN()
	if n, err := g.outbox.aside(ctx); err == nil {
		aside = float64(n)
	}
	if count, oldest, err := g.outbox.pending(ctx); err == nil {
		pending, age = float64(count), 0
		if oldest > 0 {
			age = max(0, g.outbox.now().Sub(time.UnixMilli(oldest)).Seconds())
		}
	}
	ch <- prometheus.MustNewConstMetric(g.pending, prometheus.GaugeValue, pending)
	ch <- prometheus.MustNewConstMetric(g.aside, prometheus.GaugeValue, aside)
	ch <- prometheus.MustNewConstMetric(g.oldest, prometheus.GaugeValue, age)
}

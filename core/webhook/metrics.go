package webhook

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// scrapeTimeout bounds the queries behind the gauges.
const scrapeTimeout = 2 * time.Second

// Labels.
const (
	reasonGone    = "gone"
	reasonFailing = "failing"
	resultOK      = "delivered"
	resultRefused = "failed"
	kindWebhook   = "webhook"
	kindPostback  = "postback"
)

type metrics struct {
	events   *prometheus.CounterVec
	attempts *prometheus.CounterVec
	seconds  prometheus.Histogram
	dead     prometheus.Counter
	lost     prometheus.Counter
	disabled *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer, s *Service) *metrics {
	f := promauto.With(reg)
	m := &metrics{
		events: f.NewCounterVec(prometheus.CounterOpts{
			Name: "edgeref_webhook_events_total", Help: "Events written for one webhook or postback at least, by event.",
		}, []string{"event"}),
		attempts: f.NewCounterVec(prometheus.CounterOpts{
			Name: "edgeref_webhook_attempts_total", Help: "Requests sent, tests included, by kind (webhook or postback) and result (delivered or failed).",
		}, []string{"kind", "result"}),
		seconds: f.NewHistogram(prometheus.HistogramOpts{
			Name: "edgeref_webhook_attempt_seconds", Help: "Time of one attempt, from the look-up to the answer.", Buckets: prometheus.ExponentialBuckets(0.01, 2, 11),
		}),
		dead: f.NewCounter(prometheus.CounterOpts{
			Name: "edgeref_webhook_dead_deliveries_total", Help: "Deliveries that were given up; each can be replayed.",
		}),
		lost: f.NewCounter(prometheus.CounterOpts{
			Name: "edgeref_webhook_lost_leases_total", Help: "Attempts whose lease had ended when they were noted: their delivery may have been sent twice.",
		}),
		disabled: f.NewCounterVec(prometheus.CounterOpts{
			Name: "edgeref_webhook_disabled_endpoints_total", Help: "Endpoints disabled by themselves, by reason (gone or failing).",
		}, []string{"reason"}),
	}
	for _, name := range Names() {
		m.events.WithLabelValues(string(name))
	}
	for _, kind := range []string{kindWebhook, kindPostback} {
		m.attempts.WithLabelValues(kind, resultOK)
		m.attempts.WithLabelValues(kind, resultRefused)
	}
	m.disabled.WithLabelValues(reasonGone)
	m.disabled.WithLabelValues(reasonFailing)
	if reg != nil {
		reg.MustRegister(&gauges{
			service: s,
			deliveries: prometheus.NewDesc("edgeref_webhook_deliveries",
				"Deliveries in the database that are not delivered, by state (pending or dead); NaN while the database does not answer.", []string{"state"}, nil),
			overdue: prometheus.NewDesc("edgeref_webhook_overdue_seconds",
				"For how long the oldest delivery has been due; 0 if there is none, NaN while the database does not answer.", nil, nil),
		})
	}
	return m
}

func (m *metrics) attempted(j *job, o outcome, lost bool) {
	kind, result := kindWebhook, resultOK
	if j.endpoint.Postback() {
		kind = kindPostback
	}
	if !o.delivered() {
		result = resultRefused
	}
	m.attempts.WithLabelValues(kind, result).Inc()
	m.seconds.Observe(o.took.Seconds())
	if lost {
		m.lost.Inc()
	}
}

// gauges ask the database when they are read, so that they are right for deliveries of every core.
type gauges struct {
	service             *Service
	deliveries, overdue *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (g *gauges) Describe(ch chan<- *prometheus.Desc) { ch <- g.deliveries; ch <- g.overdue }

// Collect implements prometheus.Collector.
func (g *gauges) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	pending, dead, overdue, err := g.service.backlog(ctx)
	if err != nil {
		pending, dead, overdue = math.NaN(), math.NaN(), math.NaN()
	}
	ch <- prometheus.MustNewConstMetric(g.deliveries, prometheus.GaugeValue, pending, string(Pending))
	ch <- prometheus.MustNewConstMetric(g.deliveries, prometheus.GaugeValue, dead, string(Dead))
	ch <- prometheus.MustNewConstMetric(g.overdue, prometheus.GaugeValue, overdue)
}

// Backlog counts deliveries that wait and that were given up, and says for how long the oldest has been due.
func (s *Service) Backlog(ctx context.Context) (pending, dead int64, overdue time.Duration, err error) {
	p, d, o, err := s.backlog(ctx)
	return int64(p), int64(d), time.Duration(o * float64(time.Second)), err
}

// backlog counts what is not delivered; overdue is in seconds.
func (s *Service) backlog(ctx context.Context) (pending, dead, overdue float64, err error) {
	var oldest int64
	now := s.now()
	err = s.db.QueryRow(ctx, `SELECT (SELECT COUNT(*) FROM webhook_deliveries WHERE state = 'pending'),
		(SELECT COUNT(*) FROM webhook_deliveries WHERE state = 'dead'),
		COALESCE((SELECT MIN(next_at) FROM webhook_deliveries WHERE state = 'pending'), 0)`).Scan(&pending, &dead, &oldest)
	if err != nil {
		return 0, 0, 0, fmt.Errorf("count webhook deliveries: %w", err)
	}
	if oldest > 0 {
		overdue = max(0, now.Sub(time.UnixMilli(oldest)).Seconds())
	}
	return pending, dead, overdue, nil
}

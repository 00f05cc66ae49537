package payment

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// scrapeTimeout bounds the queries behind the gauges.
const scrapeTimeout = 2 * time.Second

type metrics struct {
	webhooks *prometheus.CounterVec
	refused  *prometheus.CounterVec
	worked   *prometheus.CounterVec
	calls    *prometheus.CounterVec
	outcomes *prometheus.CounterVec
	returns  *prometheus.CounterVec
	strays   prometheus.Counter
}

func newMetrics(reg prometheus.Registerer, s *Service) *metrics {
	f := promauto.With(reg)
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return f.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	m := &metrics{
		webhooks: counter("edgeref_payment_webhooks_total", "Webhooks of gateways, by result (stored, duplicate or failed).", "gateway", "result"),
		refused: counter("edgeref_payment_webhooks_refused_total",
			"Webhooks refused, by reason (signature, form, size, body, busy or rate).", "gateway", "reason"),
		worked:   counter("edgeref_payment_events_worked_total", "Attempts to work on an event, by the state it had afterwards.", "gateway", "state"),
		calls:    counter("edgeref_payment_calls_total", "Calls of gateways, by operation and result (ok, refused or unknown).", "gateway", "operation", "result"),
		outcomes: counter("edgeref_payment_outcomes_total", "What was told to the shop, by kind.", "gateway", "kind"),
		returns:  counter("edgeref_payment_returns_total", "Buyers who came back with something to verify, or nothing, by result (ok or refused).", "gateway", "result"),
		strays: f.NewCounter(prometheus.CounterOpts{
			Name: "edgeref_payment_strays_total", Help: "Payments that came in and that their order cannot use.",
		}),
	}
	for name := range s.gateways {
		for _, reason := range []string{"signature", "form", "size", "body", "busy", "rate"} {
			m.refused.WithLabelValues(name, reason)
		}
		for _, kind := range []Kind{Paid, Failed, Refunded, RefundFailed, DisputeOpened, DisputeWon, DisputeLost} {
			m.outcomes.WithLabelValues(name, string(kind))
		}
	}
	if reg != nil {
		reg.MustRegister(&gauges{
			service: s,
			events: prometheus.NewDesc("edgeref_payment_events",
				"Events in the database that are not settled, by state (pending, review or dead); NaN while the database does not answer.", []string{"state"}, nil),
			refunds: prometheus.NewDesc("edgeref_payment_refunds_in_flight",
				"Refunds that are neither done nor failed; NaN while the database does not answer.", nil, nil),
			oldest: prometheus.NewDesc("edgeref_payment_refund_oldest_seconds",
				"Age of the oldest refund in flight; 0 if there is none, NaN while the database does not answer.", nil, nil),
			strays: prometheus.NewDesc("edgeref_payment_strays",
				"Payments that their order cannot use and that nobody has begun to give back; NaN while the database does not answer.", nil, nil),
		})
	}
	return m
}

func (m *metrics) received(gateway string, fresh bool, err error) {
	result := "duplicate"
	switch {
	case errors.Is(err, ErrSignature):
		m.refused.WithLabelValues(gateway, "signature").Inc()
		return
	case errors.Is(err, ErrMalformed):
		m.refused.WithLabelValues(gateway, "form").Inc()
		return
	case err != nil:
		result = "failed"
	case fresh:
		result = "stored"
	}
	m.webhooks.WithLabelValues(gateway, result).Inc()
}

func (m *metrics) called(gateway, operation string, err error) {
	result := "ok"
	switch {
	case errors.Is(err, ErrRefused):
		result = "refused"
	case err != nil:
		result = "unknown"
	}
	m.calls.WithLabelValues(gateway, operation, result).Inc()
}

func (m *metrics) returned(gateway string, err error) {
	result := "ok"
	if err != nil {
		result = "refused"
	}
	m.returns.WithLabelValues(gateway, result).Inc()
}

// gauges ask the database when they are read, so that they are right for what every core does.
type gauges struct {
	service                         *Service
	events, refunds, oldest, strays *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (g *gauges) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{g.events, g.refunds, g.oldest, g.strays} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (g *gauges) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	b, err := g.service.backlog(ctx)
	if err != nil {
		nan := math.NaN()
		b = backlog{nan, nan, nan, nan, nan, nan}
	}
	ch <- prometheus.MustNewConstMetric(g.events, prometheus.GaugeValue, b.pending, string(EventPending))
	ch <- prometheus.MustNewConstMetric(g.events, prometheus.GaugeValue, b.review, string(EventReview))
	ch <- prometheus.MustNewConstMetric(g.events, prometheus.GaugeValue, b.dead, string(EventDead))
	ch <- prometheus.MustNewConstMetric(g.refunds, prometheus.GaugeValue, b.refunds)
	ch <- prometheus.MustNewConstMetric(g.oldest, prometheus.GaugeValue, b.oldest)
	ch <- prometheus.MustNewConstMetric(g.strays, prometheus.GaugeValue, b.strays)
}

// Backlog counts events of gateways that wait, those that a person has to see to, and says for how long the oldest has waited.
func (s *Service) Backlog(ctx context.Context) (pending, dead int64, waiting time.Duration, err error) {
	var oldest int64
	err = s.db.QueryRow(ctx, `SELECT (SELECT COUNT(*) FROM payment_event_work WHERE state = 'pending'),
		(SELECT COUNT(*) FROM payment_event_work WHERE state IN ('review', 'dead')),
		COALESCE((SELECT MIN(e.received_at) FROM payment_event_work w JOIN payment_events e ON e.id = w.event WHERE w.state = 'pending'), 0)`).Scan(&pending, &dead, &oldest)
	if err != nil {
		return 0, 0, 0, fmt.Errorf("count events of gateways: %w", err)
	}
	if oldest > 0 {
		waiting = max(0, s.now().Sub(time.UnixMilli(oldest)))
	}
	return pending, dead, waiting, nil
}

// backlog is what waits; oldest is in seconds.
type backlog struct{ pending, review, dead, refunds, oldest, strays float64 }

func (s *Service) backlog(ctx context.Context) (b backlog, err error) {
	var oldest int64
	err = s.db.QueryRow(ctx, `SELECT (SELECT COUNT(*) FROM payment_event_work WHERE state = 'pending'),
		(SELECT COUNT(*) FROM payment_event_work WHERE state = 'review'), (SELECT COUNT(*) FROM payment_event_work WHERE state = 'dead'),
		(SELECT COUNT(*) FROM payment_refunds WHERE state IN ('created', 'unknown', 'pending')),
		COALESCE((SELECT MIN(created_at) FROM payment_refunds WHERE state IN ('created', 'unknown', 'pending')), 0),
		(SELECT COUNT(*) FROM payments p WHERE p.state = 'stray' AND NOT EXISTS (SELECT 1 FROM payment_refunds r WHERE r.payment = p.id AND r.state <> 'failed'))`).
		Scan(&b.pending, &b.review, &b.dead, &b.refunds, &oldest, &b.strays)
	if err != nil {
		return backlog{}, fmt.Errorf("count payments: %w", err)
	}
	if oldest > 0 {
		b.oldest = max(0, s.now().Sub(time.UnixMilli(oldest)).Seconds())
	}
	return b, nil
}

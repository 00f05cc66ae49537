package mail

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// scrapeTimeout bounds the query behind the gauges.
const scrapeTimeout = 2 * time.Second

type metrics struct {
	queued   *prometheus.CounterVec
	attempts *prometheus.CounterVec
	seconds  prometheus.Histogram
	dead     prometheus.Counter
	lost     prometheus.Counter
}

func newMetrics(reg prometheus.Registerer, s *Service) *metrics {
	f := promauto.With(reg)
	m := &metrics{
		queued: f.NewCounterVec(prometheus.CounterOpts{
			Name: "edgeref_mail_queued_total", Help: "Mails queued, by template.",
		}, []string{"template"}),
		attempts: f.NewCounterVec(prometheus.CounterOpts{
			Name: "edgeref_mail_attempts_total", Help: "Attempts to hand a mail to the server, by result (sent or failed).",
		}, []string{"result"}),
		seconds: f.NewHistogram(prometheus.HistogramOpts{
			Name: "edgeref_mail_attempt_seconds", Help: "Time of one attempt.", Buckets: prometheus.ExponentialBuckets(0.01, 2, 12),
		}),
		dead: f.NewCounter(prometheus.CounterOpts{
			Name: "edgeref_mail_dead_total", Help: "Mails that were given up; each can be sent again.",
		}),
		lost: f.NewCounter(prometheus.CounterOpts{
			Name: "edgeref_mail_lost_leases_total", Help: "Attempts whose lease had ended when they were noted: their mail may have been sent twice.",
		}),
	}
	for name := range s.tongues[0].letters {
		m.queued.WithLabelValues(name)
	}
	m.attempts.WithLabelValues("sent")
	m.attempts.WithLabelValues("failed")
	if reg != nil {
		reg.MustRegister(&gauges{
			service: s,
			mails: prometheus.NewDesc("edgeref_mail_unsent",
				"Mails in the database that were not sent, by state (pending or dead); NaN while the database does not answer.", []string{"state"}, nil),
			overdue: prometheus.NewDesc("edgeref_mail_overdue_seconds",
				"For how long the oldest mail has been due; 0 if there is none, NaN while the database does not answer.", nil, nil),
		})
	}
	return m
}

func (m *metrics) attempted(sent, dead, lost bool) {
	result := "failed"
	if sent {
		result = "sent"
	}
	m.attempts.WithLabelValues(result).Inc()
	if dead {
		m.dead.Inc()
	}
	if lost {
		m.lost.Inc()
	}
}

// gauges ask the database when they are read, so that they are right for mails of every core.
type gauges struct {
	service        *Service
	mails, overdue *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (g *gauges) Describe(ch chan<- *prometheus.Desc) { ch <- g.mails; ch <- g.overdue }

// Collect implements prometheus.Collector.
func (g *gauges) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	pending, dead, overdue, err := g.service.backlog(ctx)
	if err != nil {
		pending, dead, overdue = math.NaN(), math.NaN(), math.NaN()
	}
	ch <- prometheus.MustNewConstMetric(g.mails, prometheus.GaugeValue, pending, string(Pending))
	ch <- prometheus.MustNewConstMetric(g.mails, prometheus.GaugeValue, dead, string(Dead))
	ch <- prometheus.MustNewConstMetric(g.overdue, prometheus.GaugeValue, overdue)
}

// Backlog counts mails that wait and that were given up, and says for how long the oldest has been due. Without a server mails
// wait for nobody.
func (s *Service) Backlog(ctx context.Context) (pending, dead int64, overdue time.Duration, err error) {
	p, d, o, err := s.backlog(ctx)
	if s.opts.Sender == nil {
		o = 0
	}
	return int64(p), int64(d), time.Duration(o * float64(time.Second)), err
}

// backlog counts what was not sent; overdue is in seconds.
func (s *Service) backlog(ctx context.Context) (pending, dead, overdue float64, err error) {
	var oldest int64
	err = s.db.QueryRow(ctx, `SELECT (SELECT COUNT(*) FROM mails WHERE state = 'pending'), (SELECT COUNT(*) FROM mails WHERE state = 'dead'),
		COALESCE((SELECT MIN(next_at) FROM mails WHERE state = 'pending'), 0)`).Scan(&pending, &dead, &oldest)
	if err != nil {
		return 0, 0, 0, fmt.Errorf("count mails: %w", err)
	}
	if oldest > 0 {
		overdue = max(0, s.now().Sub(time.UnixMilli(oldest)).Seconds())
	}
	return pending, dead, overdue, nil
}

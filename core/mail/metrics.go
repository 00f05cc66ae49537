package mail

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

type metrics struct {
	queued *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer, s *Service) *metrics {
	f := promauto.With(reg)
	m := &metrics{
		queued: f.NewCounterVec(prometheus.CounterOpts{
			Name: "edgeref_mail_queued_total", Help: "Mails queued, by template.",
		}, []string{"template"}),
	}
	for name := range s.templates {
		m.queued.WithLabelValues(name)
	}
	return m
}

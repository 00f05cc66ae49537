package redirect

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics count clicks. received = recorded + refused: each click adds to both sides once its fate is known.
type metrics struct {
	received, recorded  prometheus.Counter
	refused             *prometheus.CounterVec // by reason
	deepTaken, deepLeft prometheus.Counter
	dropped             prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	deep := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "edgeref_tracker_deep_links_total",
		Help: "Clicks that asked for another page than the link's, by result: followed, or refused because the program does not allow it or it is too long.",
	}, []string{"result"})
	m := &metrics{
		received: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "edgeref_tracker_clicks_received_total", Help: "Clicks: requests to an active link, answered with a redirect.",
		}),
		recorded: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "edgeref_tracker_clicks_recorded_total", Help: "Clicks whose record was taken; they got a Click ID.",
		}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "edgeref_tracker_clicks_refused_total", Help: "Clicks whose record was refused, by reason; they were redirected without a Click ID.",
		}, []string{"reason"}),
		deepTaken: deep.WithLabelValues("followed"),
		deepLeft:  deep.WithLabelValues("refused"),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "edgeref_tracker_visitor_parameters_dropped_total",
			Help: "Query parameters of visitors not passed on because of their encoding or for lack of room.",
		}),
	}
	for _, c := range []prometheus.Collector{m.received, m.recorded, m.refused, deep, m.dropped} {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("register redirect metrics: %w", err)
		}
	}
	return m, nil
}

func (m *metrics) drop(parameters int) {
	if parameters > 0 {
		m.dropped.Add(float64(parameters))
	}
}

package server

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fasthttp"

	"github.com/edgeref/edgeref/tracker/convert"
	"github.com/edgeref/edgeref/tracker/redirect"
)

// metrics count requests by result.
type metrics struct {
	results      map[string]prometheus.Counter // complete from the start: read without a lock
	redirected   prometheus.Counter            // the one that counts, without a look into the map
	acceptErrors prometheus.Counter
}

func newMetrics(reg prometheus.Registerer, http *fasthttp.Server) (*metrics, error) {
	requests := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "edgeref_tracker_requests_total", Help: "Requests on the public listener, by result.",
	}, []string{"result"})
	open := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "edgeref_tracker_connections", Help: "Connections open on the public listener.",
	}, func() float64 { return float64(max(0, http.GetOpenConnectionsCount())) })
	rejected := prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "edgeref_tracker_connections_rejected_total", Help: "Connections answered 503 because the limit of open ones was reached.",
	}, func() float64 { return float64(http.GetRejectedConnectionsCount()) })
	acceptErrors := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "edgeref_tracker_accept_errors_total", Help: "Failures to accept a connection, such as having no file descriptor left; visitors wait.",
	})
	for _, c := range []prometheus.Collector{requests, open, rejected, acceptErrors} {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("register server metrics: %w", err)
		}
	}
	m := &metrics{results: make(map[string]prometheus.Counter), acceptErrors: acceptErrors}
	for _, result := range []string{
		string(redirect.Redirected), string(redirect.FellBack), string(redirect.NotFound), string(redirect.Unavailable), string(redirect.MethodNotAllowed),
		string(convert.Accepted), string(convert.Refused), string(convert.Script),
		resultPage, resultPanic, resultMalformed, resultHeaderTooLarge, resultBodyTooLarge, resultTimeout,
	} {
		m.results[result] = requests.WithLabelValues(result)
	}
	m.redirected = m.results[string(redirect.Redirected)]
	return m, nil
}

func (m *metrics) count(result string) {
	if result == string(redirect.Redirected) {
		m.redirected.Inc()
		return
	}
	c, ok := m.results[result]
	if !ok {
		panic("BUG: unknown result " + result)
	}
	c.Inc()
}

package payout

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

type metrics struct {
	moved    *prometheus.CounterVec
	requests *prometheus.CounterVec
	calls    *prometheus.CounterVec
	refused  prometheus.Counter
	limited  prometheus.Counter
}

func newMetrics(reg prometheus.Registerer, s *Service) *metrics {
	f := promauto.With(reg)
	m := &metrics{
		moved: f.NewCounterVec(prometheus.CounterOpts{
			Name: "edgeref_payout_changes_total", Help: "Payouts that came into a state.",
		}, []string{"state"}),
		requests: f.NewCounterVec(prometheus.CounterOpts{
			Name: "edgeref_payout_requests_total", Help: "Requests for payouts that came into a state.",
		}, []string{"state"}),
		calls: f.NewCounterVec(prometheus.CounterOpts{
			Name: "edgeref_payout_calls_total", Help: "Calls to payout providers by result: answered, rejected, unknown, looked_up, lookup_failed.",
		}, []string{"result"}),
		refused: f.NewCounter(prometheus.CounterOpts{
			Name: "edgeref_payout_guard_refusals_total", Help: "Times that payouts stopped because the ledger did not hold or could not be verified.",
		}),
		limited: f.NewCounter(prometheus.CounterOpts{
			Name: "edgeref_payout_limits_total", Help: "Previews and batches that were cut because there were too many candidates, and requests that were one too many on a day.",
		}),
	}
	for _, state := range []State{Sending, Sent, Paid, Failed, Returned, Cancelled} {
		m.moved.WithLabelValues(string(state))
	}
	for _, state := range []RequestState{RequestWaiting, RequestTaken, RequestWithdrawn, RequestDeclined} {
		m.requests.WithLabelValues(string(state))
	}
	for _, result := range []string{"answered", "rejected", "unknown", "looked_up", "lookup_failed"} {
		m.calls.WithLabelValues(result)
	}
	f.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "edgeref_payout_unknown_seconds",
		Help: "Age of the oldest payout of which nobody knows whether it was sent; 0 if there is none, -1 if the database did not answer.",
	}, s.oldestUnknown)
	return m
}

func (s *Service) oldestUnknown() float64 {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	var oldest int64
	if err := s.db.QueryRow(ctx, "SELECT COALESCE(MIN(updated_at), 0) FROM payouts WHERE state = 'sending'").Scan(&oldest); err != nil {
		return -1
	}
	if oldest == 0 {
		return 0
	}
	return max(0, s.now().Sub(time.UnixMilli(oldest)).Seconds())
}

package account

import (
	"context"
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// scrapeTimeout bounds the query behind a gauge.
const scrapeTimeout = 2 * time.Second

// Results of a sign-in.
const (
	resultOK        = "ok"
	resultPending   = "second_factor" // the password was right
	resultWrong     = "wrong_password"
	resultSuspended = "suspended"
	resultCode      = "wrong_code"
)

type metrics struct {
	signIns   *prometheus.CounterVec
	throttled prometheus.Counter
	links     *prometheus.CounterVec
	silenced  prometheus.Counter
	crowded   prometheus.Counter
}

func newMetrics(reg prometheus.Registerer, s *Service) *metrics {
	f := promauto.With(reg)
	m := &metrics{
		signIns: f.NewCounterVec(prometheus.CounterOpts{
			Name: "edgeref_account_sign_ins_total",
			Help: "Attempts to sign in, by result: ok, second_factor (password right, code wanted), wrong_password, wrong_code, suspended.",
		}, []string{"result"}),
		throttled: f.NewCounter(prometheus.CounterOpts{
			Name: "edgeref_account_attempts_throttled_total", Help: "Attempts refused unseen, because too many before them had failed.",
		}),
		links: f.NewCounterVec(prometheus.CounterOpts{
			Name: "edgeref_account_links_total", Help: "Links sent by mail, by kind: sign_up, invite, reset, email.",
		}, []string{"kind"}),
		silenced: f.NewCounter(prometheus.CounterOpts{
			Name: "edgeref_account_mails_silenced_total", Help: "Mails that strangers asked for and that were not sent, because the address got as many as it may in a day.",
		}),
		crowded: f.NewCounter(prometheus.CounterOpts{
			Name: "edgeref_account_requests_refused_total", Help: "Requests of strangers refused because too many wait to be worked on.",
		}),
	}
	for _, result := range []string{resultOK, resultPending, resultWrong, resultSuspended, resultCode} {
		m.signIns.WithLabelValues(result)
	}
	for _, kind := range []LinkKind{SignUpLink, InviteLink, ResetLink, EmailLink} {
		m.links.WithLabelValues(string(kind))
	}
	if reg != nil {
		f.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "edgeref_account_requests_pending", Help: "Requests of strangers that wait to be worked on; NaN while the database does not answer.",
		}, func() float64 {
			ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
			defer cancel()
			n, err := s.waiting(ctx)
			if err != nil {
				return math.NaN()
			}
			return float64(n)
		})
	}
	return m
}

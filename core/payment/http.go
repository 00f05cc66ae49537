package payment

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/time/rate"

	"github.com/edgeref/edgeref/wire/ident"
)

// Paths of Handler.
const (
	WebhookPath = "/webhooks/in/"     // and the gateway's name: what gateways call
	ReturnPath  = "/payments/return/" // and the payment: where they send the buyer
)

// Limits of what comes in without a token.
const (
	maxWebhook        = 256 << 10 // bytes; the largest that are documented have a few kB
	maxForm           = 16 << 10  // bytes
	maxReceiving      = 64        // at once; more are told to come again
	webhooksPerSecond = rate.Limit(200)
	webhooksAtOnce    = 1_000
	// receiveTimeout bounds reading and storing, so that the answer is there before a gateway stops waiting (5 s).
	receiveTimeout = 4 * time.Second
	logRefusedPer  = 10 * time.Second
)

// returner is a gateway that says something signed through the browser of the buyer who comes back.
type returner interface {
	// ParseReturn verifies what the browser brought for the attempt that the provider calls ref. ok is false where it
	// brought nothing signed, as after the buyer gave up. Errors: ErrSignature.
	ParseReturn(ref string, form url.Values) (e Event, ok bool, err error)
}

// Handler serves what comes without a token: webhooks of gateways, and buyers who come back from them.
func (s *Service) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+WebhookPath+"{gateway}", s.serveWebhook)
	mux.HandleFunc("GET "+ReturnPath+"{id}", s.serveReturn)
	mux.HandleFunc("POST "+ReturnPath+"{id}", s.serveReturn)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		mux.ServeHTTP(w, r)
	})
}

// serveWebhook answers once the event is stored, and before anything is done about it. It tells a stranger nothing but
// the status.
func (s *Service) serveWebhook(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("gateway")
	limiter, ok := s.limiters[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	select {
	case s.places <- struct{}{}:
		defer func() { <-s.places }()
	default:
		s.refuse(w, name, "busy", http.StatusServiceUnavailable)
		return
	}
	if !limiter.Allow() {
		s.refuse(w, name, "rate", http.StatusTooManyRequests)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), receiveTimeout)
	defer cancel()
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(receiveTimeout)) // not there in tests without a connection
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxWebhook))
	if err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			s.refuse(w, name, "size", http.StatusRequestEntityTooLarge)
			return
		}
		s.refuse(w, name, "body", http.StatusBadRequest)
		return
	}
	err = s.Receive(ctx, name, r.Header, raw)
	switch {
	case err == nil:
		w.WriteHeader(http.StatusNoContent)
	case errors.Is(err, ErrSignature):
		s.logRefused(name, err)
		http.Error(w, "not verified", http.StatusUnauthorized)
	case errors.Is(err, ErrMalformed):
		s.logRefused(name, err)
		http.Error(w, "not understood", http.StatusBadRequest)
	default:
		s.log.Error("a payment webhook could not be stored; the gateway sends it again", "gateway", name, "error", err)
		w.Header().Set("Retry-After", "5")
		http.Error(w, "try again", http.StatusServiceUnavailable)
	}
}

func (s *Service) refuse(w http.ResponseWriter, gateway, reason string, status int) {
	s.metrics.refused.WithLabelValues(gateway, reason).Inc()
	if status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "5")
	}
	http.Error(w, http.StatusText(status), status)
}

// logRefused logs what was refused, now and then: anybody can send it.
func (s *Service) logRefused(gateway string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := s.now(); now.Sub(s.loggedAt) >= logRefusedPer || now.Before(s.loggedAt) {
		s.loggedAt = now
		s.log.Warn("payment webhooks are refused; if they are the gateway's, its secret here is not the one there", "gateway", gateway, "error", err)
	}
}

// serveReturn leads a buyer on to where the order was made. What the browser says is believed if it is signed, and then
// only as a hint to ask the gateway.
func (s *Service) serveReturn(w http.ResponseWriter, r *http.Request) {
	id, err := ident.Parse(ident.Payment, r.PathValue("id"))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), receiveTimeout)
	defer cancel()
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "not understood", http.StatusBadRequest)
		return
	}
	target, err := s.Return(ctx, id, r.Form)
	switch {
	case errors.Is(err, ErrNotFound):
		http.NotFound(w, r)
	case errors.Is(err, ErrSignature):
		http.Error(w, "This confirmation is not from the payment provider. If you have paid, your order will show it in a moment.", http.StatusBadRequest)
	case err != nil:
		s.log.Error("a buyer's return could not be stored; the webhook will tell", "error", err)
		fallthrough
	default:
		if target == "" {
			http.Error(w, "try again", http.StatusServiceUnavailable)
			return
		}
		http.Redirect(w, r, target, http.StatusSeeOther)
	}
}

// Return takes in what the browser of a buyer brought back, and says where to lead it on. Errors: ErrNotFound,
// ErrSignature; with any other the place is given nevertheless, if it is known.
func (s *Service) Return(ctx context.Context, id int64, form url.Values) (string, error) {
	p, err := readPayment(ctx, s.db, id, "")
	if err != nil {
		return "", err
	}
	g, ok := s.gateways[p.Gateway].(returner)
	if !ok {
		s.hasten(ctx, id)
		return p.returnURL, nil
	}
	e, ok, err := g.ParseReturn(p.Ref, form)
	if err != nil || !ok {
		s.metrics.returned(p.Gateway, err)
		return p.returnURL, err
	}
	s.metrics.returned(p.Gateway, nil)
	_, err = s.take(ctx, p.Gateway, e, []byte(form.Encode()))
	return p.returnURL, err
}

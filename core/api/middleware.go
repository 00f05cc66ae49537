package api

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/edgeref/edgeref/wire/ident"
)

// maxRequestID is in bytes.
const maxRequestID = 64

// requestInfo is what the log wants to know of a request. It belongs to the request's goroutine.
type requestInfo struct {
	id     string
	token  int64
	person int64
	// unchanged is set by a handler that found nothing to change.
	unchanged bool
	address   netip.Addr // of the client; zero: not known
}

type infoKey struct{}

// infoOf never returns nil.
func infoOf(ctx context.Context) *requestInfo {
	if info, ok := ctx.Value(infoKey{}).(*requestInfo); ok {
		return info
	}
	return &requestInfo{}
}

// identify gives each request an id, the caller's own where it is sane.
func (a *API) identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get("X-Request-Id")
		if !saneID(id) {
			var b [12]byte
			_, _ = rand.Read(b[:]) // never fails
			id = hex.EncodeToString(b[:])
		}
		w.Header().Set("X-Request-Id", id)
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), infoKey{}, &requestInfo{id: id, address: a.clientAddress(r)})))
	})
}

func saneID(id string) bool {
	for i := range len(id) {
		c := id[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return id != "" && len(id) <= maxRequestID
}

// observe counts, measures and logs each request: never its query, headers or body, which may hold secrets.
func (a *API) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		started := a.now()
		a.metrics.inFlight.Inc()
		defer a.metrics.inFlight.Dec()
		rec := &recorder{ResponseWriter: w}
		next.ServeHTTP(rec, r)

		route, method := "unmatched", r.Method
		if pattern := chi.RouteContext(r.Context()).RoutePattern(); pattern != "" {
			route = pattern
		} else {
			method = "other" // so that made-up methods make no series
		}
		took := a.now().Sub(started)
		a.metrics.requests.WithLabelValues(method, route, strconv.Itoa(rec.status())).Inc()
		a.metrics.seconds.WithLabelValues(method, route).Observe(took.Seconds())
		info := infoOf(r.Context())
		attrs := []any{"request_id", info.id, "method", method, "route", route, "status", rec.status(), "bytes", rec.bytes, "took", took}
		if info.token != 0 {
			attrs = append(attrs, "token", ident.Format(ident.Token, info.token))
		}
		if info.person != 0 {
			attrs = append(attrs, "person", ident.Format(ident.Person, info.person))
		}
		// What went well is in the metrics; the line about it is for whoever looks for it.
		level := slog.LevelDebug
		if rec.status() >= http.StatusInternalServerError {
			level = slog.LevelWarn
		}
		a.log.Log(r.Context(), level, "request", attrs...)
	})
}

// recover answers for a handler that panicked.
func (a *API) recover(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			cause := recover()
			if cause == nil {
				return
			}
			if cause == http.ErrAbortHandler { //nolint:errorlint // a sentinel of net/http, compared as it is there
				panic(cause)
			}
			a.metrics.panics.Inc()
			a.log.Error("request panicked", "request_id", infoOf(r.Context()).id, "panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
			if rec, ok := w.(*recorder); ok && rec.code == 0 {
				writeProblem(w, internalProblem(r.Context()))
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// secure sets headers for the case that a browser opens an answer.
func secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		next.ServeHTTP(w, r)
	})
}

func deadline(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		limit := requestTimeout
		if strings.HasPrefix(r.URL.Path, prefix) && strings.HasSuffix(r.URL.Path, livePath) {
			limit = LiveFor + beatEvery
		}
		ctx, cancel := context.WithTimeout(r.Context(), limit)
		defer cancel()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// recorder remembers what was answered.
type recorder struct {
	http.ResponseWriter
	code  int
	bytes int64
}

func (r *recorder) WriteHeader(code int) {
	if r.code == 0 {
		r.code = code
	}
	r.ResponseWriter.WriteHeader(code)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.code == 0 {
		r.code = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(b)
	r.bytes += int64(n)
	return n, err
}

// Unwrap is for http.ResponseController.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func (r *recorder) status() int {
	if r.code == 0 {
		return http.StatusOK
	}
	return r.code
}

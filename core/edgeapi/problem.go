package edgeapi

import (
	"encoding/json"
	"net/http"

	"github.com/edgeref/edgeref/core/catalog"
	"github.com/edgeref/edgeref/wire/link"
)

// problem is the body of every error (RFC 9457).
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

// Error implements error.
func (p *problem) Error() string { return p.Code + ": " + p.Detail }

func (p *problem) write(w http.ResponseWriter) {
	out := *p
	out.Type, out.Title = "about:blank", http.StatusText(p.Status)
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(&out)
}

// codeRefused says that a batch cannot be taken for what is in it, now or ever. Trackers act on it.
const codeRefused = "batch_refused"

var (
	errUnauthenticated = &problem{Status: http.StatusUnauthorized, Code: "unauthenticated", Detail: "the edge token is missing or wrong"}
	errNoLink          = &problem{Status: http.StatusNotFound, Code: "link_not_found", Detail: link.ErrNotFound.Error()}
	errTooManyWaiters  = &problem{Status: http.StatusServiceUnavailable, Code: "too_many_waiters", Detail: catalog.ErrBusy.Error()}
	errTooManyBatches  = &problem{Status: http.StatusServiceUnavailable, Code: "too_many_batches", Detail: "too many batches of clicks are being taken; send it again later"}
)

func badRequest(detail string) *problem {
	return &problem{Status: http.StatusBadRequest, Code: "bad_request", Detail: detail}
}

// recorder remembers the status.
type recorder struct {
	http.ResponseWriter
	code int
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
	return r.ResponseWriter.Write(b)
}

func (r *recorder) status() int {
	if r.code == 0 {
		return http.StatusOK
	}
	return r.code
}

// Package gateways are servers that speak the documented wire format of payment providers, for tests: they check who
// asks, keep what was done by idempotency key, and can fail in the ways that networks and providers do.
package gateways

import (
	"net/http"
	"net/http/httptest"
	"sync"
)

// Fault is a way to fail.
type Fault int

// Faults. What "works" has its effect at the provider.
const (
	None         Fault = iota
	Down               // 500, and nothing is done
	TooMany            // 429, and nothing is done
	WorkThen500        // it works, and 500 is answered
	WorkThenCut        // it works, and the connection ends in the middle of the answer
	WorkThenHang       // it works, and no answer comes until the caller gives up
)

// harness wraps a provider: it counts requests and fails where a test says so.
type harness struct {
	mu     sync.Mutex
	faults map[string][]Fault // by "METHOD /path"; the first is for the next request
	counts map[string]int
	stop   chan struct{}
}

func newHarness() harness {
	return harness{faults: map[string][]Fault{}, counts: map[string]int{}, stop: make(chan struct{})}
}

// Fail makes the next requests of a method to a path fail, one each.
func (h *harness) Fail(method, path string, faults ...Fault) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.faults[method+" "+path] = append(h.faults[method+" "+path], faults...)
}

// Requests is how many requests of a method to a path there were.
func (h *harness) Requests(method, path string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.counts[method+" "+path]
}

func (h *harness) next(r *http.Request) Fault {
	h.mu.Lock()
	defer h.mu.Unlock()
	key := r.Method + " " + r.URL.Path
	h.counts[key]++
	list := h.faults[key]
	if len(list) == 0 {
		return None
	}
	h.faults[key] = list[1:]
	return list[0]
}

// wrap gives handler the faults.
func (h *harness) wrap(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fault := h.next(r)
		switch fault {
		case None:
			handler.ServeHTTP(w, r)
			return
		case Down:
			http.Error(w, `{"error":{"code":"SERVER_ERROR","description":"down"}}`, http.StatusInternalServerError)
			return
		case TooMany:
			http.Error(w, `{"error":{"code":"BAD_REQUEST_ERROR","description":"Too many requests"}}`, http.StatusTooManyRequests)
			return
		}
		rec := httptest.NewRecorder()
		handler.ServeHTTP(rec, r)
		switch fault {
		case WorkThen500:
			http.Error(w, `{"error":{"code":"SERVER_ERROR","description":"broke afterwards"}}`, http.StatusInternalServerError)
		case WorkThenCut:
			w.Header().Set("Content-Length", "100000")
			_, _ = w.Write(rec.Body.Bytes()[:rec.Body.Len()/2])
			_ = http.NewResponseController(w).Flush() // or the caller's transport sees no answer at all, and sends again by itself
			panic(http.ErrAbortHandler)
		case WorkThenHang:
			select {
			case <-r.Context().Done():
			case <-h.stop:
			}
		}
	})
}

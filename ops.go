package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/edgeref/edgeref/config"
	"github.com/edgeref/edgeref/core/system"
)

// readyTimeout bounds all checks of one /readyz together.
const readyTimeout = 2 * time.Second

// readyCheck is one condition of being ready; a failing one says why in plain words.
type readyCheck struct {
	name  string
	check func(context.Context) error
}

// opsServer is the private listener: health, readiness with reasons, metrics. Checks may be added while it serves.
type opsServer struct {
	server *http.Server
	addr   net.Addr
	done   chan error

	mu      sync.Mutex
	checks  []readyCheck
	started bool
}

// startOps serves at once, so that a probe during the start is answered "not ready" instead of refused.
func startOps(c config.Ops, gatherer prometheus.Gatherer, log *slog.Logger) (*opsServer, error) {
	ln, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen for ops.listen: %w", err)
	}
	o := &opsServer{done: make(chan error, 1), addr: ln.Addr()}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", o.ready)
	mux.Handle("GET /metrics", promhttp.HandlerFor(gatherer, promhttp.HandlerOpts{ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelError)}))
	if c.Pprof {
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	}
	o.server = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10}
	go func() { o.done <- o.server.Serve(ln) }()
	return o, nil
}

// require adds a condition of being ready.
func (o *opsServer) require(name string, check func(context.Context) error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.checks = append(o.checks, readyCheck{name, check})
}

// markStarted says that every part has been started; before, the process is not ready whatever the checks say.
func (o *opsServer) markStarted() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.started = true
}

// states are the conditions one by one, for the page of the system.
func (o *opsServer) states(ctx context.Context) ([]system.CheckState, error) {
	o.mu.Lock()
	checks := slices.Clone(o.checks)
	o.mu.Unlock()
	out := make([]system.CheckState, len(checks))
	for i, c := range checks {
		out[i] = system.CheckState{Verdict: system.Verdict{State: system.OK, Text: "it is well"}, Name: c.name}
		if err := c.check(ctx); err != nil {
			out[i].Verdict = system.Verdict{State: system.Bad, Text: err.Error()}
		}
	}
	return out, nil
}

func (o *opsServer) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	o.mu.Lock()
	checks, started := slices.Clone(o.checks), o.started
	o.mu.Unlock()
	reasons := map[string]string{}
	if !started {
		reasons["start"] = "still starting"
	}
	for _, c := range checks {
		if err := c.check(ctx); err != nil {
			reasons[c.name] = err.Error()
		}
	}
	w.Header().Set("Content-Type", "application/json")
	if len(reasons) > 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	// An error here is the prober's connection; there is nobody left to tell.
	_ = json.NewEncoder(w).Encode(map[string]any{"ready": len(reasons) == 0, "reasons": reasons})
}

func (o *opsServer) stop(ctx context.Context) error {
	err := o.server.Shutdown(ctx)
	if serveErr := <-o.done; !errors.Is(serveErr, http.ErrServerClosed) {
		err = errors.Join(err, serveErr)
	}
	return err
}

package server

import (
	"errors"
	"log/slog"
	"net"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Times between two attempts to accept a connection after a failure: the first one, doubled up to the last.
const (
	minAcceptPause = 5 * time.Millisecond
	maxAcceptPause = time.Second
)

// steadyListener goes on after errors. The HTTP server would stop for good at the first one, and what fails (no file
// descriptor is free, no memory) gets better when connections end.
type steadyListener struct {
	net.Listener
	errors prometheus.Counter
	log    *throttled
}

// Accept fails only once the listener is closed.
func (l steadyListener) Accept() (net.Conn, error) {
	for pause := minAcceptPause; ; pause = min(2*pause, maxAcceptPause) {
		c, err := l.Listener.Accept()
		if err == nil || errors.Is(err, net.ErrClosed) {
			return c, err
		}
		l.errors.Inc()
		l.log.Error("cannot accept a connection; if files are the limit, raise it or lower tracker.max_connections", slog.Any("error", err))
		time.Sleep(pause)
	}
}

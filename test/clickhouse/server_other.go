//go:build !linux

package clickhouse

import (
	"testing"
	"time"
)

// Server is not to be had on this platform; see Start.
type Server struct{}

// Start skips the test: the engine is built for Linux only.
func Start(t testing.TB) *Server {
	t.Skip("the ClickHouse engine runs on Linux only")
	return nil
}

// Addr is never reached.
func (*Server) Addr() string { return "" }

// CPUTime is never reached.
func (*Server) CPUTime(testing.TB) time.Duration { return 0 }

// Kill is never reached.
func (*Server) Kill(testing.TB) {}

// Restart is never reached.
func (*Server) Restart(testing.TB) {}

// Database is never reached.
func (*Server) Database(testing.TB) string { return "" }

package server

import (
	"bufio"
	"io"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

// exhausted fails a few times, as a process without a free file descriptor does, and then accepts.
type exhausted struct {
	net.Listener
	left atomic.Int64
}

func (l *exhausted) Accept() (net.Conn, error) {
	if l.left.Add(-1) >= 0 {
		return nil, &net.OpError{Op: "accept", Net: "tcp", Addr: l.Addr(), Err: os.NewSyscallError("accept4", syscall.EMFILE)}
	}
	return l.Listener.Accept()
}

func TestServeOutlivesAcceptErrors(t *testing.T) {
	r := startOn(t, func(inner net.Listener) net.Listener {
		ln := &exhausted{Listener: inner}
		ln.left.Store(3)
		return ln
	})
	c := r.dial(t)
	if _, err := io.WriteString(c, get("/go")); err != nil {
		t.Fatal(err)
	}
	if res, _ := readAnswer(t, bufio.NewReader(c), "GET"); res.StatusCode != 302 {
		t.Errorf("%d", res.StatusCode)
	}
	if n := testutil.ToFloat64(r.metrics.acceptErrors); n != 3 {
		t.Errorf("%v errors counted, want 3", n)
	}
}

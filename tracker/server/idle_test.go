package server

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// pipeListener hands out one end of each pipe that is dialled.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
}

func newPipeListener() *pipeListener {
	return &pipeListener{make(chan net.Conn), make(chan struct{})}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error   { close(l.closed); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

func (l *pipeListener) dial(t *testing.T) net.Conn {
	near, far := net.Pipe()
	t.Cleanup(func() { near.Close(); far.Close() })
	l.conns <- near
	if err := far.SetDeadline(time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	return far
}

// timed runs body with a server whose time is the test's own.
func timed(t *testing.T, body func(t *testing.T, ln *pipeListener)) {
	t.Helper()
	start(t).send(t, get("/go")) // fasthttp then has its goroutine for the Date, which must not live in the test's time
	synctest.Test(t, func(t *testing.T) {
		t.Cleanup(func() { time.Sleep(time.Minute) }) // until fasthttp has seen that its server is stopped
		ln := newPipeListener()
		startOn(t, func(inner net.Listener) net.Listener { inner.Close(); return ln })
		body(t, ln)
	})
}

// ask sends a request in pieces that are apart by pause, and returns the status of its answer.
func ask(t *testing.T, c net.Conn, in *bufio.Reader, pause time.Duration) int {
	t.Helper()
	raw := get("/go")
	for i, piece := range []string{raw[:1], raw[1:20], raw[20:]} {
		if i > 0 {
			time.Sleep(pause) // of the test's own time
		}
		if _, err := io.WriteString(c, piece); err != nil {
			t.Fatalf("piece %d: %v", i, err)
		}
	}
	res, _ := readAnswer(t, in, http.MethodGet)
	return res.StatusCode
}

// A request that begins before the idle time ends is served, with all of the time that a request has.
func TestALateRequestHasItsOwnTime(t *testing.T) {
	const before = time.Millisecond
	for name, waits := range map[string][]time.Duration{
		"the first of a connection": {time.Minute - before},
		"the second":                {0, time.Minute - before},
		"each of several":           {time.Minute - before, 10 * time.Second, time.Minute - before, time.Minute - before},
	} {
		t.Run(name, func(t *testing.T) {
			timed(t, func(t *testing.T, ln *pipeListener) {
				c := ln.dial(t)
				in := bufio.NewReader(c)
				for i, wait := range waits {
					time.Sleep(wait)
					if status := ask(t, c, in, 2400*time.Millisecond); status != http.StatusFound {
						t.Fatalf("request %d, begun after %v: %d", i+1, wait, status)
					}
				}
			})
		})
	}
}

// A request that takes longer than its time is told so, whenever it began.
func TestASlowRequestIsToldSo(t *testing.T) {
	for name, waits := range map[string][]time.Duration{"the first": {30 * time.Second}, "the second": {0, 30 * time.Second}} {
		t.Run(name, func(t *testing.T) {
			timed(t, func(t *testing.T, ln *pipeListener) {
				c := ln.dial(t)
				in := bufio.NewReader(c)
				for range waits[1:] {
					ask(t, c, in, 0)
				}
				time.Sleep(waits[len(waits)-1])
				began := time.Now()
				if _, err := io.WriteString(c, "GET /go HTTP/1.1\r\nHo"); err != nil {
					t.Fatal(err)
				}
				if res, _ := readAnswer(t, in, http.MethodGet); res.StatusCode != http.StatusRequestTimeout || time.Since(began) != 5*time.Second+lastLook {
					t.Errorf("%d after %v", res.StatusCode, time.Since(began))
				}
			})
		})
	}
}

// A connection on which nobody asks anything is closed without an answer.
func TestAnIdleConnectionEndsInSilence(t *testing.T) {
	for name, requests := range map[string]int{"never used": 0, "used": 1, "used twice": 2} {
		t.Run(name, func(t *testing.T) {
			timed(t, func(t *testing.T, ln *pipeListener) {
				c := ln.dial(t)
				in := bufio.NewReader(c)
				for range requests {
					ask(t, c, in, 0)
				}
				idle := time.Now()
				if b, err := io.ReadAll(in); len(b) > 0 || err != nil || time.Since(idle) != time.Minute+lastLook {
					t.Errorf("%q, %v, after %v", b, err, time.Since(idle))
				}
			})
		})
	}
}

// queuedConn is a socket as the runtime shows it: a call after the deadline fails, whatever has arrived by then.
type queuedConn struct {
	net.Conn
	arrived  string
	deadline time.Time
}

func (c *queuedConn) SetReadDeadline(t time.Time) error { c.deadline = t; return nil }

func (c *queuedConn) Read(b []byte) (int, error) {
	if !c.deadline.IsZero() && !time.Now().Before(c.deadline) {
		return 0, os.ErrDeadlineExceeded
	}
	if c.arrived == "" {
		time.Sleep(time.Until(c.deadline))
		return 0, os.ErrDeadlineExceeded
	}
	n := copy(b, c.arrived)
	c.arrived = c.arrived[n:]
	return n, nil
}

// What arrived in time is read, also where this process was too busy to look before the deadline. After it, nothing more
// is waited for than a moment.
func TestWhatArrivedInTimeIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		socket := &queuedConn{arrived: "x"}
		conn := &patientConn{Conn: socket, limits: &Limits{ReadTimeout: 5 * time.Second, IdleTimeout: time.Minute}}
		if err := conn.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		b := make([]byte, 10)
		if n, err := conn.Read(b); n != 1 || err != nil {
			t.Errorf("read %d bytes, %v", n, err)
		}
		began := time.Now()
		if _, err := conn.Read(b); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) != 5*time.Second+lastLook {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		began = time.Now()
		if _, err := conn.Read(b); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) != 0 {
			t.Errorf("once more: %v after %v", err, time.Since(began))
		}
	})
}

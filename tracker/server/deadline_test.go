package server

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// patientPipe is a patient connection whose client has sent something, with its other end.
func patientPipe(t *testing.T) (*patientConn, net.Conn) {
	near, far := net.Pipe()
	t.Cleanup(func() { near.Close(); far.Close() })
	return &patientConn{Conn: near, limits: &Limits{}, began: true}, far
}

func TestReadEndsAtTheLastDeadlineThatWasSet(t *testing.T) {
	const never = 0
	for name, c := range map[string]struct{ first, last, end time.Duration }{
		"moved back":    {5 * time.Second, 30 * time.Second, 30 * time.Second},
		"moved forward": {30 * time.Second, 5 * time.Second, 5 * time.Second},
		"the same":      {5 * time.Second, 5 * time.Second, 5 * time.Second},
		"set anew":      {never, 5 * time.Second, 5 * time.Second},
		"past":          {5 * time.Second, -time.Second, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conn, _ := patientPipe(t)
				began := time.Now()
				for _, d := range []time.Duration{c.first, c.last} {
					at := began.Add(d)
					if d == never {
						at = time.Time{}
					}
					if err := conn.SetDeadline(at); err != nil {
						t.Fatal(err)
					}
				}
				if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) != c.end+lastLook {
					t.Errorf("%v after %v, want a timeout after %v", err, time.Since(began), c.end+lastLook)
				}
				if _, err := conn.Write([]byte("x")); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) != c.end+lastLook {
					t.Errorf("write: %v after %v", err, time.Since(began))
				}
			})
		})
	}
}

func TestNoDeadlineIsNever(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, far := patientPipe(t)
		for _, at := range []time.Time{time.Now().Add(time.Second), time.Now().Add(time.Minute), {}} {
			if err := conn.SetReadDeadline(at); err != nil {
				t.Fatal(err)
			}
		}
		time.AfterFunc(time.Hour, func() { _, _ = far.Write([]byte("x")) })
		if n, err := conn.Read(make([]byte, 1)); n != 1 || err != nil {
			t.Errorf("%d bytes, %v", n, err)
		}
	})
}

// The timer interrupts a write in the middle, long before its deadline: the rest follows.
func TestWriteGoesOnAfterAnEarlyTimer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, far := patientPipe(t)
		began := time.Now()
		for _, d := range []time.Duration{time.Second, time.Minute} {
			if err := conn.SetWriteDeadline(began.Add(d)); err != nil {
				t.Fatal(err)
			}
		}
		got := make(chan string)
		go func() {
			b := make([]byte, 10)
			_, _ = io.ReadFull(far, b[:4])
			<-time.After(10 * time.Second)
			_, _ = io.ReadFull(far, b[4:])
			got <- string(b)
		}()
		if n, err := conn.Write([]byte("0123456789")); n != 10 || err != nil || time.Since(began) != 10*time.Second {
			t.Errorf("%d bytes, %v, after %v", n, err, time.Since(began))
		}
		if s := <-got; s != "0123456789" {
			t.Errorf("the other end read %q", s)
		}
	})
}

// countingConn counts how often its timers are armed.
type countingConn struct {
	net.Conn
	armed int
}

func (c *countingConn) SetReadDeadline(time.Time) error  { c.armed++; return nil }
func (c *countingConn) SetWriteDeadline(time.Time) error { c.armed++; return nil }

func TestTimersAreNotArmedForEachRequest(t *testing.T) {
	counting := &countingConn{}
	conn := &patientConn{Conn: counting, limits: &Limits{}, began: true}
	now := time.Now()
	for range 1000 {
		now = now.Add(time.Millisecond)
		for _, err := range []error{
			conn.SetReadDeadline(now.Add(30 * time.Second)), conn.SetReadDeadline(now.Add(5 * time.Second)), conn.SetWriteDeadline(now.Add(5 * time.Second)),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if counting.armed > 3 {
		t.Errorf("armed %d times in 1000 requests, want each timer once and the shorter one again", counting.armed)
	}
}

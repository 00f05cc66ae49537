package server

import (
	"errors"
	"net"
	"os"
	"time"
)

// patientListener gives out connections that set their deadlines lazily.
type patientListener struct{ net.Listener }

func (l patientListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &patientConn{Conn: c}, nil
}

// patientConn keeps deadlines without arming a timer for each. The HTTP server moves them three times a request, almost
// always into the future; here the timer stays where it is, and a call that it interrupts too early goes on until the
// deadline. A timer that would be late is armed anew at once. As far as deadlines go it is for one goroutine.
type patientConn struct {
	net.Conn
	read, write deadline
}

// deadline is when calls must end, and when the timer ends them. The zero time is never.
type deadline struct{ wanted, armed time.Time }

// set notes the deadline, and arms the timer if it would be late or is not armed at all.
func (d *deadline) set(t time.Time, arm func(time.Time) error) error {
	d.wanted = t
	if !t.IsZero() && !d.armed.IsZero() && !d.armed.After(t) {
		return nil
	}
	return d.arm(t, arm)
}

func (d *deadline) arm(t time.Time, arm func(time.Time) error) error {
	if err := arm(t); err != nil {
		return err
	}
	d.armed = t
	return nil
}

// early reports whether err is the timer's and the deadline is still ahead; the timer is then armed for it.
func (d *deadline) early(err error, arm func(time.Time) error) bool {
	if !errors.Is(err, os.ErrDeadlineExceeded) || !d.wanted.IsZero() && !time.Now().Before(d.wanted) {
		return false
	}
	return d.arm(d.wanted, arm) == nil
}

func (c *patientConn) Read(b []byte) (int, error) {
	for {
		n, err := c.Conn.Read(b)
		if err == nil || n > 0 || !c.read.early(err, c.Conn.SetReadDeadline) {
			return n, err
		}
	}
}

func (c *patientConn) Write(b []byte) (written int, err error) {
	for {
		n, err := c.Conn.Write(b[written:])
		written += n
		if err == nil || !c.write.early(err, c.Conn.SetWriteDeadline) {
			return written, err
		}
	}
}

func (c *patientConn) SetReadDeadline(t time.Time) error {
	return c.read.set(t, c.Conn.SetReadDeadline)
}

func (c *patientConn) SetWriteDeadline(t time.Time) error {
	return c.write.set(t, c.Conn.SetWriteDeadline)
}

func (c *patientConn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

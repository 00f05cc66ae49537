package server

import (
	"errors"
	"io"
	"net"
	"os"
	"time"
)

// lastLook is how long a read goes on after its deadline, for what has arrived and was not looked at: a call after the
// deadline fails, whatever is there. Long enough for a thread that loses its processor in between.
const lastLook = 100 * time.Millisecond

// patientListener gives out connections that know the server's limits.
type patientListener struct {
	net.Listener
	limits *Limits
}

func (l patientListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &patientConn{Conn: c, limits: l.limits}, nil
}

// patientConn keeps deadlines without arming a timer for each. The HTTP server moves them three times a request, almost
// always into the future; here the timer stays where it is, and a call that it interrupts too early goes on until the
// deadline. A timer that would be late is armed anew at once. As far as deadlines go it is for one goroutine.
//
// Three times it keeps deadlines where the HTTP server would not. A new connection idles like any other: the HTTP server
// counts the first request's time from the opening and tells one that nobody uses that its request did not arrive, which
// is then taken for the answer to a request that is on its way. What arrived in time is read, however late it is looked
// at. And an answer to what never became a request does not end at the deadline of the answer before.
type patientConn struct {
	net.Conn
	read, write deadline
	limits      *Limits
	began       bool // the client has sent something
	stale       bool // the write deadline is that of an answer before
}

// deadline is when calls must end, and when the timer ends them. The zero time is never.
type deadline struct {
	wanted, armed time.Time
	looked        bool // once more after the end
}

// set notes the deadline, and arms the timer if it would be late or is not armed at all.
func (d *deadline) set(t time.Time, arm func(time.Time) error) error {
	d.wanted, d.looked = t, false
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

// look reports whether err is the timer's and the caller shall look once more; it then has lastLook for it.
func (d *deadline) look(err error, arm func(time.Time) error) bool {
	if !errors.Is(err, os.ErrDeadlineExceeded) || d.looked {
		return false
	}
	d.looked = true
	return d.arm(time.Now().Add(lastLook), arm) == nil
}

// Read ends with io.EOF if the client has sent nothing in the connection's idle time.
func (c *patientConn) Read(b []byte) (int, error) {
	for {
		n, err := c.Conn.Read(b)
		switch {
		case err == nil || n > 0:
			if !c.began {
				c.began = true
				return n, errors.Join(err, c.SetReadDeadline(time.Now().Add(c.limits.ReadTimeout)))
			}
			return n, err
		case c.read.early(err, c.Conn.SetReadDeadline) || c.read.look(err, c.Conn.SetReadDeadline):
		case !c.began && errors.Is(err, os.ErrDeadlineExceeded):
			return 0, io.EOF
		default:
			return n, err
		}
	}
}

func (c *patientConn) Write(b []byte) (written int, err error) {
	if c.stale {
		if err := c.SetWriteDeadline(time.Now().Add(c.limits.WriteTimeout)); err != nil {
			return 0, err
		}
	}
	for {
		n, err := c.Conn.Write(b[written:])
		written += n
		if err == nil || !c.write.early(err, c.Conn.SetWriteDeadline) {
			return written, err
		}
	}
}

// SetReadDeadline sets the end of the idle time, whatever t is, before the client has sent something.
func (c *patientConn) SetReadDeadline(t time.Time) error {
	if !c.began {
		t = time.Now().Add(c.limits.IdleTimeout)
	}
	c.stale = true
	return c.read.set(t, c.Conn.SetReadDeadline)
}

func (c *patientConn) SetWriteDeadline(t time.Time) error {
	c.stale = false
	return c.write.set(t, c.Conn.SetWriteDeadline)
}

func (c *patientConn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

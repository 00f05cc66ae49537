package load

import (
	"bytes"
	"errors"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// conn is one connection with at most one request under way.
type conn struct {
	fd      int
	busy    bool
	n       uint64
	due     time.Time
	sent    time.Time
	out     []byte // what is left to write
	outBuf  []byte
	in      []byte
	have    int // bytes in in
	discard int // bytes of the body still to come
	status  int
	head    []byte
	gotHead bool
	begun   bool // some of the request has been written
	last    bool // the server closes after this answer
	noBody  bool // of the answer to a HEAD
}

func (c *conn) close() {
	if c.fd > 0 {
		unix.Close(c.fd)
		c.fd = 0
	}
}

func (l *loop) open(i int) error {
	family, addr := unix.AF_INET, unix.Sockaddr(&unix.SockaddrInet4{Port: int(l.Addr.Port()), Addr: l.Addr.Addr().Unmap().As4()})
	if l.Addr.Addr().Unmap().Is6() {
		family, addr = unix.AF_INET6, &unix.SockaddrInet6{Port: int(l.Addr.Port()), Addr: l.Addr.Addr().As16()}
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	patience := unix.NsecToTimeval(connectTimeout.Nanoseconds())
	if err := errors.Join(
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1), unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &patience),
		connect(fd, addr), unix.SetNonblock(fd, true),
	); err != nil {
		unix.Close(fd)
		return err
	}
	c := &l.conns[i]
	c.fd, c.have, c.discard, c.gotHead, c.sent = fd, 0, 0, false, time.Now()
	return unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLRDHUP, Fd: int32(i)})
}

// connect waits for the connection: from loopback it is there at once, and a generator that goes on without one measures
// nothing. A signal (the runtime sends itself some) interrupts the wait, not the attempt.
func connect(fd int, addr unix.Sockaddr) error {
	err := unix.Connect(fd, addr)
	if errors.Is(err, unix.EINPROGRESS) { // what Linux says when the time is over
		return unix.ETIMEDOUT
	}
	if !errors.Is(err, unix.EINTR) {
		return err
	}
	for {
		ready, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}, int(connectTimeout.Milliseconds()))
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return err
		}
		if ready == 0 {
			return unix.ETIMEDOUT
		}
		code, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
		if err == nil && code != 0 {
			err = unix.Errno(code)
		}
		return err
	}
}

func (l *loop) send(i int, due time.Time) {
	c := &l.conns[i]
	if l.now.Sub(c.sent) > maxIdle {
		c.close() // before the server does, so that no request meets a closed connection
	}
	c.n, c.due, c.busy, c.begun = l.sent, due, true, false
	l.sent++
	l.busy++
	c.outBuf = l.Request(c.outBuf[:0], c.n) // also if it finds no connection: who made it is told of its failure
	if c.fd == 0 {
		if err := l.open(i); err != nil {
			l.fail(i, "connect: "+err.Error())
			return
		}
	}
	c.sent = l.now
	c.out = c.outBuf
	c.noBody = bytes.HasPrefix(c.out, []byte("HEAD "))
	l.write(i)
}

func (l *loop) write(i int) {
	c := &l.conns[i]
	for len(c.out) > 0 {
		n, err := unix.Write(c.fd, c.out)
		switch {
		case err == nil:
			c.out = c.out[n:]
			c.begun = c.begun || n > 0
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EAGAIN):
			_ = unix.EpollCtl(l.epoll, unix.EPOLL_CTL_MOD, c.fd, &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP, Fd: int32(i)})
			return
		default:
			l.fail(i, "send: "+err.Error())
			return
		}
	}
}

func (l *loop) handle(i int, events uint32) {
	c := &l.conns[i]
	if c.fd == 0 {
		return
	}
	if events&unix.EPOLLOUT != 0 {
		_ = unix.EpollCtl(l.epoll, unix.EPOLL_CTL_MOD, c.fd, &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLRDHUP, Fd: int32(i)})
		l.write(i)
	}
	if events&(unix.EPOLLIN|unix.EPOLLRDHUP|unix.EPOLLERR|unix.EPOLLHUP) == 0 || c.fd == 0 {
		return
	}
	n, err := unix.Read(c.fd, c.in[c.have:])
	switch {
	case errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR):
	case err != nil:
		l.hangUp(i, "receive: "+err.Error())
	case n == 0:
		l.hangUp(i, "closed by the server before its answer")
	default:
		c.have += n
		l.parse(i)
	}
}

// hangUp is the server closing: a failure if an answer was due, else the connection is opened again when needed.
func (l *loop) hangUp(i int, why string) {
	if l.conns[i].busy {
		l.fail(i, why)
		return
	}
	l.conns[i].close()
}

// parse consumes one answer: head, then Content-Length bytes. Chunked answers are not spoken by what is measured here.
func (l *loop) parse(i int) {
	c := &l.conns[i]
	if !c.gotHead {
		end := bytes.Index(c.in[:c.have], []byte("\r\n\r\n"))
		if end < 0 {
			if c.have == len(c.in) {
				l.fail(i, "answer's head is too large")
			}
			return
		}
		end += 4
		c.head = c.in[:end]
		c.status, c.discard, c.last = readHead(c.head)
		if c.status == 0 || !c.busy {
			l.fail(i, "not an HTTP answer")
			return
		}
		c.gotHead = true
		if c.noBody {
			c.discard = 0
		}
		l.answered(c)
		c.have = copy(c.in, c.in[end:c.have])
	}
	eaten := min(c.discard, c.have)
	c.discard -= eaten
	c.have = copy(c.in, c.in[eaten:c.have])
	if c.discard > 0 {
		return
	}
	c.gotHead, c.busy = false, false
	if c.last {
		c.close() // the next request would meet a closed connection
	}
	l.busy--
	l.free = append(l.free, int32(i))
}

func (l *loop) answered(c *conn) {
	latency := l.now.Sub(c.due)
	us := min(max(latency.Microseconds(), 1), maxLatency.Microseconds())
	// Both calls fail only beyond the range, which the line above excludes.
	_ = l.result.Latency.RecordValue(us)
	_ = l.second.RecordValue(us)
	l.result.Answered++
	l.result.Status[c.status]++
	if l.OnAnswer != nil {
		l.OnAnswer(Answer{N: c.n, Status: c.status, Head: c.head, Latency: latency})
	}
}

// fail ends a connection. A request that waits for its answer has failed; one whose answer's body is cut has been answered.
func (l *loop) fail(i int, why string) {
	c := &l.conns[i]
	if c.busy {
		l.busy--
		l.free = append(l.free, int32(i))
	}
	if c.busy && !c.gotHead {
		l.result.Failed++
		l.result.Failures[why]++
		if !c.begun {
			l.result.Unreached++
		}
		if l.OnFail != nil {
			l.OnFail(Failure{N: c.n, Why: why, Sent: c.begun})
		}
	}
	c.busy, c.gotHead = false, false
	c.close()
}

// sweep gives up on answers that are overdue.
func (l *loop) sweep() {
	for i := range l.conns {
		if c := &l.conns[i]; c.busy && l.now.Sub(c.sent) > answerTimeout {
			l.fail(i, "no answer in "+answerTimeout.String())
		}
	}
}

// readHead returns the status, the length of the body and whether the server closes after it; status 0 if it is no HTTP
// answer.
func readHead(head []byte) (status, length int, last bool) {
	if len(head) < 12 || !bytes.HasPrefix(head, []byte("HTTP/1.")) {
		return 0, 0, false
	}
	status, err := strconv.Atoi(string(head[9:12]))
	if err != nil {
		return 0, 0, false
	}
	for line := range bytes.SplitSeq(head, []byte("\r\n")) {
		if value, ok := field(line, "content-length:"); ok {
			n, err := strconv.Atoi(string(value))
			if err != nil || n < 0 {
				return 0, 0, false
			}
			length = n
		}
		if value, ok := field(line, "connection:"); ok {
			last = bytes.EqualFold(value, []byte("close"))
		}
	}
	return status, length, last
}

// field returns the value if the line has the name, which is in lower case with its colon.
func field(line []byte, name string) ([]byte, bool) {
	if len(line) < len(name) || !bytes.EqualFold(line[:len(name)], []byte(name)) {
		return nil, false
	}
	return bytes.TrimSpace(line[len(name):]), true
}

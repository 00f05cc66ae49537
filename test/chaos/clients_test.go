package chaos

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// crowds are what clients can do.
func (s *world) crowds() {
	s.scenario("10,000 idle connections", func(*traffic) { s.open(10_000, "") })
	s.scenario("500 slow clients", func(*traffic) { s.open(500, "GET /"+strings.Repeat("x", 20)) })
	s.descriptors()
}

// open opens connections to the tracker, sends the beginning of a request on each, and keeps them for a while.
func (s *world) open(n int, begin string) {
	s.t.Helper()
	var limit unix.Rlimit
	s.must(unix.Getrlimit(unix.RLIMIT_NOFILE, &limit))
	n = min(n, int(limit.Cur)-2000)
	if n < 100 {
		s.t.Errorf("only %d file descriptors: raise the limit (ulimit -n)", limit.Cur)
		return
	}
	conns := make([]net.Conn, n)
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := w; i < n; i += 8 {
				c, err := net.Dial("tcp", strings.TrimPrefix(s.tracker.Tracker, "http://"))
				if err != nil {
					s.t.Errorf("connection %d: %v", i, err)
					return
				}
				conns[i] = c
				io.WriteString(c, begin)
			}
		})
	}
	wg.Wait()
	pass(time.Second)
	for _, c := range conns {
		if c != nil {
			c.Close()
		}
	}
}

// descriptors leaves the tracker without a file descriptor to open, and gives them back.
func (s *world) descriptors() {
	s.scenario("file descriptors exhausted", func(tr *traffic) {
		pass(300 * time.Millisecond)
		pid := s.tracker.Cmd.Process.Pid
		open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
		s.must(err)
		var old unix.Rlimit
		low := unix.Rlimit{Cur: uint64(len(open)), Max: 1 << 19}
		s.must(unix.Prlimit(pid, unix.RLIMIT_NOFILE, nil, &old))
		low.Max = old.Max
		s.must(unix.Prlimit(pid, unix.RLIMIT_NOFILE, &low, nil))
		for range 20 { // connections that the tracker cannot accept
			c, err := net.DialTimeout("tcp", strings.TrimPrefix(s.tracker.Tracker, "http://"), time.Second)
			if err == nil {
				defer c.Close()
			}
		}
		n := tr.answered()
		pass(1500 * time.Millisecond)
		s.must(unix.Prlimit(pid, unix.RLIMIT_NOFILE, &old, nil))
		waitFor(s.t, 20*time.Second, func() bool { return tr.answered() > n+100 },
			func() string {
				return "with descriptors again the tracker does not answer\n" + s.tracker.Output.String()
			})
		waitFor(s.t, 10*time.Second, func() bool { status, _ := get(s.tracker.Tracker + "/robots.txt"); return status == http.StatusOK },
			func() string { return "new connections are not taken\n" + s.tracker.Output.String() })
	})
}

// handover restarts the tracker under load, with its socket held by the service manager: no request fails.
func (s *world) handover() {
	const fault = "rolling restarts, socket held by the service manager"
	socket, err := listen("127.0.0.1:0")
	s.must(err)
	defer socket.Close()
	usual := s.tracker
	s.tracker = s.newTracker(3, s.t.TempDir())
	s.tracker.Prefix = asService
	s.tracker.Files = []*os.File{socket}
	s.tracker.Start()
	defer func() { s.tracker.Kill(); s.tracker = usual }()
	s.tracker.Ready()
	tr := s.newTraffic()
	tr.begin(s.t)
	for range 3 {
		pass(500 * time.Millisecond)
		s.tracker.Terminate()
		s.tracker.Start()
	}
	pass(500 * time.Millisecond)
	tr.end()
	if r := s.settle(fault, tr, nil); r.Unanswered > 0 || r.WithoutID > 0 || len(tr.other) > 0 {
		s.t.Errorf("%s: requests failed: %+v %v %v", fault, r, tr.other, tr.reasons)
	}
}

// partition runs a second edge node, cuts it off from everything behind it, and lets it back.
func (s *world) partition() {
	const fault = "one of two edge nodes cut off"
	store, center := newTCPProxy(s.t, s.clicks.Addr()), newHTTPProxy(s.t, s.core.Core)
	other := s.trackerBehind(store.addr(), center.server.URL, 4, s.t.TempDir())
	other.Start()
	defer other.Kill()
	other.Ready()
	s.more = []*process{other}
	defer func() { s.more = nil }()
	tr := s.newTraffic()
	tr.begin(s.t)
	pass(300 * time.Millisecond)
	store.set(hang)
	center.set(hang)
	pass(3 * time.Second)
	store.set(healthy)
	center.set(healthy)
	pass(300 * time.Millisecond)
	tr.end()
	if r := s.settle(fault, tr, nil); r.Unanswered > 0 || r.WithoutID > 0 || len(tr.other) > 0 {
		s.t.Errorf("%s: visitors noticed: %+v %v", fault, r, tr.other)
	}
}

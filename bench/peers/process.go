package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	startTimeout = 150 * time.Second
	stopTimeout  = 20 * time.Second
	clockTick    = 10 * time.Millisecond // of /proc, the same on every Linux that Go runs on
	logLimit     = 64 << 10              // bytes of a server's output that are kept for an error
)

// process is a server's root process.
type process struct {
	name string
	cmd  *exec.Cmd
	log  *tail
	done chan struct{}
}

// tail keeps the end of what is written to it.
type tail struct {
	mu sync.Mutex
	b  []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, p...)
	if len(t.b) > logLimit {
		t.b = append(t.b[:0], t.b[len(t.b)-logLimit:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.b)
}

// launch starts a command on the servers' core.
func launch(name string, env []string, program string, args ...string) (*process, error) {
	p := &process{name: name, cmd: exec.Command(program, args...), log: &tail{}, done: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	if err := startPinned(p.cmd); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		_ = p.cmd.Wait() // how it ended shows where it matters: it does not answer
		close(p.done)
	}()
	return p, nil
}

// stop ends the process and its children, which are in its group.
func (p *process) stop() {
	_ = syscall.Kill(p.cmd.Process.Pid, syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(stopTimeout):
	}
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) // what is left of the group; nothing, if all went well
	<-p.done
}

// until waits for a condition while the process lives.
func (p *process) until(ctx context.Context, what string, ready func() bool) error {
	limit, tick := time.NewTimer(startTimeout), time.NewTicker(20*time.Millisecond)
	defer limit.Stop()
	defer tick.Stop()
	for !ready() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-p.done:
			return fmt.Errorf("%s ended by itself; its last words:\n%s", p.name, p.log)
		case <-limit.C:
			return fmt.Errorf("%s: %s did not happen within %v; its last words:\n%s", p.name, what, startTimeout, p.log)
		case <-tick.C:
		}
	}
	return nil
}

func (p *process) listens(ctx context.Context, addr netip.AddrPort) error {
	return p.until(ctx, "listening on "+addr.String(), func() bool {
		c, err := net.DialTimeout("tcp", addr.String(), time.Second)
		if err != nil {
			return false
		}
		c.Close()
		return true
	})
}

// freePort is a loopback address that nobody listens on.
func freePort() (netip.AddrPort, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("find a free port: %w", err)
	}
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).AddrPort(), nil
}

// cpu is the user and system time of processes and all their descendants that live.
func cpu(roots []*process) (time.Duration, error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0, err
	}
	parents, ticks := map[int]int{}, map[int]int64{}
	for _, path := range stats {
		// A process may end meanwhile.
		if pid, parent, t, err := readStat(path); err == nil {
			parents[pid], ticks[pid] = parent, t
		}
	}
	var sum int64
	for pid, t := range ticks {
		if descends(pid, parents, roots) {
			sum += t
		}
	}
	if sum == 0 {
		return 0, errors.New("read processor time: the servers are not in /proc")
	}
	return time.Duration(sum) * clockTick, nil
}

func descends(pid int, parents map[int]int, roots []*process) bool {
	for ; pid > 1; pid = parents[pid] {
		for _, r := range roots {
			if r.cmd.Process.Pid == pid {
				return true
			}
		}
	}
	return false
}

// readStat returns user + system time in clock ticks, see proc(5).
func readStat(path string) (pid, parent int, ticks int64, err error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0, 0, 0, err
	}
	return parseStat(b)
}

func parseStat(b []byte) (pid, parent int, ticks int64, err error) {
	// The name, in parentheses, may hold anything.
	open, end := bytes.IndexByte(b, '('), bytes.LastIndexByte(b, ')')
	if open < 0 || end < open {
		return 0, 0, 0, errors.New("not a line of /proc/PID/stat")
	}
	fields := bytes.Fields(b[end+1:]) // from field 3, the state, on
	if len(fields) < 13 {
		return 0, 0, 0, errors.New("too few fields in /proc/PID/stat")
	}
	number := func(s []byte) (n int64) {
		if err == nil {
			n, err = strconv.ParseInt(string(s), 10, 64)
		}
		return n
	}
	pid, parent = int(number(bytes.TrimSpace(b[:open]))), int(number(fields[1]))
	return pid, parent, number(fields[11]) + number(fields[12]), err
}

// memory is the resident size of a process now and at its highest, in bytes.
func (p *process) memory() (now, peak int64, err error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, 0, fmt.Errorf("read memory of %s: %w", p.name, err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		return 0, 0, fmt.Errorf("read memory of %s: %w", p.name, err)
	}
	return parseStatus(string(b), "VmRSS"), parseStatus(string(b), "VmHWM"), nil
}

// parseStatus returns a size from /proc/PID/status, 0 where it is missing.
func parseStatus(status, name string) int64 {
	for line := range strings.Lines(status) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			if err == nil {
				return kib << 10
			}
		}
	}
	return 0
}

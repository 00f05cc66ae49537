package system

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	commandTimeout = 10 * time.Minute
	logTail        = 64 << 10 // bytes of a process's output that a failing test shows
)

// Run runs a command of edgeref to its end.
func Run(t testing.TB, binary Binary, env []string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	path, buildErr := binary()
	if buildErr != nil {
		t.Fatal(buildErr)
	}
	ctx, cancel := context.WithTimeout(t.Context(), commandTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + os.TempDir()}, env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err = cmd.Run()
	return out.String(), errOut.String(), err
}

// WaitFor asks for a condition until it holds, and fails the test when limit is over.
func WaitFor(t testing.TB, limit time.Duration, condition func() bool, why func() string) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(limit)
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("after %s: %s", limit, why())
		}
	}
}

// NewClient returns a client that follows no redirect and keeps no cookie.
func NewClient() *http.Client {
	return &http.Client{
		Timeout: 10 * time.Second, Transport: http.DefaultTransport.(*http.Transport).Clone(),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Get returns status 0 and the error where nobody answers.
func Get(url string) (int, string) {
	client := http.Client{
		Timeout:       10 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Get(url)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err.Error()
	}
	return resp.StatusCode, string(body)
}

// Metric is the sum of a metric's series whose labels contain the text; false if there is none.
func (p *Process) Metric(name, label string) (float64, bool) {
	status, body := Get(p.Ops + "/metrics")
	if status != http.StatusOK {
		return 0, false
	}
	sum, found := 0.0, false
	for line := range strings.Lines(body) {
		series, text, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok || series != name && !strings.HasPrefix(series, name+"{") || !strings.Contains(series, label) {
			continue
		}
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return 0, false
		}
		sum, found = sum+v, true
	}
	return sum, found
}

// Tail keeps the end of what is written to it. It is safe for concurrent use.
type Tail struct {
	mu sync.Mutex
	b  []byte
}

// Write implements io.Writer.
func (o *Tail) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.b = append(o.b, b...)
	if over := len(o.b) - logTail; over > 0 {
		o.b = append(o.b[:0], o.b[over:]...)
	}
	return len(b), nil
}

// String is what is kept.
func (o *Tail) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(o.b)
}

package chaos

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	startTimeout = 60 * time.Second
	logTail      = 16 << 10 // bytes of a process's output that a failing test shows
)

var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "edgeref-chaos-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "edgeref")
	if out, err := exec.Command("go", "build", "-o", path, "../..").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build edgeref: %w\n%s", err, out)
	}
	return path, nil
})

// process is one running edgeref, restarted with the same arguments and addresses.
type process struct {
	t      *testing.T
	role   string
	env    []string
	args   []string
	prefix []string // a command that runs it, if any
	files  []*os.File

	cmd    *exec.Cmd
	output *tail
	exited chan struct{}
	err    error

	addr, ops string // base URLs
}

var addressLine = regexp.MustCompile(`^\s*(tracker|core|ops)\s+(http://[0-9.:]+)`)

// start starts the process and waits for its addresses, which it keeps from then on.
func (p *process) start() {
	p.t.Helper()
	path, err := binary()
	if err != nil {
		p.t.Fatal(err)
	}
	listen := func(url string) string {
		if url == "" {
			return "127.0.0.1:0"
		}
		return strings.TrimPrefix(url, "http://")
	}
	args := append([]string{p.role, "--ops-listen", listen(p.ops), "--" + p.role + "-listen", listen(p.addr)}, p.args...)
	command := append(append([]string{}, p.prefix...), path)
	p.cmd = exec.Command(command[0], append(command[1:], args...)...)
	p.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + os.TempDir()}, p.env...)
	p.cmd.ExtraFiles = p.files
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	p.output, p.exited = &tail{}, make(chan struct{})
	p.cmd.Stderr = p.output
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	lines, cmd, exited := make(chan string, 64), p.cmd, p.exited
	go func() {
		for s := bufio.NewScanner(stdout); s.Scan(); {
			select {
			case lines <- s.Text():
			default:
			}
		}
		p.err = cmd.Wait()
		close(exited)
	}()
	deadline := time.After(startTimeout)
	for got := map[string]string{}; got["ops"] == "" || got[p.role] == ""; {
		select {
		case line := <-lines:
			if m := addressLine.FindStringSubmatch(line); m != nil {
				got[m[1]] = m[2]
				p.ops, p.addr = got["ops"], got[p.role]
			}
		case <-p.exited:
			p.t.Fatalf("%s ended while starting: %v\n%s", p.role, p.err, p.output)
		case <-deadline:
			p.t.Fatalf("%s printed no addresses\n%s", p.role, p.output)
		}
	}
}

func (p *process) ready() {
	p.t.Helper()
	body := ""
	waitFor(p.t, startTimeout, func() bool {
		var status int
		status, body = get(p.ops + "/readyz")
		return status == http.StatusOK
	}, func() string { return p.role + " is not ready: " + body + "\n" + p.output.String() })
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.exited
}

// terminate is SIGTERM; the process must end well by itself.
func (p *process) terminate() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	select {
	case <-p.exited:
	case <-time.After(startTimeout):
		p.t.Fatalf("%s did not stop\n%s", p.role, p.output)
	}
	if p.err != nil {
		p.t.Fatalf("%s stopped with %v\n%s", p.role, p.err, p.output)
	}
}

// metric is the sum of a metric's series whose labels contain the text.
func (p *process) metric(name, label string) (float64, bool) {
	status, body := get(p.ops + "/metrics")
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

// run runs a command of edgeref to its end.
func run(t *testing.T, env []string, args ...string) (string, error) {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH")}, env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func waitFor(t *testing.T, limit time.Duration, condition func() bool, why func() string) {
	t.Helper()
	tick := time.NewTicker(25 * time.Millisecond)
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

// pass lets time go by while traffic runs: the moment of a fault, not a wait for anything.
func pass(d time.Duration) { <-time.After(d) }

var client = &http.Client{
	Timeout:       10 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

func get(url string) (int, string) {
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

// tail keeps the end of a process's output.
type tail struct {
	mu sync.Mutex
	b  []byte
}

func (o *tail) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.b = append(o.b, b...)
	o.b = o.b[max(0, len(o.b)-logTail):]
	return len(b), nil
}

func (o *tail) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(o.b)
}

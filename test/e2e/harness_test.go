package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	adminToken   = "e2e-admin-token-0123456789"
	edgeToken    = "e2e-edge-token-0123456789"
	clickKeys    = "1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	startTimeout = 60 * time.Second
	logTail      = 64 << 10 // bytes of a process's output that a failing test shows
)

// binary is built once for all tests, with the race detector, so that a race in the running system fails a test.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "edgeref-e2e-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "edgeref")
	out, err := exec.Command("go", "build", "-race", "-o", path, "../..").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build edgeref: %w\n%s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := binary(); err == nil {
		os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// process is one running edgeref.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	output *tail
	exited chan struct{}
	err    error // of Wait, valid once exited is closed

	tracker, core, ops string // base URLs as the process printed them
}

// addressLine matches what a role prints about a listener.
var addressLine = regexp.MustCompile(`^\s*(tracker|core|ops)\s+(http://[0-9.:]+)`)

// launch starts edgeref with the arguments and waits until it has printed its addresses and is ready.
func launch(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	p := launchUnready(t, env, args...)
	p.waitReady()
	return p
}

// launchUnready starts edgeref and waits for its addresses only.
func launchUnready(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	return start(t, exec.Command(path, args...), env, args[0])
}

// launchOn is launch with a listening socket passed as systemd passes one.
func launchOn(t *testing.T, socket *os.File, env []string, args ...string) *process {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", append([]string{"-c", `LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" "$@"`, path}, args...)...)
	cmd.ExtraFiles = []*os.File{socket}
	p := start(t, cmd, env, args[0])
	p.waitReady()
	return p
}

// start runs the command, which is edgeref in a role, until it has printed its addresses.
func start(t *testing.T, cmd *exec.Cmd, env []string, role string) *process {
	t.Helper()
	p := &process{t: t, cmd: cmd, output: &tail{}, exited: make(chan struct{})}
	p.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + os.TempDir(), "GORACE=halt_on_error=1"}, env...)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	p.cmd.Stderr = p.output
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	printed := make(chan string, 64)
	go func() {
		lines := bufio.NewScanner(stdout)
		for lines.Scan() {
			fmt.Fprintln(p.output, lines.Text())
			select {
			case printed <- lines.Text():
			default:
			}
		}
		p.err = p.cmd.Wait()
		close(p.exited)
	}()
	t.Cleanup(p.kill)
	p.readAddresses(printed, role)
	return p
}

func (p *process) readAddresses(printed <-chan string, role string) {
	p.t.Helper()
	deadline := time.After(startTimeout)
	for {
		select {
		case line := <-printed:
			if m := addressLine.FindStringSubmatch(line); m != nil {
				*map[string]*string{"tracker": &p.tracker, "core": &p.core, "ops": &p.ops}[m[1]] = m[2]
			}
		case <-p.exited:
			p.t.Fatalf("edgeref %s ended: %v\n%s", role, p.err, p.output)
		case <-deadline:
			p.t.Fatalf("edgeref %s printed no addresses\n%s", role, p.output)
		}
		if p.ops != "" && (role != "serve" || p.tracker != "" && p.core != "") && (role != "tracker" || p.tracker != "") && (role != "core" || p.core != "") {
			return
		}
	}
}

func (p *process) waitReady() {
	p.t.Helper()
	var last string
	waitFor(p.t, startTimeout, func() bool {
		select {
		case <-p.exited:
			p.t.Fatalf("ended before it was ready: %v\n%s", p.err, p.output)
		default:
		}
		status, body := get(p.t, p.ops+"/readyz")
		last = body
		return status == http.StatusOK
	}, func() string { return "not ready: " + last + "\n" + p.output.String() })
}

// kill is kill -9.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.exited
}

// terminate is SIGTERM; the process must end by itself, without an error.
func (p *process) terminate() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	select {
	case <-p.exited:
	case <-time.After(startTimeout):
		p.t.Fatalf("did not stop on SIGTERM\n%s", p.output)
	}
	if p.err != nil {
		p.t.Fatalf("stopped with %v\n%s", p.err, p.output)
	}
}

// edgeref runs a command to its end.
func edgeref(t *testing.T, env []string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	path, buildErr := binary()
	if buildErr != nil {
		t.Fatal(buildErr)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + os.TempDir()}, env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err = cmd.Run()
	return out.String(), errOut.String(), err
}

// waitFor asks for a condition until it holds.
func waitFor(t *testing.T, limit time.Duration, condition func() bool, why func() string) {
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

// client follows no redirect and keeps no cookie.
var client = &http.Client{
	Timeout:       10 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// get returns status 0 and the error where nobody answers.
func get(t *testing.T, url string) (int, string) {
	t.Helper()
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

// call sends a request to the API and decodes the answer into out, which may be nil.
func call(t *testing.T, method, url string, in, out any) int {
	t.Helper()
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+adminToken)
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if out != nil && resp.StatusCode < 300 {
		if err := json.Unmarshal(b, out); err != nil {
			t.Fatalf("%s %s: %v in %s", method, url, err, b)
		}
	}
	if resp.StatusCode >= 300 && resp.StatusCode != http.StatusConflict {
		t.Logf("%s %s: %d %s", method, url, resp.StatusCode, b)
	}
	return resp.StatusCode
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
	if over := len(o.b) - logTail; over > 0 {
		o.b = o.b[over:]
	}
	return len(b), nil
}

func (o *tail) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(o.b)
}

// fullLog is 10,000 real requests where they are at hand, else the extract that the project ships.
func fullLog(t *testing.T) string {
	t.Helper()
	full := filepath.Join("..", "..", "..", "shared", "data", "access-log-10k.gz")
	if _, err := os.Stat(full); errors.Is(err, os.ErrNotExist) {
		t.Logf("%s is not there; using the extract", full)
		return sampleLog
	}
	return full
}

const sampleLog = "../../bench/replay/testdata/access-log-sample.log"

func trimURL(s string) string { return strings.TrimPrefix(s, "http://") }

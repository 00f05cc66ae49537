package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/edgeref/edgeref/test/system"
)

const (
	adminToken = "e2e-admin-token-0123456789"
	edgeToken  = "e2e-edge-token-0123456789"
	clickKeys  = "1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
)

// binary is built once for all tests, with the race detector, so that a race in the running system fails a test.
// The flags are those of test/run.sh.
var binary = system.Builder("../..", "-race", "-gcflags", "modernc.org/sqlite/lib=-race=false")

func TestMain(m *testing.M) {
	code := m.Run()
	binary.Remove()
	os.Exit(code)
}

// process is one running edgeref.
type process struct {
	*system.Process
	t                  *testing.T
	tracker, core, ops string // base URLs as the process printed them
	output             *system.Tail
	cmd                *exec.Cmd
}

// tail is the end of a command's output.
type tail = system.Tail

// launch starts edgeref with the arguments and waits until it has printed its addresses and is ready.
func launch(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	p := launchUnready(t, env, args...)
	p.Ready()
	return p
}

// launchUnready starts edgeref and waits for its addresses only.
func launchUnready(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	return start(t, &system.Process{Env: env, Role: args[0], Args: args[1:]})
}

// launchOn is launch with a listening socket passed as systemd passes one.
func launchOn(t *testing.T, socket *os.File, env []string, args ...string) *process {
	t.Helper()
	p := start(t, &system.Process{
		Env: env, Role: args[0], Args: args[1:], Files: []*os.File{socket},
		// LISTEN_PID has to be the process's own.
		Prefix: []string{"sh", "-c", `LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"`, "sh"},
	})
	p.Ready()
	return p
}

func start(t *testing.T, p *system.Process) *process {
	t.Helper()
	p.T, p.Binary = t, binary
	t.Cleanup(p.Kill)
	p.Start()
	return &process{Process: p, t: t, tracker: p.Tracker, core: p.Core, ops: p.Ops, output: p.Output, cmd: p.Cmd}
}

func (p *process) kill()      { p.Kill() }
func (p *process) terminate() { p.t.Helper(); p.Terminate() }

// edgeref runs a command to its end.
func edgeref(t *testing.T, env []string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	return system.Run(t, binary, env, args...)
}

func waitFor(t *testing.T, limit time.Duration, condition func() bool, why func() string) {
	t.Helper()
	system.WaitFor(t, limit, condition, why)
}

var client = system.NewClient()

// get returns status 0 and the error where nobody answers.
func get(t *testing.T, url string) (int, string) {
	t.Helper()
	return system.Get(url)
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

func trimURL(s string) string { return system.Address(s) }

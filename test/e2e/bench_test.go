package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// benchResult is what the tests read of a result's JSON.
type benchResult struct {
	Held        bool `json:"held"`
	Interrupted bool `json:"interrupted"`
	Links       struct {
		Scheduled, Answered uint64
	} `json:"links"`
	Booked struct {
		Leads, Sales, Refunds int64
	} `json:"booked"`
	Steps []json.RawMessage `json:"steps"`
	Curve []struct {
		Rows    uint64
		Reports []json.RawMessage
	} `json:"curve"`
	Conservation []struct {
		Name      string
		Want, Got int64
		Held      bool
	} `json:"conservation"`
}

// benchArgs are the arguments that every load test of p has.
func (p *process) benchArgs(command string, args ...string) []string {
	return append([]string{
		"bench", command, "--tracker", p.tracker, "--core", p.core, "--ops", p.ops, "--links", "8", "--connections", "4",
	}, args...)
}

var benchEnv = []string{"EDGEREF_ADMIN_TOKEN=" + adminToken, "EDGEREF_EDGE_TOKENS=" + edgeToken}

// bench runs a load test that must hold and returns its result.
func (p *process) bench(command string, args ...string) benchResult {
	p.t.Helper()
	file := filepath.Join(p.t.TempDir(), "result.json")
	html := filepath.Join(filepath.Dir(file), "result.html")
	out, errOut, err := edgeref(p.t, benchEnv, p.benchArgs(command, append(args, "--json", file, "--html", html)...)...)
	if err != nil {
		p.t.Fatalf("bench %s: %v\n%s%s\nserver:\n%s", command, err, out, errOut, p.output)
	}
	if page, err := os.ReadFile(html); err != nil || !strings.Contains(string(page), "all targets held") {
		p.t.Errorf("bench %s: the page does not say that all targets held (%v)", command, err)
	}
	return p.readResult(file)
}

func (p *process) readResult(file string) (r benchResult) {
	p.t.Helper()
	b, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(b, &r)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	if len(r.Conservation) == 0 {
		p.t.Errorf("no conservation was checked: %s", b)
	}
	return r
}

func TestBenchRedirect(t *testing.T) {
	p := embedded(t, t.TempDir())
	r := p.bench("redirect", "--rate", "200", "--duration", "2s", "--each-click", "--generators", "2")
	if r.Links.Scheduled < 398 || r.Links.Scheduled > 400 || r.Links.Answered != r.Links.Scheduled {
		t.Errorf("%+v; want 400 requests, all answered", r.Links)
	}
	out, errOut, err := edgeref(t, benchEnv, p.benchArgs("redirect", "--rate", "50", "--duration", "1s", "--target-p99", "1ns")...)
	if err == nil || !strings.Contains(out, "not all targets held") {
		t.Errorf("a missed target: %v\n%s%s", err, out, errOut)
	}
}

func TestBenchFindMax(t *testing.T) {
	p := embedded(t, t.TempDir())
	// The race detector and a busy machine make any rate possible; the search must end, and nothing may be lost.
	r := p.bench("redirect", "--find-max", "--rate", "20", "--duration", "1s", "--limit", "500ms", "--target-errors", "1000000")
	if len(r.Steps) < 2 || r.Links.Answered < 15 {
		t.Errorf("%d steps, %d answers at the highest rate", len(r.Steps), r.Links.Answered)
	}
}

func TestBenchMixed(t *testing.T) {
	p := embedded(t, t.TempDir())
	r := p.bench("mixed", "--rate", "100", "--duration", "3s", "--postbacks", "40", "--reports", "5", "--each-click")
	if r.Booked.Leads == 0 || r.Booked.Sales == 0 || r.Booked.Refunds == 0 {
		t.Errorf("booked %+v; want some of each", r.Booked)
	}
}

func TestBenchDay(t *testing.T) {
	p := embedded(t, t.TempDir())
	r := p.bench("day", "--requests", "1000", "--compress", "21600", "--convert", "0.05", "--reports", "2")
	if r.Links.Scheduled != 1000 || r.Links.Answered != 1000 {
		t.Errorf("%+v; want exactly 1000", r.Links)
	}
}

func TestBenchReports(t *testing.T) {
	p := launch(t, benchEnv, "serve", "--data", t.TempDir(), "--tracker-listen", "127.0.0.1:0", "--core-listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0")
	r := p.bench("reports", "--rows", "4000", "--days", "3", "--sizes", "2", "--repeat", "1")
	if len(r.Curve) != 2 || r.Curve[0].Rows != 2000 || r.Curve[1].Rows != 4000 || len(r.Curve[1].Reports) < 15 {
		t.Errorf("%+v; want every report at two sizes", r.Curve)
	}
}

// An interrupted load test still says what it measured and whether anything was lost.
func TestBenchInterrupted(t *testing.T) {
	p := embedded(t, t.TempDir())
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "result.json")
	cmd := exec.Command(path, p.benchArgs("redirect", "--rate", "100", "--duration", "1h", "--json", file)...)
	cmd.Env = benchEnv
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	output := &tail{}
	cmd.Stdout, cmd.Stderr = output, output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, time.Minute, func() bool {
		_, body := get(t, p.ops+"/metrics")
		return strings.Contains(body, "edgeref_tracker_clicks_recorded_total") && !strings.Contains(body, "edgeref_tracker_clicks_recorded_total 0\n")
	}, func() string { return "no clicks come: " + output.String() })
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Error("an interrupted load test ended with success")
	}
	r := p.readResult(file)
	for _, c := range r.Conservation {
		if !c.Held {
			t.Errorf("%s: %d, want %d", c.Name, c.Got, c.Want)
		}
	}
	if !r.Interrupted || r.Links.Answered == 0 {
		t.Errorf("%+v\n%s", r, output)
	}
}

package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/edgeref/edgeref/test/clickhouse"
	"github.com/edgeref/edgeref/test/mariadb"
)

// embedded starts serve on SQLite in dir. Listeners "" get free ports.
func embedded(t *testing.T, dir string, args ...string) *process {
	t.Helper()
	return launch(t, []string{"EDGEREF_ADMIN_TOKEN=" + adminToken}, append([]string{
		"serve", "--data", dir, "--tracker-listen", "127.0.0.1:0", "--core-listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0",
	}, args...)...)
}

// replay runs the replay command against the system and returns its output.
func replay(t *testing.T, log, tracker, core, ops string, extra ...string) (string, error) {
	t.Helper()
	out, errOut, err := edgeref(t, []string{"EDGEREF_ADMIN_TOKEN=" + adminToken}, append([]string{
		"bench", "replay", "--log", log, "--tracker", tracker, "--core", core, "--ops", ops,
	}, extra...)...)
	return out + errOut, err
}

func verifyLedger(t *testing.T, env []string, args ...string) {
	t.Helper()
	out, errOut, err := edgeref(t, env, append([]string{"core", "verify-ledger"}, args...)...)
	if err != nil {
		t.Fatalf("verify-ledger: %v\n%s%s", err, out, errOut)
	}
	if strings.Count(out, "\n") != 1 {
		t.Errorf("verify-ledger printed %q; want one line of sums", out)
	}
}

func TestReplayOnEmbeddedDefault(t *testing.T) {
	dir := t.TempDir()
	p := embedded(t, dir)
	out, err := replay(t, fullLog(t), p.tracker, p.core, p.ops)
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, out, p.output)
	}
	verifyLedger(t, nil, "--data", dir)
	p.terminate()
	verifyLedger(t, nil, "--data", dir)
}

// distributed starts core and tracker as separate processes on MariaDB and ClickHouse.
type distributed struct {
	env           []string
	core, tracker *process
	clicks        *clickhouse.Server
}

func startDistributed(t *testing.T) *distributed {
	t.Helper()
	ch := clickhouse.Start(t)
	d := &distributed{clicks: ch, env: []string{
		"EDGEREF_ADMIN_TOKEN=" + adminToken, "EDGEREF_EDGE_TOKENS=" + edgeToken, "EDGEREF_CLICK_KEYS=" + clickKeys,
		"EDGEREF_CORE_DATABASE=" + mariadb.Start(t), "EDGEREF_ANALYTICS_STORE=clickhouse",
		"EDGEREF_ANALYTICS_CLICKHOUSE_ADDR=" + ch.Addr(), "EDGEREF_ANALYTICS_CLICKHOUSE_DATABASE=e2e",
	}}
	if out, errOut, err := edgeref(t, d.env, "migrate", "--data", t.TempDir()); err != nil {
		t.Fatalf("migrate: %v\n%s%s", err, out, errOut)
	}
	d.core = launch(t, d.env, "core", "--data", t.TempDir(), "--core-listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0")
	d.tracker = launch(t, d.env, d.trackerArgs(t.TempDir())...)
	return d
}

func (d *distributed) trackerArgs(dir string) []string {
	return []string{
		"tracker", "--data", dir, "--tracker-core-url", d.core.core, "--tracker-listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0",
	}
}

func TestReplayOnMariaDBAndClickHouse(t *testing.T) {
	d := startDistributed(t)
	out, err := replay(t, fullLog(t), d.tracker.tracker, d.core.core, d.tracker.ops)
	if err != nil {
		t.Fatalf("%v\n%s\ntracker:\n%s\ncore:\n%s", err, out, d.tracker.output, d.core.output)
	}
	verifyLedger(t, d.env)
	d.tracker.terminate()
	d.core.terminate()
	verifyLedger(t, d.env)
}

// Every click that got its 302 before the kill is in the reports once, and the replay goes on where it stopped.
func TestKillDuringReplayLosesNothing(t *testing.T) {
	dir, journal := t.TempDir(), filepath.Join(t.TempDir(), "journal")
	p := embedded(t, dir)
	addresses := []string{"--tracker-listen", trimURL(p.tracker), "--core-listen", trimURL(p.core), "--ops-listen", trimURL(p.ops)}

	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"bench", "replay", "--log", fullLog(t), "--tracker", p.tracker, "--core", p.core, "--ops", p.ops, "--resume", journal}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	first := exec.CommandContext(ctx, path, args...)
	first.Env = []string{"EDGEREF_ADMIN_TOKEN=" + adminToken}
	first.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	output := &tail{}
	first.Stdout, first.Stderr = output, output
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	// The journal grows with the answers: kill in the middle of them.
	waitFor(t, time.Minute, func() bool {
		info, err := os.Stat(journal)
		return err == nil && info.Size() > 8<<10
	}, func() string { return "the replay does not get going: " + output.String() })
	p.kill()
	if err := first.Wait(); err == nil {
		t.Fatalf("the replay ended well although the server was killed\n%s", output)
	}

	p = launch(t, []string{"EDGEREF_ADMIN_TOKEN=" + adminToken}, append([]string{"serve", "--data", dir}, addresses...)...)
	out, err := replay(t, fullLog(t), p.tracker, p.core, p.ops, "--resume", journal)
	if err != nil {
		t.Fatalf("resumed replay: %v\n%s\n%s", err, out, p.output)
	}
	verifyLedger(t, nil, "--data", dir)
}

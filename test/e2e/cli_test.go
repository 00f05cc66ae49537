package e2e

import (
	"database/sql"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	_ "modernc.org/sqlite"
)

func TestVersionAndHelp(t *testing.T) {
	out, _, err := edgeref(t, nil, "--version")
	if err != nil || !regexp.MustCompile(`^edgeref version \S+ \(go1\.\S+, \S+/\S+\)\n$`).MatchString(out) {
		t.Errorf("--version: %q, %v", out, err)
	}
	out, _, err = edgeref(t, nil, "serve", "--help")
	for _, want := range []string{"--tracker-listen host:port", "EDGEREF_TRACKER_LISTEN", "(default 127.0.0.1:8080)"} {
		if err != nil || !strings.Contains(out, want) {
			t.Errorf("serve --help does not say %q (%v)\n%s", want, err, out)
		}
	}
}

func TestConfigCommands(t *testing.T) {
	file := filepath.Join(t.TempDir(), "edgeref.yaml")
	if err := os.WriteFile(file, []byte("tracker: {node: 9}\nedge: {tokens: [a-secret-edge-token]}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, errOut, err := edgeref(t, nil, "config", "check", "--config", file)
	if err != nil || out != "configuration is valid\n" {
		t.Errorf("check: %q %q %v", out, errOut, err)
	}
	out, _, err = edgeref(t, []string{"EDGEREF_LOG_LEVEL=warn"}, "config", "print", "--config", file)
	if err != nil || strings.Contains(out, "a-secret") || !strings.Contains(out, `node: "9" # file`) || !strings.Contains(out, "level: warn # environment") {
		t.Errorf("print: %v\n%s", err, out)
	}
	for name, c := range map[string]struct {
		env  []string
		args []string
		want string
	}{
		"unknown variable":  {[]string{"EDGEREF_TRACKER_NODES=1"}, nil, "EDGEREF_TRACKER_NODES"},
		"bad value":         {nil, []string{"--spool-max-bytes", "much"}, "spool.max_bytes"},
		"missing for role":  {nil, []string{"--role", "tracker"}, "tracker.core_url"},
		"unknown role":      {nil, []string{"--role", "boss"}, "boss"},
		"unknown flag":      {nil, []string{"--tracker-port", "1"}, "--tracker-port"},
		"stray argument":    {nil, []string{"now"}, "now"},
		"file that is gone": {nil, []string{"--config", file + ".gone"}, ".gone"},
	} {
		_, errOut, err := edgeref(t, c.env, append([]string{"config", "check"}, c.args...)...)
		if err == nil || !strings.Contains(errOut, c.want) {
			t.Errorf("%s: %v, %q; want an error that names %s", name, err, errOut, c.want)
		}
	}
}

func TestServeRefusesWhatItCannotDo(t *testing.T) {
	dir := t.TempDir()
	p := embedded(t, dir)
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"same data directory": {[]string{"--data", dir, "--ops-listen", "127.0.0.1:0", "--core-listen", "127.0.0.1:0", "--tracker-listen", "127.0.0.1:0"}, "another process"},
		"port that is taken":  {[]string{"--data", t.TempDir(), "--ops-listen", trimURL(p.ops)}, "ops.listen"},
		"data is a file":      {[]string{"--data", filepath.Join(dir, "core.db"), "--ops-listen", "127.0.0.1:0"}, "data directory"},
	} {
		_, errOut, err := edgeref(t, nil, append([]string{"serve"}, c.args...)...)
		if err == nil || !strings.Contains(errOut, c.want) {
			t.Errorf("%s: %v\n%s\nwant an error that says %q", name, err, errOut, c.want)
		}
	}
	if status, body := get(t, p.ops+"/readyz"); status != http.StatusOK {
		t.Errorf("the running one suffered: %d %s", status, body)
	}
}

// The first admin token is the one in the environment, or is printed once.
func TestFirstAdminToken(t *testing.T) {
	dir := t.TempDir()
	p := launch(t, nil, "serve", "--data", dir, "--tracker-listen", "127.0.0.1:0", "--core-listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0")
	printed := regexp.MustCompile(`ert_[A-Za-z0-9_-]+`).FindString(p.output.String())
	if printed == "" {
		t.Fatalf("no token printed\n%s", p.output)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.core+"/api/v1/tokens", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+printed)
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("printed token: %d", resp.StatusCode)
	}
	p.terminate()
	p = embedded(t, dir)
	if strings.Contains(p.output.String(), "ert_") {
		t.Error("a second start prints a token")
	}
	if status := call(t, http.MethodGet, p.core+"/api/v1/tokens", nil, nil); status != http.StatusUnauthorized {
		t.Errorf("a token from the environment of a second start: %d", status)
	}
}

func TestMigrateTwiceThenServe(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		if out, errOut, err := edgeref(t, nil, "migrate", "--data", dir); err != nil || !strings.Contains(out, "steps applied") {
			t.Fatalf("migrate: %v\n%s%s", err, out, errOut)
		}
	}
	embedded(t, dir).terminate()
}

func TestVerifyLedgerFindsTampering(t *testing.T) {
	if _, errOut, err := edgeref(t, nil, "core", "verify-ledger", "--data", t.TempDir()); err == nil || !strings.Contains(errOut, "core.db") {
		t.Errorf("empty directory: %v %s", err, errOut)
	}
	dir := t.TempDir()
	p := embedded(t, dir)
	s := newShop(t, p.core)
	s.sale(t, p.tracker, s.mustClick(t, p.tracker), "order-1")
	s.settle(t, 1, 1)
	p.terminate()
	verifyLedger(t, nil, "--data", dir)

	database, err := sql.Open("sqlite", filepath.Join(dir, "core.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer database.Close()
	if _, err := database.Exec("UPDATE ledger_entries SET amount_minor = amount_minor + 1"); err == nil {
		t.Fatal("the database lets ledger entries be changed")
	}
	rows, err := database.Query("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'ledger_entries'")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var triggers []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		triggers = append(triggers, name)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for _, name := range triggers {
		if _, err := database.Exec("DROP TRIGGER " + name); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := database.Exec("UPDATE ledger_entries SET amount_minor = amount_minor + 1 WHERE amount_minor > 0"); err != nil {
		t.Fatal(err)
	}
	if out, errOut, err := edgeref(t, nil, "core", "verify-ledger", "--data", dir); err == nil || !strings.Contains(errOut, "does not hold") {
		t.Errorf("one unit too much: %v\n%s%s", err, out, errOut)
	}
}

// What analytics refused is requeued beside a running core; here there is nothing.
func TestRequeueFacts(t *testing.T) {
	dir := t.TempDir()
	embedded(t, dir)
	if out, errOut, err := edgeref(t, nil, "core", "requeue-facts", "--data", dir); err != nil || out != "0 facts requeued\n" {
		t.Errorf("%v: %q %s", err, out, errOut)
	}
}

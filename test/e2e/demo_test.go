package e2e

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

func demoEnv(t *testing.T, data string) map[string]string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(data, "demo.env"))
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for line := range strings.Lines(string(b)) {
		name, value, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "export "), "=")
		values[name] = strings.Trim(value, "'")
	}
	return values
}

func authorized(t *testing.T, token, address string, out any) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusOK && out != nil {
		if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
			t.Fatalf("%s: %v", address, err)
		}
	}
	return resp.StatusCode
}

// The first thing that anybody does with Edgeref: the lines of the README, after make run.
func TestDemo(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	args := []string{"serve", "--demo", "--demo-size", "small", "--data", data, "--core-listen", "127.0.0.1:0", "--tracker-listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0"}
	p := launch(t, nil, args...)
	v := demoEnv(t, data)
	if v["TRACKER"] != p.tracker || v["CORE"] != p.core || v["EDGEREF_ADMIN_TOKEN"] == "" || v["AUTH"] != "Authorization: Bearer "+v["EDGEREF_ADMIN_TOKEN"] ||
		len(v["DEMO_PASSWORD"]) < 10 || v["DEMO_OWNER"] == "" || v["DEMO_NEW_AFFILIATE"] == "" {
		t.Fatalf("demo.env: %v", v)
	}
	resp, err := client.Get(v["TRACKER"] + "/demo?sub1=readme")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	target, err := url.Parse(resp.Header.Get("Location"))
	if err != nil || resp.StatusCode != http.StatusFound || target.Query().Get("click_id") == "" || !strings.HasPrefix(target.String(), v["CORE"]+"/products/") {
		t.Fatalf("%d to %s, %v", resp.StatusCode, target, err)
	}
	if code, body := get(t, v["TRACKER"]+"/postback?txid=readme-1&amount=1499.00&currency=INR&secret="+v["POSTBACK_SECRET"]+"&click_id="+target.Query().Get("click_id")); code != http.StatusOK {
		t.Fatalf("postback: %d %s", code, body)
	}
	var found struct{ Items []struct{ ID, Type string } }
	waitFor(t, 20*time.Second, func() bool {
		return authorized(t, v["EDGEREF_ADMIN_TOKEN"], v["CORE"]+"/api/v1/conversions?txn_id=readme-1", &found) == http.StatusOK && len(found.Items) == 1
	}, func() string { return "the sale is not booked" })

	query := url.Values{"from": {time.Now().AddDate(0, 0, -40).UTC().Format(time.RFC3339)}, "to": {time.Now().Add(time.Hour).UTC().Format(time.RFC3339)}}
	var report struct {
		Total struct{ Clicks, Bots, Leads, Sales int }
	}
	if code := authorized(t, v["REPORTS_TOKEN"], v["CORE"]+"/api/v1/reports?"+query.Encode(), &report); code != http.StatusOK || report.Total.Clicks < 5_000 || report.Total.Sales < 100 {
		t.Errorf("report: %d %+v", code, report)
	}
	out, errOut, err := edgeref(t, nil, "demo-code", "--data", data)
	if err != nil || !regexp.MustCompile(`^\d{6}\n$`).MatchString(out) {
		t.Errorf("demo-code: %q %s %v", out, errOut, err)
	}
	p.terminate()
	if out, errOut, err := edgeref(t, nil, "core", "verify-ledger", "--data", data); err != nil || !strings.HasPrefix(out, "ledger holds") {
		t.Errorf("verify-ledger: %s %s %v", out, errOut, err)
	}

	// The next start takes it as it is, at other addresses.
	p = launch(t, nil, args...)
	again := demoEnv(t, data)
	if again["CORE"] != p.core || again["DEMO_PASSWORD"] != v["DEMO_PASSWORD"] || again["EDGEREF_ADMIN_TOKEN"] != v["EDGEREF_ADMIN_TOKEN"] {
		t.Errorf("second start: %v", again)
	}
	if code := authorized(t, again["EDGEREF_ADMIN_TOKEN"], again["CORE"]+"/api/v1/conversions?txn_id=readme-1", &found); code != http.StatusOK || len(found.Items) != 1 {
		t.Errorf("after the restart: %d %+v", code, found)
	}
}

func TestDemoRefusesOtherData(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	args := []string{"serve", "--data", data, "--core-listen", "127.0.0.1:0", "--tracker-listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0"}
	launch(t, nil, args...).terminate()
	_, errOut, err := edgeref(t, nil, append(args, "--demo")...)
	if err == nil || !strings.Contains(errOut, "holds data that is not demo data") || !strings.Contains(errOut, "--data") {
		t.Errorf("%v: %s", err, errOut)
	}
}

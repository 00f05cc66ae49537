package e2e

import (
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	yaml "go.yaml.in/yaml/v3"
)

// A rule about a metric that does not exist never fires.
func TestAlertsAndDocsNameMetricsThatExist(t *testing.T) {
	p := embedded(t, t.TempDir())
	s := newShop(t, p.core)
	s.sale(t, p.tracker, s.mustClick(t, p.tracker), "order-1")
	s.settle(t, 1, 1)
	status, metrics := get(t, p.ops+"/metrics")
	if status != http.StatusOK {
		t.Fatalf("metrics: %d", status)
	}
	exists := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^# TYPE (\S+)`).FindAllStringSubmatch(metrics, -1) {
		exists[m[1]] = true
	}
	// Its labels are reasons, so it appears with the first refusal; the spool's counter beside it is always there.
	exists["edgeref_tracker_clicks_refused_total"] = true

	alerts, err := os.ReadFile("../../deploy/prometheus/alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	var rules struct {
		Groups []struct {
			Rules []struct {
				Alert, Expr string
				Annotations map[string]string
			}
		}
	}
	if err := yaml.Unmarshal(alerts, &rules); err != nil {
		t.Fatal(err)
	}
	name := regexp.MustCompile(`edgeref_[a-z_]+`)
	found := 0
	for _, g := range rules.Groups {
		for _, r := range g.Rules {
			if r.Annotations["summary"] == "" || r.Annotations["action"] == "" {
				t.Errorf("alert %s does not say what is at stake and what to do", r.Alert)
			}
			for _, metric := range name.FindAllString(r.Expr, -1) {
				found++
				if !exists[metric] {
					t.Errorf("alert %s watches %s, which does not exist", r.Alert, metric)
				}
			}
		}
	}
	if found < 10 {
		t.Errorf("only %d metrics found in the rules", found)
	}
	docs, err := os.ReadFile("../../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, metric := range name.FindAllString(string(docs), -1) {
		if !exists[strings.TrimSuffix(metric, "_")] {
			t.Errorf("docs/operating.md names %s, which does not exist", metric)
		}
	}
}

package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The table of who may do what is about the program that runs, not only about what its tests put together.
func TestTableOfRightsNamesEveryOperation(t *testing.T) {
	table, err := os.ReadFile(filepath.Join("..", "..", "core", "api", "testdata", "access.txt"))
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for line := range strings.Lines(string(table)) {
		if fields := strings.Fields(line); len(fields) > 0 {
			named[fields[0]] = true
		}
	}
	p := embedded(t, t.TempDir())
	var d struct {
		Paths map[string]map[string]struct {
			OperationID string `json:"operationId"`
		} `json:"paths"`
	}
	status, body := get(t, p.core+"/openapi.json")
	if err := json.Unmarshal([]byte(body), &d); status != http.StatusOK || err != nil || len(d.Paths) < 20 {
		t.Fatalf("document: %d, %v, %d paths", status, err, len(d.Paths))
	}
	for path, methods := range d.Paths {
		for method, op := range methods {
			if !named[op.OperationID] {
				t.Errorf("%s (%s %s) is served and not in the table", op.OperationID, method, path)
			}
		}
	}
}

func TestNewAdminToken(t *testing.T) {
	dir := t.TempDir()
	p := embedded(t, dir)
	out, errOut, err := edgeref(t, nil, "core", "new-admin-token", "--data", dir)
	secret := regexp.MustCompile(`ert_[A-Za-z0-9_-]+`).FindString(out)
	if err != nil || secret == "" {
		t.Fatalf("%v: %s%s", err, out, errOut)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.core+"/api/v1/audit-log?action=token.create", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+secret)
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || !strings.Contains(string(body), "new-admin-token") || strings.Contains(string(body), secret) {
		t.Errorf("%d %s, %v", resp.StatusCode, body, err)
	}
	if _, _, err := edgeref(t, nil, "core", "new-admin-token", "--data", t.TempDir()); err == nil {
		t.Error("a token was made where there is no database")
	}
}

// The shipped program reaches a receiver on this machine where it is told to, and only there.
func TestWebhookReachesALocalReceiver(t *testing.T) {
	got := make(chan http.Header, 1)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got <- r.Header }))
	t.Cleanup(receiver.Close)
	hook := map[string]any{"url": receiver.URL, "events": []string{"commission.created"}}
	dir := t.TempDir()
	p := embedded(t, dir, "--webhooks-allow-http", "--webhooks-allow-loopback")
	var made struct{ ID, Secret string }
	if status := call(t, http.MethodPost, p.core+"/api/v1/webhooks", hook, &made); status != http.StatusCreated {
		t.Fatalf("create: %d", status)
	}
	var sent struct{ State string }
	if status := call(t, http.MethodPost, p.core+"/api/v1/webhooks/"+made.ID+"/test", nil, &sent); status != http.StatusOK || sent.State != "delivered" {
		t.Fatalf("test: %d %+v", status, sent)
	}
	if h := <-got; h.Get("Webhook-Id") == "" || !strings.HasPrefix(h.Get("Webhook-Signature"), "v1,") {
		t.Errorf("received %v", h)
	}
	if !strings.Contains(p.output.String(), "webhooks.allow_loopback") {
		t.Error("no warning")
	}
	p.terminate()
	for _, name := range []string{"core.db", "core.db-wal"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err == nil && (strings.Contains(string(b), made.Secret) || strings.Contains(string(b), "whsec_")) {
			t.Errorf("%s holds the secret", name)
		}
	}
	strict := embedded(t, t.TempDir())
	if status := call(t, http.MethodPost, strict.core+"/api/v1/webhooks", hook, nil); status != http.StatusUnprocessableEntity {
		t.Errorf("without permission: %d", status)
	}
}

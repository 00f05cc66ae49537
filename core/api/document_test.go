package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

// The served document, as it is for the version "test". The pages' types are generated from it, so a change of the API is
// seen here as a change of a file. Made by: go test ./core/api -run TestDocumentIsKept -update
func TestDocumentIsKept(t *testing.T) {
	s := sqliteServer(t)
	served := s.do("GET", "/openapi.json", nil).want(http.StatusOK).body
	var got bytes.Buffer
	if err := json.Indent(&got, served, "", "  "); err != nil {
		t.Fatal(err)
	}
	got.WriteByte('\n')
	path := filepath.Join("testdata", "openapi.json")
	if *update {
		if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, got.Bytes()) {
		t.Errorf("%s is not the served document any more: run this test with -update and look at what changed; it parts at %s",
			path, parting(want, got.Bytes()))
	}
}

// parting is the first line at which two texts differ.
func parting(a, b []byte) string {
	as, bs := bytes.Split(a, []byte("\n")), bytes.Split(b, []byte("\n"))
	for i := range min(len(as), len(bs)) {
		if !bytes.Equal(as[i], bs[i]) {
			return fmt.Sprintf("line %d: %q is now %q", i+1, as[i], bs[i])
		}
	}
	return "the end of the shorter one"
}

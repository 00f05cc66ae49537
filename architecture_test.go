package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const module = "github.com/edgeref/edgeref"

// layers says which of the module's folders each folder may import, beside itself. The reasons stand in the DESIGN.md
// of each folder; the short form: the tiers meet in wire and are joined in main, nowhere else.
var layers = map[string][]string{
	"wire":      {},
	"config":    {"wire"},
	"tracker":   {"wire"},
	"core":      {"wire"},
	"analytics": {"wire"},
	"bench":     {"wire"}, // talks to the running system over HTTP
	"test":      {"wire"},
	"":          {"wire", "config", "tracker", "core", "analytics", "bench"}, // main
}

// testLayers is what tests may import on top.
var testLayers = map[string][]string{
	"tracker":   {"test"},
	"core":      {"test"},
	"analytics": {"test"},
	"bench":     {"test"},
	"test":      {"bench"},
	"":          {"test"},
}

type listedPackage struct {
	ImportPath                         string
	Imports, TestImports, XTestImports []string
}

func TestImportDirections(t *testing.T) {
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", "./...")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(out))
	seen := 0
	for {
		var p listedPackage
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		seen++
		from := topFolder(p.ImportPath)
		allowed, known := layers[from]
		if !known {
			t.Errorf("folder %q has no place in the architecture: add it to layers with a reason in its DESIGN.md", from)
			continue
		}
		direct := allowed
		if strings.HasSuffix(p.ImportPath, "test") { // as core/db/dbtest: imported by tests only, like net/http/httptest
			direct = append(testLayers[from], allowed...)
		}
		for _, imported := range p.Imports {
			checkImport(t, p.ImportPath, from, imported, direct)
		}
		for _, imported := range append(p.TestImports, p.XTestImports...) {
			checkImport(t, p.ImportPath+" (test)", from, imported, append(testLayers[from], allowed...))
		}
	}
	if seen < 10 {
		t.Errorf("saw %d packages only", seen)
	}
}

func topFolder(importPath string) string {
	top, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(importPath, module), "/"), "/")
	return top
}

func checkImport(t *testing.T, importer, from, imported string, allowed []string) {
	t.Helper()
	if imported != module && !strings.HasPrefix(imported, module+"/") {
		return
	}
	to := topFolder(imported)
	if to == from {
		return
	}
	for _, a := range allowed {
		if a == to {
			return
		}
	}
	t.Errorf("%s imports %s: %q may only import %q", importer, imported, from, allowed)
}

// The folders are the design, so each explains itself; and no file grows past what one sitting can read.
func TestFoldersExplainThemselvesAndFilesStayShort(t *testing.T) {
	const maxLines = 600
	for folder := range layers {
		if folder == "" || folder == "config" {
			continue
		}
		if _, err := os.Stat(filepath.Join(folder, "DESIGN.md")); err != nil {
			t.Errorf("%s has no DESIGN.md", folder)
		}
	}
	err := filepath.WalkDir(".", func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if filepath.Ext(path) != ".go" {
			return nil
		}
		b, err := os.ReadFile(path)
		if lines := bytes.Count(b, []byte("\n")); lines > maxLines {
			t.Errorf("%s has %d lines; split it at %d", path, lines, maxLines)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

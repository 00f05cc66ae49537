package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/edgeref/edgeref/config"
)

func TestSecretsAreMadeOnceAndCompleted(t *testing.T) {
	dir := t.TempDir()
	load := func(shared bool) *config.Config {
		t.Helper()
		c := &config.Config{Data: dir}
		if err := fillSecrets(c, shared); err != nil {
			t.Fatal(err)
		}
		return c
	}
	// A core keeps its encryption key only: the rest it shares with trackers.
	core := load(false)
	if len(core.Core.EncryptionKeys) != 1 || len(core.Click.Keys) != 0 {
		t.Fatalf("core has %d encryption and %d click keys", len(core.Core.EncryptionKeys), len(core.Click.Keys))
	}
	all, again := load(true), load(true)
	if len(all.Click.Keys) != 1 || len(all.Edge.Tokens) != 1 || all.Core.EncryptionKeys[0] != core.Core.EncryptionKeys[0] ||
		again.Click.Keys[0] != all.Click.Keys[0] || again.Edge.Tokens[0] != all.Edge.Tokens[0] {
		t.Error("secrets changed")
	}
	path := filepath.Join(dir, secretsFile)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	// The file of an older version has no encryption keys: it gets one and keeps the rest.
	if err := os.WriteFile(path, []byte("click_keys: ['1:c2VjcmV0c2VjcmV0c2VjcmV0']\nedge_token: old\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	old := load(true)
	if old.Edge.Tokens[0] != "old" || len(old.Core.EncryptionKeys) != 1 {
		t.Errorf("old file became %+v", old.Edge)
	}
	for _, damaged := range []string{"", "{", "edge_token: x\n", "click_keys: [a]\n"} {
		if err := os.WriteFile(path, []byte(damaged), 0o600); err != nil {
			t.Fatal(err)
		}
		c := &config.Config{Data: dir}
		if err := fillSecrets(c, true); err == nil || !strings.Contains(err.Error(), "damaged") {
			t.Errorf("%q: %v", damaged, err)
		}
	}
}

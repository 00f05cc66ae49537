package main

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	yaml "go.yaml.in/yaml/v3"

	"github.com/edgeref/edgeref/config"
	"github.com/edgeref/edgeref/core/secret"
	"github.com/edgeref/edgeref/wire/click"
)

// secretsFile is where serve keeps the secrets that nobody has configured, in the data directory.
const secretsFile = "secrets.yaml"

// generated are secrets that outlive the process: Click IDs must verify after a restart.
type generated struct {
	ClickKeys      []string `yaml:"click_keys,omitempty"`
	EdgeToken      string   `yaml:"edge_token,omitempty"`
	EncryptionKeys []string `yaml:"encryption_keys,omitempty"` // absent from files of older versions
}

// fillSecrets completes the configuration from the data directory; the first start makes the file. shared fills also what
// trackers must know: in a process that runs every role. Elsewhere somebody has to choose that. Encryption keys are
// the core's own: a second core with other keys finds out when it starts.
func fillSecrets(c *config.Config, shared bool) error {
	needShared := shared && (len(c.Click.Keys) == 0 || len(c.Edge.Tokens) == 0)
	if !needShared && len(c.Core.EncryptionKeys) > 0 {
		return nil
	}
	path := filepath.Join(c.Data, secretsFile)
	g, err := readSecrets(path)
	if err != nil {
		return err
	}
	if g.complete(shared) {
		if err := g.write(path); err != nil {
			return fmt.Errorf("keep generated secrets: %w", err)
		}
	}
	if shared && len(c.Click.Keys) == 0 {
		c.Click.Keys = g.ClickKeys
	}
	if shared && len(c.Edge.Tokens) == 0 {
		c.Edge.Tokens = []string{g.EdgeToken}
	}
	if len(c.Core.EncryptionKeys) == 0 {
		c.Core.EncryptionKeys = g.EncryptionKeys
	}
	return nil
}

// readSecrets reads the file; one that is missing has none.
func readSecrets(path string) (g generated, err error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return g, nil
	}
	if err != nil {
		return g, fmt.Errorf("read generated secrets: %w", err)
	}
	if err := yaml.Unmarshal(b, &g); err != nil || len(g.ClickKeys) == 0 && len(g.EncryptionKeys) == 0 || (len(g.ClickKeys) == 0) != (g.EdgeToken == "") {
		return g, fmt.Errorf("%s is damaged: restore it from a backup (without it, Click IDs handed out so far cannot be verified, and what is encrypted "+
			"cannot be read), or set click.keys, edge.tokens and core.encryption_keys", path)
	}
	return g, nil
}

// complete makes what is missing and reports whether anything was.
func (g *generated) complete(shared bool) (changed bool) {
	if shared && len(g.ClickKeys) == 0 {
		key, token := make([]byte, 32), make([]byte, 32)
		rand.Read(key)
		rand.Read(token)
		g.ClickKeys, g.EdgeToken, changed = []string{"1:" + base64.StdEncoding.EncodeToString(key)}, hex.EncodeToString(token), true
	}
	if len(g.EncryptionKeys) == 0 {
		g.EncryptionKeys, changed = []string{secret.NewKey("1")}, true
	}
	return changed
}

func (g *generated) write(path string) error {
	b, err := yaml.Marshal(g)
	if err != nil {
		return err
	}
	return writeDurably(path, b)
}

// writeDurably writes a new file that only its owner reads: it is whole and on the disk, or not there.
func writeDurably(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".tmp-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

// keyring builds the keyring from the configured keys, which have been validated.
func keyring(c *config.Config) (*click.Keyring, error) {
	keys := make([]click.Key, 0, len(c.Click.Keys))
	for _, text := range c.Click.Keys {
		key, err := click.ParseKey(text)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return click.NewKeyring(keys...)
}

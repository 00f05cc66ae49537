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
	"github.com/edgeref/edgeref/wire/click"
)

// secretsFile is where serve keeps the secrets that nobody has configured, in the data directory.
const secretsFile = "secrets.yaml"

// generated are secrets that outlive the process: Click IDs must verify after a restart.
type generated struct {
	ClickKeys []string `yaml:"click_keys"`
	EdgeToken string   `yaml:"edge_token"`
}

// fillSecrets completes the configuration of a process that runs every role, from the data directory; the first start
// makes the file. Other roles share their secrets with other machines, so for them somebody has to choose.
func fillSecrets(c *config.Config) error {
	if len(c.Click.Keys) > 0 && len(c.Edge.Tokens) > 0 {
		return nil
	}
	path := filepath.Join(c.Data, secretsFile)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		b, err = makeSecrets(path)
	}
	if err != nil {
		return fmt.Errorf("read generated secrets: %w", err)
	}
	var g generated
	if err := yaml.Unmarshal(b, &g); err != nil || len(g.ClickKeys) == 0 || g.EdgeToken == "" {
		return fmt.Errorf("%s is damaged: restore it from a backup (without it, Click IDs handed out so far cannot be verified), or set click.keys and edge.tokens", path)
	}
	if len(c.Click.Keys) == 0 {
		c.Click.Keys = g.ClickKeys
	}
	if len(c.Edge.Tokens) == 0 {
		c.Edge.Tokens = []string{g.EdgeToken}
	}
	return nil
}

func makeSecrets(path string) ([]byte, error) {
	key, token := make([]byte, 32), make([]byte, 32)
	rand.Read(key)
	rand.Read(token)
	b, err := yaml.Marshal(generated{
		ClickKeys: []string{"1:" + base64.StdEncoding.EncodeToString(key)},
		EdgeToken: hex.EncodeToString(token),
	})
	if err != nil {
		return nil, err
	}
	return b, writeDurably(path, b)
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

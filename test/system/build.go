package system

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
)

// Binary is the path of a binary that is built when it is first asked for.
type Binary func() (string, error)

// Builder returns a Binary of the module at root, relative to the test's directory, built with the flags.
func Builder(root string, flags ...string) Binary {
	return sync.OnceValues(func() (string, error) {
		dir, err := os.MkdirTemp("", "edgeref-test-")
		if err != nil {
			return "", err
		}
		path := filepath.Join(dir, "edgeref")
		args := append([]string{"build", "-o", path}, flags...)
		if out, err := exec.Command("go", append(args, root)...).CombinedOutput(); err != nil {
			return "", fmt.Errorf("build edgeref: %w\n%s", err, out)
		}
		return path, nil
	})
}

// Remove deletes the binary; TestMain calls it once no process runs any more.
func (b Binary) Remove() {
	if path, err := b(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path))
	}
}

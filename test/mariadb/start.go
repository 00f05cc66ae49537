package mariadb

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"testing"
)

// shared is the server of this test binary: one, because starting costs a second and a database costs 20 ms.
var shared = sync.OnceValues(func() (*Server, error) { return Launch(context.Background()) })

// Start returns the data source name of a new, empty database, in the form that core/db.Open takes. The server starts
// with the first call in a test binary and ends with the binary; the database is dropped when t ends. Where mariadbd
// is not installed, the test is skipped, or fails if EDGEREF_TEST_REQUIRE is 1.
func Start(t testing.TB) string {
	t.Helper()
	require(t)
	s, err := shared()
	if err != nil {
		t.Fatalf("start MariaDB: %v", err)
	}
	return s.newDSN(t)
}

// StartServer is Start with a server of the test's own, to Kill and Restart.
func StartServer(t testing.TB) (*Server, string) {
	t.Helper()
	require(t)
	s, err := Launch(t.Context())
	if err != nil {
		t.Fatalf("start MariaDB: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("stop MariaDB: %v", err)
		}
	})
	name, err := s.NewDatabase(t.Context())
	if err != nil {
		t.Fatalf("make database: %v", err)
	}
	return s, "mysql:" + s.DSN(name)
}

func (s *Server) newDSN(t testing.TB) string {
	t.Helper()
	name, err := s.NewDatabase(t.Context())
	if err != nil {
		t.Fatalf("make database: %v", err)
	}
	t.Cleanup(func() {
		if err := s.DropDatabase(context.Background(), name); err != nil {
			t.Errorf("drop database: %v", err)
		}
	})
	return "mysql:" + s.DSN(name)
}

func require(t testing.TB) {
	t.Helper()
	for _, name := range []string{"mariadbd", "mariadb-install-db"} {
		if _, err := exec.LookPath(name); err == nil {
			continue
		}
		const hint = "%s is not installed (or not in PATH); `make test-deps` installs what the tests need"
		if os.Getenv("EDGEREF_TEST_REQUIRE") == "1" {
			t.Fatalf(hint, name)
		}
		t.Skipf(hint, name)
	}
}

// launch starts cmd and waits for its end. It keeps its thread to itself: the kernel sends the parent death signal
// when the thread that made the child ends, not the process.
func launch(cmd *exec.Cmd, started chan<- error, exited chan<- struct{}) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := cmd.Start()
	started <- err
	if err == nil {
		_ = cmd.Wait()
	}
	close(exited)
}

// removeAfterUs starts a helper that removes dir once this process has ended, however it ended. It notices by its
// standard input, of which we hold the other end.
func removeAfterUs(dir string) error {
	r, w, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("make pipe: %w", err)
	}
	// Until rm works, because the killed server may still be going away.
	cmd := exec.Command("sh", "-c", `cat >/dev/null; for i in 1 2 3 4 5 6 7 8 9; do rm -rf "$1"; [ -e "$1" ] || exit 0; sleep 0.1; done`, "sh", dir)
	cmd.Stdin = r
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start helper: %w", err)
	}
	go func() {
		_ = cmd.Wait()
		_ = w.Close() // keeps w reachable, so open, until then
	}()
	return r.Close()
}

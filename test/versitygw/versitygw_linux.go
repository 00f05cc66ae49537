// Package versitygw starts a real S3 server for a test: versitygw on a folder, in a process of its own.
package versitygw

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// Keys of the one user of a server.
const (
	AccessKey = "test-access"
	SecretKey = "test-secret-key"
)

const startTimeout = 20 * time.Second

// Start runs a server with one empty bucket until the end of t and returns its endpoint. Where it is not built, the test is
// skipped, or fails if EDGEREF_TEST_REQUIRE is 1.
func Start(t testing.TB, bucket string) (endpoint string) {
	t.Helper()
	binary := filepath.Join(root(t), ".cache", "versitygw", "versitygw")
	if _, err := os.Stat(binary); err != nil {
		const advice = "versitygw is not built: run `make test-deps`"
		if os.Getenv("EDGEREF_TEST_REQUIRE") == "1" {
			t.Fatal(advice)
		}
		t.Skip(advice)
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, bucket), 0o700); err != nil {
		t.Fatal(err)
	}
	addr := freePort(t)
	var out bytes.Buffer
	cmd := exec.Command(binary, "--access", AccessKey, "--secret", SecretKey, "--port", addr, "posix", dir)
	cmd.Stdout, cmd.Stderr, cmd.Dir = &out, &out, t.TempDir()
	// A group of its own, which also ends with this process.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatalf("start versitygw: %v", err)
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-exited
	})
	deadline := time.Now().Add(startTimeout)
	for {
		conn, err := net.DialTimeout("tcp", addr, time.Second)
		if err == nil {
			_ = conn.Close()
			return "http://" + addr
		}
		select {
		case err := <-exited:
			exited <- err
			t.Fatalf("versitygw ended: %v\n%s", err, out.String())
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatalf("versitygw does not answer: %v\n%s", err, out.String())
		}
	}
}

// freePort is an address of loopback that nobody listens on.
func freePort(t testing.TB) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	return ln.Addr().String()
}

// root is the folder of the module.
func root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal(fmt.Errorf("no go.mod above the test"))
		}
		dir = parent
	}
}

// Package clickhouse starts a real ClickHouse engine for a test: chserver, in a process of its own.
package clickhouse

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
)

const (
	startTimeout = 60 * time.Second
	stopTimeout  = 10 * time.Second
	library      = ".cache/chdb/node_modules/@chdb/lib-linux-x64-gnu/libchdb.so"
)

// Server is one running engine with a data directory of its own. It ends with the test, and with the test binary
// however that ends. Kill and Restart are not safe for concurrent use.
type Server struct {
	binary, engine, data string
	addr                 string
	databases            atomic.Int64

	cmd    *exec.Cmd
	tether io.Closer // the server ends when this closes
	exited chan error
}

// Start runs a server until the end of t. Without the engine the test is skipped, or fails if EDGEREF_TEST_REQUIRE is 1.
func Start(t testing.TB) *Server {
	t.Helper()
	root := repositoryRoot(t)
	lib := filepath.Join(root, library)
	if _, err := os.Stat(lib); err != nil {
		const advice = "the ClickHouse engine is not installed: run `make test-deps`"
		if os.Getenv("EDGEREF_TEST_REQUIRE") == "1" {
			t.Fatal(advice)
		}
		t.Skip(advice)
	}
	s := &Server{binary: build(t, root), engine: lib, data: t.TempDir(), addr: "127.0.0.1:0"}
	t.Cleanup(func() { s.stop(t) })
	s.start(t)
	return s
}

// Addr is the address of the native protocol. It stays the same after Restart.
func (s *Server) Addr() string { return s.addr }

// CPUTime is the processor time that the server has used since its start, to a hundredth of a second.
func (s *Server) CPUTime(t testing.TB) time.Duration {
	t.Helper()
	const tick = 10 * time.Millisecond // USER_HZ is 100 on every Linux that runs the engine
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	if err != nil {
		t.Fatalf("read processor time of chserver: %v", err)
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:])) // the name before may hold anything
	user, err1 := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatalf("read processor time of chserver: %v", err)
	}
	return time.Duration(user+system) * tick
}

// Kill ends the server as kill -9 does.
func (s *Server) Kill(t testing.TB) {
	t.Helper()
	if err := s.cmd.Process.Kill(); err != nil {
		t.Fatalf("kill chserver: %v", err)
	}
	<-s.exited
	s.cmd = nil
}

// Restart starts the server again after Kill, on the same data and address.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.start(t)
}

// Database makes a new database and returns its name. It lasts as long as the server.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	conn, err := clickhouse.Open(&clickhouse.Options{Addr: []string{s.addr}})
	if err != nil {
		t.Fatalf("open connection: %v", err)
	}
	defer conn.Close()
	name := fmt.Sprintf("test%d", s.databases.Add(1))
	if err := conn.Exec(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatalf("create database: %v", err)
	}
	return name
}

func (s *Server) start(t testing.TB) {
	t.Helper()
	cmd := exec.Command(s.binary, "-lib", s.engine, "-data", s.data, "-listen", s.addr, "-tied")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Stderr = os.Stderr
	tether, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("start chserver: %v", err)
	}
	s.cmd, s.tether, s.exited = cmd, tether, make(chan error, 1)
	ready := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(stdout).ReadString('\n')
		ready <- strings.TrimSpace(line)
		s.exited <- cmd.Wait()
	}()
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	select {
	case addr := <-ready:
		if addr == "" {
			t.Fatalf("chserver ended before it was ready: %v", <-s.exited)
		}
		s.addr = addr
	case <-ctx.Done():
		_ = cmd.Process.Kill()
		t.Fatalf("chserver is not ready after %s", startTimeout)
	}
}

func (s *Server) stop(t testing.TB) {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.exited:
	case <-time.After(stopTimeout):
		_ = s.cmd.Process.Kill()
		<-s.exited
		t.Errorf("chserver did not stop within %s and was killed", stopTimeout)
	}
	_ = s.tether.Close()
	s.cmd = nil
}

// build compiles chserver unless it is up to date; test binaries that run at the same time take turns.
func build(t testing.TB, root string) string {
	t.Helper()
	dir := filepath.Join(root, ".cache", "chserver")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatalf("lock %s: %v", lock.Name(), err)
	}
	binary := filepath.Join(dir, "chserver")
	cmd := exec.Command("go", "build", "-o", binary, "./test/chserver")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build chserver: %v\n%s", err, out)
	}
	return binary
}

// repositoryRoot is where go.mod is, at or above the directory of the test.
func repositoryRoot(t testing.TB) string {
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
			t.Fatal("no go.mod above the test's directory")
		}
		dir = parent
	}
}

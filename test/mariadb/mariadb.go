// Package mariadb runs a private MariaDB server for tests, which stands for MySQL too.
package mariadb

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	_ "github.com/go-sql-driver/mysql" // the driver "mysql"
)

const (
	startTimeout = 60 * time.Second
	stopTimeout  = 20 * time.Second
)

// Server is one running server with its own data directory.
type Server struct {
	dir     string
	port    int
	cmd     *exec.Cmd
	exited  chan struct{}
	created atomic.Int64
}

// Launch installs a data directory in a temporary folder and starts a server on it, on loopback. It belongs to the
// caller, who must Close it. It ends with this process in any case.
func Launch(ctx context.Context) (*Server, error) {
	dir, err := os.MkdirTemp("", "edgeref-mariadb-")
	if err != nil {
		return nil, fmt.Errorf("make data directory: %w", err)
	}
	s := &Server{dir: dir}
	if err := removeAfterUs(dir); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := s.install(ctx); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if s.port, err = freePort(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return s, nil
}

func (s *Server) install(ctx context.Context) error {
	// Servers that share a folder for temporary tables remove each other's.
	if err := os.Mkdir(s.tmp(), 0o700); err != nil {
		return fmt.Errorf("make folder for temporary tables: %w", err)
	}
	cmd := exec.CommandContext(ctx, "mariadb-install-db", "--no-defaults", "--user="+user(), "--datadir="+s.data(),
		"--auth-root-authentication-method=normal", "--skip-test-db", "--innodb-log-file-size=8M", "--tmpdir="+s.tmp())
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("mariadb-install-db: %w\n%s", err, tail(out))
	}
	return nil
}

func (s *Server) start(ctx context.Context) error {
	logFile, err := os.OpenFile(s.logPath(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("open server log: %w", err)
	}
	defer func() { _ = logFile.Close() }()
	// Durable enough for a killed server, not for loss of power; small, because several run at once.
	cmd := exec.Command("mariadbd", "--no-defaults", "--user="+user(), "--datadir="+s.data(),
		"--socket="+filepath.Join(s.dir, "sock"), "--pid-file="+filepath.Join(s.dir, "pid"), "--tmpdir="+s.tmp(),
		"--port="+strconv.Itoa(s.port), "--bind-address=127.0.0.1", "--skip-name-resolve",
		"--innodb-log-file-size=8M", "--innodb-buffer-pool-size=32M", "--innodb-flush-log-at-trx-commit=2", "--innodb-flush-method=nosync",
		"--performance-schema=OFF", "--max-connections=300")
	cmd.Stdout, cmd.Stderr = logFile, logFile
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	started, exited := make(chan error, 1), make(chan struct{})
	go launch(cmd, started, exited)
	if err := <-started; err != nil {
		return fmt.Errorf("start mariadbd: %w", err)
	}
	s.cmd, s.exited = cmd, exited
	if err := s.waitReady(ctx); err != nil {
		out, _ := os.ReadFile(s.logPath())
		return errors.Join(fmt.Errorf("%w\n%s", err, tail(out)), s.Kill())
	}
	return nil
}

func (s *Server) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	conn, err := sql.Open("mysql", s.DSN(""))
	if err != nil {
		return fmt.Errorf("open connection: %w", err)
	}
	defer func() { _ = conn.Close() }()
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for {
		if err = conn.PingContext(ctx); err == nil {
			return nil
		}
		select {
		case <-poll.C:
		case <-s.exited:
			return errors.New("mariadbd ended while starting")
		case <-ctx.Done():
			return fmt.Errorf("mariadbd was not ready in time: %w", err)
		}
	}
}

// DSN is the data source name of a database, in the form of go-sql-driver/mysql.
func (s *Server) DSN(database string) string {
	return fmt.Sprintf("root:@tcp(127.0.0.1:%d)/%s", s.port, database)
}

// NewDatabase makes an empty database and returns its name.
func (s *Server) NewDatabase(ctx context.Context) (string, error) {
	name := "t" + strconv.FormatInt(s.created.Add(1), 10)
	return name, s.exec(ctx, "CREATE DATABASE "+name+" CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
}

// DropDatabase drops what NewDatabase made.
func (s *Server) DropDatabase(ctx context.Context, name string) error {
	return s.exec(ctx, "DROP DATABASE IF EXISTS "+name)
}

func (s *Server) exec(ctx context.Context, statement string) error {
	conn, err := sql.Open("mysql", s.DSN(""))
	if err != nil {
		return fmt.Errorf("open connection: %w", err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.ExecContext(ctx, statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}

// Kill ends the server at once, as a crash would, and waits until it is gone.
func (s *Server) Kill() error { return s.end(syscall.SIGKILL) }

// Restart starts the server again, after Kill, on the same port and data.
func (s *Server) Restart(ctx context.Context) error { return s.start(ctx) }

// Close stops the server and removes its data.
func (s *Server) Close() error {
	return errors.Join(s.end(syscall.SIGTERM), os.RemoveAll(s.dir))
}

func (s *Server) end(sig syscall.Signal) error {
	select {
	case <-s.exited:
		return nil
	default:
	}
	if err := syscall.Kill(-s.cmd.Process.Pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("signal mariadbd: %w", err)
	}
	timeout := time.NewTimer(stopTimeout)
	defer timeout.Stop()
	select {
	case <-s.exited:
		return nil
	case <-timeout.C:
	}
	if sig == syscall.SIGKILL {
		return errors.New("mariadbd does not end")
	}
	return s.end(syscall.SIGKILL)
}

func (s *Server) data() string    { return filepath.Join(s.dir, "data") }
func (s *Server) tmp() string     { return filepath.Join(s.dir, "tmp") }
func (s *Server) logPath() string { return filepath.Join(s.dir, "log") }

func user() string {
	if os.Geteuid() == 0 {
		return "root"
	}
	return os.Getenv("USER")
}

func tail(out []byte) []byte {
	const limit = 4096
	return bytes.TrimSpace(out[max(0, len(out)-limit):])
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port, nil
}

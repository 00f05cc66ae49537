package db_test

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"net"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/test/mariadb"
)

// silentProxy stands before a database. Connections that were open when it was silenced are kept and nothing of them is
// passed on any more: neither side is told.
type silentProxy struct {
	addr string
	mu   sync.Mutex
	cut  []chan struct{} // one for each connection
	open []net.Conn      // those of the clients
}

func newSilentProxy(t *testing.T, target string) *silentProxy {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &silentProxy{addr: ln.Addr().String()}
	var wg sync.WaitGroup
	ctx, stop := context.WithCancel(context.Background())
	t.Cleanup(func() { ln.Close(); stop(); wg.Wait() })
	wg.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			s, err := net.Dial("tcp", target)
			if err != nil {
				c.Close()
				continue
			}
			cut := make(chan struct{})
			p.mu.Lock()
			p.cut, p.open = append(p.cut, cut), append(p.open, c)
			p.mu.Unlock()
			context.AfterFunc(ctx, func() { c.Close(); s.Close() })
			wg.Go(func() { pass(s, c, cut) })
			wg.Go(func() { pass(c, s, cut) })
		}
	})
	return p
}

func pass(to, from net.Conn, cut <-chan struct{}) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		select {
		case <-cut:
			if err == nil {
				continue // swallowed
			}
			return // the other side is not told either
		default:
		}
		if _, werr := to.Write(buf[:n]); err != nil || werr != nil {
			to.Close()
			from.Close()
			return
		}
	}
}

// silence makes the connections that are open now go silent. New ones work.
func (p *silentProxy) silence() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.cut {
		close(c)
	}
	p.cut = nil
}

// reset ends all connections at once, as a machine that has been started again does.
func (p *silentProxy) reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.open {
		_ = c.(*net.TCPConn).SetLinger(0)
		c.Close()
	}
}

// A server behind a firewall that has forgotten the connection neither answers nor closes it. Nothing may wait for that
// for ever, and the next transaction has a new connection.
func TestSilentConnection(t *testing.T) {
	dsn := mariadb.Start(t)
	target := regexp.MustCompile(`tcp\(([^)]*)\)`).FindStringSubmatch(dsn)[1]
	p := newSilentProxy(t, target)
	d := dbtest.Open(t, strings.Replace(dsn, target, p.addr, 1)+"?readTimeout=300ms&writeTimeout=300ms")
	if err := d.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	within := func(what string, do func() error) error {
		t.Helper()
		done := make(chan error, 1)
		go func() { done <- do() }()
		select {
		case err := <-done:
			return err
		case <-time.After(20 * time.Second):
			t.Fatalf("%s waits for ever", what)
			return nil
		}
	}
	insert := func(name string, before, after func()) error {
		return d.InTx(context.WithoutCancel(t.Context()), func(tx *db.Tx) error {
			before()
			_, err := tx.Exec(t.Context(), "INSERT INTO meta (name, value) VALUES (?, 'x')", name)
			after()
			return err
		})
	}
	nothing := func() {}
	if err := within("a statement", func() error { return insert("a", p.silence, nothing) }); err == nil || !db.IsTemporary(err) || errors.Is(err, db.ErrUnknownOutcome) {
		t.Errorf("a statement that is not answered: %v; want a temporary error of known outcome", err)
	}
	if err := within("a commit", func() error { return insert("b", nothing, p.silence) }); !errors.Is(err, db.ErrUnknownOutcome) {
		t.Errorf("a commit that is not answered: %v; want an unknown outcome", err)
	}
	p.silence() // also what waits in the pool
	if err := within("a read", func() error { return d.Ping(context.WithoutCancel(t.Context())) }); err != nil && !db.IsTemporary(err) {
		t.Errorf("a read that is not answered: %v; want a temporary error", err)
	}
	for range 3 { // at most as many attempts as there were idle connections
		if err := within("a new transaction", func() error { return insert("c", nothing, nothing) }); err == nil {
			return
		}
	}
	t.Error("no transaction works afterwards")
}

// What works for long before it answers is not taken for a server that has died.
func TestPatience(t *testing.T) {
	d := dbtest.Open(t, mariadb.Start(t)+"?readTimeout=200ms")
	sleep := func(tx *db.Tx) error {
		var zero int
		return tx.QueryRow(t.Context(), "SELECT SLEEP(0.6)").Scan(&zero)
	}
	if err := d.Snapshot(t.Context(), sleep); err != nil {
		t.Errorf("a snapshot: %v", err)
	}
	if err := d.InTx(t.Context(), sleep); !db.IsTemporary(err) {
		t.Errorf("a transaction: %v; want a temporary error", err)
	}
}

// That idle connections have died is no failure of a stop.
func TestCloseAfterTheServerHasGone(t *testing.T) {
	dsn := mariadb.Start(t)
	target := regexp.MustCompile(`tcp\(([^)]*)\)`).FindStringSubmatch(dsn)[1]
	p := newSilentProxy(t, target)
	d, err := db.Open(t.Context(), strings.Replace(dsn, target, p.addr, 1), db.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.reset()
	if err := d.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

// A database that has become read-only takes writes later, or elsewhere.
func TestReadOnlyServer(t *testing.T) {
	_, dsn := mariadb.StartServer(t)
	admin := dbtest.Open(t, dsn)
	if err := admin.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	root, err := sql.Open("mysql", strings.TrimPrefix(dsn, "mysql:"))
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	exec := func(statement string) {
		t.Helper()
		if _, err := root.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	exec("CREATE USER plain@'127.0.0.1' IDENTIFIED BY 'word'")
	exec("GRANT SELECT, INSERT, UPDATE, DELETE ON *.* TO plain@'127.0.0.1'")
	cfg, err := mysql.ParseDSN(strings.TrimPrefix(dsn, "mysql:"))
	if err != nil {
		t.Fatal(err)
	}
	cfg.User, cfg.Passwd = "plain", "word"
	d := dbtest.Open(t, "mysql:"+cfg.FormatDSN())
	write := func(name string) error {
		return d.InTx(t.Context(), func(tx *db.Tx) error {
			_, err := tx.Exec(t.Context(), "INSERT INTO meta (name, value) VALUES (?, 'x')", name)
			return err
		})
	}
	exec("SET GLOBAL read_only = 1")
	if err := write("a"); err == nil || !db.IsTemporary(err) || errors.Is(err, db.ErrUnknownOutcome) {
		t.Errorf("read-only: %v; want a temporary error", err)
	}
	exec("SET GLOBAL read_only = 0")
	if err := write("a"); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestTemporary(t *testing.T) {
	for number, want := range map[uint16]bool{
		1040: true, 1053: true, 1205: true, 1213: true, 1290: true, 1836: true, 1062: false, 1264: false, 1406: false, 1452: false, 4025: false,
	} {
		if got := db.IsTemporary(&mysql.MySQLError{Number: number}); got != want {
			t.Errorf("error %d is temporary: %v", number, got)
		}
	}
	if db.IsTemporary(nil) || db.IsTemporary(io.EOF) {
		t.Error("no error, or one of no database, is temporary")
	}
}

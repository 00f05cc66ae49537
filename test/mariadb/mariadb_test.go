package mariadb_test

import (
	"database/sql"
	"strings"
	"testing"

	"github.com/edgeref/edgeref/test/mariadb"
)

func TestStartGivesEmptyDatabases(t *testing.T) {
	a, b := mariadb.Start(t), mariadb.Start(t)
	if a == b {
		t.Fatalf("the same database twice: %s", a)
	}
	exec(t, a, "CREATE TABLE x (id BIGINT PRIMARY KEY)")
	exec(t, b, "CREATE TABLE x (id BIGINT PRIMARY KEY)")
}

func TestCommittedRowsSurviveKill(t *testing.T) {
	server, dsn := mariadb.StartServer(t)
	exec(t, dsn, "CREATE TABLE x (id BIGINT PRIMARY KEY)")
	exec(t, dsn, "INSERT INTO x VALUES (1)")
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := open(t, dsn).PingContext(t.Context()); err == nil {
		t.Fatal("a killed server answers")
	}
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	var n int
	if err := open(t, dsn).QueryRowContext(t.Context(), "SELECT COUNT(*) FROM x").Scan(&n); err != nil || n != 1 {
		t.Fatalf("%d rows, %v; want 1", n, err)
	}
}

func open(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	conn, err := sql.Open("mysql", strings.TrimPrefix(dsn, "mysql:"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func exec(t *testing.T, dsn, statement string) {
	t.Helper()
	if _, err := open(t, dsn).ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

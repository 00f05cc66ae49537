package clickhouse

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

func connect(t *testing.T, s *Server, database string) driver.Conn {
	t.Helper()
	conn, err := clickhouse.Open(&clickhouse.Options{
		Addr: []string{s.Addr()}, Auth: clickhouse.Auth{Database: database},
		Compression: &clickhouse.Compression{Method: clickhouse.CompressionLZ4},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// TestServer: what goes in comes out, whatever its bytes; it is there after a kill; errors keep their code.
func TestServer(t *testing.T) {
	s := Start(t)
	conn := connect(t, s, s.Database(t))
	if err := conn.Exec(t.Context(), "CREATE TABLE t (id UInt32, text String, kind LowCardinality(String)) ENGINE = MergeTree ORDER BY id"); err != nil {
		t.Fatal(err)
	}
	random := rand.NewChaCha8([32]byte{1})
	texts := make([]string, 2000)
	for i := range texts {
		b := make([]byte, 64)
		_, _ = random.Read(b)
		texts[i] = "\n\n" + string(b) + "; SELECT 1\n\n"
	}
	batch, err := conn.PrepareBatch(t.Context(), "INSERT INTO t (text, id, kind)")
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range texts {
		if err := batch.Append(text, uint32(i), text[:3]); err != nil {
			t.Fatal(err)
		}
	}
	if err := batch.Send(); err != nil {
		t.Fatal(err)
	}
	s.Kill(t)
	s.Restart(t)
	rows, err := conn.Query(t.Context(), "SELECT text, kind FROM t ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	for i := range texts {
		var text, kind string
		if !rows.Next() {
			t.Fatalf("%d rows; want %d: %v", i, len(texts), rows.Err())
		}
		if err := rows.Scan(&text, &kind); err != nil || text != texts[i] || kind != text[:3] {
			t.Fatalf("row %d: %q %q, %v; want %q", i, text, kind, err, texts[i])
		}
	}
	if err := rows.Close(); err != nil {
		t.Fatal(err)
	}

	var exception *clickhouse.Exception
	if err := conn.Exec(t.Context(), "SELECT * FROM nothing"); !errors.As(err, &exception) || exception.Code != 60 {
		t.Errorf("unknown table: %v; want code 60", err)
	}
	odd := "'\\\n\t\x00{x:String}\xff"
	var back string
	if err := conn.QueryRow(t.Context(), "SELECT {p:String}", clickhouse.Named("p", odd)).Scan(&back); err != nil || back != odd {
		t.Errorf("parameter: %q, %v; want %q", back, err, odd)
	}
	var none string
	if err := conn.QueryRow(t.Context(), "SELECT text FROM t WHERE id = 99999").Scan(&none); err == nil {
		t.Error("no rows: no error")
	}
}

// TestCancel: a query whose client has left ends, and does not keep the server from stopping.
func TestCancel(t *testing.T) {
	s := Start(t)
	conn := connect(t, s, s.Database(t))
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := conn.QueryRow(ctx, "SELECT sum(sipHash64(number)) FROM numbers(1000000000000)").Scan(new(uint64)); err == nil {
		t.Fatal("no error")
	}
	for {
		var running uint64
		row := conn.QueryRow(t.Context(), "SELECT count() FROM system.processes WHERE query LIKE '%sipHash64(number)%' AND query NOT LIKE '%processes%'")
		if err := row.Scan(&running); err != nil {
			t.Fatal(err)
		}
		if running == 0 {
			return
		}
	}
}

// TestServerEndsWithItsParent: the end of the tether, as at the death of the test binary, ends the server.
func TestServerEndsWithItsParent(t *testing.T) {
	s := Start(t)
	if err := s.tether.Close(); err != nil {
		t.Fatal(err)
	}
	<-s.exited
	s.cmd = nil
}

// TestTwoServers: each has its own data.
func TestTwoServers(t *testing.T) {
	a, b := Start(t), Start(t)
	if a.Addr() == b.Addr() || a.data == b.data {
		t.Fatalf("%s in %s and %s in %s", a.Addr(), a.data, b.Addr(), b.data)
	}
	a.Database(t)
	if err := connect(t, b, "test1").Ping(t.Context()); err == nil {
		t.Error("a database of one server is in the other")
	}
}

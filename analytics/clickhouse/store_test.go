package clickhouse_test

import (
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	chproto "github.com/ClickHouse/ch-go/proto"
	driver "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"github.com/edgeref/edgeref/analytics/clickhouse"
	"github.com/edgeref/edgeref/analytics/conformance"
	server "github.com/edgeref/edgeref/test/clickhouse"
	"github.com/edgeref/edgeref/wire/report"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// open returns a migrated store on a new database of s, reached through addr.
func open(t testing.TB, s *server.Server, addr string) *clickhouse.Store {
	t.Helper()
	return openWith(t, clickhouse.Options{Addr: []string{addr}, Database: s.Database(t)})
}

func openWith(t testing.TB, opts clickhouse.Options) *clickhouse.Store {
	t.Helper()
	store, err := clickhouse.Open(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return store
}

// direct is a connection of the test's own to a database.
func direct(t testing.TB, addr, database string) driver.Conn {
	t.Helper()
	conn, err := driver.Open(&driver.Options{Addr: []string{addr}, Auth: driver.Auth{Database: database}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func exec(t testing.TB, conn driver.Conn, statement string) {
	t.Helper()
	if err := conn.Exec(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func TestConformance(t *testing.T) {
	s := server.Start(t)
	conformance.Run(t, func(t *testing.T) conformance.Store { return open(t, s, s.Addr()) })
}

// TestMigrate: from empty, again, and after an interruption that lost the version table; data stays.
func TestMigrate(t *testing.T) {
	s := server.Start(t)
	opts := clickhouse.Options{Addr: []string{s.Addr()}, Database: s.Database(t)}
	store := openWith(t, opts)
	conn := direct(t, s.Addr(), opts.Database)
	clicks := newTraffic(t).batch(100, noon(), time.Hour)
	fill(t, store, "1", clicks, nil)
	for _, before := range []string{"SELECT 1", "DROP TABLE schema_version SYNC", "DROP TABLE clicks_quarterly_view SYNC"} {
		exec(t, conn, before)
		if strings.Contains(before, "view") {
			exec(t, conn, "TRUNCATE TABLE schema_version")
		}
		if err := store.Migrate(t.Context()); err != nil {
			t.Fatalf("after %s: %v", before, err)
		}
	}
	fill(t, store, "2", clicks, nil)
	wantCounts(t, store, 200, 0)
}

func TestRetention(t *testing.T) {
	s := server.Start(t)
	opts := clickhouse.Options{Addr: []string{s.Addr()}, Database: s.Database(t)}
	conn := direct(t, s.Addr(), opts.Database)
	for _, days := range []int{0, 30, 30, 7, 0, 0} {
		opts.Retention = time.Duration(days) * 24 * time.Hour
		openWith(t, opts)
		var engine string
		if err := conn.QueryRow(t.Context(), "SELECT engine_full FROM system.tables WHERE database = currentDatabase() AND name = 'clicks'").Scan(&engine); err != nil {
			t.Fatal(err)
		}
		_, ttl, found := strings.Cut(engine, " TTL ")
		if want := map[int]string{30: "toIntervalDay(30)", 7: "toIntervalDay(7)"}[days]; found != (days > 0) || !strings.Contains(ttl, want) {
			t.Fatalf("retention of %d days: engine %s", days, engine)
		}
	}
	// Old clicks go, their roll-up stays.
	opts.Retention = 24 * time.Hour
	store := openWith(t, opts)
	fill(t, store, "old", newTraffic(t).batch(50, time.Now().AddDate(0, -2, 0), time.Minute), nil)
	exec(t, conn, "OPTIMIZE TABLE clicks FINAL")
	var left uint64
	if err := conn.QueryRow(t.Context(), "SELECT count() FROM clicks").Scan(&left); err != nil || left != 0 {
		t.Fatalf("%d clicks left, %v; want none", left, err)
	}
	r, err := store.Report(t.Context(), report.Query{From: time.Now().AddDate(-1, 0, 0).Truncate(time.Hour), To: time.Now().Truncate(time.Hour)})
	if err != nil || r.Total.Clicks != 50 {
		t.Fatalf("%d clicks in the report, %v; want 50", r.Total.Clicks, err)
	}
}

func TestOpenRefusesOldServer(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			var b chproto.Buffer
			hello := chproto.ServerHello{Name: "ClickHouse", Major: 24, Minor: 3, Revision: 54460, Timezone: "UTC"}
			hello.EncodeAware(&b, hello.Revision)
			_, _ = c.Write(b.Buf)
			_, _ = c.Read(make([]byte, 1<<16)) // the client's hello, or its end
			_ = c.Close()
		}
	}()
	opts := clickhouse.Options{Addr: []string{listener.Addr().String()}, Database: "d"}
	_, openErr := clickhouse.Open(t.Context(), opts)
	createErr := clickhouse.CreateDatabase(t.Context(), opts) // what migrate does first
	_ = listener.Close()
	<-done
	for what, err := range map[string]error{"open": openErr, "create database": createErr} {
		if !errors.Is(err, clickhouse.ErrServerTooOld) || !strings.Contains(err.Error(), "it is 24.3") || !strings.Contains(err.Error(), "upgrade ClickHouse") {
			t.Errorf("%s: %v; want ErrServerTooOld, the version and advice", what, err)
		}
	}
}

func TestOpenErrors(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := []string{closed.Addr().String()}
	_ = closed.Close()
	for name, c := range map[string]struct {
		opts clickhouse.Options
		want string
	}{
		"no address":  {clickhouse.Options{Database: "d"}, "host:port"},
		"no database": {clickhouse.Options{Addr: addr}, "database"},
		"database":    {clickhouse.Options{Addr: addr, Database: "d`; DROP"}, "letters"},
		"cluster":     {clickhouse.Options{Addr: addr, Database: "d", Cluster: "c`"}, "letters"},
		"retention":   {clickhouse.Options{Addr: addr, Database: "d", Retention: time.Hour}, "whole days"},
		"no cluster":  {clickhouse.Options{Addr: addr, Database: "d", Sharded: true}, "cluster"},
		"compression": {clickhouse.Options{Addr: addr, Database: "d", Compression: "best"}, "lz4"},
		"nobody home": {clickhouse.Options{Addr: addr, Database: "d"}, addr[0]},
	} {
		if _, err := clickhouse.Open(t.Context(), c.opts); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want an error with %q", name, err, c.want)
		}
	}
}

func TestOpenUnknownDatabase(t *testing.T) {
	s := server.Start(t)
	_, err := clickhouse.Open(t.Context(), clickhouse.Options{Addr: []string{s.Addr()}, Database: "missing"})
	if err == nil || !strings.Contains(err.Error(), "CREATE DATABASE missing") {
		t.Fatalf("%v; want advice", err)
	}
}

// TestTimeouts: a server that does not answer holds nobody longer than the options say.
func TestTimeouts(t *testing.T) {
	s := server.Start(t)
	proxy := newCuttingProxy(t, s.Addr())
	store := openWith(t, clickhouse.Options{
		Addr: []string{proxy.addr()}, Database: s.Database(t), DialTimeout: time.Second, AppendTimeout: time.Second, QueryTimeout: time.Second,
	})
	proxy.hold()
	defer proxy.release()
	clicks := newTraffic(t).batch(10, noon(), time.Hour)
	for name, call := range map[string]func() error{
		"append": func() error { return store.AppendClicks(t.Context(), "1", clicks) },
		"report": func() error {
			_, err := store.Report(t.Context(), report.Query{From: noon(), To: noon().Add(time.Hour)})
			return err
		},
		"ping": func() error { return store.Ping(t.Context()) },
	} {
		start := time.Now()
		if err := call(); err == nil || time.Since(start) > 10*time.Second {
			t.Errorf("%s: %v after %s; want an error within seconds", name, err, time.Since(start))
		}
	}
}

func TestMetrics(t *testing.T) {
	s := server.Start(t)
	registry := prometheus.NewPedanticRegistry()
	store := openWith(t, clickhouse.Options{Addr: []string{s.Addr()}, Database: s.Database(t), Registerer: registry})
	clicks := newTraffic(t).batch(10, noon(), time.Hour)
	fill(t, store, "1", clicks, []report.Fact{{ID: 1, Time: noon().UnixMilli()}})
	if err := store.AppendClicks(t.Context(), "too large", newTraffic(t).batch(clickhouse.MaxBatch+1, noon(), time.Hour)); err == nil {
		t.Error("a batch above MaxBatch: no error")
	}
	s.Kill(t)
	if err := store.AppendClicks(t.Context(), "2", clicks); err == nil {
		t.Fatal("append without a server: no error")
	}
	const want = `
# HELP edgeref_analytics_appended_records_total Records in batches that the store has acknowledged, batches that it already had included.
# TYPE edgeref_analytics_appended_records_total counter
edgeref_analytics_appended_records_total{kind="clicks"} 10
edgeref_analytics_appended_records_total{kind="facts"} 1
# HELP edgeref_analytics_failed_operations_total Appends, reports and listings that ended with an error, unless the caller gave up.
# TYPE edgeref_analytics_failed_operations_total counter
edgeref_analytics_failed_operations_total{operation="append_clicks"} 1
# HELP edgeref_analytics_refused_batches_total Batches that were larger than the store takes.
# TYPE edgeref_analytics_refused_batches_total counter
edgeref_analytics_refused_batches_total 1
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "edgeref_analytics_appended_records_total",
		"edgeref_analytics_failed_operations_total", "edgeref_analytics_refused_batches_total"); err != nil {
		t.Error(err)
	}
}

// noon is in the middle of a month.
func noon() time.Time { return time.Date(2026, time.September, 15, 12, 0, 0, 0, time.UTC) }

// wantCounts compares the clicks of the year in the table, those in the roll-up and the sales with what was appended.
func wantCounts(t *testing.T, store *clickhouse.Store, clicks, sales int64) {
	t.Helper()
	year := report.Query{From: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)}
	raw := year
	raw.Filters = []report.Filter{{Dimension: report.Country, Values: []string{"nowhere"}, Not: true}} // the roll-up has no countries
	for name, q := range map[string]report.Query{"roll-up": year, "table": raw} {
		r, err := store.Report(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if r.Total.Clicks != clicks || r.Total.Sales != sales {
			t.Errorf("%s: %d clicks and %d sales; want %d and %d", name, r.Total.Clicks, r.Total.Sales, clicks, sales)
		}
	}
}

package clickhouse_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/edgeref/edgeref/analytics/clickhouse"
	server "github.com/edgeref/edgeref/test/clickhouse"
	"github.com/edgeref/edgeref/wire/report"
)

// documented are the statements that docs/clickhouse.md gives to an operator, in the first block of SQL below the heading.
func documented(t *testing.T, heading string) []string {
	t.Helper()
	text, err := os.ReadFile("../../docs/clickhouse.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(text), "\n## "+heading+"\n")
	_, block, begins := strings.Cut(section, "```sql\n")
	block, _, ends := strings.Cut(block, "```")
	if !found || !begins || !ends {
		t.Fatalf("docs/clickhouse.md has no SQL below %q", heading)
	}
	var statements []string
	for s := range strings.SplitSeq(block, ";\n") {
		if s = strings.TrimSpace(s); s != "" {
			statements = append(statements, s)
		}
	}
	return statements
}

// TestRebuildRollUp: a roll-up that lost or doubled rows is made from the clicks by the documented statements, while
// new clicks keep coming in; then every report is what it was.
func TestRebuildRollUp(t *testing.T) {
	s := server.Start(t)
	opts := clickhouse.Options{Addr: []string{s.Addr()}, Database: s.Database(t)}
	store := openWith(t, opts)
	conn := direct(t, s.Addr(), opts.Database)
	tr := newTraffic(t)
	month := time.Date(2026, time.August, 30, 0, 0, 0, 0, time.UTC)
	fill(t, store, "a", tr.batch(3000, month, 72*time.Hour), nil) // crosses a month
	fill(t, store, "b", tr.batch(2000, month, 72*time.Hour), nil)
	span := report.Query{From: month, To: month.AddDate(0, 0, 3)}
	queries := []report.Query{span, span, span, span}
	queries[1].Bucket = report.Day
	queries[2].GroupBy, queries[2].Limit = report.Link, 10
	queries[3].AffiliateID = 7
	ask := func() (results []report.Result) {
		store.CompareNow()
		for _, q := range queries {
			r, err := store.Report(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			results = append(results, r)
		}
		return results
	}
	want := ask()
	for name, harm := range map[string]string{
		"doubled": "INSERT INTO clicks_quarterly SELECT * FROM clicks_quarterly",
		"lost":    "TRUNCATE TABLE clicks_quarterly",
	} {
		exec(t, conn, harm)
		if reflect.DeepEqual(ask(), want) {
			t.Fatalf("%s: the reports did not notice", name)
		}
		for _, month := range []string{"202608", "202609"} {
			for _, statement := range documented(t, "Rebuilding the roll-up") {
				exec(t, conn, strings.ReplaceAll(statement, "202609", month))
			}
		}
		if got := ask(); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: after the rebuild: %+v; want %+v", name, got, want)
		}
	}
	late := tr.batch(1000, month, 72*time.Hour)
	for range 2 { // the view goes on, and so does what the tables know of batches
		fill(t, store, "c", late, nil)
	}
	wantCounts(t, store, 6000, 0)
}

// TestBackFill: the documented statement takes the clicks of one day, once, into the roll-up as well.
func TestBackFill(t *testing.T) {
	s := server.Start(t)
	opts := clickhouse.Options{Addr: []string{s.Addr()}, Database: s.Database(t)}
	store := openWith(t, opts)
	conn := direct(t, s.Addr(), opts.Database)
	fill(t, store, "1", newTraffic(t).batch(5000, time.Date(2026, time.September, 15, 0, 0, 0, 0, time.UTC), 24*time.Hour), nil)
	fill(t, store, "2", newTraffic(t).batch(300, time.Date(2026, time.September, 16, 0, 0, 0, 0, time.UTC), time.Hour), nil)
	exec(t, conn, "CREATE TABLE old_clicks AS clicks")
	exec(t, conn, "INSERT INTO old_clicks SELECT * FROM clicks")
	exec(t, conn, "TRUNCATE TABLE clicks")
	exec(t, conn, "TRUNCATE TABLE clicks_quarterly")
	for range 2 {
		for _, statement := range documented(t, "Back-filling clicks") {
			exec(t, conn, statement)
		}
	}
	wantCounts(t, store, 5000, 0)
}

// TestTLS: the store speaks TLS to a server whose certificate it trusts, and to no other.
func TestTLS(t *testing.T) {
	s := server.Start(t)
	addr, trusted := tlsProxy(t, s.Addr())
	opts := clickhouse.Options{Addr: []string{addr}, Database: s.Database(t), TLS: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: trusted}}
	store := openWith(t, opts)
	fill(t, store, "1", newTraffic(t).batch(2000, noon(), time.Hour), []report.Fact{{ID: 1, Time: noon().UnixMilli(), Sales: 1}})
	wantCounts(t, store, 2000, 1)
	opts.TLS = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: x509.NewCertPool()}
	if _, err := clickhouse.Open(t.Context(), opts); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a certificate that nobody vouches for: %v; want an error", err)
	}
}

// tlsProxy ends TLS before addr. It returns its own address and the authority that its certificate is from.
func tlsProxy(t *testing.T, addr string) (string, *x509.CertPool) {
	t.Helper()
	source := httptest.NewTLSServer(nil) // its certificate is for 127.0.0.1
	source.Close()
	trusted := x509.NewCertPool()
	trusted.AddCert(source.Certificate())
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{MinVersion: tls.VersionTLS12, Certificates: source.TLS.Certificates})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var work sync.WaitGroup
	t.Cleanup(func() {
		stop()
		_ = listener.Close()
		work.Wait()
	})
	work.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			work.Go(func() { join(ctx, client, addr) })
		}
	})
	return listener.Addr().String(), trusted
}

// join carries bytes both ways until one side ends or ctx does.
func join(ctx context.Context, client net.Conn, addr string) {
	defer client.Close()
	var dialer net.Dialer
	upstream, err := dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		return
	}
	defer upstream.Close()
	stop := context.AfterFunc(ctx, func() { _, _ = client.Close(), upstream.Close() })
	defer stop()
	var back sync.WaitGroup
	back.Go(func() {
		_, _ = io.Copy(client, upstream)
		_ = client.Close()
	})
	_, _ = io.Copy(upstream, client)
	_ = upstream.Close()
	back.Wait()
}

// TestClusterDDLParses: the engine of the tests has no cluster, but its parser takes every statement for one, with one
// shard and with several.
func TestClusterDDLParses(t *testing.T) {
	s := server.Start(t)
	conn := direct(t, s.Addr(), s.Database(t))
	for _, sharded := range []bool{false, true} {
		statements, err := clickhouse.ClusterDDL("c1", sharded)
		if err != nil {
			t.Fatal(err)
		}
		if len(statements) < 4 {
			t.Fatalf("%d statements", len(statements))
		}
		for _, statement := range statements {
			rows, err := conn.Query(t.Context(), "EXPLAIN AST "+statement)
			if err != nil {
				t.Errorf("%s: %v", statement, err)
				continue
			}
			if err := rows.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	if _, err := conn.Query(t.Context(), "EXPLAIN AST CREATE TABLE t ON CLUSTER c1 (a Int64 ENGINE = Log"); err == nil {
		t.Error("nonsense parses")
	}
}

// TestShardingIsNotChanged: tables that were made for one shard are not put behind others by a changed setting.
func TestShardingIsNotChanged(t *testing.T) {
	s := server.Start(t)
	opts := clickhouse.Options{Addr: []string{s.Addr()}, Database: s.Database(t)}
	openWith(t, opts)
	opts.Cluster, opts.Sharded = "c1", true
	store, err := clickhouse.Open(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if err := store.Migrate(t.Context()); err == nil || !strings.Contains(err.Error(), "Several shards") {
		t.Errorf("migrate: %v; want a refusal with advice", err)
	}
}

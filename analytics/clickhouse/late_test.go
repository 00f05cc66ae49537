package clickhouse_test

import (
	"testing"
	"time"

	"github.com/edgeref/edgeref/analytics/clickhouse"
	server "github.com/edgeref/edgeref/test/clickhouse"
)

// A store can be made while its server is down, and works once it is up.
func TestServerComesUpLater(t *testing.T) {
	s := server.Start(t)
	opts := clickhouse.Options{Addr: []string{s.Addr()}, Database: s.Database(t), DialTimeout: time.Second}
	openWith(t, opts)
	s.Kill(t)
	store, err := clickhouse.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	records := newTraffic(t).batch(3, noon(), time.Hour)
	if err := store.AppendClicks(t.Context(), "batch", records); err == nil {
		t.Fatal("appended to a server that is down")
	}
	s.Restart(t)
	for range 2 {
		if err := store.AppendClicks(t.Context(), "batch", records); err != nil {
			t.Fatal(err)
		}
	}
	wantCounts(t, store, 3, 0)
}

func TestCreateDatabase(t *testing.T) {
	s := server.Start(t)
	opts := clickhouse.Options{Addr: []string{s.Addr()}, Database: "made_here"}
	for range 2 {
		if err := clickhouse.CreateDatabase(t.Context(), opts); err != nil {
			t.Fatal(err)
		}
	}
	openWith(t, opts)
	opts.Database = "x; DROP DATABASE made_here"
	if err := clickhouse.CreateDatabase(t.Context(), opts); err == nil {
		t.Error("made a database with that name")
	}
}

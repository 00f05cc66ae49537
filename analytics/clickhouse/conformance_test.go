package clickhouse_test

import (
	"testing"

	"github.com/edgeref/edgeref/analytics/clickhouse"
	"github.com/edgeref/edgeref/analytics/conformance"
	server "github.com/edgeref/edgeref/test/clickhouse"
)

// open returns a migrated store on a new database.
func open(t testing.TB, s *server.Server, addr string) *clickhouse.Store {
	t.Helper()
	store, err := clickhouse.Open(t.Context(), clickhouse.Options{Addr: []string{addr}, Database: s.Database(t)})
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

func TestConformance(t *testing.T) {
	s := server.Start(t)
	conformance.Run(t, func(t *testing.T) conformance.Store { return open(t, s, s.Addr()) })
}

// Package dbtest runs tests on every kind of database that the core supports.
package dbtest

import (
	"path/filepath"
	"testing"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/test/mariadb"
)

// Each runs test twice, as subtests "sqlite" and "mysql", each on a new database with the newest schema.
func Each(t *testing.T, test func(t *testing.T, d *db.DB)) {
	t.Helper()
	EachEmpty(t, func(t *testing.T, d *db.DB) {
		if err := d.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		test(t, d)
	})
}

// EachEmpty is Each without a schema.
func EachEmpty(t *testing.T, test func(t *testing.T, d *db.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		test(t, Open(t, "sqlite:"+filepath.Join(t.TempDir(), "core.db")))
	})
	t.Run("mysql", func(t *testing.T) {
		test(t, Open(t, mariadb.Start(t)))
	})
}

// SQLite opens a new SQLite database with the newest schema, for tests and benchmarks where one kind is enough.
func SQLite(t testing.TB) *db.DB {
	t.Helper()
	d := Open(t, "sqlite:"+filepath.Join(t.TempDir(), "core.db"))
	if err := d.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return d
}

// Open opens a database and closes it when t ends.
func Open(t testing.TB, dsn string) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), dsn, db.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

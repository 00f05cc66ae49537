package db_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/test/mariadb"
)

func TestOpenRefuses(t *testing.T) {
	for _, dsn := range []string{
		"", "sqlite", "sqlite:", "sqlite::memory:", "sqlite:" + t.TempDir() + "/missing/core.db", "postgres://x",
		"mysql:", "mysql:user:hunter2@tcp(127.0.0.1:1)/", "mysql:user:hunter2@tcp(127.0.0.1:1)/db", "mysql:user:hunter2@@@/db?x=%",
		"mysql:user:hunter2@tcp(127.0.0.1:1)/db?timeout=soon",
	} {
		d, err := db.Open(t.Context(), dsn, db.Options{})
		if err == nil {
			t.Errorf("%q is opened", dsn)
			_ = d.Close()
			continue
		}
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the password is in %q", err)
		}
	}
}

func TestSQLiteFileIsPrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "odd ?#% name.db")
	d := dbtest.Open(t, "sqlite:"+path)
	if err := d.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{path, path + "-wal"} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); mode != 0o600 {
			t.Errorf("%s has mode %o", name, mode)
		}
	}
}

func TestSQLiteSettings(t *testing.T) {
	d := dbtest.SQLite(t)
	for name, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "secure_delete": "1"} {
		err := d.InTx(t.Context(), func(tx *db.Tx) error {
			var got string
			if err := tx.QueryRow(t.Context(), "PRAGMA "+name).Scan(&got); err != nil {
				return err
			}
			if got != want {
				t.Errorf("%s is %s, want %s", name, got, want)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	rows, err := d.Query(t.Context(), "INSERT INTO meta (name, value) VALUES ('a', 'b') RETURNING name")
	if err == nil {
		defer func() { _ = rows.Close() }()
		t.Errorf("a reader can write: %v", rows.Err())
	}
}

func TestMySQLSettings(t *testing.T) {
	// What the DSN says against ours must not count.
	d := dbtest.Open(t, mariadb.Start(t)+"?charset=latin1&time_zone=%27%2B05:30%27&sql_mode=%27%27&clientFoundRows=false&loc=Local")
	for name, want := range map[string]string{
		"@@character_set_connection": "utf8mb4", "@@collation_connection": "utf8mb4_bin", "@@time_zone": "+00:00",
		"@@tx_isolation": "READ-COMMITTED", "@@innodb_lock_wait_timeout": "5",
	} {
		var got string
		if err := d.QueryRow(t.Context(), "SELECT "+name).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %s, %v; want %s", name, got, err, want)
		}
	}
	var mode string
	if err := d.QueryRow(t.Context(), "SELECT @@sql_mode").Scan(&mode); err != nil || !strings.Contains(mode, "STRICT_ALL_TABLES") {
		t.Errorf("sql_mode %s, %v", mode, err)
	}
}

func TestTextGoesThroughUnchanged(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for _, text := range []string{"", "naïve ₹ 🚀", `back\slash 'quote' "double"`, "line\nbreak\t\x00nul", strings.Repeat("ä", 255)} {
			err := d.InTx(t.Context(), func(tx *db.Tx) error {
				put(t, tx, "k", text)
				var got string
				if err := tx.QueryRow(t.Context(), "SELECT value FROM meta WHERE name = 'k' AND value = ?", text).Scan(&got); err != nil {
					return err
				}
				if got != text {
					t.Errorf("%q became %q", text, got)
				}
				_, err := tx.Exec(t.Context(), "DELETE FROM meta")
				return err
			})
			if err != nil {
				t.Errorf("%q: %v", text, err)
			}
		}
	})
}

func TestSeveralCoresMigrateAtOnce(t *testing.T) {
	dsn := mariadb.Start(t)
	var wg sync.WaitGroup
	for range 4 {
		d := dbtest.Open(t, dsn)
		wg.Go(func() {
			if err := d.Migrate(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// A step of MySQL whose note was lost after it took effect must go through again.
func TestMySQLStepsRepeat(t *testing.T) {
	d := dbtest.Open(t, mariadb.Start(t))
	if err := d.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	err := d.InTx(t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(t.Context(), "DELETE FROM schema_migrations WHERE version_id > 0")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Migrate(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestMetricsAreRegistered(t *testing.T) {
	reg := prometheus.NewRegistry()
	d, err := db.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "core.db"), db.Options{Registerer: reg})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	if n := gather(t, reg, "edgeref_db_transaction_retries_exhausted_total"); n != 0 {
		t.Errorf("%v", n)
	}
}

func gather(t *testing.T, reg *prometheus.Registry, name string) (sum float64) {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			for _, m := range f.GetMetric() {
				sum += m.GetCounter().GetValue()
			}
			return sum
		}
	}
	t.Errorf("no metric %s", name)
	return 0
}

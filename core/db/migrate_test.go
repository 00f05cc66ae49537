package db_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
)

func TestDialectsHaveTheSameSteps(t *testing.T) {
	if diff := cmp.Diff(names(t, "migrations/sqlite"), names(t, "migrations/mysql")); diff != "" {
		t.Errorf("migrations differ (-sqlite +mysql):\n%s", diff)
	}
}

func TestMySQLStepsCanBeRepeated(t *testing.T) {
	for _, name := range names(t, "migrations/mysql") {
		body, err := os.ReadFile("migrations/mysql/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(string(body), "-- +goose NO TRANSACTION\n-- +goose Up\n") {
			t.Errorf("%s: does not begin with NO TRANSACTION and Up", name)
		}
		if n := strings.Count(string(body), ";\n"); n != 1 {
			t.Errorf("%s: has %d statements, want 1: DDL does not roll back", name, n)
		}
	}
}

func TestMigrate(t *testing.T) {
	dbtest.EachEmpty(t, func(t *testing.T, d *db.DB) {
		for range 2 {
			if err := d.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		status, err := d.MigrationStatus(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if want := len(names(t, "migrations/sqlite")); len(status) != want {
			t.Errorf("%d steps, want %d", len(status), want)
		}
		for _, m := range status {
			if !m.Applied || m.AppliedAt.IsZero() {
				t.Errorf("step %s is not applied", m.Name)
			}
		}
	})
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]string, 0, len(entries))
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

package db_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/edgeref/edgeref/core/db"
)

func scratch(t *testing.T) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "scratch.db"), db.Options{Scratch: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	must(t, d, "CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)")
	return d
}

func must(t *testing.T, d *db.DB, query string, args ...any) {
	t.Helper()
	err := d.InTx(t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(t.Context(), query, args...)
		return err
	})
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

func TestKeptStatementsDoNotMixUp(t *testing.T) {
	d := scratch(t)
	for i := range 3 {
		must(t, d, "INSERT INTO things (id, name) VALUES (?, ?)", i+1, fmt.Sprint("thing ", i+1))
	}
	const all = "SELECT id FROM things WHERE id >= ? ORDER BY id"
	var seen []int64
	err := d.InTx(t.Context(), func(tx *db.Tx) error {
		outer, err := tx.Query(t.Context(), all, 1)
		if err != nil {
			return err
		}
		defer outer.Close()
		for outer.Next() {
			var id, inner int64
			if err := outer.Scan(&id); err != nil {
				return err
			}
			// The same text, while its rows are being read.
			if err := tx.QueryRow(t.Context(), all, id).Scan(&inner); err != nil {
				return err
			}
			seen = append(seen, id, inner)
		}
		return outer.Err()
	})
	if err != nil || fmt.Sprint(seen) != "[1 1 2 2 3 3]" {
		t.Errorf("read %v, %v", seen, err)
	}
}

func TestKeptStatementsSurviveWhatGoesWrong(t *testing.T) {
	d := scratch(t)
	const insert = "INSERT INTO things (id, name) VALUES (?, ?)"
	must(t, d, insert, 1, "one")
	err := d.InTx(t.Context(), func(tx *db.Tx) error {
		if made, err := tx.TryInsert(t.Context(), insert, 2, "one"); made || err != nil {
			return fmt.Errorf("inserted twice: %v, %w", made, err)
		}
		_, err := tx.Exec(t.Context(), insert, 2, "two")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	// What is kept is prepared anew when the schema has changed.
	count := func() (n, columns int) {
		rows, err := d.Query(t.Context(), "SELECT * FROM things")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		names, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			n++
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		return n, len(names)
	}
	if n, columns := count(); n != 2 || columns != 2 {
		t.Errorf("%d rows of %d columns", n, columns)
	}
	must(t, d, "ALTER TABLE things ADD COLUMN colour TEXT NOT NULL DEFAULT ''")
	if n, columns := count(); n != 2 || columns != 3 {
		t.Errorf("after the change: %d rows of %d columns", n, columns)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	rows, err := d.Query(ended, "SELECT * FROM things")
	if err == nil {
		defer rows.Close()
		err = rows.Err()
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
	if n, _ := count(); n != 2 {
		t.Errorf("%d rows", n)
	}
	for i := range 1000 { // more than are kept
		var n int
		if err := d.QueryRow(t.Context(), fmt.Sprintf("SELECT COUNT(*) + %d FROM things", i)).Scan(&n); err != nil || n != 2+i {
			t.Fatalf("query %d: %d, %v", i, n, err)
		}
	}
}

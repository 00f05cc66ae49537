package db_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
)

func TestInTxRollsBackOnErrorAndPanic(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		failure := errors.New("no")
		err := d.InTx(t.Context(), func(tx *db.Tx) error {
			put(t, tx, "a", "1")
			tx.OnCommit(func() { t.Error("OnCommit ran without a commit") })
			return failure
		})
		if !errors.Is(err, failure) {
			t.Fatalf("error %v, want %v", err, failure)
		}
		func() {
			defer func() { _ = recover() }()
			_ = d.InTx(t.Context(), func(tx *db.Tx) error { put(t, tx, "a", "1"); panic("no") })
		}()
		if n := count(t, d); n != 0 {
			t.Errorf("%d rows, want 0", n)
		}
		done := false
		if err := d.InTx(t.Context(), func(tx *db.Tx) error {
			put(t, tx, "a", "1")
			tx.OnCommit(func() { done = true })
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if n := count(t, d); n != 1 || !done {
			t.Errorf("%d rows, OnCommit ran %v; want 1, true", n, done)
		}
	})
}

func TestTryInsertAndIsDuplicate(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		err := d.InTx(t.Context(), func(tx *db.Tx) error {
			for i, want := range []bool{true, false, false} {
				got, err := tx.TryInsert(t.Context(), "INSERT INTO meta (name, value) VALUES (?, ?)", "k", "v")
				if err != nil || got != want {
					t.Errorf("insert %d: %v, %v; want %v", i, got, err, want)
				}
			}
			_, err := tx.Exec(t.Context(), "INSERT INTO meta (name, value) VALUES (?, ?)", "k", "v")
			if !db.IsDuplicate(err) || db.IsForeignKey(err) || db.IsCheck(err) {
				t.Errorf("%v is not taken for a duplicate key alone", err)
			}
			return nil
		})
		if err != nil || count(t, d) != 1 {
			t.Errorf("%v, %d rows; want 1 row", err, count(t, d))
		}
	})
}

func TestUpsert(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		insert := "INSERT INTO meta (name, value) VALUES (?, ?)"
		err := d.InTx(t.Context(), func(tx *db.Tx) error {
			for _, step := range []struct{ clause, value, want string }{
				{tx.Dialect().Upsert([]string{"name"}), "1", "1"},
				{tx.Dialect().Upsert([]string{"name"}), "2", "1"},
				{tx.Dialect().Upsert([]string{"name"}, "value"), "3", "3"},
			} {
				if _, err := tx.Exec(t.Context(), insert+step.clause, "k", step.value); err != nil {
					return err
				}
				var got string
				if err := tx.QueryRow(t.Context(), "SELECT value FROM meta WHERE name = ?", "k").Scan(&got); err != nil {
					return err
				}
				if got != step.want {
					t.Errorf("%s with %s: %s, want %s", step.clause, step.value, got, step.want)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestUpdateCountsWhatMatched(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		err := d.InTx(t.Context(), func(tx *db.Tx) error {
			put(t, tx, "k", "same")
			res, err := tx.Exec(t.Context(), "UPDATE meta SET value = ? WHERE name = ?", "same", "k")
			if err != nil {
				return err
			}
			if n, err := res.RowsAffected(); n != 1 || err != nil {
				t.Errorf("%d rows, %v; want 1", n, err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// Two rows locked in opposite orders deadlock on MySQL; InTx must carry every transaction through.
func TestInTxSurvivesDeadlocks(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		err := d.InTx(t.Context(), func(tx *db.Tx) error {
			put(t, tx, "a", "0")
			put(t, tx, "b", "0")
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		const workers, each = 4, 25
		var wg sync.WaitGroup
		for w := range workers {
			order := []string{"a", "b"}
			if w%2 == 1 {
				order = []string{"b", "a"}
			}
			wg.Go(func() {
				for range each {
					if err := d.InTx(t.Context(), func(tx *db.Tx) error { return addOne(t.Context(), tx, order) }); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		var sum int
		if err := d.QueryRow(t.Context(), "SELECT SUM(value) FROM meta").Scan(&sum); err != nil || sum != 2*workers*each {
			t.Errorf("sum %d, %v; want %d", sum, err, 2*workers*each)
		}
	})
}

func addOne(ctx context.Context, tx *db.Tx, names []string) error {
	for _, name := range names {
		var value int
		if err := tx.QueryRow(ctx, "SELECT value FROM meta WHERE name = ?"+tx.Dialect().ForUpdate(), name).Scan(&value); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "UPDATE meta SET value = ? WHERE name = ?", value+1, name); err != nil {
			return err
		}
	}
	return nil
}

func TestSnapshotSeesOneMoment(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		err := d.Snapshot(t.Context(), func(tx *db.Tx) error {
			var before, after int
			if err := tx.QueryRow(t.Context(), "SELECT COUNT(*) FROM meta").Scan(&before); err != nil {
				return err
			}
			if err := d.InTx(t.Context(), func(tx *db.Tx) error { put(t, tx, "new", "1"); return nil }); err != nil {
				return err
			}
			if err := tx.QueryRow(t.Context(), "SELECT COUNT(*) FROM meta").Scan(&after); err != nil {
				return err
			}
			if before != 0 || after != 0 {
				t.Errorf("saw %d, then %d rows; want 0 and 0", before, after)
			}
			return nil
		})
		if err != nil || count(t, d) != 1 {
			t.Errorf("%v; %d rows after, want 1", err, count(t, d))
		}
	})
}

func TestInTxStopsWithItsContext(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx, cancel := context.WithCancel(t.Context())
		err := d.InTx(ctx, func(tx *db.Tx) error {
			put(t, tx, "a", "1")
			cancel()
			return nil
		})
		if !errors.Is(err, context.Canceled) || errors.Is(err, db.ErrUnknownOutcome) {
			t.Errorf("error %v, want only context.Canceled", err)
		}
		if n := count(t, d); n != 0 {
			t.Errorf("%d rows, want 0", n)
		}
	})
}

func TestChunks(t *testing.T) {
	for _, n := range []int{0, 1, db.MaxIn, db.MaxIn + 1, 3 * db.MaxIn} {
		items, seen := make([]int64, n), 0
		for part, args := range db.Chunks(items) {
			if len(part) == 0 || len(part) > db.MaxIn || len(args) != len(part) {
				t.Errorf("%d items: part of %d with %d arguments", n, len(part), len(args))
			}
			seen += len(part)
		}
		if seen != n {
			t.Errorf("%d of %d items seen", seen, n)
		}
	}
	if got := db.In(3); got != "(?, ?, ?)" {
		t.Errorf("In(3) = %q", got)
	}
}

func put(t *testing.T, tx *db.Tx, name, value string) {
	t.Helper()
	if _, err := tx.Exec(t.Context(), "INSERT INTO meta (name, value) VALUES (?, ?)", name, value); err != nil {
		t.Error(err)
	}
}

func count(t *testing.T, d *db.DB) (n int) {
	t.Helper()
	if err := d.QueryRow(t.Context(), "SELECT COUNT(*) FROM meta").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

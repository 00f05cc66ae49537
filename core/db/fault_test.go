package db_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/test/mariadb"
)

// The server dies between the work and its commit: InTx must not run the work again, because it cannot know.
func TestCommitOfUnknownOutcomeIsNotRepeated(t *testing.T) {
	server, dsn := mariadb.StartServer(t)
	d := dbtest.Open(t, dsn)
	if err := d.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	runs := 0
	err := d.InTx(t.Context(), func(tx *db.Tx) error {
		runs++
		put(t, tx, "a", "1")
		return server.Kill()
	})
	if !errors.Is(err, db.ErrUnknownOutcome) || runs != 1 {
		t.Errorf("error %v after %d runs; want ErrUnknownOutcome after 1", err, runs)
	}
	if err := d.InTx(t.Context(), func(*db.Tx) error { return nil }); !db.IsTemporary(err) {
		t.Errorf("while the server is down: %v is not temporary", err)
	}
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := d.InTx(t.Context(), func(tx *db.Tx) error { put(t, tx, "b", "1"); return nil }); err != nil {
		t.Errorf("after the restart: %v", err)
	}
	if n := count(t, d); n != 1 {
		t.Errorf("%d rows, want the one from after the restart", n)
	}
}

// The server dies amid the work: nothing was committed, so the outcome is known.
func TestLostConnectionBeforeCommit(t *testing.T) {
	server, dsn := mariadb.StartServer(t)
	d := dbtest.Open(t, dsn)
	if err := d.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	err := d.InTx(t.Context(), func(tx *db.Tx) error {
		if err := server.Kill(); err != nil {
			t.Error(err)
		}
		_, err := tx.Exec(t.Context(), "INSERT INTO meta (name, value) VALUES ('a', '1')")
		return err
	})
	if err == nil || errors.Is(err, db.ErrUnknownOutcome) || !db.IsTemporary(err) {
		t.Errorf("error %v, want a temporary one of known outcome", err)
	}
}

func TestRetriesAreBoundedAndCounted(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	reg := prometheus.NewRegistry()
	d, err := db.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "core.db"), db.Options{Registerer: reg})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.Close() }()
	deadlock := &mysql.MySQLError{Number: 1213, Message: "Deadlock found"}
	runs := 0
	err = d.InTx(t.Context(), func(*db.Tx) error { runs++; return deadlock })
	if !errors.Is(err, deadlock) || runs != 10 {
		t.Errorf("error %v after %d runs, want the deadlock after 10", err, runs)
	}
	if retries, exhausted := gather(t, reg, "edgeref_db_transaction_retries_total"), gather(t, reg, "edgeref_db_transaction_retries_exhausted_total"); retries != 9 || exhausted != 1 {
		t.Errorf("%v retries and %v exhausted counted, want 9 and 1", retries, exhausted)
	}
	other := errors.New("other")
	runs = 0
	if err := d.InTx(t.Context(), func(*db.Tx) error { runs++; return other }); !errors.Is(err, other) || runs != 1 {
		t.Errorf("error %v after %d runs, want it after 1", err, runs)
	}
	ctx, cancel := context.WithCancel(t.Context())
	runs = 0
	err = d.InTx(ctx, func(*db.Tx) error { runs++; cancel(); return deadlock })
	if !errors.Is(err, context.Canceled) || !errors.Is(err, deadlock) || runs != 1 {
		t.Errorf("error %v after %d runs, want both after 1", err, runs)
	}
}

// Another process holds the file's write lock for a moment: writers here wait for it.
func TestWriterWaitsForAnotherProcess(t *testing.T) {
	dsn := "sqlite:" + filepath.Join(t.TempDir(), "core.db")
	one, two := dbtest.Open(t, dsn), dbtest.Open(t, dsn)
	if err := one.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	err := one.InTx(t.Context(), func(tx *db.Tx) error {
		put(t, tx, "a", "1")
		begun := make(chan struct{})
		go func() {
			close(begun)
			done <- two.InTx(context.WithoutCancel(t.Context()), func(tx *db.Tx) error { put(t, tx, "b", "1"); return nil })
		}()
		<-begun
		if n := count(t, two); n != 0 { // readers do not wait
			t.Errorf("%d rows seen before the commit", n)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-done:
		if err != nil || count(t, one) != 2 {
			t.Errorf("%v, %d rows; want 2", err, count(t, one))
		}
	case <-time.After(time.Minute):
		t.Fatal("the second writer does not come through")
	}
}

func BenchmarkInTx(b *testing.B) {
	d := dbtest.SQLite(b)
	n := 0
	for b.Loop() {
		n++
		err := d.InTx(b.Context(), func(tx *db.Tx) error {
			_, err := tx.Exec(b.Context(), "INSERT INTO visitor_salts (day, salt) VALUES (?, ?)", n, []byte("0123456789abcdef"))
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// Package sqlite keeps clicks and facts in one SQLite file, for a system on one machine. DESIGN.md, one folder up,
// says how and why: rows are kept by column, in blocks of one UTC day, and reports are computed from the columns.
package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/prometheus/client_golang/prometheus"
	_ "modernc.org/sqlite" // the driver
)

//go:embed migrations/*.sql
var migrations embed.FS

// Options of a store. The zero value of all but Path is a default.
type Options struct {
	Path       string                // of the database file; it is made if it does not exist, its folder is not
	Retention  time.Duration         // age at which the details of clicks are deleted; 0: never
	Logger     *slog.Logger          // nil: none
	Registerer prometheus.Registerer // nil: no metrics
	CacheBytes int64                 // memory for parts of reports that were computed before; 0: 32 MiB, negative: none
	Clock      func() time.Time      // nil: time.Now

	// Of tests.
	maxPages    int           // of the file; 0: no limit
	busyTimeout time.Duration // 0: busyTimeout
}

const (
	cacheBytes  = 32 << 20
	readers     = 4
	busyTimeout = 10 * time.Second
)

// Store is an analytics store in a SQLite file. It is safe for concurrent use; appends wait for each other, reports
// wait for nobody.
type Store struct {
	path      string
	retention time.Duration
	log       *slog.Logger
	clock     func() time.Time
	metrics   *metrics
	parts     *parts

	write *sql.DB // one connection
	read  *sql.DB

	stop context.CancelFunc
	done sync.WaitGroup
}

// Open opens or makes the database, brings its schema up to date and starts its maintenance. Close the store to end it.
func Open(ctx context.Context, o Options) (*Store, error) {
	s := &Store{path: o.Path, retention: o.Retention, log: o.Logger, clock: o.Clock}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.clock == nil {
		s.clock = time.Now
	}
	if o.Path == "" {
		return nil, errors.New("open analytics: no path of the database file is set")
	}
	if o.Retention < 0 {
		return nil, fmt.Errorf("open analytics: retention %v is negative: set 0 to keep everything", o.Retention)
	}
	var err error
	if s.metrics, err = newMetrics(o.Registerer); err != nil {
		return nil, fmt.Errorf("open analytics: register metrics: %w", err)
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = cacheBytes
	}
	s.parts = newParts(max(0, o.CacheBytes), s.metrics)
	if err := s.open(ctx, o); err != nil {
		return nil, errors.Join(s.wrap("open analytics", err), s.closeDBs())
	}
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	s.done.Go(func() { s.maintainForever(background) })
	return s, nil
}

func (s *Store) open(ctx context.Context, o Options) error {
	if o.busyTimeout == 0 {
		o.busyTimeout = busyTimeout
	}
	// FULL: what has been acknowledged survives a power failure, because the spool deletes it then.
	pragmas := []string{
		"page_size(8192)", "synchronous(FULL)", "temp_store(MEMORY)", "cache_size(-16000)",
		"busy_timeout(" + strconv.FormatInt(o.busyTimeout.Milliseconds(), 10) + ")",
	}
	if o.maxPages > 0 {
		pragmas = append(pragmas, "max_page_count("+strconv.Itoa(o.maxPages)+")")
	}
	var err error
	if s.write, err = sql.Open("sqlite", dsn(o.Path, append(pragmas, "wal_autocheckpoint(2000)"), "immediate")); err != nil {
		return err
	}
	s.write.SetMaxOpenConns(1)
	schema, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, s.write, schema)
	if err != nil {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if s.read, err = sql.Open("sqlite", dsn(o.Path, append(pragmas, "query_only(1)"), "deferred")); err != nil {
		return err
	}
	s.read.SetMaxOpenConns(readers)
	s.read.SetMaxIdleConns(readers)
	return s.read.PingContext(ctx)
}

func dsn(path string, pragmas []string, lock string) string {
	// Given in this way the journal mode is set after the pragmas; the page size can only be set before it.
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath()}
	u.RawQuery = url.Values{"_pragma": pragmas, "_journal_mode": {"WAL"}, "_txlock": {lock}}.Encode()
	return u.String()
}

// Ping reports whether the file answers.
func (s *Store) Ping(ctx context.Context) error {
	var n int
	if err := s.read.QueryRowContext(ctx, "SELECT COUNT(*) FROM sqlite_schema").Scan(&n); err != nil {
		return s.wrap("reach analytics", err)
	}
	return nil
}

// Close ends the maintenance and closes the file. Calls that are under way are waited for.
func (s *Store) Close() error {
	s.stop()
	s.done.Wait()
	return s.closeDBs()
}

func (s *Store) closeDBs() error {
	var errs []error
	for _, db := range []*sql.DB{s.read, s.write} { // the writer last: it removes the write-ahead log
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}

// inTx runs fn in a transaction of the writer. An error, or a panic, of fn leaves nothing behind.
func (s *Store) inTx(ctx context.Context, fn func(*sql.Tx) error) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // does nothing after Commit
	if err := fn(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// inSnapshot runs fn on one unchanging state of the database.
func (s *Store) inSnapshot(ctx context.Context, fn func(*sql.Tx) error) error {
	tx, err := s.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	return fn(tx)
}

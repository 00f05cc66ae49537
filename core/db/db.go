// Package db is the core's one way to a database: MySQL (or MariaDB), and SQLite where one machine is enough.
//
// SQL is written once, plain, with ? placeholders; the few places where the dialects differ have a helper here. All
// writes go through InTx. Times are stored as Unix milliseconds, money as minor units, identifiers as BIGINT.
package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"log/slog"
	"slices"
	"strings"
)

// Dialect is the SQL dialect of a database.
type Dialect uint8

// Dialects. MariaDB is MySQL here: only what both understand is used.
const (
	SQLite Dialect = 1
	MySQL  Dialect = 2
)

// String is the name of the dialect, which is also the name of its folder of migrations.
func (d Dialect) String() string {
	if d == MySQL {
		return "mysql"
	}
	return "sqlite"
}

// Options are what Open needs beside the data source name. The zero Options are good for tests.
type Options struct {
	Logger     *slog.Logger          // default: none
	Registerer prometheus.Registerer // default: metrics are not exported
	// MaxConns limits connections to MySQL, and readers of SQLite. Default 16, and 4 for SQLite.
	MaxConns int
	// Scratch makes SQLite not wait for the disk: a loss of power may take everything. It is for filling a database that can
	// be made again.
	Scratch bool
}

// DB is an open database. It is safe for concurrent use.
type DB struct {
	dialect Dialect
	write   *sql.DB // SQLite: one connection, so that writers queue here and not in the busy handler
	read    *sql.DB // MySQL: the same pool as write
	// patient is for what may work for minutes before it answers: MySQL: a pool without a read timeout, whose callers'
	// contexts bound it; SQLite: the same as read.
	patient *sql.DB
	log     *slog.Logger
	metrics *metrics
}

// Querier reads. DB answers from what is committed, Tx from inside its transaction.
type Querier interface {
	Query(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRow(ctx context.Context, query string, args ...any) *sql.Row
	Dialect() Dialect
}

// Open connects to the database named by dsn and checks that it answers:
//
//	sqlite:PATH                             the file is made if it is missing; its folder must exist
//	mysql:USER:PASS@tcp(HOST:PORT)/DB       the form of go-sql-driver/mysql after the prefix
//
// Character set, time zone and SQL mode are ours whatever dsn says. Errors never hold the password.
func Open(ctx context.Context, dsn string, opts Options) (*DB, error) {
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	d := &DB{log: opts.Logger}
	scheme, rest, ok := strings.Cut(dsn, ":")
	var err error
	switch {
	case ok && scheme == "sqlite":
		err = d.openSQLite(rest, opts)
	case ok && scheme == "mysql":
		err = d.openMySQL(rest, opts.MaxConns)
	default:
		err = errors.New("database: want sqlite:PATH or mysql:USER:PASS@tcp(HOST:PORT)/DB")
	}
	if err != nil {
		return nil, err
	}
	if err := d.Ping(ctx); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	d.metrics = newMetrics(opts.Registerer)
	if opts.Registerer != nil {
		opts.Registerer.MustRegister(collectors.NewDBStatsCollector(d.write, d.dialect.String()))
	}
	return d, nil
}

// Dialect is the dialect of the database.
func (d *DB) Dialect() Dialect { return d.dialect }

// Ping reports whether the database answers.
func (d *DB) Ping(ctx context.Context) error {
	var one int
	if err := d.read.QueryRowContext(ctx, "SELECT 1").Scan(&one); err != nil {
		return fmt.Errorf("reach %s database: %w", d.dialect, err)
	}
	return nil
}

// Size is how many bytes the database takes, as far as its server says.
func (d *DB) Size(ctx context.Context) (n int64, err error) {
	query := "SELECT (SELECT page_count FROM pragma_page_count()) * (SELECT page_size FROM pragma_page_size())"
	if d.dialect == MySQL {
		query = "SELECT CAST(COALESCE(SUM(data_length + index_length), 0) AS SIGNED) FROM information_schema.tables WHERE table_schema = DATABASE()"
	}
	if err := d.read.QueryRowContext(ctx, query).Scan(&n); err != nil {
		return 0, fmt.Errorf("read size of %s database: %w", d.dialect, err)
	}
	return n, nil
}

// Query reads rows from what is committed. The caller closes the rows.
func (d *DB) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return d.read.QueryContext(ctx, query, args...)
}

// QueryRow reads one row from what is committed.
func (d *DB) QueryRow(ctx context.Context, query string, args ...any) *sql.Row {
	return d.read.QueryRowContext(ctx, query, args...)
}

// Close ends all connections. Transactions under way fail.
func (d *DB) Close() error {
	pools := []*sql.DB{d.write}
	for _, pool := range []*sql.DB{d.read, d.patient} {
		if !slices.Contains(pools, pool) {
			pools = append(pools, pool)
		}
	}
	var errs []error
	for _, pool := range pools {
		if pool == nil {
			continue
		}
		// Closing a connection to MySQL only says goodbye. Where it has died meanwhile that cannot be said, and need not be;
		// the driver has several words for it.
		if err := pool.Close(); err != nil && d.dialect != MySQL {
			errs = append(errs, err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close database: %w", err)
	}
	return nil
}

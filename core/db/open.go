package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

const (
	defaultConns      = 16
	defaultReaders    = 4
	sqliteBusyMS      = "5000"
	scratchCheckpoint = "wal_autocheckpoint(20000)" // pages: each page is copied back once for many commits
	scratchCache      = "cache_size(-65536)"        // KiB
	mysqlDialTimeout  = 5 * time.Second
	mysqlConnLifetime = 10 * time.Minute // follow a failover and shed what a proxy forgot
	mysqlLockWaitSecs = "5"              // the server's 50 s would outlast every caller
	// mysqlIOTimeout ends the wait for a server that no longer answers, nor closes the connection. No statement of ours
	// works for as long, except those that go to the patient pool.
	mysqlIOTimeout     = 30 * time.Second
	patientConns       = 4
	mysqlSQLMode       = "'STRICT_ALL_TABLES,ONLY_FULL_GROUP_BY,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'"
	mysqlReadCommitted = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"
)

// openSQLite opens a writer and readers on the file. synchronous=FULL, because a conversion that was acknowledged
// must survive loss of power: its edge node forgets it then. secure_delete, because a deleted visitor salt must not
// linger in a free page.
func (d *DB) openSQLite(path string, opts Options) error {
	d.dialect = SQLite
	if path == "" || path == ":memory:" {
		return errors.New("database: sqlite: needs the path of a file")
	}
	// The file holds postback secrets: nobody but its owner reads it. SQLite gives its -wal and -shm the same mode.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("open database file (does its folder exist?): %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("open database file: %w", err)
	}
	readers := opts.MaxConns
	if readers <= 0 {
		readers = defaultReaders
	}
	pragmas := []string{"busy_timeout(" + sqliteBusyMS + ")", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "secure_delete(1)"}
	if opts.Scratch {
		pragmas = append(pragmas, "synchronous(OFF)", scratchCheckpoint, scratchCache)
	}
	base := url.Values{
		"_pragma": pragmas,
		"_dqs":    {"0"}, // "x" is a name, never a text
	}
	writer, reader := clone(base), clone(base)
	writer.Set("_txlock", "immediate")
	reader.Add("_pragma", "query_only(1)")

	name := "file:" + strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path) + "?"
	open := func(dsn string) (*sql.DB, error) { return sql.Open("sqlite", dsn) }
	if opts.Scratch {
		open = openKeeping
	}
	if d.write, err = open(name + writer.Encode()); err != nil {
		return fmt.Errorf("open sqlite database %s: %w", path, err)
	}
	d.write.SetMaxOpenConns(1)
	// The writer goes first: it is the one that may turn a new file to WAL.
	if err := d.write.Ping(); err != nil {
		return errors.Join(fmt.Errorf("open sqlite database %s: %w", path, err), d.write.Close())
	}
	if d.read, err = open(name + reader.Encode()); err != nil {
		return errors.Join(fmt.Errorf("open sqlite database %s: %w", path, err), d.write.Close())
	}
	d.read.SetMaxOpenConns(readers)
	d.read.SetMaxIdleConns(readers)
	d.patient = d.read
	return nil
}

func clone(v url.Values) url.Values {
	out := make(url.Values, len(v))
	for key, values := range v {
		out[key] = append([]string(nil), values...)
	}
	return out
}

func (d *DB) openMySQL(dsn string, conns int) error {
	d.dialect = MySQL
	cfg, err := mysql.ParseDSN(dsn)
	if err != nil {
		// The driver's errors quote parts of the DSN, which holds the password.
		return errors.New("database: mysql: cannot read the DSN, want USER:PASS@tcp(HOST:PORT)/DB")
	}
	if cfg.DBName == "" {
		return errors.New("database: mysql: the DSN names no database")
	}
	cfg.Loc = time.UTC
	cfg.ParseTime = true // for the table of migrations alone; ours hold no dates
	cfg.MultiStatements = false
	cfg.InterpolateParams = true // saves the round trip of a prepare; safe with utf8mb4
	cfg.ClientFoundRows = true   // RowsAffected of an UPDATE counts what matched, as in SQLite
	cfg.Logger = &mysql.NopLogger{}
	cfg.RejectReadOnly = true // a connection to a server that has become a replica is not used again
	if cfg.Timeout == 0 {
		cfg.Timeout = mysqlDialTimeout
	}
	if cfg.ReadTimeout == 0 {
		cfg.ReadTimeout = mysqlIOTimeout
	}
	if cfg.WriteTimeout == 0 {
		cfg.WriteTimeout = mysqlIOTimeout
	}
	if err := cfg.Apply(mysql.Charset("utf8mb4", "utf8mb4_bin")); err != nil {
		return fmt.Errorf("database: mysql: %w", err)
	}
	if cfg.Params == nil {
		cfg.Params = map[string]string{}
	}
	cfg.Params["time_zone"] = "'+00:00'"
	cfg.Params["sql_mode"] = mysqlSQLMode
	cfg.Params["innodb_lock_wait_timeout"] = mysqlLockWaitSecs
	if conns <= 0 {
		conns = defaultConns
	}
	if d.write, err = mysqlPool(cfg, conns, conns); err != nil {
		return err
	}
	d.read = d.write
	patient := cfg.Clone()
	patient.ReadTimeout = 0
	d.patient, err = mysqlPool(patient, patientConns, 1)
	return err
}

func mysqlPool(cfg *mysql.Config, conns, idle int) (*sql.DB, error) {
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, errors.New("database: mysql: the DSN has a setting that does not fit")
	}
	pool := sql.OpenDB(readCommitted{connector})
	pool.SetMaxOpenConns(conns)
	pool.SetMaxIdleConns(idle)
	pool.SetConnMaxLifetime(mysqlConnLifetime)
	return pool, nil
}

// readCommitted sets the isolation level of each new connection. It is a statement and not a parameter because MySQL
// and MariaDB name the variable differently. READ COMMITTED takes no gap locks and reads what a lock waited for.
type readCommitted struct{ driver.Connector }

func (c readCommitted) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	execer, ok := conn.(driver.ExecerContext)
	if !ok {
		return nil, errors.Join(errors.New("mysql driver cannot execute directly"), conn.Close())
	}
	if _, err := execer.ExecContext(ctx, mysqlReadCommitted, nil); err != nil {
		return nil, errors.Join(fmt.Errorf("set isolation level: %w", err), conn.Close())
	}
	return conn, nil
}

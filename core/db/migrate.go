package db

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/pressly/goose/v3"
)

//go:embed migrations
var migrations embed.FS

// migrateLockSecs bounds how long one core waits while another migrates.
const migrateLockSecs = 120

// Migration is one step of the schema.
type Migration struct {
	Version   int64
	Name      string // file name
	AppliedAt time.Time
	Applied   bool
}

// Migrate brings the schema to the newest version; on a database that is there already it does nothing. Several
// cores may call it at once. On MySQL each file is one statement that may be repeated, because DDL does not roll back;
// an ALTER counts as repeatable too, see noteAltered.
func (d *DB) Migrate(ctx context.Context) error {
	unlock, err := d.lockMigrations(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	provider, err := d.provider()
	if err != nil {
		return err
	}
	results, err := provider.Up(ctx)
	for d.noteAltered(ctx, err) {
		results, err = provider.Up(ctx)
	}
	if err != nil {
		return fmt.Errorf("migrate database (the schema stays at the last step that worked; solve the cause and start again): %w", err)
	}
	for _, r := range results {
		d.log.Info("database migrated", "step", r.Source.Path, "took", r.Duration)
	}
	return nil
}

// noteAltered reports whether err is about an ALTER of MySQL that was carried out before, and then notes that it was. One
// ALTER statement takes effect as a whole or not at all; so where its column or key is there already, or its key is gone, the
// process that altered the table died before it could note it.
func (d *DB) noteAltered(ctx context.Context, err error) bool {
	failed, ok := errors.AsType[*goose.PartialError](err)
	if !ok || d.dialect != MySQL || !is(failed.Err, []uint16{mysqlDuplicateColumn, mysqlDuplicateKey, mysqlNothingToDrop}, nil) {
		return false
	}
	_, err = d.write.ExecContext(ctx, "INSERT INTO schema_migrations (version_id, is_applied) VALUES (?, TRUE)", failed.Failed.Source.Version)
	return err == nil
}

// MigrationStatus lists all steps in order, with whether and when they were applied.
func (d *DB) MigrationStatus(ctx context.Context) ([]Migration, error) {
	provider, err := d.provider()
	if err != nil {
		return nil, err
	}
	status, err := provider.Status(ctx)
	if err != nil {
		return nil, fmt.Errorf("read migration status: %w", err)
	}
	out := make([]Migration, 0, len(status))
	for _, s := range status {
		out = append(out, Migration{
			Version: s.Source.Version, Name: s.Source.Path, AppliedAt: s.AppliedAt, Applied: s.State == goose.StateApplied,
		})
	}
	return out, nil
}

func (d *DB) provider() (*goose.Provider, error) {
	dir, err := fs.Sub(migrations, "migrations/"+d.dialect.String())
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	dialect := goose.DialectSQLite3
	if d.dialect == MySQL {
		dialect = goose.DialectMySQL
	}
	// Each domain numbers its steps in a range of its own, so a new step may have a lower number than one that was applied.
	provider, err := goose.NewProvider(dialect, d.migrator(), dir, goose.WithDisableGlobalRegistry(true), goose.WithTableName("schema_migrations"),
		goose.WithAllowOutofOrder(true))
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	return provider, nil
}

// migrator is the pool for steps of the schema, which take as long as the tables are large.
func (d *DB) migrator() *sql.DB {
	if d.dialect == MySQL {
		return d.patient
	}
	return d.write
}

// lockMigrations keeps other cores from migrating the same MySQL database. A SQLite file has one core.
func (d *DB) lockMigrations(ctx context.Context) (unlock func(), err error) {
	if d.dialect != MySQL {
		return func() {}, nil
	}
	conn, err := d.migrator().Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("lock migrations: %w", err)
	}
	// Lock names are the server's, so the database's name is part of ours; they have 64 characters at most.
	const name = "LEFT(CONCAT('edgeref migrate ', DATABASE()), 64)"
	var got *int64
	if err := conn.QueryRowContext(ctx, "SELECT GET_LOCK("+name+", ?)", migrateLockSecs).Scan(&got); err != nil {
		return nil, errors.Join(fmt.Errorf("lock migrations: %w", err), conn.Close())
	}
	if got == nil || *got != 1 {
		return nil, errors.Join(fmt.Errorf("lock migrations: another core has been migrating for %d s; wait for it and start again", migrateLockSecs), conn.Close())
	}
	return func() {
		// A lock goes with its connection, so a failure here is mended by closing it.
		_, _ = conn.ExecContext(context.WithoutCancel(ctx), "DO RELEASE_LOCK("+name+")")
		_ = conn.Close()
	}, nil
}

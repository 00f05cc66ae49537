package clickhouse

import (
	"bytes"
	"context"
	"database/sql"
	"embed"
	"fmt"
	"path"
	"strconv"
	"strings"
	"text/template"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// deduplicationWindow is how many batches a table remembers. A batch that is sent again after that many others would be
// stored twice: with ten trackers that send once a second, after nearly three hours.
const deduplicationWindow = 100_000

// Migrate brings the tables to the current version and applies Options.Retention. It can run again at any time, also
// after it was interrupted: every statement is idempotent.
func (s *Store) Migrate(ctx context.Context) error {
	steps, err := s.migrations()
	if err != nil {
		return fmt.Errorf("migrate clickhouse: %w", err)
	}
	db := clickhouse.OpenDB(s.client)
	defer db.Close()
	provider, err := goose.NewProvider(goose.DialectClickHouse, db, nil,
		goose.WithGoMigrations(steps...), goose.WithDisableGlobalRegistry(true), goose.WithTableName("schema_version"))
	if err != nil {
		return fmt.Errorf("migrate clickhouse: %w", err)
	}
	results, err := provider.Up(ctx)
	if err != nil {
		return fmt.Errorf("migrate clickhouse: %w", err)
	}
	for _, r := range results {
		s.log.Info("migrated clickhouse", "version", r.Source.Version, "took", r.Duration)
	}
	if err := s.applyRetention(ctx); err != nil {
		return fmt.Errorf("migrate clickhouse: apply retention: %w", err)
	}
	return nil
}

// migrations returns one goose migration a file. The files are templates, for which goose has no kind of its own.
func (s *Store) migrations() ([]*goose.Migration, error) {
	entries, err := migrations.ReadDir("migrations")
	if err != nil {
		return nil, err
	}
	var steps []*goose.Migration
	for _, entry := range entries {
		number, _, _ := strings.Cut(entry.Name(), "_")
		version, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", entry.Name(), err)
		}
		statements, err := ddl{cluster: s.opts.Cluster}.render(entry.Name())
		if err != nil {
			return nil, err
		}
		steps = append(steps, goose.NewGoMigration(version, &goose.GoFunc{RunDB: func(ctx context.Context, db *sql.DB) error {
			for _, statement := range statements {
				if _, err := db.ExecContext(ctx, statement); err != nil {
					return fmt.Errorf("%s: %w", entry.Name(), err)
				}
			}
			return nil
		}}, nil))
	}
	return steps, nil
}

// ddl is what the files use of the configuration.
type ddl struct{ cluster string }

// OnCluster follows the name of what a statement creates.
func (d ddl) OnCluster() string {
	if d.cluster == "" {
		return ""
	}
	return "ON CLUSTER `" + d.cluster + "`"
}

// Engine is the table engine of that family. Replicated tables use the server's own path and replica name.
func (d ddl) Engine(family string) string {
	if d.cluster == "" {
		return family
	}
	return "Replicated" + family
}

// Window makes a table remember its batches. Plain tables remember none unless told to.
func (d ddl) Window() string {
	n := strconv.Itoa(deduplicationWindow)
	week := strconv.Itoa(int((7 * 24 * time.Hour).Seconds()))
	return "non_replicated_deduplication_window = " + n + ", replicated_deduplication_window = " + n +
		", replicated_deduplication_window_seconds = " + week
}

// render returns the statements of a file.
func (d ddl) render(file string) ([]string, error) {
	t, err := template.ParseFS(migrations, path.Join("migrations", file))
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := t.Execute(&out, d); err != nil {
		return nil, err
	}
	var statements []string
	for statement := range strings.SplitSeq(out.String(), ";\n") {
		if statement = strings.TrimSpace(statement); statement != "" {
			statements = append(statements, statement)
		}
	}
	return statements, nil
}

// applyRetention makes the table's TTL that of the options. Rows that are too old go with the next merges.
func (s *Store) applyRetention(ctx context.Context) error {
	var engine string
	row := s.conn.QueryRow(ctx, "SELECT engine_full FROM system.tables WHERE database = currentDatabase() AND name = 'clicks'")
	if err := row.Scan(&engine); err != nil {
		return err
	}
	target := "clicks " + ddl{cluster: s.opts.Cluster}.OnCluster()
	if s.opts.Retention == 0 {
		if !strings.Contains(engine, " TTL ") {
			return nil
		}
		return s.conn.Exec(ctx, "ALTER TABLE "+target+" REMOVE TTL")
	}
	ttl := fmt.Sprintf("TTL toDateTime(time) + toIntervalDay(%d)", int64(s.opts.Retention/(24*time.Hour)))
	if strings.Contains(engine, ttl) {
		return nil
	}
	ctx = clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{"materialize_ttl_after_modify": 0}))
	s.log.Info("changing the retention of clicks", "retention", s.opts.Retention)
	return s.conn.Exec(ctx, "ALTER TABLE "+target+" MODIFY "+ttl)
}

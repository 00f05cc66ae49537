package clickhouse

import (
	"bytes"
	"context"
	"database/sql"
	"embed"
	"errors"
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
	if err == nil {
		err = s.checkSharding(ctx)
	}
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
	if s.opts.Sharded {
		for _, statement := range s.opts.ddl().distributed() {
			if err := s.conn.Exec(ctx, statement); err != nil {
				return fmt.Errorf("migrate clickhouse: make distributed tables: %w", err)
			}
		}
	}
	if err := s.applyRetention(ctx); err != nil {
		return fmt.Errorf("migrate clickhouse: apply retention: %w", err)
	}
	return nil
}

// checkSharding refuses tables that were made with another setting.
func (s *Store) checkSharding(ctx context.Context) error {
	var engines []string
	row := s.conn.QueryRow(ctx, "SELECT groupArray(engine) FROM system.tables WHERE database = currentDatabase() AND name = 'clicks'")
	if err := row.Scan(&engines); err != nil {
		return fmt.Errorf("look for the table of clicks: %w", explain(ctx, err))
	}
	if len(engines) == 0 || (engines[0] == "Distributed") == s.opts.Sharded {
		return nil
	}
	if s.opts.Sharded {
		return fmt.Errorf("the table clicks is %s, not Distributed: it was made for one shard; see \"Several shards\" in docs/clickhouse.md", engines[0])
	}
	return errors.New("the table clicks is Distributed: set analytics.clickhouse.sharded")
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
		statements, err := s.opts.ddl().render(entry.Name())
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
type ddl struct {
	cluster, database string
	sharded           bool
}

func (o *Options) ddl() ddl { return ddl{cluster: o.Cluster, database: o.Database, sharded: o.Sharded} }

// Local is the name of the table that has the rows of that name: where there are several shards, the name itself is that of
// the Distributed table in front.
func (d ddl) Local(table string) string {
	if d.sharded {
		return table + "_local"
	}
	return table
}

// distributed are the statements for the Distributed tables. They are made anew at each Migrate, so that they have the
// columns of the tables behind. Clicks and facts are spread by their Click ID: a batch is cut in the same way however often
// it is sent, so each shard knows its part by the batch's ID; a fact that comes again comes to the same shard, and is
// where its click is.
func (d ddl) distributed() (statements []string) {
	for _, table := range [][2]string{{"clicks", ", cityHash64(click_id)"}, {"clicks_quarterly", ""}, {"facts", ", cityHash64(click_id)"}} {
		statements = append(statements, fmt.Sprintf("CREATE OR REPLACE TABLE %s %s AS %s ENGINE = Distributed('%s', '%s', '%s'%s)",
			table[0], d.OnCluster(), d.Local(table[0]), d.cluster, d.database, d.Local(table[0]), table[1]))
	}
	return statements
}

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
	table := s.opts.ddl().Local("clicks")
	row := s.conn.QueryRow(ctx, "SELECT engine_full FROM system.tables WHERE database = currentDatabase() AND name = {name:String}", clickhouse.Named("name", table))
	if err := row.Scan(&engine); err != nil {
		return err
	}
	target := table + " " + s.opts.ddl().OnCluster()
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

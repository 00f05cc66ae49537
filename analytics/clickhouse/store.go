// Package clickhouse keeps clicks and facts in ClickHouse and answers reports from there.
package clickhouse

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"
)

// Options say where ClickHouse is and how to use it. Only Addr and Database are needed.
type Options struct {
	Addr     []string // host:port of the native protocol; several are replicas of one another, tried in this order
	Database string   // see CreateDatabase
	Username string   // "": "default"
	Password string
	TLS      *tls.Config // nil: no TLS

	Cluster   string        // name of a cluster: DDL runs ON CLUSTER and tables are Replicated. "": one server
	Sharded   bool          // the cluster has several shards: Distributed tables are in front of those on each
	Retention time.Duration // of single clicks, in whole days; roll-ups and facts stay. 0: for ever

	// ContentCodes are further error codes of the server that are about the content of a batch. They must come from the
	// tables of this package, not from views that somebody else made on them: those are told of a batch that is stored.
	ContentCodes []int32

	Compression   string        // of what goes over the network: "lz4", "zstd" or "none"; "": lz4
	MaxConns      int           // connections at a time; 0: 8
	DialTimeout   time.Duration // also the longest wait for a free connection; 0: 5 s
	AppendTimeout time.Duration // of one batch; 0: 60 s
	QueryTimeout  time.Duration // of one statement of a report; 0: 30 s

	Logger     *slog.Logger          // nil: discards
	Registerer prometheus.Registerer // nil: no metrics
}

// Limits of a server that this package knows how to use.
const (
	minMajor, minMinor = 24, 8 // retried batches are dropped in materialized views too, by their own token
	minRetention       = 24 * time.Hour
)

// unknownDatabase is ClickHouse's error code.
const unknownDatabase = 81

// Store is a connection pool. Its methods are safe for concurrent use.
type Store struct {
	opts    Options
	conn    driver.Conn
	checked atomic.Bool // the server has been found new enough
	blocks  sync.Pool   // of *clickBlock

	compared comparison
	client   *clickhouse.Options
	metrics  *metrics
	log      *slog.Logger
}

// Open is New for a server that has to answer now.
func Open(ctx context.Context, opts Options) (*Store, error) {
	s, err := New(opts)
	if err != nil {
		return nil, err
	}
	err = s.check(ctx)
	if err == nil {
		err = s.Ping(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open clickhouse at %v: %w", opts.Addr, err), s.conn.Close())
	}
	return s, nil
}

// New returns a store without talking to the server, which may be down: calls fail until it is up. The first call that
// reaches it checks that it is new enough. Tables must be there: see Migrate.
func New(opts Options) (*Store, error) {
	if err := opts.complete(); err != nil {
		return nil, fmt.Errorf("open clickhouse: %w", err)
	}
	client := opts.client()
	conn, err := clickhouse.Open(client)
	if err != nil {
		return nil, fmt.Errorf("open clickhouse: %w", err)
	}
	return &Store{
		opts: opts, conn: conn, client: client, metrics: newMetrics(opts.Registerer), log: opts.Logger,
		blocks: sync.Pool{New: func() any { return newClickBlock() }},
	}, nil
}

func (o *Options) client() *clickhouse.Options {
	return &clickhouse.Options{
		Addr:            o.Addr,
		Auth:            clickhouse.Auth{Database: o.Database, Username: o.Username, Password: o.Password},
		TLS:             o.TLS,
		DialTimeout:     o.DialTimeout,
		MaxOpenConns:    o.MaxConns,
		MaxIdleConns:    o.MaxConns,
		ConnMaxLifetime: time.Hour,
		ReadTimeout:     max(o.AppendTimeout, o.QueryTimeout),
		Settings:        o.settings(),
		Compression:     &clickhouse.Compression{Method: compressions()[o.Compression]},
	}
}

// settings are those of every statement. With several shards an insert has to wait for all of them, and what a subquery
// looks for is on the shard that asks.
func (o *Options) settings() clickhouse.Settings {
	if !o.Sharded {
		return nil
	}
	return clickhouse.Settings{"insert_distributed_sync": 1, "distributed_product_mode": "local"}
}

func compressions() map[string]clickhouse.CompressionMethod {
	return map[string]clickhouse.CompressionMethod{
		"lz4": clickhouse.CompressionLZ4, "zstd": clickhouse.CompressionZSTD, "none": clickhouse.CompressionNone,
	}
}

// CreateDatabase makes opts.Database if it is missing. A server that is too old is left as it is.
func CreateDatabase(ctx context.Context, opts Options) error {
	if err := opts.complete(); err != nil {
		return fmt.Errorf("create clickhouse database: %w", err)
	}
	client := opts.client()
	client.Auth.Database = "" // the user's own, which is there
	conn, err := clickhouse.Open(client)
	if err != nil {
		return fmt.Errorf("create clickhouse database: %w", err)
	}
	defer conn.Close()
	version, err := conn.ServerVersion()
	if err == nil {
		err = checkVersion(version.Version.Major, version.Version.Minor)
	}
	if err != nil {
		return fmt.Errorf("create clickhouse database %s at %v: %w", opts.Database, opts.Addr, explain(ctx, err))
	}
	statement := "CREATE DATABASE IF NOT EXISTS " + opts.Database // its characters have been checked
	if opts.Cluster != "" {
		statement += " ON CLUSTER '" + opts.Cluster + "'"
	}
	if err := conn.Exec(ctx, statement); err != nil {
		return fmt.Errorf("create clickhouse database %s at %v: %w", opts.Database, opts.Addr, err)
	}
	return nil
}

// check makes sure, once, that the server is new enough.
func (s *Store) check(ctx context.Context) error {
	if s.checked.Load() {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	version, err := s.conn.ServerVersion()
	if exception := (*clickhouse.Exception)(nil); errors.As(err, &exception) && exception.Code == unknownDatabase {
		return fmt.Errorf("make it with edgeref migrate, or CREATE DATABASE %s: %w", s.opts.Database, err)
	}
	if err != nil {
		return explain(ctx, err)
	}
	if err := checkVersion(version.Version.Major, version.Version.Minor); err != nil {
		return err
	}
	s.checked.Store(true)
	return nil
}

// Ping asks the server for an answer.
func (s *Store) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.opts.DialTimeout)
	defer cancel()
	if err := s.conn.Ping(ctx); err != nil {
		return fmt.Errorf("ping clickhouse: %w", err)
	}
	return nil
}

// Close closes the connections. Calls that run end with an error.
func (s *Store) Close() error {
	if err := s.conn.Close(); err != nil {
		return fmt.Errorf("close clickhouse: %w", err)
	}
	return nil
}

// ErrServerTooOld says that the server lacks what exactly-once delivery needs.
var ErrServerTooOld = errors.New("the server is too old")

func checkVersion(major, minor uint64) error {
	if major < minMajor || (major == minMajor && minor < minMinor) {
		return fmt.Errorf("%w: it is %d.%d, but batches that are sent twice count once only from %d.%d on: upgrade ClickHouse",
			ErrServerTooOld, major, minor, minMajor, minMinor)
	}
	return nil
}

// complete fills in defaults and checks the rest.
func (o *Options) complete() error {
	if len(o.Addr) == 0 {
		return errors.New("no address: set host:port of the native protocol (9000, or 9440 with TLS)")
	}
	name := regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`)
	if !name.MatchString(o.Database) {
		return fmt.Errorf("database %q: use letters, digits and underscores", o.Database)
	}
	if o.Cluster != "" && !regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`).MatchString(o.Cluster) {
		return fmt.Errorf("cluster %q: use letters, digits, hyphens and underscores", o.Cluster)
	}
	if o.Sharded && o.Cluster == "" {
		return errors.New("sharded: name the cluster as well")
	}
	if o.Retention != 0 && (o.Retention < minRetention || o.Retention%minRetention != 0) {
		return fmt.Errorf("retention %s: use whole days, or 0 to keep clicks for ever", o.Retention)
	}
	if o.Compression == "" {
		o.Compression = "lz4"
	}
	if _, known := compressions()[o.Compression]; !known {
		return fmt.Errorf("compression %q: use lz4, zstd or none", o.Compression)
	}
	if o.MaxConns == 0 {
		o.MaxConns = 8
	}
	for _, d := range []struct {
		value    *time.Duration
		standard time.Duration
	}{{&o.DialTimeout, 5 * time.Second}, {&o.AppendTimeout, time.Minute}, {&o.QueryTimeout, 30 * time.Second}} {
		if *d.value == 0 {
			*d.value = d.standard
		}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return nil
}

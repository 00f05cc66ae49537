package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/edgeref/edgeref/analytics/clickhouse"
	"github.com/edgeref/edgeref/analytics/sqlite"
	"github.com/edgeref/edgeref/config"
	"github.com/edgeref/edgeref/core/api"
	"github.com/edgeref/edgeref/core/catalog"
	"github.com/edgeref/edgeref/core/commission"
	"github.com/edgeref/edgeref/core/conversion"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/edgeapi"
	"github.com/edgeref/edgeref/core/ledger"
	"github.com/edgeref/edgeref/core/live"
	"github.com/edgeref/edgeref/core/newid"
	"github.com/edgeref/edgeref/core/outbox"
	"github.com/edgeref/edgeref/core/payout"
	"github.com/edgeref/edgeref/core/system"
	"github.com/edgeref/edgeref/core/token"
	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/link"
	"github.com/edgeref/edgeref/wire/report"
)

// analyticsStore is what both stores do.
type analyticsStore interface {
	AppendClicks(ctx context.Context, batchID string, clicks []click.Record) error
	AppendFacts(ctx context.Context, batchID string, facts []report.Fact) error
	Report(ctx context.Context, q report.Query) (report.Result, error)
	Clicks(ctx context.Context, q report.ClickQuery) ([]click.Record, error)
	Ping(ctx context.Context) error
	Close() error
}

// environment is what every part is given.
type environment struct {
	config   *config.Config
	log      *slog.Logger
	registry *prometheus.Registry
	parts    *parts
	ops      *opsServer
	instance string         // of the tracker in this process, if one is
	loaded   *config.Loader // where the settings came from; nil where nobody asks

	role         config.Role
	routes       []route                         // of the core's listener, beside the API
	fallback     func(http.Handler) http.Handler // shows browsers a page where there is nothing
	coreListener net.Listener                    // open before it is served, so that parts know the core's address
	publicURL    string                          // where browsers reach the core, without a slash at the end
	linksURL     *atomic.Pointer[string]         // where links answer; set by the tracker of the same process
	demo         bool                            // the data is the demo's: pages say so
	embedded     bool                            // everything is in this process, and nobody need have configured it

	listenTracker func(addr string) (net.Listener, error)
}

// route is a handler for paths that begin with a prefix.
type route struct {
	prefix  string
	handler http.Handler
}

// route serves a prefix on the core's listener, which is not open yet.
func (e *environment) route(prefix string, handler http.Handler) {
	e.routes = append(e.routes, route{prefix, handler})
}

func (e *environment) retention() time.Duration {
	return time.Duration(e.config.Analytics.RetentionDays) * 24 * time.Hour
}

// openAnalytics opens the configured store; migrate brings its tables up to date first.
func (e *environment) openAnalytics(ctx context.Context, migrate bool) (analyticsStore, error) {
	if e.config.Analytics.Store == "clickhouse" {
		return e.openClickHouse(ctx, migrate)
	}
	store, err := sqlite.Open(ctx, sqlite.Options{
		Path: filepath.Join(e.config.Data, "analytics.db"), Retention: e.retention(), Logger: e.log.With("part", "analytics"), Registerer: e.registry,
	})
	if err != nil {
		return nil, fmt.Errorf("open analytics: %w", err)
	}
	return store, nil
}

func (e *environment) openClickHouse(ctx context.Context, migrate bool) (analyticsStore, error) {
	c := e.config.Analytics.ClickHouse
	opts := clickhouse.Options{
		Addr: c.Addr, Database: c.Database, Username: c.Username, Password: c.Password,
		Compression: c.Compression, Cluster: c.Cluster, Sharded: c.Sharded, Retention: e.retention(), Logger: e.log.With("part", "analytics"), Registerer: e.registry,
	}
	for _, text := range c.ContentCodes {
		code, err := strconv.ParseInt(text, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("setting analytics.clickhouse.content_codes: %w", err)
		}
		opts.ContentCodes = append(opts.ContentCodes, int32(code))
	}
	if c.TLS {
		opts.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if !migrate {
		// It may be down: clicks wait in the spool, facts in the outbox, and the process starts.
		store, err := clickhouse.New(opts)
		if err != nil {
			return nil, fmt.Errorf("open analytics: %w", err)
		}
		return store, nil
	}
	if err := clickhouse.CreateDatabase(ctx, opts); err != nil {
		return nil, fmt.Errorf("migrate analytics: %w", err)
	}
	store, err := clickhouse.Open(ctx, opts)
	if err != nil {
		return nil, fmt.Errorf("open analytics: %w", err)
	}
	if err := store.Migrate(ctx); err != nil {
		store.Close()
		return nil, fmt.Errorf("migrate analytics: %w", err)
	}
	return store, nil
}

// corePart is the running core, as far as others in the process need it.
type corePart struct {
	links       feed
	conversions *conversion.Service
	nodes       *system.Nodes
	addr        net.Addr
	adminToken  string // set if this start made it
	given       bool   // it came from the configuration
	ownerLink   string // set if this start made it
}

// feed ends its waiting requests when the core stops, so that trackers' long polls do not hold the stop up.
type feed struct {
	*catalog.Catalog
	draining context.Context
}

// Changes is the catalogue's, cut short by the stop.
func (f feed) Changes(ctx context.Context, id string, cursor int64, wait time.Duration) (link.Page, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(f.draining, cancel)()
	return f.Catalog.Changes(ctx, id, cursor, wait)
}

// openDatabase opens the core's database and makes sure that its schema is this version's.
func (e *environment) openDatabase(ctx context.Context, migrate bool) (*db.DB, error) {
	database, err := db.Open(ctx, e.config.CoreDSN(), db.Options{Registerer: e.registry})
	if err != nil {
		return nil, fmt.Errorf("open core database: %w", err)
	}
	if migrate {
		err = database.Migrate(ctx)
	} else {
		err = requireMigrated(ctx, database)
	}
	if err != nil {
		database.Close()
		return nil, fmt.Errorf("core database: %w", err)
	}
	return database, nil
}

func requireMigrated(ctx context.Context, database *db.DB) error {
	steps, err := database.MigrationStatus(ctx)
	if err != nil {
		return err
	}
	for _, s := range steps {
		if !s.Applied {
			return fmt.Errorf("its schema is older than this program (step %d is missing): run edgeref migrate with the same configuration", s.Version)
		}
	}
	return nil
}

// startCore starts everything central. reports is where figures go and come from.
func (e *environment) startCore(ctx context.Context, keys *click.Keyring, analytics analyticsStore, migrate bool) (*corePart, error) {
	log := e.log.With("part", "core")
	if err := e.openCoreListener(); err != nil {
		return nil, err
	}
	database, err := e.openDatabase(ctx, migrate)
	if err != nil {
		return nil, err
	}
	e.parts.onStop("core database", func(context.Context) error { return database.Close() })
	e.ops.require("core database", database.Ping)
	if err := e.findDemo(ctx, database); err != nil {
		return nil, err
	}

	ids := newid.New(time.Now)
	guards, err := e.startAccess(ctx, database, ids)
	if err != nil {
		return nil, err
	}
	books := ledger.New(ledger.Options{DB: database, IDs: ids, Now: time.Now, Reconcile: payout.Reconcile})
	hooks, err := e.startWebhooks(ctx, database, ids, guards.ring)
	if err != nil {
		return nil, err
	}
	sealer := ledger.NewSealer(ledger.SealerOptions{DB: database, Now: time.Now, Logger: log, Registerer: e.registry})
	commissions := commission.New(commission.Options{
		DB: database, IDs: ids, Ledger: books, Announcer: hooks, Now: time.Now, Logger: log, Registerer: e.registry, ReleaseEvery: e.config.Core.ReleaseInterval,
	})
	facts := outbox.New(outbox.Options{DB: database, IDs: ids, Sink: analytics, Now: time.Now, Logger: log, Registerer: e.registry})
	conversions, err := conversion.New(conversion.Options{
		DB: database, IDs: ids, Keys: keys, Commissions: commissions, Outbox: facts, Announcer: hooks, Auditor: guards.audit, Now: time.Now,
		Logger: log, Registerer: e.registry,
	})
	if err != nil {
		return nil, err
	}
	links, err := catalog.New(ctx, catalog.Options{
		DB: database, IDs: ids, Logger: log, Registerer: e.registry, Now: time.Now, Mail: guards.mail, URL: e.publicURL + "/app/",
	})
	if err != nil {
		return nil, err
	}
	payments, err := e.startPayments(database, ids, guards)
	if err != nil {
		return nil, err
	}
	sales, err := e.startShop(database, ids, keys, conversions, payments, guards)
	if err != nil {
		return nil, err
	}
	tokens := token.New(token.Options{DB: database, IDs: ids, Logger: log, Now: time.Now})
	secret, created, err := tokens.EnsureAdmin(ctx, e.config.Core.AdminToken)
	if err != nil {
		return nil, fmt.Errorf("make first admin token: %w", err)
	}
	proxies, err := prefixes("core.trusted_proxies", e.config.Core.TrustedProxies)
	if err != nil {
		return nil, err
	}
	bucket, err := e.openBucket(ctx)
	if err != nil {
		return nil, err
	}
	pages := e.startSite(database, ids, guards, bucket)
	if err := errors.Join(e.startWeb(pages), e.startPublic(pages, sales, proxies)); err != nil {
		return nil, err
	}
	paying, err := e.startPayouts(ctx, database, ids, guards, books, commissions, bucket)
	if err != nil {
		return nil, err
	}
	people, err := e.startAccounts(ctx, database, ids, guards, links, sales.shop, paying, proxies, written{pages, e.config.Mail.Site})
	if err != nil {
		return nil, err
	}
	modules := []api.Module{
		api.Tokens(tokens), api.Catalog(links), api.Conversions(conversions), api.Commissions(commissions),
		api.Ledger(books, api.LedgerOrigins{Conversions: conversions, Payouts: paying.payouts}), api.Reports(analytics, links), api.Webhooks(hooks),
		api.AffiliateSelf(api.SelfServices{
			Catalog: links, Conversions: conversions, Commissions: commissions, Ledger: books, Reports: analytics, Webhooks: hooks,
		}),
		api.Audit(guards.audit), api.Mails(guards.mail), sales.module(e), api.Payments(payments),
		api.Site(pages), api.Settings(settingsOf(e.loaded)), e.materials(database, ids, guards, links),
	}
	modules = append(append(modules, paying.modules...), people.modules()...)
	modules = append(modules, api.Desk(api.DeskServices{
		Accounts: people.people, Catalog: links, Shop: sales.shop, Invoices: sales.invoices, Payments: payments, Conversions: conversions, Commissions: commissions,
		Ledger: books, Payouts: paying.payouts, Mails: guards.mail, Audit: guards.audit, Clicks: analytics, Keys: keys,
	}))
	watching := live.New(live.Options{
		Sources: []live.Source{api.ClickSource(analytics, time.Now), api.ConversionSource(conversions), api.CommissionSource(commissions)}, Now: time.Now, Logger: log, Registerer: e.registry,
	})
	people.people.Watch(func(_, person int64) { watching.End(person) })
	nodes := system.NewNodes(database, guards.audit, time.Now)
	health := e.system(systemParts{
		database: database, nodes: nodes, links: links, books: books, analytics: analytics, queues: []system.QueueProbe{
			queueOf("facts for analytics", time.Minute, "analytics does not take them; reports lag behind the books", "edgeref core requeue-facts, once analytics is mended", facts.Backlog),
			queueOf("webhooks", 5*time.Minute, "receivers do not answer, or the workers of webhooks ended", "see the dead deliveries of webhooks, and replay them", hooks.Backlog),
			queueOf("mail", 5*time.Minute, "the mail server does not take them; see the log of the core", "see the dead mails, and send them again", guards.mail.Backlog),
			queueOf("payment events", time.Minute, "the gateway cannot be asked, or the workers of payments ended", "see payment events for review", payments.Backlog),
			queueOf("idempotency keys", time.Hour, "expired keys are not deleted; see the log of the core", "", api.ExpiredKeys(database, time.Now)),
		},
	})
	modules = append(modules, api.Live(watching, 0), api.System(health), api.Business(database, health))
	public, err := api.New(
		api.Options{DB: database, Audit: guards.audit, Tokens: api.Chain(tokens, people.scheme()), Logger: log, Registerer: e.registry, Now: time.Now, Version: version, TrustedProxies: proxies},
		modules...,
	)
	if err != nil {
		return nil, err
	}

	people.run(e.parts)
	e.parts.background("ledger chain", sealer.Run)
	e.parts.background("outbox", func(ctx context.Context) { logEnd(log, "outbox", facts.Run(ctx)) })
	e.parts.background("commission release", func(ctx context.Context) { logEnd(log, "commission release", commissions.Run(ctx)) })
	e.parts.background("webhooks", func(ctx context.Context) { logEnd(log, "webhooks", hooks.Run(ctx)) })
	e.runPayments(payments)
	e.parts.background("catalogue", links.Run)
	e.parts.background("idempotency keys", public.Run)
	draining, drain := context.WithCancel(context.Background())
	context.AfterFunc(draining, watching.Close)
	e.parts.onStop("feed", func(context.Context) error { drain(); return nil })
	part := &corePart{links: feed{links, draining}, conversions: conversions, nodes: nodes, given: e.config.Core.AdminToken != ""}
	part.ownerLink = people.ownerLink
	if created {
		part.adminToken = secret
	}
	edge, err := edgeapi.New(edgeapi.Options{
		Tokens: e.config.Edge.Tokens, Catalog: part.links, Booker: conversions, Clicks: analytics, Nodes: nodes, Logger: log, Registerer: e.registry,
	})
	if err != nil {
		return nil, err
	}
	part.addr = e.listenCore(public, edge, people, drain)
	return part, nil
}

// logEnd reports a background part that ended before it was told to.
func logEnd(log *slog.Logger, name string, err error) {
	if err != nil && !errors.Is(err, context.Canceled) {
		log.Error("background work ended", "work", name, "error", err)
	}
}

// coreServer bounds what one connection may take. The time to read and write is more than any request of the public API
// needs; the Edge API, whose requests are larger and slower, sets its own for each.
func coreServer(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: handler, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: time.Minute, WriteTimeout: 90 * time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// openCoreListener opens the core's listener. Who connects early waits until it is served.
func (e *environment) openCoreListener() error {
	if e.coreListener != nil {
		return nil
	}
	ln, err := net.Listen("tcp", e.config.Core.Listen)
	if err != nil {
		return fmt.Errorf("listen for core.listen: %w", err)
	}
	e.parts.onStop("core socket", func(context.Context) error {
		if err := ln.Close(); !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil // its server has closed it
	})
	e.coreListener, e.publicURL = ln, e.config.Core.PublicURL
	if e.publicURL == "" {
		e.publicURL = "http://" + ln.Addr().String()
	}
	return nil
}

// listenCore serves the public API and the edge API on one listener.
func (e *environment) listenCore(public, edge http.Handler, people *accountPart, drain func()) net.Addr {
	ln := e.coreListener
	mux := http.NewServeMux()
	mux.Handle("/edge/v1/", edge)
	for _, r := range e.routes {
		mux.Handle(r.prefix, r.handler)
	}
	people.handle(mux)
	mux.Handle("/", e.fallback(public))
	server := coreServer(mux, e.log)
	serving := e.serve("core listener", func() error { return server.Serve(ln) })
	e.parts.onStop("core listener", func(ctx context.Context) error {
		drain()
		err := server.Shutdown(ctx)
		if serveErr := <-serving; !errors.Is(serveErr, http.ErrServerClosed) {
			err = errors.Join(err, serveErr)
		}
		return err
	})
	return ln.Addr()
}

// makeDataDir makes the data directory, for its owner only: it holds secrets.
func makeDataDir(c *config.Config) error {
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return fmt.Errorf("make data directory (setting data): %w", err)
	}
	return nil
}

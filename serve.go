package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/edgeref/edgeref/config"
	"github.com/edgeref/edgeref/tracker/coreclient"
	"github.com/edgeref/edgeref/tracker/heartbeat"
)

// withEnvironment prepares what every role needs, runs fn to start its parts, waits for the end, and stops them.
func (p *program) withEnvironment(ctx context.Context, c *config.Config, log *slog.Logger, fn func(*environment) error) (err error) {
	shareProcessor()
	if err := makeDataDir(c); err != nil {
		return err
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	e := &environment{
		config: c, log: log, registry: registry, parts: &parts{log: log}, listenTracker: p.listenTracker, loaded: p.loaded, linksURL: new(atomic.Pointer[string]),
	}
	defer func() { err = errors.Join(err, e.parts.stop()) }()
	e.ops, err = startOps(c.Ops, registry, log)
	if err != nil {
		return err
	}
	e.parts.onStop("ops listener", e.ops.stop)
	if err := fn(e); err != nil {
		return err
	}
	e.ops.markStarted()
	fmt.Fprintf(p.stdout, "ops      http://%s/readyz\n", e.ops.addr)
	<-ctx.Done()
	log.Info("stopping")
	return nil
}

func (p *program) runServe(ctx context.Context, c *config.Config, log *slog.Logger) error {
	if c.Demo {
		demoConfig(c)
	}
	return p.withEnvironment(ctx, c, log, func(e *environment) error {
		e.role, e.instance = config.Serve, heartbeat.NewInstance()
		if err := fillSecrets(c, true); err != nil {
			return err
		}
		keys, err := keyring(c)
		if err != nil {
			return err
		}
		store, err := e.openAnalytics(ctx, true)
		if err != nil {
			return err
		}
		e.parts.onStop("analytics", func(context.Context) error { return store.Close() })
		e.embedded = true
		var demo *demoPart
		if c.Demo {
			if demo, err = p.makeDemo(ctx, e, keys, store); err != nil {
				return err
			}
		}
		core, err := e.startCore(ctx, keys, store, true)
		if err != nil {
			return err
		}
		addr, err := e.startTracker(keys, core.links, store, core.conversions, core.nodes)
		if err != nil {
			return err
		}
		p.printAddress("tracker", addr)
		if !c.Demo {
			p.printCore(core)
			return nil
		}
		p.printAddress("core", core.addr)
		return p.showDemo(c, demo, core, addr, e.ops.addr)
	})
}

func (p *program) runCore(ctx context.Context, c *config.Config, log *slog.Logger) error {
	return p.withEnvironment(ctx, c, log, func(e *environment) error {
		e.role = config.CoreRole
		if err := fillSecrets(c, false); err != nil {
			return err
		}
		keys, err := keyring(c)
		if err != nil {
			return err
		}
		embedded := strings.HasPrefix(c.CoreDSN(), "sqlite:")
		store, err := e.openAnalytics(ctx, false)
		if err != nil {
			return err
		}
		e.parts.onStop("analytics", func(context.Context) error { return store.Close() })
		core, err := e.startCore(ctx, keys, store, embedded)
		if err != nil {
			return err
		}
		p.printCore(core)
		return nil
	})
}

func (p *program) runTracker(ctx context.Context, c *config.Config, log *slog.Logger) error {
	saveMemory(log)
	return p.withEnvironment(ctx, c, log, func(e *environment) error {
		e.instance = heartbeat.NewInstance()
		keys, err := keyring(c)
		if err != nil {
			return err
		}
		core, err := coreclient.New(coreclient.Options{URL: c.Tracker.CoreURL, Token: c.Edge.Tokens[0]})
		if err != nil {
			return err
		}
		e.parts.onStop("core client", func(context.Context) error { core.Close(); return nil })
		var clicks clickSink = core
		if c.Analytics.Store == "clickhouse" {
			store, err := e.openAnalytics(ctx, false)
			if err != nil {
				return err
			}
			e.parts.onStop("analytics", func(context.Context) error { return store.Close() })
			clicks = store
		}
		addr, err := e.startTracker(keys, core, clicks, core, core)
		if err != nil {
			return err
		}
		p.printAddress("tracker", addr)
		forgetStart(log)
		return nil
	})
}

func (p *program) printAddress(name string, addr net.Addr) {
	fmt.Fprintf(p.stdout, "%-8s http://%s\n", name, addr)
}

func (p *program) printCore(core *corePart) {
	p.printAddress("core", core.addr)
	if core.adminToken != "" && !core.given {
		fmt.Fprintf(p.stdout, "\nfirst admin token, shown this once: %s\n\n", core.adminToken)
	}
	p.printOwner(core)
}

// printOwner prints how the first owner begins, on the start that made the link.
func (p *program) printOwner(core *corePart) {
	if core.ownerLink != "" {
		fmt.Fprintf(p.stdout, "the first owner chooses a password here, once within a week:\n  %s\n\n", core.ownerLink)
	}
}

// runMigrate brings both databases to this version's schema.
func (p *program) runMigrate(ctx context.Context, c *config.Config, log *slog.Logger) error {
	if err := makeDataDir(c); err != nil {
		return err
	}
	e := &environment{config: c, log: log, registry: prometheus.NewRegistry()}
	database, err := e.openDatabase(ctx, true)
	if err != nil {
		return err
	}
	defer database.Close()
	steps, err := database.MigrationStatus(ctx)
	if err != nil {
		return fmt.Errorf("core database: %w", err)
	}
	fmt.Fprintf(p.stdout, "core database: %d of %d steps applied\n", len(steps), len(steps))
	store, err := e.openAnalytics(ctx, true)
	if err != nil {
		return err
	}
	defer store.Close()
	fmt.Fprintf(p.stdout, "analytics (%s): up to date\n", c.Analytics.Store)
	return nil
}

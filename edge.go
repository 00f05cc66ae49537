package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"time"

	"github.com/edgeref/edgeref/tracker/deliver"
	"github.com/edgeref/edgeref/tracker/heartbeat"
	"github.com/edgeref/edgeref/tracker/links"
	"github.com/edgeref/edgeref/tracker/redirect"
	"github.com/edgeref/edgeref/tracker/server"
	"github.com/edgeref/edgeref/tracker/spool"
	"github.com/edgeref/edgeref/wire/agent"
	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/conversion"
)

// conversionMaxAge bounds how long a conversion waits for others. They are few, somebody looks for them, and the core
// books a batch no faster than one by one; only clicks gain from large batches.
const conversionMaxAge = 50 * time.Millisecond

// clickBytes is how much of the spool a click may take for batches to be bounded by their number of clicks: three times
// what most do. It bounds the memory of delivery where they are larger.
const clickBytes = 840

// clicksPerBatch is the limit of the configuration. By default it is what suits the store: ClickHouse takes large batches
// at half the cost of small ones, and they come about only where clicks are behind.
func (e *environment) clicksPerBatch() int {
	switch n := e.config.Delivery.MaxRecords; {
	case n > 0:
		return n
	case e.config.Analytics.Store == "clickhouse":
		return 50_000
	}
	return 10_000
}

// clickSink and conversionSink are where an edge node's spools are delivered to.
type clickSink interface {
	AppendClicks(ctx context.Context, batchID string, clicks []click.Record) error
}

type conversionSink interface {
	Book(ctx context.Context, events []conversion.Event) ([]conversion.Result, error)
}

// startTracker starts an edge node and returns the address of its public listener.
func (e *environment) startTracker(keys *click.Keyring, source links.Source, clicks clickSink, conversions conversionSink, core heartbeat.Sink) (net.Addr, error) {
	log := e.log.With("part", "tracker")
	c := e.config
	known, err := links.New(source, redirect.Compile, links.Options{
		Snapshot: filepath.Join(c.Data, "links.snapshot"), TTL: c.Tracker.LinkTTL, NegativeTTL: c.Tracker.NegativeTTL,
		LookupTimeout: c.Tracker.LookupTimeout, Log: log, Registerer: e.registry,
	})
	if err != nil {
		return nil, fmt.Errorf("load links: %w", err)
	}
	e.parts.onStop("links", func(context.Context) error { known.Close(); return nil })
	e.parts.background("link feed", known.Run)
	e.ops.require("links", func(context.Context) error { return known.Ready() })

	clickPolicy := spool.Interval
	if c.Spool.Sync == "always" {
		clickPolicy = spool.Always
	}
	clickSpool, err := e.openSpool("clicks", clickPolicy)
	if err != nil {
		return nil, err
	}
	conversionSpool, err := e.openSpool("conversions", spool.Always)
	if err != nil {
		return nil, err
	}
	if err := e.startDelivery(clickSpool, conversionSpool, clicks, conversions); err != nil {
		return nil, err
	}

	heart := heartbeat.New(heartbeat.Options{
		Node: c.Tracker.Node, Version: version, Instance: e.instance, Feed: known.Feed, Sink: core, Now: time.Now, Logger: log,
		Spools: []heartbeat.Spool{{Name: "clicks", Stats: clickSpool.Stats}, {Name: "conversions", Stats: conversionSpool.Stats}},
	})
	e.parts.background("status of the edge node", heart.Run)

	trusted, err := prefixes("tracker.trusted_proxies", c.Tracker.TrustedProxies)
	if err != nil {
		return nil, err
	}
	front, err := server.New(server.Options{
		Links: server.Links{Store: known}, Directory: known, Clicks: clickSpool, Conversions: conversionSpool, Reason: spool.Reason,
		Keys: keys, Salts: known, Trusted: trusted, Now: time.Now, Registerer: e.registry, Logger: log, Node: uint16(c.Tracker.Node),
		CookieName: c.Tracker.CookieName, CookieDomain: c.Tracker.CookieDomain, Fallback: c.Tracker.FallbackURL,
		Limits: server.Limits{Connections: c.Tracker.MaxConnections, IdleTimeout: c.Tracker.IdleTimeout},
	})
	if err != nil {
		return nil, fmt.Errorf("make tracker: %w", err)
	}
	ln, err := e.listenTracker(c.Tracker.Listen)
	if err != nil {
		return nil, err
	}
	links := "http://" + ln.Addr().String()
	e.linksURL.Store(&links)
	serving := e.serve("tracker listener", func() error { return front.Serve(ln) })
	e.parts.onStop("tracker listener", func(ctx context.Context) error {
		if err := front.Shutdown(ctx); err != nil {
			return err
		}
		return <-serving
	})
	return ln.Addr(), nil
}

// openSpool opens one of the two spools and lets readiness depend on it.
func (e *environment) openSpool(name string, policy spool.SyncPolicy) (*spool.Spool, error) {
	c := e.config.Spool
	s, err := spool.Open(spool.Options{
		Dir: filepath.Join(e.config.Data, "spool", name), Name: name, Sync: policy, SyncInterval: c.SyncInterval,
		SegmentBytes: int64(c.SegmentBytes), MaxBytes: int64(c.MaxBytes), Logger: e.log.With("part", "spool"), Registerer: e.registry,
	})
	if err != nil {
		return nil, err
	}
	e.parts.onStop("spool "+name, func(context.Context) error { return s.Close() })
	e.ops.require("spool "+name, func(context.Context) error {
		switch st := s.Stats(); {
		case st.Err != nil:
			return st.Err
		case st.Full:
			return fmt.Errorf("is full: %d bytes of spool.max_bytes %d are taken; free disk or raise the limit", st.DiskBytes, st.LimitBytes)
		case st.Stalled:
			return fmt.Errorf("the disk does not answer")
		}
		return nil
	})
	return s, nil
}

// startDelivery moves both spools to their sinks until the stop, which first lets them drain.
func (e *environment) startDelivery(clickSpool, conversionSpool *spool.Spool, clicks clickSink, conversions conversionSink) error {
	classifier, err := agent.New(agent.DefaultCacheSize)
	if err != nil {
		return fmt.Errorf("load user agents: %w", err)
	}
	c := e.config.Delivery
	log := e.log.With("part", "delivery")
	options := deliver.Options{
		MaxAge: min(c.MaxAge, conversionMaxAge), AttemptTimeout: c.Timeout, DrainTimeout: c.DrainTimeout, Logger: log, Registerer: e.registry,
	}
	conversionDelivery, err := deliver.NewConversions(conversionSpool, conversions, options)
	if err != nil {
		return err
	}
	options.MaxRecords, options.MaxAge = e.clicksPerBatch(), c.MaxAge
	options.MaxBytes = options.MaxRecords * clickBytes
	options.GiveWay = func() { giveWay(log) }
	clickDelivery, err := deliver.NewClicks(clickSpool, clicks, classifier.Enrich, options)
	if err != nil {
		return err
	}
	e.parts.backgroundFor("delivery of conversions", c.DrainTimeout, func(ctx context.Context) { logEnd(log, "conversions", conversionDelivery.Run(ctx)) })
	e.parts.backgroundFor("delivery of clicks", c.DrainTimeout, func(ctx context.Context) { logEnd(log, "clicks", clickDelivery.Run(ctx)) })
	return nil
}

// prefixes are the networks that a setting names.
func prefixes(setting string, texts []string) ([]netip.Prefix, error) {
	out := make([]netip.Prefix, 0, len(texts))
	for _, text := range texts {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("setting %s: %w", setting, err)
		}
		out = append(out, prefix.Masked())
	}
	return out, nil
}

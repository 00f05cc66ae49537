package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/edgeref/edgeref/core/catalog"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/ledger"
	"github.com/edgeref/edgeref/core/system"
)

// systemParts are what operators are told about.
type systemParts struct {
	database  *db.DB
	nodes     *system.Nodes
	links     *catalog.Catalog
	books     *ledger.Ledger
	analytics analyticsStore
	queues    []system.QueueProbe
}

// queueOf is a queue that a domain counts itself.
func queueOf(name string, late time.Duration, help, dead string, ask func(context.Context) (int64, int64, time.Duration, error)) system.QueueProbe {
	return system.QueueProbe{Name: name, Late: late, Help: help, Dead: dead, Ask: func(ctx context.Context) (b system.Backlog, err error) {
		b.Pending, b.Dead, b.Overdue, err = ask(ctx)
		return b, err
	}}
}

// system says how the machinery is.
func (e *environment) system(p systemParts) *system.Service {
	return system.New(system.Options{
		Version: version, Role: string(e.role), StartedAt: time.Now(), Instance: e.instance, Nodes: p.nodes, Revision: p.links.Revision, Now: time.Now,
		Stores: []system.StoreProbe{
			{Name: "core", Kind: p.database.Dialect().String(), Help: "Nothing can be booked or changed until it does; trackers keep what they take.", Ask: p.coreStore},
			{Name: "analytics", Kind: e.config.Analytics.Store, Help: "Reports fail and clicks wait in the spools until it does; the books are not affected.", Ask: e.analyticsStore(p.analytics)},
		},
		Queues: p.queues, Ledger: p.ledgerFacts, Checks: e.ops.states, Work: e.parts.inBackground, BenchFile: e.config.Core.BenchResult,
	})
}

func (p systemParts) coreStore(ctx context.Context) (f system.StoreFacts, err error) {
	if err := p.database.Ping(ctx); err != nil {
		return f, err
	}
	steps, err := p.database.MigrationStatus(ctx)
	if err != nil {
		return f, err
	}
	for _, s := range steps {
		if s.Applied {
			f.Schema = max(f.Schema, s.Version)
		}
	}
	f.Size, err = p.database.Size(ctx)
	return f, err
}

func (e *environment) analyticsStore(store analyticsStore) func(context.Context) (system.StoreFacts, error) {
	return func(ctx context.Context) (f system.StoreFacts, err error) {
		if e.config.Analytics.Store != "clickhouse" {
			for _, ending := range []string{"", "-wal"} {
				if info, err := os.Stat(filepath.Join(e.config.Data, "analytics.db"+ending)); err == nil {
					f.Size += info.Size()
				}
			}
		}
		return f, store.Ping(ctx)
	}
}

func (p systemParts) ledgerFacts(ctx context.Context) (f system.LedgerFacts, err error) {
	var oldest int64
	if f.Unsealed, oldest, err = p.books.Unsealed(ctx); err != nil {
		return f, err
	}
	if oldest > 0 {
		f.OldestAt = time.UnixMilli(oldest)
	}
	if v, ok := p.books.Last(); ok {
		f.VerifiedAt, f.Holds, f.Text, f.Head, f.Transactions = v.At, v.Report.Break == nil, strings.TrimSpace(v.Report.String()), v.Report.Head.String(), v.Report.Transactions
	}
	return f, nil
}

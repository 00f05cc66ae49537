package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/edgeref/edgeref/bench/system"
)

// edgeref is the system under test.
type edgeref struct {
	*process
	addr netip.AddrPort // of its tracker
	core string
	ops  string
	api  *system.Client
}

// startEdgeref starts the whole system in one process, with an empty data directory and SQLite.
func startEdgeref(ctx context.Context, binary, dir string) (*edgeref, error) {
	token := "peers-" + rand.Text()
	p, err := launch("edgeref", []string{"EDGEREF_ADMIN_TOKEN=" + token}, binary, "serve", "--data", filepath.Join(dir, "data"),
		"--tracker-listen", "127.0.0.1:0", "--core-listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0", "--ops-pprof", "--log-level", "warn")
	if err != nil {
		return nil, err
	}
	e := &edgeref{process: p}
	if err := e.findAddresses(ctx, true); err != nil {
		p.stop()
		return nil, err
	}
	e.api = system.NewClient(e.core, token)
	return e, nil
}

// findAddresses reads what the process prints when it has started.
func (e *edgeref) findAddresses(ctx context.Context, core bool) error {
	printed := func(name string) string {
		for line := range strings.Lines(e.log.String()) {
			if fields := strings.Fields(line); len(fields) == 2 && fields[0] == name {
				return fields[1]
			}
		}
		return ""
	}
	if err := e.until(ctx, "the start", func() bool { return printed("ops") != "" }); err != nil {
		return err
	}
	e.ops = strings.TrimSuffix(printed("ops"), "/readyz")
	e.core = printed("core")
	u, err := url.Parse(printed("tracker"))
	if err == nil {
		e.addr, err = netip.ParseAddrPort(u.Host)
	}
	if err == nil && core && e.core == "" {
		err = fmt.Errorf("no address of the core")
	}
	if err != nil {
		return fmt.Errorf("find edgeref's addresses: %w; it printed:\n%s", err, e.log)
	}
	return nil
}

type object = map[string]any

// makeLinks makes n links through the API and waits until the tracker knows them.
func (e *edgeref) makeLinks(ctx context.Context, n int) error {
	var program, affiliate struct {
		ID string `json:"id"`
	}
	if err := e.api.Post(ctx, "/programs", "", object{"name": "Peers", "currency": "INR"}, &program); err != nil {
		return err
	}
	if err := e.api.Post(ctx, "/affiliates", "", object{"name": "Peer", "email": "peer@example.com"}, &affiliate); err != nil {
		return err
	}
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(8)
	for i := range n {
		group.Go(func() error {
			return e.api.Post(gctx, "/links", "", object{
				"affiliate_id": affiliate.ID, "program_id": program.ID, "slug": slug(i), "destination": destination,
			}, &struct{}{})
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return e.knows(ctx, n)
}

// knows waits until the tracker holds n links.
func (e *edgeref) knows(ctx context.Context, n int) error {
	return e.metric(ctx, "edgeref_tracker_links_known", func(v float64) bool { return v >= float64(n) })
}

// drained waits until every recorded click has been delivered, so that none costs another peer's round.
func (e *edgeref) drained(ctx context.Context) error {
	return e.metric(ctx, "edgeref_spool_pending_records", func(v float64) bool { return v == 0 })
}

// metric waits for a metric to satisfy ok.
func (e *edgeref) metric(ctx context.Context, name string, ok func(float64) bool) (err error) {
	waitErr := e.until(ctx, name, func() bool {
		var samples system.Samples
		if samples, err = e.api.Scrape(ctx, e.ops); err != nil {
			return true
		}
		v, found := samples.Sum(name, "")
		if !found {
			err = fmt.Errorf("edgeref has no metric %s", name)
			return true
		}
		return ok(v)
	})
	if err == nil {
		err = waitErr
	}
	return err
}

// counts are edgeref's own figures of clicks.
type counts struct{ received, recorded, refused float64 }

func (e *edgeref) counts(ctx context.Context) (counts, error) {
	samples, err := e.api.Scrape(ctx, e.ops)
	if err != nil {
		return counts{}, err
	}
	var c counts
	c.received, _ = samples.Sum("edgeref_tracker_clicks_received_total", "")
	c.recorded, _ = samples.Sum("edgeref_tracker_clicks_recorded_total", "")
	c.refused, _ = samples.Sum("edgeref_tracker_clicks_refused_total", "")
	return c, nil
}

const scrapeTimeout = 5 * time.Second

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/edgeref/edgeref/bench/load"
	"github.com/edgeref/edgeref/bench/system"
	"github.com/edgeref/edgeref/wire/link"
)

const (
	feedPage    = 2000 // links in one answer of the feed, as many as the core gives
	feedToken   = "peers-edge-token-0123456789"
	feedKey     = "1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
	memoryDrive = 3 * time.Second // load before the memory is read
	memoryRate  = 1000            // requests per second of it, over a hundred times a promotion day's average
)

// Memory is what a tracker takes, in bytes.
type Memory struct {
	Links    int   `json:"links"`
	Resident int64 `json:"resident_bytes"`
	Peak     int64 `json:"peak_bytes"` // since its start, so including the first copy of all links
}

// measureMemory measures a tracker with few and with many links, each driven over all of them.
func (b *bench) measureMemory(ctx context.Context) ([]Memory, error) {
	var all []Memory
	for _, n := range []int{b.links, b.many} {
		m, err := b.trackerMemory(ctx, n)
		if err != nil {
			return nil, fmt.Errorf("measure memory with %d links: %w", n, err)
		}
		fmt.Fprintf(b.out, "memory: %d links: %d MB, at its highest %d MB\n", n, m.Resident>>20, m.Peak>>20)
		all = append(all, m)
	}
	return all, nil
}

func (b *bench) trackerMemory(ctx context.Context, n int) (Memory, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return Memory{}, err
	}
	core := &http.Server{Handler: feed(n), ReadHeaderTimeout: scrapeTimeout}
	go func() { _ = core.Serve(ln) }() // until closed
	defer core.Close()
	dir := filepath.Join(b.dir, fmt.Sprintf("tracker-%d", n))
	defer os.RemoveAll(dir)
	p, err := launch("tracker", []string{"EDGEREF_EDGE_TOKENS=" + feedToken, "EDGEREF_CLICK_KEYS=" + feedKey},
		b.binary, "tracker", "--data", dir, "--tracker-core-url", "http://"+ln.Addr().String(),
		"--tracker-listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0", "--log-level", "warn")
	if err != nil {
		return Memory{}, err
	}
	defer p.stop()
	e := &edgeref{process: p, api: system.NewClient("", "")}
	if err := e.findAddresses(ctx, false); err != nil {
		return Memory{}, err
	}
	if err := e.knows(ctx, n); err != nil {
		return Memory{}, err
	}
	o := load.Options{Addr: e.addr, Connections: b.connections, Duration: memoryDrive, Request: requests(n), Rate: func(time.Duration) float64 { return memoryRate }}
	r, err := load.Run(ctx, o)
	if err == nil && r.Status[http.StatusFound] != r.Scheduled {
		err = fmt.Errorf("of %d requests %d failed, by status %v; the tracker's last words:\n%s", r.Scheduled, r.Failed, r.Status, p.log)
	}
	if err != nil {
		return Memory{}, err
	}
	now, peak, err := p.memory()
	return Memory{Links: n, Resident: now, Peak: peak}, err
}

// feed is a core that has n links of one program, and takes clicks without keeping them.
func feed(n int) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /edge/v1/changes", func(w http.ResponseWriter, r *http.Request) {
		cursor, err := strconv.Atoi(r.URL.Query().Get("cursor"))
		if err != nil || cursor < 0 {
			http.Error(w, "cursor", http.StatusBadRequest)
			return
		}
		if cursor >= n {
			wait, _ := strconv.Atoi(r.URL.Query().Get("wait_ms")) // 0 where it is malformed
			select {
			case <-r.Context().Done():
			case <-time.After(time.Duration(wait) * time.Millisecond):
			}
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(page(cursor, n)) // a client that is gone
	})
	mux.HandleFunc("GET /edge/v1/links/{slug}", http.NotFound)
	mux.HandleFunc("POST /edge/v1/clicks", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusNoContent)
	})
	return mux
}

func page(cursor, n int) link.Page {
	p := link.Page{Feed: "peers", Cursor: int64(min(n, cursor+feedPage)), More: cursor+feedPage < n}
	if cursor == 0 {
		p.Programs = []link.Program{{ID: 1, State: link.Active, ClickParam: "click_id", CookieSeconds: 30 * 24 * 3600, BrowserConversions: link.BrowserOff, Currency: "INR", Rev: 1}}
	}
	for i := cursor; i < int(p.Cursor); i++ {
		p.Links = append(p.Links, link.Link{
			ID: int64(i + 1), Slug: slug(i), AffiliateID: int64(i%1000 + 1), ProgramID: 1, Destination: destination, State: link.Active, Rev: int64(i + 1),
		})
	}
	return p
}

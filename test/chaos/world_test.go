package chaos

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/edgeref/edgeref/test/clickhouse"
	"github.com/edgeref/edgeref/test/mariadb"
)

const (
	adminToken = "chaos-admin-token-0123456789"
	edgeToken  = "chaos-edge-token-0123456789"
	clickKeys  = "1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	database   = "chaos"
)

// world is core and tracker on MariaDB and ClickHouse, with a proxy before each of what they talk to.
type world struct {
	t       *testing.T
	env     []string
	books   *mariadb.Server
	clicks  *clickhouse.Server
	ledger  *tcpProxy  // before MariaDB, for the core
	store   *tcpProxy  // before ClickHouse, for trackers
	center  *httpProxy // before the core, for trackers
	core    *process
	tracker *process
	more    []*process // further trackers

	dsn             string // of MariaDB
	program, secret string
	scenarios       int
	cut             time.Duration // how long an edge node is cut off
	table           []row
}

func newWorld(t *testing.T) *world {
	t.Helper()
	books, dsn := mariadb.StartServer(t)
	s := &world{t: t, dsn: dsn, books: books, clicks: clickhouse.Start(t)}
	cfg, err := mysql.ParseDSN(strings.TrimPrefix(dsn, "mysql:"))
	s.must(err)
	s.ledger = newTCPProxy(t, cfg.Addr)
	cfg.Addr, cfg.ReadTimeout, cfg.WriteTimeout = s.ledger.addr(), time.Second, time.Second // not 30, for the test's sake
	s.env = []string{
		"EDGEREF_ADMIN_TOKEN=" + adminToken, "EDGEREF_EDGE_TOKENS=" + edgeToken, "EDGEREF_CLICK_KEYS=" + clickKeys,
		"EDGEREF_CORE_DATABASE=mysql:" + cfg.FormatDSN(), "EDGEREF_ANALYTICS_STORE=clickhouse", "EDGEREF_ANALYTICS_CLICKHOUSE_DATABASE=" + database,
		"EDGEREF_DELIVERY_TIMEOUT=2s", "EDGEREF_DELIVERY_MAX_AGE=200ms",
	}
	direct := append([]string{"EDGEREF_ANALYTICS_CLICKHOUSE_ADDR=" + s.clicks.Addr()}, s.env...)
	if out, err := run(t, direct, "migrate", "--data", t.TempDir()); err != nil {
		t.Fatalf("migrate: %v\n%s", err, out)
	}
	s.store = newTCPProxy(t, s.clicks.Addr())
	s.core = &process{T: t, Binary: binary, Role: "core", Env: direct, Args: []string{"--data", t.TempDir()}}
	s.core.Start()
	t.Cleanup(s.core.Kill)
	s.core.Ready()
	s.center = newHTTPProxy(t, s.core.Core)
	s.tracker = s.newTracker(1, t.TempDir())
	s.tracker.Start()
	t.Cleanup(func() { s.tracker.Kill() })
	s.tracker.Ready()
	var program struct {
		ID     string `json:"id"`
		Secret string `json:"postback_secret"`
	}
	s.call(http.MethodPost, "/programs", map[string]any{"name": "Chaos", "currency": "INR"}, &program)
	s.program, s.secret = program.ID, program.Secret
	s.call(http.MethodPost, "/commission-rules", map[string]any{"program_id": program.ID, "on": "sale", "percent_bp": 8000}, nil)
	return s
}

// newTracker is an edge node that keeps its data in dir and reaches what is behind it through the proxies.
func (s *world) newTracker(node int, dir string, args ...string) *process {
	return s.trackerBehind(s.store.addr(), s.center.server.URL, node, dir, args...)
}

func (s *world) trackerBehind(store, core string, node int, dir string, args ...string) *process {
	return &process{
		T: s.t, Binary: binary, Role: "tracker", Env: append([]string{"EDGEREF_ANALYTICS_CLICKHOUSE_ADDR=" + store}, s.env...),
		Args: append([]string{"--data", dir, "--tracker-node", fmt.Sprint(node), "--tracker-core-url", core}, args...),
	}
}

// data is the data directory of a process.
func data(p *process) string { return p.Args[1] }

func (s *world) heal() {
	s.ledger.set(healthy)
	s.store.set(healthy)
	s.center.set(healthy)
}

// call talks to the core's API; reading is tried again, for a database that has just come back.
func (s *world) call(method, path string, in, out any) {
	s.t.Helper()
	why := ""
	waitFor(s.t, 30*time.Second, func() bool {
		body, err := json.Marshal(in)
		if err != nil {
			s.t.Fatal(err)
		}
		req, err := http.NewRequestWithContext(s.t.Context(), method, s.core.Core+"/api/v1"+path, bytes.NewReader(body))
		if err != nil {
			s.t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+adminToken)
		req.Header.Set("Content-Type", "application/json")
		if method == http.MethodPost {
			req.Header.Set("Idempotency-Key", fmt.Sprintf("%x", sha256.Sum256(append([]byte(path), body...))))
		}
		resp, err := client.Do(req)
		if err != nil {
			why = err.Error()
			return false
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode >= 300 {
			why = fmt.Sprintf("%d %s %v", resp.StatusCode, b, err)
			return false
		}
		if out != nil {
			if err := json.Unmarshal(b, out); err != nil {
				s.t.Fatalf("%s %s: %v in %s", method, path, err, b)
			}
		}
		return true
	}, func() string { return method + " " + path + ": " + why })
}

// newTraffic makes an affiliate with a link of its own and waits until the trackers know it.
func (s *world) newTraffic() *traffic {
	s.t.Helper()
	s.scenarios++
	var affiliate struct {
		ID string `json:"id"`
	}
	name := fmt.Sprintf("chaos-%d", s.scenarios)
	s.call(http.MethodPost, "/affiliates", map[string]any{"name": name, "email": name + "@example.com"}, &affiliate)
	s.call(http.MethodPost, "/links", map[string]any{
		"affiliate_id": affiliate.ID, "program_id": s.program, "slug": name, "destination": "https://shop.example.com/course",
	}, nil)
	tr := &traffic{
		slug: name, secret: s.secret, affiliate: affiliate.ID, clicks: map[string]time.Time{}, sales: map[string]bool{},
		maybe: map[string]bool{}, other: map[int]int{}, reasons: map[string]int{},
	}
	trackers := append([]*process{s.tracker}, s.more...)
	for _, p := range trackers {
		tr.trackers = append(tr.trackers, p.Tracker)
	}
	for n, p := range trackers {
		waitFor(s.t, 20*time.Second, func() bool { return tr.click(n) != "" },
			func() string { return "the new link does not redirect\n" + p.Output.String() })
		// A postback needs the link from the change feed, a redirect does not.
		last, sales := "", len(tr.sales)
		for last = range tr.clicks {
		}
		waitFor(s.t, 30*time.Second, func() bool { tr.sale(n, last); return len(tr.sales) > sales },
			func() string { return "no sale of the new link is taken\n" + p.Output.String() })
	}
	tr.first = len(trackers)
	clear(tr.other)
	return tr
}

type page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next_cursor"`
}

// all reads a whole list.
func all[T any](s *world, path string, q url.Values) (items []T) {
	s.t.Helper()
	for cursor := ""; ; {
		q.Set("cursor", cursor)
		var p page[T]
		s.call(http.MethodGet, path+"?"+q.Encode(), nil, &p)
		items = append(items, p.Items...)
		if cursor = p.Next; cursor == "" {
			return items
		}
	}
}

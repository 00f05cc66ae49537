package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/edgeref/edgeref/bench/load"
	"github.com/edgeref/edgeref/wire/link"
)

func TestParseStat(t *testing.T) {
	const line = "4711 (a (b) c) S 12 4711 4711 0 -1 4194560 1 0 0 0 250 50 0 0 20 0 1 0 1 1 1"
	pid, parent, ticks, err := parseStat([]byte(line))
	if pid != 4711 || parent != 12 || ticks != 300 || err != nil {
		t.Errorf("%d %d %d %v", pid, parent, ticks, err)
	}
	for _, bad := range []string{"", "1 2 3", "1 (x) S", "x (x) S 1 1 1 1 1 1 1 1 1 1 1 1", "1 (x) S 1 1 1 1 1 1 1 1 1 1 u 1"} {
		if _, _, _, err := parseStat([]byte(bad)); err == nil {
			t.Errorf("no error for %q", bad)
		}
	}
}

func TestParseStatus(t *testing.T) {
	const status = "Name:\tx\nVmHWM:\t   1000 kB\nVmRSS:\t    900 kB\nVmX:\tmany kB\n"
	for name, want := range map[string]int64{"VmRSS": 900 << 10, "VmHWM": 1000 << 10, "VmX": 0, "VmSwap": 0} {
		if got := parseStatus(status, name); got != want {
			t.Errorf("%s is %d, want %d", name, got, want)
		}
	}
}

func TestMedian(t *testing.T) {
	for want, rates := range map[float64][]float64{0: nil, 3: {3}, 2: {9, 1, 2}, 2.5: {1, 2, 3, 9}} {
		var samples []sample
		for _, r := range rates {
			samples = append(samples, sample{rate: r})
		}
		if got := median(samples, func(s sample) float64 { return s.rate }); got != want {
			t.Errorf("median of %v is %v", rates, got)
		}
	}
}

// A peer with these figures in each round.
func measured(name string, rate float64, p99 time.Duration) *peer {
	return &peer{name: name, max: []sample{{rate: rate, cpu: 1e6 / rate}}, latency: []sample{{rate: rate / 2, p99: p99}}}
}

func TestTargetsAreJudged(t *testing.T) {
	for name, c := range map[string]struct {
		ours   *peer
		clicks counts
		memory int64
		missed []string
	}{
		"all held":     {measured(nameOurs, 90_000, time.Millisecond), counts{received: 5, recorded: 5}, 50e6, nil},
		"slow":         {measured(nameOurs, 50_000, time.Millisecond), counts{received: 5, recorded: 5}, 50e6, []string{"nginx with", "fasthttp"}},
		"late":         {measured(nameOurs, 90_000, time.Second), counts{received: 5, recorded: 5}, 50e6, []string{"p99"}},
		"lost a click": {measured(nameOurs, 90_000, time.Millisecond), counts{received: 5, recorded: 4, refused: 1}, 50e6, []string{"not recorded"}},
		"fat":          {measured(nameOurs, 90_000, time.Millisecond), counts{received: 5, recorded: 5}, 61e6, []string{"MB of a tracker"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := &report{Clicks: c.clicks, Memory: []Memory{{Links: 10, Peak: c.memory}}}
			r.fill([]*peer{c.ours, measured(nameNginx, 95_000, time.Millisecond), measured(nameBare, 100_000, time.Millisecond), measured(namePHP, 1000, time.Second)})
			var missed []string
			for _, target := range r.Targets {
				if !target.Held {
					missed = append(missed, target.What)
				}
			}
			if len(missed) != len(c.missed) || r.Held != (len(missed) == 0) {
				t.Fatalf("missed %q, want %q; held %v", missed, c.missed, r.Held)
			}
			for i := range missed {
				if !strings.Contains(missed[i], c.missed[i]) {
					t.Errorf("missed %q, want %q", missed[i], c.missed[i])
				}
			}
			var table bytes.Buffer
			r.print(&table)
			path := filepath.Join(t.TempDir(), "results", "peers.json")
			if err := r.write(path); err != nil || !strings.Contains(table.String(), nameNginx) {
				t.Fatal(err, table.String())
			}
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var back report
			if err := json.Unmarshal(b, &back); err != nil || back.Held != r.Held || len(back.Peers) != 4 || back.Recorded != uint64(c.clicks.recorded) {
				t.Errorf("%v %+v", err, back)
			}
		})
	}
}

func TestRequestsAreTheSameInEveryRun(t *testing.T) {
	a, b, slugs := requests(100), requests(100), map[string]int{}
	for i := range uint64(2 * draws) {
		one, two := a(nil, i), b([]byte("x"), i)
		if string(two) != "x"+string(one) || !bytes.HasSuffix(one, []byte("\r\n\r\n")) {
			t.Fatalf("%q\n%q", one, two)
		}
		slugs[string(bytes.Fields(one)[1])[:12]]++
	}
	if len(slugs) < 20 {
		t.Errorf("%d different slugs", len(slugs))
	}
}

// The bare handler answers what it is compared for: a 302 with the headers of ours.
func TestBareHandler(t *testing.T) {
	addr, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- serveBare(ctx, addr.String()) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	waitFor(t, addr)
	r, err := load.Run(ctx, load.Options{
		Addr: addr, Connections: 2, Duration: 500 * time.Millisecond, Requests: 100, Spin: true, Request: requests(10),
		OnAnswer: func(a load.Answer) {
			if !bytes.Contains(a.Head, []byte("Location: "+destination)) || !bytes.Contains(a.Head, []byte("Cache-Control: no-store")) {
				t.Errorf("%s", a.Head)
			}
		},
	})
	if err != nil || r.Status[302] != 100 {
		t.Errorf("%+v, %v", r, err)
	}
}

func waitFor(t *testing.T, addr netip.AddrPort) {
	t.Helper()
	for t.Context().Err() == nil {
		if c, err := net.Dial("tcp", addr.String()); err == nil {
			c.Close()
			return
		}
	}
}

func TestFeedGivesEveryLinkOnce(t *testing.T) {
	const n = feedPage + 5
	server := httptest.NewServer(feed(n))
	t.Cleanup(server.Close)
	seen := map[string]bool{}
	for cursor, more := int64(0), true; more; {
		resp, err := server.Client().Get(server.URL + "/edge/v1/changes?cursor=" + strconv.FormatInt(cursor, 10))
		if err != nil {
			t.Fatal(err)
		}
		var p link.Page
		b, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err == nil {
			err = json.Unmarshal(b, &p)
		}
		if err != nil || p.Cursor <= cursor {
			t.Fatalf("%v, cursor %d after %d", err, p.Cursor, cursor)
		}
		for _, l := range p.Links {
			seen[l.Slug] = true
		}
		cursor, more = p.Cursor, p.More
	}
	if len(seen) != n {
		t.Errorf("%d links of %d", len(seen), n)
	}
}

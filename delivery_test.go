package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/edgeref/edgeref/analytics/clickhouse"
	server "github.com/edgeref/edgeref/test/clickhouse"
	"github.com/edgeref/edgeref/tracker/deliver"
	"github.com/edgeref/edgeref/tracker/spool"
	"github.com/edgeref/edgeref/wire/agent"
	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/report"
)

// discard is a sink that only counts.
type discard struct{ clicks int }

func (d *discard) AppendClicks(_ context.Context, _ string, clicks []click.Record) error {
	d.clicks += len(clicks)
	return nil
}

// BenchmarkDelivery empties a full spool of EDGEREF_BENCH_CLICKS clicks (default 200,000) into ClickHouse, and, to tell
// what this side takes, into nothing. cpu-us/click is the processor time of this process, server-us/click that of the
// server until the clicks are stored, heap-MiB the most that this process has used.
func BenchmarkDelivery(b *testing.B) {
	total := 200_000
	if n, err := strconv.Atoi(os.Getenv("EDGEREF_BENCH_CLICKS")); err == nil {
		total = n
	}
	b.Run("discard", func(b *testing.B) {
		benchDelivery(b, nil, total, 10_000, func() (deliver.ClickSink, func()) { return new(discard), func() {} })
	})
	s := server.Start(b)
	for _, compression := range []string{"lz4", "none"} {
		for _, size := range []int{10_000, 20_000, 50_000} {
			b.Run(fmt.Sprintf("clickhouse/%s/%d", compression, size), func(b *testing.B) {
				benchDelivery(b, s, total, size, func() (deliver.ClickSink, func()) {
					return benchStore(b, clickhouse.Options{Addr: []string{s.Addr()}, Database: s.Database(b), Compression: compression}, total)
				})
			})
		}
	}
}

// benchStore is a store without clicks, and what checks that all have come.
func benchStore(b *testing.B, opts clickhouse.Options, total int) (deliver.ClickSink, func()) {
	store, err := clickhouse.Open(b.Context(), opts)
	if err != nil {
		b.Fatal(err)
	}
	if err := store.Migrate(b.Context()); err != nil {
		b.Fatal(err)
	}
	return store, func() {
		defer store.Close()
		to := time.Now().Add(24 * time.Hour)
		r, err := store.Report(b.Context(), report.Query{From: to.AddDate(0, 0, -3), To: to})
		if err != nil || r.Total.Clicks != int64(total) {
			b.Fatalf("%d clicks stored, %v; want %d", r.Total.Clicks, err, total)
		}
	}
}

func benchDelivery(b *testing.B, s *server.Server, total, size int, open func() (deliver.ClickSink, func())) {
	classifier, err := agent.New(agent.DefaultCacheSize)
	if err != nil {
		b.Fatal(err)
	}
	opt := deliver.Options{MaxRecords: size, MaxBytes: size * clickBytes, DrainTimeout: 10 * time.Minute}
	serverTime := func() time.Duration { return 0 }
	if s != nil {
		serverTime = func() time.Duration { return s.CPUTime(b) }
	}
	var rounds int
	var cpu, cpuOfServer time.Duration
	for b.Loop() {
		b.StopTimer()
		full := fillSpool(b, total)
		sink, check := open()
		d, err := deliver.NewClicks(full, sink, classifier.Enrich, opt)
		if err != nil {
			b.Fatal(err)
		}
		ended, stop := context.WithCancel(b.Context())
		stop() // so Run ends when the spool is empty
		before, beforeOfServer := cpuTime(b), serverTime()
		b.StartTimer()
		err = d.Run(ended)
		b.StopTimer()
		cpu, cpuOfServer = cpu+cpuTime(b)-before, cpuOfServer+serverTime()-beforeOfServer
		rounds++
		if left := full.Stats().PendingRecords; err != nil || left != 0 {
			b.Fatalf("%d clicks left, %v", left, err)
		}
		check()
		if err := full.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	clicks := float64(rounds * total)
	b.ReportMetric(clicks/b.Elapsed().Seconds(), "clicks/s")
	b.ReportMetric(float64(cpu.Microseconds())/clicks, "cpu-us/click")
	if s != nil {
		b.ReportMetric(float64(cpuOfServer.Microseconds())/clicks, "server-us/click")
	}
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	b.ReportMetric(float64(memory.HeapSys-memory.HeapReleased)/(1<<20), "heap-MiB")
	b.ReportMetric(0, "ns/op")
}

// fillSpool is a spool with that many clicks as a busy site has them.
func fillSpool(b *testing.B, total int) *spool.Spool {
	s, err := spool.Open(spool.Options{Dir: b.TempDir(), Name: "clicks"})
	if err != nil {
		b.Fatal(err)
	}
	keys, err := click.NewKeyring(click.Key{ID: 1, Secret: bytes.Repeat([]byte{1}, 32)})
	if err != nil {
		b.Fatal(err)
	}
	const writers = 64
	var work sync.WaitGroup
	for w := range writers {
		r := rand.New(rand.NewPCG(1, uint64(w)))
		work.Go(func() {
			var payload []byte
			for i := w; i < total; i += writers {
				link := int64(1 + r.ExpFloat64()*500)
				at := time.Now().Add(-time.Duration(total-i) * time.Millisecond)
				c := click.Record{
					ID: keys.Mint(at, 1, link, 1+link%500), ProgramID: 1 + link%3, Visitor: r.Uint64N(1_000_000) * 0x9e3779b97f4a7c15,
					ReferrerHost: "www.youtube.com", ReferrerPath: "/watch/" + strconv.Itoa(r.IntN(5000)), UTMSource: "youtube", UTMCampaign: "diwali",
					Country: "IN", Language: "hi", Network: fmt.Sprintf("203.%d.%d.0/24", r.IntN(50), r.IntN(200)),
					UserAgent: fmt.Sprintf("Mozilla/5.0 (Linux; Android %d; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%d.0.0.0 Mobile Safari/537.36",
						10+r.IntN(6), 100+int(r.ExpFloat64()*8)),
				}
				payload = c.Append(payload[:0])
				if err := s.Append(payload); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	work.Wait()
	return s
}

// cpuTime is what this process has used.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

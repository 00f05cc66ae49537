package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/edgeref/edgeref/analytics/clickhouse"
	server "github.com/edgeref/edgeref/test/clickhouse"
	"github.com/edgeref/edgeref/tracker/deliver"
	"github.com/edgeref/edgeref/tracker/spool"
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
// what the spool itself takes, into nothing. cpu-us/click is of this process, which does not include the server.
func BenchmarkDelivery(b *testing.B) {
	total := 200_000
	if n, err := strconv.Atoi(os.Getenv("EDGEREF_BENCH_CLICKS")); err == nil {
		total = n
	}
	b.Run("discard", func(b *testing.B) {
		benchDelivery(b, total, deliver.Options{}, func() (deliver.ClickSink, func()) { return new(discard), func() {} })
	})
	s := server.Start(b)
	for _, size := range []int{10_000, 50_000, 100_000} {
		b.Run(fmt.Sprintf("clickhouse/%d", size), func(b *testing.B) {
			benchDelivery(b, total, deliver.Options{MaxRecords: size, MaxBytes: 64 << 20}, func() (deliver.ClickSink, func()) {
				store, err := clickhouse.Open(b.Context(), clickhouse.Options{Addr: []string{s.Addr()}, Database: s.Database(b)})
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
			})
		})
	}
}

func benchDelivery(b *testing.B, total int, opt deliver.Options, open func() (deliver.ClickSink, func())) {
	var rounds int
	var cpu time.Duration
	for b.Loop() {
		b.StopTimer()
		full := fillSpool(b, total)
		sink, check := open()
		d, err := deliver.NewClicks(full, sink, func(*click.Record) {}, opt)
		if err != nil {
			b.Fatal(err)
		}
		ended, stop := context.WithCancel(b.Context())
		stop() // so Run ends when the spool is empty
		before := cpuTime(b)
		b.StartTimer()
		err = d.Run(ended)
		b.StopTimer()
		cpu += cpuTime(b) - before
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
					Browser: "Chrome Mobile", OS: "Android", Device: "mobile", Country: "IN", Language: "hi",
					Network: fmt.Sprintf("203.%d.%d.0/24", r.IntN(50), r.IntN(200)), UserAgent: "Mozilla/5.0 (Linux; Android 15) Chrome/142.0 Mobile",
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

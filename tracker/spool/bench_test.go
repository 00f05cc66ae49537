package spool

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"
)

func benchOptions(b *testing.B) Options {
	return Options{Dir: b.TempDir(), Name: "bench", MaxBytes: 16 << 30}
}

// BenchmarkAppend is one record of 256 bytes; waiters is how many callers append at the same time.
func BenchmarkAppend(b *testing.B) {
	for _, policy := range []SyncPolicy{Interval, Always} {
		for _, waiters := range []int{1, 64} {
			b.Run(fmt.Sprintf("%s/waiters=%d", [...]string{"interval", "always"}[policy], waiters), func(b *testing.B) {
				opt := benchOptions(b)
				opt.Sync = policy
				s := mustOpen(b, opt)
				record := make([]byte, 256)
				b.SetBytes(int64(len(record)))
				b.ReportAllocs()
				b.ResetTimer()
				var wg sync.WaitGroup
				for w := range waiters {
					wg.Go(func() {
						for i := w; i < b.N; i += waiters {
							if err := s.Append(record); err != nil {
								b.Error(err)
								return
							}
						}
					})
				}
				wg.Wait()
			})
		}
	}
}

// BenchmarkDeliver is one record of 256 bytes on its way from the disk to an acknowledged batch of 10,000.
func BenchmarkDeliver(b *testing.B) {
	s := mustOpen(b, benchOptions(b))
	record := make([]byte, 256)
	for range b.N {
		if err := s.Append(record); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(len(record)))
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; {
		batch, err := s.Next(context.Background(), 10_000, 8<<20, time.Nanosecond)
		if err != nil {
			b.Fatal(err)
		}
		n += len(batch.Payloads)
		if err := s.Ack(batch); err != nil {
			b.Fatal(err)
		}
	}
}

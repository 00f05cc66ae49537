package links

import (
	"context"
	"fmt"
	"hash/maphash"
	"io"
	"testing"
	"time"

	"github.com/edgeref/edgeref/wire/link"
)

func benchStore(b *testing.B, n int) (*Store[compiled], [][]byte) {
	b.Helper()
	c := newCore()
	c.putProgram(link.Program{ID: 1, ClickParam: "click_id"})
	s, err := New(c, compile, Options{TTL: time.Hour, ReplicaBytes: 1 << 30})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(s.Close)
	slugs := make([][]byte, n)
	for i := range slugs {
		slugs[i] = fmt.Appendf(nil, "slug%d", i)
		c.links = map[int64]link.Link{1: testLink(int64(i)+1, string(slugs[i]))}
		for range 1000 {
			if _, err := s.Find(b.Context(), slugs[i]); err != nil {
				b.Fatal(err)
			}
			s.cache.Wait()
			if _, ok := s.cache.Get(maphash.Bytes(s.seed, slugs[i])); ok {
				break
			}
		}
	}
	return s, slugs
}

func BenchmarkFindHit(b *testing.B) {
	for _, n := range []int{1, 1000} {
		s, slugs := benchStore(b, n)
		b.Run(fmt.Sprintf("links=%d/serial", n), func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				_, _ = s.Find(context.Background(), slugs[i%n])
				i++
			}
		})
		b.Run(fmt.Sprintf("links=%d/parallel", n), func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for i := 0; pb.Next(); i++ {
					_, _ = s.Find(context.Background(), slugs[i%n])
				}
			})
		})
	}
}

// What the parts of a hit cost on their own.
func BenchmarkParts(b *testing.B) {
	s, slugs := benchStore(b, 1)
	b.Run("hash", func(b *testing.B) {
		for b.Loop() {
			maphash.Bytes(s.seed, slugs[0])
		}
	})
	hash := maphash.Bytes(s.seed, slugs[0])
	b.Run("cache", func(b *testing.B) {
		for b.Loop() {
			s.cache.Get(hash)
		}
	})
	b.Run("clock", func(b *testing.B) {
		for b.Loop() {
			s.elapsed()
		}
	})
	b.Run("counter/parallel", func(b *testing.B) {
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				s.metrics.lookups[resultHit].Inc()
			}
		})
	})
}

func BenchmarkReplica(b *testing.B) {
	set := fill(100_000)
	r := newReplica(set.seed, 1<<30, set)
	slugs := make([]string, 1000)
	hashes := make([]uint64, len(slugs))
	for i := range slugs {
		slugs[i] = fmt.Sprintf("slug%06x", i*97)
		hashes[i] = maphash.String(set.seed, slugs[i])
	}
	b.Run("find", func(b *testing.B) {
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			if k := r.bySlug(hashes[i%1000], slugs[i%1000]); !k.ok {
				b.Fatal(slugs[i%1000])
			}
			i++
		}
	})
	b.Run("put", func(b *testing.B) {
		b.ReportAllocs()
		l := testLink(1<<60, "slug000000")
		l.Rev = 1_000_000
		for b.Loop() {
			l.Rev++
			set.putLink(&l, func(uint64) {})
		}
	})
	b.Run("snapshot-100k", func(b *testing.B) {
		for b.Loop() {
			n, err := writeSnapshot(io.Discard, r, nil, time.Now())
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(n)
		}
	})
}

package newid_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/edgeref/edgeref/core/newid"
)

func TestGrowsWhateverTheClockDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
		g := newid.New(func() time.Time { return now })
		last := int64(0)
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			step := rapid.Int64Range(-5_000, 5_000).Draw(t, "step ms")
			now = now.Add(time.Duration(step) * time.Millisecond)
			for range rapid.SampledFrom([]int{1, 2, 5000}).Draw(t, "burst") {
				id := g.New()
				if id <= last {
					t.Fatalf("identifier %d does not follow %d", id, last)
				}
				last = id
			}
		}
	})
}

func TestTime(t *testing.T) {
	for _, want := range []time.Time{
		time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(2026, 11, 24, 8, 30, 0, 123e6, time.UTC),
		time.Date(2094, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		id := newid.New(func() time.Time { return want }).New()
		if got := newid.Time(id); !got.Equal(want) || id < 0 {
			t.Errorf("identifier %d made at %v says %v", id, want, got)
		}
	}
}

func TestClockOutsideRange(t *testing.T) {
	for _, now := range []time.Time{{}, time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2400, 1, 1, 0, 0, 0, 0, time.UTC)} {
		g := newid.New(func() time.Time { return now })
		if a, b := g.New(), g.New(); a <= 0 && !now.Before(time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)) || b <= a {
			t.Errorf("at %v: identifiers %d and %d", now, a, b)
		}
	}
}

func TestUniqueAcrossGoroutines(t *testing.T) {
	const workers, each = 8, 20_000
	g := newid.New(time.Now)
	var wg sync.WaitGroup
	out := make([][]int64, workers)
	for w := range workers {
		wg.Go(func() {
			ids := make([]int64, each)
			for i := range ids {
				ids[i] = g.New()
			}
			out[w] = ids
		})
	}
	wg.Wait()
	for _, ids := range out {
		if !slices.IsSorted(ids) {
			t.Error("identifiers of one goroutine are out of order")
		}
	}
	all := slices.Concat(out...)
	slices.Sort(all)
	if got := len(slices.Compact(all)); got != workers*each {
		t.Errorf("%d different identifiers of %d", got, workers*each)
	}
}

func BenchmarkNew(b *testing.B) {
	g := newid.New(time.Now)
	b.ReportAllocs()
	for b.Loop() {
		g.New()
	}
}

//go:build !race

package spool

import "testing"

func TestAppendDoesNotAllocate(t *testing.T) {
	for name, policy := range map[string]SyncPolicy{"interval": Interval, "always": Always} {
		opt := options(t.TempDir())
		opt.SegmentBytes, opt.MaxBytes, opt.Sync = 64<<20, 1<<30, policy
		s := mustOpen(t, opt)
		record := make([]byte, 100)
		mustAppend(t, s, string(record))
		if n := testing.AllocsPerRun(300, func() {
			if err := s.Append(record); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations; budget 0", name, n)
		}
	}
}

//go:build !race

package click

import (
	"testing"
	"time"
)

// The hot path mints and encodes; both must stay free of allocations (the race detector allocates on its own).
func TestHotPathDoesNotAllocate(t *testing.T) {
	k, now := mustKeyring(t, testKey(1)), time.Now()
	r := fullRecord(t)
	s := r.ID.String()
	encoded := string(r.Append(nil))
	buf := make([]byte, 0, 4096)
	for name, fn := range map[string]func(){
		"mint":   func() { r.ID = k.Mint(now, 1, 2, 3) },
		"text":   func() { buf = r.ID.Append(buf[:0]) },
		"verify": func() { _, _ = ParseVerified(k, s) },
		"encode": func() { buf = r.Append(buf[:0]) },
		"decode": func() { _, _ = Parse(encoded) },
	} {
		if n := testing.AllocsPerRun(1000, fn); n != 0 {
			t.Errorf("%s: %v allocations; budget 0", name, n)
		}
	}
}

// Package newid makes identifiers without asking a database: positive, and in order of time.
package newid

import (
	"math/rand/v2"
	"sync"
	"time"
)

// An identifier is 41 bits of milliseconds since 2025-01-01 UTC (enough until 2094), 10 bits drawn once per process,
// and a sequence of 12 bits. Two processes that drew the same 10 bits could make the same identifier if they also
// met in millisecond and sequence; the primary key would then refuse the second, which fails one request and books
// nothing wrong.
const (
	processBits  = 10
	sequenceBits = 12
	epochMS      = 1_735_689_600_000 // 2025-01-01T00:00:00Z in Unix ms
	maxMS        = 1<<41 - 1
)

// Generator makes identifiers. It is safe for concurrent use.
type Generator struct {
	now     func() time.Time
	process int64

	mu sync.Mutex
	// last is the millisecond and sequence of the last identifier, as one number that only grows.
	last int64
}

// New returns a generator that reads the time from now.
func New(now func() time.Time) *Generator {
	return &Generator{now: now, process: rand.Int64N(1 << processBits)}
}

// New returns an identifier greater than all that this generator made before. It does not wait: where the clock was
// set back, or more than 4096 are asked for in a millisecond, it runs ahead of the clock until that catches up.
func (g *Generator) New() int64 {
	ms := min(max(g.now().UnixMilli()-epochMS, 0), maxMS)
	g.mu.Lock()
	next := max(ms<<sequenceBits, g.last+1)
	g.last = next
	g.mu.Unlock()
	return next>>sequenceBits<<(processBits+sequenceBits) | g.process<<sequenceBits | next&(1<<sequenceBits-1)
}

// Time is the time at which an identifier was made, to the millisecond.
func Time(id int64) time.Time {
	return time.UnixMilli(id>>(processBits+sequenceBits) + epochMS).UTC()
}

// First is the smallest identifier that can have been made at t: lists that page by id find a time by it.
func First(t time.Time) int64 {
	return min(max(t.UnixMilli()-epochMS, 0), maxMS) << (processBits + sequenceBits)
}

package sqlite

import (
	"context"
	"database/sql"
	"slices"

	"golang.org/x/sync/errgroup"
)

// ahead is how many blocks are read while one is counted.
const ahead = 4

// pass is what is done with each block of a plan. Its methods are called by one goroutine.
type pass interface {
	// columns are those that the pass looks at in blocks of a kind, besides those of the filters and the time.
	columns(kind int) []int
	// newDay is called before the first block of each day and kind.
	newDay()
	// count takes the rows picked from a block, of which there is at least one. It keeps neither.
	count(b *block, picked []uint16) error
}

// run reads the plan's blocks, kind by kind and day by day, and hands them to the pass; one goroutine reads and decodes
// while this one counts.
func (p *plan) run(ctx context.Context, tx *sql.Tx, to pass) error {
	g, ctx := errgroup.WithContext(ctx)
	full, empty := make(chan *block, ahead), make(chan *block, ahead)
	for range ahead {
		empty <- new(block)
	}
	g.Go(func() error {
		defer close(full)
		for kind := range p.blocks {
			if err := p.read(ctx, tx, kind, to.columns(kind), full, empty); err != nil {
				return err
			}
		}
		return nil
	})
	g.Go(func() error {
		kind, day := -1, int64(0)
		var picked []uint16
		for b := range full {
			if b.kind != kind || b.day != day {
				kind, day = b.kind, b.day
				to.newDay()
			}
			if picked = p.filters.pick(b, p.from, p.to, picked); len(picked) > 0 {
				if err := to.count(b, picked); err != nil {
					return err
				}
			}
			empty <- b // there is room for all blocks
		}
		return nil
	})
	return g.Wait()
}

// read reads the blocks of a kind. The times, which are a third of most reports' data, are read only where buckets or
// the edges of the span need them.
func (p *plan) read(ctx context.Context, tx *sql.Tx, kind int, cols []int, full chan<- *block, empty <-chan *block) error {
	cols = append(cols, p.filters.columns()...)
	slices.Sort(cols)
	cols = slices.Compact(cols)
	inside, err := newLoader(ctx, tx, cols)
	if err != nil {
		return err
	}
	defer inside.close()
	timed, err := newLoader(ctx, tx, append(cols, colAt))
	if err != nil {
		return err
	}
	defer timed.close()
	for _, h := range p.blocks[kind] {
		var b *block
		select {
		case b = <-empty:
		case <-ctx.Done():
			return ctx.Err()
		}
		load := timed
		if len(p.starts) == 0 && h.minMS >= p.from && h.maxMS < p.to {
			load, b.at = inside, b.at[:0]
		}
		if err := load.load(ctx, h, b); err != nil {
			return err
		}
		select {
		case full <- b:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// humans says of each bot reason of a block of clicks whether it is none.
func humans(b *block, into []bool) []bool {
	into = into[:0]
	for _, reason := range b.text[colBot].dict {
		into = append(into, reason == "")
	}
	return into
}

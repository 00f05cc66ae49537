package sqlite

import (
	"context"
	"database/sql"
	"slices"

	"golang.org/x/sync/errgroup"
)

// ahead is how many blocks are read while one is counted.
const ahead = 4

// pass is what is done with the blocks of each day. Its methods are called by one goroutine.
type pass interface {
	// shape names the pass: passes of one shape find the same in the same blocks.
	shape() string
	// columns are those that the pass looks at in blocks of a kind, besides those of the filters and the time.
	columns(kind int) []int
	// begin is called before the first block of a day.
	begin(d *day)
	// count takes the rows picked from a block, of which there is at least one. It keeps neither.
	count(b *block, picked []uint16) error
	// end returns what was found in the day.
	end() *part
}

// run has the pass go over the plan's days and calls merge with what it finds in each, in order. Days that are in the
// cache are not read.
func (p *plan) run(ctx context.Context, tx *sql.Tx, cache *parts, to pass, merge func(*day, *part) error) error {
	shape := to.shape()
	found := make([]*part, len(p.all))
	computed := make(map[*day]*part)
	var missing []*day
	for i, d := range p.all {
		if found[i] = cache.get(d.key(shape)); found[i] == nil {
			missing = append(missing, d)
		}
	}
	if len(missing) > 0 {
		if err := p.compute(ctx, tx, missing, to, func(d *day, f *part) { computed[d] = f }); err != nil {
			return err
		}
		for i, d := range p.all {
			if found[i] == nil {
				found[i] = computed[d]
			}
		}
	}
	for i, d := range p.all {
		if err := merge(d, found[i]); err != nil {
			return err
		}
	}
	for _, d := range missing { // after the merge, which has put one copy of each key into all parts
		cache.put(d.key(shape), computed[d])
	}
	return nil
}

// loaded is a block of a day, or nil at the day's end.
type loaded struct {
	day   *day
	block *block
}

// compute reads the blocks of the days, day by day, and hands them to the pass; one goroutine reads and decodes while
// another counts.
func (p *plan) compute(ctx context.Context, tx *sql.Tx, days []*day, to pass, done func(*day, *part)) error {
	g, ctx := errgroup.WithContext(ctx)
	full, empty := make(chan loaded, ahead), make(chan *block, ahead)
	for range ahead {
		empty <- new(block)
	}
	g.Go(func() error {
		defer close(full)
		return p.read(ctx, tx, days, to, full, empty)
	})
	g.Go(func() error {
		var current *day
		var picked []uint16
		for next := range full {
			if next.day != current {
				current = next.day
				to.begin(current)
			}
			b := next.block
			if b == nil {
				done(current, to.end())
				continue
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

// readers of a kind of blocks. The times, which are a third of most reports' data, are read only where buckets or the
// edges of the span need them.
type kindLoader struct{ inside, timed *loader }

func (p *plan) newKindLoader(ctx context.Context, tx *sql.Tx, cols []int) (k kindLoader, err error) {
	cols = append(cols, p.filters.columns()...)
	slices.Sort(cols)
	cols = slices.Compact(cols)
	if k.inside, err = newLoader(ctx, tx, cols); err != nil {
		return k, err
	}
	if k.timed, err = newLoader(ctx, tx, append(cols, colAt)); err != nil {
		k.inside.close()
	}
	return k, err
}

func (p *plan) read(ctx context.Context, tx *sql.Tx, days []*day, to pass, full chan<- loaded, empty <-chan *block) error {
	var loaders [len(p.blocks)]kindLoader
	for kind := range loaders {
		k, err := p.newKindLoader(ctx, tx, to.columns(kind))
		if err != nil {
			return err
		}
		defer k.inside.close()
		defer k.timed.close()
		loaders[kind] = k
	}
	send := func(l loaded) error {
		select {
		case full <- l:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for _, d := range days {
		for kind, headers := range d.blocks {
			for _, h := range headers {
				var b *block
				select {
				case b = <-empty:
				case <-ctx.Done():
					return ctx.Err()
				}
				load := loaders[kind].timed
				if len(p.starts) == 0 && h.minMS >= p.from && h.maxMS < p.to {
					load, b.at = loaders[kind].inside, b.at[:0]
				}
				if err := load.load(ctx, h, b); err != nil {
					return err
				}
				if err := send(loaded{d, b}); err != nil {
					return err
				}
			}
		}
		if err := send(loaded{day: d}); err != nil {
			return err
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

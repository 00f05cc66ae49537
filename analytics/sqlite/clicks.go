package sqlite

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/report"
)

// Clicks lists single clicks, newest first, as far back as retention has left them. It is safe for concurrent use.
func (s *Store) Clicks(ctx context.Context, q report.ClickQuery) (clicks []click.Record, err error) {
	if err := q.Validate(); err != nil {
		return nil, err
	}
	defer func(begun time.Time) { s.metrics.done(opClicks, begun, err) }(time.Now())
	err = s.inSnapshot(ctx, func(tx *sql.Tx) error {
		places, err := listPlaces(ctx, tx, &q)
		if err == nil {
			clicks, err = fetch(ctx, tx, places)
		}
		return err
	})
	return clicks, s.wrap("list clicks", err)
}

// place is where a click is stored.
type place struct {
	id  click.ID
	in  header
	row int
}

func newestFirst(a, b place) int { return bytes.Compare(b.id[:], a.id[:]) }

// listPlaces finds the clicks of the page: block by block from the newest, until no block can have a newer click than
// those found.
func listPlaces(ctx context.Context, tx *sql.Tx, q *report.ClickQuery) ([]place, error) {
	filters := newFilters(q.Filters, q.AffiliateID)
	from, to := q.From.UnixMilli(), q.To.UnixMilli()-1
	if !q.Before.IsZero() {
		to = min(to, q.Before.UnixMilli())
	}
	headers, err := overlapping(ctx, tx, kindClicks, from, to)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(headers, func(a, b header) int { return cmp.Compare(b.maxMS, a.maxMS) })
	load, err := newLoader(ctx, tx, append(filters.columns(), colAt, colID))
	if err != nil {
		return nil, err
	}
	defer load.close()
	var best []place
	var floor click.ID // what is not above is not among the newest
	var b block
	var picked []uint16
	keepBest := func() {
		slices.SortFunc(best, newestFirst)
		if len(best) >= q.Limit {
			best = best[:q.Limit]
			floor = best[q.Limit-1].id
		}
	}
	for _, h := range headers {
		if !floor.IsZero() && h.maxMS < floor.UnixMilli() {
			break
		}
		if !h.detail {
			continue // its single clicks are gone
		}
		if err := load.load(ctx, h, &b); err != nil {
			return nil, err
		}
		picked = filters.pick(&b, from, to+1, picked)
		for _, row := range picked {
			id := b.ids[row]
			below := q.Before.IsZero() || bytes.Compare(id[:], q.Before[:]) < 0
			if below && bytes.Compare(id[:], floor[:]) > 0 {
				best = append(best, place{id, h, int(row)})
			}
		}
		keepBest()
	}
	return best, nil
}

// fetch reads the clicks, one block at a time.
func fetch(ctx context.Context, tx *sql.Tx, places []place) ([]click.Record, error) {
	byBlock := make([]int, len(places)) // indexes of places
	for i := range byBlock {
		byBlock[i] = i
	}
	slices.SortFunc(byBlock, func(i, j int) int { return cmp.Compare(places[i].in.id, places[j].in.id) })
	clicks := make([]click.Record, len(places))
	var b *block
	for _, i := range byBlock {
		p := places[i]
		if b == nil || b.id != p.in.id {
			var err error
			if b, err = loadWhole(ctx, tx, p.in); err != nil {
				return nil, err
			}
		}
		c, err := b.clickAt(p.row)
		if err != nil {
			return nil, err
		}
		// A copy, so that the page does not keep the blocks in memory.
		if clicks[i], err = click.Parse(string(c.Append(nil))); err != nil {
			return nil, err
		}
	}
	return clicks, nil
}

package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"maps"
	"slices"

	"github.com/edgeref/edgeref/wire/click"
)

// A click is found by the time in its ID, which leads to very few blocks, and then by looking through their IDs. That
// costs a fact some tenths of a millisecond, and the many more clicks no index.

// findClicks returns those of the wanted clicks that are stored with their details.
func findClicks(ctx context.Context, tx *sql.Tx, wanted map[click.ID]bool) (map[click.ID]*click.Record, error) {
	found := make(map[click.ID]*click.Record, len(wanted))
	byDay := make(map[int64][]int64) // times, in ms
	for id := range wanted {
		ms := id.UnixMilli()
		byDay[ms/dayMilli] = append(byDay[ms/dayMilli], ms)
	}
	ids, err := newLoader(ctx, tx, []int{colID})
	if err != nil {
		return nil, err
	}
	defer ids.close()
	var b block
	for _, day := range slices.Sorted(maps.Keys(byDay)) {
		times := byDay[day]
		slices.Sort(times)
		headers, err := queryHeaders(ctx, tx, "kind = ? AND day = ? AND min_ms <= ? AND max_ms >= ? AND detail = 1",
			kindClicks, day, times[len(times)-1], times[0])
		if err != nil {
			return nil, err
		}
		for _, h := range headers {
			if i, _ := slices.BinarySearch(times, h.minMS); i == len(times) || times[i] > h.maxMS {
				continue
			}
			if err := ids.load(ctx, h, &b); err != nil {
				return nil, err
			}
			rows := rowsOf(b.ids, wanted)
			if len(rows) == 0 {
				continue
			}
			whole, err := loadWhole(ctx, tx, h)
			if err != nil {
				return nil, err
			}
			for _, row := range rows {
				c, err := whole.clickAt(row)
				if err != nil {
					return nil, err
				}
				found[c.ID] = &c
			}
		}
	}
	return found, nil
}

func rowsOf(ids []click.ID, wanted map[click.ID]bool) (rows []int) {
	for row := range ids {
		if wanted[ids[row]] {
			rows = append(rows, row)
		}
	}
	return rows
}

// settleWaiting gives the facts that came in before one of these clicks the click's properties.
func settleWaiting(ctx context.Context, tx *sql.Tx, clicks []click.Record) error {
	if len(clicks) == 0 {
		return nil
	}
	byDay, err := waitingFor(ctx, tx, clicks)
	if err != nil || len(byDay) == 0 {
		return err
	}
	byID := make(map[click.ID]*click.Record)
	for i := range clicks {
		byID[clicks[i].ID] = &clicks[i]
	}
	for _, day := range slices.Sorted(maps.Keys(byDay)) {
		settled := make(map[click.ID]bool)
		for _, id := range byDay[day] {
			if byID[id] == nil {
				continue
			}
			settled[id] = true
			if _, err := tx.ExecContext(ctx, "DELETE FROM waiting WHERE click = ? AND day = ?", id[:], day); err != nil {
				return err
			}
		}
		if len(settled) == 0 {
			continue
		}
		if err := settleDay(ctx, tx, day, settled, byID); err != nil {
			return err
		}
	}
	return nil
}

// waitingFor returns by day of the fact which clicks facts wait for, in the range of the given clicks' IDs.
func waitingFor(ctx context.Context, tx *sql.Tx, clicks []click.Record) (map[int64][]click.ID, error) {
	first, last := clicks[0].ID, clicks[0].ID
	for i := range clicks {
		if bytes.Compare(clicks[i].ID[:], first[:]) < 0 {
			first = clicks[i].ID
		}
		if bytes.Compare(clicks[i].ID[:], last[:]) > 0 {
			last = clicks[i].ID
		}
	}
	rows, err := tx.QueryContext(ctx, "SELECT click, day FROM waiting WHERE click BETWEEN ? AND ?", first[:], last[:])
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	byDay := make(map[int64][]click.ID)
	for rows.Next() {
		var raw sql.RawBytes
		var day int64
		if err := rows.Scan(&raw, &day); err != nil {
			return nil, err
		}
		var id click.ID
		if copy(id[:], raw) != click.IDSize {
			return nil, errColumn
		}
		byDay[day] = append(byDay[day], id)
	}
	return byDay, rows.Err()
}

func settleDay(ctx context.Context, tx *sql.Tx, day int64, settled map[click.ID]bool, byID map[click.ID]*click.Record) error {
	headers, err := queryHeaders(ctx, tx, "kind = ? AND day = ? AND detail = 1", kindFacts, day)
	if err != nil {
		return err
	}
	ids, err := newLoader(ctx, tx, []int{colID})
	if err != nil {
		return err
	}
	defer ids.close()
	var b block
	for _, h := range headers {
		if err := ids.load(ctx, h, &b); err != nil {
			return err
		}
		rows := rowsOf(b.ids, settled)
		if len(rows) == 0 {
			continue
		}
		whole, err := loadWhole(ctx, tx, h)
		if err != nil {
			return err
		}
		clicks := make(map[int]*click.Record, len(rows))
		for _, row := range rows {
			clicks[row] = byID[b.ids[row]]
		}
		whole.setClicks(clicks)
		if err := storeBlock(ctx, tx, whole); err != nil {
			return err
		}
	}
	return nil
}

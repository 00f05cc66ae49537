package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// header is a stored block without its columns.
type header struct {
	id           int64
	kind         int
	day          int64
	rows         int
	minMS, maxMS int64
	detail       bool
	version      int64 // how often it was written over
}

const headerColumns = "id, kind, day, rows, min_ms, max_ms, detail, version"

func queryHeaders(ctx context.Context, tx *sql.Tx, where string, args ...any) (headers []header, err error) {
	rows, err := tx.QueryContext(ctx, "SELECT "+headerColumns+" FROM blocks WHERE "+where, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var h header
		if err := rows.Scan(&h.id, &h.kind, &h.day, &h.rows, &h.minMS, &h.maxMS, &h.detail, &h.version); err != nil {
			return nil, err
		}
		headers = append(headers, h)
	}
	return headers, rows.Err()
}

// overlapping returns the blocks with rows between from and to (Unix ms, both included), by day.
func overlapping(ctx context.Context, tx *sql.Tx, kind int, from, to int64) ([]header, error) {
	return queryHeaders(ctx, tx, "kind = ? AND day BETWEEN ? AND ? AND min_ms <= ? AND max_ms >= ? ORDER BY day, id",
		kind, floorDay(from), floorDay(to), to, from)
}

func floorDay(ms int64) int64 {
	day := ms / dayMilli
	if ms%dayMilli < 0 {
		day--
	}
	return day
}

// loader reads some columns of blocks, one block after the other.
type loader struct {
	stmt *sql.Stmt
	cols []int
}

// newLoader prepares to read the columns, in a transaction that outlives the loader.
func newLoader(ctx context.Context, tx *sql.Tx, cols []int) (*loader, error) {
	var b strings.Builder
	b.WriteString("SELECT key, data FROM columns WHERE key IN (")
	for i, col := range cols {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "?1*64+%d", col)
	}
	b.WriteByte(')')
	stmt, err := tx.PrepareContext(ctx, b.String())
	if err != nil {
		return nil, err
	}
	return &loader{stmt, cols}, nil
}

func (l *loader) close() { _ = l.stmt.Close() }

// load fills b, whose memory it uses again, with the loader's columns. Columns that retention has deleted are "" in
// every row, or zero.
func (l *loader) load(ctx context.Context, h header, b *block) error {
	b.id, b.kind, b.day, b.rows = h.id, h.kind, h.day, h.rows
	rows, err := l.stmt.QueryContext(ctx, h.id)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	found := 0
	var data sql.RawBytes
	for rows.Next() {
		var key int64
		if err := rows.Scan(&key, &data); err != nil {
			return err
		}
		col := int(key & 63)
		if key>>6 != h.id || !hasColumn(h.kind, col) {
			return fmt.Errorf("%w: key %d in block %d", errColumn, key, h.id)
		}
		if err := b.decodeColumn(col, data, h.rows); err != nil {
			return fmt.Errorf("block %d column %d: %w", h.id, col, err)
		}
		found++
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return l.check(h, b, found)
}

// check sees to it that every column was there, or puts what stands for a deleted one.
func (l *loader) check(h header, b *block, found int) error {
	want := 0
	for _, col := range l.cols {
		switch {
		case !hasColumn(h.kind, col):
		case !h.detail && detail(col):
			if col <= colNode {
				b.text[col] = texts{dict: []string{""}, idx: make([]uint16, h.rows)}
			}
		default:
			want++
		}
	}
	if found != want {
		return fmt.Errorf("%w: block %d has %d columns of %d", errColumn, h.id, found, want)
	}
	return nil
}

func allColumns() []int {
	cols := make([]int, 0, numColumns)
	for col := range numColumns {
		if hasColumn(kindClicks, col) || hasColumn(kindFacts, col) {
			cols = append(cols, col)
		}
	}
	return cols
}

// loadWhole reads a block with all that it has.
func loadWhole(ctx context.Context, tx *sql.Tx, h header) (*block, error) {
	l, err := newLoader(ctx, tx, allColumns())
	if err != nil {
		return nil, err
	}
	defer l.close()
	b := new(block)
	return b, l.load(ctx, h, b)
}

// storeBlock writes a block: a new one, or, where it has an id, over the old one.
func storeBlock(ctx context.Context, tx *sql.Tx, b *block) error {
	first, last := b.span()
	if b.id == 0 {
		result, err := tx.ExecContext(ctx, "INSERT INTO blocks (kind, day, rows, min_ms, max_ms, detail) VALUES (?, ?, ?, ?, ?, 1)",
			b.kind, b.day, b.rows, first, last)
		if err != nil {
			return err
		}
		if b.id, err = result.LastInsertId(); err != nil {
			return err
		}
	} else if _, err := tx.ExecContext(ctx, "UPDATE blocks SET rows = ?, min_ms = ?, max_ms = ?, version = version + 1 WHERE id = ?", b.rows, first, last, b.id); err != nil {
		return err
	}
	put, err := tx.PrepareContext(ctx, "INSERT OR REPLACE INTO columns (key, data) VALUES (?, ?)")
	if err != nil {
		return err
	}
	defer func() { _ = put.Close() }()
	var data []byte
	for col := range numColumns {
		if !hasColumn(b.kind, col) {
			continue
		}
		data = b.appendColumn(data[:0], col)
		if _, err := put.ExecContext(ctx, b.id<<6|int64(col), data); err != nil {
			return err
		}
	}
	return nil
}

// addBlock stores the rows of b, together with those of the day's last blocks as long as these are no larger than what
// has been put together so far. So a day of n rows that come a few at a time ends in about n/8192 full blocks and at
// most 13 smaller ones, and a row is written again at most 13 times. The block of which rows are taken in is the oldest.
func addBlock(ctx context.Context, tx *sql.Tx, b *block) error {
	for {
		last, err := queryHeaders(ctx, tx, "kind = ? AND day = ? AND detail = 1 ORDER BY id DESC LIMIT 1", b.kind, b.day)
		if err != nil {
			return err
		}
		if len(last) == 0 || last[0].rows > b.rows || last[0].rows+b.rows > maxRows {
			return storeBlock(ctx, tx, b)
		}
		whole, err := loadWhole(ctx, tx, last[0])
		if err != nil {
			return err
		}
		whole.concat(b)
		if _, err := tx.ExecContext(ctx, "DELETE FROM blocks WHERE id = ?", whole.id); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM columns WHERE key BETWEEN ? AND ?", whole.id<<6, whole.id<<6|63); err != nil {
			return err
		}
		whole.id = 0
		b = whole
	}
}

package ledger

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/edgeref/edgeref/core/db"
)

// ExportFormat is a form in which the ledger leaves the system.
type ExportFormat string

// The forms. hledger and beancount count from the business's side: there a debt to an affiliate is negative.
const (
	CSV       ExportFormat = "csv"
	Hledger   ExportFormat = "hledger"
	Beancount ExportFormat = "beancount"
)

// exportBatch bounds the transactions that are in memory at once.
const exportBatch = 500

// ErrFormat says that there is no such form.
var ErrFormat = errors.New("no such export format: want csv, hledger or beancount")

// ExportOptions say what to export.
type ExportOptions struct {
	Format ExportFormat
	From   time.Time // posted at this time or later; zero: from the beginning
	To     time.Time // posted before this time; zero: to the end
}

// Valid returns ErrFormat where the format is none.
func (o ExportOptions) Valid() error {
	if newExporter(o.Format) == nil {
		return ErrFormat
	}
	return nil
}

// exporter writes one form. It belongs to one export. Writes go to a buffer that remembers its first error.
type exporter interface {
	begin(w *bufio.Writer, opts ExportOptions)
	transaction(w *bufio.Writer, t *Transaction)
	end(w *bufio.Writer, transactions int64)
}

func newExporter(format ExportFormat) exporter {
	switch format {
	case CSV:
		return &csvExport{}
	case Hledger:
		return &hledgerExport{declared: map[string]bool{}}
	case Beancount:
		return &beancountExport{opened: map[string]bool{}}
	}
	return nil
}

// Export writes transactions to w in order of their identifiers, which is the order in which they were made, and
// returns how many. What was exported once comes again in the same order: the ledger only grows. It reads in small
// parts and holds nothing open while w is slow. On an error w has a part; the text forms end with a line that says so
// when they are complete.
func (l *Ledger) Export(ctx context.Context, w io.Writer, opts ExportOptions) (transactions int64, err error) {
	x := newExporter(opts.Format)
	if x == nil {
		return 0, ErrFormat
	}
	where, bounds := "", []any(nil)
	if !opts.From.IsZero() {
		where, bounds = where+" AND posted_at >= ?", append(bounds, opts.From.UnixMilli())
	}
	if !opts.To.IsZero() {
		where, bounds = where+" AND posted_at < ?", append(bounds, opts.To.UnixMilli())
	}
	out := bufio.NewWriterSize(w, 64<<10)
	x.begin(out, opts)
	for after := int64(0); ; {
		args := append(append([]any{after}, bounds...), exportBatch)
		ids, err := readIDs(ctx, l.db, "SELECT id FROM ledger_transactions WHERE id > ?"+where+" ORDER BY id LIMIT ?", args...)
		if err != nil {
			return transactions, fmt.Errorf("export ledger: %w", err)
		}
		if len(ids) == 0 {
			break
		}
		after = ids[len(ids)-1]
		if err := l.exportPart(ctx, out, x, ids); err != nil {
			return transactions, fmt.Errorf("export ledger: %w", err)
		}
		transactions += int64(len(ids))
		if len(ids) < exportBatch {
			break
		}
	}
	x.end(out, transactions)
	if err := out.Flush(); err != nil {
		return transactions, fmt.Errorf("write ledger export: %w", err)
	}
	return transactions, nil
}

func (l *Ledger) exportPart(ctx context.Context, out *bufio.Writer, x exporter, ids []int64) error {
	byID := make(map[int64]*Transaction, len(ids))
	for part, args := range db.Chunks(ids) {
		if err := readTransactions(ctx, l.db, byID, db.In(len(part)), args); err != nil {
			return err
		}
	}
	for _, id := range ids {
		t := byID[id]
		if t == nil {
			return fmt.Errorf("transaction %d has no entries: verify the ledger", id)
		}
		x.transaction(out, t)
	}
	// A failed write stays failed; an empty one asks for it.
	_, err := out.Write(nil)
	return err
}

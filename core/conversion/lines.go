package conversion

import (
	"context"
	"fmt"
	"strings"

	"github.com/edgeref/edgeref/core/commission"
	"github.com/edgeref/edgeref/core/db"
	wire "github.com/edgeref/edgeref/wire/conversion"
	"github.com/edgeref/edgeref/wire/money"
)

// storedLine is a line of an order, with what was taken back of it.
type storedLine struct {
	Line
	refunded int64 // minor units
}

func (l *storedLine) rest() int64 { return l.Net.Minor - l.refunded }

func linesOf(o *OrderSale) []storedLine {
	out := make([]storedLine, len(o.Lines))
	for i, l := range o.Lines {
		out[i] = storedLine{Line: l}
	}
	return out
}

// insertLines stores the lines of an order.
func insertLines(ctx context.Context, tx *db.Tx, conversionID int64, lines []storedLine) error {
	args := make([]any, 0, 5*len(lines))
	for _, l := range lines {
		args = append(args, conversionID, l.LineID, l.ProductID, l.Quantity, l.Net.Minor)
	}
	_, err := tx.Exec(ctx, "INSERT INTO conversion_lines (conversion_id, line_id, product_id, quantity, net_minor, refunded_minor) VALUES "+
		strings.Repeat(", (?, ?, ?, ?, ?, 0)", len(lines))[2:], args...)
	if err != nil {
		return fmt.Errorf("store lines of an order: %w", err)
	}
	return nil
}

// readLines reads the lines of an order's conversion, in order of id; none for other conversions.
func readLines(ctx context.Context, q db.Querier, c *Conversion) ([]storedLine, error) {
	if c.Channel != wire.Shop || c.Amount == nil {
		return nil, nil
	}
	rows, err := q.Query(ctx, "SELECT line_id, product_id, quantity, net_minor, refunded_minor FROM conversion_lines WHERE conversion_id = ? ORDER BY line_id", c.ID)
	if err != nil {
		return nil, fmt.Errorf("read lines of an order: %w", err)
	}
	defer rows.Close()
	var out []storedLine
	for rows.Next() {
		var l storedLine
		if err := rows.Scan(&l.LineID, &l.ProductID, &l.Quantity, &l.Net.Minor, &l.refunded); err != nil {
			return nil, fmt.Errorf("read lines of an order: %w", err)
		}
		l.Net.Currency = c.Amount.Currency
		out = append(out, l)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read lines of an order: %w", err)
	}
	return out, nil
}

// takeLines takes a refund from the lines of its order: as the refund says, or else split over what is left of them. It
// returns what is then taken of each line.
func (b *booking) takeLines(ctx context.Context, c *Conversion, take taking) ([]commission.LineRefund, error) {
	lines, err := readLines(ctx, b.tx, take.subject)
	if err != nil || len(lines) == 0 {
		return nil, err
	}
	for i, part := range b.parts(lines, take) {
		if part == 0 {
			continue
		}
		lines[i].refunded += part
		if err := setRefunded(ctx, b.tx, take.subject.ID, &lines[i]); err != nil {
			return nil, err
		}
		if _, err := b.tx.Exec(ctx, "INSERT INTO conversion_takes (conversion_id, line_id, minor) VALUES (?, ?, ?)", c.ID, lines[i].LineID, part); err != nil {
			return nil, fmt.Errorf("note what a refund took from a line: %w", err)
		}
	}
	return lineRefunds(lines), nil
}

// parts is what take takes from each line. What a refund says of lines comes to what is taken, or it counts as a sum.
func (b *booking) parts(lines []storedLine, take taking) []int64 {
	said, sum := make([]int64, len(lines)), int64(0)
	rest := make([]int64, len(lines))
	for i := range lines {
		rest[i] = lines[i].rest()
		said[i] = min(b.takes[lines[i].LineID], rest[i])
		sum += said[i]
	}
	if b.takes != nil && sum == take.minor {
		return said
	}
	return money.Split(take.minor, rest)
}

func setRefunded(ctx context.Context, tx *db.Tx, conversionID int64, l *storedLine) error {
	_, err := tx.Exec(ctx, "UPDATE conversion_lines SET refunded_minor = ? WHERE conversion_id = ? AND line_id = ?", l.refunded, conversionID, l.LineID)
	if err != nil {
		return fmt.Errorf("note what is refunded of a line: %w", err)
	}
	return nil
}

func lineRefunds(lines []storedLine) []commission.LineRefund {
	out := make([]commission.LineRefund, len(lines))
	for i := range lines {
		out[i] = commission.LineRefund{LineID: lines[i].LineID, Refunded: lines[i].refunded, All: lines[i].rest() == 0 && lines[i].refunded > 0}
	}
	return out
}

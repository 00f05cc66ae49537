package db

import (
	"iter"
	"strings"
)

// MaxIn is the longest IN list to send in one statement; see Chunks.
const MaxIn = 500

// ForUpdate is appended to a SELECT inside InTx to lock its rows. SQLite needs nothing: its only writer is us.
func (d Dialect) ForUpdate() string {
	if d == MySQL {
		return " FOR UPDATE"
	}
	return ""
}

// SkipLocked is ForUpdate that leaves out rows which others have locked.
func (d Dialect) SkipLocked() string {
	if d == MySQL {
		return " FOR UPDATE SKIP LOCKED"
	}
	return ""
}

// Upsert is appended to an INSERT: where the unique key over the columns key is taken, the columns set get the new
// values. With no columns to set, the row that is there stays as it is. MySQL looks at every unique key of the table.
// RowsAffected does not tell the cases apart; use TryInsert for that.
func (d Dialect) Upsert(key []string, set ...string) string {
	var b strings.Builder
	if d == MySQL {
		b.WriteString(" ON DUPLICATE KEY UPDATE ")
		if len(set) == 0 {
			b.WriteString(key[0] + " = " + key[0])
		}
		for i, column := range set {
			separate(&b, i)
			b.WriteString(column + " = VALUES(" + column + ")")
		}
		return b.String()
	}
	b.WriteString(" ON CONFLICT (" + strings.Join(key, ", ") + ") DO ")
	if len(set) == 0 {
		b.WriteString("NOTHING")
		return b.String()
	}
	b.WriteString("UPDATE SET ")
	for i, column := range set {
		separate(&b, i)
		b.WriteString(column + " = excluded." + column)
	}
	return b.String()
}

func separate(b *strings.Builder, i int) {
	if i > 0 {
		b.WriteString(", ")
	}
}

// In is the list for "column IN " with n placeholders. n must be positive.
func In(n int) string {
	return "(" + strings.Repeat("?, ", n-1) + "?)"
}

// Chunks yields items in parts of at most MaxIn, with the arguments that In(len(part)) needs.
func Chunks[T any](items []T) iter.Seq2[[]T, []any] {
	return func(yield func([]T, []any) bool) {
		for len(items) > 0 {
			part := items[:min(MaxIn, len(items))]
			items = items[len(part):]
			args := make([]any, len(part))
			for i := range part {
				args[i] = part[i]
			}
			if !yield(part, args) {
				return
			}
		}
	}
}

package demo

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/edgeref/edgeref/core/db"
)

// State is whether a database holds the demo.
type State string

// States. They are kept in the database itself, so that its data is known for a demo wherever it is taken.
const (
	None   State = ""       // no demo
	Making State = "making" // begun and not finished
	Made   State = "made"
)

// Errors of Begin. Their text is for the operator.
var (
	ErrHalf    = errors.New("holds demo data that was not finished")
	ErrForeign = errors.New("holds data that is not demo data")
)

const stateRow = "demo"

// ReadState says what a database holds. Its schema must be this version's.
func ReadState(ctx context.Context, q db.Querier) (s State, err error) {
	err = q.QueryRow(ctx, "SELECT value FROM meta WHERE name = ?", stateRow).Scan(&s)
	if db.IsNoRows(err) {
		return None, nil
	}
	if err != nil {
		return None, fmt.Errorf("read state of the demo: %w", err)
	}
	return s, nil
}

// begin marks an empty database. A second process that tries at the same time gets ErrHalf.
func begin(ctx context.Context, database *db.DB) error {
	return database.InTx(ctx, func(tx *db.Tx) error {
		if state, err := ReadState(ctx, tx); err != nil || state == Making {
			return cmp.Or(err, ErrHalf)
		}
		var used int
		// Whatever has run before has made its first token, and whoever uses it has programs.
		err := tx.QueryRow(ctx, "SELECT (SELECT COUNT(*) FROM meta WHERE name = 'first_admin_token') + (SELECT COUNT(*) FROM programs)").Scan(&used)
		if err != nil {
			return fmt.Errorf("look for data: %w", err)
		}
		if used > 0 {
			return ErrForeign
		}
		made, err := tx.TryInsert(ctx, "INSERT INTO meta (name, value) VALUES (?, ?)", stateRow, string(Making))
		if err == nil && !made {
			err = ErrHalf
		}
		return err
	})
}

// finish says that all is made.
func finish(ctx context.Context, database *db.DB) error {
	return database.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE meta SET value = ? WHERE name = ?", string(Made), stateRow)
		return err
	})
}

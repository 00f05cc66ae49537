package ledger

import (
	"context"

	"github.com/edgeref/edgeref/core/db"
)

// FirstBreak runs the checks inside a transaction that will be undone: Verify reads only what is committed, and what
// is committed to the ledger cannot be taken back.
func FirstBreak(ctx context.Context, q db.Querier) (*Break, error) {
	for _, c := range checks {
		if found, err := c.run(ctx, q); err != nil || found != nil {
			return found, err
		}
	}
	return nil, nil
}

// About are the conditions of Transactions on what they are about, for a test of their plans.
func (f Filter) About() ([]string, [][]any) { return f.about() }

package payout_test

import (
	"context"

	"github.com/edgeref/edgeref/core/db"
)

// demand wants a document of every affiliate that is not called "known".
type demand struct{}

func (demand) Missing(ctx context.Context, q db.Querier, affiliateID int64, _ string) ([]string, error) {
	var name string
	if err := q.QueryRow(ctx, "SELECT name FROM affiliates WHERE id = ?", affiliateID).Scan(&name); err != nil || name == "known" {
		return nil, err
	}
	return []string{"pan_card"}, nil
}

package payout

import (
	"context"
	"fmt"
	"strings"

	"github.com/edgeref/edgeref/core/db"
)

// readRequests reads requests.
func readRequests(ctx context.Context, q db.Querier, rest string, args ...any) ([]Request, error) {
	rows, err := q.Query(ctx, `SELECT id, affiliate_id, currency, state, gross_minor, net_minor, batch_id, payout_id, reason, decided_by, decided_token,
		created_at, updated_at FROM payout_requests WHERE `+rest, args...)
	if err != nil {
		return nil, fmt.Errorf("read payout requests: %w", err)
	}
	defer rows.Close()
	var out []Request
	for rows.Next() {
		var r Request
		if err := rows.Scan(&r.ID, &r.AffiliateID, &r.Currency, &r.State, &r.Gross, &r.Net, &r.BatchID, &r.PayoutID, &r.Reason, &r.DecidedBy, &r.DecidedToken,
			&r.CreatedAt, &r.UpdatedAt); err != nil {
			return nil, fmt.Errorf("read payout requests: %w", err)
		}
		out = append(out, r)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read payout requests: %w", err)
	}
	return out, nil
}

// waitingRequests returns the requests in a currency that wait, by affiliate: those of owners, of whom there are at most db.MaxIn, or
// of everybody where there are none, the oldest maxCandidates.
func waitingRequests(ctx context.Context, q db.Querier, currency string, owners []int64, lock string) (map[int64]*Request, error) {
	where, args := "state = 'waiting' AND slot = 0 AND currency = ?", []any{currency}
	if len(owners) > 0 {
		where += " AND affiliate_id IN " + db.In(len(owners))
		for _, id := range owners {
			args = append(args, id)
		}
	}
	list, err := readRequests(ctx, q, where+" ORDER BY id LIMIT ?"+lock, append(args, maxCandidates)...)
	if err != nil {
		return nil, err
	}
	out := make(map[int64]*Request, len(list))
	for i := range list {
		out[list[i].AffiliateID] = &list[i]
	}
	return out, nil
}

// RequestFilter selects requests.
type RequestFilter struct {
	AffiliateID int64        // 0: all
	State       RequestState // "": all
	Currency    string       // "": all
	Since       int64        // with an ID of this or above
	Before      int64        // with an ID below this one; 0: from the newest
	Limit       int
}

// Requests returns requests, the newest first.
func (s *Service) Requests(ctx context.Context, f RequestFilter) ([]Request, error) {
	where, args := []string{"id >= ?", "id < ?"}, []any{f.Since, bound(f.Before)}
	if f.AffiliateID != 0 {
		where, args = append(where, "affiliate_id = ?"), append(args, f.AffiliateID)
	}
	if f.State != "" {
		where, args = append(where, "state = ?"), append(args, f.State)
	}
	if f.Currency != "" {
		where, args = append(where, "currency = ?"), append(args, f.Currency)
	}
	return readRequests(ctx, s.db, strings.Join(where, " AND ")+" ORDER BY id DESC LIMIT ?", append(args, f.Limit)...)
}

// Prospects says what a batch made now would pay for each of the requests that wait, by any way that the business can pay: by request,
// at one moment.
func (s *Service) Prospects(ctx context.Context, requests []Request) (out map[int64]Candidate, err error) {
	err = s.db.Snapshot(ctx, func(tx *db.Tx) error {
		out = make(map[int64]Candidate, len(requests))
		for _, r := range requests {
			if r.State != RequestWaiting {
				continue
			}
			balances, err := balancesOf(ctx, tx, r.AffiliateID)
			if err != nil {
				return err
			}
			c := Candidate{AffiliateID: r.AffiliateID}
			for i := range balances {
				if balances[i].Currency == r.Currency {
					c = balances[i].Candidate
				}
			}
			if err := s.assess(ctx, tx, &c, Selection{Currency: r.Currency}, anyOf(s.opts.Executors)); err != nil {
				return err
			}
			out[r.ID] = c
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look at what is asked for: %w", err)
	}
	return out, nil
}

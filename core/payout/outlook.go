package payout

import (
	"context"
	"fmt"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/ledger"
	"github.com/edgeref/edgeref/wire/money"
)

// Outlook is what a batch made now would pay an affiliate in one currency, by whichever way the business can pay.
type Outlook struct {
	Candidate
	Currency    string
	Minimum     int64    // minor units, below which nothing is paid
	Missing     []string // kinds of documents that are not accepted yet
	Country     string   // whose rules apply; "": it is not known
	NextRelease int64    // Unix ms, when the next hold ends; 0: nothing is on hold
	TaxYear     int64    // Unix ms, when the tax year began; 0: no tax rule is in force
}

// anyOf supports what one of several executors supports.
type anyOf map[string]Executor

// Supports implements Executor.
func (a anyOf) Supports(kind Kind, amount money.Amount) bool {
	for _, x := range a {
		if x.Supports(kind, amount) {
			return true
		}
	}
	return false
}

// Outlooks returns the outlook in every currency in which an affiliate has or had a balance, or an account, in order of
// currency. It changes nothing.
func (s *Service) Outlooks(ctx context.Context, affiliateID int64) (out []Outlook, err error) {
	err = s.db.Snapshot(ctx, func(tx *db.Tx) error {
		out = nil
		balances, err := balancesOf(ctx, tx, affiliateID)
		if err != nil {
			return err
		}
		for _, o := range balances {
			sel := Selection{Currency: o.Currency, AffiliateIDs: []int64{affiliateID}}
			if err := s.assess(ctx, tx, &o.Candidate, sel, anyOf(s.opts.Executors)); err != nil {
				return err
			}
			if err := s.outlook(ctx, tx, &o); err != nil {
				return err
			}
			out = append(out, o)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look at the next payout: %w", err)
	}
	for i := range out {
		if out[i].NextRelease, err = s.opts.Commissions.NextRelease(ctx, affiliateID, out[i].Currency); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// outlook adds what an affiliate is told beside the reasons.
func (s *Service) outlook(ctx context.Context, q db.Querier, o *Outlook) error {
	o.Minimum, o.TaxYear = s.policy.Minimum[o.Currency], o.taxYear
	profile, err := taxProfile(ctx, q, o.AffiliateID)
	if err != nil {
		return err
	}
	if o.Country = profile.Country; o.Country == "" && o.Method != nil {
		o.Country = o.Method.Country
	}
	if s.opts.Documents != nil {
		if o.Missing, err = s.opts.Documents.Missing(ctx, q, o.AffiliateID, o.Country); err != nil {
			return err
		}
	}
	return nil
}

func balancesOf(ctx context.Context, q db.Querier, affiliateID int64) ([]Outlook, error) {
	rows, err := q.Query(ctx, `SELECT currency, SUM(pending), SUM(payable) FROM (
			SELECT a.currency, CASE WHEN a.kind = 'pending' THEN e.amount_minor ELSE 0 END AS pending, CASE WHEN a.kind = 'payable' THEN e.amount_minor ELSE 0 END AS payable
			FROM ledger_accounts a JOIN ledger_entries e ON e.account_id = a.id WHERE a.owner_id = ? AND a.kind IN (?, ?)
			UNION ALL SELECT currency, 0, 0 FROM payout_methods WHERE affiliate_id = ? AND slot = 0) b
		GROUP BY currency ORDER BY currency`, affiliateID, ledger.Pending, ledger.Payable, affiliateID)
	if err != nil {
		return nil, fmt.Errorf("read balances: %w", err)
	}
	defer rows.Close()
	var out []Outlook
	for rows.Next() {
		o := Outlook{Candidate: Candidate{AffiliateID: affiliateID}}
		if err := rows.Scan(&o.Currency, &o.Pending, &o.Balance); err != nil {
			return nil, fmt.Errorf("read balances: %w", err)
		}
		out = append(out, o)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read balances: %w", err)
	}
	return out, nil
}

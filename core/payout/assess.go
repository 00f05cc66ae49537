package payout

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/ledger"
	"github.com/edgeref/edgeref/core/tax"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/money"
)

// Codes of reasons why somebody is not paid. They are part of the API.
const (
	OnHold            = "on_hold"
	NegativeBalance   = "negative_balance"
	BelowMinimum      = "below_minimum"
	ReviewNeeded      = "review_needed" // the balance fell below the floor
	Unexplained       = "unexplained_balance"
	Suspended         = "affiliate_suspended"
	MethodMissing     = "method_missing"
	MethodFrozen      = "method_frozen"
	MethodUnsupported = "method_unsupported"
	SharedAccount     = "shared_account"
	KYCMissing        = "kyc_missing"
	TaxRuleMissing    = "tax_rule_missing"
	TaxExceeds        = "tax_exceeds_payout"
)

// Reason is one reason why somebody is not paid.
type Reason struct{ Code, Detail string }

// Candidate is somebody who might be paid.
type Candidate struct {
	AffiliateID int64
	Name        string
	Pending     int64 // minor units on hold
	Balance     int64 // minor units payable
	Gross       int64 // minor units that a payout would take from the balance
	Tax, Net    int64
	Method      *Method // nil: there is none
	Withheld    tax.Result
	Reasons     []Reason // empty: payable
	Request     *Request // that waits; nil: there is none
	items       []Item
	taxYear     int64
}

// Ready reports whether nothing stands against paying.
func (c *Candidate) Ready() bool { return len(c.Reasons) == 0 }

func (c *Candidate) refuse(code, detail string, args ...any) {
	c.Reasons = append(c.Reasons, Reason{code, fmt.Sprintf(detail, args...)})
}

// Selection says whom a batch is for.
type Selection struct {
	Currency     string
	Executor     string
	AffiliateIDs []int64 // empty: everybody
	// RequestedOnly leaves out whoever has no request waiting.
	RequestedOnly bool
}

// Preview is who would be paid, how much, and why others would not.
type Preview struct {
	Candidates      []Candidate
	Payouts         int // of those that are ready
	Gross, Tax, Net int64
	More            bool // there are more candidates than were looked at
	Requests        int  // that wait, whether or not they can be paid
	RequestsReady   int  // of those
}

func (s *Service) check(sel Selection) (Executor, error) {
	if _, err := money.Decimals(sel.Currency); err != nil {
		return nil, &InvalidError{"currency", "must be an ISO 4217 code"}
	}
	if len(sel.AffiliateIDs) > MaxBatch {
		return nil, &InvalidError{"affiliate_ids", fmt.Sprintf("must be at most %d", MaxBatch)}
	}
	x, err := s.executor(sel.Executor)
	if err != nil {
		return nil, &InvalidError{"executor", "is not one that is configured"}
	}
	return x, nil
}

// Preview looks at everybody with a balance, at one moment, and changes nothing.
func (s *Service) Preview(ctx context.Context, sel Selection) (p Preview, err error) {
	x, err := s.check(sel)
	if err != nil {
		return p, err
	}
	err = s.db.Snapshot(ctx, func(tx *db.Tx) error {
		p = Preview{}
		list, more, err := s.candidates(ctx, tx, sel)
		if err != nil {
			return err
		}
		waiting, err := waitingRequests(ctx, tx, sel.Currency, sel.AffiliateIDs, "")
		if err != nil {
			return err
		}
		p.More, p.Requests = more, len(waiting)
		for i := range list {
			c := &list[i]
			if err := s.assess(ctx, tx, c, sel, x); err != nil {
				return err
			}
			c.Request = waiting[c.AffiliateID]
			if c.Ready() {
				p.Payouts, p.Gross, p.Tax, p.Net = p.Payouts+1, p.Gross+c.Gross, p.Tax+c.Tax, p.Net+c.Net
				if c.Request != nil {
					p.RequestsReady++
				}
			}
		}
		p.Candidates = list
		return nil
	})
	if err != nil {
		return Preview{}, fmt.Errorf("preview payouts: %w", err)
	}
	return p, nil
}

// candidates are those with money on hold or a balance that is not zero, in order of affiliate.
func (s *Service) candidates(ctx context.Context, q db.Querier, sel Selection) (list []Candidate, more bool, err error) {
	where, args := "a.currency = ? AND a.kind IN (?, ?)", []any{sel.Currency, ledger.Pending, ledger.Payable}
	if len(sel.AffiliateIDs) > 0 {
		where += " AND a.owner_id IN " + db.In(len(sel.AffiliateIDs))
		for _, id := range sel.AffiliateIDs {
			args = append(args, id)
		}
	}
	if sel.RequestedOnly {
		where, args = where+" AND a.owner_id IN (SELECT affiliate_id FROM payout_requests WHERE state = 'waiting' AND currency = ?)", append(args, sel.Currency)
	}
	rows, err := q.Query(ctx, `SELECT a.owner_id, f.name,
			COALESCE(SUM(CASE WHEN a.kind = 'pending' THEN e.amount_minor END), 0), COALESCE(SUM(CASE WHEN a.kind = 'payable' THEN e.amount_minor END), 0)
		FROM ledger_accounts a JOIN ledger_entries e ON e.account_id = a.id JOIN affiliates f ON f.id = a.owner_id
		WHERE `+where+` GROUP BY a.owner_id, f.name
		HAVING COALESCE(SUM(CASE WHEN a.kind = 'pending' THEN e.amount_minor END), 0) <> 0 OR COALESCE(SUM(CASE WHEN a.kind = 'payable' THEN e.amount_minor END), 0) <> 0
		ORDER BY a.owner_id LIMIT ?`, append(args, maxCandidates+1)...)
	if err != nil {
		return nil, false, fmt.Errorf("find who has a balance: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var c Candidate
		if err := rows.Scan(&c.AffiliateID, &c.Name, &c.Pending, &c.Balance); err != nil {
			return nil, false, fmt.Errorf("find who has a balance: %w", err)
		}
		list = append(list, c)
	}
	if err := rows.Err(); err != nil {
		return nil, false, fmt.Errorf("find who has a balance: %w", err)
	}
	if more = len(list) > maxCandidates; more {
		s.metrics.limited.Inc()
	}
	return list[:min(len(list), maxCandidates)], more, nil
}

// assess finds what c would be paid, and everything that stands against it. c has its balance. Inside of a transaction that
// holds the payable account's lock, what it finds is what can be paid.
func (s *Service) assess(ctx context.Context, q db.Querier, c *Candidate, sel Selection, x Executor) error {
	c.Reasons, c.Gross, c.Tax, c.Net = nil, 0, 0, 0
	var status string
	if err := q.QueryRow(ctx, "SELECT name, status FROM affiliates WHERE id = ?", c.AffiliateID).Scan(&c.Name, &status); err != nil {
		return fmt.Errorf("read affiliate: %w", err)
	}
	if status != "active" {
		c.refuse(Suspended, "the affiliate is %s", status)
	}
	if err := s.assessBalance(ctx, q, c, sel.Currency); err != nil {
		return err
	}
	country, err := s.assessMethod(ctx, q, c, sel, x)
	if err != nil {
		return err
	}
	if c.Gross > 0 {
		return s.assessTax(ctx, q, c, sel.Currency, country)
	}
	return nil
}

func (s *Service) assessBalance(ctx context.Context, q db.Querier, c *Candidate, currency string) error {
	show := func(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: currency} }
	var reviewed int64
	err := q.QueryRow(ctx, "SELECT COALESCE(MAX(up_to), 0) FROM payout_reviews WHERE affiliate_id = ? AND currency = ?", c.AffiliateID, currency).Scan(&reviewed)
	if err != nil {
		return fmt.Errorf("read payout reviews: %w", err)
	}
	lowest, err := ledger.Lowest(ctx, q, ledger.Payable, currency, c.AffiliateID, reviewed)
	if err != nil {
		return err
	}
	seen, err := ledger.BalanceAt(ctx, q, ledger.Payable, currency, c.AffiliateID, reviewed)
	if err != nil {
		return err
	}
	// What a review has seen needs no other while it gets no worse.
	if floor := -s.policy.Floor[currency]; lowest < min(floor, seen) {
		c.refuse(ReviewNeeded, "the balance was %s, below the floor of %s: review it", show(lowest), show(floor))
	}
	switch {
	case c.Balance < 0:
		c.refuse(NegativeBalance, "%s is owed by the affiliate and netted with what is earned next", show(-c.Balance))
		return nil
	case c.Balance == 0 && c.Pending != 0:
		c.refuse(OnHold, "%s is on hold", show(c.Pending))
		return nil
	}
	items, sum, complete, err := dueItems(ctx, q, c.AffiliateID, currency)
	if err != nil {
		return err
	}
	if complete && sum != c.Balance || sum > c.Balance {
		c.refuse(Unexplained, "commissions explain %s of a balance of %s: verify the ledger", show(sum), show(c.Balance))
		return nil
	}
	c.items, c.Gross = items, sum
	if least := s.policy.Minimum[currency]; c.Gross < max(least, 1) {
		c.refuse(BelowMinimum, "the minimum is %s", show(least))
	}
	return nil
}

// covered sums up what open and settled payouts have paid of a commission.
const covered = `COALESCE((SELECT SUM(i.amount_minor) FROM payout_items i JOIN payouts p ON p.id = i.payout_id
	WHERE i.commission_id = c.id AND p.state IN ('reserved', 'sending', 'sent', 'paid')), 0)`

// dueItems are the differences between what each released commission is worth and what payouts have covered of it: those
// that take back first, then the oldest. complete is false where there are more than one payout may hold; because
// what takes back came first, the sum is then no more than the balance.
func dueItems(ctx context.Context, q db.Querier, affiliateID int64, currency string) (items []Item, sum int64, complete bool, err error) {
	rows, err := q.Query(ctx, `SELECT id, due FROM (SELECT c.id, c.amount_minor - c.reversed_minor - `+covered+` AS due FROM commissions c
		WHERE c.affiliate_id = ? AND c.currency = ? AND c.released_at <> 0) d WHERE due <> 0 ORDER BY CASE WHEN due < 0 THEN 0 ELSE 1 END, id LIMIT ?`,
		affiliateID, currency, maxItems+1)
	if err != nil {
		return nil, 0, false, fmt.Errorf("find commissions to pay: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var i Item
		if err := rows.Scan(&i.CommissionID, &i.Minor); err != nil {
			return nil, 0, false, fmt.Errorf("find commissions to pay: %w", err)
		}
		items = append(items, i)
	}
	if err := rows.Err(); err != nil {
		return nil, 0, false, fmt.Errorf("find commissions to pay: %w", err)
	}
	complete = len(items) <= maxItems
	items = items[:min(len(items), maxItems)]
	total := money.Amount{Currency: currency}
	for _, i := range items {
		if total, err = total.Add(money.Amount{Minor: i.Minor, Currency: currency}); err != nil {
			return nil, 0, false, fmt.Errorf("sum up commissions to pay: %w", err)
		}
	}
	return items, total.Minor, complete, nil
}

// assessMethod returns the country whose rules apply: that of the tax profile, or else that of the account.
func (s *Service) assessMethod(ctx context.Context, q db.Querier, c *Candidate, sel Selection, x Executor) (country string, err error) {
	profile, err := taxProfile(ctx, q, c.AffiliateID)
	if err != nil {
		return "", err
	}
	country = profile.Country
	m, err := methodInUse(ctx, q, c.AffiliateID, sel.Currency)
	if err != nil {
		return "", err
	}
	if m == nil {
		c.Method = nil
		c.refuse(MethodMissing, "there is no payout method in %s", sel.Currency)
	} else {
		c.Method = &m.Method
		if country == "" {
			country = m.Country
		}
		if m.FrozenUntil > s.now().UnixMilli() {
			c.refuse(MethodFrozen, "the payout method is new: nothing is paid to it before %s", time.UnixMilli(m.FrozenUntil).UTC().Format(time.RFC3339))
		}
		if amount := (money.Amount{Minor: c.Gross, Currency: sel.Currency}); !x.Supports(m.Kind, amount) {
			c.refuse(MethodUnsupported, "%s cannot pay to %s", sel.Executor, m.Kind)
		}
		others, err := sharedWith(ctx, q, m)
		if err != nil {
			return "", fmt.Errorf("look for the same account: %w", err)
		}
		if c.Method.Shared = len(others) > 0; c.Method.Shared && !m.SharedOK {
			names := make([]string, len(others))
			for i, id := range others {
				names[i] = ident.Format(ident.Affiliate, id)
			}
			c.refuse(SharedAccount, "the same account is used by %s", strings.Join(names, ", "))
		}
	}
	if s.opts.Documents != nil {
		missing, err := s.opts.Documents.Missing(ctx, q, c.AffiliateID, country)
		if err != nil {
			return "", err
		}
		if len(missing) > 0 {
			c.refuse(KYCMissing, "not accepted yet: %s", strings.Join(missing, ", "))
		}
	}
	return country, nil
}

func (s *Service) assessTax(ctx context.Context, q db.Querier, c *Candidate, currency, country string) error {
	now := s.now()
	rule, found, err := tax.InForce(ctx, q, country, currency, now.UnixMilli())
	if err != nil {
		return err
	}
	c.Net, c.Withheld, c.taxYear = c.Gross, tax.Result{}, 0
	if !found {
		if slices.Contains(s.policy.TaxCountries, country) {
			c.refuse(TaxRuleMissing, "no tax rule is in force for %s in %s", country, currency)
		}
		return nil
	}
	begin, _ := rule.Year(now)
	c.taxYear = begin.UnixMilli()
	var before tax.Before
	err = q.QueryRow(ctx, `SELECT COALESCE(SUM(gross_minor), 0), COALESCE(SUM(taxable_minor), 0) FROM payouts
		WHERE affiliate_id = ? AND currency = ? AND tax_year = ? AND state IN ('reserved', 'sending', 'sent', 'paid')`, c.AffiliateID, currency, c.taxYear).
		Scan(&before.Gross, &before.Taxed)
	if err != nil {
		return fmt.Errorf("sum up the tax year: %w", err)
	}
	profile, err := taxProfile(ctx, q, c.AffiliateID)
	if err != nil {
		return err
	}
	hasID := profile.Masked != "" && profile.Country == rule.Country
	if c.Withheld, err = rule.Apply(c.Gross, before, hasID); err != nil {
		return err
	}
	c.Tax, c.Net = c.Withheld.Tax, c.Gross-c.Withheld.Tax
	if c.Net <= 0 {
		c.refuse(TaxExceeds, "the tax on the year is not less than the payout: %s", c.Withheld)
	}
	return nil
}

func (c *Candidate) taxNote() (string, error) {
	b, err := json.Marshal(c.Withheld)
	if err != nil {
		return "", fmt.Errorf("explain tax: %w", err)
	}
	return string(b), nil
}

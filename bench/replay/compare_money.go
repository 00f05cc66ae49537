package replay

import (
	"context"
	"net/url"

	"github.com/edgeref/edgeref/bench/system"
	"github.com/edgeref/edgeref/wire/money"
)

// listedCommission is one item of GET /api/v1/commissions.
type listedCommission struct {
	AffiliateID string       `json:"affiliate_id"`
	State       string       `json:"state"`
	Amount      money.Amount `json:"amount"`
	Reversed    money.Amount `json:"reversed"`
}

// balance is one item of GET /api/v1/ledger/balances.
type balance struct {
	Kind   string       `json:"kind"`
	Amount money.Amount `json:"amount"`
}

// ledger compares commissions and balances per affiliate and currency, and asks the core to verify its own ledger.
func (c *comparer) ledger(ctx context.Context) ([]Check, error) {
	net, count, reversed := c.oracle.commissions()
	listed := Check{Name: "list of commissions", Expected: int64(count)}
	sums := Check{Name: "commissions, net, by affiliate and currency (minor units)"}
	balances := Check{Name: "ledger, pending, by affiliate and currency (minor units)"}
	states := map[string]int{}
	for i := range c.oracle.world.Affiliates {
		id := c.oracle.world.Affiliates[i].ID
		earnedNow := map[string]int64{}
		err := system.List(ctx, c.api, "/commissions", url.Values{"affiliate_id": {id}, "limit": {"200"}}, func(item listedCommission) error {
			listed.Groups++
			listed.Got++
			if item.AffiliateID != id {
				listed.differ("affiliate %s: a commission of %s is listed", id, item.AffiliateID)
			}
			states[item.State]++
			earnedNow[item.Amount.Currency] += item.Amount.Minor - item.Reversed.Minor
			return nil
		})
		if err != nil {
			return []Check{listed}, err
		}
		compareSums(&sums, i, id, net, earnedNow)
		owed, err := c.pending(ctx, id, &balances)
		if err != nil {
			return []Check{listed, sums}, err
		}
		compareSums(&balances, i, id, net, owed)
	}
	if states["reversed"] != reversed || states["pending"] != count-reversed || len(states) > 2 {
		listed.differ("commissions by state %v, want %d pending and %d reversed", states, count-reversed, reversed)
	}
	verified, err := c.verification(ctx)
	return []Check{listed, sums, balances, verified}, err
}

// compareSums compares what affiliate i has by currency. Sums of zero need not be listed.
func compareSums(check *Check, i int, id string, net map[earned]int64, got map[string]int64) {
	for key, want := range net {
		if key.Affiliate != i {
			continue
		}
		check.Groups++
		check.Expected += want
		if have := got[key.Currency]; have != want {
			check.differ("affiliate %d (%s): %d %s, want %d", i+1, id, have, key.Currency, want)
		}
	}
	for currency, have := range got {
		check.Got += have
		if _, known := net[earned{i, currency}]; !known && have != 0 {
			check.differ("affiliate %d (%s): %d %s, want none", i+1, id, have, currency)
		}
	}
}

// pending is what the ledger owes an affiliate, on hold, by currency. All other accounts must be empty.
func (c *comparer) pending(ctx context.Context, affiliate string, check *Check) (map[string]int64, error) {
	owed := map[string]int64{}
	err := system.List(ctx, c.api, "/ledger/balances", url.Values{"affiliate_id": {affiliate}}, func(b balance) error {
		if b.Kind == "pending" {
			owed[b.Amount.Currency] += b.Amount.Minor
		} else if b.Amount.Minor != 0 {
			check.differ("affiliate %s: %s in account %s, want none", affiliate, b.Amount, b.Kind)
		}
		return nil
	})
	return owed, err
}

func (c *comparer) verification(ctx context.Context) (Check, error) {
	check := Check{Name: "ledger verification", Groups: 1, Expected: 1}
	var answer struct {
		OK bool `json:"ok"`
	}
	if err := c.api.Get(ctx, "/ledger/verification", nil, &answer); err != nil {
		return check, err
	}
	if answer.OK {
		check.Got = 1
	} else {
		check.differ("the core says that its ledger does not hold")
	}
	return check, nil
}

// conserved checks the equations that hold on an edge node at all times. Figures move while they are scraped where other
// traffic is served, so an equation may hold at any of some scrapes.
func (c *comparer) conserved(ctx context.Context) ([]Check, error) {
	const attempts = 5
	var checks []Check
	for _, ops := range c.opts.Ops {
		var check Check
		for range attempts {
			s, err := c.api.Scrape(ctx, ops)
			if err != nil {
				return checks, err
			}
			if check = compareMetrics(ops, s); check.Differences == 0 {
				break
			}
			if err := wait(ctx, settleStep); err != nil {
				return checks, err
			}
		}
		checks = append(checks, check)
	}
	return checks, nil
}

func compareMetrics(ops string, s system.Samples) Check {
	check := Check{Name: "conservation at " + ops}
	for _, eq := range s.Equations() {
		check.Groups++
		check.Expected += int64(eq.Left)
		check.Got += int64(eq.Right)
		if eq.Left != eq.Right {
			check.differ("%s: %.0f is not %.0f", eq.Name, eq.Left, eq.Right)
		}
	}
	if s.Pending() > 0 {
		check.differ("%.0f records have not reached their store", s.Pending())
	}
	if len(s) == 0 {
		check.differ("there are no metrics")
	}
	return check
}

package catalog

import "github.com/edgeref/edgeref/core/db"

// SetPageLimit makes pages small enough to test where they end.
func (c *Catalog) SetPageLimit(n int) { c.pageLimit = n }

// Poll does what Run does every 250 ms.
var Poll = (*Catalog).poll

// CheckURL is the check of destinations.
var CheckURL = checkURL

// Waiters is how many wait in Changes.
func (c *Catalog) Waiters() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.waiters
}

// Where is the condition of Affiliates, for a test of its query plan.
func (f AffiliateFilter) Where(dialect db.Dialect) (string, []any) { return f.where(dialect) }

// Where is the condition of Links, for a test of its query plan.
func (f LinkFilter) Where(before int64) (string, []any) { return f.where(before) }

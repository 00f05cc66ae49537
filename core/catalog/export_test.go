package catalog

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

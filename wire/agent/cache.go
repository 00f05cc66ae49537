package agent

import (
	"strings"
	"sync"
)

// cache remembers the classes of the agents seen last. It keeps two generations: a full young one becomes the old one,
// and what is found in the old one moves to the young. So it holds at most twice size entries, of at most MaxLen bytes
// of key each, and agents that keep coming stay in it however many others pass by once.
type cache struct {
	size       int
	mu         sync.RWMutex
	young, old map[string]Class
}

func newCache(size int) *cache { return &cache{size: size, young: make(map[string]Class)} }

func (c *cache) get(key string) (Class, bool) {
	c.mu.RLock()
	class, ok := c.young[key]
	stale := false
	if !ok {
		class, stale = c.old[key]
	}
	c.mu.RUnlock()
	if stale {
		c.put(key, class)
	}
	return class, ok || stale
}

// put copies key, which may be a view of somebody's buffer.
func (c *cache) put(key string, class Class) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.young[key]; ok {
		return
	}
	if len(c.young) >= c.size {
		c.old, c.young = c.young, make(map[string]Class)
	}
	c.young[strings.Clone(key)] = class
}

func (c *cache) len() int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return len(c.young) + len(c.old)
}

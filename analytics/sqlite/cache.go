package sqlite

import (
	"container/list"
	"sync"
)

// parts is a cache of parts of reports, least recently used ones out first. Nothing in it can be out of date: a key names
// the state of the blocks that its part was computed from. It is safe for concurrent use.
type parts struct {
	budget  int64 // bytes
	metrics *metrics

	mu    sync.Mutex
	bytes int64
	byKey map[partKey]*list.Element
	order *list.List // of *cached; the most recently used one in front
}

type cached struct {
	key  partKey
	part *part
	size int64
}

// maxShare keeps one report of very many groups from taking the place of all others.
const maxShare = 256

func newParts(budget int64, m *metrics) *parts {
	return &parts{budget: budget, metrics: m, byKey: make(map[partKey]*list.Element), order: list.New()}
}

// get returns nil where the part is not there.
func (c *parts) get(key partKey) *part {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.byKey[key]
	if e == nil {
		c.metrics.cache.WithLabelValues("miss").Inc()
		return nil
	}
	c.metrics.cache.WithLabelValues("hit").Inc()
	c.order.MoveToFront(e)
	return e.Value.(*cached).part
}

func (c *parts) put(key partKey, p *part) {
	size := p.size()
	if size > c.budget/maxShare {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byKey[key] != nil {
		return // two reports at once
	}
	p.fresh = false
	c.byKey[key] = c.order.PushFront(&cached{key, p, size})
	c.bytes += size
	for c.bytes > c.budget {
		last := c.order.Back()
		old := c.order.Remove(last).(*cached)
		delete(c.byKey, old.key)
		c.bytes -= old.size
	}
	c.metrics.cacheBytes.Set(float64(c.bytes))
}

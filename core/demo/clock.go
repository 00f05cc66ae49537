package demo

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// clock is the time of the demo's business. It only goes forward, by the agenda.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t.After(c.now) {
		c.now = t
	}
}

// agenda is what happens in the business, in the order of its time. What happens may put more on it, later.
type agenda struct {
	clock *clock
	end   time.Time // what would happen at this time or later does not
	todo  entries
	seq   int
}

// entry is one thing that happens. Of two at one time the one that was put down first comes first.
type entry struct {
	at  time.Time
	seq int
	do  func(context.Context) error
}

func (a *agenda) at(t time.Time, do func(context.Context) error) {
	if !t.Before(a.end) {
		return
	}
	a.seq++
	heap.Push(&a.todo, entry{t, a.seq, do})
}

// after is at, counted from now.
func (a *agenda) after(d time.Duration, do func(context.Context) error) {
	a.at(a.clock.Now().Add(d), do)
}

// until lets happen all that does before a time, and sets the clock to it.
func (a *agenda) until(ctx context.Context, t time.Time) error {
	for len(a.todo) > 0 && a.todo[0].at.Before(t) {
		if err := ctx.Err(); err != nil {
			return err
		}
		e := heap.Pop(&a.todo).(entry)
		a.clock.set(e.at)
		// Whoever stops the demo stops it between two things: a context that can end costs a goroutine for each statement.
		if err := e.do(context.WithoutCancel(ctx)); err != nil {
			return err
		}
	}
	a.clock.set(t)
	return nil
}

// entries implements heap.Interface.
type entries []entry

func (e entries) Len() int      { return len(e) }
func (e entries) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *entries) Push(x any)   { *e = append(*e, x.(entry)) }

func (e entries) Less(i, j int) bool {
	if e[i].at.Equal(e[j].at) {
		return e[i].seq < e[j].seq
	}
	return e[i].at.Before(e[j].at)
}

func (e *entries) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}

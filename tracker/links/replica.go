package links

import (
	"errors"
	"fmt"
	"hash/maphash"
	"sync"
	"sync/atomic"

	"github.com/edgeref/edgeref/wire/link"
)

// generationSlots is the number of counters that slugs share. A change to one link sends the cached entries of one slot
// to the replica once more, 1 in 4096 of all, and costs nothing else. 32 KiB.
const generationSlots = 4096

// replica is what the feed and the look-ups have told, kept so that answers never go back in time: whatever is learned
// is merged by revision here first and answered from here.
//
// An entry of the cache carries the generation of its slug, taken under the same lock as its data. A change of the data
// raises the generation under that lock. So an entry is current exactly while its generation is, however the cache
// delays, drops or reorders what is put into it.
type replica struct {
	seed        maphash.Seed
	maxBytes    int64
	generations [generationSlots]atomic.Uint64

	mu   sync.RWMutex
	live *linkSet
	next *linkSet // being filled by a feed that started again; nil otherwise
}

func newReplica(seed maphash.Seed, maxBytes int64, live *linkSet) *replica {
	r := &replica{seed: seed, maxBytes: maxBytes, live: live}
	r.touchAll() // no entry has generation 0
	return r
}

// known is the newest that is known of a slug.
type known struct {
	link       link.Link
	program    *program
	generation uint64
	ok         bool
}

func (r *replica) generation(hash uint64) *atomic.Uint64 { return &r.generations[hash%generationSlots] }

func (r *replica) touch(hash uint64) { r.generation(hash).Add(1) }

func (r *replica) touchAll() {
	for i := range r.generations {
		r.generations[i].Add(1)
	}
}

// bySlug answers from the live set.
func (r *replica) bySlug(hash uint64, slug string) known {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.read(r.live, hash, slug)
}

func (r *replica) read(set *linkSet, hash uint64, slug string) known {
	at, _ := set.findSlug(hash, slug)
	k := known{generation: r.generation(hash).Load()}
	k.link, k.program, k.ok = set.resolve(at)
	return k
}

func (r *replica) byID(id int64) (link.Resolved, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	at, _ := r.live.findID(id)
	l, p, ok := r.live.resolve(at)
	if !ok {
		return link.Resolved{}, false
	}
	return link.Resolved{Link: l, Program: p.Program}, true
}

func (r *replica) program(id int64) (link.Program, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	p := r.live.programs[id]
	if p == nil {
		return link.Program{}, false
	}
	return p.Program, true
}

// target is the set that answers of look-ups started from now on are merged into.
func (r *replica) target() *linkSet {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.newest()
}

func (r *replica) newest() *linkSet {
	if r.next != nil {
		return r.next
	}
	return r.live
}

// merge takes in the answer of a look-up that was started while target was the newest set, and answers with what is
// newest now. changed says whether there was anything new in it.
func (r *replica) merge(target *linkSet, hash uint64, res *link.Resolved) (k known, changed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if target != r.live && target != r.next {
		// The answer may be from another database than the set; one is never compared with the other.
		if k = r.read(r.live, hash, res.Link.Slug); k.ok {
			return k, false
		}
		return known{link: res.Link, program: &program{Program: res.Program}, ok: true}, false
	}
	program := target.putProgram(&res.Program)
	stored := target.putLink(&res.Link, r.touch)
	if k = r.read(target, hash, res.Link.Slug); !k.ok {
		k = r.unstored(target, hash, res)
	}
	return k, program == putNew || stored == putNew
}

// unstored makes an answer of what the set had no room for.
func (r *replica) unstored(set *linkSet, hash uint64, res *link.Resolved) known {
	p := set.programs[res.Program.ID]
	if p == nil {
		p = &program{Program: res.Program}
	}
	return known{link: res.Link, program: p, generation: r.generation(hash).Load(), ok: true}
}

// position is where to ask the feed for more.
type position struct {
	feed     string
	cursor   int64
	complete bool
}

func (r *replica) position() position {
	r.mu.RLock()
	defer r.mu.RUnlock()
	s := r.newest()
	return position{feed: s.feed, cursor: s.cursor, complete: s.complete}
}

// applied says what a page brought.
type applied struct {
	changed   bool // something is new since the last snapshot
	restarted bool // the feed started again, from another database or an older state of it
	invalid   int  // links and programs that cannot be kept
	full      int  // links and programs that there was no room for
}

var errPage = errors.New("the change feed's answer makes no sense")

// apply takes in a page that answers asked. If the feed started again, the live set goes on answering until the new one
// is complete.
func (r *replica) apply(asked position, page *link.Page) (applied, error) {
	var a applied
	r.mu.Lock()
	defer r.mu.Unlock()
	set := r.newest()
	first := set.feed == ""
	a.restarted = !first && (page.Feed != set.feed || page.Cursor < asked.cursor)
	from := asked.cursor
	if a.restarted {
		from = 0
	}
	switch {
	case page.Feed == "":
		return applied{}, fmt.Errorf("%w: it has no identity", errPage)
	case page.Cursor < from || page.More && page.Cursor == from:
		return applied{}, fmt.Errorf("%w: it does not get on at cursor %d", errPage, page.Cursor)
	}
	if a.restarted {
		set = newLinkSet(r.seed, r.maxBytes)
		r.next = set
	}
	touch := r.touch
	if set != r.live {
		touch = func(uint64) {} // nothing answers from it yet
	}
	r.fill(set, page, touch, &a)
	a.changed = a.changed || set.feed != page.Feed || set.cursor != page.Cursor || !page.More && !set.complete
	set.feed, set.cursor, set.complete = page.Feed, page.Cursor, set.complete || !page.More
	if set == r.next && !page.More {
		r.live, r.next = set, nil
		r.touchAll()
	}
	return a, nil
}

func (r *replica) fill(set *linkSet, page *link.Page, touch func(uint64), a *applied) {
	count := func(o putOutcome) {
		switch o {
		case putNew:
			a.changed = true
		case putInvalid:
			a.invalid++
		case putFull:
			a.changed = true
			a.full++
		}
	}
	for i := range page.Programs {
		count(set.putProgram(&page.Programs[i]))
	}
	for i := range page.Links {
		count(set.putLink(&page.Links[i], touch))
	}
}

// replicaSize is what metrics tell of the replica.
type replicaSize struct {
	links, programs int
	bytes           int64
	complete        bool
}

func (r *replica) size() replicaSize {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return replicaSize{
		links: r.live.ids.used, programs: len(r.live.programs), bytes: r.live.bytes(), complete: r.live.complete,
	}
}

// pinned is a reader's hold on one set: see pin.
type pinned struct {
	r        *replica
	set      *linkSet
	at       position
	programs []*program
}

// pin holds the live set for a reader that takes it in chunk by chunk, without a lock between them, one reader at a
// time. The reader sees everything up to the position, and some of what came later, in one revision or in two.
func (r *replica) pin() *pinned {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.live
	s.arena.pin()
	p := &pinned{r: r, set: s, at: position{feed: s.feed, cursor: s.cursor, complete: s.complete}}
	for _, program := range s.programs {
		p.programs = append(p.programs, program)
	}
	return p
}

// chunk appends the records of chunk c; it fails when there is no such chunk.
func (p *pinned) chunk(dst []byte, c int) ([]byte, bool) {
	p.r.mu.RLock()
	defer p.r.mu.RUnlock()
	if c >= len(p.set.arena.chunks) {
		return dst, false
	}
	return p.set.appendLive(dst, c), true
}

func (p *pinned) release() {
	p.r.mu.Lock()
	defer p.r.mu.Unlock()
	p.set.arena.pinned = false
}

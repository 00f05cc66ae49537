package links

import (
	"hash/maphash"
	"sync/atomic"

	"github.com/edgeref/edgeref/wire/link"
)

const (
	// maxPrograms bounds the programs that one set keeps.
	maxPrograms = 100_000
	// maxProgram bounds the texts of one program, in bytes: encoded, it must fit a frame of the snapshot.
	maxProgram = 100_000
)

// program is one revision of a program, shared by all cached links of that program. Once a newer revision is known,
// superseded is set, and every entry that refers to it is out of date at once.
type program struct {
	link.Program
	superseded atomic.Bool
}

// linkSet is one copy of what a feed delivered. It has no lock: replica guards it.
type linkSet struct {
	seed     maphash.Seed
	feed     string // "" before the first page
	cursor   int64
	complete bool // the feed was followed to its end once
	arena    arena
	slugs    table
	ids      table
	programs map[int64]*program
	buf      []byte // scratch for encoding
}

func newLinkSet(seed maphash.Seed, maxBytes int64) *linkSet {
	return &linkSet{
		seed:     seed,
		programs: make(map[int64]*program),
		arena:    arena{limit: int(max(1, min(maxBytes/chunkSize, maxChunks)))},
	}
}

func (s *linkSet) slugHash(r ref) uint64 { return maphash.Bytes(s.seed, s.arena.at(r).slug()) }
func (s *linkSet) idHash(r ref) uint64   { return hashID(s.arena.at(r).id()) }

func hashID(id int64) uint64 {
	h := uint64(id) * 0x9e3779b97f4a7c15 // 2^64 divided by the golden ratio spreads neighbours
	return h ^ h>>32
}

func (s *linkSet) findSlug(hash uint64, slug string) (ref, int) {
	return s.slugs.find(hash, func(r ref) bool { return string(s.arena.at(r).slug()) == slug })
}

func (s *linkSet) findID(id int64) (ref, int) {
	return s.ids.find(hashID(id), func(r ref) bool { return s.arena.at(r).id() == id })
}

// resolve decodes a record if its program is known.
func (s *linkSet) resolve(r ref) (link.Link, *program, bool) {
	if r == 0 {
		return link.Link{}, nil, false
	}
	rec := s.arena.at(r)
	p := s.programs[rec.program()]
	if p == nil {
		return link.Link{}, nil, false
	}
	return rec.link(), p, true
}

// putOutcome says what became of a link or program that was offered.
type putOutcome int

const (
	putOld     putOutcome = iota // the set has this revision or a newer one
	putNew                       // stored
	putInvalid                   // cannot be stored
	putFull                      // no room; an older revision, if there was one, is gone, so that nobody is sent there
)

// putLink stores l unless the set has its revision or a newer one. touched is called with the hash of every slug whose
// answer changed.
func (s *linkSet) putLink(l *link.Link, touched func(hash uint64)) putOutcome {
	old, idSlot := s.findID(l.ID)
	if old != 0 && s.arena.at(old).rev() >= l.Rev {
		return putOld
	}
	rec, err := appendRecord(s.buf[:0], l)
	if err != nil {
		return putInvalid
	}
	s.buf = rec
	if old != 0 {
		s.remove(old, idSlot, touched)
	}
	hash := maphash.String(s.seed, l.Slug)
	touched(hash)
	at, ok := s.arena.put(rec)
	if !ok {
		s.makeRoom()
		at, ok = s.arena.put(rec)
	}
	if !ok {
		return putFull
	}
	s.ids.insert(hashID(l.ID), at, s.idHash)
	if holder, slot := s.findSlug(hash, l.Slug); holder == 0 {
		s.slugs.insert(hash, at, s.slugHash)
	} else if s.arena.at(holder).rev() < l.Rev {
		s.slugs.slots[slot] = at // the other link is known by its id only from now on
	}
	s.compact()
	return putNew
}

func (s *linkSet) remove(old ref, idSlot int, touched func(uint64)) {
	slug := string(s.arena.at(old).slug())
	hash := maphash.String(s.seed, slug)
	if holder, slot := s.findSlug(hash, slug); holder == old {
		s.slugs.remove(slot, s.slugHash)
		touched(hash)
	}
	s.ids.remove(idSlot, s.idHash)
	s.arena.drop(old)
}

// putProgram stores p unless the set has its revision or a newer one.
func (s *linkSet) putProgram(p *link.Program) putOutcome {
	old := s.programs[p.ID]
	switch {
	case p.ID <= 0 || p.Rev < 0 || programText(p) > maxProgram:
		return putInvalid
	case old != nil && old.Rev >= p.Rev:
		return putOld
	case old == nil && len(s.programs) >= maxPrograms:
		return putFull
	}
	s.programs[p.ID] = &program{Program: *p}
	if old != nil {
		old.superseded.Store(true)
	}
	return putNew
}

func programText(p *link.Program) int {
	n := len(p.State) + len(p.ClickParam) + len(p.Fallback) + len(p.BrowserConversions) + len(p.Currency)
	for _, texts := range [][]string{p.AllowedHosts, p.PostbackSecrets} {
		for _, text := range texts {
			n += 4 + len(text) // quotes and a comma
		}
	}
	return n
}

// compact empties chunks of which more than half is dead: what is alive moves to the end of the arena.
func (s *linkSet) compact() {
	for len(s.arena.sparse) > 0 {
		c := s.arena.sparse[len(s.arena.sparse)-1]
		s.arena.sparse = s.arena.sparse[:len(s.arena.sparse)-1]
		s.arena.records(c, s.evacuate)
		s.arena.release(c)
	}
}

// makeRoom compacts the last chunk too, which otherwise waits until it is full.
func (s *linkSet) makeRoom() {
	if s.arena.dead[s.arena.head] > chunkSize/2 {
		s.arena.grow()
	}
	s.compact()
}

// evacuate moves a record, if it is alive, to the end of the arena.
func (s *linkSet) evacuate(at ref, rec record) {
	idSlot, alive := s.holds(&s.ids, hashID(rec.id()), at)
	if !alive {
		return
	}
	to := s.arena.add(rec[:rec.size()])
	s.ids.slots[idSlot] = to
	if slot, found := s.holds(&s.slugs, s.slugHash(at), at); found {
		s.slugs.slots[slot] = to
	}
}

// holds finds the slot of a table that refers to exactly this place.
func (s *linkSet) holds(t *table, hash uint64, at ref) (slot int, ok bool) {
	r, slot := t.find(hash, func(r ref) bool { return r == at })
	return slot, r != 0
}

// appendLive appends all records of a chunk that are alive.
func (s *linkSet) appendLive(dst []byte, c int) []byte {
	s.arena.records(c, func(at ref, rec record) {
		if _, alive := s.holds(&s.ids, hashID(rec.id()), at); alive {
			dst = append(dst, rec[:rec.size()]...)
		}
	})
	return dst
}

// bytes is the memory that links and their indexes take.
func (s *linkSet) bytes() int64 { return s.arena.bytes() + s.slugs.bytes() + s.ids.bytes() }

package links

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"sync/atomic"
	"time"

	"github.com/edgeref/edgeref/wire/link"
)

// Entry is a link as it was found: immutable, shared by all who find it, valid as long as it is held.
type Entry[T any] struct {
	Link     link.Link
	Program  *link.Program // never nil; read only
	Prepared T

	slug       string
	err        error    // what Find returns instead of the entry
	program    *program // nil if the link is not known
	generation uint64
	result     result        // what a hit counts as
	expires    time.Duration // since the store was made
	refreshAt  atomic.Int64  // the same; the one who moves it refreshes
}

// found is an entry with the way it was found; without an entry, nobody answered.
type found[T any] struct {
	entry  *Entry[T]
	result result
}

// Find returns the link of a slug, whatever its state: whether it may be followed now, its State and its ExpiresAt and
// its program's State say. Errors: link.ErrNotFound, ErrInvalid, ErrUnavailable, or the context's. A hit takes no lock
// and allocates nothing; a miss waits for the source for at most LookupTimeout. slug is not kept.
func (s *Store[T]) Find(ctx context.Context, slug []byte) (*Entry[T], error) {
	if len(slug) == 0 || len(slug) > link.MaxSlug {
		s.metrics.lookups[resultNegative].Inc()
		return nil, link.ErrNotFound
	}
	hash, now := maphash.Bytes(s.seed, slug), s.elapsed()
	first := &s.first[hash>>32%firstSlots]
	e := first.Load()
	if e == nil || e.slug != string(slug) || now >= e.expires || !s.current(hash, e) {
		var ok bool
		if e, ok = s.cache.Get(hash); !ok || e.slug != string(slug) || !s.current(hash, e) {
			return s.miss(ctx, hash, string(slug), nil)
		}
		first.Store(e)
	}
	if now >= e.expires {
		return s.miss(ctx, hash, string(slug), e)
	}
	if at := e.refreshAt.Load(); int64(now) >= at && e.refreshAt.CompareAndSwap(at, int64(now+probeInterval)) {
		s.refresh(hash, e)
	}
	return s.answer(found[T]{e, e.result})
}

// current reports whether nothing newer than the entry has been learned since it was made.
func (s *Store[T]) current(hash uint64, e *Entry[T]) bool {
	return e.generation == s.replica.generation(hash).Load() && (e.program == nil || !e.program.superseded.Load())
}

func (s *Store[T]) answer(f found[T]) (*Entry[T], error) {
	s.metrics.lookups[f.result].Inc()
	if f.entry.err != nil {
		return nil, f.entry.err
	}
	return f.entry, nil
}

// miss looks behind the cache. expired is the cache's entry if only its time is over; it serves while nobody knows
// better.
func (s *Store[T]) miss(ctx context.Context, hash uint64, slug string, expired *Entry[T]) (*Entry[T], error) {
	if s.feed.fresh(s.elapsed()) {
		if k := s.replica.bySlug(hash, slug); k.ok {
			return s.answer(s.keep(hash, slug, k, resultReplica))
		}
	}
	if s.breaker.isOpen(s.elapsed()) {
		if s.breaker.due(s.elapsed()) {
			s.inBackground(func() { s.ask(hash, slug) })
		}
		return s.answer(s.withoutSource(hash, slug, expired))
	}
	// The source respects its context; the limit here holds even if it does not.
	wait, cancel := context.WithTimeout(ctx, s.opts.LookupTimeout+s.opts.LookupTimeout/4)
	defer cancel()
	flight := s.flights.DoChan(slug, func() (any, error) { return s.ask(hash, slug), nil })
	select {
	case r := <-flight:
		if f := r.Val.(found[T]); f.entry != nil {
			return s.answer(f)
		}
	case <-wait.Done():
		if err := ctx.Err(); err != nil {
			s.metrics.lookups[resultUnavailable].Inc()
			return nil, fmt.Errorf("find link: %w", err)
		}
	}
	return s.answer(s.withoutSource(hash, slug, expired))
}

// refresh renews an entry ahead of its expiry. If nobody answers, the entry stays as it is.
func (s *Store[T]) refresh(hash uint64, e *Entry[T]) {
	s.inBackground(func() {
		if s.feed.fresh(s.elapsed()) {
			if k := s.replica.bySlug(hash, e.slug); k.ok {
				s.keep(hash, e.slug, k, resultReplica)
				return
			}
		}
		if s.breaker.isOpen(s.elapsed()) && !s.breaker.due(s.elapsed()) {
			return
		}
		// A miss of the same slug joins, and is joined.
		_, _, _ = s.flights.Do(e.slug, func() (any, error) { return s.ask(hash, e.slug), nil })
	})
}

func (s *Store[T]) inBackground(work func()) {
	select {
	case s.background <- struct{}{}:
		go func() {
			defer func() { <-s.background }()
			work()
		}()
	default:
		s.metrics.refreshLimited.Inc()
	}
}

// ask looks a link up at the source.
func (s *Store[T]) ask(hash uint64, slug string) found[T] {
	select {
	case s.lookups <- struct{}{}:
		defer func() { <-s.lookups }()
	default:
		s.metrics.sourceLimited.Inc()
		return found[T]{}
	}
	ctx, cancel := context.WithTimeout(s.closing, s.opts.LookupTimeout)
	defer cancel()
	target := s.replica.target()
	res, err := s.source.Lookup(ctx, slug)
	if err == nil && (res.Link.Slug != slug || res.Link.ProgramID != res.Program.ID) {
		err = fmt.Errorf("the source answered for link %q of program %d", res.Link.Slug, res.Link.ProgramID)
	}
	switch {
	case err == nil:
		s.breaker.succeeded()
		k, changed := s.replica.merge(target, hash, &res)
		if changed {
			s.changed()
		}
		return s.keep(hash, slug, k, resultSource)
	case errors.Is(err, link.ErrNotFound):
		s.breaker.succeeded()
		k := s.replica.bySlug(hash, slug)
		if k.ok {
			// Links are disabled, never deleted, so the source is behind the replica.
			return s.keep(hash, slug, k, resultReplica)
		}
		return s.keepError(hash, slug, k, link.ErrNotFound, resultNegative)
	case s.closing.Err() == nil:
		s.metrics.sourceErrors.Inc()
		s.breaker.failed(s.elapsed())
		if s.complaints.allow(s.elapsed()) {
			s.opts.Log.Warn("the core does not answer link look-ups, answering from what is known", "error", err)
		}
	}
	return found[T]{}
}

// withoutSource answers from what is known while the source cannot be asked, for a short time.
func (s *Store[T]) withoutSource(hash uint64, slug string, expired *Entry[T]) found[T] {
	if k := s.replica.bySlug(hash, slug); k.ok {
		return s.keep(hash, slug, k, resultStale)
	}
	if expired == nil || expired.err != nil {
		return found[T]{&Entry[T]{slug: slug, err: ErrUnavailable}, resultUnavailable}
	}
	// The replica had no room for it.
	again := &Entry[T]{
		Link: expired.Link, Program: expired.Program, Prepared: expired.Prepared,
		slug: slug, program: expired.program, generation: expired.generation,
	}
	return s.put(hash, again, resultStale)
}

// keep prepares what is known and puts it into the cache.
func (s *Store[T]) keep(hash uint64, slug string, k known, how result) found[T] {
	prepared, err := s.prepare(link.Resolved{Link: k.link, Program: k.program.Program})
	if err != nil {
		if s.complaints.allow(s.elapsed()) {
			s.opts.Log.Warn("a link cannot be followed; correct its destination", "link", k.link.ID, "error", err)
		}
		return s.keepError(hash, slug, k, fmt.Errorf("%w: %w", ErrInvalid, err), resultInvalid)
	}
	e := &Entry[T]{
		Link: k.link, Program: &k.program.Program, Prepared: prepared,
		slug: slug, program: k.program, generation: k.generation,
	}
	return s.put(hash, e, how)
}

func (s *Store[T]) keepError(hash uint64, slug string, k known, err error, how result) found[T] {
	return s.put(hash, &Entry[T]{slug: slug, err: err, program: k.program, generation: k.generation}, how)
}

// put gives an entry its life and offers it to the cache, which may or may not take it.
func (s *Store[T]) put(hash uint64, e *Entry[T], how result) found[T] {
	now := s.elapsed()
	life, ahead := s.opts.TTL, s.opts.TTL*4/5
	switch e.result = resultHit; {
	case e.err != nil:
		life, ahead, e.result = s.opts.NegativeTTL, s.opts.NegativeTTL, how
	case how == resultStale:
		life, ahead, e.result = min(life, probeInterval), probeInterval, how
	}
	e.expires = now + life
	e.refreshAt.Store(int64(now + ahead))
	s.cache.Set(hash, e, 1)
	return found[T]{e, how}
}

// throttle lets one message through in ten seconds.
type throttle struct{ next atomic.Int64 }

func (t *throttle) allow(now time.Duration) bool {
	at := t.next.Load()
	return int64(now) >= at && t.next.CompareAndSwap(at, int64(now+10*time.Second))
}

// Package links is what a tracker knows of links: a cache in front, a replica of everything the core's change feed has
// told behind it, the core itself behind that, and a snapshot on local disk under it all, so that a known link is
// answered whatever is down.
//
//	Find --> first --> cache (ristretto, absolute expiry) --> replica (merged by revision) <-- change feed
//	                                                            |    ^                          |
//	                                                            v    '---- one look-up ------- core
//	                                                        snapshot on disk
package links

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/dgraph-io/ristretto/v2"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/singleflight"

	"github.com/edgeref/edgeref/wire/link"
)

// ErrUnavailable says that a link is not known here and that the source could not be asked or did not answer.
var ErrUnavailable = errors.New("link is not known here and its source does not answer")

// ErrInvalid says that a link exists and that its destination cannot be prepared.
var ErrInvalid = errors.New("link cannot be followed")

// Source is where links come from: the core. Both methods are called concurrently, respect their context, and leave
// what they return to the caller.
type Source interface {
	// Lookup returns link.ErrNotFound if the source answered and there is no such link. Any other error means that
	// nothing is known.
	Lookup(ctx context.Context, slug string) (link.Resolved, error)
	// Changes returns what changed after the cursor, as soon as there is something, or an empty page after wait. If
	// feed is not the source's, or the cursor is beyond its end, it answers from cursor 0.
	Changes(ctx context.Context, feed string, cursor int64, wait time.Duration) (link.Page, error)
}

// Options of a Store. Zero values stand for the defaults.
type Options struct {
	Snapshot      string        // path of the snapshot file; "": none is kept
	SnapshotEvery time.Duration // least time between two saves; 30 s

	CacheEntries  int           // most links in the cache; 65,536
	TTL           time.Duration // life of a cached link, not renewed by hits; 60 s
	NegativeTTL   time.Duration // life of "no such link" and of a link that cannot be followed; 5 s
	LookupTimeout time.Duration // longest a caller waits for the source; 250 ms
	MaxLookups    int           // most look-ups at the source at one time; 64
	PollWait      time.Duration // how long the feed may hold a request; 3 s
	ReplicaBytes  int64         // most memory for the replica's links, without indexes; 1 GiB

	Log        *slog.Logger          // discarded if nil
	Registerer prometheus.Registerer // nothing is registered if nil
	Now        func() time.Time      // time.Now if nil
}

func (o *Options) setDefaults() error {
	durations := []struct {
		name  string
		value *time.Duration
		def   time.Duration
	}{
		{"SnapshotEvery", &o.SnapshotEvery, 30 * time.Second}, {"TTL", &o.TTL, time.Minute},
		{"NegativeTTL", &o.NegativeTTL, 5 * time.Second}, {"LookupTimeout", &o.LookupTimeout, 250 * time.Millisecond},
		{"PollWait", &o.PollWait, 3 * time.Second},
	}
	for _, d := range durations {
		if *d.value < 0 {
			return fmt.Errorf("links: %s must not be negative", d.name)
		}
		if *d.value == 0 {
			*d.value = d.def
		}
	}
	if o.CacheEntries < 0 || o.MaxLookups < 0 || o.ReplicaBytes < 0 {
		return errors.New("links: CacheEntries, MaxLookups and ReplicaBytes must not be negative")
	}
	if o.CacheEntries == 0 {
		o.CacheEntries = 65_536
	}
	if o.MaxLookups == 0 {
		o.MaxLookups = 64
	}
	if o.ReplicaBytes == 0 {
		o.ReplicaBytes = 1 << 30
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return nil
}

// state is the part of a Store that does not depend on the prepared form.
type state struct {
	opts      Options
	source    Source
	start     time.Time
	realClock bool // Options.Now is time.Now
	seed      maphash.Seed
	replica   *replica
	salts     *salts
	feed      feedState
	breaker   breaker
	metrics   *metrics
	unsaved   chan struct{} // capacity 1: there is something to save
}

// elapsed is the time since the store was made. It is monotonic where the clock is, so a step of the wall clock does
// not lengthen a life.
func (s *state) elapsed() time.Duration {
	if s.realClock {
		return time.Since(s.start) // reads one clock where Now reads two
	}
	return s.opts.Now().Sub(s.start)
}

// changed asks for a snapshot.
func (s *state) changed() {
	s.metrics.unsavedSince.CompareAndSwap(0, s.opts.Now().UnixNano())
	select {
	case s.unsaved <- struct{}{}:
	default:
	}
}

// firstSlots is how many entries are kept before the cache. 32 KiB.
const firstSlots = 4096

// Store finds links. All methods may be called concurrently. T is what prepare makes of a link, once per revision and
// life in the cache, such as a compiled destination.
type Store[T any] struct {
	*state
	prepare func(link.Resolved) (T, error)
	// first holds the entries that were found last, each in the one place that its hash gives it. A hit here takes one
	// load; the cache behind it counts every hit, which costs more than all the rest of Find.
	first      [firstSlots]atomic.Pointer[Entry[T]]
	cache      *ristretto.Cache[uint64, *Entry[T]]
	flights    singleflight.Group
	lookups    chan struct{} // a slot for each look-up at the source
	background chan struct{} // a slot for each refresh
	closing    context.Context
	close      context.CancelFunc
	complaints throttle
}

// New loads the snapshot, if there is one. A corrupt one is renamed to *.corrupt and counted, and the store starts
// empty. prepare must be safe for concurrent use; an error of it makes the link ErrInvalid. Call Run to follow the feed
// and Close at the end.
func New[T any](source Source, prepare func(link.Resolved) (T, error), opts Options) (*Store[T], error) {
	realClock := opts.Now == nil
	if err := opts.setDefaults(); err != nil {
		return nil, err
	}
	cache, err := ristretto.NewCache(&ristretto.Config[uint64, *Entry[T]]{
		NumCounters:        10 * int64(opts.CacheEntries),
		MaxCost:            int64(opts.CacheEntries),
		BufferItems:        64,
		IgnoreInternalCost: true,
		// The default takes the key as an interface, which allocates.
		KeyToHash: func(key uint64) (uint64, uint64) { return key, 0 },
	})
	if err != nil {
		return nil, fmt.Errorf("make link cache: %w", err)
	}
	st := &state{
		opts: opts, source: source, start: opts.Now(), realClock: realClock, seed: maphash.MakeSeed(),
		metrics: newMetrics(), unsaved: make(chan struct{}, 1),
	}
	s := &Store[T]{
		state: st, prepare: prepare, cache: cache,
		lookups: make(chan struct{}, opts.MaxLookups), background: make(chan struct{}, opts.MaxLookups),
	}
	s.closing, s.close = context.WithCancel(context.Background())
	if err := errors.Join(st.metrics.register(opts.Registerer, st), st.load()); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// load makes the replica and the salts, from the snapshot where there is one.
func (s *state) load() error {
	set := newLinkSet(s.seed, s.opts.ReplicaBytes)
	var meta snapshotMeta
	if path := s.opts.Snapshot; path != "" {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return fmt.Errorf("make the folder of the link snapshot: %w", err)
		}
		// What a crash left of a save would keep secrets and salts on the disk.
		if err := removeIfThere(path + partSuffix); err != nil {
			return fmt.Errorf("remove unfinished link snapshot: %w", err)
		}
		loaded, size, err := loadSnapshot(path, set)
		switch {
		case err == nil:
			meta = loaded
			s.metrics.snapshotSaved.Store(time.UnixMilli(meta.SavedAt).UnixNano())
			s.metrics.snapshotBytes.Store(size)
		case !errors.Is(err, fs.ErrNotExist):
			set = newLinkSet(s.seed, s.opts.ReplicaBytes)
			s.putAside(path, err)
		}
		s.dropOld(path)
	}
	s.replica = newReplica(s.seed, s.opts.ReplicaBytes, set)
	s.salts = newSalts(s.opts.Now, meta.Salts, func() {
		s.metrics.saltsMade.Inc()
		s.changed()
	})
	if s.salts.purge() {
		s.changed()
	}
	return nil
}

// putAside keeps a snapshot that cannot be used, for a look at what happened to it.
func (s *state) putAside(path string, cause error) {
	s.metrics.loadErrors.Inc()
	if !errors.Is(cause, errSnapshot) {
		s.opts.Log.Error("cannot load the link snapshot, starting without it; check the disk and the file's owner", "path", path, "error", cause)
		return
	}
	s.metrics.snapshotCorrupt.Inc()
	err := os.Rename(path, path+corruptSuffix)
	s.opts.Log.Error("the link snapshot is corrupt, starting without it; everything in it comes again from the core",
		"path", path, "kept", path+corruptSuffix, "error", errors.Join(cause, err))
}

// Close ends what runs in the background and waits for it. Find must not be called any more; Run must have returned.
func (s *Store[T]) Close() {
	s.close()
	// Who takes all the slots knows that nobody else has one.
	for range cap(s.background) {
		s.background <- struct{}{}
	}
	for range cap(s.lookups) {
		s.lookups <- struct{}{}
	}
	s.cache.Close()
}

// ByID returns a link with its program from the replica, whatever its state, as of the last revision that arrived. The
// program's slices are shared: read only.
func (s *Store[T]) ByID(id int64) (link.Resolved, bool) { return s.replica.byID(id) }

// Program returns a program from the replica, whatever its state. Its slices are shared: read only.
func (s *Store[T]) Program(id int64) (link.Program, bool) { return s.replica.program(id) }

// Salt returns the key of the visitor hashes of a UTC day, given in days since 1970-01-01. If the core has not given
// one for yesterday, today or tomorrow, one is made and stays that day's. ok is false for a day whose salt must not
// exist any more, or not yet. It takes no lock once the day has a salt.
func (s *Store[T]) Salt(day int64) (key [saltSize]byte, ok bool) { return s.salts.get(day) }

// Fresh reports whether the replica has everything that the core has, but for what is on its way: a program or link that
// ByID or Program does not know now does not exist. While it is false, it may.
func (s *Store[T]) Fresh() bool { return s.feed.fresh(s.elapsed()) }

// Feed is how the store follows the core's changes.
type Feed struct {
	ID        string
	Cursor    int64 // revision up to which everything is known
	Connected bool
	Lag       time.Duration // how long ago it last had everything; 0: it has
	Links     int
	Err       error // of the last request; nil: it went well
}

// Feed returns how the store follows the core's changes.
func (s *Store[T]) Feed() Feed {
	at := s.replica.position()
	f := Feed{ID: at.feed, Cursor: at.cursor, Connected: s.feed.connected.Load(), Lag: s.feed.lag(s.elapsed()), Links: s.replica.size().links}
	if cause := s.feed.lastError.Load(); cause != nil {
		f.Err = *cause
	}
	return f
}

// Ready says why links cannot be answered yet: nil once all links have been known, from the snapshot or from the feed.
func (s *Store[T]) Ready() error {
	size := s.replica.size()
	if size.complete {
		return nil
	}
	if cause := s.feed.lastError.Load(); cause != nil {
		return fmt.Errorf("the core's change feed does not answer and there is no complete link snapshot (%d links are known): %w",
			size.links, *cause)
	}
	return fmt.Errorf("the first copy of all links is not complete (%d links are known)", size.links)
}

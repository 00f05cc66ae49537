// Package spool is the edge's durable queue on local disk: what it has acknowledged is delivered, whatever happens to
// the process, and stays on the disk until the consumer says that it has been stored elsewhere. See FORMAT.md.
package spool

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// SyncPolicy says what a nil error of Append means.
type SyncPolicy uint8

const (
	// Interval: the record is in the kernel. It survives the end of the process, and a loss of power unless that comes
	// within SyncInterval.
	Interval SyncPolicy = iota
	// Always: the record is on the disk.
	Always
)

// Limits and defaults.
const (
	maxSyncInterval = 100 * time.Millisecond
	maxGroupBytes   = 1 << 20 // of one write: large enough to amortise it, small enough to be fast
)

// Options configure a spool. Zero values mean the default named.
type Options struct {
	Dir  string // created if need be; one process at a time
	Name string // label "spool" of the metrics

	Sync         SyncPolicy
	SyncInterval time.Duration // between background syncs; default and at most 100 ms
	SegmentBytes int64         // size of a segment; default 64 MiB, at most 1 GiB
	MaxBytes     int64         // of segments and quarantine on disk, beyond which Append refuses; default 4 GiB
	MaxRecord    int           // longest payload, bytes; default 64 KiB, at most 1 MiB
	MaxWaiting   int           // callers that may wait for room in a group; default 10,000
	// MaxWait is how long a write or sync may take before the callers that wait for it are refused; default 1 s.
	MaxWait time.Duration

	Logger     *slog.Logger          // default: discards
	Registerer prometheus.Registerer // default: none
	Clock      func() time.Time      // default: time.Now
	OpenFile   OpenFunc              // default: the operating system's
}

func (o *Options) setDefaults() error {
	def := func(v *int64, d int64) {
		if *v == 0 {
			*v = d
		}
	}
	def((*int64)(&o.SyncInterval), int64(maxSyncInterval))
	def(&o.SegmentBytes, 64<<20)
	def(&o.MaxBytes, 4<<30)
	def((*int64)(&o.MaxWait), int64(time.Second))
	if o.MaxRecord == 0 {
		o.MaxRecord = 64 << 10
	}
	if o.MaxWaiting == 0 {
		o.MaxWaiting = 10_000
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.OpenFile == nil {
		o.OpenFile = openOS
	}
	switch {
	case o.Dir == "":
		return errors.New("spool: Dir is missing")
	case o.Name == "":
		return errors.New("spool: Name is missing")
	case o.SyncInterval < 0 || o.SyncInterval > maxSyncInterval:
		return fmt.Errorf("spool: SyncInterval must be at most %v", maxSyncInterval)
	case o.MaxRecord < 0 || o.MaxRecord > maxPayloadLimit:
		return fmt.Errorf("spool: MaxRecord must be at most %d bytes", maxPayloadLimit)
	case o.SegmentBytes < headerSize+recordHeader+int64(o.MaxRecord) || o.SegmentBytes > 1<<30:
		return errors.New("spool: SegmentBytes must hold a record of MaxRecord bytes, and be at most 1 GiB")
	case o.MaxBytes < 2*o.SegmentBytes:
		return errors.New("spool: MaxBytes must be at least twice SegmentBytes, or a full spool could not drain")
	case o.MaxWait < 0 || o.MaxWaiting < 0:
		return errors.New("spool: MaxWait and MaxWaiting must not be negative")
	}
	return nil
}

// Spool is a durable queue. Append, Stats and the metrics are for any number of goroutines; Next, Ack and Quarantine
// for one consumer.
type Spool struct {
	opt     Options
	log     *throttled
	lock    *os.File
	metrics *metrics

	// readMu serialises the consumer. It is taken before syncMu and mu.
	readMu sync.Mutex
	reader reader

	identity identity // of new segments; never changes

	// syncMu is held while the write handles of sealed segments are synced or closed. It is taken before mu.
	syncMu sync.Mutex

	mu       sync.Mutex
	groups   [2]group // one gathers records while the other is written
	cur      int      // the one that gathers
	outcomes []*outcome
	room     sync.Cond // the gathering group has become empty, or nobody will be let in any more
	idle     sync.Cond // nobody leads
	crowd    int       // callers that wait for room
	buffered int64     // bytes in both groups

	gathering bool // the next leader waits a moment for others to join
	leading   bool
	leadSince time.Time
	stalled   bool
	closed    bool
	removed   bool      // the directory is not there any more
	broken    error     // of the last write, nil after one that went well
	retryAt   time.Time // no write before
	backoff   time.Duration
	syncErr   error // of the last background sync

	segments   []*segment // oldest first; those before the reader's position are gone
	active     *segment   // being written, the last of segments; nil: the next write makes one
	nextNumber uint64     // of a segment
	nextSeq    uint64     // of a record
	namesMade  uint64     // segments made
	namesSafe  uint64     // of them, those whose names are known to be durable
	segBytes   int64      // of all segments
	quarBytes  int64      // of all files in quarantine
	pos        position   // everything before it is settled
	skipped    uint64     // records at or after pos that are settled already: lost, or quarantined from the pending batch
	ages       ages
	counts     counts
	corruption *CorruptionError // the last one found

	wake chan struct{} // to the waiting consumer
	want want

	stop chan struct{}
	done sync.WaitGroup
}

// counts are guarded by Spool.mu: one look at them is consistent.
type counts struct {
	recovered, appended, delivered, quarantined uint64
	corruptions, syncFailures, writeFailures    uint64
	roomWaits                                   uint64
	refused                                     [len(reasons)]uint64
}

// segment is one file. number, path and codec never change; the rest is guarded by Spool.mu.
type segment struct {
	number   uint64
	path     string
	identity identity
	codec    codec
	firstSeq uint64
	nextSeq  uint64 // after the last record
	start    int64  // offset of the first record
	end      int64  // offset after the last record that was acknowledged (or, of an earlier run, of the file)
	synced   int64  // known to be on the disk up to here
	sealed   bool   // nothing will be appended
	file     File   // for writing; nil once sealed and synced, and for segments of an earlier run
}

// Open opens the spool in opt.Dir, making it if need be. It fails with ErrLocked if another process has it. Damage
// found on the way is quarantined and does not make it fail.
func Open(opt Options) (*Spool, error) {
	if err := opt.setDefaults(); err != nil {
		return nil, err
	}
	if err := makeDir(opt.Dir); err != nil {
		return nil, fmt.Errorf("open spool %s: %w", opt.Dir, err)
	}
	lock, err := lockDir(opt.Dir)
	if err != nil {
		return nil, err
	}
	s := &Spool{
		opt: opt, lock: lock,
		log:  newThrottled(opt.Logger.With("spool", opt.Name), opt.Clock),
		wake: make(chan struct{}, 1),
		stop: make(chan struct{}),
	}
	s.room.L, s.idle.L = &s.mu, &s.mu
	groupBytes := min(maxGroupBytes+recordHeader, opt.SegmentBytes-headerSize)
	for i := range s.groups {
		s.groups[i].buf = make([]byte, 0, groupBytes)
	}
	s.groups[0].out = s.outcome()
	if err := s.recover(); err != nil {
		s.reader.close()
		lock.Close()
		return nil, fmt.Errorf("open spool %s: %w", opt.Dir, err)
	}
	if err := s.register(); err != nil {
		s.reader.close()
		lock.Close()
		return nil, fmt.Errorf("open spool %s: %w", opt.Dir, err)
	}
	s.done.Go(s.syncLoop)
	s.done.Go(s.watchLoop)
	return s, nil
}

// makeDir makes dir and its quarantine, durably.
func makeDir(dir string) error {
	if err := os.MkdirAll(filepath.Join(dir, quarantineDir), 0o750); err != nil {
		return err
	}
	if err := syncDir(dir); err != nil {
		return err
	}
	return syncDir(filepath.Dir(filepath.Clean(dir)))
}

// Close refuses further records, waits for the write in progress, syncs, and gives the directory free. The consumer's
// Next returns ErrClosed; an unacknowledged batch comes again after the next Open.
func (s *Spool) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.room.Broadcast()
	for s.leading || s.groups[s.cur].records > 0 {
		s.idle.Wait()
	}
	s.mu.Unlock()
	close(s.stop)
	s.done.Wait()

	s.readMu.Lock()
	defer s.readMu.Unlock()
	err := s.syncAll()
	s.mu.Lock()
	for _, seg := range s.segments {
		if seg.file != nil {
			err = errors.Join(err, seg.file.Close())
			seg.file = nil
		}
	}
	s.mu.Unlock()
	s.reader.closed = true
	err = errors.Join(err, s.storeState())
	s.reader.close()
	s.unregister()
	if err := errors.Join(err, s.lock.Close()); err != nil {
		return fmt.Errorf("close spool: %w", err)
	}
	return nil
}

// Stats is the state of a spool at one moment.
type Stats struct {
	Recovered, Appended, Delivered, Quarantined uint64 // records since Open
	PendingRecords                              uint64
	PendingBytes                                int64
	OldestAge                                   time.Duration // of the oldest pending record, never too small
	Segments                                    int
	DiskBytes                                   int64 // of segments and quarantine
	LimitBytes                                  int64
	UnsyncedBytes                               int64
	Full, Stalled                               bool
	Err                                         error            // of the last write or sync, nil if it went well
	Corruption                                  *CorruptionError // the last one found since Open
}

// Stats returns one consistent snapshot.
func (s *Spool) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stats()
}

func (s *Spool) stats() Stats {
	c := &s.counts
	st := Stats{
		Recovered: c.recovered, Appended: c.appended, Delivered: c.delivered, Quarantined: c.quarantined,
		PendingRecords: s.nextSeq - s.pos.seq - s.skipped,
		Segments:       len(s.segments),
		DiskBytes:      s.diskBytes(), LimitBytes: s.opt.MaxBytes,
		Full:    s.diskBytes()+s.buffered+recordHeader+int64(s.opt.MaxRecord) > s.opt.MaxBytes,
		Stalled: s.stalled,
		Err:     errors.Join(s.broken, s.syncErr), Corruption: s.corruption,
	}
	if s.removed {
		st.Err = ErrRemoved
	}
	for _, seg := range s.segments {
		from := seg.start
		if seg.number == s.pos.segment {
			from = max(from, s.pos.offset)
		}
		st.PendingBytes += max(0, seg.end-from)
		st.UnsyncedBytes += max(0, seg.end-seg.synced)
	}
	if st.PendingRecords > 0 {
		if at := s.ages.of(s.pos.seq); !at.IsZero() {
			st.OldestAge = max(0, s.opt.Clock().Sub(at))
		}
	}
	return st
}

func (s *Spool) diskBytes() int64 { return s.segBytes + s.quarBytes }

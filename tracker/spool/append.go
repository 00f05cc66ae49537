package spool

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"
)

// Pauses between attempts to write to a disk that refuses. In between Append refuses at once.
const (
	minBackoff = 20 * time.Millisecond
	maxBackoff = time.Second
)

// group is a buffer that callers fill together and one of them writes.
type group struct {
	buf     []byte // records, not sealed yet; its capacity is its limit
	records int
	out     *outcome
}

// outcome is what the callers of one group wait for. It is used again once all of them have seen it.
type outcome struct {
	cond sync.Cond
	done bool
	err  error
	refs int // callers that have not seen it yet
}

// outcome returns one that nobody waits for.
func (s *Spool) outcome() *outcome {
	if n := len(s.outcomes); n > 0 {
		o := s.outcomes[n-1]
		s.outcomes = s.outcomes[:n-1]
		o.done, o.err = false, nil
		return o
	}
	return &outcome{cond: sync.Cond{L: &s.mu}}
}

func (o *outcome) finish(err error) {
	o.done, o.err = true, err
	o.cond.Broadcast()
}

// Append adds a record, which the caller may change after the return. It returns nil once the record is as durable as
// the policy says; a record refused with an error (see Reason) is not delivered, except where the process ends between
// a failed sync and the removal of what it left behind. Safe for concurrent use; callers share writes.
func (s *Spool) Append(payload []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	g, err := s.join(len(payload))
	if err != nil {
		s.counts.refused[reasonIndex(err)]++
		return err
	}
	g.buf = appendUnsealed(g.buf, payload)
	g.records++
	s.buffered += recordHeader + int64(len(payload))
	out := g.out
	out.refs++
	for !out.done {
		if s.leading || s.gathering {
			out.cond.Wait()
		} else {
			s.gather()
			s.lead() // a group that is not done and has no leader is the one that gathers
		}
	}
	err = out.err
	if out.refs--; out.refs == 0 {
		s.outcomes = append(s.outcomes, out)
	}
	if err != nil {
		s.counts.refused[reasonIndex(err)]++
	}
	return err
}

// join returns the gathering group once it has room, or says why the record is refused.
func (s *Spool) join(payload int) (*group, error) {
	if payload > s.opt.MaxRecord {
		return nil, ErrTooLarge
	}
	size := recordHeader + payload
	for {
		g := &s.groups[s.cur]
		switch {
		case s.closed:
			return nil, ErrClosed
		case s.removed:
			return nil, ErrRemoved
		case s.stalled:
			return nil, ErrStalled
		case s.broken != nil && s.opt.Clock().Before(s.retryAt):
			return nil, s.broken
		case s.diskBytes()+s.buffered+int64(size) > s.opt.MaxBytes:
			return nil, ErrFull
		case len(g.buf)+size <= cap(g.buf):
			return g, nil
		case s.crowd >= s.opt.MaxWaiting:
			return nil, ErrBusy
		}
		s.crowd++
		s.counts.roomWaits++
		s.room.Wait()
		s.crowd--
	}
}

// gather lets the callers that are about to append join the group: where one processor serves many connections, each
// would otherwise find the last write finished and lead one of its own. It costs a caller that is alone one look at the
// scheduler's queue. mu is held on entry and on return.
func (s *Spool) gather() {
	s.gathering = true
	s.mu.Unlock()
	runtime.Gosched()
	s.mu.Lock()
	s.gathering = false
}

// lead writes the gathering group for all its callers while the next one gathers. mu is held on entry and on return.
func (s *Spool) lead() {
	g := &s.groups[s.cur]
	s.cur ^= 1
	s.groups[s.cur].out = s.outcome()
	s.leading, s.leadSince = true, s.opt.Clock()
	if s.crowd > 0 {
		s.room.Broadcast()
	}
	first := s.nextSeq
	s.mu.Unlock()
	seg, err := s.write(g, first)
	switch { // only leaders, one at a time, change broken
	case err != nil:
		s.log.warn("append", "cannot write to the spool, records are refused", "error", err)
	case s.broken != nil:
		s.log.logger.Info("the spool takes records again")
	}
	s.mu.Lock()
	if err == nil && g.out.done {
		// The watch has told the callers that their records are refused.
		s.mu.Unlock()
		s.rollback(seg)
		s.mu.Lock()
		err = ErrStalled
	}
	if err == nil {
		s.publish(seg, g)
	} else if !errors.Is(err, ErrStalled) {
		s.counts.writeFailures++
		s.backoff = min(max(2*s.backoff, minBackoff), maxBackoff)
		s.broken, s.retryAt = err, s.opt.Clock().Add(s.backoff)
	}
	if !g.out.done {
		s.buffered -= int64(len(g.buf))
		g.out.finish(err)
	}
	g.buf, g.records, g.out = g.buf[:0], 0, nil
	s.leading, s.stalled = false, false
	if next := &s.groups[s.cur]; next.records > 0 {
		next.out.cond.Signal()
	}
	s.idle.Broadcast()
}

// publish makes a written group part of the queue.
func (s *Spool) publish(seg *segment, g *group) {
	s.broken, s.backoff = nil, 0
	s.ages.add(s.nextSeq, s.leadSince)
	n := int64(len(g.buf))
	seg.end += n
	if s.opt.Sync == Always {
		seg.synced = seg.end
	}
	s.segBytes += n
	s.nextSeq += uint64(g.records)
	seg.nextSeq = s.nextSeq
	s.counts.appended += uint64(g.records)
	s.wakeReader()
}

// write puts the group into a segment, from sequence number first on. On an error nothing of it is left there, or the
// segment is sealed and the sequence numbers, used again in the next one, mark what is left as void.
func (s *Spool) write(g *group, first uint64) (*segment, error) {
	seg, err := s.segmentFor(len(g.buf), first)
	if err != nil {
		return nil, err
	}
	seg.codec.seal(g.buf, first)
	began := s.opt.Clock()
	err = writeFull(seg.file, g.buf, seg.end)
	s.metrics.write.Observe(s.opt.Clock().Sub(began).Seconds())
	if err != nil {
		s.rollback(seg)
		return nil, &WriteError{Op: "write", Path: seg.path, Err: err}
	}
	s.metrics.group.Observe(float64(g.records))
	if s.opt.Sync == Always {
		if err := s.syncGroup(seg); err != nil {
			s.rollback(seg)
			s.seal(seg) // what a failed sync leaves in the page cache cannot be relied on
			return nil, &WriteError{Op: "sync", Path: seg.path, Err: err}
		}
	}
	return seg, nil
}

// syncGroup makes the active segment durable, with its name.
func (s *Spool) syncGroup(seg *segment) error {
	if err := s.timedSync(seg.file); err != nil {
		return err
	}
	return s.syncNames()
}

// rollback removes what was written behind the last acknowledged record. If that fails too, nothing more is appended.
func (s *Spool) rollback(seg *segment) {
	if err := seg.file.Truncate(seg.end); err != nil {
		s.log.warn("rollback", "cannot cut a failed write off, sealing the segment", "path", seg.path, "error", err)
		s.seal(seg)
	}
}

func (s *Spool) seal(seg *segment) {
	s.mu.Lock()
	defer s.mu.Unlock()
	seg.sealed = true
	if s.active == seg {
		s.active = nil
	}
	s.wakeReader()
}

// segmentFor returns the active segment if n bytes fit, else a new one. Only the leader calls it.
func (s *Spool) segmentFor(n int, first uint64) (*segment, error) {
	s.mu.Lock()
	seg, number := s.active, s.nextNumber
	s.mu.Unlock()
	if seg != nil {
		if seg.end+int64(n) <= s.opt.SegmentBytes {
			return seg, nil
		}
	}
	fresh, err := s.create(number, first)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.nextNumber = number + 1 // also after a failure: the file may be there
	if err != nil {
		return nil, err
	}
	if seg != nil {
		seg.sealed = true
	}
	s.active = fresh
	s.segments = append(s.segments, fresh)
	s.segBytes += fresh.end
	s.namesMade++
	s.wakeReader()
	return fresh, nil
}

// create makes the file of a new segment.
func (s *Spool) create(number, first uint64) (*segment, error) {
	h := header{
		maxPayload: uint32(s.opt.MaxRecord), identity: s.identity, number: number,
		firstSeq: first, createdMs: s.opt.Clock().UnixMilli(),
	}
	path := segmentPath(s.opt.Dir, number)
	f, err := s.opt.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return nil, &WriteError{Op: "create", Path: path, Err: err}
	}
	// Where the blocks are taken already, a write does not wait for the file system's journal while another goroutine
	// syncs. If there is no room for all of them, the writes tell.
	_ = f.Reserve(s.opt.SegmentBytes)
	if err := writeFull(f, h.append(nil), 0); err != nil {
		f.Close()
		os.Remove(path) // it holds no record
		return nil, &WriteError{Op: "create", Path: path, Err: err}
	}
	return &segment{
		number: number, path: path, identity: h.identity, codec: newCodec(h.identity, number, h.maxPayload),
		firstSeq: first, nextSeq: first, start: headerSize, end: headerSize, file: f,
	}, nil
}

func segmentPath(dir string, number uint64) string {
	return filepath.Join(dir, fmt.Sprintf("%020d%s", number, segmentExt))
}

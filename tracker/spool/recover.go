package spool

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const segmentExt = ".seg"

// recover takes over what an earlier run left in the directory.
func (s *Spool) recover() error {
	path := filepath.Join(s.opt.Dir, stateName)
	numbers, err := segmentNumbers(s.opt.Dir)
	if err != nil {
		return err
	}
	st, known, err := s.loadState(path, len(numbers) > 0)
	if err != nil {
		return err
	}
	s.identity = st.identity
	s.nextNumber, err = s.freeNumber(st.nextSegment, numbers)
	if err != nil {
		return err
	}
	if err := s.loadSegments(numbers, st, known); err != nil {
		return err
	}
	if err := s.takePosition(&st, known); err != nil {
		return err
	}
	if !known {
		st.nextSegment = s.nextNumber
		if err := createState(s.opt.OpenFile, path, st); err != nil {
			return err
		}
		st.generation = 1
	}
	f, err := s.opt.OpenFile(path, os.O_RDWR)
	if err != nil {
		return fmt.Errorf("open spool state: %w", err)
	}
	s.reader.state = stateFile{file: f, last: st}
	s.measureQuarantine()
	s.resolve()
	return nil
}

// loadState reads the state. Where there is none that verifies, known is false: all that the segments hold is taken
// for undelivered, and a new identity keeps new batches apart from those of the past.
func (s *Spool) loadState(path string, haveSegments bool) (st state, known bool, err error) {
	st, bad, err := readState(path)
	switch {
	case err == nil:
		if bad > 0 {
			s.noteCorruption(&CorruptionError{Op: "read state", Path: path, Hint: "the other slot is in use, nothing is lost"})
		}
		return st, true, nil
	case errors.Is(err, errState):
		moved := s.quarantinePath(fmt.Sprintf("state-%d", s.opt.Clock().UnixNano()))
		if err := os.Rename(path, moved); err != nil {
			return state{}, false, fmt.Errorf("move corrupt spool state away: %w", err)
		}
		s.noteCorruption(&CorruptionError{Op: "read state", Path: moved,
			Hint: "undelivered segments are delivered from their beginning: look for clicks stored twice"})
	case !errors.Is(err, fs.ErrNotExist):
		return state{}, false, err
	case haveSegments:
		s.noteCorruption(&CorruptionError{Op: "read state", Path: path,
			Hint: "the file is missing: segments are delivered from their beginning, look for clicks stored twice"})
	}
	st = state{nextSegment: 1, nextSeq: 1, pos: position{seq: 1}}
	rand.Read(st.identity[:])
	return st, false, nil
}

// segmentNumbers lists the segments in dir, oldest first.
func segmentNumbers(dir string) ([]uint64, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("list segments: %w", err)
	}
	var numbers []uint64
	for _, e := range entries {
		if digits, ok := strings.CutSuffix(e.Name(), segmentExt); ok && len(digits) == 20 {
			if n, err := strconv.ParseUint(digits, 10, 64); err == nil {
				numbers = append(numbers, n)
			}
		}
	}
	return numbers, nil
}

// freeNumber returns a number that no segment has had, here or in quarantine.
func (s *Spool) freeNumber(atLeast uint64, numbers []uint64) (uint64, error) {
	if n := len(numbers); n > 0 {
		atLeast = max(atLeast, numbers[n-1]+1)
	}
	entries, err := os.ReadDir(filepath.Join(s.opt.Dir, quarantineDir))
	if err != nil {
		return 0, fmt.Errorf("list quarantine: %w", err)
	}
	for _, e := range entries {
		rest, ok := strings.CutPrefix(e.Name(), "segment-")
		if !ok || len(rest) < 20 {
			continue
		}
		if n, err := strconv.ParseUint(rest[:20], 10, 64); err == nil {
			atLeast = max(atLeast, n+1)
		}
	}
	return atLeast, nil
}

// loadSegments fills s.segments with what is left to deliver.
func (s *Spool) loadSegments(numbers []uint64, st state, known bool) error {
	for _, number := range numbers {
		path := segmentPath(s.opt.Dir, number)
		if known && number < st.pos.segment {
			os.Remove(path) // delivered; its removal did not reach the disk
			continue
		}
		seg, at, err := s.loadSegment(path, number, st, known)
		if err != nil {
			return err
		}
		if seg == nil {
			continue
		}
		if known && number == st.pos.segment && st.pos.offset > seg.start {
			at = time.UnixMilli(max(st.storedMs, at.UnixMilli()))
		}
		if n := len(s.segments); n > 0 {
			s.segments[n-1].nextSeq = seg.firstSeq
		}
		s.segments = append(s.segments, seg)
		s.segBytes += seg.end
		s.ages.add(seg.firstSeq, at)
	}
	return nil
}

// loadSegment looks at one segment and makes it durable: the run that wrote it may have been killed before its sync.
// It returns nil for one without a record, which it moves into quarantine unless it is empty.
func (s *Spool) loadSegment(path string, number uint64, st state, known bool) (*segment, time.Time, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("open segment: %w", err)
	}
	f, err := s.opt.OpenFile(path, os.O_RDONLY)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("open segment: %w", err)
	}
	defer f.Close()
	seg := &segment{number: number, path: path, start: headerSize, end: info.Size(), sealed: true}
	head := make([]byte, headerSize)
	readHoles(f, head, 0)
	h, err := parseHeader(head)
	switch {
	case err == nil && h.number == number:
		seg.identity, seg.firstSeq, seg.codec = h.identity, h.firstSeq, newCodec(h.identity, number, h.maxPayload)
	case err == nil || errors.Is(err, errHeader):
		h.createdMs = info.ModTime().UnixMilli()
		if !s.salvage(f, seg, st, known) {
			return nil, time.Time{}, s.setAside(seg)
		}
		s.noteCorruption(&CorruptionError{Op: "read header", Path: path, Segment: number, Hint: "its records verify and are delivered"})
	default:
		return nil, time.Time{}, fmt.Errorf("open segment %s: %w", path, err)
	}
	if err := f.Sync(); err != nil {
		s.log.warn("sync", "cannot sync a segment of an earlier run", "path", path, "error", err)
	} else {
		seg.synced = seg.end
	}
	return seg, time.UnixMilli(h.createdMs), nil
}

// salvage makes out a segment without a header by the records in it.
func (s *Spool) salvage(f File, seg *segment, st state, known bool) bool {
	ids := []identity{st.identity}
	lo, hi := uint64(1), uint64(math.MaxUint64)
	if known {
		lo, hi = st.pos.seq, st.nextSeq+1<<32
		if seg.number == st.pos.segment {
			lo = 1 // what has been delivered of it helps to make it out
		}
	}
	for _, other := range s.segments {
		ids = append(ids, other.identity)
		lo = max(lo, other.firstSeq)
	}
	for _, id := range ids {
		c := newCodec(id, seg.number, maxPayloadLimit)
		if off, seq, ok := c.findIn(f, headerSize, seg.end, lo, hi); ok {
			seg.identity, seg.codec, seg.firstSeq, seg.start = id, c, seq, off
			return true
		}
	}
	return false
}

// takePosition finds out where reading begins and which number comes next.
func (s *Spool) takePosition(st *state, known bool) error {
	if !known && len(s.segments) > 0 {
		first := s.segments[0]
		st.pos = position{segment: first.number, offset: first.start, seq: first.firstSeq}
		st.nextSeq = first.firstSeq
	}
	if n := len(s.segments); n > 0 {
		last := s.segments[n-1]
		from, seq := last.start, last.firstSeq
		if st.pos.segment == last.number {
			from, seq = max(from, st.pos.offset), max(seq, st.pos.seq)
		}
		// After a clean end nothing beyond nextSeq was acknowledged, unless a later run made this segment.
		st.nextSeq = max(st.nextSeq, last.firstSeq)
		if !st.clean || last.number >= st.nextSegment {
			f, err := s.opt.OpenFile(last.path, os.O_RDONLY)
			if err != nil {
				return fmt.Errorf("open segment: %w", err)
			}
			st.nextSeq = max(st.nextSeq, last.codec.lastSeq(f, from, last.end, seq))
			f.Close()
		}
		last.nextSeq = st.nextSeq
	}
	s.pos, s.nextSeq = st.pos, st.nextSeq
	s.counts.recovered = s.nextSeq - s.pos.seq
	s.reader.pending, s.reader.pendingEnd = st.pending, st.pendingEnd
	s.reader.again = st.pending > 0
	return nil
}

// resolve settles what can no longer be delivered because its segment is gone.
func (s *Spool) resolve() {
	if s.reader.again && (len(s.segments) == 0 || s.segments[0].number != s.pos.segment) {
		s.reader.again, s.reader.pending = false, 0
	}
	next := s.nextSeq
	if len(s.segments) > 0 {
		if s.segments[0].number == s.pos.segment {
			return
		}
		next = s.segments[0].firstSeq
	}
	if lost := next - s.pos.seq; next > s.pos.seq {
		s.noteCorruption(&CorruptionError{Op: "open spool", Path: s.opt.Dir, Segment: s.pos.segment, Offset: s.pos.offset,
			Hint: fmt.Sprintf("segments with %d undelivered records are missing: see the quarantine", lost)})
		s.counts.quarantined += lost
	}
	s.pos.seq = next
}

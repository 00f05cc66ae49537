package spool

import (
	"fmt"
	"math"
)

// leave ends the reading of a sealed segment: what it should have held beyond its last byte is lost.
func (s *Spool) leave(h head) error {
	s.mu.Lock()
	lost := h.hi - s.pos.seq
	s.mu.Unlock()
	if lost > 0 {
		s.noteCorruption(&CorruptionError{Op: "read record", Path: h.seg.path, Segment: h.seg.number, Offset: h.end,
			Hint: fmt.Sprintf("%d records at the end of the segment are missing, as after a loss of power", lost)})
		s.moveOn(h.end, h.hi, lost)
	}
	s.reader.dirty = true
	return s.settle()
}

// moveOn advances the position over records that are lost.
func (s *Spool) moveOn(offset int64, seq, lost uint64) {
	s.mu.Lock()
	s.pos.offset, s.pos.seq = offset, seq
	s.counts.quarantined += lost
	s.mu.Unlock()
	s.reader.dirty = true
}

// skipBad moves the position from bytes that do not verify to the next record that does, and keeps what lies between.
func (s *Spool) skipBad(h head) error {
	from, seq := s.pos.offset, s.pos.seq
	c, f := h.seg.codec, s.reader.file
	to, next, ok := c.findIn(f, from, h.end, seq, h.hi)
	if !ok {
		to, next = h.end, h.hi
	}
	if seq == h.hi && s.refused(h, from) {
		s.moveOn(to, next, 0)
		return nil
	}
	if to > from {
		if err := s.keepBad(h.seg, from, to); err != nil {
			return err
		}
	}
	s.noteCorruption(&CorruptionError{Op: "read record", Path: h.seg.path, Segment: h.seg.number, Offset: from,
		Hint: fmt.Sprintf("%d bytes are kept in quarantine, %d records are lost", to-from, next-seq)})
	s.moveOn(to, next, next-seq)
	s.reader.failures = 0
	return nil
}

// refused reports whether the rest of a segment begins with a record of a write that was refused and could not be cut
// off: it verifies, but its number was used again in the next segment.
func (s *Spool) refused(h head, from int64) bool {
	b := make([]byte, min(h.end-from, recordHeader+int64(h.seg.codec.maxPayload)))
	readHoles(s.reader.file, b, from)
	_, _, ok := h.seg.codec.record(b, h.hi, math.MaxUint64)
	return ok
}

// reform makes the batch that an earlier run handed out the pending one again, without what has been damaged since.
func (s *Spool) reform(h head) error {
	if err := s.enter(h); err != nil {
		return err
	}
	r := &s.reader
	first, count := s.pos.seq, uint64(r.pending)
	from, end := s.pos.offset, min(r.pendingEnd, h.end)
	b, err := s.read(max(0, end-from))
	if err != nil {
		return err
	}
	batch := s.newBatch(h.seg, s.pos, count, r.pendingEnd)
	if batch.Notes, err = readNotes(s.opt.Dir, batch.ID); err != nil {
		return err
	}
	data := string(b)
	for off, seq := 0, first; off < len(b) && seq < first+count; {
		n, used := h.seg.codec.run(b[off:], seq, first+count, int(count), len(b), func(start, end int) {
			batch.Payloads = append(batch.Payloads, data[off+start:off+end])
			batch.numbers = append(batch.numbers, seq)
			seq++
		})
		if off += used; n > 0 {
			continue
		}
		next, nextSeq, ok := h.seg.codec.find(b, off, len(b), seq, first+count)
		if !ok {
			next = len(b)
		}
		if next > off {
			if err := s.keepBad(h.seg, from+int64(off), from+int64(next)); err != nil {
				return err
			}
		}
		off, seq = next, nextSeq
	}
	r.again, r.failures = false, 0
	if lost := count - uint64(len(batch.Payloads)); lost > 0 {
		s.noteCorruption(&CorruptionError{Op: "read pending batch", Path: h.seg.path, Segment: h.seg.number, Offset: from,
			Hint: fmt.Sprintf("%d of its %d records are lost; the rest is delivered under the batch's ID", lost, count)})
		if len(batch.Payloads) == 0 {
			r.pending, r.pendingEnd = 0, 0
			s.moveOn(batch.end, first+count, lost)
			return nil
		}
		s.mu.Lock()
		s.counts.quarantined += lost
		s.skipped += lost
		s.mu.Unlock()
	}
	r.batch = batch
	return nil
}

package spool

// Ahead returns the batch that Next will hand out once the pending one is acknowledged, so that its consumer can get
// ready while the pending one is on its way. It never waits, and returns nil unless that batch is complete already: full,
// or the rest of a segment that nothing is added to. Nothing is settled by it: the boundaries become durable when Next
// hands the batch out, which is the same *Batch then, if asked with the same limits and if nothing came in between.
// Until then it may only be looked at. Unlike the other methods of the consumer it may run beside them.
func (s *Spool) Ahead(maxRecords, maxBytes int) *Batch {
	s.readMu.Lock()
	defer s.readMu.Unlock()
	r := &s.reader
	if r.closed || r.batch == nil || r.seg != r.batch.segment || maxRecords <= 0 || maxBytes <= 0 {
		return nil
	}
	maxBytes = min(maxBytes, maxBatchBytes)
	pending := r.batch
	from := position{segment: pending.segment.number, offset: pending.end, seq: pending.firstSeq + pending.count}
	s.mu.Lock()
	h := head{pending.segment, pending.segment.end, pending.segment.nextSeq, pending.segment.sealed}
	s.mu.Unlock()
	if h.end <= from.offset || h.hi <= from.seq {
		return nil
	}
	if !h.sealed && h.hi-from.seq < uint64(maxRecords) && h.end-from.offset < int64(maxBytes) {
		return nil
	}
	size := h.window(from, maxRecords, maxBytes)
	if int64(cap(r.buf)) < size {
		r.buf = make([]byte, size)
	}
	n, err := readAt(r.file, r.buf[:size], from.offset)
	if err != nil {
		return nil // Next meets it too, and deals with it
	}
	r.ahead = s.cut(h, from, r.buf[:n], maxRecords, maxBytes)
	return r.ahead
}

// takeAhead returns the batch that was read ahead if it is still the next one.
func (s *Spool) takeAhead(h head, maxRecords, maxBytes int) *Batch {
	b := s.reader.ahead
	s.reader.ahead = nil
	if b == nil || b.segment != h.seg || b.firstSeq != s.pos.seq || b.start != s.pos.offset ||
		b.count > uint64(maxRecords) || b.count > 1 && b.end-b.start > int64(maxBytes) || s.enter(h) != nil {
		return nil
	}
	return b
}

package spool

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// maxReadFailures is how often the same bytes may fail to be read, each time an error of Next, before they are given up.
const maxReadFailures = 3

// maxBatchBytes bounds what Next may be asked for.
const maxBatchBytes = 256 << 20

// Batch is a run of records with an identity that stays the same however often it is handed out.
type Batch struct {
	// ID is the same for the same records, also after a restart, and never given to others: it is made of an identity
	// drawn when the directory was made, the segment, the first sequence number and the number of records.
	ID string
	// Payloads share one string; keeping one of them keeps all.
	Payloads []string
	// Oldest is when the first record was appended, or a little earlier.
	Oldest time.Time
	// Notes are what the consumer has noted on it, in this run or an earlier one, in order. See Spool.Note.
	Notes []string

	segment  *segment
	firstSeq uint64
	count    uint64
	start    int64    // offset of the first record
	end      int64    // offset after the last record
	numbers  []uint64 // of the payloads, if some are lost; else they are consecutive
}

// Span is the number of records that the batch was made of. Payloads has fewer if some have been lost since.
func (b *Batch) Span() uint64 { return b.count }

// Place is where in the span a payload stands, from 0 on. It stays the same whatever is lost.
func (b *Batch) Place(index int) uint64 { return b.seqs(index) - b.firstSeq }

func (b *Batch) seqs(index int) uint64 {
	if b.numbers != nil {
		return b.numbers[index]
	}
	return b.firstSeq + uint64(index)
}

// reader is the consumer's side, guarded by Spool.readMu.
type reader struct {
	state      stateFile
	seg        *segment // that file is open for
	file       File
	buf        []byte
	batch      *Batch // handed out, not acknowledged
	ahead      *Batch // read ahead of its turn, or nil
	acked      *Batch // the last one acknowledged
	again      bool   // the state names a batch that an earlier run handed out
	pending    uint32 // records of the pending batch, as the state has to say
	pendingEnd int64
	dirty      bool // the state on disk is behind
	failures   int  // of reading at the position
	closed     bool
	poison     poison
	notes      notes
}

func (r *reader) close() {
	for _, f := range []File{r.file, r.state.file, r.poison.file, r.notes.file} {
		if f != nil {
			f.Close()
		}
	}
	r.file, r.seg, r.poison, r.notes, r.closed = nil, nil, poison{}, notes{}, true
}

// want is what the waiting consumer waits for.
type want struct {
	waiting bool
	records uint64
	bytes   int64
}

// head is the oldest segment at one moment.
type head struct {
	seg    *segment
	end    int64
	hi     uint64 // after its last record
	sealed bool
}

// Next returns the pending batch; if there is none it waits until maxRecords or maxBytes are there, or the oldest record
// is maxAge old, or its segment is full, and makes up to that many records (at least one) the pending batch. Its
// boundaries are on the disk before it returns. A batch remains pending until Ack. With a negative maxAge Next takes
// what is there, or returns ErrEmpty. After an error other than these, ctx's and ErrClosed, call it again a little later.
func (s *Spool) Next(ctx context.Context, maxRecords, maxBytes int, maxAge time.Duration) (*Batch, error) {
	if maxRecords <= 0 || maxBytes <= 0 {
		return nil, errors.New("next batch: maxRecords and maxBytes must be positive")
	}
	maxBytes = min(maxBytes, maxBatchBytes)
	s.readMu.Lock()
	defer s.readMu.Unlock()
	if s.reader.closed {
		return nil, ErrClosed
	}
	for s.reader.batch == nil {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		h, err := s.await(ctx, maxRecords, maxBytes, maxAge)
		if err == nil && s.reader.again {
			err = s.reform(h)
		} else if err == nil {
			err = s.form(h, maxRecords, maxBytes)
		}
		if err != nil {
			return nil, err
		}
	}
	return s.reader.batch, nil
}

// await waits until there is something to do with the oldest segment.
func (s *Spool) await(ctx context.Context, maxRecords, maxBytes int, maxAge time.Duration) (head, error) {
	var timer *time.Timer
	defer func() {
		if timer != nil {
			timer.Stop()
		}
	}()
	for {
		h, wait, err := s.look(uint64(maxRecords), int64(maxBytes), maxAge)
		if err != nil || wait == 0 {
			return h, err
		}
		if maxAge < 0 {
			return head{}, ErrEmpty
		}
		var due <-chan time.Time
		if wait > 0 {
			if timer == nil {
				timer = time.NewTimer(wait)
			} else {
				timer.Reset(wait)
			}
			due = timer.C
		}
		select {
		case <-ctx.Done():
			return head{}, ctx.Err()
		case <-s.stop:
			return head{}, ErrClosed
		case <-s.wake:
		case <-due:
		}
	}
}

// look returns the oldest segment and how long to wait before reading it; negative: until woken.
func (s *Spool) look(records uint64, bytes int64, maxAge time.Duration) (head, time.Duration, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.want = want{}
	if s.closed {
		return head{}, 0, ErrClosed
	}
	if len(s.segments) == 0 {
		s.want = want{waiting: true, records: 1, bytes: 1}
		return head{}, -1, nil
	}
	seg := s.segments[0]
	h := head{seg, seg.end, max(seg.nextSeq, s.pos.seq), seg.sealed}
	have := h.hi - s.pos.seq
	switch {
	case seg.sealed, s.reader.again, have >= records, have > 0 && s.ahead(seg) >= bytes:
		return h, 0, nil
	case have == 0:
		s.want = want{waiting: true, records: 1, bytes: 1}
		return h, -1, nil
	}
	left := maxAge - s.opt.Clock().Sub(s.ages.of(s.pos.seq))
	if left <= 0 {
		return h, 0, nil
	}
	s.want = want{waiting: true, records: records, bytes: bytes}
	return h, left, nil
}

// ahead returns how many bytes of the oldest segment are to be read.
func (s *Spool) ahead(seg *segment) int64 {
	if seg.number == s.pos.segment {
		return seg.end - s.pos.offset
	}
	return seg.end - seg.start
}

// wakeReader wakes the consumer if what it waits for is there. mu is held.
func (s *Spool) wakeReader() {
	if !s.want.waiting || len(s.segments) == 0 {
		return
	}
	seg := s.segments[0]
	if seg.sealed || seg.nextSeq-s.pos.seq >= s.want.records || s.ahead(seg) >= s.want.bytes && seg.nextSeq > s.pos.seq {
		s.want.waiting = false
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
}

// enter moves the position into the oldest segment and opens it for reading.
func (s *Spool) enter(h head) error {
	r := &s.reader
	s.mu.Lock()
	if s.pos.segment != h.seg.number {
		s.pos.segment, s.pos.offset = h.seg.number, h.seg.start
	}
	s.pos.offset = max(s.pos.offset, h.seg.start)
	s.mu.Unlock()
	if r.seg == h.seg {
		return nil
	}
	if r.file != nil {
		r.file.Close()
		r.file, r.seg = nil, nil
	}
	f, err := s.opt.OpenFile(h.seg.path, os.O_RDONLY)
	if err != nil {
		return fmt.Errorf("read segment: %w", err)
	}
	r.file, r.seg = f, h.seg
	return nil
}

// read returns the bytes from the position on, in the reader's buffer. The first failures are errors; if the disk goes
// on failing, what it does not give is taken for corrupt.
func (s *Spool) read(size int64) ([]byte, error) {
	r := &s.reader
	if int64(cap(r.buf)) < size {
		r.buf = make([]byte, size)
	}
	b := r.buf[:size]
	if r.failures >= maxReadFailures {
		readHoles(r.file, b, s.pos.offset)
		return b, nil
	}
	n, err := readAt(r.file, b, s.pos.offset)
	if err != nil {
		r.failures++
		return nil, fmt.Errorf("read segment %s at offset %d: %w", r.seg.path, s.pos.offset, err)
	}
	return b[:n], nil
}

// form makes the next run of good records the pending batch, or gets one step nearer to that.
func (s *Spool) form(h head, maxRecords, maxBytes int) error {
	if b := s.takeAhead(h, maxRecords, maxBytes); b != nil {
		return s.handOut(b)
	}
	if err := s.enter(h); err != nil {
		return err
	}
	left := h.end - s.pos.offset
	if left <= 0 {
		return s.leave(h)
	}
	b, err := s.read(h.window(s.pos, maxRecords, maxBytes))
	if err != nil {
		return err
	}
	batch := s.cut(h, s.pos, b, maxRecords, maxBytes)
	if batch == nil {
		return s.skipBad(h)
	}
	s.reader.failures = 0
	return s.handOut(batch)
}

// cut makes a batch of the good records that b, which was read at from, begins with; nil if there are none.
func (s *Spool) cut(h head, from position, b []byte, maxRecords, maxBytes int) *Batch {
	spans := make([][2]int, 0, min(uint64(maxRecords), h.hi-from.seq))
	records, used := h.seg.codec.run(b, from.seq, h.hi, maxRecords, maxBytes, func(start, end int) {
		spans = append(spans, [2]int{start, end})
	})
	if records == 0 {
		return nil
	}
	batch := s.newBatch(h.seg, from, uint64(records), from.offset+int64(used))
	batch.Payloads = make([]string, records)
	data := string(b[:used])
	for i, span := range spans {
		batch.Payloads[i] = data[span[0]:span[1]]
	}
	return batch
}

// window is how many bytes from a position on hold a batch. The average record tells how much to read; one whole record
// is read in any case.
func (h *head) window(from position, maxRecords, maxBytes int) int64 {
	left, size := h.end-from.offset, int64(maxBytes)
	if have := h.hi - from.seq; have > uint64(maxRecords) {
		size = min(size, left/int64(have)*int64(maxRecords)*5/4)
	}
	return min(left, size+recordHeader+int64(h.seg.codec.maxPayload))
}

// handOut makes the records durable, then the batch's boundaries, then the batch the pending one.
func (s *Spool) handOut(b *Batch) error {
	if err := errors.Join(s.syncTo(b.segment, s.reader.file, b.end), s.syncNames()); err != nil {
		return fmt.Errorf("hand out batch: %w", err)
	}
	s.reader.pending, s.reader.pendingEnd = uint32(b.count), b.end
	if err := s.storeState(); err != nil {
		s.reader.pending, s.reader.pendingEnd, s.reader.dirty = 0, 0, true
		return fmt.Errorf("hand out batch: %w", err)
	}
	s.reader.batch = b
	return nil
}

func (s *Spool) newBatch(seg *segment, from position, count uint64, end int64) *Batch {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := hex.AppendEncode(make([]byte, 0, 80), seg.identity[:])
	for _, n := range []uint64{seg.number, from.seq, count} {
		id = append(id, '-')
		id = strconv.AppendUint(id, n, 16)
	}
	return &Batch{ID: string(id), Oldest: s.ages.of(from.seq), segment: seg, firstSeq: from.seq, count: count, start: from.offset, end: end}
}

// Ack says that the batch has been stored by the consumer's sink. It will not come again in this run. An error says that
// this is not on the disk yet, so that a crash would bring it once more, with the same ID: call Ack again, or go on.
func (s *Spool) Ack(b *Batch) error {
	s.readMu.Lock()
	defer s.readMu.Unlock()
	r := &s.reader
	if r.closed {
		return ErrClosed
	}
	if b == nil || b != r.batch && b != r.acked {
		return errors.New("acknowledge batch: it is not the pending one")
	}
	if b == r.batch {
		poisoned := uint64(len(r.poison.records))
		if err := r.poison.seal(filepath.Join(s.opt.Dir, quarantineDir)); err != nil {
			return fmt.Errorf("acknowledge batch: %w", err)
		}
		s.mu.Lock()
		s.counts.delivered += uint64(len(b.Payloads)) - poisoned
		s.pos = position{segment: b.segment.number, offset: b.end, seq: b.firstSeq + b.count}
		s.skipped = 0
		s.ages.forget(s.pos.seq)
		s.mu.Unlock()
		r.batch, r.acked = nil, b
		r.pending, r.pendingEnd, r.dirty = 0, 0, true
	}
	if err := s.settle(); err != nil {
		return fmt.Errorf("acknowledge batch: %w", err)
	}
	s.endNotes()
	return nil
}

// storeState makes position and pending batch durable.
func (s *Spool) storeState() error {
	r := &s.reader
	s.mu.Lock()
	st := state{
		identity: s.identity, nextSegment: s.nextNumber, nextSeq: s.nextSeq, pos: s.pos, clean: r.closed,
		pending: r.pending, pendingEnd: r.pendingEnd,
	}
	s.mu.Unlock()
	if err := r.state.store(st, s.opt.Clock()); err != nil {
		return err
	}
	r.dirty = false
	return nil
}

// settle makes the position durable and removes the segments before it.
func (s *Spool) settle() error {
	if s.reader.dirty {
		if err := s.storeState(); err != nil {
			return err
		}
	}
	for {
		s.mu.Lock()
		if len(s.segments) == 0 || !s.passed(s.segments[0]) {
			s.mu.Unlock()
			return nil
		}
		seg := s.segments[0]
		s.segments = append(s.segments[:0], s.segments[1:]...)
		s.segBytes -= seg.end
		s.mu.Unlock()
		s.remove(seg)
	}
}

// passed reports whether nothing of seg is left to read and nothing will be written to it. mu is held.
func (s *Spool) passed(seg *segment) bool {
	return seg.sealed && seg.number == s.pos.segment && s.pos.offset >= seg.end && s.pos.seq >= seg.nextSeq
}

// remove deletes a delivered segment. Should that fail, the next Open does it.
func (s *Spool) remove(seg *segment) {
	if s.reader.seg == seg {
		s.reader.file.Close()
		s.reader.file, s.reader.seg = nil, nil
	}
	s.syncMu.Lock()
	s.mu.Lock()
	file := seg.file
	seg.file = nil
	s.mu.Unlock()
	if file != nil {
		file.Close()
	}
	s.syncMu.Unlock()
	if err := os.Remove(seg.path); err != nil {
		s.log.warn("remove", "cannot remove a delivered segment", "error", err)
	}
}

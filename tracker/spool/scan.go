package spool

import (
	"encoding/binary"
	"errors"
	"io"
	"math"
)

const (
	scanStep  = 1 << 20 // bytes of a file looked at in one go
	pageBytes = 4096    // what a disk fails to read at least
)

// find returns the first record in b, from offset from on and before offset to, that verifies and has a number in [lo, hi).
func (c codec) find(b []byte, from, to int, lo, hi uint64) (offset int, seq uint64, ok bool) {
	for i := from; i < to && i+recordHeader <= len(b); i++ {
		if n := binary.BigEndian.Uint32(b[i:]); n > c.maxPayload {
			continue
		}
		if seq, _, ok = c.record(b[i:], lo, hi); ok {
			return i, seq, true
		}
	}
	return 0, 0, false
}

// findIn is find over a file, between the offsets from and to.
func (c codec) findIn(f File, from, to int64, lo, hi uint64) (offset int64, seq uint64, ok bool) {
	if lo >= hi || from >= to {
		return 0, 0, false
	}
	buf := make([]byte, min(to-from, scanStep+recordHeader+int64(c.maxPayload)))
	for off := from; off < to; off += scanStep {
		b := buf[:min(int64(len(buf)), to-off)]
		readHoles(f, b, off)
		if i, seq, ok := c.find(b, 0, scanStep, lo, hi); ok {
			return off + int64(i), seq, true
		}
	}
	return 0, 0, false
}

// lastSeq walks the records of a segment that an earlier run left, from offset from with number seq on, and returns the
// number after the last one that it holds or seems to have held.
func (c codec) lastSeq(f File, from, size int64, seq uint64) uint64 {
	window := recordHeader + int64(c.maxPayload)
	buf := make([]byte, min(max(size-from, 0), scanStep+window))
	for off := from; off < size; {
		b := buf[:min(int64(len(buf)), size-off)]
		readHoles(f, b, off)
		if n, used := c.run(b, seq, math.MaxUint64, math.MaxInt, math.MaxInt, nil); n > 0 {
			off, seq = off+int64(used), seq+uint64(n)
			continue
		}
		next, nextSeq, ok := c.findIn(f, off, size, seq, seq+uint64(size-off)/recordHeader+1)
		if !ok {
			return seq + c.wholeRecords(b, seq)
		}
		off, seq = next, nextSeq
	}
	return seq
}

// readAt fills b as far as the file reaches and returns how far that is.
func readAt(f File, b []byte, off int64) (int, error) {
	n, err := f.ReadAt(b, off)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}

// readHoles fills b, with zeros where the file cannot be read or has ended. Records there do not verify.
func readHoles(f File, b []byte, off int64) {
	if n, err := readAt(f, b, off); err == nil {
		clear(b[n:])
		return
	}
	for len(b) > 0 {
		page := b[:min(len(b), pageBytes-int(off%pageBytes))]
		n, err := readAt(f, page, off)
		if err != nil {
			n = 0
		}
		clear(page[n:])
		b, off = b[len(page):], off+int64(len(page))
	}
}

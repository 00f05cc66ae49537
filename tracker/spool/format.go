package spool

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// The layout is described in FORMAT.md; all numbers are big endian.
const (
	formatVersion = 1
	segmentMagic  = "EREFSPL\n"

	headerSize   = 64 // bytes before the first record of a segment
	recordHeader = 16 // bytes before the payload of a record

	// maxPayloadLimit bounds Options.MaxRecord, and with it what a reader must be ready to hold.
	maxPayloadLimit = 1 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// identity is random and belongs to one life of a spool directory; see Batch.ID.
type identity [16]byte

// header is the head of a segment.
type header struct {
	maxPayload uint32 // longest payload that the writer accepted, bytes
	identity   identity
	number     uint64
	firstSeq   uint64 // sequence number of the first record
	createdMs  int64  // Unix ms
}

var errHeader = errors.New("segment header does not verify")

func (h *header) append(dst []byte) []byte { //nolint:unparam // append-style, as all encodings here
	start := len(dst)
	dst = append(dst, segmentMagic...)
	dst = binary.BigEndian.AppendUint32(dst, formatVersion)
	dst = binary.BigEndian.AppendUint32(dst, h.maxPayload)
	dst = append(dst, h.identity[:]...)
	dst = binary.BigEndian.AppendUint64(dst, h.number)
	dst = binary.BigEndian.AppendUint64(dst, h.firstSeq)
	dst = binary.BigEndian.AppendUint64(dst, uint64(h.createdMs))
	dst = binary.BigEndian.AppendUint32(dst, 0)
	return binary.BigEndian.AppendUint32(dst, crc32.Checksum(dst[start:], castagnoli))
}

// parseHeader reads a header. The error wraps errHeader, except for a version that this program does not know.
func parseHeader(b []byte) (header, error) {
	if len(b) < headerSize || string(b[:8]) != segmentMagic {
		return header{}, errHeader
	}
	if crc32.Checksum(b[:60], castagnoli) != binary.BigEndian.Uint32(b[60:]) {
		return header{}, errHeader
	}
	if v := binary.BigEndian.Uint32(b[8:]); v != formatVersion {
		return header{}, fmt.Errorf("segment format version %d is not known to this program, which writes %d", v, formatVersion)
	}
	h := header{
		maxPayload: binary.BigEndian.Uint32(b[12:]),
		identity:   identity(b[16:32]),
		number:     binary.BigEndian.Uint64(b[32:]),
		firstSeq:   binary.BigEndian.Uint64(b[40:]),
		createdMs:  int64(binary.BigEndian.Uint64(b[48:])),
	}
	if h.maxPayload > maxPayloadLimit {
		return header{}, errHeader
	}
	return h, nil
}

// codec seals and verifies the records of one segment. The seed ties a record to its segment: stale bytes of another
// file, or bytes that a visitor put into a payload, do not verify.
type codec struct {
	seed       uint32
	maxPayload uint32
}

func newCodec(id identity, number uint64, maxPayload uint32) codec {
	var b [24]byte
	copy(b[:], id[:])
	binary.BigEndian.PutUint64(b[16:], number)
	return codec{seed: crc32.Checksum(b[:], castagnoli), maxPayload: maxPayload}
}

// appendUnsealed appends a record whose checksum and sequence number seal fills in later.
func appendUnsealed(dst, payload []byte) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(payload)))
	dst = append(dst, make([]byte, recordHeader-4)...)
	return append(dst, payload...)
}

// seal numbers the records in b from seq on.
func (c codec) seal(b []byte, seq uint64) {
	for len(b) > 0 {
		size := recordHeader + int(binary.BigEndian.Uint32(b))
		binary.BigEndian.PutUint64(b[8:], seq)
		binary.BigEndian.PutUint32(b[4:], c.sum(b[:size]))
		b = b[size:]
		seq++
	}
}

// sum covers length, sequence number and payload.
func (c codec) sum(record []byte) uint32 {
	return crc32.Update(crc32.Update(c.seed, castagnoli, record[:4]), castagnoli, record[8:])
}

// record verifies the record at the start of b, given that its sequence number must lie in [lo, hi). size includes the
// record's header; ok is false for anything that does not verify, also for a record that b holds only in part.
func (c codec) record(b []byte, lo, hi uint64) (seq uint64, size int, ok bool) {
	if len(b) < recordHeader {
		return 0, 0, false
	}
	seq = binary.BigEndian.Uint64(b[8:])
	if seq < lo || seq >= hi {
		return 0, 0, false
	}
	n := binary.BigEndian.Uint32(b)
	if n > c.maxPayload || int(n) > len(b)-recordHeader {
		return 0, 0, false
	}
	size = recordHeader + int(n)
	if c.sum(b[:size]) != binary.BigEndian.Uint32(b[4:]) {
		return 0, 0, false
	}
	return seq, size, true
}

// run verifies consecutive records numbered from seq on, at most maxRecords and maxBytes of them but at least one if
// it is good. It calls each for every payload (which may be nil) and returns how many records and bytes verified.
func (c codec) run(b []byte, seq, hi uint64, maxRecords, maxBytes int, each func(start, end int)) (records, bytes int) {
	for seq < hi && records < maxRecords {
		_, size, ok := c.record(b[bytes:], seq, seq+1)
		if !ok || records > 0 && bytes+size > maxBytes {
			break
		}
		if each != nil {
			each(bytes+recordHeader, bytes+size)
		}
		bytes += size
		records++
		seq++
	}
	return records, bytes
}

// wholeRecords counts the records that the bytes at the end of a segment seem to have held, judging by length and
// sequence number alone. An incomplete last one does not count: it was never acknowledged, or its loss cannot be told.
func (c codec) wholeRecords(b []byte, seq uint64) (n uint64) {
	for len(b) >= recordHeader {
		length := binary.BigEndian.Uint32(b)
		if length > c.maxPayload || int(length) > len(b)-recordHeader {
			break
		}
		size := recordHeader + int(length)
		if binary.BigEndian.Uint64(b[8:]) != seq+n && size != len(b) {
			break
		}
		b = b[size:]
		n++
	}
	return n
}

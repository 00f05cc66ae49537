package spool

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"time"
)

// The state file has two slots, written in turn and in place: a crash in the middle of a write leaves the other slot,
// and a full disk cannot keep delivery from being recorded, which is what frees the disk.
const (
	stateName  = "state"
	stateMagic = "EREFSTA\n"
	stateSize  = 128  // bytes of a slot that are used
	slotSize   = 4096 // bytes from slot to slot: no two of them share a block
)

// state is what must be known after a restart.
type state struct {
	generation  uint64
	identity    identity // of segments yet to be made
	nextSegment uint64   // no smaller number will be given to a new segment
	nextSeq     uint64   // no smaller number will be given to a new record
	pos         position // everything before it has been delivered or quarantined
	pendingEnd  int64    // offset at which the pending batch that begins at pos ends
	pending     uint32   // records of the pending batch; 0: none
	storedMs    int64    // Unix ms
	clean       bool     // stored by Close: nextSeq is exact, not a lower bound
}

// position is a place between two records.
type position struct {
	segment uint64
	offset  int64
	seq     uint64 // of the record that follows
}

var errState = errors.New("state does not verify")

func (st *state) append(dst []byte) []byte {
	start := len(dst)
	dst = append(dst, stateMagic...)
	dst = binary.BigEndian.AppendUint32(dst, formatVersion)
	dst = binary.BigEndian.AppendUint32(dst, st.pending)
	dst = append(dst, st.identity[:]...)
	var flags uint64
	if st.clean {
		flags = 1
	}
	for _, v := range []uint64{
		st.generation, st.nextSegment, st.nextSeq, st.pos.segment, uint64(st.pos.offset), st.pos.seq,
		uint64(st.pendingEnd), uint64(st.storedMs), flags, 0, 0,
	} {
		dst = binary.BigEndian.AppendUint64(dst, v)
	}
	dst = binary.BigEndian.AppendUint32(dst, 0)
	return binary.BigEndian.AppendUint32(dst, crc32.Checksum(dst[start:], castagnoli))
}

func parseState(b []byte) (state, error) {
	if len(b) < stateSize || string(b[:8]) != stateMagic {
		return state{}, errState
	}
	if crc32.Checksum(b[:stateSize-4], castagnoli) != binary.BigEndian.Uint32(b[stateSize-4:]) {
		return state{}, errState
	}
	if v := binary.BigEndian.Uint32(b[8:]); v != formatVersion {
		return state{}, fmt.Errorf("state format version %d is not known to this program, which writes %d", v, formatVersion)
	}
	u64 := func(i int) uint64 { return binary.BigEndian.Uint64(b[32+8*i:]) }
	st := state{
		pending:     binary.BigEndian.Uint32(b[12:]),
		identity:    identity(b[16:32]),
		generation:  u64(0),
		nextSegment: u64(1),
		nextSeq:     u64(2),
		pos:         position{segment: u64(3), offset: int64(u64(4)), seq: u64(5)},
		pendingEnd:  int64(u64(6)),
		storedMs:    int64(u64(7)),
		clean:       u64(8)&1 != 0,
	}
	if st.pos.offset < 0 || st.pos.seq > st.nextSeq || st.pending > 0 && st.pendingEnd <= st.pos.offset {
		return state{}, errState
	}
	return st, nil
}

// stateFile is the state file, open.
type stateFile struct {
	file File
	last state
	buf  []byte
}

// readState returns the newest slot that verifies. bad is the number of slots that do not although something is in
// them. The error is fs.ErrNotExist if there is no file, and wraps errState if no slot verifies.
func readState(path string) (st state, bad int, err error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return state{}, 0, fmt.Errorf("read spool state: %w", err)
	}
	found := false
	for slot := range 2 {
		from := min(slot*slotSize, len(b))
		s, err := parseState(b[from:min(from+stateSize, len(b))])
		switch {
		case errors.Is(err, errState):
			bad++
		case err != nil:
			return state{}, 0, err
		case !found || s.generation > st.generation:
			st, found = s, true
		}
	}
	if !found {
		return state{}, bad, errState
	}
	return st, bad, nil
}

// createState makes a state file with both slots filled, so that its blocks are allocated once and for all.
func createState(open OpenFunc, path string, st state) error {
	tmp := path + ".tmp"
	f, err := open(tmp, os.O_RDWR|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return fmt.Errorf("create spool state: %w", err)
	}
	b := make([]byte, 2*slotSize)
	for slot := range 2 {
		st.generation = uint64(slot)
		st.append(b[slot*slotSize : slot*slotSize])
	}
	if err = writeFull(f, b, 0); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(tmp, path)
	}
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	if err != nil {
		return fmt.Errorf("create spool state: %w", err)
	}
	return nil
}

// store writes st durably. When it fails, the slot written before is still there.
func (sf *stateFile) store(st state, now time.Time) error {
	st.generation, st.storedMs = sf.last.generation+1, now.UnixMilli()
	sf.buf = st.append(sf.buf[:0])
	if err := writeFull(sf.file, sf.buf, int64(st.generation%2)*slotSize); err != nil {
		return fmt.Errorf("write spool state: %w", err)
	}
	if err := sf.file.Sync(); err != nil {
		return fmt.Errorf("sync spool state: %w", err)
	}
	sf.last = st
	return nil
}

package spool

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzSegment opens whatever is in a segment file: it must not panic or hang, must deliver only what verifies, and the
// sums must hold.
func FuzzSegment(f *testing.F) {
	h := header{maxPayload: 128, number: 1, firstSeq: 1, identity: identity{1}}
	good := h.append(nil)
	for i := range 3 {
		good = appendUnsealed(good, []byte(payload(i)))
	}
	newCodec(h.identity, 1, 128).seal(good[headerSize:], 1)
	f.Add(good)
	f.Add(good[:len(good)-1])
	f.Add(append([]byte(strings.Repeat("?", headerSize)), good[headerSize:]...))
	f.Add([]byte(nil))
	flipped := append([]byte(nil), good...)
	flipped[headerSize+3] ^= 0xff
	f.Add(flipped)
	f.Fuzz(func(t *testing.T, raw []byte) {
		if len(raw) > 4096 {
			return
		}
		dir := t.TempDir()
		st := state{identity: identity{1}, nextSegment: 1, nextSeq: 1, pos: position{seq: 1}}
		if err := createState(openOS, filepath.Join(dir, stateName), st); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(segmentPath(dir, 1), raw, 0o600); err != nil {
			t.Fatal(err)
		}
		opt := options(dir)
		opt.OpenFile = newDisk().open // its sync costs nothing
		s, err := Open(opt)
		if err != nil {
			return
		}
		defer s.Close()
		for _, p := range drain(t, s) {
			if !strings.Contains(string(raw), p) {
				t.Fatalf("delivered %q, which is not in the file", p)
			}
		}
		if st := checkSums(t, s); st.PendingRecords != 0 {
			t.Fatalf("%+v; want nothing pending", st)
		}
	})
}

func FuzzState(f *testing.F) {
	st := state{
		generation: 3, identity: identity{1, 2}, nextSegment: 4, nextSeq: 90, storedMs: 1764000000000, clean: true,
		pos: position{segment: 3, offset: 64, seq: 70}, pendingEnd: 500, pending: 5,
	}
	f.Add(st.append(nil))
	f.Add((&state{}).append(nil))
	f.Add([]byte(stateMagic))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) >= stateSize {
			resum(b[:stateSize]) // or the fuzzer never gets past the checksum
		}
		st, err := parseState(b)
		if err != nil {
			return
		}
		back, err := parseState(st.append(nil))
		if err != nil || back != st {
			t.Fatalf("%+v, then %+v, %v", st, back, err)
		}
	})
}

func FuzzHeader(f *testing.F) {
	h := header{maxPayload: 128, number: 7, firstSeq: 9, identity: identity{1}, createdMs: 5}
	f.Add(h.append(nil))
	f.Add([]byte(segmentMagic))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) >= headerSize {
			resum(b[:headerSize])
		}
		h, err := parseHeader(b)
		if err != nil {
			return
		}
		if back, err := parseHeader(h.append(nil)); err != nil || back != h {
			t.Fatalf("%+v, then %+v, %v", h, back, err)
		}
	})
}

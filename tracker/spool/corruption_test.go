package spool

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// written leaves a spool with five records in one segment and returns where each record begins, and the file's size.
func written(t *testing.T, dir string, end func(*Spool)) (path string, starts []int) {
	t.Helper()
	s := mustOpen(t, options(dir))
	mustAppend(t, s, payloads(0, 5)...)
	end(s)
	at := headerSize
	for i := range 5 {
		starts = append(starts, at)
		at += recordHeader + len(payload(i))
	}
	return globOne(t, dir, "*"+segmentExt), append(starts, at)
}

func without(list []string, i int) []string {
	return slices.Delete(slices.Clone(list), i, i+1)
}

// Every byte of a segment flipped in turn: all other records are delivered, and the lost one is counted.
func TestEveryFlippedByte(t *testing.T) {
	for name, end := range map[string]func(*Spool){"clean end": func(s *Spool) { mustClose(t, s) }, "crash": crash} {
		t.Run(name, func(t *testing.T) {
			base := filepath.Join(t.TempDir(), "base")
			path, starts := written(t, base, end)
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for i := range raw {
				flipByte(t, base, filepath.Base(path), raw, starts, i, name == "clean end")
			}
		})
	}
}

func flipByte(t *testing.T, base, segment string, raw []byte, starts []int, i int, exact bool) {
	dir := filepath.Join(t.TempDir(), "flipped")
	copyDir(t, base, dir)
	bad := slices.Clone(raw)
	bad[i] ^= 1 << (i % 8)
	if err := os.WriteFile(filepath.Join(dir, segment), bad, 0o600); err != nil {
		t.Fatal(err)
	}
	want, lost := payloads(0, 5), uint64(0)
	for r := range 5 {
		if i >= starts[r] && i < starts[r+1] {
			want, lost = without(want, r), 1
		}
	}
	s, err := Open(options(dir))
	if err != nil {
		t.Fatalf("byte %d: %v", i, err)
	}
	defer s.Close()
	if got := drain(t, s); !slices.Equal(got, want) {
		t.Fatalf("byte %d: got %q; want %q", i, got, want)
	}
	st := checkSums(t, s)
	if st.Corruption == nil {
		t.Errorf("byte %d: no corruption reported", i)
	}
	// Without a clean end, only what follows a damaged length tells that it was a whole record.
	if st.Quarantined != lost && (exact || i < starts[4]) {
		t.Errorf("byte %d: %d records counted as lost; want %d", i, st.Quarantined, lost)
	}
	if lost > 0 {
		kept, err := os.ReadFile(globOne(t, dir, quarantineDir, "*.bad"))
		if err != nil || !strings.Contains(string(raw), string(kept[:1])) && len(kept) < recordHeader {
			t.Errorf("byte %d: kept %d bytes, %v", i, len(kept), err)
		}
	}
}

// A crash in the middle of a write leaves part of a record, which was never acknowledged.
func TestTornTailOfEveryLength(t *testing.T) {
	base := filepath.Join(t.TempDir(), "base")
	path, starts := written(t, base, crash)
	for size := starts[4] + 1; size < starts[5]; size++ {
		dir := filepath.Join(t.TempDir(), "torn")
		copyDir(t, base, dir)
		if err := os.Truncate(filepath.Join(dir, filepath.Base(path)), int64(size)); err != nil {
			t.Fatal(err)
		}
		s := mustOpen(t, options(dir))
		mustAppend(t, s, "later")
		if got, want := drain(t, s), append(payloads(0, 4), "later"); !slices.Equal(got, want) {
			t.Fatalf("%d bytes: got %q; want %q", size, got, want)
		}
		if st := s.Stats(); st.Quarantined != 0 || st.Corruption == nil {
			t.Errorf("%d bytes: %+v; want a corruption, no lost record", size, st)
		}
		kept, err := os.ReadFile(globOne(t, dir, quarantineDir, fmt.Sprintf("segment-%020d-offset-%012d.bad", 1, starts[4])))
		if err != nil || len(kept) != size-starts[4] {
			t.Errorf("%d bytes: kept %d, %v", size, len(kept), err)
		}
		mustClose(t, s)
	}
}

// damaged is what somebody did to a spool of 60 records, and what is left of it.
type damaged struct {
	damage func(dir string) error
	want   damagedResult
}

type damagedResult struct {
	delivered   []string
	quarantined uint64
	kept        int // files in quarantine, at least
}

// damages lists them, given all records and how many the first segment holds.
func damages(all []string, perSegment int) map[string]damaged {
	overwrite := func(path string, off int64, b string) error {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		_, err = f.WriteAt([]byte(b), off)
		return errors.Join(err, f.Close())
	}
	segments := func(dir string) []string {
		files, _ := filepath.Glob(filepath.Join(dir, "*"+segmentExt))
		return files
	}
	return map[string]damaged{
		"header and first record of a middle segment": {
			func(dir string) error {
				return overwrite(segments(dir)[1], 0, strings.Repeat("?", headerSize+recordHeader))
			},
			damagedResult{without(all, perSegment), 1, 0},
		},
		"first segment replaced by noise": {
			func(dir string) error {
				return os.WriteFile(segments(dir)[0], []byte(strings.Repeat("noise", 200)), 0o600)
			},
			damagedResult{all[perSegment:], uint64(perSegment), 1},
		},
		"first segment missing": {
			func(dir string) error { return os.Remove(segments(dir)[0]) },
			damagedResult{all[perSegment:], uint64(perSegment), 0},
		},
		"all segments missing": {
			func(dir string) error {
				var err error
				for _, f := range segments(dir) {
					err = errors.Join(err, os.Remove(f))
				}
				return err
			},
			damagedResult{nil, 60, 0},
		},
		"state overwritten": {
			func(dir string) error { return os.WriteFile(filepath.Join(dir, stateName), []byte("nonsense"), 0o600) },
			damagedResult{all, 0, 1},
		},
		"state missing": {
			func(dir string) error { return os.Remove(filepath.Join(dir, stateName)) },
			damagedResult{all, 0, 0},
		},
		"one slot of the state": {
			func(dir string) error { return overwrite(filepath.Join(dir, stateName), 40, "????") },
			damagedResult{all, 0, 0},
		},
		"zeros in place of two records": {
			func(dir string) error {
				size := 2*recordHeader + len(payload(0)) + len(payload(1))
				return overwrite(segments(dir)[0], headerSize, strings.Repeat("\x00", size))
			},
			damagedResult{all[2:], 2, 1},
		},
	}
}

func TestDamage(t *testing.T) {
	all := payloads(0, 60) // several segments
	perSegment := 0
	for at := headerSize; at+recordHeader+len(payload(perSegment)) <= 1024; perSegment++ {
		at += recordHeader + len(payload(perSegment))
	}
	for name, c := range damages(all, perSegment) {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := mustOpen(t, options(dir))
			mustAppend(t, s, all...)
			mustClose(t, s)
			if err := c.damage(dir); err != nil {
				t.Fatal(err)
			}
			s = mustOpen(t, options(dir))
			got := drain(t, s)
			st := checkSums(t, s)
			if !slices.Equal(got, c.want.delivered) || st.Quarantined != c.want.quarantined {
				t.Errorf("%d delivered %q, %d quarantined; want %d, %d", len(got), got, st.Quarantined, len(c.want.delivered), c.want.quarantined)
			}
			if st.Corruption == nil {
				t.Error("no corruption reported")
			}
			if kept, _ := filepath.Glob(filepath.Join(dir, quarantineDir, "*")); len(kept) < c.want.kept {
				t.Errorf("in quarantine: %v", kept)
			}
			mustAppend(t, s, "later")
			if got := drain(t, s); !slices.Equal(got, []string{"later"}) {
				t.Errorf("afterwards: %q", got)
			}
			mustClose(t, s)
			if got := drain(t, mustOpen(t, options(dir))); got != nil {
				t.Errorf("after a restart: %q came again", got)
			}
		})
	}
}

// A batch that was handed out keeps its identity even if part of it has been lost since.
func TestPendingBatchThatWasDamaged(t *testing.T) {
	for name, c := range map[string]struct {
		damage func(raw []byte) []byte
		want   []string
	}{
		"flipped byte": {func(b []byte) []byte { b[headerSize+recordHeader] ^= 1; return b }, payloads(1, 3)},
		"cut":          {func(b []byte) []byte { return b[:headerSize+recordHeader+len(payload(0))] }, payloads(0, 1)},
		"all":          {func(b []byte) []byte { return b[:headerSize] }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := mustOpen(t, options(dir))
			mustAppend(t, s, payloads(0, 3)...)
			first := mustNext(t, s, 3)
			crash(s)
			path := globOne(t, dir, "*"+segmentExt)
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, c.damage(raw), 0o600); err != nil {
				t.Fatal(err)
			}
			s = mustOpen(t, options(dir))
			mustAppend(t, s, "later")
			b := mustNext(t, s, 3)
			if c.want == nil {
				if !slices.Equal(b.Payloads, []string{"later"}) || b.ID == first.ID {
					t.Errorf("got %s %q", b.ID, b.Payloads)
				}
			} else if b.ID != first.ID || !slices.Equal(b.Payloads, c.want) {
				t.Errorf("got %s %q; want %s %q", b.ID, b.Payloads, first.ID, c.want)
			}
			checkSums(t, s)
			drain(t, s)
			if st := checkSums(t, s); st.Quarantined != uint64(3-len(c.want)) || st.Delivered != uint64(len(c.want)+1) {
				t.Errorf("%+v", st)
			}
		})
	}
}

func TestNewerFormatIsRefused(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, options(dir))
	mustAppend(t, s, "x")
	mustClose(t, s)
	path := filepath.Join(dir, stateName)
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for slot := range 2 {
		b := raw[slot*slotSize:]
		b[11] = formatVersion + 1
		resum(b[:stateSize])
	}
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(options(dir)); err == nil || !strings.Contains(err.Error(), "version 2") {
		t.Errorf("%v; want an error that names the version", err)
	}
}

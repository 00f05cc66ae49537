package links

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"hash/maphash"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/edgeref/edgeref/wire/link"
)

// snapshotBytes is a small snapshot.
func snapshotBytes(t testing.TB) []byte {
	t.Helper()
	seed := maphash.MakeSeed()
	r := newReplica(seed, 1<<30, newLinkSet(seed, 1<<30))
	page := link.Page{
		Feed: "feed", Cursor: 9, Links: []link.Link{testLink(10, "a"), testLink(11, "b")},
		Programs: []link.Program{{ID: 1, ClickParam: "click_id"}},
	}
	if _, err := r.apply(r.position(), &page); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := writeSnapshot(&b, r, []salt{{Day: 5}}, time.UnixMilli(7)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func load(t testing.TB, path string) (*linkSet, snapshotMeta, error) {
	t.Helper()
	set := newLinkSet(maphash.MakeSeed(), 1<<30)
	meta, _, err := loadSnapshot(path, set)
	return set, meta, err
}

func TestEveryTornOrFlippedSnapshotIsNoticed(t *testing.T) {
	whole := snapshotBytes(t)
	path := filepath.Join(t.TempDir(), "s")
	try := func(b []byte) error {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		_, _, err := load(t, path)
		return err
	}
	if err := try(whole); err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		if err := try(whole[:n]); !errors.Is(err, errSnapshot) {
			t.Fatalf("torn at %d: %v", n, err)
		}
		flipped := bytes.Clone(whole)
		flipped[n] ^= 1
		if err := try(flipped); !errors.Is(err, errSnapshot) {
			t.Fatalf("flipped at %d: %v", n, err)
		}
	}
	if err := try(append(bytes.Clone(whole), 0)); !errors.Is(err, errSnapshot) {
		t.Fatalf("too long: %v", err)
	}
}

func TestSnapshotOutlivesTheProcessWhileTheCoreIsDown(t *testing.T) {
	path := snapshotIn(t)
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, func(o *Options) { o.Snapshot = path })
		f.run()
		synctest.Wait()
		key, ok := f.Salt(dayOf(time.Now()))
		if !ok {
			t.Fatal("no salt")
		}
		f.stop()
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Fatalf("%v, %v", info, err)
		}
		f.core.set(func() { f.core.down = true })
		g := newFixtureOn(t, f.core, func(o *Options) { o.Snapshot = path })
		if err := g.Ready(); err != nil {
			t.Error(err)
		}
		g.run()
		synctest.Wait()
		g.want("a", toA, nil, resultStale)
		if r, ok := g.ByID(10); !ok || r.Program.PostbackSecrets[0] != "s3cret" {
			t.Errorf("%+v, %v", r, ok)
		}
		if again, ok := g.Salt(dayOf(time.Now())); !ok || again != key {
			t.Error("the day's salt changed over a restart")
		}
	})
}

func TestLookedUpLinkIsInTheSnapshot(t *testing.T) {
	path := snapshotIn(t)
	f := newFixture(t, func(o *Options) { o.Snapshot = path })
	f.want("a", toA, nil, resultSource)
	f.save()
	if set, meta, err := load(t, path); err != nil || set.ids.used != 1 || meta.Complete {
		t.Errorf("%+v, %v", meta, err)
	}
}

func TestSnapshotIsSavedWhenSomethingChangedAndNotTooOften(t *testing.T) {
	path := snapshotIn(t)
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, func(o *Options) { o.Snapshot = path })
		f.run()
		revision := func() int64 {
			t.Helper()
			synctest.Wait()
			_, meta, err := load(t, path)
			if err != nil {
				t.Fatal(err)
			}
			return meta.Cursor
		}
		if got := revision(); got != 2 {
			t.Errorf("first save: cursor %d", got)
		}
		f.core.putLink(testLink(11, "b"))
		time.Sleep(10 * time.Second)
		if got := revision(); got != 2 {
			t.Errorf("saved again within 30 s: cursor %d", got)
		}
		if since := f.metrics.unsavedSince.Load(); since == 0 {
			t.Error("an unsaved change is not told of")
		}
		time.Sleep(20 * time.Second)
		if got := revision(); got != 3 {
			t.Errorf("not saved after 30 s: cursor %d", got)
		}
		saved := f.metrics.snapshotSaved.Load()
		time.Sleep(10 * time.Minute)
		if f.metrics.snapshotSaved.Load() != saved || f.metrics.unsavedSince.Load() != 0 {
			t.Error("saved although nothing changed")
		}
		f.core.putLink(testLink(12, "c"))
		synctest.Wait()
		f.core.putLink(testLink(13, "d"))
		synctest.Wait()
		f.stop()
		if got := revision(); got != 5 {
			t.Errorf("not saved at the end: cursor %d", got)
		}
	})
}

func TestCorruptSnapshotIsPutAside(t *testing.T) {
	path := snapshotIn(t)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	torn := snapshotBytes(t)[:60]
	for name, b := range map[string][]byte{path: torn, path + partSuffix: []byte("unfinished")} {
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f := newFixture(t, func(o *Options) { o.Snapshot = path })
	if kept, err := os.ReadFile(path + corruptSuffix); err != nil || !bytes.Equal(kept, torn) {
		t.Errorf("%q, %v", kept, err)
	}
	for _, gone := range []string{path, path + partSuffix} {
		if _, err := os.Stat(gone); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is still there", gone)
		}
	}
	if n := testutil.ToFloat64(f.metrics.snapshotCorrupt); n != 1 {
		t.Errorf("counted %v", n)
	}
	if f.replica.size().links != 0 || f.Ready() == nil {
		t.Error("something of it was used")
	}
	// On the next day it may hold an expired salt.
	yesterday := time.Now().Add(-25 * time.Hour)
	if err := os.Chtimes(path+corruptSuffix, yesterday, yesterday); err != nil {
		t.Fatal(err)
	}
	f.dropOld(path)
	if _, err := os.Stat(path + corruptSuffix); !errors.Is(err, os.ErrNotExist) {
		t.Error("kept for more than a day")
	}
}

func TestSnapshotThatCannotBeSavedIsTriedAgain(t *testing.T) {
	path := snapshotIn(t)
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, func(o *Options) { o.Snapshot = path })
		// A folder in its place makes the rename fail.
		if err := os.MkdirAll(filepath.Join(path, "x"), 0o700); err != nil {
			t.Fatal(err)
		}
		f.run()
		synctest.Wait()
		if n := testutil.ToFloat64(f.metrics.saveErrors); n != 1 {
			t.Errorf("%v errors counted", n)
		}
		if _, err := os.Stat(path + partSuffix); !errors.Is(err, os.ErrNotExist) {
			t.Error("an unfinished file is left")
		}
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
		time.Sleep(30 * time.Second)
		synctest.Wait()
		if _, _, err := load(t, path); err != nil {
			t.Error(err)
		}
	})
}

func TestFolderOfTheSnapshotMustBeUsable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := New(newCore(), compile, Options{Snapshot: filepath.Join(file, "links.snapshot")})
	if err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("error %v", err)
	}
}

// FuzzSnapshot reads the input as it is, and again as the frames of a file whose checksum is right.
func FuzzSnapshot(f *testing.F) {
	whole := snapshotBytes(f)
	f.Add(whole)
	f.Add(whole[:len(whole)-1])
	f.Add(whole[len(snapshotMagic) : len(whole)-frameHead-crcSize])
	f.Add([]byte("M\xff\xff\xff\xff"))
	f.Add([]byte("M\x02\x00\x00\x00{}L\x00\x00\x00\x00P\x08\x00\x00\x00{\"id\":1}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		sealed := append([]byte(snapshotMagic), b...)
		sealed = append(sealed, frameEnd, crcSize, 0, 0, 0)
		sum := crc32.Checksum(sealed, crc32.MakeTable(crc32.Castagnoli))
		for _, file := range [][]byte{b, binary.BigEndian.AppendUint32(sealed, sum)} {
			set := newLinkSet(maphash.MakeSeed(), 1<<30)
			_, err := readSnapshot(newFrameReader(bytes.NewReader(file)), set)
			if err != nil && !errors.Is(err, errSnapshot) {
				t.Fatal(err)
			}
			if err == nil && (set.ids.used < set.slugs.used || set.cursor < 0) {
				t.Fatalf("%d links, %d slugs, cursor %d", set.ids.used, set.slugs.used, set.cursor)
			}
		}
	})
}

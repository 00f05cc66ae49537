package links

import (
	"bytes"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/edgeref/edgeref/wire/link"
)

func coreSalt(day int64, fill byte) link.Salt {
	return link.Salt{Day: day, Key: bytes.Repeat([]byte{fill}, saltSize)}
}

func TestSaltsComeFromTheCore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		today := dayOf(time.Now())
		f := newFixture(t, nil)
		f.core.salts = []link.Salt{
			coreSalt(today-2, 1), coreSalt(today-1, 2), coreSalt(today, 3), coreSalt(today+1, 4), coreSalt(today+3, 5),
			{Day: today + 2, Key: []byte("short")},
		}
		f.run()
		synctest.Wait()
		for day, want := range map[int64]byte{today - 1: 2, today: 3, today + 1: 4} {
			if key, ok := f.Salt(day); !ok || key != [saltSize]byte(coreSalt(day, want).Key) {
				t.Errorf("day %+d: %x, %v", day-today, key, ok)
			}
		}
		for _, day := range []int64{-1 << 63, -1, today - 2, today + 2, today + 3, 1<<63 - 1} {
			if _, ok := f.Salt(day); ok {
				t.Errorf("day %+d has a salt", day-today)
			}
		}
		if n := len(f.salts.all()); n != 3 {
			t.Errorf("%d salts are kept", n)
		}
		if n := testutil.ToFloat64(f.metrics.saltsMade); n != 0 {
			t.Errorf("%v salts were made here", n)
		}
	})
}

func TestSaltMadeHereStaysForItsDay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		today := dayOf(time.Now())
		var wg sync.WaitGroup
		keys := make([][saltSize]byte, 20)
		for i := range keys {
			wg.Go(func() { keys[i], _ = f.Salt(today) })
		}
		wg.Wait()
		for _, key := range keys {
			if key != keys[0] || key == [saltSize]byte{} {
				t.Fatal("not one random key for all")
			}
		}
		f.core.salts = []link.Salt{coreSalt(today, 1), coreSalt(today+1, 2)}
		f.run()
		synctest.Wait()
		if key, _ := f.Salt(today); key != keys[0] {
			t.Error("the core's salt replaced one in use")
		}
		if key, _ := f.Salt(today + 1); key != [saltSize]byte(coreSalt(0, 2).Key) {
			t.Error("the core's salt is not used for a day without one")
		}
		if n := testutil.ToFloat64(f.metrics.saltsMade); n != 1 {
			t.Errorf("%v counted", n)
		}
	})
}

func TestSaltOfADayToComeFollowsTheCore(t *testing.T) {
	now := time.Now()
	s := newSalts(func() time.Time { return now }, nil, func() {})
	today := dayOf(now)
	s.offer([]link.Salt{coreSalt(today, 1), coreSalt(today+1, 1)})
	if s.offer([]link.Salt{coreSalt(today, 1), coreSalt(today+1, 1)}) {
		t.Error("the same salts count as a change")
	}
	s.offer([]link.Salt{coreSalt(today, 2), coreSalt(today+1, 2)})
	if a, _ := s.get(today); a[0] != 1 {
		t.Error("today's salt changed")
	}
	if a, _ := s.get(today + 1); a[0] != 2 {
		t.Error("tomorrow's salt did not")
	}
}

// 48 hours after its day began a salt is neither given nor in memory nor on the disk.
func TestSaltIsGoneAfter48Hours(t *testing.T) {
	path := snapshotIn(t)
	synctest.Test(t, func(t *testing.T) {
		day := dayOf(time.Now()) // the fake clock begins at midnight
		f := newFixture(t, func(o *Options) { o.Snapshot = path })
		f.core.salts = []link.Salt{coreSalt(day, 1)}
		f.run()
		synctest.Wait()
		f.core.set(func() { f.core.salts = nil })
		inFile := func() bool {
			_, meta, err := load(t, path)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range meta.Salts {
				if s.Day == day {
					return true
				}
			}
			return false
		}
		time.Sleep(48*time.Hour - time.Millisecond)
		synctest.Wait()
		if _, ok := f.Salt(day); !ok || !inFile() {
			t.Fatalf("gone before its time: %v, %v", ok, inFile())
		}
		time.Sleep(time.Millisecond)
		if _, ok := f.Salt(day); ok {
			t.Error("given after its time")
		}
		time.Sleep(dayCheck)
		synctest.Wait()
		if inFile() || f.salts.find(day) != nil {
			t.Error("still on the disk or in memory")
		}
	})
}

func TestExpiredSaltLeavesTheDiskAfterAStart(t *testing.T) {
	path := snapshotIn(t)
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, func(o *Options) { o.Snapshot = path })
		key, _ := f.Salt(dayOf(time.Now()))
		f.save()
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(72 * time.Hour)
		f.core.set(func() { f.core.down = true })
		g := newFixtureOn(t, f.core, func(o *Options) { o.Snapshot = path })
		if len(g.salts.all()) != 0 {
			t.Error("an expired salt was loaded")
		}
		g.run()
		synctest.Wait()
		after, err := os.ReadFile(path)
		if err != nil || bytes.Equal(before, after) || key == [saltSize]byte{} {
			t.Errorf("the file was not rewritten: %v", err)
		}
		if _, meta, err := load(t, path); err != nil || len(meta.Salts) != 0 {
			t.Errorf("%+v, %v", meta, err)
		}
	})
}

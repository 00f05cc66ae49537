package catalog_test

import (
	"bytes"
	"sync"
	"testing"
	"time"

	"github.com/edgeref/edgeref/core/catalog"
	"github.com/edgeref/edgeref/wire/link"
)

func salts(t *testing.T, c *catalog.Catalog) map[int64][]byte {
	t.Helper()
	page, err := c.Changes(t.Context(), "", 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	out := map[int64][]byte{}
	for _, s := range page.Salts {
		if len(s.Key) != 16 {
			t.Errorf("salt of day %d has %d bytes", s.Day, len(s.Key))
		}
		out[s.Day] = s.Key
	}
	return out
}

func TestSaltsLiveFortyEightHours(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		today := w.clock.Now().Unix() / 86400
		first := salts(t, w.Catalog)
		if len(first) != 2 || first[today] == nil || first[today+1] == nil || bytes.Equal(first[today], first[today+1]) {
			t.Fatalf("on the first day: %x", first)
		}
		w.clock.add(12*time.Hour - time.Millisecond) // the last moment of the day
		if again := salts(t, w.Catalog); !bytes.Equal(again[today], first[today]) || len(again) != 2 {
			t.Errorf("later that day: %x", again)
		}
		w.clock.add(time.Millisecond)
		second := salts(t, w.Catalog)
		if len(second) != 3 || !bytes.Equal(second[today], first[today]) || !bytes.Equal(second[today+1], first[today+1]) {
			t.Errorf("on the second day: %x after %x", second, first)
		}
		w.clock.add(24*time.Hour - time.Millisecond)
		if salts(t, w.Catalog)[today] == nil {
			t.Error("the salt is gone before 48 hours have passed")
		}
		w.clock.add(time.Millisecond)
		third := salts(t, w.Catalog)
		if third[today] != nil || !bytes.Equal(third[today+1], first[today+1]) {
			t.Errorf("on the third day: %x", third)
		}
		var left int
		if err := w.db.QueryRow(t.Context(), "SELECT COUNT(*) FROM visitor_salts WHERE day <= ?", today).Scan(&left); err != nil || left != 0 {
			t.Errorf("%d old salts in the database, %v", left, err)
		}
	})
}

func TestCoresShareSalts(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		var wg sync.WaitGroup
		pages := make([]link.Page, 4)
		for i := range pages {
			c := w.open(catalog.Options{})
			wg.Go(func() {
				var err error
				if pages[i], err = c.Changes(t.Context(), "", 0, 0); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for _, p := range pages[1:] {
			for j := range p.Salts {
				if !bytes.Equal(p.Salts[j].Key, pages[0].Salts[j].Key) {
					t.Errorf("two cores made different salts of day %d", p.Salts[j].Day)
				}
			}
		}
	})
}

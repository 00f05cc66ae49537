package live_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/edgeref/edgeref/core/live"
)

// store is a source that counts how often it was asked.
type store struct {
	mu     sync.Mutex
	asked  int
	events []live.Event
	err    error
}

func (s *store) Since(context.Context, time.Time) ([]live.Event, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	return s.events, s.err
}

func (s *store) add(affiliate int64, ids ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		s.events = append(s.events, live.Event{ID: id, Kind: "click", AffiliateID: affiliate, Data: []byte("{}")})
	}
}

func received(l *live.Listener) (ids []string) {
	for {
		select {
		case e := <-l.Events():
			ids = append(ids, e.ID)
		default:
			return ids
		}
	}
}

func listen(t *testing.T, h *live.Hub, who, affiliate int64) *live.Listener {
	t.Helper()
	l, err := h.Listen(who, affiliate)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// Everybody gets what is his, once; the store is asked once a second for all, and not at all while nobody watches.
func TestHub(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, broken := &store{}, &store{err: errors.New("down")}
		h := live.New(live.Options{Sources: []live.Source{broken, s}, Now: time.Now})
		defer h.Close()
		time.Sleep(time.Minute) // of the bubble
		all, one, other := listen(t, h, 1, 0), listen(t, h, 2, 5), listen(t, h, 3, 6)
		s.add(5, "a", "b")
		s.add(0, "c")
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if got := fmt.Sprint(received(all), received(one), received(other)); got != "[a b c] [a b] []" {
			t.Error(got)
		}
		if s.asked != 3 || broken.asked != 3 {
			t.Errorf("asked %d and %d times", s.asked, broken.asked)
		}
		all.Close()
		all.Close()
		one.Close()
		s.add(6, "d")
		time.Sleep(time.Second)
		synctest.Wait()
		if got := received(other); len(got) != 1 || got[0] != "d" {
			t.Error(got)
		}
		if got := received(one); got != nil {
			t.Errorf("who has gone is given %v", got)
		}
		other.Close()
		time.Sleep(time.Minute)
		if s.asked > 5 {
			t.Errorf("asked %d times while nobody watches", s.asked)
		}
		// It begins again.
		again := listen(t, h, 1, 6)
		s.add(6, "e")
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if got := received(again); len(got) == 0 || got[len(got)-1] != "e" {
			t.Error(got)
		}
		again.Close()
	})
}

// Whose watching is ended is told so, others go on, and who may begins again.
func TestEnd(t *testing.T) {
	h := live.New(live.Options{Now: time.Now})
	defer h.Close()
	first, second, other := listen(t, h, 1, 0), listen(t, h, 1, 5), listen(t, h, 2, 0)
	h.End(1)
	h.End(3)
	<-first.Done()
	<-second.Done()
	select {
	case <-other.Done():
		t.Error("another one is ended too")
	default:
	}
	first.Close()
	for range live.MaxOfOne {
		defer listen(t, h, 1, 0).Close()
	}
}

func TestLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &store{}
		h := live.New(live.Options{Sources: []live.Source{s}, Now: time.Now})
		var mine []*live.Listener
		for range live.MaxOfOne {
			mine = append(mine, listen(t, h, 1, 0))
		}
		if _, err := h.Listen(1, 0); !errors.Is(err, live.ErrTooMany) {
			t.Error(err)
		}
		mine[1].Close()
		mine[1] = listen(t, h, 1, 0)
		for i := range 300 {
			s.add(1, fmt.Sprint(i))
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if got, missed := len(received(mine[0])), mine[0].Missed(); got+missed != 300 || missed == 0 || mine[0].Missed() != 0 {
			t.Errorf("%d and %d", got, missed)
		}
		for i := len(mine); i < live.MaxListeners; i++ {
			mine = append(mine, listen(t, h, int64(1000+i), 0))
		}
		if _, err := h.Listen(9, 0); !errors.Is(err, live.ErrTooMany) {
			t.Error(err)
		}
		h.Close()
		<-mine[0].Done()
		if _, err := h.Listen(9, 0); !errors.Is(err, live.ErrClosed) {
			t.Error(err)
		}
		for _, l := range mine {
			l.Close()
		}
	})
}

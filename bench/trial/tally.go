package trial

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"sync"

	"github.com/edgeref/edgeref/bench/load"
	"github.com/edgeref/edgeref/wire/click"
)

// tally counts the answers to links. It is safe for concurrent use.
type tally struct {
	visitors *visitors
	timeline *timeline // nil: none

	mu      sync.Mutex
	tracked int64         // 302 with a Click ID
	bots    int64         // of those, asked for by a bot or with HEAD
	bare    int64         // 302 without a Click ID: the click's record was refused
	badID   int64         // 302 with something else where the Click ID belongs
	other   map[int]int64 // any other status
	prints  []uint64      // one a Click ID: its random part
	recent  []click.ID    // that conversions may refer to, overwritten in turn
	nth     uint64        // Click IDs seen
}

// recentClicks is how many clicks conversions are spread over; maxPrints bounds what is kept to find doubles, 8 bytes each.
const (
	recentClicks = 4096
	maxPrints    = 100_000_000
)

func newTally(v *visitors) *tally { return &tally{visitors: v, other: map[int]int64{}} }

// take counts one answer; n is the request's number.
func (t *tally) take(n uint64, a load.Answer) {
	var id click.ID
	var state int // 0: no 302
	if a.Status == 302 {
		id, state = clickID(a.Head)
	}
	t.note(id, a.Status)
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case a.Status != 302:
		t.other[a.Status]++
	case state == idAbsent:
		t.bare++
	case state == idMalformed:
		t.badID++
	default:
		t.tracked++
		if t.visitors.isBot(n) {
			t.bots++
		}
		if len(t.prints) < maxPrints {
			t.prints = append(t.prints, fingerprint(id))
		}
		if len(t.recent) < recentClicks {
			t.recent = append(t.recent, id)
		} else {
			t.recent[t.nth%recentClicks] = id
		}
		t.nth++
	}
}

// note puts an answer on the timeline. 5xx is no answer: what broke may be a proxy, behind which the click is recorded.
func (t *tally) note(id click.ID, status int) {
	switch {
	case t.timeline == nil:
	case status >= 500:
		t.timeline.unanswered("links", fmt.Sprintf("answered %d", status))
	default:
		t.timeline.now(func(m *Moment) { m.Answered++ })
		if !id.IsZero() {
			t.timeline.at(id.UnixMilli()/1000, func(m *Moment) { m.Clicks++ })
		}
	}
}

// broken counts answers of 5xx.
func (t *tally) broken() (n int64) {
	for status, count := range t.other {
		if status >= 500 {
			n += count
		}
	}
	return n
}

// Where a Click ID may be found to be.
const (
	idPresent = iota + 1
	idAbsent
	idMalformed
)

// clickID reads the Click ID out of the Location of an answer.
func clickID(head []byte) (click.ID, int) {
	const name = "\r\nlocation:"
	for rest := head; ; {
		line := bytes.IndexByte(rest, '\r')
		if line < 0 || len(rest)-line < len(name) {
			return click.ID{}, idAbsent
		}
		rest = rest[line:]
		if !bytes.EqualFold(rest[:len(name)], []byte(name)) {
			rest = rest[1:]
			continue
		}
		location, _, _ := bytes.Cut(rest[len(name):], []byte("\r\n"))
		_, value, ok := bytes.Cut(location, []byte("click_id="))
		if !ok {
			return click.ID{}, idAbsent
		}
		value, _, _ = bytes.Cut(value, []byte("&"))
		id, err := click.ParseID(value)
		if err != nil {
			return click.ID{}, idMalformed
		}
		return id, idPresent
	}
}

// fingerprint is the random part of a Click ID: 64 bits, enough to tell the clicks of one run apart.
func fingerprint(id click.ID) uint64 { return binary.BigEndian.Uint64(id[9:17]) }

// pick returns one of the recent Click IDs; ok is false while there is none.
func (t *tally) pick(d uint64) (id click.ID, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.recent) == 0 {
		return click.ID{}, false
	}
	return t.recent[d%uint64(len(t.recent))], true
}

// doubles counts Click IDs that were handed out more than once. It sorts the prints.
func (t *tally) doubles() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	slices.Sort(t.prints)
	n := int64(0)
	for i := 1; i < len(t.prints); i++ {
		if t.prints[i] == t.prints[i-1] {
			n++
		}
	}
	return n
}

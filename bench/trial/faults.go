package trial

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/edgeref/edgeref/bench/page"
	"github.com/edgeref/edgeref/bench/system"
)

// Faults is what a run through faults met.
type Faults struct {
	Unanswered int64            `json:"unanswered"` // requests: no connection, no answer, or 5xx
	Causes     map[string]int64 `json:"causes"`     // of those, by what was asked for and what happened
	Resent     int64            `json:"resent"`     // postbacks that were sent again
	Late       int64            `json:"late"`       // of those, acknowledged in the end
	Open       int64            `json:"open"`       // postbacks that never were: they may be booked or not
	Outages    []Outage         `json:"outages"`
	Seconds    []Moment         `json:"seconds"`
}

// Outage is a time in which something had no answer in every second, or every other one.
type Outage struct {
	From       int64            `json:"from"`    // seconds since the load began
	Seconds    int64            `json:"seconds"` // that it lasted, begun ones included
	Silent     int64            `json:"silent"`  // of those, seconds in which no link was answered at all
	Unanswered int64            `json:"unanswered"`
	Causes     map[string]int64 `json:"causes"`
}

// Moment is one second of a run through faults, by the clock. A click belongs to the second that its Click ID names, a
// conversion to the one in which it was acknowledged. What is stored is only known with Options.EachClick.
type Moment struct {
	Unix       int64            `json:"unix"`
	Answered   int64            `json:"answered"` // links, with whatever but 5xx
	Unanswered map[string]int64 `json:"unanswered,omitempty"`

	Clicks        int64 `json:"clicks"`        // Click IDs handed out
	ClicksStored  int64 `json:"clicks_stored"` // in the list of clicks, also those that nobody was told of
	ClicksLost    int64 `json:"clicks_lost"`
	ClicksDoubled int64 `json:"clicks_doubled"`

	Conversions        int64 `json:"conversions"` // acknowledged for the first time
	ConversionsBooked  int64 `json:"conversions_booked"`
	ConversionsLost    int64 `json:"conversions_lost"`
	ConversionsDoubled int64 `json:"conversions_doubled"`
}

// timeline counts a run through faults second by second. It is safe for concurrent use; nil counts nothing.
type timeline struct {
	mu      sync.Mutex
	seconds map[int64]*Moment
}

func newTimeline() *timeline { return &timeline{seconds: map[int64]*Moment{}} }

// at changes one second.
func (t *timeline) at(unix int64, change func(*Moment)) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	m := t.seconds[unix]
	if m == nil {
		m = &Moment{Unix: unix}
		t.seconds[unix] = m
	}
	change(m)
}

// all changes every second.
func (t *timeline) all(change func(*Moment)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, m := range t.seconds {
		change(m)
	}
}

// now is at this second.
func (t *timeline) now(change func(*Moment)) { t.at(time.Now().Unix(), change) }

// unanswered counts a request to kind without an answer.
func (t *timeline) unanswered(kind, why string) {
	t.now(func(m *Moment) {
		if m.Unanswered == nil {
			m.Unanswered = map[string]int64{}
		}
		m.Unanswered[kind+": "+why]++
	})
}

// faults adds up what the timeline has of a load that began and ended then.
func (t *timeline) faults(began, ended time.Time) *Faults {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := &Faults{Causes: map[string]int64{}, Outages: []Outage{}}
	last := int64(0) // second with something unanswered
	for _, unix := range slices.Sorted(maps.Keys(t.seconds)) {
		m := t.seconds[unix]
		f.Seconds = append(f.Seconds, *m)
		if len(m.Unanswered) == 0 {
			continue
		}
		if len(f.Outages) == 0 || unix > last+2 {
			f.Outages = append(f.Outages, Outage{From: unix - began.Unix(), Causes: map[string]int64{}})
		}
		last = unix
		o := &f.Outages[len(f.Outages)-1]
		o.Seconds = unix - began.Unix() - o.From + 1
		for cause, n := range m.Unanswered {
			o.Unanswered += n
			o.Causes[cause] += n
			f.Unanswered += n
			f.Causes[cause] += n
		}
	}
	for i := range f.Outages {
		o := &f.Outages[i]
		for unix := began.Unix() + o.From; unix < began.Unix()+o.From+o.Seconds && unix < ended.Unix(); unix++ {
			if m := t.seconds[unix]; m == nil || m.Answered == 0 {
				o.Silent++
			}
		}
	}
	return f
}

// addFaults puts what a run through faults met into its result.
func (r *rig) addFaults(result *Result, e *evidence) {
	if r.timeline == nil {
		return
	}
	e.account(r.timeline)
	f := r.timeline.faults(r.began, r.began.Add(e.links.Elapsed))
	if n := int64(e.links.Unsent); n > 0 && !result.Interrupted {
		f.Unanswered += n
		f.Causes["links: not sent, no connection was free in time"] += n
	}
	if e.postbacks != nil {
		if n := int64(e.postbacks.Unsent); n > 0 && !result.Interrupted {
			f.Unanswered += n
			f.Causes["postbacks: not sent, no connection was free in time"] += n
		}
		f.Resent, f.Late, f.Open = e.converter.resent, e.converter.late, int64(len(e.converter.open))
	}
	result.Faults = f
}

// patiently repeats do while the core says that it was asked too often and, in a run through faults, while a server that it
// asks is away: at most until the deadline, and once at least.
func (r *rig) patiently(ctx context.Context, deadline time.Time, do func() error) error {
	for {
		err := do()
		step := drainStep
		_, later := system.Away(err)
		later = later && r.ThroughFaults
		if p, ok := errors.AsType[*system.Problem](err); ok && p.Status == http.StatusTooManyRequests {
			later, step = true, busyStep
		}
		if !later || time.Now().After(deadline) {
			return err
		}
		if err := pause(ctx, step); err != nil {
			return err
		}
	}
}

func (f *Faults) table() page.Table {
	t := page.Table{
		Title: "Outages", Head: []string{"from second", "seconds", "of those without any answered link", "requests without an answer", "what happened"},
		Note: fmt.Sprintf("%d requests without an answer. Postbacks: %d sent again, %d of them acknowledged, %d never.", f.Unanswered, f.Resent, f.Late, f.Open),
	}
	for _, o := range f.Outages {
		var causes []string
		for _, cause := range slices.Sorted(maps.Keys(o.Causes)) {
			causes = append(causes, fmt.Sprintf("%d %s", o.Causes[cause], cause))
		}
		t.Rows = append(t.Rows, []string{fmt.Sprint(o.From), fmt.Sprint(o.Seconds), fmt.Sprint(o.Silent), fmt.Sprint(o.Unanswered), strings.Join(causes, "; ")})
	}
	return t
}

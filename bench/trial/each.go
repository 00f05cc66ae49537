package trial

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/edgeref/edgeref/bench/system"
	"github.com/edgeref/edgeref/wire/click"
)

// listed is a click in the list of clicks.
type listed struct {
	print uint64
	unix  int64 // seconds, of its Click ID
}

// found are the conversions in the list of conversions.
type found struct {
	booked   map[uint64]int // how often each event is there as booked, by event.n
	unbooked int64          // of ours, in another state
	foreign  int64          // that this run has never sent
}

// eachListed calls f with every listed click: whether it has been there before, and whether somebody was told of it. It
// returns how many of those that were handed out are not there.
func (e *evidence) eachListed(f func(l listed, again, told bool)) (missing int64) {
	e.tally.doubles() // sorts the prints
	slices.SortFunc(e.listed, func(a, b listed) int {
		switch {
		case a.print < b.print:
			return -1
		case a.print > b.print:
			return 1
		}
		return 0
	})
	sent, i, told := e.tally.prints, 0, false
	for n, l := range e.listed {
		again := n > 0 && e.listed[n-1].print == l.print
		if !again {
			for i < len(sent) && sent[i] < l.print {
				missing++
				i++
			}
			if told = i < len(sent) && sent[i] == l.print; told {
				i++
			}
		}
		f(l, again, told)
	}
	return missing + int64(len(sent)-i)
}

// eachClick compares the clicks handed out with those listed, one by one.
func (e *evidence) eachClick(unsure int64) []Check {
	extra, twice := int64(0), int64(0)
	missing := e.eachListed(func(_ listed, again, told bool) {
		switch {
		case again:
			twice++
		case !told:
			extra++
		}
	})
	return []Check{
		equal("Click IDs without a click in the list", 0, missing),
		equal("clicks that are listed twice", 0, twice),
		within("clicks in the list that nobody was told of", 0, extra, unsure),
	}
}

// eachConversion compares the conversions acknowledged with those listed, one by one.
func (e *evidence) eachConversion() []Check {
	missing, twice, extra := int64(0), int64(0), e.found.foreign
	acked := make(map[uint64]bool, len(e.converter.acks))
	for _, a := range e.converter.acks {
		acked[a.n] = true
		if e.found.booked[a.n] == 0 {
			missing++
		}
	}
	for n, times := range e.found.booked {
		twice += int64(times - 1)
		if o := e.converter.open[n]; !acked[n] && (o == nil || !o.maybe) {
			extra++
		}
	}
	return []Check{
		equal("conversions acknowledged that are not booked in the list", 0, missing),
		equal("conversions that are listed twice", 0, twice),
		equal("conversions in the list that were never sent", 0, extra),
		equal("conversions in the list that are not booked", 0, e.found.unbooked),
	}
}

// account tells the timeline what was found of each second's clicks and conversions.
func (e *evidence) account(t *timeline) {
	if e.listed != nil {
		e.eachListed(func(l listed, again, told bool) {
			t.at(l.unix, func(m *Moment) {
				switch {
				case again:
					m.ClicksDoubled++
				case told:
					m.ClicksStored++
					m.ClicksLost-- // of all that were handed out
				default:
					m.ClicksStored++
				}
			})
		})
		t.all(func(m *Moment) { m.ClicksLost += m.Clicks })
	}
	if e.found == nil {
		return
	}
	for _, a := range e.converter.acks {
		t.at(a.unix, func(m *Moment) {
			times := int64(e.found.booked[a.n])
			m.ConversionsBooked += min(times, 1)
			m.ConversionsLost += 1 - min(times, 1)
			m.ConversionsDoubled += max(times-1, 0)
		})
	}
}

// list asks for every single click and conversion, or for nothing that would be compared.
func (r *rig) list(ctx context.Context, e *evidence) (err error) {
	defer func() {
		if err != nil {
			e.listed, e.found = nil, nil
		}
	}()
	deadline := time.Now().Add(r.Settle)
	if err := r.patiently(ctx, deadline, func() error { return r.listClicks(ctx, e) }); err != nil {
		return err
	}
	if e.postbacks == nil {
		return nil
	}
	return r.patiently(ctx, deadline, func() error { return r.listConversions(ctx, e) })
}

func (r *rig) listClicks(ctx context.Context, e *evidence) error {
	params := r.span()
	params.Set("limit", "1000")
	e.listed = []listed{}
	return system.List(ctx, r.api, "/reports/clicks", params, func(item struct {
		ID string `json:"id"`
	}) error {
		id, err := click.ParseID(item.ID)
		if err != nil {
			return errors.Join(errors.New("list of clicks"), err)
		}
		e.listed = append(e.listed, listed{fingerprint(id), id.UnixMilli() / 1000})
		return nil
	})
}

func (r *rig) listConversions(ctx context.Context, e *evidence) error {
	params := map[string][]string{"program_id": {r.world.program.id}, "limit": {"200"}}
	e.found = &found{booked: map[uint64]int{}}
	return system.List(ctx, r.api, "/conversions", params, func(item struct {
		TxnID string `json:"txn_id"`
		State string `json:"state"`
	}) error {
		e.found.add(r.world.run, item.TxnID, item.State)
		return nil
	})
}

// add counts a conversion in the list, of a transaction of the run.
func (f *found) add(run, txn, state string) {
	number, ours := strings.CutPrefix(txn, run+"-")
	n, err := strconv.ParseUint(number, 10, 64)
	switch {
	case !ours || err != nil:
		f.foreign++
	case state != "booked":
		f.unbooked++
	default:
		f.booked[n]++
	}
}

package trial

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/edgeref/edgeref/bench/load"
	"github.com/edgeref/edgeref/bench/meter"
)

// postbackConnections is how many connections a merchant's servers keep.
const postbackConnections = 16

// plan is the load of one run.
type plan struct {
	links     shape
	postbacks *shape  // nil: none
	reports   float64 // queries a second
}

// driven is what came of a plan.
type driven struct {
	links     load.Result
	postbacks *load.Result
	converter *converter
	reader    *reader
}

// drive puts the load of a plan on the system, and shows progress unless what is "". It returns what was measured also when ctx ends early.
func (r *rig) drive(ctx context.Context, what string, p plan) (*driven, error) {
	d := &driven{converter: newConverter(r.visitors.host, r.world, r.tally), reader: newReader(r.api, r.world, p.reports)}
	d.converter.patient, d.converter.each, d.converter.timeline, d.reader.timeline = r.ThroughFaults, r.EachClick, r.timeline, r.timeline
	out := r.Out
	if what == "" {
		out = io.Discard
	}
	progress := meter.New(out, what+", seconds", int(p.links.duration.Round(time.Second)/time.Second))
	loaded, stopReader := context.WithCancel(ctx)
	defer stopReader()
	group, ctx := errgroup.WithContext(ctx)
	sent := make(chan struct{}) // closed once every postback was sent once
	group.Go(func() (err error) {
		defer stopReader()
		d.links, err = load.RunAll(ctx, r.Generators, func(i int) load.Options { return r.generator(i, &p.links, progress) })
		return err
	})
	if p.postbacks != nil {
		group.Go(func() error {
			defer close(sent)
			result, err := load.Run(ctx, load.Options{
				Addr: r.addr, Connections: postbackConnections, Duration: p.postbacks.duration, Rate: p.postbacks.rate,
				Request: d.converter.request, OnAnswer: d.converter.take, OnFail: d.converter.failed,
			})
			d.postbacks = &result
			return err
		})
	}
	if p.postbacks != nil && r.ThroughFaults {
		group.Go(func() error { return d.converter.resend(ctx, sent, r.addr.String(), r.Settle) })
	}
	group.Go(func() error {
		d.reader.run(loaded)
		return nil
	})
	if err := group.Wait(); err != nil {
		return d, fmt.Errorf("generate load: %w", err)
	}
	return d, nil
}

// generator is one of several that share a shape: the kth request of generator i is request k*Generators+i.
func (r *rig) generator(i int, s *shape, progress *meter.Meter) load.Options {
	n := uint64(r.Generators)
	share := s.scaled(1 / float64(n))
	number := func(k uint64) uint64 { return k*n + uint64(i) }
	o := load.Options{
		Addr: r.addr, Connections: r.Connections / r.Generators, Duration: s.duration, Rate: share.rate, Sleep: r.Sleep,
		Request:  func(dst []byte, k uint64) []byte { return r.visitors.request(dst, number(k)) },
		OnAnswer: func(a load.Answer) { r.tally.take(number(a.N), a) },
		OnFail:   func(f load.Failure) { r.timeline.unanswered("links", f.Why) },
		OnSecond: func(load.Result) { progress.Add(1) },
	}
	if i < r.Connections%r.Generators {
		o.Connections++
	}
	if s.requests > 0 {
		o.Requests = s.requests / n
		if uint64(i) < s.requests%n {
			o.Requests++
		}
	}
	return o
}

// errors counts what a visitor, a merchant or a reader would have seen fail, and says what it was. Through faults, what
// had no answer or 5xx is left out, for it was to be expected.
func (d *driven) errors(t *tally, interrupted, faults bool) (n int64, notes []string) {
	add := func(count int64, what string) {
		if count > 0 {
			n += count
			notes = append(notes, fmt.Sprintf("%d %s", count, what))
		}
	}
	failures := func(kind string, by map[string]uint64) {
		for _, why := range slices.Sorted(maps.Keys(by)) {
			if faults {
				continue
			}
			add(int64(by[why]), kind+" without an answer ("+why+")")
		}
	}
	failures("links", d.links.Failures)
	add(t.bare, "clicks that were not recorded")
	add(t.badID, "damaged Click IDs")
	for _, status := range slices.Sorted(maps.Keys(t.other)) {
		if faults && status >= 500 {
			continue
		}
		add(t.other[status], fmt.Sprintf("links answered %d", status))
	}
	if !interrupted && !faults {
		add(int64(d.links.Unsent), "links that were due and found no free connection in time")
	}
	if d.postbacks != nil {
		failures("postbacks", d.postbacks.Failures)
		for _, status := range slices.Sorted(maps.Keys(d.converter.refused)) {
			add(d.converter.refused[status], fmt.Sprintf("postbacks answered %d", status))
		}
		if !interrupted && !faults {
			add(int64(d.postbacks.Unsent), "postbacks that were due and found no free connection in time")
		}
	}
	add(d.reader.failed, "reports that failed: "+d.reader.why)
	return n, notes
}

package trial

import (
	"context"
	"math"
	"sync"
	"time"

	"github.com/edgeref/edgeref/bench/system"
)

// Usage is what one server process used, second by second.
type Usage struct {
	Ops        string   `json:"ops"`
	CPUSeconds float64  `json:"cpu_seconds"` // during the load
	CPUMean    float64  `json:"cpu_mean"`    // cores, during the load
	PeakBytes  float64  `json:"peak_bytes"`  // resident
	Gaps       int      `json:"gaps"`        // looks that were not answered
	Samples    []Sample `json:"samples"`
}

// Sample is one look at a server process.
type Sample struct {
	At      float64 `json:"at"`      // seconds since the load began
	CPU     float64 `json:"cpu"`     // cores, since the sample before
	Bytes   float64 `json:"bytes"`   // resident
	Pending float64 `json:"pending"` // records in spools
	Outbox  float64 `json:"outbox"`  // records in the outbox
	total   float64 // CPU seconds of the process
}

const observeEvery = time.Second

// observer looks at the server processes once a second until it is stopped.
type observer struct {
	api    *system.Client
	start  time.Time
	cancel context.CancelFunc
	done   sync.WaitGroup
	usage  []Usage
}

func observe(api *system.Client, ops []string) *observer {
	ctx, cancel := context.WithCancel(context.Background())
	o := &observer{api: api, start: time.Now(), cancel: cancel, usage: make([]Usage, len(ops))}
	for i := range ops {
		o.usage[i].Ops = ops[i]
		o.done.Go(func() { o.watch(ctx, &o.usage[i]) })
	}
	return o
}

func (o *observer) watch(ctx context.Context, u *Usage) {
	tick := time.NewTicker(observeEvery)
	defer tick.Stop()
	for {
		if s, err := o.api.Scrape(ctx, u.Ops); err == nil {
			u.add(sampleOf(s, time.Since(o.start)))
		} else if ctx.Err() == nil {
			u.Gaps++
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func sampleOf(s system.Samples, at time.Duration) Sample {
	sum := func(name string) float64 {
		v, _ := s.Sum(name, "")
		return v
	}
	return Sample{
		At: at.Seconds(), Bytes: sum("process_resident_memory_bytes"), total: sum("process_cpu_seconds_total"),
		Pending: sum("edgeref_spool_pending_records"), Outbox: sum("edgeref_outbox_pending_records"),
	}
}

func (u *Usage) add(s Sample) {
	var before Sample
	if n := len(u.Samples); n > 0 {
		before = u.Samples[n-1]
	}
	// A core that cannot ask its database does not know what is pending: as much as before, as far as anybody knows.
	if math.IsNaN(s.Pending) {
		s.Pending = before.Pending
	}
	if math.IsNaN(s.Outbox) {
		s.Outbox = before.Outbox
	}
	if len(u.Samples) > 0 {
		// A process that was started anew counts from 0 again.
		used := s.total - before.total
		if used < 0 {
			used = s.total
		}
		s.CPU = used / max(s.At-before.At, 1e-3)
		u.CPUSeconds += used
	}
	u.PeakBytes = max(u.PeakBytes, s.Bytes)
	u.Samples = append(u.Samples, s)
}

// stop ends the observation and returns what was seen.
func (o *observer) stop() []Usage {
	o.cancel()
	o.done.Wait()
	for i := range o.usage {
		u := &o.usage[i]
		if n := len(u.Samples); n > 1 {
			u.CPUMean = u.CPUSeconds / max(u.Samples[n-1].At-u.Samples[0].At, 1e-3)
		}
	}
	return o.usage
}

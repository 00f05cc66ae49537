package deliver

import (
	"context"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/edgeref/edgeref/tracker/spool"
	"github.com/edgeref/edgeref/wire/conversion"
)

// ConversionSink books conversions. Book answers every event with its final outcome, in the order of the events, and
// gives an event that comes again the same place; an error says that nothing is known about any of them, unless it is
// permanent: then they can never be booked together, and come again in smaller numbers. It is called
// by one goroutine of each Deliverer.
type ConversionSink interface {
	Book(ctx context.Context, events []conversion.Event) ([]conversion.Result, error)
}

// NewConversions returns a Deliverer of conversions. It counts them by outcome; all outcomes are final.
func NewConversions(src source, sink ConversionSink, opt Options) (*Deliverer, error) {
	// One request to the core takes 1,000 events and 1 MiB; the rest is for what the transport adds.
	if err := opt.setDefaults(1_000, 768<<10); err != nil {
		return nil, err
	}
	d, err := newDeliverer(src, "conversions", opt)
	if err != nil {
		return nil, err
	}
	outcomes := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "edgeref_delivery_conversions_total", Help: "Conversions that the core has answered, by outcome.",
	}, []string{"outcome"})
	for _, o := range []conversion.Outcome{conversion.Booked, conversion.Duplicate, conversion.Conflict, conversion.Refused, "other"} {
		outcomes.WithLabelValues(string(o))
	}
	if err := register(opt.Registerer, outcomes); err != nil {
		return nil, err
	}
	d.prepare = func(b *spool.Batch) (job, error) {
		var events []conversion.Event
		var index []int
		for i, payload := range b.Payloads {
			e, err := conversion.Parse([]byte(payload))
			if err != nil {
				if err := src.Quarantine(b, i, err.Error()); err != nil {
					return job{}, fmt.Errorf("conversion %d of batch %s: %w", i, b.ID, err)
				}
				continue
			}
			events, index = append(events, e), append(index, i)
		}
		return job{index, func(ctx context.Context, _ string, lo, hi int) error {
			results, err := sink.Book(ctx, events[lo:hi])
			if err != nil {
				return err
			}
			if len(results) != hi-lo {
				return fmt.Errorf("the core answered %d of %d conversions", len(results), hi-lo)
			}
			for _, r := range results {
				outcomes.WithLabelValues(label(r.Outcome)).Inc()
			}
			return nil
		}}, nil
	}
	return d, nil
}

// label keeps the set of label values bounded, also for an outcome that only a newer core knows.
func label(o conversion.Outcome) string {
	switch o {
	case conversion.Booked, conversion.Duplicate, conversion.Conflict, conversion.Refused:
		return string(o)
	}
	return "other"
}

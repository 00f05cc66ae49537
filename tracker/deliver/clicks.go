package deliver

import (
	"context"
	"fmt"

	"github.com/edgeref/edgeref/tracker/spool"
	"github.com/edgeref/edgeref/wire/click"
)

// ClickSink keeps clicks. AppendClicks stores a batch exactly once however often it is called with one batchID; a
// later call may lack clicks that have been lost since. An error says that nothing is known. The sink keeps neither the
// slice nor the strings in it after it returns, and is called by one goroutine of each Deliverer.
type ClickSink interface {
	AppendClicks(ctx context.Context, batchID string, clicks []click.Record) error
}

// NewClicks returns a Deliverer of clicks. enrich completes each record before it leaves, and takes out what must not
// leave; the same input must give the same output.
func NewClicks(src source, sink ClickSink, enrich func(*click.Record), opt Options) (*Deliverer, error) {
	if err := opt.setDefaults(10_000, 8<<20); err != nil {
		return nil, err
	}
	d, err := newDeliverer(src, "clicks", opt)
	if err != nil {
		return nil, err
	}
	var records []click.Record
	d.prepare = func(b *spool.Batch) (job, error) {
		clear(records) // lets go of the batch before
		records = records[:0]
		for i, payload := range b.Payloads {
			r, err := click.Parse(payload)
			if err != nil {
				if err := src.Quarantine(b, i, err.Error()); err != nil {
					return job{}, fmt.Errorf("click %d of batch %s: %w", i, b.ID, err)
				}
				continue
			}
			enrich(&r)
			records = append(records, r)
		}
		return job{len(records), func(ctx context.Context) error {
			return sink.AppendClicks(ctx, b.ID, records)
		}}, nil
	}
	return d, nil
}

package deliver

import (
	"context"
	"fmt"

	"github.com/edgeref/edgeref/tracker/spool"
	"github.com/edgeref/edgeref/wire/click"
)

// ClickSink keeps clicks. AppendClicks stores a batch exactly once however often it is called with one batchID; a
// later call may lack clicks that have been lost since. An error says that nothing is known, unless it is permanent: then
// the batch can never be stored, for what is in it, and its clicks come again in smaller batches. The sink keeps neither the
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
	var index []int
	d.prepare = func(b *spool.Batch) (job, error) {
		clear(records) // lets go of the batch before
		records, index = records[:0], index[:0]
		for i, payload := range b.Payloads {
			r, err := click.Parse(payload)
			if err != nil {
				if err := src.Quarantine(b, i, err.Error()); err != nil {
					return job{}, fmt.Errorf("click %d of batch %s: %w", i, b.ID, err)
				}
				continue
			}
			enrich(&r)
			records, index = append(records, r), append(index, i)
		}
		return job{index, func(ctx context.Context, id string, lo, hi int) error {
			return sink.AppendClicks(ctx, id, records[lo:hi])
		}}, nil
	}
	return d, nil
}

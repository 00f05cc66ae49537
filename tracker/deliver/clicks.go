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

// clickPreparer is a ClickSink that can do a part of AppendClicks beforehand, while another batch is being appended. add
// takes the clicks of a batch, some at a time, and keeps nothing of them; send is AppendClicks for all of them and may be
// called any number of times until release, which must be called once. Neither add nor release waits for anything.
type clickPreparer interface {
	PrepareClicks() (add func(clicks []click.Record), send func(ctx context.Context, batchID string) error, release func())
}

// NewClicks returns a Deliverer of clicks. enrich completes each record before it leaves, and takes out what must not
// leave; the same input must give the same output. It is called for a batch while another one is with the sink.
func NewClicks(src source, sink ClickSink, enrich func(*click.Record), opt Options) (*Deliverer, error) {
	if err := opt.setDefaults(10_000, 8<<20); err != nil {
		return nil, err
	}
	d, err := newDeliverer(src, "clicks", opt)
	if err != nil {
		return nil, err
	}
	preparer, _ := sink.(clickPreparer)
	now, ready := &clickBatch{enrich: enrich, preparer: preparer}, &clickBatch{enrich: enrich, preparer: preparer}
	d.getReady = func(b *spool.Batch) { ready.decode(b) }
	d.prepare = func(b *spool.Batch) (job, error) {
		if ready.batch == b {
			now, ready = ready, now
		}
		ready.drop()
		if now.batch != b {
			now.decode(b)
		}
		for _, bad := range now.bad {
			if err := src.Quarantine(b, bad.index, bad.reason); err != nil {
				return job{}, fmt.Errorf("click %d of batch %s: %w", bad.index, b.ID, err)
			}
		}
		whole := now
		return job{whole.index, func(ctx context.Context, id string, lo, hi int) error {
			if whole.send != nil && hi-lo == len(whole.index) {
				return whole.send(ctx, id)
			}
			return sink.AppendClicks(ctx, id, whole.all()[lo:hi])
		}}, nil
	}
	d.letGo = func() { now.drop(); ready.drop() }
	return d, nil
}

// chunk is how many clicks are decoded at a time for a sink that prepares: as many as stay in the processor's cache.
const chunk = 128

// clickBatch is a batch, decoded.
type clickBatch struct {
	enrich   func(*click.Record)
	preparer clickPreparer // or nil

	batch   *spool.Batch   // nil: none
	index   []int          // of the payload of each click
	records []click.Record // of all of them, or, if they are prepared, nothing that lasts
	bad     []badPayload
	send    func(ctx context.Context, batchID string) error // nil: nothing is prepared
	release func()
}

// badPayload is one that is not a record.
type badPayload struct {
	index  int
	reason string
}

func (c *clickBatch) decode(b *spool.Batch) {
	c.drop()
	c.batch = b
	var add func([]click.Record)
	if c.preparer != nil {
		add, c.send, c.release = c.preparer.PrepareClicks()
	}
	for i, payload := range b.Payloads {
		r, err := click.Parse(payload)
		if err != nil {
			c.bad = append(c.bad, badPayload{i, err.Error()})
			continue
		}
		c.enrich(&r)
		c.records, c.index = append(c.records, r), append(c.index, i)
		if add != nil && len(c.records) == chunk {
			add(c.records)
			c.records = c.records[:0]
		}
	}
	if add != nil {
		add(c.records)
		clear(c.records[:cap(c.records)])
		c.records = c.records[:0]
	}
}

// all returns the clicks one by one.
func (c *clickBatch) all() []click.Record {
	for i := len(c.records); i < len(c.index); i++ {
		r, _ := click.Parse(c.batch.Payloads[c.index[i]]) // it has been read before
		c.enrich(&r)
		c.records = append(c.records, r)
	}
	return c.records
}

// drop lets go of the batch; its memory is used again.
func (c *clickBatch) drop() {
	if c.release != nil {
		c.release()
	}
	clear(c.records)
	c.batch, c.send, c.release = nil, nil, nil
	c.records, c.index, c.bad = c.records[:0], c.index[:0], nil
}

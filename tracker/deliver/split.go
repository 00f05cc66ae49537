package deliver

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"strconv"
	"strings"

	"github.com/edgeref/edgeref/tracker/spool"
)

// permanent is what an error of a sink implements to say that it is about the content. Permanent returns true only if
// the same records under the same batch ID will always be refused, which includes that none of them has ever been stored
// under that ID. Anything else (no answer, no space, a wrong password) is not permanent and is tried again for ever.
type permanent interface{ Permanent() bool }

func isPermanent(err error) bool {
	var p permanent
	return errors.As(err, &p) && p.Permanent()
}

// span is the part of a batch from one place up to, not including, another.
type span struct{ from, to uint64 }

// id is the batch ID of the span: that of the batch for the whole of it, else one that is derived from it. Places do
// not move when records are lost, so that a span has the same ID after every restart.
func (s span) id(b *spool.Batch) string {
	if s.from == 0 && s.to == b.Span() {
		return b.ID
	}
	return fmt.Sprintf("%s.%x-%x", b.ID, s.from, s.to)
}

// plan is what has been noted on a batch.
type plan struct {
	done    map[span]bool
	refused map[span]string // with the reason
}

const (
	noteDone    = "done"
	noteRefused = "refused"
	maxReason   = 512 // bytes of a reason that are kept
)

func readPlan(b *spool.Batch) plan {
	p := plan{done: map[span]bool{}, refused: map[span]string{}}
	for _, note := range b.Notes {
		fields := strings.SplitN(note, " ", 4)
		if len(fields) != 4 {
			continue
		}
		from, err1 := strconv.ParseUint(fields[1], 16, 64)
		to, err2 := strconv.ParseUint(fields[2], 16, 64)
		if err1 != nil || err2 != nil {
			continue
		}
		switch fields[0] {
		case noteDone:
			p.done[span{from, to}] = true
		case noteRefused:
			p.refused[span{from, to}] = fields[3]
		}
	}
	return p
}

func noteText(kind string, s span, reason string) string {
	return fmt.Sprintf("%s %x %x %s", kind, s.from, s.to, reason)
}

// oneLine makes a reason of an error.
func oneLine(err error) string {
	text := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, err.Error())
	if len(text) > maxReason {
		text = strings.ToValidUTF8(text[:maxReason], "")
	}
	return text
}

// deliver sends the batch whole and, once the sink has refused it for its content, by halves, down to the records that
// it refuses alone, which go to quarantine. That a span has been refused is noted durably before anything is sent of its
// halves, and a span that has been refused is never sent again: whatever the sink would say to it later, a record cannot
// be stored under two IDs.
func (d *Deliverer) deliver(wait, work context.Context, b *spool.Batch, j job) (delivered int, err error) {
	p := readPlan(b)
	todo := []span{{0, b.Span()}}
	for len(todo) > 0 {
		s := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		lo, hi := j.within(b, s)
		if lo == hi {
			continue
		}
		if p.done[s] {
			delivered += hi - lo
			continue
		}
		reason, refused := p.refused[s]
		if !refused {
			err := d.persist(wait, work, send, func(ctx context.Context) error { return d.attempt(ctx, j, s.id(b), lo, hi) })
			if err == nil {
				delivered += hi - lo
				if s.to-s.from < b.Span() {
					err = d.note(wait, work, b, noteText(noteDone, s, "-"))
				}
				if err != nil {
					return delivered, err
				}
				continue
			}
			if !isPermanent(err) {
				return delivered, err
			}
			reason = oneLine(err)
			if err := d.note(wait, work, b, noteText(noteRefused, s, reason)); err != nil {
				return delivered, err
			}
			d.refused(b, s, reason)
		}
		if s.to-s.from > 1 {
			middle := s.from + (s.to-s.from)/2
			todo = append(todo, span{middle, s.to}, span{s.from, middle})
			continue
		}
		if err := d.persist(wait, work, setAside, func(context.Context) error { return d.source.Quarantine(b, j.index[lo], reason) }); err != nil {
			return delivered, err
		}
		d.metrics.refused.Inc()
	}
	return delivered, nil
}

// refused logs the first refusal of a batch; the spool logs each record that it comes down to.
func (d *Deliverer) refused(b *spool.Batch, s span, reason string) {
	if s.from == 0 && s.to == b.Span() {
		d.metrics.batches.WithLabelValues("split").Inc()
		d.log.Warn("the sink refuses a batch for its content: delivering it in parts", "batch", b.ID, "reason", reason)
	}
}

func (d *Deliverer) note(wait, work context.Context, b *spool.Batch, text string) error {
	return d.persist(wait, work, setAside, func(context.Context) error { return d.source.Note(b, text) })
}

// within returns the range of the job's records that lie in a span.
func (j *job) within(b *spool.Batch, s span) (lo, hi int) {
	at := func(place uint64) int {
		return sort.Search(len(j.index), func(i int) bool { return b.Place(j.index[i]) >= place })
	}
	return at(s.from), at(s.to)
}

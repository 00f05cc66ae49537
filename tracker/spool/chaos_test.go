package spool

import (
	"os"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// clock is one that only the test moves.
type clock struct{ ns atomic.Int64 }

func (c *clock) read() time.Time         { return time.Unix(0, c.ns.Load()) }
func (c *clock) advance(d time.Duration) { c.ns.Add(int64(d)) }

// chaos is a spool on a disk that fails now and then, and the queue that it must equal.
type chaos struct {
	s   *Spool
	opt Options
	d   *disk
	now *clock
	m   model
}

// On a disk that fails now and then, in any order with crashes and restarts: every acknowledged record comes out once,
// in order, and no refused one does.
func TestEqualsAQueueOnAFailingDisk(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "spool")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		c := &chaos{opt: options(dir), d: newDisk(), now: new(clock), m: model{done: make(map[string]bool)}}
		c.opt.OpenFile, c.opt.MaxWait, c.opt.Clock = c.d.open, 1000*time.Hour, c.now.read
		c.opt.Sync = rapid.SampledFrom([]SyncPolicy{Interval, Always}).Draw(t, "policy")
		c.opt.SyncInterval = time.Millisecond
		if c.s, err = Open(c.opt); err != nil {
			t.Fatal(err)
		}
		defer func() { c.s.Close() }()
		t.Repeat(map[string]func(*rapid.T){
			"append":  c.append,
			"deliver": c.deliver,
			"fail":    c.fail,
			"mend":    func(*rapid.T) { c.mend() },
			"crash":   c.crash,
			"reopen":  func(t *rapid.T) { c.end(t, func(s *Spool) { s.Close() }) },
			"":        c.check,
		})
	})
}

func (c *chaos) append(t *rapid.T) {
	c.now.advance(rapid.SampledFrom([]time.Duration{0, maxBackoff}).Draw(t, "later"))
	for _, p := range rapid.SliceOfN(rapid.StringN(0, 30, 120), 1, 8).Draw(t, "payloads") {
		if c.s.Append([]byte(p)) == nil {
			c.m.queue = append(c.m.queue, p)
		}
	}
}

func (c *chaos) deliver(t *rapid.T) {
	m := &c.m
	b, err := c.s.Next(t.Context(), rapid.IntRange(1, 10).Draw(t, "records"), 1<<20, -1)
	if err != nil {
		return
	}
	if len(b.Payloads) > len(m.queue) || !slices.Equal(b.Payloads, m.queue[:len(b.Payloads)]) || m.done[b.ID] {
		t.Fatalf("batch %s %q; want a beginning of %q", b.ID, b.Payloads, m.queue)
	}
	if m.id != "" && b.ID != m.id {
		t.Fatalf("batch %s; want %s", b.ID, m.id)
	}
	m.id = b.ID
	if rapid.Bool().Draw(t, "acknowledge") {
		c.s.Ack(b) // an error says that it is not durable yet; the next one that is makes it so
		m.queue = m.queue[len(b.Payloads):]
		m.done[m.id], m.id = true, ""
	}
}

func (c *chaos) fail(t *rapid.T) {
	failing := func(name string) error { return rapid.SampledFrom([]error{nil, nil, syscall.EIO}).Draw(t, name) }
	f := faults{writeErr: failing("write"), syncErr: failing("sync"), truncErr: failing("cut"), openErr: failing("open")}
	f.writeMax = rapid.IntRange(0, 200).Draw(t, "written")
	c.d.set(func(d *disk) { d.faults = f })
}

func (c *chaos) mend() { c.d.set(func(d *disk) { d.faults = faults{} }) }

func (c *chaos) crash(t *rapid.T) {
	c.mend()
	if r := &c.s.reader; r.dirty && r.acked != nil {
		if err := c.s.Ack(r.acked); err != nil {
			t.Fatal(err)
		}
	}
	c.end(t, crash)
}

// end ends the spool in some way and opens it again.
func (c *chaos) end(t *rapid.T, how func(*Spool)) {
	c.mend()
	// A new segment marks as void what a refused write may have left (see FORMAT.md).
	c.now.advance(maxBackoff)
	if err := c.s.Append([]byte("last")); err != nil {
		t.Fatal(err)
	}
	c.m.queue = append(c.m.queue, "last")
	how(c.s)
	var err error
	if c.s, err = Open(c.opt); err != nil {
		t.Fatal(err)
	}
}

func (c *chaos) check(t *rapid.T) {
	st := c.s.Stats()
	if st.PendingRecords != uint64(len(c.m.queue)) || st.Quarantined != 0 ||
		st.Recovered+st.Appended != st.Delivered+st.PendingRecords {
		t.Fatalf("%+v; want %d pending, none lost", st, len(c.m.queue))
	}
}

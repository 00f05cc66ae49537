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

// On a disk that fails now and then, in any order with crashes and restarts: every acknowledged record comes out once,
// in order, and no refused one does.
func TestEqualsAQueueOnAFailingDisk(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "spool")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		d := newDisk()
		var now clock
		opt := options(dir)
		opt.OpenFile, opt.MaxWait = d.open, 1000*time.Hour
		opt.Clock = now.read
		opt.Sync = rapid.SampledFrom([]SyncPolicy{Interval, Always}).Draw(t, "policy")
		opt.SyncInterval = time.Millisecond
		s, err := Open(opt)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { s.Close() }()
		m := model{done: make(map[string]bool)}
		end := func(t *rapid.T, how func(*Spool)) {
			d.set(func(d *disk) { d.faults = faults{} })
			// A new segment marks as void what a refused write may have left (see FORMAT.md).
			now.advance(maxBackoff)
			if err := s.Append([]byte("last")); err != nil {
				t.Fatal(err)
			}
			m.queue = append(m.queue, "last")
			how(s)
			if s, err = Open(opt); err != nil {
				t.Fatal(err)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"append": func(t *rapid.T) {
				now.advance(rapid.SampledFrom([]time.Duration{0, maxBackoff}).Draw(t, "later"))
				for _, p := range rapid.SliceOfN(rapid.StringN(0, 30, 120), 1, 8).Draw(t, "payloads") {
					if s.Append([]byte(p)) == nil {
						m.queue = append(m.queue, p)
					}
				}
			},
			"deliver": func(t *rapid.T) {
				b, err := s.Next(t.Context(), rapid.IntRange(1, 10).Draw(t, "records"), 1<<20, -1)
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
					s.Ack(b) // an error says that it is not durable yet; the next one that is makes it so
					m.queue = m.queue[len(b.Payloads):]
					m.done[m.id], m.id = true, ""
				}
			},
			"fail": func(t *rapid.T) {
				failing := func(name string) error { return rapid.SampledFrom([]error{nil, nil, syscall.EIO}).Draw(t, name) }
				f := faults{writeErr: failing("write"), syncErr: failing("sync"), truncErr: failing("cut"), openErr: failing("open")}
				f.writeMax = rapid.IntRange(0, 200).Draw(t, "written")
				d.set(func(d *disk) { d.faults = f })
			},
			"mend": func(t *rapid.T) { d.set(func(d *disk) { d.faults = faults{} }) },
			"crash": func(t *rapid.T) {
				d.set(func(d *disk) { d.faults = faults{} })
				if s.reader.dirty && s.reader.acked != nil {
					if err := s.Ack(s.reader.acked); err != nil {
						t.Fatal(err)
					}
				}
				end(t, crash)
			},
			"reopen": func(t *rapid.T) { end(t, func(s *Spool) { s.Close() }) },
			"": func(t *rapid.T) {
				st := s.Stats()
				if st.PendingRecords != uint64(len(m.queue)) || st.Quarantined != 0 ||
					st.Recovered+st.Appended != st.Delivered+st.PendingRecords {
					t.Fatalf("%+v; want %d pending, none lost", st, len(m.queue))
				}
			},
		})
	})
}

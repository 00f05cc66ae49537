package spool

import (
	"encoding/binary"
	"hash/crc32"
	"os"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// resum gives bytes whose last four are their checksum a new one.
func resum(b []byte) {
	binary.BigEndian.PutUint32(b[len(b)-4:], crc32.Checksum(b[:len(b)-4], castagnoli))
}

// model is what a spool must behave like.
type model struct {
	queue   []string // not acknowledged
	id      string   // of the pending batch
	pending []string
	done    map[string]bool // IDs acknowledged
}

// Any sequence of appends, batches, acknowledgements, restarts and crashes equals a queue: nothing lost, nothing doubled
// but an unacknowledged batch, which comes again with the same identity.
func TestEqualsAQueue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "spool")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		opt := options(dir)
		opt.SegmentBytes = rapid.Int64Range(headerSize+recordHeader+128, 1024).Draw(t, "segment")
		s, err := Open(opt)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { s.Close() }()
		m := model{done: make(map[string]bool)}
		reopen := func(t *rapid.T) {
			m.checkSums(t, s)
			if s, err = Open(opt); err != nil {
				t.Fatal(err)
			}
			if st := s.Stats(); st.Recovered != uint64(len(m.queue)) {
				t.Fatalf("recovered %d; want %d", st.Recovered, len(m.queue))
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"append": func(t *rapid.T) {
				for _, p := range rapid.SliceOfN(rapid.StringN(0, 30, 120), 1, 8).Draw(t, "payloads") {
					if err := s.Append([]byte(p)); err != nil {
						t.Fatal(err)
					}
					m.queue = append(m.queue, p)
				}
			},
			"next": func(t *rapid.T) { m.next(t, s, rapid.IntRange(1, 10).Draw(t, "records")) },
			"ack": func(t *rapid.T) {
				if m.id == "" {
					t.Skip("nothing pending")
				}
				m.next(t, s, 1) // after a restart the batch has to be taken again
				m.ack(t, s)
			},
			"reopen": func(t *rapid.T) {
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				reopen(t)
			},
			"crash": func(t *rapid.T) {
				crash(s)
				record := appendUnsealed(nil, rapid.SliceOfN(rapid.Byte(), 1, 40).Draw(t, "unacknowledged"))
				codec{}.seal(record, s.nextSeq)
				if torn := record[:rapid.IntRange(0, len(record)-1).Draw(t, "written")]; s.active != nil {
					tear(t, s.active.path, torn)
				}
				reopen(t)
			},
			"": func(t *rapid.T) { m.checkSums(t, s) },
		})
	})
}

func (m *model) next(t *rapid.T, s *Spool, records int) {
	if len(m.queue) == 0 {
		t.Skip("nothing there")
	}
	b, err := s.Next(t.Context(), records, 1<<20, 0)
	if err != nil {
		t.Fatal(err)
	}
	if m.id == "" {
		if len(b.Payloads) == 0 || len(b.Payloads) > records || m.done[b.ID] {
			t.Fatalf("batch %s of %d; want 1 to %d and a new ID", b.ID, len(b.Payloads), records)
		}
		m.id, m.pending = b.ID, m.queue[:min(len(b.Payloads), len(m.queue))]
	}
	if b.ID != m.id || !slices.Equal(b.Payloads, m.pending) {
		t.Fatalf("batch %s %q; want %s %q", b.ID, b.Payloads, m.id, m.pending)
	}
}

func (m *model) ack(t *rapid.T, s *Spool) {
	if err := s.Ack(s.reader.batch); err != nil {
		t.Fatal(err)
	}
	m.queue = slices.Clone(m.queue[len(m.pending):])
	m.done[m.id], m.id, m.pending = true, "", nil
}

func (m *model) checkSums(t *rapid.T, s *Spool) {
	st := s.Stats()
	if st.PendingRecords != uint64(len(m.queue)) || st.Quarantined != 0 {
		t.Fatalf("%+v; want %d pending, none quarantined", st, len(m.queue))
	}
	if st.Recovered+st.Appended != st.Delivered+st.Quarantined+st.PendingRecords {
		t.Fatalf("sums do not hold: %+v", st)
	}
}

// tear adds the beginning of a record that was never acknowledged to a segment.
func tear(t *rapid.T, path string, torn []byte) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(torn); err != nil {
		t.Fatal(err)
	}
}

package spool

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// waitRefusal appends until the spool refuses with want (nil: takes again); it returns what was taken meanwhile.
func waitRefusal(t *testing.T, s *Spool, want error) (taken []string) {
	t.Helper()
	for i, deadline := 0, time.Now().Add(10*time.Second); ; i++ {
		p := payload(1000 + i)
		err := s.Append([]byte(p))
		if err == nil {
			taken = append(taken, p)
		}
		if errors.Is(err, want) {
			return taken
		}
		if time.Now().After(deadline) {
			t.Fatalf("still %v, want %v", err, want)
		}
	}
}

// A record in a file that no next run finds must not be acknowledged; what was acknowledged before is delivered.
func TestRemovedDirectory(t *testing.T) {
	for name, remove := range map[string]func(t *testing.T, dir string){
		"removed": func(t *testing.T, dir string) { must(t, os.RemoveAll(dir)) },
		"emptied": func(t *testing.T, dir string) {
			entries, err := os.ReadDir(dir)
			must(t, err)
			for _, e := range entries {
				must(t, os.RemoveAll(filepath.Join(dir, e.Name())))
			}
		},
		"replaced": func(t *testing.T, dir string) {
			must(t, os.RemoveAll(dir))
			opt := options(dir)
			other, err := Open(opt)
			must(t, err)
			must(t, other.Close())
		},
	} {
		t.Run(name, func(t *testing.T) {
			opt := options(filepath.Join(t.TempDir(), "spool"))
			opt.SyncInterval, opt.SegmentBytes, opt.MaxBytes = time.Millisecond, 1<<20, 8<<20
			s := mustOpen(t, opt)
			mustAppend(t, s, "first")
			b, err := s.Next(t.Context(), 1, 1<<20, -1)
			must(t, err)
			must(t, s.Ack(b))
			mustAppend(t, s, "second")
			remove(t, opt.Dir)
			taken := append([]string{"second"}, waitRefusal(t, s, ErrRemoved)...)
			if st := s.Stats(); !errors.Is(st.Err, ErrRemoved) || st.PendingRecords != uint64(len(taken)) {
				t.Errorf("%+v; want the error and %d records", st, len(taken))
			}
			if got := Reason(ErrRemoved); got != "removed" || s.counts.refused[reasonIndex(ErrRemoved)] != 1 {
				t.Errorf("reason %q, refusals %v", got, s.counts.refused)
			}
			for len(taken) > 0 {
				b, err := s.Next(t.Context(), len(taken), 1<<20, -1)
				must(t, err)
				for i, p := range b.Payloads {
					if p != taken[i] {
						t.Fatalf("delivers %q, want %q", p, taken[i])
					}
				}
				must(t, s.Ack(b))
				taken = taken[len(b.Payloads):]
			}
			must(t, s.Close())
			s = mustOpen(t, opt)
			mustAppend(t, s, "after the restart")
			next, err := s.Next(t.Context(), 10, 1<<20, -1)
			must(t, err)
			if len(next.Payloads) != 1 || next.Payloads[0] != "after the restart" || next.ID == b.ID {
				t.Errorf("the new directory holds %q", next.Payloads)
			}
		})
	}
}

// A disk that was unmounted and is back, or a directory that was moved by mistake: nothing happened.
func TestDirectoryComesBack(t *testing.T) {
	opt := options(filepath.Join(t.TempDir(), "spool"))
	opt.SyncInterval = time.Millisecond
	s := mustOpen(t, opt)
	mustAppend(t, s, "before")
	must(t, os.Rename(opt.Dir, opt.Dir+".away"))
	n := uint64(1 + len(waitRefusal(t, s, ErrRemoved)))
	must(t, os.Rename(opt.Dir+".away", opt.Dir))
	n += uint64(len(waitRefusal(t, s, nil)))
	if st := s.Stats(); st.Err != nil || st.PendingRecords != n {
		t.Errorf("%+v, want %d records", st, n)
	}
	must(t, s.Close())
	if st := mustOpen(t, opt).Stats(); st.Recovered != n {
		t.Errorf("%d records after a restart, want %d", st.Recovered, n)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

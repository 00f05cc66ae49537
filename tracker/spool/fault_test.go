package spool

import (
	"context"
	"errors"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// A disk that fails for a while: what is refused never comes out, what is acknowledged does, also after a crash.
func TestFailingDisk(t *testing.T) {
	for name, c := range map[string]struct {
		policy SyncPolicy
		fail   func(*disk)
		reason string
	}{
		"no space":               {Interval, func(d *disk) { d.writeErr = syscall.ENOSPC }, "no_space"},
		"I/O error":              {Interval, func(d *disk) { d.writeErr = syscall.EIO }, "write_error"},
		"short write":            {Interval, func(d *disk) { d.writeErr, d.writeMax = syscall.EIO, 20 }, "write_error"},
		"whole write, but error": {Interval, func(d *disk) { d.writeErr, d.writeMax = syscall.EIO, 1<<20 }, "write_error"},
		"short write, no cut": {Interval, func(d *disk) {
			d.writeErr, d.writeMax, d.truncErr = syscall.EIO, 20, syscall.EIO
		}, "write_error"},
		"whole write, no cut": {Interval, func(d *disk) {
			d.writeErr, d.writeMax, d.truncErr = syscall.EIO, 1<<20, syscall.EIO
		}, "write_error"},
		"sync":              {Always, func(d *disk) { d.syncErr = syscall.EIO }, "sync_error"},
		"sync, no cut":      {Always, func(d *disk) { d.syncErr, d.truncErr = syscall.EIO, syscall.EIO }, "sync_error"},
		"no file any more":  {Interval, func(d *disk) { d.openErr, d.writeErr = syscall.EMFILE, syscall.EIO }, "write_error"},
		"write and no file": {Always, func(d *disk) { d.openErr, d.syncErr, d.truncErr = syscall.EMFILE, syscall.EIO, syscall.EIO }, "sync_error"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDisk()
				opt := options(t.TempDir())
				opt.Sync, opt.OpenFile = c.policy, d.open
				s := mustOpen(t, opt)
				mustAppend(t, s, "a", "b")
				d.set(c.fail)
				err := s.Append([]byte("refused"))
				if err == nil || Reason(err) != c.reason {
					t.Fatalf("%v, reason %s; want %s", err, Reason(err), c.reason)
				}
				if again := s.Append([]byte("refused at once")); !errors.Is(again, err) {
					t.Errorf("during the pause: %v; want the same error", again)
				}
				time.Sleep(maxBackoff) // of the bubble's clock
				if err := s.Append([]byte("refused again")); err == nil {
					t.Error("accepted although the disk still fails")
				}
				if s.Stats().Err == nil {
					t.Error("no error in Stats")
				}
				d.set(func(d *disk) { d.faults = faults{} })
				time.Sleep(maxBackoff)
				mustAppend(t, s, "c")
				if st := checkSums(t, s); c.policy == Always && st.Segments < 2 {
					t.Errorf("%d segments; want a new one after a failed sync", st.Segments)
				}
				crash(s)
				s = mustOpen(t, opt)
				mustAppend(t, s, "d")
				if got := drain(t, s); !slices.Equal(got, []string{"a", "b", "c", "d"}) {
					t.Errorf("got %q", got)
				}
				if st := checkSums(t, s); st.Quarantined != 0 {
					t.Errorf("%d quarantined", st.Quarantined)
				}
				mustClose(t, s)
			})
		})
	}
}

// A refused write is cut off at once: it does not come out although the process ends before it writes again.
func TestRefusedWriteIsCutOff(t *testing.T) {
	d := newDisk()
	opt := options(t.TempDir())
	opt.OpenFile = d.open
	s := mustOpen(t, opt)
	mustAppend(t, s, "a")
	d.set(func(d *disk) { d.writeErr, d.writeMax = syscall.EIO, 1<<20 })
	if err := s.Append([]byte("refused")); err == nil {
		t.Fatal("accepted")
	}
	crash(s)
	d.set(func(d *disk) { d.faults = faults{} })
	s = mustOpen(t, opt)
	if got := drain(t, s); !slices.Equal(got, []string{"a"}) {
		t.Errorf("got %q", got)
	}
	if st := s.Stats(); st.Corruption != nil {
		t.Error(st.Corruption)
	}
}

// What a refused write left behind is not delivered after a clean restart either.
func TestRefusedTailAfterCleanEnd(t *testing.T) {
	d := newDisk()
	opt := options(t.TempDir())
	opt.OpenFile = d.open
	s := mustOpen(t, opt)
	mustAppend(t, s, "a")
	d.set(func(d *disk) { d.writeErr, d.writeMax, d.truncErr = syscall.EIO, 1<<20, syscall.EIO })
	if err := s.Append([]byte("refused")); err == nil {
		t.Fatal("accepted")
	}
	d.set(func(d *disk) { d.writeErr, d.truncErr = nil, nil })
	mustClose(t, s)
	s = mustOpen(t, opt)
	if got := drain(t, s); !slices.Equal(got, []string{"a"}) {
		t.Errorf("got %q", got)
	}
	if st := checkSums(t, s); st.Quarantined != 0 || st.Corruption != nil {
		t.Errorf("%+v; want no damage", st)
	}
}

// A disk that does not answer holds up one caller; the others are refused, and their records never come out.
func TestStalledDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDisk()
		opt := options(t.TempDir())
		opt.OpenFile, opt.MaxWait = d.open, 200*time.Millisecond
		s := mustOpen(t, opt)
		mustAppend(t, s, "before")
		d.set(func(d *disk) { d.block, d.blocked = make(chan struct{}), make(chan struct{}) })
		leader := make(chan error, 1)
		go func() { leader <- s.Append([]byte("leader")) }()
		<-d.blocked
		start := time.Now()
		followers := make(chan error, 50)
		for range cap(followers) {
			go func() { followers <- s.Append(make([]byte, 100)) }() // more than a group holds
		}
		for range cap(followers) {
			if err := <-followers; !errors.Is(err, ErrStalled) {
				t.Errorf("follower: %v; want ErrStalled", err)
			}
		}
		if waited := time.Since(start); waited > 2*opt.MaxWait {
			t.Errorf("waited %v; want about %v", waited, opt.MaxWait)
		}
		if err := s.Append(nil); !errors.Is(err, ErrStalled) || time.Since(start) > 2*opt.MaxWait {
			t.Errorf("%v; want ErrStalled at once", err)
		}
		if !s.Stats().Stalled {
			t.Error("Stats does not say so")
		}
		block := d.block
		d.set(func(d *disk) { d.block = nil })
		close(block)
		if err := <-leader; !errors.Is(err, ErrStalled) {
			t.Errorf("leader: %v; want ErrStalled", err)
		}
		mustAppend(t, s, "after")
		crash(s)
		s = mustOpen(t, opt)
		if got := drain(t, s); !slices.Equal(got, []string{"before", "after"}) {
			t.Errorf("got %q", got)
		}
		mustClose(t, s)
	})
}

func TestWaitersAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDisk()
		d.block, d.blocked = make(chan struct{}), make(chan struct{})
		opt := options(t.TempDir())
		opt.OpenFile, opt.MaxWaiting, opt.MaxWait = d.open, 1, time.Hour
		s := mustOpen(t, opt)
		var wg sync.WaitGroup
		wg.Go(func() { s.Append([]byte("leader")) })
		<-d.blocked
		perGroup := (1024 - headerSize) / (recordHeader + 100)
		for range perGroup + 1 { // fill the gathering group, and the only place to wait for room
			wg.Go(func() {
				if err := s.Append(make([]byte, 100)); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		if err := s.Append(make([]byte, 100)); !errors.Is(err, ErrBusy) {
			t.Errorf("%v; want ErrBusy", err)
		}
		block := d.block
		d.set(func(d *disk) { d.block = nil })
		close(block)
		wg.Wait()
		if st := s.Stats(); st.Appended != uint64(perGroup)+2 {
			t.Errorf("%d appended; want %d", st.Appended, perGroup+2)
		}
		mustClose(t, s)
	})
}

// A loss of power leaves what was synced: everything with Always, else everything up to the last background sync.
func TestPowerLoss(t *testing.T) {
	for name, c := range map[string]struct {
		policy SyncPolicy
		want   int
	}{"interval": {Interval, 30}, "always": {Always, 40}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDisk()
				opt := options(t.TempDir())
				opt.Sync, opt.OpenFile = c.policy, d.open
				s := mustOpen(t, opt)
				mustAppend(t, s, payloads(0, 30)...)
				time.Sleep(maxSyncInterval) // of the bubble's clock
				synctest.Wait()
				mustAppend(t, s, payloads(30, 40)...)
				crash(s)
				d.losePower(t)
				s = mustOpen(t, opt)
				mustAppend(t, s, "later")
				if got, want := drain(t, s), append(payloads(0, c.want), "later"); !slices.Equal(got, want) {
					t.Errorf("got %d records %q; want %d", len(got), got, len(want))
				}
				checkSums(t, s)
				mustClose(t, s)
			})
		})
	}
}

// A batch is durable before it is handed out, so that a loss of power changes neither its identity nor its content.
func TestPowerLossWithPendingBatch(t *testing.T) {
	d := newDisk()
	opt := options(t.TempDir())
	opt.OpenFile = d.open
	s := mustOpen(t, opt)
	mustAppend(t, s, payloads(0, 5)...)
	first := mustNext(t, s, 3)
	crash(s)
	d.losePower(t)
	s = mustOpen(t, opt)
	if b := mustNext(t, s, 10); b.ID != first.ID || !slices.Equal(b.Payloads, first.Payloads) {
		t.Errorf("%s %q; want %s %q", b.ID, b.Payloads, first.ID, first.Payloads)
	}
}

// While the disk refuses to sync, no batch is handed out; afterwards all go on.
func TestNextOnFailingDisk(t *testing.T) {
	for name, fail := range map[string]func(*disk){
		"sync":  func(d *disk) { d.syncErr = syscall.EIO },
		"state": func(d *disk) { d.writeErr = syscall.EIO },
		"read":  func(d *disk) { d.readErr = syscall.EIO },
	} {
		t.Run(name, func(t *testing.T) {
			d := newDisk()
			opt := options(t.TempDir())
			opt.OpenFile = d.open
			s := mustOpen(t, opt)
			mustAppend(t, s, payloads(0, 5)...)
			d.set(fail)
			if b, err := s.Next(context.Background(), 9, 1<<20, 0); !errors.Is(err, syscall.EIO) {
				t.Fatalf("%v, %v; want EIO", b, err)
			}
			d.set(func(d *disk) { d.faults = faults{} })
			if got := drain(t, s); !slices.Equal(got, payloads(0, 5)) {
				t.Errorf("got %q", got)
			}
			checkSums(t, s)
		})
	}
}

// What the disk does not give for good is counted as lost, and delivery goes on behind it.
func TestUnreadableForGood(t *testing.T) {
	d := newDisk()
	opt := options(t.TempDir())
	opt.OpenFile = d.open
	s := mustOpen(t, opt)
	mustAppend(t, s, payloads(0, 5)...)
	d.set(func(d *disk) { d.readErr = syscall.EIO })
	for range maxReadFailures {
		if _, err := s.Next(context.Background(), 9, 1<<20, 0); !errors.Is(err, syscall.EIO) {
			t.Fatalf("%v; want EIO", err)
		}
	}
	if got := drain(t, s); got != nil {
		t.Fatalf("got %q from an unreadable disk", got)
	}
	d.set(func(d *disk) { d.readErr = nil })
	mustAppend(t, s, "later")
	if got := drain(t, s); !slices.Equal(got, []string{"later"}) {
		t.Errorf("got %q", got)
	}
	if st := checkSums(t, s); st.Quarantined != 5 {
		t.Errorf("%d quarantined; want 5", st.Quarantined)
	}
}

// An acknowledgement that cannot be made durable still counts in this run, and is repeated.
func TestAckOnFailingDisk(t *testing.T) {
	d := newDisk()
	opt := options(t.TempDir())
	opt.OpenFile = d.open
	s := mustOpen(t, opt)
	mustAppend(t, s, payloads(0, 5)...)
	b := mustNext(t, s, 3)
	d.set(func(d *disk) { d.writeErr = syscall.ENOSPC })
	if err := s.Ack(b); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("%v; want ENOSPC", err)
	}
	d.set(func(d *disk) { d.writeErr = nil })
	if err := s.Ack(b); err != nil {
		t.Fatal(err)
	}
	crash(s)
	s = mustOpen(t, opt)
	if got := drain(t, s); !slices.Equal(got, payloads(3, 5)) {
		t.Errorf("got %q", got)
	}
}

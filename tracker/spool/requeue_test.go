package spool

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// setAside makes a spool with "a" to "d" delivered but for "b" and "c", which are in quarantine.
func setAside(t *testing.T, dir string) {
	t.Helper()
	s := mustOpen(t, options(dir))
	mustAppend(t, s, "a", "b", "c", "d")
	b, err := s.Next(context.Background(), 10, 1<<20, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range []int{1, 2} {
		if err := s.Quarantine(b, i, "refused"); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Ack(b); err != nil {
		t.Fatal(err)
	}
	mustClose(t, s)
}

func quarantined(t *testing.T, dir string) (all []string) {
	t.Helper()
	if err := Quarantined(dir, func(r QuarantinedRecord) error { all = append(all, r.Payload); return nil }); err != nil {
		t.Fatal(err)
	}
	return all
}

func onlyB(payload string) error {
	if payload != "b" {
		return errors.New("still bad")
	}
	return nil
}

func TestRequeueTakesWhatIsGood(t *testing.T) {
	dir := t.TempDir()
	setAside(t, dir)
	done, err := Requeue(options(dir), onlyB)
	if err != nil || len(done) != 1 || done[0].Requeued != 1 || done[0].Kept != 1 {
		t.Fatalf("%+v, %v", done, err)
	}
	if got := quarantined(t, dir); !slices.Equal(got, []string{"c"}) {
		t.Errorf("in quarantine: %q", got)
	}
	list, err := List(dir)
	if err != nil || list.Pending != 1 || len(list.Quarantine) != 1 || list.Quarantine[0].Records != 1 || list.Quarantine[0].Reasons[0] != "refused" {
		t.Errorf("%+v, %v", list, err)
	}
	var pending []string
	if err := Records(dir, func(_, _ uint64, p string) error { pending = append(pending, p); return nil }); err != nil || !slices.Equal(pending, []string{"b"}) {
		t.Errorf("pending: %q, %v", pending, err)
	}
	if done, err = Requeue(options(dir), onlyB); err != nil || done[0].Requeued != 0 {
		t.Errorf("a second time: %+v, %v", done, err)
	}
	s := mustOpen(t, options(dir))
	defer mustClose(t, s)
	mustAppend(t, s, "e")
	if got := drain(t, s); !slices.Equal(got, []string{"b", "e"}) {
		t.Errorf("delivered %q", got)
	}
	checkSums(t, s)
}

func TestRequeueNeedsTheSpoolToItself(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, options(dir))
	defer mustClose(t, s)
	if _, err := Requeue(options(dir), onlyB); !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), "stop the other process") {
		t.Errorf("%v", err)
	}
}

// A batch that is not acknowledged comes again with the records that were set aside from it: they must not be queued too.
func TestRequeueLeavesThePendingBatch(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, options(dir))
	mustAppend(t, s, "a", "b")
	b, err := s.Next(context.Background(), 10, 1<<20, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Quarantine(b, 1, "refused"); err != nil {
		t.Fatal(err)
	}
	mustClose(t, s)
	done, err := Requeue(options(dir), onlyB)
	if err != nil || len(done) != 1 || !done[0].Pending || done[0].Requeued != 0 {
		t.Errorf("%+v, %v", done, err)
	}
}

// Wherever a crash cuts the exchange, each record is in the queue or in quarantine, once.
func TestRequeueSurvivesACrashAtEveryStep(t *testing.T) {
	base := t.TempDir()
	setAside(t, base)
	for step := range 40 {
		dir := filepath.Join(t.TempDir(), "spool")
		copyDir(t, base, dir)
		opt := options(dir)
		left := step
		crash := errors.New("crash")
		opt.OpenFile = func(path string, flag int) (File, error) {
			f, err := openOS(path, flag)
			if err != nil {
				return nil, err
			}
			return &failing{File: f, left: &left, err: crash}, nil
		}
		_, failed := Requeue(opt, onlyB)
		for range 2 { // a tracker runs in between, or not
			if _, err := Requeue(options(dir), onlyB); err != nil {
				t.Fatalf("step %d: %v", step, err)
			}
		}
		if got := quarantined(t, dir); !slices.Equal(got, []string{"c"}) {
			t.Errorf("step %d: in quarantine %q", step, got)
		}
		s := mustOpen(t, options(dir))
		if got := drain(t, s); !slices.Equal(got, []string{"b"}) {
			t.Errorf("step %d: delivered %q", step, got)
		}
		mustClose(t, s)
		if failed == nil {
			return
		}
	}
	t.Error("no requeue went through")
}

// failing fails every change from the given one on.
type failing struct {
	File
	left *int
	err  error
}

func (f *failing) WriteAt(b []byte, off int64) (int, error) {
	if *f.left--; *f.left < 0 {
		return 0, f.err
	}
	return f.File.WriteAt(b, off)
}

func (f *failing) Reserve(int64) error { return nil }

func (f *failing) Sync() error {
	if *f.left--; *f.left < 0 {
		return f.err
	}
	return f.File.Sync()
}

// A crash between two renames leaves files that the next requeue puts in order.
func TestRequeueFinishesWhatACrashLeft(t *testing.T) {
	for name, c := range map[string]struct {
		leave  func(path string) error
		queued []string
		kept   []string
	}{
		"before the decision": {func(path string) error {
			return errors.Join(os.WriteFile(path+preparedSuffix, []byte("part"), 0o600), os.WriteFile(path+restSuffix, []byte("part"), 0o600))
		}, []string{"b"}, []string{"c"}},
		"decided, not queued": {func(path string) error {
			return errors.Join(os.WriteFile(path+preparedSuffix, []byte("whole"), 0o600), os.Rename(path, path+doneSuffix))
		}, []string{"b"}, []string{"c"}},
		"queued": {func(path string) error { return os.Rename(path, path+doneSuffix) }, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			setAside(t, dir)
			if err := c.leave(globOne(t, dir, quarantineDir, "*"+recordsSuffix)); err != nil {
				t.Fatal(err)
			}
			if _, err := Requeue(options(dir), onlyB); err != nil {
				t.Fatal(err)
			}
			if got := quarantined(t, dir); !slices.Equal(got, c.kept) {
				t.Errorf("in quarantine %q; want %q", got, c.kept)
			}
			s := mustOpen(t, options(dir))
			defer mustClose(t, s)
			if got := drain(t, s); !slices.Equal(got, c.queued) {
				t.Errorf("delivered %q; want %q", got, c.queued)
			}
		})
	}
}

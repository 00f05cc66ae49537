package spool

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		os.Exit(childAppend(dir))
	}
	goleak.VerifyTestMain(m)
}

// options are small, so that a few records reach every limit.
func options(dir string) Options {
	return Options{Dir: dir, Name: "test", SegmentBytes: 1024, MaxBytes: 1 << 20, MaxRecord: 128}
}

func mustOpen(t testing.TB, opt Options) *Spool {
	t.Helper()
	s, err := Open(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func mustClose(t testing.TB, s *Spool) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// crash ends the spool as the end of its process would: nothing more is written, the kernel closes and unlocks.
func crash(s *Spool) {
	s.mu.Lock()
	s.closed = true
	s.room.Broadcast()
	s.mu.Unlock()
	close(s.stop)
	s.done.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, seg := range s.segments {
		if seg.file != nil {
			seg.file.Close()
		}
	}
	s.reader.close()
	s.unregister()
	s.lock.Close()
}

func payload(i int) string { return fmt.Sprintf("record %03d %0*d", i, i%40, i) }

func mustAppend(t testing.TB, s *Spool, payloads ...string) {
	t.Helper()
	for _, p := range payloads {
		if err := s.Append([]byte(p)); err != nil {
			t.Fatal(err)
		}
	}
}

func payloads(from, to int) []string {
	var out []string
	for i := from; i < to; i++ {
		out = append(out, payload(i))
	}
	return out
}

func mustNext(t testing.TB, s *Spool, maxRecords int) *Batch {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	b, err := s.Next(ctx, maxRecords, 1<<20, 0)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// drain delivers all that is there and returns it.
func drain(t testing.TB, s *Spool) []string {
	t.Helper()
	var out []string
	for {
		b, err := s.Next(context.Background(), 3, 1<<20, -1)
		if errors.Is(err, ErrEmpty) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, b.Payloads...)
		if err := s.Ack(b); err != nil {
			t.Fatal(err)
		}
		checkSums(t, s)
	}
}

func checkSums(t testing.TB, s *Spool) Stats {
	t.Helper()
	st := s.Stats()
	if st.Recovered+st.Appended != st.Delivered+st.Quarantined+st.PendingRecords {
		t.Fatalf("recovered %d + appended %d != delivered %d + quarantined %d + pending %d",
			st.Recovered, st.Appended, st.Delivered, st.Quarantined, st.PendingRecords)
	}
	return st
}

func copyDir(t testing.TB, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

func globOne(t testing.TB, pattern ...string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(pattern...))
	if err != nil || len(found) != 1 {
		t.Fatalf("%v: %v, %v; want one file", pattern, found, err)
	}
	return found[0]
}

// disk is a real disk that can be made to fail, and knows what of its files has been synced.
type disk struct {
	mu sync.Mutex
	faults
	sizes, synced map[string]int64
}

type faults struct {
	writeErr error
	writeMax int // bytes that a failing write still writes
	syncErr  error
	truncErr error
	openErr  error
	readErr  error
	block    chan struct{} // segment writes wait until it is closed
	blocked  chan struct{} // receives when a write begins to wait
}

func newDisk() *disk {
	return &disk{sizes: make(map[string]int64), synced: make(map[string]int64)}
}

// set changes the disk while it is in use.
func (d *disk) set(change func(*disk)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change(d)
}

func (d *disk) open(path string, flag int) (File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.openErr != nil && flag&os.O_CREATE != 0 {
		return nil, d.openErr
	}
	f, err := openOS(path, flag)
	if err != nil {
		return nil, err
	}
	return &diskFile{f, d, path, filepath.Ext(path) == segmentExt}, nil
}

type diskFile struct {
	File
	disk    *disk
	path    string
	segment bool
}

func (f *diskFile) ReadAt(b []byte, off int64) (int, error) {
	f.disk.mu.Lock()
	err := f.disk.readErr
	f.disk.mu.Unlock()
	if err != nil && f.segment {
		return 0, err
	}
	return f.File.ReadAt(b, off)
}

func (f *diskFile) WriteAt(b []byte, off int64) (int, error) {
	d := f.disk
	d.mu.Lock()
	err, limit, block, blocked := d.writeErr, d.writeMax, d.block, d.blocked
	d.mu.Unlock()
	if block != nil && f.segment {
		blocked <- struct{}{}
		<-block
	}
	part := b
	if err != nil {
		part = b[:min(limit, len(b))]
	}
	n, writeErr := f.File.WriteAt(part, off)
	d.mu.Lock()
	d.sizes[f.path] = max(d.sizes[f.path], off+int64(n))
	d.mu.Unlock()
	return n, errors.Join(err, writeErr)
}

func (f *diskFile) Truncate(size int64) error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if f.disk.truncErr != nil {
		return f.disk.truncErr
	}
	f.disk.sizes[f.path] = size
	return f.File.Truncate(size)
}

func (f *diskFile) Reserve(int64) error { return nil }

func (f *diskFile) Sync() error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if f.disk.syncErr != nil && f.segment {
		return f.disk.syncErr
	}
	f.disk.synced[f.path] = f.disk.sizes[f.path]
	return nil
}

// losePower cuts every segment back to what was synced of it.
func (d *disk) losePower(t testing.TB) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	for path := range d.sizes {
		if filepath.Ext(path) != segmentExt {
			continue
		}
		if err := os.Truncate(path, d.synced[path]); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
}

package chaos

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"golang.org/x/sys/unix"
)

// poison makes ClickHouse refuse single clicks for their content. They are set aside, the others delivered; once
// ClickHouse takes them, the operator requeues them.
func (s *world) poison() {
	const fault = "poisoned batches, requeued"
	conn, err := clickhouse.Open(&clickhouse.Options{Addr: []string{s.clicks.Addr()}, Auth: clickhouse.Auth{Database: database}})
	s.must(err)
	defer conn.Close()
	exec := func(statement string) { s.t.Helper(); s.must(conn.Exec(s.t.Context(), statement)) }
	exec("ALTER TABLE clicks ADD CONSTRAINT chaos CHECK sub1 != 'poison'")
	tr := s.newTraffic()
	bad := 0
	tr.sub1 = func(n int) string {
		if n%100 == 1 {
			return "poison"
		}
		return "good"
	}
	tr.begin(s.t)
	pass(time.Second)
	s.tracker.Kill() // also in the middle of a bisection
	s.tracker.Start()
	pass(time.Second)
	tr.end()
	s.drain()
	out, err := run(s.t, nil, "tracker", "spool", "ls", "--data", data(s.tracker))
	if err != nil || !strings.Contains(out, "chaos") {
		s.t.Errorf("ls does not show why records were set aside: %v\n%s", err, out)
	}
	out, err = run(s.t, nil, "tracker", "spool", "cat", "--data", data(s.tracker))
	if bad = strings.Count(out, `"state":"quarantined"`); err != nil || bad == 0 || strings.Count(out, `"poison"`) != bad {
		s.t.Errorf("cat does not show what was set aside: %v\n%s", err, out)
	}
	if kept := s.listedClicks(tr); len(kept) > len(tr.clicks)+tr.failed-bad || len(kept) < len(tr.clicks)-bad {
		s.t.Errorf("%d clicks are listed, of %d answered, while %d are in quarantine", len(kept), len(tr.clicks), bad)
	}
	if out, err := run(s.t, nil, "tracker", "spool", "requeue", "--data", data(s.tracker)); err == nil || !strings.Contains(out, "another process") {
		s.t.Errorf("requeue beside a running tracker: %v\n%s", err, out)
	}
	exec("ALTER TABLE clicks DROP CONSTRAINT chaos")
	s.tracker.Terminate()
	want := fmt.Sprintf("clicks: %d records requeued", bad)
	if out, err := run(s.t, nil, "tracker", "spool", "requeue", "--data", data(s.tracker)); err != nil || !strings.Contains(out, want) {
		s.t.Errorf("requeue: %v\n%s\nwant %q", err, out, want)
	}
	s.tracker.Start()
	s.settle(fault, tr, nil)
}

// snapshots starts the tracker with a torn snapshot of links, and without one.
func (s *world) snapshots() {
	for fault, damage := range map[string]func(path string) error{
		"link snapshot torn": func(path string) error {
			info, err := os.Stat(path)
			if err != nil {
				return err
			}
			return os.Truncate(path, info.Size()/2)
		},
		"link snapshot missing": os.Remove,
	} {
		s.scenario(fault, func(*traffic) {
			pass(300 * time.Millisecond)
			s.tracker.Terminate() // saves it
			s.must(damage(filepath.Join(data(s.tracker), "links.snapshot")))
			s.tracker.Start()
			s.tracker.Ready()
			pass(300 * time.Millisecond)
		})
	}
}

// powerLoss kills the tracker and cuts its click spool back to what had been there 300 ms before, which is more than a
// loss of power may take. Nothing is delivered meanwhile, for what is handed out is on the disk.
func (s *world) powerLoss() {
	const fault = "power loss (spool cut to its last sync)"
	tr := s.newTraffic()
	s.drain()
	s.store.set(hang)
	tr.begin(s.t)
	pass(1500 * time.Millisecond) // the first batch has been handed out, and hangs
	segments, err := filepath.Glob(filepath.Join(data(s.tracker), "spool", "clicks", "*.seg"))
	if err != nil || len(segments) == 0 {
		s.t.Fatalf("no segment: %v", err)
	}
	active := segments[len(segments)-1]
	before, err := os.Stat(active)
	s.must(err)
	safe := time.Now()
	pass(300 * time.Millisecond)
	s.tracker.Kill()
	tr.end()
	after, err := os.Stat(active)
	s.must(err)
	if after.Size() <= before.Size() {
		s.t.Error("nothing was written after the sync: the test shows nothing")
	}
	s.must(os.Truncate(active, before.Size()))
	s.store.set(healthy)
	s.tracker.Start()
	// An answer is on its way for a little while after its record is written.
	r := s.settle(fault, tr, func(answered time.Time) bool { return answered.After(safe) })
	if r.LostClicks == 0 {
		s.t.Error("nothing was lost: the test shows nothing")
	}
	s.table[len(s.table)-1].LostAllowed = "all unsynced"
}

// fullDisk runs a tracker whose disk fills up, with nothing being delivered, and has room again later.
func (s *world) fullDisk() {
	const fault = "disk full"
	dir := s.t.TempDir()
	if err := unix.Mount("chaos", dir, "tmpfs", 0, "size=8m"); err != nil {
		s.leaveOut(fault, err)
		return
	}
	usual := s.tracker
	s.tracker = s.newTracker(2, dir, "--spool-segment-bytes", "1MiB", "--spool-max-bytes", "64MiB")
	defer func() {
		s.tracker.Kill()
		s.tracker = usual
		if err := unix.Unmount(dir, 0); err != nil {
			s.t.Errorf("unmount: %v", err)
		}
	}()
	s.tracker.Start()
	tr := s.newTraffic()
	s.drain()
	s.store.set(hang)
	tr.begin(s.t)
	pass(500 * time.Millisecond)
	filler := filepath.Join(dir, "filler")
	f, err := os.Create(filler)
	s.must(err)
	for block := make([]byte, 4096); ; {
		if _, err := f.Write(block); err != nil {
			break
		}
	}
	s.must(f.Close())
	// The segment that is being written has its blocks already, and takes some seconds of clicks.
	waitFor(s.t, 30*time.Second, func() bool { tr.mu.Lock(); defer tr.mu.Unlock(); return tr.without > 20 },
		func() string { return "a full disk refuses nothing\n" + s.tracker.Output.String() })
	s.must(os.Remove(filler))
	n := tr.answered()
	waitFor(s.t, 10*time.Second, func() bool { return tr.answered() > n+50 },
		func() string { return "with room on the disk no click is recorded\n" + s.tracker.Output.String() })
	tr.end()
	s.store.set(healthy)
	r := s.settle(fault, tr, nil)
	if r.Unanswered > 0 || len(tr.other) > 1 {
		s.t.Errorf("%s: visitors were not redirected: %+v %v", fault, r, tr.other)
	}
}

package chaos

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// ioctls of a mounted file system, from linux/fs.h.
const (
	fiFreeze = 0xc0045877
	fiThaw   = 0xc0045878
)

// loopDisk is a disk of its own: an ext4 in a file, which turns read-only when the kernel finds an error in it.
type loopDisk struct {
	s          *world
	image, dir string
	device     string // name of the loop device, while mounted
}

func (s *world) newLoopDisk() (*loopDisk, error) {
	base := s.t.TempDir()
	d := &loopDisk{s: s, image: filepath.Join(base, "disk.img"), dir: filepath.Join(base, "disk")}
	f, err := os.Create(d.image)
	s.must(err)
	s.must(f.Truncate(64 << 20))
	s.must(f.Close())
	s.must(os.Mkdir(d.dir, 0o750))
	if err := command("mkfs.ext4", "-q", "-m", "0", d.image); err != nil {
		return nil, err
	}
	return d, d.mount()
}

func command(name string, args ...string) error {
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, out)
	}
	return nil
}

func (d *loopDisk) mount() error {
	if err := command("mount", "-o", "loop,errors=remount-ro", d.image, d.dir); err != nil {
		return err
	}
	out, err := exec.Command("losetup", "-n", "-O", "NAME", "-j", d.image).Output()
	d.device = filepath.Base(strings.TrimSpace(string(out)))
	return err
}

func (d *loopDisk) unmount() {
	if d.device != "" {
		d.s.must(unix.Unmount(d.dir, 0))
		d.device = ""
	}
}

// fail lets the kernel find an error: it remounts the disk read-only, as it does for a disk that goes bad. Writes that
// were under way are on the disk or are refused: they are held up in between.
func (d *loopDisk) fail() {
	d.s.t.Helper()
	dir, err := os.Open(d.dir)
	d.s.must(err)
	defer dir.Close()
	d.s.must(unix.IoctlSetInt(int(dir.Fd()), fiFreeze, 0))
	failed := os.WriteFile(filepath.Join("/sys/fs/ext4", d.device, "trigger_fs_error"), []byte("chaos"), 0)
	d.s.must(unix.IoctlSetInt(int(dir.Fd()), fiThaw, 0))
	d.s.must(failed)
}

// repair is what an operator does: unmount, check, mount.
func (d *loopDisk) repair() {
	d.s.t.Helper()
	d.unmount()
	if err := exec.Command("fsck.ext4", "-p", d.image).Run(); err != nil {
		if code := (*exec.ExitError)(nil); !errors.As(err, &code) || code.ExitCode() > 1 { // 1: errors corrected
			d.s.t.Fatalf("fsck: %v", err)
		}
	}
	d.s.must(d.mount())
}

// readOnlyDisk runs a tracker whose disk the kernel remounts read-only, until the operator has repaired it.
func (s *world) readOnlyDisk() {
	const fault = "disk read-only (the kernel's remount after an error)"
	disk, err := s.newLoopDisk()
	if err != nil {
		s.leaveOut(fault, err)
		return
	}
	usual := s.tracker
	s.tracker = s.newTracker(5, filepath.Join(disk.dir, "data"), "--spool-segment-bytes", "1MiB")
	defer func() {
		s.tracker.Kill()
		s.tracker = usual
		disk.unmount()
	}()
	s.tracker.Start()
	r := s.scenario(fault, func(tr *traffic) {
		pass(500 * time.Millisecond)
		disk.fail()
		s.refuses(tr, "write_error")
		s.tracker.Kill() // the machine is restarted
		disk.repair()
		s.tracker.Start()
		s.recordsAgain(tr)
	})
	if r.WithoutID == 0 {
		s.t.Errorf("%s: nothing was refused: the test shows nothing", fault)
	}
}

// removedSpool removes the spool's directory under the tracker. What was acknowledged is delivered, nothing more is.
func (s *world) removedSpool() {
	const fault = "spool directory removed"
	s.scenario(fault, func(tr *traffic) {
		pass(500 * time.Millisecond)
		s.must(os.RemoveAll(filepath.Join(data(s.tracker), "spool")))
		s.refuses(tr, "removed")
		s.drain()
		s.tracker.Terminate()
		s.tracker.Start()
		s.recordsAgain(tr)
	})
}

// refuses waits until clicks are redirected without a Click ID, and looks whether metrics and readiness say why.
func (s *world) refuses(tr *traffic, reason string) {
	s.t.Helper()
	waitFor(s.t, 10*time.Second, func() bool { tr.mu.Lock(); defer tr.mu.Unlock(); return tr.without > 20 },
		func() string { return "nothing is refused\n" + s.tracker.Output.String() })
	for _, metric := range []string{"edgeref_tracker_clicks_refused_total", "edgeref_spool_refused_records_total"} {
		if n, _ := s.tracker.Metric(metric, `reason="`+reason+`"`); n < 20 {
			s.t.Errorf("%s counts %v refusals by %s", metric, n, reason)
		}
	}
	if status, body := get(s.tracker.Ops + "/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(body, "spool clicks") {
		s.t.Errorf("readiness says %d %s", status, body)
	}
}

func (s *world) recordsAgain(tr *traffic) {
	s.t.Helper()
	n := tr.answered()
	waitFor(s.t, 10*time.Second, func() bool { return tr.answered() > n+50 },
		func() string { return "no click is recorded any more\n" + s.tracker.Output.String() })
}

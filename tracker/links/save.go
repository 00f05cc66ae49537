package links

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"
)

const (
	corruptSuffix = ".corrupt"
	partSuffix    = ".tmp"
	// dayCheck is how long a salt may stay on the disk after its time, at most: a timer to midnight would miss a step of
	// the clock.
	dayCheck = time.Minute
)

// saveUntil saves a snapshot when there is something to save, no more often than SnapshotEvery, except that salts whose
// time is over leave the disk at once. It saves a last time when ctx ends.
func (s *state) saveUntil(ctx context.Context) {
	days := time.NewTicker(dayCheck)
	defer days.Stop()
	pause := time.NewTimer(0) // from one save to the next
	defer pause.Stop()
	wanted := s.unsaved
	for {
		select {
		case <-ctx.Done():
			s.salts.purge()
			if s.metrics.unsavedSince.Load() != 0 {
				s.save()
			}
			return
		case <-pause.C:
			wanted = s.unsaved
			continue
		case <-days.C:
			s.dropOld(s.opts.Snapshot)
			if !s.salts.purge() {
				continue
			}
			s.changed()
		case <-wanted:
			s.salts.purge()
		}
		s.save()
		wanted = nil
		pause.Reset(s.opts.SnapshotEvery)
	}
}

// save writes a snapshot. What changes meanwhile asks for the next one; a failure does too.
func (s *state) save() {
	if s.opts.Snapshot == "" {
		s.metrics.unsavedSince.Store(0)
		return
	}
	since := s.metrics.unsavedSince.Swap(0)
	size, err := saveSnapshot(s.opts.Snapshot, s.replica, s.salts.all(), s.opts.Now())
	if err != nil {
		s.metrics.saveErrors.Inc()
		s.opts.Log.Error("cannot save the link snapshot; without it a restart while the core is down knows old links only", "error", err)
		if since != 0 {
			s.metrics.unsavedSince.Store(since)
		}
		s.changed()
		return
	}
	s.metrics.snapshotSaved.Store(s.opts.Now().UnixNano())
	s.metrics.snapshotBytes.Store(size)
}

// dropOld removes a corrupt snapshot that was put aside on an earlier day: from midnight on it may hold a salt whose time
// is over.
func (s *state) dropOld(path string) {
	if path == "" {
		return
	}
	aside := path + corruptSuffix
	info, err := os.Stat(aside)
	if err == nil && dayOf(info.ModTime()) < dayOf(s.opts.Now()) {
		err = os.Remove(aside)
		s.opts.Log.Info("removed a corrupt link snapshot, because it may hold expired salts", "path", aside)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.opts.Log.Error("cannot remove a corrupt link snapshot; it may hold expired salts, remove it by hand", "path", aside, "error", err)
	}
}

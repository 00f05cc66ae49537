package spool

import (
	"errors"
	"fmt"
	"time"
)

// quarantineScan is how often the size of the quarantine is measured again, so that room made there counts.
const quarantineScan = 10 * time.Second

// syncLoop makes durable what was appended, at the latest one interval later, and looks whether the directory is there.
func (s *Spool) syncLoop() {
	tick := time.NewTicker(s.opt.SyncInterval)
	defer tick.Stop()
	measured := time.Now()
	for {
		select {
		case <-s.stop:
			return
		case <-tick.C:
		}
		s.checkPlace()
		if err := s.syncAll(); err != nil {
			s.log.warn("sync", "cannot sync the spool, a loss of power would lose records", "error", err)
		}
		if time.Since(measured) >= quarantineScan {
			measured = time.Now()
			s.measureQuarantine()
		}
	}
}

// syncAll syncs every segment with unsynced records, oldest first, then the directory, and closes the write handles of
// sealed segments.
func (s *Spool) syncAll() error {
	s.syncMu.Lock()
	defer s.syncMu.Unlock()
	type job struct {
		seg    *segment
		file   File
		end    int64
		sealed bool
	}
	var room [4]job
	jobs := room[:0]
	s.mu.Lock()
	for _, seg := range s.segments {
		if seg.file != nil && (seg.sealed || seg.synced < seg.end) {
			jobs = append(jobs, job{seg, seg.file, seg.end, seg.sealed})
		}
	}
	s.mu.Unlock()
	var errs error
	for _, j := range jobs {
		err := s.syncTo(j.seg, j.file, j.end)
		if err == nil && j.sealed {
			s.mu.Lock()
			j.seg.file = nil
			s.mu.Unlock()
			err = j.file.Close()
		}
		errs = errors.Join(errs, err)
	}
	errs = errors.Join(errs, s.syncNames())
	s.mu.Lock()
	s.syncErr = errs
	s.mu.Unlock()
	return errs
}

// syncNames makes the names of the segments made so far durable.
func (s *Spool) syncNames() error {
	s.mu.Lock()
	made, safe := s.namesMade, s.namesSafe
	s.mu.Unlock()
	if made == safe {
		return nil
	}
	if err := syncDir(s.opt.Dir); err != nil {
		return err
	}
	s.mu.Lock()
	s.namesSafe = max(s.namesSafe, made)
	s.mu.Unlock()
	return nil
}

// syncTo makes seg durable up to end, through any open handle of it.
func (s *Spool) syncTo(seg *segment, file File, end int64) error {
	s.mu.Lock()
	synced := seg.synced
	s.mu.Unlock()
	if synced >= end {
		return nil
	}
	if err := s.timedSync(file); err != nil {
		return fmt.Errorf("sync segment %s: %w", seg.path, err)
	}
	s.mu.Lock()
	seg.synced = max(seg.synced, end)
	s.mu.Unlock()
	return nil
}

func (s *Spool) timedSync(file File) error {
	began := s.opt.Clock()
	err := file.Sync()
	s.metrics.sync.Observe(s.opt.Clock().Sub(began).Seconds())
	if err != nil {
		s.mu.Lock()
		s.counts.syncFailures++
		s.mu.Unlock()
	}
	return err
}

// watchLoop sees to it that a disk that does not answer holds up one caller, not all of them.
func (s *Spool) watchLoop() {
	tick := time.NewTicker(max(s.opt.MaxWait/4, time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-tick.C:
			if s.watch() {
				s.log.warn("stall", "the disk does not answer, records are refused", "waited", s.opt.MaxWait)
			}
		}
	}
}

// watch refuses the records of both groups if their leader has waited for too long. When the leader comes back it
// takes its group out of the segment again.
func (s *Spool) watch() (stalled bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.leading || s.stalled || s.opt.Clock().Sub(s.leadSince) < s.opt.MaxWait {
		return false
	}
	s.stalled = true
	flight := &s.groups[s.cur^1]
	s.buffered = 0
	flight.out.finish(ErrStalled)
	gather := &s.groups[s.cur]
	if gather.records > 0 {
		gather.out.finish(ErrStalled)
		gather.buf, gather.records, gather.out = gather.buf[:0], 0, s.outcome()
	}
	s.room.Broadcast()
	return true
}

package spool

import (
	"errors"
	"io/fs"
	"os"
)

// checkPlace sees to it that the directory is still the one that was opened. Files that were removed, or whose disk was
// unmounted, can be written to and read from as before, but no next run would find what is in them. So no record is taken
// any more, and what was taken is delivered from the open files. If the same directory comes back, all is as it was; to
// use another one in its place the process has to start again, for its state is kept in the old one.
func (s *Spool) checkPlace() {
	removed, err := s.isRemoved()
	if err != nil {
		s.log.warn("place", "cannot look at the spool's directory", "error", err)
		return
	}
	s.mu.Lock()
	was := s.removed
	s.removed = removed
	s.mu.Unlock()
	switch {
	case removed:
		s.log.warn("removed", ErrRemoved.Error(), "path", s.opt.Dir)
	case was:
		s.log.logger.Info("the spool's directory is back, the spool takes records again", "path", s.opt.Dir)
	}
}

// isRemoved reports whether the path of the lock leads to another file than the one that is held, or to none. The held
// one keeps its inode, so that no other can have the same.
func (s *Spool) isRemoved() (bool, error) {
	held, err := s.lock.Stat()
	if err != nil {
		return false, err
	}
	there, err := os.Stat(s.lock.Name())
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	return !os.SameFile(held, there), nil
}

package spool

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// File is what the spool needs of an open file. Its methods may be called from several goroutines.
type File interface {
	io.ReaderAt
	io.WriterAt
	Truncate(size int64) error
	// Reserve takes room on the disk for a file of that size; its size stays what it is. It is for speed alone, and may
	// do nothing.
	Reserve(size int64) error
	// Sync returns once the content, and as much metadata as reading it back needs, are on the disk (fdatasync).
	Sync() error
	Close() error
}

// OpenFunc opens path with the flags of package os. Tests override it to make a disk fail.
type OpenFunc func(path string, flag int) (File, error)

type osFile struct {
	*os.File
	reserved bool
}

func (f *osFile) Sync() error { return datasync(f.File) }

func (f *osFile) Reserve(size int64) error {
	err := reserve(f.File, size)
	f.reserved = f.reserved || err == nil
	return err
}

// Close gives back what was reserved and is not used.
func (f *osFile) Close() error {
	if f.reserved {
		if info, err := f.Stat(); err == nil {
			_ = f.Truncate(info.Size())
		}
	}
	return f.File.Close()
}

func openOS(path string, flag int) (File, error) {
	f, err := os.OpenFile(path, flag, 0o640)
	if err != nil {
		return nil, err
	}
	return &osFile{File: f}, nil
}

// writeFull turns a short write without an error into one with.
func writeFull(f File, b []byte, offset int64) error {
	n, err := f.WriteAt(b, offset)
	if err == nil && n != len(b) {
		err = io.ErrShortWrite
	}
	return err
}

// syncDir makes the names in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync directory: %w", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("sync directory %s: %w", dir, err)
	}
	return nil
}

// lockDir keeps a second process out of dir until the file is closed, also by the end of the process.
func lockDir(dir string) (*os.File, error) {
	path := filepath.Join(dir, "lock")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return nil, fmt.Errorf("lock spool: %w", err)
	}
	for {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err == nil {
		return f, nil
	}
	f.Close()
	if errors.Is(err, unix.EWOULDBLOCK) {
		return nil, fmt.Errorf("%w: %s: stop the other process (fuser %s names it) or give this one another data directory",
			ErrLocked, dir, path)
	}
	return nil, fmt.Errorf("lock spool %s: %w", dir, err)
}

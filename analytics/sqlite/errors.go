package sqlite

import (
	"context"
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Errors of appending, for errors.Is.
var (
	ErrBatch error = batchError("batch cannot be stored")
	ErrFull        = errors.New("database or disk is full")
)

// batchError is the type of ErrBatch.
type batchError string

func (e batchError) Error() string { return string(e) }

// Permanent says that the same batch can never be stored, and never was.
func (e batchError) Permanent() bool { return true }

// ErrTooManyGroups says that a report would need more memory than it is given.
var ErrTooManyGroups = errors.New("report has too many groups")

// wrap says what failed and what the operator can do about it.
func (s *Store) wrap(doing string, err error) error {
	var failure *sqlite.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errColumn):
		return fmt.Errorf("%s: %w: %s is damaged: stop, check the disk and restore the file from a backup", doing, err, s.path)
	case !errors.As(err, &failure):
		return fmt.Errorf("%s: %w", doing, err)
	}
	switch failure.Code() & 0xff {
	case sqlite3.SQLITE_FULL:
		return fmt.Errorf("%s: %w: free space on the disk of %s; nothing was stored, and what is sent again is taken once: %w", doing, ErrFull, s.path, err)
	case sqlite3.SQLITE_INTERRUPT: // the driver's word for a context that ended
		return fmt.Errorf("%s: %w: %w", doing, context.Canceled, err)
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return fmt.Errorf("%s: another process holds %s: stop it (one process writes at a time): %w", doing, s.path, err)
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM:
		return fmt.Errorf("%s: cannot write %s: check owner and permissions of the file and of its folder: %w", doing, s.path, err)
	case sqlite3.SQLITE_IOERR:
		return fmt.Errorf("%s: the disk of %s fails or is full: check the system's log: %w", doing, s.path, err)
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("%s: %s is damaged: stop, check the disk and restore the file from a backup: %w", doing, s.path, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

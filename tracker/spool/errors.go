package spool

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Refusals of Append, beside *WriteError. The record was not taken and will not be delivered.
var (
	ErrFull     = errors.New("spool is full: its limit on disk is reached; see whether the sink takes batches, or raise the limit")
	ErrClosed   = errors.New("spool is closed")
	ErrTooLarge = errors.New("record is larger than the spool takes")
	ErrBusy     = errors.New("spool is busy: too many callers wait for the disk")
	ErrRemoved  = errors.New("the spool's directory was removed or unmounted under the running process: bring it back, or make it anew and restart")
	ErrStalled  = errors.New("spool is stalled: the disk does not answer")
)

// ErrEmpty says that nothing is there to deliver, where Next was asked not to wait.
var ErrEmpty = errors.New("spool is empty")

// ErrLocked says that another process has the directory.
var ErrLocked = errors.New("spool is in use by another process")

// WriteError says that the disk refused a record.
type WriteError struct {
	Op   string // "create", "write", "sync"
	Path string
	Err  error
}

func (e *WriteError) Error() string {
	return fmt.Sprintf("%s spool segment %s: %v: check the disk's space and health", e.Op, e.Path, e.Err)
}

func (e *WriteError) Unwrap() error { return e.Err }

// CorruptionError describes bytes that do not verify. The spool goes on behind them.
type CorruptionError struct {
	Op      string // what was being done: "read header", "read record", "read state"
	Path    string // file with the bytes
	Segment uint64 // number of the segment; 0 for the state
	Offset  int64  // of the first bad byte
	Hint    string // what an operator can do
}

func (e *CorruptionError) Error() string {
	return fmt.Sprintf("%s: corrupt bytes in %s (segment %d, offset %d): %s", e.Op, e.Path, e.Segment, e.Offset, e.Hint)
}

// reasons are the values of the label "reason", in the order of reasonIndex.
var reasons = [...]string{"full", "closed", "too_large", "busy", "stalled", "no_space", "sync_error", "write_error", "removed"}

func reasonIndex(err error) int {
	var w *WriteError
	switch {
	case errors.Is(err, ErrFull):
		return 0
	case errors.Is(err, ErrClosed):
		return 1
	case errors.Is(err, ErrTooLarge):
		return 2
	case errors.Is(err, ErrBusy):
		return 3
	case errors.Is(err, ErrStalled):
		return 4
	case errors.Is(err, ErrRemoved):
		return 8
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EDQUOT):
		return 5
	case errors.As(err, &w) && w.Op == "sync":
		return 6
	}
	return 7
}

// Reason names the reason of a refusal in a word of a bounded set, for a metric's label.
func Reason(err error) string { return reasons[reasonIndex(err)] }

package replay

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
)

// logStats counts the lines of a log. A malformed line is skipped, by every pass alike.
type logStats struct {
	Lines     int
	Malformed int
	Problems  []string // of the first malformed lines
}

const maxProblems = 5

// forEachLine streams the log at path (gzip is known by its first two bytes) and calls f with each well-formed line and
// its number, counted from 1 over all lines. It stops at the first error of f, after limit lines (0: no limit), or when ctx ends.
func forEachLine(ctx context.Context, path string, limit int, f func(n int, l *logLine) error) (logStats, error) {
	var stats logStats
	file, err := os.Open(path)
	if err != nil {
		return stats, fmt.Errorf("open log: %w", err)
	}
	defer file.Close()
	in, err := maybeGunzip(bufio.NewReaderSize(file, 1<<16))
	if err != nil {
		return stats, fmt.Errorf("open log %s: %w", path, err)
	}
	lines := bufio.NewReaderSize(in, maxLine+2)
	for limit == 0 || stats.Lines < limit {
		text, err := lines.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			err = skipLine(lines)
		}
		if len(text) == 0 && errors.Is(err, io.EOF) {
			return stats, nil
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return stats, fmt.Errorf("read log %s, line %d: %w", path, stats.Lines+1, err)
		}
		if err := ctx.Err(); err != nil {
			return stats, err
		}
		stats.Lines++
		l, parseErr := parseLine(string(text))
		if parseErr != nil {
			stats.Malformed++
			if len(stats.Problems) < maxProblems {
				stats.Problems = append(stats.Problems, fmt.Sprintf("line %d: %v", stats.Lines, parseErr))
			}
			continue
		}
		if err := f(stats.Lines, &l); err != nil {
			return stats, err
		}
	}
	return stats, nil
}

func maybeGunzip(r *bufio.Reader) (io.Reader, error) {
	magic, err := r.Peek(2)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if len(magic) == 2 && magic[0] == 0x1f && magic[1] == 0x8b {
		return gzip.NewReader(r)
	}
	return r, nil
}

// skipLine drops the rest of a line that is longer than the buffer.
func skipLine(r *bufio.Reader) error {
	for {
		_, err := r.ReadSlice('\n')
		if !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
}

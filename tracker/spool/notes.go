package spool

import (
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// The notes file holds what the consumer wrote down about the pending batch: one line a note, the checksum of the rest
// in hexadecimal, the batch's ID, the note. Lines about another batch are left over from one that is done with.
const (
	notesName     = "notes"
	maxNote       = 1 << 10  // bytes
	maxNotesBytes = 32 << 20 // enough to bisect the largest batch down to its last record
)

// ErrNotesFull says that a batch has as many notes as there may be.
var ErrNotesFull = errors.New("too many notes about one batch")

// notes is the notes file while the pending batch has notes; guarded by Spool.readMu.
type notes struct {
	file File
	size int64
}

// Note keeps a line of text with the pending batch, durably: the batch has it in Notes from then on, also when it comes
// again after a restart, until Ack. The consumer notes what it must not forget while it delivers a batch in parts.
func (s *Spool) Note(b *Batch, text string) error {
	s.readMu.Lock()
	defer s.readMu.Unlock()
	switch {
	case s.reader.closed:
		return ErrClosed
	case b == nil || b != s.reader.batch:
		return errors.New("note on batch: it is not the pending one")
	case len(text) > maxNote || strings.ContainsAny(text, "\r\n"):
		return fmt.Errorf("note on batch: it must be one line of at most %d bytes", maxNote)
	}
	n := &s.reader.notes
	if n.file == nil {
		if err := s.startNotes(b); err != nil {
			return fmt.Errorf("note on batch: %w", err)
		}
	}
	line := noteLine(b.ID, text)
	if n.size+int64(len(line)) > maxNotesBytes {
		return ErrNotesFull
	}
	// A failed attempt leaves bytes that the next one overwrites, or a tail that does not verify.
	if err := writeFull(n.file, line, n.size); err != nil {
		return fmt.Errorf("note on batch: %w", err)
	}
	if err := n.file.Sync(); err != nil {
		return fmt.Errorf("note on batch: %w", err)
	}
	n.size += int64(len(line))
	b.Notes = append(b.Notes, text)
	return nil
}

// startNotes begins the file with the notes that the batch already has.
func (s *Spool) startNotes(b *Batch) error {
	path := filepath.Join(s.opt.Dir, notesName)
	tmp := path + ".tmp"
	f, err := s.opt.OpenFile(tmp, os.O_RDWR|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return err
	}
	var have []byte
	for _, text := range b.Notes {
		have = append(have, noteLine(b.ID, text)...)
	}
	if err = writeFull(f, have, 0); err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = os.Rename(tmp, path)
	}
	if err == nil {
		err = syncDir(s.opt.Dir)
	}
	if err != nil {
		return errors.Join(err, f.Close())
	}
	s.reader.notes = notes{file: f, size: int64(len(have))}
	return nil
}

// endNotes lets go of the file; should its removal not reach the disk, the ID in it tells that it is out of date.
func (s *Spool) endNotes() {
	if f := s.reader.notes.file; f != nil {
		f.Close()
		os.Remove(filepath.Join(s.opt.Dir, notesName))
	}
	s.reader.notes = notes{}
}

func noteLine(id, text string) []byte {
	rest := id + " " + text
	return fmt.Appendf(nil, "%08x %s\n", crc32.Checksum([]byte(rest), castagnoli), rest)
}

// readNotes returns the notes on a batch, up to the first line that does not verify: behind a crash in the middle of a
// write nothing was noted.
func readNotes(dir, id string) ([]string, error) {
	b, err := os.ReadFile(filepath.Join(dir, notesName))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read notes: %w", err)
	}
	var found []string
	for line := range strings.Lines(string(b)) {
		sum, rest, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		want, err := strconv.ParseUint(sum, 16, 32)
		if !ok || err != nil || uint32(want) != crc32.Checksum([]byte(rest), castagnoli) || !strings.HasSuffix(line, "\n") {
			break
		}
		if about, text, ok := strings.Cut(rest, " "); ok && about == id {
			found = append(found, text)
		}
	}
	return found, nil
}

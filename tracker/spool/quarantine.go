package spool

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// quarantineDir holds what cannot be delivered, until an operator removes it. It counts against Options.MaxBytes.
const quarantineDir = "quarantine"

// recordsSuffix ends the name of a file of single records in quarantine.
const recordsSuffix = "-records.jsonl"

func (s *Spool) quarantinePath(name string) string {
	return filepath.Join(s.opt.Dir, quarantineDir, name)
}

func (s *Spool) noteCorruption(c *CorruptionError) {
	s.mu.Lock()
	s.counts.corruptions++
	s.corruption = c
	s.mu.Unlock()
	s.log.warn("corruption "+c.Op, "spool is damaged", "error", c)
}

// setAside moves a segment without a readable record into quarantine. One that holds nothing at all is removed: it was
// made by a run that ended before its first write.
func (s *Spool) setAside(seg *segment) error {
	if seg.end == 0 {
		return os.Remove(seg.path)
	}
	moved := s.quarantinePath(fmt.Sprintf("segment-%020d-header%s", seg.number, segmentExt))
	if err := os.Rename(seg.path, moved); err != nil {
		return fmt.Errorf("move unreadable segment away: %w", err)
	}
	if err := errors.Join(syncDir(filepath.Dir(moved)), syncDir(s.opt.Dir)); err != nil {
		return err
	}
	s.noteCorruption(&CorruptionError{Op: "read header", Path: moved, Segment: seg.number,
		Hint: "neither its header nor a record verifies: it is kept in quarantine"})
	return nil
}

// keepBad copies the bytes of a segment between two offsets into quarantine, durably.
func (s *Spool) keepBad(seg *segment, from, to int64) (err error) {
	path := s.quarantinePath(fmt.Sprintf("segment-%020d-offset-%012d.bad", seg.number, from))
	out, err := s.opt.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return fmt.Errorf("quarantine corrupt bytes: %w", err)
	}
	defer func() {
		if err = errors.Join(err, out.Close()); err != nil {
			err = fmt.Errorf("quarantine corrupt bytes: %w", err)
		}
	}()
	buf := make([]byte, min(to-from, scanStep))
	for off := from; off < to; {
		b := buf[:min(int64(len(buf)), to-off)]
		readHoles(s.reader.file, b, off)
		if err := writeFull(out, b, off-from); err != nil {
			return err
		}
		off += int64(len(b))
	}
	if err := out.Sync(); err != nil {
		return err
	}
	s.mu.Lock()
	s.quarBytes += to - from
	s.mu.Unlock()
	return syncDir(filepath.Dir(path))
}

// measureQuarantine counts what is in quarantine, also after an operator has made room there.
func (s *Spool) measureQuarantine() {
	entries, err := os.ReadDir(filepath.Join(s.opt.Dir, quarantineDir))
	if err != nil {
		return
	}
	var total int64
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			total += info.Size()
		}
	}
	s.mu.Lock()
	s.quarBytes = total
	s.mu.Unlock()
}

// poison is the file of the records of one batch that the consumer could not decode, or its sink refused.
type poison struct {
	file    File
	size    int64
	records map[int]bool
}

// setAsideRecord is a line of that file.
type setAsideRecord struct {
	Seq     uint64 `json:"seq"`
	Reason  string `json:"reason"`
	Payload string `json:"payload_base64"`
}

// Quarantine keeps one payload of the pending batch on disk, with the reason why it cannot be delivered, and counts it
// as quarantined instead of delivered. It becomes durable with Ack. Calling it again for the same payload does nothing.
func (s *Spool) Quarantine(b *Batch, index int, reason string) error {
	s.readMu.Lock()
	defer s.readMu.Unlock()
	if s.reader.closed {
		return ErrClosed
	}
	if b == nil || b != s.reader.batch || index < 0 || index >= len(b.Payloads) {
		return errors.New("quarantine record: it does not belong to the pending batch")
	}
	p := &s.reader.poison
	if p.records[index] {
		return nil
	}
	if p.file == nil {
		path := s.quarantinePath(recordsName(b.segment.number, b.firstSeq))
		f, err := s.opt.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC)
		if err != nil {
			return fmt.Errorf("quarantine record: %w", err)
		}
		*p = poison{file: f, records: make(map[int]bool)}
	}
	line, err := json.Marshal(setAsideRecord{b.seqs(index), reason, base64.StdEncoding.EncodeToString([]byte(b.Payloads[index]))})
	if err != nil {
		return fmt.Errorf("quarantine record: %w", err)
	}
	line = append(line, '\n')
	if err := writeFull(p.file, line, p.size); err != nil {
		return fmt.Errorf("quarantine record: %w", err)
	}
	p.size += int64(len(line))
	p.records[index] = true
	s.mu.Lock()
	s.counts.quarantined++
	s.skipped++
	s.quarBytes += int64(len(line))
	s.mu.Unlock()
	s.log.warn("quarantine", "a record cannot be delivered and is kept in quarantine: see edgeref tracker spool ls", "segment", b.segment.number,
		"seq", b.seqs(index), "reason", reason)
	return nil
}

// seal makes the file durable and closes it.
func (p *poison) seal(dir string) error {
	if p.file == nil {
		return nil
	}
	if err := p.file.Sync(); err != nil {
		return fmt.Errorf("sync quarantine: %w", err)
	}
	if err := syncDir(dir); err != nil {
		return err
	}
	err := p.file.Close()
	*p = poison{}
	return err
}

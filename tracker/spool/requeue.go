package spool

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Suffixes of what a requeue makes beside a file of records, in quarantine. They are the steps of an exchange that a
// crash may cut anywhere: see requeueFile.
const (
	preparedSuffix = ".prepared" // the new segment, before it becomes one
	restSuffix     = ".rest"     // the records that stay
	doneSuffix     = ".done"     // the file of records, once its exchange is decided
)

// Requeued is the result of a requeue of one file of records.
type Requeued struct {
	File     string
	Requeued int
	Kept     int  // records that good did not accept
	Pending  bool // the file belongs to the pending batch and was left alone
}

// Requeue puts the single records in quarantine that good accepts back into the queue, behind what is there, and leaves
// the others. It fails with ErrLocked while another process has the spool. A record that goes back is gone from
// quarantine, also if the process is killed in between: nothing comes twice. Files of damaged bytes stay as they are.
func Requeue(opt Options, good func(payload string) error) (done []Requeued, err error) {
	s, err := Open(opt)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.finishRequeue(); err != nil {
		return nil, fmt.Errorf("finish an earlier requeue: %w", err)
	}
	paths, err := filepath.Glob(s.quarantinePath("*" + recordsSuffix))
	if err != nil {
		return nil, fmt.Errorf("list quarantine: %w", err)
	}
	pending := pendingRecordsFile(opt.Dir)
	for _, path := range paths {
		if filepath.Base(path) == pending {
			done = append(done, Requeued{File: pending, Pending: true})
			continue
		}
		r, err := s.requeueFile(path, good)
		if err != nil {
			return done, fmt.Errorf("requeue %s: %w", path, err)
		}
		done = append(done, r)
	}
	s.measureQuarantine()
	return done, nil
}

// requeueFile exchanges a file of records for a segment and a file of what stays. The segment is prepared under another
// name; then the file is marked as done; then the segment gets its name, which puts its records into the queue; then
// the rest takes the file's place. So a prepared segment beside a marked file says that nothing has been queued, and a
// marked file alone that everything has.
func (s *Spool) requeueFile(path string, good func(string) error) (Requeued, error) {
	result := Requeued{File: filepath.Base(path)}
	var payloads []string
	var rest bytes.Buffer
	raw, err := os.ReadFile(path)
	if err != nil {
		return result, err
	}
	for line := range strings.Lines(string(raw)) {
		accepted := false
		if r, ok := parseRecord(line); ok && good(r.Payload) == nil {
			payloads, accepted = append(payloads, r.Payload), true
		}
		if !accepted {
			rest.WriteString(line)
			result.Kept++
		}
	}
	if len(payloads) == 0 {
		return result, nil
	}
	result.Requeued = len(payloads)
	dir := filepath.Dir(path)
	s.mu.Lock()
	number, first := s.nextNumber, s.nextSeq
	s.mu.Unlock()
	if err := s.prepare(path+preparedSuffix, number, first, payloads); err != nil {
		return result, err
	}
	if rest.Len() > 0 {
		if err := s.writeFile(path+restSuffix, rest.Bytes()); err != nil {
			return result, err
		}
	}
	for _, step := range []func() error{
		func() error { return syncDir(dir) },
		func() error { return os.Rename(path, path+doneSuffix) },
		func() error { return syncDir(dir) },
		func() error { return os.Rename(path+preparedSuffix, segmentPath(s.opt.Dir, number)) },
		func() error { return errors.Join(syncDir(s.opt.Dir), syncDir(dir)) },
		func() error { return s.takeRequeued(number) },
		func() error { return finishFile(path) },
	} {
		if err := step(); err != nil {
			return result, err
		}
	}
	return result, nil
}

// prepare writes a whole segment under another name.
func (s *Spool) prepare(path string, number, first uint64, payloads []string) error {
	longest := s.opt.MaxRecord
	for _, p := range payloads {
		longest = max(longest, len(p))
	}
	h := header{
		maxPayload: uint32(longest), identity: s.identity, number: number, firstSeq: first, createdMs: s.opt.Clock().UnixMilli(),
	}
	var records []byte
	for _, p := range payloads {
		records = appendUnsealed(records, []byte(p))
	}
	newCodec(h.identity, number, h.maxPayload).seal(records, first)
	return s.writeFile(path, append(h.append(nil), records...))
}

func (s *Spool) writeFile(path string, b []byte) error {
	f, err := s.opt.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return err
	}
	err = writeFull(f, b, 0)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// takeRequeued makes a segment that has just got its name part of the queue.
func (s *Spool) takeRequeued(number uint64) error {
	path := segmentPath(s.opt.Dir, number)
	seg, at, err := s.loadSegment(path, number, state{}, true)
	if err != nil {
		return err
	}
	if seg == nil {
		return fmt.Errorf("BUG: segment %s was requeued and cannot be read", path)
	}
	f, err := s.opt.OpenFile(path, os.O_RDONLY)
	if err != nil {
		return err
	}
	next := seg.codec.lastSeq(f, seg.start, seg.end, seg.firstSeq)
	if err := f.Close(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	seg.nextSeq = next
	s.segments = append(s.segments, seg)
	s.segBytes += seg.end
	s.ages.add(seg.firstSeq, at)
	s.counts.appended += next - s.nextSeq
	s.nextSeq, s.nextNumber = next, number+1
	return nil
}

// finishRequeue ends what a crash has cut: forward if the records are queued, else back.
func (s *Spool) finishRequeue() error {
	marked, err := filepath.Glob(s.quarantinePath("*" + recordsSuffix + doneSuffix))
	if err != nil {
		return err
	}
	for _, done := range marked {
		path := strings.TrimSuffix(done, doneSuffix)
		_, err := os.Stat(path + preparedSuffix)
		switch {
		case err == nil:
			err = os.Rename(done, path)
		case errors.Is(err, fs.ErrNotExist):
			err = finishFile(path)
		}
		if err != nil {
			return err
		}
	}
	for _, suffix := range []string{preparedSuffix, restSuffix} {
		left, err := filepath.Glob(s.quarantinePath("*" + recordsSuffix + suffix))
		if err != nil {
			return err
		}
		for _, path := range left {
			if err := os.Remove(path); err != nil {
				return err
			}
		}
	}
	return syncDir(s.quarantinePath(""))
}

// finishFile puts the rest in the place of a file whose records are queued.
func finishFile(path string) error {
	err := os.Rename(path+restSuffix, path)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, os.Remove(path+doneSuffix), syncDir(filepath.Dir(path)))
}

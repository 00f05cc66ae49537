package spool

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// maxLine bounds a line of a quarantine file: the longest payload in base64, and its reason.
const maxLine = 4 << 20

// QuarantinedRecord is one record in quarantine.
type QuarantinedRecord struct {
	File    string // name in the quarantine directory
	Seq     uint64
	Reason  string
	Payload string
	// Pending says that the record's batch is still being delivered, so that the record may yet be delivered.
	Pending bool
}

// SegmentInfo describes one segment on disk.
type SegmentInfo struct {
	Number    uint64
	Bytes     int64
	CreatedAt time.Time // zero if the header does not verify
	Pending   uint64    // good records that are not known to be delivered
	Damaged   bool      // something in it, before its end, does not verify
}

// QuarantineFile describes one file in quarantine.
type QuarantineFile struct {
	Name    string
	Bytes   int64
	Records int      // single records; the other files hold raw bytes
	Reasons []string // of those records, each once
}

// Listing is what a spool directory holds.
type Listing struct {
	Segments   []SegmentInfo
	Quarantine []QuarantineFile
	Pending    uint64 // records of all segments
}

// List describes the spool in dir. It only reads, and may run beside the process that has the spool: then it sees it at
// about one moment.
func List(dir string) (Listing, error) {
	var l Listing
	err := walk(dir, func(info SegmentInfo) { l.Segments = append(l.Segments, info); l.Pending += info.Pending }, nil)
	if err != nil {
		return Listing{}, err
	}
	files, err := os.ReadDir(filepath.Join(dir, quarantineDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Listing{}, fmt.Errorf("list quarantine: %w", err)
	}
	for _, f := range files {
		info, err := f.Info()
		if err != nil {
			continue // gone meanwhile
		}
		q := QuarantineFile{Name: f.Name(), Bytes: info.Size()}
		if strings.HasSuffix(f.Name(), recordsSuffix) {
			seen := map[string]bool{}
			if err := readRecords(filepath.Join(dir, quarantineDir, f.Name()), func(r QuarantinedRecord) error {
				if q.Records++; !seen[r.Reason] {
					seen[r.Reason], q.Reasons = true, append(q.Reasons, r.Reason)
				}
				return nil
			}); err != nil {
				return Listing{}, err
			}
		}
		l.Quarantine = append(l.Quarantine, q)
	}
	return l, nil
}

// Records calls each for every good record in dir that is not known to be delivered, oldest first. It only reads; see List.
func Records(dir string, each func(segment, seq uint64, payload string) error) error {
	return walk(dir, func(SegmentInfo) {}, each)
}

// walk reads the segments of dir.
func walk(dir string, segment func(SegmentInfo), each func(segment, seq uint64, payload string) error) error {
	numbers, err := segmentNumbers(dir)
	if err != nil {
		return err
	}
	st, _, err := readState(filepath.Join(dir, stateName))
	if err != nil && !errors.Is(err, errState) && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, number := range numbers {
		if number < st.pos.segment {
			continue
		}
		info, err := walkSegment(segmentPath(dir, number), number, st.pos, each)
		if errors.Is(err, fs.ErrNotExist) {
			continue // delivered meanwhile
		}
		if err != nil {
			return err
		}
		segment(info)
	}
	return nil
}

func walkSegment(path string, number uint64, pos position, each func(segment, seq uint64, payload string) error) (SegmentInfo, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return SegmentInfo{}, fmt.Errorf("read segment: %w", err)
	}
	info := SegmentInfo{Number: number, Bytes: int64(len(b))}
	h, err := parseHeader(b)
	if err != nil {
		info.Damaged = true
		return info, nil //nolint:nilerr // damage is what the listing is there to show
	}
	info.CreatedAt = time.UnixMilli(h.createdMs).UTC()
	c, off, seq := newCodec(h.identity, number, h.maxPayload), headerSize, h.firstSeq
	if pos.segment == number {
		off, seq = max(off, int(min(pos.offset, int64(len(b))))), max(seq, pos.seq)
	}
	for off < len(b) {
		start, failed := off, error(nil)
		n, used := c.run(b[off:], seq, math.MaxUint64, math.MaxInt, math.MaxInt, func(from, to int) {
			info.Pending++
			if each != nil && failed == nil {
				failed = each(number, seq, string(b[start+from:start+to]))
			}
			seq++
		})
		if failed != nil {
			return info, failed
		}
		if off += used; n > 0 {
			continue
		}
		next, nextSeq, ok := c.find(b, off, len(b), seq, seq+uint64(len(b)))
		if !ok {
			break // its end, or a record that is being written
		}
		info.Damaged, off, seq = true, next, nextSeq
	}
	return info, nil
}

// Quarantined calls each for every single record in dir's quarantine. It only reads; see List.
func Quarantined(dir string, each func(QuarantinedRecord) error) error {
	paths, err := filepath.Glob(filepath.Join(dir, quarantineDir, "*"+recordsSuffix))
	if err != nil {
		return fmt.Errorf("list quarantine: %w", err)
	}
	pending := pendingRecordsFile(dir)
	for _, path := range paths {
		if err := readRecords(path, func(r QuarantinedRecord) error {
			r.Pending = r.File == pending
			return each(r)
		}); err != nil {
			return err
		}
	}
	return nil
}

// pendingRecordsFile is the name of the file of records that belongs to the pending batch, "" if there is none.
func pendingRecordsFile(dir string) string {
	st, _, err := readState(filepath.Join(dir, stateName))
	if err != nil || st.pending == 0 {
		return ""
	}
	return recordsName(st.pos.segment, st.pos.seq)
}

func recordsName(segment, firstSeq uint64) string {
	return fmt.Sprintf("segment-%020d-seq-%020d"+recordsSuffix, segment, firstSeq)
}

// readRecords reads one file of records. What a crash has left of an incomplete last line is passed over: its batch
// had not been acknowledged.
func readRecords(path string, each func(QuarantinedRecord) error) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read quarantine: %w", err)
	}
	for line := range strings.Lines(string(b)) {
		r, ok := parseRecord(line)
		if !ok {
			continue
		}
		r.File = filepath.Base(path)
		if err := each(r); err != nil {
			return err
		}
	}
	return nil
}

// parseRecord reads one whole line.
func parseRecord(line string) (QuarantinedRecord, bool) {
	var r setAsideRecord
	if len(line) > maxLine || !strings.HasSuffix(line, "\n") || json.Unmarshal([]byte(line), &r) != nil {
		return QuarantinedRecord{}, false
	}
	payload, err := base64.StdEncoding.DecodeString(r.Payload)
	return QuarantinedRecord{Seq: r.Seq, Reason: r.Reason, Payload: string(payload)}, err == nil
}

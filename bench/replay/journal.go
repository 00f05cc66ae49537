package replay

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/edgeref/edgeref/wire/click"
)

// journalVersion is the form of the file; another one is refused.
const journalVersion = 1

// syncEvery bounds, in records, what a power failure can take from the journal. A crash of the process takes nothing
// that was written.
const syncEvery = 500

// journal remembers what was answered, so that a replay can go on after the tracker, or the replay, died. It is a file
// of JSON lines: a header, then one record for each answer, written after the answer came. It holds the postback
// secrets of the run's own programs and is readable by its owner alone. Methods are safe for concurrent use.
type journal struct {
	mu       sync.Mutex
	file     *os.File // nil: answers are kept in memory only
	unsynced int
	buf      bytes.Buffer
}

// header identifies the run that a journal belongs to.
type header struct {
	Version int
	Log     string // sum over the file's bytes
	Options fixedOptions
	World   *world
}

// fixedOptions may not change between the parts of one replay.
type fixedOptions struct {
	Convert, Concurrency, MaxLines int
	Started                        time.Time
}

// entry is one record. Exactly one of its parts is set.
type entry struct {
	Header *header     `json:"header,omitempty"`
	Click  *clickEntry `json:"click,omitempty"`
	Step   *stepEntry  `json:"step,omitempty"`
	// Unanswered are lines that may have been sent without an answer before this part of the replay began.
	Unanswered []int `json:"unanswered,omitempty"`
}

// clickEntry is the answer to a line. ID is zero where it held none.
type clickEntry struct {
	Line      int      `json:"line"`
	ID        click.ID `json:"id,omitzero"`
	Complaint string   `json:"complaint,omitempty"` // what was wrong with the answer
}

// stepEntry is the answer to a conversion event.
type stepEntry struct {
	Line      int    `json:"line"`
	Seq       int    `json:"seq"`
	At        int64  `json:"at"` // Unix ms on this machine's clock
	Complaint string `json:"complaint,omitempty"`
}

// progress is what a journal held when it was opened.
type progress struct {
	Header     *header
	Clicks     map[int]clickEntry
	Steps      map[[2]int]stepEntry // by line and seq
	Unanswered map[int]int          // line to how many times it may have been sent without an answer
}

func newProgress() *progress {
	return &progress{Clicks: map[int]clickEntry{}, Steps: map[[2]int]stepEntry{}, Unanswered: map[int]int{}}
}

// openJournal opens or creates the journal at path. A torn last record, which is one whose answer was being written
// when the replay died, is cut off.
func openJournal(path string) (*journal, *progress, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("open journal: %w", err)
	}
	p, size, err := readJournal(file)
	if err == nil {
		err = file.Truncate(size)
	}
	if err == nil {
		_, err = file.Seek(size, io.SeekStart)
	}
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("read journal %s: %w", path, err), file.Close())
	}
	return &journal{file: file}, p, nil
}

// readJournal returns the records and the size of the part of the file that holds whole ones.
func readJournal(r io.Reader) (*progress, int64, error) {
	p := newProgress()
	in := bufio.NewReader(r)
	var size int64
	for line := 1; ; line++ {
		text, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return p, size, nil // what is left has no newline: it was torn
		}
		if err != nil {
			return nil, 0, err
		}
		var e entry
		if err := json.Unmarshal(text, &e); err != nil {
			return nil, 0, fmt.Errorf("record %d is damaged (%w); start anew with another file", line, err)
		}
		if (line == 1) != (e.Header != nil) {
			return nil, 0, fmt.Errorf("record %d: not a replay's journal; name another file", line)
		}
		if err := p.add(&e); err != nil {
			return nil, 0, fmt.Errorf("record %d: %w", line, err)
		}
		size += int64(len(text))
	}
}

func (p *progress) add(e *entry) error {
	switch {
	case e.Header != nil:
		if e.Header.Version != journalVersion || e.Header.World == nil {
			return fmt.Errorf("version %d, want %d: it was written by another release", e.Header.Version, journalVersion)
		}
		p.Header = e.Header
	case e.Click != nil:
		p.Clicks[e.Click.Line] = *e.Click
	case e.Step != nil:
		p.Steps[[2]int{e.Step.Line, e.Step.Seq}] = *e.Step
	default:
		for _, n := range e.Unanswered {
			p.Unanswered[n]++
		}
	}
	return nil
}

// append writes one record; it is in the kernel when append returns.
func (j *journal) append(e entry) error {
	if j.file == nil {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.buf.Reset()
	if err := json.NewEncoder(&j.buf).Encode(e); err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	if _, err := j.file.Write(j.buf.Bytes()); err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	if j.unsynced++; j.unsynced < syncEvery && e.Header == nil && e.Unanswered == nil {
		return nil
	}
	j.unsynced = 0
	if err := j.file.Sync(); err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	return nil
}

func (j *journal) close() error {
	if j.file == nil {
		return nil
	}
	if err := errors.Join(j.file.Sync(), j.file.Close()); err != nil {
		return fmt.Errorf("close journal: %w", err)
	}
	return nil
}

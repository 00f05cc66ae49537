package links

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/edgeref/edgeref/wire/link"
)

// The snapshot file: snapshotMagic, then frames of kind (1 byte), length (4 bytes, little endian) and payload:
//
//	M  snapshotMeta as JSON, first and once
//	P  a link.Program as JSON
//	L  link records, one after the other, at most one chunk
//	E  CRC-32C of everything before it, the frame's own head included; the last
//
// A file without its E frame is torn. The last byte of the magic is the version of the format.
const (
	snapshotMagic = "EDGELNK\x01"
	frameHead     = 5
	maxFrame      = chunkSize
	crcSize       = 4

	frameMeta    = 'M'
	frameProgram = 'P'
	frameLinks   = 'L'
	frameEnd     = 'E'
)

// errSnapshot says that a file is not a whole snapshot of a version known here.
var errSnapshot = errors.New("not a whole link snapshot")

// snapshotMeta is what a snapshot holds besides links and programs.
type snapshotMeta struct {
	Feed     string `json:"feed"`
	Cursor   int64  `json:"cursor"`
	Complete bool   `json:"complete"`
	SavedAt  int64  `json:"saved_at"` // Unix ms
	Salts    []salt `json:"salts"`
}

// saveSnapshot replaces the file at path in one step and returns its size in bytes. It holds secrets, so only the owner
// may read it.
func saveSnapshot(path string, r *replica, salts []salt, now time.Time) (int64, error) {
	part := path + partSuffix
	if err := removeIfThere(part); err != nil {
		return 0, fmt.Errorf("remove unfinished link snapshot: %w", err)
	}
	f, err := os.OpenFile(part, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, fmt.Errorf("create link snapshot: %w", err)
	}
	n, err := writeSnapshot(f, r, salts, now)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(part, path)
	}
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	if err != nil {
		// What is left would keep secrets and salts on the disk past their time.
		return 0, fmt.Errorf("write link snapshot: %w", errors.Join(err, removeIfThere(part)))
	}
	return n, nil
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// frameWriter writes frames and keeps their checksum.
type frameWriter struct {
	w   *bufio.Writer
	crc hash.Hash32
	n   int64
	err error
}

func (w *frameWriter) write(b []byte) {
	if w.err == nil {
		w.crc.Write(b)
		_, w.err = w.w.Write(b)
		w.n += int64(len(b))
	}
}

func (w *frameWriter) head(kind byte, length int) {
	w.write(binary.LittleEndian.AppendUint32([]byte{kind}, uint32(length)))
}

func (w *frameWriter) frame(kind byte, payload []byte) {
	w.head(kind, len(payload))
	w.write(payload)
}

func (w *frameWriter) json(kind byte, v any) {
	b, err := json.Marshal(v)
	if err == nil && len(b) > maxFrame {
		err = fmt.Errorf("%d bytes in one frame", len(b))
	}
	w.err = errors.Join(w.err, err)
	w.frame(kind, b)
}

func writeSnapshot(to io.Writer, r *replica, salts []salt, now time.Time) (int64, error) {
	w := &frameWriter{w: bufio.NewWriterSize(to, 256<<10), crc: crc32.New(crc32.MakeTable(crc32.Castagnoli))}
	p := r.pin()
	defer p.release()
	w.write([]byte(snapshotMagic))
	w.json(frameMeta, snapshotMeta{
		Feed: p.at.feed, Cursor: p.at.cursor, Complete: p.at.complete, SavedAt: now.UnixMilli(), Salts: salts,
	})
	for _, program := range p.programs {
		w.json(frameProgram, &program.Program)
	}
	buf, more := p.chunk(make([]byte, 0, chunkSize), 0)
	for c := 1; more && w.err == nil; c++ {
		if len(buf) > 0 {
			w.frame(frameLinks, buf)
		}
		buf, more = p.chunk(buf[:0], c)
	}
	w.head(frameEnd, crcSize)
	w.write(w.crc.Sum(nil))
	if w.err == nil {
		w.err = w.w.Flush()
	}
	return w.n, w.err
}

// loadSnapshot fills an empty set. An error that wraps errSnapshot means that the file is corrupt; the set is then of
// no use.
func loadSnapshot(path string, set *linkSet) (meta snapshotMeta, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return snapshotMeta{}, 0, fmt.Errorf("open link snapshot: %w", err)
	}
	defer f.Close()
	r := newFrameReader(bufio.NewReaderSize(f, 256<<10))
	meta, err = readSnapshot(r, set)
	if err != nil {
		return snapshotMeta{}, r.n, fmt.Errorf("read link snapshot at byte %d: %w", r.n, err)
	}
	return meta, r.n, nil
}

// frameReader reads frames and keeps their checksum.
type frameReader struct {
	r   io.Reader
	crc hash.Hash32
	n   int64
	buf []byte
}

func newFrameReader(r io.Reader) *frameReader {
	return &frameReader{r: r, crc: crc32.New(crc32.MakeTable(crc32.Castagnoli))}
}

func (r *frameReader) read(n int) ([]byte, error) {
	if cap(r.buf) < n {
		r.buf = make([]byte, n)
	}
	b := r.buf[:n]
	got, err := io.ReadFull(r.r, b)
	r.n += int64(got)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fmt.Errorf("%w: it ends early", errSnapshot)
	}
	return b, err
}

func (r *frameReader) frame() (kind byte, payload []byte, err error) {
	head, err := r.read(frameHead)
	if err != nil {
		return 0, nil, err
	}
	r.crc.Write(head)
	kind, length := head[0], binary.LittleEndian.Uint32(head[1:])
	if length > maxFrame || kind == frameEnd && length != crcSize {
		return 0, nil, fmt.Errorf("%w: a frame of %d bytes", errSnapshot, length)
	}
	if payload, err = r.read(int(length)); err == nil && kind != frameEnd {
		r.crc.Write(payload)
	}
	return kind, payload, err
}

func readSnapshot(r *frameReader, set *linkSet) (meta snapshotMeta, err error) {
	magic, err := r.read(len(snapshotMagic))
	if err != nil {
		return meta, err
	}
	if string(magic) != snapshotMagic {
		return meta, fmt.Errorf("%w: unknown format or version", errSnapshot)
	}
	r.crc.Write(magic)
	for frames := 0; ; frames++ {
		kind, payload, err := r.frame()
		if err != nil {
			return meta, err
		}
		if (kind == frameMeta) != (frames == 0) {
			return meta, fmt.Errorf("%w: frame %q is out of order", errSnapshot, kind)
		}
		switch kind {
		case frameMeta:
			err = json.Unmarshal(payload, &meta)
		case frameProgram:
			var p link.Program
			if err = json.Unmarshal(payload, &p); err == nil && set.putProgram(&p) == putInvalid {
				err = errors.New("a program cannot be")
			}
		case frameLinks:
			err = readLinks(payload, set)
		case frameEnd:
			if string(payload) != string(r.crc.Sum(nil)) {
				return meta, fmt.Errorf("%w: checksum does not match", errSnapshot)
			}
			return meta, finishSnapshot(r, set, &meta)
		default:
			err = fmt.Errorf("unknown frame %q", kind)
		}
		if err != nil {
			return meta, fmt.Errorf("%w: %w", errSnapshot, err)
		}
	}
}

func readLinks(payload []byte, set *linkSet) error {
	for len(payload) > 0 {
		rec, rest, err := cutRecord(payload)
		if err != nil {
			return err
		}
		l := rec.link()
		set.putLink(&l, func(uint64) {})
		payload = rest
	}
	return nil
}

func finishSnapshot(r *frameReader, set *linkSet, meta *snapshotMeta) error {
	switch _, err := r.read(1); {
	case err == nil:
		return fmt.Errorf("%w: it goes on behind its end", errSnapshot)
	case !errors.Is(err, errSnapshot):
		return err
	}
	if meta.Cursor < 0 || meta.Feed == "" && (meta.Cursor != 0 || meta.Complete) {
		return fmt.Errorf("%w: position %q, %d", errSnapshot, meta.Feed, meta.Cursor)
	}
	set.feed, set.cursor, set.complete = meta.Feed, meta.Cursor, meta.Complete
	return nil
}

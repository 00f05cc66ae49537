package sqlite

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/edgeref/edgeref/wire/click"
)

// maxRows is the size of a full block. An index into a dictionary must fit 16 bits.
const maxRows = 8192

// errColumn says that the bytes of a column cannot be what this package wrote.
var errColumn = errors.New("malformed column")

// texts is a column of texts: each distinct one once, and for each row the index of its text.
type texts struct {
	dict   []string
	idx    []uint16
	lookup map[string]uint16 // of dict; nil until it is needed
}

// add appends a row. The text is kept by reference.
func (t *texts) add(s string) {
	if n := len(t.idx); n > 0 && t.dict[t.idx[n-1]] == s {
		t.idx = append(t.idx, t.idx[n-1])
		return
	}
	t.idx = append(t.idx, t.intern(s))
}

func (t *texts) intern(s string) uint16 {
	if t.lookup == nil {
		t.lookup = make(map[string]uint16, len(t.dict)+8)
		for i, known := range t.dict {
			t.lookup[known] = uint16(i)
		}
	}
	i, ok := t.lookup[s]
	if !ok {
		i = uint16(len(t.dict))
		t.dict = append(t.dict, s)
		t.lookup[s] = i
	}
	return i
}

// concat appends the rows of o.
func (t *texts) concat(o *texts) {
	moved := make([]uint16, len(o.dict))
	for i, s := range o.dict {
		moved[i] = t.intern(s)
	}
	for _, i := range o.idx {
		t.idx = append(t.idx, moved[i])
	}
}

func (t *texts) at(row int) string { return t.dict[t.idx[row]] }

// append encodes the column: the number of distinct texts (uvarint), each as length (uvarint) and bytes, then the
// indexes: nothing if there is one text, a byte each up to 256 texts, else two, little endian.
func (t *texts) append(dst []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(t.dict)))
	for _, s := range t.dict {
		dst = binary.AppendUvarint(dst, uint64(len(s)))
		dst = append(dst, s...)
	}
	switch {
	case len(t.dict) <= 1:
	case len(t.dict) <= 256:
		for _, i := range t.idx {
			dst = append(dst, byte(i))
		}
	default:
		for _, i := range t.idx {
			dst = binary.LittleEndian.AppendUint16(dst, i)
		}
	}
	return dst
}

// decode reads a column of n rows into t, whose memory it uses again. The texts are parts of one copy of src.
func (t *texts) decode(src []byte, n int) error {
	t.lookup, t.dict = nil, t.dict[:0]
	count, head := binary.Uvarint(src)
	if head <= 0 || count == 0 && n > 0 || count > uint64(n) || n > maxRows {
		return fmt.Errorf("%w: %d texts in %d rows", errColumn, count, n)
	}
	all, at := string(src), head
	for range count {
		size, used := binary.Uvarint(src[at:])
		if used <= 0 || size > uint64(len(src)-at-used) {
			return fmt.Errorf("%w: text %d is cut off", errColumn, len(t.dict))
		}
		at += used
		t.dict = append(t.dict, all[at:at+int(size)])
		at += int(size)
	}
	return t.decodeIndexes(src[at:], n)
}

func (t *texts) decodeIndexes(src []byte, n int) error {
	t.idx = slices.Grow(t.idx[:0], n)[:n]
	width := 2
	switch {
	case len(t.dict) <= 1:
		width = 0
		clear(t.idx)
	case len(t.dict) <= 256:
		width = 1
	}
	if len(src) != n*width {
		return fmt.Errorf("%w: %d bytes of indexes for %d rows of %d", errColumn, len(src), n, width)
	}
	highest := uint16(0)
	switch width {
	case 1:
		for i, b := range src {
			t.idx[i] = uint16(b)
			highest = max(highest, uint16(b))
		}
	case 2:
		for i := range t.idx {
			t.idx[i] = binary.LittleEndian.Uint16(src[2*i:])
			highest = max(highest, t.idx[i])
		}
	}
	if n > 0 && int(highest) >= len(t.dict) {
		return fmt.Errorf("%w: index %d of %d texts", errColumn, highest, len(t.dict))
	}
	return nil
}

func appendUint32s(dst []byte, values []uint32) []byte {
	for _, v := range values {
		dst = binary.LittleEndian.AppendUint32(dst, v)
	}
	return dst
}

func decodeUint32s(into []uint32, src []byte, n int) ([]uint32, error) {
	if len(src) != 4*n {
		return into, fmt.Errorf("%w: %d bytes for %d rows of 4", errColumn, len(src), n)
	}
	into = slices.Grow(into[:0], n)[:n]
	for i := range into {
		into[i] = binary.LittleEndian.Uint32(src[4*i:])
	}
	return into, nil
}

func appendUint64s(dst []byte, values []uint64) []byte {
	for _, v := range values {
		dst = binary.LittleEndian.AppendUint64(dst, v)
	}
	return dst
}

func decodeUint64s(into []uint64, src []byte, n int) ([]uint64, error) {
	if len(src) != 8*n {
		return into, fmt.Errorf("%w: %d bytes for %d rows of 8", errColumn, len(src), n)
	}
	into = slices.Grow(into[:0], n)[:n]
	for i := range into {
		into[i] = binary.LittleEndian.Uint64(src[8*i:])
	}
	return into, nil
}

func appendIDs(dst []byte, ids []click.ID) []byte {
	for i := range ids {
		dst = append(dst, ids[i][:]...)
	}
	return dst
}

func decodeIDs(into []click.ID, src []byte, n int) ([]click.ID, error) {
	if len(src) != click.IDSize*n {
		return into, fmt.Errorf("%w: %d bytes for %d rows of %d", errColumn, len(src), n, click.IDSize)
	}
	into = slices.Grow(into[:0], n)[:n]
	for i := range into {
		copy(into[i][:], src[click.IDSize*i:])
	}
	return into, nil
}

// appendInts encodes signed numbers as zigzag varints.
func appendInts(dst []byte, values []int64) []byte {
	for _, v := range values {
		dst = binary.AppendVarint(dst, v)
	}
	return dst
}

func decodeInts(into []int64, src []byte, n int) ([]int64, error) {
	into = into[:0]
	for range n {
		v, used := binary.Varint(src)
		if used <= 0 {
			return into, fmt.Errorf("%w: number %d is cut off", errColumn, len(into))
		}
		into, src = append(into, v), src[used:]
	}
	if len(src) > 0 {
		return into, fmt.Errorf("%w: %d bytes too many", errColumn, len(src))
	}
	return into, nil
}

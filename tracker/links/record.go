package links

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/edgeref/edgeref/wire/link"
)

// Layout of a record, little endian, the same in the arena and in the snapshot:
//
//	 0..7  link id
//	 8..15 affiliate id
//	16..23 program id
//	24..31 expires at, Unix ms
//	32..39 revision
//	40..41 length of the destination
//	42     length of the slug
//	43     1 if the link is active
//	44..   slug, destination
const (
	recordHead     = 44
	maxDestination = 1<<16 - 1 // bytes
	maxRecord      = recordHead + link.MaxSlug + maxDestination
)

var errRecord = errors.New("malformed link record")

// record is one encoded link. It may be longer than the link; size says where the link ends.
type record []byte

func (r record) id() int64      { return int64(binary.LittleEndian.Uint64(r)) }
func (r record) rev() int64     { return int64(binary.LittleEndian.Uint64(r[32:])) }
func (r record) destLen() int   { return int(binary.LittleEndian.Uint16(r[40:])) }
func (r record) slugLen() int   { return int(r[42]) }
func (r record) size() int      { return recordHead + r.slugLen() + r.destLen() }
func (r record) slug() []byte   { return r[recordHead : recordHead+r.slugLen()] }
func (r record) program() int64 { return int64(binary.LittleEndian.Uint64(r[16:])) }

// link decodes a copy.
func (r record) link() link.Link {
	text := string(r[recordHead:r.size()])
	l := link.Link{
		ID:          r.id(),
		AffiliateID: int64(binary.LittleEndian.Uint64(r[8:])),
		ProgramID:   r.program(),
		ExpiresAt:   int64(binary.LittleEndian.Uint64(r[24:])),
		Rev:         r.rev(),
		Slug:        text[:r.slugLen()],
		Destination: text[r.slugLen():],
		State:       link.Disabled,
	}
	if r[43] == 1 {
		l.State = link.Active
	}
	return l
}

// appendRecord encodes l. A state that is not known here counts as disabled: what a newer core means by it is not to be
// guessed. The error wraps errRecord.
func appendRecord(dst []byte, l *link.Link) ([]byte, error) {
	switch {
	case l.ID <= 0 || l.Rev < 0:
		return dst, fmt.Errorf("%w: id %d, revision %d", errRecord, l.ID, l.Rev)
	case l.Slug == "" || len(l.Slug) > link.MaxSlug:
		return dst, fmt.Errorf("%w: slug of %d bytes", errRecord, len(l.Slug))
	case len(l.Destination) > maxDestination:
		return dst, fmt.Errorf("%w: destination of %d bytes", errRecord, len(l.Destination))
	}
	active := byte(0)
	if l.State == link.Active {
		active = 1
	}
	for _, v := range [...]int64{l.ID, l.AffiliateID, l.ProgramID, l.ExpiresAt, l.Rev} {
		dst = binary.LittleEndian.AppendUint64(dst, uint64(v))
	}
	dst = binary.LittleEndian.AppendUint16(dst, uint16(len(l.Destination)))
	dst = append(dst, byte(len(l.Slug)), active)
	dst = append(dst, l.Slug...)
	return append(dst, l.Destination...), nil
}

// cutRecord takes the first record off b, checked.
func cutRecord(b []byte) (record, []byte, error) {
	if len(b) < recordHead {
		return nil, nil, fmt.Errorf("%w: %d bytes", errRecord, len(b))
	}
	r := record(b)
	if n := r.slugLen(); n == 0 || n > link.MaxSlug || r.id() <= 0 || r.rev() < 0 || r[43] > 1 || r.size() > len(b) {
		return nil, nil, fmt.Errorf("%w: impossible field", errRecord)
	}
	return r[:r.size():r.size()], b[r.size():], nil
}

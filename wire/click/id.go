package click

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// Layout of an ID, big endian. The version comes first and the time second, so IDs of one version sort by time, in
// bytes and in text (the alphabet ascends in ASCII).
//
//	 0     version
//	 1..6  time, Unix milliseconds
//	 7..8  node
//	 9..16 random
//	17..24 link
//	25..32 affiliate
//	33     key id
//	34..44 HMAC-SHA256 over bytes 0..33, first 88 bits
const (
	// IDSize is the size of an ID in bytes.
	IDSize = 45
	// IDTextLen is the length of an ID as text, in characters.
	IDTextLen = 60

	idVersion  = 0x41 // 0x40 | 1: the text begins with a letter
	signedLen  = 34
	macLen     = IDSize - signedLen
	maxIDMilli = 1<<48 - 1
)

// ErrMalformed says that a text cannot be a Click ID, whatever the keys.
var ErrMalformed = errors.New("malformed click id")

// text is URL-safe base64 with an alphabet in ASCII order.
var text = base64.NewEncoding("-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz").
	WithPadding(base64.NoPadding).Strict()

// ID identifies a click and proves that a tracker holding the key made it: see Keyring. The zero ID means "no click".
type ID [IDSize]byte

// IsZero reports whether id is the zero ID.
func (id ID) IsZero() bool { return id == ID{} }

// UnixMilli is the time of the click in Unix milliseconds.
func (id ID) UnixMilli() int64 {
	return int64(binary.BigEndian.Uint64(id[0:8])>>8) & maxIDMilli
}

// Time is the time of the click, UTC, to the millisecond.
func (id ID) Time() time.Time { return time.UnixMilli(id.UnixMilli()).UTC() }

// Node is the number of the edge node that answered the click.
func (id ID) Node() uint16 { return binary.BigEndian.Uint16(id[7:9]) }

// LinkID is the link that was followed.
func (id ID) LinkID() int64 { return int64(binary.BigEndian.Uint64(id[17:25])) }

// AffiliateID is the affiliate who owned the link at that time.
func (id ID) AffiliateID() int64 { return int64(binary.BigEndian.Uint64(id[25:33])) }

// KeyID is the id of the key that signed.
func (id ID) KeyID() uint8 { return id[33] }

// AppendText appends the 60 URL-safe characters of id to dst.
func (id ID) AppendText(dst []byte) ([]byte, error) { return id.Append(dst), nil }

// Append is AppendText without the error that it never returns.
func (id *ID) Append(dst []byte) []byte { return text.AppendEncode(dst, id[:]) }

// String is the text form.
func (id ID) String() string { return string(id.Append(make([]byte, 0, IDTextLen))) }

// MarshalText implements encoding.TextMarshaler; the zero ID is the empty text.
func (id ID) MarshalText() ([]byte, error) {
	if id.IsZero() {
		return []byte{}, nil
	}
	return id.AppendText(make([]byte, 0, IDTextLen))
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (id *ID) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*id = ID{}
		return nil
	}
	parsed, err := ParseID(b)
	if err == nil {
		*id = parsed
	}
	return err
}

// ParseID reads the text form. It checks the form alone; only Keyring.Verify says whether the click is real.
// The error wraps ErrMalformed.
func ParseID[T ~string | ~[]byte](s T) (ID, error) {
	var id ID
	if len(s) != IDTextLen {
		return ID{}, fmt.Errorf("%w: %d characters, want %d", ErrMalformed, len(s), IDTextLen)
	}
	// The decoder skips line breaks, which would make two texts of one ID.
	var buf [IDTextLen]byte
	copy(buf[:], s)
	for _, c := range buf {
		if c == '\r' || c == '\n' {
			return ID{}, fmt.Errorf("%w: line break", ErrMalformed)
		}
	}
	if n, err := text.Decode(id[:], buf[:]); err != nil || n != IDSize {
		return ID{}, fmt.Errorf("%w: not in the URL-safe alphabet", ErrMalformed)
	}
	if id[0] != idVersion {
		return ID{}, fmt.Errorf("%w: unknown version %#x", ErrMalformed, id[0])
	}
	return id, nil
}

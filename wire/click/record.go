// Package click defines what a click is wherever it goes: its record, its compact encoding and its signed ID.
// It is a leaf: tracker, core and analytics may all import it.
package click

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
)

// MaxField is the longest text field of a record, in bytes. Append cuts what is longer.
const MaxField = 1024

// BotReason says why a click is not taken for a person's. Such clicks are labelled, never dropped.
type BotReason string

// Reasons, in order of precedence: the first that applies is recorded.
const (
	NotBot      BotReason = ""
	BotCrawler  BotReason = "crawler"       // the user agent is on the crawler list
	BotNoAgent  BotReason = "no_user_agent" // no User-Agent header
	BotPrefetch BotReason = "prefetch"      // Sec-Purpose or Purpose: prefetch
	BotHead     BotReason = "head"          // HEAD request
)

// Record is one click. Time, link, affiliate and node are in its ID.
//
// Text fields may be views of a buffer that the record does not own: of the request while a tracker builds it, of the
// encoded form after Parse. A record that outlives that buffer must be cloned first.
type Record struct {
	ID        ID
	ProgramID int64

	Sub [5]string // sub1..sub5

	GCLID, FBCLID, TTCLID, MSCLKID                         string // advertising networks' own click ids
	UTMSource, UTMMedium, UTMCampaign, UTMTerm, UTMContent string
	ReferrerHost, ReferrerPath                             string // lower-case host without port; path without query
	UserAgent                                              string // raw; only between the edge and its own spool, never stored
	Browser, OS, Device                                    string // families, derived from UserAgent
	Country                                                string // ISO 3166-1 alpha-2 as Cloudflare gives it; XX unknown, T1 Tor
	Language                                               string // primary subtag of the first Accept-Language range, as "en"
	Network                                                string // client address cut to /24 or /48, as "203.0.113.0/24"
	Bot                                                    BotReason
	Visitor                                                uint64 // daily-salted hash of client address and user agent
}

// recordVersion is the first byte of an encoded record.
const recordVersion = 1

// ErrRecord says that bytes are not an encoded record.
var ErrRecord = errors.New("malformed click record")

// textFields is the number of text fields and, with text, their order in the encoding.
const textFields = 24

func (r *Record) text() [textFields]*string {
	return [textFields]*string{
		&r.Sub[0], &r.Sub[1], &r.Sub[2], &r.Sub[3], &r.Sub[4],
		&r.GCLID, &r.FBCLID, &r.TTCLID, &r.MSCLKID,
		&r.UTMSource, &r.UTMMedium, &r.UTMCampaign, &r.UTMTerm, &r.UTMContent,
		&r.ReferrerHost, &r.ReferrerPath, &r.UserAgent,
		&r.Browser, &r.OS, &r.Device,
		&r.Country, &r.Language, &r.Network,
		(*string)(&r.Bot),
	}
}

// Append appends the encoding of r to dst: version, ID, visitor (8 bytes, big endian), program (uvarint), then each
// text field as uvarint length and bytes. It does not allocate if dst has room.
func (r *Record) Append(dst []byte) []byte {
	dst = append(dst, recordVersion)
	dst = append(dst, r.ID[:]...)
	dst = binary.BigEndian.AppendUint64(dst, r.Visitor)
	dst = binary.AppendUvarint(dst, uint64(r.ProgramID))
	for _, f := range r.text() {
		s := *f
		if len(s) > MaxField {
			s = s[:MaxField]
		}
		dst = binary.AppendUvarint(dst, uint64(len(s)))
		dst = append(dst, s...)
	}
	return dst
}

// Parse decodes one record that fills src. Its text fields are substrings of src: nothing is copied, and src stays
// alive as long as they do. The error wraps ErrRecord.
func Parse(src string) (Record, error) {
	var r Record
	const head = 1 + IDSize + 8
	if len(src) < head {
		return Record{}, fmt.Errorf("%w: %d bytes", ErrRecord, len(src))
	}
	if src[0] != recordVersion {
		return Record{}, fmt.Errorf("%w: unknown version %d", ErrRecord, src[0])
	}
	copy(r.ID[:], src[1:])
	for _, c := range []byte(src[1+IDSize : head]) {
		r.Visitor = r.Visitor<<8 | uint64(c)
	}
	rest := src[head:]
	program, rest, ok := uvarint(rest)
	if !ok {
		return Record{}, fmt.Errorf("%w: program", ErrRecord)
	}
	r.ProgramID = int64(program)
	for i, f := range r.text() {
		var n uint64
		n, rest, ok = uvarint(rest)
		if !ok || n > MaxField || n > uint64(len(rest)) {
			return Record{}, fmt.Errorf("%w: text field %d", ErrRecord, i)
		}
		*f, rest = rest[:n], rest[n:]
	}
	if rest != "" {
		return Record{}, fmt.Errorf("%w: %d bytes too many", ErrRecord, len(rest))
	}
	return r, nil
}

// uvarint reads the shortest form only, so that a record has one encoding.
func uvarint(s string) (uint64, string, bool) {
	var v uint64
	for i := range min(len(s), binary.MaxVarintLen64) {
		c := s[i]
		if i == binary.MaxVarintLen64-1 && c > 1 {
			return 0, s, false
		}
		v |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			return v, s[i+1:], c != 0 || i == 0
		}
	}
	return 0, s, false
}

// AppendNetwork appends addr cut to /24 (IPv4, also when mapped into IPv6) or /48, in text. An invalid address adds nothing.
func AppendNetwork(dst []byte, addr netip.Addr) []byte {
	addr = addr.Unmap().WithZone("")
	bits := 48
	if addr.Is4() {
		bits = 24
	}
	prefix, err := addr.Prefix(bits)
	if err != nil {
		return dst
	}
	return prefix.AppendTo(dst)
}

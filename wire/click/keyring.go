package click

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"time"
)

// minKeyLen is in bytes; HMAC gains nothing from a key shorter than its security level (RFC 2104, section 3).
const minKeyLen = 16

// Errors of Verify. Both mean that no tracker of ours made the ID, or that its key has been retired.
var (
	ErrForged     = errors.New("click id: signature does not match")
	ErrUnknownKey = errors.New("click id: signed with an unknown key")
)

// Key is one signing secret. IDs carry the key's id, so that keys can rotate: add the new key to every verifier,
// then put it first on the trackers, and drop the old one when its clicks are outside every attribution window.
type Key struct {
	ID     uint8
	Secret []byte // at least 16 bytes
}

// ParseKey reads "id:base64", the form in which the configuration holds a key.
func ParseKey(s string) (Key, error) {
	id, secret, ok := strings.Cut(s, ":")
	if !ok {
		return Key{}, errors.New("click key: want id:base64, as in 1:c2VjcmV0")
	}
	n, err := strconv.ParseUint(id, 10, 8)
	if err != nil {
		return Key{}, errors.New("click key: the id before ':' must be 0 to 255")
	}
	raw, err := base64.StdEncoding.DecodeString(secret)
	if err != nil {
		return Key{}, errors.New("click key: the part after ':' is not base64")
	}
	return Key{ID: uint8(n), Secret: raw}, nil
}

// Keyring makes and verifies IDs. It is safe for concurrent use and does not allocate in steady state.
type Keyring struct {
	sign uint8
	macs [256]*sync.Pool // of *mac, nil where there is no key
}

// mac keeps input and output beside the hash: slices passed through hash.Hash escape, and an ID on the stack would too.
type mac struct {
	hash hash.Hash
	in   [signedLen]byte
	out  [sha256.Size]byte
}

// NewKeyring returns a keyring that signs with the first key and verifies with all.
func NewKeyring(keys ...Key) (*Keyring, error) {
	if len(keys) == 0 {
		return nil, errors.New("click keys: at least one key is needed")
	}
	k := &Keyring{sign: keys[0].ID}
	for _, key := range keys {
		if len(key.Secret) < minKeyLen {
			return nil, fmt.Errorf("click key %d: secret has %d bytes, at least %d are needed", key.ID, len(key.Secret), minKeyLen)
		}
		if k.macs[key.ID] != nil {
			return nil, fmt.Errorf("click keys: id %d is used twice", key.ID)
		}
		secret := append([]byte(nil), key.Secret...)
		k.macs[key.ID] = &sync.Pool{New: func() any { return &mac{hash: hmac.New(sha256.New, secret)} }}
	}
	return k, nil
}

// Mint makes the ID of a click that happens at now, on node, through a link of an affiliate.
// Its 64 random bits keep IDs apart that share node and millisecond.
func (k *Keyring) Mint(now time.Time, node uint16, linkID, affiliateID int64) ID {
	var id ID
	binary.BigEndian.PutUint64(id[0:8], uint64(now.UnixMilli()&maxIDMilli)<<8)
	id[0] = idVersion
	binary.BigEndian.PutUint16(id[7:9], node)
	binary.BigEndian.PutUint64(id[9:17], rand.Uint64())
	binary.BigEndian.PutUint64(id[17:25], uint64(linkID))
	binary.BigEndian.PutUint64(id[25:33], uint64(affiliateID))
	id[33] = k.sign
	k.mac(k.macs[k.sign], id[:signedLen], id[signedLen:])
	return id
}

// Verify returns nil if one of the keys signed id, else ErrForged or ErrUnknownKey.
func (k *Keyring) Verify(id ID) error {
	pool := k.macs[id.KeyID()]
	if pool == nil {
		return ErrUnknownKey
	}
	var want [macLen]byte
	k.mac(pool, id[:signedLen], want[:])
	if subtle.ConstantTimeCompare(want[:], id[signedLen:]) != 1 {
		return ErrForged
	}
	return nil
}

// ParseVerified parses s and verifies the ID in one step.
func ParseVerified[T ~string | ~[]byte](k *Keyring, s T) (ID, error) {
	id, err := ParseID(s)
	if err != nil {
		return ID{}, err
	}
	if err := k.Verify(id); err != nil {
		return ID{}, err
	}
	return id, nil
}

func (k *Keyring) mac(pool *sync.Pool, msg, dst []byte) {
	m := pool.Get().(*mac)
	copy(m.in[:], msg)
	m.hash.Reset()
	m.hash.Write(m.in[:])
	copy(dst, m.hash.Sum(m.out[:0]))
	pool.Put(m)
}

// Package secret encrypts what must be kept and must not be read by whoever reads the database: payout methods, signing
// secrets, second factors, mails with links that open an account.
package secret

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/edgeref/edgeref/core/db"
)

const (
	keyLen = 32 // bytes: AES-256
	// maxID bounds the id of a key, in bytes.
	maxID = 16
	// proof is what Prove seals.
	proof     = "edgeref"
	proofName = "encryption_proof"
)

// Errors of this package.
var (
	// ErrUnknownKey says that a text was sealed with a key that is not in the ring.
	ErrUnknownKey = errors.New("sealed with a key that is not configured (setting core.encryption_keys)")
	// ErrDamaged says that a text was not sealed by us, was changed, or belongs elsewhere.
	ErrDamaged = errors.New("sealed text is damaged, or is not the one that belongs here")
)

// Ring seals with its newest key and opens with all. It is safe for concurrent use.
type Ring struct {
	first string
	aeads map[string]cipher.AEAD
}

// NewRing returns a ring of keys in the form "id:base64" of 32 random bytes, the one that seals first. An id has at most
// 16 of A-Z, a-z, 0-9, - and _, and must never be given to another key: sealed texts name it. Errors hold no key.
func NewRing(keys []string) (*Ring, error) {
	r := &Ring{aeads: make(map[string]cipher.AEAD, len(keys))}
	for i, text := range keys {
		id, encoded, ok := strings.Cut(text, ":")
		if !ok || !validID(id) {
			return nil, fmt.Errorf("encryption key %d: want id:base64, with an id of at most %d letters and digits", i+1, maxID)
		}
		key, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil || len(key) != keyLen {
			return nil, fmt.Errorf("encryption key %s: the part after ':' must be base64 of %d bytes", id, keyLen)
		}
		if r.aeads[id] != nil {
			return nil, fmt.Errorf("encryption keys: the id %s is used twice", id)
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, fmt.Errorf("encryption key %s: %w", id, err)
		}
		if r.aeads[id], err = cipher.NewGCM(block); err != nil {
			return nil, fmt.Errorf("encryption key %s: %w", id, err)
		}
		if i == 0 {
			r.first = id
		}
	}
	if r.first == "" {
		return nil, errors.New("encryption keys: at least one is needed")
	}
	return r, nil
}

// NewKey returns a random key in the form that NewRing takes.
func NewKey(id string) string {
	var b [keyLen]byte
	_, _ = rand.Read(b[:]) // never fails
	return id + ":" + base64.StdEncoding.EncodeToString(b[:])
}

func validID(id string) bool {
	for _, c := range []byte(id) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return id != "" && len(id) <= maxID
}

// Seal encrypts plain. context says where the text belongs, as "webhook 17": it is not part of the result, must be given to
// Open again, and so keeps a sealed text from being moved to another row or column. The result is ASCII, at most 54 bytes
// longer than 4/3 of plain.
func (r *Ring) Seal(plain, context []byte) (string, error) {
	aead := r.aeads[r.first]
	nonce := make([]byte, aead.NonceSize(), aead.NonceSize()+len(plain)+aead.Overhead())
	_, _ = rand.Read(nonce) // never fails
	return r.first + ":" + base64.RawStdEncoding.EncodeToString(aead.Seal(nonce, nonce, plain, bind(r.first, context))), nil
}

// Open decrypts what Seal made with the same context. Errors: ErrUnknownKey, ErrDamaged.
func (r *Ring) Open(sealed string, context []byte) ([]byte, error) {
	id, encoded, ok := strings.Cut(sealed, ":")
	if !ok || !validID(id) {
		return nil, ErrDamaged
	}
	aead := r.aeads[id]
	if aead == nil {
		return nil, fmt.Errorf("key %s: %w", id, ErrUnknownKey)
	}
	raw, err := base64.RawStdEncoding.Strict().DecodeString(encoded)
	if err != nil || len(raw) < aead.NonceSize() {
		return nil, ErrDamaged
	}
	plain, err := aead.Open(nil, raw[:aead.NonceSize()], raw[aead.NonceSize():], bind(id, context))
	if err != nil {
		return nil, ErrDamaged
	}
	return plain, nil
}

// Reseal encrypts a sealed text anew with the newest key; changed is false where it is that already.
func (r *Ring) Reseal(sealed string, context []byte) (text string, changed bool, err error) {
	if strings.HasPrefix(sealed, r.first+":") {
		return sealed, false, nil
	}
	plain, err := r.Open(sealed, context)
	if err != nil {
		return "", false, err
	}
	text, err = r.Seal(plain, context)
	return text, err == nil, err
}

// bind makes the additional data: the key's id cannot be exchanged either.
func bind(id string, context []byte) []byte {
	return append([]byte(id+"\x00"), context...)
}

// Prove fails unless this ring can open what the database was first used with: a core with other keys would store what
// no other can read. On a database without a proof it leaves one; one that an older key sealed it seals anew, so that
// an older key is only needed as long as something else is sealed with it.
func (r *Ring) Prove(ctx context.Context, d *db.DB) error {
	err := d.InTx(ctx, func(tx *db.Tx) error {
		fresh, err := r.Seal([]byte(proof), []byte(proofName))
		if err != nil {
			return err
		}
		made, err := tx.TryInsert(ctx, "INSERT INTO meta (name, value) VALUES (?, ?)", proofName, fresh)
		if err != nil || made {
			return err
		}
		var kept string
		if err := tx.QueryRow(ctx, "SELECT value FROM meta WHERE name = ?"+tx.Dialect().ForUpdate(), proofName).Scan(&kept); err != nil {
			return err
		}
		text, changed, err := r.Reseal(kept, []byte(proofName))
		if err != nil {
			return err
		}
		if strings.HasPrefix(kept, r.first+":") { // Reseal did not look: the id may be ours, and the key another
			if _, err := r.Open(kept, []byte(proofName)); err != nil {
				return err
			}
		}
		if !changed {
			return nil
		}
		_, err = tx.Exec(ctx, "UPDATE meta SET value = ? WHERE name = ?", text, proofName)
		return err
	})
	if errors.Is(err, ErrUnknownKey) || errors.Is(err, ErrDamaged) {
		return fmt.Errorf("the encryption keys are not those of this database: restore secrets.yaml from a backup, or set core.encryption_keys to the same on every core: %w", err)
	}
	if err != nil {
		return fmt.Errorf("prove encryption keys: %w", err)
	}
	return nil
}

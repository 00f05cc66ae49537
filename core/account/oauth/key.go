package oauth

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"strconv"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/ident"
)

// Keys that sign ID tokens are in the database, sealed, so that every core signs and verifies with the same. A new one
// is made every keyAge; an old one still verifies for as long again, because clients may hold what it signed.
const (
	keyBits            = 2048
	keyAge             = 90 * 24 * time.Hour
	keysStay           = time.Minute                      // how old the list of keys may be in memory
	signatureAlgorithm = jose.SignatureAlgorithm("RS256") // which every client of OpenID Connect must know
)

// signingKey is one key. It never changes.
type signingKey struct {
	id      int64
	private *rsa.PrivateKey
	created int64 // Unix ms
}

func (k signingKey) SignatureAlgorithm() jose.SignatureAlgorithm { return signatureAlgorithm }
func (k signingKey) Key() any                                    { return k.private }
func (k signingKey) ID() string                                  { return ident.Format("key", k.id) }

// publicKey is the half that clients get.
type publicKey struct{ k signingKey }

func (p publicKey) ID() string                         { return p.k.ID() }
func (p publicKey) Algorithm() jose.SignatureAlgorithm { return signatureAlgorithm }
func (p publicKey) Use() string                        { return "sig" }
func (p publicKey) Key() any                           { return &p.k.private.PublicKey }

// signingKeys returns the keys, the one that signs first. It makes one where there is none, or the newest is old.
func (s *Service) signingKeys(ctx context.Context) ([]signingKey, error) {
	s.keyMu.Lock()
	defer s.keyMu.Unlock()
	now := s.now()
	if len(s.keys) > 0 && now.Sub(s.keyAt) < keysStay && now.UnixMilli()-s.keys[0].created < keyAge.Milliseconds() {
		return s.keys, nil
	}
	keys, err := s.readKeys(ctx, s.db, now)
	if err != nil {
		return nil, err
	}
	if len(keys) == 0 || now.UnixMilli()-keys[0].created >= keyAge.Milliseconds() {
		if keys, err = s.makeKey(ctx, now); err != nil {
			return nil, err
		}
	}
	s.keys, s.keyAt = keys, now
	return keys, nil
}

func keyContext(id int64) []byte { return []byte("oauth key " + strconv.FormatInt(id, 10)) }

func (s *Service) readKeys(ctx context.Context, q db.Querier, now time.Time) (keys []signingKey, err error) {
	rows, err := q.Query(ctx, "SELECT id, private_key, created_at FROM oauth_keys WHERE created_at > ? ORDER BY id DESC LIMIT 10", now.Add(-2*keyAge).UnixMilli())
	if err != nil {
		return nil, fmt.Errorf("read signing keys: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var k signingKey
		var sealed string
		if err := rows.Scan(&k.id, &sealed, &k.created); err != nil {
			return nil, fmt.Errorf("read signing keys: %w", err)
		}
		der, err := s.ring.Open(sealed, keyContext(k.id))
		if err != nil {
			return nil, fmt.Errorf("open signing key: %w", err)
		}
		parsed, err := x509.ParsePKCS8PrivateKey(der)
		if err != nil {
			return nil, fmt.Errorf("parse signing key: %w", err)
		}
		private, ok := parsed.(*rsa.PrivateKey)
		if !ok {
			return nil, errors.New("parse signing key: it is not an RSA key")
		}
		k.private = private
		keys = append(keys, k)
	}
	return keys, rows.Err()
}

// makeKey makes a key, unless another core has made one meanwhile, and returns all. Two that are made at once do no
// harm: both are published.
func (s *Service) makeKey(ctx context.Context, now time.Time) (keys []signingKey, err error) {
	private, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return nil, fmt.Errorf("make signing key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, fmt.Errorf("make signing key: %w", err)
	}
	id := s.ids.New()
	sealed, err := s.ring.Seal(der, keyContext(id))
	if err != nil {
		return nil, fmt.Errorf("make signing key: %w", err)
	}
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		if keys, err = s.readKeys(ctx, tx, now); err != nil {
			return err
		}
		if len(keys) > 0 && now.UnixMilli()-keys[0].created < keyAge.Milliseconds() {
			return nil
		}
		if _, err := tx.Exec(ctx, "INSERT INTO oauth_keys (id, private_key, created_at) VALUES (?, ?, ?)", id, sealed, now.UnixMilli()); err != nil {
			return fmt.Errorf("insert signing key: %w", err)
		}
		keys, err = s.readKeys(ctx, tx, now)
		return err
	})
	return keys, err
}

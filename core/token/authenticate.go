package token

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sync"
	"time"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/db"
)

const (
	// CacheTTL bounds how long another core still accepts a token after Revoke. It does not renew with use.
	CacheTTL = 5 * time.Second
	// cacheLimit is far above the number of tokens in use at once.
	cacheLimit = 4096
	maxSecret  = 256
	// touchEvery is how exact LastUsedAt is: one write a minute and token, not one a request.
	touchEvery   = time.Minute
	touchTimeout = 250 * time.Millisecond
)

// Authenticate returns who a secret belongs to, or ErrUnauthenticated. Any other error means that it could not look.
func (s *Store) Authenticate(ctx context.Context, secret string) (access.Principal, error) {
	if secret == "" || len(secret) > maxSecret {
		return access.Principal{}, ErrUnauthenticated
	}
	hash := sha256.Sum256([]byte(secret))
	now := s.now()
	if p, ok := s.cache.get(hash, now); ok {
		return p, nil
	}
	generation := s.cache.generation()
	var p access.Principal
	var scopes string
	var lastUsed int64
	// The index compares hashes, so its timing tells nothing about a secret.
	err := s.db.QueryRow(ctx, "SELECT id, name, scopes, last_used_at FROM tokens WHERE hash = ? AND revoked_at = 0", hash[:]).
		Scan(&p.TokenID, &p.Name, &scopes, &lastUsed)
	if db.IsNoRows(err) {
		return access.Principal{}, ErrUnauthenticated
	}
	if err != nil {
		return access.Principal{}, fmt.Errorf("look up token: %w", err)
	}
	p.Scopes = access.Split(scopes)
	s.cache.put(hash, p, now, generation)
	if now.UnixMilli()-lastUsed >= touchEvery.Milliseconds() {
		s.touch(ctx, p.TokenID, now)
	}
	return p, nil
}

// touch notes the use of a token. It is information only: if the database is busy, the request goes on without.
func (s *Store) touch(ctx context.Context, id int64, now time.Time) {
	ctx, cancel := context.WithTimeout(ctx, touchTimeout)
	defer cancel()
	err := s.db.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE tokens SET last_used_at = ? WHERE id = ? AND last_used_at < ?", now.UnixMilli(), id, now.UnixMilli())
		return err
	})
	if err != nil {
		s.log.Debug("note use of token", "token", id, "error", err)
	}
}

// cache holds principals by the hash of their secret, for CacheTTL.
type cache struct {
	mu      sync.RWMutex
	entries map[[sha256.Size]byte]cached
	dropped uint64
}

type cached struct {
	principal access.Principal
	until     time.Time
}

func (c *cache) get(hash [sha256.Size]byte, now time.Time) (access.Principal, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	e, ok := c.entries[hash]
	return e.principal, ok && now.Before(e.until)
}

// generation changes with every drop; see put.
func (c *cache) generation() uint64 {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.dropped
}

// put keeps a principal that was read since generation, unless a token was dropped meanwhile: it may be that one.
func (c *cache) put(hash [sha256.Size]byte, p access.Principal, now time.Time, generation uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dropped != generation {
		return
	}
	if len(c.entries) >= cacheLimit {
		clear(c.entries)
	}
	c.entries[hash] = cached{principal: p, until: now.Add(CacheTTL)}
}

func (c *cache) drop(id int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dropped++
	for hash, e := range c.entries {
		if e.principal.TokenID == id {
			delete(c.entries, hash)
		}
	}
}

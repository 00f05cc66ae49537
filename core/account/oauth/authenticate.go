package oauth

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/account"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/token"
)

const (
	// CacheTTL bounds how long another core still takes an access token whose session has ended, and how late changes of
	// roles count there. It does not renew with use.
	CacheTTL   = 5 * time.Second
	cacheLimit = 4096
)

// principal is who an access token stands for.
type principal struct {
	access.Principal
	oidcScopes []string // as granted: userinfo needs those that are not of the API
	expires    int64    // Unix ms
}

// Authenticate returns the person behind an access token, or token.ErrUnauthenticated. Any other error means that it
// could not look.
func (s *Service) Authenticate(ctx context.Context, secret string) (access.Principal, error) {
	p, err := s.lookUp(ctx, secret)
	return p.Principal, err
}

func (s *Service) lookUp(ctx context.Context, secret string) (principal, error) {
	if !strings.HasPrefix(secret, AccessPrefix) || len(secret) != len(AccessPrefix)+secretText {
		return principal{}, token.ErrUnauthenticated
	}
	hash := sha256.Sum256([]byte(secret))
	now := s.now()
	if p, ok := s.cache.get(hash, now); ok {
		return p, nil
	}
	generation := s.cache.generation()
	p, err := s.read(ctx, hash, now.UnixMilli())
	if err != nil {
		return principal{}, err
	}
	s.cache.put(hash, p, now, generation)
	return p, nil
}

// read looks an access token up with all that it rests on: session, grant, person.
func (s *Service) read(ctx context.Context, hash [sha256.Size]byte, now int64) (p principal, err error) {
	var scopes, roles, status string
	var sessionEnded, sessionExpires, lastUsed, grantEnded int64
	err = s.db.QueryRow(ctx, `SELECT t.person_id, t.viewer_id, t.session_id, t.scopes, t.expires_at, p.name, p.roles, p.affiliate_id, p.status,
		v.revoked_at, v.expires_at, v.last_used_at, v.second_factor_at, COALESCE(g.revoked_at, 0)
		FROM oauth_access_tokens t JOIN people p ON p.id = t.person_id JOIN sessions v ON v.id = t.session_id
		LEFT JOIN oauth_grants g ON g.id = t.grant_id WHERE t.hash = ?`, hash[:]).
		Scan(&p.PersonID, &p.ViewerID, &p.SessionID, &scopes, &p.expires, &p.Name, &roles, &p.AffiliateID, &status,
			&sessionEnded, &sessionExpires, &lastUsed, &p.SecondFactorAt, &grantEnded)
	if db.IsNoRows(err) {
		return principal{}, token.ErrUnauthenticated
	}
	if err != nil {
		return principal{}, fmt.Errorf("look up access token: %w", err)
	}
	if p.expires <= now || sessionEnded != 0 || sessionExpires <= now || grantEnded != 0 || account.Status(status) != account.Active && p.ViewerID == 0 {
		return principal{}, token.ErrUnauthenticated
	}
	for r := range strings.FieldsSeq(roles) {
		p.Roles = append(p.Roles, access.Role(r))
	}
	p.oidcScopes = strings.Fields(scopes)
	p.Scopes = cut(access.GrantsOf(p.Roles), ScopesOf(p.oidcScopes))
	if p.ViewerID != 0 {
		return p, s.restrict(ctx, &p)
	}
	return p, nil
}

// cut returns those of wanted that grants allow. An owner's admin scope allows what it includes.
func cut(grants, wanted []access.Scope) []access.Scope {
	holder := access.Principal{Scopes: grants}
	return slices.DeleteFunc(slices.Clone(wanted), func(s access.Scope) bool { return !holder.Can(s) })
}

// restrict makes a principal of somebody who looks at another's pages: he sees what is personal, and changes nothing.
func (s *Service) restrict(ctx context.Context, p *principal) error {
	viewer, err := s.accounts.Person(ctx, p.ViewerID)
	if err != nil {
		return fmt.Errorf("read who looks: %w", err)
	}
	holder := access.Principal{Scopes: access.GrantsOf(viewer.Roles), Roles: viewer.Roles}
	if viewer.Status != account.Active || !holder.Can(access.PeopleWrite) || account.CheckView(holder, account.Person{Roles: p.Roles, Status: account.Active}) != nil {
		return token.ErrUnauthenticated
	}
	p.ReadOnly, p.SecondFactorAt = true, 0
	p.Scopes = slices.DeleteFunc(p.Scopes, func(s access.Scope) bool { return !s.Personal() })
	return nil
}

// View returns an access token by which actor looks at the pages of a person, read-only, until it expires or his own
// session ends. It is recorded. Errors: account.ErrNotFound, ErrStaff, ErrErased; account.ErrNoSession for a machine.
// Functions in also run at the end of the transaction.
func (s *Service) View(ctx context.Context, actor access.Principal, personID int64, reason string, also ...func(tx *db.Tx, token string, expires int64) error) (secret string, expires int64, err error) {
	if actor.SessionID == 0 || actor.ReadOnly {
		return "", 0, account.ErrNoSession
	}
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		now := s.now().UnixMilli()
		p, err := account.ReadPerson(ctx, tx, personID)
		if err != nil {
			return err
		}
		if err := account.CheckView(actor, p); err != nil {
			return err
		}
		text, _ := newSecret()
		secret, expires = AccessPrefix+text, now+ViewLifetime.Milliseconds()
		hash := sha256.Sum256([]byte(secret))
		scopes := access.Join([]access.Scope{access.Me, access.AffiliateSelf, access.LearnerSelf})
		_, err = tx.Exec(ctx, "INSERT INTO oauth_access_tokens (hash, grant_id, session_id, person_id, viewer_id, scopes, expires_at) VALUES (?, 0, ?, ?, ?, ?, ?)",
			hash[:], actor.SessionID, personID, actor.PersonID, scopes, expires)
		if err != nil {
			return fmt.Errorf("insert access token: %w", err)
		}
		if err := s.accounts.RecordView(ctx, tx, personID, reason); err != nil {
			return err
		}
		for _, fn := range also {
			if err := fn(tx, secret, expires); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return "", 0, fmt.Errorf("look at a person: %w", err)
	}
	s.metrics.tokens.WithLabelValues("view").Inc()
	return secret, expires, nil
}

// EndView ends all looks of actor at the pages of a person, in any session of his: in this process at once, in others within
// CacheTTL. It is recorded, unless there was none: then ended is false.
func (s *Service) EndView(ctx context.Context, actor access.Principal, personID int64) (ended bool, err error) {
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		ended = false
		// Tokens of looks are those without a grant.
		res, err := tx.Exec(ctx, "DELETE FROM oauth_access_tokens WHERE grant_id = 0 AND viewer_id = ? AND person_id = ?", actor.PersonID, personID)
		if err != nil {
			return fmt.Errorf("delete access tokens: %w", err)
		}
		n, err := res.RowsAffected()
		if err != nil || n == 0 {
			return err
		}
		ended = true
		tx.OnCommit(func() { s.cache.drop(0, personID) })
		return s.accounts.RecordViewEnd(ctx, tx, personID)
	})
	if err != nil {
		return false, fmt.Errorf("end the look at a person: %w", err)
	}
	return ended, nil
}

// cache holds principals by the hash of their token, for CacheTTL. Like that of machines' tokens, it keeps nothing that
// was read before something was dropped.
type cache struct {
	mu      *sync.RWMutex
	entries map[[sha256.Size]byte]cached
	dropped *uint64
}

type cached struct {
	principal principal
	until     time.Time
}

func newCache() cache {
	return cache{mu: &sync.RWMutex{}, entries: map[[sha256.Size]byte]cached{}, dropped: new(uint64)}
}

func (c cache) get(hash [sha256.Size]byte, now time.Time) (principal, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	e, ok := c.entries[hash]
	return e.principal, ok && now.Before(e.until)
}

func (c cache) generation() uint64 {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return *c.dropped
}

func (c cache) put(hash [sha256.Size]byte, p principal, now time.Time, generation uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if *c.dropped != generation {
		return
	}
	if len(c.entries) >= cacheLimit {
		clear(c.entries)
	}
	until := now.Add(CacheTTL)
	if expires := time.UnixMilli(p.expires); expires.Before(until) {
		until = expires
	}
	c.entries[hash] = cached{principal: p, until: until}
}

// drop forgets one session, or all of a person, also as somebody who is looked at or looks.
func (c cache) drop(sessionID, personID int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	*c.dropped++
	for hash, e := range c.entries {
		p := e.principal
		if sessionID != 0 && p.SessionID == sessionID || sessionID == 0 && (p.PersonID == personID || p.ViewerID == personID) {
			delete(c.entries, hash)
		}
	}
}

func (c cache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	*c.dropped++
	clear(c.entries)
}

package oauth

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/edgeref/edgeref/core/account"
	"github.com/edgeref/edgeref/core/audit"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/ident"
)

// issued are tokens just made. access is without its prefix.
type issued struct {
	access, refresh string
	expires         time.Time
}

// grant is what a person granted a client in one session.
type grant struct {
	id, sessionID, personID int64
	clientID, scopes        string
	expiresAt, revokedAt    int64
}

// requestByCode returns the request of a code that may be exchanged. A code that was exchanged before ends what came of
// it: it is in somebody's hands who should not have it.
func (s *Service) requestByCode(ctx context.Context, code string) (op.AuthRequest, error) {
	if !isSecretText(code, secretText) {
		return nil, oidc.ErrInvalidGrant()
	}
	hash := sha256.Sum256([]byte(code))
	r, err := scanRequest(s.db.QueryRow(ctx, selectRequest+" WHERE code_hash = ?", hash[:]))
	if errors.Is(err, ErrRequest) {
		return nil, oidc.ErrInvalidGrant()
	}
	if err != nil {
		return nil, s.serverError(ctx, "read code", err)
	}
	if r.grantID != 0 {
		err := s.db.InTx(ctx, func(tx *db.Tx) error { return s.revokeReused(ctx, tx, r.grantID, "code") })
		if err != nil {
			return nil, s.serverError(ctx, "end grant of a code that was used again", err)
		}
		return nil, oidc.ErrInvalidGrant()
	}
	if r.codeAt+codeLifetime.Milliseconds() <= s.now().UnixMilli() {
		return nil, oidc.ErrInvalidGrant()
	}
	return authRequest{r}, nil
}

// exchange makes the first tokens of a request whose code was shown. Code and session are looked at again under a lock:
// of two exchanges at once one wins, and ends with the other.
func (s *Service) exchange(ctx context.Context, r *Request, withRefresh bool) (issued, error) {
	var out issued
	var refused bool
	err := s.db.InTx(ctx, func(tx *db.Tx) error {
		refused = false
		now := s.now().UnixMilli()
		locked, err := scanRequest(tx.QueryRow(ctx, selectRequest+" WHERE id = ?"+tx.Dialect().ForUpdate(), r.ID))
		if err != nil {
			return err
		}
		if locked.grantID != 0 {
			refused = true
			return s.revokeReused(ctx, tx, locked.grantID, "code")
		}
		r.session, r.person, err = account.LockSession(ctx, tx, locked.sessionID, now)
		if err != nil {
			return err
		}
		g := grant{
			id: s.ids.New(), sessionID: r.session.ID, personID: r.person.ID, clientID: r.ClientID, scopes: strings.Join(r.Scopes, " "), expiresAt: r.session.ExpiresAt,
		}
		_, err = tx.Exec(ctx, `INSERT INTO oauth_grants (id, session_id, person_id, client_id, scopes, created_at, last_used_at, expires_at, revoked_at, reason)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, '')`, g.id, g.sessionID, g.personID, g.clientID, g.scopes, now, now, g.expiresAt)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "UPDATE oauth_requests SET grant_id = ? WHERE id = ?", g.id, r.ID); err != nil {
			return err
		}
		if out, err = s.insertAccess(ctx, tx, g, g.scopes, now); err != nil || !withRefresh {
			return err
		}
		out.refresh, err = s.insertRefresh(ctx, tx, g.id, 0, now)
		return err
	})
	switch {
	case errors.Is(err, ErrRequest) || errors.Is(err, account.ErrNoSession) || refused:
		return issued{}, oidc.ErrInvalidGrant()
	case err != nil:
		return issued{}, s.serverError(ctx, "exchange code", err)
	}
	s.metrics.tokens.WithLabelValues("code").Inc()
	return out, nil
}

func (s *Service) insertAccess(ctx context.Context, tx *db.Tx, g grant, scopes string, now int64) (issued, error) {
	secret, _ := newSecret()
	expires := min(now+AccessLifetime.Milliseconds(), g.expiresAt)
	hash := sha256.Sum256([]byte(AccessPrefix + secret))
	_, err := tx.Exec(ctx, "INSERT INTO oauth_access_tokens (hash, grant_id, session_id, person_id, viewer_id, scopes, expires_at) VALUES (?, ?, ?, ?, 0, ?, ?)",
		hash[:], g.id, g.sessionID, g.personID, scopes, expires)
	if err != nil {
		return issued{}, fmt.Errorf("insert access token: %w", err)
	}
	return issued{access: secret, expires: time.UnixMilli(expires)}, nil
}

func (s *Service) insertRefresh(ctx context.Context, tx *db.Tx, grantID, parent, now int64) (string, error) {
	secret, _ := newSecret()
	token := refreshPrefix + secret
	hash := sha256.Sum256([]byte(token))
	_, err := tx.Exec(ctx, "INSERT INTO oauth_refresh_tokens (id, grant_id, parent_id, hash, created_at, used_at) VALUES (?, ?, ?, ?, ?, 0)",
		s.ids.New(), grantID, parent, hash[:], now)
	if err != nil {
		return "", fmt.Errorf("insert refresh token: %w", err)
	}
	return token, nil
}

// refreshToken is a row of oauth_refresh_tokens.
type refreshToken struct{ id, grantID, parentID, usedAt int64 }

func readRefresh(ctx context.Context, q db.Querier, token, lock string) (t refreshToken, err error) {
	hash := sha256.Sum256([]byte(token))
	err = q.QueryRow(ctx, "SELECT id, grant_id, parent_id, used_at FROM oauth_refresh_tokens WHERE hash = ?"+lock, hash[:]).
		Scan(&t.id, &t.grantID, &t.parentID, &t.usedAt)
	return t, err
}

func readGrant(ctx context.Context, q db.Querier, id int64, lock string) (g grant, err error) {
	err = q.QueryRow(ctx, "SELECT id, session_id, person_id, client_id, scopes, expires_at, revoked_at FROM oauth_grants WHERE id = ?"+lock, id).
		Scan(&g.id, &g.sessionID, &g.personID, &g.clientID, &g.scopes, &g.expiresAt, &g.revokedAt)
	return g, err
}

// rotate exchanges a refresh token for its successor. What happens to one that is used again:
//
//   - Within Grace of its first use, while no successor of it was used: the answer was lost, or two pages asked at once.
//     It gets another successor. Of several successors only the first used stays good.
//   - Otherwise two parties have it. The grant ends, with all its tokens, for both: nobody can tell which is the thief.
func (s *Service) rotate(ctx context.Context, r *refreshRequest, token string) (issued, error) {
	var out issued
	var refused, repeated bool
	err := s.db.InTx(ctx, func(tx *db.Tx) error {
		refused, repeated = false, false
		now := s.now().UnixMilli()
		// Session, then grant, then token: the order of everybody. The grant's lock makes all uses of its tokens one queue.
		_, _, err := account.LockSession(ctx, tx, r.grant.sessionID, now)
		if err != nil {
			return err
		}
		g, err := readGrant(ctx, tx, r.grant.id, tx.Dialect().ForUpdate())
		if err != nil {
			return err
		}
		if g.revokedAt != 0 || g.expiresAt <= now {
			refused = true
			return nil
		}
		t, err := readRefresh(ctx, tx, token, "")
		if err != nil {
			return err
		}
		good, err := stillGood(ctx, tx, t, now)
		if err != nil {
			return err
		}
		if !good {
			refused = true
			return s.revokeReused(ctx, tx, g.id, "refresh")
		}
		if repeated = t.usedAt != 0; !repeated {
			if _, err := tx.Exec(ctx, "UPDATE oauth_refresh_tokens SET used_at = ? WHERE id = ?", now, t.id); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, "UPDATE oauth_grants SET last_used_at = ? WHERE id = ?", now, g.id); err != nil {
			return err
		}
		if err := account.TouchSession(ctx, tx, g.sessionID, now); err != nil {
			return err
		}
		if out, err = s.insertAccess(ctx, tx, g, strings.Join(r.scopes, " "), now); err != nil {
			return err
		}
		out.refresh, err = s.insertRefresh(ctx, tx, g.id, t.id, now)
		return err
	})
	switch {
	case errors.Is(err, account.ErrNoSession) || db.IsNoRows(err) || refused:
		return issued{}, oidc.ErrInvalidGrant()
	case err != nil:
		return issued{}, s.serverError(ctx, "refresh tokens", err)
	}
	s.metrics.tokens.WithLabelValues("refresh").Inc()
	if repeated {
		s.metrics.grace.Inc()
	}
	return out, nil
}

// stillGood reports whether a refresh token may be used. The grant is locked.
func stillGood(ctx context.Context, tx *db.Tx, t refreshToken, now int64) (bool, error) {
	family := t.parentID // whose successors must not be used: its own parent's, or, of a used one, its own
	if t.usedAt != 0 {
		family = t.id
	}
	var successors, used int
	err := tx.QueryRow(ctx, "SELECT COUNT(*), COALESCE(SUM(CASE WHEN used_at > 0 THEN 1 ELSE 0 END), 0) FROM oauth_refresh_tokens WHERE grant_id = ? AND parent_id = ? AND id <> ?",
		t.grantID, family, t.id).Scan(&successors, &used)
	if err != nil {
		return false, fmt.Errorf("read refresh tokens: %w", err)
	}
	if t.usedAt == 0 {
		return used == 0, nil
	}
	return used == 0 && successors < maxSuccessors && now-t.usedAt <= Grace.Milliseconds(), nil
}

// revokeReused ends a grant because a code or token of it was used again.
func (s *Service) revokeReused(ctx context.Context, tx *db.Tx, grantID int64, kind string) error {
	if err := s.revokeGrant(ctx, tx, grantID, kind+" reused"); err != nil {
		return err
	}
	tx.OnCommit(func() {
		s.metrics.reuse.WithLabelValues(kind).Inc()
		s.log.Warn("a "+kind+" was used again; its grant was ended", "grant", grantID)
	})
	if s.audit == nil {
		return nil
	}
	g, err := readGrant(ctx, tx, grantID, "")
	if err != nil {
		return fmt.Errorf("read grant: %w", err)
	}
	return s.audit.Record(ctx, tx, audit.Entry{
		Action: "oauth_grant.reuse", Object: ident.Format(ident.Person, g.personID), After: map[string]string{"kind": kind, "client": g.clientID},
	})
}

func (s *Service) revokeGrant(ctx context.Context, tx *db.Tx, grantID int64, reason string) error {
	_, err := tx.Exec(ctx, "UPDATE oauth_grants SET revoked_at = ?, reason = ? WHERE id = ? AND revoked_at = 0", s.now().UnixMilli(), reason, grantID)
	if err != nil {
		return fmt.Errorf("end grant: %w", err)
	}
	tx.OnCommit(s.cache.clear)
	return nil
}

// refreshRequest is the grant of a refresh token as the library wants it.
type refreshRequest struct {
	grant   grant
	scopes  []string // of the access token; a subset of the grant's
	session account.Session
}

func (r *refreshRequest) GetAMR() []string                 { return amrOf(r.session) }
func (r *refreshRequest) GetAudience() []string            { return []string{r.grant.clientID} }
func (r *refreshRequest) GetAuthTime() time.Time           { return time.UnixMilli(r.session.AuthenticatedAt) }
func (r *refreshRequest) GetClientID() string              { return r.grant.clientID }
func (r *refreshRequest) GetScopes() []string              { return r.scopes }
func (r *refreshRequest) GetSubject() string               { return ident.Format(ident.Person, r.grant.personID) }
func (r *refreshRequest) SetCurrentScopes(scopes []string) { r.scopes = scopes }

// requestByRefresh returns the grant of a refresh token, used or not: rotate decides.
func (s *Service) requestByRefresh(ctx context.Context, token string) (*refreshRequest, error) {
	if !strings.HasPrefix(token, refreshPrefix) || len(token) != len(refreshPrefix)+secretText {
		return nil, op.ErrInvalidRefreshToken
	}
	t, err := readRefresh(ctx, s.db, token, "")
	if db.IsNoRows(err) {
		return nil, op.ErrInvalidRefreshToken
	}
	if err != nil {
		return nil, s.serverError(ctx, "read refresh token", err)
	}
	g, err := readGrant(ctx, s.db, t.grantID, "")
	if db.IsNoRows(err) {
		return nil, op.ErrInvalidRefreshToken
	}
	if err != nil {
		return nil, s.serverError(ctx, "read grant", err)
	}
	r := &refreshRequest{grant: g, scopes: strings.Fields(g.scopes)}
	r.session, err = s.accounts.SessionByID(ctx, g.sessionID)
	if errors.Is(err, account.ErrNoSession) {
		return nil, op.ErrInvalidRefreshToken
	}
	if err != nil {
		return nil, s.serverError(ctx, "read session", err)
	}
	return r, nil
}

// Package token keeps the bearer tokens of the API: who may do what. A secret is shown once, when it is made; the
// database holds its SHA-256 hash. A fast hash is enough for 256 random bits.
package token

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"time"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/db"
)

// Limits of a token.
const (
	MaxName = 128 // bytes
	// Prefix begins every secret made here, so that scanners of leaked secrets can tell it.
	Prefix = "ert_"
	// MinGiven is the shortest secret that EnsureAdmin takes from the environment, in bytes.
	MinGiven = 8
	goodLen  = 32
)

// Errors of this package.
var (
	ErrUnauthenticated = errors.New("no valid token")
	ErrNotFound        = errors.New("no such token")
	ErrInvalid         = errors.New("invalid token request")
)

// Token is a token without its secret. Times are Unix ms.
type Token struct {
	ID         int64
	Name       string
	Scopes     []access.Scope
	CreatedAt  int64
	LastUsedAt int64 // 0: never; exact to a minute
}

// IDs makes identifiers.
type IDs interface{ New() int64 }

// Options of a Store.
type Options struct {
	DB     *db.DB
	IDs    IDs
	Logger *slog.Logger
	Now    func() time.Time
}

// Store keeps tokens. It is safe for concurrent use.
type Store struct {
	db    *db.DB
	ids   IDs
	log   *slog.Logger
	now   func() time.Time
	cache cache
}

// New returns a store of the tokens in a database.
func New(opts Options) *Store {
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	return &Store{
		db: opts.DB, ids: opts.IDs, log: opts.Logger, now: opts.Now,
		cache: cache{entries: map[[sha256.Size]byte]cached{}},
	}
}

// Create makes a token and returns it with its secret. Functions in also run at the end of its transaction.
func (s *Store) Create(ctx context.Context, name string, scopes []access.Scope, also ...func(*db.Tx, Token, string) error) (Token, string, error) {
	if err := validate(name, scopes); err != nil {
		return Token{}, "", err
	}
	t, secret := s.draft(name, scopes), newSecret()
	err := s.db.InTx(ctx, func(tx *db.Tx) error {
		if err := insert(ctx, tx, t, secret); err != nil {
			return err
		}
		for _, fn := range also {
			if err := fn(tx, t, secret); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return Token{}, "", fmt.Errorf("create token: %w", err)
	}
	return t, secret, nil
}

func (s *Store) draft(name string, scopes []access.Scope) Token {
	return Token{ID: s.ids.New(), Name: name, Scopes: slices.Compact(slices.Sorted(slices.Values(scopes))), CreatedAt: s.now().UnixMilli()}
}

func validate(name string, scopes []access.Scope) error {
	if name == "" || len(name) > MaxName {
		return fmt.Errorf("%w: name must have 1 to %d bytes", ErrInvalid, MaxName)
	}
	if len(scopes) == 0 {
		return fmt.Errorf("%w: at least one scope is needed", ErrInvalid)
	}
	for _, scope := range scopes {
		if !slices.Contains(access.Scopes(), scope) {
			return fmt.Errorf("%w: unknown scope %.32q", ErrInvalid, string(scope))
		}
		if scope.Personal() {
			return fmt.Errorf("%w: the scope %q is for people, not for tokens", ErrInvalid, string(scope))
		}
	}
	return nil
}

// EnsureAdmin makes the first admin token of a database, from the secret given or, if that is empty, a new one. On a
// database that had one before, even if it is revoked now, it does nothing and created is false. Several cores may
// call it at once: one of them makes the token.
func (s *Store) EnsureAdmin(ctx context.Context, given string) (secret string, created bool, err error) {
	secret = given
	if secret == "" {
		secret = newSecret()
	}
	if err := checkGiven(secret); err != nil {
		return "", false, err
	}
	t := s.draft("first admin", []access.Scope{access.Admin})
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		created, err = tx.TryInsert(ctx, "INSERT INTO meta (name, value) VALUES (?, ?)", "first_admin_token", fmt.Sprint(t.ID))
		if err != nil || !created {
			return err
		}
		return insert(ctx, tx, t, secret)
	})
	if err != nil {
		return "", false, fmt.Errorf("make first admin token: %w", err)
	}
	if !created {
		return "", false, nil
	}
	if len(secret) < goodLen {
		s.log.Warn("the first admin token is short and may be guessed; use at least 32 random characters", "length", len(secret))
	}
	return secret, true, nil
}

func checkGiven(secret string) error {
	if len(secret) < MinGiven || len(secret) > maxSecret {
		return fmt.Errorf("%w: the admin token must have %d to %d characters", ErrInvalid, MinGiven, maxSecret)
	}
	for _, c := range []byte(secret) {
		if c <= ' ' || c >= 0x7f {
			return fmt.Errorf("%w: the admin token may hold only visible ASCII characters", ErrInvalid)
		}
	}
	return nil
}

func insert(ctx context.Context, tx *db.Tx, t Token, secret string) error {
	hash := sha256.Sum256([]byte(secret))
	_, err := tx.Exec(ctx, `INSERT INTO tokens (id, name, scopes, hash, created_at, last_used_at, revoked_at)
		VALUES (?, ?, ?, ?, ?, 0, 0)`, t.ID, t.Name, access.Join(t.Scopes), hash[:], t.CreatedAt)
	return err
}

// List returns valid tokens with an id below before (0: from the newest), the newest first.
func (s *Store) List(ctx context.Context, before int64, limit int) ([]Token, error) {
	if before == 0 {
		before = math.MaxInt64
	}
	rows, err := s.db.Query(ctx, `SELECT id, name, scopes, created_at, last_used_at FROM tokens
		WHERE revoked_at = 0 AND id < ? ORDER BY id DESC LIMIT ?`, before, limit)
	if err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var out []Token
	for rows.Next() {
		var t Token
		var scopes string
		if err := rows.Scan(&t.ID, &t.Name, &scopes, &t.CreatedAt, &t.LastUsedAt); err != nil {
			return nil, fmt.Errorf("list tokens: %w", err)
		}
		t.Scopes = access.Split(scopes)
		out = append(out, t)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	return out, nil
}

// Revoke ends a token, in this process at once and in others within CacheTTL. The error is ErrNotFound if there is no
// valid token of that id. Functions in also run at the end of its transaction, with the token as it was.
func (s *Store) Revoke(ctx context.Context, id int64, also ...func(*db.Tx, Token) error) error {
	err := s.db.InTx(ctx, func(tx *db.Tx) error {
		t, err := readToken(ctx, tx, id)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "UPDATE tokens SET revoked_at = ? WHERE id = ?", s.now().UnixMilli(), id); err != nil {
			return err
		}
		for _, fn := range also {
			if err := fn(tx, t); err != nil {
				return err
			}
		}
		return nil
	})
	s.cache.drop(id)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return fmt.Errorf("revoke token: %w", err)
	}
	return err
}

// readToken locks and reads a token that is valid.
func readToken(ctx context.Context, tx *db.Tx, id int64) (t Token, err error) {
	var scopes string
	err = tx.QueryRow(ctx, "SELECT id, name, scopes, created_at, last_used_at FROM tokens WHERE id = ? AND revoked_at = 0"+tx.Dialect().ForUpdate(), id).
		Scan(&t.ID, &t.Name, &scopes, &t.CreatedAt, &t.LastUsedAt)
	if db.IsNoRows(err) {
		return Token{}, ErrNotFound
	}
	t.Scopes = access.Split(scopes)
	return t, err
}

func newSecret() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails
	return Prefix + base64.RawURLEncoding.EncodeToString(b[:])
}

package account

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/edgeref/edgeref/core/audit"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/ident"
)

// Session is one sign-in of one person. Times are Unix ms.
type Session struct {
	ID              int64
	PersonID        int64
	Pending         bool   // the password was right, the second factor is still to be proved
	Device          string // as people name it
	Address         string
	CreatedAt       int64
	LastUsedAt      int64 // to the minute
	AuthenticatedAt int64
	SecondFactorAt  int64 // 0: not proved in this session
	ExpiresAt       int64
}

const selectSession = `SELECT id, person_id, state, device, address, created_at, last_used_at, authenticated_at, second_factor_at, expires_at FROM sessions`

func scanSession(r row) (v Session, err error) {
	var state string
	err = r.Scan(&v.ID, &v.PersonID, &state, &v.Device, &v.Address, &v.CreatedAt, &v.LastUsedAt, &v.AuthenticatedAt, &v.SecondFactorAt, &v.ExpiresAt)
	v.Pending = state == "pending"
	if db.IsNoRows(err) {
		return Session{}, ErrNoSession
	}
	if err != nil {
		return Session{}, fmt.Errorf("read session: %w", err)
	}
	return v, nil
}

// insertSession starts a session and returns the secret of its cookie.
func (s *Service) insertSession(ctx context.Context, tx *db.Tx, v *Session) (secret string, err error) {
	secret, hash := newSecret()
	state := "active"
	if v.Pending {
		state = "pending"
	}
	_, err = tx.Exec(ctx, `INSERT INTO sessions (id, person_id, hash, state, device, address, created_at, last_used_at, authenticated_at, second_factor_at,
		expires_at, revoked_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)`,
		v.ID, v.PersonID, hash[:], state, v.Device, v.Address, v.CreatedAt, v.LastUsedAt, v.AuthenticatedAt, v.SecondFactorAt, v.ExpiresAt)
	if err != nil {
		return "", fmt.Errorf("insert session: %w", err)
	}
	return secret, nil
}

// SessionBySecret returns the session of a cookie, pending or not, with its person. The error is ErrNoSession if it has
// ended. Use keeps it alive.
func (s *Service) SessionBySecret(ctx context.Context, secret string) (Session, Person, error) {
	if len(secret) != secretText {
		return Session{}, Person{}, ErrNoSession
	}
	hash := sha256.Sum256([]byte(secret))
	v, err := scanSession(s.db.QueryRow(ctx, selectSession+" WHERE hash = ? AND revoked_at = 0", hash[:]))
	if err != nil {
		return Session{}, Person{}, err
	}
	now := s.unixMS()
	if !v.alive(now) {
		return Session{}, Person{}, ErrNoSession
	}
	p, err := s.Person(ctx, v.PersonID)
	if err != nil {
		return Session{}, Person{}, err
	}
	if p.Status != Active {
		return Session{}, Person{}, ErrNoSession
	}
	return v, p, s.touch(ctx, v, now)
}

func (v Session) alive(now int64) bool {
	return v.ExpiresAt > now && v.LastUsedAt > now-sessionIdle.Milliseconds()
}

// touch notes the use of a session, once a minute.
func (s *Service) touch(ctx context.Context, v Session, now int64) error {
	if now-v.LastUsedAt < touchEvery.Milliseconds() {
		return nil
	}
	return s.db.InTx(ctx, func(tx *db.Tx) error { return TouchSession(ctx, tx, v.ID, now) })
}

// TouchSession notes the use of a session at a time, in the caller's transaction.
func TouchSession(ctx context.Context, tx *db.Tx, id, now int64) error {
	_, err := tx.Exec(ctx, "UPDATE sessions SET last_used_at = ? WHERE id = ? AND last_used_at < ?", now, id, now)
	if err != nil {
		return fmt.Errorf("note use of session: %w", err)
	}
	return nil
}

// LockSession reads a session that is good for handing out tokens, with its person, and keeps it from ending until the
// end of the transaction. The error is ErrNoSession if there is none.
func LockSession(ctx context.Context, tx *db.Tx, id, now int64) (Session, Person, error) {
	v, err := scanSession(tx.QueryRow(ctx, selectSession+" WHERE id = ? AND revoked_at = 0"+tx.Dialect().ForUpdate(), id))
	if err != nil {
		return Session{}, Person{}, err
	}
	if v.Pending || !v.alive(now) {
		return Session{}, Person{}, ErrNoSession
	}
	p, err := ReadPerson(ctx, tx, v.PersonID)
	if err != nil {
		return Session{}, Person{}, err
	}
	if p.Status != Active {
		return Session{}, Person{}, ErrNoSession
	}
	return v, p, nil
}

// Sessions lists the sessions of a person that are good, the newest first.
func (s *Service) Sessions(ctx context.Context, personID int64) ([]Session, error) {
	now := s.unixMS()
	rows, err := s.db.Query(ctx, selectSession+` WHERE person_id = ? AND state = 'active' AND revoked_at = 0 AND expires_at > ? AND last_used_at > ?
		ORDER BY id DESC LIMIT 200`, personID, now, now-sessionIdle.Milliseconds())
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var out []Session
	for rows.Next() {
		v, err := scanSession(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	return out, nil
}

// EndSession ends one session of a person and all that was granted in it: in this process at once, in others within
// seconds. The error is ErrNoSession if there is none of that id.
func (s *Service) EndSession(ctx context.Context, personID, id int64) error {
	err := s.db.InTx(ctx, func(tx *db.Tx) error {
		res, err := tx.Exec(ctx, "UPDATE sessions SET revoked_at = ? WHERE id = ? AND person_id = ? AND revoked_at = 0", s.unixMS(), id, personID)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errorOr(err, ErrNoSession)
		}
		s.changed(tx, id, personID)
		return s.record(ctx, tx, audit.Entry{Action: "session.end", Object: ident.Format(ident.Session, id)})
	})
	if err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	return nil
}

// EndSessions ends all sessions of a person but one (0: all), and forgets the browsers that he used.
func (s *Service) EndSessions(ctx context.Context, personID, keep int64) error {
	err := s.db.InTx(ctx, func(tx *db.Tx) error {
		if err := s.endSessions(ctx, tx, personID, keep); err != nil {
			return err
		}
		if err := s.forgetDevices(ctx, tx, personID); err != nil {
			return err
		}
		return s.record(ctx, tx, audit.Entry{Action: "session.end_all", Object: ident.Format(ident.Person, personID)})
	})
	if err != nil {
		return fmt.Errorf("end sessions: %w", err)
	}
	return nil
}

func (s *Service) endSessions(ctx context.Context, tx *db.Tx, personID, keep int64) error {
	_, err := tx.Exec(ctx, "UPDATE sessions SET revoked_at = ? WHERE person_id = ? AND id <> ? AND revoked_at = 0", s.unixMS(), personID, keep)
	if err != nil {
		return fmt.Errorf("end sessions: %w", err)
	}
	s.changed(tx, 0, personID)
	return nil
}

func errorOr(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// deviceHash is what is kept of a browser's secret: it says nothing about other people who use the same browser.
func deviceHash(personID int64, secret string) []byte {
	hash := sha256.Sum256([]byte(ident.Format(ident.Person, personID) + " " + secret))
	return hash[:]
}

// NewDevice makes the secret by which a browser is known again.
func NewDevice() string {
	secret, _ := newSecret()
	return secret
}

// knowDevice remembers that a person uses a browser. An empty secret is no browser.
func (s *Service) knowDevice(ctx context.Context, tx *db.Tx, personID int64, secret string) error {
	if len(secret) != secretText {
		return nil
	}
	now := s.unixMS()
	_, err := tx.Exec(ctx, "INSERT INTO known_devices (hash, person_id, created_at, expires_at) VALUES (?, ?, ?, ?)"+tx.Dialect().Upsert([]string{"hash"}, "expires_at"),
		deviceHash(personID, secret), personID, now, now+deviceLifetime.Milliseconds())
	if err != nil {
		return fmt.Errorf("remember browser: %w", err)
	}
	return nil
}

func (s *Service) knownDevice(ctx context.Context, personID int64, secret string) (bool, error) {
	if len(secret) != secretText {
		return false, nil
	}
	var n int
	err := s.db.QueryRow(ctx, "SELECT COUNT(*) FROM known_devices WHERE hash = ? AND expires_at > ?", deviceHash(personID, secret), s.unixMS()).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("look up browser: %w", err)
	}
	return n > 0, nil
}

func (s *Service) forgetDevices(ctx context.Context, tx *db.Tx, personID int64) error {
	if _, err := tx.Exec(ctx, "DELETE FROM known_devices WHERE person_id = ?", personID); err != nil {
		return fmt.Errorf("forget browsers: %w", err)
	}
	return nil
}

// sweepTables are what Sweep deletes from: rows whose time in column has passed by so much.
func sweepTables() []struct {
	table, key, column string
	keep               int64 // ms
} {
	day := forgetAfter.Milliseconds()
	return []struct {
		table, key, column string
		keep               int64
	}{
		{"account_links", "id", "expires_at", day}, {"sessions", "id", "expires_at", 30 * day}, {"known_devices", "hash", "expires_at", 0},
		{"attempt_counters", "hash", "updated_at", day},
	}
}

// Sweep deletes what has expired, a limited number a transaction.
func (s *Service) Sweep(ctx context.Context) error {
	for _, t := range sweepTables() {
		if err := SweepExpired(ctx, s.db, t.table, t.key, t.column, s.unixMS()-t.keep); err != nil {
			return err
		}
	}
	return nil
}

// SweepExpired deletes the rows of a table whose time in column is not after limit. It names them by key, because MySQL
// would otherwise lock what it looks at.
func SweepExpired(ctx context.Context, d *db.DB, table, key, column string, limit int64) error {
	for {
		rows, err := d.Query(ctx, "SELECT "+key+" FROM "+table+" WHERE "+column+" <= ? ORDER BY "+column+" LIMIT ?", limit, db.MaxIn)
		if err != nil {
			return fmt.Errorf("read expired rows of %s: %w", table, err)
		}
		var keys []any
		for rows.Next() {
			var k any
			if err := rows.Scan(&k); err != nil {
				_ = rows.Close()
				return fmt.Errorf("read expired rows of %s: %w", table, err)
			}
			if b, ok := k.([]byte); ok {
				k = slices.Clone(b)
			}
			keys = append(keys, k)
		}
		if err := rows.Close(); err != nil {
			return fmt.Errorf("read expired rows of %s: %w", table, err)
		}
		if len(keys) == 0 {
			return nil
		}
		err = d.InTx(ctx, func(tx *db.Tx) error {
			_, err := tx.Exec(ctx, "DELETE FROM "+table+" WHERE "+key+" IN "+db.In(len(keys))+" AND "+column+" + 0 <= ?", append(slices.Clone(keys), limit)...)
			return err
		})
		if err != nil {
			return fmt.Errorf("delete expired rows of %s: %w", table, err)
		}
		if len(keys) < db.MaxIn {
			return nil
		}
	}
}

// deviceName is what a browser calls itself, as people do: "Firefox on Android". It need not be exact: it helps a person
// to tell sign-ins apart.
func deviceName(agent string) string {
	first := func(of [][2]string, otherwise string) string {
		for _, pair := range of {
			if strings.Contains(agent, pair[0]) {
				return pair[1]
			}
		}
		return otherwise
	}
	browser := first([][2]string{
		{"Edg", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser", "Samsung Internet"}, {"Firefox", "Firefox"}, {"FxiOS", "Firefox"}, {"CriOS", "Chrome"},
		{"Chrome", "Chrome"}, {"Safari", "Safari"}, {"curl", "curl"},
	}, "Unknown program")
	system := first([][2]string{
		{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"Windows", "Windows"}, {"Mac OS X", "macOS"}, {"CrOS", "ChromeOS"}, {"Linux", "Linux"},
	}, "")
	if system == "" {
		return browser
	}
	return browser + " on " + system
}

func addressText(addr netip.Addr) string {
	if !addr.IsValid() {
		return ""
	}
	return addr.Unmap().String()
}

// SessionByID returns a session that was not ended, whether its time is over or not, or ErrNoSession.
func (s *Service) SessionByID(ctx context.Context, id int64) (Session, error) {
	return scanSession(s.db.QueryRow(ctx, selectSession+" WHERE id = ? AND revoked_at = 0", id))
}

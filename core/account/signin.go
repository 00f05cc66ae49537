package account

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strconv"

	"github.com/edgeref/edgeref/core/account/password"
	"github.com/edgeref/edgeref/core/audit"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/ident"
)

// Attempt is somebody who says who he is.
type Attempt struct {
	Email, Password string
	Device          string // secret of the browser's cookie, see NewDevice; may be empty
	UserAgent       string
	Address         netip.Addr
}

// SignedIn is what an attempt led to. Where the session is pending, SecondFactor must follow.
type SignedIn struct {
	Session Session
	Person  Person
	Secret  string // of the session's cookie
}

// secretOf are the parts of a person that only sign-in may see.
type secretOf struct {
	Person
	phc      string
	enrolled bool // has a second factor
}

// find reads who has an address. An address that is nobody's gives the zero value, and all that follows takes as long.
func (s *Service) find(ctx context.Context, email string) (v secretOf, err error) {
	p, err := scanPerson(s.db.QueryRow(ctx, selectPerson+" WHERE email = ?", email))
	if errors.Is(err, ErrNotFound) {
		p, err = Person{}, nil
	}
	if err != nil {
		return secretOf{}, err
	}
	v.Person = p
	return v, s.readSecrets(ctx, &v)
}

func (s *Service) readSecrets(ctx context.Context, v *secretOf) error {
	err := s.db.QueryRow(ctx, "SELECT COALESCE(MAX(password), '') FROM people WHERE id = ?", v.ID).Scan(&v.phc)
	if err != nil {
		return fmt.Errorf("read password: %w", err)
	}
	v.enrolled, err = s.Enrolled(ctx, v.ID)
	return err
}

// SignIn starts a session. It takes the same time, and gives the same answer, for a wrong password and for an address
// that nobody has. Errors: ErrCredentials, *TooManyError, password.ErrBusy; ErrSuspended only with the right password.
func (s *Service) SignIn(ctx context.Context, a Attempt) (SignedIn, error) {
	email, err := NormalizeEmail(a.Email)
	if err != nil {
		email = "nobody" // of whom all that follows finds nothing
	}
	who, err := s.find(ctx, email)
	if err != nil {
		return SignedIn{}, err
	}
	known, err := s.knownDevice(ctx, who.ID, a.Device)
	if err != nil {
		return SignedIn{}, err
	}
	counters := []counter{
		counterOf(byAccountAndNetwork(), false, "password", email, network(a.Address)), counterOf(byNetwork(), true, "network", network(a.Address)),
	}
	if known {
		counters = []counter{counterOf(byDevice(), false, "device", string(deviceHash(who.ID, a.Device)))}
	}
	if err := s.charge(ctx, counters); err != nil {
		return SignedIn{}, err
	}
	if len(a.Password) > password.MaxLength {
		a.Password = ""
	}
	ok, outdated, err := s.passwords.Verify(ctx, who.phc, a.Password)
	if err != nil {
		return SignedIn{}, err
	}
	switch {
	case !ok:
		s.metrics.signIns.WithLabelValues(resultWrong).Inc()
		return SignedIn{}, ErrCredentials
	case who.Status != Active:
		s.metrics.signIns.WithLabelValues(resultSuspended).Inc()
		return SignedIn{}, ErrSuspended
	}
	upgraded := ""
	if outdated {
		if upgraded, err = s.passwords.Hash(ctx, a.Password); err != nil {
			return SignedIn{}, err
		}
	}
	return s.begin(ctx, who, a, counters, upgraded)
}

// begin starts the session of an attempt whose password was right.
func (s *Service) begin(ctx context.Context, who secretOf, a Attempt, counters []counter, upgraded string) (SignedIn, error) {
	now := s.unixMS()
	out := SignedIn{Person: who.Person}
	out.Session = Session{
		ID: s.ids.New(), PersonID: who.ID, Pending: who.enrolled, Device: deviceName(a.UserAgent), Address: addressText(a.Address),
		CreatedAt: now, LastUsedAt: now, AuthenticatedAt: now, ExpiresAt: now + SessionLifetime.Milliseconds(),
	}
	if out.Session.Pending {
		out.Session.ExpiresAt = now + pendingLifetime.Milliseconds()
	}
	err := s.db.InTx(ctx, func(tx *db.Tx) error {
		// The password may have been changed since it was compared.
		var phc, status string
		err := tx.QueryRow(ctx, "SELECT password, status FROM people WHERE id = ?"+tx.Dialect().ForUpdate(), who.ID).Scan(&phc, &status)
		if err != nil || phc != who.phc || Status(status) != Active {
			return errorOr(err, ErrCredentials)
		}
		if err := absolve(ctx, tx, counters); err != nil {
			return err
		}
		if upgraded != "" {
			if _, err := tx.Exec(ctx, "UPDATE people SET password = ? WHERE id = ?", upgraded, who.ID); err != nil {
				return fmt.Errorf("upgrade password hash: %w", err)
			}
		}
		if out.Secret, err = s.insertSession(ctx, tx, &out.Session); err != nil || out.Session.Pending {
			return err
		}
		return s.complete(ctx, tx, out.Session, a.Device)
	})
	if err != nil {
		return SignedIn{}, fmt.Errorf("sign in: %w", err)
	}
	result := resultOK
	if out.Session.Pending {
		result = resultPending
	}
	s.metrics.signIns.WithLabelValues(result).Inc()
	return out, nil
}

// complete is what follows once a session is not pending.
func (s *Service) complete(ctx context.Context, tx *db.Tx, v Session, device string) error {
	if err := s.knowDevice(ctx, tx, v.PersonID, device); err != nil {
		return err
	}
	return s.record(ctx, tx, audit.Entry{
		Action: "session.begin", Object: ident.Format(ident.Session, v.ID),
		After: map[string]string{"person": ident.Format(ident.Person, v.PersonID), "device": v.Device},
	})
}

// SecondFactor proves the second factor of a pending session with a code of the authenticator, or with a recovery
// code. The session that follows has another secret: whoever knew the first has nothing. Errors: ErrNoSession, ErrCode,
// *TooManyError.
func (s *Service) SecondFactor(ctx context.Context, secret, code, device string, from netip.Addr) (SignedIn, error) {
	pending, p, err := s.SessionBySecret(ctx, secret)
	if err != nil {
		return SignedIn{}, err
	}
	if !pending.Pending {
		return SignedIn{}, ErrNoSession
	}
	var out SignedIn
	err = s.proveFactor(ctx, p, code, device, from, func(tx *db.Tx, now int64) error {
		// One pending session becomes one session.
		res, err := tx.Exec(ctx, "UPDATE sessions SET revoked_at = ? WHERE id = ? AND revoked_at = 0 AND state = 'pending'", now, pending.ID)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errorOr(err, ErrNoSession)
		}
		v := pending
		v.ID, v.Pending, v.CreatedAt, v.LastUsedAt, v.SecondFactorAt = s.ids.New(), false, now, now, now
		v.ExpiresAt = now + SessionLifetime.Milliseconds()
		out = SignedIn{Session: v, Person: p}
		if out.Secret, err = s.insertSession(ctx, tx, &v); err != nil {
			return err
		}
		return s.complete(ctx, tx, v, device)
	})
	if err != nil {
		return SignedIn{}, err
	}
	s.metrics.signIns.WithLabelValues(resultOK).Inc()
	return out, nil
}

// StepUp proves the second factor again in a session that is under way, before something that needs a fresh one.
// Errors: ErrNoSession, ErrNotEnrolled, ErrCode, *TooManyError.
func (s *Service) StepUp(ctx context.Context, personID, sessionID int64, code string, from netip.Addr) error {
	p, err := s.Person(ctx, personID)
	if err != nil {
		return err
	}
	if enrolled, err := s.Enrolled(ctx, personID); err != nil || !enrolled {
		return errorOr(err, ErrNotEnrolled)
	}
	// The session stands for the browser: strangers' attempts are not counted against it.
	return s.proveFactor(ctx, p, code, "session "+strconv.FormatInt(sessionID, 10), from, func(tx *db.Tx, now int64) error {
		return s.factorProved(ctx, tx, personID, sessionID, now)
	})
}

func (s *Service) factorProved(ctx context.Context, tx *db.Tx, personID, sessionID, now int64) error {
	res, err := tx.Exec(ctx, "UPDATE sessions SET second_factor_at = ? WHERE id = ? AND person_id = ? AND revoked_at = 0", now, sessionID, personID)
	if err != nil {
		return fmt.Errorf("note second factor: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errorOr(err, ErrNoSession)
	}
	s.changed(tx, sessionID, personID)
	return s.record(ctx, tx, audit.Entry{Action: "session.second_factor", Object: ident.Format(ident.Session, sessionID)})
}

// checkPassword compares the password of somebody who is signed in, counted by account: no stranger gets here.
func (s *Service) checkPassword(ctx context.Context, personID int64, text string) error {
	v := secretOf{Person: Person{ID: personID}}
	if err := s.readSecrets(ctx, &v); err != nil {
		return err
	}
	counters := []counter{counterOf(byDevice(), false, "own password", strconv.FormatInt(personID, 10))}
	if err := s.charge(ctx, counters); err != nil {
		return err
	}
	if len(text) > password.MaxLength {
		text = ""
	}
	ok, _, err := s.passwords.Verify(ctx, v.phc, text)
	if err != nil {
		return err
	}
	if !ok {
		return ErrCredentials
	}
	return s.db.InTx(ctx, func(tx *db.Tx) error { return absolve(ctx, tx, counters) })
}

// ChangePassword gives a person another password. All his other sign-ins end. Errors: ErrCredentials, *InvalidError,
// *TooManyError, password.ErrBusy.
func (s *Service) ChangePassword(ctx context.Context, personID, sessionID int64, current, next string) error {
	if err := s.checkPassword(ctx, personID, current); err != nil {
		return err
	}
	p, err := s.Person(ctx, personID)
	if err != nil {
		return err
	}
	if reason := password.Check(next, p.Email); reason != "" {
		return &InvalidError{"new_password", reason}
	}
	phc, err := s.passwords.Hash(ctx, next)
	if err != nil {
		return err
	}
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		_, err := s.replacePassword(ctx, tx, personID, phc, sessionID)
		return err
	})
	if err != nil {
		return fmt.Errorf("change password: %w", err)
	}
	return nil
}

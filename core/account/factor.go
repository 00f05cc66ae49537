package account

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"

	"github.com/edgeref/edgeref/core/audit"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/mail"
	"github.com/edgeref/edgeref/wire/ident"
)

// Time-based codes as all authenticator apps make them.
const (
	stepSeconds = 30
	codeDigits  = otp.DigitsSix
	// stepsAround are taken before and after the present one: clocks differ.
	stepsAround   = 1
	recoveryCodes = 10
	recoveryLen   = 16 // characters of base32: 80 bits
)

// Enrolment is what an authenticator app is given, once.
type Enrolment struct {
	Secret string // base32, to be typed
	URL    string // otpauth:, for a QR code
}

// Enrolled reports whether a person has a confirmed second factor.
func (s *Service) Enrolled(ctx context.Context, personID int64) (bool, error) {
	var n int
	err := s.db.QueryRow(ctx, "SELECT COUNT(*) FROM second_factors WHERE person_id = ? AND confirmed_at > 0", personID).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("read second factor: %w", err)
	}
	return n > 0, nil
}

// BeginEnrolment makes a secret for an authenticator app. It counts only once ConfirmEnrolment has seen a code of it; a
// second call replaces it. The error is ErrEnrolled if there is a factor already, ErrCredentials without the password.
func (s *Service) BeginEnrolment(ctx context.Context, personID int64, currentPassword string) (Enrolment, error) {
	if err := s.checkPassword(ctx, personID, currentPassword); err != nil {
		return Enrolment{}, err
	}
	p, err := s.Person(ctx, personID)
	if err != nil {
		return Enrolment{}, err
	}
	key, err := totp.Generate(totp.GenerateOpts{Issuer: s.site, AccountName: p.Email, Period: stepSeconds, Digits: codeDigits, Algorithm: otp.AlgorithmSHA1})
	if err != nil {
		return Enrolment{}, fmt.Errorf("make second factor: %w", err)
	}
	sealed, err := s.ring.Seal([]byte(key.Secret()), factorContext(personID))
	if err != nil {
		return Enrolment{}, fmt.Errorf("make second factor: %w", err)
	}
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		_, confirmed, _, err := s.lockFactor(ctx, tx, personID)
		if err != nil && !errors.Is(err, ErrNotEnrolled) {
			return err
		}
		if confirmed {
			return ErrEnrolled
		}
		_, err = tx.Exec(ctx, "INSERT INTO second_factors (person_id, secret, confirmed_at, last_step, created_at) VALUES (?, ?, 0, 0, ?)"+
			tx.Dialect().Upsert([]string{"person_id"}, "secret", "created_at"), personID, sealed, s.unixMS())
		return err
	})
	if err != nil {
		return Enrolment{}, fmt.Errorf("begin enrolment: %w", err)
	}
	return Enrolment{Secret: key.Secret(), URL: key.URL()}, nil
}

// ConfirmEnrolment makes the second factor count, and returns the recovery codes: they are shown this once. The session
// has proved its second factor by it. Errors: ErrNotEnrolled, ErrEnrolled, ErrCode, *TooManyError.
func (s *Service) ConfirmEnrolment(ctx context.Context, personID, sessionID int64, code string) (codes []string, err error) {
	counters := []counter{counterOf(byDevice(), false, "enrolment", strconv.FormatInt(personID, 10))}
	if err := s.charge(ctx, counters); err != nil {
		return nil, err
	}
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		secret, confirmed, last, err := s.lockFactor(ctx, tx, personID)
		if err != nil {
			return err
		}
		if confirmed {
			return ErrEnrolled
		}
		now := s.unixMS()
		step, ok := matchCode(secret, code, now, last)
		if !ok {
			return ErrCode
		}
		if _, err := tx.Exec(ctx, "UPDATE second_factors SET confirmed_at = ?, last_step = ? WHERE person_id = ?", now, step, personID); err != nil {
			return err
		}
		if codes, err = s.replaceRecoveryCodes(ctx, tx, personID); err != nil {
			return err
		}
		if err := absolve(ctx, tx, counters); err != nil {
			return err
		}
		if err := s.factorProved(ctx, tx, personID, sessionID, now); err != nil {
			return err
		}
		return s.tellFactor(ctx, tx, personID, "second_factor.enrol", "set_up")
	})
	if err != nil {
		return nil, fmt.Errorf("confirm enrolment: %w", err)
	}
	return codes, nil
}

// RemoveFactor takes the second factor away; it needs a code, and the password. Errors: ErrNotEnrolled, ErrCode,
// ErrCredentials, *TooManyError.
func (s *Service) RemoveFactor(ctx context.Context, personID, sessionID int64, currentPassword, code string, from netip.Addr) error {
	if err := s.checkPassword(ctx, personID, currentPassword); err != nil {
		return err
	}
	if err := s.StepUp(ctx, personID, sessionID, code, from); err != nil {
		return err
	}
	err := s.db.InTx(ctx, func(tx *db.Tx) error {
		if err := s.dropFactor(ctx, tx, personID); err != nil {
			return err
		}
		return s.tellFactor(ctx, tx, personID, "second_factor.remove", "removed")
	})
	if err != nil {
		return fmt.Errorf("remove second factor: %w", err)
	}
	return nil
}

func (s *Service) dropFactor(ctx context.Context, tx *db.Tx, personID int64) error {
	for _, query := range []string{
		"DELETE FROM second_factors WHERE person_id = ?", "DELETE FROM recovery_codes WHERE person_id = ?",
		"UPDATE sessions SET second_factor_at = 0 WHERE person_id = ?",
	} {
		if _, err := tx.Exec(ctx, query, personID); err != nil {
			return fmt.Errorf("remove second factor: %w", err)
		}
	}
	s.changed(tx, 0, personID)
	return nil
}

// NewRecoveryCodes replaces all recovery codes; the session must have proved the second factor. The codes are shown once.
func (s *Service) NewRecoveryCodes(ctx context.Context, personID int64) (codes []string, err error) {
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		if _, confirmed, _, err := s.lockFactor(ctx, tx, personID); err != nil || !confirmed {
			return errorOr(err, ErrNotEnrolled)
		}
		if codes, err = s.replaceRecoveryCodes(ctx, tx, personID); err != nil {
			return err
		}
		return s.tellFactor(ctx, tx, personID, "second_factor.recovery_codes", "new_codes")
	})
	if err != nil {
		return nil, fmt.Errorf("make recovery codes: %w", err)
	}
	return codes, nil
}

// RecoveryCodesLeft counts the recovery codes of a person that were not used.
func (s *Service) RecoveryCodesLeft(ctx context.Context, personID int64) (n int, err error) {
	err = s.db.QueryRow(ctx, "SELECT COUNT(*) FROM recovery_codes WHERE person_id = ? AND used_at = 0", personID).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count recovery codes: %w", err)
	}
	return n, nil
}

// tellFactor records a change of the second factor and writes to the person; the words for what are the template's.
func (s *Service) tellFactor(ctx context.Context, tx *db.Tx, personID int64, action, what string) error {
	p, err := ReadPerson(ctx, tx, personID)
	if err != nil {
		return err
	}
	if err := s.record(ctx, tx, audit.Entry{Action: action, Object: ident.Format(ident.Person, personID)}); err != nil {
		return err
	}
	return s.mail.Queue(ctx, tx, mail.Message{To: p.Email, Template: "second_factor", Data: map[string]string{"Name": p.Name, "What": what}})
}

func factorContext(personID int64) []byte {
	return []byte("second factor " + strconv.FormatInt(personID, 10))
}

// lockFactor reads a second factor, confirmed or not, and keeps others from using it meanwhile.
func (s *Service) lockFactor(ctx context.Context, tx *db.Tx, personID int64) (secret string, confirmed bool, lastStep int64, err error) {
	var sealed string
	var at int64
	err = tx.QueryRow(ctx, "SELECT secret, confirmed_at, last_step FROM second_factors WHERE person_id = ?"+tx.Dialect().ForUpdate(), personID).
		Scan(&sealed, &at, &lastStep)
	if db.IsNoRows(err) {
		return "", false, 0, ErrNotEnrolled
	}
	if err != nil {
		return "", false, 0, fmt.Errorf("read second factor: %w", err)
	}
	plain, err := s.ring.Open(sealed, factorContext(personID))
	if err != nil {
		return "", false, 0, fmt.Errorf("open second factor: %w", err)
	}
	return string(plain), at > 0, lastStep, nil
}

// matchCode returns the time step whose code was given. Steps up to last are refused: a code that was seen over a
// shoulder is worth nothing.
func matchCode(secret, code string, nowMS, last int64) (step int64, ok bool) {
	code = strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' {
			return -1
		}
		return r
	}, code)
	if len(code) != codeDigits.Length() {
		return 0, false
	}
	now := nowMS / (stepSeconds * 1000)
	for candidate := now - stepsAround; candidate <= now+stepsAround; candidate++ {
		want, err := hotp.GenerateCodeCustom(secret, uint64(candidate), hotp.ValidateOpts{Digits: codeDigits, Algorithm: otp.AlgorithmSHA1})
		// All are compared, so that the time tells nothing.
		if err == nil && subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 && candidate > last && !ok {
			step, ok = candidate, true
		}
	}
	return step, ok
}

// proveFactor checks a code of the authenticator or a recovery code, and runs then in the transaction that uses it up.
func (s *Service) proveFactor(ctx context.Context, p Person, code, device string, from netip.Addr, then func(tx *db.Tx, now int64) error) error {
	recovery := normalizeRecovery(code)
	counters, err := s.factorCounters(ctx, p.ID, device, from, recovery != "")
	if err != nil {
		return err
	}
	if err := s.charge(ctx, counters); err != nil {
		return err
	}
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		now := s.unixMS()
		if recovery != "" {
			err = s.useRecovery(ctx, tx, p, recovery, now)
		} else {
			err = s.useCode(ctx, tx, p.ID, code, now)
		}
		if err != nil {
			return err
		}
		if err := absolve(ctx, tx, counters); err != nil {
			return err
		}
		return then(tx, now)
	})
	if errors.Is(err, ErrCode) {
		s.metrics.signIns.WithLabelValues(resultCode).Inc()
	}
	if err != nil {
		return fmt.Errorf("prove second factor: %w", err)
	}
	return nil
}

func (s *Service) factorCounters(ctx context.Context, personID int64, device string, from netip.Addr, recovery bool) ([]counter, error) {
	who := strconv.FormatInt(personID, 10)
	known := strings.HasPrefix(device, "session ")
	if !known {
		var err error
		if known, err = s.knownDevice(ctx, personID, device); err != nil {
			return nil, err
		}
	}
	switch {
	case known:
		return []counter{counterOf(byDevice(), false, "code", who, device)}, nil
	case recovery: // cannot be guessed: counted by network, so that nobody can keep the owner from using one
		return []counter{counterOf(byAccountAndNetwork(), false, "recovery", who, network(from))}, nil
	}
	return []counter{
		counterOf(byAccountAndNetwork(), false, "code", who, network(from)), counterOf(bySecondFactor(), false, "codes", who),
	}, nil
}

func (s *Service) useCode(ctx context.Context, tx *db.Tx, personID int64, code string, now int64) error {
	secret, confirmed, last, err := s.lockFactor(ctx, tx, personID)
	if err != nil || !confirmed {
		return errorOr(err, ErrNotEnrolled)
	}
	step, ok := matchCode(secret, code, now, last)
	if !ok {
		return ErrCode
	}
	_, err = tx.Exec(ctx, "UPDATE second_factors SET last_step = ? WHERE person_id = ?", step, personID)
	return err
}

func (s *Service) useRecovery(ctx context.Context, tx *db.Tx, p Person, code string, now int64) error {
	res, err := tx.Exec(ctx, "UPDATE recovery_codes SET used_at = ? WHERE hash = ? AND person_id = ? AND used_at = 0", now, recoveryHash(p.ID, code), p.ID)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errorOr(err, ErrCode)
	}
	return s.tellFactor(ctx, tx, p.ID, "second_factor.recover", "recovered")
}

func recoveryHash(personID int64, code string) []byte {
	hash := sha256.Sum256([]byte(strconv.FormatInt(personID, 10) + " " + code))
	return hash[:]
}

// normalizeRecovery returns a recovery code as it is hashed, or "" for what cannot be one.
func normalizeRecovery(code string) string {
	code = strings.Map(func(r rune) rune {
		switch {
		case r == ' ' || r == '-':
			return -1
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		}
		return r
	}, code)
	if len(code) != recoveryLen {
		return ""
	}
	for i := range len(code) {
		if c := code[i]; (c < 'A' || c > 'Z') && (c < '2' || c > '7') {
			return ""
		}
	}
	return code
}

// replaceRecoveryCodes makes new recovery codes in groups of four, as people copy them.
func (s *Service) replaceRecoveryCodes(ctx context.Context, tx *db.Tx, personID int64) ([]string, error) {
	if _, err := tx.Exec(ctx, "DELETE FROM recovery_codes WHERE person_id = ?", personID); err != nil {
		return nil, fmt.Errorf("replace recovery codes: %w", err)
	}
	codes := make([]string, recoveryCodes)
	for i := range codes {
		var b [recoveryLen * 5 / 8]byte
		_, _ = rand.Read(b[:]) // never fails
		code := base32.StdEncoding.EncodeToString(b[:])
		if _, err := tx.Exec(ctx, "INSERT INTO recovery_codes (hash, person_id, used_at) VALUES (?, ?, 0)", recoveryHash(personID, code), personID); err != nil {
			return nil, fmt.Errorf("replace recovery codes: %w", err)
		}
		codes[i] = strings.Join([]string{code[:4], code[4:8], code[8:12], code[12:]}, "-")
	}
	return codes, nil
}

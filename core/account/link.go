package account

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/account/password"
	"github.com/edgeref/edgeref/core/audit"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/mail"
	"github.com/edgeref/edgeref/wire/ident"
)

// LinkKind is what a link that was sent by mail is for.
type LinkKind string

// Kinds of links. The first two make a person when a password is set; the third sets another; the last confirms an address.
const (
	SignUpLink LinkKind = "sign_up"
	InviteLink LinkKind = "invite"
	ResetLink  LinkKind = "reset"
	EmailLink  LinkKind = "email"
)

// secretLen is in bytes; secretText is the length of such a secret as text.
const (
	secretLen  = 32
	secretText = 43
)

// Link is one that was sent and is still good. Times are Unix ms.
type Link struct {
	ID        int64
	Kind      LinkKind
	PersonID  int64 // 0: nobody yet
	Email     string
	Name      string
	Roles     []access.Role
	SponsorID int64
	ExpiresAt int64
}

// newSecret makes a secret of 256 random bits and its hash. A fast hash is enough for it.
func newSecret() (secret string, hash [sha256.Size]byte) {
	var b [secretLen]byte
	_, _ = rand.Read(b[:]) // never fails
	secret = base64.RawURLEncoding.EncodeToString(b[:])
	return secret, sha256.Sum256([]byte(secret))
}

// makeLink writes a link and returns the URL that opens it.
func (s *Service) makeLink(ctx context.Context, tx *db.Tx, l Link, lifetime time.Duration) (url string, err error) {
	secret, hash := newSecret()
	now := s.unixMS()
	_, err = tx.Exec(ctx, `INSERT INTO account_links (id, hash, kind, person_id, email, name, roles, sponsor_id, created_at, expires_at, used_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)`, s.ids.New(), hash[:], string(l.Kind), l.PersonID, l.Email, l.Name, joinRoles(l.Roles), l.SponsorID,
		now, now+lifetime.Milliseconds())
	if err != nil {
		return "", fmt.Errorf("insert link: %w", err)
	}
	tx.OnCommit(func() { s.metrics.links.WithLabelValues(string(l.Kind)).Inc() })
	path := "/account/password"
	if l.Kind == EmailLink {
		path = "/account/email"
	}
	return s.url + path + "?link=" + secret, nil
}

// OpenLink returns the link of a secret, or ErrLink. It changes nothing: mail programs open links too.
func (s *Service) OpenLink(ctx context.Context, secret string) (Link, error) {
	return s.readLink(ctx, s.db, secret, "")
}

func (s *Service) readLink(ctx context.Context, q db.Querier, secret, lock string) (l Link, err error) {
	if len(secret) != secretText {
		return Link{}, ErrLink
	}
	hash := sha256.Sum256([]byte(secret))
	var roles string
	err = q.QueryRow(ctx, `SELECT id, kind, person_id, email, name, roles, sponsor_id, expires_at FROM account_links
		WHERE hash = ? AND used_at = 0 AND expires_at > ?`+lock, hash[:], s.unixMS()).
		Scan(&l.ID, &l.Kind, &l.PersonID, &l.Email, &l.Name, &roles, &l.SponsorID, &l.ExpiresAt)
	if db.IsNoRows(err) {
		return Link{}, ErrLink
	}
	if err != nil {
		return Link{}, fmt.Errorf("read link: %w", err)
	}
	l.Roles = splitRoles(roles)
	return l, nil
}

// useLink locks the link of a secret and marks it as used. The error is ErrLink if it is not one of kinds.
func (s *Service) useLink(ctx context.Context, tx *db.Tx, secret string, kinds ...LinkKind) (Link, error) {
	l, err := s.readLink(ctx, tx, secret, tx.Dialect().ForUpdate())
	if err != nil {
		return Link{}, err
	}
	for _, kind := range kinds {
		if l.Kind == kind {
			_, err := tx.Exec(ctx, "UPDATE account_links SET used_at = ? WHERE id = ?", s.unixMS(), l.ID)
			return l, err
		}
	}
	return Link{}, ErrLink
}

// dropLinks ends all links of a person of one kind.
func (s *Service) dropLinks(ctx context.Context, tx *db.Tx, personID int64, kind LinkKind) error {
	_, err := tx.Exec(ctx, "UPDATE account_links SET used_at = ? WHERE person_id = ? AND kind = ? AND used_at = 0", s.unixMS(), personID, string(kind))
	if err != nil {
		return fmt.Errorf("end links: %w", err)
	}
	return nil
}

// SetPassword uses a link: it makes the person of a sign-up or invitation, or gives a person another password and ends
// all sign-ins. The browser of device, which may be empty, is known from then on: who has the mailbox and chose the
// password is not to be held up by what others tried. Errors: ErrLink, *InvalidError for the password, ErrTaken.
func (s *Service) SetPassword(ctx context.Context, secret, newPassword, device string) (Person, error) {
	l, err := s.OpenLink(ctx, secret)
	if err != nil {
		return Person{}, err
	}
	if reason := password.Check(newPassword, l.Email); reason != "" {
		return Person{}, &InvalidError{"password", reason}
	}
	phc, err := s.passwords.Hash(ctx, newPassword)
	if err != nil {
		return Person{}, err
	}
	var p Person
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		l, err := s.useLink(ctx, tx, secret, SignUpLink, InviteLink, ResetLink)
		if err != nil {
			return err
		}
		if l.Kind == ResetLink {
			p, err = s.replacePassword(ctx, tx, l.PersonID, phc, 0)
		} else {
			p, err = s.welcome(ctx, tx, l, phc)
		}
		if err != nil {
			return err
		}
		return s.knowDevice(ctx, tx, p.ID, device)
	})
	if err != nil {
		return Person{}, fmt.Errorf("set password: %w", err)
	}
	return p, nil
}

// welcome makes the person that a link stands for.
func (s *Service) welcome(ctx context.Context, tx *db.Tx, l Link, phc string) (Person, error) {
	now := s.unixMS()
	p := Person{ID: s.ids.New(), Email: l.Email, Name: l.Name, Roles: l.Roles, Status: Active, CreatedAt: now, UpdatedAt: now}
	if p.Is(access.RoleAffiliate) {
		if s.affiliates == nil {
			return Person{}, errors.New("make affiliate: accounts were not told how")
		}
		var err error
		if p.AffiliateID, err = s.affiliates.Admit(ctx, tx, p.Name, p.Email, l.SponsorID, l.Kind == SignUpLink); err != nil {
			return Person{}, fmt.Errorf("make affiliate: %w", err)
		}
	}
	if err := s.insertPerson(ctx, tx, p, phc); err != nil {
		return Person{}, err
	}
	// Whoever else had a link to this address can no longer use it.
	if _, err := tx.Exec(ctx, "UPDATE account_links SET used_at = ? WHERE email = ? AND person_id = 0 AND used_at = 0", now, p.Email); err != nil {
		return Person{}, fmt.Errorf("end links: %w", err)
	}
	return p, s.record(ctx, tx, audit.Entry{Action: "person.create", Object: ident.Format(ident.Person, p.ID), After: publicPerson(p), Reason: string(l.Kind)})
}

// replacePassword gives a person another password, ends his sign-ins but the one of keep, forgets his browsers, and
// tells him.
func (s *Service) replacePassword(ctx context.Context, tx *db.Tx, personID int64, phc string, keep int64) (Person, error) {
	p, err := lockPerson(ctx, tx, personID)
	if err != nil {
		return Person{}, err
	}
	if p.Status == Erased {
		return Person{}, ErrErased
	}
	now := s.unixMS()
	if _, err := tx.Exec(ctx, "UPDATE people SET password = ?, password_changed_at = ?, updated_at = ? WHERE id = ?", phc, now, now, p.ID); err != nil {
		return Person{}, fmt.Errorf("change password: %w", err)
	}
	if err := s.endSessions(ctx, tx, p.ID, keep); err != nil {
		return Person{}, err
	}
	if err := s.forgetDevices(ctx, tx, p.ID); err != nil {
		return Person{}, err
	}
	if err := s.dropLinks(ctx, tx, p.ID, ResetLink); err != nil {
		return Person{}, err
	}
	if err := s.record(ctx, tx, audit.Entry{Action: "person.password", Object: ident.Format(ident.Person, p.ID)}); err != nil {
		return Person{}, err
	}
	return p, s.mail.Queue(ctx, tx, mail.Message{To: p.Email, Template: "password_changed", Data: map[string]string{"Name": p.Name, "URL": s.url + "/account/forgot"}})
}

// ConfirmEmail uses a link to give a person the address that it was sent to. The old address is told. Errors: ErrLink,
// ErrTaken.
func (s *Service) ConfirmEmail(ctx context.Context, secret string) (Person, error) {
	var p Person
	err := s.db.InTx(ctx, func(tx *db.Tx) error {
		l, err := s.useLink(ctx, tx, secret, EmailLink)
		if err != nil {
			return err
		}
		if p, err = lockPerson(ctx, tx, l.PersonID); err != nil {
			return err
		}
		if p.Status != Active {
			return ErrLink
		}
		before := p.Email
		p.Email, p.UpdatedAt = l.Email, s.unixMS()
		_, err = tx.Exec(ctx, "UPDATE people SET email = ?, updated_at = ? WHERE id = ?", p.Email, p.UpdatedAt, p.ID)
		if db.IsDuplicate(err) {
			return ErrTaken
		}
		if err != nil {
			return fmt.Errorf("change address: %w", err)
		}
		for _, kind := range []LinkKind{ResetLink, EmailLink} {
			if err := s.dropLinks(ctx, tx, p.ID, kind); err != nil {
				return err
			}
		}
		err = s.record(ctx, tx, audit.Entry{
			Action: "person.email", Object: ident.Format(ident.Person, p.ID), Before: map[string]string{"email": maskEmail(before)}, After: map[string]string{"email": maskEmail(p.Email)},
		})
		if err != nil {
			return err
		}
		return s.mail.Queue(ctx, tx, mail.Message{To: before, Template: "email_changed", Data: map[string]string{"Name": p.Name}})
	})
	if err != nil {
		return Person{}, fmt.Errorf("confirm address: %w", err)
	}
	return p, nil
}

// publicPerson is a person as the audit log keeps it for ever: what he may do, and not who he is.
func publicPerson(p Person) map[string]any {
	out := map[string]any{"email": maskEmail(p.Email), "roles": p.Roles, "status": p.Status}
	if p.AffiliateID != 0 {
		out["affiliate_id"] = ident.Format(ident.Affiliate, p.AffiliateID)
	}
	return out
}

// maskEmail keeps enough of an address to tell a change by.
func maskEmail(email string) string {
	local, domain, _ := cutLast(email, '@')
	if local == "" {
		return ""
	}
	return local[:1] + "***@" + domain
}

package account

import (
	"context"
	"fmt"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/audit"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/ident"
)

// Export is everything that is kept about a person; Parts holds what the domains give, by their names.
type Export struct {
	Person            Person
	SecondFactor      bool
	RecoveryCodesLeft int
	Sessions          []Session
	Parts             map[string]any
}

// Export collects everything that is kept about a person. It reads one domain after the other, so what changes
// meanwhile may be in one part and not yet in another.
func (s *Service) Export(ctx context.Context, personID int64) (Export, error) {
	p, err := s.Person(ctx, personID)
	if err != nil {
		return Export{}, err
	}
	out := Export{Person: p, Parts: map[string]any{}}
	if out.SecondFactor, err = s.Enrolled(ctx, personID); err != nil {
		return Export{}, err
	}
	if out.RecoveryCodesLeft, err = s.RecoveryCodesLeft(ctx, personID); err != nil {
		return Export{}, err
	}
	if out.Sessions, err = s.Sessions(ctx, personID); err != nil {
		return Export{}, err
	}
	for _, e := range s.exporters {
		if out.Parts[e.Part()], err = e.Export(ctx, subjectOf(p)); err != nil {
			return Export{}, fmt.Errorf("export %s: %w", e.Part(), err)
		}
	}
	return out, nil
}

// subjectOf names a person to other domains. The pseudonym is made of his identifier: two erased people stay two.
func subjectOf(p Person) Subject {
	name := ident.Format(ident.Person, p.ID)
	return Subject{
		PersonID: p.ID, AffiliateID: p.AffiliateID, Email: p.Email,
		Pseudonym: "Erased " + name, PseudonymEmail: name + "@erased.invalid",
	}
}

// EraseOwn erases the person who asks, with his password. Errors: ErrCredentials, *TooManyError, ErrLastOwner.
func (s *Service) EraseOwn(ctx context.Context, personID int64, currentPassword string) error {
	if err := s.checkPassword(ctx, personID, currentPassword); err != nil {
		return err
	}
	return s.erase(ctx, personID, "asked for by the person", nil)
}

// Erase erases a person for an admin. Errors: ErrNotFound, ErrOwnRoles, ErrOwnerOnly, ErrLastOwner. Functions in also run
// at the end of the transaction. Erasing again is no error.
func (s *Service) Erase(ctx context.Context, actor access.Principal, personID int64, reason string, also ...func(*db.Tx) error) error {
	return s.erase(ctx, personID, reason, func(p Person) error { return mayChange(actor, p.ID, p.Roles) }, also...)
}

// erase forgets who a person was. The row stays, with a name and an address that are nobody's: the ledger, orders and
// invoices that the law wants kept point at it.
func (s *Service) erase(ctx context.Context, personID int64, reason string, allowed func(Person) error, also ...func(*db.Tx) error) error {
	err := s.db.InTx(ctx, func(tx *db.Tx) error {
		owners, err := lockOwners(ctx, tx, personID)
		if err != nil {
			return err
		}
		p, err := lockPerson(ctx, tx, personID)
		if err != nil {
			return err
		}
		if allowed != nil {
			if err := allowed(p); err != nil {
				return err
			}
		}
		if p.Is(access.RoleOwner) && p.Status == Active && owners == 0 {
			return ErrLastOwner
		}
		if p.Status != Erased {
			if err := s.forget(ctx, tx, p); err != nil {
				return err
			}
			// Who it was must not stand in the log either.
			if err := s.record(ctx, tx, audit.Entry{Action: "person.erase", Object: ident.Format(ident.Person, p.ID), Reason: reason}); err != nil {
				return err
			}
		}
		for _, fn := range also {
			if err := fn(tx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("erase person: %w", err)
	}
	return nil
}

func (s *Service) forget(ctx context.Context, tx *db.Tx, p Person) error {
	subject := subjectOf(p)
	for _, e := range s.erasers {
		if err := e.Erase(ctx, tx, subject); err != nil {
			return fmt.Errorf("erase %s: %w", e.Part(), err)
		}
	}
	now := s.unixMS()
	_, err := tx.Exec(ctx, "UPDATE people SET email = ?, name = ?, roles = '', status = 'erased', password = '', updated_at = ?, erased_at = ? WHERE id = ?",
		subject.PseudonymEmail, subject.Pseudonym, now, now, p.ID)
	if err != nil {
		return fmt.Errorf("erase person: %w", err)
	}
	for _, query := range []string{
		"UPDATE sessions SET device = '', address = '' WHERE person_id = ?",
		"DELETE FROM account_links WHERE person_id = ?", "DELETE FROM account_requests WHERE person_id = ?",
		"DELETE FROM oauth_consents WHERE person_id = ?",
	} {
		if _, err := tx.Exec(ctx, query, p.ID); err != nil {
			return fmt.Errorf("erase person: %w", err)
		}
	}
	for _, query := range []string{"DELETE FROM account_links WHERE email = ?", "DELETE FROM account_requests WHERE email = ?"} {
		if _, err := tx.Exec(ctx, query, p.Email); err != nil {
			return fmt.Errorf("erase person: %w", err)
		}
	}
	if err := s.endSessions(ctx, tx, p.ID, 0); err != nil {
		return err
	}
	if err := s.forgetDevices(ctx, tx, p.ID); err != nil {
		return err
	}
	return s.dropFactor(ctx, tx, p.ID)
}

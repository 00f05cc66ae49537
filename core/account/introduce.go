package account

import (
	"context"
	"fmt"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/db"
)

// Introduction is a person who is made by the business itself and not by a link in a mail: nobody verified the address.
type Introduction struct {
	Email, Name string
	Roles       []access.Role
	SponsorID   int64 // of an affiliate; 0: nobody
	Applies     bool  // an affiliate who waits for approval
	// PasswordHash is what the service's Hasher made; empty: nobody can sign in until the password is set by a link.
	PasswordHash string
	// FactorSecret is a second factor that counts at once, base32 as in Enrolment; empty: none. There are no recovery codes.
	FactorSecret string
}

// Introduce makes a person whose address the caller answers for. With the first owner, EnsureOwner has nobody left to
// invite. Errors: ErrTaken, *InvalidError. Functions in also run at the end of the transaction.
func (s *Service) Introduce(ctx context.Context, in Introduction, also ...func(*db.Tx, Person) error) (p Person, err error) {
	l := Link{Kind: InviteLink, SponsorID: in.SponsorID}
	if in.Applies {
		l.Kind = SignUpLink
	}
	if l.Email, err = NormalizeEmail(in.Email); err != nil {
		return Person{}, err
	}
	if l.Name, err = checkName(in.Name); err != nil {
		return Person{}, err
	}
	if l.Roles, err = orderRoles(in.Roles); err != nil {
		return Person{}, err
	}
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		if p, err = s.welcome(ctx, tx, l, in.PasswordHash); err != nil {
			return err
		}
		if p.Is(access.RoleOwner) {
			if _, err := tx.TryInsert(ctx, "INSERT INTO meta (name, value) VALUES (?, ?)", "first_owner", "introduced"); err != nil {
				return err
			}
		}
		if in.FactorSecret != "" {
			if err := s.insertFactor(ctx, tx, p.ID, in.FactorSecret); err != nil {
				return err
			}
		}
		return runAll(tx, p, also)
	})
	if err != nil {
		return Person{}, fmt.Errorf("introduce person: %w", err)
	}
	return p, nil
}

func (s *Service) insertFactor(ctx context.Context, tx *db.Tx, personID int64, secret string) error {
	sealed, err := s.ring.Seal([]byte(secret), factorContext(personID))
	if err != nil {
		return fmt.Errorf("seal second factor: %w", err)
	}
	now := s.unixMS()
	_, err = tx.Exec(ctx, "INSERT INTO second_factors (person_id, secret, confirmed_at, last_step, created_at) VALUES (?, ?, ?, 0, ?)", personID, sealed, now, now)
	return err
}

package account

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/audit"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/mail"
	"github.com/edgeref/edgeref/wire/ident"
)

// guarded are the roles that only an owner gives and takes, and whose holders only an owner changes.
func guarded(roles []access.Role) bool {
	return slices.Contains(roles, access.RoleOwner) || slices.Contains(roles, access.RoleFinance)
}

// staff are people whose pages hold more than their own affairs.
func staff(roles []access.Role) bool {
	return guarded(roles) || slices.Contains(roles, access.RoleAdmin) || slices.Contains(roles, access.RoleSupport)
}

// mayChange says whether actor may change a person who has, or is to have, roles.
func mayChange(actor access.Principal, personID int64, roles []access.Role) error {
	if actor.PersonID != 0 && actor.PersonID == personID {
		return ErrOwnRoles
	}
	// A machine's token is no owner, whatever its scopes: a token that leaks must not make owners.
	if guarded(roles) && !actor.Is(access.RoleOwner) {
		return ErrOwnerOnly
	}
	return nil
}

// lockOwners counts owners who can sign in, beside one person, and keeps others from changing them meanwhile. Roles are
// stored with owner first, so an index finds them.
func lockOwners(ctx context.Context, tx *db.Tx, besides int64) (n int, err error) {
	rows, err := tx.Query(ctx, "SELECT id, status FROM people WHERE roles >= 'owner' AND roles < 'ownes' ORDER BY id"+tx.Dialect().ForUpdate())
	if err != nil {
		return 0, fmt.Errorf("count owners: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id int64
		var status string
		if err := rows.Scan(&id, &status); err != nil {
			return 0, fmt.Errorf("count owners: %w", err)
		}
		if id != besides && Status(status) == Active {
			n++
		}
	}
	return n, rows.Err()
}

// Change is what an admin changes about a person. Nil fields stay as they are.
type Change struct {
	Name   *string
	Roles  []access.Role
	Status *Status // Active or Suspended
	Reason string
}

// ChangePerson changes a person. Roles count at the next request of the person; a suspended one is signed out. Errors:
// ErrNotFound, ErrOwnRoles, ErrOwnerOnly, ErrLastOwner, ErrErased, *InvalidError. Functions in also run at the end of the
// transaction.
func (s *Service) ChangePerson(ctx context.Context, actor access.Principal, id int64, c Change, also ...func(*db.Tx, Person) error) (Person, error) {
	var after Person
	err := s.db.InTx(ctx, func(tx *db.Tx) error {
		// Owners first, then the person: the same order for everybody.
		owners, err := lockOwners(ctx, tx, id)
		if err != nil {
			return err
		}
		before, err := lockPerson(ctx, tx, id)
		if err != nil {
			return err
		}
		if after, err = s.apply(ctx, tx, before, c); err != nil {
			return err
		}
		if c.Roles != nil || c.Status != nil {
			if err := mayChange(actor, id, append(slices.Clone(before.Roles), after.Roles...)); err != nil {
				return err
			}
		}
		if before.Is(access.RoleOwner) && owners == 0 && (!after.Is(access.RoleOwner) || after.Status != Active) {
			return ErrLastOwner
		}
		after.UpdatedAt = s.unixMS()
		_, err = tx.Exec(ctx, "UPDATE people SET name = ?, roles = ?, affiliate_id = ?, status = ?, updated_at = ? WHERE id = ?",
			after.Name, joinRoles(after.Roles), after.AffiliateID, string(after.Status), after.UpdatedAt, id)
		if err != nil {
			return fmt.Errorf("update person: %w", err)
		}
		if after.Status == Suspended && before.Status != Suspended {
			if err := s.endSessions(ctx, tx, id, 0); err != nil {
				return err
			}
		}
		s.changed(tx, 0, id)
		err = s.record(ctx, tx, audit.Entry{
			Action: "person.update", Object: ident.Format(ident.Person, id), Before: publicPerson(before), After: publicPerson(after), Reason: c.Reason,
		})
		if err != nil {
			return err
		}
		return runAll(tx, after, also)
	})
	if err != nil {
		return Person{}, fmt.Errorf("change person: %w", err)
	}
	return after, nil
}

// apply returns a person with a change.
func (s *Service) apply(ctx context.Context, tx *db.Tx, p Person, c Change) (_ Person, err error) {
	if p.Status == Erased {
		return Person{}, ErrErased
	}
	if c.Name != nil {
		if p.Name, err = checkName(*c.Name); err != nil {
			return Person{}, err
		}
	}
	if c.Roles != nil {
		if p.Roles, err = orderRoles(c.Roles); err != nil {
			return Person{}, err
		}
		if p.Is(access.RoleAffiliate) && p.AffiliateID == 0 {
			if s.affiliates == nil {
				return Person{}, &InvalidError{"roles", "cannot make an affiliate here"}
			}
			if p.AffiliateID, err = s.affiliates.Admit(ctx, tx, p.Name, p.Email, 0, false); err != nil {
				return Person{}, fmt.Errorf("make affiliate: %w", err)
			}
		}
	}
	if c.Status != nil {
		if *c.Status != Active && *c.Status != Suspended {
			return Person{}, &InvalidError{"status", "must be active or suspended"}
		}
		p.Status = *c.Status
	}
	return p, nil
}

// Rename changes the name of a person, as he wants it.
func (s *Service) Rename(ctx context.Context, id int64, name string) (Person, error) {
	return s.ChangePerson(ctx, access.Principal{PersonID: id}, id, Change{Name: &name})
}

// Invite sends somebody a link by which he becomes a person with roles. Errors: *InvalidError, ErrOwnerOnly, ErrTaken.
// Functions in also run at the end of the transaction.
func (s *Service) Invite(ctx context.Context, actor access.Principal, email, name string, roles []access.Role, also ...func(*db.Tx) error) error {
	if err := mayChange(actor, 0, roles); err != nil {
		return err
	}
	_, err := s.invite(ctx, email, name, roles, true, also...)
	return err
}

// InviteOwner returns a link that makes an owner, for an operator at the machine: nothing is sent.
func (s *Service) InviteOwner(ctx context.Context, email, name string) (url string, err error) {
	return s.invite(ctx, email, name, []access.Role{access.RoleOwner}, false)
}

func (s *Service) invite(ctx context.Context, email, name string, roles []access.Role, send bool, also ...func(*db.Tx) error) (url string, err error) {
	email, err = NormalizeEmail(email)
	if err != nil {
		return "", err
	}
	if name, err = checkName(name); err != nil {
		return "", err
	}
	if roles, err = orderRoles(roles); err != nil {
		return "", err
	}
	if len(roles) == 0 {
		return "", &InvalidError{"roles", "must name one role at least"}
	}
	if slices.Contains(roles, access.RoleAffiliate) && s.affiliates == nil {
		return "", &InvalidError{"roles", "cannot make an affiliate here"}
	}
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		if _, err := PersonByEmail(ctx, tx, email); err == nil {
			return ErrTaken
		} else if !errors.Is(err, ErrNotFound) {
			return err
		}
		var err error
		if url, err = s.makeLink(ctx, tx, Link{Kind: InviteLink, Email: email, Name: name, Roles: roles}, inviteLifetime); err != nil {
			return err
		}
		err = s.record(ctx, tx, audit.Entry{Action: "person.invite", Object: "invitation", After: map[string]any{"email": maskEmail(email), "roles": roles}})
		if err != nil {
			return err
		}
		if send {
			if err := s.mail.Queue(ctx, tx, mail.Message{To: email, Template: "invite", Data: map[string]string{"Name": name, "URL": url}}); err != nil {
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
		return "", fmt.Errorf("invite: %w", err)
	}
	return url, nil
}

// EnsureOwner returns a link that makes the first owner of a database, once in its life: created is false ever after.
// Several cores may call it at once.
func (s *Service) EnsureOwner(ctx context.Context, email string) (url string, created bool, err error) {
	email, err = NormalizeEmail(email)
	if err != nil {
		return "", false, err
	}
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		if created, err = tx.TryInsert(ctx, "INSERT INTO meta (name, value) VALUES (?, ?)", "first_owner", "invited"); err != nil || !created {
			return err
		}
		url, err = s.makeLink(ctx, tx, Link{Kind: InviteLink, Email: email, Name: "Owner", Roles: []access.Role{access.RoleOwner}}, inviteLifetime)
		return err
	})
	if err != nil {
		return "", false, fmt.Errorf("invite first owner: %w", err)
	}
	return url, created, nil
}

// CheckView says whether actor may look at the pages of a person, read-only. Errors: ErrStaff, ErrNotFound, ErrErased.
func CheckView(actor access.Principal, p Person) error {
	if p.Status == Erased {
		return ErrErased
	}
	if staff(p.Roles) && !actor.Is(access.RoleOwner) {
		return ErrStaff
	}
	return nil
}

// RecordView writes that actor of ctx looks at the pages of a person.
func (s *Service) RecordView(ctx context.Context, tx *db.Tx, personID int64, reason string) error {
	return s.record(ctx, tx, audit.Entry{Action: "person.view", Object: ident.Format(ident.Person, personID), Reason: reason})
}

// RecordViewEnd writes that actor of ctx looks at them no more.
func (s *Service) RecordViewEnd(ctx context.Context, tx *db.Tx, personID int64) error {
	return s.record(ctx, tx, audit.Entry{Action: "person.view_end", Object: ident.Format(ident.Person, personID)})
}

func runAll[T any](tx *db.Tx, v T, fns []func(*db.Tx, T) error) error {
	for _, fn := range fns {
		if err := fn(tx, v); err != nil {
			return err
		}
	}
	return nil
}

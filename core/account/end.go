package account

import (
	"context"
	"fmt"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/audit"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/ident"
)

// mayEnd says whether actor may end sessions of a person: nobody does who could not suspend him, except for himself.
func mayEnd(actor access.Principal, p Person) error {
	if actor.PersonID != 0 && actor.PersonID == p.ID {
		return nil
	}
	return mayChange(actor, p.ID, p.Roles)
}

// EndSessionOf ends one session of a person, as somebody who manages people, with all that was granted in it: see EndSession
// for when. Errors: ErrNotFound, ErrOwnerOnly, ErrNoSession.
func (s *Service) EndSessionOf(ctx context.Context, actor access.Principal, personID, id int64, reason string) error {
	return s.endOf(ctx, actor, personID, func(tx *db.Tx) error {
		v, err := scanSession(tx.QueryRow(ctx, selectSession+" WHERE id = ? AND person_id = ? AND revoked_at = 0"+tx.Dialect().ForUpdate(), id, personID))
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "UPDATE sessions SET revoked_at = ? WHERE id = ?", s.unixMS(), id); err != nil {
			return err
		}
		s.changed(tx, id, personID)
		return s.record(ctx, tx, audit.Entry{
			Action: "person.session_end", Object: ident.Format(ident.Person, personID), Reason: reason,
			Before: map[string]any{"session": ident.Format(ident.Session, id), "device": v.Device},
		})
	})
}

// EndSessionsOf ends all sessions of a person, as somebody who manages people, and forgets the browsers that he used. The person may
// sign in again. Errors: ErrNotFound, ErrOwnerOnly.
func (s *Service) EndSessionsOf(ctx context.Context, actor access.Principal, personID int64, reason string) error {
	return s.endOf(ctx, actor, personID, func(tx *db.Tx) error {
		if err := s.endSessions(ctx, tx, personID, 0); err != nil {
			return err
		}
		if err := s.forgetDevices(ctx, tx, personID); err != nil {
			return err
		}
		return s.record(ctx, tx, audit.Entry{Action: "person.sessions_end", Object: ident.Format(ident.Person, personID), Reason: reason})
	})
}

// endOf runs end for a person whose sessions actor may end. The person is locked, so that his roles stay what was looked at.
func (s *Service) endOf(ctx context.Context, actor access.Principal, personID int64, end func(*db.Tx) error) error {
	err := s.db.InTx(ctx, func(tx *db.Tx) error {
		p, err := lockPerson(ctx, tx, personID)
		if err != nil {
			return err
		}
		if err := mayEnd(actor, p); err != nil {
			return err
		}
		return end(tx)
	})
	if err != nil {
		return fmt.Errorf("end sessions of a person: %w", err)
	}
	return nil
}

package account

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/mail"
)

// SignUp is what a stranger asks for who wants an account.
type SignUp struct {
	Email, Name string
	Affiliate   bool  // wants to be an affiliate, beside a learner
	SponsorID   int64 // the affiliate who brought him; 0: nobody
	Address     netip.Addr
}

// request is a row of account_requests.
type request struct {
	id        int64
	kind      LinkKind
	email     string
	name      string
	roles     string
	sponsorID int64
	personID  int64
}

// RequestSignUp takes a wish for an account. What happens to it is told by mail and not by the answer, which is the
// same, and takes as long, for known addresses and new ones. Errors: *InvalidError, *TooManyError, ErrCrowded.
func (s *Service) RequestSignUp(ctx context.Context, in SignUp) error {
	email, err := NormalizeEmail(in.Email)
	if err != nil {
		return err
	}
	name, err := checkName(in.Name)
	if err != nil {
		return err
	}
	roles := []access.Role{access.RoleLearner}
	if in.Affiliate {
		if s.affiliates == nil {
			return &InvalidError{"affiliate", ReasonAffiliate}
		}
		roles = []access.Role{access.RoleAffiliate, access.RoleLearner}
	}
	if err := s.charge(ctx, []counter{counterOf(bySignUps(), true, "sign up", network(in.Address))}); err != nil {
		return err
	}
	return s.enqueue(ctx, request{kind: SignUpLink, email: email, name: name, roles: joinRoles(roles), sponsorID: in.SponsorID})
}

// RequestReset takes a wish for a new password, as RequestSignUp takes one for an account.
func (s *Service) RequestReset(ctx context.Context, address string, from netip.Addr) error {
	email, err := NormalizeEmail(address)
	if err != nil {
		return err
	}
	if err := s.charge(ctx, []counter{counterOf(bySignUps(), true, "forgotten", network(from))}); err != nil {
		return err
	}
	return s.enqueue(ctx, request{kind: ResetLink, email: email})
}

// RequestEmail takes a person's wish for another address, proved by his password. A link goes to the new address, or
// word to it that it is somebody's; the answer does not tell which. Errors: ErrCredentials, *InvalidError, *TooManyError.
func (s *Service) RequestEmail(ctx context.Context, personID int64, address, currentPassword string) error {
	email, err := NormalizeEmail(address)
	if err != nil {
		return err
	}
	if err := s.checkPassword(ctx, personID, currentPassword); err != nil {
		return err
	}
	return s.enqueue(ctx, request{kind: EmailLink, email: email, personID: personID})
}

func (s *Service) enqueue(ctx context.Context, r request) error {
	n, err := s.waiting(ctx)
	if err != nil {
		return err
	}
	if n >= maxRequests {
		s.metrics.crowded.Inc()
		return ErrCrowded
	}
	id := s.ids.New()
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO account_requests (id, kind, email, name, roles, sponsor_id, person_id, created_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, id, string(r.kind), r.email, r.name, r.roles, r.sponsorID, r.personID, s.unixMS())
		tx.OnCommit(func() {
			select {
			case s.wake <- struct{}{}:
			default:
			}
		})
		return err
	})
	if err != nil {
		return fmt.Errorf("keep account request: %w", err)
	}
	return nil
}

// waiting counts requests, to maxRequests.
func (s *Service) waiting(ctx context.Context) (n int, err error) {
	err = s.db.QueryRow(ctx, "SELECT COUNT(*) FROM (SELECT id FROM account_requests LIMIT ?) waiting", maxRequests).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count account requests: %w", err)
	}
	return n, nil
}

// ProcessRequests works on all requests that wait. Several cores may do it at once.
func (s *Service) ProcessRequests(ctx context.Context) error {
	var errs []error
	after := int64(0)
	for {
		ids, err := s.pendingRequests(ctx, after)
		if err != nil || len(ids) == 0 {
			return errors.Join(append(errs, err)...)
		}
		for _, id := range ids {
			// One that fails must not hold up those behind it.
			errs = append(errs, s.process(ctx, id))
			after = id
		}
		if ctx.Err() != nil {
			return errors.Join(errs...)
		}
	}
}

func (s *Service) pendingRequests(ctx context.Context, after int64) (ids []int64, err error) {
	rows, err := s.db.Query(ctx, "SELECT id FROM account_requests WHERE id > ? ORDER BY id LIMIT ?", after, requestBatch)
	if err != nil {
		return nil, fmt.Errorf("read account requests: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("read account requests: %w", err)
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

// process works on one request and deletes it, in one transaction.
func (s *Service) process(ctx context.Context, id int64) error {
	err := s.db.InTx(ctx, func(tx *db.Tx) error {
		r := request{id: id}
		err := tx.QueryRow(ctx, "SELECT kind, email, name, roles, sponsor_id, person_id FROM account_requests WHERE id = ?"+tx.Dialect().SkipLocked(), id).
			Scan(&r.kind, &r.email, &r.name, &r.roles, &r.sponsorID, &r.personID)
		if db.IsNoRows(err) {
			return nil // another core has it
		}
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "DELETE FROM account_requests WHERE id = ?", id); err != nil {
			return err
		}
		return s.answer(ctx, tx, r)
	})
	if err != nil {
		return fmt.Errorf("work on account request: %w", err)
	}
	return nil
}

// answer sends the mail that a request asked for.
func (s *Service) answer(ctx context.Context, tx *db.Tx, r request) error {
	p, err := PersonByEmail(ctx, tx, r.email)
	known := err == nil && p.Status != Erased
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	if r.kind == ResetLink && (!known || p.Status != Active) {
		return nil // and nobody is told, so that strangers cannot have mails sent to anybody
	}
	if held, err := s.enough(ctx, tx, r.email, r.kind); err != nil || held {
		return err
	}
	l := Link{Kind: r.kind, Email: r.email, PersonID: r.personID, Name: r.name, Roles: splitRoles(r.roles), SponsorID: r.sponsorID}
	m := mail.Message{To: r.email, Data: map[string]string{"Name": r.name}}
	lifetime := linkLifetime
	switch {
	case r.kind == ResetLink:
		l.PersonID, m.Template, m.Data["Name"], lifetime = p.ID, "password_reset", p.Name, resetLifetime
	case known:
		m.Template, m.Data["Name"], m.Data["URL"] = "account_exists", p.Name, s.url+"/account/sign-in"
		if err := s.countMail(ctx, tx, r); err != nil {
			return err
		}
		return s.mail.Queue(ctx, tx, m)
	case r.kind == SignUpLink:
		m.Template = "sign_up"
	case r.kind == EmailLink:
		asked, err := ReadPerson(ctx, tx, r.personID)
		if err != nil || asked.Status != Active {
			return err
		}
		if err := s.dropLinks(ctx, tx, r.personID, EmailLink); err != nil {
			return err
		}
		m.Template, m.Data["Name"] = "email_confirm", asked.Name
	default:
		return fmt.Errorf("unknown kind of account request %q", r.kind)
	}
	if m.Data["URL"], err = s.makeLink(ctx, tx, l, lifetime); err != nil {
		return err
	}
	return s.mail.Queue(ctx, tx, m)
}

// countMail notes a mail without a link, so that enough counts it.
func (s *Service) countMail(ctx context.Context, tx *db.Tx, r request) error {
	_, hash := newSecret() // that nobody knows
	now := s.unixMS()
	_, err := tx.Exec(ctx, `INSERT INTO account_links (id, hash, kind, person_id, email, name, roles, sponsor_id, created_at, expires_at, used_at)
		VALUES (?, ?, ?, 0, ?, '', '', 0, ?, ?, ?)`, s.ids.New(), hash[:], string(r.kind), r.email, now, now+linkLifetime.Milliseconds(), now)
	if err != nil {
		return fmt.Errorf("count mail: %w", err)
	}
	return nil
}

// enough reports whether an address got as many mails as strangers may have sent to it now. A link to a new password is
// held back for two hours at most and stays good for longer: strangers must not keep it from the owner.
func (s *Service) enough(ctx context.Context, tx *db.Tx, email string, kind LinkKind) (bool, error) {
	var n, last int64
	now := s.unixMS()
	err := tx.QueryRow(ctx, "SELECT COUNT(*), COALESCE(MAX(created_at), 0) FROM account_links WHERE email = ? AND created_at > ? AND (kind = 'reset') = ?",
		email, now-(24*time.Hour).Milliseconds(), kind == ResetLink).Scan(&n, &last)
	if err != nil {
		return false, fmt.Errorf("count mails: %w", err)
	}
	held := n >= mailsPerDay
	if kind == ResetLink {
		gap := resetGap
		if held {
			gap = resetGapLong
		}
		held = now-last < gap.Milliseconds()
	}
	if held {
		tx.OnCommit(s.metrics.silenced.Inc)
	}
	return held, nil
}

package webhook

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/edgeref/edgeref/core/db"
)

// State of an endpoint.
type State string

// States.
const (
	Active   State = "active"
	Disabled State = "disabled"
	deleted  State = "deleted"
)

// Endpoint is where events go: a webhook of the business, or a postback of an affiliate.
type Endpoint struct {
	ID             int64
	ProgramID      int64  // 0: events of all programs
	AffiliateID    int64  // 0: a webhook; otherwise a postback, which hears of this affiliate's conversions only
	URL            string // of a postback: with macros
	Method         string // POST; of a postback also GET
	Events         []Name
	Description    string
	State          State
	DisabledReason string
	FailingSince   int64 // Unix ms; 0: the last attempt succeeded
	CreatedAt      int64
	UpdatedAt      int64

	secret, previous string // sealed, see secrets.go
	previousUntil    int64
}

// Postback reports whether the endpoint is an affiliate's.
func (e *Endpoint) Postback() bool { return e.AffiliateID != 0 }

// secrets are those that sign at a time in Unix ms.
func (e *Endpoint) secrets(at int64) []string {
	if e.previous != "" && at < e.previousUntil {
		return []string{e.secret, e.previous}
	}
	return []string{e.secret}
}

// NewEndpoint is what an endpoint is made of.
type NewEndpoint struct {
	ProgramID, AffiliateID int64
	URL, Method            string // an empty method is POST, of a postback GET
	Events                 []Name
	Description            string
}

// Change changes what is not nil.
type Change struct {
	URL, Method, Description *string
	Events                   []Name // nil: no change
	State                    *State
}

// check validates e and brings it into its stored form.
func (s *Service) check(e *Endpoint) error {
	if e.Method == "" {
		e.Method = http.MethodPost
		if e.Postback() {
			e.Method = http.MethodGet
		}
	}
	var err error
	if e.Postback() {
		_, err = parseTemplate(s.guard, e.URL)
	} else {
		_, err = s.guard.checkURL(e.URL)
	}
	switch {
	case len(e.URL) > maxURL:
		return &InvalidError{"url", fmt.Sprintf("is longer than %d bytes", maxURL)}
	case err != nil:
		return &InvalidError{"url", err.Error()}
	case e.Method != http.MethodPost && (!e.Postback() || e.Method != http.MethodGet):
		return &InvalidError{"method", "must be POST, or GET for a postback"}
	case len(e.Events) == 0:
		return &InvalidError{"events", "must name one event at least"}
	case len(e.Description) > MaxDescription || !utf8.ValidString(e.Description) || strings.ContainsRune(e.Description, 0):
		return &InvalidError{"description", fmt.Sprintf("must be text of at most %d bytes", MaxDescription)}
	case e.State != Active && e.State != Disabled:
		return &InvalidError{"state", "must be active or disabled"}
	}
	for _, name := range e.Events {
		if !slices.Contains(Names(), name) {
			return &InvalidError{"events", "names an event that there is none of"}
		}
	}
	e.Events = slices.Compact(slices.Sorted(slices.Values(e.Events)))
	return nil
}

// Create makes an endpoint and returns it with its secret, which is not shown again. Functions in also run at the end
// of its transaction. Errors: *InvalidError, ErrTooMany.
func (s *Service) Create(ctx context.Context, want NewEndpoint, also ...func(*db.Tx, Endpoint, string) error) (Endpoint, string, error) {
	now := s.now().UnixMilli()
	e := Endpoint{
		ID: s.ids.New(), ProgramID: want.ProgramID, AffiliateID: want.AffiliateID, URL: want.URL, Method: want.Method, Events: want.Events,
		Description: want.Description, State: Active, CreatedAt: now, UpdatedAt: now,
	}
	if err := s.check(&e); err != nil {
		return Endpoint{}, "", err
	}
	secret := newSecret()
	var err error
	if e.secret, err = s.sealSecret(e.ID, secret); err != nil {
		return Endpoint{}, "", err
	}
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		if err := s.mayCreate(ctx, tx, &e); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO webhook_endpoints (id, program_id, affiliate_id, url, method, events, description, secret,
			previous_secret, previous_until, state, disabled_reason, failing_since, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, '', 0, ?, '', 0, ?, ?)`,
			e.ID, e.ProgramID, e.AffiliateID, e.URL, e.Method, joinNames(e.Events), e.Description, e.secret, e.State, now, now); err != nil {
			return err
		}
		for _, fn := range also {
			if err := fn(tx, e, secret); err != nil {
				return err
			}
		}
		tx.OnCommit(s.forget)
		return nil
	})
	if err != nil {
		return Endpoint{}, "", wrap("create webhook", err)
	}
	return e, secret, nil
}

// mayCreate checks what needs the database.
func (s *Service) mayCreate(ctx context.Context, tx *db.Tx, e *Endpoint) error {
	var count, own, programs, affiliates int64
	err := tx.QueryRow(ctx, `SELECT (SELECT COUNT(*) FROM webhook_endpoints WHERE state <> ?), (SELECT COUNT(*) FROM webhook_endpoints WHERE state <> ? AND affiliate_id = ?),
		(SELECT COUNT(*) FROM programs WHERE id = ?), (SELECT COUNT(*) FROM affiliates WHERE id = ?)`,
		deleted, deleted, e.AffiliateID, e.ProgramID, e.AffiliateID).Scan(&count, &own, &programs, &affiliates)
	switch {
	case err != nil:
		return err
	case count >= MaxEndpoints, e.AffiliateID != 0 && own >= MaxPostbacks:
		return ErrTooMany
	case e.ProgramID != 0 && programs == 0:
		return &InvalidError{"program_id", "there is no such program"}
	case e.AffiliateID != 0 && affiliates == 0:
		return &InvalidError{"affiliate_id", "there is no such affiliate"}
	}
	return nil
}

// Update changes an endpoint. What is waiting is sent as the endpoint is then. Enabling it lets it fail anew. Functions in
// also run at the end of its transaction.
func (s *Service) Update(ctx context.Context, id int64, change Change, also ...func(tx *db.Tx, before, after Endpoint) error) (e Endpoint, err error) {
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		if e, err = readEndpoint(ctx, tx, id, tx.Dialect().ForUpdate()); err != nil {
			return err
		}
		before := e
		apply(&e.URL, change.URL)
		apply(&e.Method, change.Method)
		apply(&e.Description, change.Description)
		if change.Events != nil {
			e.Events = change.Events
		}
		if change.State != nil && *change.State != e.State {
			e.State, e.DisabledReason, e.FailingSince = *change.State, "", 0
			if e.State == Disabled {
				e.DisabledReason = "disabled by hand"
			}
		}
		if err := s.check(&e); err != nil {
			return err
		}
		e.UpdatedAt = s.now().UnixMilli()
		tx.OnCommit(s.forget)
		if _, err := tx.Exec(ctx, `UPDATE webhook_endpoints SET url = ?, method = ?, events = ?, description = ?, state = ?, disabled_reason = ?,
			failing_since = ?, updated_at = ? WHERE id = ?`, e.URL, e.Method, joinNames(e.Events), e.Description, e.State, e.DisabledReason, e.FailingSince, e.UpdatedAt, id); err != nil {
			return err
		}
		for _, fn := range also {
			if err := fn(tx, before, e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return Endpoint{}, wrap("update webhook", err)
	}
	return e, nil
}

func apply[T any](field, value *T) {
	if value != nil {
		*field = *value
	}
}

// Rotate gives an endpoint a new secret and returns it. The previous one signs too for RotationPeriod.
func (s *Service) Rotate(ctx context.Context, id int64, also ...func(*db.Tx, Endpoint, string) error) (e Endpoint, secret string, err error) {
	secret = newSecret()
	sealed, err := s.sealSecret(id, secret)
	if err != nil {
		return Endpoint{}, "", err
	}
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		if e, err = readEndpoint(ctx, tx, id, tx.Dialect().ForUpdate()); err != nil {
			return err
		}
		now := s.now()
		e.secret, e.previous, e.previousUntil, e.UpdatedAt = sealed, e.secret, now.Add(RotationPeriod).UnixMilli(), now.UnixMilli()
		if _, err := tx.Exec(ctx, "UPDATE webhook_endpoints SET secret = ?, previous_secret = ?, previous_until = ?, updated_at = ? WHERE id = ?",
			e.secret, e.previous, e.previousUntil, e.UpdatedAt, id); err != nil {
			return err
		}
		for _, fn := range also {
			if err := fn(tx, e, secret); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return Endpoint{}, "", wrap("rotate webhook secret", err)
	}
	return e, secret, nil
}

// Delete ends an endpoint. What was not delivered becomes dead; its log stays for Keep. Functions in also run at the end of
// its transaction, with the endpoint as it was.
func (s *Service) Delete(ctx context.Context, id int64, also ...func(*db.Tx, Endpoint) error) error {
	err := s.db.InTx(ctx, func(tx *db.Tx) error {
		e, err := readEndpoint(ctx, tx, id, tx.Dialect().ForUpdate())
		if err != nil {
			return err
		}
		tx.OnCommit(s.forget)
		if _, err := tx.Exec(ctx, "UPDATE webhook_endpoints SET state = ?, url = '', secret = '', previous_secret = '', updated_at = ? WHERE id = ?",
			deleted, s.now().UnixMilli(), id); err != nil {
			return err
		}
		for _, fn := range also {
			if err := fn(tx, e); err != nil {
				return err
			}
		}
		return nil
	})
	return wrap("delete webhook", err)
}

// Get reads one endpoint. Errors: ErrNotFound.
func (s *Service) Get(ctx context.Context, id int64) (Endpoint, error) {
	e, err := readEndpoint(ctx, s.db, id, "")
	return e, wrap("read webhook", err)
}

// EndpointFilter selects endpoints; zero values select all.
type EndpointFilter struct {
	ProgramID, AffiliateID int64
	State                  State
	Before                 int64 // identifiers below this only
	Limit                  int
}

// List returns endpoints, the newest first.
func (s *Service) List(ctx context.Context, f EndpointFilter) ([]Endpoint, error) {
	where, args := "state <> ?", []any{deleted}
	add := func(condition string, value any, wanted bool) {
		if wanted {
			where, args = where+" AND "+condition, append(args, value)
		}
	}
	add("program_id = ?", f.ProgramID, f.ProgramID != 0)
	add("affiliate_id = ?", f.AffiliateID, f.AffiliateID != 0)
	add("state = ?", f.State, f.State != "")
	add("id < ?", f.Before, f.Before != 0)
	list, err := readEndpoints(ctx, s.db, where+" ORDER BY id DESC LIMIT ?", append(args, f.Limit)...)
	return list, wrap("list webhooks", err)
}

func readEndpoint(ctx context.Context, q db.Querier, id int64, lock string) (Endpoint, error) {
	list, err := readEndpoints(ctx, q, "id = ? AND state <> ?"+lock, id, deleted)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Endpoint{}, err
	}
	return list[0], nil
}

func readEndpoints(ctx context.Context, q db.Querier, rest string, args ...any) ([]Endpoint, error) {
	rows, err := q.Query(ctx, `SELECT id, program_id, affiliate_id, url, method, events, description, secret, previous_secret, previous_until,
		state, disabled_reason, failing_since, created_at, updated_at FROM webhook_endpoints WHERE `+rest, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Endpoint
	for rows.Next() {
		var e Endpoint
		var events string
		if err := rows.Scan(&e.ID, &e.ProgramID, &e.AffiliateID, &e.URL, &e.Method, &events, &e.Description, &e.secret, &e.previous,
			&e.previousUntil, &e.State, &e.DisabledReason, &e.FailingSince, &e.CreatedAt, &e.UpdatedAt); err != nil {
			return nil, err
		}
		e.Events = splitNames(events)
		out = append(out, e)
	}
	return out, rows.Err()
}

// wrap says what failed, except where the error says it already.
func wrap(doing string, err error) error {
	var invalid *InvalidError
	if err == nil || errors.As(err, &invalid) || errors.Is(err, ErrNotFound) || errors.Is(err, ErrDeliveryNotFound) {
		return err
	}
	return fmt.Errorf("%s: %w", doing, err)
}

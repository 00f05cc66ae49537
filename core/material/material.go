// Package material keeps what affiliates hand on: banners, texts, e-mails, pages to link to, and files.
package material

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/edgeref/edgeref/core/audit"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/newid"
	"github.com/edgeref/edgeref/core/site"
	"github.com/edgeref/edgeref/wire/ident"
)

// Kind of a material.
type Kind string

// Kinds.
const (
	Banner  Kind = "banner"  // a picture that leads to the affiliate's link
	Text    Kind = "text"    // a text for posts and messages
	Email   Kind = "email"   // a subject and a text
	Landing Kind = "landing" // a page of the program to which affiliates make links of their own
	File    Kind = "file"    // something to download
)

// Max is how many materials there may be.
const Max = 1000

// Errors of this package.
var (
	ErrNotFound = errors.New("no such material")
	ErrTooMany  = fmt.Errorf("there are %d materials already; delete one first", Max)
)

// Material is one thing that affiliates hand on.
type Material struct {
	ID        int64
	ProgramID int64 // 0: for affiliates of all programs
	Kind      Kind
	Name      string
	Subject   string // of an e-mail
	Content   string // of a text or an e-mail; may hold placeholders, see Fill
	URL       string // of a landing page
	MediaID   int64  // of a banner or a file
	Active    bool   // affiliates see it
	Position  int64  // smaller ones come first
	CreatedAt int64  // Unix ms
	UpdatedAt int64  // Unix ms

	Media site.Media // of MediaID; zero: none
}

// Change changes what is not nil.
type Change struct {
	Name, Subject, Content, URL  *string
	ProgramID, MediaID, Position *int64
	Active                       *bool
}

func (c Change) apply(m *Material) {
	set(&m.Name, c.Name)
	set(&m.Subject, c.Subject)
	set(&m.Content, c.Content)
	set(&m.URL, c.URL)
	set(&m.ProgramID, c.ProgramID)
	set(&m.MediaID, c.MediaID)
	set(&m.Position, c.Position)
	set(&m.Active, c.Active)
}

func set[T any](field, value *T) {
	if value != nil {
		*field = *value
	}
}

// auditor keeps who changed what.
type auditor interface {
	Record(ctx context.Context, tx *db.Tx, e audit.Entry) error
}

// Options are what New needs.
type Options struct {
	DB    *db.DB
	IDs   *newid.Generator
	Audit auditor // default: changes are not recorded
	Now   func() time.Time
}

// Service keeps materials. It is safe for concurrent use.
type Service struct {
	db    *db.DB
	ids   *newid.Generator
	audit auditor
	now   func() time.Time
}

// New returns a Service.
func New(opts Options) *Service {
	if opts.DB == nil || opts.IDs == nil || opts.Now == nil {
		panic("BUG: materials need a database, identifiers and a clock")
	}
	return &Service{db: opts.DB, ids: opts.IDs, audit: opts.Audit, now: opts.Now}
}

func (s *Service) record(ctx context.Context, tx *db.Tx, action string, id int64, before, after any) error {
	if s.audit == nil {
		return nil
	}
	return s.audit.Record(ctx, tx, audit.Entry{Action: action, Object: ident.Format(ident.Material, id), Before: before, After: after})
}

// summary is what the audit log keeps.
func (m *Material) summary() any {
	return map[string]any{
		"program_id": m.ProgramID, "kind": m.Kind, "name": m.Name, "subject": m.Subject, "content": m.Content, "url": m.URL, "media_id": m.MediaID,
		"active": m.Active, "position": m.Position,
	}
}

// Create makes a material; id, times and Media of m are ignored. Functions in also run at the end of the transaction.
// Errors: *InvalidError, ErrTooMany.
func (s *Service) Create(ctx context.Context, m Material, also ...func(*db.Tx, Material) error) (Material, error) {
	if err := m.check(); err != nil {
		return Material{}, err
	}
	m.ID = s.ids.New()
	err := s.db.InTx(ctx, func(tx *db.Tx) error {
		m.CreatedAt = s.now().UnixMilli()
		m.UpdatedAt = m.CreatedAt
		if err := m.resolve(ctx, tx); err != nil {
			return err
		}
		var n int
		if err := tx.QueryRow(ctx, "SELECT COUNT(*) FROM materials").Scan(&n); err != nil {
			return fmt.Errorf("count materials: %w", err)
		}
		if n >= Max {
			return ErrTooMany
		}
		_, err := tx.Exec(ctx, `INSERT INTO materials (id, program_id, kind, name, subject, content, url, media_id, active, position, created_at, updated_at)
			VALUES `+db.In(12), m.ID, m.ProgramID, m.Kind, m.Name, m.Subject, m.Content, m.URL, m.MediaID, m.Active, m.Position, m.CreatedAt, m.UpdatedAt)
		if err != nil {
			return fmt.Errorf("store material: %w", err)
		}
		if err := s.record(ctx, tx, "material.create", m.ID, nil, m.summary()); err != nil {
			return err
		}
		for _, fn := range also {
			if err := fn(tx, m); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return Material{}, err
	}
	return m, nil
}

// Update changes a material. Errors: ErrNotFound, *InvalidError.
func (s *Service) Update(ctx context.Context, id int64, c Change) (m Material, err error) {
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		before, err := one(ctx, tx, id, tx.Dialect().ForUpdate())
		if err != nil {
			return err
		}
		m = before
		c.apply(&m)
		m.UpdatedAt = s.now().UnixMilli()
		if err := m.check(); err != nil {
			return err
		}
		if err := m.resolve(ctx, tx); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE materials SET program_id = ?, name = ?, subject = ?, content = ?, url = ?, media_id = ?, active = ?, position = ?,
			updated_at = ? WHERE id = ?`, m.ProgramID, m.Name, m.Subject, m.Content, m.URL, m.MediaID, m.Active, m.Position, m.UpdatedAt, id)
		if err != nil {
			return fmt.Errorf("store material: %w", err)
		}
		return s.record(ctx, tx, "material.update", id, before.summary(), m.summary())
	})
	if err != nil {
		return Material{}, err
	}
	return m, nil
}

// Delete takes a material away; its file stays. Errors: ErrNotFound.
func (s *Service) Delete(ctx context.Context, id int64) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		m, err := one(ctx, tx, id, tx.Dialect().ForUpdate())
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "DELETE FROM materials WHERE id = ?", id); err != nil {
			return fmt.Errorf("delete material: %w", err)
		}
		return s.record(ctx, tx, "material.delete", id, m.summary(), nil)
	})
}

// Fill puts an affiliate's link and name into a text: {link} and {name} stand for them. Where a value is empty its
// placeholder stays, so that it is seen.
func Fill(text, link, name string) string {
	var pairs []string
	for placeholder, value := range map[string]string{"{link}": link, "{name}": name} {
		if value != "" {
			pairs = append(pairs, placeholder, value)
		}
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

package material

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/edgeref/edgeref/core/catalog"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/site"
)

// Limits of the input, in bytes.
const (
	maxName    = 255
	maxContent = 20_000
	maxURL     = 2048
)

// InvalidError is what is wrong with one field of the input. Field is its name in the API.
type InvalidError struct{ Field, Reason string }

// Error implements error.
func (e *InvalidError) Error() string { return e.Field + " " + e.Reason }

func bad(s string, limit int, lines bool) bool {
	control := func(r rune) bool { return r < ' ' && (!lines || r != '\n' && r != '\r' && r != '\t') || r == 0x7f }
	return len(s) > limit || !utf8.ValidString(s) || strings.ContainsFunc(s, control)
}

// check validates what needs no database, and that a material has what its kind has, and nothing else.
func (m *Material) check() error {
	has := map[string]bool{"subject": m.Subject != "", "content": m.Content != "", "url": m.URL != "", "media_id": m.MediaID != 0}
	wants := map[Kind][]string{Banner: {"media_id"}, Text: {"content"}, Email: {"subject", "content"}, Landing: {"url"}, File: {"media_id"}}[m.Kind]
	switch {
	case wants == nil:
		return &InvalidError{"kind", "must be banner, text, email, landing or file"}
	case strings.TrimSpace(m.Name) == "" || bad(m.Name, maxName, false):
		return &InvalidError{"name", fmt.Sprintf("must be a line of 1 to %d bytes", maxName)}
	case bad(m.Subject, maxName, false):
		return &InvalidError{"subject", fmt.Sprintf("must be a line of at most %d bytes", maxName)}
	case bad(m.Content, maxContent, true):
		return &InvalidError{"content", fmt.Sprintf("must be text of at most %d bytes", maxContent)}
	case m.Position < -1_000_000 || m.Position > 1_000_000:
		return &InvalidError{"position", "must be -1000000 to 1000000"}
	}
	for _, field := range []string{"subject", "content", "url", "media_id"} {
		if want := slices.Contains(wants, field); want && !has[field] {
			return &InvalidError{field, fmt.Sprintf("is needed for a %s", m.Kind)}
		} else if !want && has[field] {
			return &InvalidError{field, fmt.Sprintf("does not belong to a %s", m.Kind)}
		}
	}
	if u, err := url.Parse(m.URL); m.URL != "" && (err != nil || len(m.URL) > maxURL || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil) {
		return &InvalidError{"url", "must be a URL, as in https://shop.example/course"}
	}
	return nil
}

// resolve validates against the database, and reads the file.
func (m *Material) resolve(ctx context.Context, q db.Querier) error {
	if m.ProgramID != 0 {
		p, err := catalog.ReadProgram(ctx, q, m.ProgramID)
		if errors.Is(err, catalog.ErrNotFound) {
			return &InvalidError{"program_id", "names no program"}
		}
		if err != nil {
			return err
		}
		if m.Kind == Landing && !p.Allows(m.URL) {
			return &InvalidError{"url", "must be on a host of the program: " + strings.Join(p.AllowedHosts, ", ")}
		}
	}
	m.Media = site.Media{}
	if m.MediaID == 0 {
		return nil
	}
	media, err := site.ReadMedia(ctx, q, m.MediaID)
	if errors.Is(err, site.ErrNotFound) {
		return &InvalidError{"media_id", "names no file"}
	}
	if err != nil {
		return err
	}
	if m.Kind == Banner && !media.IsPicture() {
		return &InvalidError{"media_id", "is no picture"}
	}
	m.Media = media
	return nil
}

// Filter selects materials; zero values select all.
type Filter struct {
	ProgramID int64 // also those for all programs
	Kind      Kind
	Active    bool // only those that affiliates see
}

// List returns materials in their order: there are at most Max of them.
func (s *Service) List(ctx context.Context, f Filter) ([]Material, error) {
	where, args := "1 = 1", []any{}
	add := func(condition string, value any, wanted bool) {
		if wanted {
			where, args = where+" AND "+condition, append(args, value)
		}
	}
	add("m.program_id IN (0, ?)", f.ProgramID, f.ProgramID != 0)
	add("m.kind = ?", f.Kind, f.Kind != "")
	add("m.active = ?", true, f.Active)
	return list(ctx, s.db, where+" ORDER BY m.position, m.id", args...)
}

// Get returns a material, or ErrNotFound.
func (s *Service) Get(ctx context.Context, id int64) (Material, error) { return one(ctx, s.db, id, "") }

func one(ctx context.Context, q db.Querier, id int64, lock string) (Material, error) {
	if lock != "" {
		// The row alone: a join would lock the file too.
		var n int64
		if err := q.QueryRow(ctx, "SELECT id FROM materials WHERE id = ?"+lock, id).Scan(&n); db.IsNoRows(err) {
			return Material{}, ErrNotFound
		} else if err != nil {
			return Material{}, fmt.Errorf("lock material: %w", err)
		}
	}
	found, err := list(ctx, q, "m.id = ?", id)
	if err == nil && len(found) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Material{}, err
	}
	return found[0], nil
}

func list(ctx context.Context, q db.Querier, rest string, args ...any) ([]Material, error) {
	rows, err := q.Query(ctx, `SELECT m.id, m.program_id, m.kind, m.name, m.subject, m.content, m.url, m.media_id, m.active, m.position, m.created_at, m.updated_at,
		COALESCE(f.id, 0), COALESCE(f.file_name, ''), COALESCE(f.content_type, ''), COALESCE(f.width, 0), COALESCE(f.height, 0), COALESCE(f.size_bytes, 0)
		FROM materials m LEFT JOIN site_media f ON f.id = m.media_id WHERE `+rest, args...)
	if err != nil {
		return nil, fmt.Errorf("read materials: %w", err)
	}
	defer rows.Close()
	var out []Material
	for rows.Next() {
		var m Material
		f := &m.Media
		if err := rows.Scan(&m.ID, &m.ProgramID, &m.Kind, &m.Name, &m.Subject, &m.Content, &m.URL, &m.MediaID, &m.Active, &m.Position, &m.CreatedAt, &m.UpdatedAt,
			&f.ID, &f.FileName, &f.ContentType, &f.Width, &f.Height, &f.Size); err != nil {
			return nil, fmt.Errorf("read materials: %w", err)
		}
		out = append(out, m)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read materials: %w", err)
	}
	return out, nil
}

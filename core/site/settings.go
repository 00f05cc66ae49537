package site

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"

	"github.com/edgeref/edgeref/core/db"
)

// Settings are what the public pages say. Texts are Markdown.
type Settings struct {
	Revision  int64 `json:"-"` // 0: nobody has saved yet, and these are the defaults
	UpdatedAt int64 `json:"-"` // Unix ms; 0 of the defaults
	UpdatedBy int64 `json:"-"` // a person; 0: a machine, or the defaults

	Name         string  `json:"name"`     // of the business
	Headline     string  `json:"headline"` // of the landing page
	Text         string  `json:"text"`     // of the landing page
	HeroImage    int64   `json:"hero_image"`
	Featured     []int64 `json:"featured"` // products on the landing page, in this order
	Terms        string  `json:"terms"`
	Privacy      string  `json:"privacy"`
	Refund       string  `json:"refund"`
	Contact      string  `json:"contact"`
	SupportEmail string  `json:"support_email"` // empty: none
	Accent       string  `json:"accent"`        // #rrggbb, on which white is readable
	Locale       string  `json:"locale"`        // BCP 47, of who asks for none: "en-IN"

	HTML Rendered `json:"-"` // of the texts; filled by Get
}

// Rendered are the texts of Settings as HTML that may be put on a page as it is. An empty one is not written yet.
type Rendered struct{ Text, Terms, Privacy, Refund, Contact template.HTML }

// Defaults are the settings of a site that nobody has edited.
func Defaults() Settings {
	return Settings{
		Name: "Edgeref", Headline: "Learn from those who do it", Locale: "en-IN", Accent: "#1b5fc1", Featured: []int64{},
		Text: "Courses and trainings that you can use tomorrow.",
	}
}

// Get returns the newest settings. They are cached: what this process saves shows at once, what another core saves within
// Options.Fresh. While the database cannot answer, what was read last is given out.
func (s *Service) Get(ctx context.Context) (Settings, error) {
	s.mu.Lock()
	now := s.now()
	have := s.cached.Revision >= 0
	if have && (s.asking || now.Sub(s.checked) < s.opts.Fresh && now.Sub(s.checked) >= 0) {
		defer s.mu.Unlock()
		return s.cached, nil
	}
	s.asking = true
	cached := s.cached
	s.mu.Unlock()
	fresh, err := s.newer(ctx, cached)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asking = false
	switch {
	case err == nil:
		s.keep(fresh)
		s.checked = now
	case !have:
		return Settings{}, err
	default:
		// The same question comes again only after a while, so that a database that hangs holds up few pages.
		s.checked = now
		s.log.Warn("the site's settings are shown as they were: the database did not answer", "error", err)
	}
	return s.cached, nil
}

// keep remembers settings, unless newer ones are known. The caller holds mu.
func (s *Service) keep(fresh Settings) {
	if fresh.Revision > s.cached.Revision {
		s.cached = fresh
	}
}

// newer reads the newest settings if they are not those that are cached.
func (s *Service) newer(ctx context.Context, cached Settings) (Settings, error) {
	var newest int64
	if err := s.db.QueryRow(ctx, "SELECT COALESCE(MAX(revision), 0) FROM site_revisions").Scan(&newest); err != nil {
		return Settings{}, fmt.Errorf("read revision of the site: %w", err)
	}
	if newest == cached.Revision {
		return cached, nil
	}
	fresh, err := read(ctx, s.db, newest)
	if err != nil {
		return Settings{}, err
	}
	return s.render(fresh)
}

// Revision returns the settings as they were saved under a number, or ErrNotFound.
func (s *Service) Revision(ctx context.Context, revision int64) (Settings, error) {
	found, err := read(ctx, s.db, revision)
	if err != nil {
		return Settings{}, err
	}
	return s.render(found)
}

// Locale is that of the newest settings, read by q.
func Locale(ctx context.Context, q db.Querier) (string, error) {
	var text string
	err := q.QueryRow(ctx, "SELECT settings FROM site_revisions ORDER BY revision DESC LIMIT 1").Scan(&text)
	out := Defaults()
	if errors.Is(err, sql.ErrNoRows) {
		return out.Locale, nil
	}
	if err != nil {
		return "", fmt.Errorf("read the site's settings: %w", err)
	}
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		return "", fmt.Errorf("decode the site's settings: %w", err)
	}
	return out.Locale, nil
}

func read(ctx context.Context, q db.Querier, revision int64) (Settings, error) {
	out := Defaults()
	if revision == 0 {
		return out, nil
	}
	var text string
	err := q.QueryRow(ctx, "SELECT settings, created_by, created_at FROM site_revisions WHERE revision = ?", revision).Scan(&text, &out.UpdatedBy, &out.UpdatedAt)
	if errors.Is(err, sql.ErrNoRows) {
		return Settings{}, ErrNotFound
	}
	if err != nil {
		return Settings{}, fmt.Errorf("read the site's settings: %w", err)
	}
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		return Settings{}, fmt.Errorf("decode the site's settings of revision %d: %w", revision, err)
	}
	out.Revision = revision
	return out, nil
}

func (s *Service) render(v Settings) (Settings, error) {
	for _, t := range []struct {
		into *template.HTML
		from string
	}{
		{&v.HTML.Text, v.Text}, {&v.HTML.Terms, v.Terms}, {&v.HTML.Privacy, v.Privacy}, {&v.HTML.Refund, v.Refund}, {&v.HTML.Contact, v.Contact},
	} {
		var err error
		if *t.into, err = s.markdown.HTML(t.from); err != nil {
			return Settings{}, err
		}
	}
	return v, nil
}

// Put saves settings as the revision after v.Revision, which must be the newest. A function in also runs at the end of the
// transaction. Errors: ErrConflict where another was saved meanwhile, *InvalidError.
func (s *Service) Put(ctx context.Context, v Settings, also ...func(*db.Tx, Settings) error) (Settings, error) {
	if err := v.check(); err != nil {
		return Settings{}, err
	}
	if v.Featured == nil {
		v.Featured = []int64{}
	}
	text, err := json.Marshal(v)
	if err != nil {
		return Settings{}, fmt.Errorf("encode the site's settings: %w", err)
	}
	var saved Settings
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		before, err := read(ctx, tx, v.Revision)
		if errors.Is(err, ErrNotFound) {
			return ErrConflict
		}
		if err != nil {
			return err
		}
		if err := v.checkReferences(ctx, tx); err != nil {
			return err
		}
		saved = v
		saved.Revision, saved.UpdatedAt, saved.UpdatedBy = v.Revision+1, s.now().UnixMilli(), personOf(ctx)
		// Who comes second finds the number taken.
		made, err := tx.TryInsert(ctx, "INSERT INTO site_revisions (revision, settings, created_by, created_at) VALUES (?, ?, ?, ?)",
			saved.Revision, string(text), saved.UpdatedBy, saved.UpdatedAt)
		if err != nil {
			return fmt.Errorf("save the site's settings: %w", err)
		}
		if !made {
			return ErrConflict
		}
		if saved, err = s.render(saved); err != nil {
			return err
		}
		was, is := difference(before, saved)
		if err := s.audit(ctx, tx, "site.update", "site", was, is); err != nil {
			return err
		}
		tx.OnCommit(func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.keep(saved)
		})
		for _, fn := range also {
			if err := fn(tx, saved); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return Settings{}, err
	}
	return saved, nil
}

// difference is what the audit log keeps of a saving: the fields that changed, long texts as their hash. The texts
// themselves stay in the revisions.
func difference(before, after Settings) (was, is map[string]any) {
	was, is = map[string]any{"revision": before.Revision}, map[string]any{"revision": after.Revision}
	old, now := before.fields(), after.fields()
	for name := range now {
		if fmt.Sprint(old[name]) != fmt.Sprint(now[name]) {
			was[name], is[name] = short(old[name]), short(now[name])
		}
	}
	return was, is
}

func (v Settings) fields() map[string]any {
	return map[string]any{
		"name": v.Name, "headline": v.Headline, "text": v.Text, "hero_image": v.HeroImage, "featured": v.Featured, "terms": v.Terms, "privacy": v.Privacy,
		"refund": v.Refund, "contact": v.Contact, "support_email": v.SupportEmail, "accent": v.Accent, "locale": v.Locale,
	}
}

func short(v any) any {
	const most = 500 // bytes
	s, ok := v.(string)
	if !ok || len(s) <= most {
		return v
	}
	sum := sha256.Sum256([]byte(s))
	return fmt.Sprintf("%d bytes, sha256 %s", len(s), hex.EncodeToString(sum[:]))
}

package site

import (
	"context"
	"fmt"
	"strings"

	"github.com/edgeref/edgeref/core/db"
)

// maxUses bounds how many places are named of each kind; whoever clears these is told of more.
const maxUses = 20

// Place is where a file is shown.
type Place string

// Places. The first six are parts of the site's texts and settings.
const (
	PlaceHero     Place = "hero"
	PlaceLanding  Place = "landing"
	PlaceTerms    Place = "terms"
	PlacePrivacy  Place = "privacy"
	PlaceRefund   Place = "refund"
	PlaceContact  Place = "contact"
	PlaceProduct  Place = "product"
	PlaceMaterial Place = "material"
)

// Use is one place that shows a file. ID and Name are of a product or a material.
type Use struct {
	Place Place
	ID    int64
	Name  string
}

func (u Use) String() string {
	switch u.Place {
	case PlaceHero:
		return "the picture of the landing page"
	case PlaceLanding:
		return "the text of the landing page"
	case PlaceTerms, PlacePrivacy, PlaceRefund, PlaceContact:
		return "the page " + string(u.Place)
	case PlaceProduct, PlaceMaterial:
	}
	return fmt.Sprintf("the %s %q", u.Place, u.Name)
}

// InUseError says where a file is shown that was to be deleted.
type InUseError struct{ Uses []Use }

// Error implements error.
func (e *InUseError) Error() string {
	words := make([]string, len(e.Uses))
	for i, u := range e.Uses {
		words[i] = u.String()
	}
	return "the file is shown by " + strings.Join(words, ", ") + "; take it out there first"
}

// Uses returns where a file is shown: on the site as it is now, by products, by materials. Of each kind at most 20.
func (s *Service) Uses(ctx context.Context, id int64) ([]Use, error) { return s.uses(ctx, s.db, id) }

func (s *Service) uses(ctx context.Context, q db.Querier, id int64) (out []Use, err error) {
	var newest int64
	if err := q.QueryRow(ctx, "SELECT COALESCE(MAX(revision), 0) FROM site_revisions").Scan(&newest); err != nil {
		return nil, fmt.Errorf("read revision of the site: %w", err)
	}
	now, err := read(ctx, q, newest)
	if err != nil {
		return nil, err
	}
	if now.HeroImage == id {
		out = append(out, Use{Place: PlaceHero})
	}
	for _, t := range []struct {
		place Place
		text  string
	}{{PlaceLanding, now.Text}, {PlaceTerms, now.Terms}, {PlacePrivacy, now.Privacy}, {PlaceRefund, now.Refund}, {PlaceContact, now.Contact}} {
		if strings.Contains(t.text, PathOf(id)) {
			out = append(out, Use{Place: t.place})
		}
	}
	// Texts are looked through whole: deleting is rare.
	for _, t := range []struct {
		place Place
		query string
	}{
		{PlaceProduct, "SELECT id, name FROM products WHERE image_id = ? OR description LIKE ? ORDER BY id LIMIT ?"},
		{PlaceMaterial, "SELECT id, name FROM materials WHERE media_id = ? OR content LIKE ? ORDER BY id LIMIT ?"},
	} {
		if out, err = appendUses(ctx, q, out, t.place, t.query, id, "%"+PathOf(id)+"%", maxUses); err != nil {
			return nil, fmt.Errorf("read use of file: %w", err)
		}
	}
	return out, nil
}

func appendUses(ctx context.Context, q db.Querier, out []Use, place Place, query string, args ...any) ([]Use, error) {
	rows, err := q.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		u := Use{Place: place}
		if err := rows.Scan(&u.ID, &u.Name); err != nil {
			return nil, err
		}
		out = append(out, u)
	}
	return out, rows.Err()
}

package catalog

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/link"
)

const (
	// slugAlphabet leaves out what is mistaken for something else when read aloud or written by hand: 0 o, 1 i l.
	slugAlphabet = "23456789abcdefghjkmnpqrstuvwxyz"
	slugLen      = 7
	// slugAttempts: with a million links of 27 thousand million slugs, five collisions in a row do not happen.
	slugAttempts = 5
)

// Link is a referral link. Times are Unix ms.
type Link struct {
	ID          int64
	Slug        string
	AffiliateID int64
	ProgramID   int64
	Destination string
	Status      link.State // as its owner set it; a suspended affiliate disables it as well
	ExpiresAt   int64      // 0: never
	CreatedAt   int64
	UpdatedAt   int64
	Rev         int64
}

// NewLink asks for a link.
type NewLink struct {
	AffiliateID int64
	ProgramID   int64
	Slug        string // "": one is made
	Destination string
	ExpiresAt   int64 // Unix ms; 0: never
	// Own says that the affiliate himself asks: then he must be active, the program open, and the destination on one of its
	// hosts.
	Own bool
}

// LinkPatch changes the fields that are not nil.
type LinkPatch struct {
	Destination *string
	Status      *link.State
	ExpiresAt   *int64 // to 0: never
	// Own is the affiliate who changes his own link; 0: the business does. He may disable it, but not enable it again: it
	// may be the business that disabled it.
	Own int64
}

// LinkFilter selects links; zero fields select all.
type LinkFilter struct {
	AffiliateID int64
	ProgramID   int64
	Slug        string // beginning; of many, db.SearchLimit are looked at, unless AffiliateID is set
	Status      link.State
	Since       int64 // with an id of this or above
}

func (l *Link) check(c *checker) {
	c.url("destination", l.Destination)
	oneOf(c, "status", l.Status, link.Active, link.Disabled)
	if l.ExpiresAt < 0 {
		c.fail("expires_at", "is before 1970")
	}
}

// CreateLink makes a link. The error is an *InvalidError, ErrSlugTaken if the slug was asked for and another link has
// or had it, or another. Functions in then run at the end of the transaction.
func (c *Catalog) CreateLink(ctx context.Context, in NewLink, then ...func(*db.Tx, Link) error) (Link, error) {
	now := c.now().UnixMilli()
	l := Link{
		ID: c.ids.New(), Slug: in.Slug, AffiliateID: in.AffiliateID, ProgramID: in.ProgramID, Destination: in.Destination,
		Status: link.Active, ExpiresAt: in.ExpiresAt, CreatedAt: now, UpdatedAt: now,
	}
	var check checker
	l.check(&check)
	if in.Slug != "" {
		check.slug(in.Slug)
	}
	if err := check.err(); err != nil {
		return Link{}, err
	}
	err := c.change(ctx, func(tx *db.Tx, rev *revision) error {
		if err := checkOwners(ctx, tx, in); err != nil {
			return err
		}
		if in.Own {
			if err := checkOwn(ctx, tx, &l, true); err != nil {
				return err
			}
		}
		l.Rev = rev.next()
		if err := insertLink(ctx, tx, &l, in.Slug); err != nil {
			return err
		}
		return also(tx, l, then)
	})
	return l, err
}

func checkOwners(ctx context.Context, tx *db.Tx, in NewLink) error {
	var check checker
	if _, err := ReadAffiliate(ctx, tx, in.AffiliateID); errors.Is(err, ErrNotFound) {
		check.fail("affiliate_id", "names no affiliate")
	} else if err != nil {
		return err
	}
	if _, err := ReadProgram(ctx, tx, in.ProgramID); errors.Is(err, ErrNotFound) {
		check.fail("program_id", "names no program")
	} else if err != nil {
		return err
	}
	return check.err()
}

// insertLink inserts l under the slug wanted, or under new ones until one is free.
func insertLink(ctx context.Context, tx *db.Tx, l *Link, wanted string) error {
	for range slugAttempts {
		l.Slug = wanted
		if wanted == "" {
			l.Slug = newSlug()
		}
		inserted, err := tx.TryInsert(ctx, `INSERT INTO links
			(id, slug, affiliate_id, program_id, destination, status, expires_at, created_at, updated_at, rev)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			l.ID, l.Slug, l.AffiliateID, l.ProgramID, l.Destination, string(l.Status), l.ExpiresAt, l.CreatedAt, l.UpdatedAt, l.Rev)
		if err != nil {
			return fmt.Errorf("insert link: %w", err)
		}
		if inserted {
			return nil
		}
		if wanted != "" {
			return ErrSlugTaken
		}
	}
	return errors.New("make slug: every one tried was taken")
}

func newSlug() string {
	b := make([]byte, slugLen)
	for i := range b {
		b[i] = slugAlphabet[rand.IntN(len(slugAlphabet))]
	}
	return string(b)
}

// UpdateLink changes a link. Functions in then run at the end of the transaction.
func (c *Catalog) UpdateLink(ctx context.Context, id int64, patch LinkPatch, then ...func(tx *db.Tx, before, after Link) error) (l Link, err error) {
	err = c.change(ctx, func(tx *db.Tx, rev *revision) error {
		if l, err = ReadLink(ctx, tx, id); err != nil {
			return err
		}
		if patch.Own != 0 && patch.Own != l.AffiliateID {
			return notFound("link", ErrNotFound)
		}
		before := l
		set(&l.Destination, patch.Destination)
		set(&l.Status, patch.Status)
		set(&l.ExpiresAt, patch.ExpiresAt)
		var check checker
		l.check(&check)
		if patch.Own != 0 && l.Status == link.Active && before.Status != link.Active {
			check.fail("status", "cannot be set to active by the affiliate: ask the business")
		}
		if err := check.err(); err != nil {
			return err
		}
		if patch.Own != 0 {
			if err := checkOwn(ctx, tx, &l, false); err != nil {
				return err
			}
		}
		l.Rev, l.UpdatedAt = rev.next(), c.now().UnixMilli()
		_, err := tx.Exec(ctx, "UPDATE links SET destination = ?, status = ?, expires_at = ?, updated_at = ?, rev = ? WHERE id = ?",
			l.Destination, string(l.Status), l.ExpiresAt, l.UpdatedAt, l.Rev, l.ID)
		if err != nil {
			return fmt.Errorf("update link: %w", err)
		}
		return alsoChanged(tx, before, l, then)
	})
	return l, err
}

// Link returns a link, or ErrNotFound.
func (c *Catalog) Link(ctx context.Context, id int64) (Link, error) { return ReadLink(ctx, c.db, id) }

// ReadLink is Link inside or outside of a transaction.
func ReadLink(ctx context.Context, q db.Querier, id int64) (Link, error) {
	l, err := scanLink(q.QueryRow(ctx, selectLink+" WHERE id = ?", id))
	if err != nil {
		return Link{}, notFound("link", err)
	}
	return l, nil
}

// Links returns links with an id below before (0: from the newest), the newest first.
func (c *Catalog) Links(ctx context.Context, filter LinkFilter, before int64, limit int) ([]Link, error) {
	where, args := filter.where(before)
	return collect(ctx, c.db, scanLink, "links", selectLink+" WHERE "+where+" ORDER BY id DESC LIMIT ?", append(args, limit)...)
}

// where lets one filter choose the index: the plus hides the others from SQLite, which knows no statistics.
func (f LinkFilter) where(before int64) (string, []any) {
	where, args, hide := "1 = 1", []any{}, ""
	add := func(condition string, wanted bool, values ...any) {
		if wanted {
			where, args = where+" AND "+condition, append(args, values...)
		}
	}
	prefix := db.PrefixArgs(f.Slug)
	switch {
	case f.AffiliateID != 0: // who has few links
		add("affiliate_id = ?", true, f.AffiliateID)
		add("+slug >= ? AND +slug < ?", f.Slug != "", prefix[:2]...)
		hide = "+"
	case f.Slug != "":
		add(db.PrefixIn("links", "id", "slug"), true, prefix...)
		hide = "+"
	}
	add(hide+"program_id = ?", f.ProgramID != 0, f.ProgramID)
	add("status = ?", f.Status != "", string(f.Status))
	add("id >= ?", f.Since != 0, f.Since)
	add("id < ?", before != 0, before)
	return where, args
}

// LinkBySlug returns the link with a slug, or ErrNotFound.
func (c *Catalog) LinkBySlug(ctx context.Context, slug string) (Link, error) {
	l, err := scanLink(c.db.QueryRow(ctx, selectLink+" WHERE slug = ?", slug))
	if err != nil {
		return Link{}, notFound("link", err)
	}
	return l, nil
}

const selectLink = "SELECT id, slug, affiliate_id, program_id, destination, status, expires_at, created_at, updated_at, rev FROM links"

func scanLink(r row) (l Link, err error) {
	err = r.Scan(&l.ID, &l.Slug, &l.AffiliateID, &l.ProgramID, &l.Destination, &l.Status, &l.ExpiresAt, &l.CreatedAt, &l.UpdatedAt, &l.Rev)
	return l, err
}

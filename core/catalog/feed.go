package catalog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/link"
)

// defaultPageLimit is the most links and programs that are due in one page: about 1 MB of JSON.
const defaultPageLimit = 2000

// Lookup returns the link of a slug with its program, or link.ErrNotFound.
func (c *Catalog) Lookup(ctx context.Context, slug string) (link.Resolved, error) {
	resolved, err := c.lookup(ctx, slug)
	switch {
	case err == nil:
		c.metrics.lookups.WithLabelValues("found").Inc()
	case errors.Is(err, link.ErrNotFound):
		c.metrics.lookups.WithLabelValues("not_found").Inc()
	default:
		c.metrics.lookups.WithLabelValues("failed").Inc()
		err = fmt.Errorf("look up link: %w", err)
	}
	return resolved, err
}

func (c *Catalog) lookup(ctx context.Context, slug string) (link.Resolved, error) {
	var check checker
	if check.slug(slug); check.err() != nil {
		return link.Resolved{}, link.ErrNotFound
	}
	l, err := scanFeedLink(c.db.QueryRow(ctx, selectFeedLink+" WHERE l.slug = ?", slug))
	if db.IsNoRows(err) {
		return link.Resolved{}, link.ErrNotFound
	}
	if err != nil {
		return link.Resolved{}, err
	}
	p, err := ReadProgram(ctx, c.db, l.ProgramID)
	if err != nil {
		return link.Resolved{}, err
	}
	return link.Resolved{Link: l, Program: feedProgram(p)}, nil
}

// Changes returns what changed after cursor, in order of revision: at once if there is something, else when there is
// or after wait, then with nothing in it. If feed is not this database's or cursor is beyond its end, the answer
// starts from the beginning, at once. The error is ErrBusy if too many wait already.
//
// A page holds the last state of each row and no history, so a row that keeps changing moves on to later pages. Every
// link in a page has its program in it or in a page before.
func (c *Catalog) Changes(ctx context.Context, feed string, cursor int64, wait time.Duration) (link.Page, error) {
	deadline := time.NewTimer(wait)
	defer deadline.Stop()
	waiting := false
	defer func() {
		if waiting {
			c.leave()
		}
	}()
	for {
		// Taken before the look, so that no change falls between.
		changed := c.signal()
		page, reset, err := c.page(ctx, feed, cursor)
		if err != nil {
			return link.Page{}, fmt.Errorf("read feed of links: %w", err)
		}
		if len(page.Links)+len(page.Programs) > 0 || reset || wait <= 0 {
			return page, nil
		}
		if !waiting {
			if err := c.enter(page.Cursor); err != nil {
				return link.Page{}, err
			}
			waiting = true
		}
		select {
		case <-changed:
		case <-deadline.C:
			return page, nil
		case <-ctx.Done():
			return link.Page{}, ctx.Err()
		}
	}
}

func (c *Catalog) signal() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.changed
}

// enter counts a waiter that has seen rev.
func (c *Catalog) enter(rev int64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waiters >= c.maxWaiters {
		c.metrics.refused.Inc()
		return ErrBusy
	}
	if c.waiters == 0 || rev < c.seen {
		c.seen = rev
	}
	c.waiters++
	c.metrics.waiters.Set(float64(c.waiters))
	return nil
}

func (c *Catalog) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiters--
	c.metrics.waiters.Set(float64(c.waiters))
}

// page reads one page. reset says that it starts from the beginning although the caller asked for something else.
func (c *Catalog) page(ctx context.Context, feed string, cursor int64) (page link.Page, reset bool, err error) {
	salts, err := c.validSalts(ctx)
	if err != nil {
		return link.Page{}, false, err
	}
	// Read first: what is committed later has a greater revision and waits for the next page.
	end, err := c.revision(ctx)
	if err != nil {
		return link.Page{}, false, err
	}
	if feed != c.feed || cursor > end || cursor < 0 {
		cursor, reset = 0, true
	}
	page = link.Page{Feed: c.feed, Cursor: end, Links: []link.Link{}, Programs: []link.Program{}, Salts: salts}
	if cursor == end {
		return page, reset, nil
	}
	links, err := collect(ctx, c.db, scanFeedLink, "links",
		selectFeedLink+" WHERE l.rev > ? AND l.rev <= ? ORDER BY l.rev LIMIT ?", cursor, end, c.pageLimit+1)
	if err != nil {
		return link.Page{}, false, err
	}
	changed, err := programs(ctx, c.db, " WHERE rev > ? AND rev <= ? ORDER BY rev LIMIT ?", cursor, end, c.pageLimit+1)
	if err != nil {
		return link.Page{}, false, err
	}
	if cut := cutoff(links, changed, c.pageLimit); cut > 0 {
		page.Cursor, page.More = cut, true
		links = slices.DeleteFunc(links, func(l link.Link) bool { return l.Rev > cut })
		changed = slices.DeleteFunc(changed, func(p Program) bool { return p.Rev > cut })
	}
	early, err := c.earlyPrograms(ctx, links, changed, page.Cursor)
	if err != nil {
		return link.Page{}, false, err
	}
	page.Links = append(page.Links, links...)
	for _, p := range append(changed, early...) {
		page.Programs = append(page.Programs, feedProgram(p))
	}
	if len(page.Links)+len(page.Programs) > 0 {
		c.metrics.pages.Inc()
	}
	return page, reset, nil
}

// cutoff is the revision that a page must end at because more than limit rows are due, or 0 if they all fit.
func cutoff(links []link.Link, programs []Program, limit int) int64 {
	if len(links)+len(programs) <= limit {
		return 0
	}
	revs := make([]int64, 0, len(links)+len(programs))
	for i := range links {
		revs = append(revs, links[i].Rev)
	}
	for i := range programs {
		revs = append(revs, programs[i].Rev)
	}
	slices.SortFunc(revs, cmp.Compare[int64])
	return revs[limit-1]
}

// earlyPrograms reads the programs of links whose own turn comes only after this page, because they changed again
// after their links.
func (c *Catalog) earlyPrograms(ctx context.Context, links []link.Link, have []Program, cursor int64) ([]Program, error) {
	missing := map[int64]bool{}
	for i := range links {
		missing[links[i].ProgramID] = true
	}
	for i := range have {
		delete(missing, have[i].ID)
	}
	ids := make([]int64, 0, len(missing))
	for id := range missing {
		ids = append(ids, id)
	}
	var out []Program
	for part, args := range db.Chunks(ids) {
		found, err := programs(ctx, c.db, " WHERE id IN "+db.In(len(part))+" AND rev > ?", append(args, cursor)...)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	return out, nil
}

const selectFeedLink = `SELECT l.id, l.slug, l.affiliate_id, l.program_id, l.destination, l.status, a.status, l.expires_at, l.rev
	FROM links l JOIN affiliates a ON a.id = l.affiliate_id`

func scanFeedLink(r row) (l link.Link, err error) {
	var affiliate Status
	err = r.Scan(&l.ID, &l.Slug, &l.AffiliateID, &l.ProgramID, &l.Destination, &l.State, &affiliate, &l.ExpiresAt, &l.Rev)
	if affiliate != Active {
		l.State = link.Disabled
	}
	return l, err
}

func feedProgram(p Program) link.Program {
	secrets := []string{p.Secret}
	if p.PreviousSecret != "" {
		secrets = append(secrets, p.PreviousSecret)
	}
	return link.Program{
		ID: p.ID, State: p.Status, ClickParam: p.ClickParam, AllowedHosts: p.AllowedHosts, Fallback: p.FallbackURL,
		// A cookie that outlives the window could not earn anything.
		CookieSeconds:   int64(p.AttributionWindowDays) * 24 * 60 * 60,
		PostbackSecrets: secrets, BrowserConversions: p.BrowserConversions, Currency: p.Currency, Rev: p.Rev,
	}
}

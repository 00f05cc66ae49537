// Package catalog keeps programs, affiliates and links, and tells the trackers about them through a feed of revisions.
package catalog

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/mail"
	"github.com/edgeref/edgeref/wire/link"
)

const (
	defaultMaxWaiters = 1024
	// pollEvery bounds how late a change made through another core is noticed.
	pollEvery = 250 * time.Millisecond
	// saltsEvery is how often Run looks whether a salt has to be made or deleted.
	saltsEvery = time.Minute
)

// Errors of this package.
var (
	ErrNotFound  = errors.New("there is no such thing")
	ErrSlugTaken = errors.New("the slug is taken")
	// ErrBusy says that as many callers wait in Changes as may.
	ErrBusy = errors.New("too many wait for changes; ask again later")
)

// InvalidError says what is wrong with the input, field by field.
type InvalidError struct{ Fields []FieldError }

// FieldError is one thing that is wrong. Field is the name of the field in the API.
type FieldError struct{ Field, Reason string }

// Error implements error.
func (e *InvalidError) Error() string {
	parts := make([]string, len(e.Fields))
	for i, f := range e.Fields {
		parts[i] = f.Field + " " + f.Reason
	}
	return "invalid: " + strings.Join(parts, "; ")
}

// IDs makes identifiers.
type IDs interface{ New() int64 }

// Options of a Catalog.
type Options struct {
	DB         *db.DB // with the newest schema
	IDs        IDs
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Now        func() time.Time
	// MaxWaiters limits how many may wait in Changes. Default 1024.
	MaxWaiters int
	Mail       mailer // tells who applied what was decided; nil: nobody is told
	URL        string // where affiliates sign in, for these mails
}

// mailer queues a mail in a transaction, to be sent after it. It is safe for concurrent use.
type mailer interface {
	Queue(ctx context.Context, tx *db.Tx, m mail.Message) error
}

// Catalog is the catalogue of one database. It is safe for concurrent use.
type Catalog struct {
	db         *db.DB
	ids        IDs
	log        *slog.Logger
	now        func() time.Time
	feed       string
	maxWaiters int
	pageLimit  int
	metrics    *metrics
	mail       mailer // may be nil
	url        string

	mu      sync.Mutex
	changed chan struct{} // closed and replaced when the revision may have grown
	waiters int
	seen    int64 // last revision that Run saw

	saltMu sync.Mutex
	salts  []link.Salt
	saltOf int64 // the day for which salts are right
}

// New returns the catalogue of a database. Run must run for changes made by other cores to be noticed.
func New(ctx context.Context, opts Options) (*Catalog, error) {
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.MaxWaiters <= 0 {
		opts.MaxWaiters = defaultMaxWaiters
	}
	c := &Catalog{
		db: opts.DB, ids: opts.IDs, log: opts.Logger, now: opts.Now, maxWaiters: opts.MaxWaiters, pageLimit: defaultPageLimit,
		metrics: newMetrics(opts.Registerer), changed: make(chan struct{}), mail: opts.Mail, url: opts.URL,
	}
	var err error
	if c.feed, err = ensureFeed(ctx, c.db); err != nil {
		return nil, fmt.Errorf("name the feed (is the schema up to date?): %w", err)
	}
	return c, nil
}

// ensureFeed gives the database its feed id, once in its life.
func ensureFeed(ctx context.Context, d *db.DB) (feed string, err error) {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	err = d.InTx(ctx, func(tx *db.Tx) error {
		if _, err := tx.TryInsert(ctx, "INSERT INTO meta (name, value) VALUES (?, ?)", "feed_id", hex.EncodeToString(b[:])); err != nil {
			return err
		}
		return tx.QueryRow(ctx, "SELECT value FROM meta WHERE name = ?", "feed_id").Scan(&feed)
	})
	return feed, err
}

// Run notices what other cores changed, and makes and deletes visitor salts, until ctx ends.
func (c *Catalog) Run(ctx context.Context) {
	poll, salts := time.NewTicker(pollEvery), time.NewTicker(saltsEvery)
	defer poll.Stop()
	defer salts.Stop()
	c.renewSalts(ctx)
	for {
		select {
		case <-poll.C:
			c.poll(ctx)
		case <-salts.C:
			c.renewSalts(ctx)
		case <-ctx.Done():
			return
		}
	}
}

// poll wakes those who wait if the revision has grown. While nobody waits it asks nothing.
func (c *Catalog) poll(ctx context.Context) {
	c.mu.Lock()
	waiters := c.waiters
	c.mu.Unlock()
	if waiters == 0 {
		return
	}
	rev, err := c.revision(ctx)
	if err != nil {
		if ctx.Err() == nil {
			c.log.Warn("poll revision of the catalogue", "error", err)
		}
		return
	}
	c.mu.Lock()
	grown := rev != c.seen
	c.seen = rev
	c.mu.Unlock()
	if grown {
		c.notify()
	}
}

func (c *Catalog) renewSalts(ctx context.Context) {
	if _, err := c.validSalts(ctx); err != nil && ctx.Err() == nil {
		c.log.Warn("renew visitor salts", "error", err)
	}
}

// notify wakes everybody who waits in Changes.
func (c *Catalog) notify() {
	c.mu.Lock()
	close(c.changed)
	c.changed = make(chan struct{})
	c.mu.Unlock()
}

// change runs fn in a transaction that holds the revision, and wakes the feed when it is committed.
func (c *Catalog) change(ctx context.Context, fn func(tx *db.Tx, rev *revision) error) error {
	return c.db.InTx(ctx, func(tx *db.Tx) error {
		rev, err := lockRevision(ctx, tx)
		if err != nil {
			return err
		}
		before := rev.last
		if err := fn(tx, rev); err != nil {
			return err
		}
		if rev.last == before {
			return nil
		}
		tx.OnCommit(c.notify)
		_, err = tx.Exec(ctx, "UPDATE catalog_revision SET rev = ? WHERE id = 1", rev.last)
		return err
	})
}

// revision numbers what a transaction changes. There is one row for it in the database, locked from the beginning of
// the transaction to its commit: so transactions that change the catalogue commit in the order of their numbers, and
// who has seen revision n has seen all below n. Each changed row gets a number of its own, so that a page of the feed
// can end at any row.
//
// It also makes such transactions one queue: each sees all changes before it, and they cannot deadlock.
type revision struct{ last int64 }

func lockRevision(ctx context.Context, tx *db.Tx) (*revision, error) {
	r := &revision{}
	err := tx.QueryRow(ctx, "SELECT rev FROM catalog_revision WHERE id = 1"+tx.Dialect().ForUpdate()).Scan(&r.last)
	if err != nil {
		return nil, fmt.Errorf("lock revision: %w", err)
	}
	return r, nil
}

func (r *revision) next() int64 {
	r.last++
	return r.last
}

// Revision is the newest revision of the catalogue.
func (c *Catalog) Revision(ctx context.Context) (int64, error) { return c.revision(ctx) }

func (c *Catalog) revision(ctx context.Context) (rev int64, err error) {
	err = c.db.QueryRow(ctx, "SELECT rev FROM catalog_revision WHERE id = 1").Scan(&rev)
	return rev, err
}

// also runs the functions that a caller added to a transaction.
func also[T any](tx *db.Tx, v T, fns []func(*db.Tx, T) error) error {
	for _, fn := range fns {
		if err := fn(tx, v); err != nil {
			return err
		}
	}
	return nil
}

// alsoChanged is also with what was there before.
func alsoChanged[T any](tx *db.Tx, before, after T, fns []func(tx *db.Tx, before, after T) error) error {
	for _, fn := range fns {
		if err := fn(tx, before, after); err != nil {
			return err
		}
	}
	return nil
}

// below is the bound of a page of a list: the id that it ends before, or for 0 one above all ids.
func below(before int64) int64 {
	if before == 0 {
		return math.MaxInt64
	}
	return before
}

// newSecret makes a postback secret of 256 random bits.
func newSecret() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails
	return "pbs_" + base64.RawURLEncoding.EncodeToString(b[:])
}

// notFound turns the absence of a row into ErrNotFound.
func notFound(what string, err error) error {
	if db.IsNoRows(err) {
		return ErrNotFound
	}
	return fmt.Errorf("read %s: %w", what, err)
}

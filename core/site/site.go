// Package site keeps what the public pages say and show: texts, colour, featured products, legal pages, pictures. Each saving
// is a row that is never changed, so what stood on a page at any time can be told.
package site

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"gocloud.dev/blob"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/audit"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/markdown"
	"github.com/edgeref/edgeref/core/newid"
)

// Errors of this package.
var (
	ErrNotFound = errors.New("there is no such thing")
	ErrConflict = errors.New("somebody else has saved the site meanwhile")
	ErrTooMany  = errors.New("there are too many files")
	ErrTooLarge = errors.New("the file is too large")
)

// InvalidError says what is wrong with the input, field by field.
type InvalidError struct{ Fields []FieldError }

// FieldError is one thing that is wrong. Field is the name of the field in the API.
type FieldError struct{ Field, Reason string }

// Error implements error.
func (e *InvalidError) Error() string { return e.Fields[0].Field + " " + e.Fields[0].Reason }

// auditor keeps who changed what.
type auditor interface {
	Record(ctx context.Context, tx *db.Tx, e audit.Entry) error
}

// Options are what New needs.
type Options struct {
	DB     *db.DB
	IDs    *newid.Generator
	Bucket *blob.Bucket // of the files; not closed by the Service
	Audit  auditor      // default: changes are not recorded
	// Fresh is how long what was read is given out without asking the database whether another core has saved. Default 1 s.
	Fresh  time.Duration
	Now    func() time.Time
	Logger *slog.Logger // default: none
}

// Service is the site of one database. It is safe for concurrent use.
type Service struct {
	opts     Options
	db       *db.DB
	now      func() time.Time
	log      *slog.Logger
	markdown *markdown.Renderer
	decoding chan struct{} // bounds how many pictures are decoded at once

	mu      sync.Mutex
	cached  Settings  // of Revision -1: nothing was read
	checked time.Time // when cached was known to be the newest
	asking  bool      // somebody is asking the database; others take what there is
}

// New returns the site.
func New(opts Options) *Service {
	if opts.DB == nil || opts.IDs == nil || opts.Bucket == nil || opts.Now == nil {
		panic("BUG: the site needs a database, identifiers, a bucket and a clock")
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Fresh <= 0 {
		opts.Fresh = time.Second
	}
	return &Service{
		opts: opts, db: opts.DB, now: opts.Now, log: opts.Logger, markdown: markdown.New(MediaPath), decoding: make(chan struct{}, 2),
		cached: Settings{Revision: -1},
	}
}

// Markdown is the renderer of the site's texts, for other texts that are shown on its pages.
func (s *Service) Markdown() *markdown.Renderer { return s.markdown }

func (s *Service) audit(ctx context.Context, tx *db.Tx, action, object string, before, after any) error {
	if s.opts.Audit == nil {
		return nil
	}
	return s.opts.Audit.Record(ctx, tx, audit.Entry{Action: action, Object: object, Before: before, After: after})
}

// personOf is who acts, or 0 for a machine.
func personOf(ctx context.Context) int64 {
	who, _ := access.From(ctx)
	return who.PersonID
}

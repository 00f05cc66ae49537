// Package kyc keeps the documents by which affiliates are known: taken by their content, sealed, in a folder or in S3, shown
// to few, and never without a note of who looked.
package kyc

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/audit"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/newid"
	"github.com/edgeref/edgeref/wire/ident"
)

// State of a document.
type State string

// States of a document.
const (
	Awaiting  State = "awaiting"  // announced; its file is not there yet
	Submitted State = "submitted" // to be reviewed
	Accepted  State = "accepted"
	Rejected  State = "rejected"
)

// Limits.
const (
	MaxName   = 160 // bytes
	MaxReason = 500
	maxKind   = 32
	// MaxDocuments of one affiliate that wait for their file or a review.
	MaxDocuments = 20
	// decoders is how many pictures are decoded at once: each may take 100 MB.
	decoders = 2
)

// Errors of this package.
var (
	ErrNotFound = errors.New("no such document")
	ErrState    = errors.New("the state of the document does not allow that")
	ErrTooMany  = errors.New("too many documents wait for their file or a review")
	ErrTooLarge = errors.New("the file is too large")
	ErrGone     = errors.New("the link does not work, or no longer")
)

// InvalidError is what is wrong with one field of an input.
type InvalidError struct{ Field, Reason string }

// Error implements error.
func (e *InvalidError) Error() string { return e.Field + " " + e.Reason }

// auditor writes what a person did in the transaction of it.
type auditor interface {
	Record(ctx context.Context, tx *db.Tx, e audit.Entry) error
}

// sealer encrypts with keys that rotate; context binds a text to its place.
type sealer interface {
	Seal(plain, context []byte) (string, error)
	Open(sealed string, context []byte) ([]byte, error)
}

// Options are what New needs.
type Options struct {
	DB         *db.DB
	IDs        *newid.Generator
	Bucket     *blob.Bucket // not closed by the Service
	Ring       sealer
	Audit      auditor             // default: nobody is told
	Required   map[string][]string // kinds by country; "*": every country
	MaxBytes   int64               // default 8 MiB
	LinkFor    time.Duration       // how long a link works; default 2 min
	Now        func() time.Time
	Logger     *slog.Logger          // default: none
	Registerer prometheus.Registerer // default: metrics are not exported
}

// Service keeps documents. It is safe for concurrent use.
type Service struct {
	db      *db.DB
	opts    Options
	now     func() time.Time
	log     *slog.Logger
	turn    chan struct{}
	uploads *prometheus.CounterVec
}

// New returns a Service.
func New(opts Options) *Service {
	if opts.DB == nil || opts.IDs == nil || opts.Bucket == nil || opts.Ring == nil || opts.Now == nil {
		panic("BUG: documents need a database, identifiers, a bucket, keys and a clock")
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.MaxBytes <= 0 {
		opts.MaxBytes = 8 << 20
	}
	if opts.LinkFor <= 0 {
		opts.LinkFor = 2 * time.Minute
	}
	s := &Service{
		db: opts.DB, opts: opts, now: opts.Now, log: opts.Logger, turn: make(chan struct{}, decoders),
		uploads: promauto.With(opts.Registerer).NewCounterVec(prometheus.CounterOpts{
			Name: "edgeref_kyc_uploads_total", Help: "Documents sent by affiliates, by result: taken, refused, failed.",
		}, []string{"result"}),
	}
	for _, result := range []string{"taken", "refused", "failed"} {
		s.uploads.WithLabelValues(result)
	}
	return s
}

// MaxBytes is the largest file that is taken.
func (s *Service) MaxBytes() int64 { return s.opts.MaxBytes }

// Document is one document of an affiliate.
type Document struct {
	ID          int64
	AffiliateID int64
	Country     string // for which it is
	Kind        string // as in the configuration: "pan_card"
	State       State
	FileName    string // as it was sent
	ContentType string
	Size        int64  // bytes, as it was sent
	SHA256      string // as it was sent
	Reason      string // of the review
	ReviewedBy  int64  // a person
	ReviewedAt  int64  // Unix ms
	CreatedAt   int64  // Unix ms
	UpdatedAt   int64  // Unix ms

	storageKey string
}

func (d *Document) summary() any {
	return map[string]any{"country": d.Country, "kind": d.Kind, "state": d.State, "content_type": d.ContentType, "size": d.Size, "sha256": d.SHA256}
}

func (s *Service) record(ctx context.Context, tx *db.Tx, action string, d *Document, reason string, before any) error {
	if s.opts.Audit == nil {
		return nil
	}
	return s.opts.Audit.Record(ctx, tx, audit.Entry{Action: action, Object: ident.Format(ident.KYCDocument, d.ID), Before: before, After: d.summary(), Reason: reason})
}

// Announce makes a document whose file is sent next. Errors: *InvalidError, ErrTooMany, ErrNotFound.
func (s *Service) Announce(ctx context.Context, affiliateID int64, country, kind, fileName string, then func(*db.Tx, Document) error) (d Document, err error) {
	switch {
	case len(country) != 2 || strings.Trim(country, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "":
		return d, &InvalidError{"country", "must be two capital letters (ISO 3166-1)"}
	case kind == "" || len(kind) > maxKind || strings.Trim(kind, "abcdefghijklmnopqrstuvwxyz0123456789_") != "":
		return d, &InvalidError{"kind", "must have 1 to 32 of a-z, 0-9 and _"}
	case fileName == "" || len(fileName) > MaxName || !utf8.ValidString(fileName) || strings.ContainsAny(fileName, "/\\\x00\r\n\""):
		return d, &InvalidError{"file_name", fmt.Sprintf("must be a name without path of at most %d bytes", MaxName)}
	}
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		now := s.now().UnixMilli()
		d = Document{ID: s.opts.IDs.New(), AffiliateID: affiliateID, Country: country, Kind: kind, State: Awaiting, FileName: fileName, CreatedAt: now, UpdatedAt: now}
		var open int
		err := tx.QueryRow(ctx, "SELECT COUNT(*) FROM kyc_documents WHERE affiliate_id = ? AND state IN ('awaiting', 'submitted')", affiliateID).Scan(&open)
		if err != nil {
			return fmt.Errorf("count documents: %w", err)
		}
		if open >= MaxDocuments {
			return ErrTooMany
		}
		_, err = tx.Exec(ctx, `INSERT INTO kyc_documents (id, affiliate_id, country, kind, state, file_name, content_type, size_bytes, sha256, storage_key, reason,
			reviewed_by, reviewed_at, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, '', 0, '', '', '', 0, 0, ?, ?)`,
			d.ID, d.AffiliateID, d.Country, d.Kind, d.State, d.FileName, d.CreatedAt, d.UpdatedAt)
		if db.IsForeignKey(err) {
			return ErrNotFound
		}
		if err != nil {
			return fmt.Errorf("make document: %w", err)
		}
		if err := s.record(ctx, tx, "kyc_document.announce", &d, "", nil); err != nil {
			return err
		}
		if then != nil {
			return then(tx, d)
		}
		return nil
	})
	return d, err
}

// Upload takes the file of a document that was announced, or of one that waits for its review. Errors: ErrNotFound, ErrState,
// ErrTooLarge, *RefusedError.
func (s *Service) Upload(ctx context.Context, affiliateID, id int64, declared string, data []byte) (d Document, err error) {
	if int64(len(data)) > s.opts.MaxBytes {
		s.uploads.WithLabelValues("refused").Inc()
		return d, ErrTooLarge
	}
	if d, err = s.Get(ctx, id, affiliateID); err != nil {
		return d, err
	}
	if d.State != Awaiting && d.State != Submitted {
		return d, ErrState
	}
	content, err := s.inspect(ctx, d.FileName, declared, data)
	if err != nil {
		s.uploads.WithLabelValues("refused").Inc()
		return d, err
	}
	// Each upload has a place of its own, so one that fails half way harms nothing that is there.
	key := "kyc/" + ident.Format(ident.Affiliate, affiliateID) + "/" + ident.Format(ident.KYCDocument, s.opts.IDs.New())
	sealed, err := s.opts.Ring.Seal(content.Data, []byte(key))
	if err == nil {
		err = s.opts.Bucket.WriteAll(ctx, key, []byte(sealed), &blob.WriterOptions{ContentType: "application/octet-stream"})
	}
	if err != nil {
		s.uploads.WithLabelValues("failed").Inc()
		return d, fmt.Errorf("store document: %w", err)
	}
	sum := sha256.Sum256(data)
	old := ""
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		now, err := one(ctx, tx, "id = ?"+tx.Dialect().ForUpdate(), id)
		if err != nil {
			return err
		}
		if now.State != Awaiting && now.State != Submitted {
			return ErrState
		}
		old, d = now.storageKey, now
		before := now.summary()
		d.State, d.ContentType, d.Size, d.SHA256, d.storageKey, d.UpdatedAt = Submitted, content.Type, int64(len(data)), hex.EncodeToString(sum[:]), key, s.now().UnixMilli()
		_, err = tx.Exec(ctx, "UPDATE kyc_documents SET state = ?, content_type = ?, size_bytes = ?, sha256 = ?, storage_key = ?, updated_at = ? WHERE id = ?",
			d.State, d.ContentType, d.Size, d.SHA256, d.storageKey, d.UpdatedAt, id)
		if err != nil {
			return fmt.Errorf("note upload: %w", err)
		}
		return s.record(ctx, tx, "kyc_document.upload", &d, "", before)
	})
	switch {
	case err == nil:
		s.uploads.WithLabelValues("taken").Inc()
		s.forget(ctx, old)
	case !errors.Is(err, db.ErrUnknownOutcome):
		s.uploads.WithLabelValues("failed").Inc()
		s.forget(ctx, key)
	}
	return d, err
}

func (s *Service) inspect(ctx context.Context, name, declared string, data []byte) (Content, error) {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return Content{}, ctx.Err()
	}
	return Inspect(name, declared, data)
}

// forget deletes a stored file that nothing names any more. One that stays is sealed, and only takes room.
func (s *Service) forget(ctx context.Context, key string) {
	if key == "" {
		return
	}
	if err := s.opts.Bucket.Delete(context.WithoutCancel(ctx), key); err != nil && gcerrors.Code(err) != gcerrors.NotFound {
		s.log.Warn("a document that is not needed any more could not be deleted", "key", key, "error", err)
	}
}

// Review accepts or rejects a document, with a reason where it is rejected. Who reviews must not be its owner.
func (s *Service) Review(ctx context.Context, id int64, accept bool, reason string, then func(*db.Tx, Document) error) (d Document, err error) {
	who, _ := access.From(ctx)
	if len(reason) > MaxReason || strings.ContainsAny(reason, "\x00") || !accept && strings.TrimSpace(reason) == "" {
		return d, &InvalidError{"reason", fmt.Sprintf("must be given to reject, with at most %d bytes", MaxReason)}
	}
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		var err error
		if d, err = one(ctx, tx, "id = ?"+tx.Dialect().ForUpdate(), id); err != nil {
			return err
		}
		if d.State != Submitted && d.State != Accepted || who.AffiliateID == d.AffiliateID {
			return ErrState
		}
		before := d.summary()
		d.State, d.Reason, d.ReviewedBy, d.ReviewedAt = Accepted, reason, who.PersonID, s.now().UnixMilli()
		if !accept {
			d.State = Rejected
		}
		d.UpdatedAt = d.ReviewedAt
		_, err = tx.Exec(ctx, "UPDATE kyc_documents SET state = ?, reason = ?, reviewed_by = ?, reviewed_at = ?, updated_at = ? WHERE id = ?",
			d.State, d.Reason, d.ReviewedBy, d.ReviewedAt, d.UpdatedAt, id)
		if err != nil {
			return fmt.Errorf("review document: %w", err)
		}
		err = s.record(ctx, tx, "kyc_document.review", &d, reason, before)
		if err == nil && then != nil {
			err = then(tx, d)
		}
		return err
	})
	return d, err
}

// Read gives out the file of a document, and writes down who looked. affiliateID is its owner, or 0 for anybody's.
func (s *Service) Read(ctx context.Context, id, affiliateID int64) (d Document, data []byte, err error) {
	if d, err = s.Get(ctx, id, affiliateID); err != nil {
		return d, nil, err
	}
	if d.storageKey == "" {
		return d, nil, ErrState
	}
	// Written down first: who is told of by nobody sees nothing.
	err = s.db.InTx(ctx, func(tx *db.Tx) error { return s.record(ctx, tx, "kyc_document.read", &d, "", nil) })
	if err != nil {
		return d, nil, err
	}
	r, err := s.opts.Bucket.NewReader(ctx, d.storageKey, nil)
	if err != nil {
		return d, nil, fmt.Errorf("read document: %w", err)
	}
	defer r.Close()
	// Sealed text is a third longer than what is in it, and pictures are encoded anew.
	sealed, err := io.ReadAll(io.LimitReader(r, 64*s.opts.MaxBytes))
	if err != nil {
		return d, nil, fmt.Errorf("read document: %w", err)
	}
	data, err = s.opts.Ring.Open(string(sealed), []byte(d.storageKey))
	if err != nil {
		return d, nil, fmt.Errorf("open document: %w", err)
	}
	return d, data, nil
}

// Missing names the kinds that are required for a country and of which the affiliate has no accepted document. It is
// what payouts ask before money is sent.
func (s *Service) Missing(ctx context.Context, q db.Querier, affiliateID int64, country string) ([]string, error) {
	need := append(slices.Clone(s.opts.Required["*"]), s.opts.Required[country]...)
	if len(need) == 0 {
		return nil, nil
	}
	rows, err := q.Query(ctx, "SELECT DISTINCT kind FROM kyc_documents WHERE affiliate_id = ? AND state = 'accepted' AND (country = ? OR ? = '')", affiliateID, country, country)
	if err != nil {
		return nil, fmt.Errorf("read documents: %w", err)
	}
	defer rows.Close()
	have := map[string]bool{}
	for rows.Next() {
		var kind string
		if err := rows.Scan(&kind); err != nil {
			return nil, fmt.Errorf("read documents: %w", err)
		}
		have[kind] = true
	}
	var missing []string
	for _, kind := range need {
		if !have[kind] && !slices.Contains(missing, kind) {
			missing = append(missing, kind)
		}
	}
	return missing, rows.Err()
}

// Filter selects documents.
type Filter struct {
	AffiliateID int64 // 0: all
	State       State // "": all
	Since       int64 // with an ID of this or above
	Before      int64 // with an ID below this one; 0: from the newest
	Limit       int
}

// Record is a document as its affiliate may read about it.
type Record struct {
	Country   string    `json:"country"`
	Kind      string    `json:"kind"`
	State     State     `json:"state"`
	FileName  string    `json:"file_name"`
	Reason    string    `json:"reason"`
	CreatedAt time.Time `json:"created_at"`
}

// ExportAffiliate returns which documents of an affiliate are kept, the newest 1,000; their content is read one by one.
func (s *Service) ExportAffiliate(ctx context.Context, affiliateID int64) ([]Record, error) {
	list, err := s.List(ctx, Filter{AffiliateID: affiliateID, Limit: 1000})
	if err != nil {
		return nil, err
	}
	out := make([]Record, 0, len(list))
	for _, d := range list {
		out = append(out, Record{d.Country, d.Kind, d.State, d.FileName, d.Reason, time.UnixMilli(d.CreatedAt).UTC()})
	}
	return out, nil
}

// List returns documents, the newest first.
func (s *Service) List(ctx context.Context, f Filter) ([]Document, error) {
	where, args := []string{"id < ?", "id >= ?"}, []any{f.Before, f.Since}
	if f.Before == 0 {
		args[0] = int64(math.MaxInt64)
	}
	if f.AffiliateID != 0 {
		where, args = append(where, "affiliate_id = ?"), append(args, f.AffiliateID)
	}
	if f.State != "" {
		where, args = append(where, "state = ?"), append(args, f.State)
	}
	return read(ctx, s.db, strings.Join(where, " AND ")+" ORDER BY id DESC LIMIT ?", append(args, f.Limit)...)
}

// Get returns one document. affiliateID is its owner, or 0 for anybody's.
func (s *Service) Get(ctx context.Context, id, affiliateID int64) (Document, error) {
	return one(ctx, s.db, "id = ? AND ? IN (0, affiliate_id)", id, affiliateID)
}

func one(ctx context.Context, q db.Querier, where string, args ...any) (Document, error) {
	list, err := read(ctx, q, where, args...)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Document{}, err
	}
	return list[0], nil
}

func read(ctx context.Context, q db.Querier, rest string, args ...any) ([]Document, error) {
	rows, err := q.Query(ctx, `SELECT id, affiliate_id, country, kind, state, file_name, content_type, size_bytes, sha256, storage_key, reason, reviewed_by,
		reviewed_at, created_at, updated_at FROM kyc_documents WHERE `+rest, args...)
	if err != nil {
		return nil, fmt.Errorf("read documents: %w", err)
	}
	defer rows.Close()
	var out []Document
	for rows.Next() {
		var d Document
		if err := rows.Scan(&d.ID, &d.AffiliateID, &d.Country, &d.Kind, &d.State, &d.FileName, &d.ContentType, &d.Size, &d.SHA256, &d.storageKey, &d.Reason,
			&d.ReviewedBy, &d.ReviewedAt, &d.CreatedAt, &d.UpdatedAt); err != nil {
			return nil, fmt.Errorf("read documents: %w", err)
		}
		out = append(out, d)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read documents: %w", err)
	}
	return out, nil
}

// Required lists the kinds of documents without which nothing is paid, by country; "*" is every country. It is not to be
// changed.
func (s *Service) Required() map[string][]string { return s.opts.Required }

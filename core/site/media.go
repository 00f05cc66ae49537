package site

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/kyc"
	"github.com/edgeref/edgeref/core/picture"
	"github.com/edgeref/edgeref/wire/ident"
)

// Limits of media.
const (
	MaxMediaBytes = 5 << 20
	MaxMedia      = 5000 // files
	maxFileName   = 160  // bytes
)

// pdf is the one type beside pictures: what affiliates hand on.
const pdf = "application/pdf"

// mediaPrefix is where in the bucket files lie that everybody may see; documents of people lie beside it and are sealed.
const mediaPrefix = "public/"

// Media is a file that everybody may see. It never changes.
type Media struct {
	ID            int64
	FileName      string // as it was sent
	ContentType   string // by its content: image/png, image/jpeg, image/webp or application/pdf
	Width, Height int    // dots of a picture; else 0
	Size          int64  // bytes, as it is kept
	SHA256        string // as it is kept
	CreatedBy     int64  // a person; 0: a machine
	CreatedAt     int64  // Unix ms

	storageKey string
}

// IsPicture reports whether it can be shown on a page.
func (m Media) IsPicture() bool { return strings.HasPrefix(m.ContentType, "image/") }

// Path is where on the core it is served.
func (m Media) Path() string { return PathOf(m.ID) }

// PathOf is where on the core a file is served; empty for 0.
func PathOf(id int64) string {
	if id == 0 {
		return ""
	}
	return MediaPath + ident.Format(ident.Media, id)
}

func (m Media) summary() any {
	return map[string]any{"file_name": m.FileName, "content_type": m.ContentType, "width": m.Width, "height": m.Height, "size": m.Size, "sha256": m.SHA256}
}

// Upload takes a file: a whole PNG, JPEG, WebP or PDF. Of a picture only its dots are kept. A function in also runs at the end
// of the transaction. Errors: ErrTooLarge, ErrTooMany, *InvalidError, *picture.RefusedError.
func (s *Service) Upload(ctx context.Context, fileName string, data []byte, also ...func(*db.Tx, Media) error) (Media, error) {
	if len(data) > MaxMediaBytes {
		return Media{}, ErrTooLarge
	}
	if fileName == "" || len(fileName) > maxFileName || !utf8.ValidString(fileName) ||
		strings.ContainsFunc(fileName, func(r rune) bool { return r < ' ' || r == 0x7f || strings.ContainsRune(`/\"`, r) }) {
		return Media{}, &InvalidError{[]FieldError{{"file_name", fmt.Sprintf("must be a name without path of at most %d bytes", maxFileName)}}}
	}
	m, kept, err := s.inspect(ctx, data)
	if err != nil {
		return Media{}, err
	}
	sum := sha256.Sum256(kept)
	m.ID, m.FileName, m.Size, m.SHA256, m.CreatedBy, m.CreatedAt = s.opts.IDs.New(), fileName, int64(len(kept)), hex.EncodeToString(sum[:]), personOf(ctx), s.now().UnixMilli()
	m.storageKey = mediaPrefix + ident.Format(ident.Media, m.ID)
	if err := s.opts.Bucket.WriteAll(ctx, m.storageKey, kept, &blob.WriterOptions{ContentType: m.ContentType}); err != nil {
		return Media{}, fmt.Errorf("store file: %w", err)
	}
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		var n int
		if err := tx.QueryRow(ctx, "SELECT COUNT(*) FROM site_media").Scan(&n); err != nil {
			return fmt.Errorf("count files: %w", err)
		}
		if n >= MaxMedia {
			return ErrTooMany
		}
		_, err := tx.Exec(ctx, `INSERT INTO site_media (id, file_name, content_type, width, height, size_bytes, sha256, storage_key, created_by, created_at)
			VALUES `+db.In(10), m.ID, m.FileName, m.ContentType, m.Width, m.Height, m.Size, m.SHA256, m.storageKey, m.CreatedBy, m.CreatedAt)
		if err != nil {
			return fmt.Errorf("note file: %w", err)
		}
		if err := s.audit(ctx, tx, "media.upload", ident.Format(ident.Media, m.ID), nil, m.summary()); err != nil {
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
		if !errors.Is(err, db.ErrUnknownOutcome) {
			s.forget(ctx, m.storageKey)
		}
		return Media{}, err
	}
	return m, nil
}

// inspect says by the content what a file is, and gives what of it is kept.
func (s *Service) inspect(ctx context.Context, data []byte) (Media, []byte, error) {
	select {
	case s.decoding <- struct{}{}:
		defer func() { <-s.decoding }()
	case <-ctx.Done():
		return Media{}, nil, ctx.Err()
	}
	if picture.TypeOf(data) == "" {
		content, err := kyc.Inspect("file.pdf", pdf, data)
		if refused, ok := errors.AsType[*kyc.RefusedError](err); ok {
			return Media{}, nil, &picture.RefusedError{Reason: refused.Reason}
		}
		return Media{ContentType: content.Type}, content.Data, err
	}
	p, err := picture.Clean(data)
	return Media{ContentType: p.Type, Width: p.Width, Height: p.Height}, p.Data, err
}

// forget deletes a stored file that nothing names any more. One that stays only takes room.
func (s *Service) forget(ctx context.Context, key string) {
	if err := s.opts.Bucket.Delete(context.WithoutCancel(ctx), key); err != nil && gcerrors.Code(err) != gcerrors.NotFound {
		s.log.Warn("a file that is not needed any more could not be deleted", "key", key, "error", err)
	}
}

// DeleteMedia deletes a file. Errors: ErrNotFound, *InUseError where the site, a product or a material shows it.
func (s *Service) DeleteMedia(ctx context.Context, id int64) error {
	var m Media
	err := s.db.InTx(ctx, func(tx *db.Tx) error {
		var err error
		if m, err = readMedia(ctx, tx, id); err != nil {
			return err
		}
		uses, err := s.uses(ctx, tx, id)
		if err != nil {
			return err
		}
		if len(uses) > 0 {
			return &InUseError{uses}
		}
		if _, err := tx.Exec(ctx, "DELETE FROM site_media WHERE id = ?", id); err != nil {
			return fmt.Errorf("delete file: %w", err)
		}
		return s.audit(ctx, tx, "media.delete", ident.Format(ident.Media, id), m.summary(), nil)
	})
	if err == nil {
		s.forget(ctx, m.storageKey)
	}
	return err
}

// Media returns what is known of a file, or ErrNotFound.
func (s *Service) Media(ctx context.Context, id int64) (Media, error) {
	return readMedia(ctx, s.db, id)
}

// MediaList returns files, the newest first: at most limit of those with an id below before; 0: from the newest.
func (s *Service) MediaList(ctx context.Context, before int64, limit int) ([]Media, error) {
	if before == 0 {
		before = math.MaxInt64
	}
	return listMedia(ctx, s.db, "id < ? ORDER BY id DESC LIMIT ?", before, limit)
}

func readMedia(ctx context.Context, q db.Querier, id int64) (Media, error) {
	list, err := listMedia(ctx, q, "id = ?", id)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Media{}, err
	}
	return list[0], nil
}

func listMedia(ctx context.Context, q db.Querier, rest string, args ...any) ([]Media, error) {
	rows, err := q.Query(ctx, `SELECT id, file_name, content_type, width, height, size_bytes, sha256, storage_key, created_by, created_at
		FROM site_media WHERE `+rest, args...)
	if err != nil {
		return nil, fmt.Errorf("read files: %w", err)
	}
	defer rows.Close()
	var out []Media
	for rows.Next() {
		var m Media
		if err := rows.Scan(&m.ID, &m.FileName, &m.ContentType, &m.Width, &m.Height, &m.Size, &m.SHA256, &m.storageKey, &m.CreatedBy, &m.CreatedAt); err != nil {
			return nil, fmt.Errorf("read files: %w", err)
		}
		out = append(out, m)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read files: %w", err)
	}
	return out, nil
}

// ReadMedia is Service.Media for others who refer to files, in a transaction of theirs.
func ReadMedia(ctx context.Context, q db.Querier, id int64) (Media, error) {
	return readMedia(ctx, q, id)
}

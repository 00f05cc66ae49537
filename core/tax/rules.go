package tax

import (
	"context"
	"fmt"
	"time"

	"github.com/edgeref/edgeref/core/audit"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/newid"
	"github.com/edgeref/edgeref/wire/ident"
)

// auditor writes what a person changed in the transaction of the change.
type auditor interface {
	Record(ctx context.Context, tx *db.Tx, e audit.Entry) error
}

// Options are what New needs.
type Options struct {
	DB    *db.DB
	IDs   *newid.Generator
	Audit auditor // default: nobody is told
	Now   func() time.Time
}

// Service keeps rules. It is safe for concurrent use.
type Service struct{ opts Options }

// New returns a Service.
func New(opts Options) *Service {
	if opts.DB == nil || opts.IDs == nil || opts.Now == nil {
		panic("BUG: tax rules need a database, identifiers and a clock")
	}
	return &Service{opts: opts}
}

// Create makes a rule; then runs at the end of its transaction. A rule is never changed: a later one takes its place.
// Errors: *InvalidError, ErrExists.
func (s *Service) Create(ctx context.Context, t Terms, then func(*db.Tx, Rule) error) (Rule, error) {
	if err := t.validate(); err != nil {
		return Rule{}, err
	}
	r := Rule{ID: s.opts.IDs.New(), Terms: t, CreatedAt: s.opts.Now().UnixMilli()}
	err := s.opts.DB.InTx(ctx, func(tx *db.Tx) error {
		made, err := tx.TryInsert(ctx, `INSERT INTO tax_rules (id, name, country, currency, rate_bp, no_id_rate_bp, threshold_minor, threshold_mode,
			begin_month, begin_day, utc_offset_min, round_minor, valid_from, confirmed_by, note, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			r.ID, r.Name, r.Country, r.Currency, r.RateBP, r.NoIDRateBP, r.Threshold, r.Mode, r.YearMonth, r.YearDay, r.UTCOffset, r.RoundTo,
			r.ValidFrom, r.ConfirmedBy, r.Note, r.CreatedAt)
		if err != nil {
			return fmt.Errorf("make tax rule: %w", err)
		}
		if !made {
			return ErrExists
		}
		if s.opts.Audit != nil {
			if err := s.opts.Audit.Record(ctx, tx, audit.Entry{Action: "tax_rule.create", Object: ident.Format(ident.TaxRule, r.ID), After: r.Terms}); err != nil {
				return err
			}
		}
		if then != nil {
			return then(tx, r)
		}
		return nil
	})
	return r, err
}

// List returns rules, the newest first: at most limit, with identifiers below before (0: from the newest).
func (s *Service) List(ctx context.Context, before int64, limit int) ([]Rule, error) {
	if before == 0 {
		before = 1<<63 - 1
	}
	return read(ctx, s.opts.DB, "id < ? ORDER BY id DESC LIMIT ?", before, limit)
}

// Get returns one rule, or ErrNotFound.
func (s *Service) Get(ctx context.Context, id int64) (Rule, error) {
	list, err := read(ctx, s.opts.DB, "id = ?", id)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Rule{}, err
	}
	return list[0], nil
}

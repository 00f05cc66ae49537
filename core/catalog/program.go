package catalog

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/link"
)

// LastClick is the attribution model in which the last click before a conversion earns it.
const LastClick = "last_click"

// Program is the terms under which affiliates are paid. Times are Unix ms.
type Program struct {
	ID     int64
	Status link.State // a disabled program keeps its links from redirecting to their destinations
	ProgramFields
	Secret         string // of postbacks
	PreviousSecret string // valid until the next rotation; "" if there is none
	CreatedAt      int64
	UpdatedAt      int64
	Rev            int64
}

// ProgramFields are what the owner of a program decides.
type ProgramFields struct {
	Name                  string
	Currency              string // ISO 4217, default for conversions that name none; "": no default
	AttributionWindowDays int
	AttributionModel      string
	HoldDays              int
	AllowedHosts          []string // deep links may go there
	FallbackURL           string   // where disabled and expired links go; "": nowhere
	ClickParam            string
	BrowserConversions    link.BrowserConversions
	Terms                 Terms
}

// ProgramPatch changes the fields that are not nil.
type ProgramPatch struct {
	Name                  *string
	Status                *link.State
	Currency              *string
	AttributionWindowDays *int
	AttributionModel      *string
	HoldDays              *int
	AllowedHosts          *[]string
	FallbackURL           *string
	ClickParam            *string
	BrowserConversions    *link.BrowserConversions
	Terms                 *Terms // as a whole
}

func (p *Program) apply(patch ProgramPatch) {
	set(&p.Name, patch.Name)
	set(&p.Status, patch.Status)
	set(&p.Currency, patch.Currency)
	set(&p.AttributionWindowDays, patch.AttributionWindowDays)
	set(&p.AttributionModel, patch.AttributionModel)
	set(&p.HoldDays, patch.HoldDays)
	set(&p.AllowedHosts, patch.AllowedHosts)
	set(&p.FallbackURL, patch.FallbackURL)
	set(&p.ClickParam, patch.ClickParam)
	set(&p.BrowserConversions, patch.BrowserConversions)
	set(&p.Terms, patch.Terms)
}

func set[T any](dst, v *T) {
	if v != nil {
		*dst = *v
	}
}

func (p *Program) validate() error {
	var c checker
	c.text("name", p.Name, maxName)
	oneOf(&c, "status", p.Status, link.Active, link.Disabled)
	c.currency(p.Currency)
	c.between("attribution_window_days", p.AttributionWindowDays, 1, maxWindowDays)
	oneOf(&c, "attribution_model", p.AttributionModel, LastClick, FirstClick)
	c.between("hold_days", p.HoldDays, 0, maxHoldDays)
	c.hosts(p.AllowedHosts)
	if p.FallbackURL != "" {
		c.url("fallback_url", p.FallbackURL)
	}
	c.clickParam(p.ClickParam)
	oneOf(&c, "browser_conversions", p.BrowserConversions, link.BrowserOff, link.BrowserLeads, link.BrowserAll)
	c.terms(&p.Terms)
	hosts := make([]string, 0, len(p.AllowedHosts))
	for _, host := range p.AllowedHosts {
		hosts = append(hosts, strings.ToLower(host))
	}
	p.AllowedHosts = hosts
	return c.err()
}

// CreateProgram makes a program with a new postback secret. The error is an *InvalidError if the fields are not valid.
// Functions in then run at the end of the transaction.
func (c *Catalog) CreateProgram(ctx context.Context, fields ProgramFields, then ...func(*db.Tx, Program) error) (Program, error) {
	now := c.now().UnixMilli()
	p := Program{ID: c.ids.New(), Status: link.Active, ProgramFields: fields, Secret: newSecret(), CreatedAt: now, UpdatedAt: now}
	if err := p.validate(); err != nil {
		return Program{}, err
	}
	hosts, terms, err := p.encoded()
	if err != nil {
		return Program{}, err
	}
	err = c.change(ctx, func(tx *db.Tx, rev *revision) error {
		p.Rev = rev.next()
		_, err := tx.Exec(ctx, `INSERT INTO programs (id, name, status, currency, attribution_window_days, attribution_model, hold_days,
			allowed_hosts, fallback_url, click_param, browser_conversions, terms, secret, previous_secret, created_at, updated_at, rev)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', ?, ?, ?)`,
			p.ID, p.Name, string(p.Status), p.Currency, p.AttributionWindowDays, p.AttributionModel, p.HoldDays,
			hosts, p.FallbackURL, p.ClickParam, string(p.BrowserConversions), terms, p.Secret, p.CreatedAt, p.UpdatedAt, p.Rev)
		if err != nil {
			return fmt.Errorf("insert program: %w", err)
		}
		return also(tx, p, then)
	})
	return p, err
}

// UpdateProgram changes a program. Its links follow by way of the feed. Functions in then run at the end of the transaction.
func (c *Catalog) UpdateProgram(ctx context.Context, id int64, patch ProgramPatch, then ...func(tx *db.Tx, before, after Program) error) (p Program, err error) {
	err = c.change(ctx, func(tx *db.Tx, rev *revision) error {
		if p, err = ReadProgram(ctx, tx, id); err != nil {
			return err
		}
		before := p
		p.apply(patch)
		if err := p.validate(); err != nil {
			return err
		}
		p.Rev, p.UpdatedAt = rev.next(), c.now().UnixMilli()
		if err := writeProgram(ctx, tx, p); err != nil {
			return err
		}
		return alsoChanged(tx, before, p, then)
	})
	return p, err
}

// RotateSecret gives a program a new postback secret. The one before stays valid until the next rotation; the one
// before that ends now.
func (c *Catalog) RotateSecret(ctx context.Context, id int64, then ...func(*db.Tx, Program) error) (p Program, err error) {
	secret := newSecret()
	err = c.change(ctx, func(tx *db.Tx, rev *revision) error {
		if p, err = ReadProgram(ctx, tx, id); err != nil {
			return err
		}
		p.Secret, p.PreviousSecret = secret, p.Secret
		p.Rev, p.UpdatedAt = rev.next(), c.now().UnixMilli()
		if err := writeProgram(ctx, tx, p); err != nil {
			return err
		}
		return also(tx, p, then)
	})
	return p, err
}

// encoded are the fields that are stored as JSON.
func (p *Program) encoded() (hosts, terms string, err error) {
	b, err := json.Marshal(p.AllowedHosts)
	if err != nil {
		return "", "", fmt.Errorf("encode hosts: %w", err)
	}
	terms, err = p.Terms.stored()
	return string(b), terms, err
}

func writeProgram(ctx context.Context, tx *db.Tx, p Program) error {
	hosts, terms, err := p.encoded()
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE programs SET name = ?, status = ?, currency = ?, attribution_window_days = ?, attribution_model = ?,
		hold_days = ?, allowed_hosts = ?, fallback_url = ?, click_param = ?, browser_conversions = ?, terms = ?, secret = ?, previous_secret = ?,
		updated_at = ?, rev = ? WHERE id = ?`,
		p.Name, string(p.Status), p.Currency, p.AttributionWindowDays, p.AttributionModel, p.HoldDays, hosts,
		p.FallbackURL, p.ClickParam, string(p.BrowserConversions), terms, p.Secret, p.PreviousSecret, p.UpdatedAt, p.Rev, p.ID)
	if err != nil {
		return fmt.Errorf("update program: %w", err)
	}
	return nil
}

// Program returns a program, or ErrNotFound.
func (c *Catalog) Program(ctx context.Context, id int64) (Program, error) {
	return ReadProgram(ctx, c.db, id)
}

// ReadProgram is Program inside or outside of a transaction.
func ReadProgram(ctx context.Context, q db.Querier, id int64) (Program, error) {
	p, err := scanProgram(q.QueryRow(ctx, selectProgram+" WHERE id = ?", id))
	if err != nil {
		return Program{}, notFound("program", err)
	}
	return p, nil
}

// Programs returns programs with an id below before (0: from the newest), the newest first.
func (c *Catalog) Programs(ctx context.Context, before int64, limit int) ([]Program, error) {
	return programs(ctx, c.db, " WHERE id < ? ORDER BY id DESC LIMIT ?", below(before), limit)
}

const selectProgram = `SELECT id, name, status, currency, attribution_window_days, attribution_model, hold_days, allowed_hosts,
	fallback_url, click_param, browser_conversions, terms, secret, previous_secret, created_at, updated_at, rev FROM programs`

func programs(ctx context.Context, q db.Querier, where string, args ...any) ([]Program, error) {
	return collect(ctx, q, scanProgram, "programs", selectProgram+where, args...)
}

// row is one row of a result.
type row interface{ Scan(dest ...any) error }

func scanProgram(r row) (p Program, err error) {
	var hosts, terms string
	err = r.Scan(&p.ID, &p.Name, &p.Status, &p.Currency, &p.AttributionWindowDays, &p.AttributionModel, &p.HoldDays, &hosts,
		&p.FallbackURL, &p.ClickParam, &p.BrowserConversions, &terms, &p.Secret, &p.PreviousSecret, &p.CreatedAt, &p.UpdatedAt, &p.Rev)
	if err != nil {
		return Program{}, err
	}
	if err := json.Unmarshal([]byte(hosts), &p.AllowedHosts); err != nil {
		return Program{}, fmt.Errorf("read hosts of program %d: %w", p.ID, err)
	}
	if p.Terms, err = ParseTerms([]byte(terms)); err != nil {
		return Program{}, fmt.Errorf("program %d: %w", p.ID, err)
	}
	return p, nil
}

// collect reads all rows of a query.
func collect[T any](ctx context.Context, q db.Querier, scan func(row) (T, error), what, query string, args ...any) ([]T, error) {
	rows, err := q.Query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", what, err)
	}
	defer func() { _ = rows.Close() }()
	var out []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", what, err)
		}
		out = append(out, v)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read %s: %w", what, err)
	}
	return out, nil
}

package shop

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/site"
	"github.com/edgeref/edgeref/wire/ident"
)

// Kind of a product.
type Kind string

// Kinds. A bundle is bought as one and consists of products; it has their files and entitlements and none of its own.
const (
	Single Kind = "product"
	Bundle Kind = "bundle"
)

// Status of a product. Only an active one can be bought.
type Status string

// Statuses.
const (
	Draft    Status = "draft"
	Active   Status = "active"
	Archived Status = "archived"
)

// NoHold says that a product's commissions wait as long as its program says.
const NoHold = -1

// File is something to download, by its key in the storage of files.
type File struct {
	Name string `json:"name"`
	Key  string `json:"key"`
}

// Product is what is sold.
type Product struct {
	ID           int64
	Slug         string
	Kind         Kind
	Name         string
	Description  string
	SKU          string
	Prices       map[string]int64 // minor units by currency
	TaxBP        int64
	TaxCode      string // HSN or SAC
	TaxIncluded  bool   // prices include the tax
	ProgramID    int64  // which pays commission; 0: none
	HoldDays     int    // NoHold, or how long its commissions wait
	Files        []File
	Entitlements []string // codes, known to who checks them
	Parts        []int64  // of a bundle: products
	Image        int64    // of the site's media; 0: none
	Status       Status
	CreatedAt    int64 // Unix ms
	UpdatedAt    int64
}

// ProductChange changes what is not nil.
type ProductChange struct {
	Slug, Name, Description, SKU, TaxCode *string
	Prices                                map[string]int64
	TaxBP, ProgramID, Image               *int64
	TaxIncluded                           *bool
	HoldDays                              *int
	Files                                 []File
	Entitlements                          []string
	Parts                                 []int64
	Status                                *Status
}

func (c ProductChange) apply(p *Product) {
	set(&p.Slug, c.Slug)
	set(&p.Name, c.Name)
	set(&p.Description, c.Description)
	set(&p.SKU, c.SKU)
	set(&p.TaxCode, c.TaxCode)
	set(&p.TaxBP, c.TaxBP)
	set(&p.ProgramID, c.ProgramID)
	set(&p.Image, c.Image)
	set(&p.TaxIncluded, c.TaxIncluded)
	set(&p.HoldDays, c.HoldDays)
	set(&p.Status, c.Status)
	if c.Prices != nil {
		p.Prices = c.Prices
	}
	if c.Files != nil {
		p.Files = c.Files
	}
	if c.Entitlements != nil {
		p.Entitlements = c.Entitlements
	}
	if c.Parts != nil {
		p.Parts = c.Parts
	}
}

func set[T any](field, value *T) {
	if value != nil {
		*field = *value
	}
}

// check validates what needs no database.
func (p *Product) check() error {
	var c checker
	c.name("slug", p.Slug, maxSlug, "-")
	c.line("name", p.Name, maxName, true)
	c.text("description", p.Description, maxDescription)
	c.line("sku", p.SKU, maxSKU, false)
	c.line("tax_code", p.TaxCode, maxTaxCode, false)
	c.prices("prices", p.Prices, 0)
	if p.TaxBP < 0 || p.TaxBP > 10_000 {
		c.fail("tax_bp", "must be 0 to 10000")
	}
	if p.HoldDays < NoHold || p.HoldDays > maxHoldDays {
		c.fail("hold_days", "must be 0 to %d", maxHoldDays)
	}
	if !slices.Contains([]Status{Draft, Active, Archived}, p.Status) {
		c.fail("status", "must be draft, active or archived")
	}
	if p.Status == Active && len(p.Prices) == 0 {
		c.fail("prices", "must have one at least before it can be sold")
	}
	p.checkContent(&c)
	return c.err()
}

func (p *Product) checkContent(c *checker) {
	if len(p.Files) > maxFiles {
		c.fail("files", "has more than %d entries", maxFiles)
	}
	for _, f := range p.Files {
		c.line("files", f.Name, maxName, true)
		c.line("files", f.Key, maxFileKey, true)
	}
	if len(p.Entitlements) > maxEntitlements || !distinct(p.Entitlements) {
		c.fail("entitlements", "must be at most %d different codes", maxEntitlements)
	}
	for _, code := range p.Entitlements {
		c.name("entitlements", code, maxEntitlement, "-_.:/")
	}
	switch p.Kind {
	case Single:
		if len(p.Parts) > 0 {
			c.fail("parts", "belong to bundles only")
		}
	case Bundle:
		if len(p.Parts) < 2 || len(p.Parts) > maxParts || !distinct(p.Parts) {
			c.fail("parts", "must be 2 to %d different products", maxParts)
		}
		if len(p.Entitlements) > 0 || len(p.Files) > 0 {
			c.fail("entitlements", "and files of a bundle are those of its parts")
		}
	default:
		c.fail("kind", "must be product or bundle")
	}
}

// checkReferences validates against the database: the program, and the parts of a bundle.
func (p *Product) checkReferences(ctx context.Context, tx *db.Tx) error {
	var c checker
	if p.ProgramID != 0 {
		var n int64
		if err := tx.QueryRow(ctx, "SELECT COUNT(*) FROM programs WHERE id = ?", p.ProgramID).Scan(&n); err != nil {
			return fmt.Errorf("read program: %w", err)
		}
		if n == 0 {
			c.fail("program_id", "there is no such program")
		}
	}
	if p.Image != 0 {
		switch m, err := site.ReadMedia(ctx, tx, p.Image); {
		case errors.Is(err, site.ErrNotFound):
			c.fail("image_id", "there is no such picture")
		case err != nil:
			return err
		case !m.IsPicture():
			c.fail("image_id", "is no picture")
		}
	}
	if len(p.Parts) > 0 {
		parts, err := readProducts(ctx, tx, "id IN "+db.In(len(p.Parts))+" AND kind = ? AND status <> ?", append(anys(p.Parts), Single, Archived)...)
		if err != nil {
			return err
		}
		if len(parts) != len(p.Parts) {
			c.fail("parts", "must be products that are not archived, and no bundles")
		}
	}
	return c.err()
}

// CreateProduct makes a product; id and times of p are ignored, and an empty status is Draft. Functions in also run at
// the end of its transaction. Errors: *InvalidError, ErrSlugTaken.
func (s *Service) CreateProduct(ctx context.Context, p Product, also ...func(*db.Tx, Product) error) (Product, error) {
	if p.Status == "" {
		p.Status = Draft
	}
	if p.Kind == "" {
		p.Kind = Single
	}
	if err := p.check(); err != nil {
		return Product{}, err
	}
	p.ID = s.ids.New()
	err := s.db.InTx(ctx, func(tx *db.Tx) error {
		p.CreatedAt = s.now().UnixMilli()
		p.UpdatedAt = p.CreatedAt
		if err := p.checkReferences(ctx, tx); err != nil {
			return err
		}
		made, err := tx.TryInsert(ctx, `INSERT INTO products (id, slug, kind, name, description, sku, prices, tax_bp, tax_code, tax_included,
			program_id, hold_days, files, entitlements, parts, image_id, status, created_at, updated_at) VALUES `+db.In(19), append([]any{p.ID}, p.columns()...)...)
		if err != nil {
			return fmt.Errorf("store product: %w", err)
		}
		if !made {
			return ErrSlugTaken
		}
		if err := s.audit(ctx, tx, "product.create", ident.Format(ident.Product, p.ID), nil, p, ""); err != nil {
			return err
		}
		return runAll(tx, p, also)
	})
	if err != nil {
		return Product{}, err
	}
	return p, nil
}

// UpdateProduct changes a product. Orders that were made keep what they said. Errors: ErrNotFound, *InvalidError,
// ErrSlugTaken.
func (s *Service) UpdateProduct(ctx context.Context, id int64, change ProductChange) (p Product, err error) {
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		before, err := readProduct(ctx, tx, id, tx.Dialect().ForUpdate())
		if err != nil {
			return err
		}
		p = before
		change.apply(&p)
		p.UpdatedAt = s.now().UnixMilli()
		if err := p.check(); err != nil {
			return err
		}
		if err := p.checkReferences(ctx, tx); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE products SET slug = ?, kind = ?, name = ?, description = ?, sku = ?, prices = ?, tax_bp = ?, tax_code = ?,
			tax_included = ?, program_id = ?, hold_days = ?, files = ?, entitlements = ?, parts = ?, image_id = ?, status = ?, created_at = ?, updated_at = ?
			WHERE id = ?`, append(p.columns(), id)...)
		if db.IsDuplicate(err) {
			return ErrSlugTaken
		}
		if err != nil {
			return fmt.Errorf("store product: %w", err)
		}
		return s.audit(ctx, tx, "product.update", ident.Format(ident.Product, id), before, p, "")
	})
	if err != nil {
		return Product{}, err
	}
	return p, nil
}

// columns are those after the id, in the order of the table.
func (p *Product) columns() []any {
	if p.Prices == nil {
		p.Prices = map[string]int64{}
	}
	return []any{p.Slug, p.Kind, p.Name, p.Description, p.SKU, encode(p.Prices), p.TaxBP, p.TaxCode, p.TaxIncluded, p.ProgramID, p.HoldDays,
		encode(orEmpty(p.Files)), encode(orEmpty(p.Entitlements)), encode(orEmpty(p.Parts)), p.Image, p.Status, p.CreatedAt, p.UpdatedAt}
}

func orEmpty[T any](items []T) []T {
	if items == nil {
		return []T{}
	}
	return items
}

// Product returns a product, or ErrNotFound.
func (s *Service) Product(ctx context.Context, id int64) (Product, error) {
	return readProduct(ctx, s.db, id, "")
}

// ProductBySlug returns a product, or ErrNotFound.
func (s *Service) ProductBySlug(ctx context.Context, slug string) (Product, error) {
	list, err := readProducts(ctx, s.db, "slug = ?", slug)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Product{}, err
	}
	return list[0], nil
}

// ProductsByID returns those products that there are, in no order. At most db.MaxIn are asked for at once.
func (s *Service) ProductsByID(ctx context.Context, ids []int64) ([]Product, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return readProducts(ctx, s.db, "id IN "+db.In(len(ids)), anys(ids)...)
}

// ProductFilter selects products; zero values select all.
type ProductFilter struct {
	Status Status
	Kind   Kind
	Before int64 // identifiers below this only
	Limit  int
}

// Products returns products, the newest first.
func (s *Service) Products(ctx context.Context, f ProductFilter) ([]Product, error) {
	q := filter{where: "id < ?", args: []any{below(f.Before)}}
	q.add("status = ?", f.Status, f.Status != "")
	q.add("kind = ?", f.Kind, f.Kind != "")
	return readProducts(ctx, s.db, q.where+" ORDER BY id DESC LIMIT ?", append(q.args, f.Limit)...)
}

func readProduct(ctx context.Context, q db.Querier, id int64, lock string) (Product, error) {
	list, err := readProducts(ctx, q, "id = ?"+lock, id)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Product{}, err
	}
	return list[0], nil
}

func readProducts(ctx context.Context, q db.Querier, rest string, args ...any) ([]Product, error) {
	rows, err := q.Query(ctx, `SELECT id, slug, kind, name, description, sku, prices, tax_bp, tax_code, tax_included, program_id, hold_days,
		files, entitlements, parts, image_id, status, created_at, updated_at FROM products WHERE `+rest, args...)
	if err != nil {
		return nil, fmt.Errorf("read products: %w", err)
	}
	defer rows.Close()
	var out []Product
	for rows.Next() {
		var p Product
		var prices, files, entitlements, parts string
		if err := rows.Scan(&p.ID, &p.Slug, &p.Kind, &p.Name, &p.Description, &p.SKU, &prices, &p.TaxBP, &p.TaxCode, &p.TaxIncluded, &p.ProgramID,
			&p.HoldDays, &files, &entitlements, &parts, &p.Image, &p.Status, &p.CreatedAt, &p.UpdatedAt); err != nil {
			return nil, fmt.Errorf("read products: %w", err)
		}
		if err := decodeAll(prices, &p.Prices, files, &p.Files, entitlements, &p.Entitlements, parts, &p.Parts); err != nil {
			return nil, fmt.Errorf("read products: %w", err)
		}
		out = append(out, p)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read products: %w", err)
	}
	return out, nil
}

// filter collects the conditions of a list.
type filter struct {
	where string
	args  []any
}

func (f *filter) add(condition string, value any, wanted bool) {
	if wanted {
		f.where, f.args = f.where+" AND "+condition, append(f.args, value)
	}
}

// below is the bound of a page of a list: the id that it ends before, or for 0 one above all ids.
func below(before int64) int64 {
	if before == 0 {
		return math.MaxInt64
	}
	return before
}

func anys[T any](items []T) []any {
	out := make([]any, len(items))
	for i := range items {
		out[i] = items[i]
	}
	return out
}

// runAll runs the functions that a caller added to a transaction.
func runAll[T any](tx *db.Tx, v T, fns []func(*db.Tx, T) error) error {
	for _, fn := range fns {
		if err := fn(tx, v); err != nil {
			return err
		}
	}
	return nil
}

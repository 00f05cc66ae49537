package api

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/invoice"
	"github.com/edgeref/edgeref/core/payment"
	"github.com/edgeref/edgeref/core/shop"
	"github.com/edgeref/edgeref/core/site"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/money"
)

// payments begins a payment at a gateway. It is safe for concurrent use.
type payments interface {
	Begin(ctx context.Context, orderID int64, gateway string) (payment.Session, error)
	Gateways() []string
}

// ShopOptions are what the shop's operations need.
type ShopOptions struct {
	Shop       *shop.Service
	Invoices   *invoice.Service
	Payments   payments
	CookieName string    // of the tracker's cookie, which holds the Click ID
	Addresses  addresses // nil: nobody has orders of his own
}

// Shop registers the operations on products, coupons, the checkout, orders and invoices.
func Shop(o ShopOptions) Module {
	return func(a *API) {
		productOperations(a, o.Shop)
		couponOperations(a, o.Shop)
		checkoutOperations(a, o)
		orderReads(a, o)
		bestsellerOperation(a, o.Shop)
		orderChanges(a, o.Shop)
		myOrders(a, o)
		describePDF(a)
	}
}

// ProductFile is something to download.
type ProductFile struct {
	Name string `json:"name" minLength:"1" maxLength:"255" example:"Workbook.pdf"`
	Key  string `json:"key" minLength:"1" maxLength:"512" example:"courses/sales/workbook.pdf" doc:"In the storage of files"`
}

// Product is what is sold.
type Product struct {
	ID           string         `json:"id" example:"prd_01J8Z0QK5T2VG"`
	Slug         string         `json:"slug" example:"sales-training"`
	Kind         shop.Kind      `json:"kind" enum:"product,bundle" doc:"A bundle consists of products, and is sold at a price of its own"`
	Name         string         `json:"name" example:"Sales training"`
	Description  string         `json:"description" example:"Twelve lessons." doc:"Markdown, as in the site's texts"`
	SKU          string         `json:"sku" example:"SALES-1"`
	Prices       []money.Amount `json:"prices" nullable:"false" doc:"One a currency"`
	TaxBP        int64          `json:"tax_bp" example:"1800" doc:"Rate of the tax, in basis points. A bundle's parts have their own"`
	TaxCode      string         `json:"tax_code" example:"999293" doc:"HSN or SAC"`
	TaxIncluded  bool           `json:"tax_included" doc:"Prices include the tax"`
	ProgramID    string         `json:"program_id" example:"prg_01J8Z0QK5T2VG" doc:"Pays commission; empty: none does"`
	HoldDays     *int           `json:"hold_days" nullable:"true" example:"60" doc:"How long its commissions wait at least; null: as its program says"`
	Files        []ProductFile  `json:"files" nullable:"false"`
	Entitlements []string       `json:"entitlements" nullable:"false" example:"[\"course:sales\"]" doc:"Codes of what its buyer may use"`
	PartIDs      []string       `json:"part_ids" nullable:"false" example:"[\"prd_01J8Z0QK5T2VG\"]" doc:"Of a bundle"`
	ImageID      string         `json:"image_id" example:"med_01J8Z0QK5T2VG" doc:"Of the site's media; empty: none"`
	ImagePath    string         `json:"image_path" example:"/site/media/med_01J8Z0QK5T2VG" doc:"Below the address of the core; empty: none"`
	Status       shop.Status    `json:"status" enum:"draft,active,archived" doc:"Only an active one can be bought"`
	CreatedAt    Time           `json:"created_at"`
	UpdatedAt    Time           `json:"updated_at"`
}

// ProductRequest asks for a product.
type ProductRequest struct {
	Slug         string         `json:"slug" minLength:"1" maxLength:"96" example:"sales-training" doc:"a-z 0-9 and -"`
	Kind         shop.Kind      `json:"kind,omitempty" enum:"product,bundle" default:"product"`
	Name         string         `json:"name" minLength:"1" maxLength:"255" example:"Sales training"`
	Description  string         `json:"description,omitempty" maxLength:"20000" example:"Twelve lessons."`
	SKU          string         `json:"sku,omitempty" maxLength:"64" example:"SALES-1"`
	Prices       []money.Amount `json:"prices,omitempty" maxItems:"30" nullable:"false"`
	TaxBP        int64          `json:"tax_bp,omitempty" minimum:"0" maximum:"10000" example:"1800"`
	TaxCode      string         `json:"tax_code,omitempty" maxLength:"16" example:"999293"`
	TaxIncluded  bool           `json:"tax_included,omitempty" example:"true"`
	ProgramID    string         `json:"program_id,omitempty" example:"prg_01J8Z0QK5T2VG"`
	HoldDays     *int           `json:"hold_days,omitempty" minimum:"0" maximum:"365" example:"60"`
	Files        []ProductFile  `json:"files,omitempty" maxItems:"50" nullable:"false"`
	Entitlements []string       `json:"entitlements,omitempty" maxItems:"20" nullable:"false" example:"[\"course:sales\"]"`
	PartIDs      []string       `json:"part_ids,omitempty" maxItems:"20" nullable:"false" example:"[\"prd_01J8Z0QK5T2VG\"]" doc:"Of a bundle: two products at least"`
	ImageID      string         `json:"image_id,omitempty" example:"med_01J8Z0QK5T2VG" doc:"A picture of the site's media"`
	Status       shop.Status    `json:"status,omitempty" enum:"draft,active,archived" default:"draft"`
}

// ProductChange changes what is present. Orders that were made keep what they said.
type ProductChange struct {
	Slug         *string        `json:"slug,omitempty" minLength:"1" maxLength:"96" example:"sales-training"`
	Name         *string        `json:"name,omitempty" minLength:"1" maxLength:"255" example:"Sales training"`
	Description  *string        `json:"description,omitempty" maxLength:"20000" example:"Twelve lessons."`
	SKU          *string        `json:"sku,omitempty" maxLength:"64" example:"SALES-1"`
	Prices       []money.Amount `json:"prices,omitempty" maxItems:"30" nullable:"false"`
	TaxBP        *int64         `json:"tax_bp,omitempty" minimum:"0" maximum:"10000" example:"1800"`
	TaxCode      *string        `json:"tax_code,omitempty" maxLength:"16" example:"999293"`
	TaxIncluded  *bool          `json:"tax_included,omitempty" example:"true"`
	ProgramID    *string        `json:"program_id,omitempty" example:"prg_01J8Z0QK5T2VG" doc:"Empty: none"`
	HoldDays     Nullable[int]  `json:"hold_days,omitempty" minimum:"0" maximum:"365" example:"60"`
	Files        []ProductFile  `json:"files,omitempty" maxItems:"50" nullable:"false"`
	Entitlements []string       `json:"entitlements,omitempty" maxItems:"20" nullable:"false" example:"[\"course:sales\"]"`
	PartIDs      []string       `json:"part_ids,omitempty" maxItems:"20" nullable:"false" example:"[\"prd_01J8Z0QK5T2VG\"]"`
	ImageID      *string        `json:"image_id,omitempty" example:"med_01J8Z0QK5T2VG" doc:"A picture of the site's media; empty: none"`
	Status       *shop.Status   `json:"status,omitempty" enum:"draft,active,archived" example:"active"`
}

// ProductPath names one product.
type ProductPath struct {
	ID string `path:"id" example:"prd_01J8Z0QK5T2VG"`
}

type productList struct {
	ListInput
	Status string `query:"status" enum:"draft,active,archived"`
	Kind   string `query:"kind" enum:"product,bundle"`
}

type productOutput struct{ Body Product }

func productOperations(a *API, s *shop.Service) {
	handle(a, operation{
		id: "list-products", method: http.MethodGet, path: "/products", tag: "Shop", scope: access.ShopRead,
		summary: "List products and bundles", about: "The newest first.", errors: []int{http.StatusBadRequest},
	}, func(ctx context.Context, in *productList) (*listOutput[Product], error) {
		before, err := in.after(ident.Product)
		if err != nil {
			return nil, err
		}
		rows, err := s.Products(ctx, shop.ProductFilter{Status: shop.Status(in.Status), Kind: shop.Kind(in.Kind), Before: before, Limit: in.Limit + 1})
		if err != nil {
			return nil, err
		}
		return page(ident.Product, in.Limit, rows, func(p shop.Product) int64 { return p.ID }, productBody), nil
	})
	handle(a, operation{
		id: "get-product", method: http.MethodGet, path: "/products/{id}", tag: "Shop", scope: access.ShopRead,
		summary: "Get a product", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *ProductPath) (*productOutput, error) {
		id, err := pathID(ident.Product, in.ID)
		if err != nil {
			return nil, err
		}
		p, err := s.Product(ctx, id)
		return &productOutput{productBody(p)}, err
	})
	handle(a, operation{
		id: "create-product", method: http.MethodPost, path: "/products", tag: "Shop", scope: access.ShopWrite, status: http.StatusCreated,
		summary: "Create a product or bundle",
		about: "A bundle's price is split over its parts in the ratio of their own prices, so each bears its own tax and commission. " +
			"Its files and entitlements are those of its parts.",
		errors: []int{http.StatusConflict},
	}, func(ctx context.Context, in *struct{ Body ProductRequest }) (*productOutput, error) {
		p, err := in.Body.product()
		if err != nil {
			return nil, err
		}
		out := &productOutput{}
		_, err = s.CreateProduct(ctx, p, func(tx *db.Tx, p shop.Product) error {
			out.Body = productBody(p)
			return record(ctx, tx, http.StatusCreated, out.Body)
		})
		return out, err
	})
	handle(a, operation{
		id: "update-product", method: http.MethodPatch, path: "/products/{id}", tag: "Shop", scope: access.ShopWrite,
		summary: "Change a product", about: "Orders that were made keep what they said.", errors: []int{http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, in *struct {
		ProductPath
		Body ProductChange
	}) (*productOutput, error) {
		id, err := pathID(ident.Product, in.ID)
		if err != nil {
			return nil, err
		}
		change, err := in.Body.change()
		if err != nil {
			return nil, err
		}
		p, err := s.UpdateProduct(ctx, id, change)
		return &productOutput{productBody(p)}, err
	})
}

func (r *ProductRequest) product() (shop.Product, error) {
	program, err1 := fieldID(ident.Program, "body.program_id", r.ProgramID)
	parts, err2 := productIDs("body.part_ids", r.PartIDs)
	prices, err3 := pricesOf("body.prices", r.Prices)
	image, err4 := fieldID(ident.Media, "body.image_id", r.ImageID)
	p := shop.Product{
		Slug: r.Slug, Kind: r.Kind, Name: r.Name, Description: r.Description, SKU: r.SKU, Prices: prices, TaxBP: r.TaxBP, TaxCode: r.TaxCode,
		TaxIncluded: r.TaxIncluded, ProgramID: program, HoldDays: shop.NoHold, Files: files(r.Files), Entitlements: r.Entitlements, Parts: parts, Image: image,
		Status: r.Status,
	}
	if r.HoldDays != nil {
		p.HoldDays = *r.HoldDays
	}
	return p, invalidAll(err1, err2, err3, err4)
}

func (c *ProductChange) change() (shop.ProductChange, error) {
	out := shop.ProductChange{
		Slug: c.Slug, Name: c.Name, Description: c.Description, SKU: c.SKU, TaxBP: c.TaxBP, TaxCode: c.TaxCode, TaxIncluded: c.TaxIncluded,
		Files: files(c.Files), Entitlements: c.Entitlements, Status: c.Status,
	}
	if c.HoldDays.Sent {
		hold := shop.NoHold
		if c.HoldDays.Value != nil {
			hold = *c.HoldDays.Value
		}
		out.HoldDays = &hold
	}
	var errs [4]error
	if c.ProgramID != nil {
		var program int64
		program, errs[0] = fieldID(ident.Program, "body.program_id", *c.ProgramID)
		out.ProgramID = &program
	}
	if c.PartIDs != nil {
		out.Parts, errs[1] = productIDs("body.part_ids", c.PartIDs)
	}
	if c.Prices != nil {
		out.Prices, errs[2] = pricesOf("body.prices", c.Prices)
	}
	if c.ImageID != nil {
		var image int64
		image, errs[3] = fieldID(ident.Media, "body.image_id", *c.ImageID)
		out.Image = &image
	}
	return out, invalidAll(errs[:]...)
}

func files(in []ProductFile) []shop.File {
	if in == nil {
		return nil
	}
	out := make([]shop.File, len(in))
	for i, f := range in {
		out[i] = shop.File(f)
	}
	return out
}

// productIDs parses the identifiers of products.
func productIDs(location string, texts []string) ([]int64, error) {
	if texts == nil {
		return nil, nil
	}
	ids := make([]int64, len(texts))
	for i, text := range texts {
		id, err := fieldID(ident.Product, location, text)
		if err != nil {
			return nil, err
		}
		if id == 0 {
			return nil, invalid(location, "must be identifiers like "+ident.Format(ident.Product, 1))
		}
		ids[i] = id
	}
	return ids, nil
}

func identsOf(kind string, ids []int64) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = ident.Format(kind, id)
	}
	return out
}

// pricesOf is amounts by currency.
func pricesOf(location string, amounts []money.Amount) (map[string]int64, error) {
	if amounts == nil {
		return nil, nil
	}
	out := make(map[string]int64, len(amounts))
	for _, a := range amounts {
		if _, twice := out[a.Currency]; twice {
			return nil, invalid(location, "has a currency twice")
		}
		out[a.Currency] = a.Minor
	}
	return out, nil
}

// amountsOf are prices in the order of their currencies.
func amountsOf(prices map[string]int64) []money.Amount {
	out := make([]money.Amount, 0, len(prices))
	for currency, minor := range prices {
		out = append(out, money.Amount{Minor: minor, Currency: currency})
	}
	slices.SortFunc(out, func(a, b money.Amount) int { return strings.Compare(a.Currency, b.Currency) })
	return out
}

func productBody(p shop.Product) Product {
	out := Product{
		ID: ident.Format(ident.Product, p.ID), Slug: p.Slug, Kind: p.Kind, Name: p.Name, Description: p.Description, SKU: p.SKU, Prices: amountsOf(p.Prices),
		TaxBP: p.TaxBP, TaxCode: p.TaxCode, TaxIncluded: p.TaxIncluded, ProgramID: identOrNone(ident.Program, p.ProgramID),
		Files: make([]ProductFile, len(p.Files)), Entitlements: append([]string{}, p.Entitlements...), PartIDs: identsOf(ident.Product, p.Parts),
		ImageID: identOrNone(ident.Media, p.Image), ImagePath: site.PathOf(p.Image), Status: p.Status,
		CreatedAt: timeOf(p.CreatedAt), UpdatedAt: timeOf(p.UpdatedAt),
	}
	for i, f := range p.Files {
		out.Files[i] = ProductFile(f)
	}
	if p.HoldDays != shop.NoHold {
		out.HoldDays = &p.HoldDays
	}
	return out
}

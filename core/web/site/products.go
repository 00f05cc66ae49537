package site

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/edgeref/edgeref/core/shop"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/money"
)

const (
	perPage        = 24
	maxBundles     = 200 // that are looked through for a product
	descriptionLen = 160 // characters; what search engines show
	cardLen        = 120
)

// card is a product in a list.
type card struct {
	Path, Name, Text, Picture string
	Price                     string
	Tax                       string // whether the price includes it
	Bundle                    string // says so of one
}

// priceOf is the price of a product in the currency that is wanted, or in another where it has none.
func priceOf(p *shop.Product, wanted string) money.Amount {
	if minor, ok := p.Prices[wanted]; ok {
		return money.Amount{Minor: minor, Currency: wanted}
	}
	for _, currency := range slices.Sorted(maps.Keys(p.Prices)) {
		return money.Amount{Minor: p.Prices[currency], Currency: currency}
	}
	return money.Amount{Currency: wanted}
}

func (s *Site) card(page *page, p *shop.Product) card {
	price := priceOf(p, s.opts.Currency)
	c := card{Path: page.To("products", p.Slug), Name: p.Name, Picture: s.picture(p), Price: page.Brief(price)}
	if html, err := s.opts.Markdown(p.Description); err == nil {
		c.Text = words(opening(html), cardLen)
	}
	if price.Minor == 0 {
		c.Price = s.text().Free
	} else if s.taxed(p) {
		c.Tax = s.text().WithTax
		if !p.TaxIncluded {
			c.Tax = s.text().PlusTax
		}
	}
	if p.Kind == shop.Bundle {
		c.Bundle = fmt.Sprintf(s.text().BundleOf, len(p.Parts))
	}
	return c
}

// taxed reports whether a product bears tax here.
func (s *Site) taxed(p *shop.Product) bool { return s.opts.Seller.TaxID != "" && p.TaxBP > 0 }

// picture is the path of a product's picture.
func (s *Site) picture(p *shop.Product) string {
	if path := s.opts.Picture(*p); path != "" {
		return path
	}
	return "/assets/art/" + p.Slug + ".svg"
}

type listBody struct {
	Cards []card
	More  string // path of what follows
}

func (s *Site) list(w http.ResponseWriter, r *http.Request) {
	d, err := s.now(r.Context())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	below, err := before(r)
	if err != nil {
		s.notFound(w, r)
		return
	}
	products, err := s.opts.Shop.Products(r.Context(), shop.ProductFilter{Status: shop.Active, Before: below, Limit: perPage + 1})
	if err != nil {
		s.fail(w, r, err)
		return
	}
	p := s.page(w, r, d)
	var body listBody
	for i := range products[:min(len(products), perPage)] {
		body.Cards = append(body.Cards, s.card(p, &products[i]))
	}
	if len(products) > perPage {
		body.More = "/products?" + url.Values{"before": {ident.Format(ident.Product, products[perPage-1].ID)}}.Encode()
		if len(p.clicks) > 0 {
			body.More += "&" + p.clicks.Encode()
		}
	}
	p.Title, p.Description, p.Canonical, p.Section = s.text().ProductsTitle, s.text().ProductsText, s.opts.URL+"/products", "products"
	if below != 0 {
		p.Canonical += "?before=" + ident.Format(ident.Product, below)
	}
	p.Body = body
	s.show(w, r, http.StatusOK, "products", p)
}

type productBody struct {
	Slug, Name, Picture string
	Text                template.HTML
	Price, Tax          string
	Free                bool
	Parts               []card
	Apart               string // what the parts cost by themselves
	Saved               string
	Bundles             []upgrade
	Others              []link // to pay in another currency
	Checkout            string
}

// upgrade is a bundle that a product is in.
type upgrade struct {
	Path, Name, Price, Saved string
}

// sold finds what is sold under a slug. Nothing else is shown, not even that it is there.
func (s *Site) sold(ctx context.Context, slug string) (shop.Product, error) {
	if slug == "" || len(slug) > 96 {
		return shop.Product{}, shop.ErrNotFound
	}
	p, err := s.opts.Shop.ProductBySlug(ctx, slug)
	if err == nil && p.Status != shop.Active {
		return shop.Product{}, shop.ErrNotFound
	}
	return p, err
}

func (s *Site) product(w http.ResponseWriter, r *http.Request) {
	d, err := s.now(r.Context())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	it, err := s.sold(r.Context(), r.PathValue("slug"))
	if errors.Is(err, shop.ErrNotFound) {
		s.notFound(w, r)
		return
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	p := s.page(w, r, d)
	body, err := s.productBody(r.Context(), p, &it)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	p.Title, p.Description, p.Canonical, p.Section, p.Kind = it.Name, words(opening(body.Text), descriptionLen), s.opts.URL+"/products/"+it.Slug, "products", "product"
	p.Picture = s.opts.URL + cmp.Or(s.opts.Picture(it), previewOf(it.Slug))
	p.Data = offer(p, &it, d.content.Name, p.Picture, priceOf(&it, s.opts.Currency))
	p.Body = body
	s.show(w, r, http.StatusOK, "product", p)
}

func (s *Site) productBody(ctx context.Context, p *page, it *shop.Product) (productBody, error) {
	price := priceOf(it, s.opts.Currency)
	body := productBody{Slug: it.Slug, Name: it.Name, Picture: s.picture(it), Price: p.Brief(price), Free: price.Minor == 0, Checkout: p.To("checkout", it.Slug)}
	text, err := s.opts.Markdown(it.Description)
	if err != nil {
		return body, err
	}
	body.Text = settled(text)
	if s.taxed(it) {
		body.Tax = s.text().WithTax
		if !it.TaxIncluded {
			body.Tax = s.text().PlusTax
		}
	}
	for _, currency := range slices.Sorted(maps.Keys(it.Prices)) {
		if currency != price.Currency {
			body.Others = append(body.Others, link{Path: with(body.Checkout, "currency", currency), Title: p.Brief(money.Amount{Minor: it.Prices[currency], Currency: currency})})
		}
	}
	if it.Kind == shop.Bundle {
		return body, s.addParts(ctx, p, &body, it, price)
	}
	return body, s.addBundles(ctx, p, &body, it, price.Currency)
}

// addParts says what is in a bundle, and what that costs apart.
func (s *Site) addParts(ctx context.Context, p *page, body *productBody, it *shop.Product, price money.Amount) error {
	found, err := s.opts.Shop.ProductsByID(ctx, it.Parts)
	if err != nil {
		return err
	}
	apart := money.Amount{Currency: price.Currency}
	whole := true
	for _, id := range it.Parts {
		for i := range found {
			if part := &found[i]; part.ID == id {
				c := s.card(p, part)
				if part.Status != shop.Active {
					c.Path = "" // it is not sold alone
				}
				body.Parts = append(body.Parts, c)
				minor, ok := part.Prices[price.Currency]
				whole = whole && ok && part.Status == shop.Active
				apart.Minor += minor
			}
		}
	}
	if whole && apart.Minor > price.Minor {
		body.Apart = p.Brief(apart)
		body.Saved = p.Brief(money.Amount{Minor: apart.Minor - price.Minor, Currency: price.Currency})
	}
	return nil
}

// addBundles offers the bundles that a product is in, and says what they save.
func (s *Site) addBundles(ctx context.Context, p *page, body *productBody, it *shop.Product, currency string) error {
	bundles, err := s.opts.Shop.Products(ctx, shop.ProductFilter{Status: shop.Active, Kind: shop.Bundle, Limit: maxBundles})
	if err != nil {
		return err
	}
	for i := range bundles {
		b := &bundles[i]
		price, sold := b.Prices[currency]
		if !sold || !slices.Contains(b.Parts, it.ID) {
			continue
		}
		var all productBody
		if err := s.addParts(ctx, p, &all, b, money.Amount{Minor: price, Currency: currency}); err != nil {
			return err
		}
		u := upgrade{Path: p.To("products", b.Slug), Name: b.Name, Price: p.Brief(money.Amount{Minor: price, Currency: currency})}
		if all.Saved != "" {
			u.Saved = fmt.Sprintf(s.text().InBundleSave, u.Price, all.Saved)
		}
		body.Bundles = append(body.Bundles, u)
	}
	return nil
}

// with adds a parameter to a path of ours.
func with(path, name, value string) string {
	sep := "?"
	if strings.Contains(path, "?") {
		sep = "&"
	}
	return path + sep + url.QueryEscape(name) + "=" + url.QueryEscape(value)
}

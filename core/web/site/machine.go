package site

import (
	"bytes"
	"encoding/xml"
	"net/http"
	"time"

	"github.com/edgeref/edgeref/core/shop"
	"github.com/edgeref/edgeref/wire/money"
)

// What search engines and previews read: see schema.org.

type thing struct {
	Context     string   `json:"@context,omitempty"`
	Type        string   `json:"@type"`
	ID          string   `json:"@id,omitempty"`
	Name        string   `json:"name,omitempty"`
	URL         string   `json:"url,omitempty"`
	Description string   `json:"description,omitempty"`
	Image       []string `json:"image,omitempty"`
	Logo        string   `json:"logo,omitempty"`
	Email       string   `json:"email,omitempty"`
	VATID       string   `json:"vatID,omitempty"`
	Legal       string   `json:"legalName,omitempty"`
	SKU         string   `json:"sku,omitempty"`
	Brand       *thing   `json:"brand,omitempty"`
	Offers      *thing   `json:"offers,omitempty"`
	Price       string   `json:"price,omitempty"`
	Currency    string   `json:"priceCurrency,omitempty"`
	Available   string   `json:"availability,omitempty"`
}

func organization(url string, c Content, seller Seller) thing {
	return thing{
		Context: "https://schema.org", Type: "Organization", ID: url + "/#organization", Name: c.Name, URL: url + "/", Description: words(c.Text, descriptionLen),
		Logo: url + "/assets/icon.svg", Email: c.SupportEmail, VATID: seller.TaxID, Legal: seller.Name,
	}
}

func offer(p *page, it *shop.Product, brand, picture string, price money.Amount) thing {
	return thing{
		Context: "https://schema.org", Type: "Product", ID: p.Canonical + "#product", Name: it.Name, URL: p.Canonical, Description: p.Description, Image: []string{picture},
		SKU: it.SKU, Brand: &thing{Type: "Brand", Name: brand},
		Offers: &thing{Type: "Offer", URL: p.Canonical, Price: price.Decimal(), Currency: price.Currency, Available: "https://schema.org/InStock"},
	}
}

const (
	maxSitemap = 50_000 // addresses, the format's limit
	batch      = 500
)

type sitemapURL struct {
	Loc     string `xml:"loc"`
	LastMod string `xml:"lastmod,omitempty"`
}

func (s *Site) sitemap(w http.ResponseWriter, r *http.Request) {
	d, err := s.now(r.Context())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	day := func(millis int64) string {
		if millis == 0 {
			return ""
		}
		return time.UnixMilli(millis).UTC().Format(time.DateOnly)
	}
	set := struct {
		XMLName xml.Name     `xml:"urlset"`
		XMLNS   string       `xml:"xmlns,attr"`
		URLs    []sitemapURL `xml:"url"`
	}{XMLNS: "http://www.sitemaps.org/schemas/sitemap/0.9"}
	add := func(path string, millis int64) {
		set.URLs = append(set.URLs, sitemapURL{s.opts.URL + path, day(millis)})
	}
	add("/", d.content.UpdatedAt)
	add("/products", 0)
	add("/affiliates", 0)
	for _, page := range s.legalPages() {
		if d.content.Legal[page.Path] != "" || page.Path == "contact" {
			add("/legal/"+page.Path, d.content.UpdatedAt)
		}
	}
	for below := int64(0); len(set.URLs) < maxSitemap-batch; {
		products, err := s.opts.Shop.Products(r.Context(), shop.ProductFilter{Status: shop.Active, Before: below, Limit: batch})
		if err != nil {
			s.fail(w, r, err)
			return
		}
		for i := range products {
			add("/products/"+products[i].Slug, products[i].UpdatedAt)
			below = products[i].ID
		}
		if len(products) < batch {
			break
		}
	}
	var b bytes.Buffer
	b.WriteString(xml.Header)
	if err := xml.NewEncoder(&b).Encode(set); err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/xml; charset=utf-8")
	w.Header().Set("Cache-Control", "public, max-age=3600")
	s.send(w, r, http.StatusOK, b.Bytes())
}

// robots keeps crawlers out of what is somebody's, or costs a quote for each visit.
func (s *Site) robots(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "public, max-age=3600")
	s.send(w, r, http.StatusOK, []byte("User-agent: *\nDisallow: /checkout/\nDisallow: /pay/\nDisallow: /thank-you/\nDisallow: /account/\nDisallow: /app/\nDisallow: /api/\nDisallow: /oauth/\n\nSitemap: "+
		s.opts.URL+"/sitemap.xml\n"))
}

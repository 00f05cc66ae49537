package site

import (
	"cmp"
	"context"
	"html/template"
	"net/http"
	"strconv"

	"github.com/edgeref/edgeref/core/shop"
	"github.com/edgeref/edgeref/wire/ident"
)

const maxFeatured = 6 // products on the landing page, where the owner has chosen none

type landingBody struct {
	Headline  string
	Lead      template.HTML
	Hero      string
	Featured  []card
	Sections  []part
	Questions []Question // where the owner has written none
}

func (s *Site) landing(w http.ResponseWriter, r *http.Request) {
	d, err := s.now(r.Context())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	featured, err := s.featured(r.Context(), d)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	p := s.page(w, r, d)
	body := landingBody{Headline: d.content.Headline, Lead: d.lead, Hero: d.content.Hero, Sections: d.sections}
	for i := range featured {
		body.Featured = append(body.Featured, s.card(p, &featured[i]))
	}
	asked := false
	for i := range d.sections {
		asked = asked || len(d.sections[i].Questions) > 0
	}
	if !asked {
		body.Questions = s.text().Questions
	}
	p.Title, p.Description, p.Canonical = d.content.Headline, words(d.lead, descriptionLen), s.opts.URL+"/"
	p.Picture = s.opts.URL + cmp.Or(body.Hero, previewOf(""))
	p.Data = organization(s.opts.URL, d.content, s.opts.Seller)
	p.Body = body
	s.show(w, r, http.StatusOK, "landing", p)
}

// featured are the products that the owner chose, as far as they are sold, or the newest.
func (s *Site) featured(ctx context.Context, d *drawn) ([]shop.Product, error) {
	if len(d.content.Featured) == 0 {
		return s.opts.Shop.Products(ctx, shop.ProductFilter{Status: shop.Active, Limit: maxFeatured})
	}
	found, err := s.opts.Shop.ProductsByID(ctx, d.content.Featured)
	if err != nil {
		return nil, err
	}
	var out []shop.Product
	for _, id := range d.content.Featured {
		for i := range found {
			if found[i].ID == id && found[i].Status == shop.Active {
				out = append(out, found[i])
			}
		}
	}
	return out, nil
}

type joinBody struct {
	SignUp  string
	Sponsor bool
}

// affiliates leads to the sign-up, and names whoever brought somebody along.
func (s *Site) affiliates(w http.ResponseWriter, r *http.Request) {
	d, err := s.now(r.Context())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	p := s.page(w, r, d)
	body := joinBody{SignUp: "/account/sign-up?as=affiliate"}
	if id, err := ident.Parse(ident.Affiliate, r.URL.Query().Get("sponsor")); err == nil {
		body.Sponsor, body.SignUp = true, "/account/sign-up?sponsor="+ident.Format(ident.Affiliate, id)
	}
	p.Title, p.Description, p.Canonical, p.Section = s.text().Affiliates, s.text().JoinText, s.opts.URL+"/affiliates", "affiliates"
	p.Body = body
	s.show(w, r, http.StatusOK, "affiliates", p)
}

type legalBody struct {
	Text  template.HTML
	Pages []link
}

type link struct {
	Path, Title string
	Here        bool
}

// legalPages are those there are, by what stands in their paths.
func (s *Site) legalPages() []link {
	return []link{{Path: "terms", Title: s.text().Terms}, {Path: "privacy", Title: s.text().Privacy}, {Path: "refunds", Title: s.text().Refunds}, {Path: "contact", Title: s.text().Contact}}
}

func (s *Site) legal(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("page")
	var here *link
	pages := s.legalPages()
	for i := range pages {
		if pages[i].Path == name {
			here = &pages[i]
		}
	}
	if here == nil {
		s.notFound(w, r)
		return
	}
	here.Here = true
	d, err := s.now(r.Context())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	p := s.page(w, r, d)
	body := legalBody{Text: settled(d.content.Legal[name]), Pages: pages}
	p.Title, p.Description, p.Section = here.Title, words(body.Text, descriptionLen), name
	if body.Text != "" || name == "contact" {
		p.Canonical = s.opts.URL + "/legal/" + name
	}
	p.Body = body
	s.show(w, r, http.StatusOK, "legal", p)
}

// before is the id below which the page of a list begins; 0: it is the first.
func before(r *http.Request) (int64, error) {
	text := r.URL.Query().Get("before")
	if text == "" {
		return 0, nil
	}
	id, err := ident.Parse(ident.Product, text)
	if err != nil {
		return 0, strconv.ErrSyntax
	}
	return id, nil
}

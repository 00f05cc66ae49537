package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/picture"
	"github.com/edgeref/edgeref/core/site"
	"github.com/edgeref/edgeref/wire/ident"
)

// SiteTexts are what the public pages say, as they are edited.
type SiteTexts struct {
	Name         string   `json:"name" minLength:"1" maxLength:"80" example:"Grow School" doc:"Of the business"`
	Headline     string   `json:"headline" maxLength:"200" example:"Learn to sell" doc:"Of the landing page"`
	Text         string   `json:"text" maxLength:"20000" example:"**Courses** for everybody." doc:"Of the landing page. Texts are Markdown without HTML; headings begin below the page's own; pictures come from /site/media/ only"`
	HeroImageID  string   `json:"hero_image_id" example:"med_01J8Z0QK5T2VG" doc:"Empty: none"`
	FeaturedIDs  []string `json:"featured_product_ids" maxItems:"12" nullable:"false" example:"[\"prd_01J8Z0QK5T2VG\"]" doc:"On the landing page, in this order"`
	Terms        string   `json:"terms" maxLength:"120000" example:"# Terms" doc:"Legal pages: an empty one is not shown"`
	Privacy      string   `json:"privacy" maxLength:"120000" example:""`
	Refund       string   `json:"refund" maxLength:"120000" example:""`
	Contact      string   `json:"contact" maxLength:"120000" example:""`
	SupportEmail string   `json:"support_email" maxLength:"254" example:"help@example.com" doc:"Empty: none"`
	Accent       string   `json:"accent" example:"#1b5fc1" doc:"Colour, with a contrast of 4.5 with white at least"`
	Locale       string   `json:"locale" maxLength:"35" example:"en-IN" doc:"Of visitors who ask for none (BCP 47)"`
}

// SiteView is what the public pages say.
type SiteView struct {
	Revision int64 `json:"revision" example:"4" doc:"Grows with each saving; 0: nobody has saved yet"`
	SiteTexts
	HeroImagePath string `json:"hero_image_path" example:"/site/media/med_01J8Z0QK5T2VG" doc:"Below the address of the core; empty: none"`
	UpdatedAt     *Time  `json:"updated_at" nullable:"true"`
	UpdatedBy     string `json:"updated_by" example:"per_01J8Z0QK5T2VG" doc:"Empty: a machine"`
}

// SiteRequest saves all of it.
type SiteRequest struct {
	Revision int64 `json:"revision" minimum:"0" example:"4" doc:"That was edited. 409 where it is not the newest any more"`
	SiteTexts
}

// SiteBrand is what pages want before anybody signs in.
type SiteBrand struct {
	Name         string `json:"name" example:"Grow School"`
	SupportEmail string `json:"support_email" example:"help@example.com"`
	Accent       string `json:"accent" example:"#1b5fc1"`
	Locale       string `json:"locale" example:"en-IN"`
}

// SiteMedia is a file that everybody may see. It never changes.
type SiteMedia struct {
	ID          string `json:"id" example:"med_01J8Z0QK5T2VG"`
	Path        string `json:"path" example:"/site/media/med_01J8Z0QK5T2VG" doc:"Below the address of the core"`
	FileName    string `json:"file_name" example:"hero.png"`
	ContentType string `json:"content_type" enum:"image/png,image/jpeg,image/webp,application/pdf" doc:"By its content"`
	Width       int    `json:"width" example:"1200" doc:"Dots of a picture; else 0"`
	Height      int    `json:"height" example:"630"`
	Size        int64  `json:"size" example:"48211" doc:"Bytes, as it is kept"`
	CreatedAt   Time   `json:"created_at"`
}

// SiteMediaDetail is a file with where it is shown.
type SiteMediaDetail struct {
	SiteMedia
	UsedBy []MediaUse `json:"used_by" nullable:"false" doc:"While there are any, it cannot be deleted; of products and of materials at most 20 are named"`
}

// MediaUse is one place that shows a file.
type MediaUse struct {
	Place site.Place `json:"place" enum:"hero,landing,terms,privacy,refund,contact,product,material" doc:"hero: the picture of the landing page; landing to contact: the text of that page of the site"`
	ID    string     `json:"id" example:"prd_01J8Z0QK5T2VG" doc:"Of the product or material; else empty"`
	Name  string     `json:"name" example:"Go course" doc:"Of the product or material; else empty"`
}

// MarkdownRequest is a text to look at.
type MarkdownRequest struct {
	Text string `json:"text" maxLength:"120000" example:"**Now**"`
}

// MarkdownView is a text as pages show it.
type MarkdownView struct {
	HTML string `json:"html" example:"<p><strong>Now</strong></p>" doc:"Holds nothing that runs, and loads nothing from elsewhere"`
}

type (
	siteOutput  struct{ Body SiteView }
	mediaOutput struct{ Body SiteMedia }
	mediaPath   struct {
		ID string `path:"id" example:"med_01J8Z0QK5T2VG"`
	}
)

// Site registers the operations on what the public pages say and show.
func Site(s *site.Service) Module {
	return func(a *API) {
		siteOperations(a, s)
		siteReads(a, s)
		mediaOperations(a, s)
	}
}

func siteOperations(a *API, s *site.Service) {
	handle(a, operation{
		id: "get-site", method: http.MethodGet, path: "/site", tag: "Site", scope: access.SettingsRead,
		summary: "Get what the public pages say", about: "As it was saved last, or the defaults.",
	}, func(ctx context.Context, _ *struct{}) (*siteOutput, error) {
		v, err := s.Get(ctx)
		return &siteOutput{siteBody(v)}, err
	})
	handle(a, operation{
		id: "put-site", method: http.MethodPut, path: "/site", tag: "Site", scope: access.SettingsWrite,
		summary: "Save what the public pages say", errors: []int{http.StatusConflict},
		about: "All of it, as the revision after the one that was edited; 409 `site_changed` where somebody else has saved meanwhile. Pages show it within a second. " +
			"What was saved before stays readable by its revision.",
	}, func(ctx context.Context, in *struct{ Body SiteRequest }) (*siteOutput, error) {
		v, err := in.Body.settings()
		if err != nil {
			return nil, err
		}
		saved, err := s.Put(ctx, v)
		return &siteOutput{siteBody(saved)}, siteProblem(err)
	})
	handle(a, operation{
		id: "render-markdown", method: http.MethodPost, path: "/markdown", tag: "Site", scope: access.SettingsRead, unaudited: "it changes nothing",
		summary: "Show a text as pages will", about: "For editors: Markdown in, the same HTML out that the public pages would hold.",
	}, func(_ context.Context, in *struct{ Body MarkdownRequest }) (*struct{ Body MarkdownView }, error) {
		html, err := s.Markdown().HTML(in.Body.Text)
		return &struct{ Body MarkdownView }{MarkdownView{string(html)}}, err
	})
}

func siteReads(a *API, s *site.Service) {
	handle(a, operation{
		id: "get-site-revision", method: http.MethodGet, path: "/site/revisions/{revision}", tag: "Site", scope: access.SettingsRead,
		summary: "Get what the public pages said", about: "As it was saved under a number.", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *struct {
		Revision int64 `path:"revision" minimum:"1" example:"3"`
	}) (*siteOutput, error) {
		v, err := s.Revision(ctx, in.Revision)
		return &siteOutput{siteBody(v)}, err
	})
	handle(a, operation{
		id: "get-site-brand", method: http.MethodGet, path: "/site/brand", tag: "Site", public: true, perMinute: 120,
		summary: "Get name and colour of the site", about: "For pages that are shown before anybody signs in.",
	}, func(ctx context.Context, _ *struct{}) (*struct{ Body SiteBrand }, error) {
		v, err := s.Get(ctx)
		return &struct{ Body SiteBrand }{SiteBrand{v.Name, v.SupportEmail, v.Accent, v.Locale}}, err
	})
}

func mediaOperations(a *API, s *site.Service) {
	handle(a, operation{
		id: "list-site-media", method: http.MethodGet, path: "/site/media", tag: "Site", scope: access.SettingsRead,
		summary: "List files that everybody may see", about: "The newest first.", errors: []int{http.StatusBadRequest},
	}, func(ctx context.Context, in *ListInput) (*listOutput[SiteMedia], error) {
		before, err := in.after(ident.Media)
		if err != nil {
			return nil, err
		}
		rows, err := s.MediaList(ctx, before, in.Limit+1)
		if err != nil {
			return nil, err
		}
		return page(ident.Media, in.Limit, rows, func(m site.Media) int64 { return m.ID }, mediaBody), nil
	})
	handle(a, operation{
		id: "get-site-media", method: http.MethodGet, path: "/site/media/{id}", tag: "Site", scope: access.SettingsRead,
		summary: "Get what is known of a file", about: "With the places that show it. The file itself is at its path, for everybody.",
		errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *mediaPath) (*struct{ Body SiteMediaDetail }, error) {
		id, err := pathID(ident.Media, in.ID)
		if err != nil {
			return nil, err
		}
		m, err := s.Media(ctx, id)
		if err != nil {
			return nil, err
		}
		uses, err := s.Uses(ctx, id)
		if err != nil {
			return nil, err
		}
		out := &struct{ Body SiteMediaDetail }{SiteMediaDetail{SiteMedia: mediaBody(m), UsedBy: make([]MediaUse, len(uses))}}
		for i, u := range uses {
			out.Body.UsedBy[i] = MediaUse{Place: u.Place, ID: identOrNone(kindOf(u.Place), u.ID), Name: u.Name}
		}
		return out, nil
	})
	handle(a, operation{
		id: "upload-site-media", method: http.MethodPost, path: "/site/media", tag: "Site", scope: access.SettingsWrite, status: http.StatusCreated,
		summary: "Upload a file that everybody may see", raw: site.MaxMediaBytes,
		about:  "A whole PNG, JPEG, WebP or PDF of at most 5 MiB, as it is. Its content decides; of a picture only the dots are kept. It is public from then on, to who knows its path.",
		errors: []int{http.StatusConflict, http.StatusRequestEntityTooLarge},
	}, func(ctx context.Context, in *struct {
		FileName string `query:"file_name" required:"true" minLength:"1" maxLength:"160" example:"hero.png"`
		RawBody  []byte `contentType:"application/octet-stream" required:"true"`
	}) (*mediaOutput, error) {
		out := &mediaOutput{}
		_, err := s.Upload(ctx, in.FileName, in.RawBody, func(tx *db.Tx, m site.Media) error {
			out.Body = mediaBody(m)
			return record(ctx, tx, http.StatusCreated, out.Body)
		})
		return out, siteProblem(err)
	})
	handle(a, operation{
		id: "delete-site-media", method: http.MethodDelete, path: "/site/media/{id}", tag: "Site", scope: access.SettingsWrite, status: http.StatusNoContent,
		summary: "Delete a file", about: "409 `media_in_use`, saying where, while the site, a product or a material shows it. Who has it in a cache keeps it there.",
		errors: []int{http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, in *mediaPath) (*struct{}, error) {
		id, err := pathID(ident.Media, in.ID)
		if err != nil {
			return nil, err
		}
		return nil, s.DeleteMedia(ctx, id)
	})
}

func (r *SiteRequest) settings() (site.Settings, error) {
	hero, err1 := fieldID(ident.Media, "body.hero_image_id", r.HeroImageID)
	featured, err2 := productIDs("body.featured_product_ids", r.FeaturedIDs)
	return site.Settings{
		Revision: r.Revision, Name: r.Name, Headline: r.Headline, Text: r.Text, HeroImage: hero, Featured: featured, Terms: r.Terms, Privacy: r.Privacy,
		Refund: r.Refund, Contact: r.Contact, SupportEmail: r.SupportEmail, Accent: r.Accent, Locale: r.Locale,
	}, invalidAll(err1, err2)
}

func siteBody(v site.Settings) SiteView {
	out := SiteView{
		Revision: v.Revision, HeroImagePath: site.PathOf(v.HeroImage), UpdatedAt: timeOrNil(v.UpdatedAt), UpdatedBy: identOrNone(ident.Person, v.UpdatedBy),
		SiteTexts: SiteTexts{
			Name: v.Name, Headline: v.Headline, Text: v.Text, HeroImageID: identOrNone(ident.Media, v.HeroImage), FeaturedIDs: make([]string, len(v.Featured)),
			Terms: v.Terms, Privacy: v.Privacy, Refund: v.Refund, Contact: v.Contact, SupportEmail: v.SupportEmail, Accent: v.Accent, Locale: v.Locale,
		},
	}
	for i, id := range v.Featured {
		out.FeaturedIDs[i] = ident.Format(ident.Product, id)
	}
	return out
}

func mediaBody(m site.Media) SiteMedia {
	return SiteMedia{
		ID: ident.Format(ident.Media, m.ID), Path: m.Path(), FileName: m.FileName, ContentType: m.ContentType, Width: m.Width, Height: m.Height, Size: m.Size,
		CreatedAt: timeOf(m.CreatedAt),
	}
}

// kindOf is of what the places are that have an identifier.
func kindOf(p site.Place) string {
	if p == site.PlaceMaterial {
		return ident.Material
	}
	return ident.Product
}

func siteProblem(err error) error {
	if in, ok := errors.AsType[*site.InvalidError](err); ok {
		p := &Problem{Status: http.StatusUnprocessableEntity, Code: "validation_failed", Detail: "validation failed"}
		for _, f := range in.Fields {
			p.Errors = append(p.Errors, ProblemField{Location: "body." + f.Field, Message: f.Reason})
		}
		return p
	}
	if refused, ok := errors.AsType[*picture.RefusedError](err); ok {
		return &Problem{Status: http.StatusUnprocessableEntity, Code: "file_refused", Detail: "the file is refused: " + refused.Reason}
	}
	return err
}

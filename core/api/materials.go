package api

import (
	"context"
	"errors"
	"html"
	"net/http"
	"strconv"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/catalog"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/material"
	"github.com/edgeref/edgeref/core/site"
	"github.com/edgeref/edgeref/wire/ident"
)

// Material is something that affiliates hand on.
type Material struct {
	ID        string        `json:"id" example:"mat_01J8Z0QK5T2VG"`
	ProgramID string        `json:"program_id" example:"prg_01J8Z0QK5T2VG" doc:"Empty: for all programs"`
	Kind      material.Kind `json:"kind" enum:"banner,text,email,landing,file"`
	Name      string        `json:"name" example:"Square banner"`
	Subject   string        `json:"subject" example:"" doc:"Of an email"`
	Content   string        `json:"content" example:"Learn to sell: {link}" doc:"Of a text or an email; {link} and {name} stand for what is the affiliate's"`
	URL       string        `json:"url" example:"" doc:"Of a landing page"`
	MediaID   string        `json:"media_id" example:"med_01J8Z0QK5T2VG" doc:"Of a banner or a file"`
	MediaPath string        `json:"media_path" example:"/site/media/med_01J8Z0QK5T2VG" doc:"Below the address of the core"`
	FileName  string        `json:"file_name" example:"square.png"`
	Width     int           `json:"width" example:"300" doc:"Dots of a picture"`
	Height    int           `json:"height" example:"300"`
	Size      int64         `json:"size" example:"48211" doc:"Bytes"`
	Active    bool          `json:"active" example:"true" doc:"Affiliates see it"`
	Position  int64         `json:"position" example:"10" doc:"Smaller ones come first"`
	CreatedAt Time          `json:"created_at"`
	UpdatedAt Time          `json:"updated_at"`
}

// MaterialRequest asks for a material. Which fields it has depends on its kind.
type MaterialRequest struct {
	ProgramID string        `json:"program_id,omitempty" example:"prg_01J8Z0QK5T2VG" doc:"Empty: for all programs"`
	Kind      material.Kind `json:"kind" enum:"banner,text,email,landing,file"`
	Name      string        `json:"name" minLength:"1" maxLength:"255" example:"Square banner"`
	Subject   string        `json:"subject,omitempty" maxLength:"255" example:"" doc:"An email needs it"`
	Content   string        `json:"content,omitempty" maxLength:"20000" example:"Learn to sell: {link}" doc:"A text and an email need it; may hold {link} and {name}"`
	URL       string        `json:"url,omitempty" maxLength:"2048" example:"" doc:"A landing page needs it; on a host of its program"`
	MediaID   string        `json:"media_id,omitempty" example:"med_01J8Z0QK5T2VG" doc:"A banner and a file need it"`
	Active    bool          `json:"active,omitempty" example:"true"`
	Position  int64         `json:"position,omitempty" example:"10"`
}

// MaterialPatchRequest changes what it names.
type MaterialPatchRequest struct {
	ProgramID *string `json:"program_id,omitempty" example:"prg_01J8Z0QK5T2VG"`
	Name      *string `json:"name,omitempty" minLength:"1" maxLength:"255" example:"Square banner"`
	Subject   *string `json:"subject,omitempty" maxLength:"255" example:"Learn to sell"`
	Content   *string `json:"content,omitempty" maxLength:"20000" example:"Learn to sell: {link}"`
	URL       *string `json:"url,omitempty" maxLength:"2048" example:"https://shop.example/course"`
	MediaID   *string `json:"media_id,omitempty" example:"med_01J8Z0QK5T2VG"`
	Active    *bool   `json:"active,omitempty" example:"true"`
	Position  *int64  `json:"position,omitempty" example:"10"`
}

// OwnMaterial is a material as an affiliate hands it on.
type OwnMaterial struct {
	ID        string        `json:"id" example:"mat_01J8Z0QK5T2VG"`
	ProgramID string        `json:"program_id" example:"prg_01J8Z0QK5T2VG" doc:"Empty: of all programs"`
	Kind      material.Kind `json:"kind" enum:"banner,text,email,landing,file"`
	Name      string        `json:"name" example:"Square banner"`
	Subject   string        `json:"subject" example:"" doc:"Of an email, with link and name filled in"`
	Content   string        `json:"content" example:"Learn to sell: https://go.example/spring" doc:"Of a text or an email, with link and name filled in; placeholders stay where no link was chosen"`
	URL       string        `json:"url" example:"" doc:"Of a landing page: make a link to it"`
	MediaURL  string        `json:"media_url" example:"https://core.example/site/media/med_01J8Z0QK5T2VG" doc:"Of a banner or a file: shows or downloads it"`
	FileName  string        `json:"file_name" example:"square.png"`
	Width     int           `json:"width" example:"300" doc:"Dots of a picture"`
	Height    int           `json:"height" example:"300"`
	Size      int64         `json:"size" example:"48211" doc:"Bytes"`
	HTML      string        `json:"html" example:"" doc:"Of a banner, for one's own page: the picture, which leads to the chosen link. Empty where none was chosen"`
}

// MaterialServices are what materials need.
type MaterialServices struct {
	Materials *material.Service
	Catalog   *catalog.Catalog
	// LinksURL is where links answer, and PublicURL where the core does; both without a slash at the end.
	LinksURL  func() string
	PublicURL string
}

// MaterialPath names one material.
type MaterialPath struct {
	ID string `path:"id" example:"mat_01J8Z0QK5T2VG"`
}

// MaterialFilter selects materials.
type MaterialFilter struct {
	ProgramID string `query:"program_id" example:"prg_01J8Z0QK5T2VG" doc:"Those of this program and of all"`
	Kind      string `query:"kind" enum:"banner,text,email,landing,file"`
}

type materialOutput struct{ Body Material }

func (f MaterialFilter) filter() (material.Filter, error) {
	program, err := fieldID(ident.Program, "query.program_id", f.ProgramID)
	return material.Filter{ProgramID: program, Kind: material.Kind(f.Kind)}, err
}

// Materials registers the operations on what affiliates hand on.
func Materials(s MaterialServices) Module {
	return func(a *API) {
		materialReads(a, s.Materials)
		materialChanges(a, s.Materials)
		ownMaterials(a, s)
	}
}

func materialReads(a *API, s *material.Service) {
	handle(a, operation{
		id: "list-materials", method: http.MethodGet, path: "/materials", tag: "Materials", scope: access.CatalogRead,
		summary: "List materials", about: "All of them, in their order: there are at most 1000.",
	}, func(ctx context.Context, in *MaterialFilter) (*listOutput[Material], error) {
		f, err := in.filter()
		if err != nil {
			return nil, err
		}
		rows, err := s.List(ctx, f)
		if err != nil {
			return nil, err
		}
		return page(ident.Material, len(rows), rows, func(m material.Material) int64 { return m.ID }, materialBody), nil
	})
	handle(a, operation{
		id: "get-material", method: http.MethodGet, path: "/materials/{id}", tag: "Materials", scope: access.CatalogRead,
		summary: "Get a material", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *MaterialPath) (*materialOutput, error) {
		id, err := pathID(ident.Material, in.ID)
		if err != nil {
			return nil, err
		}
		m, err := s.Get(ctx, id)
		return &materialOutput{materialBody(m)}, err
	})
}

func materialChanges(a *API, s *material.Service) {
	handle(a, operation{
		id: "create-material", method: http.MethodPost, path: "/materials", tag: "Materials", scope: access.CatalogWrite, status: http.StatusCreated,
		summary: "Create a material", about: "A banner or a file is uploaded first, with `POST /api/v1/site/media`.", errors: []int{http.StatusConflict},
	}, func(ctx context.Context, in *struct{ Body MaterialRequest }) (*materialOutput, error) {
		b := &in.Body
		program, err1 := fieldID(ident.Program, "body.program_id", b.ProgramID)
		media, err2 := fieldID(ident.Media, "body.media_id", b.MediaID)
		if err := invalidAll(err1, err2); err != nil {
			return nil, err
		}
		out := &materialOutput{}
		_, err := s.Create(ctx, material.Material{
			ProgramID: program, Kind: b.Kind, Name: b.Name, Subject: b.Subject, Content: b.Content, URL: b.URL, MediaID: media, Active: b.Active, Position: b.Position,
		}, func(tx *db.Tx, m material.Material) error {
			out.Body = materialBody(m)
			return record(ctx, tx, http.StatusCreated, out.Body)
		})
		return out, materialProblem(err)
	})
	handle(a, operation{
		id: "update-material", method: http.MethodPatch, path: "/materials/{id}", tag: "Materials", scope: access.CatalogWrite,
		summary: "Change a material", about: "Fields that are absent stay as they are; its kind stays.", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *struct {
		MaterialPath
		Body MaterialPatchRequest
	}) (*materialOutput, error) {
		id, err := pathID(ident.Material, in.ID)
		if err != nil {
			return nil, err
		}
		b := &in.Body
		change := material.Change{Name: b.Name, Subject: b.Subject, Content: b.Content, URL: b.URL, Position: b.Position, Active: b.Active}
		var errs [2]error
		if b.ProgramID != nil {
			var program int64
			program, errs[0] = fieldID(ident.Program, "body.program_id", *b.ProgramID)
			change.ProgramID = &program
		}
		if b.MediaID != nil {
			var media int64
			media, errs[1] = fieldID(ident.Media, "body.media_id", *b.MediaID)
			change.MediaID = &media
		}
		if err := invalidAll(errs[:]...); err != nil {
			return nil, err
		}
		m, err := s.Update(ctx, id, change)
		return &materialOutput{materialBody(m)}, materialProblem(err)
	})
	handle(a, operation{
		id: "delete-material", method: http.MethodDelete, path: "/materials/{id}", tag: "Materials", scope: access.CatalogWrite, status: http.StatusNoContent,
		summary: "Delete a material", about: "Its file stays among the site's media, where pages of affiliates may still show it.", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *MaterialPath) (*struct{}, error) {
		id, err := pathID(ident.Material, in.ID)
		if err != nil {
			return nil, err
		}
		return nil, s.Delete(ctx, id)
	})
}

func ownMaterials(a *API, s MaterialServices) {
	handleSelf(a, operation{
		id: "list-my-materials", method: http.MethodGet, path: "/materials", summary: "List what you can hand on",
		about: "In the order of the business. With link_id, texts hold that link of yours and banners lead to it.",
	}, func(ctx context.Context, affiliate int64, in *struct {
		MaterialFilter
		LinkID string `query:"link_id" example:"lnk_01J8Z0QK5T2VG" doc:"One of your links"`
	}) (*listOutput[OwnMaterial], error) {
		f, err := in.filter()
		if err != nil {
			return nil, err
		}
		who, err := s.Catalog.Affiliate(ctx, affiliate)
		if err != nil {
			return nil, err
		}
		target := ""
		if in.LinkID != "" {
			l, err := ownLink(ctx, s.Catalog, affiliate, &LinkPath{ID: in.LinkID})
			if err != nil {
				return nil, err
			}
			if base := s.LinksURL(); base != "" {
				target = base + "/" + l.Slug
			}
			if f.ProgramID == 0 {
				f.ProgramID = l.ProgramID
			}
		}
		f.Active = true
		rows, err := s.Materials.List(ctx, f)
		if err != nil {
			return nil, err
		}
		return page(ident.Material, len(rows), rows, func(m material.Material) int64 { return m.ID }, func(m material.Material) OwnMaterial {
			return ownMaterialBody(m, s.PublicURL, target, who.Name)
		}), nil
	})
}

func materialBody(m material.Material) Material {
	return Material{
		ID: ident.Format(ident.Material, m.ID), ProgramID: identOrNone(ident.Program, m.ProgramID), Kind: m.Kind, Name: m.Name, Subject: m.Subject, Content: m.Content,
		URL: m.URL, MediaID: identOrNone(ident.Media, m.MediaID), MediaPath: site.PathOf(m.MediaID), FileName: m.Media.FileName, Width: m.Media.Width,
		Height: m.Media.Height, Size: m.Media.Size, Active: m.Active, Position: m.Position, CreatedAt: timeOf(m.CreatedAt), UpdatedAt: timeOf(m.UpdatedAt),
	}
}

func ownMaterialBody(m material.Material, core, target, name string) OwnMaterial {
	out := OwnMaterial{
		ID: ident.Format(ident.Material, m.ID), ProgramID: identOrNone(ident.Program, m.ProgramID), Kind: m.Kind, Name: m.Name,
		Subject: material.Fill(m.Subject, target, name), Content: material.Fill(m.Content, target, name), URL: m.URL,
		FileName: m.Media.FileName, Width: m.Media.Width, Height: m.Media.Height, Size: m.Media.Size,
	}
	if m.MediaID != 0 {
		out.MediaURL = core + site.PathOf(m.MediaID)
	}
	if m.Kind == material.Banner && target != "" {
		out.HTML = `<a href="` + html.EscapeString(target) + `"><img src="` + html.EscapeString(out.MediaURL) + `" width="` + strconv.Itoa(out.Width) +
			`" height="` + strconv.Itoa(out.Height) + `" alt="` + html.EscapeString(m.Name) + `"></a>`
	}
	return out
}

func materialProblem(err error) error {
	if in, ok := errors.AsType[*material.InvalidError](err); ok {
		return invalid("body."+in.Field, in.Reason)
	}
	return err
}

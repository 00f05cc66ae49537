package api

import (
	"context"
	"net/http"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/catalog"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/link"
)

// Catalog registers the operations on programs, affiliates and links.
func Catalog(c *catalog.Catalog) Module {
	return func(a *API) {
		programOperations(a, c)
		affiliateOperations(a, c)
		groupOperations(a, c)
		linkOperations(a, c)
		nameOperations(a, c)
	}
}

// Program is a program as shown.
type Program struct {
	ID                    string                  `json:"id" example:"prg_01J8Z0QK5T2VG"`
	Name                  string                  `json:"name" example:"Courses"`
	Status                link.State              `json:"status" enum:"active,disabled"`
	Currency              string                  `json:"currency" example:"INR" doc:"Of conversions that name none; may be empty"`
	AttributionWindowDays int                     `json:"attribution_window_days" example:"30"`
	AttributionModel      string                  `json:"attribution_model" enum:"last_click,first_click"`
	HoldDays              int                     `json:"hold_days" example:"30" doc:"From a sale until its commission is payable"`
	AllowedHosts          []string                `json:"allowed_hosts" nullable:"false" example:"[\"shop.example\"]"`
	FallbackURL           string                  `json:"fallback_url" example:"https://shop.example/" doc:"Where disabled and expired links lead; empty for 404"`
	ClickParam            string                  `json:"click_param" example:"click_id"`
	BrowserConversions    link.BrowserConversions `json:"browser_conversions" enum:"off,leads,all"`
	Terms                 ProgramTerms            `json:"terms"`
	CreatedAt             Time                    `json:"created_at"`
	UpdatedAt             Time                    `json:"updated_at"`
}

// ProgramWithSecret is a program with its postback secret.
type ProgramWithSecret struct {
	Program
	PostbackSecret string `json:"postback_secret" doc:"Shown here only" example:"pbs_..."`
}

// ProgramRequest asks for a program.
type ProgramRequest struct {
	Name                  string                  `json:"name" minLength:"1" maxLength:"255" example:"Courses"`
	Currency              string                  `json:"currency,omitempty" maxLength:"3" example:"INR" doc:"Of conversions that name none"`
	AttributionWindowDays int                     `json:"attribution_window_days,omitempty" default:"30" minimum:"1" maximum:"365"`
	AttributionModel      string                  `json:"attribution_model,omitempty" default:"last_click" enum:"last_click,first_click"`
	HoldDays              *int                    `json:"hold_days,omitempty" default:"30" minimum:"0" maximum:"365"`
	AllowedHosts          []string                `json:"allowed_hosts,omitempty" maxItems:"100" example:"[\"shop.example\",\"*.shop.example\"]" doc:"Deep links may go there"`
	FallbackURL           string                  `json:"fallback_url,omitempty" maxLength:"2048" example:"https://shop.example/"`
	ClickParam            string                  `json:"click_param,omitempty" default:"click_id" maxLength:"32" doc:"Query parameter that carries the Click ID to the destination"`
	BrowserConversions    link.BrowserConversions `json:"browser_conversions,omitempty" default:"off" enum:"off,leads,all" doc:"Which conversions browsers may send with the Click ID as their only proof"`
	Terms                 *ProgramTerms           `json:"terms,omitempty" doc:"Of attribution and commissions; absent: all defaults"`
}

// ProgramPatchRequest changes what it names.
type ProgramPatchRequest struct {
	Name                  *string                  `json:"name,omitempty" minLength:"1" maxLength:"255"`
	Status                *link.State              `json:"status,omitempty" enum:"active,disabled"`
	Currency              *string                  `json:"currency,omitempty" maxLength:"3"`
	AttributionWindowDays *int                     `json:"attribution_window_days,omitempty" minimum:"1" maximum:"365"`
	AttributionModel      *string                  `json:"attribution_model,omitempty" enum:"last_click,first_click"`
	HoldDays              *int                     `json:"hold_days,omitempty" minimum:"0" maximum:"365"`
	AllowedHosts          *[]string                `json:"allowed_hosts,omitempty" maxItems:"100"`
	FallbackURL           *string                  `json:"fallback_url,omitempty" maxLength:"2048"`
	ClickParam            *string                  `json:"click_param,omitempty" maxLength:"32"`
	BrowserConversions    *link.BrowserConversions `json:"browser_conversions,omitempty" enum:"off,leads,all"`
	Terms                 *ProgramTerms            `json:"terms,omitempty" doc:"Replaced as a whole"`
}

// ProgramPath names one program.
type ProgramPath struct {
	ID string `path:"id" example:"prg_01J8Z0QK5T2VG"`
}

type programOutput struct{ Body Program }

func programOperations(a *API, c *catalog.Catalog) {
	handle(a, operation{
		id: "create-program", method: http.MethodPost, path: "/programs", tag: "Programs", scope: access.CatalogWrite, status: http.StatusCreated,
		summary: "Create a program", about: "The postback secret is in the answer and cannot be read again, only rotated.",
	}, func(ctx context.Context, in *struct{ Body ProgramRequest }) (*struct{ Body ProgramWithSecret }, error) {
		out := &struct{ Body ProgramWithSecret }{}
		fields, err := in.Body.fields()
		if err != nil {
			return nil, err
		}
		_, err = c.CreateProgram(ctx, fields, recordSecret(ctx, a, "program.create", http.StatusCreated, &out.Body))
		return out, err
	})
	handle(a, operation{
		id: "list-programs", method: http.MethodGet, path: "/programs", tag: "Programs", scope: access.CatalogRead,
		summary: "List programs", about: "The newest first.", errors: []int{http.StatusBadRequest},
	}, func(ctx context.Context, in *ListInput) (*listOutput[Program], error) {
		before, err := in.after(ident.Program)
		if err != nil {
			return nil, err
		}
		rows, err := c.Programs(ctx, before, in.Limit+1)
		if err != nil {
			return nil, err
		}
		return page(ident.Program, in.Limit, rows, func(p catalog.Program) int64 { return p.ID }, programBody), nil
	})
	handle(a, operation{
		id: "get-program", method: http.MethodGet, path: "/programs/{id}", tag: "Programs", scope: access.CatalogRead,
		summary: "Get a program", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *ProgramPath) (*programOutput, error) {
		id, err := pathID(ident.Program, in.ID)
		if err != nil {
			return nil, err
		}
		p, err := c.Program(ctx, id)
		return &programOutput{programBody(p)}, err
	})
	handle(a, operation{
		id: "update-program", method: http.MethodPatch, path: "/programs/{id}", tag: "Programs", scope: access.CatalogWrite,
		summary: "Change a program", about: "Fields that are absent stay as they are. Its links follow everywhere within a second.",
		errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *struct {
		ProgramPath
		Body ProgramPatchRequest
	}) (*programOutput, error) {
		id, err := pathID(ident.Program, in.ID)
		if err != nil {
			return nil, err
		}
		patch, err := in.Body.patch()
		if err != nil {
			return nil, err
		}
		p, err := c.UpdateProgram(ctx, id, patch, changed(ctx, a, "program.update", ident.Program, id, programBody))
		return &programOutput{programBody(p)}, err
	})
	handle(a, operation{
		id: "rotate-postback-secret", method: http.MethodPost, path: "/programs/{id}/postback-secret", tag: "Programs", scope: access.CatalogWrite,
		summary: "Rotate the postback secret", about: "The secret of before stays valid until the next rotation.",
		errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *ProgramPath) (*struct{ Body ProgramWithSecret }, error) {
		id, err := pathID(ident.Program, in.ID)
		if err != nil {
			return nil, err
		}
		out := &struct{ Body ProgramWithSecret }{}
		_, err = c.RotateSecret(ctx, id, recordSecret(ctx, a, "program.rotate_postback_secret", http.StatusOK, &out.Body))
		return out, err
	})
}

// recordSecret fills body with the program and records it for the idempotency key and, without its secret, in the audit
// log, in the transaction.
func recordSecret(ctx context.Context, a *API, action string, status int, body *ProgramWithSecret) func(*db.Tx, catalog.Program) error {
	return func(tx *db.Tx, p catalog.Program) error {
		*body = ProgramWithSecret{Program: programBody(p), PostbackSecret: p.Secret}
		if err := a.audited(ctx, tx, action, ident.Program, p.ID, nil, body.Program); err != nil {
			return err
		}
		return record(ctx, tx, status, *body)
	}
}

func (r ProgramRequest) fields() (catalog.ProgramFields, error) {
	hold := 30
	if r.HoldDays != nil {
		hold = *r.HoldDays
	}
	var terms catalog.Terms
	var err error
	if r.Terms != nil {
		terms, err = r.Terms.terms()
	}
	return catalog.ProgramFields{
		Name: r.Name, Currency: r.Currency, AttributionWindowDays: r.AttributionWindowDays, AttributionModel: r.AttributionModel,
		HoldDays: hold, AllowedHosts: r.AllowedHosts, FallbackURL: r.FallbackURL, ClickParam: r.ClickParam,
		BrowserConversions: r.BrowserConversions, Terms: terms,
	}, err
}

func (r ProgramPatchRequest) patch() (catalog.ProgramPatch, error) {
	patch := catalog.ProgramPatch{
		Name: r.Name, Status: r.Status, Currency: r.Currency, AttributionWindowDays: r.AttributionWindowDays, AttributionModel: r.AttributionModel,
		HoldDays: r.HoldDays, AllowedHosts: r.AllowedHosts, FallbackURL: r.FallbackURL, ClickParam: r.ClickParam, BrowserConversions: r.BrowserConversions,
	}
	if r.Terms == nil {
		return patch, nil
	}
	terms, err := r.Terms.terms()
	patch.Terms = &terms
	return patch, err
}

func programBody(p catalog.Program) Program {
	return Program{
		ID: ident.Format(ident.Program, p.ID), Name: p.Name, Status: p.Status, Currency: p.Currency,
		AttributionWindowDays: p.AttributionWindowDays, AttributionModel: p.AttributionModel, HoldDays: p.HoldDays,
		AllowedHosts: append([]string{}, p.AllowedHosts...), FallbackURL: p.FallbackURL, ClickParam: p.ClickParam,
		BrowserConversions: p.BrowserConversions, Terms: termsBody(p.Terms), CreatedAt: timeOf(p.CreatedAt), UpdatedAt: timeOf(p.UpdatedAt),
	}
}

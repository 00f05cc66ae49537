package api

import (
	"context"
	"net/http"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/catalog"
	"github.com/edgeref/edgeref/core/commission"
	"github.com/edgeref/edgeref/core/conversion"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/ledger"
	"github.com/edgeref/edgeref/core/webhook"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/link"
)

// What an affiliate does himself is under /me/affiliate. Whose it is comes from the principal and never from the request;
// what is another's is a 404, as if it were not there.

// SelfServices are what affiliates may look into.
type SelfServices struct {
	Catalog     *catalog.Catalog
	Conversions *conversion.Service
	Commissions *commission.Service
	Ledger      *ledger.Ledger
	Reports     reporter
	Webhooks    *webhook.Service
}

const selfTag = "Own affiliate account"

// OwnLinkRequest asks for a link of one's own.
type OwnLinkRequest struct {
	ProgramID   string `json:"program_id" example:"prg_01J8Z0QK5T2VG"`
	Slug        string `json:"slug,omitempty" minLength:"4" maxLength:"64" example:"spring-sale" doc:"The path of the link; one of 7 characters is made if it is absent"`
	Destination string `json:"destination" minLength:"1" maxLength:"2048" example:"https://shop.example/course?src={sub1}" doc:"On a host of the program. May hold the macros of links"`
	ExpiresAt   *Time  `json:"expires_at,omitempty" doc:"Absent: never"`
}

// OwnLinkPatchRequest changes what it names.
type OwnLinkPatchRequest struct {
	Destination *string        `json:"destination,omitempty" minLength:"1" maxLength:"2048" example:"https://shop.example/course"`
	Status      *link.State    `json:"status,omitempty" enum:"disabled" example:"disabled" doc:"Only the business enables a link again"`
	ExpiresAt   Nullable[Time] `json:"expires_at,omitempty" required:"false" doc:"null: never"`
}

// OpenProgram is a program as affiliates see it.
type OpenProgram struct {
	ID                    string   `json:"id" example:"prg_01J8Z0QK5T2VG"`
	Name                  string   `json:"name" example:"Courses"`
	Currency              string   `json:"currency" example:"INR"`
	AttributionWindowDays int      `json:"attribution_window_days" example:"30"`
	HoldDays              int      `json:"hold_days" example:"30"`
	AllowedHosts          []string `json:"allowed_hosts" nullable:"false" example:"[\"shop.example\"]" doc:"Where links may lead"`
}

// OwnProfileRequest changes one's own affiliate account.
type OwnProfileRequest struct {
	Name string `json:"name" minLength:"1" maxLength:"255" example:"Ann Example"`
}

// OwnProfile is one's own affiliate account.
type OwnProfile struct {
	ID        string         `json:"id" example:"aff_01J8Z0QK5T2VG"`
	Name      string         `json:"name" example:"Ann Example"`
	Email     string         `json:"email" example:"ann@example.com"`
	Status    catalog.Status `json:"status" enum:"active,suspended"`
	CreatedAt Time           `json:"created_at"`
}

type (
	ownLinkList struct {
		ListInput
		PeriodInput
		ProgramID string `query:"program_id" example:"prg_01J8Z0QK5T2VG"`
		Slug      string `query:"slug" maxLength:"64" example:"spring" doc:"Beginning of the slug"`
		Status    string `query:"status" enum:"active,disabled"`
	}
	ownProfileOutput struct{ Body OwnProfile }
)

// AffiliateSelf registers what affiliates do themselves.
func AffiliateSelf(s SelfServices) Module {
	return func(a *API) {
		ownProfile(a, s.Catalog)
		ownLinkReads(a, s.Catalog)
		ownLinkChanges(a, s.Catalog)
		ownSlugs(a, s.Catalog)
		ownFigures(a, s.Reports, s.Catalog)
		ownMoney(a, s)
		ownDownline(a, s.Catalog, s.Commissions)
		ownWebhooks(a, s.Webhooks)
		ownDeliveries(a, s.Webhooks)
	}
}

// self is the affiliate who asks. A person whose role says affiliate and who is none yet has nothing here.
func self(ctx context.Context) (int64, error) {
	if id := principalOf(ctx).AffiliateID; id != 0 {
		return id, nil
	}
	return 0, errNoSuch
}

// handleSelf is handle for operations of the affiliate who asks, whose id fn is given.
func handleSelf[I, O any](a *API, op operation, fn func(ctx context.Context, affiliate int64, in *I) (*O, error)) {
	op.scope, op.tag, op.path = access.AffiliateSelf, selfTag, "/me/affiliate"+op.path
	op.errors = append(op.errors, http.StatusNotFound)
	handle(a, op, func(ctx context.Context, in *I) (*O, error) {
		affiliate, err := self(ctx)
		if err != nil {
			return nil, err
		}
		out, err := fn(ctx, affiliate, in)
		// What is another's and what is nobody's must not differ, not even in words.
		if status, _, _, ok := classify(err); ok && status == http.StatusNotFound {
			err = errNoSuch
		}
		return out, err
	})
}

func ownProfile(a *API, c *catalog.Catalog) {
	handleSelf(a, operation{id: "get-my-affiliate", method: http.MethodGet, summary: "Get your affiliate account"},
		func(ctx context.Context, affiliate int64, _ *struct{}) (*ownProfileOutput, error) {
			found, err := c.Affiliate(ctx, affiliate)
			return &ownProfileOutput{profileBody(found)}, err
		})
	handleSelf(a, operation{
		id: "update-my-affiliate", method: http.MethodPatch, summary: "Change your affiliate account", about: "The e-mail address is that of your account.",
	}, func(ctx context.Context, affiliate int64, in *struct{ Body OwnProfileRequest }) (*ownProfileOutput, error) {
		now, err := c.UpdateAffiliate(ctx, affiliate, catalog.AffiliatePatch{Name: &in.Body.Name},
			changed(ctx, a, "affiliate.update", ident.Affiliate, affiliate, affiliateBody))
		return &ownProfileOutput{profileBody(now)}, err
	})
	handleSelf(a, operation{
		id: "list-open-programs", method: http.MethodGet, path: "/programs", summary: "List programs you can make links in", about: "The newest first.",
		errors: []int{http.StatusBadRequest},
	}, func(ctx context.Context, _ int64, in *ListInput) (*listOutput[OpenProgram], error) {
		before, err := in.after(ident.Program)
		if err != nil {
			return nil, err
		}
		rows, err := c.OpenPrograms(ctx, before, in.Limit+1)
		if err != nil {
			return nil, err
		}
		return page(ident.Program, in.Limit, rows, func(p catalog.Program) int64 { return p.ID }, openProgramBody), nil
	})
}

func ownLinkReads(a *API, c *catalog.Catalog) {
	handleSelf(a, operation{
		id: "list-my-links", method: http.MethodGet, path: "/links", summary: "List your links", about: "The newest first.", errors: []int{http.StatusBadRequest},
	}, func(ctx context.Context, affiliate int64, in *ownLinkList) (*listOutput[Link], error) {
		since, before, err := in.between(ident.Link, in.PeriodInput)
		if err != nil {
			return nil, err
		}
		program, err := fieldID(ident.Program, "query.program_id", in.ProgramID)
		if err != nil {
			return nil, err
		}
		rows, err := c.Links(ctx, catalog.LinkFilter{
			AffiliateID: affiliate, ProgramID: program, Slug: in.Slug, Status: link.State(in.Status), Since: since,
		}, before, in.Limit+1)
		if err != nil {
			return nil, err
		}
		return page(ident.Link, in.Limit, rows, func(l catalog.Link) int64 { return l.ID }, linkBody), nil
	})
	handleSelf(a, operation{id: "get-my-link", method: http.MethodGet, path: "/links/{id}", summary: "Get one of your links"},
		func(ctx context.Context, affiliate int64, in *LinkPath) (*linkOutput, error) {
			l, err := ownLink(ctx, c, affiliate, in)
			return &linkOutput{linkBody(l)}, err
		})
}

// ownLink reads a link that is the affiliate's.
func ownLink(ctx context.Context, c *catalog.Catalog, affiliate int64, in *LinkPath) (catalog.Link, error) {
	id, err := pathID(ident.Link, in.ID)
	if err != nil {
		return catalog.Link{}, err
	}
	l, err := c.Link(ctx, id)
	if err == nil && l.AffiliateID != affiliate {
		err = errNoSuch
	}
	return l, err
}

func ownLinkChanges(a *API, c *catalog.Catalog) {
	handleSelf(a, operation{
		id: "create-my-link", method: http.MethodPost, path: "/links", status: http.StatusCreated, summary: "Make a link",
		about: "In a program that is open, to one of its hosts.", errors: []int{http.StatusConflict},
	}, func(ctx context.Context, affiliate int64, in *struct{ Body OwnLinkRequest }) (*linkOutput, error) {
		want, err := LinkRequest{ProgramID: in.Body.ProgramID, Slug: in.Body.Slug, Destination: in.Body.Destination, ExpiresAt: in.Body.ExpiresAt}.link()
		if err != nil {
			return nil, err
		}
		want.AffiliateID, want.Own = affiliate, true
		out := &linkOutput{}
		_, err = c.CreateLink(ctx, want, func(tx *db.Tx, made catalog.Link) error {
			out.Body = linkBody(made)
			if err := a.audited(ctx, tx, "link.create", ident.Link, made.ID, nil, out.Body); err != nil {
				return err
			}
			return record(ctx, tx, http.StatusCreated, out.Body)
		})
		return out, err
	})
	handleSelf(a, operation{
		id: "update-my-link", method: http.MethodPatch, path: "/links/{id}", summary: "Change one of your links",
		about: "Fields that are absent stay as they are. The change is everywhere within a second.",
	}, func(ctx context.Context, affiliate int64, in *struct {
		LinkPath
		Body OwnLinkPatchRequest
	}) (*linkOutput, error) {
		l, err := ownLink(ctx, c, affiliate, &in.LinkPath)
		if err != nil {
			return nil, err
		}
		patch, err := LinkPatchRequest(in.Body).patch()
		if err != nil {
			return nil, err
		}
		patch.Own = affiliate
		now, err := c.UpdateLink(ctx, l.ID, patch, changed(ctx, a, "link.update", ident.Link, l.ID, linkBody))
		return &linkOutput{linkBody(now)}, err
	})
}

func profileBody(a catalog.Affiliate) OwnProfile {
	return OwnProfile{ID: ident.Format(ident.Affiliate, a.ID), Name: a.Name, Email: a.Email, Status: a.Status, CreatedAt: timeOf(a.CreatedAt)}
}

func openProgramBody(p catalog.Program) OpenProgram {
	return OpenProgram{
		ID: ident.Format(ident.Program, p.ID), Name: p.Name, Currency: p.Currency, AttributionWindowDays: p.AttributionWindowDays,
		HoldDays: p.HoldDays, AllowedHosts: append([]string{}, p.AllowedHosts...),
	}
}

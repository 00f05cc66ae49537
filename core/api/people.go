package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/account"
	"github.com/edgeref/edgeref/core/account/oauth"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/ident"
)

// Person is somebody with an account, as shown to staff.
type Person struct {
	ID          string         `json:"id" example:"per_01J8Z0QK5T2VG"`
	Email       string         `json:"email" example:"ann@example.com"`
	Name        string         `json:"name" example:"Ann Example"`
	Roles       []access.Role  `json:"roles" nullable:"false" example:"[\"learner\"]"`
	AffiliateID string         `json:"affiliate_id" example:"aff_01J8Z0QK5T2VG" doc:"Empty: no affiliate"`
	Status      account.Status `json:"status" enum:"active,suspended,erased" example:"active"`
	CreatedAt   Time           `json:"created_at"`
	UpdatedAt   Time           `json:"updated_at"`
}

// PersonPath names one person.
type PersonPath struct {
	ID string `path:"id" example:"per_01J8Z0QK5T2VG"`
}

// PersonPatchRequest changes what it names.
type PersonPatchRequest struct {
	Name   *string         `json:"name,omitempty" minLength:"1" maxLength:"255" example:"Ann Example"`
	Roles  []access.Role   `json:"roles,omitempty" maxItems:"7" enum:"owner,admin,support,finance,instructor,affiliate,learner" example:"[\"learner\",\"support\"]" doc:"All that the person is to have. Only an owner makes and unmakes owners and finance"`
	Status *account.Status `json:"status,omitempty" enum:"active,suspended" doc:"A suspended person is signed out"`
	Reason string          `json:"reason,omitempty" maxLength:"500" example:"joins the support team" doc:"For the audit log"`
}

// InvitationRequest invites somebody.
type InvitationRequest struct {
	Email string        `json:"email" minLength:"3" maxLength:"254" example:"ann@example.com"`
	Name  string        `json:"name" minLength:"1" maxLength:"255" example:"Ann Example"`
	Roles []access.Role `json:"roles" minItems:"1" maxItems:"7" nullable:"false" enum:"owner,admin,support,finance,instructor,affiliate,learner" example:"[\"support\"]"`
}

// Invitation is one that was sent.
type Invitation struct {
	Email string        `json:"email" example:"ann@example.com"`
	Roles []access.Role `json:"roles" nullable:"false" example:"[\"support\"]"`
}

// PersonReasonRequest says why.
type PersonReasonRequest struct {
	Reason string `json:"reason" minLength:"3" maxLength:"500" example:"asked for by letter of 2 May" doc:"For the audit log"`
}

// ViewToken looks at another's pages.
type ViewToken struct {
	AccessToken string `json:"access_token" example:"era_..." doc:"Reads what is personal to the person and changes nothing; ends with the session of who looks"`
	ExpiresAt   Time   `json:"expires_at"`
}

func personBody(p account.Person) Person {
	return Person{
		ID: ident.Format(ident.Person, p.ID), Email: p.Email, Name: p.Name, Roles: notNil(p.Roles), AffiliateID: identOrNone(ident.Affiliate, p.AffiliateID),
		Status: p.Status, CreatedAt: timeOf(p.CreatedAt), UpdatedAt: timeOf(p.UpdatedAt),
	}
}

type personOutput struct{ Body Person }

type peopleList struct {
	ListInput
	Email       string         `query:"email" maxLength:"254" example:"ann@" doc:"Beginning of the address; of many, the first 500 are looked at"`
	Status      account.Status `query:"status" enum:"active,suspended,erased"`
	AffiliateID string         `query:"affiliate_id" example:"aff_01J8Z0QK5T2VG"`
	Name        string         `query:"name" maxLength:"255" example:"Ann" doc:"Beginning of the name, in any case; of many, the first 500 are looked at"`
	Role        access.Role    `query:"role" enum:"owner,admin,support,finance,instructor,affiliate,learner"`
	PeriodInput
}

func peopleOperations(a *API, s *account.Service) {
	handle(a, operation{
		id: "list-people", method: http.MethodGet, path: "/people", tag: "People", scope: access.PeopleRead,
		summary: "List people", about: "The newest first.", errors: []int{http.StatusBadRequest},
	}, func(ctx context.Context, in *peopleList) (*listOutput[Person], error) {
		since, before, err := in.between(ident.Person, in.PeriodInput)
		if err != nil {
			return nil, err
		}
		affiliate, err := fieldID(ident.Affiliate, "query.affiliate_id", in.AffiliateID)
		if err != nil {
			return nil, err
		}
		rows, err := s.People(ctx, account.PeopleFilter{EmailPrefix: in.Email, NamePrefix: in.Name, Status: in.Status, AffiliateID: affiliate, Role: in.Role, Since: since}, before, in.Limit+1)
		if err != nil {
			return nil, err
		}
		return page(ident.Person, in.Limit, rows, func(p account.Person) int64 { return p.ID }, personBody), nil
	})
	handle(a, operation{
		id: "get-person", method: http.MethodGet, path: "/people/{id}", tag: "People", scope: access.PeopleRead,
		summary: "Get a person", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *PersonPath) (*personOutput, error) {
		id, err := pathID(ident.Person, in.ID)
		if err != nil {
			return nil, err
		}
		p, err := s.Person(ctx, id)
		return &personOutput{personBody(p)}, err
	})
	handle(a, operation{
		id: "update-person", method: http.MethodPatch, path: "/people/{id}", tag: "People", scope: access.PeopleWrite, secondFactor: true,
		summary: "Change a person", about: "Roles count within seconds. Nobody changes his own roles or status.", errors: []int{http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, in *struct {
		PersonPath
		Body PersonPatchRequest
	}) (*personOutput, error) {
		id, err := pathID(ident.Person, in.ID)
		if err != nil {
			return nil, err
		}
		p, err := s.ChangePerson(ctx, principalOf(ctx), id, account.Change(in.Body))
		return &personOutput{personBody(p)}, err
	})
	handle(a, operation{
		id: "invite-person", method: http.MethodPost, path: "/people/invitations", tag: "People", scope: access.PeopleWrite, secondFactor: true, status: http.StatusAccepted,
		summary: "Invite a person", about: "A link goes to the address; it is good for a week.", errors: []int{http.StatusConflict},
	}, func(ctx context.Context, in *struct{ Body InvitationRequest }) (*struct{ Body Invitation }, error) {
		out := &struct{ Body Invitation }{Invitation{Email: in.Body.Email, Roles: in.Body.Roles}}
		return out, s.Invite(ctx, principalOf(ctx), in.Body.Email, in.Body.Name, in.Body.Roles, func(tx *db.Tx) error {
			return record(ctx, tx, http.StatusAccepted, out.Body)
		})
	})
	handle(a, operation{
		id: "erase-person", method: http.MethodPost, path: "/people/{id}/erase", tag: "People", scope: access.PeopleWrite, secondFactor: true, status: http.StatusNoContent,
		summary: "Erase a person", about: "As the person could: see erase-me. It cannot be undone.", errors: []int{http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, in *struct {
		PersonPath
		Body PersonReasonRequest
	}) (*struct{}, error) {
		id, err := pathID(ident.Person, in.ID)
		if err != nil {
			return nil, err
		}
		before, err := s.Person(ctx, id)
		if err != nil {
			return nil, err
		}
		if before.Status == account.Erased {
			unchanged(ctx)
		}
		return nil, s.Erase(ctx, principalOf(ctx), id, in.Body.Reason)
	})
}

// OAuthClient is a program that may act for people.
type OAuthClient struct {
	ID             string         `json:"id" example:"cli_01J8Z0QK5T2VG"`
	Name           string         `json:"name" example:"Partner app"`
	RedirectURIs   []string       `json:"redirect_uris" nullable:"false" example:"[\"https://app.example/callback\"]"`
	PostLogoutURIs []string       `json:"post_logout_redirect_uris" nullable:"false" example:"[]"`
	Scopes         []access.Scope `json:"scopes" nullable:"false" example:"[\"me\",\"affiliate:self\"]"`
	Confidential   bool           `json:"confidential" example:"false"`
	Disabled       bool           `json:"disabled" example:"false"`
	CreatedAt      Time           `json:"created_at"`
}

// NewOAuthClient is a client just made.
type NewOAuthClient struct {
	OAuthClient
	Secret string `json:"secret" example:"" doc:"Of a confidential client, shown this once; empty for a public one"`
}

// OAuthClientRequest asks for a client.
type OAuthClientRequest struct {
	Name           string         `json:"name" minLength:"1" maxLength:"128" example:"Partner app" doc:"People see it when they are asked whether they agree"`
	RedirectURIs   []string       `json:"redirect_uris" minItems:"1" maxItems:"10" nullable:"false" example:"[\"https://app.example/callback\"]" doc:"Exact, with https; http only for this machine"`
	PostLogoutURIs []string       `json:"post_logout_redirect_uris,omitempty" maxItems:"10" example:"[\"https://app.example/\"]"`
	Scopes         []access.Scope `json:"scopes" maxItems:"32" nullable:"false" example:"[\"me\",\"affiliate:self\"]" doc:"The most that it is granted; each person's roles cut it further"`
	Confidential   bool           `json:"confidential,omitempty" example:"false" doc:"It can keep a secret, as a server can and a page or an app cannot"`
}

// TransformSchema implements huma.SchemaTransformer: a client may be granted every scope; what a person has not, it does not get.
func (OAuthClientRequest) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return withScopes(s, func(access.Scope) bool { return true })
}

// OAuthClientPath names one client.
type OAuthClientPath struct {
	ID string `path:"id" maxLength:"64" example:"cli_01J8Z0QK5T2VG"`
}

func oauthClientBody(c oauth.Client) OAuthClient {
	return OAuthClient{
		ID: c.ID, Name: c.Name, RedirectURIs: notNil(c.RedirectURIs), PostLogoutURIs: notNil(c.PostLogoutURIs), Scopes: notNil(c.Scopes),
		Confidential: c.Confidential, Disabled: c.DisabledAt != 0, CreatedAt: timeOf(c.CreatedAt),
	}
}

// OAuth registers the operations on clients, and looking at another's pages.
func OAuth(s *oauth.Service) Module {
	return func(a *API) {
		handle(a, operation{
			id: "view-person", method: http.MethodPost, path: "/people/{id}/view", tag: "People", scope: access.PeopleWrite, needsPerson: true, status: http.StatusCreated,
			summary: "Look at a person's pages", about: "Gives a token for 10 minutes that reads what is personal to the person. Staff's pages are for owners.",
			errors: []int{http.StatusNotFound, http.StatusConflict},
		}, func(ctx context.Context, in *struct {
			PersonPath
			Body PersonReasonRequest
		}) (*struct{ Body ViewToken }, error) {
			id, err := pathID(ident.Person, in.ID)
			if err != nil {
				return nil, err
			}
			out := &struct{ Body ViewToken }{}
			_, _, err = s.View(ctx, principalOf(ctx), id, in.Body.Reason, func(tx *db.Tx, token string, expires int64) error {
				out.Body = ViewToken{AccessToken: token, ExpiresAt: timeOf(expires)}
				return record(ctx, tx, http.StatusCreated, out.Body)
			})
			return out, err
		})
		handle(a, operation{
			id: "end-person-view", method: http.MethodDelete, path: "/people/{id}/view", tag: "People", scope: access.PeopleWrite, needsPerson: true, status: http.StatusNoContent,
			summary: "Look no more at a person's pages", about: "Ends the tokens that the caller was given for the person. There may be none left: they end by themselves.",
			errors: []int{http.StatusNotFound},
		}, func(ctx context.Context, in *PersonPath) (*struct{}, error) {
			id, err := pathID(ident.Person, in.ID)
			if err != nil {
				return nil, err
			}
			ended, err := s.EndView(ctx, principalOf(ctx), id)
			if !ended {
				unchanged(ctx)
			}
			return nil, err
		})
		handle(a, operation{
			id: "create-oauth-client", method: http.MethodPost, path: "/oauth-clients", tag: "OAuth clients", scope: access.Admin, status: http.StatusCreated,
			summary: "Register a program that may act for people", about: "It signs people in with an authorization code and PKCE (S256); see /.well-known/openid-configuration.",
		}, func(ctx context.Context, in *struct{ Body OAuthClientRequest }) (*struct{ Body NewOAuthClient }, error) {
			out := &struct{ Body NewOAuthClient }{}
			_, _, err := s.CreateClient(ctx, oauth.Client{
				Name: in.Body.Name, RedirectURIs: in.Body.RedirectURIs, PostLogoutURIs: in.Body.PostLogoutURIs, Scopes: in.Body.Scopes, Confidential: in.Body.Confidential,
			}, func(tx *db.Tx, c oauth.Client, secret string) error {
				out.Body = NewOAuthClient{OAuthClient: oauthClientBody(c), Secret: secret}
				return record(ctx, tx, http.StatusCreated, out.Body)
			})
			return out, err
		})
		handle(a, operation{
			id: "list-oauth-clients", method: http.MethodGet, path: "/oauth-clients", tag: "OAuth clients", scope: access.Admin,
			summary: "List clients", about: "The newest first, without the built-in one.", errors: []int{http.StatusBadRequest},
		}, func(ctx context.Context, in *ListInput) (*listOutput[OAuthClient], error) {
			before, err := in.after(ident.OAuthClient)
			if err != nil {
				return nil, err
			}
			rows, err := s.Clients(ctx, before, in.Limit+1)
			if err != nil {
				return nil, err
			}
			id := func(c oauth.Client) int64 {
				n, err := ident.Parse(ident.OAuthClient, c.ID)
				if err != nil {
					panic("BUG: a stored client has no identifier")
				}
				return n
			}
			return page(ident.OAuthClient, in.Limit, rows, id, oauthClientBody), nil
		})
		handle(a, operation{
			id: "disable-oauth-client", method: http.MethodDelete, path: "/oauth-clients/{id}", tag: "OAuth clients", scope: access.Admin, status: http.StatusNoContent,
			summary: "Disable a client", about: "All that people granted it ends.", errors: []int{http.StatusNotFound, http.StatusConflict},
		}, func(ctx context.Context, in *OAuthClientPath) (*struct{}, error) {
			return nil, s.DisableClient(ctx, in.ID)
		})
	}
}

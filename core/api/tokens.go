package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/token"
	"github.com/edgeref/edgeref/wire/ident"
)

// tokenStore makes, lists and ends tokens. The functions in also run at the end of the transaction.
type tokenStore interface {
	Create(ctx context.Context, name string, scopes []access.Scope, also ...func(*db.Tx, token.Token, string) error) (token.Token, string, error)
	List(ctx context.Context, before int64, limit int) ([]token.Token, error)
	Revoke(ctx context.Context, id int64, also ...func(*db.Tx, token.Token) error) error
}

// Token is a token of the API as shown.
type Token struct {
	ID         string         `json:"id" example:"tok_01J8Z0QK5T2VG"`
	Name       string         `json:"name" example:"shop backend"`
	Scopes     []access.Scope `json:"scopes" nullable:"false" example:"[\"conversions:write\"]"`
	CreatedAt  Time           `json:"created_at"`
	LastUsedAt *Time          `json:"last_used_at" nullable:"true" doc:"To the minute; null if never"`
}

// NewToken is a token just made, with its secret.
type NewToken struct {
	Token
	Secret string `json:"secret" doc:"Shown this once" example:"ert_..."`
}

// TokenRequest asks for a token.
type TokenRequest struct {
	Name   string         `json:"name" minLength:"1" maxLength:"128" example:"shop backend"`
	Scopes []access.Scope `json:"scopes" minItems:"1" maxItems:"32" nullable:"false" example:"[\"conversions:write\"]"`
}

// TransformSchema implements huma.SchemaTransformer: a machine's token may have all scopes but the personal ones.
func (TokenRequest) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return withScopes(s, func(scope access.Scope) bool { return !scope.Personal() })
}

// withScopes names the scopes that the schema's list takes, so that documents and the pages that are made of them know each new one.
func withScopes(s *huma.Schema, take func(access.Scope) bool) *huma.Schema {
	var names []any
	for _, scope := range access.Scopes() {
		if take(scope) {
			names = append(names, string(scope))
		}
	}
	s.Properties["scopes"].Items.Enum = names
	return s
}

// Tokens registers the operations on tokens.
func Tokens(store tokenStore) Module {
	return func(a *API) {
		handle(a, operation{
			id: "create-token", method: http.MethodPost, path: "/tokens", tag: "Tokens", scope: access.Admin, status: http.StatusCreated,
			summary: "Create a token", about: "The secret is in the answer and cannot be read again.",
		}, func(ctx context.Context, in *struct{ Body TokenRequest }) (*struct{ Body NewToken }, error) {
			out := &struct{ Body NewToken }{}
			_, _, err := store.Create(ctx, in.Body.Name, in.Body.Scopes, func(tx *db.Tx, t token.Token, secret string) error {
				out.Body = NewToken{Token: tokenBody(t), Secret: secret}
				if err := a.audited(ctx, tx, "token.create", ident.Token, t.ID, nil, out.Body.Token); err != nil {
					return err
				}
				return record(ctx, tx, http.StatusCreated, out.Body)
			})
			return out, err
		})
		handle(a, operation{
			id: "list-tokens", method: http.MethodGet, path: "/tokens", tag: "Tokens", scope: access.Admin,
			summary: "List tokens", about: "The newest first, without their secrets.", errors: []int{http.StatusBadRequest},
		}, func(ctx context.Context, in *ListInput) (*listOutput[Token], error) {
			before, err := in.after(ident.Token)
			if err != nil {
				return nil, err
			}
			rows, err := store.List(ctx, before, in.Limit+1)
			if err != nil {
				return nil, err
			}
			return page(ident.Token, in.Limit, rows, func(t token.Token) int64 { return t.ID }, tokenBody), nil
		})
		handle(a, operation{
			id: "revoke-token", method: http.MethodDelete, path: "/tokens/{id}", tag: "Tokens", scope: access.Admin,
			summary: "Revoke a token", status: http.StatusNoContent, errors: []int{http.StatusNotFound},
		}, func(ctx context.Context, in *struct {
			ID string `path:"id" example:"tok_01J8Z0QK5T2VG"`
		}) (*struct{}, error) {
			id, err := pathID(ident.Token, in.ID)
			if err != nil {
				return nil, err
			}
			return nil, store.Revoke(ctx, id, ended(ctx, a, "token.revoke", ident.Token, id, tokenBody))
		})
	}
}

func tokenBody(t token.Token) Token {
	return Token{
		ID: ident.Format(ident.Token, t.ID), Name: t.Name, Scopes: t.Scopes,
		CreatedAt: timeOf(t.CreatedAt), LastUsedAt: timeOrNil(t.LastUsedAt),
	}
}

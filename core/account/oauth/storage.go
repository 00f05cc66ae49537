package oauth

import (
	"context"
	"crypto/sha256"
	"errors"
	"strconv"
	"strings"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/edgeref/edgeref/core/account"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/ident"
)

// storage is what the library asks. Its errors are shown to clients, so they say nothing of ours.
type storage struct{ s *Service }

var errUnsupported = errors.New("not supported")

// grantRef is how RevokeToken is told a grant, in the place of a token.
const grantRef = "grant:"

func (st storage) CreateAuthRequest(ctx context.Context, in *oidc.AuthRequest, _ string) (op.AuthRequest, error) {
	r, err := st.s.insertRequest(ctx, in)
	if err != nil {
		return nil, err
	}
	return authRequest{r}, nil
}

// AuthRequestByID is asked by the library's callback page, which is not served.
func (st storage) AuthRequestByID(context.Context, string) (op.AuthRequest, error) {
	return nil, errUnsupported
}

func (st storage) AuthRequestByCode(ctx context.Context, code string) (op.AuthRequest, error) {
	return st.s.requestByCode(ctx, code)
}

// SaveAuthCode belongs to the callback page too: IssueCode makes codes.
func (st storage) SaveAuthCode(context.Context, string, string) error { return errUnsupported }

// DeleteAuthRequest keeps the request until it expires, so that a code that is used again is known.
func (st storage) DeleteAuthRequest(context.Context, string) error { return nil }

func (st storage) CreateAccessToken(ctx context.Context, request op.TokenRequest) (string, time.Time, error) {
	r, ok := request.(authRequest)
	if !ok {
		return "", time.Time{}, oidc.ErrUnsupportedGrantType()
	}
	t, err := st.s.exchange(ctx, r.Request, false)
	return t.access, t.expires, err
}

func (st storage) CreateAccessAndRefreshTokens(ctx context.Context, request op.TokenRequest, current string) (string, string, time.Time, error) {
	var t issued
	var err error
	switch r := request.(type) {
	case authRequest:
		t, err = st.s.exchange(ctx, r.Request, true)
	case *refreshRequest:
		t, err = st.s.rotate(ctx, r, current)
	default:
		err = oidc.ErrUnsupportedGrantType()
	}
	return t.access, t.refresh, t.expires, err
}

func (st storage) TokenRequestByRefreshToken(ctx context.Context, token string) (op.RefreshTokenRequest, error) {
	r, err := st.s.requestByRefresh(ctx, token)
	if err != nil {
		return nil, err
	}
	return r, nil
}

// TerminateSession is asked by the library's own end of a session, which is not served.
func (st storage) TerminateSession(context.Context, string, string) error { return errUnsupported }

func (st storage) GetRefreshTokenInfo(ctx context.Context, clientID, token string) (userID, tokenID string, err error) {
	r, err := st.s.requestByRefresh(ctx, token)
	if err != nil {
		return "", "", err
	}
	if r.grant.clientID != clientID {
		return "", "", op.ErrInvalidRefreshToken
	}
	return r.GetSubject(), grantRef + strconv.FormatInt(r.grant.id, 10), nil
}

// RevokeToken ends a grant, or one access token. A token that is not there is as good as revoked.
func (st storage) RevokeToken(ctx context.Context, token, _, clientID string) *oidc.Error {
	s := st.s
	err := s.db.InTx(ctx, func(tx *db.Tx) error {
		if ref, ok := strings.CutPrefix(token, grantRef); ok {
			id, err := strconv.ParseInt(ref, 10, 64)
			if err != nil {
				return nil //nolint:nilerr // not one of ours
			}
			return s.revokeGrant(ctx, tx, id, "revoked")
		}
		hash := sha256.Sum256([]byte(AccessPrefix + token))
		_, err := tx.Exec(ctx, "DELETE FROM oauth_access_tokens WHERE hash = ? AND grant_id IN (SELECT id FROM oauth_grants WHERE client_id = ?)", hash[:], clientID)
		tx.OnCommit(s.cache.clear)
		return err
	})
	if err != nil {
		s.log.Error("oauth: revoke token", "error", err)
		return oidc.ErrServerError().WithDescription("try again later")
	}
	return nil
}

func (st storage) GetClientByClientID(ctx context.Context, id string) (op.Client, error) {
	c, err := st.s.Client(ctx, id)
	if errors.Is(err, ErrClientNotFound) || err == nil && c.DisabledAt != 0 {
		return nil, oidc.ErrInvalidClient().WithDescription("there is no such client")
	}
	if err != nil {
		return nil, st.s.serverError(ctx, "read client", err)
	}
	return opClient{c}, nil
}

func (st storage) AuthorizeClientIDSecret(ctx context.Context, id, secret string) error {
	c, err := st.s.Client(ctx, id)
	if errors.Is(err, ErrClientNotFound) || err == nil && (c.DisabledAt != 0 || !c.hasSecret(secret)) {
		return oidc.ErrInvalidClient()
	}
	if err != nil {
		return st.s.serverError(ctx, "read client", err)
	}
	return nil
}

// SetUserinfoFromScopes is replaced by SetUserinfoFromRequest.
func (st storage) SetUserinfoFromScopes(context.Context, *oidc.UserInfo, string, string, []string) error {
	return nil
}

// SetUserinfoFromRequest fills an ID token.
func (st storage) SetUserinfoFromRequest(ctx context.Context, info *oidc.UserInfo, request op.IDTokenRequest, scopes []string) error {
	return st.fill(ctx, info, request.GetSubject(), scopes)
}

func (st storage) SetUserinfoFromToken(ctx context.Context, info *oidc.UserInfo, token, _, _ string) error {
	t, err := st.s.lookUp(ctx, AccessPrefix+token)
	if err != nil {
		return oidc.ErrAccessDenied()
	}
	return st.fill(ctx, info, ident.Format(ident.Person, t.PersonID), t.oidcScopes)
}

func (st storage) fill(ctx context.Context, info *oidc.UserInfo, subject string, scopes []string) error {
	id, err := ident.Parse(ident.Person, subject)
	if err != nil {
		return oidc.ErrAccessDenied()
	}
	p, err := st.s.accounts.Person(ctx, id)
	if errors.Is(err, account.ErrNotFound) {
		return oidc.ErrAccessDenied()
	}
	if err != nil {
		return st.s.serverError(ctx, "read person", err)
	}
	info.Subject = subject
	for _, scope := range scopes {
		switch scope {
		case oidc.ScopeProfile:
			info.Name = p.Name
			info.UpdatedAt = oidc.FromTime(time.UnixMilli(p.UpdatedAt))
		case oidc.ScopeEmail:
			info.Email, info.EmailVerified = p.Email, true // there are no others
		}
	}
	return nil
}

func (st storage) SetIntrospectionFromToken(context.Context, *oidc.IntrospectionResponse, string, string, string) error {
	return errUnsupported
}

func (st storage) GetPrivateClaimsFromScopes(context.Context, string, string, []string) (map[string]any, error) {
	return nil, nil
}

func (st storage) GetKeyByIDAndClientID(context.Context, string, string) (*jose.JSONWebKey, error) {
	return nil, errUnsupported
}

func (st storage) ValidateJWTProfileScopes(context.Context, string, []string) ([]string, error) {
	return nil, errUnsupported
}

func (st storage) Health(ctx context.Context) error { return st.s.db.Ping(ctx) }

func (st storage) SigningKey(ctx context.Context) (op.SigningKey, error) {
	keys, err := st.s.signingKeys(ctx)
	if err != nil {
		return nil, st.s.serverError(ctx, "read signing keys", err)
	}
	return keys[0], nil
}

func (st storage) SignatureAlgorithms(context.Context) ([]jose.SignatureAlgorithm, error) {
	return []jose.SignatureAlgorithm{signatureAlgorithm}, nil
}

func (st storage) KeySet(ctx context.Context) ([]op.Key, error) {
	keys, err := st.s.signingKeys(ctx)
	if err != nil {
		return nil, st.s.serverError(ctx, "read signing keys", err)
	}
	out := make([]op.Key, len(keys))
	for i, k := range keys {
		out[i] = publicKey{k}
	}
	return out, nil
}

var (
	_ op.Storage                   = storage{}
	_ op.CanSetUserinfoFromRequest = storage{}
)

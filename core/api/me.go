package api

import (
	"context"
	"net/http"
	"net/netip"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/account"
	"github.com/edgeref/edgeref/wire/ident"
)

// Me is who asks, as shown.
type Me struct {
	ID           string         `json:"id" example:"per_01J8Z0QK5T2VG"`
	Email        string         `json:"email" example:"ann@example.com"`
	Name         string         `json:"name" example:"Ann Example"`
	Roles        []access.Role  `json:"roles" nullable:"false" example:"[\"affiliate\"]"`
	Scopes       []access.Scope `json:"scopes" nullable:"false" example:"[\"me\",\"affiliate:self\"]" doc:"What this access token may do"`
	AffiliateID  string         `json:"affiliate_id" example:"aff_01J8Z0QK5T2VG" doc:"Empty: no affiliate"`
	SessionID    string         `json:"session_id" example:"ses_01J8Z0QK5T2VG"`
	SecondFactor *Time          `json:"second_factor_at" nullable:"true" doc:"When this session proved the second factor; null if it did not"`
	ReadOnly     bool           `json:"read_only" example:"false" doc:"Somebody else looks at these pages"`
	CreatedAt    Time           `json:"created_at"`
}

// MePatchRequest changes what it names.
type MePatchRequest struct {
	Name *string `json:"name,omitempty" minLength:"1" maxLength:"255" example:"Ann Example"`
}

// PasswordRequest changes the password.
type PasswordRequest struct {
	Current string `json:"current_password" minLength:"1" maxLength:"200" example:"the old one"`
	New     string `json:"new_password" minLength:"1" maxLength:"200" example:"three boats on one river" doc:"10 characters or more, and not one that everybody tries first"`
}

// EmailRequest asks for another address.
type EmailRequest struct {
	Email    string `json:"email" minLength:"3" maxLength:"254" example:"ann@new.example"`
	Password string `json:"password" minLength:"1" maxLength:"200" example:"three boats on one river"`
}

// Session is a sign-in as shown to its person.
type Session struct {
	ID             string `json:"id" example:"ses_01J8Z0QK5T2VG"`
	Device         string `json:"device" example:"Firefox on Android"`
	Address        string `json:"address" example:"203.0.113.9"`
	CreatedAt      Time   `json:"created_at"`
	LastUsedAt     Time   `json:"last_used_at" doc:"To the minute"`
	SecondFactorAt *Time  `json:"second_factor_at" nullable:"true"`
	ExpiresAt      Time   `json:"expires_at"`
	Current        bool   `json:"current" example:"true" doc:"The one that asks"`
}

// SessionPath names one session.
type SessionPath struct {
	ID string `path:"id" example:"ses_01J8Z0QK5T2VG"`
}

// Accounts registers what people do with their own accounts, and admins with those of others. The pages for signing in are
// not part of the API.
func Accounts(s *account.Service) Module {
	return func(a *API) {
		profileOperations(a, s)
		sessionOperations(a, s)
		factorOperations(a, s)
		privacyOperations(a, s)
		peopleOperations(a, s)
		peopleSessionOperations(a, s)
	}
}

func addressOf(p access.Principal) netip.Addr {
	addr, err := netip.ParseAddr(p.Address)
	if err != nil {
		return netip.Addr{}
	}
	return addr
}

type meOutput struct{ Body Me }

func meBody(p account.Person, who access.Principal) *meOutput {
	return &meOutput{Me{
		ID: ident.Format(ident.Person, p.ID), Email: p.Email, Name: p.Name, Roles: notNil(p.Roles), Scopes: notNil(who.Scopes),
		AffiliateID: identOrNone(ident.Affiliate, p.AffiliateID), SessionID: identOrNone(ident.Session, who.SessionID),
		SecondFactor: timeOrNil(who.SecondFactorAt), ReadOnly: who.ReadOnly, CreatedAt: timeOf(p.CreatedAt),
	}}
}

// notNil keeps an empty list from being null.
func notNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func profileOperations(a *API, s *account.Service) {
	handle(a, operation{
		id: "get-me", method: http.MethodGet, path: "/me", tag: "Account", scope: access.Me, summary: "Show who asks",
	}, func(ctx context.Context, _ *struct{}) (*meOutput, error) {
		who := principalOf(ctx)
		p, err := s.Person(ctx, who.PersonID)
		return meBody(p, who), err
	})
	handle(a, operation{
		id: "update-me", method: http.MethodPatch, path: "/me", tag: "Account", scope: access.Me, summary: "Change the own name",
	}, func(ctx context.Context, in *struct{ Body MePatchRequest }) (*meOutput, error) {
		who := principalOf(ctx)
		if in.Body.Name == nil {
			unchanged(ctx)
			p, err := s.Person(ctx, who.PersonID)
			return meBody(p, who), err
		}
		p, err := s.Rename(ctx, who.PersonID, *in.Body.Name)
		return meBody(p, who), err
	})
	handle(a, operation{
		id: "change-password", method: http.MethodPost, path: "/me/password", tag: "Account", scope: access.Me, status: http.StatusNoContent,
		summary: "Change the own password", about: "All other sign-ins end.", errors: []int{http.StatusTooManyRequests, http.StatusServiceUnavailable},
	}, func(ctx context.Context, in *struct{ Body PasswordRequest }) (*struct{}, error) {
		who := principalOf(ctx)
		return nil, s.ChangePassword(ctx, who.PersonID, who.SessionID, in.Body.Current, in.Body.New)
	})
	handle(a, operation{
		id: "change-email", method: http.MethodPost, path: "/me/email", tag: "Account", scope: access.Me, status: http.StatusAccepted,
		summary: "Change the own address", about: "A link goes to the new address; the address changes when it is opened. The answer is the same if the address is somebody's.",
		errors:    []int{http.StatusTooManyRequests, http.StatusServiceUnavailable},
		unaudited: "the address changes, and is written down, when the link is opened",
	}, func(ctx context.Context, in *struct{ Body EmailRequest }) (*struct{}, error) {
		return nil, s.RequestEmail(ctx, principalOf(ctx).PersonID, in.Body.Email, in.Body.Password)
	})
}

func sessionOperations(a *API, s *account.Service) {
	handle(a, operation{
		id: "list-my-sessions", method: http.MethodGet, path: "/me/sessions", tag: "Account", scope: access.Me,
		summary: "List the own sign-ins", about: "The newest first, 200 at most.",
	}, func(ctx context.Context, _ *struct{}) (*listOutput[Session], error) {
		who := principalOf(ctx)
		list, err := s.Sessions(ctx, who.PersonID)
		if err != nil {
			return nil, err
		}
		out := &listOutput[Session]{}
		out.Body.Items = make([]Session, len(list))
		for i, v := range list {
			out.Body.Items[i] = sessionBody(v, who)
		}
		return out, nil
	})
	handle(a, operation{
		id: "end-my-session", method: http.MethodDelete, path: "/me/sessions/{id}", tag: "Account", scope: access.Me, status: http.StatusNoContent,
		summary: "End one of the own sign-ins", about: "With all tokens that programs have through it.", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *SessionPath) (*struct{}, error) {
		id, err := pathID(ident.Session, in.ID)
		if err != nil {
			return nil, err
		}
		return nil, s.EndSession(ctx, principalOf(ctx).PersonID, id)
	})
	handle(a, operation{
		id: "end-my-other-sessions", method: http.MethodPost, path: "/me/sessions/end-others", tag: "Account", scope: access.Me, status: http.StatusNoContent,
		summary: "End all other sign-ins", about: "Browsers that were known are not known any more.",
	}, func(ctx context.Context, _ *struct{}) (*struct{}, error) {
		who := principalOf(ctx)
		return nil, s.EndSessions(ctx, who.PersonID, who.SessionID)
	})
}

func sessionBody(v account.Session, who access.Principal) Session {
	return Session{
		ID: ident.Format(ident.Session, v.ID), Device: v.Device, Address: v.Address, CreatedAt: timeOf(v.CreatedAt), LastUsedAt: timeOf(v.LastUsedAt),
		SecondFactorAt: timeOrNil(v.SecondFactorAt), ExpiresAt: timeOf(v.ExpiresAt), Current: v.ID == who.SessionID,
	}
}

// FactorState says how the second factor stands.
type FactorState struct {
	Enrolled          bool  `json:"enrolled" example:"true"`
	RecoveryCodesLeft int   `json:"recovery_codes_left" example:"10"`
	ProvedAt          *Time `json:"proved_at" nullable:"true" doc:"By this session; null if it did not"`
}

// OwnPasswordRequest proves that it is still the person himself.
type OwnPasswordRequest struct {
	Password string `json:"password" minLength:"1" maxLength:"200" example:"three boats on one river"`
}

// EnrolmentBody is for an authenticator app.
type EnrolmentBody struct {
	Secret string `json:"secret" example:"JBSWY3DPEHPK3PXP" doc:"To be typed; shown this once"`
	URL    string `json:"url" example:"otpauth://totp/Edgeref:ann@example.com?secret=JBSWY3DPEHPK3PXP&issuer=Edgeref" doc:"To be shown as a QR code"`
}

// CodeRequest is a code of the authenticator.
type CodeRequest struct {
	Code string `json:"code" minLength:"6" maxLength:"24" example:"123456" doc:"Of the authenticator; where it only proves the factor, a recovery code will do"`
}

// RemoveFactorRequest takes the second factor away.
type RemoveFactorRequest struct {
	OwnPasswordRequest
	CodeRequest
}

// RecoveryCodes are shown once.
type RecoveryCodes struct {
	Codes []string `json:"recovery_codes" nullable:"false" example:"[\"ABCD-EFGH-IJKL-MNOP\"]" doc:"Each works once in the place of a code; shown this once"`
}

type codesOutput struct{ Body RecoveryCodes }

func factorOperations(a *API, s *account.Service) {
	handle(a, operation{
		id: "get-my-second-factor", method: http.MethodGet, path: "/me/second-factor", tag: "Account", scope: access.Me, summary: "Show how the own second factor stands",
	}, func(ctx context.Context, _ *struct{}) (*struct{ Body FactorState }, error) {
		who := principalOf(ctx)
		enrolled, err := s.Enrolled(ctx, who.PersonID)
		if err != nil {
			return nil, err
		}
		left, err := s.RecoveryCodesLeft(ctx, who.PersonID)
		return &struct{ Body FactorState }{FactorState{Enrolled: enrolled, RecoveryCodesLeft: left, ProvedAt: timeOrNil(who.SecondFactorAt)}}, err
	})
	handle(a, operation{
		id: "begin-my-second-factor", method: http.MethodPost, path: "/me/second-factor", tag: "Account", scope: access.Me, status: http.StatusCreated,
		summary: "Begin to set up a second factor", about: "It counts once a code of it was confirmed.", errors: []int{http.StatusConflict, http.StatusTooManyRequests},
		unaudited: "it counts, and is written down, once it is confirmed",
	}, func(ctx context.Context, in *struct{ Body OwnPasswordRequest }) (*struct{ Body EnrolmentBody }, error) {
		e, err := s.BeginEnrolment(ctx, principalOf(ctx).PersonID, in.Body.Password)
		return &struct{ Body EnrolmentBody }{EnrolmentBody(e)}, err
	})
	handle(a, operation{
		id: "confirm-my-second-factor", method: http.MethodPost, path: "/me/second-factor/confirm", tag: "Account", scope: access.Me,
		summary: "Confirm the second factor", about: "With a code that the authenticator shows.", errors: []int{http.StatusConflict, http.StatusTooManyRequests},
	}, func(ctx context.Context, in *struct{ Body CodeRequest }) (*codesOutput, error) {
		who := principalOf(ctx)
		codes, err := s.ConfirmEnrolment(ctx, who.PersonID, who.SessionID, in.Body.Code)
		return &codesOutput{RecoveryCodes{notNil(codes)}}, err
	})
	handle(a, operation{
		id: "prove-my-second-factor", method: http.MethodPost, path: "/me/second-factor/prove", tag: "Account", scope: access.Me, status: http.StatusNoContent,
		summary: "Prove the second factor again", about: "Opens what needs one for the next 15 minutes of this session.", errors: []int{http.StatusConflict, http.StatusTooManyRequests},
	}, func(ctx context.Context, in *struct{ Body CodeRequest }) (*struct{}, error) {
		who := principalOf(ctx)
		return nil, s.StepUp(ctx, who.PersonID, who.SessionID, in.Body.Code, addressOf(who))
	})
	handle(a, operation{
		id: "replace-my-recovery-codes", method: http.MethodPost, path: "/me/second-factor/recovery-codes", tag: "Account", scope: access.Me, secondFactor: true,
		summary: "Make new recovery codes", about: "The old ones are worth nothing from then on.", errors: []int{http.StatusConflict},
	}, func(ctx context.Context, _ *struct{}) (*codesOutput, error) {
		codes, err := s.NewRecoveryCodes(ctx, principalOf(ctx).PersonID)
		return &codesOutput{RecoveryCodes{notNil(codes)}}, err
	})
	handle(a, operation{
		id: "remove-my-second-factor", method: http.MethodPost, path: "/me/second-factor/remove", tag: "Account", scope: access.Me, status: http.StatusNoContent,
		summary: "Remove the second factor", errors: []int{http.StatusConflict, http.StatusTooManyRequests},
	}, func(ctx context.Context, in *struct{ Body RemoveFactorRequest }) (*struct{}, error) {
		who := principalOf(ctx)
		return nil, s.RemoveFactor(ctx, who.PersonID, who.SessionID, in.Body.Password, in.Body.Code, addressOf(who))
	})
}

// ExportBody is everything that is kept about a person.
type ExportBody struct {
	Person            Person         `json:"person"`
	SecondFactor      bool           `json:"second_factor" example:"true"`
	RecoveryCodesLeft int            `json:"recovery_codes_left" example:"10"`
	Sessions          []Session      `json:"sessions" nullable:"false"`
	Parts             map[string]any `json:"parts" doc:"What the parts of the business keep, by their names: affiliate, orders, ..."`
}

func privacyOperations(a *API, s *account.Service) {
	handle(a, operation{
		id: "export-me", method: http.MethodGet, path: "/me/export", tag: "Account", scope: access.Me,
		summary: "Get everything that is kept about oneself", about: "As JSON, for other programs to read.",
	}, func(ctx context.Context, _ *struct{}) (*struct {
		Disposition string `header:"Content-Disposition"`
		Body        ExportBody
	}, error) {
		who := principalOf(ctx)
		e, err := s.Export(ctx, who.PersonID)
		if err != nil {
			return nil, err
		}
		out := &struct {
			Disposition string `header:"Content-Disposition"`
			Body        ExportBody
		}{Disposition: `attachment; filename="account.json"`}
		out.Body = ExportBody{Person: personBody(e.Person), SecondFactor: e.SecondFactor, RecoveryCodesLeft: e.RecoveryCodesLeft, Sessions: []Session{}, Parts: e.Parts}
		for _, v := range e.Sessions {
			out.Body.Sessions = append(out.Body.Sessions, sessionBody(v, who))
		}
		return out, nil
	})
	handle(a, operation{
		id: "erase-me", method: http.MethodDelete, path: "/me", tag: "Account", scope: access.Me, status: http.StatusNoContent,
		summary: "Erase oneself", about: "Name and address are replaced by what names nobody. The ledger, orders and invoices keep what the law wants kept. It cannot be undone.",
		errors: []int{http.StatusConflict, http.StatusTooManyRequests},
	}, func(ctx context.Context, in *struct{ Body OwnPasswordRequest }) (*struct{}, error) {
		return nil, s.EraseOwn(ctx, principalOf(ctx).PersonID, in.Body.Password)
	})
}

// Package access says who may do what: scopes, roles and what each role may do, and who stands behind a request. The
// API enforces it in one place; other packages only read who acts.
package access

import (
	"context"
	"slices"
	"strings"
)

// Scope is one right. An operation of the API needs exactly one.
type Scope string

// Scopes. Admin includes all others but the personal ones; otherwise none includes another.
const (
	Admin            Scope = "admin"
	AuditRead        Scope = "audit:read"
	CatalogRead      Scope = "catalog:read" // programs, affiliates, links, commission rules
	CatalogWrite     Scope = "catalog:write"
	ConversionsRead  Scope = "conversions:read"
	ConversionsWrite Scope = "conversions:write"
	KYCRead          Scope = "kyc:read" // documents by which an affiliate is known, and their review
	KYCWrite         Scope = "kyc:write"
	LedgerRead       Scope = "ledger:read"
	MailRead         Scope = "mail:read"
	OrdersRead       Scope = "orders:read" // orders, invoices, payments
	OrdersWrite      Scope = "orders:write"
	PayoutsApprove   Scope = "payouts:approve" // the second person
	PayoutsRead      Scope = "payouts:read"
	PayoutsWrite     Scope = "payouts:write"
	PeopleRead       Scope = "people:read" // accounts and their roles
	PeopleWrite      Scope = "people:write"
	ReportsRead      Scope = "reports:read"
	SettingsRead     Scope = "settings:read" // the configuration, and what the public pages say
	SettingsWrite    Scope = "settings:write"
	ShopRead         Scope = "shop:read" // products, bundles, coupons
	ShopWrite        Scope = "shop:write"
	SystemRead       Scope = "system:read" // how the machinery is
	WebhooksRead     Scope = "webhooks:read"
	WebhooksWrite    Scope = "webhooks:write"
	// Personal scopes open what belongs to the person who asks, and nothing else.
	Me            Scope = "me"             // account, sessions, second factor
	AffiliateSelf Scope = "affiliate:self" // own links, figures, commissions, payouts
	LearnerSelf   Scope = "learner:self"   // own orders and courses
)

// Scopes lists all scopes.
func Scopes() []Scope {
	return []Scope{
		Admin, AuditRead, CatalogRead, CatalogWrite, ConversionsRead, ConversionsWrite, KYCRead, KYCWrite, LedgerRead, MailRead,
		OrdersRead, OrdersWrite, PayoutsApprove, PayoutsRead, PayoutsWrite, PeopleRead, PeopleWrite, ReportsRead,
		SettingsRead, SettingsWrite, ShopRead, ShopWrite, SystemRead, WebhooksRead, WebhooksWrite, Me, AffiliateSelf, LearnerSelf,
	}
}

// Personal reports whether the scope needs a person behind the request: a machine's token can never have it.
func (s Scope) Personal() bool { return s == Me || s == AffiliateSelf || s == LearnerSelf }

// Role is what a person is in the business; one person may hold several.
type Role string

// Roles.
const (
	RoleOwner      Role = "owner"
	RoleAdmin      Role = "admin"
	RoleSupport    Role = "support"
	RoleFinance    Role = "finance"
	RoleInstructor Role = "instructor"
	RoleAffiliate  Role = "affiliate"
	RoleLearner    Role = "learner"
)

// Roles lists all roles.
func Roles() []Role {
	return []Role{RoleOwner, RoleAdmin, RoleSupport, RoleFinance, RoleInstructor, RoleAffiliate, RoleLearner}
}

// Principal is who makes a request: a machine's token, or a person through a session.
type Principal struct {
	TokenID     int64 // 0: not a machine's token
	PersonID    int64 // 0: not a person
	SessionID   int64 // the sign-in that the person's access token belongs to
	AffiliateID int64 // 0: the person is no affiliate
	Name        string
	Scopes      []Scope // not to be changed: shared
	Roles       []Role  // of a person; not to be changed: shared
	// SecondFactorAt is when this session proved a second factor, Unix ms; 0: never.
	SecondFactorAt int64
	// ReadOnly is set while ViewerID looks at the pages of PersonID: whatever belongs to a person is PersonID's, and whoever
	// is to answer for the request is ViewerID. ViewerID is 0 otherwise.
	ReadOnly bool
	ViewerID int64
	Address  string // of the client, for the audit log
}

// Can reports whether the principal has a scope.
func (p Principal) Can(s Scope) bool {
	return slices.Contains(p.Scopes, s) || !s.Personal() && slices.Contains(p.Scopes, Admin)
}

// Is reports whether the person holds a role.
func (p Principal) Is(r Role) bool { return slices.Contains(p.Roles, r) }

type principalKey struct{}

// With returns a context that carries who acts.
func With(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// From is who acts in a context. ok is false for the system's own work.
func From(ctx context.Context) (p Principal, ok bool) {
	p, ok = ctx.Value(principalKey{}).(Principal)
	return p, ok
}

// Join and Split are how scopes are stored and sent: separated by spaces, as in RFC 6749 section 3.3.
func Join(scopes []Scope) string {
	parts := make([]string, len(scopes))
	for i, s := range scopes {
		parts[i] = string(s)
	}
	return strings.Join(parts, " ")
}

// Split reverses Join. It does not check that the scopes exist.
func Split(s string) []Scope {
	parts := strings.Fields(s)
	out := make([]Scope, len(parts))
	for i, p := range parts {
		out[i] = Scope(p)
	}
	return out
}

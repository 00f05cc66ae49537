package access

import "slices"

// Grants are the scopes of a role. This table is the whole of what roles may do.
func Grants(r Role) []Scope {
	switch r {
	case RoleOwner:
		return []Scope{Me, Admin}
	case RoleAdmin:
		return []Scope{
			Me, AuditRead, CatalogRead, CatalogWrite, ConversionsRead, ConversionsWrite, KYCRead, KYCWrite, LedgerRead, MailRead,
			OrdersRead, OrdersWrite, PayoutsRead, PeopleRead, PeopleWrite, ReportsRead, SettingsRead, SettingsWrite, ShopRead, ShopWrite, SystemRead,
			WebhooksRead, WebhooksWrite,
		}
	case RoleFinance:
		return []Scope{
			Me, CatalogRead, ConversionsRead, KYCRead, KYCWrite, LedgerRead, OrdersRead, OrdersWrite, PayoutsApprove, PayoutsRead, PayoutsWrite,
			PeopleRead, ReportsRead, ShopRead,
		}
	case RoleSupport:
		return []Scope{Me, CatalogRead, ConversionsRead, MailRead, OrdersRead, PeopleRead, ReportsRead, ShopRead, SystemRead}
	case RoleInstructor:
		return []Scope{Me, ShopRead}
	case RoleAffiliate:
		return []Scope{Me, AffiliateSelf}
	case RoleLearner:
		return []Scope{Me, LearnerSelf}
	}
	return nil
}

// GrantsOf are the scopes of several roles together, sorted.
func GrantsOf(roles []Role) []Scope {
	var all []Scope
	for _, r := range roles {
		all = append(all, Grants(r)...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

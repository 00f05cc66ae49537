package demo

import (
	"slices"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/account"
)

// Somebody is a person of the demo who can sign in.
type Somebody struct {
	Variable    string // in demo.env, holding the address
	Name, Email string
	Roles       []access.Role
	Factor      bool // has a second factor
	Does        string
}

// Domain is where the demo's business and its people live. Nothing can be mailed there.
const Domain = "nimbak.example"

// Cast lists who can sign in, in the order in which they are shown. All have one password, and one second factor.
func Cast() []Somebody {
	one := func(r access.Role) []access.Role { return []access.Role{r} }
	return []Somebody{
		{"DEMO_OWNER", "Meera Iyengar", "owner@" + Domain, one(access.RoleOwner), true, "owns the business"},
		{"DEMO_ADMIN", "Vikram Sethi", "admin@" + Domain, one(access.RoleAdmin), true, "runs it"},
		{"DEMO_FINANCE", "Farah Qureshi", "finance@" + Domain, one(access.RoleFinance), true, "makes payout batches"},
		{"DEMO_FINANCE2", "Joseph Kurian", "finance2@" + Domain, one(access.RoleFinance), true, "approves them"},
		{"DEMO_SUPPORT", "Lalita Bora", "support@" + Domain, one(access.RoleSupport), false, "answers questions"},
		{"DEMO_INSTRUCTOR", "Harish Pillai", "instructor@" + Domain, one(access.RoleInstructor), false, "teaches"},
		{"DEMO_AFFILIATE", "Asha Verma", "asha@" + Domain, one(access.RoleAffiliate), true, "affiliate with a large business"},
		{"DEMO_SMALL_AFFILIATE", "Tenzin Dorjee", "tenzin@" + Domain, one(access.RoleAffiliate), true, "affiliate with a small one"},
		{"DEMO_NEW_AFFILIATE", "Nikhil Rao", "nikhil@" + Domain, one(access.RoleAffiliate), false, "affiliate since today, with nothing yet"},
		{"DEMO_LEARNER", "Pooja Deshmukh", "learner@" + Domain, one(access.RoleLearner), false, "bought courses"},
	}
}

// Keys are what people of the demo sign in with.
type Keys struct {
	PasswordHash string // of the password of all, made once: hashing is slow on purpose
	FactorSecret string // of the second factor of all who have one
}

func (s Somebody) affiliate() bool { return slices.Contains(s.Roles, access.RoleAffiliate) }

func (s Somebody) introduction(keys Keys) account.Introduction {
	in := account.Introduction{Email: s.Email, Name: s.Name, Roles: s.Roles, PasswordHash: keys.PasswordHash}
	if s.Factor {
		in.FactorSecret = keys.FactorSecret
	}
	return in
}

package api

import (
	"github.com/edgeref/edgeref/core/catalog"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/money"
)

// ProgramTerms are what a program says of attribution and commissions.
type ProgramTerms struct {
	Precedence          []string       `json:"precedence,omitempty" maxItems:"3" nullable:"false" enum:"coupon,click,customer" example:"[\"coupon\",\"click\",\"customer\"]" doc:"What connects a conversion with an affiliate, best first. What is missing never counts; absent: coupon, click, customer"`
	Bind                string         `json:"bind,omitempty" enum:"none,lead,any" default:"lead" doc:"Which conversions bind their customer to the affiliate, so that later ones follow"`
	BindDays            int            `json:"bind_days,omitempty" minimum:"0" maximum:"3650" example:"365" doc:"How long a customer stays bound; 0: as long as the attribution window"`
	Lifetime            bool           `json:"lifetime,omitempty" example:"false" doc:"A customer stays bound for ever"`
	SelfPurchases       bool           `json:"self_purchases,omitempty" example:"false" doc:"An affiliate earns by what he buys himself"`
	RefuseSelfPurchases bool           `json:"refuse_self_purchases,omitempty" example:"false" doc:"An affiliate cannot buy through his own link or coupon in the shop"`
	TimeZone            string         `json:"time_zone,omitempty" maxLength:"64" example:"Asia/Kolkata" doc:"For calendar months; absent: UTC"`
	MaxShareBP          *int64         `json:"max_share_bp,omitempty" minimum:"0" maximum:"10000" example:"8000" doc:"Margin guard: all commissions of a line together are never more than this share of its net price, in basis points; absent: nothing bounds them"`
	ProductHolds        []ProductHold  `json:"product_holds,omitempty" maxItems:"100" nullable:"false" doc:"Longer holds of single products"`
	Floors              []money.Amount `json:"floors,omitempty" maxItems:"20" nullable:"false" doc:"Payable balances, zero or negative, one a currency: a reversal that takes an affiliate below is booked, and kept for review"`
}

// ProductHold is how long the commissions on one product are held at least.
type ProductHold struct {
	ProductID string `json:"product_id" example:"prd_01J8Z0QK5T2VG"`
	Days      int    `json:"days" minimum:"0" maximum:"365" example:"60"`
}

func (t *ProgramTerms) terms() (catalog.Terms, error) {
	out := catalog.Terms{
		Precedence: t.Precedence, Bind: t.Bind, BindDays: t.BindDays, Lifetime: t.Lifetime, SelfPurchases: t.SelfPurchases, RefuseSelfPurchases: t.RefuseSelfPurchases,
		TimeZone: t.TimeZone, MaxShareBP: t.MaxShareBP, Floors: t.Floors,
	}
	var errs []error
	for _, h := range t.ProductHolds {
		id, err := fieldID(ident.Product, "body.terms.product_holds", h.ProductID)
		errs = append(errs, err)
		out.ProductHolds = append(out.ProductHolds, catalog.ProductHold{ProductID: id, Days: h.Days})
	}
	return out, invalidAll(errs...)
}

func termsBody(t catalog.Terms) ProgramTerms {
	out := ProgramTerms{
		Precedence: t.Precedence, Bind: t.Bind, BindDays: t.BindDays, Lifetime: t.Lifetime, SelfPurchases: t.SelfPurchases, RefuseSelfPurchases: t.RefuseSelfPurchases,
		TimeZone: t.TimeZone, MaxShareBP: t.MaxShareBP, Floors: t.Floors,
	}
	for _, h := range t.ProductHolds {
		out.ProductHolds = append(out.ProductHolds, ProductHold{ProductID: ident.Format(ident.Product, h.ProductID), Days: h.Days})
	}
	return out
}

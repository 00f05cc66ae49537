package api

import (
	"context"
	"net/http"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/payout"
	"github.com/edgeref/edgeref/wire/ident"
)

// PayoutMethod is where an affiliate is paid in one currency. The account is shown masked only.
type PayoutMethod struct {
	ID            string      `json:"id" example:"pmd_01J8Z0QK5T2VG"`
	AffiliateID   string      `json:"affiliate_id" example:"aff_01J8Z0QK5T2VG"`
	Currency      string      `json:"currency" example:"INR"`
	Kind          payout.Kind `json:"kind" enum:"bank_in,iban,upi,paypal" example:"bank_in"`
	Country       string      `json:"country" example:"IN" doc:"Of the account; empty where that cannot be told"`
	Account       string      `json:"account" example:"HDFC0001234 ****6789"`
	InUse         bool        `json:"in_use"`
	FrozenUntil   Time        `json:"frozen_until" doc:"Nothing is paid to it before"`
	Shared        bool        `json:"shared" doc:"Another affiliate uses the same account"`
	SharedAllowed bool        `json:"shared_allowed" doc:"Finance lets it be paid all the same"`
	CreatedAt     Time        `json:"created_at"`
	EndedAt       *Time       `json:"ended_at" nullable:"true"`
}

// OwnPayoutMethod is a PayoutMethod as its affiliate sees it: it does not tell of others.
type OwnPayoutMethod struct {
	ID          string      `json:"id" example:"pmd_01J8Z0QK5T2VG"`
	Currency    string      `json:"currency" example:"INR"`
	Kind        payout.Kind `json:"kind" enum:"bank_in,iban,upi,paypal" example:"bank_in"`
	Account     string      `json:"account" example:"HDFC0001234 ****6789"`
	InUse       bool        `json:"in_use"`
	FrozenUntil Time        `json:"frozen_until" doc:"Nothing is paid to it before"`
	CreatedAt   Time        `json:"created_at"`
	EndedAt     *Time       `json:"ended_at" nullable:"true"`
}

// PayoutMethodRequest names an account.
type PayoutMethodRequest struct {
	Currency string      `json:"currency" minLength:"3" maxLength:"3" example:"INR"`
	Kind     payout.Kind `json:"kind" enum:"bank_in,iban,upi,paypal" example:"bank_in"`
	Holder   string      `json:"holder" minLength:"1" maxLength:"120" example:"Asha Rao" doc:"Whose account it is"`
	Account  string      `json:"account" minLength:"1" maxLength:"127" example:"50100123456789" doc:"Account number, IBAN, UPI id or e-mail address"`
	IFSC     string      `json:"ifsc,omitempty" maxLength:"20" example:"HDFC0001234" doc:"Of a bank account in India"`
}

// TaxProfile is what is known of an affiliate for tax.
type TaxProfile struct {
	Country string `json:"country" example:"IN" doc:"Empty: nothing is known"`
	TaxID   string `json:"tax_id" example:"AB****4L" doc:"Masked; empty: none was given"`
}

// TaxProfileRequest says where somebody pays tax.
type TaxProfileRequest struct {
	Country string `json:"country" minLength:"2" maxLength:"2" example:"IN"`
	TaxID   string `json:"tax_id,omitempty" maxLength:"40" example:"ABCPK1234L" doc:"In India a PAN. Absent: none"`
}

// PayoutMethodPath names one method.
type PayoutMethodPath struct {
	ID string `path:"id" example:"pmd_01J8Z0QK5T2VG"`
}

type (
	payoutMethodOutput struct{ Body PayoutMethod }
	ownMethodOutput    struct{ Body OwnPayoutMethod }
	taxProfileOutput   struct{ Body TaxProfile }
)

type payoutMethodList struct {
	ListInput
	AffiliateID string `query:"affiliate_id" example:"aff_01J8Z0QK5T2VG"`
	InUse       bool   `query:"in_use" doc:"Only those in use"`
}

func payoutMethods(a *API, s *payout.Service) {
	handle(a, operation{
		id: "list-payout-methods", method: http.MethodGet, path: "/payout-methods", tag: "Payouts", scope: access.PayoutsRead,
		summary: "List payout methods", about: "The newest first, masked.", errors: []int{http.StatusBadRequest},
	}, func(ctx context.Context, in *payoutMethodList) (*listOutput[PayoutMethod], error) {
		before, err := in.after(ident.PayoutMethod)
		if err != nil {
			return nil, err
		}
		affiliate, err := fieldID(ident.Affiliate, "query.affiliate_id", in.AffiliateID)
		if err != nil {
			return nil, err
		}
		rows, err := s.Methods(ctx, payout.MethodFilter{AffiliateID: affiliate, InUse: in.InUse, Before: before, Limit: in.Limit + 1})
		if err != nil {
			return nil, err
		}
		return page(ident.PayoutMethod, in.Limit, rows, func(m payout.Method) int64 { return m.ID }, payoutMethodBody), nil
	})
	handle(a, operation{
		id: "share-payout-method", method: http.MethodPost, path: "/payout-methods/{id}/shared", tag: "Payouts", scope: access.PayoutsWrite, secondFactor: true,
		summary: "Let an account be that of two affiliates", about: "Otherwise neither of them is paid.", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *struct {
		PayoutMethodPath
		Body struct {
			Allowed bool   `json:"allowed" example:"true"`
			Reason  string `json:"reason" minLength:"1" maxLength:"128" example:"they are married"`
		}
	}) (*payoutMethodOutput, error) {
		id, err := pathID(ident.PayoutMethod, in.ID)
		if err != nil {
			return nil, err
		}
		out := &payoutMethodOutput{}
		_, err = s.AllowShared(ctx, id, in.Body.Allowed, in.Body.Reason, func(tx *db.Tx, m payout.Method) error {
			out.Body = payoutMethodBody(m)
			return record(ctx, tx, http.StatusOK, out.Body)
		})
		return out, payoutProblem(err)
	})
	handle(a, operation{
		id: "get-tax-profile", method: http.MethodGet, path: "/affiliates/{id}/tax-profile", tag: "Payouts", scope: access.PayoutsRead,
		summary: "Get what is known of an affiliate for tax", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *AffiliatePath) (*taxProfileOutput, error) {
		id, err := pathID(ident.Affiliate, in.ID)
		if err != nil {
			return nil, err
		}
		p, err := s.TaxProfileOf(ctx, id)
		return &taxProfileOutput{TaxProfile{p.Country, p.Masked}}, err
	})
}

func ownMethods(a *API, s *payout.Service) {
	handle(a, operation{
		id: "list-own-payout-methods", method: http.MethodGet, path: "/me/affiliate/payout-methods", tag: "My payouts", scope: access.AffiliateSelf,
		summary: "List where you are paid", about: "The newest first, masked.", errors: []int{http.StatusBadRequest, http.StatusNotFound},
	}, func(ctx context.Context, in *ListInput) (*listOutput[OwnPayoutMethod], error) {
		affiliate, err := affiliateOf(ctx)
		if err != nil {
			return nil, err
		}
		before, err := in.after(ident.PayoutMethod)
		if err != nil {
			return nil, err
		}
		rows, err := s.Methods(ctx, payout.MethodFilter{AffiliateID: affiliate, Before: before, Limit: in.Limit + 1})
		if err != nil {
			return nil, err
		}
		return page(ident.PayoutMethod, in.Limit, rows, func(m payout.Method) int64 { return m.ID }, ownMethodBody), nil
	})
	handle(a, operation{
		id: "set-own-payout-method", method: http.MethodPost, path: "/me/affiliate/payout-methods", tag: "My payouts", scope: access.AffiliateSelf, secondFactor: true,
		status: http.StatusCreated, summary: "Say where you are paid",
		about:  "Takes the place of the account in use for that currency. Nothing is paid to a new account for some days, and you get a mail.",
		errors: []int{http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, in *struct{ Body PayoutMethodRequest }) (*ownMethodOutput, error) {
		affiliate, err := affiliateOf(ctx)
		if err != nil {
			return nil, err
		}
		out := &ownMethodOutput{}
		to := payout.Destination{Kind: in.Body.Kind, Holder: in.Body.Holder, Account: in.Body.Account, IFSC: in.Body.IFSC}
		_, err = s.SetMethod(ctx, affiliate, in.Body.Currency, to, func(tx *db.Tx, m payout.Method) error {
			out.Body = ownMethodBody(m)
			return record(ctx, tx, http.StatusCreated, out.Body)
		})
		return out, payoutProblem(err)
	})
	handle(a, operation{
		id: "remove-own-payout-method", method: http.MethodDelete, path: "/me/affiliate/payout-methods/{id}", tag: "My payouts", scope: access.AffiliateSelf,
		secondFactor: true, status: http.StatusNoContent, summary: "Remove an account", about: "Nothing is paid in its currency until you name another.",
		errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *PayoutMethodPath) (*struct{}, error) {
		affiliate, err1 := affiliateOf(ctx)
		id, err2 := pathID(ident.PayoutMethod, in.ID)
		if err := firstOf(err1, err2); err != nil {
			return nil, err
		}
		return nil, s.RemoveMethod(ctx, affiliate, id)
	})
}

func ownTaxProfile(a *API, s *payout.Service) {
	handle(a, operation{
		id: "get-own-tax-profile", method: http.MethodGet, path: "/me/affiliate/tax-profile", tag: "My payouts", scope: access.AffiliateSelf,
		summary: "Get what we know of you for tax", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, _ *struct{}) (*taxProfileOutput, error) {
		affiliate, err := affiliateOf(ctx)
		if err != nil {
			return nil, err
		}
		p, err := s.TaxProfileOf(ctx, affiliate)
		return &taxProfileOutput{TaxProfile{p.Country, p.Masked}}, err
	})
	handle(a, operation{
		id: "set-own-tax-profile", method: http.MethodPut, path: "/me/affiliate/tax-profile", tag: "My payouts", scope: access.AffiliateSelf, secondFactor: true,
		summary: "Say where you pay tax", about: "With your tax identity there; in India a PAN. Without one, more tax may be withheld.", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *struct{ Body TaxProfileRequest }) (*taxProfileOutput, error) {
		affiliate, err := affiliateOf(ctx)
		if err != nil {
			return nil, err
		}
		p, err := s.SetTaxProfile(ctx, affiliate, in.Body.Country, in.Body.TaxID, nil)
		return &taxProfileOutput{TaxProfile{p.Country, p.Masked}}, payoutProblem(err)
	})
}

func ownPayouts(a *API, s *payout.Service) {
	handle(a, operation{
		id: "list-own-payouts", method: http.MethodGet, path: "/me/affiliate/payouts", tag: "My payouts", scope: access.AffiliateSelf,
		summary: "List your payouts", about: "The newest first.", errors: []int{http.StatusBadRequest, http.StatusNotFound},
	}, func(ctx context.Context, in *struct {
		ListInput
		PeriodInput
		State string `query:"state" enum:"reserved,sending,sent,paid,failed,returned,cancelled"`
	}) (*listOutput[Payout], error) {
		affiliate, err := affiliateOf(ctx)
		if err != nil {
			return nil, err
		}
		since, before, err := in.between(ident.Payout, in.PeriodInput)
		if err != nil {
			return nil, err
		}
		rows, err := s.Payouts(ctx, payout.Filter{AffiliateID: affiliate, State: payout.State(in.State), Since: since, Before: before, Limit: in.Limit + 1})
		if err != nil {
			return nil, err
		}
		return page(ident.Payout, in.Limit, rows, func(p payout.Payout) int64 { return p.ID }, payoutBody), nil
	})
	handle(a, operation{
		id: "get-own-payout", method: http.MethodGet, path: "/me/affiliate/payouts/{id}", tag: "My payouts", scope: access.AffiliateSelf,
		summary: "Get one of your payouts", about: "With the commissions that it pays.", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *PayoutPath) (*payoutDetailOutput, error) {
		affiliate, err1 := affiliateOf(ctx)
		id, err2 := pathID(ident.Payout, in.ID)
		if err := firstOf(err1, err2); err != nil {
			return nil, err
		}
		p, err := s.Payout(ctx, id, affiliate)
		p.Attempt = nil // ours to know
		for i := range p.Events {
			p.Events[i].PersonID, p.Events[i].TokenID = 0, 0
		}
		return &payoutDetailOutput{payoutDetailBody(p)}, err
	})
}

// affiliateOf is the affiliate that the person behind a request is; whoever is none finds nothing.
func affiliateOf(ctx context.Context) (int64, error) {
	id := principalOf(ctx).AffiliateID
	if id == 0 {
		return 0, errNoSuch
	}
	return id, nil
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func payoutMethodBody(m payout.Method) PayoutMethod {
	return PayoutMethod{
		ID: ident.Format(ident.PayoutMethod, m.ID), AffiliateID: ident.Format(ident.Affiliate, m.AffiliateID), Currency: m.Currency, Kind: m.Kind, Country: m.Country,
		Account: m.Masked, InUse: m.InUse, FrozenUntil: timeOf(m.FrozenUntil), Shared: m.Shared, SharedAllowed: m.SharedOK,
		CreatedAt: timeOf(m.CreatedAt), EndedAt: timeOrNil(m.EndedAt),
	}
}

func ownMethodBody(m payout.Method) OwnPayoutMethod {
	return OwnPayoutMethod{
		ID: ident.Format(ident.PayoutMethod, m.ID), Currency: m.Currency, Kind: m.Kind, Account: m.Masked, InUse: m.InUse,
		FrozenUntil: timeOf(m.FrozenUntil), CreatedAt: timeOf(m.CreatedAt), EndedAt: timeOrNil(m.EndedAt),
	}
}

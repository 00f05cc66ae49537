package api

import (
	"context"
	"net/http"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/payout"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/money"
)

// Payout is one transfer to one affiliate.
type Payout struct {
	ID          string       `json:"id" example:"pyt_01J8Z0QK5T2VG"`
	BatchID     string       `json:"batch_id" example:"pbt_01J8Z0QK5T2VG"`
	AffiliateID string       `json:"affiliate_id" example:"aff_01J8Z0QK5T2VG"`
	State       payout.State `json:"state" enum:"reserved,sending,sent,paid,failed,returned,cancelled" example:"paid" doc:"sending: whether it reached the provider may be unknown"`
	Gross       money.Amount `json:"gross" doc:"What it took from the payable balance"`
	Tax         money.Amount `json:"tax" doc:"Withheld"`
	Net         money.Amount `json:"net" doc:"What was sent"`
	Account     string       `json:"account" example:"HDFC0001234 ****6789" doc:"Masked"`
	Executor    string       `json:"executor" example:"razorpayx"`
	Reference   string       `json:"reference" example:"HDFCN00000000001" doc:"Of the bank"`
	Reason      string       `json:"reason" example:"" doc:"Why it failed, came back or was cancelled"`
	CreatedAt   Time         `json:"created_at"`
	UpdatedAt   Time         `json:"updated_at"`
	PaidAt      *Time        `json:"paid_at" nullable:"true"`
}

// PayoutItem is what a payout pays of one commission.
type PayoutItem struct {
	CommissionID string       `json:"commission_id" example:"com_01J8Z0QK5T2VG"`
	Amount       money.Amount `json:"amount" doc:"Negative: what a refund took back after an earlier payout"`
}

// PayoutAttempt is what was asked of a provider.
type PayoutAttempt struct {
	Key        string `json:"key" example:"pyt_01J8Z0QK5T2VG" doc:"The idempotency key of every call"`
	ProviderID string `json:"provider_id" example:"pout_00000000000001"`
	Sends      int64  `json:"sends" example:"1" doc:"Calls that may have reached the provider"`
	Lookups    int64  `json:"lookups" example:"2"`
	LastError  string `json:"last_error" example:""`
	SentAt     *Time  `json:"sent_at" nullable:"true"`
}

// PayoutDetail is a payout with all that is known of it.
type PayoutDetail struct {
	Payout
	TaxText string         `json:"tax_text" example:"194H: 2.00 %"`
	Items   []PayoutItem   `json:"items" nullable:"false"`
	Events  []PayoutEvent  `json:"events" nullable:"false"`
	Attempt *PayoutAttempt `json:"attempt,omitempty"`
}

// PayoutPath names one payout.
type PayoutPath struct {
	ID string `path:"id" example:"pyt_01J8Z0QK5T2VG"`
}

// ReferenceRequest names a transfer at the bank.
type ReferenceRequest struct {
	Reference string `json:"reference" minLength:"1" maxLength:"128" example:"HDFCN00000000001" doc:"Of the bank, such as a UTR"`
}

type (
	payoutOutput       struct{ Body Payout }
	payoutDetailOutput struct{ Body PayoutDetail }
)

type payoutList struct {
	ListInput
	BatchID     string `query:"batch_id" example:"pbt_01J8Z0QK5T2VG"`
	AffiliateID string `query:"affiliate_id" example:"aff_01J8Z0QK5T2VG"`
	State       string `query:"state" enum:"reserved,sending,sent,paid,failed,returned,cancelled"`
	PeriodInput
}

// Payouts registers the operations on payouts, their batches and methods.
func Payouts(s *payout.Service) Module {
	return func(a *API) {
		payoutBatchReads(a, s)
		payoutBatchChanges(a, s)
		payoutReads(a, s)
		payoutChanges(a, s)
		payoutMethods(a, s)
		payoutReviews(a, s)
		ownPayouts(a, s)
		ownMethods(a, s)
		ownTaxProfile(a, s)
		ownOutlook(a, s)
		payoutRequests(a, s)
		ownRequests(a, s)
	}
}

func payoutReads(a *API, s *payout.Service) {
	handle(a, operation{
		id: "list-payouts", method: http.MethodGet, path: "/payouts", tag: "Payouts", scope: access.PayoutsRead,
		summary: "List payouts", about: "The newest first.", errors: []int{http.StatusBadRequest},
	}, func(ctx context.Context, in *payoutList) (*listOutput[Payout], error) {
		since, before, err := in.between(ident.Payout, in.PeriodInput)
		if err != nil {
			return nil, err
		}
		batch, err1 := fieldID(ident.PayoutBatch, "query.batch_id", in.BatchID)
		affiliate, err2 := fieldID(ident.Affiliate, "query.affiliate_id", in.AffiliateID)
		if err := invalidAll(err1, err2); err != nil {
			return nil, err
		}
		rows, err := s.Payouts(ctx, payout.Filter{BatchID: batch, AffiliateID: affiliate, State: payout.State(in.State), Since: since, Before: before, Limit: in.Limit + 1})
		if err != nil {
			return nil, err
		}
		return page(ident.Payout, in.Limit, rows, func(p payout.Payout) int64 { return p.ID }, payoutBody), nil
	})
	handle(a, operation{
		id: "get-payout", method: http.MethodGet, path: "/payouts/{id}", tag: "Payouts", scope: access.PayoutsRead,
		summary: "Get a payout", about: "With the commissions that it pays, what happened to it, and the attempt.", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *PayoutPath) (*payoutDetailOutput, error) {
		id, err := pathID(ident.Payout, in.ID)
		if err != nil {
			return nil, err
		}
		p, err := s.Payout(ctx, id, 0)
		return &payoutDetailOutput{payoutDetailBody(p)}, err
	})
}

func payoutChanges(a *API, s *payout.Service) {
	byHand := func(op operation, change func(ctx context.Context, id int64, reason string, then func(*db.Tx, payout.Payout) error) (payout.Payout, error)) {
		op.method, op.tag, op.errors = http.MethodPost, "Payouts", []int{http.StatusNotFound, http.StatusConflict}
		handle(a, op, func(ctx context.Context, in *struct {
			PayoutPath
			Body ReasonRequest
		}) (*payoutOutput, error) {
			return changePayout(ctx, in.ID, in.Body.Reason, change)
		})
	}
	handle(a, operation{
		id: "settle-payout", method: http.MethodPost, path: "/payouts/{id}/settle", tag: "Payouts", scope: access.PayoutsWrite, secondFactor: true,
		summary: "Say that a payout arrived", about: "Of one that was transferred by hand or by bank file, with the reference of the bank. Providers are asked, not people: " +
			"of theirs only one whose outcome stayed unknown for a day.",
		errors: []int{http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, in *struct {
		PayoutPath
		Body ReferenceRequest
	}) (*payoutOutput, error) {
		return changePayout(ctx, in.ID, in.Body.Reference, s.Settle)
	})
	byHand(operation{
		id: "fail-payout", path: "/payouts/{id}/fail", scope: access.PayoutsApprove, secondFactor: true, needsPerson: true, summary: "Say that a payout did not arrive",
		about: "And will not: what it held is payable again, so make sure. Providers are asked, not people, as for settle.",
	}, s.Fail)
	byHand(operation{
		id: "return-payout", path: "/payouts/{id}/return", scope: access.PayoutsWrite, secondFactor: true, summary: "Say that a payout came back",
		about: "After it had arrived. What was sent and the tax withheld from it are payable again.",
	}, s.Return)
	byHand(operation{
		id: "cancel-payout", path: "/payouts/{id}/cancel", scope: access.PayoutsWrite, summary: "Cancel a payout",
		about: "One that was not sent yet. Others of its batch stay.",
	}, s.CancelPayout)
}

func changePayout(ctx context.Context, path, text string, change func(context.Context, int64, string, func(*db.Tx, payout.Payout) error) (payout.Payout, error)) (*payoutOutput, error) {
	id, err := pathID(ident.Payout, path)
	if err != nil {
		return nil, err
	}
	out := &payoutOutput{}
	_, err = change(ctx, id, text, func(tx *db.Tx, p payout.Payout) error {
		out.Body = payoutBody(p)
		return record(ctx, tx, http.StatusOK, out.Body)
	})
	return out, payoutProblem(err)
}

func payoutReviews(a *API, s *payout.Service) {
	handle(a, operation{
		id: "review-payouts", method: http.MethodPost, path: "/affiliates/{id}/payout-reviews", tag: "Payouts", scope: access.PayoutsWrite, needsPerson: true,
		status: http.StatusNoContent, summary: "Say that a balance below the floor was looked at",
		about:  "Payouts to the affiliate go on, until the balance falls below the floor and below what it is now.",
		errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *struct {
		AffiliatePath
		Body struct {
			Currency string `json:"currency" minLength:"3" maxLength:"3" example:"INR"`
			Reason   string `json:"reason" minLength:"1" maxLength:"128" example:"agreed by phone"`
		}
	}) (*struct{}, error) {
		id, err := pathID(ident.Affiliate, in.ID)
		if err != nil {
			return nil, err
		}
		err = s.Review(ctx, id, in.Body.Currency, in.Body.Reason, func(tx *db.Tx) error { return record(ctx, tx, http.StatusNoContent, nil) })
		return nil, payoutProblem(err)
	})
}

func payoutBody(p payout.Payout) Payout {
	amount := func(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: p.Currency} }
	return Payout{
		ID: ident.Format(ident.Payout, p.ID), BatchID: ident.Format(ident.PayoutBatch, p.BatchID), AffiliateID: ident.Format(ident.Affiliate, p.AffiliateID),
		State: p.State, Gross: amount(p.Gross), Tax: amount(p.Tax), Net: amount(p.Net), Account: p.Masked, Executor: p.Executor, Reference: p.Reference,
		Reason: p.Reason, CreatedAt: timeOf(p.CreatedAt), UpdatedAt: timeOf(p.UpdatedAt), PaidAt: timeOrNil(p.PaidAt),
	}
}

func payoutDetailBody(p payout.Payout) PayoutDetail {
	out := PayoutDetail{Payout: payoutBody(p), TaxText: p.TaxText(), Items: make([]PayoutItem, 0, len(p.Items)), Events: make([]PayoutEvent, 0, len(p.Events))}
	for _, i := range p.Items {
		out.Items = append(out.Items, PayoutItem{CommissionID: ident.Format(ident.Commission, i.CommissionID), Amount: money.Amount{Minor: i.Minor, Currency: p.Currency}})
	}
	for _, e := range p.Events {
		out.Events = append(out.Events, payoutEventBody(e))
	}
	if t := p.Attempt; t != nil {
		out.Attempt = &PayoutAttempt{
			Key: t.Key, ProviderID: t.ProviderID, Sends: t.Sends, Lookups: t.Lookups, LastError: t.LastError, SentAt: timeOrNil(t.SentAt),
		}
	}
	return out
}

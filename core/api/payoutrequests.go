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

// OwnPayoutRequest is a request to be paid, as its affiliate sees it.
type OwnPayoutRequest struct {
	ID        string              `json:"id" example:"prq_01J8Z0QK5T2VG"`
	Currency  string              `json:"currency" example:"INR"`
	State     payout.RequestState `json:"state" enum:"waiting,taken,withdrawn,declined" example:"waiting" doc:"taken: a payout answers it. It waits again if that payout is cancelled before it was sent"`
	Gross     money.Amount        `json:"gross" doc:"What a payout would have taken from the balance when it was asked for"`
	Net       money.Amount        `json:"net" doc:"What it would have sent"`
	PayoutID  string              `json:"payout_id" example:"pyt_01J8Z0QK5T2VG" doc:"The payout that answers it; empty: none does"`
	Reason    string              `json:"reason" example:"" doc:"Why it was declined, or closed"`
	CreatedAt Time                `json:"created_at"`
	UpdatedAt Time                `json:"updated_at"`
}

// PayoutProspect is what a batch made now would pay to who asks.
type PayoutProspect struct {
	Payable money.Amount   `json:"payable" doc:"The balance"`
	Gross   money.Amount   `json:"gross" doc:"What a payout would take from it"`
	Tax     money.Amount   `json:"tax" doc:"What would be withheld"`
	Net     money.Amount   `json:"net" doc:"What would be sent"`
	Account string         `json:"account" example:"HDFC0001234 ****6789" doc:"Masked; empty: there is no payout method"`
	Ready   bool           `json:"ready" doc:"Nothing stands against paying"`
	Reasons []PayoutReason `json:"reasons" nullable:"false"`
}

// PayoutRequest is a request of an affiliate to be paid.
type PayoutRequest struct {
	OwnPayoutRequest
	AffiliateID string          `json:"affiliate_id" example:"aff_01J8Z0QK5T2VG"`
	BatchID     string          `json:"batch_id" example:"pbt_01J8Z0QK5T2VG" doc:"The batch of the payout that answers it; empty: none does"`
	ChangedBy   string          `json:"changed_by" example:"per_01J8Z0QK5T2VG" doc:"The person, or the token of a machine, who changed it last; empty: the system"`
	Prospect    *PayoutProspect `json:"prospect,omitempty" doc:"Of one that waits, where it was asked for"`
}

// PayoutRequestRequest asks to be paid.
type PayoutRequestRequest struct {
	Currency string `json:"currency" minLength:"3" maxLength:"3" example:"INR"`
}

// PayoutRequestPath names one request.
type PayoutRequestPath struct {
	ID string `path:"id" example:"prq_01J8Z0QK5T2VG"`
}

type (
	payoutRequestOutput struct{ Body PayoutRequest }
	ownRequestOutput    struct{ Body OwnPayoutRequest }
)

type ownRequestList struct {
	ListInput
	PeriodInput
	State string `query:"state" enum:"waiting,taken,withdrawn,declined"`
}

type payoutRequestList struct {
	ListInput
	PeriodInput
	AffiliateID string `query:"affiliate_id" example:"aff_01J8Z0QK5T2VG"`
	State       string `query:"state" enum:"waiting,taken,withdrawn,declined"`
	Currency    string `query:"currency" maxLength:"3" example:"INR"`
	Prospects   bool   `query:"prospects" doc:"With what a batch made now would pay to those who wait"`
}

func payoutRequests(a *API, s *payout.Service) {
	handle(a, operation{
		id: "list-payout-requests", method: http.MethodGet, path: "/payout-requests", tag: "Payouts", scope: access.PayoutsRead,
		summary: "List requests for payouts", about: "The newest first. A request reserves nothing: make a batch of those who asked with `requested_only`.",
		errors: []int{http.StatusBadRequest},
	}, func(ctx context.Context, in *payoutRequestList) (*listOutput[PayoutRequest], error) {
		since, before, err := in.between(ident.PayoutRequest, in.PeriodInput)
		if err != nil {
			return nil, err
		}
		affiliate, err := fieldID(ident.Affiliate, "query.affiliate_id", in.AffiliateID)
		if err != nil {
			return nil, err
		}
		rows, err := s.Requests(ctx, payout.RequestFilter{
			AffiliateID: affiliate, State: payout.RequestState(in.State), Currency: in.Currency, Since: since, Before: before, Limit: in.Limit + 1,
		})
		if err != nil {
			return nil, err
		}
		var prospects map[int64]payout.Candidate
		if in.Prospects {
			if prospects, err = s.Prospects(ctx, rows[:min(in.Limit, len(rows))]); err != nil {
				return nil, err
			}
		}
		return page(ident.PayoutRequest, in.Limit, rows, func(r payout.Request) int64 { return r.ID }, func(r payout.Request) PayoutRequest {
			out := payoutRequestBody(r)
			if c, ok := prospects[r.ID]; ok {
				out.Prospect = prospectBody(r.Currency, &c)
			}
			return out
		}), nil
	})
	handle(a, operation{
		id: "decline-payout-request", method: http.MethodPost, path: "/payout-requests/{id}/decline", tag: "Payouts", scope: access.PayoutsWrite,
		summary: "Decline a request for a payout", about: "One that waits. The affiliate sees the reason and gets it by mail; the balance stays as it is.",
		errors: []int{http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, in *struct {
		PayoutRequestPath
		Body ReasonRequest
	}) (*payoutRequestOutput, error) {
		id, err := pathID(ident.PayoutRequest, in.ID)
		if err != nil {
			return nil, err
		}
		out := &payoutRequestOutput{}
		_, err = s.Decline(ctx, id, in.Body.Reason, func(tx *db.Tx, r payout.Request) error {
			out.Body = payoutRequestBody(r)
			return record(ctx, tx, http.StatusOK, out.Body)
		})
		return out, payoutProblem(err)
	})
}

func ownRequests(a *API, s *payout.Service) {
	handle(a, operation{
		id: "list-own-payout-requests", method: http.MethodGet, path: "/me/affiliate/payout-requests", tag: "My payouts", scope: access.AffiliateSelf,
		summary: "List your requests to be paid", about: "The newest first.", errors: []int{http.StatusBadRequest, http.StatusNotFound},
	}, func(ctx context.Context, in *ownRequestList) (*listOutput[OwnPayoutRequest], error) {
		affiliate, err := affiliateOf(ctx)
		if err != nil {
			return nil, err
		}
		since, before, err := in.between(ident.PayoutRequest, in.PeriodInput)
		if err != nil {
			return nil, err
		}
		rows, err := s.Requests(ctx, payout.RequestFilter{AffiliateID: affiliate, State: payout.RequestState(in.State), Since: since, Before: before, Limit: in.Limit + 1})
		if err != nil {
			return nil, err
		}
		return page(ident.PayoutRequest, in.Limit, rows, func(r payout.Request) int64 { return r.ID }, ownRequestBody), nil
	})
	handle(a, operation{
		id: "request-own-payout", method: http.MethodPost, path: "/me/affiliate/payout-requests", tag: "My payouts", scope: access.AffiliateSelf,
		status: http.StatusCreated, summary: "Ask to be paid",
		about: "One request waits for each currency, until it becomes part of a batch, or is declined. It reserves nothing: what is payable when the batch is made is paid. Refused with " +
			"`payout_requested` where one waits, `nothing_payable`, `below_minimum`, `no_payable_method` (none, one that is frozen, or of a kind to which nothing is sent), " +
			"`payouts_held` (documents, tax or a review are missing), `affiliate_inactive`, and `too_many_payout_requests` after 20 in 24 hours.",
		errors: []int{http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, in *struct{ Body PayoutRequestRequest }) (*ownRequestOutput, error) {
		affiliate, err := affiliateOf(ctx)
		if err != nil {
			return nil, err
		}
		out := &ownRequestOutput{}
		_, err = s.Request(ctx, affiliate, in.Body.Currency, func(tx *db.Tx, r payout.Request) error {
			out.Body = ownRequestBody(r)
			return record(ctx, tx, http.StatusCreated, out.Body)
		})
		return out, payoutProblem(err)
	})
	handle(a, operation{
		id: "withdraw-own-payout-request", method: http.MethodPost, path: "/me/affiliate/payout-requests/{id}/withdraw", tag: "My payouts", scope: access.AffiliateSelf,
		summary: "Take a request to be paid back", about: "One that waits. Batches that are made of everybody pay you all the same.",
		errors: []int{http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, in *PayoutRequestPath) (*ownRequestOutput, error) {
		affiliate, err1 := affiliateOf(ctx)
		id, err2 := pathID(ident.PayoutRequest, in.ID)
		if err := firstOf(err1, err2); err != nil {
			return nil, err
		}
		out := &ownRequestOutput{}
		_, err := s.Withdraw(ctx, affiliate, id, func(tx *db.Tx, r payout.Request) error {
			out.Body = ownRequestBody(r)
			return record(ctx, tx, http.StatusOK, out.Body)
		})
		return out, err
	})
}

func ownRequestBody(r payout.Request) OwnPayoutRequest {
	amount := func(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: r.Currency} }
	return OwnPayoutRequest{
		ID: ident.Format(ident.PayoutRequest, r.ID), Currency: r.Currency, State: r.State, Gross: amount(r.Gross), Net: amount(r.Net),
		PayoutID: identOrNone(ident.Payout, r.PayoutID), Reason: r.Reason, CreatedAt: timeOf(r.CreatedAt), UpdatedAt: timeOf(r.UpdatedAt),
	}
}

func payoutRequestBody(r payout.Request) PayoutRequest {
	return PayoutRequest{
		OwnPayoutRequest: ownRequestBody(r), AffiliateID: ident.Format(ident.Affiliate, r.AffiliateID), BatchID: identOrNone(ident.PayoutBatch, r.BatchID),
		ChangedBy: actorID(r.DecidedBy, r.DecidedToken),
	}
}

func prospectBody(currency string, c *payout.Candidate) *PayoutProspect {
	amount := func(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: currency} }
	out := &PayoutProspect{Payable: amount(c.Balance), Gross: amount(c.Gross), Tax: amount(c.Tax), Net: amount(c.Net), Ready: c.Ready(), Reasons: reasonBodies(c.Reasons)}
	if c.Method != nil {
		out.Account = c.Method.Masked
	}
	return out
}

func reasonBodies(reasons []payout.Reason) []PayoutReason {
	out := make([]PayoutReason, 0, len(reasons))
	for _, r := range reasons {
		out = append(out, PayoutReason(r))
	}
	return out
}

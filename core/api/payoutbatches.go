package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/payout"
	"github.com/edgeref/edgeref/core/tax"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/money"
)

// PayoutSelection says whom a batch is for.
type PayoutSelection struct {
	Currency      string   `json:"currency" minLength:"3" maxLength:"3" example:"INR"`
	Executor      string   `json:"executor" minLength:"1" maxLength:"16" example:"bank_file" doc:"bank_file, manual, or a provider that is configured, as razorpayx"`
	AffiliateIDs  []string `json:"affiliate_ids,omitempty" maxItems:"500" nullable:"false" example:"[\"aff_01J8Z0QK5T2VG\"]" doc:"Absent: everybody with a balance"`
	RequestedOnly bool     `json:"requested_only,omitempty" example:"false" doc:"Only those whose request to be paid waits"`
}

// PayoutReason is why somebody is not paid.
type PayoutReason struct {
	Code   string `json:"code" example:"below_minimum" doc:"on_hold, negative_balance, below_minimum, review_needed, unexplained_balance, affiliate_suspended, method_missing, method_frozen, method_unsupported, shared_account, kyc_missing, tax_rule_missing or tax_exceeds_payout"`
	Detail string `json:"detail" example:"the minimum is 500.00 INR"`
}

// PayoutCandidate is somebody with a balance.
type PayoutCandidate struct {
	AffiliateID string         `json:"affiliate_id" example:"aff_01J8Z0QK5T2VG"`
	Name        string         `json:"name" example:"Asha Rao"`
	Pending     money.Amount   `json:"pending" doc:"On hold"`
	Payable     money.Amount   `json:"payable" doc:"The balance; negative: owed by the affiliate"`
	Gross       money.Amount   `json:"gross" doc:"What a payout would take from the balance"`
	Tax         money.Amount   `json:"tax" doc:"What would be withheld"`
	TaxText     string         `json:"tax_text" example:"194H: 2.00 %"`
	Net         money.Amount   `json:"net" doc:"What would be sent"`
	Account     string         `json:"account" example:"HDFC0001234 ****6789" doc:"Masked; empty: there is no payout method"`
	RequestedAt *Time          `json:"requested_at" nullable:"true" doc:"When the request was made that waits; null: there is none"`
	Ready       bool           `json:"ready" doc:"Nothing stands against paying"`
	Reasons     []PayoutReason `json:"reasons" nullable:"false"`
}

// PayoutPreview is what a batch would be.
type PayoutPreview struct {
	Payouts       int               `json:"payouts" example:"12"`
	Gross         money.Amount      `json:"gross"`
	Tax           money.Amount      `json:"tax"`
	Net           money.Amount      `json:"net"`
	Candidates    []PayoutCandidate `json:"candidates" nullable:"false"`
	More          bool              `json:"more" doc:"There are more candidates than were looked at"`
	Requests      int               `json:"requests" example:"5" doc:"Requests in the currency that wait"`
	RequestsReady int               `json:"requests_ready" example:"4" doc:"Of those, how many can be paid"`
}

// PayoutBatchRequest asks for a batch.
type PayoutBatchRequest struct {
	PayoutSelection
	Note string `json:"note,omitempty" maxLength:"128" example:"May 2026"`
}

// PayoutApproval is one person's word.
type PayoutApproval struct {
	PersonID  string       `json:"person_id" example:"per_01J8Z0QK5T2VG"`
	Net       money.Amount `json:"net" doc:"As the person saw it"`
	Payouts   int64        `json:"payouts" example:"12"`
	CreatedAt Time         `json:"created_at"`
}

// PayoutBatch is a set of payouts. Its sums leave out what was cancelled.
type PayoutBatch struct {
	ID              string                 `json:"id" example:"pbt_01J8Z0QK5T2VG"`
	Currency        string                 `json:"currency" example:"INR"`
	Executor        string                 `json:"executor" example:"bank_file"`
	State           payout.BatchState      `json:"state" enum:"created,approved,executing,completed,cancelled" example:"created"`
	Note            string                 `json:"note" example:"May 2026"`
	Payouts         int64                  `json:"payouts" example:"12"`
	Gross           money.Amount           `json:"gross"`
	Tax             money.Amount           `json:"tax"`
	Net             money.Amount           `json:"net"`
	ByState         map[payout.State]int64 `json:"by_state" doc:"How many payouts are in which state"`
	CreatedBy       string                 `json:"created_by" example:"per_01J8Z0QK5T2VG" doc:"The person, or the token of a machine"`
	ApprovalsNeeded int64                  `json:"approvals_needed" example:"1"`
	Approvals       []PayoutApproval       `json:"approvals" nullable:"false"`
	FileSHA256      string                 `json:"file_sha256" example:"" doc:"Of the bank file; empty: it was not downloaded"`
	FileAt          *Time                  `json:"file_at" nullable:"true"`
	FileDownloads   int64                  `json:"file_downloads" example:"0"`
	CreatedAt       Time                   `json:"created_at"`
	UpdatedAt       Time                   `json:"updated_at"`
}

// PayoutBatchPath names one batch.
type PayoutBatchPath struct {
	ID string `path:"id" example:"pbt_01J8Z0QK5T2VG"`
}

// PayoutSeen is what an approver has seen.
type PayoutSeen struct {
	Payouts int64        `json:"payouts" example:"12"`
	Net     money.Amount `json:"net" doc:"Both must be as the batch has them"`
}

// ReasonRequest says why.
type ReasonRequest struct {
	Reason string `json:"reason" minLength:"1" maxLength:"128" example:"the bank refused the file"`
}

// PayoutFile is a bank file.
type PayoutFile struct {
	Name    string       `json:"name" example:"pbt_01J8Z0QK5T2VG.csv"`
	Content string       `json:"content" doc:"CSV, lines end with CR LF; the form is in docs/payouts.md"`
	SHA256  string       `json:"sha256" doc:"Of the content, hexadecimal"`
	Rows    int64        `json:"rows" example:"12"`
	Total   money.Amount `json:"total"`
}

// PayoutEvent is one change of state.
type PayoutEvent struct {
	PayoutID  string `json:"payout_id" example:"pyt_01J8Z0QK5T2VG" doc:"Empty: of the batch"`
	From      string `json:"from" example:"sent"`
	To        string `json:"to" example:"paid"`
	Reason    string `json:"reason" example:""`
	By        string `json:"by" example:"per_01J8Z0QK5T2VG" doc:"The person, or the token of a machine; empty: the system"`
	CreatedAt Time   `json:"created_at"`
}

type payoutBatchOutput struct{ Body PayoutBatch }

type payoutBatchList struct {
	ListInput
	State    string `query:"state" enum:"created,approved,executing,completed,cancelled"`
	Currency string `query:"currency" maxLength:"3" example:"INR"`
	PeriodInput
}

func payoutBatchReads(a *API, s *payout.Service) {
	handle(a, operation{
		id: "preview-payout-batch", method: http.MethodPost, path: "/payout-batches/preview", tag: "Payouts", scope: access.PayoutsRead, unaudited: "it changes nothing",
		summary: "Preview a batch", about: "Everybody with a balance in the currency: what would be paid, and everything that stands against it; who asked for it, and how many requests wait.",
	}, func(ctx context.Context, in *struct{ Body PayoutSelection }) (*struct{ Body PayoutPreview }, error) {
		sel, err := in.Body.selection()
		if err != nil {
			return nil, err
		}
		p, err := s.Preview(ctx, sel)
		return &struct{ Body PayoutPreview }{previewBody(sel.Currency, p)}, payoutProblem(err)
	})
	handle(a, operation{
		id: "list-payout-batches", method: http.MethodGet, path: "/payout-batches", tag: "Payouts", scope: access.PayoutsRead,
		summary: "List batches", about: "The newest first.", errors: []int{http.StatusBadRequest},
	}, func(ctx context.Context, in *payoutBatchList) (*listOutput[PayoutBatch], error) {
		since, before, err := in.between(ident.PayoutBatch, in.PeriodInput)
		if err != nil {
			return nil, err
		}
		rows, err := s.Batches(ctx, payout.BatchFilter{State: payout.BatchState(in.State), Currency: in.Currency, Since: since, Before: before, Limit: in.Limit + 1})
		if err != nil {
			return nil, err
		}
		return page(ident.PayoutBatch, in.Limit, rows, func(b payout.Batch) int64 { return b.ID }, payoutBatchBody), nil
	})
	handle(a, operation{
		id: "get-payout-batch", method: http.MethodGet, path: "/payout-batches/{id}", tag: "Payouts", scope: access.PayoutsRead,
		summary: "Get a batch", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *PayoutBatchPath) (*payoutBatchOutput, error) {
		id, err := pathID(ident.PayoutBatch, in.ID)
		if err != nil {
			return nil, err
		}
		b, err := s.Batch(ctx, id)
		return &payoutBatchOutput{payoutBatchBody(b)}, err
	})
	handle(a, operation{
		id: "list-payout-events", method: http.MethodGet, path: "/payout-batches/{id}/events", tag: "Payouts", scope: access.PayoutsRead,
		summary: "List what happened to a batch and its payouts", about: "The newest first.", errors: []int{http.StatusBadRequest, http.StatusNotFound},
	}, func(ctx context.Context, in *struct {
		PayoutBatchPath
		ListInput
	}) (*listOutput[PayoutEvent], error) {
		id, err := pathID(ident.PayoutBatch, in.ID)
		if err != nil {
			return nil, err
		}
		before, err := in.after("pev")
		if err != nil {
			return nil, err
		}
		rows, err := s.Events(ctx, id, before, in.Limit+1)
		if err != nil {
			return nil, err
		}
		return page("pev", in.Limit, rows, func(e payout.Event) int64 { return e.ID }, payoutEventBody), nil
	})
}

func payoutBatchChanges(a *API, s *payout.Service) {
	handle(a, operation{
		id: "create-payout-batch", method: http.MethodPost, path: "/payout-batches", tag: "Payouts", scope: access.PayoutsWrite, secondFactor: true,
		status: http.StatusCreated, summary: "Create a batch",
		about: "Of everybody in the selection who can be paid, at most 500; the others are left out, as a preview says. Requests that wait for it are taken. The money is reserved at once, " +
			"and leaves after another person has approved (two, where a machine made the batch or its total is above the limit for one).",
		errors: []int{http.StatusConflict},
	}, func(ctx context.Context, in *struct{ Body PayoutBatchRequest }) (*payoutBatchOutput, error) {
		sel, err := in.Body.selection()
		if err != nil {
			return nil, err
		}
		out := &payoutBatchOutput{}
		_, err = s.Create(ctx, sel, in.Body.Note, recordBatch(ctx, out, http.StatusCreated))
		return out, payoutProblem(err)
	})
	handle(a, operation{
		id: "approve-payout-batch", method: http.MethodPost, path: "/payout-batches/{id}/approve", tag: "Payouts", scope: access.PayoutsApprove,
		secondFactor: true, needsPerson: true, summary: "Approve a batch",
		about:  "By another person than its maker, who is not paid by it. What the person saw is sent along, and must be what the batch is.",
		errors: []int{http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, in *struct {
		PayoutBatchPath
		Body PayoutSeen
	}) (*payoutBatchOutput, error) {
		id, err := pathID(ident.PayoutBatch, in.ID)
		if err != nil {
			return nil, err
		}
		b, err := s.Batch(ctx, id)
		if err != nil {
			return nil, err
		}
		if in.Body.Net.Currency != b.Currency {
			return nil, payout.ErrChanged
		}
		out := &payoutBatchOutput{}
		_, err = s.Approve(ctx, id, payout.Seen{Payouts: in.Body.Payouts, Net: in.Body.Net.Minor}, recordBatch(ctx, out, http.StatusOK))
		return out, err
	})
	handle(a, operation{
		id: "cancel-payout-batch", method: http.MethodPost, path: "/payout-batches/{id}/cancel", tag: "Payouts", scope: access.PayoutsWrite,
		summary: "Cancel a batch", about: "All of it that was not sent yet; that is payable again.", errors: []int{http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, in *struct {
		PayoutBatchPath
		Body ReasonRequest
	}) (*payoutBatchOutput, error) {
		id, err := pathID(ident.PayoutBatch, in.ID)
		if err != nil {
			return nil, err
		}
		out := &payoutBatchOutput{}
		_, err = s.Cancel(ctx, id, in.Body.Reason, recordBatch(ctx, out, http.StatusOK))
		return out, payoutProblem(err)
	})
	handle(a, operation{
		id: "make-payout-file", method: http.MethodPost, path: "/payout-batches/{id}/file", tag: "Payouts", scope: access.PayoutsWrite, secondFactor: true,
		summary: "Download the bank file of a batch",
		about: "The first download hands the payouts over: they are sent from then on. Again only with a reason; the content is the same to the byte. " +
			"It holds whole account numbers: keep it no longer than the bank needs it.",
		errors: []int{http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, in *struct {
		PayoutBatchPath
		Body struct {
			Again string `json:"again,omitempty" maxLength:"128" example:"" doc:"Why it is downloaded once more; empty: it never was"`
		}
	}) (*struct{ Body PayoutFile }, error) {
		id, err := pathID(ident.PayoutBatch, in.ID)
		if err != nil {
			return nil, err
		}
		out := &struct{ Body PayoutFile }{}
		_, err = s.BankFile(ctx, id, in.Body.Again, func(tx *db.Tx, f payout.File) error {
			out.Body = PayoutFile{Name: f.Name, Content: string(f.Content), SHA256: f.SHA256, Rows: f.Rows, Total: f.Total}
			return record(ctx, tx, http.StatusOK, out.Body)
		})
		return out, payoutProblem(err)
	})
}

// recordBatch fills out, and stores it under the idempotency key.
func recordBatch(ctx context.Context, out *payoutBatchOutput, status int) func(*db.Tx, payout.Batch) error {
	return func(tx *db.Tx, b payout.Batch) error {
		out.Body = payoutBatchBody(b)
		return record(ctx, tx, status, out.Body)
	}
}

func (in PayoutSelection) selection() (payout.Selection, error) {
	sel := payout.Selection{Currency: in.Currency, Executor: in.Executor, RequestedOnly: in.RequestedOnly}
	for _, text := range in.AffiliateIDs {
		id, err := fieldID(ident.Affiliate, "body.affiliate_ids", text)
		if err != nil {
			return sel, err
		}
		if id != 0 {
			sel.AffiliateIDs = append(sel.AffiliateIDs, id)
		}
	}
	return sel, nil
}

func previewBody(currency string, p payout.Preview) PayoutPreview {
	amount := func(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: currency} }
	out := PayoutPreview{Payouts: p.Payouts, Gross: amount(p.Gross), Tax: amount(p.Tax), Net: amount(p.Net), More: p.More, Requests: p.Requests, RequestsReady: p.RequestsReady, Candidates: make([]PayoutCandidate, 0, len(p.Candidates))}
	for i := range p.Candidates {
		c := &p.Candidates[i]
		body := PayoutCandidate{
			AffiliateID: ident.Format(ident.Affiliate, c.AffiliateID), Name: c.Name, Pending: amount(c.Pending), Payable: amount(c.Balance),
			Gross: amount(c.Gross), Tax: amount(c.Tax), TaxText: c.Withheld.String(), Net: amount(c.Net), Ready: c.Ready(), Reasons: reasonBodies(c.Reasons),
		}
		if c.Method != nil {
			body.Account = c.Method.Masked
		}
		if c.Request != nil {
			body.RequestedAt = timeOrNil(c.Request.CreatedAt)
		}
		out.Candidates = append(out.Candidates, body)
	}
	return out
}

func payoutBatchBody(b payout.Batch) PayoutBatch {
	amount := func(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: b.Currency} }
	out := PayoutBatch{
		ID: ident.Format(ident.PayoutBatch, b.ID), Currency: b.Currency, Executor: b.Executor, State: b.State, Note: b.Note, Payouts: b.Payouts,
		Gross: amount(b.Gross), Tax: amount(b.Tax), Net: amount(b.Net), ByState: b.ByState, CreatedBy: actorID(b.CreatedBy, b.CreatedToken),
		ApprovalsNeeded: b.ApprovalsNeeded, Approvals: []PayoutApproval{}, FileSHA256: b.FileSHA256, FileAt: timeOrNil(b.FileAt),
		FileDownloads: b.FileDownloads, CreatedAt: timeOf(b.CreatedAt), UpdatedAt: timeOf(b.UpdatedAt),
	}
	for _, a := range b.Approvals {
		out.Approvals = append(out.Approvals, PayoutApproval{
			PersonID: ident.Format(ident.Person, a.PersonID), Net: amount(a.Net), Payouts: a.Payouts, CreatedAt: timeOf(a.CreatedAt),
		})
	}
	return out
}

// actorID is the person, or the token of a machine; empty: neither.
func actorID(person, token int64) string {
	if person != 0 {
		return ident.Format(ident.Person, person)
	}
	return identOrNone(ident.Token, token)
}

func payoutEventBody(e payout.Event) PayoutEvent {
	return PayoutEvent{
		PayoutID: identOrNone(ident.Payout, e.PayoutID), From: e.From, To: e.To, Reason: e.Reason, By: actorID(e.PersonID, e.TokenID), CreatedAt: timeOf(e.CreatedAt),
	}
}

// payoutProblem says which field of an input is wrong; other errors stay as they are.
func payoutProblem(err error) error {
	var in *payout.InvalidError
	if errors.As(err, &in) {
		return invalid("body."+in.Field, in.Reason)
	}
	var rule *tax.InvalidError
	if errors.As(err, &rule) {
		return invalid("body."+rule.Field, rule.Reason)
	}
	return err
}

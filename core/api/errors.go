package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"github.com/edgeref/edgeref/core/account"
	"github.com/edgeref/edgeref/core/account/oauth"
	"github.com/edgeref/edgeref/core/account/password"
	"github.com/edgeref/edgeref/core/attribution"
	"github.com/edgeref/edgeref/core/catalog"
	"github.com/edgeref/edgeref/core/commission"
	"github.com/edgeref/edgeref/core/conversion"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/kyc"
	"github.com/edgeref/edgeref/core/ledger"
	"github.com/edgeref/edgeref/core/live"
	"github.com/edgeref/edgeref/core/mail"
	"github.com/edgeref/edgeref/core/material"
	"github.com/edgeref/edgeref/core/payment"
	"github.com/edgeref/edgeref/core/payout"
	"github.com/edgeref/edgeref/core/site"
	"github.com/edgeref/edgeref/core/system"
	"github.com/edgeref/edgeref/core/tax"
	"github.com/edgeref/edgeref/core/token"
	"github.com/edgeref/edgeref/core/webhook"
	wire "github.com/edgeref/edgeref/wire/conversion"
	"github.com/edgeref/edgeref/wire/report"
)

// This file is the one place where errors of the domains become statuses and codes. Codes are part of the API: they
// are never changed, only added to.

// Problem is the body of every error (RFC 9457). Code is stable; title and detail are for people.
type Problem struct {
	Type      string         `json:"type" example:"about:blank" doc:"Always about:blank: the code tells problems apart"`
	Title     string         `json:"title" example:"Not Found"`
	Status    int            `json:"status" example:"404"`
	Code      string         `json:"code" example:"not_found" doc:"Stable name of the problem"`
	Detail    string         `json:"detail" example:"there is no such thing"`
	RequestID string         `json:"request_id,omitempty" doc:"Names this request in the log of the server"`
	Errors    []ProblemField `json:"errors,omitempty" doc:"What is wrong where, if the input is invalid"`
}

// ProblemField is one thing that is wrong with the input. It does not repeat the value, which may be a secret.
type ProblemField struct {
	Location string `json:"location" example:"body.slug"`
	Message  string `json:"message" example:"is taken"`
}

// Error implements error.
func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

// GetStatus implements huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType implements huma.ContentTypeFilter.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// classify gives the status, code and words of an error, or ok false for one that is nobody's business but ours.
func classify(err error) (status int, code, detail string, ok bool) {
	type c struct {
		target error
		status int
		code   string
	}
	for _, c := range []c{
		{errNoSuch, http.StatusNotFound, "not_found"},
		{mail.ErrNotFound, http.StatusNotFound, "not_found"},
		{mail.ErrPending, http.StatusConflict, "mail_pending"},
		{mail.ErrErased, http.StatusConflict, "mail_erased"},
		{mail.ErrNoServer, http.StatusConflict, "no_mail_server"},
		{mail.ErrRecipient, http.StatusUnprocessableEntity, "validation_failed"},
		{account.ErrNotFound, http.StatusNotFound, "not_found"},
		{account.ErrNoSession, http.StatusNotFound, "not_found"},
		{account.ErrCredentials, http.StatusForbidden, "wrong_password"},
		{account.ErrCode, http.StatusForbidden, "wrong_code"},
		{account.ErrEnrolled, http.StatusConflict, "second_factor_exists"},
		{account.ErrNotEnrolled, http.StatusConflict, "no_second_factor"},
		{account.ErrOwnRoles, http.StatusForbidden, "own_roles"},
		{account.ErrOwnerOnly, http.StatusForbidden, "owner_required"},
		{account.ErrStaff, http.StatusForbidden, "owner_required"},
		{account.ErrLastOwner, http.StatusConflict, "last_owner"},
		{account.ErrErased, http.StatusConflict, "person_erased"},
		{account.ErrTaken, http.StatusConflict, "email_taken"},
		{account.ErrCrowded, http.StatusServiceUnavailable, "busy"},
		{password.ErrBusy, http.StatusServiceUnavailable, "busy"},
		{oauth.ErrClientNotFound, http.StatusNotFound, "not_found"},
		{oauth.ErrBuiltIn, http.StatusConflict, "built_in"},
		{errReadOnly, http.StatusForbidden, "read_only"},
		{errNeedsPerson, http.StatusForbidden, "person_required"},
		{errSecondFactor, http.StatusForbidden, "second_factor_required"},
		{errCursor, http.StatusBadRequest, "invalid_cursor"},
		{errKey, http.StatusBadRequest, "invalid_idempotency_key"},
		{errKeyReused, http.StatusUnprocessableEntity, "idempotency_key_reused"},
		{errKeyInProgress, http.StatusConflict, "idempotency_in_progress"},
		{errBodyTooLarge, http.StatusRequestEntityTooLarge, "body_too_large"},
		{catalog.ErrNotFound, http.StatusNotFound, "not_found"},
		{catalog.ErrSuspended, http.StatusForbidden, "affiliate_inactive"},
		{catalog.ErrTooManyLinks, http.StatusConflict, "too_many_links"},
		{catalog.ErrSlugTaken, http.StatusConflict, "slug_taken"},
		{token.ErrNotFound, http.StatusNotFound, "not_found"},
		{token.ErrInvalid, http.StatusUnprocessableEntity, "validation_failed"},
		{conversion.ErrNotFound, http.StatusNotFound, "not_found"},
		{wire.ErrInvalid, http.StatusUnprocessableEntity, "validation_failed"},
		{commission.ErrNotFound, http.StatusNotFound, "not_found"},
		{commission.ErrRuleNotFound, http.StatusNotFound, "not_found"},
		{commission.ErrRuleExists, http.StatusConflict, "rule_exists"},
		{commission.ErrRuleEnded, http.StatusConflict, "rule_ended"},
		{commission.ErrReviewNotFound, http.StatusNotFound, "not_found"},
		{conversion.ErrUpload, http.StatusUnprocessableEntity, "upload_invalid"},
		{conversion.ErrAssignedAlso, http.StatusConflict, "assigned_already"},
		{conversion.ErrAssign, http.StatusUnprocessableEntity, "not_assignable"},
		{attribution.ErrCouponNotFound, http.StatusNotFound, "not_found"},
		{attribution.ErrCouponTaken, http.StatusConflict, "coupon_taken"},
		{attribution.ErrCoupon, http.StatusUnprocessableEntity, "validation_failed"},
		{commission.ErrRule, http.StatusUnprocessableEntity, "validation_failed"},
		{webhook.ErrNotFound, http.StatusNotFound, "not_found"},
		{webhook.ErrDeliveryNotFound, http.StatusNotFound, "not_found"},
		{webhook.ErrNotActive, http.StatusConflict, "webhook_disabled"},
		{payment.ErrNotFound, http.StatusNotFound, "not_found"},
		{payment.ErrNoEvent, http.StatusNotFound, "not_found"},
		{payment.ErrNoComparison, http.StatusNotFound, "not_found"},
		{payment.ErrTooMuch, http.StatusConflict, "exceeds_payment"},
		{payment.ErrRefundTaken, http.StatusConflict, "refund_taken"},
		{payment.ErrEventPending, http.StatusConflict, "event_pending"},
		{payment.ErrNotStray, http.StatusConflict, "payment_not_stray"},
		{webhook.ErrPending, http.StatusConflict, "delivery_pending"},
		{webhook.ErrTooMany, http.StatusConflict, "too_many_webhooks"},
		{payout.ErrNotFound, http.StatusNotFound, "not_found"},
		{payout.ErrNothing, http.StatusConflict, "nothing_to_pay"},
		{payout.ErrState, http.StatusConflict, "payout_state"},
		{payout.ErrNeedsPerson, http.StatusForbidden, "person_required"},
		{payout.ErrSecondFactor, http.StatusForbidden, "second_factor_required"},
		{payout.ErrOwnBatch, http.StatusForbidden, "own_batch"},
		{payout.ErrOwnPayout, http.StatusForbidden, "own_payout"},
		{payout.ErrApproved, http.StatusConflict, "already_approved"},
		{payout.ErrChanged, http.StatusConflict, "batch_changed"},
		{payout.ErrLimit, http.StatusConflict, "batch_limit"},
		{payout.ErrMethodExists, http.StatusConflict, "method_exists"},
		{payout.ErrDownloaded, http.StatusConflict, "file_downloaded"},
		{payout.ErrFileChanged, http.StatusConflict, "file_changed"},
		{payout.ErrRequested, http.StatusConflict, "payout_requested"},
		{payout.ErrNothingPayable, http.StatusConflict, "nothing_payable"},
		{payout.ErrBelowMinimum, http.StatusConflict, "below_minimum"},
		{payout.ErrNoMethod, http.StatusConflict, "no_payable_method"},
		{payout.ErrHeld, http.StatusConflict, "payouts_held"},
		{payout.ErrInactive, http.StatusForbidden, "affiliate_inactive"},
		{payout.ErrTooManyRequests, http.StatusConflict, "too_many_payout_requests"},
		{kyc.ErrNotFound, http.StatusNotFound, "not_found"},
		{kyc.ErrGone, http.StatusNotFound, "not_found"},
		{kyc.ErrState, http.StatusConflict, "kyc_state"},
		{kyc.ErrTooMany, http.StatusConflict, "too_many_documents"},
		{kyc.ErrTooLarge, http.StatusRequestEntityTooLarge, "body_too_large"},
		{material.ErrNotFound, http.StatusNotFound, "not_found"},
		{material.ErrTooMany, http.StatusConflict, "too_many_materials"},
		{live.ErrTooMany, http.StatusTooManyRequests, "too_many_listeners"},
		{live.ErrClosed, http.StatusServiceUnavailable, "stopping"},
		{system.ErrNotFound, http.StatusNotFound, "not_found"},
		{site.ErrNotFound, http.StatusNotFound, "not_found"},
		{site.ErrConflict, http.StatusConflict, "site_changed"},
		{site.ErrTooMany, http.StatusConflict, "too_many_files"},
		{site.ErrTooLarge, http.StatusRequestEntityTooLarge, "body_too_large"},
		{tax.ErrNotFound, http.StatusNotFound, "not_found"},
		{tax.ErrExists, http.StatusConflict, "tax_rule_exists"},
		{report.ErrQuery, http.StatusUnprocessableEntity, "validation_failed"},
	} {
		if errors.Is(err, c.target) {
			return c.status, c.code, err.Error(), true
		}
	}
	var scope errScope
	var many *account.TooManyError
	var used *site.InUseError
	switch {
	case errors.As(err, &used):
		return http.StatusConflict, "media_in_use", used.Error(), true
	case errors.As(err, &many):
		return http.StatusTooManyRequests, "too_many_attempts", many.Error(), true
	case errors.Is(err, ledger.ErrClosed):
		// Why is in the log and in a verification; it may name what only operators should see.
		return http.StatusConflict, "ledger_closed", "no money may leave while the ledger does not hold or cannot be verified; see GET /ledger/verification", true
	case errors.Is(err, token.ErrUnauthenticated):
		status, code, detail = unauthenticated()
		return status, code, detail, true
	case errors.As(err, &scope):
		return http.StatusForbidden, "forbidden", scope.Error(), true
	}
	return 0, "", "", false
}

// temporary gives the status, code and words of an error after which the same request may succeed. Such errors are
// logged as well, because somebody has to see to it.
func temporary(err error) (status int, code, detail string, ok bool) {
	switch {
	case errors.Is(err, db.ErrUnknownOutcome):
		return http.StatusServiceUnavailable, "outcome_unknown",
			"the connection to the database was lost at the last moment; send the same request again with the same Idempotency-Key", true
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return http.StatusServiceUnavailable, "timeout", "the request took too long; try again later", true
	case db.IsTemporary(err):
		return http.StatusServiceUnavailable, "unavailable", "the database cannot answer now; try again later", true
	}
	return 0, "", "", false
}

// invalid is a problem with one field of the input.
func invalid(location, message string) *Problem {
	return &Problem{
		Status: http.StatusUnprocessableEntity, Code: "validation_failed", Detail: "validation failed",
		Errors: []ProblemField{{Location: location, Message: message}},
	}
}

// invalidAll joins problems with fields into one. Errors of other kinds go first.
func invalidAll(errs ...error) error {
	var fields []ProblemField
	for _, err := range errs {
		var p *Problem
		switch {
		case err == nil:
		case errors.As(err, &p):
			fields = append(fields, p.Errors...)
		default:
			return err
		}
	}
	if len(fields) == 0 {
		return nil
	}
	return &Problem{Status: http.StatusUnprocessableEntity, Code: "validation_failed", Detail: "validation failed", Errors: fields}
}

// inBody turns what a domain found wrong with the fields of a body into a problem, or gives nil.
func inBody(err error) *Problem {
	var field *account.InvalidError
	if errors.As(err, &field) {
		return invalid("body."+field.Field, field.Reason)
	}
	var in *catalog.InvalidError
	if !errors.As(err, &in) {
		return nil
	}
	p := &Problem{Status: http.StatusUnprocessableEntity, Code: "validation_failed", Detail: "validation failed"}
	for _, f := range in.Fields {
		p.Errors = append(p.Errors, ProblemField{Location: "body." + f.Field, Message: f.Reason})
	}
	return p
}

// toProblem turns an error of a handler into a problem. What is unknown is logged, once, and not shown.
func (a *API) toProblem(ctx context.Context, err error) *Problem {
	p := inBody(err)
	if p == nil {
		p = shopProblem(err)
	}
	if p != nil || errors.As(err, &p) {
		return newProblem(ctx, p.Status, p.Code, p.Detail, p.Errors...)
	}
	if status, code, detail, ok := classify(err); ok {
		return newProblem(ctx, status, code, detail)
	}
	info := infoOf(ctx)
	if status, code, detail, ok := temporary(err); ok {
		a.log.Warn("request failed for now", "request_id", info.id, "code", code, "error", err)
		return newProblem(ctx, status, code, detail)
	}
	a.log.Error("request failed", "request_id", info.id, "error", err)
	return internalProblem(ctx)
}

func internalProblem(ctx context.Context) *Problem {
	return newProblem(ctx, http.StatusInternalServerError, "internal", "an unexpected error; the log of the server has it under the request_id")
}

func newProblem(ctx context.Context, status int, code, detail string, fields ...ProblemField) *Problem {
	return &Problem{
		Type: "about:blank", Title: http.StatusText(status), Status: status, Code: code, Detail: detail,
		RequestID: infoOf(ctx).id, Errors: fields,
	}
}

// installErrors makes huma's own errors problems. Huma keeps the two functions in variables of its package, so this
// is done once a process; they depend on nothing of ours.
var installErrors = sync.OnceFunc(func() {
	huma.NewErrorWithContext = func(ctx huma.Context, status int, message string, errs ...error) huma.StatusError {
		std := context.Background()
		if ctx != nil {
			std = ctx.Context()
		}
		if status == http.StatusInternalServerError {
			// Our handlers' errors are problems already: what is left is a body that ended before its time.
			status, errs = http.StatusBadRequest, nil
		}
		return newProblem(std, status, codeOf(status), message, fieldsOf(errs)...)
	}
	huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
		return newProblem(context.Background(), status, codeOf(status), message, fieldsOf(errs)...)
	}
})

// codeOf is the code of what huma finds wrong before a handler runs.
func codeOf(status int) string {
	switch status {
	case http.StatusBadRequest:
		return "bad_request"
	case http.StatusNotAcceptable:
		return "not_acceptable"
	case http.StatusRequestTimeout:
		return "body_timeout"
	case http.StatusRequestEntityTooLarge:
		return "body_too_large"
	case http.StatusUnsupportedMediaType:
		return "unsupported_media_type"
	case http.StatusUnprocessableEntity:
		return "validation_failed"
	}
	return "internal"
}

func fieldsOf(errs []error) []ProblemField {
	var out []ProblemField
	for _, err := range errs {
		var detail *huma.ErrorDetail
		var p *Problem
		switch {
		case err == nil:
		case errors.As(err, &detail):
			out = append(out, ProblemField{Location: detail.Location, Message: detail.Message})
		case errors.As(err, &p):
			out = append(out, p.Errors...)
		default:
			out = append(out, ProblemField{Message: err.Error()})
		}
	}
	return out
}

// writeProblem answers outside of huma.
func writeProblem(w http.ResponseWriter, p *Problem) {
	w.Header().Set("Content-Type", p.ContentType(""))
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}

// writeProblemTo answers in a middleware of huma.
func writeProblemTo(ctx huma.Context, p *Problem) {
	ctx.SetHeader("Content-Type", p.ContentType(""))
	ctx.SetStatus(p.Status)
	_ = json.NewEncoder(ctx.BodyWriter()).Encode(p)
}

package convert

import (
	"fmt"

	"github.com/valyala/fasthttp"

	"github.com/edgeref/edgeref/tracker/problem"
)

// Codes of refusals: in the answer and, as the reason, in the metric. They are stable; docs/postback.md explains them.
const (
	codeBodyMalformed       = "body_malformed"
	codeContentType         = "content_type_unsupported"
	codeMethod              = "method_not_allowed"
	codeParameterMalformed  = "parameter_malformed"
	codeParameterRepeated   = "parameter_repeated"
	codeParametersTooMany   = "parameters_too_many"
	codeCredentialsMissing  = "credentials_missing"
	codeSecretWrong         = "secret_wrong"
	codeSignatureWrong      = "signature_wrong"
	codeTimestampMalformed  = "timestamp_malformed"
	codeTimestampOutOfRange = "timestamp_out_of_range"
	codeClickIDMissing      = "click_id_missing"
	codeClickIDMalformed    = "click_id_malformed"
	codeClickIDForged       = "click_id_forged"
	codeClickIDKeyUnknown   = "click_id_key_unknown"
	codeProgramMissing      = "program_missing"
	codeProgramMalformed    = "program_malformed"
	codeProgramMismatch     = "program_mismatch"
	codeProgramUnavailable  = "program_unavailable"
	codeTxidMissing         = "txid_missing"
	codeTxidInvalid         = "txid_invalid"
	codeRefTxidInvalid      = "ref_txid_invalid"
	codeRefTxidUnexpected   = "ref_txid_unexpected"
	codeEventInvalid        = "event_invalid"
	codeCustomerInvalid     = "customer_invalid"
	codeStatusUnknown       = "status_unknown"
	codeAmountMissing       = "amount_missing"
	codeAmountUnexpected    = "amount_unexpected"
	codeAmountMalformed     = "amount_malformed"
	codeAmountNegative      = "amount_negative"
	codeAmountPrecision     = "amount_precision"
	codeAmountOutOfRange    = "amount_out_of_range"
	codeCurrencyMissing     = "currency_missing"
	codeCurrencyUnknown     = "currency_unknown"
	codeConversionInvalid   = "conversion_invalid"
	codeBrowserOff          = "browser_conversions_off"
	codeOriginRefused       = "origin_refused"
	codeNotRecorded         = "not_recorded"
)

// retryAfter is when a client whose conversion could not be taken is asked to try again, in seconds.
const retryAfter = 5

// refusal says why a conversion was not taken.
type refusal struct{ problem.Problem }

func (r *refusal) Error() string { return r.Code + ": " + r.Detail }

func refuse(status int, code, format string, args ...any) *refusal {
	return &refusal{problem.Problem{Status: status, Code: code, Detail: fmt.Sprintf(format, args...)}}
}

// bad refuses input that will not get better by sending it again.
func bad(code, format string, args ...any) *refusal {
	return refuse(fasthttp.StatusBadRequest, code, format, args...)
}

// later refuses what may be taken when it is sent again.
func later(code, detail string) *refusal {
	r := refuse(fasthttp.StatusServiceUnavailable, code, "%s", detail)
	r.RetryAfter = retryAfter
	return r
}
